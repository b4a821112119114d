"""What is in a collection, before anything is trained on it: every picture is decoded once, and every fault listed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ganforge.attributes import Range, Schema, Table
from ganforge.errors import PicturesError, UsageError
from ganforge.pictures.collection import Collection, Pixels, Skipped
from ganforge.pictures.mirror import MOST, MirrorVerdict, mirror_verdict, schema_terms
from ganforge.pictures.prepare import Preparation, prepared
from ganforge.pictures.readers import find_collection
from ganforge.pictures.remarks import FEWEST, Tally, too_few
from ganforge.progress import Progress, silent

SIZES = (32, 64, 128)
"""Sides that are suggested: the largest one that at least half of the pictures have pixels for."""

SHEET_PICTURES = 100
SHEET_SIDE = 96


@dataclass(frozen=True)
class Inspection:
    """What was found.

    Attributes:
        pictures: readable pictures, copies included.
        usable: readable pictures, copies left out.
        layout: "folder", "class folders", "imagefolder", "celeba", "idx", "npz", "avatars".
        sizes: "WIDTHxHEIGHT" → pictures, most frequent first.
        modes: Pillow's name of the pixel format → pictures, most frequent first.
        formats: file format → pictures, most frequent first.
        attributes: name → kind, how many pictures it is known of, and the count of each value or the range.
        captions: "pictures" that have one, "total", and a few "examples".
        splits: "train", "validation", "test" → pictures; empty where the collection has none.
        skipped: every file passed over, with its reason.
        duplicates: names of pictures that are exact copies of others.
        notes: sentences of the reader and about what is odd.
        suggested_size: side for training, in pixels.
        mirror: whether mirrored pictures belong to the collection.
    """

    pictures: int
    usable: int
    layout: str
    sizes: dict[str, int]
    modes: dict[str, int]
    formats: dict[str, int]
    attributes: dict[str, dict[str, Any]]
    captions: dict[str, Any]
    splits: dict[str, int]
    skipped: list[Skipped]
    duplicates: list[str]
    notes: list[str]
    suggested_size: int
    mirror: MirrorVerdict

    def as_json(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and numbers."""
        plain = asdict(self)
        plain["mirror"]["share"] = None if np.isnan(self.mirror.share) else self.mirror.share
        return plain


def inspect(pictures: str | Path, *, progress: Progress = silent, workers: int | None = None) -> Inspection:
    """Look at every picture of a collection.

    Args:
        pictures: a folder, an archive, a known layout, or ``avatars[:COUNT[:SEED]]``.
        progress: told how many pictures are done.
        workers: processes; by default one a core.

    Raises:
        PicturesError: nothing there, or no picture that can be read.
    """
    collection = find_collection(pictures)
    count = len(collection)
    tally = Tally(collection.names, collection.skipped)
    compared = set(np.linspace(0, count - 1, min(MOST, count)).astype(int).tolist())
    small: list[Pixels] = []
    shorter: list[int] = []
    for picture in prepared(
        Preparation(collection.pictures, (32, 32), pad=True), range(count), workers, "reading", progress
    ):
        if tally.add(picture) and picture.pixels is not None and picture.index in compared:
            small.append(picture.pixels)
        if picture.facts is not None:
            shorter.append(min(picture.facts.width, picture.facts.height))
    if not tally.kept:
        raise PicturesError(too_few(tally))
    known, kept = collection.annotations, tally.kept
    few = [f"Training needs at least {FEWEST} different pictures; {len(kept)} are here."] if len(kept) < FEWEST else []
    captions = [known.captions[index] for index in kept]
    texts = [text for several in captions for text in several]
    return Inspection(
        pictures=tally.readable,
        usable=len(kept),
        layout=collection.layout,
        sizes={f"{w}x{h}": n for (w, h), n in tally.sizes.most_common()},
        modes=dict(tally.modes.most_common()),
        formats=dict(tally.formats.most_common()),
        attributes=describe(known.schema, known.table[kept]),
        captions={"pictures": sum(map(bool, captions)), "total": len(texts), "examples": _examples(texts)},
        splits=_splits(known.splits[kept]),
        skipped=tally.skipped,
        duplicates=tally.duplicates,
        notes=[*collection.remarks, *tally.oddities(), *few],
        suggested_size=max((s for s in SIZES if np.median(shorter) >= s), default=SIZES[0]),
        mirror=mirror_verdict(small, texts, schema_terms(known.schema)),
    )


def describe(schema: Schema, table: Table) -> dict[str, dict[str, Any]]:
    """The values of each attribute and how often they occur in ``table`` (N, A)."""
    described: dict[str, dict[str, Any]] = {}
    for column, attribute in enumerate(schema.attributes):
        numbers = table[:, column][~np.isnan(table[:, column])]
        about: dict[str, Any] = {"kind": attribute.kind, "known": len(numbers)}
        if isinstance(attribute, Range):
            about |= {"low": attribute.low, "high": attribute.high}
            about |= {"mean": round(float(numbers.mean()), 4)} if len(numbers) else {}
        else:
            counts = Counter(str(attribute.decode(float(number))) for number in numbers)
            about["values"] = dict(counts.most_common())
        described[attribute.name] = about
    return described


def _examples(texts: Sequence[str], count: int = 3) -> list[str]:
    return [texts[i] for i in np.linspace(0, len(texts) - 1, min(count, len(texts))).astype(int)]


def _splits(splits: npt.NDArray[np.uint8]) -> dict[str, int]:
    counts = {name: int((splits == code).sum()) for code, name in enumerate(("train", "validation", "test"))}
    return {name: n for name, n in counts.items() if n}


def contact_sheet(pictures: str | Path, path: Path, *, crop: Literal["108", "178"] = "178") -> int:
    """Write a PNG of up to 100 pictures spread over the collection; whole ones, except CelebA's, which are cut.

    Returns:
        How many pictures are on it.

    Raises:
        UsageError: ``path`` is there already, is not named ``.png``, or cannot be written.
        PicturesError: there is no readable picture.
    """
    from ganforge.drawing.grids import grid, save_png

    check_new_png(path)
    collection = find_collection(pictures)
    chosen = np.linspace(0, len(collection) - 1, min(SHEET_PICTURES, len(collection))).astype(int).tolist()
    shown = [p.pixels for p in prepared(_sheet_preparation(collection, crop), chosen, 1, "drawing the sheet", silent)]
    good = [pixels for pixels in shown if pixels is not None]
    if not good:
        raise PicturesError(f"None of the pictures of {pictures} can be read.")
    try:
        save_png(grid(np.stack(good)), path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from None
    return len(good)


def check_new_png(path: Path) -> None:
    """Raise UsageError for a name that is taken or is no PNG's."""
    if path.exists():
        raise UsageError(f"{path} is there already. Choose another name; nothing is overwritten.")
    if path.suffix.lower() != ".png":
        raise UsageError(f"{path}: a contact sheet is a PNG; name it {path.with_suffix('.png').name}.")


def _sheet_preparation(collection: Collection, crop: str) -> Preparation:
    centre = collection.crops.get(crop)
    return Preparation(collection.pictures, (SHEET_SIDE, SHEET_SIDE), pad=centre is None, centre=centre)
