"""The report of an evaluation: what is on it, and how it behaves in a real browser."""

import base64
import io
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganforge.cli.evaluate import label_table
from ganforge.evaluation.measuring import Shown
from ganforge.evaluation.result import (
    Agreement,
    Copying,
    Evaluation,
    Features,
    Figure,
    Made,
    Real,
    Retrieval,
    Smoothness,
    Step,
    plain_sentences,
)
from ganforge.files import quoted
from ganforge.reports.evaluation import write_evaluation
from ganforge.reports.evaluation_parts import Whisker, at_floor_count, learning, said, whisker
from ganforge.reports.figures import Row, label_rows, rows
from ganforge.training.folder import Run, RunConfig
from outline import Outline

pytest_plugins = ["browser"]

HOSTILE = "<script>alert(1)</script> & sons"


def figure(value: float, half: float, real: float, at_floor_count: float | None = None) -> Figure:
    return Figure(value=value, low=value - half, high=value + half, real=real, at_floor_count=at_floor_count)


def bare(**changes: Any) -> Evaluation:
    """Pictures that somebody else made, and nothing optional."""
    found = Evaluation(
        ganforge="0.1.0",
        date="2026-02-03T04:05:06+00:00",
        machine={"device": "cpu", "name": "an old machine", "threads": 2, "torch": "2.9.0", "python": "3.11.9"},
        seconds=61.2,
        made=Made(name="made by others", kind="pictures", count=500, digest="d" * 32),
        real=Real(name="faces", count=500, there=1200, digest="e" * 32, floor_count=500, draw_seed=3),
        height=64,
        width=64,
        features=Features(
            name="offline", about="a small net that comes along", sha256="ab" * 32, dims=512, resizer="none",
            standard=False, precision="fp32",
        ),
        kid=figure(0.0214, 0.0016, -0.0002),
        frechet=figure(1234.5, 20.25, 8.1),
        precision=figure(0.52, 0.03, 0.81),
        recall=figure(0.31, 0.03, 0.8),
        density=figure(0.61, 0.05, 1.02),
        coverage=figure(0.47, 0.03, 0.93),
        neighbourhood_count=500,
    )  # fmt: skip
    found = found.model_copy(update=changes)
    return found.model_copy(update={"sentences": plain_sentences(found)})


def rich() -> Evaluation:
    """Every optional part, and names that would break a careless page."""
    found = bare()
    return bare(
        made=Made(
            name="model", kind="model", model="0123456789abcdef", sha256="cd" * 32, system="dcgan", count=4000,
            first_seed=1_000_000, psi=0.7,
        ),
        real=found.real.model_copy(update={"name": HOSTILE, "count": 4000, "there": 6200, "floor_count": 2000}),
        features=Features(
            name="inception-2015-12-05", about="InceptionV3 of 2015-12-05 (pool3), the net of published FID",
            sha256="12" * 32, dims=2048, resizer="bicubic to 299", standard=True, precision="bf16",
        ),
        frechet=figure(1234.5, 20.25, 8.1, 1260.25),
        precision=figure(0.52, 0.03, 0.81, 0.57),
        inception_score=figure(3.21, 0.11, 4.5),
        copying=Copying(
            share=0.052, threshold=3.25, held_out_share=0.011, training=5890, mirrored=True, flagged=True
        ),
        smoothness=Smoothness(paths=64, steps=16, largest_step=0.124, detour=1.83),
        truncation=[
            Step(psi=psi, kid=0.1 - 0.08 * psi, precision=0.9 - 0.38 * psi, recall=0.31 * psi)
            for psi in (0.0, 0.25, 0.5, 0.7, 0.85, 1.0)
        ],
        agreement=[
            Agreement(
                attribute="hair", kind="choice", judge=0.94, judged_on=310, samples=0.71, samples_on=3999, chance=0.22,
                shares={f"kind {i:02}": (0.02 + i / 100, 0.01 + (i * 7 % 15) / 100) for i in range(15)},
            ),
            Agreement(
                attribute="<b>smiles</b>", kind="flag", judge=0.97, judged_on=310, samples=None, chance=0.55,
                shares={"yes": (0.55, 0.61), "no": (0.45, 0.39)},
            ),
            Agreement(attribute="age", kind="range", judge=0.88, judged_on=310, samples=-0.04, samples_on=3998, chance=0),
        ],
        retrieval=Retrieval(among=100, judge=0.43, judged_on=300, samples=0.19, samples_on=3997),
        warnings=["Too few pictures: read KID.", "A warning about <this> & that."],
    )  # fmt: skip


def discs(n: int, side: int = 64, seed: int = 0) -> np.ndarray:
    """Pictures as smooth as drawings: a coloured disc on a coloured ground."""
    numbers = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side - 0.5
    disc = (x**2 + y**2 < 0.12)[None, :, :, None]
    ground, face = numbers.integers(0, 256, (2, n, 1, 1, 3), np.uint8)
    return np.where(disc, face, ground) * np.ones((1, side, side, 1), np.uint8)


def shown(n: int = 48, side: int = 64, draw: Callable[..., np.ndarray] = discs) -> Shown:
    few = max(1, n // 6)
    return Shown(
        made=draw(n, side, seed=1),
        real=draw(n, side, seed=2),
        neighbours=draw(3 * few, side, seed=3).reshape(few, 3, side, side, 3),
        closest=draw(few, side, seed=4),
        closest_neighbours=draw(3 * few, side, seed=5).reshape(few, 3, side, side, 3),
    )


def run_with(folder: Path, scores: list[dict[str, Any]]) -> Run:
    config = RunConfig(
        recipe="dcgan", system="dcgan", config={}, pictures="faces", pack={}, digest="e", flip=False, seed=0, images=9
    )
    run = Run.create(folder, config)
    for score in scores:
        run.log({"event": "score", "fraction": 0.5, "seconds": 1.0, "spread": 1.0, "features": "offline", **score})
    return run


def falling(n: int) -> list[dict[str, Any]]:
    """Scores that fall, are best at the last but one, and rise."""
    kids = [0.3 / (i + 1) for i in range(n - 1)] + [0.2]
    return [{"seen": 800 * (i + 1), "kid": kid, "best": i < n - 1} for i, kid in enumerate(kids)]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("頁 pages")
    run = run_with(folder / "a run", falling(20))
    write_evaluation(rich(), shown(), folder / "rich.html", run=run)
    write_evaluation(bare(), shown(12), folder / "bare.html")
    return {"rich": folder / "rich.html", "bare": folder / "bare.html"}


FOUND = {"rich": rich, "bare": bare}


def words(locator: Any) -> str:
    """What is to be read, with plain spaces."""
    return re.sub(r"\s+", " ", locator.inner_text())


# --- the file ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["rich", "bare"])
def test_the_page_is_one_file_without_a_script(pages: dict[str, Path], kind: str) -> None:
    html = pages[kind].read_text(encoding="utf-8")
    outline = Outline(html)
    assert all(address.startswith(("data:", "#")) for address in outline.addresses)
    assert not re.search(r"url\((?!#)|@import|https?://", html)
    assert "script" not in outline.tags
    assert outline.without_alt == 0
    assert outline.headings[:4] == [1, 2, 2, 2]
    assert all(later - earlier <= 1 for earlier, later in zip(outline.headings, outline.headings[1:], strict=False))
    assert len(outline.ids) == len(set(outline.ids))


def test_names_and_warnings_are_shown_as_they_were_written(pages: dict[str, Path]) -> None:
    html = pages["rich"].read_text(encoding="utf-8")
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; sons" in html
    assert "&lt;b&gt;smiles&lt;/b&gt;" in html
    assert "A warning about &lt;this&gt; &amp; that." in html


def test_pictures_are_exact_and_none_is_lost(pages: dict[str, Path]) -> None:
    html = pages["rich"].read_text(encoding="utf-8")
    there = shown()
    files = re.findall(r'<img[^>]* src="data:image/png;base64,([^"]+)"', html)
    pictures = [np.asarray(Image.open(io.BytesIO(base64.b64decode(file)))) for file in files]
    expected = [*there.made, *there.real]
    for sample, near in zip(there.made[:8], there.neighbours, strict=True):
        expected += [sample, *near]
    for sample, near in zip(there.closest, there.closest_neighbours, strict=True):
        expected += [sample, *near]
    assert np.array_equal(np.stack(pictures), np.stack(expected))


def noise(n: int, side: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), np.uint8)


def grainy(n: int, side: int, seed: int) -> np.ndarray:
    return discs(n, side, seed) // 2 + noise(n, side, seed) // 4


@pytest.mark.parametrize(
    ("side", "n", "draw", "kind"), [(64, 48, noise, "png"), (128, 48, grainy, "jpeg"), (300, 6, discs, "png")]
)
def test_the_page_stays_light_and_flatters_neither_side(
    side: int, n: int, draw: Callable[..., np.ndarray], kind: str, tmp_path: Path
) -> None:
    """Noise of 64 pixels is the worst that there is at that size."""
    write_evaluation(bare(height=side, width=side), shown(n, side, draw), tmp_path / "page.html")
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert len(html) < 3_000_000
    assert set(re.findall(r'<img[^>]* src="data:image/(\w+)', html)) == {kind}
    file = re.search(r'<img[^>]* src="data:image/\w+;base64,([^"]+)"', html)
    assert file
    assert Image.open(io.BytesIO(base64.b64decode(file[1]))).size == (min(side, 256), min(side, 256))


@pytest.mark.parametrize(
    ("height", "width", "cell", "small"), [(28, 28, "112px", "56px"), (64, 32, "64px", "32px"), (300, 300, "128px", "64px")]
)  # fmt: skip
def test_pictures_are_enlarged_by_whole_factors(height: int, width: int, cell: str, small: str, tmp_path: Path) -> None:
    write_evaluation(bare(height=height, width=width), shown(6, 8), tmp_path / "page.html")
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert f"--cell-w: {cell}; --small-w: {small};" in html


# --- its parts --------------------------------------------------------------------------------------------------------


@given(st.text(st.characters(codec="utf-8", exclude_characters="\N{NO-BREAK SPACE}")))
def test_a_sentence_is_cut_but_never_changed(sentence: str) -> None:
    pieces = said(bare(), "Copied?", sentence).pieces
    assert "".join(piece for piece, _ in pieces).replace("\N{NO-BREAK SPACE}", " ") == sentence
    assert [verdict for _, verdict in pieces].count(True) == 1


def test_each_answer_stands_beside_what_real_pictures_reach() -> None:
    found = rich()
    looks, varied, copied = (said(found, *pair) for pair in found.sentences.items())
    assert (looks.mark, round(looks.share, 3)) == ("share", round(0.57 / 0.81, 3))  # both at as many pictures
    assert looks.pieces[-1] == (
        "One by one they pass with the judge; all together they differ clearly from real ones.", True
    )  # fmt: skip
    near = found.model_copy(update={"frechet": figure(9.5, 0.5, 8.1)})
    assert plain_sentences(near)["Looks real?"].endswith("It looks nearly real.")
    assert [(bar.name, bar.share) for bar in varied.bars] == [
        ("samples, near", 0.47), ("real ones, near", 0.93), ("samples, range", 0.31), ("real ones, range", 0.8),
    ]  # fmt: skip
    assert varied.share == pytest.approx((0.47 / 0.93 + 0.31 / 0.8) / 2)
    assert copied.mark == "yes"
    assert copied.pieces[0] == ("Yes, too many:", True)
    assert [round(bar.share * 0.06, 4) for bar in copied.bars] == [0.052, 0.011]
    assert copied.limit == (0.5, "warning: 3\N{NO-BREAK SPACE}%")
    innocent = bare(copying=Copying(
        share=0.01, threshold=1, held_out_share=None, training=9, mirrored=False, flagged=False
    ))  # fmt: skip
    answer = said(innocent, "Copied?", innocent.sentences["Copied?"])
    assert (answer.mark, len(answer.bars)) == ("no", 1)
    unknown = said(bare(), "Copied?", bare().sentences["Copied?"])
    assert (unknown.mark, unknown.bars, unknown.pieces[0]) == ("unknown", (), ("Not asked:", True))


numbers = st.floats(-1e6, 1e6).map(lambda number: round(number, 2))


@given(st.lists(numbers, min_size=3, max_size=3), numbers, st.sampled_from(["KID × 1000", "recall, %"]))
def test_a_whisker_keeps_order_and_never_leaves_its_track(of: list[float], real: float, name: str) -> None:
    low, value, high = sorted(of)
    better = "higher" if name.endswith("%") else "lower"
    scaled = [number / 1e6 for number in (value, low, high, real)] if better == "higher" else [value, low, high, real]
    told = Figure(value=scaled[0], low=scaled[1], high=scaled[2], real=scaled[3])
    drawn = whisker(Row(name, "", "", "", better, "", told))
    assert drawn is not None
    assert 0 <= drawn.low <= drawn.value <= drawn.high <= 1
    assert 0 <= drawn.real <= 1
    assert (drawn.real < drawn.value) == (real < value)


def test_a_whisker_of_what_is_known() -> None:
    assert whisker(Row("copied, %", "5.2", "", "–", "below 3", "")) is None
    row = Row("recall, %", "50.0", "40.0 … 60.0", "80.0", "higher", "", Figure(value=0.5, low=0.4, high=0.6, real=0.8))
    full = whisker(row)
    assert whisker(replace(row, figure=row.figure.model_copy(update={"value": math.nan}))) is None
    assert [104 * at for at in (full.value, full.low, full.high, full.real)] == pytest.approx([50, 40, 60, 80])
    alone = whisker(Row("KID × 1000", "5.00", "4.00 … 6.00", "–", "lower", "", Figure(value=5, low=4, high=6)))
    assert alone == Whisker(5 / 6.24, 4 / 6.24, 1 / 1.04, None, "samples 5.00, between 4.00 and 6.00")
    assert full.words == "samples 50.0, between 40.0 and 60.0; real pictures 80.0"


def test_samples_at_the_real_pictures_count() -> None:
    assert at_floor_count(bare()) == []
    assert at_floor_count(rich()) == [
        ("FID", "1,260", "8.1"),
        ("precision", "57.0\N{NO-BREAK SPACE}%", "81.0\N{NO-BREAK SPACE}%"),
    ]


def test_the_learning_curve_marks_the_state_that_was_kept() -> None:
    told = learning(falling(20))
    assert (told.seen, told.value, told.of, told.cut) == (800 * 19, "15.8", 20, True)
    assert told.table[0] == ("800", "300")
    assert told.table[-1] == ("16,000", "200")
    x = re.search(r'class="dot best" cx="([\d.]+)"', told.chart.svg)
    assert x
    assert float(x[1]) == pytest.approx(46 + (360 - 56) * 19 / 20, abs=0.1)
    assert learning([]) is None
    assert learning([{"seen": 5, "kid": math.nan}]) is None
    alone = learning([{"seen": 5, "kid": -0.001}])  # no score says that it is the best: the lowest one is
    assert (alone.seen, alone.value, alone.cut) == (5, "-1", False)


# --- in the browser ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "width", "theme"),
    [
        *(("rich", width, theme) for width in (360, 1280) for theme in ("light", "dark")),
        ("rich", 800, "light"),
        ("bare", 360, "dark"),
        ("bare", 1280, "light"),
    ],
)
def test_the_page_opens_without_complaint_and_never_scrolls_sideways(
    pages: dict[str, Path], open_page: Callable[..., Any], kind: str, width: int, theme: str
) -> None:
    tab = open_page(pages[kind], width=width, theme=theme)
    tab.page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
    assert tab.page.evaluate("document.documentElement.scrollWidth") == width
    ground = tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground))) > 384) == (theme == "light")
    assert tab.page.evaluate("[...document.images].every((i) => i.complete && i.naturalWidth > 0)")
    assert tab.problems == []
    assert tab.requests == [pages[kind].resolve().as_uri()]


@pytest.mark.parametrize("kind", ["rich", "bare"])
def test_sentences_come_first_and_every_figure_and_warning_is_there(
    pages: dict[str, Path], open_page: Callable[..., Any], kind: str
) -> None:
    found = FOUND[kind]()
    page = open_page(pages[kind]).page
    answers = page.locator(".answer")
    for i, (question, sentence) in enumerate(found.sentences.items()):
        assert words(answers.nth(i)).startswith(f"{question} {sentence}")
    assert page.evaluate(
        "!!(document.querySelector('.answer:last-child').compareDocumentPosition(document.images[0])"
        " & Node.DOCUMENT_POSITION_FOLLOWING)"
    )
    lines = [words(line) for line in page.locator(".figures tbody tr").all()]
    expected = rows(found)
    assert len(lines) == len(expected)
    for line, row in zip(lines, expected, strict=True):
        assert all(text in line for text in (row.name, row.value, row.interval, row.real, row.better, row.about))
    assert [words(warning) for warning in page.locator(".warnings li").all()] == found.warnings
    everything = words(page.locator("main"))
    about = found.features
    for fact in (about.name, about.about, about.sha256, about.resizer, about.precision, found.made.name, found.date):
        assert fact in everything
    for digest in (found.real.digest, found.made.digest or found.made.sha256):
        assert digest in everything


def test_every_optional_part_is_shown_with_what_it_must_stand_beside(
    pages: dict[str, Path], open_page: Callable[..., Any]
) -> None:
    page = open_page(pages["rich"], width=360).page
    hair, smiles, age = (words(part) for part in page.locator(".attributes > li").all())
    assert "samples 71 % real pictures 94 % chance" in hair
    assert "always saying the commonest value would reach 22 %" in hair.lower()
    assert "kind 14 samples 9.0 % real pictures 16.0 %" in hair
    assert "3 rarer values" in hair
    assert smiles.startswith("<b>smiles</b> flag real pictures 97 %")
    assert "Nothing was asked of the samples" in smiles
    assert "samples -0.04 real pictures 0.88" in age
    assert "3,999 samples, 310 held-out real pictures" in hair
    captions = words(page.locator(".retrieval"))
    assert "samples 19 % real pictures 43 %" in captions
    assert "R@1 of 3,997 samples and 300 held-out real pictures" in captions
    assert "12.4 %" in words(page.locator(".smooth"))
    curves = [chart.get_attribute("aria-label") for chart in page.locator(".charts svg").all()]
    assert curves[0] == "KID × 1000 over truncation ψ: 100 at 0, 80 at 0.25, 60 at 0.5, 44 at 0.7, 32 at 0.85, 20 at 1."
    assert "The best, 15.8, came after 15,200 pictures" in words(page.locator(".learning"))
    near = words(page.locator("section:has(> #near)"))
    assert "5.2 % of the 4,000 samples lie closer to one of 5,890 training pictures or to its mirror image" in near
    assert "That is more than 3 %: the model repeats what it was trained on." in near
    assert "The closest of all 4,000: picked because" in near
    command = words(page.locator(".command"))
    assert command == (
        f"ganforge evaluate {quoted('a run')} {quoted(HOSTILE)} -n 4000 --seed 1000000 --psi 0.7 --features inception"
        " --paths --labels MINUTES"
    )


def test_what_was_not_measured_is_not_there(pages: dict[str, Path], open_page: Callable[..., Any]) -> None:
    page = open_page(pages["bare"]).page
    assert [words(title) for title in page.locator("h2").all()] == [
        *bare().sentences, "See for yourself", "The nearest real pictures", "The figures", "How this was measured"
    ]  # fmt: skip
    assert page.locator("h1").inner_text() == "How good is made by others?"
    assert "compare them with one another, never with published FID" in words(page.locator("main"))
    command = words(page.locator(".command"))
    assert command == f"ganforge evaluate {quoted('made by others')} faces -n 500 --features offline"


def test_the_same_figures_can_be_saved_as_json(pages: dict[str, Path], open_page: Callable[..., Any]) -> None:
    tab = open_page(pages["rich"])
    link = tab.page.get_by_role("link", name="Save evaluation-012345.json")
    with tab.page.expect_download() as saved:
        link.press("Enter")
    assert saved.value.suggested_filename == "evaluation-012345.json"
    assert Evaluation.model_validate_json(Path(saved.value.path()).read_bytes()) == rich()


def test_the_keyboard_reaches_everything_that_can_be_used(
    pages: dict[str, Path], open_page: Callable[..., Any]
) -> None:
    page = open_page(pages["rich"]).page
    reached = []
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.innerText"))
        if reached[-1].startswith("Save"):
            break
    assert reached[0] == "Skip to the findings"
    assert reached[-1] == "Save evaluation-012345.json"
    assert "3 rarer values" in reached
    assert "The same as numbers" in reached


class TestTerminal:
    def test_labels_stand_beside_their_judge(self):
        hair, smiles, age, captions = label_rows(rich())
        assert hair[:4] == ("hair", "71\N{NO-BREAK SPACE}%", "94\N{NO-BREAK SPACE}%", "22\N{NO-BREAK SPACE}%")
        assert hair[4] == "kind 13: 2\N{NO-BREAK SPACE}%, real 15\N{NO-BREAK SPACE}%"
        assert smiles[1] == "–"
        assert age[1:] == ("-0.04", "0.88", "–", "–")
        assert captions == tuple("captions, R@1 of 100|19~%|43~%|1~%|–".replace("~", "\N{NO-BREAK SPACE}").split("|"))

    def test_names_are_no_markup(self):
        from rich.console import Console

        found = rich()
        console = Console(width=200, record=True, file=io.StringIO())
        named = [a.model_copy(update={"attribute": "[red]beard[/]"}) for a in found.agreement]
        console.print(label_table(found.model_copy(update={"agreement": named})))
        assert "[red]beard[/]" in console.export_text()
