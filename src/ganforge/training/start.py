"""train and resume: pictures, recipe and budget become a run folder with a Model in it."""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from ganforge import __version__
from ganforge.drawing.clips import write_clip
from ganforge.drawing.plots import learning_curves
from ganforge.drawing.timelapse import stored_frames, timelapse
from ganforge.errors import GanforgeError, RunError, TrainingError, UsageError
from ganforge.files import quoted, to_disk
from ganforge.game import PictureConfig, System
from ganforge.machine import best_device, describe, keep_freed_memory, memory_bytes
from ganforge.model.card import DataCard
from ganforge.pictures import Pack, PackOptions, PackSource, known_pack, make_pack, split_held_out
from ganforge.progress import Progress, silent
from ganforge.systems import DEFAULT_RECIPE, configure, find_recipe, find_system, reasons
from ganforge.training import checkpoints
from ganforge.training.averages import Average
from ganforge.training.budget import Budget, Clock, parse_count
from ganforge.training.execution import CALIBRATION_SHARE, Execution, calibrate, candidates
from ganforge.training.folder import Event, Run, RunConfig, explained, must_be_free, new_folder
from ganforge.training.loop import Interrupted, Loop, Observer
from ganforge.training.observers import notebook, require_tensorboard, tensorboard
from ganforge.training.pace import Pace
from ganforge.training.planning import asked_budget, extend, first_schedule, promised
from ganforge.training.sizes import choose_size, parse_size
from ganforge.training.step import Ahead, Table
from ganforge.training.watch import watch_for

Size = int | str | tuple[int, int]


def train(
    pictures: str | Path,
    *,
    minutes: float | None = None,
    images: int | str | None = None,
    recipe: str = DEFAULT_RECIPE,
    size: Size | None = None,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    out: Path | str | None = None,
    flip: bool | None = None,
    background: str = "white",
    fit: str = "crop",
    crop: str = "178",
    replay: Path | str | None = None,
    execution: Mapping[str, Any] | None = None,
    checkpoint_seconds: float = 45,
    use_tensorboard: bool = False,
    observers: Sequence[Observer] | None = None,
    progress: Progress = silent,
) -> Run:
    """Train a generator on a collection of pictures.

    Args:
        pictures: a folder, an archive, a known layout, or ``avatars[:COUNT[:SEED]]``.
        minutes: wall time from the finished pack to the saved Model; 20 where neither this nor ``images`` is given.
        images: pictures to be seen instead, e.g. ``"500k"``.
        recipe: a system with a preset.
        size: side of the pictures, ``"WxH"`` or (height, width); by default the largest of 32, 64 and 128 that pictures
            and minutes allow.
        seed: of everything random.
        settings: changes of the recipe's config, e.g. ``{"d.widths": "32,64"}``.
        out: run folder to make; by default a new name in the current folder.
        flip: mirror half of the pictures; by default what the pictures allow.
        background: what shows through transparency: "white", "black" or "#rrggbb".
        fit: "crop" or "pad" pictures of other proportions.
        crop: of CelebA's pictures: "178" or "108".
        replay: a run folder whose logged plans are replayed instead of a budget.
        execution: ``layout``, ``precision`` (and ``compiled``), instead of calibration.
        checkpoint_seconds: wall time between two checkpoints.
        use_tensorboard: write ``tensorboard/`` into the run folder too.
        observers: hear every event; by default a notebook shows samples and losses inline.
        progress: of reading pictures.

    Returns:
        The run; ``ganforge.load(run.path)`` gives its Model.

    Raises:
        UsageError: an unknown recipe or setting (with the nearest right name), a size the recipe cannot make.
        PicturesError: nothing there, or fewer than 16 usable pictures.
        RunError: ``out`` is there already or cannot be written.
        TrainingError: out of memory, or losses that are not finite three times.
        Interrupted: stopped by Ctrl-C; saved.
    """
    chosen = find_recipe(recipe)
    if not 0 <= seed < 2**63:
        raise UsageError(f"--seed takes a whole number from 0 to {2**63 - 1}, not {seed}.")
    if not checkpoint_seconds > 0:
        raise UsageError(f"checkpoint_seconds takes a number above 0, not {checkpoint_seconds!r}.")
    if use_tensorboard:
        require_tensorboard()
    repeated = Run(replay) if replay is not None else None
    budget = asked_budget(minutes, _count(images), repeated)
    if execution is None and repeated is not None:
        execution = _logged_execution(repeated)
    height, width, why = choose_size(chosen, parse_size(size), str(pictures), budget)
    config = configure(chosen, height, width, {k: _text(v) for k, v in (settings or {}).items()})
    if (config.height, config.width) != (height, width):
        raise UsageError("The size is set with --size, not with --set height or width.")
    path = Path(out) if out is not None else new_folder(str(pictures), recipe, Path.cwd())
    must_be_free(path)  # said before minutes of decoding, not after
    try:
        options = PackOptions(height=height, width=width, background=background, fit=fit, celeba_crop=crop)
    except ValidationError as error:
        raise UsageError("; ".join(e["msg"].removeprefix("Value error, ") for e in error.errors())) from None
    pack = make_pack(pictures, options, progress=progress)
    run = Run.create(
        path,
        RunConfig(
            ganforge=__version__,
            recipe=recipe,
            system=chosen.system.name,
            config=config.model_dump(mode="json"),
            pictures=_lasting(pictures),
            pack=options.model_dump(mode="json"),
            digest=pack.digest,
            flip=pack.mirror.flip if flip is None else flip,
            seed=seed,
            seconds=budget.seconds,
            images=budget.images,
            replay=None if repeated is None else repeated.events("plan"),
            replay_threads=(
                None if repeated is None else [(e["seen"], e["threads"]) for e in repeated.events("threads")]
            ),
            execution=dict(execution) if execution is not None else None,
            checkpoint_every_seconds=checkpoint_seconds,
            tensorboard=use_tensorboard,
        ),
    )
    with run.alone():
        _play(run, pack, config, notebook(run.path) if observers is None else observers, notes=[why, *pack.notes])
    return run


def resume(
    path: Path | str,
    *,
    minutes: float | None = None,
    images: int | str | None = None,
    observers: Sequence[Observer] | None = None,
    progress: Progress = silent,
) -> Run:
    """Finish an interrupted run, or give a finished one more minutes (or pictures).

    Without a new budget an interrupted run goes on from its newest whole checkpoint to the end it was meant to have; one
    killed before its first checkpoint starts again. With ``minutes`` (or ``images``) the run gets that much more, and its
    fraction restarts at spent/(spent + new).

    Raises:
        RunError: no run there, another process trains it, its pictures changed or are gone, or it is finished and no
            budget was given.
        Interrupted: stopped by Ctrl-C; saved.
    """
    run = Run(path)
    if minutes is not None and images is not None:
        raise UsageError("Say --minutes or --images, not both.")
    asked = minutes is not None or images is not None
    more = Budget.of(minutes, _count(images)) if asked else None
    with run.alone():
        if run.state().get("state") == "finished" and more is None:
            if not _drawn(run):
                draw(run)  # the last thing a run does, and it was cut short
                return run
            raise RunError(
                f"{run.path} is finished. `ganforge resume {quoted(run.path)} --minutes 20` trains it twenty minutes more."
            )
        pack = _same_pack(run, progress)
        system = find_system(run.config.system)
        try:
            config = system.config_class.model_validate(run.config.config)
        except ValidationError as error:
            raise RunError(
                f"{run.path / 'run.json'} holds settings that {system.name} does not take: {reasons(error)}"
            ) from None
        assert isinstance(config, PictureConfig)  # recipes are for pictures
        _play(run, pack, config, notebook(run.path) if observers is None else observers, more=more, again=True)
    return run


# --- the parts --------------------------------------------------------------------------------------------------------


def _play(
    run: Run,
    pack: Pack,
    config: PictureConfig,
    observers: Sequence[Observer],
    *,
    notes: Sequence[str] = (),
    more: Budget | None = None,
    again: bool = False,
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
            loop = _set_up(run, pack, config, observers, begun, notes, more, again)
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
    run.sweep()
    checkpoints.sweep(run.path / "checkpoints")
    if more is not None and not checkpoints.saved(run.path / "checkpoints"):
        run.extend(seconds=more.seconds, images=more.images, replay=None, replay_threads=None)  # nothing is spent yet
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
    schedule = first_schedule(run.config, speed, clock.seconds(time.perf_counter()))
    data = DataCard(pictures=Path(run.config.pictures).name, count=len(train_indices), digest=pack.digest)
    watch = watch_for(system, averages, execution, lambda: table.turns, pack, train_indices, held_out)
    pace = Pace(torch.get_num_threads(), aside=(speed or 0.0) if busy else 0.0)
    loop = Loop(run, system, averages, phases, table, watch, schedule, clock, data, pace, observers)
    if found is not None:
        position, checkpoint, passed = found
        run.rewind(position.seen)
        loop.resume_from(position, promised(run.config, position) if more is None else extend(run, position, more))
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
    logged = _matching(choices, _logged_execution(run))
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


def _logged_execution(run: Run) -> dict[str, Any] | None:
    events = run.events("execution")
    return {k: events[-1].get(k) for k in ("device", "layout", "precision", "compiled")} if events else None


def _finish(run: Run, loop: Loop) -> None:
    """Put the Model in its place."""
    last = loop.last_checkpoint
    assert last is not None
    with explained(run.path):
        partial = run.path / ".model-partial"
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(last / "model", partial)
        to_disk(partial)
        shutil.rmtree(run.path / "model", ignore_errors=True)
        partial.replace(run.path / "model")
    seconds = loop.clock.seconds(time.perf_counter())
    run.log({"event": "finished", "seen": loop.seen, "fraction": 1.0, "seconds": seconds})
    run.set_state("finished", seen=loop.seen, seconds=seconds)


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
        run.set_state("finished", seen=state.get("seen"), seconds=state.get("seconds"), drawn=True)


def _drawn(run: Run) -> bool:
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


def _same_pack(run: Run, progress: Progress) -> Pack:
    """The pack that the run began with; from the cache alone where its pictures are gone, or drawn by another version."""
    pictures = run.config.pictures
    drawn = pictures == "avatars" or pictures.startswith("avatars:")
    pack = known_pack(run.config.digest) if drawn or not Path(pictures).exists() else None
    if pack is None:
        pack = make_pack(pictures, PackOptions.model_validate(run.config.pack), progress=progress)
    if pack.digest == run.config.digest:
        return pack
    changed = (
        f"This version of ganforge draws other avatars than version {run.config.ganforge}, with which {run.path} began. "
        f"Go on with that one,"
        if drawn
        else f"The pictures in {pictures} changed since {run.path} began. Put them back as they were,"
    )
    raise RunError(f"{changed} or start anew with `ganforge train`.")


def _count(images: int | str | None) -> int | None:
    return parse_count(images) if isinstance(images, str) else images


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _lasting(pictures: str | Path) -> str:
    """PICTURES so that it means the same from any folder."""
    name = os.path.abspath(pictures) if Path(pictures).exists() else str(pictures)  # noqa: PTH100 - links stay links
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"The name of {name!r} is not valid UTF-8; rename it, so that a run can note where it is."
        ) from None
    return name
