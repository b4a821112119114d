"""Line charts as inline SVG: crisp at any size, coloured by the page's theme, described in words for screen readers."""

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


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: in the legend.
        role: the CSS class that colours it: ``critic``, ``forger``, ``held-out``, ``hit-rate``.
        values: one a report; NaN leaves a gap.
    """

    name: str
    role: str
    values: Series


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


def line_chart(
    title: str,
    explanation: str,
    lines: Sequence[Line],
    seen: Series,
    *,
    y_range: tuple[float, float],
    y_ticks: Sequence[float],
    y_format: Callable[[float], str],
    threshold: tuple[float, str] | None = None,
) -> Chart:
    """Draw ``lines`` over pictures seen.

    Args:
        title: of the chart.
        explanation: one sentence.
        lines: R numbers each.
        seen: (R,), rising.
        y_range: lowest and highest value drawn; what lies outside is cut off.
        y_ticks: where the horizontal rules are.
        y_format: how a value is written.
        threshold: a value to mark with a dashed line, and what it means.
    """
    kept = evenly(len(seen), MOST_POINTS)
    lines = [line for line in lines if np.isfinite(line.values).any()]
    last = max(float(seen[-1]), 1.0) if len(seen) else 1.0
    low, high = y_range
    clip = f"clip-{''.join(c for c in title.lower() if c.isalnum())}"

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * value / last

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)

    parts = [f'<g class="rules">{"".join(_rule(y(tick), y_format(tick)) for tick in y_ticks)}</g>']
    parts += [_x_tick(x(tick), _count(tick, last)) for tick in _whole_ticks(last)]
    parts.append(f'<text class="axis" x="{WIDTH - RIGHT}" y="{HEIGHT - 4}" text-anchor="end">pictures seen</text>')
    if threshold:
        parts.append(_threshold(y(threshold[0]), threshold[1]))
    inside = f'<rect x="{LEFT - 5}" y="{TOP - 5}" width="100%" height="{y(low) - TOP + 10}"/>'
    parts.append(f'<clipPath id="{clip}">{inside}</clipPath>')
    parts.append(f'<g clip-path="url(#{clip})">')
    for line in lines:
        xs = [x(value) for value in seen]
        raw = [y(value) for value in line.values]
        if len(kept) < FEW_POINTS:
            parts += [_dot(line.role, *point) for point in zip(xs, raw, strict=True) if np.isfinite(point[1])]
            parts.append(_path(f"line {line.role}", xs, raw, kept))
        else:
            parts.append(_path(f"raw {line.role}", xs, raw, kept))
            parts.append(_path(f"line {line.role}", xs, [y(value) for value in smooth(line.values)], kept))
    parts.append('</g><line class="guide" x1="0" x2="0" y1="10" y2="194" hidden=""/>')
    description = "; ".join(_in_words(line, y_format) for line in lines) or "no report yet"
    label = escape(f"{title} over pictures seen. {description}.")
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
    return f"{line.name} from {y_format(float(known[0]))} to {y_format(float(known[-1]))}"


def _rule(y: float, label: str) -> str:
    return (
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="axis" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(label)}</text>'
    )


def _count(value: float, largest: float) -> str:
    """A number of pictures in the unit that suits the largest: 8,000; 8k; 1.5M."""
    if value == 0 or largest < 10_000:
        return f"{value:,.0f}"
    return f"{value / 1e3:g}k" if largest < 1e6 else f"{value / 1e6:g}M"


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


def _whole_ticks(last: float) -> list[float]:
    from matplotlib.ticker import MaxNLocator

    return [float(t) for t in MaxNLocator(4, integer=True).tick_values(0, last) if 0 <= t <= last]
