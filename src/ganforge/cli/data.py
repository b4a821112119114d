"""``ganforge data``: what is in a collection of pictures, and collections from elsewhere."""

import json
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganforge.cli.terminal import console, progress_bar, say
from ganforge.errors import UsageError
from ganforge.files import quoted
from ganforge.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console

    from ganforge.fetching import Fetched
    from ganforge.pictures import Inspection
    from ganforge.pictures.fetch import DataSet, RemoteFile

data_app = typer.Typer(
    no_args_is_help=True, help="Look at a collection of pictures before training on it, or fetch one."
)

MOST_ROWS = 12
FEW_VALUES = 4
MOST_SKIPPED = 200
PLAIN_SECONDS = 10.0
"""Between two lines about a download where the output is no terminal."""


class Crop(str, Enum):
    """CelebA's centre crops."""

    FACE = "108"
    WIDTH = "178"


@data_app.callback()
def _data() -> None:
    """Look at a collection of pictures before training on it, or fetch one."""


@data_app.command("inspect")
def inspect_command(
    pictures: Annotated[
        str, typer.Argument(metavar="PICTURES", help="A folder, an archive, a known layout, or avatars[:COUNT[:SEED]].")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="JSON alone on stdout, with every skipped file.")] = False,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a contact sheet (PNG); nothing is overwritten.")
    ] = None,
    crop: Annotated[
        Crop, typer.Option(help="What the sheet shows of CelebA: its face or all of its width.")
    ] = Crop.WIDTH,
) -> None:
    """Count what is there: sizes, modes, attributes, captions, and every skipped file with its reason."""
    from ganforge.pictures import contact_sheet, inspect
    from ganforge.pictures.inspection import check_new_png

    if sheet is not None:
        check_new_png(sheet)
    with progress_bar() as progress:
        inspection = inspect(pictures, progress=progress)
        shown = contact_sheet(pictures, sheet, crop=crop.value) if sheet is not None else 0
    if as_json:
        # ASCII alone, so that no terminal and no pipe can change a name.
        say(json.dumps(inspection.as_json(), indent=1, ensure_ascii=True))
    else:
        _print(console(), pictures, inspection)
    if sheet is not None:
        say(f"Contact sheet of {shown} pictures: {sheet}", stderr=as_json)


@data_app.command("fetch")
def fetch_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the data set: celeba.")],
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where to; by default ./NAME.")] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="FILE", help="This file alone; may be repeated.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="You have read the terms and accept them; do not ask.")] = False,
) -> None:
    """Bring a data set from where its publisher keeps it, after a word about its terms.

    Whatever interrupts it, the same command goes on where it stopped. Nothing is overwritten.
    """
    from ganforge.pictures.fetch import choose_files, fetch_files, find_data_set

    data_set = find_data_set(name)
    files = choose_files(data_set, only or ())
    folder = out if out is not None else Path(name)
    _show_terms(data_set, files)
    if not yes and not _agreed(folder):
        say("Nothing was fetched.")
        raise typer.Exit(1)
    try:
        with _download_bar() as progress:
            fetched = fetch_files(files, folder, progress=progress)
    except KeyboardInterrupt:
        say("What has come is kept: the same command goes on from there.", stderr=True)
        raise
    _say_what_came(data_set, folder, fetched)


def _show_terms(data_set: "DataSet", files: Sequence["RemoteFile"]) -> None:
    from ganforge.fetching import in_words

    say(f"{data_set.title}\n")
    for paragraph in data_set.terms:
        say(textwrap.fill(paragraph, 100, initial_indent=" - ", subsequent_indent="   "))
    say(f"\nThis is our summary; the agreement itself is at {data_set.home}\n")
    for file in files:
        say(f"   {file.name:<26}{in_words(file.size):>8}  {file.holds}")
    say("")


def _agreed(folder: Path) -> bool:
    if not _somebody_is_there():
        raise UsageError("Nobody is there to agree to these terms. If you have read and accept them, add --yes.")
    return typer.confirm(f"Do you accept these terms, and shall the files come to {folder}?", default=False)


def _somebody_is_there() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


@contextmanager
def _download_bar() -> Iterator[Progress]:
    """A bar with bytes on stderr; a line now and then where that is no terminal."""
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    from ganforge.fetching import in_words

    out = console(stderr=True)
    if not out.is_terminal:
        said = ("", 0.0)

        def tell(what: str, done: int, total: int) -> None:
            nonlocal said
            if done != total and (what != said[0] or time.monotonic() - said[1] >= PLAIN_SECONDS):
                said = (what, time.monotonic())
                say(f"{what} ({in_words(done)}" + (f" of {in_words(total)})" if total else ")"), stderr=True)

        yield tell
        return
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Bar(TextColumn("{task.description}", markup=False), *columns, console=out, transient=True) as bar:
        task, shown = bar.add_task("opening", total=None), "opening"

        def show(what: str, done: int, total: int) -> None:
            nonlocal shown
            if what != shown:
                shown = what
                # Anew, so that the speed is that of what is going on now.
                bar.reset(task, description=what, completed=done, total=total or None)
            bar.update(task, completed=done, total=total or None)

        yield show


def _say_what_came(data_set: "DataSet", folder: Path, fetched: Sequence["Fetched"]) -> None:
    from ganforge.fetching import in_words

    for file in fetched:
        how = "was there already, whole" if file.resumed_from == file.bytes else "fetched, its md5 is right"
        say(f"{file.path}: {in_words(file.bytes)}, {how}")
    missing = [file.name for file in data_set.files if not (folder / file.name).exists()]
    if missing:
        say(f"Not fetched: {', '.join(missing)}")
    if data_set.pictures in missing:
        say(f"Next:  ganforge data fetch {data_set.name} --out {quoted(folder)} --only {data_set.pictures}")
    else:
        say(f"Look:  ganforge data inspect {quoted(folder)}")
        say(f"Next:  ganforge train {quoted(folder)} --minutes 20")


def _print(out: "Console", pictures: str, found: "Inspection") -> None:
    copies = f", {found.pictures - found.usable:,} of them exact copies" if found.duplicates else ""
    _line(f"{found.pictures:,} pictures in {pictures} ({found.layout}){copies}")
    _table(out, "size", found.sizes)
    _table(out, "mode", found.modes)
    _table(out, "format", found.formats)
    if found.splits:
        _table(out, "split", found.splits)
    for name, about in found.attributes.items():
        _attribute(out, name, about)
    if found.captions["pictures"]:
        _line(f"Captions: {found.captions['total']:,} of {found.captions['pictures']:,} pictures, for example")
        for example in found.captions["examples"]:
            _line(f"  {example}")
    if found.skipped:
        _line(f"Skipped: {len(found.skipped):,}")
        for skipped in found.skipped[:MOST_SKIPPED]:
            _line(f"  {skipped.name}: {skipped.reason}")
        if len(found.skipped) > MOST_SKIPPED:
            _line(f"  ... and {len(found.skipped) - MOST_SKIPPED:,} more (--json lists all)")
    if found.duplicates:
        shown = ", ".join(found.duplicates[:MOST_ROWS]) + (", ..." if len(found.duplicates) > MOST_ROWS else "")
        _line(f"Copies of other pictures: {shown}")
    for note in (*found.notes, found.mirror.reason):
        _line(note)
    _line(f"Suggested: --size {found.suggested_size}")


def _line(text: str) -> None:
    """Print a line whose names come from strangers: nothing in it may steer the terminal."""
    say(_printable(text))


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


def _attribute(out: "Console", name: str, about: Mapping[str, Any]) -> None:
    if about["kind"] == "range":
        mean = f", mean {about['mean']:g}" if "mean" in about else ""
        _line(f"{name}: {about['low']:g} to {about['high']:g}{mean} (known of {about['known']:,})")
    else:
        _table(out, f"{name} ({about['kind']})", about["values"])


def _table(out: "Console", title: str, counts: Mapping[str, int]) -> None:
    if len(counts) <= FEW_VALUES:
        _line(f"{title}: " + ", ".join(f"{value} ({count:,})" for value, count in counts.items()))
        return
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(escape(_printable(title)), min_width=24)
    table.add_column("pictures", justify="right")
    for value, count in list(counts.items())[:MOST_ROWS]:
        table.add_row(escape(_printable(value)), f"{count:,}")
    if len(counts) > MOST_ROWS:
        table.add_row(f"... {len(counts) - MOST_ROWS:,} more", f"{sum(list(counts.values())[MOST_ROWS:]):,}")
    out.print(table)
