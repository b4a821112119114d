"""Zip and tar as file trees, with what is hostile or strange in them passed over and listed."""

import bz2
import contextlib
import gzip
import hashlib
import io
import lzma
import re
import shutil
import stat
import struct
import tarfile
import unicodedata
import weakref
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from ganforge.errors import PicturesError
from ganforge.pictures.cache import scratch_file
from ganforge.pictures.collection import Skipped
from ganforge.pictures.texts import decode_names
from ganforge.pictures.trees import ARCHIVES, LARGEST_FILE, QUIET, FileTree
from ganforge.progress import Progress, silent

_BLOCK = 2**20


class _Archive(FileTree):
    """What zip and tar share: members by name."""

    _members: dict[str, Any]

    def _keep(self, names: Sequence[str], members: Sequence[Any], refused: Sequence[str | None]) -> None:
        """Sort out the members by name and by what was found wrong with them."""
        self._members, skipped = {}, []
        for name, member, reason in zip(names, members, refused, strict=True):
            safe = re.sub(r"^(\./)+", "", unicodedata.normalize("NFC", name).replace("\\", "/"))
            if safe.startswith("/") or re.match(r"^[A-Za-z]:", safe) or ".." in safe.split("/") or "\0" in safe:
                skipped.append(Skipped(name.replace("\0", "�"), "an unsafe name: it points outside the archive"))
            elif QUIET.search(safe):
                continue
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

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None}  # opened again in every process

    def _zip(self) -> zipfile.ZipFile:
        if self._file is None:
            try:
                self._file = zipfile.ZipFile(self.location)
            except (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError) as error:
                raise PicturesError(
                    f"{self.location} cannot be opened as a zip ({error}). It may be cut off: download it again."
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
        self._plain, cut = _plain_tar(path)
        if self._plain != path:
            # Gone with this object; workers hold copies without a finalizer and end earlier.
            weakref.finalize(self, self._plain.unlink, missing_ok=True)
        members: list[tarfile.TarInfo] = []
        try:
            with tarfile.open(self._plain, "r:", encoding="utf-8") as tar:
                for member in tar:
                    members.append(member)
        except (tarfile.TarError, OSError, EOFError, ValueError) as error:
            cut = cut or str(error)
        size = self._plain.stat().st_size
        end = members[-1].offset_data + members[-1].size if members else 0
        if cut is None and size - end < 2 * tarfile.BLOCKSIZE:
            cut = "its end mark is missing"
        members = [member for member in members if not member.isdir()]
        names = decode_names([member.name.encode("utf-8", "surrogateescape") for member in members])
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
        offset, size = self._members[name]
        with self._plain.open("rb") as file:
            file.seek(offset)
            return io.BytesIO(file.read(min(size, LARGEST_FILE)))

    def size(self, name: str) -> int:
        """See `FileTree.size`."""
        size: int = self._members[name][1]
        return size


_COMPRESSED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}


def _plain_tar(path: Path) -> tuple[Path, str | None]:
    """The tar itself, or a temporary unpacked copy; and what went wrong on the way, if it was cut off."""
    with path.open("rb") as file:
        head = file.read(8)
    opener = next((opener for magic, opener in _COMPRESSED.items() if head.startswith(magic)), None)
    if opener is None:
        return path, None
    plain = scratch_file(".tar")
    cut = None
    with plain.open("wb") as target, contextlib.closing(opener(path, "rb")) as packed:
        while True:
            try:
                block = packed.read(_BLOCK)
            except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
                cut = str(error)
                break
            if not block:
                break
            if shutil.disk_usage(plain.parent).free < 4 * _BLOCK:
                target.close()
                plain.unlink(missing_ok=True)
                raise PicturesError(
                    f"{path} does not fit on the disk when unpacked. Free space where {plain.parent} lies, or set the"
                    " environment variable GANFORGE_CACHE to a folder on a larger disk."
                )
            target.write(block)
    return plain, cut
