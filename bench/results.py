"""Where measured tables go: a section each of RESULTS.md, with the command, and when, from what and where it was measured."""

import datetime
import hashlib
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from ganforge.files import replacing
from ganforge.machine import describe

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "RESULTS.md"
FIGURES = ROOT / "bench" / "results"


def provenance() -> str:
    """The day, the commit ("+" where the code differs from it) and the machine, as of now: to be asked before measuring."""

    def git(*words: str) -> str:
        try:
            return subprocess.run(
                ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False
            ).stdout.strip()
        except OSError:  # no git here
            return ""

    machine = describe()
    changed = "+" if git("status", "--porcelain", "--", "src", "bench/*.py") else ""
    commit = git("rev-parse", "--short", "HEAD") or "no commit"
    return f"{datetime.date.today()} · {commit}{changed} · {machine.name}, {machine.threads} threads, torch {machine.torch}"


def code_of(*patterns: str) -> str:
    """A hash of the files that match, below the project: a result of other code is not this one's."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in ROOT.glob(pattern)}):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


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
    (RESULTS.parent / "work").mkdir(exist_ok=True)
    with FileLock(RESULTS.parent / "work" / "results.lock"), replacing(RESULTS) as temporary:
        before = (
            RESULTS.read_text(encoding="utf-8")
            if RESULTS.exists()
            else "# Measured\n\nEvery table names its command.\n"
        )
        head, _, tail = before.partition(mark + "\n")
        rest = tail[tail.find("\n## ") + 1 :] if "\n## " in tail else ""
        temporary.write_text(head.rstrip() + "\n\n" + said + ("\n" + rest if rest else ""), encoding="utf-8")
