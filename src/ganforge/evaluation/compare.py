"""compare: several runs beside one another, at equal numbers of pictures seen and at equal wall time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from ganforge.errors import RunError, UsageError
from ganforge.evaluation.ask import ask
from ganforge.evaluation.evaluate import COUNT, Shown
from ganforge.evaluation.result import Evaluation
from ganforge.progress import Progress, silent
from ganforge.training.folder import Event, Run

MOMENTS = 4
"""At which the runs' samples of the same seeds are shown side by side."""


class Curve(BaseModel):
    """What a run's log says of how it learnt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    recipe: str
    pictures: str
    digest: str
    size: tuple[int, int]
    seed: int
    seen: int
    seconds: float
    machine: str
    features: str | None
    scores: list[dict[str, Any]]
    best: dict[str, Any] | None


class Comparison(BaseModel):
    """Several runs: what was measured of each Model, and how each learnt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 1
    evaluations: list[Evaluation]
    curves: list[Curve]
    sentences: dict[str, str]
    warnings: list[str]


@dataclass(frozen=True)
class Moment:
    """The same seeds of every run at one moment.

    Attributes:
        value: pictures seen, or seconds.
        sheets: of each run, the last sheet before it (None where there is none), and what it had seen and taken.
    """

    value: float
    sheets: list[tuple[Path, int, float] | None] = field(default_factory=list)


def compare(
    runs: Sequence[str | Path],
    *,
    pictures: str | None = None,
    count: int = COUNT,
    features: str = "auto",
    weights: Path | None = None,
    progress: Progress = silent,
) -> tuple[Comparison, list[Shown]]:
    """Measure the best Model of each run in the same features, and read how each learnt from its log.

    Args:
        runs: run folders, at least two.
        pictures: the real ones; by default each run's own.
        count: samples of each, and as many real pictures.
        features: as `ganforge.evaluation.ask.ask`.
        weights: likewise.
        progress: told what is being done.

    Raises:
        UsageError: fewer than two runs, or one twice.
        RunError: a folder that is no run.
        ModelError: a run that has no Model yet.
    """
    opened = [Run(path) for path in runs]
    if len(opened) < 2:
        raise UsageError("compare takes at least two run folders; `ganforge evaluate` looks at one.")
    if len({run.path.resolve() for run in opened}) < len(opened):
        raise UsageError("The same run was named twice; name different ones.")
    measured = []
    for run in opened:
        real = pictures if pictures is not None else run.config.pictures
        if not _there(real):
            raise RunError(f"The pictures of {run.path} are gone ({real}); say where they are with --pictures.")

        def told(what: str, done: int, total: int, name: str = run.path.name) -> None:
            progress(f"{name}: {what}", done, total)

        measured.append(ask(run.path, real, count=count, features=features, weights=weights, progress=told))
    evaluations = [found for found, _ in measured]
    curves = [curve_of(run) for run in opened]
    names = labels_of([curve.run for curve in curves])
    found = Comparison(
        evaluations=evaluations,
        curves=[curve.model_copy(update={"run": name}) for curve, name in zip(curves, names, strict=True)],
        sentences=_sentences(names, evaluations),
        warnings=_warnings(names, evaluations, curves),
    )
    return found, [shown for _, shown in measured]


def curve_of(run: Run) -> Curve:
    """What the log says. Runs that were never scored have no scores."""
    scores = run.events("score")
    starts = run.events("start")
    state = run.state()
    last = run.events("report", "sample", "checkpoint")
    latest: Event = last[-1] if last else {"seen": 0, "seconds": 0.0}
    kept = ("seen", "fraction", "seconds", "kid", "spread", "copied", "best")
    best = [s for s in scores if s.get("best")]
    return Curve(
        run=run.path.name,
        recipe=run.config.recipe,
        pictures=Path(run.config.pictures).name,
        digest=run.config.digest,
        size=(int(run.config.config["height"]), int(run.config.config["width"])),
        seed=run.config.seed,
        seen=int(state.get("seen") or latest["seen"]),
        seconds=float(state.get("seconds") or latest.get("seconds") or 0.0),
        machine=str(starts[-1].get("machine", {}).get("name", "")) if starts else "",
        features=scores[-1].get("features") if scores else None,
        scores=[{k: s.get(k) for k in kept} for s in scores],
        best={k: best[-1].get(k) for k in kept} if best else None,
    )


def moments(runs: Sequence[Run], by: str) -> list[Moment]:
    """Sheets of the fixed seeds at equal ``by`` ("seen" or "seconds"), up to where the shortest run got."""
    sheets = [run.events("sample") for run in runs]
    if not all(sheets):
        return []
    end = min(float(events[-1][by]) for events in sheets)
    found = []
    for k in range(1, MOMENTS + 1):
        value = end * k / MOMENTS
        row: list[tuple[Path, int, float] | None] = []
        for run, events in zip(runs, sheets, strict=True):
            before = [e for e in events if float(e[by]) <= value and (run.path / e["file"]).is_file()]
            row.append(
                (run.path / before[-1]["file"], int(before[-1]["seen"]), float(before[-1]["seconds"]))
                if before
                else None
            )
        found.append(Moment(value, row))
    return found


def labels_of(names: Sequence[str]) -> list[str]:
    """Run folders may have equal names in different places; then they are numbered."""
    counts: dict[str, int] = {}
    labels = []
    for name in names:
        counts[name] = counts.get(name, 0) + 1
        labels.append(name if names.count(name) == 1 else f"{name} ({counts[name]})")
    return labels


def _there(pictures: str) -> bool:
    return pictures == "avatars" or pictures.startswith("avatars:") or Path(pictures).exists()


def _sentences(names: Sequence[str], evaluations: Sequence[Evaluation]) -> dict[str, str]:
    """Looks real? How varied? Copied? Every run's answer in one line, the best first."""

    def ranked(values: Sequence[float]) -> str:
        order = sorted(range(len(names)), key=lambda i: -values[i])
        return ", ".join(f"{names[i]} {100 * values[i]:.0f} %" for i in order)

    real = evaluations[0]
    looks = ranked([e.precision.value for e in evaluations])
    met = ranked([e.coverage.value for e in evaluations])
    flagged = [name for name, e in zip(names, evaluations, strict=True) if e.copying is not None and e.copying.flagged]
    asked = [name for name, e in zip(names, evaluations, strict=True) if e.copying is not None]
    copies = (
        f"Too many copies of training pictures in {', '.join(flagged)}."
        if flagged
        else f"No sign of copying in {', '.join(asked)}."
        if asked
        else "Not asked: these are not the pictures the models learnt from."
    )
    return {
        "Looks real?": f"Made pictures that look like real ones to the judge: {looks}"
        f" (real ones: {100 * (real.precision.real or 0):.0f} %).",
        "How varied?": f"Kinds of real picture that are met: {met} (real ones: {100 * (real.coverage.real or 0):.0f} %).",
        "Copied?": copies,
    }


def _warnings(names: Sequence[str], evaluations: Sequence[Evaluation], curves: Sequence[Curve]) -> list[str]:
    said = []
    if len({(e.real.digest, e.height, e.width) for e in evaluations}) > 1:
        said.append("The runs learnt from different pictures or sizes; their figures do not compare. Take --pictures.")
    if len({curve.machine for curve in curves}) > 1:
        said.append("The runs were trained on different machines: compare them by pictures seen, not by wall time.")
    said += sorted({warning for e in evaluations for warning in e.warnings})
    unscored = [name for name, curve in zip(names, curves, strict=True) if not curve.scores]
    if unscored:
        said.append(f"No scores were taken while these were trained: {', '.join(unscored)}.")
    return said
