"""Files by name, wherever they lie: a folder here, a zip or tar in `ganforge.pictures.archives`.

The readers of layouts see no difference. Nothing is ever unpacked to the disk by the names of an archive, so a name
like ``../../etc/passwd`` can do no harm; such members are passed over all the same and listed, because an archive that
holds them is not what it claims to be.
"""

import hashlib
import os
import re
import struct
import tarfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ganforge.pictures.collection import Skipped, UnreadablePicture
from ganforge.pictures.texts import decode_names
from ganforge.progress import Progress, silent

LARGEST_FILE = 512 * 2**20
"""No single picture has more bytes than this; a member of an archive that claims more is a bomb or no picture."""

ARCHIVES = (
    ".zip",
    ".cbz",
    ".tar",
    ".tgz",
    ".tar.gz",
    ".tar.xz",
    ".tar.bz2",
    ".txz",
    ".tbz2",
    ".tar.zst",
    ".7z",
    ".rar",
)
QUIET = re.compile(r"(^|/)(\.[^/]*|__MACOSX|Thumbs\.db|desktop\.ini|@eaDir|\$RECYCLE\.BIN)(/|$)", re.IGNORECASE)


class FileTree(ABC):
    """Files by name.

    Attributes:
        location: the folder or archive.
        files: Unicode names relative to it, with forward slashes, sorted; what systems leave behind (``.DS_Store``,
            ``__MACOSX``, ``Thumbs.db``) is not among them.
        skipped: what cannot be read or must not be, with reasons.
    """

    location: Path
    files: tuple[str, ...]
    skipped: tuple[Skipped, ...]

    @abstractmethod
    def open(self, name: str) -> IO[bytes]:
        """The file ``name``, for reading. Raises OSError, UnreadablePicture and what the archive's library raises."""

    @abstractmethod
    def size(self, name: str) -> int:
        """Bytes of the file ``name``, unpacked."""

    @abstractmethod
    def digest(self, names: Sequence[str], progress: Progress = silent) -> str:
        """A hash of the contents of ``names`` (or of the whole archive that holds them)."""

    def read(self, name: str, most: int = LARGEST_FILE) -> bytes:
        """The bytes of the file ``name``. Raises UnreadablePicture."""
        try:
            if self.size(name) > most:
                raise UnreadablePicture(f"{self.size(name):,} bytes: more than any picture has")
            with self.open(name) as file:
                return file.read(most)
        except PermissionError:
            raise UnreadablePicture("no permission to read it") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, tarfile.TarError, struct.error, ValueError) as error:
            raise UnreadablePicture(f"damaged in the archive: {error or type(error).__name__}") from None
        except NotImplementedError:
            raise UnreadablePicture("compressed by a method that Python cannot unpack; zip it again") from None
        except RuntimeError:
            raise UnreadablePicture("encrypted") from None
        except OSError as error:
            raise UnreadablePicture(f"cannot be read: {error.strerror or error}") from None

    def head(self, name: str, count: int = 32) -> bytes:
        """The first bytes of the file ``name``; nothing if it cannot be read."""
        try:
            with self.open(name) as file:
                return file.read(count)
        except Exception:
            return b""  # whoever reads the whole file will say what is wrong with it


class FolderTree(FileTree):
    """A folder, with everything below it. Links are followed, as the user's own; circles of links are not."""

    def __init__(self, folder: Path, only: Sequence[str] | None = None) -> None:
        self.location = folder
        found = [Found(name, folder / name) for name in only] if only is not None else list(walk(folder))
        names = decode_names([os.fsencode(entry.name) for entry in found])
        # A name that is no Unicode is shown as the best guess, but opened as it is.
        self._paths = {name: entry.path for name, entry in zip(names, found, strict=True) if entry.reason is None}
        self.files = tuple(sorted(self._paths))
        self.skipped = tuple(Skipped(n, e.reason) for n, e in zip(names, found, strict=True) if e.reason is not None)

    def path(self, name: str) -> Path:
        """Where the file ``name`` lies."""
        return self._paths[name]

    def open(self, name: str) -> IO[bytes]:
        """See `FileTree.open`."""
        return self.path(name).open("rb")

    def size(self, name: str) -> int:
        """See `FileTree.size`."""
        return self.path(name).stat().st_size

    def digest(self, names: Sequence[str], progress: Progress = silent) -> str:
        """See `FileTree.digest`."""
        whole = hashlib.blake2b(digest_size=16)
        for done, name in enumerate(names):
            if done % 256 == 0:
                progress("looking for changes", done, len(names))
            try:
                whole.update(hashlib.blake2b(self.path(name).read_bytes(), digest_size=16).digest())
            except OSError as error:
                whole.update(f"unreadable {error.errno}".encode())
        return whole.hexdigest()


@dataclass(frozen=True)
class Found:
    """One entry of a folder: a file, or the reason why it cannot be read."""

    name: str
    path: Path
    reason: str | None = None


def walk(folder: Path, prefix: str = "", above: frozenset[tuple[int, int]] = frozenset()) -> Iterator[Found]:
    """All files below a folder, sorted, hidden ones left out; what cannot be read comes with a reason."""
    try:
        here = folder.stat()
        identity = (here.st_dev, here.st_ino)
        if identity in above and here.st_ino:
            yield Found(prefix.rstrip("/"), folder, "a link back to a folder above it")
            return
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        yield Found(prefix.rstrip("/") or ".", folder, f"folder cannot be read: {error.strerror or error}")
        return
    for entry in entries:
        name, path, reason = prefix + entry.name, Path(entry.path), None
        if QUIET.search(entry.name):
            continue
        try:
            if entry.is_dir():
                yield from walk(path, name + "/", above | {identity})
                continue
            if not entry.is_file():
                reason = "a link to nothing" if entry.is_symlink() else "not a regular file"
        except OSError as error:
            reason = f"cannot be read: {error.strerror or error}"
        yield Found(name, path, reason)
