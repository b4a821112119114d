"""From what a user names to an evaluation: which side is what, which pixels, which features."""

from pathlib import Path

from ganforge.errors import ModelError, UsageError
from ganforge.evaluation.measuring import COUNT, Shown, measure
from ganforge.evaluation.result import Evaluation
from ganforge.evaluation.sides import FIRST_SEED, Maker, ModelMaker, PackMaker, RealSide, pack_options, run_of
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
    net, note = find_net(features, weights, progress=progress)
    maker, real = sides(made, pictures, count=count, seed=seed, psi=psi, progress=progress)
    found, shown = measure(maker, real, net, count=count, paths=paths, progress=progress)
    if note is not None:
        found = found.model_copy(update={"warnings": [note, *found.warnings]})
    if label_minutes is not None:
        from ganforge.evaluation.agreement import judge_labels

        labels = judge_labels(
            maker, real, found.made.count, pictures=str(pictures), minutes=label_minutes, progress=progress
        )
        told = {"agreement": labels.agreement, "retrieval": labels.retrieval}
        found = found.model_copy(update=told | {"warnings": [*found.warnings, *labels.notes]})
    return found, shown


def sides(
    made: str | Path, pictures: str | Path, *, count: int, seed: int, psi: float, progress: Progress = silent
) -> tuple[Maker, RealSide]:
    """The maker of the samples, and the real pictures packed to match."""
    if is_model(Path(made)):
        model = load(made)
        run = run_of(model)
        pack = make_pack(pictures, pack_options(model, run), progress=progress)
        learnt = model.card.data
        real = RealSide.of(
            pack,
            Path(pictures).name,
            count,
            trained_on=learnt is not None and learnt.digest == pack.digest,
            flip=run.config.flip if run is not None else pack.mirror.flip,
        )
        return ModelMaker(model, Path(made).name, psi, seed), real
    if psi != 1 or seed != FIRST_SEED:
        raise UsageError(f"{made} holds pictures, not a model: --psi and --seed do not go with them.")
    side = min(max(int(median_side(str(made))), SMALLEST), LARGEST)
    options = PackOptions(height=side, width=side)
    maker = PackMaker(make_pack(made, options, progress=progress), Path(made).name)
    pack = make_pack(pictures, options, progress=progress)
    if pack.digest == maker.pack.digest:
        raise UsageError(f"{made} and {pictures} are the same pictures; there is nothing to compare.")
    return maker, RealSide.of(pack, Path(pictures).name, count, trained_on=False)


def is_model(path: Path) -> bool:
    """Whether a name means a Model or a run. Raises ModelError for a folder that was one and is not whole."""
    if any((path / name).exists() for name in ("model.json", "run.json")):
        return True
    if path.is_dir() and (any(path.glob("*.safetensors")) or (path / "checkpoints").is_dir()):
        raise ModelError(f"{path} is not a whole model or run: it has no model.json and no run.json.")
    return False
