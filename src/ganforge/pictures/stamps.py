"""Whether a collection is the one that was seen before, told from names, sizes and dates alone.

Hashing gigabytes to find that nothing has changed would take longer than training's first samples. Dates are trusted
only once they are older than a moment: a file changed twice within a tick of the clock may keep its date and size.
"""

import hashlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ganforge.pictures.readers import avatars
from ganforge.pictures.trees import walk

_COMPANIONS = re.compile(r"labels?[-.]idx1|list_attr_celeba|list_eval_partition", re.IGNORECASE)
"""Files that readers look for beside the one that was named."""

_TICK_SECONDS = 2.5
"""Coarser than the clock of any file system in use (FAT: 2 s)."""


@dataclass(frozen=True)
class Stamp:
    """What a collection looks like from outside.

    Attributes:
        digest: of all names, sizes and dates.
        settled: all dates are old enough to be trusted.
    """

    digest: str
    settled: bool


def stamp(pictures: str | Path, more: str) -> Stamp:
    """Stamp what lies at ``pictures``; ``more`` (options, versions) goes into the digest."""
    path = Path(pictures).expanduser()
    if not path.exists() and str(pictures).startswith("avatars"):
        drawn = hashlib.blake2b(f"{pictures} {avatars.code()}\n{more}".encode(), digest_size=16)
        return Stamp(drawn.hexdigest(), settled=True)
    digest = hashlib.blake2b(f"{path.absolute()}\n{more}".encode("utf-8", "surrogateescape"), digest_size=16)
    newest = 0.0
    try:
        files = _below(path) if path.is_dir() else _beside(path)
        for name, status in files:
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
            newest = max(newest, status.st_mtime)
    except OSError:
        return Stamp(digest.hexdigest(), settled=False)
    return Stamp(digest.hexdigest(), settled=0 < newest < time.time() - _TICK_SECONDS)


def _below(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    for found in walk(folder):
        yield found.name, found.path.stat()


def _beside(file: Path) -> Iterator[tuple[str, os.stat_result]]:
    yield file.name, file.stat()
    for other in sorted(file.parent.iterdir()):
        if _COMPANIONS.search(other.name):
            yield other.name, other.stat()
