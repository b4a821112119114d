"""The style system: its sizes, its styles, and when its penalty falls due."""

import re
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from ganforge.attributes import Schema
from ganforge.errors import UsageError
from ganforge.game import Batch, Draw, Step
from ganforge.systems import configure, find_recipe, fitted
from ganforge.systems.style import Modulated, Scales, Style, StyleConfig, clipped_tanh, coarsest
from ganforge.systems.styled import Noise, unit
from systems_tiny import TINY

RECIPE = find_recipe("style")


def made(height: int = 16, width: int = 16, **settings: str) -> Style:
    torch.manual_seed(0)
    config = configure(find_recipe("style"), height, width, TINY["style"] | settings)
    assert isinstance(config, StyleConfig)
    return Style(config)


def step_of(system: Style, number: int = 0, seed: int = 0) -> Step:
    shape = (system.config.batch_size, 3, system.config.height, system.config.width)
    pictures = torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return Step(Batch(pictures), 0.0, number, Draw(seed))


def multiplications(net: torch.nn.Module, *given: torch.Tensor) -> float:
    """A picture."""
    net.eval().requires_grad_(False)
    with FlopCounterMode(display=False) as counter:
        net(*given)
    return counter.get_total_flops() / 2 / len(given[0])


class TestForTheBrowser:
    def test_multiplications_and_size_of_the_lean_generator(self):
        """At most 120 million multiplications a picture, 8 MB stored as float16."""
        generator = Style.make_nets(find_recipe("style").make(64, 64))["generator"]
        assert multiplications(generator, torch.zeros(1, generator.z_size)) <= 120e6
        assert 2 * sum(p.numel() for p in generator.parameters()) <= 8e6

    def test_multiplications_that_the_docs_name(self):
        text = (Path(__file__).parent.parent / "docs" / "style.md").read_text("utf-8")
        told = re.findall(r"(\d+) / (\d+) at (\d+)×(\d+)", text)
        assert len(told) == 3
        for g, d, height, width in told:
            nets = Style.make_nets(find_recipe("style").make(int(height), int(width)))
            z, pictures = torch.zeros(1, 128), torch.zeros(1, 3, int(height), int(width))
            assert round(multiplications(nets["generator"], z) / 1e6) == int(g)
            assert round(multiplications(nets["discriminator"], pictures) / 1e6) == int(d)

    def test_weights_that_the_docs_name(self):
        text = (Path(__file__).parent.parent / "docs" / "style.md").read_text("utf-8").partition("## `stylegan2`")[0]
        told = re.findall(r"at 64×64: ([\d.]+) M in G, ([\d.]+) M in D", text)
        assert len(told) == 2
        for counts, make in zip(told, (RECIPE.make, RECIPE.brief), strict=True):
            nets = Style.make_nets(make(64, 64))
            assert counts == tuple(f"{sum(p.numel() for p in net.parameters()) / 1e6:.1f}" for net in nets.values())


@pytest.mark.parametrize(("height", "width"), [(16, 16), (16, 24), (30, 17), (40, 16), (33, 47)])
def test_any_proportions_are_drawn_and_judged_as_such(height, width):
    system = made(height, width)
    config = system.config
    z = torch.randn(4, config.z_size)
    pictures = system.generator(z)
    assert pictures.shape == (4, 3, height, width)
    assert system.discriminator(pictures).shape == (4,)
    rows, columns = coarsest(config, 1)
    assert system.generator.start.shape[2:] == (rows, columns)
    for side, coarse in ((height, rows), (width, columns)):
        assert 0 <= coarse * 2 - side < 2


def test_every_pixel_reaches_the_discriminator_and_comes_from_the_latent():
    system = made(30, 17)
    pictures = torch.zeros(4, 3, 30, 17, requires_grad=True)
    system.discriminator(pictures).sum().backward()
    assert (pictures.grad.abs().sum((0, 1)) > 0).all()
    drawn = system.generator(torch.randn(4, system.config.z_size))
    assert (drawn.std(0) > 0).all()


class TestStyles:
    def test_styles_have_second_moment_one(self):
        x = unit(torch.randn(5, 64) * 7)
        torch.testing.assert_close(x.square().mean(1), torch.ones(5))

    @pytest.mark.parametrize("keeps_size", [True, False])
    def test_maps_keep_their_size_and_strokes_do_not(self, keeps_size):
        layer, other = Modulated(32, 64, 8, keeps_size=keeps_size), Modulated(24, 8, 8, keeps_size=not keeps_size)
        scales = Scales([layer, other], [0, 0])
        maps, w = torch.randn(16, 32, 8, 8), torch.randn(16, 1, 8)
        first = layer(maps * scales(w, [layer, other], w.dtype)[0]).std()
        torch.nn.init.zeros_(layer.style.weight)
        torch.nn.init.constant_(layer.style.bias, 5)
        grown = layer(maps * scales(w, [layer, other], w.dtype)[0]).std() / first
        assert (grown < 1.2) if keeps_size else (grown > 2)

    def test_scales_are_those_of_each_layer_by_itself(self):
        takers = [Modulated(maps, 4, 8, keeps_size=keeps) for maps, keeps in ((6, True), (5, True), (6, False))]
        w = torch.randn(3, 2, 8)
        for layers in ((0, 1, 1), (0, 0, 0)):
            got = Scales(takers, layers)(w if any(layers) else w[:, :1], takers, torch.float32)
            for taker, layer, scale in zip(takers, layers, got, strict=True):
                raw = taker.style(w[:, layer])
                torch.testing.assert_close(scale[:, :, 0, 0], unit(raw) if taker.keeps_size else raw * 0.5**0.5)

    def test_one_latent_is_one_style_for_all_layers(self):
        g = made().generator
        w = g.map(torch.randn(3, g.z_size))
        assert w.shape == (3, g.layers, 8)
        assert torch.equal(w, w[:, :1].expand_as(w))

    def test_layers_from_the_crossing_on_take_the_second_latent(self):
        g = made().generator
        a, b = torch.randn(4, g.z_size), torch.randn(4, g.z_size)
        crossing = torch.tensor([1, 2, g.layers, 1])
        w = g.map(a).clone()
        w[0, 1:] = g.map(b)[0, 1:]
        w[1, 2:] = g.map(b)[1, 2:]
        w[3, 1:] = g.map(b)[3, 1:]
        torch.testing.assert_close(g(a, None, b, crossing), g.synthesize(w))

    def test_every_layer_matters(self):
        g = made().generator
        w = g.map(torch.randn(1, g.z_size))
        for layer in range(g.layers):
            other = w.clone()
            other[:, layer] = g.map(torch.randn(1, g.z_size))[:, 0]
            assert not torch.allclose(g.synthesize(other), g.synthesize(w)), layer

    def test_mixing_changes_some_pictures(self):
        plain, mixed = made(), made(mixing="0.5")
        a, b = plain.fakes(step_of(plain)), mixed.fakes(step_of(mixed))
        same = torch.isclose(a, b, atol=1e-6).flatten(1).all(1)
        assert 0 < same.sum() < len(same)


def test_pictures_end_exactly_in_black_and_white_and_can_come_back():
    linear, bounded = (made(**{"g.output": output}).generator for output in ("linear", "tanh"))
    for draw in bounded.draws:
        torch.nn.init.normal_(draw.conv.weight)
    linear.load_state_dict(bounded.state_dict())
    w = bounded.map(torch.randn(4, bounded.z_size))
    beyond, drawn = linear.synthesize(w), bounded.synthesize(w)
    assert (beyond.abs() > 1.6).any()
    torch.testing.assert_close(drawn, (1.1 * beyond.tanh()).clamp(-1, 1))
    torch.testing.assert_close(drawn[beyond < -1.6], torch.full_like(drawn[beyond < -1.6], -1), atol=1e-6, rtol=0)
    at = torch.tensor([-2.0, 0.0, 2.0], requires_grad=True)
    (slopes,) = torch.autograd.grad(clipped_tanh(at).sum(), at)
    torch.testing.assert_close(slopes, 1.1 * (1 - at.detach().tanh().square()))


def test_noise_is_there_where_it_is_asked_for():
    plain, noisy = made().generator, made(**{"g.noise": "true"}).generator
    assert len(noisy.state_dict()) == len(plain.state_dict()) + 2 * (noisy.layers - 1)
    w = noisy.map(torch.randn(2, noisy.z_size))
    fresh = noisy.fresh_noise(Draw(1), 2)
    assert len(fresh) == noisy.layers - 1
    assert torch.equal(noisy.synthesize(w, fresh), noisy.synthesize(w)), "its strength is 0 at first"
    for module in noisy.modules():
        if isinstance(module, Noise):
            torch.nn.init.ones_(module.strength)
    assert torch.equal(noisy.synthesize(w), noisy.synthesize(w))
    assert not torch.equal(noisy.synthesize(w, fresh), noisy.synthesize(w))
    assert not plain.fresh_noise(Draw(1), 2)


def test_noise_is_drawn_for_the_whole_batch_and_sliced_for_each_process():
    noisy = made(**{"g.noise": "true"}).generator
    whole = noisy.fresh_noise(Draw(1), 4)
    halves = [noisy.fresh_noise(Draw(1, rank=rank, processes=2), 2) for rank in range(2)]
    for layer, *parts in zip(whole, *halves, strict=True):
        assert torch.equal(layer, torch.cat(parts))


class TestPenalty:
    def test_it_falls_due_lazily_and_weighs_as_many_steps(self):
        system = made(r1_every_steps="4")
        free = made(r1_every_steps="4", r1_gamma="0")
        for number in range(9):
            ours = system.discriminator_loss(step_of(system, number)).total
            bare = free.discriminator_loss(step_of(free, number)).total
            assert (ours - bare > 1e-7) == (number % 4 == 0), number

    @pytest.mark.parametrize("which", ["r1_gamma", "r2_gamma"])
    def test_its_size_in_closed_form(self, which):
        free = {"r1_gamma": "0", "r2_gamma": "0"}
        system = made(r1_every_steps="4", **free | {which: "0.5"})
        step = step_of(system)
        pictures = step.batch.pictures if which == "r1_gamma" else system.fakes(step).detach()
        x = pictures.clone().requires_grad_()
        (slopes,) = torch.autograd.grad(system.discriminator(x).sum(), x)
        expected = 0.25 * 4 * slopes.square().sum((1, 2, 3)).mean()
        bare = made(**free).discriminator_loss(step_of(system)).total
        torch.testing.assert_close(system.discriminator_loss(step).total - bare, expected, rtol=1e-3, atol=1e-5)

    def test_both_ways_to_judge_are_one_loss(self):
        """Real and made pictures in one pass, or in two where the penalty is due: the same verdicts, group by group."""
        system = made(r1_gamma="0", loss="non_saturating", batch_size="8", **{"d.minibatch_group": "4"})
        step = step_of(system, 1)
        together = system.discriminator_loss(step).parts
        real, fake = step.batch.pictures, system.fakes(step).detach()
        d = system.discriminator
        apart = torch.nn.functional.softplus(-d(real)).mean()
        torch.testing.assert_close(together["real"], apart)
        torch.testing.assert_close(together["fake"], torch.nn.functional.softplus(d(fake)).mean())

    def test_groups_that_do_not_divide_a_batch_are_judged_apart(self):
        system = made(r1_gamma="0", batch_size="6", **{"d.minibatch_group": "4"})
        passes = []
        system.discriminator.register_forward_hook(lambda _, given, __: passes.append(len(given[0])))
        system.discriminator_loss(step_of(system, 1))
        assert passes == [6, 6]

    def test_all_of_it_is_computed_where_the_rest_may_be_rounded(self, monkeypatch):
        """The slopes too: what `exactly` promises on accelerators, here as if a CPU were one."""
        system = made()
        exact, fakes = system.discriminator_loss(step_of(system)).total, system.fakes(step_of(system))
        monkeypatch.setattr(system, "exactly", lambda device: torch.autocast(device, enabled=False))
        with torch.autocast("cpu", torch.bfloat16):
            step = step_of(system)
            step.remember("fakes", lambda: fakes, made_by=[])
            rounded = system.discriminator_loss(step).total
        torch.testing.assert_close(rounded, exact, rtol=1e-6, atol=0)


@pytest.mark.parametrize("loss", ["non_saturating", "relativistic"])
def test_both_losses_in_closed_form(loss):
    system = made(loss=loss, r1_gamma="0")
    step = step_of(system, 1)
    real, fake = system.discriminator(step.batch.pictures), system.discriminator(system.fakes(step))
    softplus = torch.nn.functional.softplus
    if loss == "relativistic":
        expected_d, expected_g = softplus(fake - real).mean(), softplus(real - fake).mean()
    else:
        expected_d, expected_g = softplus(-real).mean() + softplus(fake).mean(), softplus(-fake).mean()
    torch.testing.assert_close(system.discriminator_loss(step).total, expected_d)
    torch.testing.assert_close(system.generator_loss(step).total, expected_g)


def test_made_pictures_are_compared_with_what_d_found_before_it_moved():
    system = made(loss="relativistic", r1_gamma="0")
    step, d = step_of(system, 1), system.discriminator
    system.discriminator_loss(step)
    before = d(step.batch.pictures).detach()
    with torch.no_grad():
        for weight in d.parameters():
            weight.add_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(1)), alpha=0.1)
    expected = torch.nn.functional.softplus(before - d(system.fakes(step))).mean()
    passes = []
    d.register_forward_hook(lambda *_: passes.append(1))
    torch.testing.assert_close(system.generator_loss(step).total, expected)
    assert len(passes) == 1


def test_few_pictures_are_augmented_unless_something_else_is_asked_for():
    def fitted_to(pictures: int, **settings: str):
        return fitted(RECIPE, configure(RECIPE, 16, 16, TINY["style"] | settings), Schema(), pictures).augment

    assert 0 < fitted_to(200) <= 1
    assert fitted_to(200_000) == 0
    assert fitted_to(200, augment="0.8") == 0.8
    assert fitted_to(200, augment="adaptive") == "adaptive"
    with pytest.raises(UsageError, match="augment"):
        fitted_to(200, augment="2")


@pytest.mark.parametrize(("share", "output"), [(0.0, "linear"), (0.03, "linear"), (0.47, "tanh")])
def test_pictures_end_in_black_and_white_where_real_ones_do(share, output):
    asked = configure(RECIPE, 16, 16)
    assert fitted(RECIPE, asked, Schema(), 200, share).g.output == output
    assert fitted(RECIPE, configure(RECIPE, 16, 16, {"g.output": "tanh"}), Schema(), 200, share).g.output == "tanh"
    assert asked.g.output == "by_pictures"


def test_augmentation_that_adapts_begins_with_nothing():
    system = made(augment="adaptive", loss="relativistic")
    step = step_of(system, 3)
    assert torch.equal(system.seen(step.batch.pictures, step), step.batch.pictures)
    system.discriminator_loss(step)
    system.after_step(step)
    system.state["augment"] = torch.ones(())
    assert not torch.equal(system.seen(step.batch.pictures, step), step.batch.pictures)


@pytest.mark.parametrize("sure", [1.0, 0.0])
def test_augmentation_that_adapts_follows_how_often_real_pictures_win(sure):
    system = made(augment="adaptive", loss="relativistic")
    step = step_of(system, 1)  # before anything is augmented
    system.discriminator_loss(step)
    told, lied = system.discriminator(step.batch.pictures), system.discriminator(system.fakes(step))
    assert step.remember("signs", lambda: None, made_by=()) == (told - lied).sign().mean()
    system.state["augment"] = torch.tensor(0.5)
    for number in range(4):
        step = step_of(system, number)
        step.remember("signs", lambda: torch.tensor(sure), made_by=())
        system.after_step(step)
    assert system.state["augment"] == pytest.approx(0.5 + (2 * sure - 1) * 8 * 4 / 50_000, abs=1e-7)


@pytest.mark.parametrize(("side", "most", "least"), [(32, 1, 0.0256), (64, 0.1024, 0.1024), (256, 1.6384, 1.6384)])
def test_penalties_are_so_much_a_pixel_and_below_64_pixels_fall_to_it(side, most, least):
    config = configure(RECIPE, side, side, {})
    assert config.r1_gamma == config.r2_gamma == pytest.approx(most)
    assert config.r1_gamma * config.gamma_least == pytest.approx(least)


@pytest.mark.parametrize(("right", "share"), [(0.95, 1.0), (0.8, 0.1)])
def test_penalties_fall_while_d_is_seldom_sure_and_grow_again(right, share):
    system = made(gamma_least="0.1", gamma_kimg="1")
    assert system.gamma_share == 1

    def play(steps: int, right: float) -> None:
        for number in range(steps):
            step = step_of(system, number)
            step.remember("signs", lambda: torch.tensor(2 * right - 1), made_by=())
            system.after_step(step)

    play(64, 0.5)
    assert system.gamma_share == pytest.approx(0.1**0.512), "512 of the 1,000 pictures"
    play(128, right)
    assert system.gamma_share == pytest.approx(share)


def test_what_is_left_of_gamma_scales_both_penalties():
    system, plain = made(gamma_least="0.25"), made(r1_gamma="0", r2_gamma="0")
    step, free = step_of(system, 0), step_of(plain, 0)
    alone = plain.discriminator_loss(free).total
    full = system.discriminator_loss(step).total - alone
    system.state["penalty"] = torch.zeros(())
    quarter = system.discriminator_loss(step_of(system, 0)).total - alone
    assert full > 0
    torch.testing.assert_close(quarter, full / 4)


def test_augmentation_is_what_d_sees_and_nothing_else():
    system, plain = made(augment="1"), made()
    a, b = step_of(system, 1), step_of(plain, 1)
    assert torch.equal(system.fakes(a), plain.fakes(b))
    assert system.discriminator_loss(a).total != plain.discriminator_loss(b).total


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"g.widths": "8,8,8,8,8"}, "g.convs has 2"),
        ({"d.widths": "8,8,8,8,8,8", "d.convs": "0,0,0,0,0,0"}, "too often"),
    ],
)
def test_nets_that_do_not_fit_are_refused(settings, word):
    with pytest.raises(UsageError, match=word):
        made(**settings)
