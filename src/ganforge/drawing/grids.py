"""Sheets of pictures.

Shapes: N pictures · h, w pixels of one picture · H, W pixels of a sheet. Pictures are uint8 (N, h, w, 3), RGB.

    grid      for people: gaps, a caption line, a label under each picture
    tile      for programs: no gaps, so that `untile` cuts the very same pictures out again
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from ganforge.drawing.text import font_for, line_height, shorten, wrap
from ganforge.files import replacing

if TYPE_CHECKING:
    from torch import Tensor

Pictures = npt.NDArray[np.uint8]
"""uint8; (N, h, w, 3) for several pictures, (H, W, 3) for one."""

SHADE_OF_BLANKS = 0
"""What `tile` fills the cells of an unfinished last row with."""


def to_uint8(pictures: Tensor | npt.NDArray[Any]) -> Pictures:
    """Floats in [−1, 1], N×C×h×w with C = 1 or 3 (torch or NumPy), as uint8 (N, h, w, 3).

    Values outside are clipped, grey becomes RGB, and what is not a number becomes mid-grey. Raises ValueError for
    another shape.
    """
    array: npt.NDArray[Any] = pictures if isinstance(pictures, np.ndarray) else pictures.detach().float().cpu().numpy()
    if array.ndim != 4 or array.shape[1] not in (1, 3):
        raise ValueError(f"expected pictures of shape (N, 1 or 3, h, w), got {array.shape}")
    scaled = np.nan_to_num((array.astype(np.float32) + 1) * 127.5, nan=127.5, posinf=255, neginf=0)
    rgb = np.broadcast_to(scaled, (len(array), 3, *array.shape[2:])).transpose(0, 2, 3, 1)
    rounded: Pictures = np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(rounded)


def near_square(n: int, height: int = 1, width: int = 1) -> int:
    """How many columns make n cells of height×width pixels into a sheet near a square, rather wide than high."""
    return max(1, min(n, math.ceil(math.sqrt(n * height / width) - 1e-9)))


def tile(pictures: Pictures, columns: int | None = None) -> Pictures:
    """Pictures (N, h, w, 3) side by side without gaps: (rows·h, columns·w, 3), row by row.

    Cells without a picture in the last row are black.
    """
    n, h, w = _checked(pictures)
    columns = columns or near_square(n, h, w)
    rows = math.ceil(n / columns)
    cells = np.full((rows * columns, h, w, 3), SHADE_OF_BLANKS, np.uint8)
    cells[:n] = pictures
    sheet: Pictures = cells.reshape(rows, columns, h, w, 3).swapaxes(1, 2).reshape(rows * h, columns * w, 3)
    return sheet


def untile(sheet: Pictures, height: int, width: int, *, count: int | None = None) -> Pictures:
    """Cut a sheet (H, W, 3) of `tile` into its pictures (N, height, width, 3).

    Args:
        sheet: as `tile` made it.
        height: of one picture, in pixels.
        width: of one picture, in pixels.
        count: how many pictures there are, where the last row is not full; all cells without it.

    Raises:
        ValueError: when the sheet is not made of whole cells, or has fewer than ``count``.
    """
    if sheet.ndim != 3 or sheet.shape[2] != 3 or sheet.shape[0] % height or sheet.shape[1] % width:
        raise ValueError(f"a sheet of shape {sheet.shape} is not made of whole {height}×{width} pictures")
    rows, columns = sheet.shape[0] // height, sheet.shape[1] // width
    if count is not None and count > rows * columns:
        raise ValueError(f"the sheet has {rows * columns} pictures, not {count}")
    cells = sheet.reshape(rows, height, columns, width, 3).swapaxes(1, 2)
    return np.ascontiguousarray(cells.reshape(-1, height, width, 3)[:count])


def grid(
    pictures: Pictures,
    *,
    columns: int | None = None,
    pad: int = 2,
    background: int = 255,
    labels: Sequence[str] | None = None,
    title: str | None = None,
    scale: int = 1,
) -> Pictures:
    """A sheet for people: pictures with gaps, a caption line on top, a label under each picture.

    Args:
        pictures: uint8 (N, h, w, 3), N ≥ 1.
        columns: pictures in a row; near-square without it.
        pad: gap between pictures and around them, in pixels of the sheet.
        background: grey value of the gaps, 0 … 255; words are black or white, whichever shows.
        labels: one a picture, cut to its width.
        title: wrapped to the sheet's width.
        scale: every pixel becomes a square of scale×scale.

    Returns:
        The sheet, uint8 (H, W, 3).

    Raises:
        ValueError: pictures of another shape, or not one label a picture.
    """
    n, h, w = _checked(pictures)
    if labels is not None and len(labels) != n:
        raise ValueError(f"{n} pictures need {n} labels, not {len(labels)}")
    h, w = h * scale, w * scale
    columns = columns or near_square(n, h, w)
    rows = math.ceil(n / columns)
    sheet_width = pad + columns * (w + pad)
    size = min(max(sheet_width // 48, 12), 28)
    margin = max(pad, size // 2)
    lines = wrap(title, max(sheet_width - 2 * margin, size), size) if title else []
    head = len(lines) * line_height(size) + 2 * margin if lines else pad
    label_size = min(max(w // 10, 9), 20)
    label_height = line_height(label_size) if labels else 0

    canvas = Image.new("RGB", (sheet_width, head + rows * (h + label_height + pad)), (background,) * 3)
    ink = (17, 17, 17) if background > 127 else (238, 238, 238)
    draw = ImageDraw.Draw(canvas)
    for i, line in enumerate(lines):
        draw.text((margin, margin + i * line_height(size)), line, fill=ink, font=font_for(line, size))
    for i, picture in enumerate(pictures):
        x = pad + i % columns * (w + pad)
        y = head + i // columns * (h + label_height + pad)
        canvas.paste(Image.fromarray(picture).resize((w, h), Image.Resampling.NEAREST), (x, y))
        if labels:
            label = shorten(labels[i], w, label_size)
            draw.text((x + w / 2, y + h + 1), label, fill=ink, font=font_for(label, label_size), anchor="ma")
    return np.asarray(canvas)


def save_png(picture: Pictures, path: Path | str, *, text: Mapping[str, str] | None = None) -> None:
    """Write one picture uint8 (H, W, 3) as PNG, atomically.

    Args:
        picture: what to write.
        path: where; missing folders are made.
        text: metadata, read back by ``PIL.Image.open(path).text``: recipe, seeds, "AI-generated". Names are 1 … 79
            Latin-1 characters, values any text.

    Raises:
        ValueError: for another shape or type.
        OSError: when the file cannot be written.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(f"expected uint8 of shape (H, W, 3), got {picture.dtype} of shape {picture.shape}")
    information = PngInfo()
    for name, value in (text or {}).items():
        information.add_text(name, value, zip=len(value) > 1024)
    with replacing(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG", pnginfo=information)


def _checked(pictures: Pictures) -> tuple[int, int, int]:
    """(N, h, w) of pictures fit for a sheet; ValueError for anything else."""
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[3] != 3 or not pictures.size:
        raise ValueError(f"expected uint8 pictures (N ≥ 1, h, w, 3), got {pictures.dtype} of shape {pictures.shape}")
    n, h, w, _ = pictures.shape
    return n, h, w
