"""What every command says its words through: any terminal, any encoding, any width."""

import codecs
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ganforge.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console

STOPPED = 130
"""Exit status after Ctrl-C, as shells have it."""

PLAIN = {
    "…": "...",
    "–": "-",
    "—": "-",
    "−": "-",
    "×": "x",
    "·": "|",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "→": "->",
    "ψ": "psi",
    "σ": "sigma",
    "≤": "<=",
    "≥": ">=",
    "½": "1/2",
}
"""How signs look where the terminal's encoding has them not; other characters become escapes such as \\u4e2d."""


def _plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    return "".join(PLAIN.get(c) or c.encode("ascii", "backslashreplace").decode() for c in signs), error.end


def prepare_streams() -> None:
    """Let nothing that is printed fail for its characters (GBK, CP932, ASCII …)."""
    codecs.register_error("ganforge-plain", _plainly)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="ganforge-plain")


def console(*, stderr: bool = False) -> "Console":
    """A Rich console on stdout or stderr."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def say(text: str, *, stderr: bool = False) -> None:
    """Print a line as it is: no markup, no wrapping."""
    print(text, file=sys.stderr if stderr else sys.stdout, flush=True)


def complain(message: str) -> None:
    """Print why a command failed, on stderr."""
    say(f"ganforge: {message}", stderr=True)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on stderr, gone when all is done; silent where nobody looks."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    out = console(stderr=True)
    with Bar(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task("opening", total=None)

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield show


def has_display() -> bool:
    """Whether a browser could be opened here."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
