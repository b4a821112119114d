"""What stands on an evaluation's page beside its pictures: sentences with their bars, whiskers and curves."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from markupsafe import Markup, escape

from ganforge.drawing.curves import read_scores
from ganforge.evaluation.result import Agreement, Evaluation, Step, variety
from ganforge.measures.neighbours import COPIED_LIMIT
from ganforge.reports import charts
from ganforge.reports.charts import Chart, Line, line_chart
from ganforge.reports.figures import NO_BREAK, Row, percent
from ganforge.training.folder import Event

LONGEST_HEAD = 20
"""Characters of a verdict that opens a sentence, before its colon."""

ROOM = 0.12
"""Below a curve's best point, as a share of its height: the label of the best stands there."""


TABLE_ROWS = 12


@dataclass(frozen=True)
class Bar:
    """A number on a track, beside others on the same scale.

    Attributes:
        name: whose it is.
        role: "made" or "real", or a class of the page's own: how it is drawn.
        share: of the track, 0 … 1.
        text: the number as it is written.
        mark: an outline (`charts.MARKS`) before its name.
    """

    name: str
    role: str
    share: float
    text: str
    mark: str | None = None


@dataclass(frozen=True)
class Said:
    """One of the plain sentences.

    Attributes:
        question: that it answers.
        pieces: the sentence, cut; each piece with whether it is the verdict.
        mark: "share" (a disc, filled as far as ``share``), "no", "yes" or "unknown".
        share: of what real pictures reach, 0 … 1.
        bars: samples, and real pictures in their place.
        limit: where on the bars' scale a warning begins, and what is written there.
    """

    question: str
    pieces: list[tuple[str, bool]]
    mark: str = "unknown"
    share: float = 0.0
    bars: Sequence[Bar] = ()
    limit: tuple[float, str] | None = None


@dataclass(frozen=True)
class Whisker:
    """A row's numbers on a scale of its own, all 0 … 1.

    Attributes:
        value: of the samples.
        low, high: ends of its interval; None without one.
        real: of real pictures; None where nobody knows.
        words: the same for those who do not see it.
    """

    value: float
    low: float | None
    high: float | None
    real: float | None
    words: str


def short(value: float) -> str:
    """Three digits that count, or all before the point: 0.0123, 12.3, 1,234, 12.3k."""
    if abs(value) >= 10_000:
        return f"{value / 1000:,.0f}k" if abs(value) >= 100_000 else f"{value / 1000:.3g}k"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


# --- sentences --------------------------------------------------------------------------------------------------------


def said(e: Evaluation, question: str, sentence: str) -> Said:
    """A sentence with what is drawn beside it."""
    cut = pieces(sentence)
    if question == "Looks real?":
        bars = _pair(e.precision.beside_real, e.precision.real)
        return Said(question, cut, "share", min(1.0, e.precision.of_real), bars)
    if question == "How varied?":
        met = _pair(e.coverage.beside_real, e.coverage.real, real_name="real ones")
        within = _pair(e.recall.beside_real, e.recall.real, real_name="real ones")
        bars = [replace(b, name=f"{b.name}, {what}") for what, pair in (("near", met), ("range", within)) for b in pair]
        return Said(question, cut, "share", variety(e), bars)
    if question != "Copied?" or e.copying is None:
        return Said(question, cut)
    c = e.copying
    top = max(2 * COPIED_LIMIT, c.share, c.held_out_share or 0)
    bars = _pair(c.share, c.held_out_share, scale=1 / top, digits=1, real_name="unseen real")
    limit = COPIED_LIMIT / top, f"warning: {percent(COPIED_LIMIT)}"
    return Said(question, cut, "yes" if c.flagged else "no", bars=bars, limit=limit)


def pieces(sentence: str) -> list[tuple[str, bool]]:
    """A sentence cut in two, each with whether it is the verdict: what stands before an early colon, or the last sentence."""
    sentence = sentence.replace(" %", NO_BREAK + "%")
    head, colon, rest = sentence.partition(":")
    if colon and len(head) <= LONGEST_HEAD:
        return [(head + colon, True), (rest, False)]
    before, stop, last = sentence.rpartition(". ")
    return [(before + stop, False), (last, True)]


def _pair(
    made: float, real: float | None, *, scale: float = 1.0, digits: int = 0, real_name: str = "real pictures"
) -> list[Bar]:
    """Bars of the samples' share and the real pictures' own."""
    both = [("samples", "made", made), (real_name, "real", real)]
    return [
        Bar(name, role, min(max(scale * share, 0.0), 1.0), percent(share, digits))
        for name, role, share in both
        if share is not None
    ]


# --- the table --------------------------------------------------------------------------------------------------------


def whisker(row: Row) -> Whisker | None:
    """A row's numbers as positions; None where they are no finite numbers."""
    return whiskers([row])[0]


def whiskers(rows: Sequence[Row | None]) -> list[Whisker | None]:
    """Rows of one measure as positions on one scale, from 0 or below to the largest number (of shares, to all of them)."""
    figures = [row.figure for row in rows if row is not None and row.figure is not None]
    known = [x for f in figures for x in (f.value, f.low, f.high, f.real) if x is not None and math.isfinite(x)]
    low, high = min(0.0, *known, 0.0), max(known, default=1.0)
    if any(row is not None and row.name.endswith("%") and row.better == "higher" for row in rows):
        high = 1.0
    span = (high - low) * 1.04 or 1.0

    def at(number: float | None) -> float | None:
        return (number - low) / span if number is not None and math.isfinite(number) else None

    def one(row: Row | None) -> Whisker | None:
        figure = None if row is None else row.figure
        value = None if figure is None else at(figure.value)
        if row is None or figure is None or value is None:
            return None
        words = f"samples {row.value}, between {row.interval.replace('…', 'and')}"
        words += f"; real pictures {row.real}" if figure.real is not None else ""
        return Whisker(value, at(figure.low), at(figure.high), at(figure.real), words)

    return [one(row) for row in rows]


def at_floor_count(e: Evaluation) -> list[tuple[str, str, str]]:
    """Measures whose real-against-real value has fewer pictures: name, samples and real ones, at that count."""

    def share(value: float) -> str:
        return percent(value, 1)

    frechet_name = "FID" if e.features.standard else "Fréchet distance"
    measured = [
        (frechet_name, e.frechet, short),
        ("precision", e.precision, share),
        ("recall", e.recall, share),
        ("density", e.density, short),
        ("coverage", e.coverage, share),
    ]
    return [
        (name, write(figure.at_floor_count), write(figure.real))
        for name, figure, write in measured
        if figure.at_floor_count is not None and figure.real is not None
    ]


# --- labels -----------------------------------------------------------------------------------------------------------


def agreement_bars(a: Agreement) -> tuple[list[Bar], list[tuple[str, list[Bar]]]]:
    """Of an attribute: samples beside what the judge itself reaches, and every value's shares, commonest first."""
    is_range = a.kind == "range"
    bars = [
        Bar(name, role, min(max(value, 0.0), 1.0), f"{value:.2f}" if is_range else percent(value))
        for name, role, value in (("samples", "made", a.samples), ("real pictures", "real", a.judge))
        if value is not None
    ]
    shares = sorted((a.shares or {}).items(), key=lambda item: -item[1][0])
    top = max((share for _, both in shares for share in both), default=1.0) or 1.0
    return bars, [(value, _pair(made, real, scale=1 / top, digits=1)) for value, (real, made) in shares]


def retrieval_bars(e: Evaluation) -> list[Bar]:
    """R@1 of samples and of real pictures."""
    r = e.retrieval
    if r is None:
        return []
    both = (("samples", "made", r.samples), ("real pictures", "real", r.judge))
    return [Bar(name, role, value, percent(value)) for name, role, value in both if value is not None]


# --- curves -----------------------------------------------------------------------------------------------------------


def truncation(steps: Sequence[Step]) -> list[tuple[str, str, Markup]]:
    """Three charts over ψ: title, what it means, drawing."""
    psis = [step.psi for step in steps]
    kid = [1000 * step.kid for step in steps]
    precision, recall = [step.precision for step in steps], [step.recall for step in steps]
    return [
        (title, about, _over_psi(title, psis, values, top, write))
        for title, about, values, top, write in (
            ("KID × 1000", "Distance from real pictures; lower is better.", kid, max(kid), short),
            ("Precision", "Samples that look real; higher is better.", precision, 1.0, percent),
            ("Recall", "Real pictures that are met; higher is better.", recall, 1.0, percent),
        )
    ]


def _over_psi(
    title: str, psis: Sequence[float], values: Sequence[float], most: float, write: Callable[[float], str]
) -> Markup:
    """Few points, from 0 to ``most``: each carries its own number, so there is no vertical axis to read."""
    low, high = min(0.0, *values), max(most, 1e-9)
    left, right, top, bottom = 24, charts.WIDTH - 24, 30, charts.HEIGHT - 56
    span = psis[-1] - psis[0] or 1.0
    xs = [left + (right - left) * (psi - psis[0]) / span for psi in psis]
    ys = [top + (bottom - top) * (high - value) / (high - low) for value in values]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
    parts = [f'<g class="rules"><line x1="{left}" x2="{right}" y1="{bottom}" y2="{bottom}"/></g>']
    parts.append(f'<polyline class="line made" points="{points}"/>')
    for psi, value, x, y in zip(psis, values, xs, ys, strict=True):
        parts.append(f'<circle class="dot made" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
        parts.append(f'<text class="value" x="{x:.1f}" y="{y - 11:.1f}" text-anchor="middle">{write(value)}</text>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{psi:g}</text>')
    parts.append(f'<text x="{right}" y="{bottom + 38}" text-anchor="end">truncation ψ</text>')
    words = ", ".join(f"{write(value)} at {psi:g}" for psi, value in zip(psis, values, strict=True))
    label = escape(f"{title} over truncation ψ: {words}.")
    return Markup(
        f'<svg viewBox="0 0 {charts.WIDTH} {bottom + 46}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
    )


@dataclass(frozen=True)
class Learning:
    """A run's scores.

    Attributes:
        chart: KID × 1000 over pictures seen.
        seen: pictures seen when it was best.
        value: KID × 1000 then.
        of: how many scores there are.
        features: that they are in; None where the log does not say.
        cut: whether some lie above the chart.
        table: pictures seen and KID × 1000 of some of them.
    """

    chart: Chart
    seen: int
    value: str
    of: int
    features: str | None
    cut: bool
    table: list[tuple[str, str]]


def learning(events: Sequence[Event]) -> Learning | None:
    """The curve of a run's score events; None without any."""
    scores = read_scores(events)
    if scores is None:
        return None
    kid, best = 1000 * scores.kid, scores.best
    high = float(np.quantile(kid, 0.9 if len(kid) >= charts.FEW_POINTS else 1.0)) * 1.1
    high = max(high, float(kid[best]) + 1e-6)
    low = min(0.0, float(kid[best]) - ROOM * (high - float(kid[best])))
    chart = line_chart(
        "KID × 1000 while it learned",
        "How far fixed seeds are from training pictures; lower is better.",
        [Line("samples", "made", kid, best=best)],
        scores.seen,
        y_range=(low, high),
        y_ticks=[tick for tick in _ticks(high) if tick >= low],
        y_format=short,
        smoothed=False,
        threshold=(float(kid[best]), f"the best: {short(float(kid[best]))}"),
    )
    return Learning(
        chart,
        seen=int(scores.seen[best]),
        value=short(float(kid[best])),
        of=len(kid),
        features=events[-1].get("features"),
        cut=bool((kid > high).any()),
        table=[(f"{int(scores.seen[i]):,}", short(float(kid[i]))) for i in charts.evenly(len(kid), TABLE_ROWS)],
    )


def _ticks(high: float) -> list[float]:
    from matplotlib.ticker import MaxNLocator

    return [float(tick) for tick in MaxNLocator(4).tick_values(0, high) if tick <= high]
