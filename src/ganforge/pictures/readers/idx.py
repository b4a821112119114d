"""IDX: the files of MNIST and its kin (http://yann.lecun.com/exdb/mnist/), gzipped or not.

train-images-idx3-ubyte.gz  + train-labels-idx1-ubyte.gz        N×H×W uint8, labels 0 … 9
t10k-images-idx3-ubyte.gz   + t10k-labels-idx1-ubyte.gz         the test split, where both lie in one folder
"""

import gzip
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ganforge.attributes import Choice
from ganforge.errors import PicturesError
from ganforge.pictures.collection import TEST, TRAIN, Collection, Pixels, annotate
from ganforge.pictures.trees import FileTree
from ganforge.progress import Progress

MOST_BYTES = 16 * 2**30
"""A file that claims more is damaged."""


@dataclass(frozen=True)
class IdxPictures:
    """Pictures of one or several IDX files, one after the other; read again in every process, when first asked for."""

    tree: FileTree
    files: Sequence[str]

    @cached_property
    def _pictures(self) -> Pixels:
        return np.concatenate([_read(self.tree, name) for name in self.files])

    def __getstate__(self) -> dict[str, Any]:
        return {"tree": self.tree, "files": self.files}

    def read(self, index: int, size: tuple[int, int] | None) -> bytes | Pixels:
        """See `ganforge.pictures.collection.Pictures.read`."""
        picture: Pixels = self._pictures[index]
        return picture

    def digest(self, progress: Progress) -> str:
        """See `ganforge.pictures.collection.Pictures.digest`."""
        return self.tree.digest(self.files, progress)


_IDX_IMAGES = re.compile(r"(.*/)?[^/]*images?[-._]idx[34][^/]*", re.IGNORECASE)


def find(tree: FileTree) -> Collection | None:
    """A tree with IDX files of pictures; those of labels are found by their names.

    Raises:
        PicturesError: an IDX file is damaged.
    """
    files = [name for name in tree.files if _IDX_IMAGES.fullmatch(name)]
    if not files and len(tree.files) == 1 and _shape(tree.head(tree.files[0], 2**16)) is not None:
        files = list(tree.files)
    if not files:
        return None
    # The training pictures first; "t10k" and "test" are the test split where there are training pictures, too.
    files.sort(key=lambda name: (_is_test(name), name))
    labels: list[int | None] = []
    splits: list[int] = []
    remarks: list[str] = []
    names: list[str] = []
    sizes: set[tuple[int, ...]] = set()
    for name in files:
        pictures = _read(tree, name)
        count = len(pictures)
        sizes.add(pictures.shape[1:])
        named = labels_file(name)
        found = _read(tree, named, dimensions=(1,)).tolist() if named in tree.files else []
        if found and len(found) != count:
            remarks.append(f"{named} has {len(found):,} labels for {count:,} pictures, so it was not used.")
            found = []
        labels += found or [None] * count
        splits += [TEST if _is_test(name) and len(files) > 1 else TRAIN] * count
        stem = name.rsplit("/", 1)[-1].split(".")[0]
        names += [f"{stem}/{index:05d}" for index in range(count)]
    if len(sizes) > 1:
        raise PicturesError(f"{', '.join(files)}: pictures of different sizes in one folder. Name one file.")
    values = tuple(str(v) for v in sorted({label for label in labels if label is not None}))
    return Collection(
        layout="idx",
        names=names,
        pictures=IdxPictures(tree, files),
        annotations=annotate(
            [{} if label is None else {"label": str(label)} for label in labels],
            splits=splits,
            known={"label": Choice(name="label", values=values)} if values else {},
        ),
        skipped=tree.skipped,
        remarks=tuple(remarks),
    )


def is_idx(path: Path) -> bool:
    """Whether a file is an IDX file of pictures, by name or content."""
    if _IDX_IMAGES.fullmatch(path.name):
        return True
    with path.open("rb") as file:
        shape = _shape(file.read(2**16))
    return shape is not None and len(shape) in (3, 4)


def labels_file(images: str) -> str:
    """``train-images-idx3-ubyte.gz`` → ``train-labels-idx1-ubyte.gz``."""
    folder, slash, name = images.rpartition("/")
    return folder + slash + re.sub(r"idx[34]", "idx1", re.sub(r"image(s?)", r"label\1", name))


def _is_test(name: str) -> bool:
    return re.match(r"(t10k|test)", name.rsplit("/", 1)[-1], re.IGNORECASE) is not None


def _shape(head: bytes) -> tuple[int, ...] | None:
    """The shape that an IDX header of bytes gives; None for other files. ``head`` may be gzipped and cut off."""
    if head[:2] == b"\x1f\x8b":
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, 64)
        except zlib.error:
            return None
    if len(head) < 4 or head[:3] != b"\0\0\x08" or not 1 <= head[3] <= 4 or len(head) < 4 + 4 * head[3]:
        return None
    return struct.unpack_from(f">{head[3]}I", head, 4)


def _read(tree: FileTree, name: str, dimensions: tuple[int, ...] = (3, 4)) -> Pixels:
    """An IDX file as a uint8 array. Raises PicturesError."""
    expected = "expected an IDX file of bytes: two zeros, 8, the number of dimensions, then their sizes"
    try:
        shape = _shape(tree.head(name, 2**16))
        if shape is None or len(shape) not in dimensions or (len(shape) == 4 and shape[3] not in (1, 3)):
            raise PicturesError(f"{name} is no IDX file of {'pictures' if 3 in dimensions else 'labels'}; {expected}.")
        start, size = 4 + 4 * len(shape), prod(shape)
        if size > MOST_BYTES:
            raise PicturesError(f"{name} claims to hold {shape} bytes, which is more than fits; it is damaged.")
        with tree.open(name) as file:
            packed = file.peek(2)[:2] if hasattr(file, "peek") else tree.head(name, 2)
            with gzip.open(file) if packed == b"\x1f\x8b" else file as plain:
                data = plain.read(start + size)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise PicturesError(f"{name} is cut off or damaged ({error}). Download or copy it again.") from None
    if len(data) < start + size:
        raise PicturesError(
            f"{name} is cut off: its header promises {shape[0]:,} entries of {size:,} bytes, {len(data) - start:,} are"
            " there. Download or copy it again."
        )
    array: Pixels = np.frombuffer(data, dtype=np.uint8, offset=start).reshape(shape)
    return array[..., 0] if array.ndim == 4 and array.shape[3] == 1 else array
