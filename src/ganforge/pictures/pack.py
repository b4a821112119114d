"""The pack: a collection decoded once, memory-mapped, with what is known of each picture beside the pixels.

pack.json       what is in it: shape, schema, options, notes, skipped files, the mirror verdict
pictures.u8     N×H×W×3 uint8, nothing else: memory-mapped
table.npy       N×A float32, NaN where unknown
splits.npy      N uint8
words.json      names and captions, read when first asked for
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ganforge.attributes import Schema, Table
from ganforge.errors import PicturesError
from ganforge.pictures.collection import Pixels, Skipped, Splits
from ganforge.pictures.decode import Colour
from ganforge.pictures.mirror import MirrorVerdict

FORMAT = 1
"""Counts up whenever a pack made by older code would differ; older packs are then made anew."""

SATURATED_IN = 100
"""Pictures that are looked at for black and white, one by one: of 1024×1024 they would be 300 MB together."""


class PackOptions(BaseModel):
    """How pictures become pixels.

    Attributes:
        height: of every picture of the pack, in pixels.
        width: likewise.
        background: "white", "black" or "#rrggbb": what shows through transparency and fills the padding.
        fit: "crop" cuts the longer sides of pictures of other proportions, "pad" adds background to the shorter ones.
        keep_copies: keep pictures that look exactly like an earlier one: for pictures that somebody made, not to learn from.
        celeba_crop: the centre cut out of CelebA's 178×218 pictures: "178" (all of the width) or "108" (the face).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    height: int = Field(default=64, ge=8, le=1024)
    width: int = Field(default=64, ge=8, le=1024)
    background: str = "white"
    fit: Literal["crop", "pad"] = "crop"
    celeba_crop: Literal["108", "178"] = "178"
    keep_copies: bool = False

    @field_validator("background")
    @classmethod
    def _known_colour(cls, value: str) -> str:
        parse_colour(value)
        return value

    @property
    def key(self) -> str:
        """What a pack is found again by."""
        return self.model_dump_json(exclude=None if self.keep_copies else {"keep_copies"})

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.height, self.width

    @property
    def background_rgb(self) -> Colour:
        """The background as three numbers 0 … 255."""
        return parse_colour(self.background)


def parse_colour(text: str) -> Colour:
    """ "white", "black" or "#rrggbb" → three numbers 0 … 255. Raises ValueError."""
    word = {"white": "#ffffff", "black": "#000000"}.get(text.strip().lower(), text.strip())
    try:
        if len(word) != 7 or word[0] != "#":
            raise ValueError
        return int(word[1:3], 16), int(word[3:5], 16), int(word[5:7], 16)
    except ValueError:
        raise ValueError(f'a background is "white", "black" or "#rrggbb", not {text!r}') from None


class PackFile(BaseModel):
    """``pack.json``."""

    model_config = ConfigDict(extra="forbid")

    format: int
    digest: str
    layout: str
    count: int
    height: int
    width: int
    options: PackOptions
    attribute_schema: Schema
    captioned: int
    skipped: list[tuple[str, str]]
    duplicates: list[str]
    notes: list[str]
    flip: bool
    flip_share: float | None
    flip_reason: str


@dataclass(frozen=True)
class Pack:
    """N pictures of one size, ready for training. Made by `make_pack`, opened by `open_pack`."""

    path: Path
    about: PackFile

    def __len__(self) -> int:
        return self.about.count

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "about": self.about}  # the memory map is opened again where it is needed

    @property
    def digest(self) -> str:
        """A hash of the pictures, what is known of them, and the options."""
        return self.about.digest

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.about.height, self.about.width

    @cached_property
    def pictures(self) -> Pixels:
        """Memory-mapped uint8 (N, H, W, 3)."""
        shape = (self.about.count, self.about.height, self.about.width, 3)
        return np.memmap(self.path / "pictures.u8", dtype=np.uint8, mode="r", shape=shape)

    @cached_property
    def saturated(self) -> float:
        """Share of values that are exactly 0 or 255, in up to 100 pictures from all over the collection."""
        some = np.linspace(0, len(self) - 1, min(SATURATED_IN, len(self))).astype(int)
        looked = (self.pictures[i] for i in some)
        return float(np.mean([((picture == 0) | (picture == 255)).mean() for picture in looked]))

    @property
    def schema(self) -> Schema:
        """The attributes; the columns of `table`."""
        return self.about.attribute_schema

    @cached_property
    def table(self) -> Table:
        """(N, A) float32 in the schema's encoding, NaN where unknown."""
        table: npt.NDArray[np.float32] = np.load(self.path / "table.npy", allow_pickle=False)
        return table

    @cached_property
    def splits(self) -> Splits:
        """(N,) uint8: 0 train, 1 validation, 2 test, 255 unknown."""
        splits: npt.NDArray[np.uint8] = np.load(self.path / "splits.npy", allow_pickle=False)
        return splits

    @cached_property
    def _words(self) -> dict[str, Any]:
        words: dict[str, Any] = json.loads((self.path / "words.json").read_text(encoding="utf-8"))
        return words

    def name(self, index: int) -> str:
        """What picture ``index`` is called in its collection."""
        return str(self._words["names"][index])

    def captions(self, index: int) -> tuple[str, ...]:
        """The captions of picture ``index``, in any language; often none."""
        captions = self._words["captions"]
        return tuple(captions[index]) if captions else ()

    @property
    def captioned(self) -> int:
        """How many pictures have a caption."""
        return self.about.captioned

    @property
    def skipped(self) -> list[Skipped]:
        """Files that are not in the pack, and why."""
        return [Skipped(name, reason) for name, reason in self.about.skipped]

    @property
    def duplicates(self) -> list[str]:
        """Names of pictures left out because the same picture is there under another name."""
        return self.about.duplicates

    @property
    def notes(self) -> list[str]:
        """Sentences for the user on what was done to the pictures."""
        return self.about.notes

    @property
    def mirror(self) -> MirrorVerdict:
        """Whether mirrored pictures belong to this collection."""
        share = self.about.flip_share
        return MirrorVerdict(self.about.flip, float("nan") if share is None else share, self.about.flip_reason)


def open_pack(path: Path | str) -> Pack:
    """Open a pack's folder.

    Raises:
        PicturesError: there is no whole pack of this version.
    """
    path = Path(path)
    try:
        about = PackFile.model_validate_json((path / "pack.json").read_bytes())
        bytes_there = (path / "pictures.u8").stat().st_size
    except (OSError, ValidationError) as error:
        raise PicturesError(f"{path} is not a pack of pictures, or a damaged one: {error}") from None
    if about.format != FORMAT or bytes_there != about.count * about.height * about.width * 3:
        raise PicturesError(f"{path} is a pack of another version, or a damaged one. Remove it; it will be made again.")
    return Pack(path, about)
