"""The avatars: a schema that is wide enough, pictures that obey it, captions that tell the truth."""

import hashlib
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from ganforge.attributes import Choice, Range
from ganforge.avatars import LARGEST, SCHEMA, SMALLEST, avatar_seed, draw, sample_record
from ganforge.avatars.schema import ON_TOP_OF_THE_HEAD
from ganforge.errors import UnknownNameError, UsageError

CHOICES = {a.name: a.values for a in SCHEMA.attributes if isinstance(a, Choice)}
PLAIN = {
    "gender": "woman", "age": "young", "hair": "brown", "hairstyle": "short", "eyes": "brown", "skin": "light",
    "smile": 0.0, "glasses": "none", "beard": "none", "hat": "none", "clothes": "tshirt", "accessory": "none",
    "turn": 0.0, "background": "plain",
}  # fmt: skip

# where an attribute shows, as fractions of the side: (top, bottom, left, right)
HEAD, EYES, FACE, BODY, WHOLE = (
    (0, 0.75, 0.1, 0.9),
    (0.3, 0.7, 0.2, 0.8),
    (0.35, 0.8, 0.2, 0.8),
    (0.7, 1, 0, 1),
    (0, 1, 0, 1),
)
REGIONS = {
    "gender": FACE,
    "age": FACE,
    "hair": HEAD,
    "hairstyle": WHOLE,
    "eyes": EYES,
    "skin": FACE,
    "glasses": EYES,
    "beard": FACE,
    "hat": HEAD,
    "clothes": BODY,
    "accessory": WHOLE,
    "background": WHOLE,
}


def difference(one: np.ndarray, other: np.ndarray, region: tuple[float, float, float, float] = WHOLE) -> float:
    """Mean absolute difference in a region, in grey levels."""
    n = len(one)
    top, bottom, left, right = (round(n * share) for share in region)
    gap = np.abs(one.astype(int) - other.astype(int))[top:bottom, left:right]
    return float(gap.mean())


def test_schema_is_as_wide_as_promised():
    least = {
        "gender": 3,
        "age": 4,
        "hair": 12,
        "hairstyle": 8,
        "eyes": 8,
        "skin": 6,
        "clothes": 8,
        "accessory": 9,
        "background": 6,
    }
    assert {name: len(CHOICES[name]) >= n for name, n in least.items()} == dict.fromkeys(least, True)
    assert all("none" in CHOICES[name] for name in ("glasses", "beard", "hat", "accessory"))
    ranges = {a.name: (a.low, a.high) for a in SCHEMA.attributes if isinstance(a, Range)}
    assert ranges == {"smile": (-1, 1), "turn": (-1, 1)}
    assert all(word.isascii() and word.islower() and word.isalpha() for words in CHOICES.values() for word in words)


def test_seeds_are_64_bit_stable_and_disjoint_between_data_sets():
    assert avatar_seed(0, 0) == 0xE220A8397B1DCDAF  # SplitMix64's first output from state 0, as published
    seeds = {avatar_seed(dataset, index) for dataset in range(20) for index in range(500)}
    assert len(seeds) == 10_000
    assert all(0 <= seed < 2**64 for seed in seeds)


@pytest.mark.parametrize(("dataset", "index"), [(-1, 0), (0, -1), (2**32, 0), (0, 2**32)])
def test_seed_outside_its_range_is_refused(dataset, index):
    with pytest.raises(UsageError, match="between 0 and 4294967295"):
        avatar_seed(dataset, index)


def test_sampled_records_are_whole_and_reach_every_value():
    records = [sample_record(avatar_seed(3, i)) for i in range(3000)]
    assert not np.isnan(np.stack([SCHEMA.encode(record) for record in records])).any()
    for name, values in CHOICES.items():
        assert {record[name] for record in records} == set(values), name
    smiles = [float(record["smile"]) for record in records]
    assert min(smiles) < -0.7
    assert max(smiles) > 0.9


def test_sampled_records_are_tasteful():
    records = [sample_record(avatar_seed(4, i)) for i in range(3000)]
    assert all(r["beard"] == "none" for r in records if r["age"] == "child" or r["gender"] != "man")
    assert not any(r["hat"] != "none" and r["accessory"] in ON_TOP_OF_THE_HEAD for r in records)

    def grey(age):
        group = [r["hair"] in ("grey", "white") for r in records if r["age"] == age]
        return sum(group) / len(group)

    assert grey("old") > 3 * grey("young")


def test_import_brings_neither_torch_nor_skia():
    code = "import sys, ganforge.avatars; print([m for m in ('torch', 'skia') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8")
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("size", [32, 33, 64, 100, 128, 256])
def test_any_size_is_drawn(size):
    picture = draw(PLAIN, 7, size)
    assert picture.shape == (size, size, 3)
    assert picture.dtype == np.uint8
    assert picture.flags["C_CONTIGUOUS"]
    assert picture.std() > 20  # neither blank nor flat


def test_sizes_show_the_same_person():
    large, small = draw(PLAIN, 7, 256), draw(PLAIN, 7, 64)
    shrunk = large.reshape(64, 4, 64, 4, 3).mean(axis=(1, 3)).astype(np.uint8)
    assert difference(shrunk, small) < 6
    assert difference(shrunk, draw(PLAIN, 8, 64)) > 12


def test_pictures_are_a_function_of_record_and_seed():
    seeds = [avatar_seed(5, i) for i in range(20)]
    first = [draw({}, seed, 64) for seed in seeds]
    again = [draw(sample_record(seed), seed, 64) for seed in reversed(seeds)]
    assert all(np.array_equal(a, b) for a, b in zip(first, reversed(again), strict=True))


def test_pictures_are_the_same_in_another_process():
    code = "import hashlib, ganforge.avatars as a; print(hashlib.sha256(a.draw({}, 11, 64).tobytes()).hexdigest())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8")
    assert done.stdout.strip() == hashlib.sha256(draw({}, 11, 64).tobytes()).hexdigest()


def test_two_draws_of_one_record_differ_visibly():
    pictures = [draw(PLAIN, avatar_seed(6, i), 64) for i in range(12)]
    gaps = [difference(a, b) for i, a in enumerate(pictures) for b in pictures[:i]]
    assert min(gaps) > 5


def _distinct(count: int) -> int:
    return len({hashlib.sha256(draw({}, avatar_seed(7, i), 32).tobytes()).digest() for i in range(count)})


def test_no_two_of_2000_are_equal():
    assert _distinct(2000) == 2000


@pytest.mark.slow
def test_no_two_of_20000_are_equal():
    assert _distinct(20_000) == 20_000


@pytest.mark.parametrize("name", CHOICES)
def test_every_value_is_visible_at_64_px(name):
    """Changing one attribute and nothing else changes what one sees where it shows, between any two of its values."""
    base = PLAIN | ({"gender": "man", "age": "grown"} if name == "beard" else {})
    values = CHOICES[name]
    gaps = np.zeros((len(values), len(values)))
    for i in range(3):
        pictures = [draw(base | {name: value}, avatar_seed(8, i), 64) for value in values]
        gaps += [[difference(a, b, REGIONS[name]) / 3 for a in pictures] for b in pictures]
    np.fill_diagonal(gaps, np.inf)
    worst = np.unravel_index(gaps.argmin(), gaps.shape)
    assert gaps.min() > 0.8, f"{name}: {values[worst[0]]} and {values[worst[1]]} look alike ({gaps.min():.2f})"


@pytest.mark.parametrize(("name", "region", "least"), [("smile", FACE, 1.0), ("turn", HEAD, 4.0)])
def test_ranges_are_continuous_and_visible(name, region, least):
    for i in range(4):
        seed = avatar_seed(9, i)
        strip = [draw(PLAIN | {name: value}, seed, 64) for value in np.linspace(-1, 1, 21)]
        whole = difference(strip[0], strip[-1], region)
        steps = [difference(a, b, region) for a, b in pairwise(strip)]
        assert whole > least
        assert min(steps) > 0
        assert max(steps) < 0.5 * whole  # no jump


def test_changing_the_hat_leaves_the_clothes_alone():
    one, other = (draw(PLAIN | {"hair": hair}, 12, 64) for hair in ("red", "blue"))
    assert difference(one, other, (0.85, 1, 0.3, 0.7)) == 0


@pytest.mark.parametrize("size", [0, 31, 257, -64])
def test_size_outside_the_range_is_refused(size):
    with pytest.raises(UsageError, match=f"{SMALLEST} to {LARGEST} pixels, not {size}"):
        draw({}, 1, size)


@pytest.mark.parametrize(
    ("record", "error", "says"),
    [
        ({"hair": "plaid"}, UsageError, "hair is one of black, .*not 'plaid'"),
        ({"smile": 3}, UsageError, "smile lies between -1 and 1, not 3"),
        ({"smile": "wide"}, UsageError, "smile is a number, not 'wide'"),
        ({"hairs": "blue"}, UnknownNameError, "Did you mean hair"),
    ],
)
def test_record_that_breaks_the_schema_is_refused(record, error, says):
    with pytest.raises(error, match=says):
        draw(record, 1)


def test_none_leaves_an_attribute_open():
    assert np.array_equal(draw({"hair": None, "smile": None}, 13), draw({}, 13))


def test_missing_system_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "skia", None)  # makes `import skia` fail
    monkeypatch.delitem(sys.modules, "ganforge.avatars.paint", raising=False)
    from ganforge.errors import MissingDependencyError

    with pytest.raises(MissingDependencyError, match="apt-get install libegl1 libgl1"):
        __import__("ganforge.avatars.paint")
