"""The benches themselves: that a killed measurement goes on as if nothing had happened, and what their tables promise."""

import json
import sys
from pathlib import Path

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
