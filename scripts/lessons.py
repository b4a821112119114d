"""Play every lesson and write docs/lessons/ from what came out: ``make lessons``, or ``python scripts/lessons.py game``.

``--texts`` writes the pages anew from the numbers of the last time (docs/lessons/NAME/values.json), playing nothing.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ganforge.cli.terminal import progress_bar
from ganforge.files import replacing
from ganforge.lessons.lesson import LANGUAGES, Lesson, address, find_lesson, lessons, text

DOCS = Path(__file__).parent.parent / "docs" / "lessons"
KEPT = (".png", ".gif")
"""Of a lesson's figures: what a page shows (clips as gif; the mp4 is for the user's own folder)."""


def main() -> None:
    """Play, then write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="lessons (all)")
    parser.add_argument("--texts", action="store_true", help="only write the pages")
    args = parser.parse_args()
    for name in args.names or lessons():
        lesson = find_lesson(name)
        if not args.texts:
            play(lesson)
        for page, written in pages(lesson, read_values(lesson)).items():
            with replacing(DOCS / page) as temporary:
                temporary.write_text(written, encoding="utf-8", newline="\n")


def play(lesson: Lesson) -> None:
    """Play a lesson into docs/lessons/NAME: its figures and values.json."""
    with tempfile.TemporaryDirectory() as temporary, progress_bar() as progress:
        folder = Path(temporary)
        played = lesson.play(folder, progress)
        target = DOCS / lesson.name
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for figure in folder.iterdir():
            if figure.suffix in KEPT:
                shutil.copy(figure, target / figure.name)
    values = json.dumps(dict(played.values), ensure_ascii=False, indent=1, sort_keys=True)
    (target / "values.json").write_text(values + "\n", encoding="utf-8")


def read_values(lesson: Lesson) -> dict[str, str]:
    """What a lesson's last play found."""
    values: dict[str, str] = json.loads((DOCS / lesson.name / "values.json").read_text(encoding="utf-8"))
    return values


def pages(lesson: Lesson, values: Mapping[str, str]) -> dict[str, str]:
    """Every page of a lesson, by its place below docs/lessons."""
    written = {}
    for page in (lesson.name, *lesson.pages):
        for language in LANGUAGES:
            figures = f"{lesson.name}/" if language == "en" else f"../{lesson.name}/"
            written[address(page, language, ".md")] = text(lesson, page, language, values, figures=figures)
    return written


if __name__ == "__main__":
    main()
