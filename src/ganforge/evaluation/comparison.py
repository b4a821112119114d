"""What a comparison of runs found, as JSON holds it, and what it says in three plain sentences."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ganforge.evaluation.result import Evaluation, Figure
from ganforge.measures.neighbours import COPIED_LIMIT

NOT_IN_A_SENTENCE = 4
"""Of more runs than this a sentence names the first and the last alone."""


class Curve(BaseModel):
    """What a run's folder says of how it learnt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str = Field(description="its folder's name, with its parents' where that is needed to tell it apart")
    recipe: str
    pictures: str
    digest: str = Field(description="of the pack")
    height: int
    width: int
    seed: int
    state: str = Field(description="running, finished, interrupted or failed")
    seen: int = Field(description="training pictures shown")
    seconds: float = Field(description="wall time")
    machine: str
    features: str | None = Field(description="that the scores are in; None for a run that was never scored")
    scores: list[dict[str, Any]] = Field(description="oldest first")


class Comparison(BaseModel):
    """Several runs: what was measured of each Model, and how each learnt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 1
    comparable: bool = Field(description="whether all were measured beside the same real pictures of one size")
    evaluations: list[Evaluation]
    curves: list[Curve]
    differs: dict[str, list[Any]] = Field(description="settings that are not equal in all runs, one value a run")
    sentences: dict[str, str]
    warnings: list[str]


def in_words(names: Sequence[str]) -> str:
    """a, b and c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def leaders(figures: Sequence[Figure], *, lower: bool = False) -> list[int]:
    """The best, and those whose intervals overlap its own; the best first."""
    sign = -1 if lower else 1
    order = sorted(range(len(figures)), key=lambda i: -sign * figures[i].value)
    best = figures[order[0]]
    return [i for i in order if i == order[0] or (figures[i].low <= best.high and figures[i].high >= best.low)]


def sentences(names: Sequence[str], evaluations: Sequence[Evaluation], comparable: bool) -> dict[str, str]:
    """Looks real? How varied? Copied? One sentence each, for somebody who knows none of the measures."""
    first = evaluations[0]
    looks, met = [e.precision for e in evaluations], [e.coverage for e in evaluations]
    if not comparable:
        why = "Measured beside different pictures, so this does not say which run is better."
        return {
            "Looks real?": f"{_each(names, looks)} of the made pictures look like real ones to the judge. {why}",
            "How varied?": f"{_each(names, met)} of the kinds of real picture are met. {why}",
            "Copied?": _copied(names, evaluations),
        }
    return {
        "Looks real?": f"{_each(names, looks)} of the made pictures look like real ones to the judge; of real ones that it "
        f"had not seen, {100 * (first.precision.real or 0):.0f} % do. {_verdict(names, looks, 'looks', 'look', 'real')}",
        "How varied?": f"{_each(names, met)} of the kinds of real picture are met; as many real ones meet "
        f"{100 * (first.coverage.real or 0):.0f} %. {_verdict(names, met, 'is', 'are', 'varied')}",
        "Copied?": _copied(names, evaluations),
    }


def _each(names: Sequence[str], figures: Sequence[Figure]) -> str:
    """52 % (a) and 41 % (b), the highest first; of many runs the highest and the lowest."""
    order = sorted(range(len(names)), key=lambda i: -figures[i].value)
    said = [f"{100 * figures[i].value:.0f} % ({names[i]})" for i in order]
    return in_words(said) if len(said) <= NOT_IN_A_SENTENCE else f"Between {said[0]} and {said[-1]}"


def _verdict(names: Sequence[str], figures: Sequence[Figure], is_one: str, are_many: str, what: str) -> str:
    ahead = [names[i] for i in leaders(figures)]
    if len(ahead) == len(names):
        return "No clear difference."
    if len(ahead) == 1:
        return f"{ahead[0]} {is_one} {'more' if len(names) == 2 else 'most'} {what}."
    return f"{in_words(ahead)} {are_many} most {what}, with no clear difference between them."


def _copied(names: Sequence[str], evaluations: Sequence[Evaluation]) -> str:
    asked = {name: e.copying for name, e in zip(names, evaluations, strict=True) if e.copying is not None}
    if not asked:
        return "Not asked: these are not the pictures the models learnt from, so nothing can be said about copies."
    flagged = [name for name, copying in asked.items() if copying.flagged]
    shares = [f"{100 * asked[name].share:.1f} % ({name})" for name in flagged]
    most = max(copying.share for copying in asked.values())
    untold = [name for name in names if name not in asked]
    close = "lie as close to a training picture as only 1 % of the training pictures lie to one another"
    said = (
        f"Yes, too many: {in_words(shares)} of the samples {close}."
        if flagged
        else f"No: {'at most ' if len(asked) > 1 else ''}{100 * most:.1f} % of a run's samples {close}."
    )
    said += f" More than {100 * COPIED_LIMIT:.0f} % would be a warning."
    return said + (f" Not asked of {in_words(untold)}, which learnt from other pictures." if untold else "")


def warnings_of(evaluations: Sequence[Evaluation], curves: Sequence[Curve], comparable: bool) -> list[str]:
    """What makes figures or curves of these runs hard to compare; then what was said of each measurement."""
    said = []
    sizes = list(dict.fromkeys(f"{e.width}x{e.height}" for e in evaluations))
    if len(sizes) > 1:
        said.append(
            f"The runs draw pictures of {in_words(sizes)}; each was measured beside real ones of its own size. Their figures "
            "do not compare with one another."
        )
    elif not comparable:
        sources = list(dict.fromkeys(e.real.name for e in evaluations))
        what = f" ({in_words(sources)})" if len(sources) > 1 else ""
        said.append(
            f"The runs were measured beside different pictures{what}: their figures do not compare with one another. "
            "--pictures judges all of them by the same ones."
        )
    if len({curve.digest for curve in curves if curve.scores}) > 1:
        said.append("The runs' curves do not compare either: each was scored beside its own training pictures.")
    if len({curve.features for curve in curves if curve.scores}) > 1:
        said.append("The runs were scored in different features while they learnt: their curves stand in charts apart.")
    machines = list(dict.fromkeys(curve.machine for curve in curves if curve.machine))
    if len(machines) > 1:
        said.append(
            f"The runs were trained on different machines ({in_words(machines)}): compare them by pictures seen, not by wall "
            "time."
        )
    unscored = [curve.run for curve in curves if not curve.scores]
    if unscored:
        said.append(f"No scores were taken while {in_words(unscored)} learnt, so there is no curve of it.")
    going_on = [curve.run for curve in curves if curve.state != "finished"]
    if going_on:
        said.append(f"Not at its end: {in_words(going_on)}. The best Model so far was measured.")
    return said + list(dict.fromkeys(warning for e in evaluations for warning in e.warnings))
