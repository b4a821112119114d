"""How several runs learned: their KID in one chart by pictures seen, in another by wall time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ganforge.drawing.curves import Scores, kid_range, read_scores
from ganforge.evaluation.comparison import Curve
from ganforge.reports.charts import MARKS, SEEN, Axis, Chart, Line, evenly, line_chart, wall_time
from ganforge.reports.evaluation_parts import short
from ganforge.reports.figures import clock

COLOURS = 6
"""Of runs, in compare.css; there are seven marks, so that 42 runs look different."""

TABLE_ROWS = 12


@dataclass(frozen=True)
class Key:
    """How a run is told from the others.

    Attributes:
        name: its label.
        role: the CSS class that colours it.
        mark: its outline.
    """

    name: str
    role: str
    mark: str


def keys_of(curves: Sequence[Curve]) -> list[Key]:
    """A colour and a mark a run."""
    return [Key(c.run, f"run-{i % COLOURS}", MARKS[i % len(MARKS)]) for i, c in enumerate(curves)]


def run_charts(curves: Sequence[Curve], keys: Sequence[Key]) -> list[Chart]:
    """KID by pictures seen and by wall time; a pair for each kind of features."""
    told = [(curve.features, key, read_scores(curve.scores)) for curve, key in zip(curves, keys, strict=True)]
    kinds = list(dict.fromkeys(features for features, _, scores in told if scores is not None))
    charts = []
    for kind in kinds:
        group = [(key, scores) for features, key, scores in told if features == kind and scores is not None]
        where = f", in the features of {kind}" if len(kinds) > 1 else ""
        time = wall_time(max(float(scores.seconds[-1]) for _, scores in group))
        charts += [
            _chart(f"KID × 1000 by {by}{where}", axis, group)
            for by, axis in (("pictures seen", SEEN), ("wall time", time))
        ]
    return charts


def _chart(title: str, axis: Axis, told: Sequence[tuple[Key, Scores]]) -> Chart:
    low, high, by_factors = kid_range(1000 * np.concatenate([scores.kid for _, scores in told]))
    return line_chart(
        title,
        "Lower is better. A ring is around the best." + (" Equal steps up are equal factors." if by_factors else ""),
        [
            Line(
                key.name, key.role, 1000 * s.kid, s.seen if axis is SEEN else s.seconds / axis.seconds, key.mark, s.best
            )
            for key, s in told
        ],
        np.empty(0),
        y_range=(low, high),
        y_ticks=_ticks(low, high, by_factors),
        y_format=short,
        y_factors=by_factors,
        axis=axis,
        smoothed=False,
    )


def _ticks(low: float, high: float, by_factors: bool) -> list[float]:
    if by_factors:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        steps = (1, 2, 5) if high < 100 * low else (1, 3) if high < 1000 * low else (1,)
        ticks = [step * 10.0**power for power in powers for step in steps]
    else:
        from matplotlib.ticker import MaxNLocator

        ticks = [float(tick) for tick in MaxNLocator(4).tick_values(low, high)]
    return [tick for tick in ticks if low <= tick <= high]


def score_table(curves: Sequence[Curve]) -> list[list[str]]:
    """Some scores of every run: its name, pictures seen, wall time and KID × 1000; the best among them says so."""
    rows = []
    for curve in curves:
        s = read_scores(curve.scores)
        if s is None:
            continue
        shown = sorted({*evenly(len(s.kid), TABLE_ROWS), s.best})
        rows += [
            [curve.run, f"{s.seen[i]:,.0f}", clock(s.seconds[i]), "best: " * (i == s.best) + short(1000 * s.kid[i])]
            for i in shown
        ]
    return rows
