"""Colours, chosen by hand: integers 0xRRGGBB. A material has four of them, so that shading needs no arithmetic."""

from functools import lru_cache
from typing import NamedTuple

from ganforge.avatars.dice import Dice


class Material(NamedTuple):
    """One surface in four colours: where light falls evenly, in shade, its ink line, and its gloss."""

    base: int
    shade: int
    line: int
    light: int


class Iris(NamedTuple):
    """An eye's colour: its upper rim in the lash's shadow, its middle, and the glow at its lower rim."""

    dark: int
    middle: int
    glow: int


def blend(one: int, other: int, share: float) -> int:
    """``one`` mixed with ``share`` (0 … 1) of ``other``."""
    keep = 1 - share
    red = int((one >> 16) * keep + (other >> 16) * share + 0.5)
    green = int((one >> 8 & 255) * keep + (other >> 8 & 255) * share + 0.5)
    blue = int((one & 255) * keep + (other & 255) * share + 0.5)
    return red << 16 | green << 8 | blue


def multiply(colour: int, red: float, green: float, blue: float) -> int:
    """``colour`` seen under coloured light."""
    return int((colour >> 16) * red) << 16 | int((colour >> 8 & 255) * green) << 8 | int((colour & 255) * blue)


@lru_cache(maxsize=512)
def cloth(colour: int) -> Material:
    """A fabric: shade falls toward violet, as in daylight; the ink is a deep shade of the same colour."""
    return Material(
        base=colour,
        shade=multiply(colour, 0.78, 0.72, 0.83),
        line=multiply(colour, 0.4, 0.33, 0.43),
        light=blend(colour, 0xFFFFFF, 0.5),
    )


HAIR = {
    "black": Material(0x3B3844, 0x262430, 0x100E16, 0x7C83A4),
    "brown": Material(0x7C4E34, 0x583529, 0x2C1815, 0xC28B60),
    "blonde": Material(0xF5D470, 0xD8A550, 0x7C5025, 0xFFF6C8),
    "orange": Material(0xF08A3A, 0xC9602E, 0x6C2C1A, 0xFFC984),
    "red": Material(0xC9363C, 0x932236, 0x480F20, 0xF88A78),
    "pink": Material(0xF69DBB, 0xD86F9E, 0x7B2F59, 0xFFDBE6),
    "lilac": Material(0xCBB8F0, 0xA08AD4, 0x544280, 0xF2E9FF),
    "purple": Material(0x7A45B2, 0x562F86, 0x2A1546, 0xC093EC),
    "blue": Material(0x3E76D2, 0x2B53A2, 0x142657, 0x93C2FA),
    "teal": Material(0x35B5B1, 0x1F868E, 0x0E414E, 0xA2F0E4),
    "green": Material(0x58A94B, 0x35793F, 0x163D27, 0xB0E38C),
    "grey": Material(0x8D929C, 0x676C7B, 0x333647, 0xCDD2DA),
    "white": Material(0xF2F1F6, 0xC3C5DA, 0x5F607D, 0xFFFFFF),
}

SKIN = {
    "pale": Material(0xFFEEE6, 0xF3C8C2, 0x8E4C50, 0xFFFFFF),
    "light": Material(0xFEDABD, 0xE9AC94, 0x85433A, 0xFFF1E2),
    "golden": Material(0xF2C088, 0xD29260, 0x763E26, 0xFFE2B8),
    "tan": Material(0xD3966A, 0xAC6C4A, 0x592B1E, 0xEDBC94),
    "brown": Material(0xA0633F, 0x7B452F, 0x3A1C16, 0xC68A62),
    "dark": Material(0x714534, 0x502E29, 0x1C0D0C, 0xA26F58),
}

BLUSH = {"pale": 0xFF8E98, "light": 0xFF8376, "golden": 0xF06E54, "tan": 0xD55A48, "brown": 0xC04A3E, "dark": 0xA03C3C}
LIPS = {"pale": 0xD8707C, "light": 0xD0625F, "golden": 0xBF5545, "tan": 0xA0423C, "brown": 0x843434, "dark": 0xA8545A}

IRIS = {
    "brown": Iris(0x30140C, 0x7E4422, 0xBE8048),
    "gold": Iris(0x8A4E04, 0xF5B81E, 0xFFF09A),
    "green": Iris(0x0C3D20, 0x3AA84C, 0xBDF58C),
    "teal": Iris(0x083E48, 0x20AEB0, 0xACFBEC),
    "blue": Iris(0x10225E, 0x3575E6, 0xA9E0FF),
    "purple": Iris(0x2A1062, 0x8649D6, 0xDDB4FF),
    "pink": Iris(0x8A1A5E, 0xF56CB4, 0xFFD2EA),
    "red": Iris(0x4E060E, 0xCE1C22, 0xFF8460),
    "grey": Iris(0x272B38, 0x7F8898, 0xDCE3EC),
}

FABRICS = (
    0xF4F1EA, 0xE9DCC5, 0xF6C9CF, 0xE8617A, 0xB8323F, 0xF08A4B, 0xF4C95D, 0x8CC084, 0x3F7D5A, 0x7FC8D8, 0x3D7EA6,
    0x2E4A7D, 0x8F7FC4, 0x5D3F7A, 0x6B4E3D, 0x7A8290, 0x3A3F4B, 0xD7DDE5,
)  # fmt: skip
"""What clothes, hats and ribbons are cut from."""

BRIGHT = (0xE8475C, 0xF08A3C, 0xF6C445, 0x4FB477, 0x36A2C9, 0x4C62C8, 0x9457C2, 0xE868A8, 0xF7F3EC)
"""Small things that should be seen: ties, ribbons, prints."""


def contrast(one: int, other: int) -> float:
    """How far two colours stand apart, 0 … 1 (weighted by what the eye sees best)."""
    red, green, blue = ((one >> s & 255) - (other >> s & 255) for s in (16, 8, 0))
    return (0.3 * abs(red) + 0.5 * abs(green) + 0.2 * abs(blue)) / 255


def pick_apart(dice: Dice, colours: tuple[int, ...], *others: int, least: float = 0.16) -> int:
    """One of ``colours`` that stands apart from all ``others``; the farthest where none does."""
    apart = [c for c in colours if min(contrast(c, other) for other in others) >= least]
    return dice.pick(apart) if apart else max(colours, key=lambda c: min(contrast(c, other) for other in others))
