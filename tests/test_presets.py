"""Which of a recipe's presets a run takes, by the minutes and the machine."""

import shutil

import pytest
import torch
from safetensors.torch import load_file

from ganforge import train
from ganforge.errors import RunError, UnknownNameError
from ganforge.systems import find_recipe, style
from ganforge.training import presets, replaying, sizes
from ganforge.training.budget import Budget
from ganforge.training.presets import chosen_preset
from ganforge.training.replaying import kept_of, stored_config
from systems_tiny import TINY

STYLE = find_recipe("style")
NARROW, WIDE = 128, 256
OPTIONS = {"size": 32, "observers": [], "flip": False}
OF_DCGAN = TINY["dcgan"]
SHORT, LONG = Budget(seconds=1799), Budget(seconds=1800)


@pytest.fixture(autouse=True)
def _on_a_cpu(monkeypatch):
    monkeypatch.setenv("GANFORGE_DEVICE", "cpu")


def maps(budget: Budget, **more) -> int:
    return chosen_preset(STYLE, (32, 32), {}, budget, **more).config.g.widths[0]


@pytest.mark.parametrize(("budget", "expected"), [(SHORT, NARROW), (LONG, WIDE), (Budget(images=1000), WIDE)])
def test_minutes_choose(budget, expected):
    assert maps(budget) == expected


@pytest.mark.parametrize(("size", "minutes"), [((32, 32), 30), ((64, 64), 30), ((64, 256), 60), ((256, 256), 120)])
def test_larger_pictures_take_more_minutes(size, minutes):
    short, long = (chosen_preset(STYLE, size, {}, Budget(seconds=60 * minutes + more)) for more in (-1, 0))
    assert (short.brief, long.brief) == (True, False)
    (note,) = short.notes(Budget(seconds=60))
    assert note.startswith(f"Below {minutes} minutes at {size[1]}x{size[0]}: narrower nets")


def test_what_the_user_sets_stays():
    preset = chosen_preset(STYLE, (64, 64), {"g.widths": "8,8,8,8,8", "d.widths": "4,4,4,4"}, SHORT)
    assert (preset.config.g.widths[0], preset.brief, preset.notes(SHORT)) == (8, False, [])


def test_other_recipes_have_one_preset():
    dcgan = find_recipe("dcgan")
    assert chosen_preset(dcgan, (64, 64), {}, SHORT) == chosen_preset(dcgan, (64, 64), {}, LONG)


def on(device: str, monkeypatch) -> None:
    monkeypatch.setattr(presets, "best_device", lambda: torch.device(device))


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_accelerators_take_more_pictures_a_step_and_all_maps(device, monkeypatch):
    on(device, monkeypatch)
    preset = chosen_preset(STYLE, (32, 32), {}, SHORT)
    assert (preset.config.g.widths[0], preset.config.batch_size) == (WIDE, 32)
    assert preset.notes(SHORT) == ["On an accelerator: batch_size = 32, d_optimizer = adam."]
    set_by_hand = chosen_preset(STYLE, (32, 32), {"batch_size": "16"}, SHORT)
    assert (set_by_hand.config.batch_size, set_by_hand.notes(SHORT)) == (16, ["On an accelerator: d_optimizer = adam."])


def test_what_a_cpu_began_an_accelerator_replays_as_it_was_and_goes_on_from_with_its_own_batch(tmp_path, monkeypatch):
    settings = {"g.widths": "128,128,64,32", "d.widths": "32,64,128"}
    run = train("avatars:32", images=16, settings=settings, out=tmp_path / "first", **OPTIONS)
    on("cuda", monkeypatch)
    replayed = chosen_preset(STYLE, (32, 32), {}, Budget(images=16), repeated=stored_config(run))
    begun = chosen_preset(STYLE, (32, 32), {}, SHORT, origin_path=run.path / "model")
    assert [(p.config.g.widths[0], p.config.batch_size) for p in (replayed, begun)] == [(NARROW, 8), (NARROW, 32)]


@pytest.mark.parametrize(
    ("widths", "expected"), [({"g.widths": "128,128,64,32", "d.widths": "32,64,128"}, NARROW), ({}, WIDE)]
)
def test_warm_runs_take_the_nets_of_the_first(widths, expected, tmp_path):
    run = train("avatars:32", images=16, settings=widths, out=tmp_path / "first", **OPTIONS)
    for budget in (SHORT, LONG):
        assert maps(budget, origin_path=run.path / "model") == expected


def test_a_replayed_run_is_what_the_first_was_whatever_the_presets_have_become(tmp_path, monkeypatch):
    tiny = {"g.widths": "8,8,8,8", "d.widths": "4,4,4", "d.look": "4", "z_size": "8", "w_size": "8", "r1_gamma": "0.5"}
    first = train("avatars:32", images=16, settings=tiny, seed=5, out=tmp_path / "a", **OPTIONS)
    monkeypatch.setattr(style, "TAUGHT_FROM", 64)
    monkeypatch.setattr(sizes, "SIDES", (64,))
    again = train("avatars:32", replay=first.path, out=tmp_path / "b", observers=[])
    assert (again.config.config, again.config.seed) == (first.config.config, 5)
    assert (again.config.pack, again.config.flip) == (first.config.pack, False)
    weights = [load_file(run.path / "model" / "generator.safetensors") for run in (first, again)]
    assert all(torch.equal(weight, weights[1][name]) for name, weight in weights[0].items())


def test_but_for_what_is_said(tmp_path):
    first = train("avatars:32", images=16, settings=OF_DCGAN, recipe="dcgan", out=tmp_path / "a", **OPTIONS)
    again = train("avatars:32", replay=first.path, settings={"z_size": "9"}, seed=1, out=tmp_path / "b", observers=[])
    assert (again.config.recipe, again.config.seed) == ("dcgan", 1)
    assert again.config.config == first.config.config | {"z_size": 9}
    other = train("avatars:32", replay=first.path, size=16, settings=OF_DCGAN, out=tmp_path / "c", observers=[])
    assert (other.config.recipe, other.config.config["height"]) == ("dcgan", 16)
    with pytest.raises(UnknownNameError, match="z_sise"):
        train("avatars:32", replay=first.path, settings={"z_sise": "9"}, out=tmp_path / "d", observers=[])


def test_pictures_are_read_as_they_were(tmp_path):
    told = {"recipe": "dcgan", "settings": OF_DCGAN, "background": "black", "fit": "pad", "stop_early": False}
    first = train("avatars:32", images=16, out=tmp_path / "a", **told, **OPTIONS)
    again = train("avatars:32", replay=first.path, out=tmp_path / "b", observers=[])
    other = train("avatars:32", replay=first.path, fit="crop", stop_early=True, out=tmp_path / "c", observers=[])
    assert (again.config.pack, again.config.stop_early) == (first.config.pack, False)
    assert (other.config.pack, other.config.stop_early) == (first.config.pack | {"fit": "crop"}, True)


@pytest.mark.parametrize(("device", "kept"), [("cpu", True), ("cuda", False)])
def test_it_computes_as_the_first_run_did_where_this_machine_can(device, kept, tmp_path, monkeypatch):
    run = train("avatars:32", images=16, recipe="dcgan", settings=OF_DCGAN, out=tmp_path / "first", **OPTIONS)
    monkeypatch.setattr(replaying, "best_device", lambda: torch.device(device))
    assert (kept_of(run.path, "dcgan", None).execution is not None) == kept


def test_a_warm_run_is_replayed_from_where_it_began(tmp_path):
    settings = {"g.widths": "8,8,8,8", "d.widths": "4,4,4"}
    origin = train("avatars:32", images=16, settings=settings, out=tmp_path / "origin", **OPTIONS)
    first = train("avatars:32", images=16, settings=settings, start_from=origin.path, out=tmp_path / "a", **OPTIONS)
    again = train("avatars:32", replay=first.path, out=tmp_path / "b", observers=[])
    assert (again.config.start_from, again.config.start_id) == (first.config.start_from, first.config.start_id)
    assert again.events("warm_start")
    shutil.rmtree(origin.path)
    train("avatars:32", images=16, settings=settings, seed=1, out=origin.path, **OPTIONS)
    with pytest.raises(RunError, match="changed since"):
        train("avatars:32", replay=first.path, out=tmp_path / "c", observers=[])


def test_a_run_of_an_older_version_that_says_nothing_of_a_teacher_can_be_replayed(tmp_path):
    first = train("avatars:32", images=16, recipe="dcgan", settings=OF_DCGAN, out=tmp_path / "a", **OPTIONS)
    assert first.config.looked_at  # asked for by none of its nets
    first.extend(looked_at=0)
    narrow = {"g.widths": "8,8,8,8", "d.widths": "4,4,4"}
    again = train("avatars:32", replay=first.path, recipe="style", settings=narrow, out=tmp_path / "b", observers=[])
    assert again.config.looked_at > 0
