"""Operations, losses and measures against closed forms and five-line references."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganforge import losses
from ganforge.game import Batch, Draw, Step
from ganforge.measures.classes import stacked_coverage, sure_share
from ganforge.measures.diversity import distinct
from ganforge.measures.modes import PERFECT, coverage, kl_from_uniform
from ganforge.ops.minibatch import MinibatchDiscrimination, closeness, minibatch_stddev
from ganforge.ops.resample import doubled, halved
from ganforge.ops.schedules import cosine, geometric
from ganforge.systems import configure, find_recipe

# --- doubling and halving ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "torchs"),
    [
        (doubled, lambda x: torch.nn.functional.interpolate(x, scale_factor=2.0)),
        (halved, lambda x: torch.nn.functional.avg_pool2d(x, 2)),
    ],
)
def test_doubling_and_halving_are_pytorchs_and_may_be_differentiated_twice(ours, torchs):
    x = torch.randn(2, 3, 4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    torch.testing.assert_close(ours(x), torchs(x))
    with torch.no_grad():
        torch.testing.assert_close(ours(x), torchs(x))
    assert torch.autograd.gradcheck(ours, x)
    assert torch.autograd.gradgradcheck(lambda maps: ours(maps) ** 2, x)


# --- minibatch features -----------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 6), b=st.integers(1, 4), c=st.integers(1, 4), seed=st.integers(0, 99))
def test_closeness_is_the_papers_sum_without_the_picture_itself(n, b, c, seed):
    m = torch.randn(n, b, c, generator=torch.Generator().manual_seed(seed))
    expected = torch.zeros(n, b)
    for i in range(n):
        for j in range(n):
            if i != j:
                expected[i] += (-(m[i] - m[j]).abs().sum(-1)).exp()
    torch.testing.assert_close(closeness(m), expected)


def test_closeness_may_be_differentiated_twice():
    def distances_sum(m: torch.Tensor) -> torch.Tensor:
        from ganforge.ops.minibatch import _Distances

        return _Distances.apply(m)

    m = torch.randn(2, 5, 3, dtype=torch.float64, requires_grad=True, generator=torch.Generator().manual_seed(1))
    assert torch.autograd.gradcheck(distances_sum, (m,))
    assert torch.autograd.gradgradcheck(distances_sum, (m,))
    rows = torch.randn(40, 6, 5, requires_grad=True)
    (fast,) = torch.autograd.grad(closeness(rows).sum(), rows)
    (slow,) = torch.autograd.grad(closeness(rows).sum(), rows, create_graph=True)
    torch.testing.assert_close(fast, slow.detach(), rtol=1e-4, atol=1e-5)


def test_minibatch_discrimination_sees_a_collapsed_batch():
    torch.manual_seed(0)
    layer = MinibatchDiscrimination(6, kernels=7, dims=3)
    assert layer.tensor.shape == (6, 7, 3)
    features = torch.randn(10, 6)
    same = layer(features[:1].repeat(10, 1))
    torch.testing.assert_close(same, torch.full((10, 7), 9.0))  # N − 1: the picture itself is left out
    varied = layer(features)
    assert varied.max() < 9
    torch.testing.assert_close(varied, closeness(torch.einsum("na,abc->nbc", features, layer.tensor)))


def test_real_and_forged_pictures_are_judged_apart():
    """D never sees a batch of both: its minibatch features (and its norms) would mix them."""
    config = configure(find_recipe("cifar32"), 32, 32, {"d.minibatch": "discrimination", "d.widths": "8,8,8"})
    system = find_recipe("cifar32").system(config)
    seen: list[torch.Tensor] = []
    system.nets["discriminator"].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    step = Step(Batch(torch.randn(8, 3, 32, 32)), 0.0, 0, Draw(0))
    system.discriminator_loss(step)
    assert [len(pictures) for pictures in seen] == [8, 8]
    assert torch.equal(seen[0], step.batch.pictures)
    assert not torch.equal(seen[1], step.batch.pictures)


@pytest.mark.parametrize("kind", ["discrimination", "stddev"])
def test_company_changes_a_verdict_once_it_is_weighed(kind):
    """The same picture, in a batch of its copies and among others; norms are left out of it."""
    config = configure(find_recipe("cifar32"), 32, 32, {"d.minibatch": kind, "d.widths": "8,8,8"})
    torch.manual_seed(0)
    judge = find_recipe("cifar32").system(config).nets["discriminator"]
    for module in judge.modules():
        if isinstance(module, torch.nn.Sequential):
            for i, layer in enumerate(module):
                if isinstance(layer, torch.nn.BatchNorm2d):
                    module[i] = torch.nn.Identity()
    one, others = torch.randn(1, 3, 32, 32), torch.randn(7, 3, 32, 32)
    alone, among = torch.cat([one] * 8), torch.cat([one, others])
    if kind == "discrimination":
        torch.testing.assert_close(judge(alone)[0], judge(among)[0])  # D begins by looking at each picture alone
        torch.nn.init.normal_(judge.weigh_company.weight)
    assert (judge(alone)[0] - judge(among)[0]).abs() > 1e-5


@pytest.mark.parametrize(("n", "group", "size"), [(8, 4, 4), (8, 8, 8), (6, 4, 6), (3, 4, 3), (1, 4, 1)])
def test_minibatch_stddev_against_a_loop(n, group, size):
    maps = torch.randn(n, 5, 3, 2, generator=torch.Generator().manual_seed(n))
    out = minibatch_stddev(maps, group)
    torch.testing.assert_close(out[:, :5], maps)
    strides = n // size
    for i in range(n):
        mates = [j for j in range(n) if j % strides == i % strides]
        spread = (maps[mates].var(0, unbiased=False) + 1e-8).sqrt().mean()
        torch.testing.assert_close(out[i, 5], spread.expand(3, 2))


@pytest.mark.parametrize(("kind", "more"), [("discrimination", 64 * 100 * 5 + 100), ("stddev", 4 * 4)])
def test_any_dcgan_takes_minibatch_features(kind, more):
    recipe = find_recipe("cifar32")
    sizes = {}
    for name, settings_ in {"without": {}, "with": {"d.minibatch": kind}}.items():
        config = configure(recipe, 32, 32, {"d.widths": "16,32,64", **settings_})
        judge = recipe.system(config).nets["discriminator"]
        assert judge(torch.randn(6, 3, 32, 32)).shape == (6,)
        sizes[name] = sum(p.numel() for p in judge.parameters())
    assert sizes["with"] - sizes["without"] == more


# --- losses -----------------------------------------------------------------------------------------------------------


def test_relativistic_losses_in_closed_form():
    real, fake = torch.tensor([1.0, -2]), torch.tensor([0.5, 3])
    expected = np.mean([math.log1p(math.exp(-0.5)), math.log1p(math.exp(5))])
    assert losses.relativistic_discriminator(real, fake).item() == pytest.approx(expected, rel=1e-6)
    mirrored = np.mean([math.log1p(math.exp(0.5)), math.log1p(math.exp(-5))])
    assert losses.relativistic_generator(real, fake).item() == pytest.approx(mirrored, rel=1e-6)


def test_wasserstein_losses_are_differences_of_means():
    real, fake = torch.tensor([1.0, 3]), torch.tensor([-1.0, 0])
    assert losses.wasserstein_critic(real, fake).item() == pytest.approx(-2.5)
    assert losses.wasserstein_generator(fake).item() == pytest.approx(0.5)


def test_penalties_on_slopes_in_closed_form():
    """D(x) = a·x has the slope a everywhere; D(x) = ‖x‖²/2 has the slope x."""
    x = torch.randn(5, 3, 2, 2, requires_grad=True)
    a = torch.randn(3, 2, 2)
    scores = (x * a).sum((1, 2, 3))
    assert losses.squared_slope(scores, x).item() == pytest.approx(a.square().sum().item(), rel=1e-5)
    assert losses.slope_from_one(scores, x).item() == pytest.approx((a.norm().item() - 1) ** 2, rel=1e-4)
    scores = x.square().sum((1, 2, 3)) / 2
    penalty = losses.squared_slope(scores, x)
    assert penalty.item() == pytest.approx(x.square().sum((1, 2, 3)).mean().item(), rel=1e-5)
    (slope,) = torch.autograd.grad(penalty, x)  # differentiable again
    torch.testing.assert_close(slope, 2 * x / 5)


def test_schedules_begin_and_end_where_they_say():
    assert cosine(0) == 1
    assert cosine(1) == pytest.approx(0)
    assert geometric(1, 0.01)(0.5) == pytest.approx(0.1)


# --- measures ---------------------------------------------------------------------------------------------------------

CORNERS = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])


def test_coverage_counts_what_lies_within_three_sigmas():
    points = np.array([[0.0, 0.0], [0.29, 0], [0.31, 0], [1, 1.0], [0.5, 0.5]])
    found = coverage(points, CORNERS, 0.1)
    assert found.counts.tolist() == [2, 0, 0, 1]
    assert found.modes == 2
    assert found.high_quality == pytest.approx(0.6)
    expected = sum(p * math.log(4 * p) for p in (2 / 3, 1 / 3))
    assert found.reverse_kl == pytest.approx(expected)
    nothing = coverage(points + 50, CORNERS, 0.1)
    assert nothing.modes == 0
    assert math.isnan(nothing.reverse_kl)


def test_perfect_samples_reach_what_is_called_perfect():
    random = np.random.default_rng(0)
    points = CORNERS[random.integers(4, size=200_000)] + 0.05 * random.standard_normal((200_000, 2))
    found = coverage(points, CORNERS, 0.05)
    assert pytest.approx(0.98889, abs=1e-5) == PERFECT
    assert found.high_quality == pytest.approx(PERFECT, abs=1e-3)
    assert found.reverse_kl < 1e-4


def test_kl_from_uniform_at_its_ends():
    assert kl_from_uniform(np.array([5, 5, 5])) == pytest.approx(0)
    assert kl_from_uniform(np.array([7, 0, 0])) == pytest.approx(math.log(3))


def test_stacked_coverage_wants_every_channel_to_be_sure():
    def one_hot(classes: list[int], confidence: float) -> np.ndarray:
        rest = (1 - confidence) / 2
        return np.array([[confidence if k == c else rest for k in range(3)] for c in classes])

    pictures = np.stack([one_hot([0, 1], 0.95), one_hot([0, 1], 0.95), one_hot([2, 2], 0.5), one_hot([1, 1], 0.95)])
    found = stacked_coverage(pictures)
    assert found.of == 9
    assert found.modes == 2
    assert found.sure == pytest.approx(0.75)
    assert found.kl == pytest.approx(sum(p * math.log(9 * p) for p in (0.5, 0.25, 0.25)))
    assert sure_share(pictures[:, 0]) == pytest.approx(0.75)


def test_repeats_are_put_aside():
    random = np.random.default_rng(0)
    real = random.integers(0, 256, (60, 1, 1, 3)).repeat(16, 1).repeat(16, 2).astype(np.uint8)
    assert distinct(real, real) >= 58
    assert distinct(real[:1].repeat(60, 0), real) == 1
    assert distinct(real[:1].repeat(60, 0), real[:1].repeat(60, 0)) == 1  # where real ones repeat as well
    assert 9 <= distinct(np.concatenate([real[:10]] * 6), real) <= 10
    noisy = np.clip(real[:1].repeat(60, 0).astype(int) + random.integers(-3, 4, (60, 16, 16, 3)), 0, 255).astype(
        np.uint8
    )
    assert distinct(noisy, real) == 1
