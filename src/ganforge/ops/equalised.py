"""Layers whose weights all learn at the same pace, however many inputs they have.

Equalised learning rate (Karras et al., "Progressive Growing of GANs", arXiv 1710.10196, §4.1): weights are N(0, 1) and
multiplied by gain/√fan-in whenever they are used, so that an Adam step moves all of them by the same share of their spread.
Adam does not see the size of gradients, so that the same game is played by weights N(0, gain²/fan-in) whose learning rate is
multiplied by gain/√fan-in instead: nothing is left to do at run time. (What differs is Adam's ε, and that is tiny.)
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ganforge.ops.soap import Soap, rotatable

SLOPE = 0.2
"""Of the leaky ReLU that these layers are made for."""
RELU_GAIN = math.sqrt(2 / (1 + SLOPE**2))
"""Keeps the second moment through a leaky ReLU."""


class EqualisedLinear(nn.Linear):
    """N×A → N×B.

    Args:
        before: A.
        after: B.
        gain: standard deviation of what comes out where what comes in has second moment 1.
        rate: this layer's share of the learning rate.
        bias: what biases start from.
    """

    def __init__(
        self, before: int, after: int, *, gain: float = RELU_GAIN, rate: float = 1.0, bias: float = 0.0
    ) -> None:
        super().__init__(before, after)
        self.rates = _start(self.weight, self.bias, gain, rate, bias)


class EqualisedConv2d(nn.Conv2d):
    """N×A×H×W → N×B×H×W, an odd kernel, padded with zeros.

    Args:
        before: A.
        after: B.
        kernel: its side, pixels.
        gain: standard deviation of what comes out where what comes in has second moment 1.
        biased: whether a bias is added.
    """

    def __init__(
        self, before: int, after: int, kernel: int = 3, *, gain: float = RELU_GAIN, biased: bool = True
    ) -> None:
        super().__init__(before, after, kernel, padding=kernel // 2, bias=biased)
        self.rates = _start(self.weight, self.bias, gain, 1.0, 0.0)


def _start(weight: Tensor, bias: Tensor | None, gain: float, rate: float, start: float) -> dict[str, float]:
    scale = gain / math.sqrt(weight[0].numel())
    nn.init.normal_(weight, 0.0, scale)
    if bias is not None:
        nn.init.constant_(bias, start)
    return {"weight": scale * rate, "bias": rate}


def leaky(x: Tensor) -> Tensor:
    """The leaky ReLU of slope 0.2, in place: what comes out of a convolution is read by nothing else."""
    return torch.nn.functional.leaky_relu(x, SLOPE, inplace=True)


def adam(net: nn.Module, rate: float, betas: tuple[float, float], *, rotated: bool = False) -> torch.optim.Adam:
    """Adam over all weights of ``net``, those of equalised layers at their own rates, all others at ``rate``; where it is
    ``rotated``, kernels along the directions of their gradients (`Soap`).
    """
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for module in net.modules():
        rates: dict[str, float] = getattr(module, "rates", {})
        for name, weight in module.named_parameters(recurse=False):
            groups.setdefault((rates.get(name, 1.0), rotated and rotatable(weight)), []).append(weight)
    settings: Sequence[dict[str, Any]] = [
        {"params": group, "lr": rate * own} | ({"rotated": True, "fused": False} if turned else {})
        for (own, turned), group in groups.items()
    ]
    return Soap(settings, rate, betas) if rotated else torch.optim.Adam(settings, rate, betas, fused=True)
