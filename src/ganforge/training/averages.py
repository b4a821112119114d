"""Averaged weights: what is sampled and saved.

Exponential moving average by pictures seen, β = ½^(N / half-life), with the half-life ramped up from the start
(StyleGAN2-ADA, training loop). Batch normalisation keeps statistics of the raw net's maps, which do not fit averaged
weights; they are recomputed before sampling.
"""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class Average:
    """The moving average of one net."""

    def __init__(self, net: nn.Module, halflife_pictures: float, rampup: float) -> None:
        self._source = net
        self._halflife, self._rampup = halflife_pictures, rampup
        self.net = copy.deepcopy(net).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, pictures: int, seen: int) -> None:
        """Take a step's weights in: ``pictures`` of this step, ``seen`` in all."""
        halflife = min(self._halflife, seen * self._rampup)
        beta = 0.5 ** (pictures / halflife) if halflife > 0 else 0.0
        torch._foreach_lerp_(list(self.net.parameters()), list(self._source.parameters()), 1 - beta)
        for kept, new in zip(self.net.buffers(), self._source.buffers(), strict=True):
            kept.copy_(new)


@torch.no_grad()
def recalibrate(net: nn.Module, forward: Callable[[int], Tensor], batches: int = 4) -> None:
    """Recompute the running statistics of every batch normalisation in ``net``: the mean over ``forward(0)`` … batches.

    Nets without batch normalisation are left alone. Numbers do not depend on what the statistics were before.
    """
    norms = [m for m in net.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # cumulative: every batch weighs the same
        norm.train()
    try:
        for i in range(batches):
            forward(i)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            norm.eval()
