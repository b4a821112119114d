"""A training run as a clip: the same seeds over time, and how real D finds each of them."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from ganforge.drawing.grids import Pictures, near_square, untile
from ganforge.drawing.text import font, line_height

INK, FAINT, GROUND = (236, 238, 242), (52, 57, 66), (16, 18, 22)
VERDICT_COLOUR = (86, 180, 233)  # Okabe and Ito's sky blue: tells apart for every kind of colour vision
PROGRESS_COLOUR = (230, 159, 0)

PICTURES_WIDTH = 768
"""About how many pixels the pictures of a row take together: small ones are enlarged, large ones shrunk."""

LEAST_WIDTH = 480
TEXT_SIZE, KEY_SIZE = 17, 13
BAR_GAP = 2
"""Pixels between a picture and its bar."""

Box = tuple[int, int, int, int]
"""left, top, right, bottom; right and bottom excluded."""


@dataclass(frozen=True)
class Frame:
    """The samples of the fixed seeds at one moment of the run.

    Attributes:
        seen: training pictures shown so far.
        seconds: since the start.
        fraction: of the budget spent, 0 … 1.
        pictures: uint8 (N, h, w, 3), the same seeds in every frame.
        verdicts: how real D finds each of them, 0 … 1; empty or NaN where nobody asked.
    """

    seen: int
    seconds: float
    fraction: float
    pictures: Pictures
    verdicts: Sequence[float]


def stored_frames(
    events: Iterable[Mapping[str, Any]], folder: Path, height: int, width: int, *, most: int | None = None
) -> Iterator[Frame]:
    """The frames of a run: the sheets that the ``sample`` events of its log name, cut into pictures of height×width.

    Sheets are read one by one as they are asked for; lost or damaged ones are left out. With ``most``, about evenly
    spaced in pictures seen, the first and the last among them.
    """
    samples = [event for event in events if event.get("event") == "sample"]
    if most is not None and len(samples) > most:
        samples = _spread(samples, most)
    for event in samples:
        try:
            with Image.open(folder / event["file"]) as image:
                sheet = np.asarray(image.convert("RGB"))
        except (OSError, SyntaxError):
            continue
        verdicts = [math.nan if v is None else float(v) for v in event.get("verdicts") or []]
        pictures = untile(sheet, height, width, count=len(verdicts) or None)
        yield Frame(int(event["seen"]), float(event["seconds"]), float(event["fraction"]), pictures, verdicts)


def timelapse(
    frames: Iterable[Frame], *, fps: float, columns: int | None = None, hold_seconds: float = 1.5
) -> Iterator[Pictures]:
    """Draw frames for `ganforge.drawing.clips.write_clip`: pictures, a bar of D's verdict under each, a footer.

    Args:
        frames: of one run, in order; read one by one.
        fps: as given to ``write_clip``; says how many frames the last one is held for.
        columns: pictures in a row; near-square without it.
        hold_seconds: how long the last frame stays.

    Yields:
        uint8 (H, W, 3), all of one size.
    """
    drawn = None
    for frame in frames:
        drawn = draw_frame(frame, columns=columns)
        yield drawn
    if drawn is not None:
        for _ in range(round(hold_seconds * fps)):
            yield drawn


def draw_frame(frame: Frame, *, columns: int | None = None) -> Pictures:
    """One frame of the time-lapse, uint8 (H, W, 3), H and W even."""
    n, h, w, _ = frame.pictures.shape
    columns = columns or near_square(n, h, w)
    rows = math.ceil(n / columns)
    factor = PICTURES_WIDTH / (columns * w)
    factor = max(1, round(factor)) if factor > 0.75 else factor  # whole factors keep edges crisp
    cell_w, cell_h = round(w * factor), round(h * factor)
    gap, bar = max(4, cell_w // 16), max(3, cell_w // 24)
    row_h = cell_h + BAR_GAP + bar + gap
    body_w = columns * (cell_w + gap) - gap
    margin = gap + max(0, LEAST_WIDTH - body_w) // 2  # room for the footer's words
    footer_y = gap + rows * row_h + gap // 2
    width, height = body_w + 2 * margin, footer_y + line_height(TEXT_SIZE) + bar + 2 * gap

    canvas = Image.new("RGB", (width + width % 2, height + height % 2), GROUND)
    draw = ImageDraw.Draw(canvas)
    for i, picture in enumerate(frame.pictures):
        x, y = margin + i % columns * (cell_w + gap), gap + i // columns * row_h
        canvas.paste(Image.fromarray(picture).resize((cell_w, cell_h), Image.Resampling.BICUBIC), (x, y))
        if i < len(frame.verdicts):
            top = y + cell_h + BAR_GAP
            _bar(draw, (x, top, x + cell_w, top + bar), frame.verdicts[i], VERDICT_COLOUR)
    _footer(draw, frame, (margin, footer_y, width - margin, footer_y + line_height(TEXT_SIZE) + gap + bar), bar)
    return np.asarray(canvas)


def _footer(draw: ImageDraw.ImageDraw, frame: Frame, box: Box, bar: int) -> None:
    """Pictures seen and time on the left, the bars' key on the right where it fits, the run's progress below."""
    left, top, right, bottom = box
    minutes, seconds = divmod(round(frame.seconds), 60)
    progress = f"{frame.seen:,} pictures seen · {minutes}:{seconds:02d}"
    key = "bar: how real the critic finds it"
    draw.text((left, top), progress, fill=INK, font=font(TEXT_SIZE))
    free = right - left - font(TEXT_SIZE).getlength(progress) - TEXT_SIZE
    if frame.verdicts and font(KEY_SIZE).getlength(key) <= free:
        draw.text((right, top + TEXT_SIZE), key, fill=VERDICT_COLOUR, font=font(KEY_SIZE), anchor="rs")
    _bar(draw, (left, bottom - bar, right, bottom), frame.fraction, PROGRESS_COLOUR)


def _bar(draw: ImageDraw.ImageDraw, box: Box, share: float, colour: tuple[int, int, int]) -> None:
    """A track with its left ``share`` filled; only the track where the share is not a number."""
    left, top, right, bottom = box
    draw.rectangle((left, top, right - 1, bottom - 1), fill=FAINT)
    filled = round((right - left) * min(max(share, 0.0), 1.0)) if math.isfinite(share) else 0
    if filled:
        draw.rectangle((left, top, left + filled - 1, bottom - 1), fill=colour)


def _spread(samples: list[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """At most ``most`` samples, evenly over pictures seen, first and last included."""
    seen = np.array([sample["seen"] for sample in samples], dtype=np.float64)
    wanted = np.linspace(seen[0], seen[-1], most)
    chosen = {int(np.abs(seen - target).argmin()) for target in wanted} | {0, len(samples) - 1}
    return [samples[i] for i in sorted(chosen)]
