"""What a lesson is: something that is played, leaves figures and numbers, and has a text in every language."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path

from ganforge.errors import UnknownNameError
from ganforge.progress import Progress

TEXTS = Path(__file__).parent / "texts"
LANGUAGES = {"en": "English", "zh": "中文"}
FIGURE = re.compile(r"\]\(([\w-]+\.(?:png|gif|mp4))\)")
HOLE = re.compile(r"\{\{\s*(?:(code|value):\s*)?([\w.]+)\s*\}\}")


@dataclass(frozen=True)
class Played:
    """What playing a lesson left behind.

    Attributes:
        values: numbers for the text, by the names it calls them.
        told: lines for the terminal.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lesson:
    """A lesson.

    Attributes:
        name: as ``ganforge learn NAME`` has it; texts/LANGUAGE/NAME.md tells it.
        about: one line for lists.
        play: (folder for figures, progress) → what came out.
        pages: further texts that belong to it.
    """

    name: str
    about: str
    play: Callable[[Path, Progress], Played]
    pages: tuple[str, ...] = ()


@cache
def lessons() -> dict[str, Lesson]:
    """All lessons by name, in the order in which to take them."""
    modules = ("slanted_lesson",)
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


def text(page: str, language: str, values: Mapping[str, str], *, figures: str = "") -> str:
    """The Markdown of a page with its holes filled.

    ``{{ name }}`` is a value; ``{{ code: slanted.forger_slopes }}`` is that function as it stands in the source, so that
    no excerpt ever grows old.

    Args:
        page: the text's name.
        language: of `LANGUAGES`.
        values: what the lesson's playing found.
        figures: path from the page to the figures, which the texts call by their bare names.

    Raises:
        KeyError: a value that the lesson does not have.
        AttributeError: code that is not there.
    """

    def fill(hole: re.Match[str]) -> str:
        if hole[1] == "code":
            return f"```python\n{excerpt(hole[2])}\n```"
        return values[hole[2]]

    filled = HOLE.sub(fill, (TEXTS / language / f"{page}.md").read_text(encoding="utf-8"))
    return FIGURE.sub(lambda match: f"]({figures}{match[1]})", filled)


def excerpt(name: str) -> str:
    """``slanted.forger_slopes`` → its source, without its docstring."""
    module, _, thing = name.partition(".")
    source = inspect.getsource(getattr(import_module(f"ganforge.lessons.{module}"), thing))
    return re.sub(r'\n\s+"""(?:.|\n)*?"""', "", source, count=1).rstrip()
