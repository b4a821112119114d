"""Where packs are kept: the user's cache folder, never beside the pictures.

packs/<digest>/       whole packs; a folder gets its name only when it is complete
building/             packs that are being written; swept when nobody holds their lock
scratch/              unpacked copies of compressed tars, for as long as their process lives
known/<stamp>.json    which pack belongs to unchanged names, sizes and dates, so that nothing need be hashed again
"""

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from ganforge.errors import PicturesError
from ganforge.progress import Progress

_STALE_SECONDS = 24 * 3600


def cache_folder() -> Path:
    """The environment variable GANFORGE_CACHE, or the system's place for caches."""
    named = os.environ.get("GANFORGE_CACHE", "").strip()
    return Path(named).expanduser() if named else Path(platformdirs.user_cache_dir("ganforge", appauthor=False))


def make_folder(folder: Path) -> Path:
    """``folder``, made if need be. Raises PicturesError where that is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PicturesError(
            f"The cache folder {folder} cannot be made ({error.strerror or error}). Set the environment variable"
            " GANFORGE_CACHE to a folder you can write to."
        ) from None
    return folder


def scratch_file(suffix: str) -> Path:
    """A new name in the cache for a file that lives as long as its process; files left by killed ones are swept."""
    folder = make_folder(cache_folder() / "scratch")
    for old in folder.iterdir():
        try:
            if time.time() - old.stat().st_mtime > _STALE_SECONDS:
                old.unlink()
        except OSError:
            continue  # another process swept it first, or still holds it open (Windows)
    return folder / f"{uuid.uuid4().hex}{suffix}"


@contextmanager
def alone(lock: Path, does: str, progress: Progress) -> Iterator[None]:
    """Hold a lock of the cache; while another process has it, say what that one ``does``."""
    held = FileLock(lock)
    while not held.is_locked:
        try:
            held.acquire(timeout=1.0)
        except Timeout:
            progress(f"waiting for another process that {does}", 0, 1)
    try:
        yield
    finally:
        held.release()


def remove(folder: Path) -> None:
    """Remove a folder of the cache, as far as possible."""
    shutil.rmtree(folder, ignore_errors=True)
