"""Files by name, wherever they lie: a folder, a zip, a tar. The readers of layouts see no difference.

Nothing is ever unpacked to the disk by the names of an archive, so a name such as ``../../etc/passwd`` can do no harm;
such members are passed over all the same and listed, because an archive that holds them is not what it claims to be.
"""

import hashlib
import os
import re
import stat
import struct
import tarfile
import tempfile
import weakref
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from ganforge.errors import PicturesError
from ganforge.pictures.collection import Skipped, UnreadablePicture
from ganforge.pictures.texts import decode_names
from ganforge.progress import Progress, silent

LARGEST_FILE = 512 * 2**20
"""No single picture has more bytes than this; a member of an archive that claims more is a bomb or no picture."""

ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".txz", ".tbz2", ".7z", ".rar", ".tar.zst", ".cbz")
_QUIET = re.compile(r"(^|/)(\.[^/]*|__MACOSX|Thumbs\.db|desktop\.ini|@eaDir|\$RECYCLE\.BIN)(/|$)", re.IGNORECASE)
_BLOCK = 2**20


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
        self._paths = {names[raw]: path for raw, path in paths.items() if not _QUIET.search(names[raw])}
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
        if _QUIET.search(entry.name):
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


class _Archive(FileTree):
    """What zip and tar share: members by name, opened again in every process."""

    _members: dict[str, Any]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None}

    def _keep(self, names: Sequence[str], members: Sequence[Any], refused: Sequence[str | None]) -> None:
        """Sort out the members by name and by what was found wrong with them."""
        self._members, skipped = {}, []
        for name, member, reason in zip(names, members, refused, strict=True):
            safe = re.sub(r"^(\./)+", "", name.replace("\\", "/"))
            if _QUIET.search(safe):
                continue
            if safe.startswith("/") or re.match(r"^[A-Za-z]:", safe) or ".." in safe.split("/") or "\0" in safe:
                skipped.append(Skipped(name.replace("\0", "�"), "an unsafe name: it points outside the archive"))
            elif reason is not None:
                skipped.append(Skipped(safe, reason))
            elif safe.lower().endswith(ARCHIVES):
                skipped.append(Skipped(safe, "an archive inside an archive: unpack it first"))
            elif safe in self._members:
                skipped.append(Skipped(safe, "the archive holds this name twice; the first one is used"))
            else:
                self._members[safe] = member
        self.files = tuple(sorted(self._members))
        self.skipped = tuple(skipped)

    def digest(self, names: Sequence[str], progress: Progress = silent) -> str:
        """See `FileTree.digest`. The whole archive is hashed: one long read is faster than many short ones."""
        whole = hashlib.blake2b(digest_size=16)
        total = self.location.stat().st_size
        with self.location.open("rb") as file:
            while block := file.read(_BLOCK):
                whole.update(block)
                progress("looking for changes", file.tell(), total)
        return whole.hexdigest()


class ZipTree(_Archive):
    """A zip. Names without the UTF-8 flag are decoded by the best guess over all of them."""

    def __init__(self, path: Path) -> None:
        self.location = path
        self._file: zipfile.ZipFile | None = None
        infos = [info for info in self._zip().infolist() if not info.is_dir()]
        legacy = [info for info in infos if not info.flag_bits & 0x800]
        decoded = dict(zip(map(id, legacy), decode_names([_raw_name(info) for info in legacy]), strict=True))
        self._keep([decoded.get(id(info), info.filename) for info in infos], infos, [_refused(info) for info in infos])

    def _zip(self) -> zipfile.ZipFile:
        if self._file is None:
            try:
                self._file = zipfile.ZipFile(self.location)
            except (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError) as error:
                raise PicturesError(
                    f"{self.location} cannot be opened as a zip ({error}). It may be cut off: download or copy it again."
                ) from None
        return self._file

    def open(self, name: str) -> IO[bytes]:
        """See `FileTree.open`."""
        return self._zip().open(self._members[name])

    def size(self, name: str) -> int:
        """See `FileTree.size`."""
        size: int = self._members[name].file_size
        return size


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    """The name's bytes as they stand in a zip without the UTF-8 flag, or the UTF-8 name that Info-ZIP adds."""
    raw = info.orig_filename.encode("cp437", errors="replace")
    extra = info.extra
    while len(extra) >= 4:
        tag, size = struct.unpack_from("<HH", extra)
        field = extra[4 : 4 + size]
        if tag == 0x7075 and len(field) > 5 and struct.unpack_from("<I", field, 1)[0] == zlib.crc32(raw):
            return field[5:]
        extra = extra[4 + size :]
    return raw


def _refused(info: zipfile.ZipInfo) -> str | None:
    if info.flag_bits & 0x1:
        return "encrypted"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a link inside an archive"
    return None


class TarTree(_Archive):
    """A tar, plain or compressed. A compressed one is unpacked once into a plain temporary one, for random access."""

    def __init__(self, path: Path) -> None:
        self.location = path
        self._file: IO[bytes] | None = None
        self._plain, cut = _plain_tar(path)
        if self._plain != path:
            # Gone with this object; workers hold copies without a finalizer and end earlier.
            weakref.finalize(self, self._plain.unlink, missing_ok=True)
        members: list[tarfile.TarInfo] = []
        try:
            with tarfile.open(self._plain, "r:") as tar:
                for member in tar:
                    members.append(member)
        except (tarfile.TarError, OSError, EOFError, ValueError) as error:
            cut = cut or str(error)
        members = [member for member in members if not member.isdir()]
        size = self._plain.stat().st_size
        names = decode_names([os.fsencode(m.name) if os.name != "nt" else m.name.encode("utf-8", "surrogateescape") for m in members])
        self._keep(
            names,
            [(member.offset_data, member.size) for member in members],
            [
                "a link inside an archive"
                if member.issym() or member.islnk()
                else "not a regular file"
                if not member.isreg() or member.issparse()
                else "cut off: the archive ends before it does"
                if member.offset_data + member.size > size
                else None
                for member in members
            ],
        )
        if cut is not None:
            if not self.files:
                raise PicturesError(f"{path} cannot be opened as a tar ({cut}). It may be cut off: download it again.")
            self.skipped += (Skipped(path.name, f"the archive is cut off after {len(self.files)} files: {cut}"),)

    def open(self, name: str) -> IO[bytes]:
        """See `FileTree.open`."""
        import io

        if self._file is None:
            self._file = self._plain.open("rb")
        offset, size = self._members[name]
        self._file.seek(offset)
        return io.BytesIO(self._file.read(size))

    def size(self, name: str) -> int:
        """See `FileTree.size`."""
        size: int = self._members[name][1]
        return size
