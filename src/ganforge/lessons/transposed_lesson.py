"""`ganforge learn transposed`: what a transposed convolution does, square by square."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydantic import Field

from ganforge.avatars import draw as draw_avatar
from ganforge.drawing.cells import draw_cells
from ganforge.drawing.clips import write_both
from ganforge.drawing.figures import figure, heading, pixels, save_figure
from ganforge.drawing.grids import Pictures
from ganforge.errors import UsageError
from ganforge.lessons.comic import FORGER, Panel, save_story
from ganforge.lessons.lesson import Lesson, Played, Settings, Variant, in_turn
from ganforge.lessons.transposed import (
    Map,
    checkerboard,
    convolve,
    overlaps,
    resize_then_convolve,
    scatter,
    stretch,
    transposed_convolution,
)
from ganforge.progress import Progress

SMALL: Map = np.array([[1.0, 2], [3, 4]])
KERNEL: Map = np.array([[1.0, 2, 0], [3, 4, 1], [0, 1, 2]])
"""Not symmetric, so that one sees it turned."""
STRIDE = 2
KERNELS = (3, 4, 5)
MOST = 11
"""Squares along a side that can be read, and drawn one after the other in a minute."""


def play_lesson(folder: Path, progress: Progress) -> Played:
    """Both clips, the checkerboard, and what to do instead."""
    large = transposed_convolution(SMALL, KERNEL, STRIDE)
    in_turn(
        progress,
        (
            ("scatter and add", lambda: _scatter_clip(folder, SMALL, KERNEL, STRIDE)),
            ("stretch and convolve", lambda: _stretch_clip(folder, SMALL, KERNEL, STRIDE)),
            ("step by step", lambda: _steps(folder)),
            ("the checkerboard", lambda: _overlaps(folder)),
            ("on a picture", lambda: _on_a_picture(folder)),
            ("the story", lambda: _story(folder)),
        ),
    )
    values = {"large": f"{large.shape[0]}×{large.shape[1]}"}
    for size in KERNELS:
        counts = overlaps(8, size, STRIDE)[4:-4, 4:-4]
        values |= {f"least_{size}": f"{counts.min():.0f}", f"most_{size}": f"{counts.max():.0f}"}
    photo = _photo()
    for name, enlarged in _enlarged(photo).items():
        values[f"board_{name}"] = f"{checkerboard(enlarged):.2f}"
    told = (
        f"2×2 with kernel 3 and stride 2 becomes {values['large']}:",
        *("  " + " ".join(f"{x:4g}" for x in row) for row in large),
        *(
            f"kernel {size}, stride 2: {values[f'least_{size}']} to {values[f'most_{size}']} stamps on a pixel"
            for size in KERNELS
        ),
    )
    return Played(values, told)


# --- drawings ---------------------------------------------------------------------------------------------------------


def _scatter_frame(small: Map, kernel: Map, stride: int, stamp: tuple[int, int, Map] | None, most: float) -> Pictures:
    with figure(8.4, 3.7) as made:
        left, middle, right = made.subplots(1, 3, gridspec_kw={"width_ratios": [2, 3, 5]})
        out = np.zeros([(side - 1) * stride + len(kernel) for side in small.shape])
        marked: list[tuple[int, int]] = []
        under: list[tuple[int, int]] = []
        title = "×"
        if stamp is not None:
            row, column, out = stamp
            marked = [(row, column)]
            under = [(row * stride + i, column * stride + j) for i, j in np.ndindex(*kernel.shape)]
            title = f"{small[row, column]:g} × kernel"
        draw_cells(left, small, most=most, marked=marked)
        draw_cells(middle, kernel if stamp is None else small[marked[0]] * kernel, most=most, title=title)
        draw_cells(right, out, most=most, marked=under)
        return pixels(made, 90)


def _scatter_clip(folder: Path, small: Map, kernel: Map, stride: int) -> None:
    """Every input pixel stamps the kernel onto the output."""
    most = float(transposed_convolution(small, np.abs(kernel), stride).max())

    def frames() -> Iterator[Pictures]:
        yield _scatter_frame(small, kernel, stride, None, most)
        for stamp in scatter(small, kernel, stride):
            yield _scatter_frame(small, kernel, stride, stamp, most)

    made = list(frames())
    write_both([*made, *made[-1:]], folder / "scatter", 0.8)


def _stretch_frame(stretched: Map, kernel: Map, out: Map, place: tuple[int, int], most: float) -> Pictures:
    with figure(9.6, 4.2) as made:
        left, middle, right = made.subplots(1, 3, gridspec_kw={"width_ratios": [7, 3, 5]})
        under = [(place[0] + i, place[1] + j) for i, j in np.ndindex(*kernel.shape)]
        draw_cells(left, stretched, most=most, marked=under)
        draw_cells(middle, kernel[::-1, ::-1], most=most, title="kernel, turned")
        draw_cells(right, out, most=most, marked=[place])
        return pixels(made, 84)


def _stretch_clip(folder: Path, small: Map, kernel: Map, stride: int) -> None:
    """The same output by an ordinary convolution, which slides over the stretched input."""
    stretched = stretch(small, len(kernel), stride)
    whole = convolve(stretched, kernel)
    most = float(np.abs(whole).max())
    frames = []
    out = np.full_like(whole, np.nan)
    for place in np.ndindex(*whole.shape):
        out[place] = whole[place]
        frames.append(_stretch_frame(stretched, kernel, out, (place[0], place[1]), most))
    write_both([*frames, *frames[-1:] * 3], folder / "stretched", 2.5)


def _steps(folder: Path) -> None:
    """The four stamps as a still picture."""
    stamps = list(scatter(SMALL, KERNEL, STRIDE))
    most = float(stamps[-1][2].max())
    with figure(9.4, 2.8) as made:
        for axes, (row, column, out) in zip(made.subplots(1, 4), stamps, strict=True):
            under = [(row * STRIDE + i, column * STRIDE + j) for i, j in np.ndindex(*KERNEL.shape)]
            draw_cells(axes, out, most=most, marked=under, title=f"+ {SMALL[row, column]:g} × kernel", zeros=False)
        save_figure(made, folder / "steps.png")


def _overlaps(folder: Path) -> None:
    """How many stamps lie on each output pixel, for three kernels."""
    with figure(9.4, 3.5) as made:
        for axes, size in zip(made.subplots(1, len(KERNELS)), KERNELS, strict=True):
            counts = overlaps(6, size, STRIDE)
            draw_cells(axes, counts, most=9)
            heading(axes, f"kernel {size}, stride {STRIDE}")
        save_figure(made, folder / "overlaps.png")


def _photo() -> Map:
    """A small grey portrait, 32×32, 0 … 1."""
    grey: Map = draw_avatar({**FORGER, "smile": 0.6}, 5, 32).astype(np.float64).mean(2) / 255
    return grey


def _enlarged(photo: Map) -> dict[str, Map]:
    """The portrait enlarged by flat kernels of three sizes, and resized then convolved; brightness kept on average."""
    made: dict[str, Map] = {}
    for size in KERNELS:
        kernel = np.full((size, size), (STRIDE / size) ** 2)
        made[f"kernel_{size}"] = transposed_convolution(photo, kernel, STRIDE)
    made["resized"] = resize_then_convolve(photo, np.full((3, 3), 1 / 9), STRIDE)
    return made


def _on_a_picture(folder: Path) -> None:
    names = {"kernel_3": "kernel 3", "kernel_4": "kernel 4", "kernel_5": "kernel 5", "resized": "resize, then 3×3"}
    with figure(10, 3) as made:
        for axes, (name, enlarged) in zip(made.subplots(1, 4), _enlarged(_photo()).items(), strict=True):
            axes.imshow(enlarged, cmap="gray", vmin=0, vmax=1.2, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            heading(axes, names[name], f"{checkerboard(enlarged):.2f}")
        save_figure(made, folder / "checkerboard.png")


def _story(folder: Path) -> None:
    """One panel a sentence: squares on the wall, the forger beside them."""
    most = float(transposed_convolution(SMALL, KERNEL, STRIDE).max())

    def hung(values: Map) -> Pictures:
        grey = 255 - 235 * np.minimum(values / most, 1)
        return np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=2)

    stamps = [out for _, _, out in scatter(SMALL, KERNEL, STRIDE)]
    board = overlaps(6, 3, 2)
    panels = (
        Panel([hung(SMALL * 3)], forger=0.3),
        Panel([hung(KERNEL * 2), hung(SMALL[:1, :1] * KERNEL)], forger=0.5),
        Panel([hung(stamps[0]), hung(stamps[1])], forger=0.5),
        Panel([hung(stamps[3])], forger=1.0),
        Panel([hung(board * most / 4)], forger=-0.6, appraiser=-0.5, verdict=0.1),
        Panel([hung(resize_then_convolve(np.ones((6, 6)), np.full((3, 3), 1 / 9), 2) * most / 2)], forger=0.8),
    )
    save_story(folder, panels)


# --- with the user's own settings -------------------------------------------------------------------------------------


class TransposedSettings(Settings):
    """``ganforge learn transposed --set kernel=4 --set stride=3``."""

    side: int = Field(2, ge=1, le=6, description="of the input, squares")
    kernel: int = Field(3, ge=1, le=7, description="side of the kernel, squares")
    stride: int = Field(2, ge=1, le=4, description="squares from stamp to stamp")


def play_variant(settings: TransposedSettings, folder: Path, progress: Progress) -> Played:
    """Both clips for an input of ones and a kernel that fades from its middle."""
    out = (settings.side - 1) * settings.stride + settings.kernel
    if out > MOST:
        raise UsageError(f"The output would have {out}×{out} squares, too many to read; {MOST} are the most.")
    slope = np.minimum(np.arange(settings.kernel), np.arange(settings.kernel)[::-1]) + 1.0
    kernel, small = np.outer(slope, slope), np.ones((settings.side, settings.side))
    in_turn(
        progress,
        (
            ("scatter and add", lambda: _scatter_clip(folder, small, kernel, settings.stride)),
            ("stretch and convolve", lambda: _stretch_clip(folder, small, kernel, settings.stride)),
        ),
    )
    return Played(told=(f"{settings.side}×{settings.side} becomes {out}×{out}",))


LESSON = Lesson(
    "transposed", "what a transposed convolution does, and its checkerboard", play_lesson,
    Variant(TransposedSettings, play_variant),
)  # fmt: skip
