"""A warm start: what is taken from another Model, what is not, and what is said when it cannot be."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import ganforge
from ganforge.errors import ModelError, RunError, UsageError
from systems_tiny import TINY, write_pictures

QUICK = {"size": 16, "images": 160, "observers": [], "settings": TINY["style"]}

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("p"))


@pytest.fixture(scope="module")
def origin(pictures, tmp_path_factory):
    return ganforge.train(pictures, out=tmp_path_factory.mktemp("o") / "run", recipe="style", **QUICK)


def first_weights(run, part="generator"):
    folder = sorted((run.path / "checkpoints").glob("[0-9]*"))[0]
    assert int(folder.name) == 0
    return load_file(folder / "model" / f"{part}.safetensors")


def said(run):
    return [event["said"] for event in run.events("warm_start")]


def test_it_begins_where_the_model_ended(origin, pictures, tmp_path):
    run = ganforge.train(pictures, out=tmp_path / "r", start_from=origin.path, **QUICK)
    assert (run.config.recipe, run.config.config["height"]) == ("style", 16)  # the model's own
    given = load_file(origin.path / "model" / "generator.safetensors")
    assert all(torch.equal(given[name], value) for name, value in first_weights(run).items())
    assert "100% of the generator's" in said(run)[0]
    assert "100% of the discriminator's" in said(run)[0]
    assert ganforge.load(run.path).card.border != 0  # its loss compares


def test_what_does_not_fit_is_drawn_anew(origin, pictures, tmp_path):
    settings = TINY["style"] | {"g.widths": "16,8,8", "g.convs": "1,1,1", "d.widths": "4,8,16", "d.convs": "0,1,0"}
    wider = {**QUICK, "size": 32, "settings": settings}
    run = ganforge.train(pictures, out=tmp_path / "r", start_from=origin.path, **wider)
    given = load_file(origin.path / "model" / "generator.safetensors")
    now = first_weights(run)
    assert torch.equal(now["start"], given["start"])
    assert len(now) > len(given)
    assert "100% of the generator's" not in said(run)[0]
    given, now = load_file(origin.path / "model" / "discriminator.safetensors"), first_weights(run, "discriminator")
    same = "enter.weight"  # of the level that sees 8×8 places, whatever its number is
    assert torch.equal(now[f"levels.2.{same}"], given[f"levels.1.{same}"])


def test_pictures_end_as_those_of_the_model_did(pictures, tmp_path):
    """What was learnt under a tanh lies far beyond the range without one: the first pictures would be glare."""
    ending = TINY["style"] | {"g.output": "tanh"}
    first = ganforge.train(pictures, out=tmp_path / "first", recipe="style", **{**QUICK, "settings": ending})
    run = ganforge.train(pictures, out=tmp_path / "r", start_from=first.path, **QUICK)
    assert run.config.config["g"]["output"] == "tanh"
    begun = ganforge.load(sorted((run.path / "checkpoints").glob("[0-9]*"))[0] / "model", device="cpu")
    given = ganforge.load(first.path / "model", device="cpu")
    assert np.array_equal(begun.sample(4).pictures, given.sample(4).pictures)
    asked = {**QUICK, "settings": TINY["style"] | {"g.output": "linear"}}
    other = ganforge.train(pictures, out=tmp_path / "s", start_from=first.path, **asked)
    assert other.config.config["g"]["output"] == "linear"


def test_a_recipe_of_one_size_keeps_it(pictures, tmp_path):
    tiny = {**QUICK, "settings": TINY["dcgan"]}
    first = ganforge.train(pictures, out=tmp_path / "first", recipe="dcgan", **tiny)
    asked = {**QUICK, "size": None, "images": 16, "settings": TINY["dcgan64"] | {"g.widths": "16,8,8,8", "z_size": "8"}}
    run = ganforge.train(pictures, out=tmp_path / "r", start_from=first.path, recipe="dcgan64", **asked)
    assert run.config.config["height"] == 64


def test_other_systems_and_other_nets_are_refused_before_anything_is_made(origin, pictures, tmp_path):
    out = tmp_path / "r"
    with pytest.raises(UsageError, match="holds a style, whose weights the recipe dcgan cannot take"):
        ganforge.train(pictures, out=out, start_from=origin.path, recipe="dcgan", size=16, images=160, observers=[])
    with pytest.raises(ModelError, match="no run or model folder"):
        ganforge.train(pictures, out=out, start_from=tmp_path / "nothing", **QUICK)
    assert not out.exists()


def test_nets_of_other_widths_are_refused(origin, pictures, tmp_path):
    narrow = TINY["style"] | {
        "g.widths": "5,3",
        "d.widths": "3,5",
        "z_size": "7",
        "w_size": "7",
        "d.head": "5",
    }
    with pytest.raises(UsageError, match="Hardly a weight"):
        ganforge.train(pictures, out=tmp_path / "r", start_from=origin.path, **{**QUICK, "settings": narrow})
    assert not (tmp_path / "r").exists(), "said before anything is made"


def test_a_model_that_changed_since_is_refused(origin, pictures, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(origin.path / "model", model)
    run = ganforge.train(pictures, out=tmp_path / "r", start_from=model, **QUICK)
    shutil.rmtree(run.path / "checkpoints")
    shutil.rmtree(run.path / "model")
    run.set_state("interrupted")
    again = ganforge.resume(run.path, observers=[])  # nothing was kept: it begins once more, with the same weights
    assert "100% of the generator's" in said(again)[-1]
    card = json.loads((model / "model.json").read_text())
    (model / "model.json").write_text(json.dumps(card | {"id": "another"}))
    shutil.rmtree(run.path / "checkpoints")
    run.set_state("interrupted")
    with pytest.raises(RunError, match="changed since this run began"):
        ganforge.resume(run.path, observers=[])


def test_a_resumed_run_does_not_need_it_any_more(origin, pictures, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(origin.path / "model", model)
    run = ganforge.train(pictures, out=tmp_path / "r", start_from=model, **QUICK)
    shutil.rmtree(model)
    assert ganforge.resume(run.path, images=160, observers=[]).state()["state"] == "finished"
