"""``ganforge learn``: the lessons."""

from pathlib import Path
from typing import Annotated

import typer

from ganforge.errors import UsageError


def learn(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Without a name: a list of the lessons.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to write; by default a new folder here.")
    ] = None,
) -> None:
    """Play a lesson: prints its numbers, draws its figures, and writes a page that explains them."""
    from ganforge.cli.terminal import progress_bar, say
    from ganforge.files import free_name, quoted
    from ganforge.lessons.lesson import find_lesson, lessons
    from ganforge.reports.lesson_page import write_pages

    if name is None:
        for lesson in lessons().values():
            say(f"ganforge learn {lesson.name:<12} {lesson.about}")
        return
    lesson = find_lesson(name)
    folder = out or free_name(Path(f"ganforge-{lesson.name}"))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already; nothing was overwritten. Name another folder with --out.")
    folder.mkdir(parents=True, exist_ok=True)
    with progress_bar() as progress:
        played = lesson.play(folder, progress)
    page = write_pages(lesson, played.values, folder)
    for line in played.told:
        say(line)
    say(f"Figures: {quoted(folder)}")
    say(f"The page: {page.resolve()}")
