"""Where measured tables go: a section each of RESULTS.md, with the command, the day, the commit and the machine."""

import datetime
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ganforge.machine import describe

RESULTS = Path(__file__).parent / "RESULTS.md"


def write_section(title: str, command: str, lines: Sequence[str]) -> None:
    """Put a section into RESULTS.md, in the place of the one of that title, and print it."""
    machine = describe()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    mark = f"## {title}"
    measured = (
        f"`{command}` · {datetime.date.today()} · {commit.strip() or 'no commit'} · {machine.name}, "
        f"{machine.threads} threads, torch {machine.torch}"
    )
    said = "\n".join([mark, "", measured, "", *lines, ""])
    print(said)
    before = (
        RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else "# Measured\n\nEvery table names its command.\n"
    )
    head, _, tail = before.partition(mark + "\n")
    rest = tail[tail.find("\n## ") + 1 :] if "\n## " in tail else ""
    RESULTS.write_text(head.rstrip() + "\n\n" + said + ("\n" + rest if rest else ""), encoding="utf-8")
