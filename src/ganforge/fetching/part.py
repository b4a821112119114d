"""What of a download is on the disk, whose bytes they are, whether they are right, and what the disk's errors mean."""

import errno
import hashlib
import json
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ganforge.errors import FetchError
from ganforge.files import replacing, to_disk


@dataclass(frozen=True)
class Promise:
    """What is known of a file beforehand: its sha256 and md5 in hexadecimal, its size in bytes; None where unknown."""

    sha256: str | None
    md5: str | None
    size: int | None

    @property
    def hashed(self) -> bool:
        """Whether a wrong byte would be found."""
        return bool(self.sha256 or self.md5)

    def compare(self, path: Path, tell: Callable[[int, int], None]) -> tuple[str, str | None]:
        """Read a file: its sha256, and in words how it differs; None where it does not. ``tell``: bytes read, of all."""
        sha256, md5, done = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        with on_disk(path.parent), path.open("rb") as file:
            size = path.stat().st_size
            while piece := file.read(2**20):
                sha256.update(piece)
                md5.update(piece)
                done += len(piece)
                tell(done, size)
        if self.size is not None and done != self.size:
            return sha256.hexdigest(), f"it has {done:,} bytes, {self.size:,} were expected"
        for known, came in ((self.sha256, sha256), (self.md5, md5)):
            if known is not None and came.hexdigest() != known.lower():
                differs = f"its {came.name} is {came.hexdigest()}, {known.lower()} was expected"
                return sha256.hexdigest(), differs
        return sha256.hexdigest(), None


@dataclass(frozen=True)
class Version:
    """Which file the server speaks of: its ETag, its Last-Modified, its length in bytes; None where untold."""

    etag: str | None
    modified: str | None
    total: int | None

    @property
    def condition(self) -> str | None:
        """For If-Range, which takes no weak ETag."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified

    def differs(self, other: "Version") -> bool:
        """Whether anything that both tell is not the same."""
        pairs = zip(asdict(self).values(), asdict(other).values(), strict=True)
        return any(a is not None and b is not None and a != b for a, b in pairs)


class Part:
    """``target.part`` and its note.

    Attributes:
        length: bytes that are there and can be gone on from.
        kept: how many of them an earlier call has left.
        version: of the file that they begin; None where there are none.
    """

    def __init__(self, target: Path, url: str, hashed: bool) -> None:
        """Take up what an earlier call has left of ``url``. ``hashed``: the whole will be checked against a hash."""
        self.path = target.with_name(f"{target.name}.part")
        self._note = target.with_name(f"{target.name}.part.json")
        self._url, self._folder, self._hashed = url, target.parent, hashed
        self.version = self._noted()
        there = self.path.stat().st_size if self.path.exists() else 0
        if there and not self._note.exists():  # Firefox gives its unfinished downloads the same name
            raise FetchError(f"{self.path} is there already, and some other program's. Move it away.")
        self.length = there if self.version is not None else 0
        self.kept = self.length
        self.settle()

    def _noted(self) -> Version | None:
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            return Version(**note["version"]) if note["url"] == self._url else None
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def begin(self, version: Version) -> None:
        """Start over, with this version of the file."""
        with on_disk(self._folder):
            self.path.write_bytes(b"")  # first: a kill must not leave old bytes under a new note
            with replacing(self._note) as file:
                file.write_text(json.dumps({"url": self._url, "version": asdict(version)}), encoding="utf-8")
        self.version, self.length, self.kept = version, 0, 0

    def extend(self, pieces: Iterator[bytes]) -> Generator[int, None, None]:
        """Write pieces as they come; the length after each."""
        with on_disk(self._folder):
            file = self.path.open("ab", buffering=0)
        with file:
            for piece in pieces:
                rest = memoryview(piece)
                with on_disk(self._folder):
                    while rest:
                        rest = rest[file.write(rest) :]
                self.length += len(piece)
                yield self.length

    def settle(self) -> None:
        """Before going on: throw the bytes away if nothing could tell whether what comes next belongs to them."""
        if not self._hashed and (self.version is None or self.version.condition is None):
            self.discard()

    def discard(self) -> None:
        """Throw the bytes away."""
        with on_disk(self._folder):
            self.path.unlink(missing_ok=True)
            self._note.unlink(missing_ok=True)
        self.version, self.length, self.kept = None, 0, 0

    def finish(self, target: Path) -> None:
        """Make it the target, if nothing else has taken that name meanwhile."""
        with on_disk(self._folder):
            to_disk(self.path)
            if target.exists():
                raise FetchError(f"{target} has appeared meanwhile, and nothing is overwritten. Move it away first.")
            self.path.rename(target)
            self._note.unlink(missing_ok=True)


@contextmanager
def on_disk(folder: Path) -> Iterator[None]:
    """Say what a disk's errors mean: FetchError instead of OSError."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
            raise FetchError(
                f"The disk of {folder} is full. Make room and give the same command: what has come is kept, and it goes"
                " on from there. Or choose another folder."
            ) from None
        raise FetchError(
            f"Nothing can be written to {folder} ({error.strerror or error}). Choose a folder that you may write to."
        ) from None


@contextmanager
def alone(target: Path) -> Iterator[None]:
    """One process at a time writes the part. Makes the folder. Raises FetchError where another one is at it."""
    path = target.with_name(f"{target.name}.part.lock")
    lock = FileLock(path)
    with on_disk(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise FetchError(f"Another process is fetching {target} just now. Wait for it, or stop it.") from None
    try:
        yield
    finally:
        if os.name != "nt":
            path.unlink(missing_ok=True)  # while it is held; Windows removes it by itself
        lock.release()
