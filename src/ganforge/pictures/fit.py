"""Pixels of any shape → pixels of one shape: crop or pad, then an antialiased resize."""

from dataclasses import dataclass
from math import ceil

import numpy as np
from PIL import Image

from ganforge.pictures.collection import Pixels
from ganforge.pictures.decode import Colour


@dataclass(frozen=True)
class Fitted:
    """A picture of the asked shape, and what was done to it.

    Attributes:
        pixels: uint8 (H, W, 3).
        reshaped: its sides were cropped or padded, because its proportions were others.
        enlarged: it had fewer pixels than asked for.
    """

    pixels: Pixels
    reshaped: bool
    enlarged: bool


def enough(size: tuple[int, int]) -> tuple[int, int]:
    """(height, width) from which ``size`` can be made without visible loss: for JPEG's decoding at a fraction."""
    return 3 * max(size), 3 * max(size)


def fit(
    pixels: Pixels,
    size: tuple[int, int],
    *,
    pad: bool = False,
    background: Colour = (255, 255, 255),
    centre: tuple[int, int] | None = None,
) -> Fitted:
    """Make ``pixels`` (h, w, 3) into (H, W, 3).

    Args:
        pixels: uint8.
        size: (H, W).
        pad: lay the whole picture over ``background`` instead of cutting its longer sides.
        background: the colour of the padding.
        centre: (width, height) to cut from the middle first, at left = (w − width)//2, top = (h − height)//2.
    """
    height, width = size
    if centre is not None:
        w, h = min(centre[0], pixels.shape[1]), min(centre[1], pixels.shape[0])
        left, top = (pixels.shape[1] - w) // 2, (pixels.shape[0] - h) // 2
        pixels = pixels[top : top + h, left : left + w]
    h, w = pixels.shape[:2]
    if (h, w) == (height, width):
        return Fitted(np.ascontiguousarray(pixels), False, False)
    image = Image.fromarray(np.ascontiguousarray(pixels))
    reshaped = w * height != h * width
    scale = (min if pad else max)(width / w, height / h)
    enlarged = scale > 1
    if pad and reshaped:
        inner = max(1, min(width, round(w * scale))), max(1, min(height, round(h * scale)))
        whole = Image.new("RGB", (width, height), background)
        resized = image.resize(inner, Image.Resampling.LANCZOS, reducing_gap=3.0)
        whole.paste(resized, ((width - inner[0]) // 2, (height - inner[1]) // 2))
        return Fitted(np.asarray(whole), True, enlarged)
    cut_w, cut_h = min(w, ceil(width / scale - 1e-9)), min(h, ceil(height / scale - 1e-9))
    left, top = (w - cut_w) // 2, (h - cut_h) // 2
    box = (left, top, left + cut_w, top + cut_h)
    resized = image.resize((width, height), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    return Fitted(np.asarray(resized), reshaped, enlarged)
