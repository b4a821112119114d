"""compare: several runs beside one another, at equal numbers of pictures seen and at equal wall time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganforge.drawing.timelapse import Frame, stored_frames
from ganforge.errors import PicturesError, UsageError
from ganforge.evaluation.ask import sides
from ganforge.evaluation.comparison import Comparison, Curve, sentences, warnings_of
from ganforge.evaluation.measuring import COUNT, Shown, measure
from ganforge.evaluation.result import Evaluation
from ganforge.evaluation.sides import FIRST_SEED
from ganforge.measures.nets import find_net
from ganforge.model import load
from ganforge.progress import Progress, silent
from ganforge.systems import flattened
from ganforge.training.folder import Run

MOMENTS = 4
"""At which the runs' samples of the same seeds are shown side by side."""

KEPT_OF_SCORES = ("seen", "fraction", "seconds", "kid", "spread", "copied", "best")


@dataclass(frozen=True)
class Moment:
    """The same seeds of every run at one moment.

    Attributes:
        value: pictures seen, or seconds.
        frames: of each run, the last sheet drawn until then; None where there is none.
    """

    value: float
    frames: list[Frame | None]


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
        features: "offline", "inception", or "auto" (Inception where its weights are at hand).
        weights: Inception's weights, instead of fetching them.
        progress: told what is being done.

    Raises:
        UsageError: fewer than two runs, or one twice.
        RunError: a folder that is no run.
        ModelError: a run that has no Model yet, or whose Model draws no pictures.
        PicturesError: a run's pictures are gone, or a collection cannot be used.
    """
    opened = open_runs(runs)
    names = labels_of([run.path for run in opened])
    judged_by = [_pictures_of(run, pictures) for run in opened]
    for run in opened:  # said before minutes of measuring, not after
        load(run.path, device="cpu")
    net, note = find_net(features, weights, progress=progress)
    measured: list[tuple[Evaluation, Shown]] = []
    for run, name, real_pictures in zip(opened, names, judged_by, strict=True):

        def told(what: str, done: int, total: int, name: str = name) -> None:
            progress(f"{name}: {what}", done, total)

        maker, real = sides(run.path, real_pictures, count=count, seed=FIRST_SEED, psi=1.0, progress=told)
        same = measured[0][0].features.precision if measured else None  # one column, one precision
        measured.append(measure(maker, real, net, count=count, precision=same, progress=told))
    evaluations = [found for found, _ in measured]
    curves = [curve_of(run, name) for run, name in zip(opened, names, strict=True)]
    comparable = len({(e.real.digest, e.height, e.width, e.real.count, e.made.count) for e in evaluations}) == 1
    found = Comparison(
        comparable=comparable,
        evaluations=evaluations,
        curves=curves,
        differs=_differs(opened),
        sentences=sentences(names, evaluations, comparable),
        warnings=[*([note] if note is not None else []), *warnings_of(evaluations, curves, comparable)],
    )
    return found, [shown for _, shown in measured]


def open_runs(paths: Sequence[str | Path]) -> list[Run]:
    """The runs of these folders. Raises UsageError for fewer than two or one twice, RunError where there is none."""
    if len(paths) < 2:
        raise UsageError("compare takes at least two run folders; `ganforge evaluate` looks at one.")
    opened = [Run(Path(path).resolve()) for path in paths]
    for i, run in enumerate(opened):
        if run.path in [other.path for other in opened[:i]]:
            raise UsageError(f"{paths[i]} was named twice; name different runs.")
    return opened


def curve_of(run: Run, name: str) -> Curve:
    """What the folder says. Runs that were never scored have no scores."""
    scores = run.events("score")
    scores = [score for score in scores if score.get("features") == scores[-1].get("features")]
    starts = run.events("start")
    state = run.state()
    told = run.events("report", "sample", "checkpoint", "finished")
    latest = {key: max((e[key] for e in told if e.get(key) is not None), default=0) for key in ("seen", "seconds")}
    return Curve(
        run=name,
        recipe=run.config.recipe,
        pictures=Path(run.config.pictures).name,
        digest=run.config.digest,
        height=int(run.config.config["height"]),
        width=int(run.config.config["width"]),
        seed=run.config.seed,
        state=str(state.get("state") or "interrupted"),
        seen=int(latest["seen"]),
        seconds=float(latest["seconds"]),
        machine=_machine(starts[-1].get("machine") or {}) if starts else "",
        features=scores[-1].get("features") if scores else None,
        scores=[{key: score.get(key) for key in KEPT_OF_SCORES} for score in scores],
    )


def moments(runs: Sequence[Run], by: str) -> list[Moment]:
    """Sheets of the fixed seeds at equal ``by`` ("seen" or "seconds"), up to where the shortest run got.

    Runs without any sheet have none at each moment; where no run has one, there is no moment.
    """
    drawn = [run.events("sample") for run in runs]
    end = min((float(max(e[by] for e in events)) for events in drawn if events), default=0.0)
    if end <= 0:
        return []
    found = []
    for k in range(1, MOMENTS + 1):
        value = end * k / MOMENTS
        frames = [
            _last_frame(run, [e for e in events if float(e[by]) <= value])
            for run, events in zip(runs, drawn, strict=True)
        ]
        found.append(Moment(value, frames))
    return found


def _last_frame(run: Run, events: Sequence[Mapping[str, Any]]) -> Frame | None:
    """The newest of these sheets that can be read."""
    size = int(run.config.config["height"]), int(run.config.config["width"])
    return next((frame for e in reversed(events) for frame in stored_frames([e], run.path, *size)), None)


def labels_of(paths: Sequence[Path]) -> list[str]:
    """Names of different folders: their own, with as many of their parents' as tell them all apart."""
    most = max(len(path.parts) for path in paths)
    depths = ([Path(*path.parts[-depth:]).as_posix() for path in paths] for depth in range(1, most + 1))
    return next(names for names in depths if len(set(names)) == len(names))


def _pictures_of(run: Run, named: str | None) -> str:
    """What a run is judged by. Raises PicturesError where its own pictures are gone."""
    if named is not None:
        return named
    own = run.config.pictures
    if own == "avatars" or own.startswith("avatars:") or Path(own).exists():
        return own
    raise PicturesError(f"The pictures of {run.path.name} are gone ({own}); say where they are with --pictures.")


def _machine(machine: Mapping[str, Any]) -> str:
    name, threads = str(machine.get("name") or ""), machine.get("threads")
    if machine.get("device") != "cpu" or not threads:
        return name
    return f"{name}, {threads} thread{'s' if threads > 1 else ''}"


def _differs(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """What was set differently, by its name as ``--set`` has it; None where a run has no such setting.

    That another system lacks a setting says no more than that the systems are different: only runs that have it count.
    """
    asked = [
        {
            "recipe": run.config.recipe,
            "pictures": Path(run.config.pictures).name,
            "minutes": None if run.config.seconds is None else run.config.seconds / 60,
            "images": run.config.images,
            "seed": run.config.seed,
            "flip": run.config.flip,
            **flattened(run.config.config),
            "ganforge": run.config.ganforge,
        }
        for run in runs
    ]
    keys = dict.fromkeys(key for one in asked for key in one)
    several = len({run.config.system for run in runs}) > 1
    differ = {}
    for key in keys:
        row = [one.get(key) for one in asked]
        counted = [one[key] for one in asked if key in one] if several else row
        if any(value != counted[0] for value in counted):
            differ[key] = row
    return differ
