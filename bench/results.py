"""Where measured tables go: a section each of RESULTS.md, with the command, and when, from what and where it was measured."""

import datetime
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ganforge.files import replacing
from ganforge.machine import describe

RESULTS = Path(__file__).parent / "RESULTS.md"
FIGURES = Path(__file__).parent / "results"


def provenance() -> str:
    """The day, the commit ("+" where files differ from it) and the machine, as of now."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], capture_output=True, text=True, check=False).stdout.strip()

    machine = describe()
    changed = "+" if git("status", "--porcelain", "--untracked-files=no", "--", "src") else ""
    commit = git("rev-parse", "--short", "HEAD") or "no commit"
    return f"{datetime.date.today()} · {commit}{changed} · {machine.name}, torch {machine.torch}"


def write_json(path: Path, value: Any) -> None:
    """Whole or not at all; not a number is refused, because JSON has none."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def write_section(title: str, command: str, lines: Sequence[str], measured: Sequence[str] = ()) -> None:
    """Put a section into RESULTS.md, in the place of the one of that title, and print it.

    Args:
        title: its heading.
        command: that measures it.
        lines: Markdown.
        measured: `provenance` of its parts, where they were not all measured just now.
    """
    mark = f"## {title}"
    said = "\n".join([mark, "", f"`{command}` · {' | '.join(sorted(set(measured))) or provenance()}", "", *lines, ""])
    print(said)
    before = (
        RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else "# Measured\n\nEvery table names its command.\n"
    )
    head, _, tail = before.partition(mark + "\n")
    rest = tail[tail.find("\n## ") + 1 :] if "\n## " in tail else ""
    RESULTS.write_text(head.rstrip() + "\n\n" + said + ("\n" + rest if rest else ""), encoding="utf-8")
