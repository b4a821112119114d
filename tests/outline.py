"""A page's outline, for tests."""

import re
from html.parser import HTMLParser


class Outline(HTMLParser):
    """What matters for people who do not see a page, and every address in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.without_alt = 0
        self.lang: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.headings += [int(tag[1])] if re.fullmatch(r"h\d", tag) else []
        self.lang = given.get("lang") if tag == "html" else self.lang
        self.without_alt += tag == "img" and "alt" not in given
        self.addresses += [given[name] or "" for name in ("src", "href", "poster") if name in given]
        self.ids += [given["id"] or ""] if "id" in given else []
