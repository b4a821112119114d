"""The story's pictures: a forger, an appraiser, what hangs between them, and how real it looks to the appraiser.

No words in them, so that they serve every language.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from ganforge.attributes import Value
from ganforge.avatars import draw
from ganforge.drawing.grids import Pictures, save_png

WIDTH, HEIGHT = 640, 360
FINER = 2
"""Drawn larger and shrunk, so that edges are smooth."""

WALL, FLOOR, FRAME, SHADOW = (247, 241, 230), (222, 205, 180), (143, 104, 66), (214, 203, 184)
FAKE, REAL, UNSURE, INK, PAPER = (213, 94, 0), (0, 114, 178), (150, 150, 150), (40, 40, 44), (255, 255, 255)

FORGER: dict[str, Value] = {
    "gender": "woman", "age": "young", "hair": "orange", "hairstyle": "wavy", "eyes": "green", "skin": "light",
    "glasses": "none", "beard": "none", "hat": "beret", "clothes": "shirt", "accessory": "none", "turn": 0.7,
    "background": "plain",
}  # fmt: skip
APPRAISER: dict[str, Value] = {
    "gender": "man", "age": "old", "hair": "white", "hairstyle": "short", "eyes": "blue", "skin": "tan",
    "glasses": "round", "beard": "moustache", "hat": "none", "clothes": "suit", "accessory": "none", "turn": -0.7,
    "background": "plain",
}  # fmt: skip


@dataclass(frozen=True)
class Panel:
    """One picture of the story.

    Attributes:
        shown: what hangs on the wall, uint8 (n, h, w, 3), or nothing.
        forger: her mood, −1 … 1; None when she is not there.
        appraiser: his mood; None when he is not there.
        verdict: how real he finds it, 0 … 1; None when he does not say.
    """

    shown: Sequence[Pictures] = ()
    forger: float | None = None
    appraiser: float | None = None
    verdict: float | None = None


def draw_panel(panel: Panel) -> Pictures:
    """A panel as uint8 (360, 640, 3)."""
    canvas = Image.new("RGB", (WIDTH * FINER, HEIGHT * FINER), WALL)
    pen = ImageDraw.Draw(canvas)
    pen.rectangle(_box(0, 300, WIDTH, HEIGHT), fill=FLOOR)
    if panel.forger is not None:
        _seat(canvas, "forger", panel.forger, left=24)
    if panel.appraiser is not None:
        _seat(canvas, "appraiser", panel.appraiser, left=WIDTH - 24 - 170)
    _hang(canvas, pen, panel.shown, crowded=panel.forger is not None or panel.appraiser is not None)
    if panel.verdict is not None:
        _dial(pen, panel.verdict)
    return np.asarray(canvas.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS))


def save_story(folder: Path, panels: Sequence[Panel]) -> None:
    """story-1.png and so on: what the texts call the story's pictures."""
    for i, panel in enumerate(panels, 1):
        save_png(draw_panel(panel), folder / f"story-{i}.png")


def _seat(canvas: Image.Image, who: str, mood: float, *, left: int) -> None:
    portrait, mask = _portrait(who, mood)
    canvas.paste(portrait, (left * FINER, 150 * FINER), mask)


def _hang(canvas: Image.Image, pen: ImageDraw.ImageDraw, shown: Sequence[Pictures], *, crowded: bool) -> None:
    """Framed pictures in a row, as large as fits between the two."""
    if not shown:
        return
    room = 220 if crowded and len(shown) == 1 else 560
    gap, most = 28, 200 if len(shown) == 1 else 130
    side = min(most, (room - gap * (len(shown) - 1)) // len(shown))
    left = (WIDTH - len(shown) * side - gap * (len(shown) - 1)) // 2
    top = 40 if len(shown) == 1 else 24 if crowded else (300 - side) // 2
    for i, picture in enumerate(shown):
        x = left + i * (side + gap)
        pen.rectangle(_box(x - 5, top - 5, x + side + 13, top + side + 13), fill=SHADOW)
        pen.rectangle(_box(x - 9, top - 9, x + side + 9, top + side + 9), fill=FRAME)
        how = Image.Resampling.NEAREST if picture.shape[0] < side else Image.Resampling.LANCZOS
        hung = ImageOps.pad(Image.fromarray(picture), (side * FINER, side * FINER), how, color=PAPER)
        canvas.paste(hung, (x * FINER, top * FINER))


def _dial(pen: ImageDraw.ImageDraw, verdict: float) -> None:
    """A bar from a cross (forged) to a tick (real) with a mark where the appraiser stands."""
    left, right, y = 240, 400, 330
    pen.rounded_rectangle(_box(left, y - 7, right, y + 7), 7 * FINER, fill=PAPER, outline=INK, width=FINER)
    x = left + 8 + verdict * (right - left - 16)
    pen.ellipse(_box(x - 10, y - 10, x + 10, y + 10), fill=_tint(verdict), outline=INK, width=FINER)
    for centre, colour in ((left - 26, FAKE), (right + 26, REAL)):
        pen.ellipse(_box(centre - 15, y - 15, centre + 15, y + 15), fill=colour)
    cross = ((-6, -6, 6, 6), (-6, 6, 6, -6))
    tick = ((-7, 0, -2, 6), (-2, 6, 7, -6))
    for centre, strokes in ((left - 26, cross), (right + 26, tick)):
        for x0, y0, x1, y1 in strokes:
            pen.line(_box(centre + x0, y + y0, centre + x1, y + y1), fill=PAPER, width=4 * FINER)


def _tint(verdict: float) -> tuple[int, int, int]:
    """Of the dial's mark: neither colour where he can only guess."""
    if abs(verdict - 0.5) < 0.05:
        return UNSURE
    return REAL if verdict > 0.5 else FAKE


@cache
def _portrait(who: str, mood: float) -> tuple[Image.Image, Image.Image]:
    """A round portrait of 170 pixels and its mask."""
    record, seed = (FORGER, 5) if who == "forger" else (APPRAISER, 11)
    side = 170 * FINER
    picture = Image.fromarray(draw({**record, "smile": mood}, seed, 256)).resize((side, side), Image.Resampling.LANCZOS)
    mask = Image.new("L", (side, side))
    ImageDraw.Draw(mask).ellipse((0, 0, side - 1, side - 1), fill=255)
    return picture, mask


def _box(x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
    return (x0 * FINER, y0 * FINER, x1 * FINER, y1 * FINER)
