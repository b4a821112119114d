"""The words of `ganforge.pictures`: a collection, what is known of its pictures, and how one of them is read.

A reader (one file of `ganforge.pictures.readers`) recognises one layout and returns a `Collection`:

    Collection ── names        N names, as the user would find them
               ── pictures     how picture i is read: bytes, or a uint8 array; travels to worker processes
               ── annotations  schema, table (N, A), captions, splits (N)
               ── skipped      what was passed over while listing, with reasons
               ── remarks      sentences for the user

Shapes: N pictures · A attributes · H, W pixels; pixels are uint8 RGB (H, W, 3).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ganforge.attributes import Attribute, Schema, Table, Value, infer_schema
from ganforge.progress import Progress, silent

Pixels = npt.NDArray[np.uint8]
Splits = npt.NDArray[np.uint8]

TRAIN, VALIDATION, TEST, NO_SPLIT = 0, 1, 2, 255


class UnreadablePicture(Exception):  # noqa: N818 - it names a picture's state; the run goes on without the picture
    """This one picture cannot be used; the message is the reason shown beside its name."""


@dataclass(frozen=True)
class Skipped:
    """A file that is not among the pictures, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Annotations:
    """What is known of N pictures beside their pixels.

    Attributes:
        schema: the attributes.
        table: (N, A) float32 in the schema's encoding, NaN where unknown.
        captions: N tuples of captions, each in any language.
        splits: (N,) uint8: TRAIN, VALIDATION, TEST or NO_SPLIT.
    """

    schema: Schema
    table: Table
    captions: Sequence[tuple[str, ...]]
    splits: Splits


class Pictures(Protocol):
    """How the pictures of a collection are read. It is pickled to worker processes, so it keeps no open files then."""

    def read(self, index: int, size: tuple[int, int] | None) -> bytes | Pixels:
        """Picture ``index``: the bytes of its file, or its pixels, uint8 (H, W) or (H, W, 3 or 4).

        Args:
            index: 0 … N − 1.
            size: (height, width) that the caller is going to make of it; for collections that are drawn.

        Raises:
            UnreadablePicture: this one cannot be read.
        """
        ...

    def digest(self, progress: Progress) -> str:
        """A hash of the contents: equal for equal pictures, whatever their files' dates."""
        ...


@dataclass(frozen=True)
class Collection:
    """What a reader found. The module's docstring draws it."""

    layout: str
    names: Sequence[str]
    pictures: Pictures
    annotations: Annotations
    skipped: tuple[Skipped, ...] = ()
    remarks: tuple[str, ...] = ()
    crops: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Centre crops (width, height) that the layout's users know by name; the first is the default."""

    def __len__(self) -> int:
        return len(self.names)

    def fingerprint(self, progress: Progress = silent) -> str:
        """A hash of pictures, names and annotations."""
        known = self.annotations
        digest = hashlib.blake2b(self.pictures.digest(progress).encode(), digest_size=16)
        words = [self.layout, list(self.names), known.schema.model_dump(mode="json"), list(known.captions)]
        digest.update(json.dumps(words, ensure_ascii=True).encode("ascii"))
        digest.update(known.table.tobytes())
        digest.update(known.splits.tobytes())
        return digest.hexdigest()


def annotate(
    records: Sequence[Mapping[str, Value]],
    captions: Sequence[tuple[str, ...]] | None = None,
    splits: Sequence[int] | None = None,
    *,
    known: Mapping[str, Attribute] | None = None,
) -> Annotations:
    """Annotations from raw records; the kind of every column is inferred unless it is ``known``."""
    known = known or {}
    unknown = [{name: value for name, value in record.items() if name not in known} for record in records]
    schema = Schema(attributes=(*known.values(), *infer_schema(unknown).attributes))
    table = np.full((len(records), len(schema.attributes)), np.nan, dtype=np.float32)
    for column, attribute in enumerate(schema.attributes):
        codes: dict[Value, float] = {None: np.nan}  # an index into a long list of choices is looked up once a value
        for row, record in enumerate(records):
            value = record.get(attribute.name)
            if value not in codes:
                codes[value] = attribute.encode(value)
            table[row, column] = codes[value]
    return Annotations(
        schema=schema,
        table=table,
        captions=captions if captions is not None else [()] * len(records),
        splits=np.array(splits if splits is not None else [NO_SPLIT] * len(records), dtype=np.uint8),
    )
