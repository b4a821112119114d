"""Words on pictures: a font that is always there, wrapping, and room for every script a user may write in."""

from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

CJK_FONTS = (
    "msyh.ttc", "YuGothR.ttc", "simsun.ttc", "msgothic.ttc",  # Windows
    "PingFang.ttc", "Hiragino Sans GB.ttc", "STHeiti Light.ttc",  # macOS
    "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "wqy-microhei.ttc", "wqy-zenhei.ttc",  # Linux
)  # fmt: skip
"""Files of system fonts that know Chinese and Japanese; Pillow finds them in the system's font folders."""

CJK_STARTS = 0x2E80
"""The first code point of East Asian scripts; everything below is in the font that comes with us."""


@lru_cache(maxsize=64)
def font(size: int, *, east_asian: bool = False) -> ImageFont.FreeTypeFont:
    """A sans-serif font of ``size`` pixels: DejaVu Sans, which matplotlib brings along.

    With ``east_asian`` the system's own Chinese or Japanese font, where it has one.
    """
    if east_asian:
        for name in CJK_FONTS:
            try:
                return ImageFont.truetype(name, size)
            except OSError:
                continue
    import matplotlib

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size)


def font_for(text: str, size: int) -> ImageFont.FreeTypeFont:
    """The `font` that can write ``text``."""
    return font(size, east_asian=any(ord(c) >= CJK_STARTS for c in text))


def line_height(size: int) -> int:
    """Pixels from one line to the next."""
    return round(size * 1.35)


def wrap(text: str, width: int, size: int) -> list[str]:
    """Break ``text`` into lines of at most ``width`` pixels, at spaces where there are some, inside words where not."""
    face = font_for(text, size)
    lines: list[str] = []
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split():
            candidate = f"{line} {word}" if line else word
            if face.getlength(candidate) <= width:
                line = candidate
                continue
            if line:
                lines.append(line)
            while len(word) > 1 and face.getlength(word) > width:
                fits = max(1, sum(face.getlength(word[: n + 1]) <= width for n in range(len(word))))
                lines.append(word[:fits])
                word = word[fits:]  # noqa: PLW2901 - what is left of a word too long for a line
            line = word
        lines.append(line)
    return lines


def shorten(text: str, width: int, size: int) -> str:
    """``text`` on one line of at most ``width`` pixels, cut with an ellipsis where it is longer."""
    text = " ".join(text.split())
    face = font_for(text, size)
    if face.getlength(text) <= width:
        return text
    while text and face.getlength(f"{text}…") > width:
        text = text[:-1].rstrip()
    return f"{text}…" if text else ""
