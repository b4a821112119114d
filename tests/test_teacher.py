"""D learns to find in real pictures what a frozen net finds there, beside telling them from made ones."""

import math

import numpy as np
import pytest
import torch

import ganforge
from ganforge import losses
from ganforge.errors import UsageError
from ganforge.game import Batch, Draw, Step
from ganforge.measures.features import chunks_of, look
from ganforge.measures.offline import offline_net
from ganforge.pictures import PackOptions, PackSource, make_pack
from ganforge.progress import silent
from ganforge.systems import configure, find_recipe
from ganforge.systems.style import OFFLINE_FEATURES, Style
from ganforge.training import teacher
from ganforge.training.budget import Budget
from ganforge.training.step import Table, run_step
from ganforge.training.teacher import DIRECTIONS, affordable, features_for, whitened
from systems_tiny import TINY, write_pictures

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("pictures"), 60)


@pytest.fixture(scope="module")
def pack(pictures, own_cache):
    return make_pack(pictures, PackOptions(height=16, width=16))


def made(distilled: int = OFFLINE_FEATURES, **settings: str) -> Style:
    torch.manual_seed(0)
    return Style(
        configure(find_recipe("style"), 16, 16, TINY["style"] | {"d.distilled": str(distilled)} | settings)  # type: ignore[arg-type]
    )


def step_of(system: Style, features: torch.Tensor | None, number: int = 1) -> Step:
    pictures = torch.rand(system.config.batch_size, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return Step(Batch(pictures, features=features), 0.0, number, Draw(0))


class TestLoss:
    def test_it_is_the_mean_of_squares_over_what_is_known(self):
        found = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], requires_grad=True)
        features = torch.tensor([[0.0, 0.0], [math.nan, math.nan], [5.0, 4.0]])
        loss = losses.distillation(found, features)
        assert loss.item() == pytest.approx((1 + 4 + 0 + 4) / 4)
        (slopes,) = torch.autograd.grad(loss, found)
        torch.testing.assert_close(slopes, torch.tensor([[0.5, 1.0], [0.0, 0.0], [0.0, 1.0]]))

    def test_nothing_known_is_nothing_to_learn(self):
        found = torch.ones(2, 3, requires_grad=True)
        loss = losses.distillation(found, torch.full((2, 3), math.nan))
        assert loss.item() == 0
        assert torch.equal(torch.autograd.grad(loss, found)[0], torch.zeros(2, 3))

    @pytest.mark.parametrize("number", [0, 1], ids=["with penalties", "in one pass"])
    def test_d_is_asked_about_the_real_pictures_alone(self, number):
        system = made(r1_gamma="0" if number else "1")
        step = step_of(system, None, number)
        d, real = system.discriminator, step.batch.pictures
        d.find.weight.data.normal_(generator=torch.Generator().manual_seed(1))
        found = d(real, finding=True)[:, 1:].detach()
        told = system.discriminator_loss(step_of(system, found + 2.0, number))
        assert told.parts["distillation"].item() == pytest.approx(4, abs=1e-4)
        bare = system.discriminator_loss(step)
        assert "distillation" not in bare.parts
        torch.testing.assert_close(told.total - bare.total, torch.tensor(4.0), rtol=1e-4, atol=1e-4)

    def test_the_logit_stays_what_it_is(self):
        d, pictures = made().discriminator, torch.rand(8, 3, 16, 16)
        torch.testing.assert_close(d(pictures, finding=True)[:, 0], d(pictures))

    def test_without_it_nothing_is_found_and_no_weights_are_there(self):
        system = made(0)
        assert system.distilled == 0
        assert not [name for name, _ in system.discriminator.named_parameters() if name.startswith("find")]
        parts = system.discriminator_loss(
            step_of(system, torch.zeros(system.config.batch_size, OFFLINE_FEATURES))
        ).parts
        assert "distillation" not in parts


class TestWhatIsLookedAt:
    @pytest.mark.parametrize(
        ("there", "budget", "count"),
        [
            (500, Budget.of(60, None), 500),
            (5_000, Budget.of(1, None), 2_400),
            (5_000, Budget.of(0.1, None), 1_000),
            (200_000, Budget.of(600, None), 50_000),
            (5_000, Budget.of(None, 64), 1_000),
            (5_000, Budget.of(None, 3_000), 1_000),
            (5_000, Budget.of(None, 20_000), 4_000),
        ],
    )
    def test_as_many_as_the_budget_bears(self, there, budget, count):
        assert affordable(there, budget) == count

    def test_they_are_those_of_the_offline_net_whitened(self, pack):
        which, table = features_for(made(), pack, PackSource(pack, 8, seed=3), 1000, CPU, silent)
        assert which.tolist() == [*range(len(pack))]
        assert table.shape == (len(pack), OFFLINE_FEATURES)
        assert table.dtype == np.float32
        ours = look(offline_net(), chunks_of(pack.pictures), len(pack)).features
        np.testing.assert_allclose(table, whitened(ours), atol=1e-3)

    def test_every_principal_direction_counts_as_much(self):
        rng = np.random.default_rng(0)
        features = (rng.normal(size=(500, 100)) * np.logspace(0, -2, 100) + 3).astype(np.float32)
        made = whitened(features)
        assert made.dtype == np.float32
        assert np.square(made).mean() == pytest.approx(1, abs=1e-3)
        np.testing.assert_allclose(made.mean(0), 0, atol=1e-4)
        values = np.linalg.eigvalsh(np.cov(made.T.astype(np.float64), bias=True))
        np.testing.assert_allclose(values[-DIRECTIONS:], 100 / DIRECTIONS, rtol=1e-3)
        np.testing.assert_allclose(values[:-DIRECTIONS], 0, atol=1e-4)
        turned = whitened(features[::-1].copy())[::-1]  # nothing hangs on the sign of a direction
        np.testing.assert_allclose(turned, made, atol=1e-3)

    @pytest.mark.parametrize("count", [1, 2, 5])
    def test_few_pictures_or_all_alike_are_whitened_too(self, count):
        one = np.random.default_rng(0).normal(size=(count, 10)).astype(np.float32)
        for features in (one, np.repeat(one[:1], count, 0)):
            assert np.isfinite(whitened(features)).all()

    def test_they_lie_evenly_among_those_that_are_handed_out_first(self, pack, monkeypatch):
        monkeypatch.setattr(teacher, "ONE_IN", 2)
        source = PackSource(pack, 4, seed=3)
        source.features = features_for(made(), pack, source, 8, CPU, silent)
        known = [int(torch.isfinite(source.batch(number).features).all(1).sum()) for number in range(5)]
        assert known == [2, 2, 2, 2, 0]  # 8 of the first 16
        assert len(source.features[1]) == 8
        assert source.features[0].tolist() == sorted(source.spread(8, within=16).tolist())

    @pytest.mark.parametrize(("count", "within"), [(0, 10), (1, 10), (7, 10), (10, 10), (10, 7), (100, 1000)])
    def test_none_is_looked_at_twice(self, pack, count, within):
        source = PackSource(pack, 4, seed=3)
        chosen = source.spread(count, within).tolist()
        assert len(chosen) == len(set(chosen)) == min(count, within, source.size)
        assert set(chosen) <= set(source.spread(within, within).tolist())

    def test_a_batch_carries_those_of_its_pictures(self, pack):
        which = np.arange(0, len(pack) - 1, 2)
        known = which, np.stack((which, -which), 1).astype(np.float32)
        batch = PackSource(pack, len(pack), features=known).batch(0)
        for index, row in zip(batch.indices.tolist(), batch.features.tolist(), strict=True):
            assert row == ([index, -index] if index in which else pytest.approx([math.nan] * 2, nan_ok=True))
        assert PackSource(pack, 8).batch(0).features is None

    def test_systems_that_do_not_ask_cost_nothing(self, pack, monkeypatch):
        monkeypatch.setattr(teacher, "look_at_collection", lambda *_, **__: pytest.fail("looked"))
        assert features_for(made(0), pack, PackSource(pack, 8), 1000, CPU, silent) is None

    def test_another_number_is_refused(self):
        with pytest.raises(UsageError, match="192 features"):
            made(7)

    def test_the_recipe_asks_for_what_the_net_has(self):
        assert offline_net().dims == OFFLINE_FEATURES
        for make in (find_recipe("style").make, find_recipe("style").brief):
            assert make(64, 64).d.distilled == make(28, 96).d.distilled == OFFLINE_FEATURES
            assert make(27, 27).d.distilled == make(96, 27).d.distilled == 0  # was never tried


def test_d_learns_to_find_them(pack):
    """Here the mean colours of a picture, which a net of a few maps can see."""
    system = made(r1_gamma="0", r2_gamma="0")
    colours = np.asarray(pack.pictures).mean((1, 2), dtype=np.float32)
    known = np.tile((colours - colours.mean(0)) / colours.std(0), OFFLINE_FEATURES // 3)
    everything = np.arange(len(pack))
    source = PackSource(pack, system.config.batch_size, seed=0, flip=False, features=(everything, known))
    table = Table(system.turns(), source, "cpu", lambda: torch.autocast("cpu", enabled=False), seed=0)
    misses = [float(run_step(table, 0.0, system).losses["D"]["distillation"]) for _ in range(150)]
    assert np.mean(misses[-10:]) < 0.5 * np.mean(misses[:10])


def test_a_replayed_run_learns_from_as_many(pictures, tmp_path, own_cache):
    quick = {"size": 16, "settings": TINY["style"], "observers": [], "flip": False}
    first = ganforge.train(pictures, images=64, out=tmp_path / "first", **quick)
    assert first.config.looked_at == 60
    assert any("distillation" in event["losses"]["D"] for event in first.events("report"))
    first.extend(looked_at=9)
    again = ganforge.train(pictures, replay=first.path, out=tmp_path / "again", **quick)
    assert again.config.looked_at == 9
