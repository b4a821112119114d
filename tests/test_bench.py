"""The benches themselves: that a killed measurement goes on as if nothing had happened, and what their tables promise."""

import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ganforge.lessons.lesson import MEASURED

BENCH = Path(__file__).parent.parent / "bench"


@pytest.fixture
def bench(monkeypatch):
    """bench/ as a script there sees it."""
    monkeypatch.setattr(sys, "path", [str(BENCH), *sys.path])


class StopError(Exception):
    pass


def test_a_cell_that_was_stopped_goes_on_to_the_same_result(bench, tmp_path, monkeypatch):
    import cells

    monkeypatch.setattr(cells, "SAVE_SECONDS", 0.0)

    def stop(share: float) -> None:
        if share >= 0.5:
            raise StopError

    results = []
    for name in ("whole", "stopped"):
        folder = tmp_path / name
        folder.mkdir()
        cell = cells.Cell("ring", "gan", 2, 40, 0, folder)
        if name == "stopped":
            with pytest.raises(StopError):
                cells.play(cell, stop)
            assert cell.result() is None
        cells.play(cell, lambda share: None)
        found = cell.result()
        assert found is not None
        assert found.pop("cpu_seconds") > 0
        results.append(found)
    assert results[0] == results[1]


def test_a_result_of_other_code_is_none(bench, tmp_path, monkeypatch):
    import cells

    cell = cells.Cell("ring", "gan", 1, 2, 0, tmp_path)
    cells.play(cell, lambda share: None)
    assert cell.result() is not None
    monkeypatch.setattr(cells, "code_of", lambda *patterns: "other")
    assert cell.result() is None


def test_sections_are_replaced_and_kept_in_order(bench, tmp_path, monkeypatch):
    import results

    monkeypatch.setattr(results, "RESULTS", tmp_path / "RESULTS.md")
    for title, line in (("A", "one"), ("B", "two"), ("A", "three")):
        results.write_section(title, "command", [line], ["today"])
    written = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert "one" not in written
    assert written.index("three") < written.index("## B") < written.index("two")


@pytest.mark.parametrize(("place", "modes"), [("ring", 8), ("grid", 25)])
def test_the_cure_was_measured_on_every_seed_within_its_minutes(place, modes):
    """What the lesson and the README quote."""
    cells = {cell["cell"]: cell for cell in json.loads((MEASURED / "collapse.json").read_text(encoding="utf-8"))}
    goal = cells[f"{place}-relativistic"]
    assert len(goal["modes"]) == 10
    assert min(goal["modes"]) == modes
    assert min(goal["high_quality"]) >= 0.85
    assert all(cell["cpu_seconds"] <= (1200 if cell is goal else 300) for cell in (goal, cells[f"{place}-gan"]))


@pytest.mark.usefixtures("bench")
class TestSpoiling:
    def test_stronger_drops_what_weaker_dropped(self):
        import spoiling

        classes = np.arange(400) % 20
        left = [set(classes[spoiling.without_classes(classes, 100, s)]) for s in spoiling.STRENGTHS]
        assert all(stronger <= weaker for weaker, stronger in pairwise(left))
        assert [len(one) for one in left] == [17, 13, 9, 5, 2]

    def test_collapse_leaves_fewer_and_fewer(self):
        import spoiling

        left = [np.unique(spoiling.collapsed(500, 200, s)) for s in spoiling.STRENGTHS]
        assert [len(one) for one in left] == [100, 40, 16, 6, 2]
        assert all(np.isin(stronger, weaker).all() for weaker, stronger in pairwise(left))

    def test_stronger_is_farther_in_pixels(self):
        import spoiling

        pictures = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
        for kind, spoil in spoiling.SPOIL.items():
            far = [np.abs(spoil(pictures, s).astype(int) - pictures).mean() for s in spoiling.STRENGTHS]
            assert far == sorted(far), kind


@pytest.mark.usefixtures("bench")
class TestQuality:
    def row(self, **more):
        judged = {"fd": 80.5, "kid_x1000": 30.25}
        shares = {"recall": 0.3, "precision": 0.5, "coverage": 0.6}
        return {
            "set": "faces64", "recipe": "dcgan", "settings": {}, "minutes": 12.0, "seed": 0, "code": "x",
            "measured": ["day · commit · machine"], "seen": 58_000, "judge": judged, **shares, "real": dict(shares),
            "copied": 0.01, "copied_held_out": None, "grid": "grid.png",
        } | more  # fmt: skip

    def test_a_run_measured_again_replaces_its_row(self, tmp_path, monkeypatch):
        import quality

        monkeypatch.setattr(quality, "ROWS", tmp_path / "quality.json")
        quality.keep_row(self.row())
        quality.keep_row(self.row(recipe="plain"))
        quality.keep_row(self.row(seen=60_000))
        quality.keep_row(self.row(measured=["day · commit · another machine"]))
        kept = [(r["recipe"], r["seen"]) for r in quality.kept_rows()]
        assert kept == [("plain", 58_000), ("dcgan", 60_000), ("dcgan", 58_000)]

    def test_the_yardstick_stands_first_and_faces_stay_at_home(self, tmp_path, monkeypatch):
        import quality

        monkeypatch.setattr(quality, "ROWS", tmp_path / "quality.json")
        monkeypatch.setattr(quality, "WORK", tmp_path / "work")
        written: list[str] = []
        monkeypatch.setattr(quality, "write_section", lambda title, command, lines, stamps: written.extend(lines))
        slow = {"judge": {"fd": 161.0, "kid_x1000": 300.0}, "recipe": "plain"}
        for row in (self.row(), self.row(**slow), self.row(set="avatars", recipe="dcgan")):
            quality.keep_row(row)
        quality.write_table()
        rows = [line for line in written if line.startswith(("| avatars", "| faces64"))]
        assert [row.split(" | ")[1] for row in rows] == ["dcgan", "plain", "dcgan"]
        assert "**161.00**" in rows[1]
        assert [row.split(" | ")[7] for row in rows] == ["–", "–", "0.500"]
        pictures = [line for line in written if line.startswith("![")]
        assert len(pictures) == 1
        assert "avatars" in pictures[0]
        assert "Avatars: our own drawings." in written
        assert (tmp_path / "work" / "index.html").read_text(encoding="utf-8").count("<figure>") == 3

    def test_pictures_begun_with_faces_stay_at_home_too(self):
        import quality

        assert quality.published(self.row(set="emoji128", start_from="avatars@10"))
        assert not quality.published(self.row(set="emoji128", start_from="faces64@12"))

    @pytest.mark.parametrize(
        "words", [["--from", "emoji128"], ["--from", "emoji@20"], ["--recipe", "plain", "--from", "emoji128@20"]]
    )
    def test_what_a_row_cannot_begin_with_is_said_at_once(self, monkeypatch, capsys, words):
        import quality

        monkeypatch.setattr("sys.argv", ["quality.py", "flowers64", "--data", "d", "--yardsticks", "y", *words])
        with pytest.raises(SystemExit, match="2"):
            quality.main()
        assert "--from is" in capsys.readouterr().err

    def test_runs_with_other_settings_have_other_grids(self):
        import quality

        wider = self.row(settings={"d.widths": "32,64", "augment": "0"})
        begun = self.row(start_from="emoji128@20")
        larger = self.row(side=128)
        rows = (self.row(), wider, self.row(computed_in="fp32"), begun, larger)
        names = {quality.name_of(row) for row in rows}
        assert len(names) == 5
        assert quality.titled(larger) == "faces64 at 128 px"
        plain = self.row(recipe="plain")
        assert quality.beside_plain(self.row(), [plain]) == 1
        assert quality.beside_plain(larger, [plain]) is None, "the yardstick was judged at another size"
        assert not any(quality.same(row, other) for row in rows for other in rows if row is not other)
        assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.") for name in names)


@pytest.mark.usefixtures("bench")
class TestStudy:
    def test_a_variant_is_divided_by_the_recipe_of_the_same_code(self, tmp_path, monkeypatch):
        import study

        def row(variant: str, code: str, fd: float) -> dict[str, object]:
            judged = {"fd": fd, "kid_x1000": 0.0}
            about = {"set": "faces64", "images": 40_000, "settings": {}, "seconds": 60.0, "measured": "day"}
            return about | {"variant": variant, "code": code, "judge": judged}

        monkeypatch.setattr(study, "ROWS", tmp_path / "study.json")
        rows = [row("the recipe", "new", 50.0), row("batch 4", "new", 40.0), row("batch 16", "old", 60.0)]
        study.write_json(study.ROWS, rows)
        written: list[str] = []
        monkeypatch.setattr(study, "write_section", lambda title, command, lines, stamps: written.extend(lines))
        study.write_table()
        ratios = {line.split(" | ")[2]: line.split(" | ")[4] for line in written if "| faces64" in line}
        assert ratios == {"the recipe": "1.00", "batch 4": "0.80", "batch 16": "–"}

    def test_every_variant_is_a_config_that_can_be_built(self):
        import study
        from ganforge.systems import configure, find_recipe

        for settings in study.VARIANTS.values():
            asked = {k: v for k, v in settings.items() if k != "seed"}
            config = configure(find_recipe(study.RECIPE), 64, 64, asked)
            assert not asked or config != configure(find_recipe(study.RECIPE), 64, 64, {})


@pytest.mark.usefixtures("bench")
def test_a_warm_start_is_measured_by_scores_that_do_not_jump():
    import warm

    class Run:
        def events(self, _: str) -> list[dict[str, float]]:
            kids = [9, 8, 1, 7, 6, 5, 5, 4, 4, 4]  # one lucky score
            return [{"seconds": 60.0 * i, "kid": kid / 1000} for i, kid in enumerate(kids)]

    assert [warm.early(Run(), minutes) for minutes in (1, 1.5, 4, 9)] == pytest.approx([8.5, 8, 7, 4])
    judge = {"minutes": 10.0, "seen": 12345, "judge": {"fd": 9.87, "kid_x1000": 2.5}}
    assert warm.row("nothing", judge, 7.2) == "| nothing | 10 | 12,345 | 7 | 9.9 | 2.5 |"


@pytest.mark.parametrize("recipe", ["classifier", "style"])
def test_the_variety_bench_knows_its_own_runs_again(bench, tmp_path, recipe):
    """Recipes are fitted to labels and to how many pictures there are; other settings are refused all the same."""
    from argparse import Namespace

    import variety

    pictures = tmp_path / "pictures.npz"
    pixels = np.random.default_rng(0).integers(0, 256, (96, 8, 8, 3), np.uint8)
    np.savez(pictures, images=pixels, labels=np.arange(96) % 3)
    args = Namespace(work=tmp_path, faster=1.0)
    asked = (args, "run", pictures, 0.02, recipe, {"batch_size": "8"})
    first = variety.trained(*asked, size=8, flip=False)
    again = variety.trained(*asked, size=8, flip=False)
    assert again.path == first.path
    with pytest.raises(SystemExit, match="other settings"):
        variety.trained(*asked[:-1], {"batch_size": "16"}, size=8, flip=False)
