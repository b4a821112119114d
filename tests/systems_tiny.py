"""A tiny config of every recipe, and a collection of small pictures to train it on: what the contract tests run over."""

from pathlib import Path

import numpy as np
from PIL import Image

from ganforge.game import Config, Recipe
from ganforge.systems import configure, recipes

TINY = {
    "dcgan": {"g.widths": "16,8", "d.widths": "8,16", "z_size": "8", "batch_size": "8"},
    "dcgan64": {"g.widths": "16,8,8,8", "d.widths": "8,8,8,16", "batch_size": "8"},
    "dcgan64_pytorch": {"g.widths": "16,8,8,8", "d.widths": "8,8,8,16", "batch_size": "8"},
    "celeba28": {"g.widths": "16,8,8", "d.widths": "8,8,16", "batch_size": "8"},
    "cifar32": {"g.widths": "16,8,8", "d.widths": "8,8,16", "batch_size": "8"},
    "imagenet128": {"g.widths": "16,8,8,8,8", "d.widths": "8,8,8,8,16", "batch_size": "4"},
}


def tiny(name: str) -> tuple[Recipe, Config]:
    """A recipe and its smallest sensible config (16×16 where the recipe takes any size)."""
    recipe = recipes()[name]
    height, width = recipe.size or (16, 16)
    return recipe, configure(recipe, height, width, TINY[name])


def write_pictures(folder: Path, count: int = 80, side: int = 20, seed: int = 0) -> Path:
    """Blobs of two colours, all different."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    for i in range(count):
        centre, radius = rng.uniform(0.3, 0.7, 2), rng.uniform(0.15, 0.4)
        inside = ((y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius**2)[..., None]
        pixels = np.where(inside, rng.integers(0, 256, 3), rng.integers(0, 256, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{i:03}.png")
    return folder
