"""What a worker does with one picture: read, decode, hash, fit."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ganforge.pictures.collection import Pictures, Pixels, UnreadablePicture
from ganforge.pictures.decode import Colour, Facts, decode, from_array
from ganforge.pictures.fit import enough, fit
from ganforge.pictures.workers import in_order, wanted_workers
from ganforge.progress import Progress

CHUNK = 64
"""Pictures a worker handles at a time: enough to hide the cost of sending them back."""

ALONE = 512
"""Up to so many pictures, starting processes takes longer than decoding right here."""


@dataclass(frozen=True)
class Preparation:
    """What a worker needs to know.

    Attributes:
        pictures: how they are read.
        size: (height, width) to make of each.
        pad: see `ganforge.pictures.fit.fit`.
        background: see `ganforge.pictures.decode.decode`.
        centre: (width, height) to cut out of the middle first, or None.
    """

    pictures: Pictures
    size: tuple[int, int]
    pad: bool = False
    background: Colour = (255, 255, 255)
    centre: tuple[int, int] | None = None


@dataclass(frozen=True)
class Prepared:
    """One picture, or the reason why it is none.

    Attributes:
        index: in the collection.
        pixels: uint8 (H, W, 3), or None.
        hash: of the decoded pixels before fitting: equal for pictures that look the same to the last bit.
        facts: what the file said of itself.
        reshaped: cropped or padded because of other proportions.
        enlarged: it had fewer pixels than asked for.
        reason: why there are no pixels.
    """

    index: int
    pixels: Pixels | None = None
    hash: bytes = b""
    facts: Facts | None = None
    reshaped: bool = False
    enlarged: bool = False
    reason: str = ""


def prepared(
    preparation: Preparation, indices: Sequence[int], workers: int | None, what: str, progress: Progress
) -> Iterator[Prepared]:
    """Pictures of a collection in the order of ``indices``, read by several processes if there are many.

    Args:
        preparation: sent to every worker.
        indices: which pictures.
        workers: processes; by default the environment variable GANFORGE_WORKERS, or one a core.
        what: the word for ``progress``.
        progress: told how many are done.
    """
    count = len(indices)
    if count <= ALONE:
        workers = 1
    workers = workers or wanted_workers()
    progress(what, 0, count)
    done = 0
    chunks = [indices[start : start + CHUNK] for start in range(0, count, CHUNK)]
    for chunk in in_order(_prepare_chunk, preparation, chunks, workers):
        yield from chunk
        done += len(chunk)
        progress(what, done, count)


def _prepare_chunk(preparation: Preparation, indices: Sequence[int]) -> list[Prepared]:
    return [_prepare(preparation, index) for index in indices]


def _prepare(preparation: Preparation, index: int) -> Prepared:
    try:
        read = preparation.pictures.read(index, preparation.size)
        if isinstance(read, bytes):
            # A named crop is counted in the pixels of the original, so that one is decoded at full size.
            least = enough(preparation.size) if preparation.centre is None else None
            pixels, facts = decode(read, background=preparation.background, least=least)
        else:
            pixels, facts = from_array(read, preparation.background)
    except UnreadablePicture as error:
        return Prepared(index, reason=str(error))
    identity = hashlib.blake2b(f"{pixels.shape}".encode(), digest_size=16)
    identity.update(np.ascontiguousarray(pixels).data)
    fitted = fit(
        pixels, preparation.size, pad=preparation.pad, background=preparation.background, centre=preparation.centre
    )
    return Prepared(index, fitted.pixels, identity.digest(), facts, fitted.reshaped, fitted.enlarged)
