"""Writing a file so that nobody ever sees half of it, and naming one so that a shell understands or nothing is lost."""

import hashlib
import os
import re
import secrets
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ganforge.errors import UsageError


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Hand out a temporary path beside ``path``, with its suffix; move it there when the block ends well.

    The target is either the old file or the whole new one, also after ``kill -9`` or a power cut. Missing folders are
    made. When the block fails, the temporary file is removed and the old target stays. Raises OSError (disk full,
    read-only folder …).
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{secrets.token_hex(6)}.tmp{path.suffix}")
    try:
        yield temporary
        to_disk(temporary)
        os.replace(temporary, path)  # noqa: PTH105 - the name says what it promises
    finally:
        temporary.unlink(missing_ok=True)


def to_disk(path: Path) -> None:
    """Have the disk write a file, or every file below a folder, now: after a power cut a name may outlive its bytes."""
    for file in path.rglob("*") if path.is_dir() else (path,):
        if file.is_file():
            with file.open("rb+") as opened:
                os.fsync(opened.fileno())


def sha256(path: Path) -> str:
    """Hash of a file's bytes, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def check_new(path: Path, *, folder: bool = False, mend: str = "Name a new one.") -> None:
    """Raises UsageError where something is there already; an empty folder is nothing where a ``folder`` is to be."""
    if path.exists() and not (folder and path.is_dir() and not any(path.iterdir())):
        raise UsageError(f"{path} is there already; nothing was overwritten. {mend}")


def free_name(path: Path) -> Path:
    """``path``, or where that is taken, ``name-2``, ``name-3`` …: nothing is ever overwritten."""
    number, free = 2, path
    while free.exists():
        free = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return free


def quoted(path: Path | str) -> str:
    """A path as it can be pasted into this system's shell."""
    text = str(path)
    if os.name == "nt":
        return text if re.fullmatch(r"[\w\\:.\-]+", text) else f'"{text}"'
    return shlex.quote(text)
