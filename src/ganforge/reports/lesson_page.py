"""A lesson's texts as HTML pages beside its figures: three folds, then what to try, in every language."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ganforge import __version__
from ganforge.files import replacing
from ganforge.lessons.lesson import LANGUAGES, Lesson, address, text
from ganforge.reports.rendering import render, template_text

FOLDS = 3
"""The story, the numbers, the mathematics and the code: the first three parts of a lesson's text."""
PANEL = re.compile(r"<p>(<img [^>]*>)</p>\s*<p>(.*?)</p>", re.DOTALL)
LINK = re.compile(r"\[([^]]+)\]\((\w+)\.md\)")
SKIP = {"en": "Skip to the lesson", "zh": "跳到正文"}


@dataclass(frozen=True)
class Part:
    """What stands under one heading.

    Attributes:
        title: the heading.
        html: the rest.
        fold: whether it opens and closes.
        open: whether it is open at first.
    """

    title: str
    html: str
    fold: bool
    open: bool


def write_pages(lesson: Lesson, values: Mapping[str, str], folder: Path) -> Path:
    """Write all pages of a lesson in all languages beside its figures; the English first page. Raises OSError."""
    for page in (lesson.name, *lesson.pages):
        for language in LANGUAGES:
            html = _html(lesson, page, language, values, folds=FOLDS if page == lesson.name else 0)
            with replacing(folder / address(page, language, ".html")) as temporary:
                temporary.write_text(html, encoding="utf-8", newline="\n")
    return folder / address(lesson.name, "en", ".html")


def _html(lesson: Lesson, page: str, language: str, values: Mapping[str, str], folds: int) -> str:
    from markdown_it import MarkdownIt

    renderer = MarkdownIt("commonmark").enable("table")
    markdown = text(lesson, page, language, values, figures="" if language == "en" else "../")
    markdown = LINK.sub(lambda link: _linked(lesson, link), markdown)
    head, *sections = re.split(r"^## ", markdown, flags=re.MULTILINE)
    title, _, lead = head.removeprefix("# ").partition("\n")
    parts = []
    for i, section in enumerate(sections):
        heading, _, body = section.partition("\n")
        html = renderer.render(body).replace("<table>", '<div class="wide" tabindex="0"><table>')
        html = html.replace("</table>", "</table></div>").replace("<pre>", '<pre tabindex="0">')
        if i == 0 and folds:
            html = f'<div class="panels">{PANEL.sub(_panel, html)}</div>'
        parts.append(Part(heading, html, fold=i < folds, open=i < folds - 1))
    back = "" if language == "en" else "../"
    others = [
        ((other, name), back + address(page, other, ".html")) for other, name in LANGUAGES.items() if other != language
    ]
    return render(
        "lesson.html",
        language=language,
        title=title,
        lead=renderer.render(lead),
        parts=parts,
        others=others,
        skip=SKIP[language],
        version=__version__,
        style=template_text("base.css") + template_text("lesson.css"),
    )


def _linked(lesson: Lesson, link: re.Match[str]) -> str:
    """Pages of the same lesson lie beside; another lesson is a command away."""
    if link[2] in (lesson.name, *lesson.pages):
        return f"[{link[1]}]({link[2]}.html)"
    return f"{link[1]} (`ganforge learn {link[2]}`)"


def _panel(match: re.Match[str]) -> str:
    return f"<figure>{match[1]}<figcaption>{match[2]}</figcaption></figure>"
