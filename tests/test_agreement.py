"""Do samples carry what was asked for: the arithmetic against hand-made truths, the matcher on toy worlds, and both judges."""

import math
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import ganforge
from ganforge.attributes import Choice, Flag, Range, Schema
from ganforge.errors import UsageError
from ganforge.evaluation.agreement import caption_vectors, judge_labels, picture_vectors, predict
from ganforge.evaluation.judges import trained_judge
from ganforge.evaluation.sides import PackMaker, RealSide
from ganforge.game import Batch, Draw, Step
from ganforge.measures.labels import agreement, different, recall_at_1, shares, translated
from ganforge.pictures import Pack, PackOptions, make_pack
from ganforge.progress import silent
from ganforge.systems.matcher import hashed
from ganforge.training import start
from ganforge.training.folder import Run
from ganforge.training.step import Table, run_step
from systems_tiny import tiny, write_pictures

KIND, BRIGHT, SIZE = Choice(name="kind", values=("a", "b", "c")), Flag(name="bright"), Range(name="size", low=0, high=2)
SCHEMA = Schema(attributes=(KIND, BRIGHT, SIZE))
NAN = math.nan


def table(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, np.float32)


# --- tables -----------------------------------------------------------------------------------------------------------


def test_agreement_counts_what_is_known_on_both_sides():
    asked = table((0, 1, 0.5), (0, 1, 1.0), (1, 0, 1.5), (2, NAN, 2.0), (NAN, 0, NAN))
    seen = table((0, 1, 0.6), (1, 1, 1.1), (1, 1, 1.6), (2, 1, 2.1), (0, 0, 0.0))
    kind, bright, size = agreement(seen, asked, SCHEMA)
    assert (kind.value, kind.count, kind.chance) == (0.75, 4, 0.5)  # three of four right; "a" is the commonest
    assert (bright.value, bright.count, bright.chance) == (0.75, 4, 0.5)
    assert (size.value, size.count, size.chance) == (pytest.approx(1), 4, 0)  # a shift is no disagreement


def test_a_range_that_runs_the_other_way_or_stands_still():
    sizes = Schema(attributes=(SIZE,))
    up, still = table((0,), (1,), (2,)), table((1,), (1,), (1,))
    assert agreement(up, 2 - up, sizes)[0].value == pytest.approx(-1)
    assert agreement(up, still, sizes)[0].value == 0
    assert agreement(still, up, sizes)[0].value == 0
    assert agreement(up, still * NAN, sizes) == []


@pytest.mark.parametrize(("hits", "sure"), [(50, False), (56, False), (62, True), (100, True)])
def test_above_chance_means_more_than_luck(hits, sure):
    asked = table(*([(0,)] * 50 + [(1,)] * 50))
    seen = np.where(np.arange(100)[:, None] % 50 < hits / 2, asked, 1 - asked).astype(np.float32)
    (found,) = agreement(seen, asked, Schema(attributes=(BRIGHT,)))
    assert found.value == hits / 100
    assert found.above_chance is sure


def test_shares_of_every_kind():
    assert shares(table((0, 0, 2, NAN))[0], KIND) == {"a": pytest.approx(2 / 3), "b": 0, "c": pytest.approx(1 / 3)}
    assert shares(table((0, 1, 1, 1))[0], BRIGHT) == {"no": 0.25, "yes": 0.75}
    quarters = {"0 … 0.5": 0.2, "0.5 … 1": 0.0, "1 … 1.5": 0.2, "1.5 … 2": 0.6}
    assert shares(table((0.1, 1.0, 1.6, 2.0, 9.0))[0], SIZE) == quarters  # what lies outside is in the last one
    assert shares(table((NAN,))[0], BRIGHT) == {"no": 0, "yes": 0}


@pytest.mark.parametrize("ends", [(0, 1e-9), (1e9, 1e9 + 1), (5, 5), (-1, 1)])
def test_quarters_of_any_range_have_different_names(ends):
    found = shares(np.linspace(*ends, 8).astype(np.float32), Range(name="x", low=ends[0], high=ends[1]))
    assert len(found) == 4
    assert sum(found.values()) == pytest.approx(1)


def test_another_schema_is_read_by_names():
    other = Schema(
        attributes=(
            Range(name="size", low=0.5, high=1),
            Choice(name="kind", values=("c", "a", "x")),
            Choice(name="bright", values=("no", "yes")),
            Flag(name="new"),
        )
    )
    rows = table((0.75, 0, 1, 1), (0.5, 1, 0, 0), (1, 2, NAN, 1), (NAN, NAN, 0, 1))
    found = translated(rows, other, SCHEMA)
    np.testing.assert_array_equal(found, table((2, 1, 0.75), (0, 0, 0.5), (NAN, NAN, 1), (NAN, 0, NAN)))
    back = translated(found, SCHEMA, other)  # a flag finds its word among a choice's
    np.testing.assert_array_equal(back[:, :3], np.where(rows[:, :3] == [[9, 2, 9]], NAN, rows[:, :3]))
    assert np.isnan(back[:, 3]).all()


# --- retrieval --------------------------------------------------------------------------------------------------------


def unit(*rows) -> np.ndarray:
    x = np.array(rows, np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_recall_of_a_hand_made_world():
    texts = unit((1, 0), (0, 1), (-1, 0), (0, -1))
    pictures = unit((1, 0.1), (0, 1), (-1, 0.1), (1, 0))  # the last one lies at the first one's caption
    captions = ["one", "two", "three", "four"]
    assert recall_at_1(pictures, texts, captions, among=4) == 0.75
    # the last one's own caption is beaten by "one", "two" and "three" are as far or nearer: only ties and misses count
    assert recall_at_1(pictures, texts, captions, among=2) == pytest.approx((3 + 1 / 3) / 4)
    with pytest.raises(UsageError, match="2 to 4"):
        recall_at_1(pictures, texts, captions, among=5)


def test_equal_captions_are_one_and_ties_are_misses():
    texts, captions = unit((1, 0), (1, 0), (0, 1)), ["A  cat", "a cat", "a dog"]
    assert different(captions) == 2
    assert recall_at_1(texts, texts, captions, among=2) == 1
    assert recall_at_1(texts, np.ones_like(texts), captions, among=2) == 0  # all in one place
    with pytest.raises(UsageError):
        recall_at_1(texts, texts, captions, among=3)


@settings(max_examples=20, deadline=None)
@given(st.integers(3, 12), st.data())
def test_recall_is_the_mean_over_all_draws(n, data):
    """Against drawing, which is how the field does it."""
    among = data.draw(st.integers(2, n))
    rng = np.random.default_rng(n * among)
    pictures, texts = unit(*rng.normal(size=(n, 3))), unit(*rng.normal(size=(n, 3)))
    cosines, hits, draws = pictures @ texts.T, 0, 150
    for _ in range(draws):
        for i in range(n):
            others = rng.choice(np.delete(np.arange(n), i), among - 1, replace=False)
            hits += cosines[i, i] > cosines[i, others].max()
    exact = recall_at_1(pictures, texts, [str(i) for i in range(n)], among)
    assert hits / (draws * n) == pytest.approx(exact, abs=5 * (0.25 / (draws * n)) ** 0.5)


# --- the matcher ------------------------------------------------------------------------------------------------------


@given(st.text())
def test_any_text_is_hashed_and_what_looks_the_same_alike(caption):
    rows = hashed(caption, 1000)
    assert len(rows) == 0 or (rows.min() >= 0 and rows.max() < 1000)
    for same in (f"  {caption}\n", normalize("NFD", caption)):
        np.testing.assert_array_equal(rows, hashed(same, 1000))


@pytest.mark.parametrize("caption", ["\ud800 half a pair", "x" * 10**5, "\x00", "👩‍🚀 en orbite", "ﷺ"])
def test_odd_captions_are_read(caption):
    assert 0 < len(hashed(caption, 1000)) < 10**5


@pytest.mark.parametrize("caption", ["", "  ", "\n\t", "\u3000"])
def test_nothing_said_is_nothing(caption):
    assert len(hashed(caption, 1000)) == 0


def test_hashes_never_change():
    """A saved matcher means nothing with other ones. Worked out by hand from SplitMix64 and the sequences' numbers."""

    def mixed(x: int) -> int:
        x = x * 0x9E3779B97F4A7C15 % 2**64
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
        return x ^ x >> 31

    said = " 猫 ".encode()
    sequences = [said[i : i + n] for n in (1, 2, 3, 4) for i in range(len(said) - n + 1)]
    numbers = [sum((byte + 1) * 257**place for place, byte in enumerate(reversed(s))) for s in sequences]
    assert hashed("猫", 1 << 14).tolist() == [mixed(n) % (1 << 14) for n in numbers]


COLOURS = {
    "red": (220, 40, 40), "green": (40, 180, 60), "blue": (40, 60, 220), "yellow": (230, 210, 40), "white": (245, 245, 245),
    "violet": (140, 40, 190), "orange": (240, 140, 30), "grey": (120, 120, 120),
}  # fmt: skip
WORDS = {
    "en": "a {0} square on {1}",
    "zh": "{1}底上的{0}方块",
    "ar": "مربع {0} على {1}",
}


@dataclass
class Squares:
    """A coloured square on a coloured ground, said in one of three languages; now and then nothing is said."""

    shuffled: bool = False
    n: int = 32
    languages: tuple[str, ...] = tuple(WORDS)
    size: None = None

    def batch(self, number: int) -> Batch:
        rng = np.random.default_rng(number)
        names = list(COLOURS)
        pictures, captions = np.empty((self.n, 16, 16, 3), np.float32), []
        for picture in pictures:
            square, ground = rng.choice(len(names), 2, replace=False)
            picture[:] = COLOURS[names[ground]]
            y, x = rng.integers(1, 7, 2)
            picture[y : y + 8, x : x + 8] = COLOURS[names[square]]
            words = WORDS[rng.choice(self.languages)]
            captions.append(words.format(names[square], names[ground]) if rng.random() > 0.1 else " ")
        if self.shuffled:
            captions = [captions[i] for i in rng.permutation(self.n)]
        return Batch(torch.from_numpy(pictures / 127.5 - 1).permute(0, 3, 1, 2).contiguous(), captions=captions)


SMALL = {"widths": (16, 32), "rows": 1024, "row_size": 32, "hidden": 64, "size": 32, "learning_rate": 5e-3}


def matcher_of(source: Squares, steps: int):
    recipe, config = tiny("matcher")
    torch.manual_seed(0)
    system = recipe.system(config.model_copy(update=SMALL))
    played = Table(system.turns(), source, "cpu", nullcontext, 0)
    losses = [run_step(played, step / steps).losses["net"]["total"].item() for step in range(steps)]
    return system, losses


def recall_on_squares(net, language: str) -> float:
    batch = Squares(n=100, languages=(language,)).batch(10_000)
    told = [i for i, caption in enumerate(batch.captions) if caption.strip()]
    pictures = ((batch.pictures.permute(0, 2, 3, 1).numpy() + 1) * 127.5).round().astype(np.uint8)[told]
    captions = [batch.captions[i] for i in told]
    return recall_at_1(picture_vectors(net, pictures), caption_vectors(net, captions), captions, among=20)


def test_the_matcher_learns_which_caption_belongs_to_which_square_in_any_language():
    system, losses = matcher_of(Squares(), 160)
    assert losses[-1] < losses[0] / 3
    for language in WORDS:
        assert recall_on_squares(system.net, language) > 0.9, language


def test_captions_that_belong_to_other_pictures_teach_nothing():
    system, _ = matcher_of(Squares(shuffled=True), 50)
    assert recall_on_squares(system.net, "en") < 3 / 20


def test_equal_captions_and_missing_ones_are_no_negatives():
    """The loss of a batch is that of the pairs that say something, worked out pair by pair."""
    recipe, config = tiny("matcher")
    system = recipe.system(config)
    net = system.net.eval()
    pictures = torch.rand(5, 3, 16, 16) * 2 - 1
    captions = ["a cat", "a dog", " A CAT ", "", "un chien"]
    with torch.no_grad():
        loss = system.loss(Step(Batch(pictures, captions=captions), 0.0, 0, Draw(0))).total.item()
        logits = net(pictures, captions).double().numpy()
    candidates = {0: [0, 1, 4], 1: [0, 1, 2, 4], 2: [1, 2, 4], 4: [0, 1, 2, 4]}
    wanted = [
        np.log(np.exp(side[i, others]).sum()) - side[i, i]
        for i, others in candidates.items()
        for side in (logits, logits.T)
    ]
    assert loss == pytest.approx(np.mean(wanted), rel=1e-4)


def test_a_batch_without_a_single_caption_moves_nothing_far():
    recipe, config = tiny("matcher")
    system = recipe.system(config)
    pictures = torch.rand(4, 3, 16, 16) * 2 - 1
    losses = system.loss(Step(Batch(pictures, captions=[""] * 4), 0.0, 0, Draw(0)))
    assert losses.total.item() == 0
    losses.total.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in system.net.parameters())


def test_without_captions_the_matcher_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("GANFORGE_CACHE", str(tmp_path / "cache"))
    pictures = write_pictures(tmp_path / "pictures", 40)
    with pytest.raises(UsageError, match="no captions"):
        ganforge.train(pictures, recipe="matcher", size=16, images=64, out=tmp_path / "run", observers=[])


# --- both judges, on avatars ------------------------------------------------------------------------------------------

IMAGES, SQUARES = 4000, 6000
QUICK = {"widths": "16,32,48", "batch_size": "32"}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("GANFORGE_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def avatars(cache) -> RealSide:
    return real_side("avatars:400", 32)


@pytest.fixture(scope="module")
def others(cache) -> Pack:
    """Drawn by the same hand, seen by no judge."""
    return make_pack("avatars:200:7", PackOptions(height=32, width=32))


def real_side(pictures, side: int) -> RealSide:
    pack = make_pack(pictures, PackOptions(height=side, width=side))
    return RealSide.of(pack, Path(pictures).name, 100, trained_on=False)


def with_another_ones_records(pack: Pack) -> Pack:
    """The same pictures, each with what the one before it was asked for."""
    other = Pack(pack.path, pack.about)
    order = np.roll(np.arange(len(pack)), 1)
    words = pack._words
    other.__dict__["table"] = pack.table[order]
    other.__dict__["_words"] = words | {"captions": [words["captions"][i] for i in order]}
    return other


class Those(PackMaker):
    """Some pictures of a pack, in their order."""

    def __init__(self, pack: Pack, indices) -> None:
        super().__init__(pack, "those")
        object.__setattr__(self, "indices", indices)

    def _order(self):
        return self.indices


def judged(maker, real, pictures="avatars:400", images=IMAGES):
    return judge_labels(maker, real, maker.most, pictures=str(pictures), images=images, settings=QUICK)


def background(labels):
    """What a judge learns in seconds."""
    return next(a for a in labels.agreement if a.attribute == "background")


def test_other_avatars_agree_about_as_well_as_the_judge_is(avatars, others):
    labels = judged(PackMaker(others, "others"), avatars)
    agreement, retrieval, notes = labels
    assert [a.attribute for a in agreement] == list(avatars.pack.schema.names)
    assert all(a.judged_on == 20 and a.samples_on == 200 and a.shares is None for a in agreement)
    found = background(labels)
    assert found.judge > found.chance + 0.2
    assert found.samples == pytest.approx(found.judge, abs=0.25)  # of 20 pictures
    assert (retrieval.among, retrieval.judged_on, retrieval.samples_on) == (20, 20, 200)
    assert "among 20, not 100" in notes[-2]
    assert ("of 100 real pictures" in notes[-1]) == (retrieval.judge < 0.2)
    guessed = next(note for note in notes if "no better than chance" in note)
    assert "eyes" in guessed  # two pixels
    assert "background" not in guessed


def test_held_out_pictures_as_samples_agree_exactly_as_the_judge_does(avatars):
    agreement, retrieval, _ = judged(Those(avatars.pack, avatars.held_out), avatars)
    for a in agreement:
        assert a.samples == pytest.approx(a.judge, abs=1e-6)
    assert retrieval.samples == pytest.approx(retrieval.judge, abs=1e-6)


def test_samples_with_anothers_records_fall_to_chance(avatars, others):
    right = judged(PackMaker(others, "others"), avatars)
    wrong = judged(PackMaker(with_another_ones_records(others), "wrong"), avatars)
    assert background(wrong).judge == background(right).judge
    assert background(right).samples > background(right).chance + 0.2
    assert background(wrong).samples < background(wrong).chance + 0.05


def test_a_judge_is_trained_once_and_again_for_another_budget(avatars, cache, monkeypatch):
    maker = Those(avatars.pack, avatars.held_out)
    before = judged(maker, avatars)

    def never(*_, **__):
        raise AssertionError("trained again")

    monkeypatch.setattr(start, "train", never)
    monkeypatch.setattr(start, "resume", never)
    assert judged(maker, avatars) == before
    assert not list((cache / "judges").glob("*/checkpoints"))
    with pytest.raises(AssertionError, match="trained again"):
        judged(maker, avatars, images=IMAGES + 300)


def test_shares_show_what_a_generator_dropped(avatars, others):
    """Without records nothing was asked: shares of each value, as the judge sees them, stand instead."""
    nothing_known = Pack(others.path, others.about)
    nothing_known.__dict__["table"] = np.full_like(others.table, np.nan)
    net, config = trained_judge("classifier", avatars.pack, "avatars:400", images=IMAGES // 2, settings=QUICK)
    seen = predict(net, config, others.pictures)
    column = avatars.pack.schema.names.index("background")
    night = avatars.pack.schema.attributes[column].values.index("night")
    kept = np.flatnonzero(seen[:, column] != night)
    assert len(kept) < len(others)
    labels = judged(Those(nothing_known, kept), avatars)
    found = background(labels)
    assert (found.samples, found.samples_on) == (None, 0)
    assert found.shares["night"][1] == 0
    for side in (0, 1):
        assert sum(share[side] for share in found.shares.values()) == pytest.approx(1)
    smile = next(a for a in labels.agreement if a.attribute == "smile")
    assert list(smile.shares) == ["-1 … -0.5", "-0.5 … 0", "0 … 0.5", "0.5 … 1"]


def test_samples_of_another_size_are_refused(avatars, others):
    small = make_pack("avatars:64:7", PackOptions(height=24, width=24))
    with pytest.raises(UsageError, match="32x32"):
        judged(PackMaker(small, "small"), avatars)


# --- small collections ------------------------------------------------------------------------------------------------


def write_squares(folder: Path, count: int, seed: int) -> Path:
    """Squares with a metadata.csv: the colours, whether the square lies left, and a caption in one of three languages."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    lines = ["file_name,square,left,text"]
    for i in range(count):
        square, ground = rng.choice(list(COLOURS), 2, replace=False)
        pixels = np.empty((16, 16, 3), np.uint8)
        pixels[:] = COLOURS[ground]
        y, x = rng.integers(1, 7, 2)
        pixels[y : y + 8, x : x + 8] = COLOURS[square]
        Image.fromarray(pixels).save(folder / f"{i:03}.png")
        words = WORDS[rng.choice(list(WORDS))].format(square, ground)
        lines.append(f"{i:03}.png,{square},{'yes' if x < 4 else 'no'},{words}")
    (folder / "metadata.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def squares(cache, tmp_path_factory) -> Path:
    return write_squares(tmp_path_factory.mktemp("squares") / "real", 240, 0)


def test_pictures_made_elsewhere_are_asked_by_the_names_of_their_records(squares, tmp_path):
    made = write_squares(tmp_path / "made", 60, 1)
    lines = (made / "metadata.csv").read_text(encoding="utf-8").splitlines()
    lines = [line.replace(",red,", ",crimson,") for line in lines]  # a word that the real ones do not know
    (made / "metadata.csv").write_text("\n".join(lines), encoding="utf-8")
    pack = make_pack(made, PackOptions(height=16, width=16))
    real = real_side(squares, 16)
    agreement, retrieval, _ = judged(PackMaker(pack, "made"), real, squares, images=SQUARES)
    square, left = agreement
    assert (square.attribute, square.kind, left.attribute, left.kind) == ("square", "choice", "left", "flag")
    assert square.samples_on == sum(",crimson," not in line for line in lines[1:]) < 60
    assert left.samples_on == 60
    assert square.samples > 0.6 > 2 * square.chance
    assert retrieval.samples > 3 / retrieval.among
    wrong = judged(PackMaker(with_another_ones_records(pack), "wrong"), real, squares, images=SQUARES)
    assert wrong.retrieval.judge == retrieval.judge
    assert wrong.retrieval.samples < 2 / retrieval.among


def test_an_interrupted_judge_goes_on(squares, cache):
    pack = make_pack(squares, PackOptions(height=16, width=16))
    stops = []

    def stop(what: str, done: int, total: int) -> None:
        if what == "training a judge" and done > 300 and not stops:
            stops.append(done)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained_judge("classifier", pack, str(squares), images=1_900, settings=QUICK, progress=stop)
    (folder,) = (path for path in (cache / "judges").glob("*-1900-*") if path.is_dir())
    assert Run(folder).state()["state"] == "interrupted"
    net, _ = trained_judge("classifier", pack, str(squares), images=1_900, settings=QUICK, progress=stop)
    assert Run(folder).events("resume")
    assert Run(folder).state()["state"] == "finished"
    assert not net.training


def test_a_damaged_judge_is_trained_anew(squares, cache):
    pack = make_pack(squares, PackOptions(height=16, width=16))

    def judge(progress=silent):
        return trained_judge("classifier", pack, str(squares), images=500, settings=QUICK, progress=progress)[0]

    def stop(*_) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge(stop)
    (lock,) = (cache / "judges").glob("*-500-*.lock")
    folder = lock.with_suffix("")
    folder.mkdir()
    (folder / "run.json").write_text("{", encoding="utf-8")
    first = judge()
    weights = folder / "model" / "net.safetensors"
    weights.write_bytes(weights.read_bytes()[:-9])
    again = judge()
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])


def test_nothing_to_judge_by(cache, tmp_path, monkeypatch):
    plain_ones = write_pictures(tmp_path / "plain", 80)
    real = real_side(plain_ones, 16)
    agreement, retrieval, notes = judged(PackMaker(real.pack, "made"), real, plain_ones)
    assert (agreement, retrieval) == ([], None)
    assert "no attributes and no captions" in notes[0]
    few = write_squares(tmp_path / "few", 60, 2)
    real = real_side(few, 16)
    agreement, retrieval, notes = judged(PackMaker(real.pack, "made"), real, few)
    assert (agreement, retrieval) == ([], None)
    assert "Too few of the 0 held-out pictures of few have labels" in notes[0]


def test_what_is_rarely_known_is_left_out(cache, tmp_path):
    """Some pictures have captions, too few of the held-out ones; nobody knows which colour most squares have."""
    folder = write_squares(tmp_path / "rare", 200, 3)
    head, *lines = (folder / "metadata.csv").read_text(encoding="utf-8").splitlines()
    lines = [line if i % 5 == 0 else f"{i:03}.png,,{line.split(',')[2]}," for i, line in enumerate(lines)]
    (folder / "metadata.csv").write_text("\n".join([head, *lines]), encoding="utf-8")
    real = real_side(folder, 16)
    agreement, retrieval, notes = judged(Those(real.pack, real.held_out), real, folder, images=300)
    assert [a.attribute for a in agreement] == ["left"]
    assert retrieval is None
    assert "have captions to judge a judge by" in notes[0]
    assert "about square: left out" in notes[1]


def test_a_budget_is_needed(avatars):
    maker = Those(avatars.pack, avatars.held_out)
    with pytest.raises(UsageError, match=r"0\.1 minutes or more"):
        judge_labels(maker, avatars, 20, pictures="avatars:400", minutes=0.05)
    for given_ in ({}, {"minutes": 1, "images": 100}):
        with pytest.raises(UsageError, match="either"):
            judge_labels(maker, avatars, 20, pictures="avatars:400", **given_)
