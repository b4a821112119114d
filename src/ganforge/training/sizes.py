"""How large the pictures are to be."""

import math
import re

import numpy as np
import numpy.typing as npt

from ganforge.errors import UsageError
from ganforge.game import Recipe
from ganforge.machine import best_device
from ganforge.pictures.prepare import Preparation, prepared
from ganforge.pictures.readers import find_collection
from ganforge.progress import silent
from ganforge.training.budget import Budget

Sides = npt.NDArray[np.float64]

SIDES = (32, 64, 128)
LOOKED_AT = 64
"""Pictures whose sizes are read for the default."""

MINUTES_WANTED = {"cpu": {64: 4.0, 128: 120.0}, "accelerator": {64: 0.0, 128: 8.0}}
IMAGES_WANTED = {64: 20_000, 128: 500_000}
"""What a side is worth choosing for: below, the smaller one gives the better pictures."""

ALIKE, MOST_OF_THEM = 0.05, 0.8
"""Pictures are trained in their own proportions where that share of them has the same ones, give or take so much."""
AS_GOOD_AS_SQUARE, LONGEST = 1.1, 4.0
"""Longer over shorter side up to which a square is taken, and at most."""
STEP = 8
"""Pixels: the longer side is a multiple."""


def parse_size(size: int | str | tuple[int, int] | None) -> tuple[int, int] | None:
    """``64``, ``"64"``, ``"96x64"`` (WxH, as people write it) or (height, width) → (height, width). Raises UsageError."""
    if size is None:
        return None
    if isinstance(size, tuple):
        if len(size) != 2 or not all(isinstance(side, int) for side in size):
            raise UsageError(f"A size is (height, width) in whole pixels, not {size!r}.")
        size = f"{size[1]}x{size[0]}"
    match = re.fullmatch(r"\s*(\d+)\s*(?:[x×X*]\s*(\d+)\s*)?", str(size))
    if match is None:
        raise UsageError(f"A size is the side of a square (64) or WxH (96x64), not {size!r}.")
    width = int(match[1])
    height = int(match[2] or width)
    if not (8 <= width <= 1024 and 8 <= height <= 1024):
        raise UsageError(f"A size lies between 8 and 1024 pixels, not {size!r}.")
    return height, width


def choose_size(
    recipe: Recipe, asked: tuple[int, int] | None, pictures: str, budget: Budget, crop: str | None = None
) -> tuple[int, int, str]:
    """(height, width, a sentence that says why); ``crop`` is the one that pictures are known by, where it is not the default.

    Raises:
        UsageError: another size than the recipe is made for.
        PicturesError: nothing there.
    """
    if recipe.size is not None:
        height, width = recipe.size
        if asked not in (None, recipe.size):
            raise UsageError(
                f"The recipe {recipe.name} is made for {width}x{height}; leave --size away, or take another recipe "
                f"(--recipe style takes any size)."
            )
        return height, width, f"{width}x{height}: what the recipe {recipe.name} is made for."
    if asked is not None:
        return *asked, ""
    widths, heights = looked_at(pictures, crop)
    height, width = in_proportion(max(SIDES), widths, heights)
    side, why = _largest(_median_shorter(widths, heights), budget, max(height, width) / max(SIDES))
    height, width = in_proportion(side, widths, heights)
    if height != width:
        longer = "wide as high" if width > height else "high as wide"
        why += (
            f" Most are about {max(width, height) / side:.2g} times as {longer}; --size {side} crops them to squares."
        )
    return height, width, f"{width}x{height}: {why} --size chooses another."


def in_proportion(side: int, widths: Sides, heights: Sides) -> tuple[int, int]:
    """(height, width) with a shorter side of that many pixels, in the proportions that most pictures share, else square."""
    ratios = np.log(widths / heights)
    middle = float(np.median(ratios)) if len(ratios) else 0.0
    longer = math.exp(min(abs(middle), math.log(LONGEST)))
    if longer <= AS_GOOD_AS_SQUARE or np.mean(np.abs(ratios - middle) <= ALIKE) < MOST_OF_THEM:
        return side, side
    long = STEP * round(side * longer / STEP)
    return (side, long) if middle > 0 else (long, side)


def _largest(there: float, budget: Budget, longer: float) -> tuple[int, str]:
    """The shorter side, for pictures that are so many times as long."""
    kind = "cpu" if best_device().type == "cpu" else "accelerator"
    wanted: dict[int, float] = dict(IMAGES_WANTED) if budget.seconds is None else dict(MINUTES_WANTED[kind])
    given = budget.images if budget.seconds is None else budget.seconds / 60
    affordable = max(s for s in SIDES if (given or 0) >= longer * wanted.get(s, 0))
    visible = max((s for s in SIDES if there >= s), default=SIDES[0])
    if visible <= affordable:
        return (
            visible,
            f"the largest of 32, 64 and 128 that the pictures have pixels for (half of them have {there:.0f} or more).",
        )
    return affordable, f"the largest of 32, 64 and 128 that {budget} allow on this machine."


def median_side(pictures: str) -> float:
    """Of the shorter sides of a collection's pictures, in pixels."""
    return _median_shorter(*looked_at(pictures))


def _median_shorter(widths: Sides, heights: Sides) -> float:
    return float(np.median(np.minimum(widths, heights))) if len(widths) else float(SIDES[0])


def looked_at(pictures: str, crop: str | None = None) -> tuple[Sides, Sides]:
    """Widths and heights of some of a collection's pictures, in pixels, as they are used: avatars are drawn at any size, and
    where a collection is known by a crop, that is what counts.
    """
    collection = find_collection(pictures)
    if collection.layout == "avatars":
        return np.full(1, float(max(SIDES))), np.full(1, float(max(SIDES)))
    looked = np.linspace(0, len(collection) - 1, min(LOOKED_AT, len(collection))).astype(int).tolist()
    facts = [
        picture.facts
        for picture in prepared(Preparation(collection.pictures, (32, 32)), looked, 1, "looking", silent)
        if picture.facts is not None
    ]
    sides = np.array([(f.width, f.height) for f in facts], float).reshape(-1, 2)
    if collection.crops:
        default, *_ = collection.crops.values()
        used = collection.crops.get(crop, default) if crop else default
        sides = np.tile(np.array([used], float), (len(sides), 1))
    return sides[:, 0], sides[:, 1]
