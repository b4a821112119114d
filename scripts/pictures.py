"""Draw the pictures of the README: ``python scripts/pictures.py [RUN]``, RUN being what ``ganforge demo`` left behind."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import ganforge
from ganforge.avatars import avatar_seed, draw, sample_record
from ganforge.drawing.clips import write_clip
from ganforge.drawing.grids import grid, save_png
from ganforge.drawing.timelapse import stored_frames

IMAGES = Path(__file__).parent.parent / "docs" / "images"
ROWS, COLUMNS, SIDE = 3, 10, 96
MADE, FIRST_SEED = 40, 1000
GROWN, FRAMES = 16, 24
"""Seeds and moments of the time-lapse: every clone carries it."""


def main() -> None:
    """avatars.png, and with a run demo.png and timelapse.gif."""
    avatars()
    if len(sys.argv) > 1:
        made(ganforge.Run(sys.argv[1]))


def avatars() -> None:
    """The first avatars of seed 0, as they come."""
    seeds = [avatar_seed(0, index) for index in range(ROWS * COLUMNS)]
    path = IMAGES / "avatars.png"
    save_png(grid(np.stack([draw(sample_record(seed), seed, SIDE) for seed in seeds]), columns=COLUMNS), path)
    with Image.open(path) as sheet:
        sheet.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def made(run: ganforge.Run) -> None:
    """Samples that nobody picked, and a few seeds from noise on."""
    samples = ganforge.load(run.path).sample(MADE, FIRST_SEED)
    save_png(grid(samples.pictures, columns=COLUMNS, scale=3), IMAGES / "demo.png")
    height, width = run.config.config["height"], run.config.config["width"]
    frames = stored_frames(run.events(), run.path, height, width, most=FRAMES)
    write_clip((grid(frame.pictures[:GROWN], columns=8, scale=2) for frame in frames), IMAGES / "timelapse.gif", 6)


if __name__ == "__main__":
    main()
