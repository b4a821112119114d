"""What is said of a run while it learns: D's verdicts, counted from where D's own border lies."""

import pytest
import torch

from ganforge.game import System
from ganforge.pictures import Pack, PackOptions, make_pack, split_held_out
from ganforge.systems import configure, fitted
from ganforge.training.averages import Average
from ganforge.training.execution import Execution
from ganforge.training.watch import GameWatch
from systems_tiny import TINY, recipes, write_pictures

pytestmark = pytest.mark.usefixtures("own_cache")


def watched(pack: Pack, **settings: str) -> tuple[System, GameWatch]:
    torch.manual_seed(0)
    recipe = recipes()["style"]
    config = configure(recipe, 16, 16, TINY["style"] | settings)
    system = recipe.system(fitted(recipe, config, pack.schema, len(pack)))
    averages = {"generator": Average(system.nets["generator"], 1000, 0.05)}
    execution = Execution("cpu", "contiguous", "fp32")
    return system, GameWatch(system, averages, execution, pack, *split_held_out(pack))


def test_verdicts_keep_their_order_however_far_from_zero_logits_lie(pack):
    d, pictures = watched(pack, loss="relativistic")[0].nets["discriminator"], torch.rand(64, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        order = d.verdicts(pictures).argsort()
        d.judge.bias.add_(25.0)
        assert torch.equal(d.verdicts(pictures).argsort(), order)


@pytest.fixture
def pack(tmp_path) -> Pack:
    return make_pack(str(write_pictures(tmp_path / "p", 200)), PackOptions(height=16, width=16))


@pytest.mark.parametrize("loss", ["relativistic", "non_saturating"])
def test_a_loss_that_compares_leaves_the_zero_of_logits_anywhere(pack, loss):
    system, watch = watched(pack, loss=loss)
    d, pictures = system.nets["discriminator"], torch.rand(16, 3, 16, 16) * 2 - 1
    before, sheet = watch.report(), watch.sheet()
    with torch.no_grad():
        kept = d.verdicts(pictures, border=watch.border())
        d.judge.bias.add_(3.0)
        moved = d.verdicts(pictures, border=watch.border())
    after, again = watch.report(), watch.sheet()
    assert (watch.border() == 0) == (loss == "non_saturating")
    if loss == "non_saturating":
        assert after["verdicts"]["fakes"] > before["verdicts"]["fakes"] + 0.3
        assert after["hit_rate"] == 0.5  # everything passes for real
        return
    assert after["hit_rate"] == before["hit_rate"]
    assert after["verdicts"] == pytest.approx(before["verdicts"], abs=1e-5)
    torch.testing.assert_close(moved, kept)
    assert again.verdicts == pytest.approx(sheet.verdicts, abs=1e-5)
    assert pytest.approx((before["verdicts"]["held_out"] + before["verdicts"]["fakes"]) / 2, abs=0.02) == 0.5


def test_held_out_pictures_are_judged_in_whole_groups(pack):
    system, watch = watched(pack)
    judged = []
    system.nets["discriminator"].register_forward_hook(lambda _, given, __: judged.append(len(given[0])))
    watch.report()
    assert len(split_held_out(pack)[1]) % 4 != 0
    assert len(judged) == 3
    assert all(count % 4 == 0 for count in judged)
