"""``ganforge data``: what is in a collection of pictures."""

import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganforge.cli.terminal import console, progress_bar, say

if TYPE_CHECKING:
    from rich.console import Console

    from ganforge.pictures import Inspection

data_app = typer.Typer(no_args_is_help=True, help="Look at a collection of pictures before training on it.")

MOST_ROWS = 12
FEW_VALUES = 4
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
