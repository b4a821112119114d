"""Augmentation of every kind with one strength p, as adaptive discriminator augmentation applies it.

Karras, Aittala, Hellsten, Laine, Lehtinen, Aila, "Training Generative Adversarial Networks with Limited Data", arXiv
2006.06676, §2–3 and appendix B ("bgc": pixel blitting, geometry, colour). Every kind of change strikes a picture with
probability p; geometry is composed in one matrix and done once, between a doubling and a halving of the picture; colour is
one matrix as well. Everything is differentiable as often as D is.

Shapes: N pictures · C channels (3) · H×W pixels; pictures in [−1, 1].
"""

import math
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ganforge.ops.resample import downsample, upsample

UNIFORM, NORMAL = 21, 7
"""Uniform and normal numbers that one picture's changes take."""
SYM6 = (
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633, 0.4910559419267466,
    0.787641141030194, 0.3379294217276218, -0.07263752278646252, -0.021060292512300564, 0.04472490177066578,
    0.0017677118642428036, -0.007800708325034148,
)  # fmt: skip
"""The low-pass filter of Daubechies' least asymmetric wavelet of 12 taps (arXiv 2006.06676, appendix B)."""
BORDER = len(SYM6) // 4
"""Pixels at each edge that the filter needs."""


def augment_all(pictures: Tensor, uniform: Tensor, normal: Tensor, p: Tensor | float) -> Tensor:
    """N×3×H×W → the same, each kind of change applied with probability p.

    Args:
        pictures: in [−1, 1].
        uniform: N×21 numbers from U(0, 1).
        normal: N×7 numbers from N(0, 1).
        p: in [0, 1].
    """
    with torch.autocast(pictures.device.type, enabled=False):  # eight bits are too few for the place of a pixel
        u, z = iter(uniform.T), iter(normal.T)
        there = _geometry(pictures.shape[2], pictures.shape[3], u, z, p)
        moved = _moved(pictures, there)
        linear, offset = (part.to(moved.dtype) for part in _colours(u, z, p))
        return (linear @ moved.flatten(2) + offset).reshape(moved.shape)


# --- where each place of the result comes from ------------------------------------------------------------------------


def _geometry(height: int, width: int, u: Any, z: Any, p: Tensor | float) -> Tensor:
    """N×3×3: places of the result, in pixels from the centre (x to the right, y down), to places of the picture."""

    def struck(numbers: Tensor, neutral: float, chance: Tensor | float = p) -> Tensor:
        return torch.where(next(u) < chance, numbers, neutral)

    flip = struck((next(u) * 2).floor(), 0.0)
    there = _scale(1 - 2 * flip, torch.ones_like(flip))
    quarter = struck((next(u) * 4).floor(), 0.0)
    there = there @ _turn(math.pi / 2 * quarter)
    strikes = next(u) < p
    dx, dy = (torch.where(strikes, (next(u) * 2 - 1) * 0.125, 0.0) for _ in range(2))
    there = there @ _shift((dx * width).round(), (dy * height).round())
    size = struck(torch.exp2(next(z) * 0.2), 1.0)
    there = there @ _scale(1 / size, 1 / size)
    once = 1 - (1 - torch.as_tensor(p)).clamp(0, 1).sqrt()  # so that one turn or both strike with probability p
    there = there @ _turn(struck((next(u) * 2 - 1) * math.pi, 0.0, once.to(flip.device)))
    stretch = struck(torch.exp2(next(z) * 0.2), 1.0)
    there = there @ _scale(1 / stretch, stretch)
    there = there @ _turn(struck((next(u) * 2 - 1) * math.pi, 0.0, once.to(flip.device)))
    strikes = next(u) < p
    dx, dy = (torch.where(strikes, next(z) * 0.125, 0.0) for _ in range(2))
    return there @ _shift(dx * width, dy * height)


def _matrix(*rows: tuple[Tensor | float, ...]) -> Tensor:
    """N×K×K from K rows of K numbers or tensors of N."""
    like = next(entry for row in rows for entry in row if isinstance(entry, Tensor))
    entries = [e if isinstance(e, Tensor) else torch.full_like(like, e) for row in rows for e in row]
    return torch.stack(entries, -1).reshape(*like.shape, len(rows), len(rows))


def _scale(x: Tensor, y: Tensor) -> Tensor:
    return _matrix((x, 0.0, 0.0), (0.0, y, 0.0), (0.0, 0.0, 1.0))


def _shift(x: Tensor, y: Tensor) -> Tensor:
    return _matrix((1.0, 0.0, -x), (0.0, 1.0, -y), (0.0, 0.0, 1.0))


def _turn(angle: Tensor) -> Tensor:
    c, s = angle.cos(), angle.sin()
    return _matrix((c, -s, 0.0), (s, c, 0.0), (0.0, 0.0, 1.0))


def _moved(pictures: Tensor, there: Tensor) -> Tensor:
    """Pictures mirrored beyond their edges as far as the result reaches, read at twice the resolution."""
    n, channels, height, width = pictures.shape
    left, top, right, bottom = _margins(there, height, width)
    wide = F.pad(pictures, (left, right, top, bottom), mode="reflect")
    wide = upsample(wide, SYM6)
    rows, columns = (height + 2 * BORDER) * 2, (width + 2 * BORDER) * 2
    # from the result's [−1, 1]² to pixels, to the picture's pixels, to [−1, 1]² of the widened, doubled picture
    ones = torch.ones_like(there[:, 0, 0])
    pixels = _scale(ones * columns / 4, ones * rows / 4)
    shifted = _shift(ones * (right - left) / 2, ones * (bottom - top) / 2)
    unit = _scale(ones * 4 / wide.shape[3], ones * 4 / wide.shape[2])
    quarter = ones / 4  # the filter puts a pixel on the first of its two places, not between them
    matrix = unit @ _shift(quarter, quarter) @ shifted @ there @ _shift(-quarter, -quarter) @ pixels
    grid = F.affine_grid(matrix[:, :2].to(wide.dtype), [n, channels, rows, columns], align_corners=False)
    read: Tensor = _Read.apply(wide, grid)  # type: ignore[no-untyped-call]
    return downsample(read, SYM6, crop=2 * BORDER)


def _margins(there: Tensor, height: int, width: int) -> list[int]:
    """Left, top, right and bottom: how far beyond the picture the results of a batch reach, at most one picture."""
    x, y = (width - 1) / 2, (height - 1) / 2
    corners = there.new_tensor([[-x, -y, 1], [x, -y, 1], [x, y, 1], [-x, y, 1]]).T
    reached = (there @ corners)[:, :2].movedim(1, 0).flatten(1)
    wanted = torch.cat([-reached, reached]).amax(1).tolist()
    return [
        math.ceil(min(max(far + 2 * BORDER - middle, 0.0), side - 1.0))
        for far, middle, side in zip(wanted, (x, y, x, y), (width, height, width, height), strict=True)
    ]


class _Read(torch.autograd.Function):
    """grid_sample without slopes for the grid: linear in the pictures, so it can be differentiated again and again."""

    @staticmethod
    def forward(ctx: Any, pictures: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.places = pictures.shape
        return F.grid_sample(pictures, grid, "bilinear", "zeros", align_corners=False)

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> tuple[Tensor, None]:
        (grid,) = ctx.saved_tensors
        spread: Tensor = _Spread.apply(slopes, grid, ctx.places)  # type: ignore[no-untyped-call]
        return spread, None


class _Spread(torch.autograd.Function):
    """The transpose of `_Read`."""

    @staticmethod
    def forward(ctx: Any, slopes: Tensor, grid: Tensor, places: torch.Size) -> Tensor:
        ctx.save_for_backward(grid)
        device = slopes.device
        if device.type == "mps":  # which has no kernel for it
            slopes, grid = slopes.cpu(), grid.cpu()
        empty = slopes.new_empty(1).expand(places)
        spread: Tensor = torch.ops.aten.grid_sampler_2d_backward(slopes, empty, grid, 0, 0, False, [True, False])[0]
        return spread.to(device)

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> tuple[Tensor, None, None]:
        (grid,) = ctx.saved_tensors
        read: Tensor = _Read.apply(slopes, grid)  # type: ignore[no-untyped-call]
        return read, None, None


# --- colour -----------------------------------------------------------------------------------------------------------


def _colours(u: Any, z: Any, p: Tensor | float) -> tuple[Tensor, Tensor]:
    """N×3×3 and N×3×1: what red, green and blue are multiplied by, and what is added."""

    def struck(numbers: Tensor, neutral: float) -> Tensor:
        return torch.where(next(u) < p, numbers, neutral)

    brightness = struck(next(z) * 0.2, 0.0)
    contrast = struck(torch.exp2(next(z) * 0.5), 1.0)
    flip = struck((next(u) * 2).floor(), 0.0)
    hue = struck((next(u) * 2 - 1) * math.pi, 0.0)
    saturation = struck(torch.exp2(next(z)), 1.0)
    grey = torch.full((3, 3), 1 / 3, dtype=brightness.dtype, device=brightness.device)  # projects on the grey axis
    eye = torch.eye(3, dtype=grey.dtype, device=grey.device)
    # around the grey axis (1, 1, 1)/√3 (Rodrigues)
    cross = torch.tensor([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], dtype=grey.dtype, device=grey.device) / math.sqrt(3)

    def column(numbers: Tensor) -> Tensor:
        return numbers[:, None, None]

    turned = grey + column(hue.cos()) * (eye - grey) + column(hue.sin()) * cross
    linear = (grey + column(saturation) * (eye - grey)) @ turned @ (eye - 2 * grey * column(flip)) * column(contrast)
    offset = linear @ brightness[:, None, None].expand(-1, 3, 1)
    return linear, offset
