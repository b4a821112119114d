"""What a server's answers mean."""

import http.client
import re
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

PIECE = 2**18
"""Bytes asked of the connection at a time; what is there is handed on at once, so that a kill loses next to nothing."""
HEAD = 64
"""Bytes that tell a web page from a file."""

_AGAIN = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_MEANINGS = {
    401: "it wants a login",
    403: "it does not let us have the file (no permission, or a limit on downloads was reached)",
    404: "the file was moved or withdrawn, or is no longer public",
    407: "the proxy wants a login (HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT)",
    410: "the file was withdrawn for good",
    429: "too many requests came from this network",
    503: "it is overloaded, or being repaired",
}


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https, but never from https to http: anybody could answer there."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if urlsplit(newurl).scheme not in ({"https"} if req.type == "https" else {"http", "https"}):
            raise urllib.error.HTTPError(req.full_url, code, f"{msg}, to {newurl}, which is not safe", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def opener() -> urllib.request.OpenerDirector:
    """Opens http and https, through the proxies that the environment names."""
    return urllib.request.build_opener(_Redirects)


def head_of(response: http.client.HTTPResponse) -> tuple[bytes, Exception | None]:
    """The first bytes, at least HEAD where there are so many; and what broke while they were read."""
    head = b""
    try:
        while len(head) < HEAD and (more := response.read1(PIECE)):
            head += more
    except (OSError, http.client.HTTPException) as error:
        return head, error
    return head, None


def pieces(response: http.client.HTTPResponse, head: bytes, broken: Exception | None) -> Iterator[bytes]:
    """The body, after its head was taken by ``head_of``."""
    yield head
    if broken is not None:
        raise broken
    while piece := response.read1(PIECE):  # read() would wait for all of PIECE, and lose it when the connection drops
        yield piece


def is_page(response: http.client.HTTPResponse, head: bytes) -> bool:
    """Whether a web page came instead of a file. (The middle of a file may look like anything.)"""
    if response.status != HTTPStatus.OK:
        return False
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    declared = response.headers.get_content_type() in ("text/html", "application/xhtml+xml")
    return start.startswith((b"<!doctype html", b"<html")) or (declared and start.startswith(b"<"))


def title_of(text: str) -> str:
    """What a page calls itself; empty where it does not."""
    found = re.search(r"<title[^>]*>([^<]{1,200})", text, re.IGNORECASE)
    return " ".join(found[1].split()) if found else ""


def content_range(response: http.client.HTTPResponse) -> tuple[int, int, int | None] | None:
    """Of a 206: where its bytes start and end (exclusive), and of how many; None where it does not say."""
    told = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", response.headers.get("Content-Range", "").strip())
    return None if told is None else (int(told[1]), int(told[2]) + 1, None if told[3] == "*" else int(told[3]))


def content_length(response: http.client.HTTPResponse) -> int | None:
    """Bytes that the body has; None where it does not say."""
    told = response.headers.get("Content-Length", "")
    return int(told) if re.fullmatch(r"\d{1,18}", told) else None


def refusal(error: urllib.error.HTTPError) -> str:
    """What an answer from 300 on says, in words."""
    meaning = _MEANINGS.get(error.code, "")
    said = f"{urlsplit(error.url).hostname} answered {error.code} ({' '.join(str(error.reason).split())})"
    return f"{said}: {meaning}" if meaning else said


def may_pass(error: urllib.error.HTTPError) -> bool:
    """Whether the same question may get another answer later."""
    return error.code in _AGAIN or error.code >= HTTPStatus.INTERNAL_SERVER_ERROR


def retry_after(error: urllib.error.HTTPError) -> float:
    """Seconds that the server asks to wait, told as a number or as a date (RFC 9110, section 10.2.3); 0 if untold."""
    told = (error.headers.get("Retry-After") or "").strip()
    if told.isdecimal():
        return float(told)
    try:
        then = parsedate_to_datetime(told)
    except (TypeError, ValueError):  # TypeError: Python 3.10 and 3.11, for an empty one
        return 0.0
    return (then.replace(tzinfo=then.tzinfo or timezone.utc) - datetime.now(timezone.utc)).total_seconds()


def trouble(error: Exception, host: str | None, timeout: float) -> tuple[str, bool]:
    """Why a connection failed, in words; and whether another attempt may succeed."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        usual = "A wrong clock, or a proxy that reads along, are the usual reasons"
        return f"the certificate of {host} cannot be trusted ({cause.verify_message}). {usual}", False
    if isinstance(cause, http.client.InvalidURL):
        return f"the address is none ({cause})", False
    if isinstance(cause, TimeoutError):
        return f"nothing came from {host} for {timeout:g} s", True
    if isinstance(cause, socket.gaierror):
        return f"{host} cannot be found: there is no connection, or a proxy is needed (HTTPS_PROXY)", True
    if isinstance(cause, http.client.HTTPException | ConnectionResetError | BrokenPipeError):
        return "the connection broke off", True
    return f"{host} cannot be reached ({getattr(cause, 'strerror', None) or cause})", True
