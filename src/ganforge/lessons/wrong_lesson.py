"""`ganforge learn wrong [MODEL]`: what goes wrong, shown on our own models and counted on avatars.

Goodfellow's talk shows pictures with too many eyes, textures without a shape, and the same picture again and again. Here
a spotter counts the eyes of avatars' faces, and a measure of distance finds the repeats.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from pydantic import Field

from ganforge.avatars import SMALLEST, avatar_seed
from ganforge.drawing.figures import CRITIC, FAINT_INK, FORGER, bare, figure, save_figure
from ganforge.drawing.grids import Pictures, grid, save_png
from ganforge.errors import UsageError
from ganforge.lessons.asleep import practise
from ganforge.lessons.comic import Panel, save_story
from ganforge.lessons.eyes import Spot, View, eyes_of, find_eyes, learn_to_count
from ganforge.lessons.lesson import Lesson, Played, Settings, Variant, percent
from ganforge.lessons.little import SIDE, train_little, write_close_ups
from ganforge.measures.diversity import distinct, relative_spread
from ganforge.model import load
from ganforge.progress import Progress

COUNT = 256
SEED = 5000
FACES, COLLECTION, FRESH = 2500, 70, 72
"""Faces to train on, the seed of their collection, and that of the real ones which are counted beside."""
BEGINNER_MINUTES, YOUNG_MINUTES = 0.2, 1.0
MOMENTS = (0, 30, 60, 100, 200, 400)
"""Steps of practice against a critic asleep at which the forger's pictures are kept."""
LARGEST = 64
"""Pixels; larger pictures are counted on at that size."""
NAMES = {
    "real": "real faces",
    "beginner": "after 12 seconds",
    "young": "after a minute",
    "asleep": "critic asleep",
    "yours": "your model",
}
COLOURS = {"real": CRITIC, "beginner": FAINT_INK, "young": FORGER, "yours": FORGER}
MOST_EYES = 4


@dataclass(frozen=True)
class Counted:
    """A set of pictures with what was counted on it.

    Attributes:
        pictures: (N, H, W, 3).
        eyes: where they were found, picture by picture; empty where nothing that is drawn has any.
        distinct: how many are left when repeats are put aside.
        spread: how different pictures are, as a share of real ones' differences.
    """

    pictures: Pictures
    eyes: list[list[Spot]]
    distinct: int
    spread: float

    @property
    def shares(self) -> list[float]:
        """Share of pictures with no eye, one, two, three, four or more."""
        counts = [min(len(spots), MOST_EYES) for spots in self.eyes]
        return [counts.count(k) / len(counts) for k in range(MOST_EYES + 1)] if counts else []


class WrongSettings(Settings):
    """``ganforge learn wrong MODEL --set seed=7``."""

    model: str = Field(description="a model of avatars to count on")
    seed: int = Field(SEED, ge=0, lt=2**63, description="of the first picture")


def play_lesson(folder: Path, progress: Progress) -> Played:
    """Train a beginner and a young model, let the young one practise against a critic asleep, and count."""
    faces = folder / "faces"
    write_close_ups(faces, COLLECTION, FACES, progress)
    beginner = train_little(faces, BEGINNER_MINUTES, folder / "beginner", "training for 12 seconds", progress)
    young = train_little(faces, YOUNG_MINUTES, folder / "young", "training for a minute", progress)
    view = View(SIDE, close=True)
    real, truth = draw_real(view, progress)
    practised = practise(
        young, torch.from_numpy(real).permute(0, 3, 1, 2).float() / 127.5 - 1, MOMENTS, COUNT, SEED, progress
    )
    made = {name: model.sample(COUNT, SEED).pictures for name, model in (("beginner", beginner), ("young", young))}
    counted = count({"real": real, **made, "asleep": practised[-1]}, view, progress)
    _draw(folder, counted)
    save_png(grid(np.concatenate([enlarged(one[:12], 2) for one in practised]), columns=12), folder / "practice.png")
    _draw_story(folder, counted)
    agreed = float(np.mean([len(a) == b for a, b in zip(counted["real"].eyes, truth, strict=True)]))
    values = {"lost": str(MOMENTS[-1]), "moments": ", ".join(map(str, MOMENTS)), "agreed": percent(agreed)}
    for name, one in counted.items():
        values |= {f"{name}_distinct": str(one.distinct), f"{name}_spread": f"{one.spread:.2f}"}
        if one.shares:
            none, single, two, *many = one.shares
            values |= {
                f"{name}_none": percent(none),
                f"{name}_one": percent(single),
                f"{name}_two": percent(two),
                f"{name}_many": percent(sum(many)),
            }
    return Played(values, _told(counted))


def play_variant(settings: WrongSettings, folder: Path, progress: Progress) -> Played:
    """Count on the user's own model.

    Raises:
        UsageError: of pictures smaller than avatars can be drawn.
    """
    model = load(settings.model)
    samples = model.sample(COUNT, settings.seed, progress=progress).pictures
    side = min(samples.shape[1:3])
    if side < SMALLEST:
        raise UsageError(f"Eyes are counted on pictures of at least {SMALLEST} pixels; this model's have {side}.")
    top, left = ((length - side) // 2 for length in samples.shape[1:3])
    samples = samples[:, top : top + side, left : left + side]
    view = View(min(side, LARGEST))
    if side > LARGEST:
        small = (Image.fromarray(one).resize((LARGEST, LARGEST), Image.Resampling.BOX) for one in samples)
        samples = np.stack([np.asarray(one) for one in small])
    counted = count({"real": draw_real(view, progress)[0], "yours": samples}, view, progress)
    _draw(folder, counted)
    note = "Eyes are counted as on avatars; on other pictures the count means nothing."
    return Played(told=(*_told(counted), note))


def draw_real(view: View, progress: Progress) -> tuple[Pictures, list[int]]:
    """Avatars that no model and no counting net has seen, (N, side, side, 3), and how many eyes each has."""
    drawn, eyes = [], []
    for i in range(COUNT):
        picture, spots = eyes_of(avatar_seed(FRESH, i), view)
        drawn.append(picture)
        eyes.append(len(spots))
        progress("drawing real avatars", i + 1, COUNT)
    return np.stack(drawn), eyes


def count(sets: dict[str, Pictures], view: View, progress: Progress) -> dict[str, Counted]:
    """Count on real avatars, the first, and on each of the generated sets."""
    net = learn_to_count(view, progress)
    return {
        name: Counted(
            pictures,
            [] if name == "asleep" else find_eyes(net, pictures, view),
            distinct(pictures, sets["real"]),
            relative_spread(pictures, sets["real"]),
        )
        for name, pictures in sets.items()
    }


def _told(counted: dict[str, Counted]) -> tuple[str, ...]:
    rows = [f"{'':22} eyes: 0    1    2    3   4+   distinct of {COUNT}"]
    for name, one in counted.items():
        shares = " ".join(f"{100 * share:3.0f}%" for share in one.shares) or "   –" * (MOST_EYES + 1)
        rows.append(f"{NAMES[name]:22}    {shares}   {one.distinct}")
    return tuple(rows)


# --- drawings ---------------------------------------------------------------------------------------------------------


def enlarged(pictures: Pictures, scale: int) -> Pictures:
    """(N, H, W, 3) → (N, scale·H, scale·W, 3), pixel by pixel."""
    return pictures.repeat(scale, 1).repeat(scale, 2)


def marked(picture: Pictures, spots: list[Spot], width: int = 128) -> Pictures:
    """A picture, enlarged to about ``width`` pixels, with a ring around each eye that was found."""
    scale = max(1, round(width / picture.shape[1]))
    canvas = Image.fromarray(enlarged(picture[None], scale)[0])
    pen = ImageDraw.Draw(canvas)
    reach = 0.1 * width
    for x, y in spots:
        box = (x * scale - reach, y * scale - reach, x * scale + reach, y * scale + reach)
        pen.ellipse(box, outline=(213, 94, 0), width=3)
    drawn: Pictures = np.asarray(canvas)
    return drawn


def _some(one: Counted, least: int, most: int, n: int) -> Pictures:
    """n marked pictures with so many eyes, the first that come, not picked; grey squares where there are no more."""
    chosen = [i for i, spots in enumerate(one.eyes) if least <= len(spots) <= most][:n]
    made = [marked(one.pictures[i], one.eyes[i]) for i in chosen]
    blank = np.full_like(marked(one.pictures[0], []), 235)
    return np.stack(made + [blank] * (n - len(made)))


def _draw(folder: Path, counted: dict[str, Counted]) -> None:
    """eyes.png (the shares), and sheets of what was found."""
    counted = {name: one for name, one in counted.items() if one.eyes}
    with figure(8.4, 3) as made:
        axes = made.subplots()
        bare(axes)
        width = 0.8 / len(counted)
        for k, (name, one) in enumerate(counted.items()):
            places = np.arange(MOST_EYES + 1) + (k - (len(counted) - 1) / 2) * width
            axes.bar(places, [100 * share for share in one.shares], width, color=COLOURS[name], label=NAMES[name])
        axes.set_xticks(range(MOST_EYES + 1), ["0", "1", "2", "3", "4+"])
        axes.set(xlabel="eyes", ylabel="% of pictures")
        axes.legend(frameon=False)
        save_figure(made, folder / "eyes.png")
    for name, one in counted.items():
        first = np.stack([marked(one.pictures[i], one.eyes[i], 96) for i in range(24)])
        save_png(grid(first, columns=8), folder / f"{name}.png")
        if name in ("young", "yours"):
            save_png(grid(_some(one, 3, 99, 8), columns=8), folder / f"{name}-many.png")


def _draw_story(folder: Path, counted: dict[str, Counted]) -> None:
    def with_eyes(name: str, least: int, most: int) -> Pictures:
        one = counted[name]
        fits = [i for i, spots in enumerate(one.eyes) if least <= len(spots) <= most]
        picture: Pictures = one.pictures[fits[0] if fits else 0]
        return picture

    real, asleep = counted["real"].pictures, counted["asleep"].pictures
    panels = (
        Panel([real[0], real[1], real[2]]),
        Panel([with_eyes("beginner", 0, 0)], forger=0.5, appraiser=-0.5, verdict=0.1),
        Panel([with_eyes("young", 3, 99)], forger=0.8, appraiser=-0.2),
        Panel([_some(counted["young"], 3, 99, 1)[0]], appraiser=-0.5, verdict=0.2),
        Panel([asleep[0], asleep[1], asleep[2]], forger=0.9),
        Panel([with_eyes("young", 2, 2)], forger=0.9, appraiser=0.2, verdict=0.45),
    )
    save_story(folder, panels)


LESSON = Lesson(
    "wrong", "what goes wrong: eyes, textures without shape and repeats, counted", play_lesson,
    Variant(WrongSettings, play_variant), constants=lambda: {"count": str(COUNT)},
)  # fmt: skip
