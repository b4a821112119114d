"""What a lesson is: something that is played, leaves figures and numbers, and has a text in every language."""

import inspect
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ganforge.errors import UnknownNameError, UsageError
from ganforge.pictures.workers import Report, at_once, wanted_workers
from ganforge.progress import Progress
from ganforge.systems import reasons

TEXTS = Path(__file__).parent / "texts"
MEASURED = Path(__file__).parent / "measured"
"""What bench/ measured with more patience than a lesson has; the texts quote it."""
LANGUAGES = {"en": "English", "zh": "中文"}
FIGURE = re.compile(r"\]\(([\w-]+\.(?:png|gif|mp4))\)")
HOLE = re.compile(r"\{\{\s*(code:\s*)?([\w.]+)\s*\}\}")


class Settings(BaseModel):
    """Base of what a user may change in a lesson with ``--set name=value``."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())


S = TypeVar("S", bound=Settings)
J = TypeVar("J")
R = TypeVar("R")
BAR = 1000
"""Steps of a bar that shows a share."""
MOST_GAMES = 8
"""At a time: each is a process with a torch of its own, a few hundred MB."""


@dataclass(frozen=True)
class Played:
    """What playing a lesson left behind.

    Attributes:
        values: numbers for the text, by the names it calls them; without any there is no text to write.
        told: lines for the terminal.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Variant(Generic[S]):
    """A lesson with the user's own settings.

    Attributes:
        settings: what may be set.
        play: (settings, folder for figures, progress) → what came out.
    """

    settings: type[S]
    play: Callable[[S, Path, Progress], Played]


@dataclass(frozen=True)
class Lesson:
    """A lesson.

    Attributes:
        name: as ``ganforge learn NAME`` has it; texts/LANGUAGE/NAME.md tells it.
        about: one line for lists.
        play: (folder for figures, progress) → what came out.
        variant: the lesson with other settings.
        pages: further texts that belong to it.
        constants: values for the text that are known without playing: from the code, or measured by bench/.
    """

    name: str
    about: str
    play: Callable[[Path, Progress], Played]
    variant: Variant[Any] | None = None
    pages: tuple[str, ...] = ()
    constants: Callable[[], Mapping[str, str]] = dict

    def with_settings(self, given: Mapping[str, str]) -> Callable[[Path, Progress], Played]:
        """The play for ``--set`` options. Raises UnknownNameError for a name, UsageError for a value."""
        variant = self.variant
        if variant is None:
            raise UsageError(f"The lesson {self.name} is played as it is; it takes no settings.")
        if "model" in given and "model" not in variant.settings.model_fields:
            raise UsageError(f"The lesson {self.name} looks at no model; say `ganforge learn {self.name}`.")
        for name in given:
            if name not in variant.settings.model_fields:
                raise UnknownNameError(f"setting of {self.name}", name, variant.settings.model_fields)
        if "model" not in given and (field := variant.settings.model_fields.get("model")) and field.is_required():
            raise UsageError(f"These settings need a model to look at: ganforge learn {self.name} MODEL")
        try:
            settings = variant.settings.model_validate(given)
        except ValidationError as error:
            raise UsageError(f"These settings do not fit: {reasons(error)}") from None
        return lambda folder, progress: variant.play(settings, folder, progress)


@cache
def lessons() -> dict[str, Lesson]:
    """All lessons by name, in the order in which to take them."""
    modules = (
        "slanted_lesson",
        "game_lesson",
        "transposed_lesson",
        "anatomy_lesson",
        "collapse_lesson",
        "wrong_lesson",
    )
    return {m.LESSON.name: m.LESSON for m in (import_module(f"ganforge.lessons.{name}") for name in modules)}


def find_lesson(name: str) -> Lesson:
    """The lesson of that name. Raises UnknownNameError with the nearest right ones."""
    try:
        return lessons()[name]
    except KeyError:
        raise UnknownNameError("lesson", name, lessons()) from None


def address(page: str, language: str, suffix: str) -> str:
    """Where a page lies below a lesson's folder: ``slanted.md``, ``zh/slanted.md``."""
    return page + suffix if language == "en" else f"{language}/{page}{suffix}"


def text(lesson: Lesson, page: str, language: str, values: Mapping[str, str], *, figures: str = "") -> str:
    """The Markdown of a page of a lesson with its holes filled.

    ``{{ name }}`` is a value; ``{{ code: lessons.slanted.forger_slopes }}`` is that function as it stands in the source, so that
    no excerpt ever grows old.

    Args:
        lesson: whose constants fill holes too.
        page: the text's name.
        language: of `LANGUAGES`.
        values: what the lesson's playing found.
        figures: path from the page to the figures, which the texts call by their bare names.

    Raises:
        KeyError: a value that the lesson does not have.
        AttributeError: code that is not there.
    """

    known = {**values, **lesson.constants()}

    def fill(hole: re.Match[str]) -> str:
        if hole[1]:
            return f"```python\n{excerpt(hole[2])}\n```"
        return known[hole[2]]

    filled = HOLE.sub(fill, (TEXTS / language / f"{page}.md").read_text(encoding="utf-8"))
    return FIGURE.sub(lambda match: f"]({figures}{match[1]})", filled)


def excerpt(name: str) -> str:
    """``lessons.slanted.forger_slopes`` → its source, without its docstring. Raises AttributeError or ImportError."""
    source = textwrap.dedent(inspect.getsource(resolve_name(f"ganforge.{name}")))
    return re.sub(r'\n\s+"""(?:.|\n)*?"""', "", source, count=1).rstrip()


def percent(share: float, digits: int = 0) -> str:
    """0.123 → "12 %"."""
    return f"{100 * share:.{digits}f} %"


def side_by_side(what: str, function: Callable[[J, Report], R], jobs: Sequence[J], progress: Progress) -> list[R]:
    """``function`` on every job, as many at a time as there are cores; one bar for all of them."""

    def watch(shares: list[float]) -> None:
        progress(what, int(BAR * sum(shares) / len(shares)), BAR)

    return at_once(function, jobs, workers=min(wanted_workers(), MOST_GAMES), watch=watch)


def in_turn(progress: Progress, tasks: Sequence[tuple[str, Callable[[], None]]]) -> None:
    """Do named things one after the other, and report each."""
    for i, (what, do) in enumerate(tasks):
        progress(what, i, len(tasks))
        do()
    progress("done", len(tasks), len(tasks))
