"""The demo's page: what is in the file, and what it does in a real browser."""

import base64
import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ganforge.drawing.clips import write_clip
from ganforge.drawing.timelapse import timelapse
from ganforge.reports.charts import Line, evenly, line_chart
from ganforge.reports.page import write_page
from ganforge.reports.rendering import TEMPLATES
from ganforge.reports.story import Command, Facts, Frame, Story
from outline import Outline

pytest_plugins = ["browser"]

COMMAND = "ganforge train PICTURES --minutes 20"


def faces(n: int, side: int = 64, seed: int = 0) -> np.ndarray:
    """Pictures as smooth as drawings: a coloured disc on a coloured ground."""
    numbers = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side - 0.5
    disc = (x**2 + y**2 < 0.12)[None, :, :, None]
    ground, face = numbers.integers(0, 256, (2, n, 1, 1, 3), np.uint8)
    return np.where(disc, face, ground) * np.ones((1, side, side, 1), np.uint8)


def story(n_frames: int = 6, n: int = 36, side: int = 64) -> Story:
    frames = [
        Frame(i * 1600, i * 12.4, i / max(n_frames - 1, 1), faces(n, side, seed=i), [i / 10] * (n - 1) + [math.nan])
        for i in range(n_frames)
    ]
    reports = [
        {
            "event": "report", "seen": i * 400, "seconds": i * 3.1,
            "losses": {"D": {"total": 1 - i / 40}, "G": {"total": 2 + i / 20}},
            "verdicts": {"training": 0.8, "held_out": None, "fakes": i / 40}, "hit_rate": 1 - i / 60,
        }
        for i in range(1, 21)
    ]  # fmt: skip
    return Story(
        title="From noise to faces in two minutes",
        recipe="dcgan64",
        pictures="avatars, 4,000 pictures at 64×64",
        facts=Facts(2.02, 96_000, 812.3, "an <old> machine & 2 cores", "2.9.0", {"the generator": 3_576_704}),
        real=faces(12, side, seed=99),
        final=frames[-1].pictures if frames else faces(20, side),
        frames=frames,
        reports=reports,
        commands=[Command("Train on your own pictures", COMMAND), Command("Go on", "ganforge resume RUN --minutes 20")],
        notes=["Nobody's photograph was used."],
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    told = story()
    folder = tmp_path_factory.mktemp("頁 page")
    write_clip(timelapse(told.frames, fps=8, hold_seconds=0.5), folder / "clip.mp4", 8)
    write_page(replace(told, mp4=(folder / "clip.mp4").read_bytes()), folder / "demo page.html")
    return folder / "demo page.html"


def data_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found
    return json.loads(found[1])  # type: ignore[no-any-return]


# --- the file ---------------------------------------------------------------------------------------------------------


def test_the_page_is_one_file_that_needs_nothing_else(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    outline = Outline(html)
    assert all(address.startswith(("data:", "#")) for address in outline.addresses)
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org)", html.split("</style>")[0])
    assert outline.lang == "en"
    assert outline.without_alt == 0
    assert outline.headings[0] == 1
    assert all(later - earlier <= 1 for earlier, later in zip(outline.headings, outline.headings[1:], strict=False))
    assert len(outline.ids) == len(set(outline.ids))
    assert sorted(path.name for path in page.parent.iterdir()) == ["clip.mp4", "demo page.html"]


def test_what_people_wrote_is_shown_as_they_wrote_it(tmp_path: Path) -> None:
    told = replace(story(2), title="</script><script>alert(1)</script>", notes=["a < b & c"])
    write_page(told, tmp_path / "page.html")
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script>alert" not in html
    assert "a &lt; b &amp; c" in html
    assert "an &lt;old&gt; machine" in html


def test_a_long_noisy_run_stays_under_six_megabytes(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (36, 64, 64, 3), np.uint8)
    frames = [Frame(i, i, i / 100, noise, [0.5] * 36) for i in range(101)]
    told = replace(story(), frames=frames, final=noise, real=noise, mp4=b"\0" * 6_000_000)
    write_page(told, tmp_path / "page.html")
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert len(html) < 6_000_000
    seen = [frame["seen"] for frame in data_of(html)["frames"]]
    assert (seen[0], seen[-1]) == (0, 100)
    assert len(seen) >= 20
    clip = re.search(r'data:video/mp4;base64,([^"]+)"', html)
    assert clip
    (tmp_path / "clip.mp4").write_bytes(base64.b64decode(clip[1]))
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == len(seen) + 12


@pytest.mark.parametrize("side", [28, 128, 200])
def test_pictures_of_other_sizes_fit(side: int, tmp_path: Path) -> None:
    write_page(story(2, side=side), tmp_path / "page.html")
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    cell = {28: 112, 128: 128, 200: 128}[side]
    assert f"--cell-w: {cell}px; --cell-h: {cell}px" in html
    assert data_of(html)["width"] == min(side, 128)


def test_contrast_is_at_least_aa_in_both_themes() -> None:
    css = "".join((TEMPLATES / f"{name}.css").read_text(encoding="utf-8") for name in ("base", "page"))
    light, dark = css.split("@media (prefers-color-scheme: dark)")[:2]
    themes = {"light": dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", light))}
    themes["dark"] = themes["light"] | dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", dark.split("*, *::before")[0]))

    def luminance(colour: str) -> float:
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
            for c in (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        ]
        return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))

    for name, colours in themes.items():
        for ink in ("ink", "muted", "critic", "forger", "held-out", "hit-rate", "other"):
            for ground in ("ground", "surface"):
                low, high = sorted((luminance(colours[ink]), luminance(colours[ground])))
                assert (high + 0.05) / (low + 0.05) >= 4.5, (name, ink, ground)


# --- charts -----------------------------------------------------------------------------------------------------------


def percent(value: float) -> str:
    return f"{value:.0%}"


def test_a_chart_has_a_path_a_line_and_lifts_it_over_gaps() -> None:
    values = np.array([0.1, 0.2, np.nan, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    lines = [Line("a & b", "critic", values), Line("nothing", "forger", values * np.nan)]
    chart = line_chart(
        "Rates", "…", lines, np.arange(9.0) * 100, y_range=(0, 1), y_ticks=[0, 0.5, 1], y_format=percent,
        threshold=(0.5, "half"),
    )  # fmt: skip
    assert [line.name for line in chart.lines] == ["a & b"]
    paths = re.findall(r'<path class="(\w+) critic" d="([^"]+)"', chart.svg)
    assert [name for name, _ in paths] == ["raw", "line"]
    assert all(d.count("M") == 2 and d.count("L") == 6 for _, d in paths)
    assert chart.values == [["10%", "20%", "–", "40%", "50%", "60%", "70%", "80%", "90%"]]
    assert "a &amp; b from 10% to 90%" in chart.svg
    assert "half" in chart.svg
    heights = [float(d.split("L")[0].split()[1]) for _, d in paths]
    assert all(10 <= height <= 194 for height in heights)


@pytest.mark.parametrize("n", [0, 1, 2, 2000])
def test_charts_of_any_length(n: int) -> None:
    values = np.linspace(0, 1, n)
    chart = line_chart(
        "Rates",
        "…",
        [Line("a", "critic", values)],
        np.arange(n) * 16.0,
        y_range=(0, 1),
        y_ticks=[0, 1],
        y_format=percent,
    )
    assert len(chart.positions) == min(n, 300)
    assert chart.positions == sorted(chart.positions)
    assert chart.svg.count("<circle") == (n if n < 8 else 0)
    assert "nan" not in chart.svg


@pytest.mark.parametrize(("last", "marks"), [(8000, "2,000"), (32_000, "8k"), (6_000_000, "1.5M")])
def test_pictures_seen_are_marked_in_a_unit_that_suits_the_run(last: int, marks: str) -> None:
    seen = np.linspace(last / 9, last, 9)
    chart = line_chart("Rates", "…", [], seen, y_range=(0, 1), y_ticks=[], y_format=percent)
    written = re.findall(r'text-anchor="middle">([^<]+)<', chart.svg)
    assert written[:2] == ["0", marks]


def test_evenly_keeps_both_ends() -> None:
    assert evenly(5, 9) == [0, 1, 2, 3, 4]
    assert evenly(101, 3) == [0, 50, 100]
    assert evenly(0, 3) == []


# --- in the browser ---------------------------------------------------------------------------------------------------

THEMES = ("light", "dark")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_opens_without_complaint_and_never_scrolls_sideways(
    page: Path, open_page: Callable[..., Any], theme: str, width: int
) -> None:
    tab = open_page(page, width=width, theme=theme)
    assert tab.page.evaluate("document.documentElement.scrollWidth") == width
    ground = tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground))) > 384) == (theme == "light")
    assert tab.page.evaluate("[...document.images].every((i) => i.complete && i.naturalWidth > 0)")
    assert tab.page.locator(".chart svg path.line").count() >= 4
    assert tab.page.locator("text=50 %: the critic can no longer tell").count() == 1
    tab.wait_until("document.querySelector('video').readyState >= 1")
    assert tab.problems == []
    assert tab.requests == [page.resolve().as_uri()]


def test_the_slider_moves_pictures_and_verdicts_by_keyboard(page: Path, open_page: Callable[..., Any]) -> None:
    tab = open_page(page)
    slider = tab.page.locator("#time")
    pixel = """(() => {
        const copy = new OffscreenCanvas(1, 1).getContext("2d");
        copy.drawImage(document.querySelector("canvas"), 32, 32, 1, 1, 0, 0, 1, 1);
        return copy.getImageData(0, 0, 1, 1).data.slice(0, 3).join();
    })()"""
    assert tab.page.locator("#seen").inner_text() == "8,000"
    slider.focus()
    slider.press("Home")
    first = tab.page.evaluate(pixel)
    assert tab.page.locator("#seen").inner_text() == "0"
    assert tab.page.locator(".percent").first.inner_text() == "0 %"
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    assert tab.page.locator("#seen").inner_text() == "3,200"
    assert tab.page.locator("#clock").inner_text() == "0:25"
    assert tab.page.locator(".percent").first.inner_text() == "20 %"
    assert tab.page.locator("#mean").inner_text() == "20 %"
    assert slider.get_attribute("aria-valuetext") == "3,200 pictures seen, 0:25 minutes, 20 % real on average"
    later = tab.page.evaluate(pixel)
    assert later != first
    drawn = faces(36, 64, seed=2)[0, 32, 32].astype(int)
    assert np.abs(np.array([int(v) for v in later.split(",")]) - drawn).max() < 12
    assert tab.problems == []


def test_play_runs_to_the_end_and_pause_stops_it(page: Path, open_page: Callable[..., Any]) -> None:
    tab = open_page(page)
    play = tab.page.get_by_role("button", name="Play")
    play.press("Enter")
    tab.page.get_by_role("button", name="Pause").press("Enter")
    stopped = tab.page.locator("#time").input_value()
    assert int(stopped) < 5
    tab.page.wait_for_timeout(300)
    assert tab.page.locator("#time").input_value() == stopped
    play.press("Enter")
    tab.wait_until("document.getElementById('time').value === '5'")
    tab.page.get_by_role("button", name="Play").wait_for()


def test_it_plays_by_itself_only_where_motion_is_welcome(page: Path, open_page: Callable[..., Any]) -> None:
    for motion, moves in (("no-preference", True), ("reduce", False)):
        tab = open_page(page, motion=motion)
        tab.page.evaluate("window.lowest = 5")
        tab.page.evaluate(
            "new MutationObserver(() => { lowest = Math.min(lowest, document.getElementById('time').value) })"
            ".observe(document.getElementById('seen'), {childList: true})"
        )
        tab.page.locator("#seeds").scroll_into_view_if_needed()
        tab.page.wait_for_timeout(400)
        assert (tab.page.evaluate("lowest") < 5) == moves


def test_pointing_at_a_chart_shows_its_numbers(page: Path, open_page: Callable[..., Any]) -> None:
    tab = open_page(page)
    chart = tab.page.locator(".chart").nth(2)
    assert chart.locator(".legend b").inner_text() == "67 %"
    chart.locator("svg").hover(position={"x": 60, "y": 60})
    assert chart.locator(".legend b").inner_text() == "98 %"
    tab.page.mouse.move(1, 1)
    assert chart.locator(".legend b").inner_text() == "67 %"


def test_the_numbers_are_there_as_a_table(page: Path, open_page: Callable[..., Any]) -> None:
    tab = open_page(page, width=360)
    tab.page.get_by_text("The same as numbers").click()
    cells = tab.page.locator("tbody tr").last.locator("th, td").all_inner_texts()
    assert cells == ["8,000", "0.5", "3", "80 %", "50 %", "67 %"]
    assert tab.page.evaluate("document.documentElement.scrollWidth") == 360


def test_copy_puts_the_command_on_the_clipboard(page: Path, open_page: Callable[..., Any]) -> None:
    tab = open_page(page)
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = tab.page.locator(".copy").first
    button.focus()
    button.press("Enter")
    tab.page.get_by_text("Copied").first.wait_for()
    assert tab.page.evaluate("navigator.clipboard.readText()") == COMMAND
    assert tab.page.locator("#said").inner_text() == "Copied"


@pytest.mark.parametrize("reports", [[], [{"event": "report", "seen": 5, "losses": {"D": {"total": math.nan}}}]])
def test_a_run_that_ended_at_once_still_has_its_page(
    reports: list[dict[str, Any]], tmp_path: Path, open_page: Callable[..., Any]
) -> None:
    write_page(replace(story(0), reports=reports, commands=[], notes=[]), tmp_path / "page.html")
    tab = open_page(tmp_path / "page.html")
    assert tab.page.locator("#time").count() == 0
    assert tab.page.locator(".chart svg").count() == 3
    assert tab.problems == []
