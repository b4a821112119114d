"""How far two sets of pictures are apart, from their features: Fréchet distance (FID) and kernel distance (KID).

Features are float32 (N, D) of any net; what net it was decides what the numbers mean, and numbers of different nets have
nothing to do with one another. Sums are float64. Features are read in blocks of at most 64 MB, whatever N is.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ganforge.errors import PicturesError
from ganforge.progress import Progress, silent

Features = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]

NORMAL_95 = 1.959963984540054
"""Standard deviations to either side that hold 95 % of a normal distribution."""
FRECHET_ROWS = 10_000
KERNEL_ROWS = 2_500
"""The bootstraps look at no more pictures a side than that."""
KERNEL_REPLICATES = 200


@dataclass(frozen=True)
class Estimate:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def half(self) -> float:
        """Half the interval's width."""
        return (self.high - self.low) / 2


def wilson(successes: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share, both ends 0 … 1.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927): all shares p that n
    throws would not contradict; sound for small n and at 0 and 1.
    """
    share, z2 = successes / n, NORMAL_95**2 / n
    middle = (share + z2 / 2) / (1 + z2)
    reach = NORMAL_95 / (1 + z2) * (share * (1 - share) / n + z2 / (4 * n)) ** 0.5
    return max(0.0, middle - reach), min(1.0, middle + reach)


@dataclass(eq=False)
class Moments:
    """Count, mean and covariance of features that pass by chunk by chunk; memory is D×D whatever N is.

    Chunks are merged by Chan, Golub and LeVeque's update: each is centred on its own mean, so that a mean much larger
    than the spread costs no digits.

    Attributes:
        n: N so far.
        mean: (D,).
        covariance: (D, D), unbiased (N − 1); zeros below two rows.
    """

    n: int
    mean: Array
    covariance: Array

    @classmethod
    def of(cls, features: Features, counts: npt.NDArray[np.integer] | None = None) -> "Moments":
        """Of (N, D) at once; see `add`."""
        moments = cls(0, np.zeros(features.shape[1]), np.zeros((features.shape[1],) * 2))
        moments.add(features, counts)
        return moments

    def add(self, chunk: Features, counts: npt.NDArray[np.integer] | None = None) -> None:
        """Take in (n, D) more.

        Args:
            chunk: the features.
            counts: (n,), how often each row counts: a bootstrap replicate without copies. Once each by default.

        Raises:
            ValueError: not (n, D).
            PicturesError: a feature is not a finite number.
        """
        check_features(chunk, least=0)
        if chunk.shape[1] != len(self.mean):
            raise ValueError(f"features have {chunk.shape[1]} numbers, those before them {len(self.mean)}")
        for rows in blocks(len(chunk), chunk.shape[1]):
            x = chunk[rows].astype(np.float64)
            w = np.ones(len(x)) if counts is None else counts[rows].astype(np.float64)
            n = int(w.sum())
            if n:
                mean = w @ x / n
                x -= mean
                x *= np.sqrt(w)[:, None]
                self.merge(Moments(n, mean, x.T @ x / max(n - 1, 1)))

    def merge(self, other: "Moments") -> None:
        """Take in what another has seen."""
        n = self.n + other.n
        if not other.n:
            return
        if not self.n:
            self.n, self.mean, self.covariance = other.n, other.mean, other.covariance
            return
        apart = other.mean - self.mean
        scatter = self.covariance * max(self.n - 1, 0) + other.covariance * (other.n - 1)
        scatter += np.outer(apart, apart * (self.n * other.n / n))
        self.n, self.mean, self.covariance = n, self.mean + apart * (other.n / n), scatter / max(n - 1, 1)

    def factor(self) -> Array:
        """(R, D) F with FᵀF = Σ, R ≤ D: its rank where there are too few pictures for a full one."""
        if self.n > len(self.mean):
            try:
                return np.asarray(np.linalg.cholesky(self.covariance).T, np.float64)
            except np.linalg.LinAlgError:  # a feature that is always the same, or two that move as one
                pass
        values, vectors = np.linalg.eigh(self.covariance)
        kept = values > len(values) * np.finfo(np.float64).eps * values[-1]
        root: Array = (vectors[:, kept] * np.sqrt(values[kept])).T
        return root


def frechet(a: Moments, b: Moments) -> float:
    """‖μ_a − μ_b‖² + Tr(Σ_a + Σ_b − 2 (Σ_a Σ_b)^½), ≥ 0: the Fréchet distance of two Gaussians (FID, arXiv 1706.08500).

    With Σ_a = AᵀA and Σ_b = BᵀB the root's trace is the sum of A Bᵀ's singular values: all symmetric, real and not
    negative, also with fewer pictures than features. Two seconds on one core for D = 2,048. Biased by N: it compares only
    with values taken at the same N.

    Raises:
        PicturesError: fewer than two pictures a side.
    """
    for side in (a, b):
        _enough(side.n, 2, "a Fréchet distance")
    product = a.factor() @ b.factor().T
    if len(product) > product.shape[1]:
        product = product.T
    root = np.sqrt(np.maximum(np.linalg.eigvalsh(product @ product.T), 0)).sum()
    distance = ((a.mean - b.mean) ** 2).sum() + np.trace(a.covariance) + np.trace(b.covariance) - 2 * root
    return float(max(distance, 0.0))


def frechet_estimate(
    x: Features, y: Features, *, replicates: int | None = None, seed: int = 0, progress: Progress = silent
) -> Estimate:
    """Fréchet distance of x (N, D) and y (M, D) ± 1.96 standard deviations over bootstrap replicates of both sides.

    The interval says how far the value would move with other pictures of the same sources and the same N and M; the
    distance's bias by N is not in it. Above 10,000 pictures a side the bootstrap looks at 10,000 of them and the deviation
    is scaled by √(10,000 / N).

    Args:
        x: one side's features.
        y: the other's.
        replicates: by default 30, and 10 where D > 1,024: a replicate of 4,000 × 2,048 takes 3 s on one core.
        seed: of the bootstrap.
        progress: told after each replicate.

    Raises:
        ValueError: not (N, D) and (M, D).
        PicturesError: fewer than two pictures a side, or a feature that is not a finite number.
    """
    check_features(x, y, least=2)
    rng = np.random.default_rng(seed)
    value = frechet(Moments.of(x), Moments.of(y))
    replicates = replicates or (10 if x.shape[1] > 1024 else 30)
    few_x, few_y = _thinned(x, FRECHET_ROWS, rng), _thinned(y, FRECHET_ROWS, rng)
    again = []
    for done in range(replicates):
        again.append(frechet(Moments.of(few_x, _resampled(few_x, rng)), Moments.of(few_y, _resampled(few_y, rng))))
        progress("Fréchet distance's interval", done + 1, replicates)
    half = NORMAL_95 * float(np.std(again, ddof=1)) * max(len(few_x) / len(x), len(few_y) / len(y)) ** 0.5
    return Estimate(value, value - half, value + half)


def unbiased_mmd(x: Features, y: Features) -> float:
    """MMD² of x (N, D) and y (M, D) with the kernel (x·y / D + 1)³ and no pair of a picture with itself.

    Its mean is 0 where both come from one source, whatever N and M are, so that it may well be negative. Time grows as
    (N + M)²: for a few thousand rows.

    Raises:
        ValueError: not (N, D) and (M, D).
        PicturesError: fewer than two pictures a side, or a feature that is not a finite number.
    """
    check_features(x, y, least=2)
    return float(_weighted_mmds(x, y, np.ones((1, len(x))), np.ones((1, len(y))))[0])


def mmd_and_error(x: Features, y: Features, *, groups: int = 16) -> tuple[float, float]:
    """`unbiased_mmd` and its standard error by what happens to be in x, y being what it is.

    By the jackknife: how far the value moves where one of so many groups of x is left out (Efron and Stein, "The jackknife
    estimate of variance", Annals of Statistics 9, 1981).

    Raises:
        ValueError: not (N, D) and (M, D).
        PicturesError: fewer than four pictures in x or two in y, or a feature that is not a finite number.
    """
    check_features(x, y, least=2)
    _enough(len(x), 4, "a kernel distance's error")
    groups = min(groups, len(x) // 2)
    weights = np.ones((groups + 1, len(x)))
    weights[np.arange(len(x)) % groups + 1, np.arange(len(x))] = 0
    value, *others = _weighted_mmds(x, y, weights, np.ones((1, len(y))))
    return float(value), float(np.sqrt((groups - 1) * np.var(others)))


def kernel_distance(
    x: Features,
    y: Features,
    *,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 0,
    progress: Progress = silent,
) -> Estimate:
    """Kernel distance of x (N, D) and y (M, D): the mean of `unbiased_mmd` over random subsets (KID, arXiv 1801.01401).

    The interval's variance is that of 200 bootstrap replicates of at most 2,500 rows a side, scaled by used/there, plus
    that of the mean over the subsets. Pictures drawn twice are never paired with themselves, so that replicates are as
    unbiased as the value. Where both sides come from one source it is nearly twice as wide as need be.

    Args:
        x: one side's features.
        y: the other's.
        subsets: how many.
        subset_size: pictures a side in each, cut to the smaller side.
        seed: of subsets and bootstrap.
        progress: told after each block of rows, or each subset.

    Raises:
        ValueError: not (N, D) and (M, D).
        PicturesError: fewer than two pictures a side, or a feature that is not a finite number.
    """
    check_features(x, y, least=2)
    rng = np.random.default_rng(seed)
    size = min(subset_size, len(x), len(y))
    draws = [(rng.choice(len(x), size, replace=False), rng.choice(len(y), size, replace=False)) for _ in range(subsets)]
    few_x, few_y = _thinned(x, KERNEL_ROWS, rng), _thinned(y, KERNEL_ROWS, rng)
    whole = max(len(x), len(y)) ** 2 <= subsets * size**2  # one kernel of all pairs costs less than one a subset
    total = _row_blocks(few_x, few_y) + (_row_blocks(x, y) if whole else subsets)
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        progress("kernel distance", done, total)

    if whole:
        picked_x, picked_y = np.zeros((subsets, len(x))), np.zeros((subsets, len(y)))
        for subset, (i, j) in enumerate(draws):
            picked_x[subset, i] = picked_y[subset, j] = 1
        values = _weighted_mmds(x, y, picked_x, picked_y, tick)
    else:
        values = np.zeros(subsets)
        for subset, (i, j) in enumerate(draws):
            values[subset] = unbiased_mmd(x[i], y[j])
            tick()
    counts_x = np.stack([_resampled(few_x, rng) for _ in range(KERNEL_REPLICATES)]).astype(np.float64)
    counts_y = np.stack([_resampled(few_y, rng) for _ in range(KERNEL_REPLICATES)]).astype(np.float64)
    again = _weighted_mmds(few_x, few_y, counts_x, counts_y, tick)
    share = max(len(few_x) / len(x), len(few_y) / len(y))
    value = float(values.mean())
    half = NORMAL_95 * float(np.sqrt(again.var(ddof=1) * share + values.var() / subsets))
    return Estimate(value, value - half, value + half)


def _weighted_mmds(
    x: Features, y: Features, wx: Array, wy: Array, tick: Callable[[], None] = lambda: None
) -> npt.NDArray[np.float64]:
    """(R,): unbiased MMD² for each of R weightings of the rows, wx (R, N) and wy (R, M); no row is paired with itself.

    Weights 0 and 1 pick a subset, multiplicities make a bootstrap replicate: all from one kernel of all pairs.
    """
    xx = _weighted_sums(x, x, wx, wx, True, tick) / (wx.sum(1) ** 2 - (wx**2).sum(1))
    yy = _weighted_sums(y, y, wy, wy, True, tick) / (wy.sum(1) ** 2 - (wy**2).sum(1))
    xy = _weighted_sums(x, y, wx, wy, False, tick) / (wx.sum(1) * wy.sum(1))
    mmds: Array = xx + yy - 2 * xy
    return mmds


def _weighted_sums(x: Features, y: Features, wx: Array, wy: Array, within: bool, tick: Callable[[], None]) -> Array:
    """(R,): Σ_ij wx_ri k(x_i, y_j) wy_rj, in tiles; ``within`` one set without i = j, and each pair looked at once."""
    sums = np.zeros(len(wx))
    for i in blocks(len(x), x.shape[1]):
        a = x[i].astype(np.float64)
        for j in blocks(len(y), x.shape[1]):
            if within and j.start < i.start:
                continue
            diagonal = within and j.start == i.start
            kernel = a @ (a if diagonal else y[j].astype(np.float64)).T
            kernel /= x.shape[1]
            kernel += 1
            kernel *= kernel * kernel
            if diagonal:
                np.fill_diagonal(kernel, 0)
            twice = 2 if within and not diagonal else 1
            sums += twice * ((wx[:, i] @ kernel) * wy[:, j]).sum(1)
        tick()
    return sums


def _row_blocks(x: Features, y: Features) -> int:
    """How often `_weighted_mmds` ticks."""
    return 2 * len(blocks(len(x), x.shape[1])) + len(blocks(len(y), y.shape[1]))


def _thinned(x: Features, rows: int, rng: np.random.Generator) -> Features:
    """At most so many of the rows."""
    return x if len(x) <= rows else x[rng.choice(len(x), rows, replace=False)]


def _resampled(x: Features, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """(N,): how often each row comes up in N draws with replacement; at least two different rows do."""
    while True:
        counts = np.bincount(rng.integers(len(x), size=len(x)), minlength=len(x))
        if (counts > 0).sum() > 1:
            return counts


def blocks(n: int, width: int) -> list[slice]:
    """N rows in slices: such a slice as float64 of this width, and a tile of one slice by another, stay below 64 MB."""
    rows = max(1, min(2048, 2**26 // (8 * max(width, 1))))
    return [slice(start, min(start + rows, n)) for start in range(0, n, rows)]


def check_features(*sides: Features, least: int) -> None:
    """All (N, D) of one D, at least so many rows, all numbers finite.

    Raises:
        ValueError: another shape.
        PicturesError: too few rows, or a feature that is not a finite number.
    """
    for features in sides:
        if features.ndim != 2 or features.shape[1] != sides[0].shape[1]:
            shapes = " and ".join(str(side.shape) for side in sides)
            raise ValueError(f"features must be (N, D), all of one D, not {shapes}")
        _enough(len(features), least, "this measure")
        for rows in blocks(len(features), features.shape[1]):
            bad = np.flatnonzero(~np.isfinite(features[rows]).all(1))
            if len(bad):
                raise PicturesError(
                    f"Picture {rows.start + int(bad[0]) + 1} of {len(features)} has features that are not finite numbers. "
                    "Look at the picture, or whether the net's weights are whole."
                )


def _enough(n: int, least: int, what: str) -> None:
    if n < least:
        raise PicturesError(f"{n} picture{'s' * (n != 1)} a side are too few for {what}: it takes at least {least}.")
