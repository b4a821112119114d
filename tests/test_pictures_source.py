"""Batches are a function of the seed and their number; held-out pictures stay out; flips are decided by measurement."""

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from fixtures_pictures import pictures, pixels, png, write
from ganforge.errors import UsageError
from ganforge.pictures import PackOptions, PackSource, make_pack, mirror_verdict, split_held_out


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    root = tmp_path_factory.mktemp("source")
    files = pictures(70)
    lines = "".join(
        f"{i:03d}.png,{'red' if i % 2 else 'blue'},caption {i} a\n{i:03d}.png,,caption {i} b\n" for i in range(60)
    )
    files["metadata.csv"] = f"file_name,hair,text\n{lines}".encode()
    return make_pack(write(root / "p", files), PackOptions(height=16, width=12), cache=root / "cache")


def test_a_batch_is_what_the_game_asks_for(pack):
    batch = PackSource(pack, 8, seed=3, flip=False).batch(0)
    assert batch.pictures.shape == (8, 3, 16, 12)
    assert batch.pictures.dtype == torch.float32
    expected = torch.from_numpy(np.array(pack.pictures[batch.indices.numpy()])).permute(0, 3, 1, 2) / 127.5 - 1
    assert torch.equal(batch.pictures, expected)
    assert batch.condition.attributes.shape == (8, 1)
    for index, caption, value in zip(
        batch.indices.tolist(), batch.captions, batch.condition.attributes[:, 0], strict=True
    ):
        assert caption in (pack.captions(index) or ("",))
        assert bool(torch.isnan(value)) == (index >= 60)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**64 - 1), size=st.integers(1, 200), first=st.integers(0, 50))
def test_batches_are_a_function_of_seed_and_number(pack, seed, size, first):
    straight = PackSource(pack, size, seed=seed, flip=True)
    walked = [straight.batch(number) for number in range(3)]
    jumped = pickle.loads(pickle.dumps(PackSource(pack, size, seed=seed, flip=True)))
    jumped.batch(first)
    for number in (2, 0, 1):
        again = jumped.batch(number)
        assert torch.equal(again.pictures, walked[number].pictures)
        assert torch.equal(again.indices, walked[number].indices)
        assert again.captions == walked[number].captions


@settings(max_examples=30, deadline=None, derandomize=True)
@given(size=st.integers(1, 200), seed=st.integers(0, 99))
def test_every_picture_comes_once_an_epoch(pack, size, seed):
    source = PackSource(pack, size, seed=seed)
    n = source.size
    seen = torch.cat([source.batch(i).indices for i in range(-(-2 * n // size))])[: 2 * n]
    assert sorted(seen[:n].tolist()) == sorted(seen[n:].tolist()) == source.indices.tolist()
    assert seen[:n].tolist() != seen[n:].tolist()


def test_flips_mirror_about_half(pack):
    plain, flipped = (PackSource(pack, 64, seed=1, flip=flip).batch(5) for flip in (False, True))
    same = [torch.equal(a, b) for a, b in zip(plain.pictures, flipped.pictures, strict=True)]
    mirrored = [torch.equal(a.flip(-1), b) for a, b in zip(plain.pictures, flipped.pictures, strict=True)]
    assert all(s != m for s, m in zip(same, mirrored, strict=True))
    assert 15 < sum(mirrored) < 49


def test_memory_formats_hold_the_same_numbers(pack):
    contiguous, last = (
        PackSource(pack, 8, seed=1, memory_format=form).batch(0).pictures
        for form in (torch.contiguous_format, torch.channels_last)
    )
    assert torch.equal(contiguous, last)
    assert contiguous.is_contiguous()
    assert last.is_contiguous(memory_format=torch.channels_last)


def test_held_out_pictures_are_never_trained_on(pack, tmp_path):
    train, held = split_held_out(pack)
    assert len(held) == 4  # 5 % of 70
    assert sorted([*train, *held]) == list(range(70))
    assert not set(PackSource(pack, 64).batch(0).indices.tolist()) & set(held.tolist())
    few = make_pack(write(tmp_path / "few", pictures(20)), PackOptions(height=16, width=16), cache=tmp_path / "c")
    assert [len(part) for part in split_held_out(few)] == [20, 0]
    files = {
        f"{split}/{i}.png": png(100 * s + i) for s, split in enumerate(("train", "val", "test")) for i in range(20)
    }
    splits = make_pack(write(tmp_path / "s", files), PackOptions(height=16, width=16), cache=tmp_path / "c")
    train, held = split_held_out(splits)
    assert {splits.name(i).split("/")[0] for i in train} == {"train"}
    assert {splits.name(i).split("/")[0] for i in held} == {"val"}


def test_nonsense_is_refused(pack):
    with pytest.raises(UsageError):
        PackSource(pack, 0)
    with pytest.raises(UsageError):
        PackSource(pack, 8, indices=np.array([], dtype=np.int64))


# --- the mirror's verdict ---------------------------------------------------------------------------------------------


def glyphs(count, seed=0):
    """Letters and digits that mirror into nonsense, jittered."""
    rng = np.random.default_rng(seed)
    shapes = []
    for i in range(count):
        image = Image.new("RGB", (32, 32), "white")
        x, y = rng.integers(4, 12, 2)
        ImageDraw.Draw(image).text((x, y), "2345679FGJKLNPQRSZ"[i % 18], fill="black", font_size=18)
        shapes.append(np.asarray(image))
    return shapes


def blobs(count, seed=0):
    """Pictures in which left and right mean nothing."""
    return [pixels(seed + i, 32, 32) for i in range(count)]


def test_letters_are_not_flipped_and_blobs_are():
    letters, others = mirror_verdict(glyphs(400)), mirror_verdict(blobs(400))
    assert not letters.flip
    assert letters.share > 0.75
    assert others.flip
    assert 0.4 < others.share < 0.58
    symmetric = [np.maximum(p, p[:, ::-1]) for p in blobs(100)]
    assert mirror_verdict(symmetric).flip
    assert mirror_verdict(symmetric).share == pytest.approx(0.5)


def test_words_that_tell_sides_decide():
    faces = blobs(64)
    assert not mirror_verdict(faces, terms=["looks_left", "happy"]).flip
    assert not mirror_verdict(faces, terms=["turn"]).flip
    assert not mirror_verdict(faces, captions=["箭头向左", "看着右边的猫"] * 5).flip
    assert not mirror_verdict(faces, captions=["An arrow to the right."] * 3 + ["a cat"] * 100).flip
    assert mirror_verdict(
        faces, captions=["a bright cat", "upright", "turning leaves"] * 9, terms=["bright", "returns"]
    ).flip
    assert "too few" in mirror_verdict(faces[:9]).reason
