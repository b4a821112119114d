"""Making a pack: find, look for changes, decode in parallel, drop what is there twice, write, name.

A pack is written in a folder of its own and gets its name in one step when it is whole, so that a process killed at any
moment leaves nothing that looks like a pack. Two processes that want the same pack wait for each other.
"""

import contextlib
import errno
import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from ganforge import __version__
from ganforge.errors import PicturesError
from ganforge.pictures import cache as caches
from ganforge.pictures.collection import Collection
from ganforge.pictures.mirror import mirror_verdict, schema_terms
from ganforge.pictures.pack import FORMAT, Pack, PackFile, PackOptions, open_pack
from ganforge.pictures.prepare import Preparation, prepared
from ganforge.pictures.readers import find_collection
from ganforge.pictures.remarks import FEWEST, Tally, too_few
from ganforge.pictures.stamps import stamp
from ganforge.progress import Progress, silent


def make_pack(
    pictures: str | Path,
    options: PackOptions,
    *,
    cache: Path | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> Pack:
    """The pack of a collection, made now or found in the cache.

    Args:
        pictures: PICTURES of the command line: a folder, an archive, a known layout, ``avatars[:COUNT[:SEED]]``.
        options: how pictures become pixels.
        cache: folder for packs; by default `cache_folder()`.
        workers: processes; by default one a core, or the environment variable GANFORGE_WORKERS.
        progress: told how many pictures are done.

    Raises:
        PicturesError: nothing there, fewer than 16 usable pictures, disk full, cache not writable.
    """
    cache = caches.make_folder(cache or caches.cache_folder())
    packs, known, building = (caches.make_folder(cache / name) for name in ("packs", "known", "building"))
    now = stamp(pictures, f"{__version__} {FORMAT} {options.key}")
    memo = known / f"{now.digest}.json"
    found = _remembered(memo, packs)
    if found is not None:
        return found
    collection = find_collection(pictures)
    digest = hashlib.blake2b(
        f"{FORMAT} {options.key} {collection.fingerprint(progress)}".encode(), digest_size=16
    ).hexdigest()
    target = packs / digest
    with caches.alone(building / f"{digest}.lock", "packs the same pictures", progress):
        pack = _whole(target)
        if pack is None:
            _sweep(building)
            with _free_of_leftovers(building / digest) as folder:
                _build(folder, digest, collection, options, workers=workers, progress=progress)
                folder.replace(target)
            pack = open_pack(target)
    if now.settled:
        _remember(memo, digest)
    return pack


def known_pack(digest: str, *, cache: Path | None = None) -> Pack | None:
    """The pack of that digest if the cache holds it, wherever its pictures are now."""
    if re.fullmatch(r"[0-9a-f]{32}", digest) is None:
        return None
    return _whole((cache or caches.cache_folder()) / "packs" / digest)


# --- found in the cache -----------------------------------------------------------------------------------------------


def _remembered(memo: Path, packs: Path) -> Pack | None:
    try:
        digest = json.loads(memo.read_text(encoding="utf-8"))["pack"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return _whole(packs / str(digest))


def _remember(memo: Path, digest: str) -> None:
    part = memo.with_suffix(f".{uuid.uuid4().hex[:8]}")
    try:
        part.write_text(json.dumps({"pack": digest}), encoding="utf-8")
        part.replace(memo)
    except OSError:
        part.unlink(missing_ok=True)  # only a shortcut; the pack itself stands


def _whole(folder: Path) -> Pack | None:
    try:
        return open_pack(folder) if folder.is_dir() else None
    except PicturesError:
        caches.remove(folder)  # damaged from outside: made again
        return None


def _sweep(building: Path) -> None:
    """Remove what killed processes left; what is being built is locked."""
    for folder in building.iterdir():
        if folder.is_dir():
            lock = FileLock(building / f"{folder.name}.lock")
            try:
                with lock.acquire(timeout=0):
                    caches.remove(folder)
            except Timeout:
                continue


# --- made anew --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _free_of_leftovers(folder: Path) -> Iterator[Path]:
    """An empty folder that is gone again if anything goes wrong; a full disk becomes a sentence."""
    caches.remove(folder)
    try:
        folder.mkdir()
        yield folder
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        raise PicturesError(
            f"The pack cannot be written to {folder.parent}: {error.strerror}. Free space there, or set the environment"
            " variable GANFORGE_CACHE to a folder on another disk."
        ) from None
    finally:
        caches.remove(folder)  # nothing is there any more if it got its name


def _build(
    folder: Path,
    digest: str,
    collection: Collection,
    options: PackOptions,
    *,
    workers: int | None,
    progress: Progress,
) -> None:
    count, (height, width) = len(collection), options.size
    need = count * height * width * 3 + 2**24
    free = shutil.disk_usage(folder).free
    if need > free:
        raise PicturesError(
            f"The pack needs {need / 2**30:.2f} GB and {folder.parent} has {free / 2**30:.2f} GB free. Free space"
            " there, choose a smaller size, or set the environment variable GANFORGE_CACHE to a folder on another disk."
        )
    centre = collection.crops.get(options.celeba_crop)
    preparation = Preparation(collection.pictures, options.size, options.fit == "pad", options.background_rgb, centre)
    tally = Tally(collection.names, collection.skipped, keep_copies=options.keep_copies)
    with (folder / "pictures.u8").open("wb") as file:
        for picture in prepared(preparation, range(count), workers, "packing", progress):
            if tally.add(picture) and picture.pixels is not None:
                file.write(picture.pixels.data)
    kept = tally.kept
    if len(kept) < FEWEST:
        raise PicturesError(too_few(tally))
    known = collection.annotations
    captions = [list(known.captions[i]) for i in kept]
    np.save(folder / "table.npy", known.table[kept])
    np.save(folder / "splits.npy", known.splits[kept])
    words = {"names": [collection.names[i] for i in kept], "captions": captions if any(captions) else None}
    (folder / "words.json").write_text(json.dumps(words, ensure_ascii=True), encoding="utf-8")
    pixels = np.memmap(folder / "pictures.u8", dtype=np.uint8, mode="r", shape=(len(kept), height, width, 3))
    mirror = mirror_verdict(pixels, [text for texts in captions for text in texts], schema_terms(known.schema))
    del pixels  # Windows renames no folder with a mapped file inside
    about = PackFile(
        format=FORMAT,
        digest=digest,
        layout=collection.layout,
        count=len(kept),
        height=height,
        width=width,
        options=options,
        attribute_schema=known.schema,
        captioned=sum(map(bool, captions)),
        skipped=[(skipped.name, skipped.reason) for skipped in tally.skipped],
        duplicates=tally.duplicates,
        notes=[*collection.remarks, *tally.sentences(options), mirror.reason],
        flip=mirror.flip,
        flip_share=None if np.isnan(mirror.share) else round(mirror.share, 4),
        flip_reason=mirror.reason,
    )
    (folder / "pack.json").write_text(about.model_dump_json(indent=1), encoding="utf-8")
