"""A Model folder: the same pictures from the same seeds, and a plain word about every damage."""

import json
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import ganforge
from ganforge.errors import GanforgeError, ModelError, UsageError
from ganforge.model.model import save_model, slerp
from ganforge.model.seeds import latents
from systems_tiny import tiny

KNOWN_SEED_0 = [0.00808869581669569, 0.1521921306848526, -0.4468097388744354]
KNOWN_LAST_UNIFORM = [-0.5301167964935303, 0.4346214830875397, -0.17764534056186676]


@pytest.fixture
def folder(tmp_path):
    recipe, config = tiny("dcgan")
    torch.manual_seed(0)
    nets = recipe.system.make_nets(config)
    save_model(tmp_path / "a model", recipe.system, config.model_dump(mode="json"), (16, 16), nets)
    return tmp_path / "a model"


@pytest.fixture
def model(folder):
    return ganforge.load(folder, device="cpu")


class TestSeeds:
    def test_vectors_that_other_languages_must_meet(self):
        """Philox4x64-10, key (seed, 0), counter from 1: computed once, kept for ever, or every link breaks."""
        words = np.random.Philox(key=np.array([7, 0], dtype=np.uint64)).random_raw(2)
        u = [(int(word) >> 11) * 2.0**-53 for word in words]
        r, a = np.sqrt(-2 * np.log(1 - u[0])), 2 * np.pi * u[1]
        assert latents([7], 2)[0] == pytest.approx([r * np.cos(a), r * np.sin(a)], abs=1e-6)
        assert latents([7], 2, "uniform")[0] == pytest.approx([2 * u[0] - 1, 2 * u[1] - 1], abs=1e-6)
        assert latents([0], 3)[0] == pytest.approx(KNOWN_SEED_0, abs=1e-6)
        assert latents([2**64 - 1], 3, "uniform")[0] == pytest.approx(KNOWN_LAST_UNIFORM, abs=1e-6)

    def test_distributions(self):
        normal = latents(range(2000), 32).ravel()
        assert abs(normal.mean()) < 0.02
        assert normal.std() == pytest.approx(1, abs=0.02)
        uniform = latents(range(2000), 32, "uniform").ravel()
        assert uniform.min() >= -1
        assert uniform.max() < 1
        assert uniform.std() == pytest.approx(3**-0.5, abs=0.02)

    def test_a_longer_latent_begins_like_a_shorter_one(self):
        assert np.array_equal(latents([5], 6), latents([5], 10)[:, :6])

    @pytest.mark.parametrize("seed", [-1, 2**64])
    def test_seeds_outside_64_bits(self, seed):
        with pytest.raises(UsageError, match="seed"):
            latents([seed], 4)


class TestSampling:
    def test_seeds_are_consecutive_and_independent_of_the_batch(self, model):
        many, one = model.sample(70, 7), model.sample(1, 70)
        assert many.seeds == tuple(range(7, 77))
        assert np.abs(many.pictures[63].astype(int) - one.pictures[0].astype(int)).max() <= 1

    def test_truncation_ends_in_the_average_picture(self, model):
        assert len(np.unique(model.sample(4, 3, psi=0.0).pictures.reshape(4, -1), axis=0)) == 1
        assert len(np.unique(model.sample(4, 3, psi=0.5).pictures.reshape(4, -1), axis=0)) == 4

    def test_the_best_are_ranked_by_the_discriminator(self, model):
        best = model.best(5, 40, 100)
        everything = model.sample(40, 100)
        told = dict(zip(everything.seeds, model.verdicts(everything.pictures), strict=True))
        assert list(best.verdicts) == sorted(told.values(), reverse=True)[:5]
        assert [told[seed] for seed in best.seeds] == list(best.verdicts)
        assert "picked" in best.title

    @pytest.mark.parametrize("count", [1, 3, 5, 65, 66, 130])
    def test_whole_groups_are_judged_together(self, model, count, monkeypatch):
        """Where D is told the spread of four, no picture is judged beside fewer or more, and none twice in the answer."""
        pictures = model.sample(count, 0).pictures
        judged = []
        monkeypatch.setattr(model.discriminator, "group", 4)
        monkeypatch.setattr(
            model.discriminator, "verdicts", lambda batch, border: judged.append(len(batch)) or batch.mean((1, 2, 3))
        )
        found = model.verdicts(pictures)
        assert found == pytest.approx((pictures.astype(np.float32) / 127.5 - 1).mean((1, 2, 3)), abs=1e-5)
        assert all(size % 4 == 0 for size in judged) or count < 4
        assert max(judged) <= 68

    @pytest.mark.parametrize(("keep", "of"), [(0, 4), (5, 4)])
    def test_impossible_picks(self, model, keep, of):
        with pytest.raises(UsageError):
            model.best(keep, of)

    def test_an_interpolation_is_a_loop_through_its_seeds(self, model):
        frames = list(model.interpolate(3, 5, frames_between=4))
        assert len(frames) == 12
        at_seeds = model.sample(3, 5).pictures
        assert np.abs(np.stack(frames[::4]).astype(int) - at_seeds.astype(int)).max() <= 1

    def test_slerp_stays_on_the_sphere(self):
        a, b = torch.tensor([3.0, 0, 0]), torch.tensor([0, 3.0, 0])
        for t in (0.0, 0.3, 1.0):
            assert slerp(a, b, torch.tensor(t)).norm().item() == pytest.approx(3, abs=1e-3)

    @pytest.mark.parametrize("bad", [{"n": 0}, {"psi": -1}, {"psi": float("nan")}, {"seed": -1}])
    def test_wrong_wishes(self, model, bad):
        with pytest.raises(UsageError):
            model.sample(**{"n": 1, **bad})


class TestFiles:
    def test_a_sheet_carries_its_recipe_and_never_overwrites(self, model, tmp_path):
        path = model.sample(4, 9).save_sheet(tmp_path / "中文 sheet.png")
        with Image.open(path) as image:
            assert image.text["seed"] == "9,10,11,12"
            assert image.text["model"] == model.id
            assert image.text["Source"] == "AI-generated"
        before = path.read_bytes()
        with pytest.raises(UsageError, match="overwritten"):
            model.sample(4, 1).save_sheet(path)
        assert path.read_bytes() == before

    def test_folder_and_arrays(self, model, tmp_path):
        samples = model.sample(3, 20)
        samples.save_folder(tmp_path / "out")
        assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["seed20.png", "seed21.png", "seed22.png"]
        with pytest.raises(UsageError, match="is there already"):
            samples.save_folder(tmp_path / "out")
        samples.save_npz(tmp_path / "s.npz")
        with np.load(tmp_path / "s.npz") as arrays:
            assert np.array_equal(arrays["images"], samples.pictures)
            assert arrays["seeds"].tolist() == [20, 21, 22]

    def test_a_notebook_shows_it(self, model):
        assert model.sample(2)._repr_png_().startswith(b"\x89PNG")


class TestDamage:
    def test_the_id_changes_with_the_weights(self, folder, model, tmp_path):
        recipe, config = tiny("dcgan")
        torch.manual_seed(1)
        other = save_model(
            tmp_path / "b", recipe.system, config.model_dump(mode="json"), (16, 16), recipe.system.make_nets(config)
        )
        assert other.id != model.id

    def test_a_changed_file_is_named(self, folder):
        path = folder / "generator.safetensors"
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        with pytest.raises(ModelError, match=r"generator\.safetensors is damaged"):
            ganforge.load(folder)

    def test_a_missing_file_is_named(self, folder):
        (folder / "discriminator.safetensors").unlink()
        with pytest.raises(ModelError, match=r"discriminator\.safetensors is missing"):
            ganforge.load(folder)

    def test_without_its_discriminator_it_still_samples(self, folder):
        card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        del card["files"]["discriminator.safetensors"]
        (folder / "model.json").write_text(json.dumps(card), encoding="utf-8")
        model = ganforge.load(folder, device="cpu")
        assert len(model.sample(2)) == 2
        with pytest.raises(ModelError, match="no discriminator"):
            model.best(1, 2)

    @pytest.mark.parametrize("name", ["../generator.safetensors", "/etc/passwd", "x/../generator.safetensors"])
    def test_files_outside_the_folder_are_refused(self, folder, name):
        card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        card["files"] = {name: "0" * 64}
        (folder / "model.json").write_text(json.dumps(card), encoding="utf-8")
        with pytest.raises(ModelError):
            ganforge.load(folder)

    def test_other_folders_are_no_models(self, tmp_path):
        with pytest.raises(ModelError, match="no run or model"):
            ganforge.load(tmp_path / "nothing")
        with pytest.raises(ModelError, match="neither"):
            ganforge.load(tmp_path)

    @settings(max_examples=40, deadline=None)
    @given(st.data())
    def test_mutated_cards_end_in_our_own_error(self, tmp_path_factory, data):
        recipe, config = tiny("dcgan")
        folder = tmp_path_factory.mktemp("m") / "model"
        torch.manual_seed(0)
        save_model(folder, recipe.system, config.model_dump(mode="json"), (16, 16), recipe.system.make_nets(config))
        card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        key = data.draw(st.sampled_from(sorted(card)))
        junk = st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3)
        )
        card[key] = data.draw(junk)
        (folder / "model.json").write_text(json.dumps(card), encoding="utf-8")
        try:
            ganforge.load(folder, device="cpu")
        except GanforgeError:
            pass
        finally:
            shutil.rmtree(folder)
