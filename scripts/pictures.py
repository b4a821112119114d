"""Draw the pictures of README and docs that are made by code alone: ``python scripts/pictures.py``."""

from pathlib import Path

import numpy as np
from PIL import Image

from ganforge.avatars import avatar_seed, draw, sample_record
from ganforge.drawing.grids import grid, save_png

IMAGES = Path(__file__).parent.parent / "docs" / "images"
ROWS, COLUMNS, SIDE = 3, 10, 96


def main() -> None:
    """Write docs/images/avatars.png: the first avatars of seed 0, as they come."""
    seeds = [avatar_seed(0, index) for index in range(ROWS * COLUMNS)]
    pictures = np.stack([draw(sample_record(seed), seed, SIDE) for seed in seeds])
    path = IMAGES / "avatars.png"
    save_png(grid(pictures, columns=COLUMNS), path)
    with Image.open(path) as sheet:
        sheet.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
