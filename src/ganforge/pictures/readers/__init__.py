"""One file a layout: a function ``find(tree)`` that returns a `Collection`, or None where the tree is another layout.

To add a layout, write such a file and put it into READERS, before those that would take its files for plain pictures.
"""

import difflib
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from ganforge.errors import PicturesError
from ganforge.pictures.archives import TarTree, ZipTree
from ganforge.pictures.collection import Collection
from ganforge.pictures.decode import format_of
from ganforge.pictures.readers import avatars, celeba, folders, idx, imagefolder, npz
from ganforge.pictures.trees import ARCHIVES, FileTree, FolderTree

READERS: tuple[Callable[[FileTree], Collection | None], ...] = (
    idx.find,
    npz.find,
    celeba.find,
    imagefolder.find,
    folders.find,
)


def find_collection(pictures: str | Path) -> Collection:
    """What lies at ``pictures``: a folder, a zip or tar, a known layout's file, or ``avatars[:COUNT[:SEED]]``.

    Raises:
        PicturesError: nothing is there, or nothing that can be read.
        UsageError: ``avatars:`` followed by something else than numbers.
    """
    if not str(pictures).strip():
        raise PicturesError("The name of the pictures is empty. Name a folder, an archive, or `avatars`.")
    path = Path(pictures).expanduser()
    drawn = None if path.exists() else avatars.parse(str(pictures))
    if drawn is not None:
        return avatars.collection(drawn)
    tree = _open(path, str(pictures))
    for find in READERS:
        collection = find(tree)
        if collection is not None:
            return collection
    raise PicturesError(_nothing_in(tree))


def _open(path: Path, asked: str) -> FileTree:
    try:
        if path.is_dir():
            return FolderTree(path)
        if path.is_file():
            return _open_file(path)
    except PermissionError:
        raise PicturesError(f"There is no permission to read {asked}.") from None
    except OSError as error:
        raise PicturesError(f"{asked} cannot be read: {error.strerror or error}.") from None
    if path.exists():
        raise PicturesError(f"{asked} is neither a folder nor a regular file, so no collection of pictures.")
    raise PicturesError(_missing(path, asked))


def _open_file(path: Path) -> FileTree:
    if path.stat().st_size == 0:
        raise PicturesError(f"{path} is empty (0 bytes).")
    name = path.name.lower()
    if name.endswith(".npz"):
        return FolderTree(path.parent, only=[path.name])
    if idx.is_idx(path):
        labels = idx.labels_file(path.name)
        return FolderTree(path.parent, only=[path.name, *([labels] if (path.parent / labels).is_file() else [])])
    if zipfile.is_zipfile(path) or name.endswith(".zip"):
        return ZipTree(path)
    if _is_tar(path) or name.endswith((".tar", ".tgz", ".txz", ".tbz2", ".tar.gz", ".tar.xz", ".tar.bz2")):
        return TarTree(path)
    if format_of(name) is not None:
        raise PicturesError(f"{path} is a single picture. Name the folder that holds the collection: {path.parent}")
    raise PicturesError(
        f"{path} is no collection that ganforge can read. It reads folders, zip and tar archives, IDX .gz and .npz"
        " files; unpack other archives first."
    )


def _is_tar(path: Path) -> bool:
    try:
        return tarfile.is_tarfile(path)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError):  # a damaged compressed file
        return False


def _missing(path: Path, asked: str) -> str:
    there = path.parent if path.parent.is_dir() else Path()
    try:
        names = [entry.name for entry in there.iterdir()]
    except OSError:
        names = []
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.6)
    hint = f"Did you mean {there / near[0]}? " if near else ""
    return f"There is nothing at {asked}. {hint}Name a folder, an archive, or `avatars` for the set that comes along."


def _nothing_in(tree: FileTree) -> str:
    reasons = "".join(f"\n  {skipped.name}: {skipped.reason}" for skipped in tree.skipped[:5])
    others = "".join(f"\n  {name}" for name in tree.files[:5])
    found = f" It holds:{others}" if others else ""
    passed = f" Passed over:{reasons}" if reasons else ""
    archive = next((name for name in tree.files if name.lower().endswith(ARCHIVES)), None)
    hint = f" To use an archive, name it by itself: {tree.location / archive}" if archive else ""
    return f"There are no pictures in {tree.location}.{hint}{found}{passed}"
