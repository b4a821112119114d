"""Learning curves as PNG and SVG; safe inside a training loop or a server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ganforge.drawing.curves import (
    VERDICT_NAMES,
    Curves,
    Scores,
    Series,
    kid_range,
    loss_range,
    read_curves,
    read_scores,
    smooth,
)
from ganforge.drawing.figures import (
    CRITIC,
    FAINT_INK,
    FORGER,
    HELD_OUT,
    HIT_RATE,
    INK,
    OTHERS,
    RULE,
    bare,
    figure,
    heading,
    save_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PLAYERS = {"D": "D, the critic", "G": "G, the forger"}

VERDICT_STYLES: dict[str, dict[str, Any]] = {
    "training": {"color": CRITIC, "linestyle": "-"},
    "held_out": {"color": HELD_OUT, "linestyle": (0, (5, 2))},
    "fakes": {"color": FORGER, "linestyle": "-"},
}


def learning_curves(events: Iterable[Mapping[str, Any]], path_png: Path | str, path_svg: Path | str) -> None:
    """Draw losses, D's verdicts, its hit rate and KID over the pictures seen, once as PNG and once as SVG. Atomic.

    Args:
        events: the run's log (`ganforge.drawing.curves`); without a report yet, empty panels are drawn, and without a
            score there is no panel of KID.
        path_png: 1,440 pixels wide.
        path_svg: the same, as vectors.

    Raises:
        OSError: when a file cannot be written.
    """
    events = list(events)
    curves, scores = read_curves(events), read_scores(events)
    with figure(9, 8.4 if scores is None else 11.2) as made:
        _draw(made, curves, scores)
        save_figure(made, path_png, path_svg)


def _draw(made: Figure, curves: Curves, scores: Scores | None) -> None:
    heights = [1, 1, 0.8] if scores is None else [1, 1, 0.8, 1]
    panels = made.subplots(len(heights), 1, sharex=True, gridspec_kw={"height_ratios": heights})
    losses, verdicts, hit_rate = panels[:3]
    for axes in panels:
        bare(axes)
    _share_of_pictures(losses, panels[-1], curves)

    heading(losses, "Losses", "what each player minimises")
    for i, (turn, values) in enumerate(curves.losses.items()):
        colour = {"D": CRITIC, "G": FORGER}.get(turn, OTHERS[i % len(OTHERS)])
        _line(losses, curves.seen, values, label=PLAYERS.get(turn, turn), color=colour)
    losses.set_ylim(*loss_range(curves))

    heading(verdicts, "D's verdicts", "how real it finds them: 0 is fake, 1 is real")
    for kind, values in curves.verdicts.items():
        _line(verdicts, curves.seen, values, label=VERDICT_NAMES[kind], **VERDICT_STYLES[kind])
    verdicts.set_ylim(-0.02, 1.02)

    heading(hit_rate, "D's hit rate", "share of pictures it sorts rightly into real and fake")
    _line(hit_rate, curves.seen, curves.hit_rate, label="hit rate", color=HIT_RATE)
    known = curves.hit_rate[np.isfinite(curves.hit_rate)]
    hit_rate.set_ylim(min(0.36, known.min(initial=1) - 0.04), 1.02)
    hit_rate.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    hit_rate.axhline(0.5, color=INK, linewidth=1.1, linestyle=(0, (2, 2)), zorder=1)
    hit_rate.annotate(
        "50 %: the critic can no longer tell", (0.005, 0.5), (0, -4), xycoords=("axes fraction", "data"),
        textcoords="offset points", ha="left", va="top", fontsize=9, color=INK,
    )  # fmt: skip
    for axes in (losses, verdicts, hit_rate):
        _label_lines(axes)
    if scores is not None:
        _kid(panels[-1], scores)
    if not len(curves.seen):
        verdicts.text(0.5, 0.5, "no report yet", transform=verdicts.transAxes, ha="center", color=FAINT_INK)


def _kid(axes: Axes, scores: Scores) -> None:
    """Scores are measurements: points on a line, nothing smoothed, and a ring around the one that became the Model."""
    kid, best = 1000 * scores.kid, scores.best
    low, high, by_factors = kid_range(kid)
    heading(axes, "KID × 1000", "how far fixed seeds are from real pictures: lower is better")
    if by_factors:
        axes.set_yscale("log", subs=(2, 5))
        axes.yaxis.set_minor_formatter(lambda value, _: _short(value))
        axes.tick_params(which="minor", length=0)
        axes.grid(True, which="minor", axis="y", color=RULE, linewidth=0.8)
    axes.yaxis.set_major_formatter(lambda value, _: _short(value))
    axes.set_ylim(low, high)
    axes.plot(scores.seen, np.maximum(kid, low), linewidth=2, marker="o", markersize=3.5, color=FORGER)
    axes.plot(
        scores.seen[best],
        max(kid[best], low),
        "o",
        markersize=10,
        markerfacecolor="none",
        markeredgewidth=1.6,
        color=INK,
    )
    axes.annotate(
        f"the best: {_short(kid[best])}", (1, max(kid[best], low)), (8, 0), xycoords=("axes fraction", "data"),
        textcoords="offset points", ha="left", va="center", fontsize=9.5, color=INK, annotation_clip=False,
    )  # fmt: skip


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _label_lines(axes: Axes) -> None:
    """Write each line's name at its end, in its colour, so that nobody looks things up in a legend."""
    low, high = axes.get_ylim()
    apart = (high - low) * 0.085
    ends = []
    for line in axes.get_lines():
        values = np.asarray(line.get_ydata(), dtype=np.float64)
        known = np.flatnonzero(np.isfinite(values))
        name = str(line.get_label())
        if not name.startswith("_") and len(known):
            ends.append((float(values[known[-1]]), name, line.get_color()))
    place = -np.inf
    for end, name, colour in sorted(ends):
        place = max(end, place + apart)
        axes.annotate(
            name, (1, place), (8, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
            ha="left", va="center", fontsize=9.5, color=colour, annotation_clip=False,
        )  # fmt: skip


def _line(axes: Axes, seen: Series, values: Series, **style: Any) -> None:
    """A smoothed line over its faint raw one; a dot where a single report leaves nothing to join."""
    if len(values) < 8:
        axes.plot(seen, values, linewidth=2, marker="o", markersize=4, **style)
        return
    raw = {**style, "label": None, "linestyle": "-"}
    axes.plot(seen, values, linewidth=1, alpha=0.28, **raw)
    axes.plot(seen, smooth(values), linewidth=2.1, solid_capstyle="round", **style)


def _share_of_pictures(top: Axes, bottom: Axes, curves: Curves) -> None:
    """Pictures seen below the last panel, minutes above the first."""
    from matplotlib.ticker import MaxNLocator

    last = float(curves.seen[-1]) if len(curves.seen) else 1.0
    bottom.set_xlim(0, max(last, 1.0) * 1.01)
    bottom.set_xlabel("pictures seen")
    bottom.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    bottom.xaxis.set_major_formatter(lambda seen, _: f"{seen:,.0f}")
    known = np.isfinite(curves.minutes)
    if not known.any():
        return
    minutes, seen = np.r_[0, curves.minutes[known]], np.r_[0, curves.seen[known]]
    marks = [m for m in MaxNLocator(6).tick_values(0, float(minutes[-1])) if 0 <= m <= minutes[-1]]
    time = top.secondary_xaxis("top")
    time.set_xticks([float(np.interp(m, minutes, seen)) for m in marks], [f"{m:g} min" for m in marks])
    time.tick_params(length=0)
    time.spines[:].set_visible(False)
