"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from ganforge.errors import UsageError
from ganforge.files import check_new

FeaturesOption = Annotated[
    str, typer.Option(help="offline (comes along), inception (the field's; 95 MB, fetched once), or auto.")
]
WeightsOption = Annotated[Path | None, typer.Option(metavar="FILE", help="Inception's weights, where you have them.")]
ReportOption = Annotated[Path | None, typer.Option(metavar="FILE", help="The report; by default a new name here.")]


def read_settings(pairs: list[str]) -> dict[str, str]:
    """``["d.widths=32,64"]`` → ``{"d.widths": "32,64"}``. Raises UsageError for what has no "="."""
    settings = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"--set takes KEY=VALUE, such as --set learning_rate=1e-4; {pair!r} came.")
        settings[key.strip()] = value.strip()
    return settings


def check_page(out: Path | None, as_json: bool = False) -> None:
    """Whether a page can be written there, before minutes are spent on what is in it. Raises UsageError."""
    if out is None:
        return
    if as_json:
        raise UsageError("--json prints and writes no page: leave --out away.")
    if out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"A page is an HTML file: name it {out.name}.html.")
    check_new(out)
