"""StyleGAN2: the published sizes, what its layers compute, and the game's extra rules."""

import math

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from ganforge.game import Batch, Draw, Step
from ganforge.ops.augmentation import adapted
from ganforge.systems import configure, recipes
from ganforge.systems.stylegan2 import StyledConv, StyleGan2, StyleGan2Discriminator, StyleGan2Generator, stylegan2
from systems_tiny import tiny


def weights(module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.fixture
def system():
    torch.manual_seed(0)
    recipe, config = tiny("stylegan2")
    return recipe.system(config)


def step_of(system, number=1, n=8) -> Step:
    config = system.config
    draw = Draw(3)
    return Step(Batch(draw.uniform(n, 3, config.height, config.width) * 2 - 1), 0.0, number, draw)


class TestPublished:
    """Figures that the authors' code prints for 1024×1024 pictures and the configuration `auto`."""

    def test_weights(self):
        with torch.device("meta"):
            g, d = StyleGan2Generator(stylegan2(1024, 1024)), StyleGan2Discriminator(stylegan2(1024, 1024))
        assert weights(g) == 28_794_124
        assert weights(d) == 29_012_513
        assert [weights(conv) for conv in g.convs[:3]] == [2_622_465] * 3  # 512 maps
        assert [weights(conv) for conv in g.convs[9:13]] == [1_442_561, 721_409, 426_369, 213_249]
        assert [weights(draw) for draw in g.draws[4:7]] == [264_195, 132_099, 66_051]
        assert [weights(level) for level in d.levels[:2]] == [2_048 + 9_248 + 18_496, 8_192 + 36_928 + 73_856]
        assert weights(d.look) == 2_364_416
        assert weights(d.hidden) == 4_194_816
        assert g.layers == 18

    def test_auto_for_one_gpu(self):
        config = stylegan2(64, 64)
        assert (config.batch_size, config.ema_halflife_kimg, config.ema_rampup) == (32, 10, 0.05)
        assert config.r1_gamma == pytest.approx(0.0256)
        assert (config.maps(0), config.maps(3), config.maps(4)) == (512, 512, 256)
        assert (config.g_learning_rate, stylegan2(1024, 1024).g_learning_rate) == (2.5e-3, 2e-3)
        assert (stylegan2(256, 256).batch_size, stylegan2(1024, 1024).batch_size) == (16, 4)
        assert (config.z_size, config.w_size, config.mixing, config.r1_every_steps) == (512, 512, 0.9, 16)

    def test_one_forward_pass_at_64(self):
        torch.manual_seed(0)
        config = stylegan2(64, 64)
        g, d = StyleGan2Generator(config), StyleGan2Discriminator(config)
        with torch.no_grad():
            pictures = g(g.latents(Draw(0), 4))
            assert pictures.shape == (4, 3, 64, 64)
            assert [f.shape[1:] for f in d.features(pictures)] == [
                (512, 32, 32), (512, 16, 16), (512, 8, 8), (512, 4, 4),
            ]  # fmt: skip
            assert d(pictures).shape == (4,)
        assert 0.2 < pictures.std() < 4  # five drawings of about 1, each of normalised maps


class TestLayers:
    def test_a_layer_is_a_convolution_with_modulated_and_demodulated_weights(self):
        torch.manual_seed(0)
        layer = StyledConv(5, 7, 4, places=(6, 6), double=False).eval()
        layer.conv.bias.data.normal_()
        maps, w = torch.randn(3, 5, 6, 6), torch.randn(3, 4)
        modulated = layer.conv.weight[None] * layer.affine(w)[:, None, :, None, None]
        modulated = modulated / (modulated.square().sum((2, 3, 4), keepdim=True) + 1e-8).sqrt()
        expected = torch.cat([F.conv2d(m[None], k, padding=1) for m, k in zip(maps, modulated, strict=True)])
        expected = F.leaky_relu(expected + layer.conv.bias[:, None, None], 0.2) * math.sqrt(2)
        torch.testing.assert_close(layer(maps, w), expected)

    def test_a_doubling_layer_convolves_the_doubled_and_filtered_maps(self):
        torch.manual_seed(0)
        layer = StyledConv(5, 7, 4, places=(12, 12), double=True).eval()
        maps, w = torch.randn(2, 5, 6, 6), torch.randn(2, 4)
        scaled = maps * layer.affine(w)[:, :, None, None]
        zeros = torch.zeros(2, 5, 12, 12)
        zeros[:, :, ::2, ::2] = scaled
        taps = torch.tensor([1.0, 3, 3, 1]) / 4
        kernel = layer.conv.weight.flip(2, 3)
        wide = F.conv2d(F.pad(zeros, (8, 8, 8, 8)), kernel, padding=1)
        wide = F.conv2d(wide, torch.outer(taps, taps).expand(7, 1, 4, 4), groups=7)
        level = (layer.conv.weight[None] * layer.affine(w)[:, None, :, None, None]).square().sum((2, 3, 4)).rsqrt()
        expected = F.leaky_relu(wide * level[:, :, None, None], 0.2) * math.sqrt(2)
        made = layer(maps, w)
        assert made.shape == (2, 7, 12, 12)
        inner = expected[:, :, 8:16, 8:16]  # where no edge reaches; 8 of padding, less 1 + 1 that the two steps take
        torch.testing.assert_close(made[:, :, 2:10, 2:10], inner)
        assert inner.std() > 0.1

    def test_noise_is_fresh_in_training_and_fixed_afterwards(self, system):
        g = system.generator
        for conv in g.convs:
            conv.noise.strength.data.fill_(1.0)
        w = g.map(g.latents(Draw(0), 2))
        assert torch.equal(g.synthesize(w), g.synthesize(w))
        assert not torch.equal(g.synthesize(w, g.fresh_noise(Draw(0), 2)), g.synthesize(w))
        steps = [Step(Batch(torch.zeros(2, 3, g.height, g.width)), 0.0, 0, Draw(0)) for _ in range(2)]
        assert torch.equal(*(system.fakes(step) for step in steps)), "noise comes from the step's draws"

    @pytest.mark.parametrize("size", [(20, 28), (33, 16), (5, 9)])
    def test_any_proportions(self, size):
        recipe = recipes()["stylegan2"]
        config = configure(recipe, *size, {"z_size": "8", "w_size": "8", "maps_times_side": "64"})
        system = StyleGan2(config)
        pictures = system.generator(system.generator.latents(Draw(0), 4))
        assert pictures.shape == (4, 3, *size)
        assert system.discriminator(pictures).shape == (4,)


class TestGame:
    def test_lengths_of_paths_where_pictures_are_linear_in_styles(self, system, monkeypatch):
        config = system.config
        size = (3, config.height, config.width)
        matrix = torch.randn(config.w_size, math.prod(size))
        monkeypatch.setattr(
            system.generator,
            "synthesize",
            lambda w, noise: (w[:, 0] @ matrix + 2 * w[:, 1] @ matrix).reshape(-1, *size),
        )
        lengths = system.path_lengths(step_of(system))
        again = step_of(system)
        system.latents(again, 4)
        system.generator.fresh_noise(again.draw, 4)
        y = again.draw.normal(4, *size).flatten(1) / 16
        slopes = (y @ matrix.T).square().sum(1)
        torch.testing.assert_close(lengths, ((1 + 4) * slopes / system.generator.layers).sqrt())

    def test_penalties_are_due_in_their_own_steps(self, system):
        assert "paths" in system.generator_loss(step_of(system, 4)).parts
        assert "paths" not in system.generator_loss(step_of(system, 5)).parts

    def test_the_mean_path_length_follows(self, system):
        step = step_of(system, 0)
        system.generator_loss(step)
        lengths = system.path_lengths(step_of(system, 0))
        system.after_step(step)
        assert 0 < system.state["path_length"] < lengths.mean()  # a hundredth of the way
        kept = system.state["path_length"].clone()
        system.after_step(step_of(system, 1))
        assert torch.equal(system.state["path_length"], kept)

    def test_strength_rises_while_d_is_sure_of_real_pictures(self, system):
        class Sure(torch.nn.Module):
            group = 4

            def forward(self, pictures, condition=None):
                return pictures.mean((1, 2, 3)) * 0 + 5

        system.discriminator = Sure()
        for number in range(4):
            step = step_of(system, number)
            system.discriminator_loss(step)
            system.after_step(step)
        assert system.state["augment"] == pytest.approx(4 * 8 / 500_000)
        assert system.state["signs"] == 0
        assert float(adapted(torch.tensor(0.5), torch.tensor(0.5), 0.01)) == pytest.approx(0.49)
        assert float(adapted(torch.tensor(0.999), torch.tensor(0.9), 0.01)) == 1.0
        assert float(adapted(torch.tensor(0.001), torch.tensor(-1.0), 0.01)) == 0.0
