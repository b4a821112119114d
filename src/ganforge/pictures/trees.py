"""Files by name, wherever they lie: a folder here, a zip or tar in `ganforge.pictures.archives`.

The readers of layouts see no difference. Nothing is ever unpacked to the disk by the names of an archive, so a name such as ``../../etc/passwd`` can do no harm;
such members are passed over all the same and listed, because an archive that holds them is not what it claims to be.
"""

import hashlib
import os
import re
import struct
import tarfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from ganforge.pictures.collection import Skipped, UnreadablePicture
from ganforge.pictures.texts import decode_names
from ganforge.progress import Progress, silent

LARGEST_FILE = 512 * 2**20
"""No single picture has more bytes than this; a member of an archive that claims more is a bomb or no picture."""

ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".txz", ".tbz2", ".7z", ".rar", ".tar.zst", ".cbz")
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
        paths: dict[bytes, str] = {}
        skipped: dict[bytes, str] = {}
        if only is None:
            _walk(folder, "", paths, skipped, frozenset())
        else:
            paths = {os.fsencode(name): name for name in only}
        names = dict(zip([*paths, *skipped], decode_names([*paths, *skipped]), strict=True))
        self._paths = {names[raw]: path for raw, path in paths.items() if not QUIET.search(names[raw])}
        self.files = tuple(sorted(self._paths))
        self.skipped = tuple(Skipped(names[raw], reason) for raw, reason in skipped.items())

    def path(self, name: str) -> Path:
        """Where the file ``name`` lies."""
        return self.location / self._paths[name]

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


def _walk(
    folder: Path, prefix: str, paths: dict[bytes, str], skipped: dict[bytes, str], above: frozenset[tuple[int, int]]
) -> None:
    here = os.stat(folder)
    identity = (here.st_dev, here.st_ino)
    if identity in above and here.st_ino:
        skipped[os.fsencode(prefix)] = "a link back to a folder above it"
        return
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        skipped[os.fsencode(prefix or ".")] = f"folder cannot be read: {error.strerror or error}"
        return
    for entry in entries:
        name = prefix + entry.name
        if QUIET.search(entry.name):
            continue
        try:
            if entry.is_dir():
                _walk(Path(entry.path), name + "/", paths, skipped, above | {identity})
            elif entry.is_file():
                paths[os.fsencode(name)] = name
            else:
                skipped[os.fsencode(name)] = "a link to nothing" if entry.is_symlink() else "not a regular file"
        except OSError as error:
            skipped[os.fsencode(name)] = f"cannot be read: {error.strerror or error}"
