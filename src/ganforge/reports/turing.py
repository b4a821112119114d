"""Be the critic yourself: a page of pairs, one picture real, one made. Which is which?

The pairs grow harder, and yet nothing is picked: eight times as many pictures as pairs are drawn, ordered by how real the
critic finds them and cut into as many equal shares as there are pairs; from each share one is taken by lot. Every drawn
picture has the same chance of 1/8, so the share of pairs that fool somebody estimates, without bias, how often pictures
of the generator fool them (a stratified sample: its spread is at most that of a plain one, so the interval is safe).
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ganforge import __version__
from ganforge.drawing.grids import Pictures
from ganforge.errors import ModelError, PicturesError, UsageError
from ganforge.files import quoted, replacing
from ganforge.measures.distances import wilson
from ganforge.model import Model
from ganforge.pictures import Pack, split_held_out
from ganforge.progress import Progress, silent
from ganforge.reports.rendering import data_uri, jpeg, png, render, template_text

MOST_PAIRS = 100
DRAWN_A_PAIR = 8
LARGEST_SIDE = 512
"""Pixels in the page; larger pictures are reduced, both of a pair alike."""

MOST_PNG_BYTES = 2_200_000
"""Above this, pairs become JPEG: with a third more for base64 the page stays below 3 MB where PNG suffices."""

JPEG_QUALITY = 92
BLOCK = 8
"""JPEG compresses squares of so many pixels: tiles are padded to whole ones, so that none bleeds into its neighbour."""


@dataclass(frozen=True)
class Pair:
    """One real picture and one made one.

    Attributes:
        real: the real picture's index in the pack.
        seed: of the made picture.
        left: what lies on the left, "real" or "made".
        verdicts: how real D finds the real one and the made one, each 0 … 1; None without a D.
    """

    real: int
    seed: int
    left: str
    verdicts: tuple[float, float] | None

    @property
    def critic(self) -> float | None:
        """1 where D finds the real one more real, 0 where the made one, ½ where it cannot tell."""
        if self.verdicts is None:
            return None
        real, made = self.verdicts
        return 0.5 if real == made else float(real > made)


@dataclass(frozen=True)
class Game:
    """The pairs in the order of play, easiest first, and their pictures.

    Attributes:
        pairs: n of them.
        strips: uint8 (n, H, 2·W, 3), both pictures of a pair side by side as they are shown.
        unseen: how many of the real pictures the model's training held out.
    """

    pairs: tuple[Pair, ...]
    strips: Pictures
    unseen: int


def write_turing_page(
    model: Model,
    pack: Pack,
    path: Path,
    *,
    pairs: int = 24,
    seed: int = 0,
    psi: float = 1.0,
    progress: Progress = silent,
) -> Path:
    """Write the page, one HTML file with everything inside, atomically; its path.

    Args:
        model: whose pictures are to be told from real ones. Without a discriminator the pairs come in random order.
        pack: real pictures of the model's size. Those that training holds out come first.
        path: of the file.
        pairs: how many, 1 … 100.
        seed: the first of 8 · pairs seeds to draw; also of every choice. The same page again, byte for byte.
        psi: truncation of the made pictures, 0 … 2.
        progress: told how many pictures are drawn.

    Raises:
        UsageError: pairs, seed, ψ, or the size of the pack's pictures.
        PicturesError: fewer pictures than pairs.
        OSError: the file cannot be written.
    """
    if not 1 <= pairs <= MOST_PAIRS:
        raise UsageError(f"A page holds 1 to {MOST_PAIRS} pairs, not {pairs}.")
    size = model.card.height, model.card.width
    if pack.size != size:
        raise UsageError(
            f"The model draws {_by(size)} pictures and the real ones are {_by(pack.size)}; pack them at the model's size."
        )
    if len(pack) < pairs:
        raise PicturesError(
            f"{pairs} pairs need {pairs} different real pictures and there are {len(pack)}. Ask for at most {len(pack)}"
            " pairs, or give a larger collection."
        )
    game = draw_game(model, pack, pairs=pairs, seed=seed, psi=psi, progress=progress)
    html = render("turing.html", **_context(model, pack, game, seed, psi))
    with replacing(path) as temporary:
        temporary.write_text(html, encoding="utf-8", newline="\n")
    return path


# --- the pairs --------------------------------------------------------------------------------------------------------


def draw_game(model: Model, pack: Pack, *, pairs: int, seed: int, psi: float, progress: Progress = silent) -> Game:
    """Draw, judge and match; arguments as `write_turing_page` has checked them."""
    rng = np.random.default_rng(seed)
    samples = model.sample(DRAWN_A_PAIR * pairs, seed, psi=psi, progress=progress)
    trained_on, _ = split_held_out(pack)
    unseen = np.setdiff1d(np.arange(len(pack)), trained_on)
    order = np.concatenate((rng.permutation(unseen), rng.permutation(trained_on)))
    # one kind at a time, in groups of like size: a D with minibatch features sees how alike its company is
    company = order[: max(pairs, min(len(unseen), DRAWN_A_PAIR * pairs))]
    told = _verdicts(model, pack.pictures[company], samples.pictures)
    from_easy = np.argsort(told[1], kind="stable") if told else rng.permutation(len(samples))
    made = from_easy.reshape(pairs, DRAWN_A_PAIR)[np.arange(pairs), rng.integers(DRAWN_A_PAIR, size=pairs)]
    real_left = rng.random(pairs) < 0.5
    chosen = tuple(
        Pair(
            real=int(company[i]),
            seed=samples.seeds[made[i]],
            left="real" if real_left[i] else "made",
            verdicts=(float(told[0][i]), float(told[1][made[i]])) if told else None,
        )
        for i in range(pairs)
    )
    left_right = np.where(
        real_left[:, None, None, None], *_both_ways(pack.pictures[company[:pairs]], samples.pictures[made])
    )
    return Game(chosen, left_right, min(len(unseen), pairs))


def _both_ways(a: Pictures, b: Pictures) -> tuple[Pictures, Pictures]:
    return np.concatenate((a, b), axis=2), np.concatenate((b, a), axis=2)


def _verdicts(model: Model, *kinds: Pictures) -> list[npt.NDArray[np.float64]] | None:
    """How real D finds each picture of each kind; None where the folder keeps no D, or a broken one."""
    try:
        told = [np.array(model.verdicts(pictures)) for pictures in kinds]
    except ModelError:
        return None
    return told if all(np.isfinite(verdicts).all() for verdicts in told) else None


# --- the page ---------------------------------------------------------------------------------------------------------


def _context(model: Model, pack: Pack, game: Game, seed: int, psi: float) -> dict[str, Any]:
    n = len(game.pairs)
    judged = game.pairs[0].verdicts is not None
    uris, size = _encoded(game.strips)
    command = ["ganforge", "sample", quoted(model.path), "-n 1", *([f"--psi {psi:g}"] if psi != 1 else []), "--seed"]
    data: dict[str, Any] = {
        "pairs": [_told(pair, uri) for pair, uri in zip(game.pairs, uris, strict=True)],
        "height": size[0],
        "width": size[1],
        "intervals": [_rounded(wilson(fooled, n)) for fooled in range(n + 1)],
        "critic": None,
        "command": command,
        "model": model.id[:6],
        "seed": seed % 2**32,
    }
    if judged:
        right = sum(pair.critic or 0 for pair in game.pairs)
        data["critic"] = {"right": right, "interval": _rounded(wilson(n - right, n))}
    data["id"] = hashlib.sha256(json.dumps(data).encode()).hexdigest()[:16]
    return {
        "version": __version__,
        "style": template_text("base.css") + template_text("turing.css"),
        "script": template_text("clipboard.js") + template_text("turing.js"),
        "n": n,
        "judged": judged,
        "model": model.id[:6],
        "system": model.card.training.recipe if model.card.training else model.card.system,
        "notes": _notes(model, pack, game, seed, psi, size),
        "data": data,
    }


def _told(pair: Pair, uri: str) -> dict[str, Any]:
    verdicts = [round(v, 4) for v in pair.verdicts] if pair.verdicts else None
    if verdicts and pair.left == "made":
        verdicts.reverse()
    return {
        "picture": uri,
        "real": 0 if pair.left == "real" else 1,
        "seed": str(pair.seed),  # JavaScript's numbers end at 2⁵³
        "verdicts": verdicts,
        "critic": pair.critic,
    }


def _notes(model: Model, pack: Pack, game: Game, seed: int, psi: float, size: tuple[int, int]) -> list[str]:
    """How the pairs came about, so that the numbers can be trusted."""
    n, card = len(game.pairs), model.card
    drawn = f"{DRAWN_A_PAIR * n:,} pictures were drawn, seeds {seed} … {seed + DRAWN_A_PAIR * n - 1}"
    drawn += f", with truncation ψ = {psi:g}" if psi != 1 else ""
    if game.pairs[0].verdicts is None:
        notes = [
            f"{drawn}, and {n} of them taken by lot. The model’s folder keeps no usable critic, so the pairs come in random"
            " order and nobody plays against you."
        ]
    else:
        notes = [
            f"{drawn}, and ordered from the ones the critic finds easiest to those it finds hardest. From each of {n} equal"
            " shares one was taken by lot: every picture had the same chance, so the fool rate of all pairs together is a"
            " fair estimate of the generator’s, unpicked. The pairs at either end alone are not.",
            "The critic’s pick is the picture it finds more real. It judged real and made ones in groups of their kind.",
        ]
    if card.data is None or card.data.digest != pack.digest:
        notes.append(
            "The model did not learn from this very collection, as it is packed here: whether it has met some of these real"
            " pictures is not known."
        )
    elif game.unseen == n:
        notes.append("The real pictures were held out: neither the generator nor the critic has learnt from them.")
    else:
        held_out = f"{game.unseen} of the {n}" if game.unseen else "None of the"
        notes.append(f"{held_out} real pictures were held out; from the others the model has learnt.")
    if size != pack.size:
        notes.append(f"Both pictures of a pair were reduced from {_by(pack.size)} to {_by(size)} pixels.")
    return notes


def _encoded(strips: Pictures) -> tuple[list[str], tuple[int, int]]:
    """Data URIs, and (height, width) of one tile in them.

    Both pictures of a pair are one file, so that neither length nor format tells the smooth one from the noisy one.
    """
    height, both = strips.shape[1:3]
    scale = min(1.0, LARGEST_SIDE / max(height, both // 2))
    height, width = max(1, round(height * scale)), max(1, round(both // 2 * scale))
    tiles = [
        [
            np.asarray(Image.fromarray(tile).resize((width, height), Image.Resampling.LANCZOS))
            for tile in np.split(strip, 2, 1)
        ]
        for strip in strips
    ]
    files = [png(np.concatenate(pair, 1)) for pair in tiles]
    kind = "image/png"
    if sum(map(len, files)) > MOST_PNG_BYTES:
        padding = ((0, -height % BLOCK), (0, -width % BLOCK), (0, 0))
        padded = [np.concatenate([np.pad(tile, padding, mode="edge") for tile in pair], 1) for pair in tiles]
        files = [jpeg(pair, JPEG_QUALITY) for pair in padded]
        kind = "image/jpeg"
    return [data_uri(file, kind) for file in files], (height, width)


def _rounded(interval: tuple[float, float]) -> list[float]:
    return [round(end, 6) for end in interval]


def _by(size: tuple[int, int]) -> str:
    return f"{size[1]}×{size[0]}"
