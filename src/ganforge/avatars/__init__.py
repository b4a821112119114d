"""The embedded data set: anime-style busts drawn by our own code, at any size, from a record of attributes.

    record  ── sample_record(seed) or the user's, see SCHEMA
    draw(record, seed, size)   the picture; the seed decides everything that the record leaves open
    captions(record, seed)     the same person in English, Chinese and Japanese

Nothing is downloaded, nothing has a rights problem, and every claim about a picture can be checked against its record.
"""

import numpy as np
import numpy.typing as npt

from ganforge.attributes import Record
from ganforge.avatars.captions import describe  # now: loaded later, the submodule would take the function's name
from ganforge.avatars.dice import avatar_seed
from ganforge.avatars.schema import SCHEMA, sample_record
from ganforge.errors import UsageError

RENDERER_VERSION = 2
"""Raised by one whenever the same record and seed give another picture."""

SMALLEST, LARGEST = 32, 256

__all__ = ["LARGEST", "RENDERER_VERSION", "SCHEMA", "SMALLEST", "avatar_seed", "captions", "draw", "sample_record"]


def draw(record: Record, seed: int, size: int = 64) -> npt.NDArray[np.uint8]:
    """Draw the bust of a record.

    Args:
        record: attributes of `SCHEMA`; what is left out or None is filled in from ``sample_record(seed)``.
        seed: 64 bits that decide proportions, placement, line, light and everything else the record leaves open.
        size: side of the picture in pixels, 32 … 256.

    Returns:
        (size, size, 3) uint8, sRGB. The same on every call on one machine; other machines may round differently.

    Raises:
        UsageError: a size outside the range, an unknown attribute or value.
        MissingDependencyError: skia or a system library it needs is not installed.
    """
    if not SMALLEST <= size <= LARGEST:
        raise UsageError(f"Avatars are drawn at {SMALLEST} to {LARGEST} pixels, not {size}.")
    from ganforge.avatars.renderer import render

    return render(record, seed, size)


def captions(record: Record, seed: int) -> dict[str, str]:
    """Describe a record in "en", "zh" and "ja", one sentence each, every word of which is true of the record.

    Args:
        record: attributes of `SCHEMA`; what is left out or None is filled in from ``sample_record(seed)``.
        seed: chooses which attributes are mentioned, and the wording.

    Raises:
        UsageError: an unknown attribute or value.
    """
    return describe(record, seed)
