"""``ganforge learn``: the lessons."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from ganforge.cli.options import read_settings
from ganforge.files import check_new


def learn(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Without a name: a list of the lessons.")] = None,
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL]", help="For anatomy and wrong: a run folder or a model folder.", show_default=False
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="Play it otherwise, e.g. game --set data=moons. Again for more."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to write; by default a new folder here.")
    ] = None,
) -> None:
    """Play a lesson: prints its numbers, draws its figures, and writes a page that explains them.

    With --set it plays what you ask for, and leaves figures and numbers.
    """
    from ganforge.cli.terminal import progress_bar, say
    from ganforge.files import free_name, quoted
    from ganforge.lessons.lesson import find_lesson, lessons
    from ganforge.reports.lesson_page import write_pages
    from ganforge.training import Interrupted

    if name is None:
        for lesson in lessons().values():
            say(f"ganforge learn {lesson.name:<12} {lesson.about}")
        return
    lesson = find_lesson(name)
    wanted = read_settings(settings or [])
    if model is not None:
        wanted["model"] = model
    play = lesson.with_settings(wanted) if wanted else lesson.play
    folder = out or free_name(Path(f"ganforge-{lesson.name}"))
    check_new(folder, folder=True, mend="Name another folder with --out.")
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with progress_bar() as progress:
            played = play(folder, progress)
    except Interrupted:  # some lessons train a model
        raise KeyboardInterrupt from None
    finally:
        with suppress(OSError):
            for path in made:  # where nothing was drawn
                path.rmdir()
    for line in played.told:
        say(line)
    for figure in sorted(path for path in folder.iterdir() if path.is_file()):
        say(quoted(figure))
    if played.values:
        page = write_pages(lesson, played.values, folder)
        say(f"The page: {quoted(page.resolve())}")
