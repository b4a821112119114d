"""train and resume: pictures, recipe and budget become a run folder with a Model in it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ganforge import __version__
from ganforge.errors import RunError, UsageError
from ganforge.files import quoted
from ganforge.pictures import Pack, PackOptions, known_pack, make_pack, split_held_out
from ganforge.progress import Progress, silent
from ganforge.systems import DEFAULT_RECIPE, described, find_recipe, fitted
from ganforge.training.budget import Budget, parse_count
from ganforge.training.folder import Run, RunConfig, must_be_free, new_folder
from ganforge.training.observers import notebook, require_tensorboard
from ganforge.training.planning import asked_budget
from ganforge.training.playing import draw, drawn, play
from ganforge.training.presets import chosen_preset
from ganforge.training.replaying import kept_of, stored_config
from ganforge.training.sizes import choose_size, parse_size
from ganforge.training.teacher import affordable
from ganforge.training.telling import Observer
from ganforge.training.warm import as_begun, must_fit, origin

Size = int | str | tuple[int, int]


def train(
    pictures: str | Path,
    *,
    minutes: float | None = None,
    images: int | str | None = None,
    recipe: str | None = None,
    start_from: str | Path | None = None,
    size: Size | None = None,
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
    out: Path | str | None = None,
    flip: bool | None = None,
    background: str | None = None,
    fit: str | None = None,
    crop: str | None = None,
    replay: Path | str | None = None,
    execution: Mapping[str, Any] | None = None,
    checkpoint_seconds: float = 45,
    stop_early: bool | None = None,
    use_tensorboard: bool = False,
    observers: Sequence[Observer] | None = None,
    progress: Progress = silent,
) -> Run:
    """Train a generator on a collection of pictures.

    Args:
        pictures: a folder, an archive, a known layout, or ``avatars[:COUNT[:SEED]]``.
        minutes: wall time from the finished pack to the saved Model; 20 where neither this nor ``images`` is given.
        images: pictures to be seen instead, e.g. ``"500k"``.
        recipe: a system with a preset; by default that of ``start_from`` or ``replay``, or "style".
        start_from: folder of a Model (or a run) whose weights the nets begin with, as far as they fit.
        size: side of the pictures, ``"WxH"`` or (height, width); by default that of ``replay`` or ``start_from``, or the
            largest of 32, 64 and 128 that pictures and minutes allow.
        seed: of everything random; by default that of ``replay``, or 0.
        settings: changes of the recipe's config, e.g. ``{"d.widths": "32,64"}``.
        out: run folder to make; by default a new name in the current folder.
        flip: mirror half of the pictures; by default as ``replay`` did, or what the pictures allow.
        background: what shows through transparency: "white", the default, "black" or "#rrggbb".
        fit: "crop", the default, or "pad" pictures of other proportions.
        crop: of CelebA's pictures: "178", the default, or "108".
        replay: a run folder whose logged plans are replayed instead of a budget. Whatever is not said is as it was there: recipe,
            size, settings (where recipe and size are the same), what it began with, and the defaults of all that is above.
        execution: ``layout``, ``precision`` (and ``compiled``), instead of calibration.
        checkpoint_seconds: wall time between two checkpoints.
        stop_early: end before the budget is spent where the generator has collapsed for good or copies its pictures; by
            default so, or as ``replay`` did.
        use_tensorboard: write ``tensorboard/`` into the run folder too.
        observers: hear every event; by default a notebook shows samples and losses inline.
        progress: of reading pictures.

    Returns:
        The run; ``ganforge.load(run.path)`` gives its Model.

    Raises:
        UsageError: an unknown recipe or setting (with the nearest right name), a size the recipe cannot make.
        ModelError: no Model at ``start_from``.
        PicturesError: nothing there, or fewer than 16 usable pictures.
        RunError: ``out`` is there already or cannot be written.
        TrainingError: out of memory, or losses that are not finite three times.
        Interrupted: stopped by Ctrl-C; saved.
    """
    recipe = recipe_of(recipe, start_from, replay)
    chosen = find_recipe(recipe)
    kept = kept_of(replay, recipe, start_from)
    origin_path, given = (None, None) if kept.start_from is None else origin(kept.start_from)
    if given is not None and given.system != chosen.system.name:
        raise UsageError(
            f"{kept.start_from} holds a {given.system}, whose weights the recipe {recipe} cannot take. Choose a recipe of that "
            "system, or another Model."
        )
    seed = kept.seed if seed is None else seed
    if not 0 <= seed < 2**63:
        raise UsageError(f"--seed takes a whole number from 0 to {2**63 - 1}, not {seed}.")
    if not checkpoint_seconds > 0:
        raise UsageError(f"checkpoint_seconds takes a number above 0, not {checkpoint_seconds!r}.")
    if use_tensorboard:
        require_tensorboard()
    budget = asked_budget(minutes, _count(images), kept.run)
    said = {"background": background, "fit": fit, "celeba_crop": crop}
    pack_options = {**kept.pack, **{key: value for key, value in said.items() if value is not None}}
    asked = parse_size(size)
    if size is None and kept.config is not None:
        asked = kept.config.height, kept.config.width
    elif size is None and given is not None and chosen.size is None:
        asked = given.height, given.width
    height, width, why = choose_size(chosen, asked, str(pictures), budget, pack_options.get("celeba_crop"))
    preset = chosen_preset(chosen, (height, width), settings or {}, budget, kept.config, origin_path)
    config = preset.config
    if (config.height, config.width) != (height, width):
        raise UsageError("The size is set with --size, not with --set height or width.")
    if origin_path is not None and given is not None:
        must_fit(chosen.system, config, origin_path)
        config = as_begun(chosen.system, config, given)
    path = Path(out) if out is not None else new_folder(str(pictures), recipe, Path.cwd())
    must_be_free(path)  # said before minutes of decoding, not after
    try:
        options = PackOptions.model_validate({**pack_options, "height": height, "width": width})
    except ValidationError as error:
        raise UsageError("; ".join(e["msg"].removeprefix("Value error, ") for e in error.errors())) from None
    pack = make_pack(pictures, options, progress=progress)
    learnt_from = len(split_held_out(pack)[0])
    asked_for, config = config, fitted(chosen, config, pack.schema, learnt_from, pack.saturated)
    unfitted = {key: value for key, value, _ in described(asked_for)}
    adapted = [f"{key} = {value}" for key, value, _ in described(config) if value != unfitted[key]]
    fit_to = [f"For {learnt_from:,} pictures to learn from: {', '.join(adapted)}."] if adapted else []
    fit_to += preset.notes(budget)
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
            start_from=None if origin_path is None else os.path.abspath(origin_path),  # noqa: PTH100 - links stay links
            start_id=None if given is None else given.id,
            flip=next(value for value in (flip, kept.flip, pack.mirror.flip) if value is not None),
            seed=seed,
            seconds=budget.seconds,
            images=budget.images,
            **kept.plans,
            looked_at=kept.looked_at or affordable(learnt_from, budget),
            execution=dict(kept.execution) if execution is None and kept.execution is not None else execution,
            checkpoint_every_seconds=checkpoint_seconds,
            stop_early=kept.stop_early if stop_early is None else stop_early,
            tensorboard=use_tensorboard,
        ),
    )
    with run.alone():
        play(
            run,
            pack,
            config,
            notebook(run.path) if observers is None else observers,
            notes=[why, *fit_to, *pack.notes],
            progress=progress,
        )
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
            if not drawn(run):
                draw(run)  # the last thing a run does, and it was cut short
                return run
            raise RunError(
                f"{run.path} is finished. `ganforge resume {quoted(run.path)} --minutes 20` trains it twenty minutes more."
            )
        pack = _same_pack(run, progress)
        config = stored_config(run)
        hearing = notebook(run.path) if observers is None else observers
        play(run, pack, config, hearing, more=more, again=True, progress=progress)
    return run


def recipe_of(recipe: str | None, start_from: str | Path | None, replay: str | Path | None = None) -> str:
    """The recipe asked for, or the one of the Model to start from, or of the run to replay, or the default.

    Raises:
        ModelError, RunError: there is no such Model, or no such run.
    """
    if recipe is not None:
        return recipe
    card = None if start_from is None else origin(start_from)[1]
    if card is not None and card.training is not None:
        return card.training.recipe
    return DEFAULT_RECIPE if replay is None else Run(replay).config.recipe


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
