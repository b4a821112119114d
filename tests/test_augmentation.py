"""Differentiable augmentation: what it may change, what it must not, and that gradients pass."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganforge.ops.augmentation import NUMBERS, augment


def uniform(n: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, NUMBERS, generator=torch.Generator().manual_seed(seed))


def pictures(n: int, height: int, width: int, seed: int = 1) -> torch.Tensor:
    return torch.rand(n, 3, height, width, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_without_strength_nothing_changes():
    x = pictures(4, 16, 12)
    assert torch.equal(augment(x, uniform(4), colour=0, translation=0, cutout=0), x)


@settings(max_examples=30, deadline=None)
@given(height=st.integers(8, 40), width=st.integers(8, 40), seed=st.integers(0, 99))
def test_translation_moves_whole_pixels_by_at_most_an_eighth(height, width, seed):
    x = pictures(3, height, width, seed)
    moved = augment(x, uniform(3, seed), colour=0, translation=1, cutout=0)
    most_down, most_right = int(height / 8 + 0.5), int(width / 8 + 0.5)
    for before, after in zip(x, moved, strict=True):
        found = []
        for down in range(-most_down, most_down + 1):
            for right in range(-most_right, most_right + 1):
                expected = torch.zeros_like(before)
                to_y, to_x = slice(max(down, 0), height + min(down, 0)), slice(max(right, 0), width + min(right, 0))
                from_y, from_x = (
                    slice(max(-down, 0), height - max(down, 0)),
                    slice(max(-right, 0), width - max(right, 0)),
                )
                expected[:, to_y, to_x] = before[:, from_y, from_x]
                found.append(torch.equal(expected, after))
        assert sum(found) == 1


def test_translation_is_even_over_its_range():
    x = torch.zeros(4000, 1, 16, 16)
    x[:, :, 8, 8] = 1
    places = augment(x, uniform(4000), colour=0, translation=1, cutout=0)[:, 0].flatten(1).argmax(1)
    rows, columns = places // 16 - 8, places % 16 - 8
    for steps in (rows, columns):
        counts = torch.bincount(steps + 2, minlength=5)
        assert len(counts) == 5
        assert (counts - 800).abs().max() < 120  # 4.5 standard deviations


def test_cutout_makes_a_square_grey():
    kept = augment(torch.ones(200, 3, 16, 16), uniform(200), colour=0, translation=0, cutout=1)
    assert set(kept.unique().tolist()) == {0.0, 1.0}
    holes = (kept[:, 0] == 0).flatten(1).sum(1)
    assert holes.max() == 64
    assert holes.min() >= 16  # a quarter of the square is always inside
    assert (kept[:, 0] == kept[:, 2]).all()


def test_colour_keeps_shapes():
    """Every pixel of a picture goes through one affine map: pixels that were equal stay equal."""
    x = pictures(5, 8, 8)
    x[:, :, 4:] = x[:, :, :4]
    changed = augment(x, uniform(5), colour=1, translation=0, cutout=0)
    assert torch.allclose(changed[:, :, 4:], changed[:, :, :4], atol=1e-6)
    assert not torch.allclose(changed, x)


@pytest.mark.parametrize("kind", ["colour", "translation", "cutout"])
def test_strength_is_the_share_of_pictures_that_change(kind):
    x = pictures(2000, 16, 16)
    strengths = {"colour": 0.0, "translation": 0.0, "cutout": 0.0} | {kind: 0.3}
    changed = ((augment(x, uniform(2000), **strengths) - x).abs() > 1e-5).flatten(1).any(1).float().mean()
    still = 1 / 25 if kind == "translation" else 0  # moved by nothing
    assert abs(changed - 0.3 * (1 - still)) < 0.05


def test_gradients_pass_twice():
    x = pictures(3, 8, 8).double().requires_grad_()
    u = uniform(3)
    torch.autograd.gradgradcheck(lambda v: augment(v, u, colour=1, translation=1, cutout=0.5).pow(2), x)
