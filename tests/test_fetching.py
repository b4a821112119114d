"""Downloads against a server that does everything wrong, and `ganforge data fetch celeba` from a server of our own."""

import errno
import hashlib
import importlib
import os
import random
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ganforge.cli
from fixtures_pictures import encode, pixels, zipped
from ganforge.errors import FetchError, UnknownNameError
from ganforge.fetching import Fetched, Patience, fetch, in_words
from ganforge.fetching.answers import opener
from ganforge.pictures import fetch as data_sets
from ganforge.pictures import find_collection
from ganforge.pictures.fetch import CELEBA, choose_files, find_data_set, read_drive_page
from ganforge.pictures.readers import celeba as celeba_reader

cli_data = importlib.import_module("ganforge.cli.data")

CONTENT = random.Random(1).randbytes(300_000)
OTHER = random.Random(2).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()
PAGE = b"<!DOCTYPE html><html><head><title>Please  log in</title></head><body>...</body></html>"


# --- a server that does as it is told ---------------------------------------------------------------------------------


@dataclass
class Act:
    """How one request is answered; the default is as it should be."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content: bytes | None = None  # from now on, the file itself
    etag: str | None = None  # from now on
    drop_after: int | None = None  # bytes of the body, then the connection ends
    reset: bool = False  # ends it with a RST
    range_from: int | None = None  # sends from here, whatever was asked
    window: int | None = None  # sends no more than so many bytes of what was asked
    ignore_range: bool = False
    chunked: bool = False
    lengthless: bool = False
    stall: bool = False  # after drop_after bytes, nothing comes any more
    vanish: bool = False  # not even a status line


class Server(ThreadingHTTPServer):
    """Serves one file at any path; ``acts`` are used up, one a request."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.reset()

    def reset(self) -> None:
        self.content, self.etag, self.modified = CONTENT, '"one"', None
        self.files: dict[str, bytes] = {}
        self.acts: deque[Act] = deque()
        self.forever: Act | None = None
        self.asked: list[tuple[str, str | None, str | None]] = []  # path, Range, If-Range
        self.closing = threading.Event()

    def url(self, path: str = "/file.bin") -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    @property
    def ranges(self) -> list[str | None]:
        return [asked[1] for asked in self.asked]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        server.asked.append((self.path, self.headers.get("Range"), self.headers.get("If-Range")))
        act = server.acts.popleft() if server.acts else server.forever or Act()
        server.content = act.content if act.content is not None else server.content
        server.etag = act.etag if act.etag is not None else server.etag
        if act.vanish:
            return self.end(act)
        body, status, headers = self.answer(act)
        self.send_response(act.status or status)
        for name, value in (headers | act.headers).items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        sent = body if act.drop_after is None else body[: act.drop_after]
        try:
            if act.chunked:
                for at in range(0, len(sent), 1000):
                    piece = sent[at : at + 1000]
                    self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                if sent == body:
                    self.wfile.write(b"0\r\n\r\n")
            else:
                self.wfile.write(sent)
            if act.stall:
                server.closing.wait(10)
        except OSError:
            pass  # the other side has gone
        return self.end(act)

    def answer(self, act: Act) -> tuple[bytes, int, dict[str, str]]:
        server, status, start = self.server, 200, 0
        content = server.files.get(self.path, server.content)
        headers = {"Content-Type": "application/octet-stream"}
        headers |= {"ETag": server.etag} if server.etag else {}
        headers |= {"Last-Modified": server.modified} if server.modified else {}
        condition = self.headers.get("If-Range")
        same = condition is None or condition in (server.etag, server.modified)
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        body = content
        if asked and same and not act.ignore_range and act.body is None:
            start = int(asked[1]) if act.range_from is None else act.range_from
            if start >= len(content):
                return b"", 416, {"Content-Range": f"bytes */{len(content)}", "Content-Length": "0"}
            status, body = 206, content[start:]
            body = body if act.window is None else body[: act.window]
            headers["Content-Range"] = f"bytes {start}-{start + len(body) - 1}/{len(content)}"
        body = act.body if act.body is not None else body
        if act.chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif not act.lengthless:
            headers["Content-Length"] = str(len(body))
        return body, status, headers

    def end(self, act: Act) -> None:
        self.close_connection = True
        if act.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def server(running) -> Iterator[Server]:
    running.reset()
    yield running
    running.closing.set()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def bring(server, tmp_path, waits) -> Callable[..., Fetched]:
    """Fetch the server's file without losing time."""

    def call(target: Path | None = None, timeout: float = 5.0, attempts: int = 4, **more) -> Fetched:
        patience = Patience(attempts=attempts, timeout=timeout, sleep=waits.append)
        return fetch(
            more.pop("url", server.url()), target or tmp_path / "file.bin", what="a file", patience=patience, **more
        )

    return call


def only_the_file(folder: Path) -> bool:
    return sorted(path.name for path in folder.iterdir()) == ["file.bin"]


# --- what goes well ---------------------------------------------------------------------------------------------------


def test_a_file_comes_whole_with_progress_and_its_hash(bring, server, tmp_path):
    told = []
    fetched = bring(tmp_path / "new" / "file.bin", md5=MD5, size=len(CONTENT), progress=lambda *now: told.append(now))
    assert fetched == Fetched(tmp_path / "new" / "file.bin", SHA256, len(CONTENT), 0)
    assert fetched.path.read_bytes() == CONTENT
    assert only_the_file(fetched.path.parent)
    counted = [done for what, done, _ in told if what == "a file"]
    assert counted == sorted(counted)
    assert counted[-1] == len(CONTENT)
    assert {total for _, _, total in told} == {len(CONTENT)}
    assert server.ranges == [None]


def test_a_whole_file_is_not_fetched_again(bring, server):
    first = bring(sha256=SHA256.upper())
    assert bring(sha256=SHA256) == replace(first, resumed_from=len(CONTENT))
    assert len(server.asked) == 1


@pytest.mark.parametrize("known", [{"md5": MD5}, {"sha256": SHA256}, {"size": len(CONTENT)}])
def test_a_different_file_is_never_overwritten(bring, server, tmp_path, known):
    mine = tmp_path / "file.bin"
    mine.write_bytes(b"mine")
    with pytest.raises(
        FetchError, match=r"is there already, but it is another file.*(was|were) expected.*Move it away"
    ):
        bring(**known)
    assert mine.read_bytes() == b"mine"
    assert not server.asked


def test_a_folder_of_that_name_stays(bring, tmp_path):
    (tmp_path / "file.bin").mkdir()
    with pytest.raises(FetchError, match="is no file"):
        bring()


def test_a_part_of_some_other_program_stays(bring, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(b"Firefox")
    with pytest.raises(FetchError, match="some other program's"):
        bring()
    assert (tmp_path / "file.bin.part").read_bytes() == b"Firefox"


def test_a_name_that_is_taken_meanwhile_stays(bring, server, tmp_path):
    def take(what: str, done: int, _: int) -> None:
        if done == len(CONTENT):
            (tmp_path / "file.bin").write_bytes(b"mine")

    with pytest.raises(FetchError, match="appeared meanwhile"):
        bring(progress=take)
    assert (tmp_path / "file.bin").read_bytes() == b"mine"


def test_redirects_are_followed_also_with_a_range(bring, server):
    moved = Act(status=302, headers={"Location": server.url("/elsewhere")}, body=b"")
    server.acts += [moved, Act(drop_after=1000), moved]
    assert bring().path.read_bytes() == CONTENT
    assert server.asked[-1] == ("/elsewhere", "bytes=1000-", '"one"')


def test_no_redirect_leads_off_encryption():
    import urllib.error
    import urllib.request

    (follow,) = [h for h in opener().handlers if isinstance(h, urllib.request.HTTPRedirectHandler)]
    with pytest.raises(urllib.error.HTTPError, match="not safe") as caught:
        follow.redirect_request(urllib.request.Request("https://a.org"), None, 302, "Found", {}, "http://a.org")
    caught.value.close()
    assert follow.redirect_request(urllib.request.Request("http://a.org"), None, 302, "Found", {}, "https://a.org")


def test_proxies_come_from_the_environment(bring, server, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url(""))
    assert bring(url="http://somewhere.invalid/file.bin").path.read_bytes() == CONTENT
    assert server.asked[0][0] == "http://somewhere.invalid/file.bin"


def test_only_the_web_is_fetched(tmp_path):
    with pytest.raises(ValueError, match="only http and https"):
        fetch("file:///etc/passwd", tmp_path / "x", what="x")


# --- drops ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reset", [False, True])
def test_a_dropped_connection_is_resumed(bring, server, waits, reset):
    server.acts += [Act(drop_after=100_000, reset=reset), Act(drop_after=50_000, reset=reset), Act(vanish=True)]
    assert bring().path.read_bytes() == CONTENT
    if not reset:  # a RST may overtake bytes that were sent
        assert server.ranges == [None, "bytes=100000-", "bytes=150000-", "bytes=150000-"]
    assert len(waits) == 3


def test_a_stalled_connection_is_resumed(bring, server):
    server.acts += [Act(drop_after=70_000, stall=True)]
    assert bring(timeout=0.2).path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=70000-"]


def test_another_process_goes_on_after_a_kill(bring, server, tmp_path):
    """kill -9 in the middle of a download, and a resume by another process."""
    server.acts += [Act(drop_after=200_000, stall=True)]
    code = "import sys, pathlib; from ganforge.fetching import fetch; fetch(sys.argv[1], pathlib.Path(sys.argv[2]), what='x')"
    child = subprocess.Popen([sys.executable, "-c", code, server.url(), str(tmp_path / "file.bin")])
    part = tmp_path / "file.bin.part"
    until = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size == 200_000):
        assert time.monotonic() < until
        time.sleep(0.01)
    with pytest.raises(FetchError, match="Another process is fetching"):
        bring()
    child.kill()
    child.wait()
    fetched = bring()
    assert fetched.path.read_bytes() == CONTENT
    assert fetched.resumed_from == 200_000
    assert server.ranges == [None, "bytes=200000-"]
    assert only_the_file(tmp_path)


def test_a_kill_between_the_last_byte_and_the_check(bring, server, tmp_path, monkeypatch):
    def kill(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("ganforge.fetching.part.Part.finish", kill)
        with pytest.raises(KeyboardInterrupt):
            bring()
    assert bring().resumed_from == len(CONTENT)
    assert len(server.asked) == 1


def test_ctrl_c_keeps_the_part(bring, server, tmp_path):
    server.acts += [Act(drop_after=120_000, stall=True)]

    def stop(what: str, done: int, _: int) -> None:
        if done == 120_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(progress=stop)
    assert not (tmp_path / "file.bin").exists()
    assert bring().resumed_from == 120_000


def test_a_server_that_ignores_ranges_starts_over(bring, server):
    server.acts += [Act(drop_after=200_000), Act(ignore_range=True, drop_after=250_000), Act(ignore_range=True)]
    fetched = bring()
    assert fetched.path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=200000-", "bytes=250000-"]


def test_a_server_that_ignores_ranges_and_always_drops_ends(bring, server, tmp_path):
    server.forever = Act(ignore_range=True, drop_after=200_000)
    with pytest.raises(FetchError, match=r"broke off.*4 times in vain; 200 kB are kept.*By hand: open http"):
        bring()
    assert len(server.asked) == 5
    assert not (tmp_path / "file.bin").exists()


def test_a_server_that_sends_windows(bring, server, waits):
    server.acts += [Act(drop_after=100), *(Act(window=50_000) for _ in range(7))]
    assert bring().path.read_bytes() == CONTENT
    assert len(waits) == 1  # for the drop alone


@pytest.mark.parametrize("known", [{}, {"md5": MD5}])
def test_a_file_that_changes_is_never_glued(bring, server, known):
    server.acts += [Act(drop_after=100_000), Act(content=OTHER, etag='"two"')]
    if known:
        with pytest.raises(FetchError, match=f"md5 is {hashlib.md5(OTHER).hexdigest()}, {MD5} was expected"):
            bring(**known)
    else:
        assert bring().path.read_bytes() == OTHER


def test_a_file_that_changes_on_a_server_without_if_range(bring, server):
    server.etag, server.modified = None, format_datetime(datetime(2024, 1, 1, tzinfo=timezone.utc), usegmt=True)
    later = format_datetime(datetime(2025, 1, 1, tzinfo=timezone.utc), usegmt=True)
    deaf = Act(content=OTHER, headers={"Last-Modified": later})
    server.acts += [Act(drop_after=100_000), deaf, deaf]
    assert bring().path.read_bytes() == OTHER
    assert server.asked[1][2] == server.modified
    assert server.ranges == [None, "bytes=100000-", None]


def test_a_file_that_has_grown_shows_by_its_length(bring, server):
    server.etag = 'W/"weak"'
    server.acts += [Act(drop_after=100_000), Act(content=OTHER + b"more")]
    assert bring(sha256=hashlib.sha256(OTHER + b"more").hexdigest()).path.read_bytes() == OTHER + b"more"
    assert server.asked[1] == ("/file.bin", "bytes=100000-", None)  # no weak ETag in If-Range (RFC 9110, 13.1.5)


@pytest.mark.parametrize("known", [{}, {"md5": MD5}])
def test_without_a_version_only_a_hash_allows_to_resume(bring, server, known):
    server.etag = None
    server.acts += [Act(drop_after=100_000)]
    assert bring(**known).path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=100000-" if known else None]


@pytest.mark.parametrize("wrong", ["bytes 5-299999/300000", "bytes 100000-9/300000", "nonsense", "bytes 1e5-2e5/3e5"])
def test_a_wrong_content_range_is_found(bring, server, wrong):
    server.acts += [Act(drop_after=100_000), Act(headers={"Content-Range": wrong})]
    assert bring().path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=100000-", None]


def test_a_range_of_nothing_is_found(bring, server):
    nothing = Act(status=206, body=b"", headers={"Content-Range": "bytes 100000-99999/300000"})
    server.acts += [Act(drop_after=100_000), *[nothing] * 50]
    with pytest.raises(FetchError, match="other bytes than it was asked for"):
        bring()
    server.acts.clear()
    assert bring().path.read_bytes() == CONTENT


def test_bytes_of_another_place_are_found(bring, server):
    server.acts += [Act(drop_after=100_000), Act(range_from=99_999)]
    assert bring().path.read_bytes() == CONTENT


def test_a_part_that_is_too_long_starts_over(bring, server, tmp_path):
    server.acts += [Act(drop_after=100_000), Act(status=404, body=b"")]
    with pytest.raises(FetchError, match="404"):
        bring()
    with (tmp_path / "file.bin.part").open("ab") as part:
        part.write(bytes(400_000))
    assert bring().path.read_bytes() == CONTENT


def test_the_part_of_another_address_starts_over(bring, server, tmp_path):
    server.acts += [Act(drop_after=100_000), Act(status=404, body=b"")]
    with pytest.raises(FetchError, match="404"):
        bring()
    fetched = bring(url=server.url("/other.bin"))
    assert (fetched.path.read_bytes(), fetched.resumed_from) == (CONTENT, 0)


@pytest.mark.parametrize("note", ["", "[]", '{"url": 1}', '{"url": "URL", "version": {"x": 1}}', '{"url": "URL"}'])
def test_a_damaged_note_starts_over(bring, server, tmp_path, note):
    (tmp_path / "file.bin.part").write_bytes(b"x" * 1000)
    (tmp_path / "file.bin.part.json").write_text(note.replace("URL", server.url()), encoding="utf-8")
    assert bring().path.read_bytes() == CONTENT
    assert server.ranges == [None]


# --- wrong files ------------------------------------------------------------------------------------------------------


def test_wrong_bytes_are_fetched_anew_once(bring, server):
    server.acts += [Act(body=OTHER)]
    assert bring(sha256=SHA256).path.read_bytes() == CONTENT
    assert server.ranges == [None, None]


@pytest.mark.parametrize("known", [{"sha256": SHA256}, {"md5": MD5}])
def test_wrong_bytes_twice_are_an_error_with_both_hashes(bring, server, tmp_path, known):
    server.forever = Act(body=OTHER)
    (name, expected) = next(iter(known.items()))
    with pytest.raises(FetchError) as caught:
        bring(**known)
    assert expected in str(caught.value)
    assert hashlib.new(name, OTHER).hexdigest() in str(caught.value)
    assert len(server.asked) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_was_spoilt_is_fetched_anew(bring, server, tmp_path):
    server.acts += [Act(drop_after=100_000), Act(status=404, body=b"")]
    with pytest.raises(FetchError, match="404"):
        bring(md5=MD5)
    (tmp_path / "file.bin.part").write_bytes(bytes(100_000))
    fetched = bring(md5=MD5)
    assert (fetched.path.read_bytes(), fetched.resumed_from) == (CONTENT, 0)
    assert server.ranges[2:] == ["bytes=100000-", None]


@pytest.mark.parametrize("body", [CONTENT[:-1], CONTENT + b"!", b""])
def test_a_file_of_another_size_is_found_before_it_comes(bring, server, tmp_path, body):
    server.forever = Act(body=body)
    with pytest.raises(FetchError, match=f"a file of {len(body):,} bytes, 300,000 were expected"):
        bring(size=len(CONTENT))
    assert list(tmp_path.iterdir()) == []


def test_too_many_bytes_are_found_as_they_come(bring, server, tmp_path):
    server.forever = Act(body=CONTENT * 20, chunked=True)
    with pytest.raises(FetchError, match="more bytes came than the 300,000"):
        bring(size=len(CONTENT))
    assert list(tmp_path.iterdir()) == []


def test_a_range_that_goes_on_too_long_is_found(bring, server):
    server.acts += [
        Act(drop_after=100_000),
        Act(body=CONTENT, status=206, headers={"Content-Range": "bytes 100000-299999/300000"}),
    ]
    assert bring().path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=100000-", None]


def test_a_chunked_body_that_breaks_off_is_no_file(bring, server):
    server.acts += [Act(chunked=True, drop_after=20), Act(chunked=True, drop_after=100_000)]
    assert bring().path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=20-", "bytes=100020-"]


def test_without_any_length_the_known_size_tells(bring, server):
    server.acts += [Act(lengthless=True, drop_after=100_000)]
    assert bring(size=len(CONTENT)).path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=100000-"]


def test_nothing_is_no_file(bring, server, tmp_path):
    server.forever = Act(body=b"")
    with pytest.raises(FetchError, match="nothing came"):
        bring()
    assert not (tmp_path / "file.bin").exists()


@pytest.mark.parametrize(
    "act",
    [
        Act(body=PAGE, headers={"Content-Type": "text/html; charset=utf-8"}),
        Act(body=PAGE),
        Act(body=b"\xef\xbb\xbf\r\n" + PAGE.lower()),
        Act(body=PAGE.removeprefix(b"<!DOCTYPE html><html>"), headers={"Content-Type": "text/html"}),
    ],
)
def test_a_web_page_is_no_file(bring, server, tmp_path, act):
    server.forever = act
    with pytest.raises(FetchError, match=r"(?i)a web page came .* titled 'please log in'.*By hand: open .*file\.bin"):
        bring()
    assert len(server.asked) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_web_page_in_the_middle_leaves_the_part_alone(bring, server):
    server.acts += [Act(drop_after=100_000), Act(body=PAGE)]
    with pytest.raises(FetchError, match="web page"):
        bring()
    assert bring().resumed_from == 100_000


def test_bytes_that_look_like_a_page_in_the_middle_of_a_file_are_its_bytes(bring, server):
    server.content = CONTENT[:100_000] + PAGE
    server.acts += [Act(drop_after=100_000)]
    assert bring().path.read_bytes() == server.content


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "says"),
    [(401, "login"), (403, "limit"), (404, "moved or withdrawn"), (407, "proxy"), (410, "for good"), (418, "Teapot")],
)
def test_a_refusal_ends_at_once_and_says_how_to_go_on(bring, server, tmp_path, waits, status, says):
    server.forever = Act(status=status, body=PAGE)
    with pytest.raises(
        FetchError, match=rf"(?s){status}.*{says}.*By hand: open https://by\.hand/x in a browser"
    ) as caught:
        bring(by_hand="https://by.hand/x")
    assert f"save the file as {tmp_path / 'file.bin'}" in str(caught.value)
    assert len(server.asked) == 1
    assert not waits


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_trouble_that_passes_is_waited_for(bring, server, waits, status):
    server.acts += [Act(status=status, body=b"later"), Act(drop_after=5), Act(status=status, body=b"later")]
    assert bring().path.read_bytes() == CONTENT
    assert server.ranges == [None, None, "bytes=5-", "bytes=5-"]
    assert len(waits) == 3


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_trouble_that_does_not_pass_ends(bring, server, waits, status):
    server.forever = Act(status=status, body=b"never")
    with pytest.raises(FetchError, match=f"answered {status}.*4 times in vain.*By hand"):
        bring()
    assert len(server.asked) == 4
    for n, wait in enumerate(waits):
        assert 0.5 * 2**n <= wait <= 2**n


def test_retry_after_is_kept_within_reason(bring, server, waits):
    soon = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=60), usegmt=True)
    past = format_datetime(datetime.now(timezone.utc) - timedelta(days=1))
    for told in ("7", soon, "86400", "whenever", past, "", "9" * 400):
        server.acts.append(Act(status=429, headers={"Retry-After": told}, body=b""))
    assert bring(attempts=9).path.read_bytes() == CONTENT
    assert waits[0] == 7
    assert 50 < waits[1] <= 60
    assert waits[2] == 120 == waits[6]
    assert [wait <= 2**n for n, wait in enumerate(waits)][3:6] == [True] * 3


def test_redirects_in_a_circle_end(bring, server):
    server.forever = Act(status=302, headers={"Location": server.url()}, body=b"")
    with pytest.raises(FetchError, match=r"302.*infinite loop"):
        bring()


def test_an_answer_without_a_file_ends(bring, server):
    server.forever = Act(status=204, body=b"", lengthless=True)
    with pytest.raises(FetchError, match="204"):
        bring()


def test_nobody_at_the_address(bring, waits):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/x"
        with pytest.raises(FetchError, match=r"cannot be reached|broke off"):
            bring(url=nobody)
    assert len(waits) == 3


def test_no_connection(bring, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(FetchError, match=r"nowhere\.example cannot be found.*HTTPS_PROXY"):
        bring(url="http://nowhere.example/x")


def test_a_certificate_that_cannot_be_trusted_ends_at_once(bring, waits, monkeypatch):
    import ssl

    def distrust(*_, **__):
        error = ssl.SSLCertVerificationError(1, "certificate verify failed")
        error.verify_message = "self-signed certificate"
        raise error

    monkeypatch.setattr(socket, "create_connection", distrust)
    with pytest.raises(FetchError, match="self-signed"):
        bring(url="https://127.0.0.1/x")
    assert not waits


# --- the disk ---------------------------------------------------------------------------------------------------------


def test_too_little_room_is_said_before_anything_comes(bring, monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(FetchError, match=r"needs 300 kB more, but the disk of .* has only 1 kB free"):
        bring()
    assert not (tmp_path / "file.bin").exists()


class Disk:
    """A file on a disk that takes so many bytes at once, and so many in all: writes may be short ones."""

    def __init__(self, file, room: int) -> None:
        self.file, self.room = file, room

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.file.close()

    def write(self, data) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self.file.write(data[: min(self.room, 700)])
        self.room -= written
        return written


@pytest.mark.parametrize("room", [1000, 10**6])
def test_a_full_disk_is_said_and_the_part_kept(bring, monkeypatch, room):
    def open_on_disk(path, mode="r", **more):
        file = opens(path, mode, **more)
        return Disk(file, room) if mode == "ab" else file

    opens = Path.open
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", open_on_disk)
        if room < len(CONTENT):
            with pytest.raises(FetchError, match=r"is full\. Make room"):
                bring()
        else:
            assert bring().resumed_from == 0
    fetched = bring()
    assert (fetched.path.read_bytes(), fetched.resumed_from) == (CONTENT, min(room, len(CONTENT)))


def test_a_folder_that_cannot_be_written_is_said(bring, tmp_path, monkeypatch):
    (tmp_path / "no folder").write_bytes(b"")
    with pytest.raises(FetchError, match="no folder"):
        bring(tmp_path / "no folder" / "file.bin")

    def read_only(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "write_bytes", read_only)
    with pytest.raises(FetchError, match=f"{os.strerror(errno.EROFS)}.*Choose a folder"):
        bring()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_folder_is_said(bring, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(FetchError, match="Choose a folder"):
        bring(tmp_path / "closed" / "file.bin")


# --- whatever happens -------------------------------------------------------------------------------------------------

TROUBLES = st.builds(
    Act,
    drop_after=st.integers(0, 4000),
    reset=st.booleans(),
    ignore_range=st.booleans(),
    chunked=st.booleans(),
    window=st.none() | st.integers(1, 4000),
) | st.sampled_from([Act(status=503, body=b""), Act(vanish=True), Act(headers={"Content-Range": "bytes 0-0/1"})])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    content=st.binary(min_size=1, max_size=4000),
    acts=st.lists(TROUBLES, max_size=8),
    etag=st.sampled_from(['"strong"', 'W/"weak"', None]),
    hashed=st.booleans(),
)
def test_whatever_drops_the_bytes_are_the_same(running, tmp_path_factory, content, acts, etag, hashed):
    running.reset()
    running.content, running.etag, running.acts = content, etag, deque(acts)
    target = tmp_path_factory.mktemp("drops") / "file.bin"
    patience = Patience(attempts=20, timeout=5, sleep=lambda _: None)
    known = {"sha256": hashlib.sha256(content).hexdigest()} if hashed else {}
    fetch(running.url(), target, what="x", patience=patience, **known)
    assert target.read_bytes() == content
    assert only_the_file(target.parent)


@given(st.integers(0, 10**15))
def test_bytes_in_words(count):
    number, unit = in_words(count).split()
    assert float(number) * {"GB": 1e9, "MB": 1e6, "kB": 1e3, "bytes": 1}[unit] == pytest.approx(count, rel=0.006)


# --- Google Drive -----------------------------------------------------------------------------------------------------

WARNING = """<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head><body><div class="uc-main">
<p class="uc-warning-caption">Google Drive can't scan this file for viruses.</p>
<form id="search" action="/search"><input type="hidden" name="q" value="no"></form>
<form id="download-form" action="ACTION" method="get"><input type="submit" value="Download anyway"/>
<input type="hidden" name="id" value="ID"><input type="hidden" name="export" value="download">
<input type="hidden" name="confirm" value="t"><input type="hidden" name="uuid" value="5e0c&amp;1a"></form>
<input type="hidden" name="outside" value="no"></div></body></html>"""
QUOTA = """<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head><body>
<p class="uc-error-caption">Sorry, you can&#39;t view or download this file at this time.</p>
<p class="uc-error-subcaption">Too many users have viewed or downloaded this file recently.</p></body></html>"""


def test_the_warning_page_is_answered_and_the_resume_keeps_its_range(bring, server):
    page = Act(body=WARNING.replace("ACTION", server.url("/download")).encode(), headers={"Content-Type": "text/html"})
    server.acts += [page, Act(drop_after=100_000), page]
    assert bring(url=server.url("/uc?id=ID"), read_page=read_drive_page).path.read_bytes() == CONTENT
    assert [urlsplit(path).path for path, *_ in server.asked] == ["/uc", "/download", "/uc", "/download"]
    answered = parse_qs(urlsplit(server.asked[-1][0]).query)
    assert answered == {"id": ["ID"], "export": ["download"], "confirm": ["t"], "uuid": ["5e0c&1a"]}
    assert server.asked[-1][1:] == ("bytes=100000-", '"one"')


def test_a_page_that_leads_to_itself_ends(bring, server):
    server.forever = Act(body=WARNING.replace("ACTION", server.url("/download")).encode())
    with pytest.raises(FetchError, match="one web page after another"):
        bring(read_page=read_drive_page)
    assert len(server.asked) == 3


def test_the_quota_page_says_what_to_do(bring, server, tmp_path):
    server.forever = Act(body=QUOTA.encode(), headers={"Content-Type": "text/html"})
    with pytest.raises(
        FetchError, match=r"too many have asked.*tomorrow.*By hand: open https://by\.hand/x .* save"
    ) as caught:
        bring(read_page=read_drive_page, by_hand="https://by.hand/x")
    assert str(tmp_path / "file.bin") in str(caught.value)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("action", "followed"),
    [
        ("https://drive.usercontent.google.com/download", True),
        ("https://docs.google.com/uc", True),
        ("/download", True),
        ("http://drive.usercontent.google.com/download", False),
        ("https://google.com.evil.org/download", False),
        ("https://evilgoogle.com/download", False),
        ("javascript:alert(1)", False),
    ],
)
def test_a_page_sends_us_nowhere_else(action, followed):
    leads = read_drive_page(WARNING.replace("ACTION", action), "https://drive.google.com/uc?id=ID")
    assert (leads is not None) == followed


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(max_size=200) | st.text(alphabet="<>![]-/=\"' fomrinputd", max_size=200))
def test_no_page_breaks_the_reader(text):
    assert read_drive_page(text, "https://drive.google.com/x") is None


# --- ganforge data fetch celeba ---------------------------------------------------------------------------------------


def little_celeba(folder: Path) -> dict[str, bytes]:
    """CelebA's three files with 20 pictures of 2 attributes."""
    names = [f"{i:06d}.jpg" for i in range(1, 21)]
    pictures = {f"img_align_celeba/{n}": encode(pixels(i, 218, 178), "JPEG") for i, n in enumerate(names)}
    rows = [f"{name}  1 {'-1' if i % 2 else ' 1'}" for i, name in enumerate(names)]
    return {
        "list_attr_celeba.txt": "\n".join(["20", "Smiling Male", *rows]).encode(),
        "list_eval_partition.txt": "\n".join(f"{name} {i % 3}" for i, name in enumerate(names)).encode(),
        "img_align_celeba.zip": zipped(folder / "z.zip", pictures).read_bytes(),
    }


@pytest.fixture
def celeba(server, tmp_path, monkeypatch) -> Server:
    """The server, as the place where CelebA is kept."""
    (tmp_path / "elsewhere").mkdir()
    contents = little_celeba(tmp_path / "elsewhere")
    server.files = {f"/{name}": content for name, content in contents.items()}
    files = tuple(
        replace(
            file,
            url=server.url(f"/{file.name}"),
            md5=hashlib.md5(contents[file.name]).hexdigest(),
            size=len(contents[file.name]),
        )
        for file in CELEBA.files
    )
    monkeypatch.setitem(data_sets.DATA_SETS, "celeba", replace(CELEBA, files=files))
    monkeypatch.setattr(time, "sleep", lambda _: None)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return server


@pytest.fixture
def run(capfd, monkeypatch) -> Callable[..., tuple[int, str]]:
    """``ganforge data ARGUMENTS``: its exit status and all it said."""

    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["ganforge", "data", *arguments])
        with pytest.raises(SystemExit) as ended:
            ganforge.cli.main()
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), err + out

    return call


def test_celeba_comes_after_a_word_about_its_terms_and_is_read_as_it_is(celeba, run):
    celeba.acts += [Act(), Act(drop_after=10), Act(), Act(drop_after=5000)]
    status, told = run("fetch", "celeba", "--yes")
    assert status == 0, told
    for word in ("non-commercial research", "commercial purposes", "passed on", "real people", CELEBA.home):
        assert word in told
    assert told.index(CELEBA.home) < told.index("fetched, its md5 is right")
    assert told.splitlines()[-1] == "Next:  ganforge train celeba --minutes 20"
    assert sorted(path.name for path in Path("celeba").iterdir()) == sorted(file.name for file in CELEBA.files)
    status, told = run("inspect", "celeba")
    assert status == 0
    assert "20 pictures in celeba (celeba)" in told
    assert "Smiling" in told
    assert "Skipped" not in told


def test_a_second_call_fetches_nothing(celeba, run):
    assert run("fetch", "celeba", "--yes", "--out", "a b")[0] == 0
    asked = len(celeba.asked)
    status, told = run("fetch", "celeba", "--yes", "--out", "a b")
    assert (status, len(celeba.asked)) == (0, asked)
    assert told.count("was there already, whole") == 3
    assert "ganforge train 'a b' --minutes 20" in told or 'ganforge train "a b" --minutes 20' in told


def test_nobody_there_nothing_fetched(celeba, run):
    status, told = run("fetch", "celeba")
    assert status == 2
    assert "non-commercial" in told
    assert "--yes" in told
    assert not celeba.asked
    assert not list(Path().iterdir())


@pytest.mark.parametrize(("answer", "status", "fetches"), [("y\n", 0, True), ("n\n", 1, False), ("\n", 1, False)])
def test_at_a_terminal_one_is_asked(celeba, run, monkeypatch, answer, status, fetches):
    import io

    monkeypatch.setattr(cli_data, "_somebody_is_there", lambda: True)
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    ended, told = run("fetch", "celeba")
    assert ended == status
    assert "Do you accept these terms" in told
    assert bool(celeba.asked) == Path("celeba").exists() == fetches
    assert ("Nothing was fetched." in told) != fetches


def test_single_files_and_what_is_missing(celeba, run):
    lists = [name for file in CELEBA.files[:2] for name in ("--only", file.name)]
    status, told = run("fetch", "celeba", "--yes", *lists)
    assert status == 0
    assert told.splitlines()[-1] == "Next:  ganforge data fetch celeba --out celeba --only img_align_celeba.zip"
    status, told = run(*told.splitlines()[-1].split()[3:], "--yes")
    assert status == 0
    assert told.splitlines()[-1] == "Next:  ganforge train celeba --minutes 20"
    assert len(find_collection("celeba")) == 20


def test_a_quota_names_the_page_for_a_browser(celeba, run):
    celeba.acts += [Act(), Act(), Act(body=QUOTA.encode(), headers={"Content-Type": "text/html"})]
    status, told = run("fetch", "celeba", "--yes")
    assert status == 1
    assert "Traceback" not in told
    by_hand = CELEBA.files[-1].by_hand
    assert f"open {by_hand} in a browser and save the file as {Path('celeba') / 'img_align_celeba.zip'}" in told
    assert run("fetch", "celeba", "--yes")[0] == 0


def test_my_own_list_is_never_overwritten(celeba, run):
    Path("celeba").mkdir()
    Path("celeba/list_attr_celeba.txt").write_bytes(b"mine")
    status, told = run("fetch", "celeba", "--yes")
    assert status == 1
    assert "another file" in told
    assert Path("celeba/list_attr_celeba.txt").read_bytes() == b"mine"


def test_ctrl_c_says_that_the_part_is_kept(celeba, run, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(data_sets, "fetch", stop)
    status, told = run("fetch", "celeba", "--yes")
    assert status == 130
    assert "What has come is kept" in told


def test_wrong_names(celeba, run):
    assert run("fetch", "celebra", "--yes")[0] == 2
    with pytest.raises(UnknownNameError, match="Did you mean celeba"):
        find_data_set("celebra")
    with pytest.raises(UnknownNameError, match=r"Did you mean img_align_celeba\.zip"):
        choose_files(CELEBA, ["img_align.zip"])
    assert not celeba.asked


def test_the_real_celeba_is_what_the_reader_reads():
    *lists, archive = CELEBA.files
    assert archive.name == CELEBA.pictures == f"{celeba_reader._IMAGES}.zip"
    for file in lists:
        assert celeba_reader._LISTS.fullmatch(file.name)
    for file in CELEBA.files:
        asked = parse_qs(urlsplit(file.url).query)
        assert asked["id"][0] in file.by_hand
        assert asked["confirm"] == ["t"]
        assert re.fullmatch("[0-9a-f]{32}", file.md5)
