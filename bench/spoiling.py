"""Five ways to spoil a collection of pictures, at five strengths each: what a score of pictures must put in order.

Shapes: N pictures, uint8 (N, H, W, 3); lengths in pixels of a 64 px picture, so that spoilt CIFAR looks like spoilt faces.
"""

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

Pictures = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]

BLUR_PX = (0.4, 0.7, 1.1, 1.8, 3.0)
NOISE_LEVELS = (4.0, 9.0, 18.0, 36.0, 72.0)
JPEG_QUALITY = (60, 30, 15, 8, 4)
CLASSES_DROPPED = (0.15, 0.35, 0.55, 0.75, 0.9)
PICTURES_LEFT = (0.5, 0.2, 0.08, 0.03, 0.01)
KINDS = ("blur", "noise", "JPEG", "dropped classes", "collapse")
STRENGTHS = range(5)


def _each(pictures: Pictures, change: Callable[[Image.Image], Image.Image]) -> Pictures:
    return np.stack([np.asarray(change(Image.fromarray(p))) for p in pictures])


def blurred(pictures: Pictures, strength: int) -> Pictures:
    """A Gaussian of BLUR_PX."""
    radius = BLUR_PX[strength] * pictures.shape[1] / 64
    return _each(pictures, lambda image: image.filter(ImageFilter.GaussianBlur(radius)))


def noisy(pictures: Pictures, strength: int) -> Pictures:
    """White noise of NOISE_LEVELS grey levels' standard deviation."""
    noise = np.random.default_rng(strength).normal(0, NOISE_LEVELS[strength], pictures.shape)
    return np.clip(np.round(pictures + noise), 0, 255).astype(np.uint8)


def compressed(pictures: Pictures, strength: int) -> Pictures:
    """Written as JPEG of JPEG_QUALITY and read again."""

    def change(image: Image.Image) -> Image.Image:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=JPEG_QUALITY[strength])
        return Image.open(buffer).convert("RGB")

    return _each(pictures, change)


def without_classes(classes: Indices, count: int, strength: int) -> Indices:
    """Which pictures to take: ``count`` of a share of the classes; again and again where too few are left.

    What is dropped at one strength is dropped at all stronger ones.
    """
    rng = np.random.default_rng(0)
    names = rng.permutation(np.unique(classes))
    kept = names[: max(1, round(len(names) * (1 - CLASSES_DROPPED[strength])))]
    order = rng.permutation(len(classes))
    return _repeated(order[np.isin(classes[order], kept)], count)


def collapsed(total: int, count: int, strength: int) -> Indices:
    """Which pictures to take: ``count``, of which only the share PICTURES_LEFT differ; those left at one strength are among
    those left at weaker ones."""
    return _repeated(
        np.random.default_rng(0).permutation(total)[: max(1, round(count * PICTURES_LEFT[strength]))], count
    )


def _repeated(indices: Indices, count: int) -> Indices:
    return np.resize(indices, count)


SPOIL = {"blur": blurred, "noise": noisy, "JPEG": compressed}
"""Those that change pixels."""
