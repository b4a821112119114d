"""Adam in the eigenbases of gradients."""

import copy

import pytest
import torch
from torch import Tensor, nn

from ganforge.ops.equalised import EqualisedConv2d, adam
from ganforge.ops.soap import Soap
from ganforge.training.checkpoints import _restore_optimizer

MAPS = 16


def kernel(*, before: int = MAPS, after: int = MAPS, kernel: int = 3) -> EqualisedConv2d:
    torch.manual_seed(0)
    return EqualisedConv2d(before, after, kernel).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def slopes(count: int) -> list[Tensor]:
    return [torch.randn(MAPS, MAPS, 3, 3, generator=torch.Generator().manual_seed(i)) for i in range(count)]


def moved(conv: nn.Conv2d, given: list[Tensor], betas: tuple[float, float] = (0.0, 0.9)) -> Tensor:
    """What an optimizer adds to the kernel at the last of these gradients."""
    optimizer, before = adam(conv, 0.01, betas, rotated=True), conv.weight.detach()
    for slope in given:
        before = conv.weight.detach().clone()
        conv.weight.grad, conv.bias.grad = slope.clone(), torch.ones(len(conv.bias))  # type: ignore[arg-type,union-attr]
        optimizer.step()
    return conv.weight.detach() - before


@pytest.mark.parametrize("betas", [(0.0, 0.9), (0.5, 0.9)])
@pytest.mark.parametrize("steps", [1, 2, 13])
def test_turned_maps_get_a_turned_step(steps, betas):
    """What tells it from Adam: along which axes maps are counted is nothing to it."""
    left, right = (
        torch.linalg.qr(torch.randn(MAPS, MAPS, generator=torch.Generator().manual_seed(i)))[0] for i in (7, 8)
    )

    def turn(kernel: Tensor) -> Tensor:
        return torch.einsum("bc,cdij,da->baij", left, kernel, right)

    given = slopes(steps)
    straight, turned = moved(kernel(), given, betas), moved(kernel(), [turn(slope) for slope in given], betas)
    torch.testing.assert_close(turned, turn(straight), rtol=0.02, atol=float(straight.abs().mean()) / 50)


def test_steps_are_as_long_as_adams():
    conv = kernel()
    step = moved(conv, slopes(20))
    assert 0.5 < float(step.square().mean().sqrt() / (0.01 * conv.rates["weight"])) < 1.5


@pytest.mark.parametrize("shape", [{"before": 15}, {"after": 15}, {"kernel": 1}])
def test_small_kernels_and_biases_have_plain_adam(shape):
    conv = kernel(**shape)
    other = copy.deepcopy(conv)
    for net, optimizer in ((conv, adam(conv, 0.01, (0.0, 0.9), rotated=True)), (other, adam(other, 0.01, (0.0, 0.9)))):
        for i in range(3):
            for weight in net.parameters():
                weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(i))
            optimizer.step()
    assert torch.equal(conv.weight, other.weight)
    assert torch.equal(conv.bias, other.bias)  # type: ignore[arg-type]


def test_it_goes_on_from_what_was_kept_of_it():
    conv = kernel()
    optimizer = adam(conv, 0.01, (0.5, 0.9), rotated=True)
    given = slopes(20)
    for at, slope in enumerate(given):
        if at == 11:
            other = copy.deepcopy(conv)
            again = adam(other, 0.01, (0.5, 0.9), rotated=True)
            kept = {
                f"{i}.{key}": torch.as_tensor(value).contiguous().clone()
                for i, memory in optimizer.state_dict()["state"].items()
                for key, value in memory.items()
            }
            _restore_optimizer(again, "", kept)
        for net, mover in ((conv, optimizer), *([(other, again)] if at >= 11 else ())):
            net.weight.grad, net.bias.grad = slope.clone(), torch.ones(MAPS)  # type: ignore[union-attr]
            mover.step()
    assert isinstance(again, Soap)
    assert torch.equal(conv.weight, other.weight)


def test_products_may_be_rounded():
    given, found = slopes(12), []
    for enabled in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            found.append(moved(kernel(), given))
    assert float((found[1] - found[0]).norm() / found[0].norm()) < 0.03


def test_directions_are_kept_with_the_greatest_first():
    """The order that orthogonal iteration keeps; the other way round it would be lost at once."""
    conv, spread = kernel(), torch.diag(2.0 ** -torch.arange(MAPS))
    given = [torch.einsum("bc,cdij->bdij", spread, slope) for slope in slopes(12)]
    optimizer = adam(conv, 0.01, (0.0, 0.9), rotated=True)
    for slope in given:
        conv.weight.grad, conv.bias.grad = slope.clone(), torch.ones(MAPS)  # type: ignore[union-attr]
        optimizer.step()
        memory = optimizer.state[conv.weight]
        along = torch.diag(memory["left"].T @ memory["left_among"] @ memory["left"])
        assert torch.equal(along.argsort(descending=True)[:8], torch.arange(8))


def test_slopes_that_are_no_numbers_make_weights_that_are_none():
    """And no error: the loop goes back by itself then."""
    step = moved(kernel(), [torch.full((MAPS, MAPS, 3, 3), torch.nan)])
    assert not torch.isfinite(step).any()
