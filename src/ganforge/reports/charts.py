"""Line charts as inline SVG: crisp at any size, coloured by the page's theme, described in words for screen readers."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

from ganforge.drawing.curves import Series, smooth

WIDTH, HEIGHT = 360, 232
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 38
"""Margins around the lines; all sizes in the SVG's own units, which are about one CSS pixel."""

MOST_POINTS = 300
FEW_POINTS = 8
"""With fewer reports than this, points are drawn and nothing is smoothed."""

MARKS = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
    "M-3.6-3.6h7.2v7.2h-7.2z",
    "M0-4.8L4.6 3.6h-9.2z",
    "M0-5.2L4.6 0 0 5.2-4.6 0z",
    "M0 4.8L4.6-3.6h-9.2z",
    "M-1.5-4.6h3v3.1h3.1v3h-3.1v3.1h-3v-3.1h-3.1v-3h3.1z",
    "M-4.6-2.9L-2.9-4.6 0-1.7 2.9-4.6 4.6-2.9 1.7 0 4.6 2.9 2.9 4.6 0 1.7-2.9 4.6-4.6 2.9-1.7 0z",
)
"""Outlines around (0, 0) that tell lines apart where colours do not: disc, square, triangle, diamond, triangle on its tip,
plus, cross."""
MARKS_A_LINE = 6


@dataclass(frozen=True)
class Axis:
    """What runs from left to right.

    Attributes:
        name: at its end.
        write: how a value is written beside the largest one.
        whole: whether there are whole numbers only.
        seconds: in one unit of a time.
    """

    name: str
    write: Callable[[float, float], str]
    whole: bool = False
    seconds: float = 1.0


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: in the legend.
        role: the CSS class that colours it: ``critic``, ``forger``, ``held-out``, ``hit-rate``.
        values: one a report; NaN leaves a gap.
        at: where they lie on the horizontal axis, rising; with the other lines' where this is None.
        mark: an outline of `MARKS` that is drawn along it.
        best: index of a value to ring.
    """

    name: str
    role: str
    values: Series
    at: Series | None = None
    mark: str | None = None
    best: int | None = None


@dataclass(frozen=True)
class Chart:
    """A drawn chart and what the page says around it.

    Attributes:
        title: above it.
        explanation: one sentence below the title.
        lines: for the legend; those without a single number are left out.
        seen: pictures seen at each drawn report.
        positions: of the reports on the horizontal axis, 0 … WIDTH.
        values: formatted, one list a line; "–" where the log has no number.
        svg: the drawing.
    """

    title: str
    explanation: str
    lines: Sequence[Line]
    seen: list[int]
    positions: list[float]
    values: list[list[str]]
    svg: Markup


def _count(value: float, largest: float) -> str:
    """A number of pictures in the unit that suits the largest: 8,000; 8k; 1.5M."""
    if value == 0 or largest < 10_000:
        return f"{value:,.0f}"
    return f"{value / 1e3:g}k" if largest < 1e6 else f"{value / 1e6:g}M"


SEEN = Axis("pictures seen", _count, whole=True)


def wall_time(longest: float) -> Axis:
    """An axis of wall time in the unit that suits the longest one, in seconds: seconds, minutes or hours."""
    name, unit = ("seconds", 1) if longest < 120 else ("minutes", 60) if longest < 3 * 3600 else ("hours", 3600)
    return Axis(name, lambda value, largest: f"{value:g}", seconds=unit)


def line_chart(
    title: str,
    explanation: str,
    lines: Sequence[Line],
    seen: Series,
    *,
    y_range: tuple[float, float],
    y_ticks: Sequence[float],
    y_format: Callable[[float], str],
    y_factors: bool = False,
    axis: Axis = SEEN,
    smoothed: bool = True,
    threshold: tuple[float, str] | None = None,
) -> Chart:
    """Draw ``lines`` over pictures seen, or over another axis.

    Args:
        title: of the chart.
        explanation: one sentence.
        lines: R numbers each; those with places of their own as many as these.
        seen: (R,), rising: pictures seen, or the axis' own numbers. Empty where every line has places of its own.
        y_range: lowest and highest value drawn; what lies outside is cut off.
        y_ticks: where the horizontal rules are.
        y_format: how a value is written.
        y_factors: equal steps upwards are equal factors, and what lies below the lowest value is drawn there.
        axis: what ``seen`` and the lines' own places count.
        smoothed: draw a smoothed line over the faint raw one; without it the raw one alone.
        threshold: a value to mark with a dashed line, and what it means.
    """
    kept = evenly(len(seen), MOST_POINTS)
    lines = [line for line in lines if np.isfinite(line.values).any()]
    places = [seen if line.at is None else line.at for line in lines]
    last = max((float(place[-1]) for place in (seen, *places) if len(place)), default=0.0)
    last = last if last > 0 else 1.0
    low, high = y_range
    clip = f"clip-{''.join(c for c in title.lower() if c.isalnum())}"

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * value / last

    def y(value: float) -> float:
        share = (high - value) / (high - low)
        if y_factors and not math.isnan(value):
            share = math.log(high / max(value, low)) / math.log(high / low)
        return TOP + (HEIGHT - TOP - BOTTOM) * share

    parts = [f'<g class="rules">{"".join(_rule(y(tick), y_format(tick)) for tick in y_ticks)}</g>']
    parts += [_x_tick(x(tick), axis.write(tick, last)) for tick in _ticks(last, axis.whole)]
    parts.append(f'<text class="axis" x="{WIDTH - RIGHT}" y="{HEIGHT - 4}" text-anchor="end">{axis.name}</text>')
    if threshold:
        parts.append(_threshold(y(threshold[0]), threshold[1]))
    inside = f'<rect x="{LEFT - 5}" y="{TOP - 5}" width="100%" height="{y(low) - TOP + 10}"/>'
    parts.append(f'<clipPath id="{clip}">{inside}</clipPath>')
    parts.append(f'<g clip-path="url(#{clip})">')
    for line, place in zip(lines, places, strict=True):
        xs = [x(value) for value in place]
        raw = [y(value) for value in line.values]
        points = evenly(len(raw), MOST_POINTS)
        if len(points) < FEW_POINTS and line.mark is None:
            parts += [_dot(line.role, *point) for point in zip(xs, raw, strict=True) if np.isfinite(point[1])]
        if len(points) < FEW_POINTS or not smoothed:
            parts.append(_path(f"line {line.role}", xs, raw, points))
        else:
            parts.append(_path(f"raw {line.role}", xs, raw, points))
            parts.append(_path(f"line {line.role}", xs, [y(value) for value in smooth(line.values)], points))
    parts.append("</g>")
    for i, (line, place) in enumerate(zip(lines, places, strict=True)):  # on top: no line hides another one's marks
        parts += _marks(
            line, [x(value) for value in place], [y(value) for value in line.values], y(high), i / len(lines)
        )
    parts.append('<line class="guide" x1="0" x2="0" y1="10" y2="194" hidden=""/>')
    description = "; ".join(_in_words(line, y_format) for line in lines) or "no report yet"
    label = escape(f"{title} over {axis.name}. {description}.")
    svg = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
    return Chart(
        title=title,
        explanation=explanation,
        lines=lines,
        seen=[int(seen[i]) for i in kept],
        positions=[round(x(float(seen[i])), 1) for i in kept],
        values=[[_write(float(line.values[i]), y_format) for i in kept] for line in lines],
        svg=Markup(svg),
    )


def evenly(n: int, most: int) -> list[int]:
    """At most ``most`` of the indices 0 … n − 1, evenly, the first and the last among them."""
    return [int(i) for i in np.linspace(0, n - 1, min(n, most)).round()]


def _write(value: float, y_format: Callable[[float], str]) -> str:
    return y_format(value) if np.isfinite(value) else "–"


def _in_words(line: Line, y_format: Callable[[float], str]) -> str:
    known = line.values[np.isfinite(line.values)]
    best = "" if line.best is None else f", {y_format(float(line.values[line.best]))} at best"
    return f"{line.name} from {y_format(float(known[0]))} to {y_format(float(known[-1]))}{best}"


def _rule(y: float, label: str) -> str:
    return (
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="axis" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(label)}</text>'
    )


def _x_tick(x: float, label: str) -> str:
    return f'<text class="axis" x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{label}</text>'


def _threshold(y: float, label: str) -> str:
    return (
        f'<line class="threshold" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="threshold" x="{LEFT + 4}" y="{y + 15:.1f}">{escape(label)}</text>'
    )


def _dot(role: str, x: float, y: float) -> str:
    return f'<circle class="dot {role}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'


def _path(css: str, xs: Sequence[float], ys: Sequence[float], kept: Sequence[int]) -> str:
    """A path through the known points, lifted over gaps."""
    steps, drawing = [], False
    for i in kept:
        if np.isfinite(ys[i]):
            steps.append(f"{'L' if drawing else 'M'}{xs[i]:.1f} {ys[i]:.1f}")
            drawing = True
        else:
            drawing = False
    return f'<path class="{css}" d="{"".join(steps)}"/>' if steps else ""


def _marks(line: Line, xs: Sequence[float], ys: Sequence[float], top: float, shift: float) -> list[str]:
    """A line's own outlines along it, ``shift`` of a step from its start, at its end, and a ring around its best."""
    drawn = []
    if line.mark is not None:
        step = max(1.0, len(ys) / MARKS_A_LINE)
        shown = {int(at) for at in np.arange(shift * step, len(ys), step)} | {len(ys) - 1}
        shown |= set() if line.best is None else {line.best}
        drawn += [
            f'<path class="mark {line.role}" transform="translate({xs[i]:.1f} {ys[i]:.1f})" d="{line.mark}"/>'
            for i in sorted(shown)
            if np.isfinite(ys[i]) and ys[i] >= top
        ]
    if line.best is not None:
        size = 5 if line.mark is None else 8
        drawn.append(f'<circle class="dot best" cx="{xs[line.best]:.1f}" cy="{ys[line.best]:.1f}" r="{size}"/>')
    return drawn


def _ticks(last: float, whole: bool) -> list[float]:
    from matplotlib.ticker import MaxNLocator

    return [float(t) for t in MaxNLocator(4, integer=whole).tick_values(0, last) if 0 <= t <= last]
