"""Set the table for a run and play it to the end of its budget: calibration, checkpoint, loop, Model, curves."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ganforge.drawing.clips import write_clip
from ganforge.drawing.plots import learning_curves
from ganforge.drawing.timelapse import stored_frames, timelapse
from ganforge.errors import GanforgeError, TrainingError, UsageError
from ganforge.files import to_disk
from ganforge.game import PictureConfig, System
from ganforge.machine import best_device, describe, keep_freed_memory, memory_bytes
from ganforge.model.card import DataCard
from ganforge.pictures import Pack, PackSource, split_held_out
from ganforge.progress import Progress, silent
from ganforge.systems import find_system
from ganforge.training import checkpoints
from ganforge.training.averages import Average
from ganforge.training.budget import Budget, Clock
from ganforge.training.execution import CALIBRATION_SHARE, Execution, calibrate, candidates
from ganforge.training.folder import Event, Run, explained
from ganforge.training.loop import Loop
from ganforge.training.observers import tensorboard
from ganforge.training.pace import Pace
from ganforge.training.planning import NO_REPLAY, extend, first_schedule, promised
from ganforge.training.scoring import scorer_for
from ganforge.training.step import Ahead, Table
from ganforge.training.stopping import Interrupted
from ganforge.training.teacher import features_for
from ganforge.training.telling import Observer
from ganforge.training.warm import take_weights
from ganforge.training.watch import watch_for


def play(
    run: Run,
    pack: Pack,
    config: PictureConfig,
    observers: Sequence[Observer],
    *,
    notes: Sequence[str] = (),
    more: Budget | None = None,
    again: bool = False,
    progress: Progress = silent,
) -> None:
    """Set the table and play to the end of the budget; the state of the folder always says how it ended."""
    begun = time.perf_counter()
    keep_freed_memory()
    threads = torch.get_num_threads()
    run.set_state("running")
    try:
        with (
            _memory_explained(config),
            torch.random.fork_rng(devices=[torch.cuda.current_device()] if torch.cuda.is_available() else []),
        ):
            if run.config.tensorboard:
                observers = [*observers, tensorboard(run.path)]
            loop = _set_up(run, pack, config, observers, begun, notes, more, again, progress)
            loop.play()
            _finish(run, loop)
    except Interrupted:
        run.set_state("interrupted")
        raise
    except BaseException as error:
        _say_failed(run, error)
        raise
    finally:
        torch.set_num_threads(threads)
    draw(run)
    for observer in observers:
        observer({"event": "finished", "seen": loop.seen, "fraction": 1.0})


def _set_up(
    run: Run,
    pack: Pack,
    config: PictureConfig,
    observers: Sequence[Observer],
    begun: float,
    notes: Sequence[str],
    more: Budget | None,
    again: bool,
    progress: Progress,
) -> Loop:
    system_class = find_system(run.config.system)
    device = best_device()
    train_indices, held_out = split_held_out(pack)
    source = PackSource(pack, config.batch_size, seed=run.config.seed, flip=run.config.flip, indices=train_indices)

    def make_system() -> System:
        torch.manual_seed(run.config.seed)
        return system_class(config)

    def tell(event: Event) -> None:
        run.log(event)
        for observer in observers:
            observer(event)

    _must_fit(config, device)
    system = make_system()
    source.features = features_for(system, pack, source, run.config.looked_at, device, progress)
    run.sweep()
    checkpoints.sweep(run.path / "checkpoints")
    if more is not None and not checkpoints.saved(run.path / "checkpoints"):
        run.extend(seconds=more.seconds, images=more.images, **NO_REPLAY)  # nothing is spent yet
        more = None
    execution, speed, busy = _execution(run, make_system, source, candidates(system, device), tell, notes)
    execution.apply(system)
    phases = system.phases()
    averages = {
        name: Average(system.nets[name], 1000 * config.ema_halflife_kimg, config.ema_rampup) for name in system.averaged
    }
    table = Table(
        phases[0].turns,
        source if execution.device == "cpu" else Ahead(source),
        execution.device,
        execution.autocast,
        run.config.seed,
    )
    found = checkpoints.newest(run.path / "checkpoints", system, averages, phases) if again else None
    clock = Clock(found[0].seconds if found else 0.0, begun)
    if found is None:
        schedule = first_schedule(run.config, speed, clock.seconds(time.perf_counter()))
    else:  # before what scores and paces the run is made: more may be given, and what was replayed is over then
        run.rewind(found[0].seen)
        schedule = promised(run.config, found[0]) if more is None else extend(run, found[0], more)
    data = DataCard(
        pictures=Path(run.config.pictures).name,
        count=len(train_indices),
        digest=pack.digest,
        pack=run.config.pack,
        flip=run.config.flip,
    )
    scorer = scorer_for(system_class, run.config, pack, train_indices, device, run.events("score") if found else ())
    watch = watch_for(system, averages, execution, lambda: table.turns, pack, train_indices, held_out)
    pace = Pace(torch.get_num_threads(), aside=(speed or 0.0) if busy else 0.0)
    loop = Loop(run, system, averages, phases, table, watch, scorer, schedule, clock, data, pace, observers)
    if found is not None:
        position, checkpoint, passed = found
        loop.resume_from(position, schedule)
        tell(
            {
                "event": "resume",
                "seen": position.seen,
                "fraction": loop.schedule.fraction(position.seen),
                "from": checkpoint.name,
                "passed_over": passed,
            }
        )
        tell(loop.schedule.plans[-1].as_event())  # the log may hold one that the checkpoint never saw
    else:
        if again:
            run.rewind(-1)
        if run.config.start_from is not None:
            said = take_weights(system, averages, Path(run.config.start_from), run.config.start_id or "")
            tell({"event": "warm_start", "seen": 0, "said": said})
        for plan in schedule.plans:
            tell(plan.as_event())
    return loop


def _execution(
    run: Run,
    make_system: Callable[[], System],
    source: PackSource,
    choices: Sequence[Execution],
    tell: Callable[[Event], None],
    notes: Sequence[str],
) -> tuple[Execution, float | None, bool]:
    """As logged, as given, by rule (``--images``: the same on every run), or as calibrated."""
    logged = _matching(choices, logged_execution(run))
    if logged is not None and checkpoints.saved(run.path / "checkpoints"):
        return logged, None, False
    speed, busy = None, False
    if run.config.execution is not None:
        chosen = _matching(choices, run.config.execution)
        if chosen is None:
            offered = ", ".join(f"{c.layout} {c.precision}" for c in choices)
            raise UsageError(f"This machine offers {offered}, not {run.config.execution}.")
    elif run.config.seconds is None:
        chosen = choices[0]
    else:
        tell({"event": "calibrating", "seen": 0})
        chosen, speed, busy = calibrate(make_system, source, choices, CALIBRATION_SHARE * run.config.seconds)
        if speed is not None and speed * run.config.seconds < source.batch_size:
            raise TrainingError(
                f"One step of {source.batch_size} pictures takes about {source.batch_size / speed:.0f} seconds here, and all "
                f"there is are {run.config.seconds:.0f}. Take more --minutes, a smaller --size or --set batch_size=…."
            )
    if speed is None and run.config.seconds is not None:
        _, speed, busy = calibrate(make_system, source, [chosen], 0)
    tell({"event": "start", "seen": 0, "machine": describe().as_dict(), "notes": [note for note in notes if note]})
    tell(chosen.as_event(speed) | {"seen": 0})
    return chosen, speed, busy


def _matching(choices: Sequence[Execution], wanted: Mapping[str, Any] | None) -> Execution | None:
    """The choice that fits; None where a run comes from another machine and has to choose anew."""
    if wanted is None:
        return None
    compiled = bool(wanted.get("compiled", False))
    rest = {k: v for k, v in wanted.items() if k != "compiled"}
    found = next((c for c in choices if all(getattr(c, k, None) == v for k, v in rest.items())), None)
    return None if found is None else replace(found, compiled=compiled)


def logged_execution(run: Run) -> dict[str, Any] | None:
    """Device, layout, precision and whether compiled, as the run last computed."""
    events = run.events("execution")
    return {k: events[-1].get(k) for k in ("device", "layout", "precision", "compiled")} if events else None


def _finish(run: Run, loop: Loop) -> None:
    """Put the Model in its place: the run's best, or its last where nothing was scored."""
    chosen = checkpoints.best(run.path / "checkpoints") or loop.last_checkpoint
    assert chosen is not None
    with explained(run.path):
        partial = run.path / ".model-partial"
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(chosen / "model", partial)
        to_disk(partial)
        shutil.rmtree(run.path / "model", ignore_errors=True)
        partial.replace(run.path / "model")
    seconds = loop.clock.seconds(time.perf_counter())
    said = {"seen": loop.seen, "seconds": seconds, "model": int(chosen.name), "stopped_early": loop.stopped_early}
    run.log({"event": "finished", "fraction": 1.0, **said})
    run.set_state("finished", **said)


def draw(run: Run) -> None:
    """curves.png, curves.svg, timelapse.mp4 and timelapse.gif, anew from the log and the sheets."""
    events = run.events()
    height, width = int(run.config.config["height"]), int(run.config.config["width"])
    with explained(run.path):
        if run.events("sample"):
            for name, fps in (("timelapse.mp4", 12.0), ("timelapse.gif", 10.0)):
                frames = stored_frames(events, run.path, height, width)
                write_clip(timelapse(frames, fps=fps, columns=8), run.path / name, fps)
        learning_curves(events, run.path / "curves.png", run.path / "curves.svg")
    state = run.state()
    if state.get("state") == "finished":
        kept = {k: state.get(k) for k in ("seen", "seconds", "model", "stopped_early")}
        run.set_state("finished", **kept, drawn=True)


def drawn(run: Run) -> bool:
    """Whether `draw` came to its end and all of it is still there."""
    clips = ("timelapse.mp4", "timelapse.gif") if run.events("sample") else ()
    files = (*clips, "curves.png", "curves.svg")
    return bool(run.state().get("drawn")) and all((run.path / name).exists() for name in files)


def _must_fit(config: PictureConfig, device: torch.device) -> None:
    """Refuse a batch that no memory holds: Linux would end the process without a word."""
    least = 50 * 4 * config.batch_size * config.channels * config.height * config.width
    there = memory_bytes()
    if device.type == "cpu" and there and least > there:
        raise TrainingError(
            f"A batch of {config.batch_size:,} pictures of {config.width}x{config.height} needs far more memory than the "
            f"{there / 2**30:.0f} GiB here. Take a smaller --set batch_size=…, or a smaller --size."
        )


@contextmanager
def _memory_explained(config: PictureConfig) -> Iterator[None]:
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        known = ("can't allocate memory", "not enough memory", "out of memory")
        if not isinstance(error, MemoryError) and not any(words in str(error) for words in known):
            raise
        raise TrainingError(
            f"The memory does not hold a step of {config.batch_size} pictures of {config.width}x{config.height}. "
            f"Try --set batch_size={max(2, config.batch_size // 2)}, or a smaller --size."
        ) from None


def _say_failed(run: Run, error: BaseException) -> None:
    """Note why the run ended, if that can still be written; the error itself matters more."""
    try:
        run.set_state(
            "interrupted" if isinstance(error, KeyboardInterrupt) else "failed",
            error=f"{type(error).__name__}: {error}",
        )
    except GanforgeError:
        return
