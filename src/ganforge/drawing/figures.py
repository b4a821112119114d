"""What all figures share: colours, fonts, and a canvas. No window, no pyplot, nothing global."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ganforge.drawing.grids import Pictures
from ganforge.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, darkened where thin lines on white need it; one colour a player everywhere.
CRITIC, FORGER, HELD_OUT, HIT_RATE = "#0072b2", "#d55e00", "#00825e", "#5b3b8c"
OTHERS = ("#8a6d00", "#a3466f", "#3d3d3d")
INK, FAINT_INK, RULE = "#1b1f24", "#59616b", "#dfe3e8"

STYLE: Any = {  # matplotlib's versions disagree on the type of a style
    "font.family": ["DejaVu Sans"],  # matplotlib's own: the same picture on every machine
    "font.size": 10,
    "svg.fonttype": "path",
    "svg.hashsalt": "ganforge",  # equal numbers give equal files
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": FAINT_INK,
    "ytick.color": FAINT_INK,
    "path.simplify": True,
}


@contextmanager
def figure(width: float, height: float) -> Iterator[Figure]:
    """An empty figure of that many inches; its parts keep out of one another's way."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it tells users about font caches
    with matplotlib.rc_context(STYLE):
        made = Figure(
            figsize=(width, height), facecolor="white", layout=ConstrainedLayoutEngine(h_pad=0.09, w_pad=0.08)
        )
        FigureCanvasAgg(made)
        yield made


def save_figure(made: Figure, *paths: Path | str, dpi: int = 160) -> None:
    """Write a figure to every path, as its suffix says: PNG at ``dpi`` dots an inch, or SVG. Atomic. Raises OSError."""
    for path in map(Path, paths):
        with replacing(path) as temporary:
            if path.suffix.lower() == ".svg":
                made.savefig(temporary, format="svg", metadata={"Date": None})
            else:
                made.savefig(temporary, format="png", dpi=dpi)


def pixels(made: Figure, dpi: int = 100) -> Pictures:
    """A figure as uint8 (H, W, 3), a frame of a clip."""
    made.set_dpi(dpi)
    made.canvas.draw()
    rgba = np.asarray(made.canvas.buffer_rgba())  # type: ignore[attr-defined]
    return np.ascontiguousarray(rgba[:, :, :3])


def bare(axes: Axes) -> None:
    """A faint grid, a line below, and nothing else."""
    axes.grid(True, color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.spines["bottom"].set(visible=True, color=RULE)
    axes.tick_params(length=0)


def heading(axes: Axes, title: str, explanation: str = "") -> None:
    """A title, and beside it in small letters what is to be seen."""
    text = axes.set_title(title, loc="left", fontsize=11.5, fontweight="bold", pad=8)
    if explanation:
        axes.annotate(
            explanation, (1, 0), (10, 0), xycoords=text, textcoords="offset points", ha="left", va="bottom",
            fontsize=9, color=FAINT_INK,
        )  # fmt: skip
