"""What a run that is replayed had, for whatever is not said otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ganforge.errors import RunError
from ganforge.game import PictureConfig
from ganforge.machine import best_device
from ganforge.systems import find_system, reasons
from ganforge.training.folder import Run
from ganforge.training.playing import logged_execution
from ganforge.training.warm import must_be_the_same, origin


@dataclass(frozen=True)
class Kept:
    """The defaults of `ganforge.train`; those of a run where one is replayed.

    Attributes:
        run: None where none is replayed.
        config: its settings; None where none is replayed, or one of another recipe.
        start_from: the Model to begin with.
        seed, flip, stop_early, pack: as in run.json; ``pack`` holds those options alone that are not today's defaults.
        looked_at: as in run.json; 0 where that is still to be found.
        execution: how it computed, where this machine may compute so.
        plans: all that it logged of its plan.
    """

    run: Run | None = None
    config: PictureConfig | None = None
    start_from: str | Path | None = None
    seed: int = 0
    flip: bool | None = None
    stop_early: bool = True
    pack: Mapping[str, Any] = field(default_factory=dict)
    looked_at: int = 0
    execution: Mapping[str, Any] | None = None
    plans: Mapping[str, Any] = field(default_factory=dict)


def kept_of(replay: str | Path | None, recipe: str, start_from: str | Path | None) -> Kept:
    """What a run had that is replayed with this recipe, from this Model or, without one, from its own.

    Raises:
        RunError: there is no such run, its settings are not to be read, or the Model that it began with is another now.
        ModelError: that is gone.
    """
    if replay is None:
        return Kept(start_from=start_from)
    run = Run(replay)
    config = run.config
    same = config.recipe == recipe
    if same and start_from is None and config.start_from is not None:
        start_from = config.start_from
        must_be_the_same(*origin(start_from), config.start_id or "")
    execution = logged_execution(run)
    return Kept(
        run,
        stored_config(run) if same else None,
        start_from,
        config.seed,
        config.flip,
        config.stop_early,
        config.pack,
        config.looked_at,
        execution if execution is not None and execution["device"] == best_device().type else None,
        {
            "replay": run.events("plan"),
            "replay_threads": [(e["seen"], e["threads"]) for e in run.events("threads")],
            "replay_scores": run.events("score"),
        },
    )


def stored_config(run: Run) -> PictureConfig:
    """The config that a run was made with. Raises RunError where its system does not take it."""
    system = find_system(run.config.system)
    try:
        config = system.config_class.model_validate(run.config.config)
    except ValidationError as error:
        raise RunError(
            f"{run.path / 'run.json'} holds settings that {system.name} does not take: {reasons(error)}"
        ) from None
    assert isinstance(config, PictureConfig)  # recipes are for pictures
    return config
