"""The contract of every system, the published counts of DCGAN's nets, and its losses."""

import numpy as np
import pytest
import torch
from PIL import Image

import ganforge
from ganforge import losses
from ganforge.errors import UnknownNameError, UsageError
from ganforge.game import Batch, Condition, Draw, Step
from ganforge.model.model import load_parts
from ganforge.systems import configure, find_recipe, recipes, settings_of
from ganforge.training.execution import Execution
from ganforge.training.step import Table, run_step
from systems_tiny import SCHEMA, TINY, tiny, write_pictures


class Noise:
    """A source of seeded noise, in two classes, with captions."""

    size = None

    def __init__(self, n: int, height: int, width: int) -> None:
        self.shape = (n, 3, height, width)

    def batch(self, number: int) -> Batch:
        classes = (torch.arange(self.shape[0]) % 2).float()[:, None].repeat(1, len(SCHEMA.attributes))
        classes[0] = torch.nan  # nobody knows
        noise = torch.rand(self.shape, generator=torch.Generator().manual_seed(number)) * 2 - 1
        captions = [f"picture {number}-{i}" if i else "" for i in range(self.shape[0])]
        return Batch(noise, Condition(attributes=classes), captions)


def table_of(name: str, seed: int = 0):
    from contextlib import nullcontext

    recipe, config = tiny(name)
    torch.manual_seed(seed)
    system = recipe.system(config)
    source = Noise(config.batch_size, config.height, config.width)
    return system, Table(system.phases()[0].turns, source, "cpu", nullcontext, seed)


def ways_of(system) -> list[Execution]:
    return [Execution("cpu", layout.name, precision) for layout in system.layouts() for precision in system.precisions]


def play_one_step(system, way: Execution) -> None:
    way.apply(system)
    source = Noise(system.config.batch_size, system.config.height, system.config.width)
    played = run_step(Table(system.phases()[0].turns, source, "cpu", way.autocast, 0), 0.0, system)
    for turn, found in played.losses.items():
        assert found["total"].isfinite(), (turn, way)


def first_net(system) -> torch.nn.Module:
    return next(iter(system.nets.values()))


def weights_of(net) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in net.named_parameters()}


def test_every_recipe_has_a_tiny_config():
    assert set(TINY) == set(recipes())


UNBOUNDED = ("style", "stylegan2")
GENERATORS = sorted(name for name in TINY if recipes()[name].system.kind == "generator")


@pytest.mark.parametrize("name", GENERATORS)
class TestGenerators:
    def test_shapes(self, name):
        system, _ = table_of(name)
        config = system.config
        g, d = system.nets["generator"], system.nets["discriminator"]
        z = g.latents(Draw(1), 4)
        assert z.shape == (4, g.z_size)
        w = g.map(z)
        assert w.ndim == 3
        assert len(w) == 4
        pictures = g.synthesize(w)
        assert pictures.shape == (4, 3, config.height, config.width)
        if name in UNBOUNDED:
            assert (pictures.abs() <= 1).float().mean() > 0.75  # sums; what lies beyond is clipped where it is stored
        else:
            assert pictures.abs().max() <= 1
        assert g(z).shape == pictures.shape
        assert d(pictures).shape == (4,)
        verdicts = d.verdicts(pictures)
        assert ((verdicts >= 0) & (verdicts <= 1)).all()
        assert all(len(maps) == 4 for maps in d.features(pictures))

    def test_generated_pictures_carry_their_gradient_once(self, name):
        """G reuses what D judged, so a step draws fakes once; no gradient reaches D's weights in G's turn."""
        system, table = table_of(name)
        calls = []
        g = system.nets["generator"]
        g.register_forward_hook(lambda *_: calls.append(1))
        run_step(table, 0.0, system)
        assert len(calls) == 1


@pytest.mark.parametrize("name", sorted(TINY))
class TestContract:
    def test_a_turn_changes_only_its_own_net(self, name):
        system, table = table_of(name)
        for turn in table.turns:
            before = {n: weights_of(net) for n, net in system.nets.items()}
            run_step(Table([turn], table.source, "cpu", table.autocast, 0), 0.0, system)
            for n, net in system.nets.items():
                same = all(torch.equal(p, before[n][k]) for k, p in net.named_parameters())
                assert same == (net is not turn.player), n

    def test_same_seed_same_weights(self, name):
        ends = []
        for _ in range(2):
            system, table = table_of(name, seed=5)
            for i in range(2):
                run_step(table, i / 2, system)
            ends.append(weights_of(first_net(system)))
        assert all(torch.equal(ends[0][k], ends[1][k]) for k in ends[0])

    def test_another_seed_other_weights(self, name):
        a, b = (weights_of(first_net(table_of(name, seed=s)[0])) for s in (0, 1))
        assert not all(torch.equal(a[k], b[k]) for k in a)

    def test_every_way_to_compute_works(self, name):
        """One that fails is passed over when a run looks for the fastest way, and nobody would see why it is slow."""
        recipe, config = tiny(name)
        for way in ways_of(recipe.system(config)):
            play_one_step(recipe.system(config), way)

    def test_every_setting_is_explained(self, name):
        assert all(about for _, _, about in settings_of(recipes()[name]))


def test_settings_for_few_minutes_and_for_accelerators_are_told():
    told = {key: about for key, _, about in settings_of(recipes()["style"])}
    assert told["g.widths"].endswith("for a few minutes on a CPU: 128,128,64,32,16")
    assert told["batch_size"].endswith("; on an accelerator: 32")
    assert "few minutes" not in told["batch_size"]


@pytest.mark.parametrize(
    ("name", "generator", "discriminator"),
    [
        ("celeba28", 4_314_627, 1_042_561),  # computed from the notebook's layer table, flatten corrected
        ("dcgan64_pytorch", 3_576_704, 2_765_568),  # pytorch/examples dcgan/main.py
        ("dcgan64", 18_855_040, 17_232_768),  # Newmu/dcgan_code: 18.86 M and 17.23 M
    ],
)
def test_published_parameter_counts(name, generator, discriminator):
    recipe = find_recipe(name)
    nets = recipe.system.make_nets(configure(recipe, *recipe.size))
    count = {n: sum(p.numel() for p in net.parameters()) for n, net in nets.items()}
    assert count == {"generator": generator, "discriminator": discriminator}


@pytest.mark.parametrize("minibatch", ["discrimination", "stddev"])
def test_minibatch_features_in_every_way_to_compute(minibatch):
    recipe = find_recipe("cifar32")
    few = {"batch_size": "8", "d.minibatch": minibatch}
    config = configure(recipe, 32, 32, few)
    for way in ways_of(recipe.system(config)):
        play_one_step(recipe.system(config), way)


def test_the_tutorials_maps():
    """2 → 7 → 14 → 28 in G, 28 → 14 → 7 → 7 in D, and one logit a picture whatever the batch."""
    recipe = find_recipe("celeba28")
    nets = recipe.system.make_nets(configure(recipe, 28, 28))
    sides = [f.shape[-1] for f in nets["discriminator"].features(torch.zeros(3, 3, 28, 28))]
    assert sides == [14, 7, 7]
    seen = []
    for layer in nets["generator"].layers:
        if isinstance(layer, torch.nn.ConvTranspose2d):
            layer.register_forward_hook(lambda _, __, out: seen.append(out.shape[-1]))
    assert nets["generator"](torch.zeros(3, 100)).shape == (3, 3, 28, 28)
    assert seen == [7, 14, 28]
    assert nets["discriminator"](torch.zeros(3, 3, 28, 28)).shape == (3,)


def test_first_layers_have_no_normalisation():
    for name in (name for name in GENERATORS if recipes()[name].system.name == "dcgan"):
        _, config = tiny(name)
        nets = recipes()[name].system.make_nets(config)
        first = list(nets["discriminator"].layers[0])
        assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in first)
        assert isinstance(list(nets["generator"].layers)[-1], torch.nn.Tanh)


class TestSizes:
    @pytest.mark.parametrize("size", [(32, 32), (64, 64), (128, 128), (64, 48), (48, 96), (28, 28), (256, 256)])
    def test_dcgan_takes_any_size_that_halves(self, size):
        recipe = find_recipe("dcgan")
        nets = recipe.system.make_nets(configure(recipe, *size))
        assert nets["generator"](torch.zeros(2, 100)).shape == (2, 3, *size)
        assert nets["discriminator"](torch.zeros(2, 3, *size)).shape == (2,)

    @pytest.mark.parametrize("size", [(8, 8), (33, 33), (50, 70), (100, 64), (20, 90)])
    def test_dcgan_makes_any_size(self, size):
        recipe = find_recipe("dcgan")
        nets = recipe.system.make_nets(configure(recipe, *size, {"g.widths": "8,8,8", "d.widths": "8,8,8"}))
        made = nets["generator"](torch.randn(2, 100))
        assert made.shape == (2, 3, *size)
        assert nets["discriminator"](made).shape == (2,)

    def test_a_size_that_an_unpadded_convolution_cannot_make_is_explained(self):
        with pytest.raises(UsageError, match=r"30x30"):
            configure(find_recipe("celeba28"), 30, 30)


class TestSettings:
    def test_lists_numbers_words_and_nothing(self):
        config = configure(
            find_recipe("celeba28"), 28, 28, {"d.strides": "2,2,1", "loss": "minimax", "report_every_steps": "none"}
        )
        assert config.d.strides == (2, 2, 1)
        assert config.loss == "minimax"
        assert config.report_every_steps is None

    def test_unknown_setting_names_the_nearest(self):
        with pytest.raises(UnknownNameError, match="learning_rate"):
            configure(find_recipe("dcgan"), 64, 64, {"learning_rat": "1"})

    @pytest.mark.parametrize("bad", [{"learning_rate": "fast"}, {"d.strides": "3,3,3"}, {"batch_size": "0"}])
    def test_wrong_values_are_explained(self, bad):
        with pytest.raises(UsageError, match=next(iter(bad)).split(".")[0]):
            configure(find_recipe("celeba28"), 28, 28, bad)

    def test_unknown_recipe_names_the_nearest(self):
        with pytest.raises(UnknownNameError, match="celeba28"):
            find_recipe("celeba")


class TestLosses:
    logits = torch.tensor([-3.0, -0.5, 0.0, 2.0], dtype=torch.float64)

    def probabilities(self):
        return 1 / (1 + np.exp(-self.logits.numpy()))

    def test_discriminator(self):
        d = self.probabilities()
        assert losses.discriminator_real(self.logits).item() == pytest.approx(-np.log(d).mean(), abs=1e-6)
        assert losses.discriminator_fake(self.logits).item() == pytest.approx(-np.log(1 - d).mean(), abs=1e-6)

    def test_smoothing_is_cross_entropy_with_a_smaller_target(self):
        d = self.probabilities()
        expected = -(0.9 * np.log(d) + 0.1 * np.log(1 - d)).mean()
        assert losses.discriminator_real(self.logits, 0.9).item() == pytest.approx(expected, abs=1e-6)

    def test_minimax_and_non_saturating_have_the_same_fixed_point_and_another_gradient(self):
        d = self.probabilities()
        assert losses.generator_minimax(self.logits).item() == pytest.approx(np.log(1 - d).mean(), abs=1e-6)
        gradients = []
        for loss in (losses.generator_minimax, losses.generator_non_saturating):
            rejected = torch.tensor([-6.0], requires_grad=True)  # D is sure that this one is made
            loss(rejected).backward()
            gradients.append(abs(rejected.grad.item()))
        assert gradients[0] < 0.01 < 0.9 < gradients[1]


class TestStep:
    def test_memo_is_dropped_when_a_maker_moves(self):
        a, b = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
        step = Step(Batch(torch.zeros(1)), 0.0, 0, Draw(0))
        made = []
        for _ in range(2):
            step.remember("x", lambda: made.append("x") or 1, made_by=[a])
            step.remember("y", lambda: made.append("y") or 1, made_by=[a, b])
        assert made == ["x", "y"]
        step.forget(b)
        step.remember("x", lambda: made.append("x") or 1, made_by=[a])
        step.remember("y", lambda: made.append("y") or 1, made_by=[a, b])
        assert made == ["x", "y", "y"]

    def test_lazy_terms_are_due_every_so_many_steps(self):
        due = [Step(Batch(torch.zeros(1)), 0.0, n, Draw(0)).due(every=4) for n in range(9)]
        assert [n for n, d in enumerate(due) if d] == [0, 4, 8]

    def test_draws_are_for_the_global_batch_and_sliced(self):
        whole = Draw(3).normal(6, 2)
        halves = [Draw(3, rank=r, processes=2).normal(3, 2) for r in range(2)]
        assert torch.equal(whole, torch.cat(halves))

    def test_every_repeat_draws_a_fresh_batch(self):
        from dataclasses import replace

        system, table = table_of("dcgan")
        seen = []
        d, g = table.turns
        watched = replace(
            d, repeats=3, loss=lambda step: (seen.append(step.batch.pictures.sum().item()), d.loss(step))[1]
        )
        played = run_step(Table([watched, g], table.source, "cpu", table.autocast, 0), 0.0, system)
        assert len(set(seen)) == 3
        assert played.pictures == 3 * system.config.batch_size


# --- the classifier ---------------------------------------------------------------------------------------------------


def test_the_classifier_learns_two_colours_from_class_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("GANFORGE_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for name, colour in (("warm", (200, 80, 40)), ("cold", (40, 80, 200))):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for i in range(40):
            pixels = np.clip(np.array(colour) + rng.normal(0, 30, (16, 16, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / name / f"{i}.png")
    run = ganforge.train(
        tmp_path / "pictures", recipe="classifier", size=16, images=1200, settings=TINY["classifier"],
        out=tmp_path / "run", observers=[],
    )  # fmt: skip
    net = load_parts(run.path / "model")[1]["net"].eval()
    shades = torch.tensor([[200.0, 80, 40], [40, 80, 200]]) / 127.5 - 1
    with torch.no_grad():
        told = net(shades[:, :, None, None].expand(2, 3, 16, 16)).argmax(1).tolist()
    assert told == [1, 0]  # class folders in the order of their names: cold, warm
    last = run.events("report")[-1]
    assert last["losses"]["net"]["hit_rate"] > 0.9


def test_the_classifier_says_when_there_is_nothing_to_learn(tmp_path, monkeypatch):
    monkeypatch.setenv("GANFORGE_CACHE", str(tmp_path / "cache"))
    pictures = write_pictures(tmp_path / "pictures", 40)
    quick = {"recipe": "classifier", "size": 16, "images": 64, "observers": []}
    with pytest.raises(UsageError, match="carry no classes"):
        ganforge.train(pictures, settings=TINY["classifier"], out=tmp_path / "run", **quick)
    with pytest.raises(UnknownNameError, match="Did you mean hair"):
        ganforge.train(
            "avatars:64:1",
            settings={**TINY["classifier"], "only": "hairs"},
            out=tmp_path / "other",
            **quick | {"size": 32},
        )


def test_the_classifier_learns_every_kind_of_attribute(tmp_path):
    """Choice, flag and range, some of them unknown: outputs agree with what the pictures show."""
    from contextlib import nullcontext

    class Shades:
        """Grey level says everything: above 0 it is b and bright; its size is 1 + level."""

        size = None

        def batch(self, number: int) -> Batch:
            level = torch.rand(32, generator=torch.Generator().manual_seed(number)) * 2 - 1
            table = torch.stack([(level > 0).float(), (level > 0).float(), 1 + level], 1)
            table[::5, number % 3] = torch.nan
            return Batch(level[:, None, None, None].expand(32, 3, 16, 16), Condition(attributes=table))

    recipe, config = tiny("classifier")
    torch.manual_seed(0)
    system = recipe.system(config)
    table = Table(system.turns(), Shades(), "cpu", nullcontext, 0)
    for step in range(150):
        run_step(table, step / 150)
    net = system.nets["net"].eval()
    level = torch.tensor([-0.7, -0.3, 0.3, 0.7])
    with torch.no_grad():
        told = net(level[:, None, None, None].expand(4, 3, 16, 16))
    assert told[:, :2].argmax(1).tolist() == [0, 0, 1, 1]
    assert (told[:, 2] > 0).tolist() == [False, False, True, True]
    assert (told[:, 3] - level).abs().max() < 0.25  # 1 + level lies in 0 … 2, scaled to −1 … 1


def test_only_some_attributes_are_learnt():
    recipe, config = tiny("classifier")
    some = type(config).model_validate(config.model_dump() | {"only": ("size", "kind")})
    assert [(i, a.name) for i, a in some.learnt()] == [(0, "kind"), (2, "size")]
    assert recipe.system.make_nets(some)["net"](torch.zeros(2, 3, 16, 16)).shape == (2, 3)
