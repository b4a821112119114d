"""Equalised learning rates as rates: the same game as weights multiplied at run time."""

import math

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from ganforge.ops.equalised import RELU_GAIN, EqualisedConv2d, EqualisedLinear, adam, leaky
from ganforge.ops.schedules import falling


class Published(nn.Module):
    """The papers' form: weights N(0, 1)/rate, multiplied by gain · rate/√fan-in in every pass; biases by rate."""

    def __init__(self, layer: EqualisedLinear | EqualisedConv2d, gain: float, rate: float) -> None:
        super().__init__()
        self.scale, self.rate = gain * rate / math.sqrt(layer.weight[0].numel()), rate
        self.weight = nn.Parameter(layer.weight.detach() / self.scale)
        self.bias = nn.Parameter(layer.bias.detach() / rate)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight, bias = self.weight * self.scale, self.bias * self.rate
        return F.linear(x, weight, bias) if weight.ndim == 2 else F.conv2d(x, weight, bias, padding=1)


@pytest.mark.parametrize("kind", ["linear", "mapping", "conv"])
def test_the_same_weights_after_the_same_game(kind):
    torch.manual_seed(0)
    rate = 0.01 if kind == "mapping" else 1.0
    layer = EqualisedConv2d(5, 3, gain=2.0) if kind == "conv" else EqualisedLinear(5, 3, gain=2.0, rate=rate, bias=1.0)
    layer.double()
    published = Published(layer, 2.0, rate)
    theirs = torch.optim.Adam(published.parameters(), 0.1, (0.0, 0.99), eps=0)
    ours = adam(layer, 0.1, (0.0, 0.99))
    for group in ours.param_groups:
        group["eps"] = 0
    for i in range(20):
        x = torch.randn(4, 5, *((6, 6) if kind == "conv" else ()), generator=torch.Generator().manual_seed(i)).double()
        for net, optimizer in ((layer, ours), (published, theirs)):
            optimizer.zero_grad()
            (net(x) - x[:, :3]).square().mean().backward()
            optimizer.step()
    torch.testing.assert_close(layer.weight, published.weight * published.scale)
    torch.testing.assert_close(layer.bias, published.bias * rate)


def test_every_weight_is_in_one_group_at_its_own_rate():
    net = nn.Sequential(EqualisedLinear(4, 16, rate=0.01), EqualisedConv2d(2, 3), nn.Linear(2, 2))
    groups = adam(net, 0.5, (0.0, 0.99)).param_groups
    found = {id(p): group["lr"] for group in groups for p in group["params"]}
    assert len(found) == sum(len(group["params"]) for group in groups) == 6
    assert found[id(net[0].weight)] == pytest.approx(0.5 * 0.01 * RELU_GAIN / 2)
    assert found[id(net[0].bias)] == pytest.approx(0.5 * 0.01)
    assert found[id(net[1].weight)] == pytest.approx(0.5 * RELU_GAIN / math.sqrt(18))
    assert found[id(net[2].weight)] == 0.5


def test_what_goes_through_many_layers_keeps_its_size():
    torch.manual_seed(0)
    x = torch.randn(256, 512)
    for _ in range(8):
        x = leaky(EqualisedLinear(512, 512)(x))
    assert 0.8 < x.square().mean() < 1.25


def test_falling_rates_hold_then_fall():
    fall = falling(0.3, 0.05)
    assert fall(0.0) == fall(0.3) == 1.0
    assert fall(0.65) == pytest.approx(0.525)
    assert fall(1.0) == pytest.approx(0.05)
    assert falling(1.0, 0.05)(0.999) == 1.0
