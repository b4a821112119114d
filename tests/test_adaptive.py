"""Augmentation of every kind: each change against plain arithmetic, its probability, and slopes of slopes."""

import math

import numpy as np
import pytest
import torch

from ganforge.ops.adaptive import NORMAL, SYM6, UNIFORM, augment_all
from ganforge.ops.resample import blur, downsample, upsample

NEUTRAL = 0.999999
"""A coin that no probability below one strikes."""
SKEW = 0.03
"""The filter is not quite symmetric: what is mirrored lies a tenth of a pixel off, here a 70th of the range."""
# which of the 21 uniform numbers toss coins, in the order they are taken: value first, then coin
COINS = {"flip": 1, "quarter": 3, "shift": 4, "size": 7, "turn": 9, "stretch": 10, "turn again": 12, "drift": 13,
         "brightness": 14, "contrast": 15, "luma": 17, "hue": 19, "saturation": 20}  # fmt: skip


def numbers(n: int, value: float = 0.5, **struck: float):
    """Numbers that strike only what is named, ``struck`` giving the value of its uniform number."""
    uniform, normal = torch.full((n, UNIFORM), value), torch.zeros(n, NORMAL)
    for index in COINS.values():
        uniform[:, index] = NEUTRAL
    for name, number in struck.items():
        uniform[:, COINS[name]] = 0.0
        uniform[:, COINS[name] - 1] = number
    return uniform, normal


def smooth(n=2, side=32):
    """Pictures without edges finer than the filters."""
    y, x = np.mgrid[:side, :side] / side
    waves = [np.sin(2 * math.pi * (a * x + b * y) + c) for a, b, c in ((1, 0, 0.3), (0, 1, 1), (1, 1, 2))]
    return torch.tensor(np.stack(waves) * 0.6, dtype=torch.float32).expand(n, -1, -1, -1).contiguous()


def inner(pictures, edge=6):
    return pictures[:, :, edge:-edge, edge:-edge]


class TestChanges:
    def test_nothing_struck_changes_nothing(self):
        x = smooth()
        torch.testing.assert_close(augment_all(x, *numbers(2), 0.5), x, atol=2e-3, rtol=0)

    def test_flip(self):
        x = smooth()
        torch.testing.assert_close(augment_all(x, *numbers(2, flip=0.9), 0.5), x.flip(3), atol=SKEW, rtol=0)

    @pytest.mark.parametrize("quarters", [0, 1, 2, 3])
    def test_quarter_turns(self, quarters):
        x = smooth()
        made = augment_all(x, *numbers(2, quarter=quarters / 4 + 0.1), 0.5)
        assert min((made - torch.rot90(x, k, (2, 3))).abs().max() for k in (quarters, 4 - quarters)) < SKEW

    def test_whole_steps(self):
        x = smooth()
        uniform, normal = numbers(2)
        uniform[:, 4:7] = torch.tensor([0.0, 1.0, 0.5])  # coin, to the right by an eighth, not down
        made = augment_all(x, uniform, normal, 0.5)
        torch.testing.assert_close(inner(made), inner(x.roll(4, 3)), atol=2e-3, rtol=0)

    def test_size(self):
        x = smooth()
        uniform, normal = numbers(2)
        uniform[:, 7] = 0.0
        normal[:, 0] = 5.0  # twice as large
        made = augment_all(x, uniform, normal, 0.5)
        half = torch.nn.functional.interpolate(x[:, :, 8:24, 8:24], scale_factor=2, mode="bicubic")
        torch.testing.assert_close(inner(made), inner(half), atol=0.05, rtol=0)

    def test_colours(self):
        x = smooth()
        uniform, normal = numbers(2)
        uniform[:, 14] = 0.0
        normal[:, 4] = 1.0  # brighter by a fifth
        torch.testing.assert_close(augment_all(x, uniform, normal, 0.5), x + 0.2, atol=3e-3, rtol=0)
        uniform[:, 14], uniform[:, 15], normal[:, 5] = NEUTRAL, 0.0, 2.0  # contrast doubled
        torch.testing.assert_close(augment_all(x, uniform, normal, 0.5), x * 2, atol=6e-3, rtol=0)
        grey = x.mean(1, keepdim=True)
        torch.testing.assert_close(
            augment_all(x, *numbers(2, luma=0.9), 0.5), x - 2 * grey, atol=3e-3, rtol=0
        )  # brightness upside down, colour kept
        hue = augment_all(x, *numbers(2, hue=0.5 + 1 / 3), 0.5)  # a third of the circle: channels change places
        assert min((hue - x.roll(k, 1)).abs().max() for k in (1, 2)) < 3e-3
        uniform, normal = numbers(2)
        uniform[:, 20], normal[:, 6] = 0.0, 1.0  # saturation doubled
        torch.testing.assert_close(augment_all(x, uniform, normal, 0.5), 2 * x - grey, atol=5e-3, rtol=0)

    def test_a_turn_strikes_with_probability_p(self):
        torch.manual_seed(0)
        n, p = 4000, 0.3
        x = smooth(1, 8).expand(n, -1, -1, -1)
        uniform = torch.full((n, UNIFORM), 0.5)
        for index in COINS.values():
            uniform[:, index] = NEUTRAL
        for index in (8, 9, 11, 12):
            uniform[:, index] = torch.rand(n)
        made = augment_all(x, uniform, torch.zeros(n, NORMAL), p)
        changed = ((made - augment_all(x, *numbers(n), p)).abs().amax((1, 2, 3)) > 1e-3).float().mean()
        assert changed == pytest.approx(p, abs=0.03)

    def test_pictures_of_any_proportions_stay_finite(self):
        torch.manual_seed(0)
        x = torch.rand(16, 3, 17, 40) * 2 - 1
        made = augment_all(x, torch.rand(16, UNIFORM), torch.randn(16, NORMAL), 1.0)
        assert made.shape == x.shape
        assert made.isfinite().all()

    @pytest.mark.parametrize("p", [0.0, 1.0])
    def test_bfloat16_around_it_changes_nothing(self, p):
        torch.manual_seed(0)
        x, uniform, normal = smooth(8, 64), torch.rand(8, UNIFORM), torch.randn(8, NORMAL)
        expected = augment_all(x, uniform, normal, p)
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(augment_all(x, uniform, normal, p), expected)


class TestSlopes:
    def test_of_slopes(self):
        torch.manual_seed(0)
        x = torch.rand(2, 3, 8, 8, dtype=torch.float64, requires_grad=True)
        uniform, normal = torch.rand(2, UNIFORM, dtype=torch.float64), torch.randn(2, NORMAL, dtype=torch.float64)

        def change(pictures):
            return augment_all(pictures, uniform, normal, 0.7).square()

        assert torch.autograd.gradcheck(change, (x,), atol=1e-4, fast_mode=True)
        assert torch.autograd.gradgradcheck(change, (x,), atol=1e-4, fast_mode=True)


class TestResampling:
    def test_sym6_is_orthonormal(self):
        taps = np.array(SYM6)
        assert taps.sum() == pytest.approx(math.sqrt(2))
        for shift in range(0, 12, 2):
            product = (taps[: 12 - shift] * taps[shift:]).sum()
            assert product == pytest.approx(1.0 if shift == 0 else 0.0, abs=1e-9)

    @pytest.mark.parametrize("taps", [(1, 3, 3, 1), SYM6])
    def test_sizes_means_and_adjoint(self, taps):
        torch.manual_seed(0)
        x, y = torch.randn(2, 3, 16, 12, dtype=torch.float64), torch.randn(2, 3, 32, 24, dtype=torch.float64)
        up, down = upsample(x, taps), downsample(y, taps)
        assert up.shape == y.shape
        assert down.shape == x.shape
        assert (up * y).sum() == pytest.approx(float(4 * (x * down).sum()))  # halving is a quarter of the transpose
        flat = torch.ones(1, 1, 32, 32)
        torch.testing.assert_close(upsample(flat, taps)[:, :, 16:-16, 16:-16], torch.ones(1, 1, 32, 32))
        torch.testing.assert_close(downsample(flat, taps)[:, :, 6:-6, 6:-6], torch.ones(1, 1, 4, 4))

    def test_blur_grows_by_its_padding(self):
        assert blur(torch.ones(1, 2, 9, 9), pad=1).shape == (1, 2, 8, 8)
        assert blur(torch.ones(1, 2, 8, 8), pad=2).shape == (1, 2, 9, 9)
        assert blur(torch.ones(1, 2, 9, 9), pad=1, gain=4.0)[0, 0, 4, 4] == pytest.approx(4.0)
