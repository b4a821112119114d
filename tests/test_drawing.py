"""Sheets, curves and clips: what goes in can be read back."""

import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganforge.drawing.clips import GIF_MOST_FRAMES, write_clip
from ganforge.drawing.curves import KID_SPAN, kid_range, loss_range, read_curves, read_scores, smooth
from ganforge.drawing.grids import grid, near_square, save_png, tile, to_uint8, untile
from ganforge.drawing.plots import learning_curves
from ganforge.drawing.text import font_for, shorten, wrap
from ganforge.drawing.timelapse import Frame, draw_frame, stored_frames, timelapse
from ganforge.errors import UsageError
from ganforge.files import replacing

counts = st.integers(1, 20)
sides = st.integers(1, 9)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --- grids ------------------------------------------------------------------------------------------------------------


@given(n=counts, h=sides, w=sides, columns=st.none() | st.integers(1, 25))
def test_untile_cuts_out_what_tile_put_together(n: int, h: int, w: int, columns: int | None) -> None:
    pictures = noise(n, h, w, 3)
    sheet = tile(pictures, columns)
    assert np.array_equal(untile(sheet, h, w, count=n), pictures)
    cells = untile(sheet, h, w)
    assert len(cells) - n < sheet.shape[1] // w  # blanks in the last row only
    assert not cells[n:].any()


@given(
    n=counts, h=sides, w=sides, columns=st.none() | st.integers(1, 25), pad=st.integers(0, 4), scale=st.integers(1, 3)
)
def test_every_picture_of_a_grid_lies_where_its_row_and_column_say(
    n: int, h: int, w: int, columns: int | None, pad: int, scale: int
) -> None:
    pictures = noise(n, h, w, 3)
    sheet = grid(pictures, columns=columns, pad=pad, background=200, scale=scale)
    columns = columns or near_square(n, h * scale, w * scale)
    for i, picture in enumerate(pictures):
        y, x = (pad + k * (side * scale + pad) for k, side in zip(divmod(i, columns), (h, w), strict=True))
        cell = sheet[y : y + h * scale, x : x + w * scale]
        assert np.array_equal(cell, picture.repeat(scale, 0).repeat(scale, 1))
    assert (sheet[:pad] == 200).all()


def test_near_square_sheets_are_near_square() -> None:
    assert near_square(36) == 6
    assert near_square(1) == 1
    assert near_square(16, height=1, width=4) == 2
    assert near_square(2, height=9, width=1) == 2
    assert near_square(10) == 4


def test_titles_and_labels_take_room_and_leave_the_pictures_alone() -> None:
    pictures = noise(16, 64, 64, 3)
    plain = grid(pictures)
    titled = grid(pictures, title="picked: the 16 of 256 that the discriminator rates most real", background=255)
    assert titled.shape[1] == plain.shape[1]
    added = titled.shape[0] - plain.shape[0]
    assert np.array_equal(titled[-60:], plain[-60:])
    assert titled[:added].min() < 80, "the caption's ink"
    assert grid(pictures, title="dark", background=0)[:added].max() > 180
    labelled = grid(pictures, labels=[f"seed {i}" for i in range(16)])
    assert labelled.shape[0] > plain.shape[0]
    assert labelled.shape[1] == plain.shape[1]


def test_what_is_no_sheet_of_pictures_is_refused() -> None:
    with pytest.raises(ValueError, match="N ≥ 1"):
        tile(noise(0, 4, 4, 3))
    with pytest.raises(ValueError, match="float32"):
        grid(np.zeros((2, 4, 4, 3), np.float32))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="labels"):
        grid(noise(2, 4, 4, 3), labels=["one"])
    with pytest.raises(ValueError, match="whole 5×4"):
        untile(noise(8, 8, 3), 5, 4)
    with pytest.raises(ValueError, match="has 4 pictures, not 5"):
        untile(noise(8, 8, 3), 4, 4, count=5)


def test_floats_become_bytes() -> None:
    values = np.array([-1, 0, 1, 2, -9, math.nan], np.float32)
    assert to_uint8(values.reshape(1, 1, 1, 6))[0, 0, :, 0].tolist() == [0, 128, 255, 255, 0, 128]
    rgb = np.linspace(-1, 1, 24, dtype=np.float32).reshape(1, 3, 2, 4)
    assert to_uint8(rgb).shape == (1, 2, 4, 3)
    assert np.allclose(to_uint8(rgb).transpose(0, 3, 1, 2) / 127.5 - 1, rgb, atol=1 / 255)
    with pytest.raises(ValueError, match="4, 2, 2"):
        to_uint8(np.zeros((1, 4, 2, 2), np.float32))


def test_tensors_of_any_precision_become_bytes() -> None:
    torch = pytest.importorskip("torch")
    x = torch.full((2, 3, 4, 5), 1.0, dtype=torch.bfloat16, requires_grad=True)
    assert to_uint8(x).shape == (2, 4, 5, 3)
    assert to_uint8(x).min() == 255


@given(value=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60))
@settings(max_examples=30, deadline=None)
def test_metadata_is_read_back(value: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "种子 7", "sheet 图.png")
        picture = noise(5, 7, 3)
        save_png(picture, path, text={"Source": "AI-generated", "Recipe": value, "Long": "x" * 5000})
        with Image.open(path) as image:
            assert np.array_equal(np.asarray(image), picture)
            assert image.text == {"Source": "AI-generated", "Recipe": value, "Long": "x" * 5000}  # type: ignore[attr-defined]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old", encoding="utf-8")

    def fail_half_way() -> None:
        with replacing(target) as temporary:
            temporary.write_text("half", encoding="utf-8")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert target.read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["a.txt"]


# --- words ------------------------------------------------------------------------------------------------------------


@given(text=st.text(st.sampled_from("abc W–é \n"), max_size=80), width=st.integers(20, 200))
def test_wrapped_lines_fit_and_lose_no_letter(text: str, width: int) -> None:
    lines = wrap(text, width, 12)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(font_for(line, 12).getlength(line) <= width or len(line) == 1 for line in lines)


def test_a_label_too_long_is_cut_with_an_ellipsis() -> None:
    assert shorten("hair", 100, 12) == "hair"
    cut = shorten("a very long class name", 60, 12)
    assert cut.endswith("…")
    assert font_for(cut, 12).getlength(cut) <= 60
    assert shorten("wide", 1, 12) == ""


# --- curves -----------------------------------------------------------------------------------------------------------


def report(seen: int, **changes: object) -> dict[str, object]:
    return {
        "event": "report", "step": seen // 16, "seen": seen, "fraction": 0.1, "seconds": seen / 800,
        "losses": {"D": {"total": 0.93, "real": 0.4}, "G": {"total": 1.07}},
        "verdicts": {"training": 0.71, "held_out": None, "fakes": 0.31}, "hit_rate": 0.81, **changes,
    }  # fmt: skip


HARD_LOGS = {
    "nothing": [],
    "one report": [report(1600)],
    "no time": [report(0, seconds=0.0)],
    "long": [report(n * 1600, hit_rate=1 - n / 99) for n in range(1, 50)],
    "holes": [
        report(1600, losses={"D": {"total": math.nan}, "G": {"total": None}}, hit_rate=None, seconds=None),
        report(3200, losses={"D": {"total": math.inf}}, verdicts=None),
        report(4800, losses=None, verdicts={"training": None}, hit_rate=math.nan),
        {"event": "sample", "seen": 4800},
        {"event": "report"},
    ],
    "another system": [report(n * 100, losses={"S": {"total": 1.0}, "E": {"total": 2.0}}) for n in range(9)],
}


@pytest.mark.parametrize("log", HARD_LOGS)
def test_any_log_can_be_drawn(log: str, tmp_path: Path) -> None:
    learning_curves(HARD_LOGS[log], tmp_path / "curves.png", tmp_path / "curves.svg")
    with Image.open(tmp_path / "curves.png") as image:
        assert image.size == (1440, 1344)
        assert image.convert("L").getextrema()[1] == 255, "a white ground"
    assert "</svg>" in (tmp_path / "curves.svg").read_text(encoding="utf-8")
    assert names(tmp_path) == ["curves.png", "curves.svg"]


def test_equal_logs_give_equal_svgs(tmp_path: Path) -> None:
    for name in "ab":
        learning_curves(HARD_LOGS["long"], tmp_path / f"{name}.png", tmp_path / f"{name}.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_curves_need_no_pyplot(tmp_path: Path) -> None:
    """In a process of its own: other tests' libraries load it."""
    program = (
        "import sys; from ganforge.drawing.plots import learning_curves; from pathlib import Path; "
        "here = Path(sys.argv[1]); learning_curves([], here / 'a.png', here / 'a.svg'); "
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)


def test_curves_are_read_in_order_and_the_later_report_wins() -> None:
    curves = read_curves(json.loads(json.dumps([report(3200), report(1600), report(3200, hit_rate=0.5)])))
    assert curves.seen.tolist() == [1600, 3200]
    assert curves.hit_rate.tolist() == [0.81, 0.5]
    assert curves.losses["D"].tolist() == [0.93, 0.93]
    assert np.isnan(curves.verdicts["held_out"]).all()
    assert curves.minutes.tolist() == [1600 / 48000, 3200 / 48000]


def score(seen: int, kid: float | None, **changes: object) -> dict[str, object]:
    return {"event": "score", "seen": seen, "seconds": seen / 800, "kid": kid, "best": False, **changes}


SCORES = {
    "one": [score(2048, 0.02)],
    "falling": [score(n * 2048, 0.4 / n, best=n < 9) for n in range(1, 10)],
    "little": [score(n * 2048, 0.09 - n / 200) for n in range(1, 10)],
    "below zero": [score(n * 2048, 0.001 - n / 2000) for n in range(1, 10)],
    "all the same": [score(n * 2048, 0.0) for n in range(1, 10)],
}


@pytest.mark.parametrize("scores", SCORES)
def test_kid_has_a_panel_where_there_are_scores(scores: str, tmp_path: Path) -> None:
    learning_curves(iter(HARD_LOGS["long"] + SCORES[scores]), tmp_path / "curves.png", tmp_path / "curves.svg")
    with Image.open(tmp_path / "curves.png") as image:
        assert image.size == (1440, 1792)
        panel = np.asarray(image.convert("RGB").crop((0, 1344, 1440, 1792))).astype(int)
    assert (np.abs(panel - (213, 94, 0)).sum(2) < 12).sum() > 20, "the line, in the forger's colour"
    assert "</svg>" in (tmp_path / "curves.svg").read_text(encoding="utf-8")


def test_scores_are_read_in_order_and_the_run_says_which_is_the_best() -> None:
    log = [
        report(9),
        score(30, 0.1),
        score(10, 0.5, best=True),
        score(20, 0.2, best=True),
        score(40, None),
        score(-1, 0.0),
    ]
    scores = read_scores(json.loads(json.dumps(log)))
    assert scores.seen.tolist() == [10, 20, 30]
    assert scores.kid.tolist() == [0.5, 0.2, 0.1]
    assert scores.minutes.tolist() == [seen / 48000 for seen in (10, 20, 30)]
    assert scores.best == 1, "a lower one may have been a copy"
    assert read_scores([score(10, 0.5), score(20, 0.2), score(30, 0.3)]).best == 1
    assert read_scores([report(10)]) is None


@given(st.lists(st.floats(-50, 1e5), min_size=1, max_size=40))
def test_a_range_of_kid_holds_all_of_them_or_all_above_zero(values: list[float]) -> None:
    kid = np.array(values)
    low, high, by_factors = kid_range(kid)
    assert low < high
    assert kid.max() < high
    if by_factors:
        above = kid[kid > 0]
        assert low > 0
        assert low < max(above.min(), high / 1100)
        assert kid.max() > KID_SPAN * above.min()
    else:
        assert low < min(kid.min(), 0)


@given(st.lists(st.floats(-10, 10) | st.just(math.nan), max_size=60))
def test_smoothing_stays_between_the_extremes_and_keeps_gaps(values: list[float]) -> None:
    series = np.array(values, np.float64)
    smoothed = smooth(series)
    known = np.isfinite(series)
    assert np.array_equal(np.isfinite(smoothed), known)
    if known.any():
        assert smoothed[known].min() >= series[known].min() - 1e-9
        assert smoothed[known].max() <= series[known].max() + 1e-9


def test_a_spike_does_not_flatten_the_losses() -> None:
    log = [report(n, losses={"D": {"total": 1 + n / 100}}) for n in range(100)]
    log[50] = report(50, losses={"D": {"total": 1e6}})
    low, high = loss_range(read_curves(log))
    assert low < 1.02
    assert 1.98 < high < 5


# --- clips ------------------------------------------------------------------------------------------------------------


def ramp(n: int, h: int, w: int) -> list[np.ndarray]:
    """Frames that differ: a bright square on its way over a coloured ground."""
    frames = []
    for i in range(n):
        frame = np.full((h, w, 3), (200, 60, 40), np.uint8)
        frame[h // 4 : h // 2, i % w : i % w + 4] = (20, 90, 220)
        frames.append(frame)
    return frames


@pytest.mark.parametrize(("height", "width", "n", "fps"), [(48, 64, 12, 8), (31, 45, 1, 25), (16, 17, 5, 12.5)])
def test_an_mp4_has_all_its_frames_in_the_right_colours(
    height: int, width: int, n: int, fps: float, tmp_path: Path
) -> None:
    path = tmp_path / "短い clip.mp4"
    write_clip(iter(ramp(n, height, width)), path, fps)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert float(stream.average_rate or 0) == pytest.approx(fps)
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert (stream.width, stream.height) == (width + width % 2, height + height % 2)
        frames = [f.to_ndarray(format="rgb24") for f in container.decode(stream)]
    assert len(frames) == n
    assert np.abs(frames[-1][-4:, -4:].astype(int) - (200, 60, 40)).mean() < 8


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_gif_and_webp_loop_for_ever_with_all_their_frames(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"clip{suffix}"
    write_clip(ramp(12, 31, 45), path, 10)
    with Image.open(path) as image:
        assert image.n_frames == 12  # type: ignore[attr-defined]
        assert image.size == (45, 31)
        assert image.info["loop"] == 0
        image.seek(3)
        image.load()
        assert image.info["duration"] == 100
        assert np.abs(np.asarray(image.convert("RGB"))[-4:, -4:].astype(int) - (200, 60, 40)).mean() < 8


def test_long_large_and_heavy_gifs_are_thinned_out_and_shrunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_clip((f for f in ramp(401, 8, 12)), tmp_path / "long.gif", 50)
    with Image.open(tmp_path / "long.gif") as image:
        assert image.n_frames <= GIF_MOST_FRAMES + 1  # type: ignore[attr-defined]
        assert image.info["duration"] == 60, "a third of the frames, each three times as long"
    write_clip(ramp(2, 400, 1600), tmp_path / "large.gif", 10)
    with Image.open(tmp_path / "large.gif") as image:
        assert image.size == (560, 140)
    monkeypatch.setattr("ganforge.drawing.clips.GIF_MOST_BYTES", 60_000)
    write_clip(list(noise(6, 128, 128, 3)), tmp_path / "heavy.gif", 10)
    assert (tmp_path / "heavy.gif").stat().st_size <= 60_000


def test_what_is_no_clip_is_refused_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.mp4, \.gif, \.webp"):
        write_clip(ramp(2, 8, 8), tmp_path / "clip.avi", 8)
    for suffix in (".mp4", ".gif", ".webp"):
        with pytest.raises(ValueError, match="at least one"):
            write_clip([], tmp_path / f"clip{suffix}", 8)
        with pytest.raises(ValueError, match="one size"):
            write_clip([*ramp(2, 8, 8), *ramp(1, 8, 10)], tmp_path / f"clip{suffix}", 8)
    with pytest.raises(ValueError, match="frames a second"):
        write_clip(ramp(2, 8, 8), tmp_path / "clip.mp4", 0)
    assert names(tmp_path) == []


# --- the time-lapse ---------------------------------------------------------------------------------------------------


def moment(n: int = 9, side: int = 16, verdict: float = 0.5, fraction: float = 0.5) -> Frame:
    return Frame(6400, 12.3, fraction, noise(n, side, side, 3), [verdict] * n)


@pytest.mark.parametrize(("n", "side"), [(1, 28), (9, 16), (36, 64), (4, 1000), (10, 28)])
def test_frames_are_large_enough_to_read_and_small_enough_to_play(n: int, side: int) -> None:
    height, width, _ = draw_frame(moment(n, side)).shape
    assert 450 <= width <= 1100
    assert height <= 1200
    assert height % 2 == width % 2 == 0


def test_the_bar_is_as_long_as_the_verdict() -> None:
    def filled(verdict: float) -> int:
        return int((draw_frame(moment(1, 64, verdict)) == (86, 180, 233)).all(2).any(0).sum())

    full = filled(1.0)
    assert filled(0.25) == pytest.approx(full / 4, abs=200)
    assert filled(0.75) > filled(0.5) > filled(0.25)
    assert draw_frame(moment(1, 64, math.nan)).shape == draw_frame(moment(1, 64, 1.0)).shape


def test_the_last_frame_is_held(tmp_path: Path) -> None:
    moments = [moment(4, fraction=f) for f in (0, 0.5, 1)]
    frames = list(timelapse(iter(moments), fps=8, hold_seconds=1.5))
    assert len(frames) == 3 + 12
    assert np.array_equal(frames[2], frames[-1])
    assert not np.array_equal(frames[0], frames[1])
    assert list(timelapse([], fps=8)) == []


def test_stored_frames_are_the_pictures_and_verdicts_of_the_run(tmp_path: Path) -> None:
    events: list[dict[str, object]] = [report(10)]
    for i in range(20):
        pictures = noise(5, 8, 8, 3, seed=i)
        save_png(tile(pictures), tmp_path / "samples" / f"{i:09d}.png")
        events.append({
            "event": "sample", "seen": i * 100, "fraction": i / 20, "seconds": i * 1.5,
            "file": f"samples/{i:09d}.png", "verdicts": [0.1, None, 0.3, 0.4, 0.5],
        })  # fmt: skip
    frames = list(stored_frames(events, tmp_path, 8, 8))
    assert [f.seen for f in frames] == [i * 100 for i in range(20)]
    assert np.array_equal(frames[7].pictures, noise(5, 8, 8, 3, seed=7))
    assert math.isnan(frames[7].verdicts[1])
    assert [f.seen for f in stored_frames(events, tmp_path, 8, 8, most=5)] == [0, 500, 900, 1400, 1900]
    (tmp_path / "samples" / "000000003.png").unlink()
    (tmp_path / "samples" / "000000004.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    assert len(list(stored_frames(events, tmp_path, 8, 8))) == 18
