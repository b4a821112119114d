"""Doubling and halving: by copies and means of blocks, and with a filter between the places, so that neither makes aliases.
Each channel by itself, and as often differentiable as D is.

Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", arXiv 1912.04958, §B; Zhang, arXiv 1904.11486.
Shapes: N pictures · C channels · H×W places.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

BINOMIAL = (1.0, 3.0, 3.0, 1.0)
"""StyleGAN2's filter."""


def doubled(x: Tensor) -> Tensor:
    """N×C×H×W → N×C×2H×2W: every place four times."""
    return _Doubled.apply(x) if torch.is_grad_enabled() else _copies(x)  # type: ignore[no-untyped-call]


def halved(x: Tensor) -> Tensor:
    """N×C×H×W → N×C×H/2×W/2: means of blocks of four places. Even sides."""
    return _Halved.apply(x) if torch.is_grad_enabled() else F.avg_pool2d(x, 2)  # type: ignore[no-untyped-call]


def interpolated(x: Tensor) -> Tensor:
    """N×C×H×W → N×C×2H×2W: bilinear, which is doubling with the filter (1, 3, 3, 1) and the last places once more at the rim."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class _Doubled(torch.autograd.Function):
    """Backwards it is the other one times 4, which is much faster on CPUs than PyTorch's own way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return _copies(x)

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> Tensor:
        return 4 * halved(slopes)


class _Halved(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 2)

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> Tensor:
        return doubled(slopes / 4)


def _copies(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def upsample(x: Tensor, taps: Sequence[float] = BINOMIAL) -> Tensor:
    """N×C×H×W → N×C×2H×2W: zeros between the places, then the filter, which keeps the mean. An even number of taps."""
    pad = len(taps) // 2 - 1
    rows, columns = _kernels(x, taps, gain=2.0)
    with _as_it_is(x):
        x = F.conv_transpose2d(x, rows, stride=(2, 1), padding=(pad, 0), groups=x.shape[1])
        return F.conv_transpose2d(x, columns, stride=(1, 2), padding=(0, pad), groups=x.shape[1])


def downsample(x: Tensor, taps: Sequence[float] = BINOMIAL, crop: int = 0) -> Tensor:
    """N×C×H×W → N×C×H/2×W/2: the filter, then every other place. An even number of taps, even sides; zeros beyond the edge.

    Args:
        x: to be halved.
        taps: the filter, used as it stands (mirrored against `upsample`, as an adjoint has to be).
        crop: places to leave out at every edge of ``x``; even.
    """
    pad = len(taps) // 2 - 1 - crop
    rows, columns = _kernels(x, taps, gain=1.0)
    if pad < 0:
        x, pad = x[:, :, -pad : x.shape[2] + pad, -pad : x.shape[3] + pad], 0
    with _as_it_is(x):
        x = F.conv2d(x, rows, stride=(2, 1), padding=(pad, 0), groups=x.shape[1])
        return F.conv2d(x, columns, stride=(1, 2), padding=(0, pad), groups=x.shape[1])


def blur(x: Tensor, pad: int, taps: Sequence[float] = BINOMIAL, gain: float = 1.0) -> Tensor:
    """N×C×H×W → the filtered maps, with ``pad`` zeros around them: each side grows by 2·pad + 1 − taps."""
    rows, columns = _kernels(x, taps, gain=gain**0.5)
    with _as_it_is(x):
        x = F.conv2d(x, rows, padding=(pad, 0), groups=x.shape[1])
        return F.conv2d(x, columns, padding=(0, pad), groups=x.shape[1])


def _as_it_is(x: Tensor) -> torch.autocast:
    """The context in which float32 stays float32: a filter's sums are of a few numbers, and pictures go through them."""
    return torch.autocast(x.device.type, enabled=False)


def _kernels(x: Tensor, taps: Sequence[float], gain: float) -> tuple[Tensor, Tensor]:
    """C×1×K×1 and C×1×1×K, each with sum ``gain``."""
    kernel = torch.tensor(taps, dtype=x.dtype, device=x.device)
    kernel = (kernel * (gain / kernel.sum())).expand(x.shape[1], 1, len(taps))
    return kernel.unsqueeze(3), kernel.unsqueeze(2)
