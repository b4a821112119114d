"""``.npz``: pictures as one array of NumPy, with labels and captions beside it.

images      N×H×W, N×H×W×C or N×C×H×W; uint8, or floats in [0, 1] or [−1, 1]; other names are guessed
labels      N numbers or strings (optional)
captions    N strings (optional)
"""

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from ganforge.attributes import Choice
from ganforge.errors import PicturesError
from ganforge.pictures.collection import Annotations, Collection, Pixels, UnreadablePicture, annotate
from ganforge.pictures.trees import FileTree
from ganforge.progress import Progress

MOST_BYTES = 16 * 2**30
"""An array that claims more is damaged, or no array of pictures."""

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class NpzPictures:
    """Pictures of one array; read again in every process, when first asked for."""

    tree: FileTree
    file: str
    key: str

    @cached_property
    def _pictures(self) -> Pixels:
        return _as_pictures(_Npz(self.tree, self.file)[self.key], f"{self.file}: {self.key}")

    def __getstate__(self) -> dict[str, Any]:
        return {"tree": self.tree, "file": self.file, "key": self.key}

    def read(self, index: int, size: tuple[int, int] | None) -> bytes | Pixels:
        """See `ganforge.pictures.collection.Pictures.read`."""
        picture: Pixels = self._pictures[index]
        return picture

    def digest(self, progress: Progress) -> str:
        """See `ganforge.pictures.collection.Pictures.digest`."""
        return self.tree.digest([self.file], progress)


_IMAGE_KEYS = ("images", "image", "x_train", "train_images", "x", "data", "samples", "arr_0")
_LABEL_KEYS = ("labels", "label", "y_train", "train_labels", "y", "targets", "classes", "arr_1")
_CAPTION_KEYS = ("captions", "caption", "texts", "text", "prompts")


def find(tree: FileTree) -> Collection | None:
    """A tree of exactly one ``.npz``.

    Raises:
        PicturesError: it is damaged or holds no array of pictures.
    """
    if len(tree.files) != 1 or not tree.files[0].lower().endswith(".npz"):
        return None
    name = tree.files[0]
    arrays = _Npz(tree, name)
    shapes = arrays.shapes
    pictures = [key for key, (shape, _) in shapes.items() if len(shape) in (3, 4)]
    key = next((key for key in _IMAGE_KEYS if key in pictures), pictures[0] if len(pictures) == 1 else None)
    if key is None:
        held = ", ".join(f"{k} {'×'.join(map(str, shape))}" for k, (shape, _) in shapes.items()) or "no arrays"
        raise PicturesError(f"{name} holds {held}. Expected pictures N×H×W, N×H×W×C or N×C×H×W under the key `images`.")
    count = len(_as_pictures(arrays[key], f"{name}: {key}"))
    remarks: list[str] = []

    def column(keys: tuple[str, ...], kinds: str) -> list[Any] | None:
        found = next((k for k in keys if k in shapes and shapes[k][0] == (count,)), None)
        if found is None:
            for other in (k for k in keys if k in shapes and k != key):
                remarks.append(f"{other} has the shape {shapes[other][0]} and was not used; expected ({count},).")
            return None
        if shapes[found][1].kind not in kinds:
            remarks.append(f"{found} has the type {shapes[found][1]} and was not used; save it as numbers or strings.")
            return None
        return list(arrays[found].tolist())

    labels, captions = column(_LABEL_KEYS, "iubUS"), column(_CAPTION_KEYS, "US")
    return Collection(
        layout="npz",
        names=[f"{name.rsplit('/', 1)[-1]}/{i:05d}" for i in range(count)],
        pictures=NpzPictures(tree, name, key),
        annotations=_labelled(count, labels, captions),
        skipped=tree.skipped,
        remarks=tuple(remarks),
    )


def _labelled(count: int, labels: list[Any] | None, captions: list[Any] | None) -> Annotations:
    def text(value: Any) -> str:
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    values = sorted(set(labels or ()), key=lambda v: (isinstance(v, str), v))
    return annotate(
        [{"label": text(label)} for label in labels] if labels else [{}] * count,
        captions=[(text(c),) if c else () for c in captions] if captions else None,
        known={"label": Choice(name="label", values=tuple(map(text, values)))} if values else {},
    )


class _Npz(Mapping[str, Array]):
    """The arrays of a ``.npz``, whose shapes are known before anything is unpacked; never a pickle."""

    def __init__(self, tree: FileTree, name: str) -> None:
        self._name = name
        self.shapes: dict[str, tuple[tuple[int, ...], np.dtype[Any]]] = {}
        try:
            self._raw = io.BytesIO(tree.read(name, most=MOST_BYTES))
            with zipfile.ZipFile(self._raw) as archive:
                for info in archive.infolist():
                    with archive.open(info) as file:
                        version = np.lib.format.read_magic(file)
                        read = (
                            np.lib.format.read_array_header_1_0
                            if version == (1, 0)
                            else np.lib.format.read_array_header_2_0
                        )
                        shape, _, dtype = read(file)
                        if prod(shape) * dtype.itemsize > min(info.file_size, MOST_BYTES):
                            raise ValueError(f"{info.filename} is cut off")
                    self.shapes[info.filename.removesuffix(".npy")] = (shape, dtype)
        except UnreadablePicture as error:
            raise PicturesError(f"{name}: {error}") from None
        except Exception as error:  # zip, zlib, NumPy's header and its literals: damage has a dozen names
            raise PicturesError(f"{name} is no whole .npz file ({error}). Save it again with numpy.savez.") from None

    def __getitem__(self, key: str) -> Array:
        try:
            self._raw.seek(0)
            with np.load(self._raw, allow_pickle=False) as arrays:
                array: Array = arrays[key]
                return array
        except (zipfile.BadZipFile, ValueError, OSError, EOFError, zlib.error, MemoryError) as error:
            raise PicturesError(
                f"{self._name}: {key} cannot be read ({error}). Save it again with numpy.savez."
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)


def _as_pictures(array: Array, name: str) -> Pixels:
    """N×H×W or N×H×W×C of any usual type → uint8. Raises PicturesError."""
    if array.ndim == 4 and array.shape[3] not in (1, 3, 4):
        if array.shape[1] not in (1, 3, 4):
            raise PicturesError(f"{name} has the shape {array.shape}; expected 1, 3 or 4 channels, last or second.")
        array = array.transpose(0, 2, 3, 1)
    if array.size == 0 or array.dtype.kind not in "biuf":
        raise PicturesError(f"{name} holds {array.shape} values of type {array.dtype}; expected numbers.")
    if array.dtype != np.uint8:
        array = _spread(array, name)
    return array[..., 0] if array.ndim == 4 and array.shape[3] == 1 else array


def _spread(array: Array, name: str) -> Pixels:
    low, high = float(array.min()), float(array.max())
    ranges = {"b": ((0, 1),), "f": ((0, 1), (-1, 1), (0, 255))}.get(array.dtype.kind, ((0, 255), (0, 65535)))
    bounds = next(((a, b) for a, b in ranges if a <= low and high <= b), None)
    if bounds is None:  # also where there are NaNs
        usual = " or ".join(f"{a} … {b}" for a, b in ranges)
        raise PicturesError(f"{name} has values from {low:g} to {high:g}; expected {usual}.")
    spread = (array.astype(np.float32) - bounds[0]) * (255 / (bounds[1] - bounds[0]))
    pixels: Pixels = np.rint(spread).astype(np.uint8)
    return pixels
