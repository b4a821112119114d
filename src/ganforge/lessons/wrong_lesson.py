"""`ganforge learn wrong [MODEL]`: what goes wrong, shown on our own models and counted on avatars.

Goodfellow's talk shows pictures with too many eyes, textures without a shape, and the same picture again and again. Here
a spotter counts the eyes of avatars, and a measure of distance finds the repeats.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from pydantic import Field

from ganforge.avatars import avatar_seed, draw, sample_record
from ganforge.drawing.figures import CRITIC, FORGER, HELD_OUT, bare, figure, save_figure
from ganforge.drawing.grids import Pictures, grid, save_png
from ganforge.lessons.comic import Panel, save_story
from ganforge.lessons.eyes import Spot, find_eyes, learn_to_count
from ganforge.lessons.lesson import Lesson, Played, Settings, Variant
from ganforge.measures.diversity import distinct, relative_spread
from ganforge.model import load
from ganforge.progress import Progress
from ganforge.training import start
from ganforge.training.folder import Event

COUNT = 256
SIDE = 64
SEED = 5000
FRESH = 72
"""Seed of the collection of real avatars that are counted beside."""
PICTURES = "avatars:3000"
YOUNG_MINUTES, HURRIED_MINUTES = 1.0, 0.4
HURRIED = {"batch_size": "16", "learning_rate": "0.004"}
"""A learning rate twenty times too high."""
NAMES = {"real": "real avatars", "young": "after one minute", "hurried": "learning rate × 20", "yours": "your model"}
COLOURS = {"real": CRITIC, "young": FORGER, "hurried": HELD_OUT, "yours": FORGER}
MOST_EYES = 4


@dataclass(frozen=True)
class Counted:
    """A set of pictures with what was counted on it.

    Attributes:
        pictures: (N, H, W, 3).
        eyes: where they were found, picture by picture.
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
        return [counts.count(k) / len(counts) for k in range(MOST_EYES + 1)]


class WrongSettings(Settings):
    """``ganforge learn wrong MODEL --set seed=7``."""

    model: str = Field(description="a model of avatars to count on")
    seed: int = Field(SEED, ge=0, lt=2**63, description="of the first picture")


def play_lesson(folder: Path, progress: Progress) -> Played:
    """Train a young model and a hurried one, and count."""
    made = {
        "young": _trained(folder / "young", YOUNG_MINUTES, {"batch_size": "16"}, progress),
        "hurried": _trained(folder / "hurried", HURRIED_MINUTES, HURRIED, progress),
    }
    counted = count(made, SIDE, progress)
    _draw(folder, counted)
    _draw_story(folder, counted)
    values: dict[str, str] = {}
    for name, one in counted.items():
        none, single, two, *many = one.shares
        values |= {
            f"{name}_none": _percent(none),
            f"{name}_one": _percent(single),
            f"{name}_two": _percent(two),
            f"{name}_many": _percent(sum(many)),
            f"{name}_distinct": str(one.distinct),
            f"{name}_spread": f"{one.spread:.2f}",
        }
    return Played(values, _told(counted))


def play_variant(settings: WrongSettings, folder: Path, progress: Progress) -> Played:
    """Count on the user's own model."""
    model = load(settings.model)
    samples = model.sample(COUNT, settings.seed, progress=progress).pictures
    side = min(samples.shape[1:3])
    top, left = ((length - side) // 2 for length in samples.shape[1:3])
    counted = count({"yours": samples[:, top : top + side, left : left + side]}, side, progress)
    _draw(folder, counted)
    note = "Eyes are counted as on avatars; on other pictures the count means nothing."
    return Played(told=(*_told(counted), note))


def count(made: dict[str, Pictures], side: int, progress: Progress) -> dict[str, Counted]:
    """Count on real avatars and on each of the generated sets."""
    net = learn_to_count(side, progress)
    real = []
    for i in range(COUNT):
        seed = avatar_seed(FRESH, i)
        real.append(draw(sample_record(seed), seed, side))
        progress("drawing real avatars", i + 1, COUNT)
    sets = {"real": np.stack(real), **made}
    return {
        name: Counted(
            pictures,
            find_eyes(net, pictures),
            distinct(pictures, sets["real"]),
            relative_spread(pictures, sets["real"]),
        )
        for name, pictures in sets.items()
    }


def _trained(folder: Path, minutes: float, settings: dict[str, str], progress: Progress) -> Pictures:
    def show(event: Event) -> None:
        if event["event"] == "tick":
            progress(f"training for {60 * minutes:.0f} seconds", int(1000 * event["fraction"]), 1000)

    run = start.train(
        PICTURES, minutes=minutes, size=SIDE, settings=settings, out=folder, observers=[show], progress=progress
    )
    return load(run.path).sample(COUNT, SEED).pictures


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _told(counted: dict[str, Counted]) -> tuple[str, ...]:
    rows = [f"{'':22} eyes: 0    1    2    3   4+   distinct of {COUNT}"]
    for name, one in counted.items():
        shares = " ".join(f"{100 * share:3.0f}%" for share in one.shares)
        rows.append(f"{NAMES[name]:22}    {shares}   {one.distinct}")
    return tuple(rows)


# --- drawings ---------------------------------------------------------------------------------------------------------


def marked(picture: Pictures, spots: list[Spot], scale: int = 3) -> Pictures:
    """A picture with a ring around each eye that was found."""
    height, width = picture.shape[:2]
    canvas = Image.fromarray(picture).resize((width * scale, height * scale), Image.Resampling.LANCZOS)
    pen = ImageDraw.Draw(canvas)
    for x, y in spots:
        reach = 0.075 * width * scale
        box = (x * scale - reach, y * scale - reach, x * scale + reach, y * scale + reach)
        pen.ellipse(box, outline=(213, 94, 0), width=max(2, scale))
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
        first = np.stack([marked(one.pictures[i], one.eyes[i], 2) for i in range(24)])
        save_png(grid(first, columns=8), folder / f"{name}.png")
        if name == "real":
            continue
        for what, least, most in (("none", 0, 0), ("many", 3, 99)):
            save_png(grid(_some(one, least, most, 8), columns=8), folder / f"{name}-{what}.png")


def _draw_story(folder: Path, counted: dict[str, Counted]) -> None:
    young, hurried = counted["young"], counted["hurried"]

    def one_with(one: Counted, eyes: range) -> Pictures:
        fits = [i for i, spots in enumerate(one.eyes) if len(spots) in eyes]
        picture: Pictures = one.pictures[fits[0] if fits else 0]
        return picture

    real = counted["real"].pictures
    panels = (
        Panel([real[0], real[1], real[2]]),
        Panel([one_with(young, range(3, 99))], forger=0.8, appraiser=-0.5, verdict=0.1),
        Panel([_some(young, 3, 99, 1)[0]], appraiser=-0.2),
        Panel([one_with(young, range(1))], forger=0.5, appraiser=-0.5, verdict=0.2),
        Panel([hurried.pictures[0], hurried.pictures[1], hurried.pictures[2]], forger=0.9),
        Panel([one_with(young, range(2, 3))], forger=0.9, appraiser=0.2, verdict=0.45),
    )
    save_story(folder, panels)


LESSON = Lesson(
    "wrong", "what goes wrong: eyes, textures without shape and repeats, counted", play_lesson,
    Variant(WrongSettings, play_variant), constants=lambda: {"count": str(COUNT)},
)  # fmt: skip
