"""Which nets a recipe takes where there are few minutes."""

import pytest

from ganforge import train
from ganforge.systems import find_recipe
from ganforge.training.budget import Budget
from ganforge.training.start import preset


class TestBriefBudgets:
    """Narrow nets where there are few minutes."""

    STYLE = find_recipe("style")
    NARROW, WIDE = 128, 256

    @staticmethod
    def maps(config) -> int:
        return config.g.widths[0]

    def chosen(self, budget: Budget, **more) -> int:
        return self.maps(preset(self.STYLE, (64, 64), {}, budget, **more)[0])

    @pytest.mark.parametrize(
        ("budget", "expected"),
        [(Budget(seconds=599), NARROW), (Budget(seconds=600), WIDE), (Budget(images=1000), WIDE)],
    )
    def test_minutes_choose(self, budget, expected, monkeypatch):
        monkeypatch.setenv("GANFORGE_DEVICE", "cpu")
        assert self.chosen(budget) == expected

    def test_what_the_user_sets_stays(self):
        config, brief = preset(
            self.STYLE, (64, 64), {"g.widths": "8,8,8,8,8", "d.widths": "4,4,4,4"}, Budget(seconds=60)
        )
        assert (self.maps(config), brief) == (8, False)

    def test_other_recipes_have_one_preset(self):
        short, long = (preset(find_recipe("dcgan"), (64, 64), {}, Budget(seconds=s)) for s in (60, 6000))
        assert short == long

    @pytest.mark.parametrize("narrow", [True, False])
    def test_replayed_and_warm_runs_take_the_nets_of_the_first(self, narrow, tmp_path, monkeypatch):
        monkeypatch.setenv("GANFORGE_DEVICE", "cpu")
        widths = {"g.widths": "128,128,64,32", "d.widths": "32,64,128"} if narrow else {}
        options = {"size": 32, "observers": [], "flip": False}
        run = train("avatars:32", images=16, settings=widths, out=tmp_path / "first", **options)
        expected = self.NARROW if narrow else self.WIDE
        again = train("avatars:32", replay=run.path, out=tmp_path / "again", **options)
        assert again.config.config["g"]["widths"][0] == expected
        warm = train("avatars:32", images=16, start_from=run.path, out=tmp_path / "warm", **options)
        assert warm.config.config["g"]["widths"][0] == expected
