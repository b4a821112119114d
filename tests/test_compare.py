"""Runs side by side: what is measured, what the page and the table say of it, and what cannot be compared."""

import base64
import io
import json
import re
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner

import ganforge
from ganforge.cli import app
from ganforge.drawing.grids import save_png, tile
from ganforge.errors import ModelError, PicturesError, RunError, UsageError
from ganforge.evaluation import compare as comparing
from ganforge.evaluation.compare import curve_of, labels_of, moments, open_runs
from ganforge.evaluation.comparison import Comparison, leaders, sentences, warnings_of
from ganforge.evaluation.measuring import Shown
from ganforge.evaluation.result import Copying, Evaluation, Figure, Made
from ganforge.model.model import save_model
from ganforge.reports.charts import SEEN, Line, line_chart, wall_time
from ganforge.reports.compare import write_comparison
from ganforge.reports.compare_charts import keys_of, run_charts
from ganforge.reports.figures import clock, columns
from ganforge.systems import configure, recipes
from ganforge.training.folder import Run, RunConfig
from outline import Outline
from test_reports_evaluation import bare, discs, figure, shown

pytest_plugins = ["browser"]

command = import_module("ganforge.cli.compare")  # the package's attribute of that name is the command itself
SIDE = 16
SETTINGS = {"g.widths": "16,8", "d.widths": "8,16", "z_size": "8", "batch_size": "8"}
HOSTILE = "<script>alert(1)</script> & sons"


pytestmark = pytest.mark.usefixtures("own_cache")


def falling(n: int, start: float, *, every: int = 100, pace: float = 1.0) -> list[dict[str, Any]]:
    """Scores that fall to the last but one, which is the best."""
    kids = [start / (i + 1) for i in range(n - 1)] + [start]
    return [
        {
            "event": "score", "seen": every * (i + 1), "fraction": (i + 1) / n, "seconds": pace * (i + 1), "kid": kid,
            "spread": 1.0, "copied": None, "best": i < n - 1, "features": "offline-1",
        }
        for i, kid in enumerate(kids)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> list[Path]:
    """A run that really was trained, and the same with another learning rate and other weights."""
    folder = tmp_path_factory.mktemp("走 runs")
    first = folder / "one run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "ganforge.training.playing.draw", lambda run: None
        )  # clips and curves take longer than the training
        run = ganforge.train(
            "avatars:200", images=240, recipe="dcgan", size=SIDE, out=first, settings=SETTINGS, observers=[],
            execution={"layout": "contiguous", "precision": "fp32"},
        )  # fmt: skip
    second = folder / "another"
    shutil.copytree(first, second)
    shutil.rmtree(second / "checkpoints")
    config = json.loads((second / "run.json").read_text(encoding="utf-8"))
    config["config"]["learning_rate"] = 0.01
    (second / "run.json").write_text(json.dumps(config), encoding="utf-8")
    system = recipes()["dcgan"].system
    torch.manual_seed(5)
    made = configure(recipes()["dcgan"], SIDE, SIDE, SETTINGS)
    save_model(second / "model", system, made.model_dump(mode="json"), (SIDE, SIDE), system.make_nets(made))
    for event in falling(9, 0.2):
        run.log(event)
        Run(second).log(event | {"kid": 2 * event["kid"], "seconds": event["seconds"] / 2})
    return [first, second]


@pytest.fixture(scope="module")
def compared(runs) -> tuple[Comparison, list[Shown]]:
    return comparing.compare(runs, count=64)


# --- what is measured -------------------------------------------------------------------------------------------------


def test_every_run_is_measured_in_the_same_features_beside_the_same_pictures(compared):
    found, pictures = compared
    one, two = found.evaluations
    assert found.comparable
    assert one.features == two.features
    assert one.real == two.real
    assert one.made.model != two.made.model
    assert one.made.first_seed == two.made.first_seed
    assert [curve.run for curve in found.curves] == ["one run", "another"]
    assert [len(curve.scores) for curve in found.curves] == [9, 9]
    assert [curve.seen for curve in found.curves] == [240, 240]
    assert found.curves[0].machine
    assert found.differs == {"learning_rate": [0.0002, 0.01]}
    assert list(found.sentences) == ["Looks real?", "How varied?", "Copied?"]
    assert not np.array_equal(pictures[0].made, pictures[1].made)
    assert Comparison.model_validate_json(found.model_dump_json()) == found


def test_other_pictures_judge_all_runs_alike(runs, tmp_path):
    for i, picture in enumerate(discs(80, 20)):
        save_png(picture, tmp_path / "discs" / f"{i}.png")
    found, _ = comparing.compare(runs, pictures=str(tmp_path / "discs"), count=64)
    assert found.comparable
    assert {e.real.name for e in found.evaluations} == {"discs"}
    assert all(e.copying is None for e in found.evaluations)
    assert found.sentences["Copied?"].startswith("Not asked:")


def test_what_cannot_be_compared_is_said_before_anything_is_measured(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(comparing, "measure", lambda *_, **__: pytest.fail("measured"))
    young, orphan = tmp_path / "young", tmp_path / "orphan"
    for folder in (young, orphan):
        shutil.copytree(runs[0], folder)
    for part in ("model", "checkpoints"):
        shutil.rmtree(young / part)
    config = json.loads((orphan / "run.json").read_text(encoding="utf-8"))
    gone = str(tmp_path / "gone")
    (orphan / "run.json").write_text(json.dumps(config | {"pictures": gone}), encoding="utf-8")
    one = runs[0]
    for paths, error, said in (
        ([one], UsageError, "at least two"),
        ([one, one.parent / "another" / ".." / one.name], UsageError, "named twice"),
        ([one, tmp_path / "nothing"], RunError, "no run folder at"),
        ([one, one / "model"], RunError, "no run.json"),
        ([one, young], ModelError, "has not saved a Model yet"),
        ([one, orphan], PicturesError, f"orphan are gone .*{re.escape(gone)}.*--pictures"),
    ):
        with pytest.raises(error, match=said):
            comparing.compare(paths, count=64)
    with pytest.raises(PicturesError, match="gone"):
        comparing.compare([one, orphan], pictures=gone, count=64)


# --- run folders, made by hand ----------------------------------------------------------------------------------------


def test_settings_that_only_one_system_has_are_no_difference_of_their_own(tmp_path):
    def run(name: str, system: str, **config: Any) -> Run:
        asked = RunConfig(
            recipe=system, system=system, config=config, pictures="avatars:200:0", pack={}, digest="e", flip=False, seed=0,
            images=9,
        )  # fmt: skip
        return Run.create(tmp_path / name, asked)

    a, b = run("a", "dcgan", batch_size=32, d_steps=1), run("b", "style", batch_size=16, mixing=0.5)
    assert comparing._differs([a, b]) == {"recipe": ["dcgan", "style"], "batch_size": [32, 16]}
    c = run("c", "style", batch_size=16, mixing=0.2)
    assert comparing._differs([a, b, c])["mixing"] == [None, 0.5, 0.2]
    older, newer = run("older", "style", batch_size=16), run("newer", "style", batch_size=16, mixing=0.5)
    assert comparing._differs([older, newer]) == {"mixing": [None, 0.5]}


def run_with(folder: Path, sheets: dict[int, float], *, side: int = 8, **config: Any) -> Run:
    """Sheets of 16 seeds at these numbers of pictures seen and seconds; each in one colour that says when it was drawn."""
    made = RunConfig(
        recipe="dcgan", system="dcgan", config={"height": side, "width": side, **config}, pictures="avatars:200:0",
        pack={}, digest="e", flip=False, seed=0, images=9,
    )  # fmt: skip
    run = Run.create(folder, made)
    run.log({"event": "start", "seen": 0, "machine": {"device": "cpu", "name": "an old machine", "threads": 2}})
    for seen, seconds in sheets.items():
        file = f"samples/{seen:09}.png"
        pictures = np.full((16, side, side, 3), seen % 200, np.uint8)
        pictures += np.arange(16, dtype=np.uint8)[:, None, None, None]
        save_png(tile(pictures, 8), folder / file)
        run.log(
            {"event": "sample", "seen": seen, "fraction": 0.5, "seconds": seconds, "file": file, "verdicts": [0.5] * 16}
        )
    return run


def test_moments_are_equal_and_end_where_the_shortest_run_got(tmp_path):
    quick = run_with(tmp_path / "quick", {0: 0, 50: 1, 110: 2, 200: 4})
    slow = run_with(tmp_path / "slow", {0: 1, 30: 3, 75: 6, 100: 8, 120: 11})
    by_seen = moments([quick, slow], "seen")
    assert [m.value for m in by_seen] == [30, 60, 90, 120]
    assert [[frame.seen for frame in m.frames] for m in by_seen] == [[0, 30], [50, 30], [50, 75], [110, 120]]
    by_time = moments([quick, slow], "seconds")
    assert [m.value for m in by_time] == [1, 2, 3, 4]
    assert [[frame.seconds for frame in m.frames] for m in by_time] == [[1, 1], [2, 1], [2, 3], [4, 3]]
    (quick.path / "samples" / "000000110.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    assert [frame.seen for frame in moments([quick, slow], "seen")[-1].frames] == [50, 120]
    for sheet in (slow.path / "samples").iterdir():
        sheet.unlink()
    assert [m.frames[1] for m in moments([quick, slow], "seen")] == [None] * 4
    none = run_with(tmp_path / "none", {})
    assert [m.frames[1] for m in moments([quick, none], "seconds")] == [None] * 4
    assert moments([none, none], "seen") == []


@given(st.sets(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(tuple), min_size=2, max_size=6))
def test_labels_tell_all_runs_apart(folders: set[tuple[str, ...]]) -> None:
    paths = [Path("/", *folder) for folder in sorted(folders)]
    labels = labels_of(paths)
    assert len(set(labels)) == len(paths)
    assert all(path.as_posix().endswith(label) for path, label in zip(paths, labels, strict=True))
    if len({path.name for path in paths}) == len(paths):
        assert labels == [path.name for path in paths]


def test_a_curve_says_what_the_folder_says(tmp_path):
    run = run_with(tmp_path / "r", {0: 0, 64: 2.5})
    curve = curve_of(run, "r")
    assert (curve.seen, curve.seconds, curve.state, curve.scores) == (64, 2.5, "interrupted", [])
    assert curve.machine == "an old machine, 2 threads"
    run.set_state("finished")
    run.log({"event": "finished", "seen": 80, "seconds": 3.5})
    run.log(falling(3, 0.1)[0])
    curve = curve_of(run, "r")
    assert (curve.seen, curve.seconds, curve.state, curve.features) == (80, 3.5, "finished", "offline-1")
    assert curve.scores[0]["kid"] == 0.1


# --- words ------------------------------------------------------------------------------------------------------------

figures = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)).map(sorted).map(
        lambda three: Figure(low=three[0], value=three[1], high=three[2])
    ),
    min_size=2, max_size=6,
)  # fmt: skip


@given(figures, st.booleans())
def test_leaders_are_the_best_and_what_cannot_be_told_from_it(found: list[Figure], lower: bool) -> None:
    ahead = leaders(found, lower=lower)
    best = found[ahead[0]]
    assert best.value == (min if lower else max)(figure.value for figure in found)
    for i, one in enumerate(found):
        apart = one.high < best.low or one.low > best.high
        assert (i in ahead) == (i == ahead[0] or not apart)


def of(precision: tuple[float, float], copied: float | None = None, **changes: Any) -> Evaluation:
    copying = None
    if copied is not None:
        copying = Copying(
            share=copied, threshold=1, held_out_share=0.01, training=99, mirrored=False, flagged=copied > 0.03
        )
    made = Made(name="a run", kind="model", model="0123", sha256="cd" * 32, count=500, first_seed=1_000_000, psi=1)
    changes = {"made": made, **changes}
    return bare(precision=figure(*precision, 0.8), coverage=figure(*precision, 0.9), copying=copying, **changes)


def test_sentences_name_who_is_ahead_and_only_where_that_is_clear():
    def said(*precisions: tuple[float, float], comparable: bool = True) -> dict[str, str]:
        return sentences("abcdef"[: len(precisions)], [of(p, 0.01) for p in precisions], comparable)

    clear = said((0.3, 0.02), (0.5, 0.02))
    assert clear["Looks real?"] == (
        "50 % (b) and 30 % (a) of the made pictures look like real ones to the judge; of real ones that it had not seen, "
        "80 % do. b looks more real."
    )
    assert clear["How varied?"].endswith("as many real ones meet 90 %. b is more varied.")
    assert said((0.48, 0.02), (0.5, 0.02))["Looks real?"].endswith("No clear difference.")
    three = said((0.3, 0.02), (0.48, 0.02), (0.5, 0.02))["Looks real?"]
    assert three.endswith("c and b look most real, with no clear difference between them.")
    many = said(*[(0.1 * i, 0.01) for i in range(1, 7)])["How varied?"]
    assert many.startswith("Between 60 % (f) and 10 % (a) of")
    apart = said((0.3, 0.02), (0.5, 0.02), comparable=False)["Looks real?"]
    assert "does not say which run is better" in apart
    assert "looks more real" not in apart


def test_copies_are_named_with_who_made_them():
    one = of((0.3, 0.02), 0.052), of((0.3, 0.02), 0.001)
    assert sentences("ab", one, True)["Copied?"].startswith("Yes, too many: 5.2 % (a) of the samples lie")
    two = of((0.3, 0.02), 0.012), of((0.3, 0.02))
    said = sentences("ab", two, True)["Copied?"]
    assert said.startswith("No: 1.2 % of a run's samples")
    assert said.endswith("Not asked of b, which learnt from other pictures.")


def test_what_does_not_compare_is_warned_about(tmp_path):
    runs = [run_with(tmp_path / name, {0: 0, 9: 1}) for name in "ab"]
    runs[0].log(falling(2, 0.1)[0])
    curves = [curve_of(run, run.path.name) for run in runs]
    small = bare(), bare(height=32, width=32)
    assert "64x64 and 32x32" in warnings_of(small, curves, False)[0]
    other = bare(), bare(real=bare().real.model_copy(update={"digest": "f", "name": "flowers"}))
    said = warnings_of(other, curves, False)
    assert "(faces and flowers)" in said[0]
    assert "--pictures" in said[0]
    elsewhere = [curves[0], curves[1].model_copy(update={"machine": "a new machine", "state": "running"})]
    said = warnings_of((bare(), bare()), elsewhere, True)
    assert "an old machine, 2 threads and a new machine" in said[0]
    assert "while b learnt" in said[1]
    assert any(warning.startswith("Not at its end: a and b.") for warning in said)
    scored = [
        c.model_copy(update={"scores": curves[0].scores, "features": f, "digest": f})
        for c, f in zip(curves, "xy", strict=True)
    ]
    assert sum("curves" in warning for warning in warnings_of((bare(), bare()), scored, True)) == 2


def test_the_best_of_every_column_is_marked_where_runs_compare():
    found = [
        of((0.5, 0.02), 0.051, kid=figure(0.020, 0.002, 0)),
        of((0.3, 0.02), 0.0, kid=figure(0.018, 0.002, 0)),
        of((0.49, 0.02), kid=figure(0.030, 0.002, 0)),
    ]
    marks = {c.name: [c.mark(i) for i in range(3)] for c in columns(found, comparable=True)}
    assert marks["KID × 1000"] == ["as good", "best", ""]
    assert marks["precision, %"] == ["best", "", "as good"]
    assert marks["copied, %"] == ["too many", "", ""]
    assert marks["recall, %"] == ["", "", ""]  # all are equal
    apart = columns(found, comparable=False)
    assert {c.mark(i) for c in apart for i in range(3)} == {"", "too many"}
    assert [None if cell is None else cell.value for cell in apart[-1].cells] == ["5.1", "0.0", None]


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1:00 min"), (3725, "1:02:05 h")])
def test_clocks(seconds, said):
    assert clock(seconds) == said


# --- charts -----------------------------------------------------------------------------------------------------------


def xs(svg: str, role: str) -> list[float]:
    path = re.search(rf'class="line {role}" d="([^"]+)"', svg)
    assert path
    return [float(x) for x in re.findall(r"[ML]([\d.]+) ", path[1])]


def test_runs_lie_where_their_own_pictures_and_times_say(tmp_path):
    quick, slow = (run_with(tmp_path / name, {0: 0}) for name in ("quick", "slow"))
    for event in falling(10, 0.09, every=100, pace=6):
        quick.log(event)
    for event in falling(5, 0.09, every=100, pace=120):
        slow.log(event)
    curves = [curve_of(run, run.path.name) for run in (quick, slow)]
    keys = keys_of(curves)
    assert len({(key.role, key.mark) for key in keys_of(curves * 21)}) == 42
    by_seen, by_time = run_charts(curves, keys)
    wide = 360 - 56
    assert xs(by_seen.svg, "run-0") == pytest.approx([46 + wide * i / 10 for i in range(1, 11)], abs=0.1)
    assert xs(by_seen.svg, "run-1") == pytest.approx([46 + wide * i / 10 for i in range(1, 6)], abs=0.1)
    assert xs(by_time.svg, "run-0") == pytest.approx([46 + wide * i / 100 for i in range(1, 11)], abs=0.1)
    assert xs(by_time.svg, "run-1") == pytest.approx([46 + wide * i / 5 for i in range(1, 6)], abs=0.1)
    assert "over pictures seen" in by_seen.svg
    assert "over minutes" in by_time.svg
    assert "quick from 90 to 90, 10 at best" in by_seen.svg
    assert by_seen.svg.count('class="dot best"') == 2
    assert keys[0].mark in by_seen.svg
    apart = [curves[0], curves[1].model_copy(update={"features": "others"})]
    assert [len(chart.lines) for chart in run_charts(apart, keys)] == [1, 1, 1, 1]
    assert run_charts([c.model_copy(update={"scores": []}) for c in curves], keys) == []


@pytest.mark.parametrize(
    ("longest", "name"), [(119, "seconds"), (121, "minutes"), (10_000, "minutes"), (11_000, "hours")]
)
def test_wall_time_is_written_in_the_unit_that_suits_it(longest, name):
    axis = wall_time(longest)
    assert axis.name == name
    assert 1 < longest / axis.seconds < 180


def test_equal_steps_are_equal_factors_where_that_is_asked_for():
    values = np.array([100.0, 10, 1, -5])
    chart = line_chart(
        "t", "", [Line("a", "made", values, np.arange(4.0))], np.empty(0), y_range=(1, 100), y_ticks=[1, 10, 100],
        y_format=str, y_factors=True, axis=SEEN, smoothed=False,
    )  # fmt: skip
    path = re.search(r'class="line made" d="([^"]+)"', chart.svg)
    ys = [float(y) for y in re.findall(r" ([\d.]+)", path[1])]
    assert ys[1] - ys[0] == pytest.approx(ys[2] - ys[1], abs=0.2)
    assert ys[3] == ys[2]  # nothing below 0 has a place there


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_prints_a_table_and_never_writes_over_anything(runs, compared, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = []
    monkeypatch.setattr(comparing, "compare", lambda paths, **options: asked.append(options) or compared)
    words = ["compare", *map(str, runs)]
    for name in ("comparison.html", "comparison-2.html"):
        done = CliRunner().invoke(app, [*words, "-n", "64", "--features", "offline"], env={"COLUMNS": "110"})
        assert done.exit_code == 0, done.output
        assert done.stdout.splitlines()[-1] == name
    assert (asked[0]["count"], asked[0]["features"]) == (64, "offline")
    for question, answer in compared[0].sentences.items():
        assert f"{question}  {answer}" in done.stdout
    table = re.sub(r"\s+", " ", done.stdout)
    for head in ("seen", "time", "recipe", "KID", "Fréchet", "precision", "recall", "coverage", "copied"):
        assert head in table
    assert "in the features of offline" in table
    assert re.search(r"one run 240 \*? ?[\d.,k]+ ", table)
    assert re.search(r"dcgan \d+ s [\d.,k-]+…[\d.,k]+ [\d.,k-]+…[\d.,k]+ another", table)
    assert "learning_rate: 0.0002 (one run), 0.01 (another)" in done.stdout
    done = CliRunner().invoke(app, [*words, "--out", "comparison.html"])
    assert isinstance(done.exception, UsageError)
    assert "is there already; nothing was overwritten" in str(done.exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["comparison-2.html", "comparison.html"]


def test_a_name_is_no_markup(compared):
    found = compared[0]
    odd = found.model_copy(update={"curves": [c.model_copy(update={"run": "[bold]x[/]"}) for c in found.curves]})
    with (paper := Console(file=io.StringIO(), width=120)).capture() as printed:
        paper.print(command.table(odd))
    assert printed.get().count("[bold]x[/]") == 2


def test_json_stands_alone_on_stdout(runs, compared, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(comparing, "compare", lambda paths, **options: compared)
    done = CliRunner().invoke(app, ["compare", *map(str, runs), "--json"])
    assert Comparison.model_validate_json(done.stdout) == compared[0]
    assert list(tmp_path.iterdir()) == []


def test_help_needs_none_of_the_heavy_packages():
    assert not {"torch", "numpy", "matplotlib"} & set(vars(command))
    assert "RUN RUN" in CliRunner().invoke(app, ["compare", "--help"]).stdout


# --- the page ---------------------------------------------------------------------------------------------------------

LONG = "a-run-with-a-name-that-somebody-made-as-long-as-a-whole-sentence-of-settings"


def six(folder: Path) -> tuple[Comparison, list[Shown], list[Run]]:
    """Six runs of two sizes on different pictures, one of them without scores and sheets, with names that hurt."""
    names = [LONG, HOSTILE, "c", "d", "e", "f"]
    runs, found = [], []
    for i in range(len(names)):
        side = 32 if i == 3 else 64
        sheets = {} if i == 5 else {j * 500 * (i + 1): j * 20.0 for j in range(6)}
        run = run_with(folder / str(i), sheets, side=side)
        for event in [] if i == 5 else falling(30, 0.1 * (i + 1), every=100 * (i + 1), pace=4):
            run.log(event)
        runs.append(run)
        found.append(of((0.1 * (i + 1), 0.02), 0.01 * i, height=side, width=side))
    curves = [curve_of(run, name) for run, name in zip(runs, names, strict=True)]
    made = Comparison(
        comparable=False,
        evaluations=found,
        curves=curves,
        differs={"learning_rate": [0.001 * i for i in range(6)], **{f"setting {i}": [i, None] * 3 for i in range(9)}},
        sentences=sentences(names, found, False),
        warnings=warnings_of(found, curves, False),
    )
    return made, [shown(24, e.height) for e in found], runs


@pytest.fixture(scope="module")
def pages(runs, compared, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("頁 pages")
    write_comparison(*compared, folder / "two.html", runs=open_runs(runs))
    made, pictures, folders = six(folder / "runs")
    write_comparison(made, pictures, folder / "six.html", runs=folders)
    five = made.model_copy(update={"evaluations": made.evaluations[:5], "curves": made.curves[:5]})
    five = five.model_copy(update={"differs": {}, "sentences": sentences("abcde", five.evaluations, False)})
    write_comparison(five, pictures[:5], folder / "five.html", runs=folders[:5])
    return {name: folder / f"{name}.html" for name in ("two", "five", "six")}


@pytest.mark.parametrize("name", ["two", "five", "six"])
def test_the_page_is_one_file_without_a_script(pages, name):
    html = pages[name].read_text(encoding="utf-8")
    outline = Outline(html)
    assert all(address.startswith(("data:", "#")) for address in outline.addresses)
    assert not re.search(r"url\((?!#)|@import|https?://", html)
    assert "script" not in outline.tags
    assert all(later - earlier <= 1 for earlier, later in zip(outline.headings, outline.headings[1:], strict=False))
    assert len(outline.ids) == len(set(outline.ids))
    assert len(html) < 6_000_000


def test_the_same_seeds_of_every_run_are_shown_exactly(pages):
    """Each sheet's colour says when it was drawn, and each seed's which it is."""
    html = pages["five"].read_text(encoding="utf-8")
    strips = re.findall(r'<div class="strip"[^>]*>(.*?)</div>', html)
    assert len(strips) == 2 * 4 * 5
    files = [re.findall(r'src="data:image/png;base64,([^"]+)"', strip) for strip in strips]
    colours = [[np.asarray(Image.open(io.BytesIO(base64.b64decode(f))))[0, 0, 0] for f in strip] for strip in files]
    by_seen = [[seen % 200 + seed for seed in range(8)] for seen in (500, 0, 0, 0, 0)]
    assert colours[:5] == by_seen  # after 625 pictures: only the first run's second sheet was drawn before
    by_time = [[500 * (i + 1) % 200 + seed for seed in range(8)] for i in range(5)]
    assert colours[20:25] == by_time  # after 25 seconds: everybody's second


@pytest.mark.parametrize(
    ("name", "width", "theme"),
    [*((n, w, t) for n in ("two", "six") for w, t in ((360, "dark"), (1280, "light"))), ("five", 800, "dark")],
)
def test_the_page_opens_without_complaint_and_never_scrolls_sideways(
    pages, open_page: Callable[..., Any], name, width, theme
):
    tab = open_page(pages[name], width=width, theme=theme)
    tab.page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
    assert tab.page.evaluate("document.documentElement.scrollWidth") == width
    assert tab.page.evaluate("[...document.images].every((i) => i.complete && i.naturalWidth > 0)")
    assert tab.problems == []
    assert tab.requests == [pages[name].resolve().as_uri()]


def words(locator: Any) -> str:
    return re.sub(r"\s+", " ", locator.inner_text())


def test_sentences_come_first_then_curves_pictures_and_figures(pages, compared, open_page: Callable[..., Any]):
    found, page = compared[0], open_page(pages["two"]).page
    for i, (question, sentence) in enumerate(found.sentences.items()):
        assert words(page.locator(".answer").nth(i)).startswith(f"{question} {sentence}")
    order = [words(heading) for heading in page.locator("h1, h2").all()]
    assert order[1:4] == list(found.sentences)
    assert order[4:] == [
        "How they learned", "The same seeds, as they grew", "Their Models beside real pictures", "The figures",
        "How this was measured",
    ]  # fmt: skip
    assert page.locator(".chart svg").count() == 2
    lines = [words(line) for line in page.locator(".across tbody tr").all()]
    assert len(lines) == 3
    for line, curve, e in zip(lines, found.curves, found.evaluations, strict=False):
        assert line.startswith(curve.run)
        assert f"{1000 * e.kid.value:,.2f}" in line
        assert "dcgan · 16×16 · 240 pictures seen" in line
    assert sum(" best" in line for line in lines) >= 1
    assert lines[2].startswith("real pictures")
    everything = words(page.locator("main"))
    about = found.evaluations[0].features
    for fact in (about.name, about.sha256, found.evaluations[0].real.digest, found.evaluations[1].made.model):
        assert fact in everything
    assert "1000000 … 1000063" in everything
    link = page.get_by_role("link", name="Save comparison.json").get_attribute("href")
    assert Comparison.model_validate_json(base64.b64decode(link.split(",")[1])) == found


def test_runs_that_do_not_compare_are_shown_with_a_warning_and_without_a_best(pages, open_page: Callable[..., Any]):
    page = open_page(pages["six"], width=360).page
    warned = words(page.locator(".warnings"))
    assert "64x64 and 32x32" in warned
    assert "No scores were taken while f learnt" in warned
    assert page.locator(".chart svg").count() == 2
    assert page.locator(".across tbody tr").count() == 6
    assert page.locator(".across .best").count() == 0
    assert page.locator(".across .too-many").count() == 2
    assert words(page.locator("main")).count("no sheet of it is left") == 2 * 4
    assert page.get_by_text(HOSTILE).count() > 3
    assert "3 more settings" not in warned
    assert "4 more settings differ" in words(page.locator(".hero"))
