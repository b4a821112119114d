"""Differentiable augmentation: D sees every picture, real or made, through random changes, so that it cannot learn a small
collection by heart; gradients pass through them to G.

Zhao, Liu, Lin, Zhu, Han, "Differentiable Augmentation for Data-Efficient GAN Training", arXiv 2006.10738, §3: colour,
translation and cutout. Each of the three strikes a picture with a probability, as in adaptive augmentation (Karras et al.,
arXiv 2006.06676, §3); with probability 1 it is the paper's.

Shapes: N pictures · C channels · H×W pixels; pictures in [−1, 1], where 0 is grey.
"""

import torch
from torch import Tensor

NUMBERS = 10
"""Uniform numbers that one picture's changes take."""
SHIFT = 1 / 8
"""Pictures move by at most this share of a side."""
CUTOUT = 1 / 2
"""Side of the square that is made grey, as a share of the picture's."""

TARGET = 0.6
"""What r_t = E[sign D(real)] is steered to (arXiv 2006.06676, §3.1)."""


def adapted(p: Tensor, signs: Tensor, share: float, target: float = TARGET) -> Tensor:
    """The next p ∈ [0, 1]: up by ``share`` while D is surer than ``target``, else down.

    Args:
        p: now.
        signs: r_t, the mean of sign D(real) since p was last set.
        share: how far p may go.
        target: what r_t is steered to.
    """
    return (p + (signs - target).sign() * share).clamp(0, 1)


def augment(
    pictures: Tensor,
    uniform: Tensor,
    *,
    colour: Tensor | float,
    translation: Tensor | float,
    cutout: Tensor | float,
) -> Tensor:
    """N×C×H×W → the same, changed; differentiable as often as D is.

    Args:
        pictures: in [−1, 1].
        uniform: N×10 numbers from U(0, 1).
        colour: probability of other brightness (+U(−½, ½)), saturation (×U(0, 2)) and contrast (×U(½, 3/2)).
        translation: probability of a move by up to ⅛ of each side; grey moves in.
        cutout: probability of a grey square of half a side, anywhere (it may hang over the edge).
    """
    brightness, saturation, contrast, dx, dy, x, y, *coins = uniform.to(pictures.dtype).T
    if _may_strike(colour):
        pictures = _recolour(pictures, coins[0] < colour, brightness - 0.5, 2 * saturation, contrast + 0.5)
    if _may_strike(translation):
        struck = coins[1] < translation
        pictures = _shift(pictures, _steps(dy, pictures.shape[2]) * struck, _steps(dx, pictures.shape[3]) * struck)
    if _may_strike(cutout):
        pictures = pictures * _kept(pictures, y, x, coins[2] < cutout)
    return pictures


def _may_strike(p: Tensor | float) -> bool:
    """Whether p is above 0, as far as that can be known without waiting for an accelerator."""
    return bool(p > 0) if not isinstance(p, Tensor) or p.device.type == "cpu" else True


def _recolour(pictures: Tensor, struck: Tensor, brightness: Tensor, saturation: Tensor, contrast: Tensor) -> Tensor:
    def column(numbers: Tensor, neutral: float) -> Tensor:
        return torch.where(struck, numbers, neutral)[:, None, None, None]

    pictures = pictures + column(brightness, 0.0)
    grey = pictures.mean(1, keepdim=True)
    pictures = grey + (pictures - grey) * column(saturation, 1.0)
    mean = pictures.mean((1, 2, 3), keepdim=True)
    return mean + (pictures - mean) * column(contrast, 1.0)


def _steps(uniform: Tensor, side: int) -> Tensor:
    """Whole pixels, each of −⅛ … ⅛ of the side equally likely."""
    most = int(side * SHIFT + 0.5)
    return (uniform * (2 * most + 1)).floor().clamp(max=2 * most) - most


def _shift(pictures: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Picture i moves ``down[i]`` and ``right[i]`` pixels; what moves in is 0."""
    n, _, height, width = pictures.shape
    rows = torch.arange(height, device=pictures.device) - down.long()[:, None]
    columns = torch.arange(width, device=pictures.device) - right.long()[:, None]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    which = torch.arange(n, device=pictures.device)[:, None, None]
    moved = pictures.permute(0, 2, 3, 1)[
        which, rows.clamp(0, height - 1)[:, :, None], columns.clamp(0, width - 1)[:, None, :]
    ]
    return (moved * inside[..., None]).permute(0, 3, 1, 2)


def _kept(pictures: Tensor, y: Tensor, x: Tensor, struck: Tensor) -> Tensor:
    """N×1×H×W of 1, and 0 in each struck picture's square."""
    height, width = pictures.shape[2:]

    def within(centre: Tensor, side: int) -> Tensor:
        first = (centre * (side + 1)).floor() - int(side * CUTOUT / 2)
        places = torch.arange(side, device=pictures.device)
        return (places >= first[:, None]) & (places < first[:, None] + int(side * CUTOUT))

    square = within(y, height)[:, :, None] & within(x, width)[:, None, :]
    return (~(square & struck[:, None, None]))[:, None].to(pictures.dtype)
