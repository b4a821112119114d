"""evaluate from end to end on small sets: features, figures beside real ones, copies, and a plain word for every mistake."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import ganforge
from ganforge.errors import ModelError, PicturesError, TrainingError, UnknownNameError, UsageError
from ganforge.evaluation import ask as asking
from ganforge.evaluation import measuring
from ganforge.evaluation.ask import is_model, sides
from ganforge.evaluation.measuring import measure
from ganforge.evaluation.paths import smoothness, truncation_curve
from ganforge.evaluation.result import Evaluation, plain_sentences
from ganforge.evaluation.sides import ModelMaker, PackMaker, RealSide, pack_options
from ganforge.measures import features as features_module
from ganforge.measures.features import FeatureNet, chunks_of, look, look_at_collection
from ganforge.measures.nets import find_net
from ganforge.measures.offline import offline_net
from ganforge.pictures import PackOptions, make_pack
from systems_tiny import TINY, write_pictures

SMALL = PackOptions(height=16, width=16)


pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("pictures") / "blobs", 300)


@pytest.fixture(scope="module")
def run(pictures, tmp_path_factory) -> ganforge.Run:
    return ganforge.train(
        pictures, images=640, recipe="dcgan", size=16, settings=TINY["dcgan"], observers=[],
        out=tmp_path_factory.mktemp("runs") / "my run",
    )  # fmt: skip


@pytest.fixture(scope="module")
def found(run, pictures):
    return ganforge.evaluate(run.path, pictures, count=128)


class Mean(nn.Module):
    """Mean colour, and logits that are the colour."""

    def __init__(self, broken: bool = False) -> None:
        super().__init__()
        self.broken = broken

    def forward(self, x):
        means = x.mean((2, 3))
        return means / 0 if self.broken else means, means


def mean_net(**more) -> FeatureNet:
    return FeatureNet(name="mean", about="", sha256="0", dims=3, resizer="", net=Mean(**more))


class TestFeatures:
    def test_streams_what_it_looks_at(self):
        pictures = np.random.default_rng(0).integers(0, 256, (150, 8, 8, 3), dtype=np.uint8)
        seen = look(mean_net(), chunks_of(pictures), 150)
        assert seen.features == pytest.approx(pictures.mean((1, 2)) / 255, abs=1e-6)
        assert seen.probabilities.sum(1) == pytest.approx(1, abs=1e-5)
        order = np.array([3, 149, 7])
        assert np.array_equal(look(mean_net(), chunks_of(pictures, order), 3).features, seen.features[order])

    @pytest.mark.parametrize(
        ("pictures", "total", "said"),
        [
            (np.zeros((4, 8, 8, 3), np.float32), 4, "uint8"),
            (np.zeros((4, 3, 8, 8), np.uint8), 4, "height, width, 3"),
            (np.zeros((4, 8, 8), np.uint8), 4, "uint8"),
            (np.zeros((4, 8, 8, 3), np.uint8), 5, "4 pictures came where 5"),
            (np.zeros((4, 8, 8, 3), np.uint8), 3, "More than the 3"),
        ],
    )
    def test_wrong_pictures_are_refused(self, pictures, total, said):
        with pytest.raises(UsageError, match=said):
            look(mean_net(), iter([pictures]), total)

    def test_features_that_are_no_numbers_are_refused(self):
        with pytest.raises(UsageError, match="no finite numbers"):
            look(mean_net(broken=True), chunks_of(np.zeros((2, 8, 8, 3), np.uint8)), 2)

    def test_the_cache_answers_the_second_time_and_only_the_same_question(self, monkeypatch):
        pictures = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), dtype=np.uint8)
        first = look_at_collection(mean_net(), pictures, "digest a", np.arange(20))
        monkeypatch.setattr(features_module, "look", lambda *a, **k: pytest.fail("looked again"))
        again = look_at_collection(mean_net(), pictures, "digest a", np.arange(20))
        assert np.array_equal(first.features, again.features)
        assert np.array_equal(first.probabilities, again.probabilities)
        for other in ({"mirrored": True}, {"precision": "bf16"}):
            with pytest.raises(pytest.fail.Exception):
                look_at_collection(mean_net(), pictures, "digest a", np.arange(20), **other)
        with pytest.raises(pytest.fail.Exception):
            look_at_collection(mean_net(), pictures, "digest b", np.arange(20))
        with pytest.raises(pytest.fail.Exception):
            look_at_collection(mean_net(), pictures, "digest a", np.arange(1, 20))

    def test_a_damaged_cache_is_looked_at_anew(self, tmp_path, monkeypatch):
        monkeypatch.setenv("GANFORGE_CACHE", str(tmp_path))
        pictures = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), dtype=np.uint8)
        first = look_at_collection(mean_net(), pictures, "digest", np.arange(20))
        (file,) = (tmp_path / "features").glob("*.npz")
        for damage in (b"", b"PK\x03\x04 cut", file.read_bytes()[:-40]):
            file.write_bytes(damage)
            assert np.array_equal(
                look_at_collection(mean_net(), pictures, "digest", np.arange(20)).features, first.features
            )

    def test_the_cache_does_not_grow_for_ever(self, tmp_path, monkeypatch):
        monkeypatch.setenv("GANFORGE_CACHE", str(tmp_path))
        monkeypatch.setattr(features_module, "MOST_KEPT_BYTES", 3_000)
        pictures = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 3), dtype=np.uint8)
        for digest in "abcdef":
            look_at_collection(mean_net(), pictures, digest, np.arange(50))
        assert 1 <= len(list((tmp_path / "features").glob("*.npz"))) <= 2


class TestOfflineNet:
    def test_it_is_small_and_standardised_over_avatars(self):
        net = offline_net()
        pack = make_pack("avatars:300:77", PackOptions(height=64, width=64))
        seen = look(net, chunks_of(pack.pictures), 300).features
        assert seen.shape == (300, net.dims)
        assert abs(seen.mean()) < 0.1
        assert 0.7 < seen.std() < 1.3
        assert sum(p.numel() for p in net.net.parameters()) < 1e6

    def test_it_ranks_blur_and_noise(self):
        from ganforge.measures.distances import Moments, frechet

        pack = make_pack("avatars:400:78", PackOptions(height=64, width=64))
        pictures = np.asarray(pack.pictures)
        net = offline_net()

        def moments(some):
            return Moments.of(look(net, chunks_of(some), len(some)).features)

        def blurred(times):
            small = [
                Image.fromarray(p).resize((64 // times,) * 2, Image.Resampling.BOX).resize((64, 64))
                for p in pictures[200:]
            ]
            return np.stack([np.asarray(p) for p in small])

        real, floor = moments(pictures[:200]), moments(pictures[200:])
        distances = [frechet(real, moments(blurred(times))) for times in (2, 4, 8)]
        assert frechet(real, floor) < distances[0] < distances[1] < distances[2]


class TestNets:
    def test_offline_where_nothing_is_at_hand(self):
        assert find_net("auto")[0].name == find_net("offline")[0].name == "offline-1"

    def test_a_name_that_is_none(self):
        with pytest.raises(UnknownNameError, match="offline"):
            find_net("incepton")

    def test_no_dead_end_without_a_network(self, monkeypatch):
        from ganforge.errors import FetchError
        from ganforge.measures import nets

        def fail(*args, **more):
            raise FetchError("There is no network.")

        monkeypatch.setattr(nets, "fetch", fail)
        net, note = find_net("inception")
        assert net.name == "offline-1"
        assert "There is no network" in note
        assert "--weights" in note

    @pytest.mark.parametrize("name", ["auto", "inception"])
    def test_damaged_weights_in_the_cache_are_no_dead_end(self, name, tmp_path, monkeypatch):
        from ganforge.measures import nets
        from ganforge.measures.inception import WEIGHTS_FILE

        def fetched(address, target, **more):
            calls.append(address)
            target.write_bytes(b"<html>sorry</html>")

        calls: list[str] = []
        monkeypatch.setenv("GANFORGE_CACHE", str(tmp_path))
        monkeypatch.setattr(nets, "fetch", fetched)
        kept = tmp_path / "weights" / WEIGHTS_FILE
        kept.parent.mkdir()
        kept.write_bytes(b"half of a file")
        net, note = find_net(name)
        assert net.name == "offline-1"
        assert "damaged" in note or "no readable" in note or "not" in note
        assert len(calls) == 1
        assert not kept.exists()

    def test_weights_do_not_go_with_offline_features(self, tmp_path):
        with pytest.raises(UsageError, match="Inception's"):
            find_net("offline", tmp_path / "weights.pth")

    def test_weights_from_anywhere_are_used_and_named_by_their_hash(self, tmp_path):
        from ganforge.files import sha256
        from ganforge.measures.inception import FIDInception

        torch.manual_seed(0)
        torch.save(FIDInception().state_dict(), tmp_path / "weights.pth")
        net, note = find_net("auto", tmp_path / "weights.pth")
        assert note is None
        assert net.standard
        assert net.sha256 == sha256(tmp_path / "weights.pth")
        seen = look(net, chunks_of(np.zeros((2, 16, 16, 3), np.uint8)), 2)
        assert seen.features.shape == (2, 2048)
        assert seen.probabilities.shape == (2, 1008)


class TestEvaluate:
    def test_figures_stand_beside_what_real_pictures_reach(self, found):
        e, _ = found
        for figure in (e.kid, e.frechet, e.precision, e.recall, e.density, e.coverage):
            assert figure.low <= figure.value <= figure.high
            assert figure.real is not None
        assert e.kid.value > 5 * abs(e.kid.real)  # an untrained generator
        assert e.coverage.value < e.coverage.real
        assert e.made.count == e.real.count == 128
        assert e.real.floor_count == 128
        assert e.inception_score is None
        assert e.features.name == "offline-1"

    def test_it_says_that_so_few_are_too_few_for_a_frechet_distance(self, found):
        assert any("too few for a Fréchet distance" in warning for warning in found[0].warnings)

    def test_three_sentences(self, found):
        assert list(found[0].sentences) == ["Looks real?", "How varied?", "Copied?"]
        assert found[0].sentences == plain_sentences(found[0])

    def test_json_comes_back(self, found):
        assert Evaluation.model_validate_json(found[0].model_dump_json()) == found[0]

    def test_seeds_and_hashes_are_in_it(self, found, run):
        e = found[0]
        assert e.made.first_seed == 1_000_000
        assert e.made.model == ganforge.load(run.path).id
        assert e.made.name == "my run"
        assert len(e.features.sha256) == len(e.made.sha256) == 64
        assert e.real.digest == run.config.digest

    def test_the_same_again_is_the_same(self, found, run, pictures):
        again, shown = ganforge.evaluate(run.path, pictures, count=128)
        assert again.kid == found[0].kid
        assert again.recall == found[0].recall
        assert np.array_equal(shown.made, found[1].made)

    def test_real_pictures_in_the_samples_place_score_as_real_ones(self, pictures, tmp_path):
        pack = make_pack(write_pictures(tmp_path / "others", 300, seed=5), SMALL)
        real = RealSide.of(make_pack(pictures, SMALL), "blobs", 150, trained_on=False)
        e, _ = measure(PackMaker(pack, "others"), real, offline_net(), count=150)
        assert e.precision.value > 0.8 * e.precision.real
        assert e.coverage.value > 0.8 * e.coverage.real
        assert abs(e.kid.value) < 0.1
        assert e.copying is None

    def test_a_memoriser_is_flagged(self, pictures, run):
        class Copier:
            """Draws training pictures again, a little brighter."""

            most = None

            def __init__(self, pack):
                self.pack = pack

            def chunks(self, count):
                for chunk in chunks_of(self.pack.pictures, np.arange(count)):
                    yield np.clip(chunk.astype(int) + 2, 0, 255).astype(np.uint8)

            def some(self, indices):
                return np.asarray(self.pack.pictures[indices])

            def about(self, count):
                return PackMaker(self.pack, "copier").about(count)

        pack = make_pack(pictures, SMALL)
        real = RealSide.of(pack, "blobs", 200, trained_on=True)
        e, shown = measure(Copier(pack), real, offline_net(), count=200)
        assert e.copying.flagged
        assert e.copying.share > 0.5
        assert "Yes" in e.sentences["Copied?"]
        assert np.abs(shown.closest.astype(int) - shown.closest_neighbours[:, 0].astype(int)).mean() < 12

    def test_a_small_collection_says_what_its_floor_is(self, pictures, run):
        e, _ = ganforge.evaluate(run.path, pictures, count=300)
        assert e.real.count > e.real.floor_count
        assert e.frechet.at_floor_count is not None
        assert any("too small to set aside" in warning for warning in e.warnings)

    def test_other_pictures_than_it_learnt_from(self, run, tmp_path):
        others = write_pictures(tmp_path / "others", 200, seed=9)
        assert ganforge.evaluate(run.path, others, count=100)[0].copying is None


class TestPaths:
    def test_smoothness_and_truncation(self, run, pictures):
        model = ganforge.load(run.path, device="cpu")
        assert not model.has_mapping
        smooth = smoothness(model, offline_net())
        assert 1 / smooth.steps <= smooth.largest_step <= 1
        assert smooth.detour >= 1
        pack = make_pack(pictures, SMALL)
        real = look(offline_net(), chunks_of(pack.pictures), len(pack)).features
        curve = truncation_curve(ModelMaker(model, "run"), offline_net(), real)
        assert curve[0].psi == 0
        assert curve[0].recall <= curve[-1].recall + 0.05  # one picture again and again meets hardly anything
        e, _ = ganforge.evaluate(run.path, pictures, count=64, paths=True)
        assert e.smoothness is not None
        assert len(e.truncation) == len(curve)


class TestMistakes:
    def test_too_few_pictures(self, run, tmp_path):
        few = write_pictures(tmp_path / "few", 40)
        with pytest.raises(PicturesError, match="40 real pictures are too few"):
            ganforge.evaluate(run.path, few, count=128)

    def test_pictures_made_elsewhere_and_the_same_real_ones(self, pictures):
        with pytest.raises(UsageError, match="the same pictures"):
            ganforge.evaluate(pictures, pictures)

    def test_seeds_belong_to_models(self, pictures, tmp_path):
        others = write_pictures(tmp_path / "others", 80, seed=9)
        with pytest.raises(UsageError, match="--psi and --seed"):
            ganforge.evaluate(others, pictures, psi=0.7)

    def test_a_model_folder_that_misses_a_file(self, run, tmp_path, pictures):
        import shutil

        shutil.copytree(run.path / "model", tmp_path / "model")
        (tmp_path / "model" / "generator.safetensors").unlink()
        with pytest.raises(ModelError, match=r"generator.safetensors is missing"):
            ganforge.evaluate(tmp_path / "model", pictures)
        (tmp_path / "model" / "model.json").unlink()
        with pytest.raises(ModelError, match=r"no model.json"):
            is_model(tmp_path / "model")

    def test_weights_that_are_damaged(self, run, pictures, tmp_path):
        (tmp_path / "pt_inception-2015-12-05-6726825d.pth").write_bytes(b"\x80\x02 nothing")
        with pytest.raises(ModelError, match="6726825d"):
            ganforge.evaluate(run.path, pictures, weights=tmp_path / "pt_inception-2015-12-05-6726825d.pth")

    def test_a_generator_that_draws_no_numbers(self, run, pictures):
        model = ganforge.load(run.path, device="cpu")
        with torch.no_grad():
            next(model.generator.parameters()).fill_(float("nan"))
        with pytest.raises(ModelError, match="no finite numbers"):
            model.sample(2)


def test_command_line(run, pictures, tmp_path, capsys, monkeypatch):
    from ganforge.cli import app

    monkeypatch.chdir(tmp_path)
    words = ["evaluate", str(run.path), str(pictures), "-n", "64"]
    app([*words, "--json"], standalone_mode=False)
    said = json.loads(capsys.readouterr().out)
    assert said["made"]["count"] == 64
    app(words, standalone_mode=False)
    out = capsys.readouterr().out
    assert out.startswith("Looks real?")
    assert "KID × 1000" in out
    (page,) = tmp_path.glob("evaluation-*.html")
    assert out.strip().endswith(page.name)
    with pytest.raises(UsageError, match="nothing was overwritten"):
        app([*words, "--out", page.name], standalone_mode=False)


def test_pictures_are_packed_as_for_the_training_also_for_a_model_by_itself(pictures, tmp_path):
    import shutil

    asked = {"background": "#102030", "fit": "pad", "flip": True, "observers": []}
    run = ganforge.train(
        pictures, images=200, recipe="dcgan", size=16, settings=TINY["dcgan"], out=tmp_path / "run", **asked
    )
    shutil.copytree(run.path / "model", tmp_path / "model")
    alone = ganforge.load(tmp_path / "model", device="cpu")
    assert pack_options(alone) == PackOptions(height=16, width=16, background="#102030", fit="pad")
    _, real = sides(tmp_path / "model", pictures, count=100, seed=0, psi=1.0)
    assert real.train is not None
    assert real.flip


def test_a_small_folder_of_made_pictures_has_a_floor_of_its_own_size(pictures, tmp_path):
    few = ganforge.evaluate(write_pictures(tmp_path / "few", 70), pictures)[0]
    assert few.made.count == few.real.count == few.real.floor_count == 70


def test_a_maker_that_repeats_itself_is_seen_repeating(pictures, tmp_path):
    """Exact copies are left out of what is learnt from, never of what is judged."""
    one = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), dtype=np.uint8)
    np.savez(tmp_path / "collapsed.npz", images=np.repeat(one, 5, 0))
    found = ganforge.evaluate(tmp_path / "collapsed.npz", pictures)[0]
    assert found.made.count == 100


def test_few_pictures_where_bfloat16_is_fast(pictures, monkeypatch):
    """The probe looks at no more pictures than there are."""
    monkeypatch.setattr(measuring, "has_native_bf16", lambda device: True)
    pack = make_pack(pictures, SMALL)
    real = RealSide.of(pack, "blobs", 4000, trained_on=False)
    assert real.count < 2 * measuring.PROBED
    assert measure(PackMaker(pack, "itself"), real, offline_net(), count=4000)[0].features.precision == "fp32"


def test_the_floor_comes_from_two_halves_of_all_there_is(pictures):
    pack = make_pack(pictures, SMALL)
    for count in (64, 100, 149, 150, 151, 200, 299, 300, 4000):
        real = RealSide.of(pack, "blobs", count, trained_on=False)
        assert real.count == min(count, len(pack))
        assert real.floor == min(count, len(pack) // 2)
        assert len(set(real.drawn.tolist())) == len(real.drawn) >= max(real.count, 2 * real.floor)


def test_labels_are_refused_before_anything_is_measured(run, pictures, monkeypatch):
    monkeypatch.setattr(asking, "measure", lambda *_, **__: pytest.fail("measured"))
    with pytest.raises(UsageError, match=r"0\.1 minutes or more"):
        ganforge.evaluate(run.path, pictures, label_minutes=0.05)


def test_figures_stand_where_labels_cannot_be_judged(run, pictures, monkeypatch):
    def fail(*_, **__):
        raise TrainingError("no memory")

    monkeypatch.setattr(asking, "judge_labels", fail)
    found = ganforge.evaluate(run.path, pictures, count=100, label_minutes=1)[0]
    assert any("no memory" in warning for warning in found.warnings)
    assert found.kid.value is not None


def test_a_name_that_leads_nowhere_is_told(pictures, tmp_path):
    with pytest.raises(UsageError, match="name a run, a model folder, or a collection"):
        ganforge.evaluate(tmp_path / "typo-run", pictures)


def test_the_command_asks_for_what_python_asks_for():
    """The command names its defaults itself: importing them would cost every command a second."""
    import inspect

    from ganforge.cli.compare import compare
    from ganforge.cli.evaluate import evaluate
    from ganforge.evaluation.sides import FIRST_SEED

    of = inspect.signature(evaluate).parameters
    assert (of["n"].default, of["seed"].default) == (measuring.COUNT, FIRST_SEED)
    assert inspect.signature(compare).parameters["n"].default == measuring.COUNT
