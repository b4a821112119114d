"""From what a user names to an evaluation: which side is what, which pixels, which features."""

from pathlib import Path

import numpy as np

from ganforge.errors import GanforgeError, ModelError, UsageError
from ganforge.evaluation.agreement import LEAST_MINUTES, Labels, judge_labels
from ganforge.evaluation.measuring import COUNT, FEWEST, Shown, measure
from ganforge.evaluation.result import Evaluation
from ganforge.evaluation.sides import FIRST_SEED, Maker, ModelMaker, PackMaker, RealSide, pack_options
from ganforge.measures.nets import find_net
from ganforge.model import load
from ganforge.pictures import PackOptions, make_pack
from ganforge.progress import Progress, silent
from ganforge.training.sizes import median_side

SMALLEST, LARGEST = 16, 256
"""Pixels of a side at which pictures made elsewhere are compared; in between, their own."""


def evaluate(
    made: str | Path,
    pictures: str | Path,
    *,
    count: int = COUNT,
    seed: int = FIRST_SEED,
    psi: float = 1.0,
    features: str = "auto",
    weights: Path | None = None,
    label_minutes: float | None = None,
    paths: bool = False,
    progress: Progress = silent,
) -> tuple[Evaluation, Shown]:
    """Measure a Model, or pictures made elsewhere, beside real pictures.

    Args:
        made: a run folder, a model folder, or a collection of made pictures.
        pictures: the real ones.
        count: samples, and as many real pictures.
        seed: the first seed.
        psi: truncation.
        features: "offline", "inception", or "auto" (Inception where its weights are at hand).
        weights: Inception's weights, instead of fetching them.
        label_minutes: train judges of attributes and captions for so long; None asks nothing of them.
        paths: smoothness and truncation also for models without a mapping.
        progress: told what is being done.

    Returns:
        (every figure, the pictures of a report).

    Raises:
        ModelError: ``made`` is a broken Model.
        PicturesError: one of the collections cannot be used, or is too small.
        UsageError: something was asked that makes no sense.
    """
    if label_minutes is not None and not label_minutes >= LEAST_MINUTES:
        raise UsageError(f"Judges of labels need {LEAST_MINUTES:g} minutes or more, not {label_minutes:g}.")
    maker, real = sides(made, pictures, count=count, seed=seed, psi=psi, progress=progress)
    net, note = find_net(features, weights, progress=progress)
    found, shown = measure(maker, real, net, count=count, paths=paths, progress=progress)
    notes = [*([note] if note is not None else []), *_notes_of(maker)]
    found = found.model_copy(update={"warnings": [*notes, *found.warnings]})
    if label_minutes is not None:
        try:
            labels = judge_labels(
                maker, real, found.made.count, pictures=str(pictures), minutes=label_minutes, progress=progress
            )
        except GanforgeError as error:  # the figures above stand
            labels = Labels([], None, [f"Labels could not be judged: {error}"])
        told = {"agreement": labels.agreement, "retrieval": labels.retrieval}
        found = found.model_copy(update=told | {"warnings": [*found.warnings, *labels.notes]})
    return found, shown


def _notes_of(maker: Maker) -> list[str]:
    """What became of pictures made elsewhere on their way into the pack."""
    if not isinstance(maker, PackMaker):
        return []
    skipped = len(maker.pack.about.skipped)
    return [f"{skipped} files of {maker.name} were no readable pictures, and were passed over."] if skipped else []


def sides(
    made: str | Path, pictures: str | Path, *, count: int, seed: int, psi: float, progress: Progress = silent
) -> tuple[Maker, RealSide]:
    """The maker of the samples, and the real pictures packed to match."""
    if is_model(Path(made)):
        model = load(made)
        pack = make_pack(pictures, pack_options(model), progress=progress)
        learnt = model.card.data
        real = RealSide.of(
            pack,
            _named(pictures),
            count,
            trained_on=learnt is not None and learnt.digest == pack.digest,
            flip=learnt is not None and learnt.flip,
        )
        return ModelMaker(model, Path(made).resolve().name, psi, seed), real
    if not Path(made).exists() and not str(made).startswith("avatars"):
        raise UsageError(f"There is nothing at {made}: name a run, a model folder, or a collection of made pictures.")
    if psi != 1 or seed != FIRST_SEED:
        raise UsageError(f"{made} holds pictures, not a model: --psi and --seed do not go with them.")
    side = min(max(int(median_side(str(made))), SMALLEST), LARGEST)
    options = PackOptions(height=side, width=side)
    copies = options.model_copy(update={"keep_copies": True})  # a maker that repeats itself is to be seen repeating
    maker = PackMaker(make_pack(made, copies, progress=progress), _named(made))
    pack = make_pack(pictures, options, progress=progress)
    if len(pack) == len(maker.pack) and np.array_equal(pack.pictures[:FEWEST], maker.pack.pictures[:FEWEST]):
        raise UsageError(f"{made} and {pictures} are the same pictures; there is nothing to compare.")
    return maker, RealSide.of(pack, _named(pictures), min(count, maker.most), trained_on=False)


def _named(pictures: str | Path) -> str:
    """The last part of a path; a word such as avatars:400 as it is."""
    return Path(pictures).name or Path(pictures).resolve().name


def is_model(path: Path) -> bool:
    """Whether a name means a Model or a run. Raises ModelError for a folder that was one and is not whole."""
    if any((path / name).exists() for name in ("model.json", "run.json")):
        return True
    if path.is_dir() and (any(path.glob("*.safetensors")) or (path / "checkpoints").is_dir()):
        raise ModelError(f"{path} is not a whole model or run: it has no model.json and no run.json.")
    return False
