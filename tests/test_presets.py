"""Which of a recipe's presets a run takes, by the minutes and the machine."""

import pytest
import torch

from ganforge import train
from ganforge.systems import find_recipe
from ganforge.training import presets
from ganforge.training.budget import Budget
from ganforge.training.presets import chosen_preset

STYLE = find_recipe("style")
NARROW, WIDE = 128, 256
OPTIONS = {"size": 32, "observers": [], "flip": False}
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
    assert preset.notes(SHORT) == ["On an accelerator: 32 pictures a step."]
    set_by_hand = chosen_preset(STYLE, (32, 32), {"batch_size": "16"}, SHORT)
    assert (set_by_hand.config.batch_size, set_by_hand.notes(SHORT)) == (16, [])


def test_what_a_cpu_began_an_accelerator_replays_as_it_was_and_goes_on_from_with_its_own_batch(tmp_path, monkeypatch):
    settings = {"g.widths": "128,128,64,32", "d.widths": "32,64,128"}
    run = train("avatars:32", images=16, settings=settings, out=tmp_path / "first", **OPTIONS)
    on("cuda", monkeypatch)
    replayed = chosen_preset(STYLE, (32, 32), {}, Budget(images=16), repeated=run)
    begun = chosen_preset(STYLE, (32, 32), {}, SHORT, origin_path=run.path / "model")
    assert [(p.config.g.widths[0], p.config.batch_size) for p in (replayed, begun)] == [(NARROW, 8), (NARROW, 32)]


@pytest.mark.parametrize(
    ("widths", "short", "long"),
    [
        ({"g.widths": "128,128,64,32", "d.widths": "32,64,128"}, NARROW, NARROW),
        ({}, WIDE, WIDE),
        ({"g.widths": "8,8,8,8", "d.widths": "4,4,4", "d.look": "4", "z_size": "8", "w_size": "8"}, NARROW, WIDE),
    ],
)
def test_replayed_and_warm_runs_take_the_nets_of_the_first(widths, short, long, tmp_path):
    """Where either preset is as far from a replayed run, its pictures choose, which are never few."""
    run = train("avatars:32", images=16, settings=widths, out=tmp_path / "first", **OPTIONS)
    if short == long:  # else no net of either could start warm
        for budget in (SHORT, LONG):
            assert maps(budget, origin_path=run.path / "model") == short
    again = train("avatars:32", replay=run.path, out=tmp_path / "again", **OPTIONS)
    assert again.config.config["g"]["widths"][0] == long


@pytest.mark.parametrize("d_widths", ["32,64,128", "16,16,16"])
def test_a_replayed_run_keeps_the_net_that_is_not_set_again(d_widths, tmp_path):
    own = {"d.widths": d_widths}
    first = train("avatars:32", images=16, settings={"g.widths": "128,128,64,32", **own}, out=tmp_path / "a", **OPTIONS)
    again = train("avatars:32", replay=first.path, settings=own, out=tmp_path / "b", **OPTIONS)
    assert again.config.config == first.config.config
