"""An evaluation's figures as people read them: in a terminal's table and on a page."""

from dataclasses import dataclass

from ganforge.evaluation.result import FEWEST_FOR_FRECHET, Evaluation, Figure


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


def _row(name: str, figure: Figure, scale: float, digits: int, better: str, about: str) -> Row:
    def said(value: float | None) -> str:
        return "–" if value is None else f"{scale * value:,.{digits}f}"

    interval = f"{said(figure.low)} … {said(figure.high)}"
    return Row(name, said(figure.value), interval, said(figure.real), better, about, figure, scale)
