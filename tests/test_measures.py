"""The numbers of evaluation: closed forms, published cases, torchmetrics and five-line references."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance

from ganforge.errors import PicturesError
from ganforge.measures import distances, neighbours
from ganforge.measures.classes import inception_score
from ganforge.measures.distances import (
    Estimate,
    Moments,
    frechet,
    frechet_estimate,
    kernel_distance,
    mmd_and_error,
    unbiased_mmd,
)
from ganforge.measures.neighbours import copied, kth_distances, nearest, prdc


def normal(n: int, d: int = 4, *, seed: int = 0, shift: float = 0.0, scale: float = 1.0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((n, d)) * scale + shift).astype(np.float32)


class Same(torch.nn.Identity):
    """A "feature net" that hands features through."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features


@pytest.fixture
def tiny_blocks(monkeypatch):
    """Seams everywhere: seven rows a block."""

    def seven(n: int, width: int) -> list[slice]:
        return [slice(start, min(start + 7, n)) for start in range(0, n, 7)]

    monkeypatch.setattr(distances, "blocks", seven)
    monkeypatch.setattr(neighbours, "blocks", seven)


# Moments


def test_moments_of_chunks_are_those_of_the_whole():
    x = normal(500, 6, shift=1000)  # a mean much larger than the spread costs no digits
    whole, chunks, merged = Moments.of(x), Moments.of(x[:1]), Moments.of(x[:123])
    for part in np.split(x[1:], [10, 11, 300]):
        chunks.add(part)
    merged.merge(Moments.of(x[123:]))
    for moments in (whole, chunks, merged):
        assert moments.n == 500
        np.testing.assert_allclose(moments.mean, x.mean(0, dtype=np.float64), rtol=1e-12)
        np.testing.assert_allclose(moments.covariance, np.cov(x.astype(np.float64).T), rtol=1e-9, atol=1e-9)


def test_counts_are_copies(tiny_blocks):
    x, counts = normal(40, 3), np.random.default_rng(1).integers(0, 4, 40)
    counts[7:14] = 0  # a whole block left out
    counted, copies = Moments.of(x, counts), Moments.of(np.repeat(x, counts, 0))
    assert counted.n == copies.n == counts.sum()
    np.testing.assert_allclose(counted.mean, copies.mean, rtol=1e-12)
    np.testing.assert_allclose(counted.covariance, copies.covariance, rtol=1e-9, atol=1e-12)


# Fréchet distance


def test_frechet_of_gaussians_in_closed_form():
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
    a, b = np.array([1.0, 4.0, 9.0, 0.25, 2.0]), np.array([1.0, 1.0, 4.0, 0.0, 3.0])
    x, y = Moments(100, np.zeros(5), turn * a @ turn.T), Moments(100, np.full(5, 0.5), turn * b @ turn.T)
    expected = 5 * 0.25 + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()
    assert frechet(x, y) == pytest.approx(expected, rel=1e-6)
    assert frechet(y, x) == pytest.approx(expected, rel=1e-6)
    # not one pair of axes in common: Tr (AB)^½ = √(Tr AB + 2 √(det A det B)) in the plane
    p, q = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[1.0, -0.5], [-0.5, 4.0]])
    root = math.sqrt(np.trace(p @ q) + 2 * math.sqrt(np.linalg.det(p) * np.linalg.det(q)))
    plane = [Moments(100, np.zeros(2), p), Moments(100, np.zeros(2), q)]
    assert frechet(*plane) == pytest.approx(np.trace(p) + np.trace(q) - 2 * root, rel=1e-9)


def test_frechet_of_samples_comes_near_the_closed_form():
    x, y = normal(20_000, 3), normal(20_000, 3, seed=1, shift=0.5, scale=2)
    assert frechet(Moments.of(x), Moments.of(y)) == pytest.approx(3 * 0.25 + 3 * 1, rel=0.03)


@pytest.mark.parametrize("n", [300, 20])
def test_frechet_is_zero_between_equals(n):
    x = normal(n, 64) * np.geomspace(1, 1e-6, 64, dtype=np.float32)  # as steep a spectrum as nets have
    assert frechet(Moments.of(x), Moments.of(x.copy())) < 1e-6


def test_frechet_with_fewer_pictures_than_features():
    """The root's trace is the nuclear norm of A Bᵀ, A and B the centred rows."""
    x, y = normal(12, 30), normal(9, 30, seed=1, shift=0.3)
    x[:, 4] = y[:, 4] = 2  # a feature that is always the same
    a, b = ((z - z.mean(0, dtype=np.float64)) / math.sqrt(len(z) - 1) for z in (x, y))
    expected = ((x.mean(0, dtype=np.float64) - y.mean(0, dtype=np.float64)) ** 2).sum() + (a**2).sum() + (b**2).sum()
    expected -= 2 * np.linalg.svd(a @ b.T, compute_uv=False).sum()
    assert frechet(Moments.of(x), Moments.of(y)) == pytest.approx(expected, rel=1e-6)
    once, other = Moments.of(np.ones((5, 3), np.float32)), Moments.of(np.zeros((4, 3), np.float32))
    assert frechet(once, other) == pytest.approx(3)  # no spread at all


def test_frechet_is_torchmetrics():
    x, y = normal(400, 48, shift=2), normal(300, 48, seed=1, shift=2.1, scale=1.3)
    x[:, 0] = y[:, 0] = 0  # a dead channel
    theirs = FrechetInceptionDistance(Same(48))
    theirs.update(torch.from_numpy(x), real=True)
    theirs.update(torch.from_numpy(y), real=False)
    assert frechet(Moments.of(x), Moments.of(y)) == pytest.approx(float(theirs.compute()), rel=1e-4)


def test_frechet_intervals_hold_the_truth():
    truth, hits = 4 * 0.25 + 4 * 0.25, 0
    for seed in range(0, 200, 2):
        x, y = normal(300, seed=seed), normal(300, seed=seed + 1, shift=0.5, scale=1.5)
        found = frechet_estimate(x, y, seed=seed)
        assert found.low < found.value < found.high
        hits += found.low <= truth <= found.high
    assert 85 <= hits <= 99


# Kernel distance


def fsum_mmd(x: np.ndarray, y: np.ndarray) -> float:
    def mean(a, b, same):
        k = [
            (math.fsum(float(p) * float(q) for p, q in zip(u, v, strict=True)) / len(u) + 1) ** 3
            for i, u in enumerate(a)
            for j, v in enumerate(b)
            if not (same and i == j)
        ]
        return math.fsum(k) / len(k)

    return mean(x, x, True) + mean(y, y, True) - 2 * mean(x, y, False)


@pytest.mark.parametrize("norm", [1, 100])
def test_kernel_distance_is_exact_also_for_large_features(norm, tiny_blocks):
    x, y = normal(16, 24, shift=3) * norm, normal(23, 24, seed=1, shift=3) * norm
    truth = fsum_mmd(x, y)
    assert unbiased_mmd(x, y) == pytest.approx(truth, rel=1e-9)
    assert unbiased_mmd(x, x) == pytest.approx(fsum_mmd(x, x), rel=1e-9)  # the very same array on both sides


def test_the_error_of_a_kernel_distance_is_how_far_other_samples_move_it():
    y = normal(300, 8)
    found = [mmd_and_error(normal(128, 8, seed=seed, shift=0.5), y) for seed in range(2, 62)]
    values, errors = np.array(found).T
    assert values[0] == unbiased_mmd(normal(128, 8, seed=2, shift=0.5), y)
    assert np.mean(errors) == pytest.approx(np.std(values, ddof=1), rel=0.25)
    assert mmd_and_error(np.repeat(y[:1], 8, 0), y)[1] == pytest.approx(0, abs=1e-9)


def test_kernel_distance_is_unbiased():
    """Over random halves of one sample its mean is 0, whatever the sample; with pairs of equals it is not."""

    def with_equals(a, b):
        return sum(
            w * ((u.astype(np.float64) @ v.T / 8 + 1) ** 3).mean() for u, v, w in ((a, a, 1), (b, b, 1), (a, b, -2))
        )

    x, rng = normal(60, 8), np.random.default_rng(1)
    halves = [np.split(rng.permutation(x), 2) for _ in range(200)]
    unbiased = [unbiased_mmd(a, b) for a, b in halves]
    biased = [with_equals(a, b) for a, b in halves]
    assert abs(np.mean(unbiased)) < 3 * np.std(unbiased) / 200**0.5
    assert np.mean(biased) > 10 * np.std(biased) / 200**0.5


@pytest.mark.filterwarnings("ignore::UserWarning")  # about memory
def test_kernel_distance_is_torchmetrics():
    x, y = normal(200, 48, shift=0.5), normal(200, 48, seed=1, shift=0.7)
    whole = KernelInceptionDistance(Same(48), subsets=1, subset_size=200)
    parts = KernelInceptionDistance(Same(48), subsets=100, subset_size=100)
    for theirs in (whole, parts):
        theirs.update(torch.from_numpy(x), real=True)
        theirs.update(torch.from_numpy(y), real=False)
    assert unbiased_mmd(x, y) == pytest.approx(float(whole.compute()[0]), rel=1e-4)
    assert kernel_distance(x, y).value == pytest.approx(unbiased_mmd(x, y), rel=1e-9)  # subsets cut to all there are
    mean, deviation = (float(value) for value in parts.compute())
    ours = kernel_distance(x, y, subset_size=100)
    assert abs(ours.value - mean) < 4 * deviation * (2 / 100) ** 0.5


@pytest.mark.parametrize("subset_size", [40, 4])  # one kernel of all pairs, or one a subset
def test_subsets_come_the_same_from_one_kernel_or_many(subset_size):
    x, y = normal(90, 5), normal(70, 5, seed=1, shift=1)
    rng = np.random.default_rng(3)
    draws = [
        (rng.choice(90, subset_size, replace=False), rng.choice(70, subset_size, replace=False)) for _ in range(20)
    ]
    expected = np.mean([unbiased_mmd(x[i], y[j]) for i, j in draws])
    found = kernel_distance(x, y, subsets=20, subset_size=subset_size, seed=3)
    assert found.value == pytest.approx(expected, rel=1e-9)


def test_kernel_distance_intervals_hold_the_truth():
    """MMD² of N(0, I) and N(s, I) with this kernel, from moments of x·y: normal given y, so that all is known."""
    d, s = 4, 0.5

    def mean_kernel(a: float, b: float) -> float:
        """E (x·y/d + 1)³ of x ~ N(a1, I), y ~ N(b1, I): coordinates are independent; cumulants of one product."""
        m = [1, a * b, (1 + a**2) * (1 + b**2), (a**3 + 3 * a) * (b**3 + 3 * b)]
        c1, c2 = m[1], m[2] - m[1] ** 2
        c3 = m[3] - 3 * m[2] * m[1] + 2 * m[1] ** 3
        mean, variance, third = d * c1 / d + 1, d * c2 / d**2, d * c3 / d**3
        return third + 3 * mean * variance + mean**3

    truth, hits = mean_kernel(0, 0) + mean_kernel(s, s) - 2 * mean_kernel(0, s), 0
    for seed in range(0, 200, 2):
        found = kernel_distance(normal(150, d, seed=seed), normal(150, d, seed=seed + 1, shift=s), seed=seed)
        hits += found.low <= truth <= found.high
    assert 85 <= hits <= 99


def test_intervals_shrink_where_only_some_pictures_are_looked_at(monkeypatch):
    x, y = normal(1000), normal(1000, seed=1, shift=1)
    kernel, gauss = kernel_distance(x, y).half, frechet_estimate(x, y).half
    monkeypatch.setattr(distances, "KERNEL_ROWS", 250)
    monkeypatch.setattr(distances, "FRECHET_ROWS", 250)
    assert kernel_distance(x, y).half == pytest.approx(kernel, rel=0.4)  # unscaled they would be twice as wide
    assert frechet_estimate(x, y).half == pytest.approx(gauss, rel=0.5)


# Neighbours


def brute_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a[:, None].astype(np.float64) - b[None], axis=2)


@pytest.mark.parametrize("shift", [0, 1000])  # float32 squares of such features would lose all small distances
def test_nearest_by_brute_force(shift, tiny_blocks):
    queries, references = normal(45, 5, shift=shift), normal(60, 5, seed=1, shift=shift)
    truth = brute_distances(queries, references)
    found, indices = nearest(queries, references, 8)
    np.testing.assert_allclose(found, np.sort(truth, 1)[:, :8], rtol=1e-12)
    np.testing.assert_array_equal(indices, truth.argsort(1)[:, :8])
    own = np.sort(brute_distances(queries, queries), 1)
    np.testing.assert_allclose(kth_distances(queries, 3), own[:, 3], rtol=1e-12)


def test_blocks_hold_at_most_64_megabytes():
    for n, width in ((50_000, 2048), (100_000, 64), (10, 10**6), (2049, 1)):
        parts = distances.blocks(n, width)
        assert [row for part in parts for row in range(part.start, part.stop)] == list(range(n))
        longest = max(part.stop - part.start for part in parts)
        assert 8 * longest * max(longest, width) <= 2**26
    assert distances.blocks(0, 5) == []


sets = arrays(np.float32, st.tuples(st.integers(4, 17), st.just(2)), elements=st.integers(-3, 3).map(float))


@given(real=sets, made=sets, k_precision=st.integers(1, 3), k_density=st.integers(1, 3))
@settings(max_examples=150, deadline=None)
def test_prdc_by_brute_force(real, made, k_precision, k_density):
    """On a coarse grid, where nearly every picture lies on the border of some neighbourhood."""

    def squares(a, b):
        return ((a[:, None] - b[None]) ** 2).sum(2)

    def radius(x, k):
        return np.sort(squares(x, x), 1)[:, k]  # the first is itself

    between = squares(real, made)
    inside = between <= radius(real, k_density)[:, None]
    found = prdc(real, made, k_precision=k_precision, k_density=k_density)
    assert found.precision.value == pytest.approx((between <= radius(real, k_precision)[:, None]).any(0).mean())
    assert found.recall.value == pytest.approx((between <= radius(made, k_precision)[None]).any(1).mean())
    assert found.density.value == pytest.approx(inside.sum() / (k_density * len(made)))
    assert found.coverage.value == pytest.approx(inside.any(1).mean())
    for share in (found.precision, found.recall, found.coverage):
        assert 0 <= share.low <= share.value <= share.high <= 1


def test_prdc_is_the_same_in_any_blocks(request):
    real, made = normal(50, 6), normal(40, 6, seed=1, shift=0.5)
    whole = prdc(real, made)
    request.getfixturevalue("tiny_blocks")
    assert prdc(real, made) == whole


def test_prdc_tells_lost_variety_from_lost_quality():
    real = normal(400, 8)
    collapsed, noisy = prdc(real, normal(400, 8, seed=1, scale=0.3)), prdc(real, normal(400, 8, seed=1, scale=2))
    assert collapsed.precision.value > 0.95 > 0.5 > collapsed.recall.value
    assert noisy.recall.value > noisy.precision.value + 0.3
    memorised = prdc(real, real.copy())
    assert memorised.precision.value == memorised.recall.value == memorised.coverage.value == 1
    assert memorised.density.value == pytest.approx(1.2)  # itself and k more


def test_prdc_intervals_hold_the_truth():
    """Of new samples while the real pictures stay."""
    real, hits = normal(200), 0
    truth = prdc(real, normal(6000, seed=1, shift=0.7))
    for seed in range(2, 102):
        found = prdc(real, normal(200, seed=seed, shift=0.7))
        hits += found.precision.low <= truth.precision.value <= found.precision.high
        hits += found.density.low <= truth.density.value <= found.density.high
    assert 170 <= hits <= 199


@pytest.mark.slow
def test_prdc_published_case():
    """The authors' example: both N(0, I), 10,000 × 1,000, k = 5. Tolerances: four deviations over nine seeds of ours."""
    found = prdc(normal(10_000, 1000), normal(10_000, 1000, seed=1), k_precision=5, k_density=5)
    assert found.precision.value == pytest.approx(0.4772, abs=0.05)
    assert found.recall.value == pytest.approx(0.4705, abs=0.05)
    assert found.density.value == pytest.approx(1.0555, abs=0.25)
    assert found.coverage.value == pytest.approx(0.9735, abs=0.025)


# Copies


def test_a_memoriser_is_flagged_and_fresh_draws_are_not():
    training, held_out = normal(1500, 8), normal(1000, 8, seed=1)
    fresh = copied(normal(1000, 8, seed=2), training, held_out=held_out)
    assert not fresh.flagged
    assert 0 < fresh.share < 0.025
    assert fresh.held_out_share == pytest.approx(fresh.share, abs=0.02)
    own = brute_distances(training, training)
    np.fill_diagonal(own, np.inf)
    assert fresh.threshold == pytest.approx(np.percentile(own.min(1), 1), rel=1e-9)
    picks = np.random.default_rng(3).integers(1500, size=200)
    memorised = copied(training[picks] + normal(200, 8, seed=4, scale=1e-3), training, held_out=held_out)
    assert memorised.share == 1
    assert memorised.flagged
    assert memorised.held_out_share == fresh.held_out_share
    np.testing.assert_array_equal(memorised.nearest_indices, picks)
    assert not memorised.nearest_mirrored.any()
    some = np.concatenate((training[:50], normal(950, 8, seed=5)))
    assert copied(some, training).flagged  # 5 % copies among honest ones


def test_copies_of_mirrored_pictures_are_found():
    training = normal(600, 8)
    mirrored = np.ascontiguousarray(training[:, ::-1])
    made = mirrored[:100].copy()
    assert not copied(made, training).flagged
    found = copied(made, training, mirrored=mirrored)
    assert found.share == 1
    assert found.nearest_mirrored.all()
    np.testing.assert_array_equal(found.nearest_indices, np.arange(100))
    assert not copied(normal(500, 8, seed=2), training, mirrored=mirrored).flagged


def test_a_picture_is_not_its_own_neighbour_by_its_mirror():
    half = normal(600, 4)
    training = np.concatenate((half, half[:, ::-1]), 1)  # each its own mirror image
    plain, with_mirrors = (
        copied(training[:9], training),
        copied(training[:9], training, mirrored=training[:, ::-1].copy()),
    )
    assert with_mirrors.threshold == plain.threshold > 0.01


def test_doubled_training_pictures_hide_no_memoriser():
    training = np.concatenate((normal(500, 8), normal(500, 8)[:40]))
    found = copied(training[:100] + normal(100, 8, seed=1, scale=1e-3), training)
    assert found.flagged
    assert found.threshold > 0.1
    alike = np.ones((5, 8), np.float32)
    assert copied(alike, alike).share == 1  # the same picture is a copy, whatever the threshold
    assert copied(alike + 1, alike).share == 0


# Inception Score


def test_inception_score_of_known_tables():
    assert inception_score(np.full((50, 7), 1 / 7)) == pytest.approx((1, 0))
    assert inception_score(np.tile(np.eye(5), (20, 1)), splits=1) == pytest.approx((5, 0))
    half = np.array([[0.75, 0.25], [0.25, 0.75]])
    assert inception_score(half, splits=1)[0] == pytest.approx(
        math.exp(math.log(2) + 0.75 * math.log(0.75) - 0.25 * math.log(4))
    )
    sorted_by_class = np.repeat(np.eye(2), 500, 0)
    mean, deviation = inception_score(sorted_by_class)
    assert mean == pytest.approx(2, abs=0.03)  # unshuffled, each split would hold one class and score 1
    assert 0 < deviation < 0.05
    with pytest.raises(PicturesError, match="9 pictures are too few"):
        inception_score(np.eye(9))


@pytest.mark.filterwarnings("ignore::UserWarning")  # about memory, and the deviation of a single split
def test_inception_score_is_torchmetrics():
    logits = normal(300, 20, scale=2)
    theirs = InceptionScore(Same(20), splits=1)
    theirs.update(torch.from_numpy(logits))
    probabilities = torch.from_numpy(logits).softmax(1).numpy()
    assert inception_score(probabilities, splits=1)[0] == pytest.approx(float(theirs.compute()[0]), rel=1e-4)


# Manners


def test_same_seed_same_numbers_and_no_other_dice_are_touched():
    x, y = normal(80), normal(80, seed=1, shift=0.2)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    for measure in (frechet_estimate, kernel_distance):
        first = measure(x, y, seed=5)
        assert measure(x, y, seed=5) == first
        assert measure(x, y, seed=6).half != first.half
        assert first.half == pytest.approx((first.high - first.low) / 2)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert Estimate(2, 1, 5).half == 2


def test_progress_ends_at_its_total(tiny_blocks):
    x = normal(40, 3)
    calls = (
        lambda p: frechet_estimate(x, x, progress=p),
        lambda p: kernel_distance(x, x, progress=p),
        lambda p: kernel_distance(x, x, subsets=3, subset_size=5, progress=p),
        lambda p: prdc(x, x, progress=p),
        lambda p: copied(x, x, held_out=x, mirrored=x, progress=p),
        lambda p: nearest(x, x, progress=p),
        lambda p: kth_distances(x, 2, progress=p),
    )
    for call in calls:
        seen: dict[str, list[tuple[int, int]]] = {}
        call(lambda what, done, total, seen=seen: seen.setdefault(what, []).append((done, total)))
        assert seen
        for steps in seen.values():
            assert steps[-1][0] == steps[-1][1]
            assert max(done for done, _ in steps) == steps[-1][1]


def test_bad_features_are_named():
    good, bad = normal(10, 3), normal(10, 3)
    bad[6, 1] = np.nan
    for call in (
        lambda: Moments.of(bad),
        lambda: frechet_estimate(good, bad),
        lambda: kernel_distance(bad, good),
        lambda: unbiased_mmd(good, bad),
        lambda: mmd_and_error(good, bad),
        lambda: nearest(good, bad),
        lambda: prdc(good, bad),
        lambda: copied(bad, good),
        lambda: copied(good, good, held_out=bad),
        lambda: copied(good, good, mirrored=bad),
    ):
        with pytest.raises(PicturesError, match="Picture 7 of 10 has features that are not finite"):
            call()
    for measure in (frechet_estimate, kernel_distance, unbiased_mmd, prdc, copied, nearest):
        with pytest.raises(ValueError, match=r"\(10, \d\) and \(10, \d\)"):
            measure(good, normal(10, 4))
    with pytest.raises(ValueError, match="features have 4 numbers, those before them 3"):
        Moments.of(good).add(normal(5, 4))
    with pytest.raises(ValueError, match="mirrored"):
        copied(good, good, mirrored=good[:5])


def test_too_few_pictures():
    one, few = normal(1, 3), normal(3, 3)
    for measure in (frechet_estimate, kernel_distance, unbiased_mmd):
        with pytest.raises(PicturesError, match="1 picture a side are too few"):
            measure(few, one)
    with pytest.raises(PicturesError, match="at least 4"):
        mmd_and_error(few, few)
    with pytest.raises(PicturesError, match="Fréchet"):
        frechet(Moments.of(few), Moments.of(one))
    with pytest.raises(PicturesError, match="at least 6"):
        prdc(few, few)
    with pytest.raises(PicturesError, match="at least 2"):
        copied(few, one)
