"""Judges of labels: nets trained on a collection of real pictures, kept in the cache and used again.

judges/<pack>-<recipe>-<budget>-<settings and code>/        a run folder; a finished one without its checkpoints
judges/<pack>-<recipe>-<budget>-<settings and code>.lock    held while it is trained
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from ganforge import __version__, ops
from ganforge.errors import GanforgeError, RunError
from ganforge.game import PictureConfig, System
from ganforge.machine import best_device
from ganforge.model.model import load_parts
from ganforge.pictures import Pack
from ganforge.pictures.cache import alone, cache_folder, make_folder, remove
from ganforge.progress import Progress, silent
from ganforge.systems import find_recipe, find_system
from ganforge.training import Interrupted, start
from ganforge.training.folder import Event, Run


def trained_judge(
    recipe: str,
    pack: Pack,
    pictures: str,
    *,
    minutes: float | None = None,
    images: int | None = None,
    settings: Mapping[str, Any] | None = None,
    what: str = "training a judge",
    progress: Progress = silent,
) -> tuple[nn.Module, PictureConfig]:
    """A net of one player, trained on a pack's training pictures; found in the cache, gone on with, or trained now.

    Args:
        recipe: of the judge.
        pack: the pictures; those that `split_held_out` holds out are not learnt from.
        pictures: the collection's name, that the pack was made of.
        minutes: to train.
        images: pictures to be seen instead.
        settings: changes of the recipe's config.
        what: said beside the progress.
        progress: told how far the training is.

    Returns:
        (the net in eval mode on the best device, its config).

    Raises:
        UsageError: the pictures carry nothing that this judge learns.
        TrainingError: not one step fits into the time.
        KeyboardInterrupt: stopped; the next call goes on from there.
    """
    said = {**(settings or {}), "code": _code_of(find_recipe(recipe).system)}
    told = hashlib.blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=6).hexdigest()
    budget = f"{minutes:g}min" if minutes is not None else f"{images}"
    folder = make_folder(cache_folder() / "judges") / f"{pack.digest[:16]}-{recipe}-{budget}-{told}"

    def show(event: Event) -> None:
        if event["event"] == "tick":
            progress(what, int(1000 * event["fraction"]), 1000)

    def train() -> None:
        options = pack.about.options
        start.train(
            pictures,
            recipe=recipe,
            minutes=minutes,
            images=images,
            size=options.size,
            settings=settings,
            background=options.background,
            fit=options.fit,
            crop=options.celeba_crop,
            out=folder,
            observers=[show],
            progress=progress,
        )

    with alone(folder.with_name(f"{folder.name}.lock"), "trains the same judge", progress):
        found = _finished(folder)
        if found is not None:
            return found
        progress(what, 0, 1000)
        try:
            if _begun(folder):
                start.resume(folder, observers=[show], progress=progress)
            else:
                train()
        except Interrupted:
            raise KeyboardInterrupt from None  # nobody asked for a run: it is not this one that was stopped
        found = _finished(folder)
    if found is None:
        raise RunError(f"The judge in {folder} cannot be read. Remove that folder; it will be trained again.")
    return found


def _begun(folder: Path) -> bool:
    """Whether a run can go on there; whatever else is there is removed."""
    try:
        if Run(folder).state().get("state") != "finished":
            return True
    except RunError:
        pass
    remove(folder)
    return False


def _finished(folder: Path) -> tuple[nn.Module, PictureConfig] | None:
    """The judge in a folder, if it is there, trained to its end and whole."""
    try:
        if Run(folder).state().get("state") != "finished":
            return None
        card, parts = load_parts(folder / "model")
    except GanforgeError:
        return None
    remove(folder / "checkpoints")  # a judge does not go on
    config = find_system(card.system).config_class.model_validate(card.config)
    assert isinstance(config, PictureConfig)
    return parts["net"].eval().requires_grad_(False).to(best_device()), config


def _code_of(system: type[System]) -> str:
    """A hash of the code that says what the judge is: with other code it is another judge."""
    files = [sys.modules[system.__module__].__file__, *sorted(map(str, Path(str(ops.__path__[0])).glob("*.py")))]
    said = hashlib.blake2b(__version__.encode(), digest_size=6)
    for file in files:
        said.update(Path(str(file)).read_bytes())
    return said.hexdigest()
