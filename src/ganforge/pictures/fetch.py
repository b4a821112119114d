"""Data sets that can be brought from where their publishers keep them: `ganforge data fetch NAME`.

CelebA (https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html) lies on Google Drive. Its publisher gives no checksums. The
ids, md5 sums and lengths here are those that torchvision's maintainers publish and its downloads print
(torchvision/datasets/celeba.py), checked there and not against the publisher.

Google Drive answers a large file with a page that asks whether one dares to, and a file that many want with a page that
says so; both with status 200.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

from ganforge.errors import FetchError, UnknownNameError
from ganforge.fetching import Fetched, Patience, fetch
from ganforge.fetching.answers import title_of
from ganforge.progress import Progress, silent

_DRIVE = "https://drive.usercontent.google.com/download?id={id}&export=download&confirm=t"
_DRIVE_BY_HAND = "https://drive.google.com/file/d/{id}/view?resourcekey={key}"
_ENGLISH = {"Accept-Language": "en"}
"""So that Google's pages come in the words that ``read_drive_page`` knows."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of a data set.

    Attributes:
        name: here and there.
        holds: what is in it.
        url: what is asked.
        by_hand: the address for a person's browser.
        md5: in hexadecimal.
        size: bytes.
    """

    name: str
    holds: str
    url: str
    by_hand: str
    md5: str
    size: int


@dataclass(frozen=True)
class DataSet:
    """A data set and the word that comes before it.

    Attributes:
        name: as the command line has it.
        title: as its makers have it.
        home: its page, with the agreement.
        terms: what the agreement says, a paragraph each.
        files: in the order in which they are fetched.
        pictures: the name of the file without which there is nothing to train on.
    """

    name: str
    title: str
    home: str
    terms: tuple[str, ...]
    files: tuple[RemoteFile, ...]
    pictures: str


def _on_drive(name: str, holds: str, drive_id: str, key: str, md5: str, size: int) -> RemoteFile:
    by_hand = _DRIVE_BY_HAND.format(id=drive_id, key=key)
    return RemoteFile(name, holds, _DRIVE.format(id=drive_id), by_hand, md5, size)


CELEBA = DataSet(
    name="celeba",
    title="CelebA: 202,599 aligned pictures of celebrities with 40 attributes (Liu, Luo, Wang and Tang, 2015)",
    home="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
    terms=(
        "For non-commercial research only. No part of the pictures, nor of anything derived from them, may be copied,"
        " sold or exploited for commercial purposes. Take a model trained on them, and its pictures, to fall under that.",
        "Not to be passed on: no copying, publishing or distributing, except inside one organisation at one site.",
        "The pictures were gathered from the Internet and do not belong to the makers of CelebA. They show real people,"
        " of whom nobody says that they were asked: do nothing with their faces that could harm them.",
        "The makers may end this permission at any time.",
    ),
    files=(
        _on_drive(
            "list_attr_celeba.txt", "40 attributes of each picture",
            "0B7EVK8r0v71pblRyaVFSWGxPY0U", "0-YW2qIuRcWHy_1C2VaRGL3Q", "75e246fa4810816ffd6ee81facbd244c", 26_721_026,
        ),
        _on_drive(
            "list_eval_partition.txt", "training, validation or test",
            "0B7EVK8r0v71pY0NSMzRuSXJEVkk", "0-i4TGCi_51OtQ5K9FSp4EDg", "d32c9cbf5e040fd4025c592c306e6668", 2_836_386,
        ),
        _on_drive(
            "img_align_celeba.zip", "the pictures, 178x218",
            "0B7EVK8r0v71pZjFTYXZWM3FlRnM", "0-dYn9z10tMJOBAkviAcfdyQ", "00d2c5bc6d35e252742224ab0c1e8fcb", 1_443_490_838,
        ),
    ),
    pictures="img_align_celeba.zip",
)  # fmt: skip

DATA_SETS = {CELEBA.name: CELEBA}


def find_data_set(name: str) -> DataSet:
    """The data set of that name. Raises UnknownNameError."""
    try:
        return DATA_SETS[name]
    except KeyError:
        raise UnknownNameError("data set to fetch", name, DATA_SETS) from None


def choose_files(data_set: DataSet, only: Sequence[str] = ()) -> tuple[RemoteFile, ...]:
    """The files of those names, or all where none is named. Raises UnknownNameError."""
    names = [file.name for file in data_set.files]
    for name in only:
        if name not in names:
            raise UnknownNameError(f"file of {data_set.name}", name, names)
    return tuple(file for file in data_set.files if not only or file.name in only)


def fetch_files(
    files: Sequence[RemoteFile], folder: Path, *, progress: Progress = silent, patience: Patience | None = None
) -> list[Fetched]:
    """Bring files into a folder, one after the other; those that are there and whole stay as they are.

    Args:
        files: of a data set.
        folder: made if need be.
        progress: called with the bytes of the file that is being fetched.
        patience: how long to try.

    Raises:
        FetchError: of the first file that cannot be had; what has come by then stays, and the next call goes on there.
    """
    return [
        fetch(
            file.url,
            folder / file.name,
            what=file.name,
            md5=file.md5,
            size=file.size,
            headers=_ENGLISH,
            by_hand=file.by_hand,
            read_page=read_drive_page,
            progress=progress,
            patience=patience,
        )
        for file in files
    ]


class _Form(HTMLParser):
    """The form with the id "download-form": where it leads and what it sends unseen."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = told.get("id") == "download-form"
            if self._inside:
                self.action = told.get("action", "")
        elif tag == "input" and self._inside and told.get("type") == "hidden" and "name" in told:
            self.fields[told["name"]] = told.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


def read_drive_page(page: str, url: str) -> str | None:
    """Where the page of Google Drive leads that cannot scan a file for viruses; None where the page is another one.

    Raises FetchError where too many have asked for the file.
    """
    if "quota exceeded" in title_of(page).lower() or "Too many users have viewed or downloaded this file" in page:
        raise FetchError(
            "Google Drive gives this file to nobody just now, because too many have asked for it. Try again tomorrow: the"
            " limit ends within 24 hours. A browser that is signed in at Google sometimes gets it at once"
        )
    form = _Form()
    try:
        form.feed(page)
    except AssertionError:  # how Python's parser says that something is no HTML
        return None
    if form.action is None:
        return None
    asked, following = urlsplit(url), urlsplit(urljoin(url, form.action))
    same = (following.scheme, following.netloc) == (asked.scheme, asked.netloc)
    if not same and not (following.scheme == "https" and f".{following.hostname}".endswith(".google.com")):
        return None  # a page may not send us just anywhere
    return following._replace(query=urlencode(form.fields) or following.query).geturl()
