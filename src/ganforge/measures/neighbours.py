"""What lies next to what: precision and recall, density and coverage, and whether training pictures were copied.

Features are float32 (N, D) of any net. Distances are Euclidean, and all pairs are looked at in tiles of at most 64 MB,
whatever N is. Sets are moved to their mean first: squares about it are small, so that ‖a‖² + ‖b‖² − 2ab in float64 resolves
whatever float32 features tell apart; the distances handed out are then computed anew from the differences.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ganforge.errors import PicturesError
from ganforge.measures.distances import NORMAL_95, Array, Estimate, Features, blocks, check_features, wilson
from ganforge.progress import Progress, silent

Indices = npt.NDArray[np.int64]

SAME = 1e-6
"""Pictures nearer than that, in units of the largest distance from the mean, are one and the same: a net's float32
rounding moves features about as much when the same picture comes in another batch."""
COPIED_LIMIT = 0.03
"""A larger share of copies flags a model; among honest samples it is about one percentile, .01."""


def nearest(
    queries: Features, references: Features, k: int = 1, *, progress: Progress = silent
) -> tuple[Array, Indices]:
    """The k nearest of references (M, D) for each of queries (N, D): distances (N, k), nearest first, and indices (N, k).

    Raises:
        ValueError: not (N, D) and (M, D).
        PicturesError: fewer than k references, or a feature that is not a finite number.
    """
    return _search(queries, references, k, False, "nearest neighbours", progress)


def kth_distances(x: Features, k: int, *, progress: Progress = silent) -> Array:
    """(N,): how far each of x (N, D) is from its k-th nearest neighbour, itself not counted.

    Raises:
        ValueError: not (N, D).
        PicturesError: fewer than k + 1 rows, or a feature that is not a finite number.
    """
    return _search(x, x, k, True, "neighbourhoods", progress)[0][:, -1]


@dataclass(frozen=True)
class PRDC:
    """Precision, recall, density, coverage; see `prdc`."""

    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate


def prdc(
    real: Features,
    made: Features,
    *,
    k_precision: int = 3,
    k_density: int = 5,
    progress: Progress = silent,
) -> PRDC:
    """How many of M made pictures look like real ones, and how many of N real ones are met, by neighbourhoods.

    A picture's neighbourhood is the closed ball up to its k-th nearest in its own set, itself not counted.

    - precision: share of made pictures within a real neighbourhood; recall: share of real pictures within a made one
      (k = ``k_precision``). Kynkäänniemi et al., arXiv 1904.06991.
    - density: how many real neighbourhoods a made picture lies in, over k, on average; 1 is as dense as the real, it may
      be more, and a set against itself has (k + 1) / k. coverage: share of real pictures with a made one in their
      neighbourhood (k = ``k_density``). Naeem et al., arXiv 2002.09797.

    Intervals come from the values of the single pictures, with all neighbourhoods held fixed: Wilson's for the shares
    (a normal one is ± 0 at 0 and 1), the normal one for density.

    Args:
        real: (N, D).
        made: (M, D).
        k_precision: the neighbour that bounds the neighbourhoods of precision and recall.
        k_density: the same for density and coverage.
        progress: told after each block of rows.

    Raises:
        ValueError: not (N, D) and (M, D).
        PicturesError: a set with no k-th neighbour, or a feature that is not a finite number.
    """
    check_features(real, made, least=1)
    width = max(k_precision, k_density)
    within_real = _search(real, real, width, True, "neighbourhoods of real pictures", progress)[0] ** 2
    within_made = _search(made, made, k_precision, True, "neighbourhoods of made pictures", progress)[0][:, -1] ** 2
    centre = real.mean(0, dtype=np.float64)
    slack = max(_same(real, centre), _same(made, centre)) ** 2  # a picture on the very border lies within
    precise, met = np.zeros(len(made), bool), np.zeros(len(real), bool)
    counts, gaps = np.zeros(len(made)), np.full(len(real), np.inf)
    rows = blocks(len(real), real.shape[1])
    for done, i in enumerate(rows):
        a = real[i] - centre
        narrow = within_real[i, k_precision - 1, None] + slack
        wide = within_real[i, k_density - 1, None] + slack
        for j in blocks(len(made), made.shape[1]):
            squares = _squares(a, made[j] - centre)
            precise[j] |= (squares <= narrow).any(0)
            met[i] |= (squares <= within_made[j] + slack).any(1)
            counts[j] += (squares <= wide).sum(0)
            gaps[i] = np.minimum(gaps[i], squares.min(1))
        progress("who lies in whose neighbourhood", done + 1, len(rows))
    covered = gaps <= within_real[:, k_density - 1] + slack
    return PRDC(_share(precise), _share(met), _mean(counts / k_density), _share(covered))


@dataclass(frozen=True, eq=False)
class Copied:
    """How many samples are copies of training pictures; see `copied`.

    Attributes:
        share: of the samples that are nearer to a training picture than ``threshold``.
        threshold: the distance below which a sample counts as a copy.
        held_out_share: the same share of real pictures that were not trained on: what innocence looks like.
        nearest_indices: (N,), the training picture nearest to each sample.
        nearest_distances: (N,), how far away it is.
        nearest_mirrored: (N,), whether it is nearest as its mirror image.
    """

    share: float
    threshold: float
    held_out_share: float | None
    nearest_indices: Indices
    nearest_distances: Array
    nearest_mirrored: npt.NDArray[np.bool_]

    @property
    def flagged(self) -> bool:
        """Whether too many are copies to be chance."""
        return too_many_copies(self.share)


def too_many_copies(share: float | None) -> bool:
    """Whether this share of copies is more than chance gives; None is a share that nobody measured."""
    return share is not None and share > COPIED_LIMIT


def copy_threshold(
    training: Features,
    *,
    percentile: float = 1.0,
    mirrored: Features | None = None,
    progress: Progress = silent,
) -> float:
    """The distance below which a sample counts as a copy; see `copied`, whose arguments and errors these are."""
    if mirrored is not None and mirrored.shape != training.shape:
        raise ValueError(f"mirrored must hold training's mirror images, {training.shape}, not {mirrored.shape}")
    own = _search(training, training, 1, True, "training pictures' neighbours", progress)[0][:, 0]
    if mirrored is not None:
        flipped = _search(training, mirrored, 1, True, "training pictures' mirrored neighbours", progress)[0][:, 0]
        own = np.minimum(own, flipped)
    same = _same(training, training.mean(0, dtype=np.float64))
    different = own[own > same]
    return float(np.percentile(different, percentile)) if len(different) else 0.0


def copied(
    made: Features,
    training: Features,
    *,
    held_out: Features | None = None,
    percentile: float = 1.0,
    mirrored: Features | None = None,
    threshold: float | None = None,
    progress: Progress = silent,
) -> Copied:
    """Which of N samples are copies: nearer to a training picture than training pictures are to one another.

    The threshold is a percentile of the training pictures' distances to their own nearest neighbour. Training pictures that
    are there twice have no say in it: with them it would be 0, and nothing a copy.

    Args:
        made: (N, D), the samples.
        training: (M, D), M ≥ 2, all pictures that were trained on.
        held_out: (K, D), real pictures that were not.
        percentile: 0 … 100.
        mirrored: (M, D), the training pictures' mirror images in the same order, where the training showed those too. A
            sample may be a copy of one; a training picture's own mirror image is not its neighbour.
        threshold: of `copy_threshold`, where it is known already.
        progress: told after each block of rows.

    Raises:
        ValueError: features not (N, D), or ``mirrored`` of another length than ``training``.
        PicturesError: fewer than two training pictures, or a feature that is not a finite number.
    """
    check_features(training, made, least=1)
    if threshold is None:
        threshold = copy_threshold(training, percentile=percentile, mirrored=mirrored, progress=progress)
    same = _same(training, training.mean(0, dtype=np.float64))

    def copies(pictures: Features, what: str) -> tuple[Array, Indices, npt.NDArray[np.bool_], float]:
        distances, indices = _only(_search(pictures, training, 1, False, what, progress))
        by_mirror = np.zeros(len(pictures), bool)
        if mirrored is not None:
            other, others = _only(_search(pictures, mirrored, 1, False, what, progress))
            by_mirror = other < distances
            distances, indices = np.where(by_mirror, other, distances), np.where(by_mirror, others, indices)
        return distances, indices, by_mirror, float(((distances < threshold) | (distances <= same)).mean())

    control = None if held_out is None else copies(held_out, "held-out pictures' neighbours")[3]
    distances, indices, by_mirror, share = copies(made, "samples' neighbours")
    return Copied(share, threshold, control, indices, distances, by_mirror)


def _search(
    queries: Features, references: Features, k: int, own: bool, what: str, progress: Progress
) -> tuple[Array, Indices]:
    """As `nearest`; where they are each other's ``own``, row by row, a query's own reference is none of its neighbours."""
    check_features(queries, references, least=1)
    if len(references) < k + own:
        raise PicturesError(
            f"{len(references)} picture{'s' * (len(references) != 1)} are too few to look for {k} neighbours: "
            f"it takes at least {k + own}."
        )
    centre = references.mean(0, dtype=np.float64)
    distances, indices = np.zeros((len(queries), k)), np.zeros((len(queries), k), np.int64)
    rows = blocks(len(queries), queries.shape[1])
    for done, i in enumerate(rows):
        a = queries[i] - centre
        best, where = np.full((len(a), k), np.inf), np.zeros((len(a), k), np.int64)
        for j in blocks(len(references), references.shape[1]):
            squares = _squares(a, references[j] - centre)
            if own and i.start == j.start:
                np.fill_diagonal(squares, np.inf)
            found = np.argpartition(squares, k - 1, 1)[:, :k] if squares.shape[1] > k else np.indices(squares.shape)[1]
            best = np.concatenate((best, np.take_along_axis(squares, found, 1)), 1)
            where = np.concatenate((where, found + j.start), 1)
            keep = np.argpartition(best, k - 1, 1)[:, :k]
            best, where = np.take_along_axis(best, keep, 1), np.take_along_axis(where, keep, 1)
        for n in range(k):
            distances[i, n] = np.linalg.norm(queries[i].astype(np.float64) - references[where[:, n]], axis=1)
        order = distances[i].argsort(1, kind="stable")
        distances[i] = np.take_along_axis(distances[i], order, 1)
        indices[i] = np.take_along_axis(where, order, 1)
        progress(what, done + 1, len(rows))
    return distances, indices


def _only(found: tuple[Array, Indices]) -> tuple[Array, Indices]:
    """(N, 1) each to (N,)."""
    return found[0][:, 0], found[1][:, 0]


def _squares(a: Array, b: Array) -> Array:
    """(N, M): squared distances of float64 (N, D) and (M, D), up to rounding."""
    squares: Array = a @ b.T
    squares *= -2
    squares += np.einsum("nd,nd->n", a, a)[:, None]
    squares += np.einsum("md,md->m", b, b)
    return squares


def _same(x: Features, centre: Array) -> float:
    """Distances up to this are rounding."""
    parts = blocks(len(x), x.shape[1])
    return SAME * max(float(np.linalg.norm(x[rows] - centre, axis=1).max()) for rows in parts)


def _mean(values: Array) -> Estimate:
    """Of a quantity that is never negative, with its normal interval."""
    value, half = float(values.mean()), NORMAL_95 * float(values.std()) / len(values) ** 0.5
    return Estimate(value, max(value - half, 0.0), value + half)


def _share(hits: npt.NDArray[np.bool_]) -> Estimate:
    """Of hits, with Wilson's interval."""
    share = float(hits.mean())
    low, high = wilson(int(hits.sum()), len(hits))
    return Estimate(share, min(low, share), max(high, share))
