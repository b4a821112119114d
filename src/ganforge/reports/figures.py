"""Figures of one evaluation or of several as people read them: in a terminal's table and on a page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ganforge.evaluation.comparison import leaders
from ganforge.evaluation.result import FEWEST_FOR_FRECHET, Evaluation, Figure

NO_BREAK = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Row:
    """A line of a table.

    Attributes:
        name: of the measure.
        value: of the samples.
        interval: 95 %.
        real: what other real pictures reach in the samples' place.
        better: "lower" or "higher".
        about: one sentence.
        at_floor_count: the samples' value with as few pictures as ``real`` was measured with; "" where those are no fewer.
        figure: the numbers themselves, unscaled; None where there is no interval.
        scale: that they are written with.
    """

    name: str
    value: str
    interval: str
    real: str
    better: str
    about: str
    figure: Figure | None = None
    scale: float = 1.0
    at_floor_count: str = ""


def rows(found: Evaluation) -> list[Row]:
    """KID first where a Fréchet distance would be biased, the Fréchet distance first elsewhere."""
    n = min(found.made.count, found.real.count)
    standard = found.features.standard
    distances = [
        _row(
            "KID × 1000",
            found.kid,
            1000,
            2,
            "lower",
            "How far the kinds of features are apart; 0 where nothing differs, however few pictures.",
        ),
        _row(
            "FID" if standard else "Fréchet distance",
            found.frechet,
            1,
            2,
            "lower",
            f"How far apart the means and spreads of features are; biased by the number of pictures, here {n:,}.",
        ),
    ]
    if n >= FEWEST_FOR_FRECHET:
        distances.reverse()
    shares = [
        _row("precision, %", found.precision, 100, 1, "higher", "Samples that lie among real pictures."),
        _row("recall, %", found.recall, 100, 1, "higher", "Real pictures that lie among samples."),
        _row("density", found.density, 1, 3, "higher", "How densely real pictures lie around a sample; real: about 1."),
        _row("coverage, %", found.coverage, 100, 1, "higher", "Real pictures with a sample in their neighbourhood."),
    ]
    if found.inception_score is not None:
        shares.append(
            _row(
                "Inception Score",
                found.inception_score,
                1,
                2,
                "higher",
                "Surely recognised, and of many kinds; ± one standard deviation over ten splits.",
            )
        )
    if found.copying is not None:
        c = found.copying
        shares.append(
            Row(
                "copied, %",
                f"{100 * c.share:.1f}",
                "",
                "–" if c.held_out_share is None else f"{100 * c.held_out_share:.1f}",
                "below 3",
                "Samples as close to a training picture as 1 % of those are to one another.",
            )
        )
    return distances + shares


def label_rows(found: Evaluation) -> list[tuple[str, str, str, str, str]]:
    """Whether samples carry what was asked for, a line an attribute, captions last.

    Returns:
        (what, the samples' figure, the judge's own on real pictures, chance's, the value whose share in the samples is
        furthest from that in real pictures); "–" for what does not apply.
    """
    lines = []
    for a in found.agreement:
        write = "{:.2f}".format if a.kind == "range" else percent
        furthest = "–"
        if a.shares:
            value, (real, made) = max(a.shares.items(), key=lambda item: abs(item[1][0] - item[1][1]))
            furthest = f"{value}: {percent(made)}, real {percent(real)}"
        chance = percent(a.chance) if a.chance > 0 else "–"
        lines.append((a.attribute, "–" if a.samples is None else write(a.samples), write(a.judge), chance, furthest))
    r = found.retrieval
    if r is not None:
        samples = "–" if r.samples is None else percent(r.samples)
        lines.append((f"captions, R@1 of {r.among}", samples, percent(r.judge), percent(1 / r.among), "–"))
    return lines


@dataclass(frozen=True)
class Column:
    """A measure of several runs, all in the same features.

    Attributes:
        name: of the measure.
        better: as in a row.
        about: likewise.
        cells: a row each; None where it was not measured.
        best: index of the best; None where the runs do not compare or nothing is best.
        as_good: indices of others whose intervals overlap the best one's.
        flagged: indices of those that call for a warning.
    """

    name: str
    better: str
    about: str
    cells: list[Row | None]
    best: int | None = None
    as_good: list[int] = field(default_factory=list)
    flagged: list[int] = field(default_factory=list)

    def mark(self, i: int) -> str:
        """ "best", "as good" or "too many" of a cell; else nothing."""
        if i == self.best:
            return "best"
        return "as good" if i in self.as_good else "too many" if i in self.flagged else ""


def columns(found: Sequence[Evaluation], *, comparable: bool) -> list[Column]:
    """Every measure that one of them has, with the best marked where they compare and are not all equal.

    Fewer copies are no merit below the limit: nothing but too many is marked there.
    """
    told = [{row.name: row for row in rows(e)} for e in found]
    made = []
    for name in dict.fromkeys(name for one in told for name in one):
        cells = [one.get(name) for one in told]
        first = next(cell for cell in cells if cell is not None)
        figures = [cell.figure for cell in cells if cell is not None and cell.figure is not None]
        ahead: list[int] = []
        if comparable and len(figures) == len(cells) and len({cell.value for cell in cells if cell is not None}) > 1:
            ahead = leaders(figures, lower=first.better == "lower")
        flagged = [i for i, e in enumerate(found) if e.copying is not None and e.copying.flagged]
        made.append(
            Column(
                name=name,
                better=first.better,
                about=first.about,
                cells=cells,
                best=ahead[0] if ahead else None,
                as_good=ahead[1:],
                flagged=flagged if first.better == "below 3" else [],
            )
        )
    return made


def _row(name: str, figure: Figure, scale: float, digits: int, better: str, about: str) -> Row:
    def said(value: float | None) -> str:
        return "–" if value is None else f"{scale * value:,.{digits}f}"

    interval = f"{said(figure.low)} … {said(figure.high)}"
    fewer = "" if figure.at_floor_count is None else said(figure.at_floor_count)
    return Row(name, said(figure.value), interval, said(figure.real), better, about, figure, scale, fewer)


def percent(share: float, digits: int = 0) -> str:
    """0.123 → "12 %", never broken over two lines."""
    return f"{100 * share:.{digits}f}{NO_BREAK}%"


def clock(seconds: float) -> str:
    """45 s, 1:05 min, or 2:03:04 h."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d} h"


def setting(value: Any) -> str:
    """A value of a run's configuration; "–" for one that it does not have."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(map(setting, value))
    return "–" if value is None else str(value)
