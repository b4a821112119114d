"""One download: ask, receive, check; and ask again."""

import http.client
import random
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from ganforge.errors import FetchError
from ganforge.fetching import answers
from ganforge.fetching.part import Part, Promise, Version, alone, on_disk
from ganforge.progress import Progress, silent

PAGE = 2**18
"""Bytes of a web page that are looked at."""
MOST_PAGES = 3

PageReader = Callable[[str, str], str | None]
"""``read_page(text, url)``, for a web page that came instead of the file: the address to ask instead, or None where the
page says nothing that is known. A FetchError with a reason (no full stop) ends the download; where to get the file by
hand is added to it."""


@dataclass(frozen=True)
class Fetched:
    """A file that was brought.

    Attributes:
        path: where it is.
        sha256: of its bytes, in hexadecimal.
        bytes: its length.
        resumed_from: how many of them were on the disk before the call; equal to ``bytes`` where nothing was to be done.
    """

    path: Path
    sha256: str
    bytes: int
    resumed_from: int


@dataclass(frozen=True)
class Patience:
    """How long a download is tried.

    Attributes:
        attempts: that may fail in a row without bringing a byte that was not there before.
        timeout: seconds without a byte after which a connection counts as dead.
        first_wait: seconds before the second attempt; doubled each time, less up to a half by chance.
        longest_wait: seconds, of our own accord.
        longest_asked: seconds, where the server asks for them (Retry-After).
        sleep: waits for so many seconds.
    """

    attempts: int = 6
    timeout: float = 30.0
    first_wait: float = 1.0
    longest_wait: float = 30.0
    longest_asked: float = 120.0
    sleep: Callable[[float], None] = time.sleep


def fetch(
    url: str,
    target: Path,
    *,
    what: str,
    sha256: str | None = None,
    md5: str | None = None,
    size: int | None = None,
    headers: Mapping[str, str] | None = None,
    by_hand: str | None = None,
    read_page: PageReader | None = None,
    progress: Progress = silent,
    patience: Patience | None = None,
) -> Fetched:
    """Bring ``url`` to ``target``, which appears only when it is whole. Its folder is made.

    A target that is there already is checked against what is known of it and left alone; a different one is an error,
    and never overwritten. Proxies are taken from the environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY).

    Args:
        url: http or https.
        target: the file to make.
        what: the file in a few words, for progress and messages.
        sha256: in hexadecimal, where known.
        md5: likewise.
        size: bytes, where known.
        headers: sent along.
        by_hand: the address for a person's browser, told when nothing else helps; ``url`` unless given.
        read_page: asked about a web page that comes instead of the file.
        progress: called with bytes; a total of 0 where nobody has told it.
        patience: how long to try.

    Raises:
        FetchError: what came, what that usually means, and how to get the file by hand.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"only http and https can be fetched, not {url!r}")
    download = _Download(
        url=url,
        target=target,
        what=what,
        promise=Promise(sha256, md5, size),
        headers={"User-Agent": "ganforge", **(headers or {})},
        by_hand=by_hand or url,
        read_page=read_page,
        progress=progress,
        patience=patience or Patience(),
    )
    if target.exists():
        return download.found()
    with alone(target):
        return download.found() if target.exists() else download.run()  # another process may just have brought it


def in_words(count: int) -> str:
    """A number of bytes: 1443490838 → "1.44 GB"."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count} bytes"


class _TryAgainError(Exception):
    """This attempt failed, another may succeed. ``wait``: seconds that the server asks for."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class _WrongFileError(Exception):
    """What comes is not what was promised."""


@dataclass
class _Download:
    url: str
    target: Path
    what: str
    promise: Promise
    headers: Mapping[str, str]
    by_hand: str
    read_page: PageReader | None
    progress: Progress
    patience: Patience
    part: Part = field(init=False)

    def found(self) -> Fetched:
        """The target is there already."""
        if not self.target.is_file():
            raise FetchError(f"{self.target} is there already and is no file. Move it away, or choose another folder.")
        sha256, broken = self.promise.compare(self.target, self._tell_checking)
        if broken:
            raise FetchError(
                f"{self.target} is there already, but it is another file: {broken}. Nothing was overwritten. Move it"
                " away, or choose another folder."
            )
        size = self.target.stat().st_size
        return Fetched(self.target, sha256, size, resumed_from=size)

    def run(self) -> Fetched:
        """Until the file is there, or there is no hope."""
        self.part = Part(self.target, self.url, self.promise.hashed)
        most, fruitless, wrong = self.part.length, 0, False
        while True:
            try:
                while self._stretch():
                    pass
                sha256 = self._checked()
                self.part.finish(self.target)
                return Fetched(self.target, sha256, self.part.length, self.part.kept)
            except _WrongFileError as error:
                if wrong:
                    raise self._failure(
                        f"twice another file came than was promised: {error}. The publisher has changed it, or something"
                        " on the way does (a proxy, a virus scanner). Nothing of it is used"
                    ) from None
                wrong = True
                self._pause(str(error), 0, 0.0)
            except _TryAgainError as error:
                fruitless = 0 if self.part.length > most else fruitless + 1
                most = max(most, self.part.length)
                if fruitless >= self.patience.attempts:
                    kept = f"; {in_words(self.part.length)} are kept, and the same command goes on from there"
                    raise self._failure(
                        f"{error}. Tried {fruitless} times in vain{kept if self.part.length else ''}"
                    ) from None
                self._pause(str(error), fruitless, error.wait)

    def _pause(self, reason: str, fruitless: int, asked: float) -> None:
        p = self.patience
        own = min(p.first_wait * 2 ** max(0, fruitless - 1), p.longest_wait) * random.uniform(0.5, 1.0)
        seconds = max(own, min(asked, p.longest_asked))
        self._tell(f"{self.what}: {reason}; again in {seconds:.0f} s")
        p.sleep(seconds)

    def _tell(self, what: str) -> None:
        self.progress(what, self.part.length, self._total() or 0)

    def _total(self) -> int | None:
        announced = self.part.version.total if self.part.version else None
        return announced if announced is not None else self.promise.size

    def _stretch(self) -> bool:
        """Bring what one answer brings; whether more is to come. Raises _TryAgainError, _WrongFileError, FetchError."""
        self.part.settle()
        if self.part.length and self.part.length == self._total():
            return False  # killed between the last byte and the check
        try:
            response, head, broken = self._answer()
            with response:
                return self._receive(response, head, broken, self._agreed(response))
        except urllib.error.HTTPError as error:
            with error:
                if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    self.part.discard()
                    raise _TryAgainError("the server has no such bytes") from None
                if answers.may_pass(error):
                    raise _TryAgainError(answers.refusal(error), answers.retry_after(error)) from None
                raise self._failure(answers.refusal(error)) from None
        except (OSError, http.client.HTTPException) as error:
            said, may_pass = answers.trouble(error, urlsplit(self.url).hostname, self.patience.timeout)
            raise (_TryAgainError(said) if may_pass else self._failure(said)) from None

    def _answer(self) -> tuple[http.client.HTTPResponse, bytes, Exception | None]:
        """The answer that carries the file, its first bytes, and what broke while they were read."""
        url, version, opener = self.url, self.part.version, answers.opener()
        for _ in range(MOST_PAGES):
            request = urllib.request.Request(url, headers=dict(self.headers))
            if self.part.length:
                request.add_header("Range", f"bytes={self.part.length}-")
                if version and version.condition:
                    request.add_header("If-Range", version.condition)
            response = opener.open(request, timeout=self.patience.timeout)
            head, broken = answers.head_of(response)
            if not answers.is_page(response, head):
                return response, head, broken
            with response:
                text = (head + response.read(PAGE)).decode("utf-8", "replace")
            try:
                following = self.read_page(text, response.url) if self.read_page else None
            except FetchError as error:
                raise self._failure(str(error)) from None
            if following is None:
                title = answers.title_of(text)
                raise self._failure(
                    f"a web page came instead of the file{f', titled {title!r}' if title else ''}. That is usually a login,"
                    " a notice, or the page of a network that wants a word first"
                )
            url = following
        raise self._failure("one web page after another came instead of the file")

    def _agreed(self, response: http.client.HTTPResponse) -> int | None:
        """Settle where the body begins; the offset at which it must end, if that is told."""
        total = end = answers.content_length(response)
        if response.status == HTTPStatus.PARTIAL_CONTENT:
            told = answers.content_range(response)
            if told is None or told[0] != self.part.length or told[1] <= told[0]:
                self.part.discard()
                raise _TryAgainError("the server sent other bytes than it was asked for")
            _, end, total = told
        elif response.status != HTTPStatus.OK:
            raise self._failure(f"the server answered {response.status} ({response.reason}) instead of the file")
        if self.promise.size is not None and total is not None and total != self.promise.size:
            raise _WrongFileError(f"the server has a file of {total:,} bytes, {self.promise.size:,} were expected")
        version = Version(response.headers.get("ETag"), response.headers.get("Last-Modified"), total)
        if response.status == HTTPStatus.OK or not self.part.length:
            self.part.begin(version)
        elif self.part.version is None or self.part.version.differs(version):
            self.part.discard()
            raise _TryAgainError("the file has changed on the server")
        self._check_space()
        return end

    def _check_space(self) -> None:
        missing, folder = (self._total() or 0) - self.part.length, self.target.parent
        with on_disk(folder):
            free = shutil.disk_usage(folder).free
        if missing > free:
            raise FetchError(
                f"{self.what} needs {in_words(missing)} more, but the disk of {folder} has only {in_words(free)} free."
                " Make room, or choose another folder."
            )

    def _receive(
        self, response: http.client.HTTPResponse, head: bytes, broken: Exception | None, end: int | None
    ) -> bool:
        """Append the body; whether more is to come."""
        limit = end if end is not None else self.promise.size
        self._tell(self.what)
        with closing(self.part.extend(answers.pieces(response, head, broken))) as lengths:
            for length in lengths:
                self._tell(self.what)
                if limit is not None and length > limit:
                    break
        if limit is not None and self.part.length > limit:
            self.part.discard()
            raise _WrongFileError(f"more bytes came than the {limit:,} that were expected")
        if self.part.length < (limit or 1):
            raise _TryAgainError("the connection broke off" if self.part.length else "nothing came")
        return self.part.length < (self._total() or 0)

    def _checked(self) -> str:
        """The sha256 of the whole part."""
        sha256, broken = self.promise.compare(self.part.path, self._tell_checking)
        if broken:
            self.part.discard()
            raise _WrongFileError(broken)
        return sha256

    def _tell_checking(self, done: int, size: int) -> None:
        self.progress(f"checking {self.what}", done, size)

    def _failure(self, reason: str) -> FetchError:
        return FetchError(
            f"{self.what}: {reason}. By hand: open {self.by_hand} in a browser and save the file as {self.target}."
        )
