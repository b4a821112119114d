"""Write the page of a training run: one HTML file with everything inside."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganforge import __version__
from ganforge.drawing.clips import CRF, write_clip
from ganforge.drawing.curves import VERDICT_NAMES, Curves, loss_range, read_curves
from ganforge.drawing.grids import Pictures, tile
from ganforge.drawing.timelapse import Frame, draw_frame, timelapse
from ganforge.files import replacing
from ganforge.reports.charts import Chart, Line, evenly, line_chart
from ganforge.reports.rendering import data_uri, jpeg, png, render, template_text
from ganforge.reports.story import Story

MOST_FINAL, MOST_REAL, MOST_SEEDS, MOST_FRAMES = 20, 12, 24, 40
"""Pictures in the hero's two grids, seeds and moments under the slider: what fits a screen at a good size."""

LARGEST_CELL = 128
"""CSS pixels a picture takes in a grid; small pictures are enlarged by a whole factor up to this."""

MOST_SHEET_BYTES = 2_200_000
MOST_MEDIA_BYTES = 4_000_000
"""Of the slider's sheets, and of these and the time-lapse: with a third more for base64 the page stays below 6 MB."""

CLIP_FPS, WORST_CRF = 8, 40

SHEET_QUALITIES = (90, 82, 72, 60, 45)

TABLE_ROWS = 12

ROLES = {"D": ("critic", "the critic, D"), "G": ("forger", "the forger, G")}
VERDICT_ROLES = {"training": "critic", "held_out": "held-out", "fakes": "forger"}


def write_page(story: Story, path: Path | str) -> None:
    """Write ``story`` as one self-contained HTML file of less than 6 MB, atomically.

    Long runs are thinned out evenly, and a time-lapse that is too heavy is drawn again, smaller.

    Raises:
        OSError: when the file cannot be written.
    """
    html = render("page.html", **_context(story))
    with replacing(path) as temporary:
        temporary.write_text(html, encoding="utf-8", newline="\n")


def _context(story: Story) -> dict[str, Any]:
    h, w = story.final.shape[1:3]
    factor = LARGEST_CELL / max(h, w)
    factor = float(int(factor)) if factor >= 1 else factor
    cell_h, cell_w = max(1, round(h * factor)), max(1, round(w * factor))
    sheet_h, sheet_w = min(h, cell_h), min(w, cell_w)
    frames, sheets = _sheets(story.frames, sheet_h, sheet_w)
    clip = _light(story.mp4, frames, MOST_MEDIA_BYTES - sum(map(len, sheets))) if story.mp4 else None
    charts = _charts(read_curves(story.reports))
    return {
        "story": story,
        "version": __version__,
        "style": template_text("base.css") + template_text("page.css"),
        "script": template_text("clipboard.js") + template_text("page.js"),
        "cell": {"w": cell_w, "h": cell_h},
        "final": [_still(picture) for picture in story.final[:MOST_FINAL]],
        "real": [_still(picture) for picture in story.real[:MOST_REAL]],
        "took": _duration(story.facts.minutes * 60),
        "frames": frames,
        "seeds": min(MOST_SEEDS, len(frames[-1].pictures)) if frames else 0,
        "charts": charts,
        "table": _table(charts),
        "clip": data_uri(clip, "video/mp4") if clip else None,
        "poster": data_uri(jpeg(draw_frame(frames[-1]), 80), "image/jpeg") if clip and frames else None,
        "facts": _facts(story),
        "data": {
            "width": sheet_w,
            "height": sheet_h,
            "frames": [_moment(frame, sheet) for frame, sheet in zip(frames, sheets, strict=True)],
            "charts": [{"seen": c.seen, "positions": c.positions, "values": c.values} for c in charts],
        },
    }


# --- pictures ---------------------------------------------------------------------------------------------------------


def _moment(frame: Frame, sheet: bytes) -> dict[str, Any]:
    """What the slider shows at one position."""
    return {
        "sheet": data_uri(sheet, "image/jpeg"),
        "seen": frame.seen,
        "time": _clock(frame.seconds),
        "verdicts": [round(v, 4) if math.isfinite(v) else None for v in frame.verdicts[:MOST_SEEDS]],
    }


def _sheets(frames: Sequence[Frame], height: int, width: int) -> tuple[list[Frame], list[bytes]]:
    """As many frames as fit the page, and for each a JPEG of its first seeds in a row, height×width each.

    In the best quality that fits; where not even the worst does, there are fewer frames.
    """
    most = MOST_FRAMES
    while True:
        kept = [frames[i] for i in evenly(len(frames), most)]
        rows = [_row(frame.pictures[:MOST_SEEDS], height, width) for frame in kept]
        for quality in SHEET_QUALITIES:
            encoded = [jpeg(row, quality) for row in rows]
            if sum(map(len, encoded)) <= MOST_SHEET_BYTES:
                return kept, encoded
        most = most * 2 // 3


def _row(pictures: Pictures, height: int, width: int) -> Pictures:
    """Pictures side by side. JPEG compresses blocks of 8×8: cells are padded to whole ones, so that none bleeds."""
    if pictures.shape[1:3] != (height, width):
        images = (Image.fromarray(p).resize((width, height), Image.Resampling.LANCZOS) for p in pictures)
        pictures = np.stack([np.asarray(image) for image in images])
    padding = ((0, 0), (0, -height % 8), (0, -width % 8), (0, 0))
    return tile(np.pad(pictures, padding, mode="edge"), columns=len(pictures))


def _light(mp4: bytes, frames: Sequence[Frame], room: int) -> bytes | None:
    """The time-lapse in at most ``room`` bytes: as it came, else drawn again from these frames in a lower quality."""
    crf = float(CRF)
    while len(mp4) > room:
        crf += 1 + 6 * math.log2(len(mp4) / room)
        if crf > WORST_CRF or not frames:
            return None
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "clip.mp4")
            write_clip(timelapse(frames, fps=CLIP_FPS), path, CLIP_FPS, crf=math.ceil(crf))
            mp4 = path.read_bytes()
    return mp4


def _still(picture: Pictures) -> str:
    """A picture of the hero: exact when it is small, a good JPEG when it is large."""
    if max(picture.shape) <= LARGEST_CELL:
        return data_uri(png(picture), "image/png")
    image = Image.fromarray(picture)
    image.thumbnail((2 * LARGEST_CELL, 2 * LARGEST_CELL), Image.Resampling.LANCZOS)  # for dense screens
    return data_uri(jpeg(np.asarray(image), 88), "image/jpeg")


# --- numbers ----------------------------------------------------------------------------------------------------------


def _charts(curves: Curves) -> list[Chart]:
    from matplotlib.ticker import MaxNLocator

    low, high = loss_range(curves)
    percent = [0.0, 0.25, 0.5, 0.75, 1.0]
    known = curves.hit_rate[np.isfinite(curves.hit_rate)]
    bottom = 0.4 if known.min(initial=1.0) >= 0.4 else 0.0
    return [
        line_chart(
            "Losses",
            "What each player tries to make small. They push against each other, so neither falls for long.",
            [
                Line(ROLES[t][1], ROLES[t][0], v) if t in ROLES else Line(t, "other", v)
                for t, v in curves.losses.items()
            ],
            curves.seen,
            y_range=(low, high),
            y_ticks=[float(t) for t in MaxNLocator(5).tick_values(low, high) if low <= t <= high],
            y_format=lambda value: f"{value:.2f}".rstrip("0").rstrip("."),
        ),
        line_chart(
            "The critic's verdicts",
            "How real it finds each kind of picture. The closer the lines come, the better the forger.",
            [Line(VERDICT_NAMES[kind], VERDICT_ROLES[kind], values) for kind, values in curves.verdicts.items()],
            curves.seen,
            y_range=(-0.02, 1.02),
            y_ticks=percent,
            y_format=_percent,
        ),
        line_chart(
            "The critic's hit rate",
            "How many pictures it sorts rightly into real and fake. A coin toss would get half of them.",
            [Line("sorted rightly", "hit-rate", curves.hit_rate)],
            curves.seen,
            y_range=(bottom, 1.02),
            y_ticks=[tick for tick in percent if tick >= bottom],
            y_format=_percent,
            threshold=(0.5, "50 %: the critic can no longer tell"),
        ),
    ]


def _table(charts: Sequence[Chart]) -> list[list[str]]:
    """The charts' numbers at a few reports: pictures seen, then every line."""
    columns = [values for chart in charts for values in chart.values]
    return [
        [f"{charts[0].seen[i]:,}", *(values[i] for values in columns)] for i in evenly(len(charts[0].seen), TABLE_ROWS)
    ]


def _facts(story: Story) -> list[tuple[str, str]]:
    facts = story.facts
    return [
        ("Recipe", story.recipe),
        ("Learned from", story.pictures),
        ("Training time", _duration(facts.minutes * 60)),
        ("Pictures seen", f"{facts.pictures_seen:,}"),
        ("Speed", f"{facts.pictures_per_s:,.0f} pictures a second"),
        *((f"Weights of {net}", f"{count:,}") for net, count in facts.parameters.items()),
        ("Machine", facts.machine),
        ("PyTorch", facts.torch_version),
    ]


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _duration(seconds: float) -> str:
    """As a person would say it: "45 seconds", "2 minutes", "3.5 hours"."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    number, unit = (seconds / 60, "minutes") if seconds < 5400 else (seconds / 3600, "hours")
    return f"{round(number * 2) / 2:g} {unit}"
