"""Be the critic: the pairs, the numbers, the page in a real browser, and the command."""

import base64
import io
import json
import math
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import ganforge
from ganforge.errors import GanforgeError, ModelError, PicturesError, UsageError
from ganforge.measures.distances import NORMAL_95, wilson
from ganforge.model.card import DataCard
from ganforge.model.model import save_model
from ganforge.pictures import Pack, PackOptions, make_pack, split_held_out
from ganforge.reports import turing as report
from ganforge.reports.turing import draw_game, write_turing_page
from ganforge.systems import configure, recipes
from systems_tiny import write_pictures

pytest_plugins = ["browser"]

command = import_module("ganforge.cli.turing")  # the package's attribute of that name is the command itself
PAIRS = 8
SIDE = 32


def save_tiny(folder: Path, *, data: DataCard | None = None, critic: bool = True) -> Path:
    recipe = recipes()["dcgan"]
    config = configure(recipe, SIDE, SIDE, {"g.widths": "32,16,8", "d.widths": "8,16,32", "z_size": "8"})
    torch.manual_seed(0)
    nets = recipe.system.make_nets(config)
    if not critic:
        del nets["discriminator"]
    save_model(folder, recipe.system, config.model_dump(mode="json"), (SIDE, SIDE), nets, data=data)
    return folder


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    cache = tmp_path_factory.mktemp("cache")
    return make_pack("avatars:200", PackOptions(height=SIDE, width=SIDE), cache=cache, workers=1)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, pack: Pack) -> ganforge.Model:
    card = DataCard(pictures="avatars:200", count=200, digest=pack.digest)
    return ganforge.load(save_tiny(tmp_path_factory.mktemp("models") / "a model", data=card), device="cpu")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, model: ganforge.Model, pack: Pack) -> Path:
    return write_turing_page(
        model, pack, tmp_path_factory.mktemp("頁 page") / "be the critic.html", pairs=PAIRS, seed=5
    )


def data_of(page: Path) -> dict[str, Any]:
    found = re.search(r'id="data">(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return json.loads(found[1])  # type: ignore[no-any-return]


def halves(pair: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """The real and the made picture of a pair, as the page shows them."""
    image = Image.open(io.BytesIO(base64.b64decode(pair["picture"].split(",")[1])))
    both = np.split(np.asarray(image), 2, axis=1)
    return both[pair["real"]], both[1 - pair["real"]]


# --- the pairs --------------------------------------------------------------------------------------------------------


def test_the_pictures_are_what_the_page_says_they_are(page, model, pack):
    _, held_out = split_held_out(pack)
    assert len(held_out) >= PAIRS
    unseen = {pack.pictures[i].tobytes() for i in held_out}
    pairs, shown = data_of(page)["pairs"], set()
    for pair in pairs:
        real, made = halves(pair)
        shown.add(real.tobytes())
        again = model.sample(1, int(pair["seed"]))
        assert np.abs(again.pictures[0].astype(int) - made.astype(int)).max() <= 1
    assert shown <= unseen
    assert len(shown) == PAIRS
    assert "neither the generator nor the critic has learnt from them" in page.read_text(encoding="utf-8")
    assert {pair["real"] for pair in pairs} == {0, 1}


def test_pairs_grow_harder_and_every_share_gives_one(model, pack):
    game = draw_game(model, pack, pairs=PAIRS, seed=5, psi=1)
    everything = sorted(model.verdicts(model.sample(8 * PAIRS, 5).pictures))
    made = [pair.verdicts[1] for pair in game.pairs]
    assert made == sorted(made)
    assert made[0] < made[-1]
    shares = np.reshape(everything, (PAIRS, 8))
    assert all(share[0] - 1e-9 <= told <= share[-1] + 1e-9 for told, share in zip(made, shares, strict=True))
    assert len({pair.seed for pair in game.pairs}) == PAIRS
    assert {pair.seed for pair in game.pairs} <= set(range(5, 5 + 8 * PAIRS))


def test_over_many_games_every_picture_has_the_same_chance(model, pack, monkeypatch):
    """Else the fool rate would be that of picked pictures."""
    fixed = model.sample(32, 0)
    monkeypatch.setattr(model, "sample", lambda *_, **__: fixed)
    monkeypatch.setattr(model, "verdicts", lambda pictures: [i / 100 for i in range(len(pictures))])
    counts = np.zeros(32)
    for seed in range(300):
        counts[[pair.seed for pair in draw_game(model, pack, pairs=4, seed=seed, psi=1).pairs]] += 1
    assert counts.sum() == 1200
    chi2 = ((counts - 37.5) ** 2 / 37.5).sum()
    assert chi2 < 62  # its 99.9 % point at 31 degrees of freedom


def test_the_critics_pick_is_what_it_finds_more_real(model, pack):
    pair = draw_game(model, pack, pairs=4, seed=0, psi=1).pairs[0]
    assert replace(pair, verdicts=(0.7, 0.2)).critic == 1
    assert replace(pair, verdicts=(0.2, 0.7)).critic == 0
    assert replace(pair, verdicts=(1.0, 1.0)).critic == 0.5
    assert replace(pair, verdicts=None).critic is None


def test_where_too_few_are_held_out_the_page_says_so(model, pack, tmp_path):
    _, held_out = split_held_out(pack)
    page = write_turing_page(model, pack, tmp_path / "page.html", pairs=len(held_out) + 2)
    assert f"{len(held_out)} of the {len(held_out) + 2} real pictures were held out" in page.read_text(encoding="utf-8")
    reals = {halves(pair)[0].tobytes() for pair in data_of(page)["pairs"]}
    assert {pack.pictures[i].tobytes() for i in held_out} < reals


def test_a_seed_is_a_page_byte_for_byte(page, model, pack, tmp_path):
    again = write_turing_page(model, pack, tmp_path / "again.html", pairs=PAIRS, seed=5)
    other = write_turing_page(model, pack, tmp_path / "other.html", pairs=PAIRS, seed=6)
    assert again.read_bytes() == page.read_bytes()
    assert other.read_bytes() != page.read_bytes()


def test_without_a_critic_the_order_is_random_and_the_page_says_so(pack, tmp_path):
    lonely = ganforge.load(save_tiny(tmp_path / "model", critic=False), device="cpu")
    page = write_turing_page(lonely, pack, tmp_path / "page.html", pairs=PAIRS, psi=0.5)
    text, data = page.read_text(encoding="utf-8"), data_of(page)
    assert "keeps no usable critic" in text
    assert "has met some of these real pictures is not known" in text  # this model's card names no collection
    assert data["critic"] is None
    assert all(pair["verdicts"] is None for pair in data["pairs"])
    assert "--psi 0.5" in data["command"]
    seeds = [int(pair["seed"]) for pair in data["pairs"]]
    assert seeds != sorted(seeds)


@pytest.mark.parametrize("side", [40, 600])
def test_heavy_pictures_become_jpeg_and_huge_ones_smaller(side, monkeypatch):
    """Noise, the worst case; tiles of 40 pixels are no multiple of JPEG's blocks in every size."""
    monkeypatch.setattr(report, "MOST_PNG_BYTES", 1000)
    strips = np.random.default_rng(0).integers(0, 256, (2, side, 2 * (side + 4), 3), np.uint8)
    strips[:, :, : side + 4] = 255
    uris, (height, width) = report._encoded(strips)
    assert (height, width) == ((40, 44) if side == 40 else (round(600 * 512 / 604), 512))
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(uris[0].removeprefix("data:image/jpeg;base64,")))))
    assert image.shape[1] % 16 == 0
    assert image[:, : image.shape[1] // 2].min() > 250  # nothing bleeds over the seam


@pytest.mark.parametrize("pairs", [0, 101])
def test_counts_of_pairs_that_make_no_page(pairs, model, pack, tmp_path):
    with pytest.raises(UsageError, match="1 to 100"):
        write_turing_page(model, pack, tmp_path / "page.html", pairs=pairs)
    assert list(tmp_path.iterdir()) == []


def test_pictures_of_another_size(model, tmp_path):
    pictures = write_pictures(tmp_path / "pictures", 20)
    small = make_pack(pictures, PackOptions(height=16, width=16), cache=tmp_path / "cache", workers=1)
    with pytest.raises(UsageError, match="32×32 pictures and the real ones are 16×16"):
        write_turing_page(model, small, tmp_path / "page.html", pairs=4)


# --- the interval -----------------------------------------------------------------------------------------------------


def test_wilson_meets_published_values():
    """Newcombe, Statistics in Medicine 17 (1998), table I, method 3."""
    published = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (successes, n), interval in published.items():
        assert wilson(successes, n) == pytest.approx(interval, abs=5e-5)


@given(n=st.integers(1, 500), share=st.floats(0, 1))
def test_wilson_holds_every_share_that_the_throws_do_not_contradict(n, share):
    successes = round(share * n)
    low, high = wilson(successes, n)
    assert 0 <= low <= successes / n + 1e-12
    assert successes / n - 1e-12 <= high <= 1
    for end in (low, high):  # at its ends, the share lies 1.96 standard deviations away
        if 0 < end < 1:
            assert abs(successes / n - end) == pytest.approx(NORMAL_95 * math.sqrt(end * (1 - end) / n), abs=1e-6)


# --- in the browser ---------------------------------------------------------------------------------------------------


def percent(share: float) -> str:
    return f"{math.floor(share * 100 + 0.5)} %"


def words(tab: Any, selector: str) -> str:
    return tab.page.locator(selector).inner_text().replace("\u00a0", " ")  # type: ignore[no-any-return]


def press(tab: Any, pair: dict[str, Any], right: bool, keys: tuple[str, str] = ("ArrowLeft", "ArrowRight")) -> None:
    tab.page.keyboard.press(keys[pair["real"] if right else 1 - pair["real"]])


@pytest.mark.parametrize(
    ("answers", "title"),
    [
        ([True] * PAIRS, "You can tell"),
        ([False] * PAIRS, "Realer than real"),
        ([True, True, True, False] * 2, "Could be a coin"),
    ],
)
def test_a_whole_game_by_keyboard(page, open_page: Callable[..., Any], answers, title):
    tab, data = open_page(page), data_of(page)
    streak = best = critic = 0
    for i, (pair, right) in enumerate(zip(data["pairs"], answers, strict=True)):
        assert words(tab, "#count") == f"Pair {i + 1} of {PAIRS}"
        press(tab, pair, right, [("ArrowLeft", "ArrowRight"), ("a", "b"), ("A", "B")][i % 3])
        streak = streak + 1 if right else 0
        best, critic = max(best, streak), critic + pair["critic"]
        told = words(tab, "#said")
        assert words(tab, "#question").startswith("Right" if right else "It fooled you")
        assert f"{'AB'[pair['real']]} is real." in told
        assert f"{sum(answers[: i + 1])} of {i + 1} right." in told
        if pair["critic"] != 0.5:
            assert (
                f"would have been {'right' if pair['critic'] else 'fooled'}{' too' * (pair['critic'] == right)}."
                in told
            )
        assert [words(tab, f"#{name}") for name in ("right", "asked", "streak", "best")] == [
            str(number) for number in (sum(answers[: i + 1]), i + 1, streak, best)
        ]
        assert words(tab, "#critic") == f"{critic:g}".replace("0.5", "½").replace(".5", "½")
        names = [words(tab, f".card:nth-child({side + 1}) .name").split(" –")[0] for side in (0, 1)]
        assert names == (["Real", "Made"] if pair["real"] == 0 else ["Made", "Real"])
        tab.page.keyboard.press(["Enter", " ", "ArrowRight"][i % 3])
    fooled = PAIRS - sum(answers)
    low, high = wilson(fooled, PAIRS)
    assert words(tab, "#result") == f"{title}: {PAIRS - fooled} of {PAIRS} right"
    assert words(tab, "#sentence").startswith(
        f"The generator fooled you in {fooled} of {PAIRS} pairs, {percent(fooled / PAIRS)}"
        f" (95 % interval {percent(low)} to {percent(high)}). At 50 %"
    )
    theirs, (low, high) = PAIRS - critic, wilson(PAIRS - critic, PAIRS)
    assert f"interval {percent(low)} to {percent(high)}" in words(tab, ".rate:nth-child(2)")
    assert words(tab, ".rate:nth-child(2)").split("\n")[-1].startswith(percent(theirs / PAIRS))
    assert f"best streak: {best}" in words(tab, "#versus")
    seeds = {part: [seed.inner_text() for seed in tab.page.locator(f"#{part} b").all()] for part in ("fooled", "seen")}
    expected = {"fooled": [], "seen": []}
    for pair, right in zip(data["pairs"], answers, strict=True):
        expected["seen" if right else "fooled"].append(pair["seed"])
    assert seeds == expected
    assert words(tab, "#command").endswith(f"--seed {(expected['fooled'] or expected['seen'])[0]}")
    assert tab.page.evaluate("document.activeElement.id") == "result"
    assert tab.problems == []
    assert tab.requests == [page.resolve().as_uri()]


def test_a_reload_in_the_middle_goes_on(page, open_page: Callable[..., Any]):
    tab, data = open_page(page), data_of(page)
    for pair, right in zip(data["pairs"][:3], (True, False, True), strict=True):
        press(tab, pair, right)
        tab.page.keyboard.press("Enter")
    press(tab, data["pairs"][3], True)  # answered, not yet gone on
    tab.page.reload()
    assert words(tab, "#count") == f"Pair 5 of {PAIRS}"
    assert [words(tab, f"#{name}") for name in ("right", "asked", "streak", "best")] == ["3", "4", "2", "2"]
    for pair in data["pairs"][4:]:
        press(tab, pair, True)
        tab.page.keyboard.press("Enter")
    assert f"{PAIRS - 1} of {PAIRS} right" in words(tab, "#result")
    tab.page.reload()
    assert f"{PAIRS - 1} of {PAIRS} right" in words(tab, "#result")


def test_playing_again_deals_anew_and_keeps_results_apart(page, open_page: Callable[..., Any]):
    tab, data = open_page(page), data_of(page)
    for pair in data["pairs"]:
        press(tab, pair, True)
        tab.page.keyboard.press("Enter")
    tab.page.get_by_role("button", name="Play again").press("Enter")
    assert words(tab, "#count") == f"Pair 1 of {PAIRS}"
    reals, shown = [], []
    for _ in data["pairs"]:
        tab.page.get_by_role("button", name="Picture A is real").click()
        reals.append(0 if words(tab, ".card:nth-child(1) .name").startswith("Real") else 1)
        shown.append([words(tab, f".card:nth-child({side}) .percent") for side in (1, 2)])
        tab.page.keyboard.press("Enter")
    right = reals.count(0)
    assert f"{right} of {PAIRS} right" in words(tab, "#result")
    assert f"Your games: {PAIRS} of {PAIRS}, {right} of {PAIRS}. Only the first one measures" in words(tab, "#past")
    assert reals != [pair["real"] for pair in data["pairs"]]
    assert tab.problems == []


def test_a_critic_that_cannot_tell_gets_half_a_point(model, pack, open_page: Callable[..., Any], tmp_path, monkeypatch):
    monkeypatch.setattr(model, "verdicts", lambda pictures: [1.0] * len(pictures))
    tab = open_page(write_turing_page(model, pack, tmp_path / "page.html", pairs=3))
    tab.page.keyboard.press("ArrowLeft")
    assert "The critic could not tell" in words(tab, "#told")
    assert words(tab, "#critic") == "½"
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.press("ArrowLeft")
    assert words(tab, "#critic") == "1"
    for key in ("Enter", "ArrowLeft", "Enter"):
        tab.page.keyboard.press(key)
    low, high = wilson(1.5, 3)
    told = words(tab, ".rate:nth-child(2)").split("\n")[-1]
    assert told == f"50 %, fooled 1½ times of 3; interval {percent(low)} to {percent(high)}"


def test_nothing_on_the_page_gives_the_answer_away(page, open_page: Callable[..., Any]):
    """A and B are the same but for the letter, before an answer; and both pictures of a pair lie in one file."""
    tab, data = open_page(page), data_of(page)
    a, b = (tab.page.locator(f".card:nth-child({side}) .pick").evaluate("pick => pick.outerHTML") for side in (1, 2))
    assert a.replace("Picture A", "Picture B") == b
    assert all(pair["picture"].count("data:image/png") == 1 for pair in data["pairs"])
    pair = data["pairs"][0]
    real, made = halves(pair)
    tab.wait_until("document.querySelector('.card canvas').getContext('2d').getImageData(16, 16, 1, 1).data[3] === 255")
    pixels = tab.page.evaluate(
        "side => [...document.querySelectorAll('.card canvas')].map("
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, side, side).data])",
        SIDE,
    )
    for side, drawn in enumerate(pixels):
        expected = real if side == pair["real"] else made
        assert np.array_equal(np.reshape(drawn, (SIDE, SIDE, 4))[..., :3], expected)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(360, 640), (1280, 800)])
def test_it_fits_the_screen(page, open_page: Callable[..., Any], theme, width, height):
    tab, data = open_page(page, width=width, height=height, theme=theme), data_of(page)
    press(tab, data["pairs"][0], False)
    assert tab.page.evaluate("document.documentElement.scrollWidth") == width
    boxes = [tab.page.locator(selector).bounding_box() for selector in (".card:nth-child(1) .pick", "#next", ".scores")]
    assert all(box["y"] + box["height"] <= height for box in boxes)
    assert boxes[0]["width"] % SIDE == 0
    assert boxes[0]["width"] >= 128
    assert boxes[1]["height"] >= 44
    for pair in data["pairs"][1:]:
        tab.page.keyboard.press("Enter")
        press(tab, pair, True)
    tab.page.keyboard.press("Enter")
    assert tab.page.evaluate("document.documentElement.scrollWidth") == width
    assert tab.page.locator("#end").is_visible()


def test_keys_that_are_not_meant_for_the_game(page, open_page: Callable[..., Any]):
    tab = open_page(page)
    assert tab.page.evaluate("document.activeElement.id") == "game"
    tab.page.locator("summary").focus()
    tab.page.keyboard.press("a")  # a letter acts only while the game has the focus (WCAG 2.1.4)
    tab.page.keyboard.press("Control+ArrowLeft")
    assert words(tab, "#question") == "Which one is real?"
    assert words(tab, "#asked") == "0"


def test_it_plays_where_the_browser_keeps_nothing(page, open_page: Callable[..., Any]):
    tab, data = open_page(page), data_of(page)
    tab.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"
    )
    tab.page.reload()
    press(tab, data["pairs"][0], True)
    assert words(tab, "#right") == "1"
    assert tab.problems == []


def test_what_was_kept_and_is_not_a_game_is_passed_over(page, open_page: Callable[..., Any]):
    tab, data = open_page(page), data_of(page)
    tab.page.evaluate(f"localStorage.setItem('ganforge-turing-{data['id']}', '{{\"past\": [], \"answers\": [7]}}')")
    tab.page.reload()
    assert words(tab, "#count") == f"Pair 1 of {PAIRS}"
    assert tab.problems == []


def test_the_result_as_text(page, open_page: Callable[..., Any]):
    tab, data = open_page(page), data_of(page)
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for i, pair in enumerate(data["pairs"]):
        press(tab, pair, i != 2)
        tab.page.keyboard.press("Enter")
    tab.page.get_by_role("button", name="Copy result").press("Enter")
    tab.wait_until("document.getElementById('copy').textContent === 'Copied'")
    copied = tab.page.evaluate("navigator.clipboard.readText()")
    low, high = wilson(1, PAIRS)
    assert f"{PAIRS - 1} of {PAIRS} right" in copied
    assert f"Fooled: {percent(1 / PAIRS)} (95 % interval {percent(low)} to {percent(high)}, n = {PAIRS}" in copied
    assert copied.endswith("🟦🟦🟧" + "🟦" * (PAIRS - 3))


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANFORGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GANFORGE_WORKERS", "1")
    write_pictures(tmp_path / "pictures", 20)
    return tmp_path


def run(*arguments: str) -> None:
    from typer.testing import CliRunner

    from ganforge.cli import app

    done = CliRunner().invoke(app, ["turing", *arguments, "--no-open"])
    if done.exception is not None:
        raise done.exception
    print(done.stdout, end="")


def test_the_command_writes_a_new_page_each_time(here, model, capsys):
    for name in ("", "-2"):
        run(str(model.path), "pictures", "--pairs", "4")
        page = here / f"turing-{model.id[:6]}{name}.html"
        assert capsys.readouterr().out == f"The page: {page.resolve()}\n"
        assert len(data_of(page)["pairs"]) == 4


def test_the_command_refuses_in_a_sentence(here, model):
    taken = here / "taken.html"
    taken.write_text("mine", encoding="utf-8")
    shutil.copytree(model.path, here / "net")
    card = json.loads((here / "net" / "model.json").read_text(encoding="utf-8"))
    (here / "net" / "model.json").write_text(json.dumps({**card, "kind": "net"}), encoding="utf-8")
    for arguments, error, said in (
        (("model", "pictures", "--out", "taken.html"), UsageError, "there already"),
        (("model", "pictures", "--out", "page.png"), UsageError, "page.png.html"),
        ((str(model.path), "pictures"), PicturesError, "at most 20"),
        (("net", "pictures"), ModelError, "draws no pictures"),
        (("nowhere", "pictures"), ModelError, "no run or model folder"),
    ):
        with pytest.raises(GanforgeError, match=said) as raised:
            run(*arguments)
        assert raised.type is error
    assert taken.read_text(encoding="utf-8") == "mine"
    assert not list(here.glob("turing*.html"))
