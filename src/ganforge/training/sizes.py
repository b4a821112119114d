"""How large the pictures are to be."""

import re

import numpy as np

from ganforge.errors import UsageError
from ganforge.game import Recipe
from ganforge.machine import best_device
from ganforge.pictures.prepare import Preparation, prepared
from ganforge.pictures.readers import find_collection
from ganforge.progress import silent
from ganforge.training.budget import Budget

SIDES = (32, 64, 128)
LOOKED_AT = 64
"""Pictures whose sizes are read for the default."""

MINUTES_WANTED = {"cpu": {64: 4.0, 128: 120.0}, "accelerator": {64: 0.0, 128: 8.0}}
IMAGES_WANTED = {64: 20_000, 128: 500_000}
"""What a side is worth choosing for: below, the smaller one gives the better pictures."""


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


def choose_size(recipe: Recipe, asked: tuple[int, int] | None, pictures: str, budget: Budget) -> tuple[int, int, str]:
    """(height, width, a sentence that says why).

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
    side, why = _largest(pictures, budget)
    return side, side, f"{side}x{side}: {why} --size chooses another."


def _largest(pictures: str, budget: Budget) -> tuple[int, str]:
    kind = "cpu" if best_device().type == "cpu" else "accelerator"
    wanted: dict[int, float] = dict(IMAGES_WANTED) if budget.seconds is None else dict(MINUTES_WANTED[kind])
    given = budget.images if budget.seconds is None else budget.seconds / 60
    affordable = max(s for s in SIDES if (given or 0) >= wanted.get(s, 0))
    there = median_side(pictures)
    visible = max((s for s in SIDES if there >= s), default=SIDES[0])
    if visible <= affordable:
        return (
            visible,
            f"the largest of 32, 64 and 128 that the pictures have pixels for (half of them have {there:.0f} or more).",
        )
    return affordable, f"the largest of 32, 64 and 128 that {budget} allow on this machine."


def median_side(pictures: str) -> float:
    """Of the shorter sides of a collection's pictures, in pixels; what avatars are drawn for is the largest size."""
    collection = find_collection(pictures)
    if collection.layout == "avatars":
        return float(max(SIDES))
    looked = np.linspace(0, len(collection) - 1, min(LOOKED_AT, len(collection))).astype(int).tolist()
    sides = [
        min(picture.facts.width, picture.facts.height)
        for picture in prepared(Preparation(collection.pictures, (32, 32)), looked, 1, "looking", silent)
        if picture.facts is not None
    ]
    return float(np.median(sides)) if sides else float(SIDES[0])
