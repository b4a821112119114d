"""Samples beside real pictures, in the features of one net, with what real pictures reach beside every figure."""

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ganforge import __version__
from ganforge.drawing.grids import Pictures
from ganforge.errors import UsageError
from ganforge.evaluation import result
from ganforge.evaluation.paths import smoothness, truncation_curve
from ganforge.evaluation.result import FEWEST_FOR_FRECHET, Evaluation, Figure, plain_sentences
from ganforge.evaluation.sides import Indices, Maker, ModelMaker, RealSide, must_be_enough
from ganforge.machine import best_device, describe, has_native_bf16
from ganforge.measures.classes import inception_score
from ganforge.measures.distances import (
    Estimate,
    Features,
    Moments,
    frechet,
    frechet_estimate,
    kernel_distance,
    unbiased_mmd,
)
from ganforge.measures.features import FeatureNet, Looked, chunks_of, look, look_at_collection
from ganforge.measures.neighbours import PRDC, Copied, copied, nearest, prdc
from ganforge.progress import Progress, silent

COUNT = 4000
FEWEST = 64
MOST_IN_NEIGHBOURHOODS = 10_000
"""Pictures a side: time grows with their square."""
SHOWN, NEIGHBOURS = 48, 3
PROBED = 256


@dataclass(frozen=True)
class Shown:
    """Pictures for the report.

    Attributes:
        made: the first samples, not picked, uint8 (n, H, W, 3).
        real: as many real ones.
        neighbours: for each of the first made ones its nearest real pictures, uint8 (n, 3, H, W, 3).
        closest: the samples that lie nearest to a real picture of all, and their neighbours, likewise.
        closest_neighbours: uint8 (n, 3, H, W, 3).
    """

    made: Pictures
    real: Pictures
    neighbours: Pictures
    closest: Pictures
    closest_neighbours: Pictures


def measure(
    maker: Maker,
    real: RealSide,
    net: FeatureNet,
    *,
    count: int = COUNT,
    draw_seed: int = 0,
    paths: bool = False,
    precision: str | None = None,
    progress: Progress = silent,
) -> tuple[Evaluation, Shown]:
    """Measure samples against a collection.

    Args:
        maker: of the samples.
        real: the collection, divided for as many pictures.
        net: whose features are compared.
        count: samples, where the maker has no fewer.
        draw_seed: that the collection was divided with.
        paths: measure smoothness and the truncation curve also for models without a mapping.
        precision: "fp32" or "bf16"; None takes bf16 where it is faster and moves the distance by less than its interval.
        progress: told what is being done.

    Raises:
        PicturesError: too few pictures on either side.
        UsageError: sides of different sizes.
    """
    begun = time.perf_counter()
    n = min(count, maker.most or count)
    must_be_enough(n, "made pictures", FEWEST)
    must_be_enough(real.count, "real pictures", FEWEST)
    _must_be_of_one_size(maker, real)
    device = best_device()
    precision = precision or _precision(net, maker, real, n, device, progress)

    def look_at(indices: Indices, *, mirrored: bool = False, what: str = "looking at real pictures") -> Looked:
        pack = real.pack
        return look_at_collection(
            net, pack.pictures, pack.digest, indices, mirrored=mirrored, device=device, precision=precision, what=what,
            progress=progress,
        )  # fmt: skip

    made = look(
        net, maker.chunks(n), n, device=device, precision=precision, what="drawing and looking", progress=progress
    )
    seen = look_at(real.drawn)
    against = seen.features[: real.count]
    copying, near, training = _copying(real, made.features, look_at, progress)
    shown = _shown(maker, real, made.features, against, training, near)
    figures = _figures(made, seen, real, progress)
    smooth, curve = None, []
    if isinstance(maker, ModelMaker) and (paths or maker.model.has_mapping):
        smooth = smoothness(maker.model, net, device=device, progress=progress)
        curve = truncation_curve(maker, net, against, device=device, precision=precision, progress=progress)
    about = result.Features(**net.as_dict(), precision=precision)
    found = Evaluation(
        ganforge=__version__,
        date=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        machine=describe(device).as_dict(),
        seconds=round(time.perf_counter() - begun, 2),
        made=maker.about(n),
        real=real.about(draw_seed),
        height=real.pack.size[0],
        width=real.pack.size[1],
        features=about,
        neighbourhood_count=min(n, real.count, MOST_IN_NEIGHBOURHOODS),
        copying=copying,
        smoothness=smooth,
        truncation=curve,
        warnings=_warnings(n, real, net),
        **figures,
    )
    return found.model_copy(update={"sentences": plain_sentences(found)}), shown


# --- figures ----------------------------------------------------------------------------------------------------------


def _figures(made: Looked, seen: Looked, real: RealSide, progress: Progress) -> dict[str, Figure | None]:
    """Every measure of the samples, and of other real pictures in their place.

    Args:
        made: of the samples.
        seen: of ``real.drawn``.
        real: how that is divided.
        progress: told what is being done.
    """
    x, y = seen.features[: real.count], made.features
    floor_n = real.floor
    half, other = seen.features[:floor_n], seen.features[floor_n : 2 * floor_n]
    fewer = floor_n < len(x)
    kid = kernel_distance(x, y, progress=progress)
    distance = frechet_estimate(x, y, progress=progress)
    near = _neighbourhoods(x, y, progress)
    floor = _neighbourhoods(half, other, progress)
    same_size = _neighbourhoods(half, y[:floor_n], progress) if fewer else None
    figures: dict[str, Figure | None] = {
        "kid": _figure(kid, kernel_distance(half, other).value),
        "frechet": _figure(
            distance,
            frechet(Moments.of(half), Moments.of(other)),
            frechet(Moments.of(half), Moments.of(y[:floor_n])) if fewer else None,
        ),
        "inception_score": None,
    }
    for name in ("precision", "recall", "density", "coverage"):
        figures[name] = _figure(
            getattr(near, name),
            getattr(floor, name).value,
            None if same_size is None else getattr(same_size, name).value,
        )
    if made.probabilities is not None and seen.probabilities is not None:
        n = min(len(y), len(x))  # the score grows with the number of pictures
        mean, deviation = inception_score(made.probabilities[:n])
        figures["inception_score"] = Figure(
            value=mean, low=mean - deviation, high=mean + deviation, real=inception_score(seen.probabilities[:n])[0]
        )
    return figures


def _figure(estimate: Estimate, real: float, at_floor_count: float | None = None) -> Figure:
    return Figure(value=estimate.value, low=estimate.low, high=estimate.high, real=real, at_floor_count=at_floor_count)


def _neighbourhoods(real: Features, made: Features, progress: Progress) -> PRDC:
    """On equally many pictures a side: shares of neighbourhoods met depend on how many look for them."""
    n = min(len(real), len(made), MOST_IN_NEIGHBOURHOODS)
    return prdc(real[:n], made[:n], progress=progress)


def _copying(
    real: RealSide, made: Features, look_at: Callable[..., Looked], progress: Progress
) -> tuple[result.Copying | None, Copied | None, Features | None]:
    """Whether samples are copies of what was trained on, with that; None where nobody knows what it was."""
    train = real.compared
    if len(train) < 2:
        return None, None, None
    flip = real.flip
    training = look_at(train, what="looking at training pictures").features
    found = copied(
        made,
        training,
        held_out=look_at(real.held_out).features if len(real.held_out) >= FEWEST else None,
        mirrored=look_at(train, mirrored=True, what="and at their mirror images").features if flip else None,
        progress=progress,
    )
    about = result.Copying(
        share=found.share,
        threshold=found.threshold,
        held_out_share=found.held_out_share,
        training=len(train),
        mirrored=flip,
        flagged=found.flagged,
    )
    return about, found, training


def _shown(
    maker: Maker, real: RealSide, made: Features, against: Features, training: Features | None, near: Copied | None
) -> Shown:
    """Samples, real pictures, and which real ones lie nearest: to the first samples, and to the closest of all.

    Neighbours are looked for among the training pictures where they are known, else among those measured against.
    """
    first = np.arange(min(SHOWN, len(made)))
    few = first[: SHOWN // 6]
    among = real.against if training is None else real.compared
    seen = against if training is None else training
    distances = nearest(made, seen)[0][:, 0] if near is None else near.nearest_distances
    closest = np.argsort(distances, kind="stable")[: len(few)]

    def beside(rows: Indices) -> Pictures:
        found = nearest(made[rows], seen, NEIGHBOURS)[1]
        shown = [[real.pack.pictures[among[i]] for i in row] for row in found]
        if near is not None:
            for row, others, pictures in zip(rows, found, shown, strict=True):
                if near.nearest_mirrored[row]:  # the very nearest is a mirror image, and is shown as one
                    first = near.nearest_indices[row]
                    rest = [real.pack.pictures[among[i]] for i in others if i != first]
                    pictures[:] = [real.pack.pictures[among[first]][:, ::-1], *rest][:NEIGHBOURS]
        return np.asarray(shown)

    return Shown(
        made=maker.some(first),
        real=np.asarray(
            real.pack.pictures[real.against[np.linspace(0, len(real.against) - 1, len(first)).astype(int)]]
        ),
        neighbours=beside(few),
        closest=maker.some(closest),
        closest_neighbours=beside(closest),
    )


def _warnings(n: int, real: RealSide, net: FeatureNet) -> list[str]:
    said = []
    fewest = min(n, real.count)
    if fewest < FEWEST_FOR_FRECHET:
        said.append(
            f"{fewest:,} pictures a side are too few for a Fréchet distance (below {FEWEST_FOR_FRECHET:,} it is mostly its own "
            "bias): read KID."
        )
    if real.floor < real.count:
        said.append(
            f"The collection is too small to set aside {real.count:,} other pictures: what real pictures reach was measured "
            f"with {real.floor:,} a side, and so were the samples where the sentences compare the two."
        )
    if not net.standard:
        said.append(
            f"These figures are in the features of {net.name}. They compare with one another, not with published FID."
        )
    return said


# --- how to look ------------------------------------------------------------------------------------------------------


def _precision(net: FeatureNet, maker: Maker, real: RealSide, n: int, device: torch.device, progress: Progress) -> str:
    """bf16 where this machine computes it faster and the distance moves by less than its own interval."""
    if not has_native_bf16(device) or min(n, real.count) < 2 * PROBED:
        return "fp32"
    seconds, distances = {}, {}
    probe = list(maker.chunks(PROBED))
    few, done = real.against[:PROBED], 0
    for precision in ("fp32", "bf16"):
        looks = []
        for chunks in (iter(probe), chunks_of(real.pack.pictures, few)):
            begun = time.perf_counter()
            looks.append(look(net, chunks, PROBED, device=device, precision=precision).features)
            done += 1
            progress("is bfloat16 as good, and faster", done, 4)
            seconds[precision] = time.perf_counter() - begun  # the second time: the first one warms up
        distances[precision] = unbiased_mmd(looks[1], looks[0])
        if precision == "fp32":
            half = kernel_distance(looks[1], looks[0], subsets=1, subset_size=PROBED).half * (PROBED / n) ** 0.5
    faster = seconds["bf16"] < 0.8 * seconds["fp32"]
    return "bf16" if faster and abs(distances["bf16"] - distances["fp32"]) < half else "fp32"


def _must_be_of_one_size(maker: Maker, real: RealSide) -> None:
    """Raise UsageError where samples and real pictures differ in size."""
    chunk = next(iter(maker.chunks(1)))
    if chunk.shape[1:3] != real.pack.size:
        (a, b), (c, d) = chunk.shape[1:3], real.pack.size
        raise UsageError(f"The made pictures are {b}x{a}, the real ones {d}x{c}; both must be of one size.")
