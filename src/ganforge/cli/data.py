"""``ganforge data``: what is in a collection of pictures."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganforge.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console

    from ganforge.pictures import Inspection

data_app = typer.Typer(no_args_is_help=True, help="Look at a collection of pictures before training on it.")

MOST_ROWS = 12
MOST_SKIPPED = 200


class Crop(str, Enum):
    """CelebA's centre crops."""

    FACE = "108"
    WIDTH = "178"


@data_app.callback()
def _data() -> None:
    """Look at a collection of pictures before training on it."""


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
    with _progress() as progress:
        inspection = inspect(pictures, progress=progress)
        shown = contact_sheet(pictures, sheet, crop=crop.value) if sheet is not None else 0
    if as_json:
        # ASCII alone, so that no terminal and no pipe can change a name.
        sys.stdout.write(json.dumps(inspection.as_json(), indent=1, ensure_ascii=True) + "\n")
        note = _console(stderr=True)
    else:
        note = _console()
        _print(note, pictures, inspection)
    if sheet is not None:
        note.print(f"Contact sheet of {shown} pictures: {sheet}", markup=False, highlight=False, soft_wrap=True)


def _console(*, stderr: bool = False) -> "Console":
    """A console that replaces what the terminal's encoding cannot show instead of failing."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")
    return Console(stderr=stderr, highlight=False)


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on stderr, gone when all is done."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=_console(stderr=True), transient=True) as bar:
        task = bar.add_task("opening", total=None)

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield show


def _print(console: "Console", pictures: str, found: "Inspection") -> None:
    copies = f", {found.pictures - found.usable:,} of them exact copies" if found.duplicates else ""
    _line(console, f"{found.pictures:,} pictures in {pictures} ({found.layout}){copies}")
    _table(console, "size", found.sizes)
    _table(console, "mode", found.modes)
    _table(console, "format", found.formats)
    if found.splits:
        _table(console, "split", found.splits)
    for name, about in found.attributes.items():
        _attribute(console, name, about)
    if found.captions["pictures"]:
        _line(console, f"Captions: {found.captions['total']:,} of {found.captions['pictures']:,} pictures, for example")
        for example in found.captions["examples"]:
            _line(console, f"  {example}")
    if found.skipped:
        _line(console, f"Skipped: {len(found.skipped):,}")
        for skipped in found.skipped[:MOST_SKIPPED]:
            _line(console, f"  {skipped.name}: {skipped.reason}")
        if len(found.skipped) > MOST_SKIPPED:
            _line(console, f"  ... and {len(found.skipped) - MOST_SKIPPED:,} more (--json lists all)")
    if found.duplicates:
        shown = ", ".join(found.duplicates[:MOST_ROWS]) + (", ..." if len(found.duplicates) > MOST_ROWS else "")
        _line(console, f"Copies of other pictures: {shown}")
    for note in (*found.notes, found.mirror.reason):
        _line(console, note)
    _line(console, f"Suggested: --size {found.suggested_size}")


def _line(console: "Console", text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _attribute(console: "Console", name: str, about: Mapping[str, Any]) -> None:
    if about["kind"] == "range":
        mean = f", mean {about['mean']:g}" if "mean" in about else ""
        _line(console, f"{name}: {about['low']:g} to {about['high']:g}{mean} (known of {about['known']:,})")
    else:
        _table(console, f"{name} ({about['kind']})", about["values"])


def _table(console: "Console", title: str, counts: Mapping[str, int]) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(escape(title), min_width=24)
    table.add_column("pictures", justify="right")
    for value, count in list(counts.items())[:MOST_ROWS]:
        table.add_row(escape(value), f"{count:,}")
    if len(counts) > MOST_ROWS:
        table.add_row(f"... {len(counts) - MOST_ROWS:,} more", f"{sum(list(counts.values())[MOST_ROWS:]):,}")
    console.print(table)
