"""Spoilt avatars for the net of the offline features: python scripts/offline_pictures.py FOLDER [COUNT]

Half of the avatars are as drawn; the others are blurred, noisy, compressed, or two of these. A table says what each
carries and how it was spoilt (five levels), so that a classifier learns both: what is shown, and how well.
"""

import csv
import io
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from ganforge.pictures import PackOptions, make_pack

SIDE, CLEAN, LEVELS, SEED = 64, 0.5, 5, 1
RANGES = {"blur": (0.3, 4.0), "noise": (2.0, 90.0), "jpeg": (80.0, 3.0)}
"""Mildest and strongest: pixels of a Gaussian's deviation, grey levels of the noise's, JPEG quality."""

Picture = npt.NDArray[np.uint8]


def spoilt(picture: Picture, kind: str, strength: float, random: np.random.Generator) -> Picture:
    """(H, W, 3) → the same, spoilt; strength 0 … 1, even in the logarithm."""
    mildest, strongest = RANGES[kind]
    value = float(np.exp(np.log(mildest) + strength * (np.log(strongest) - np.log(mildest))))
    if kind == "noise":
        return np.clip(picture + random.normal(0, value, picture.shape), 0, 255).astype(np.uint8)
    image = Image.fromarray(picture)
    if kind == "blur":
        return np.asarray(image.filter(ImageFilter.GaussianBlur(value)))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=round(value))
    return np.asarray(Image.open(buffer).convert("RGB"))


def main() -> None:
    """Draw, spoil, write."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
    pack = make_pack(f"avatars:{count}", PackOptions(height=SIDE, width=SIDE))
    random = np.random.default_rng(SEED)
    folder.mkdir(parents=True)
    with (folder / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, ["file_name", *pack.schema.names, *RANGES])
        table.writeheader()
        for i in range(count):
            picture, said = np.array(pack.pictures[i]), dict.fromkeys(RANGES, "none")
            if random.random() > CLEAN:
                for kind in random.permutation(list(RANGES))[: random.integers(1, 3)]:
                    strength = random.random()
                    picture = spoilt(picture, str(kind), strength, random)
                    said[str(kind)] = f"level{int(strength * LEVELS)}"
            Image.fromarray(picture).save(folder / f"{i:05}.png")
            table.writerow({"file_name": f"{i:05}.png", **pack.schema.decode(pack.table[i]), **said})


if __name__ == "__main__":
    main()
