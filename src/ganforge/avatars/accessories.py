"""Accessories. Each knows the layer it belongs to: behind the hair, on the neck, on the face, or on the hair."""

from math import cos, radians, sin

import skia

from ganforge.avatars.figure import Figure
from ganforge.avatars.hair import stand_off
from ganforge.avatars.paint import Painter, Point, ellipse, polygon, smooth, star
from ganforge.avatars.palette import BRIGHT, FABRICS, Material, blend, cloth, pick_apart

# fmt: off
# (points stand in rows, not one a line)

_GOLD = Material(0xF2C14E, 0xC08A2E, 0x6E4818, 0xFFF3B8)


def draw_behind_hair(p: Painter, figure: Figure) -> None:
    """In head units, behind everything of the head: nothing but the far side of a halo."""
    if figure.accessory == "halo":
        _halo(p, figure, front=False)


def draw_on_neck(p: Painter, figure: Figure) -> None:
    """In body units, over the clothes: scarf and choker."""
    dice = figure.dice("accessory")
    n = figure.neck
    if figure.accessory == "choker":
        band = cloth(pick_apart(dice, (0x2B2530, 0x8A2E44, 0x3A4F8A, 0xF4F1EA), figure.skin.base, least=0.25))
        x = 2.5 * figure.turn
        p.shape(smooth([(-n - 1 + x * 0.4, -14), (x, -8), (n + 1 + x * 0.4, -14), (n + 1, -6), (x, 0), (-n - 1, -6)]),
                band, 1.0)
        p.shape(ellipse(x, 1.5, 4.2, 4.8), _GOLD if dice.chance(0.6) else cloth(dice.pick(BRIGHT)), 1.0)
    elif figure.accessory == "scarf":
        wool = cloth(pick_apart(dice, FABRICS[3:], figure.hair.base, figure.skin.base))
        side = dice.sign()
        stripe = blend(wool.base, 0xFFFFFF, 0.55) if dice.chance(0.6) else wool.shade
        tail = smooth([(side * 6, 4), (side * 26, 4), (side * 33, 40), (side * 32, 80, 0), (side * 8, 82, 0),
                       (side * 7, 36)])
        p.shape(tail, wool)
        with p.inside(tail):
            for y in (44, 56):
                p.fill(polygon([(0, y), (side * 40, y - 2), (side * 40, y + 4), (0, y + 6)]), stripe)
        loop = smooth([(-n - 17, 2), (-n - 10, -17), (-0.4 * n, -13), (0, -11), (0.4 * n, -13), (n + 10, -17),
                       (n + 17, 2), (0.6 * n, 17), (0, 20),
                       (-0.6 * n, 17)])
        p.shape(loop, wool, 1.4)
        with p.inside(loop):
            p.oval(-figure.light * (n + 16), 6, 22, 18, wool.shade)
            p.leaf(-n - 10, -8, n + 6, 6, 9, 1.5, wool.line)
            p.leaf(-n + 2, 12, n + 12, -6, 4, 1.4, wool.shade)


def draw_on_face(p: Painter, figure: Figure) -> None:
    """In head units, under the fringe: earrings and the eyepatch."""
    dice = figure.dice("accessory")
    if figure.accessory == "eyepatch":
        dark = cloth(dice.pick((0x2B2530, 0x2B2530, 0x3A3F5C, 0x6A2F3A)))
        side = -1 if figure.turn > 0.35 else 1 if figure.turn < -0.35 else dice.sign()
        x, y = figure.across(side * figure.eye_x), figure.eye_y
        a, b = figure.eye_wide * 1.22 * figure.narrowed(side * figure.eye_x), max(figure.eye_high * 1.22, 14)
        for end_x, end_y in ((-side * figure.width, -34), (side * (figure.width + 1), y - 14)):
            p.line(skia.Path.Line((x, y - 5), (end_x, end_y)), dark.line, 3.0)
            p.line(skia.Path.Line((x, y - 5), (end_x, end_y)), dark.base, 1.6)
        path = smooth([(x - a, y - 0.6 * b), (x, y - 0.95 * b), (x + a, y - 0.6 * b), (x + 0.85 * a, y + 0.45 * b),
                       (x, y + b), (x - 0.85 * a, y + 0.45 * b)])
        p.shape(path, dark, 1.3)
        with p.inside(path):
            p.glow(x + figure.light * 0.4 * a, y - 0.4 * b, a, dark.light, 0.6)


def draw_over_locks(p: Painter, figure: Figure) -> None:
    """In head units, over the locks beside the face: earrings."""
    if figure.accessory != "earrings":
        return
    dice = figure.dice("accessory")
    colour = dice.pick(BRIGHT[:-1])
    kind = dice.pick(("drop", "hoop", "star"))
    for side in (-1, 1):
        hidden = max(0.0, side * figure.turn)
        x = side * (figure.width + 3.5 - 4 * hidden) - 3 * figure.turn * (1 - hidden)
        y = figure.eye_y + 24
        p.oval(x, y - 5, 2.6, 2.6, _GOLD.base)
        if kind == "hoop":
            p.line(ellipse(x, y + 7, 8.5, 11), _GOLD.line, 4.6)
            p.line(ellipse(x, y + 7, 8.5, 11), _GOLD.base, 3.0)
        elif kind == "drop":
            p.line(skia.Path.Line((x, y - 4), (x, y + 4)), _GOLD.base, 1.8)
            p.shape(smooth([(x, y + 1, 0), (x + 8, y + 14), (x, y + 22), (x - 8, y + 14)]), cloth(colour), 1.1)
            p.oval(x + 2 * figure.light, y + 10, 1.8, 2.6, 0xFFFFFF, 0.9)
        else:
            p.shape(star(x, y + 10, 12, 5.5), _GOLD, 1.1)


def draw_on_hair(p: Painter, figure: Figure) -> None:
    """In head units, over hair and hat: ribbon, flower, hairpin, headphones, cat ears, horns, a halo's near side."""
    if figure.accessory == "halo":
        _halo(p, figure, front=True)
    elif figure.accessory in _ON_HAIR:
        _ON_HAIR[figure.accessory](p, figure)


def _halo(p: Painter, figure: Figure, front: bool) -> None:
    y = {"none": -84.0, "witch": -132.0, "tophat": -122.0}.get(figure.hat, -98.0)
    rx, ry = 40.0, 11.0
    path = skia.Path()
    path.addArc(skia.Rect.MakeLTRB(-rx, y - ry, rx, y + ry), 0 if front else 180, 180)
    if not front:
        p.glow(0, y, 62, 0xFFF2A8, 0.8, 0.42)
    p.line(path, 0xB98428, 8.2 / p.bold**0.5)
    p.line(path, 0xFFE27A, 5.6 / p.bold**0.5)
    p.line(path, 0xFFFBE0, 2.0 / p.bold**0.5)


def _spot(figure: Figure, reach: float = 0.78, y: float = -36) -> tuple[float, float, int]:
    """A place on the hair at the side, above the ear; lower beneath a hat."""
    dice = figure.dice("accessory place")
    side = -1 if figure.turn > 0.4 else 1 if figure.turn < -0.4 else dice.sign()
    if figure.hat != "none":
        y = -8
        reach = 1.0
    half = figure.width + stand_off(figure, side)
    return side * half * reach, y, side


def _ribbon(p: Painter, figure: Figure) -> None:
    dice = figure.dice("accessory")
    silk = cloth(pick_apart(dice, BRIGHT, figure.hair.base, least=0.2))
    x, y, side = _spot(figure, 0.74, -48)
    size = dice.between(23, 28)
    with p.moved(x, y, turn=side * dice.between(14, 34)):
        for s in (-1, 1):
            p.shape(smooth([(0, 0, 0), (s * 0.5 * size, 0.5 * size), (s * 0.75 * size, 1.15 * size, 0),
                            (s * 0.45 * size, 0.98 * size, 0),
                            (s * 0.22 * size, 1.1 * size, 0)]), silk, 1.2)
            wing = smooth([(0, -0.12 * size), (s * 0.62 * size, -0.62 * size), (s * 1.06 * size, -0.36 * size),
                           (s * 1.02 * size, 0.34 * size),
                           (s * 0.6 * size, 0.46 * size), (0, 0.12 * size)])
            p.shape(wing, silk, 1.3)
            with p.inside(wing):
                p.oval(s * 0.2 * size, 0.1 * size, 0.34 * size, 0.6 * size, silk.shade)
                p.leaf(s * 0.66 * size, -0.36 * size, s * 0.94 * size, -0.1 * size, -s, 1.8, silk.light, 0.8)
        p.shape(ellipse(0, 0, 0.22 * size, 0.26 * size), silk, 1.2)


def _flower(p: Painter, figure: Figure) -> None:
    dice = figure.dice("accessory")
    petal = cloth(pick_apart(dice, (0xFFFFFF, 0xF89AB8, 0xF0566A, 0xF8D25A, 0xB48AE0, 0x7AB8F0), figure.hair.base,
                             least=0.2))
    x, y, _ = _spot(figure, 0.8, -30)
    r = dice.between(10.5, 13)
    with p.moved(x, y, turn=dice.between(0, 72)):
        for degrees in (100.0, 170.0):
            a = radians(degrees)
            p.fill(ellipse(1.7 * r * cos(a), 1.7 * r * sin(a), 0.6 * r, 0.5 * r), 0x5E9A4A)
        n = dice.pick((5, 5, 6))
        for i in range(n):
            a = radians(360 * i / n)
            p.shape(ellipse(r * sin(a), -r * cos(a), 0.72 * r, 0.72 * r), petal, 1.0)
        p.oval(0, 0, r, r, petal.base)
        for i in range(n):
            a = radians(360 * i / n)
            p.leaf(0.4 * r * sin(a), -0.4 * r * cos(a), 1.2 * r * sin(a), -1.2 * r * cos(a), 0, 0.9, petal.shade)
        p.oval(0, 0, 0.42 * r, 0.42 * r, 0xF6B93C if petal.base != 0xF8D25A else 0xB8703A)


def _hairpin(p: Painter, figure: Figure) -> None:
    dice = figure.dice("accessory")
    pin = cloth(pick_apart(dice, (*BRIGHT, 0xF8E27A), figure.hair.base, least=0.22))
    dice_side = dice.sign()
    x, y = figure.across(0.62 * dice_side), (-30 if figure.hat == "none" else -14)
    kind = dice.pick(("bars", "star"))
    with p.moved(x, y, turn=dice_side * dice.between(18, 40), wide=1.2, high=1.2):
        if kind == "star":
            p.shape(star(0, 0, 15, 7), pin, 1.2)
        else:
            for dy in (-6.2, 6.2):
                p.shape(ellipse(0, dy, 17, 4.3), pin, 1.1)


def _headphones(p: Painter, figure: Figure) -> None:
    dice = figure.dice("accessory")
    shell = cloth(pick_apart(dice, (*BRIGHT, 0x2B2E3A, 0xF4F1EA), figure.hair.base, least=0.2))
    pad = cloth(0x3A3F4B if shell.base != 0x2B2E3A else 0x8A92A8)
    left, right = -figure.width - stand_off(figure, -1) - 2, figure.width + stand_off(figure, 1) + 2
    y = figure.eye_y + 3
    if figure.hat == "none":  # under a hat the band is hidden
        _headband(p, shell, left, right, y, -58 - figure.volume)
    for side, x in ((-1, left), (1, right)):
        squeeze = 1 - 0.3 * max(0.0, side * figure.turn)
        p.shape(ellipse(x - side * 3, y, 9 * squeeze, 19), pad, 1.2)
        p.shape(ellipse(x + side * 3, y, 9.5 * squeeze, 17), shell, 1.3)
        p.oval(x + side * 3 + figure.light * 2, y - 5, 3.5, 6, shell.light, 0.8)


def _headband(p: Painter, shell: Material, left: float, right: float, y: float, top: float) -> None:
    band = smooth([(left, y - 8), (left * 0.98, -24), (left * 0.66, top + 13), (0, top - 3), (right * 0.66, top + 13),
                   (right * 0.98, -24), (right, y - 8)], closed=False)
    p.line(band, shell.line, 9.5 / p.bold**0.6)
    p.line(band, shell.base, 6.6 / p.bold**0.6)
    p.line(band, shell.light, 1.6 / p.bold**0.6, 0.8)


def _cat_ears(p: Painter, figure: Figure) -> None:
    dice = figure.dice("accessory")
    fur = figure.hair if dice.chance(0.75) else cloth(pick_apart(dice, (0x3A3744, 0xF4F1EA, 0xB87A4A),
                                                                 figure.hair.base))
    high = dice.between(36, 44)
    top = -40.0 if figure.hat == "none" else -58.0
    for side in (-1, 1):
        squeeze = 1 - 0.22 * side * figure.turn
        x = side * figure.width * 0.72 + 4 * figure.turn
        out = side * dice.between(10, 14)
        edge: list[Point] = [(x - 23 * squeeze, top - 2), (x - 9 + 0.5 * out, top - high * 0.72),
                             (x + out, top - high, 0),
                             (x + 15 + 0.6 * out, top - 0.5 * high), (x + 23 * squeeze, top + 14)]
        p.line(smooth(edge, closed=False), fur.line, 2.6)
        p.fill(smooth([*edge, (x, top + 4)]), fur.base)
        p.fill(smooth([(x - 12 * squeeze, top - 9, 0), (x + 0.82 * out, top - 0.8 * high, 0),
                       (x + 14 * squeeze, top + 3, 0)]), 0xF6B4B8)
        p.leaf(x - 9, top - 2, x + 0.2 * out, top - 0.5 * high, 0, 3.0, fur.base)
        p.leaf(x + 9, top + 5, x + 0.8 * out, top - 0.4 * high, 0, 3.0, fur.base)


def _horns(p: Painter, figure: Figure) -> None:
    dice = figure.dice("accessory")
    bone = dice.pick((Material(0x4A3442, 0x2E2030, 0x150E18, 0x9A7A8A),
                      Material(0xE9D8B8, 0xBFA27E, 0x5E4632, 0xFFF8E6),
                      Material(0xB83240, 0x7E1F33, 0x3A0C18, 0xF58A84)))
    long = dice.between(34, 46)
    curl = dice.between(0, 14)
    for side in (-1, 1):
        x, y = side * figure.width * 0.66 + 5 * figure.turn, (-48.0 if figure.hat == "none" else -64.0)
        edge: list[Point] = [(x - side * 11, y + 3), (x + side * 1, y - 0.52 * long),
                             (x + side * (12 - curl), y - long, 0),
                             (x + side * 19, y - 0.55 * long), (x + side * 13, y + 14)]
        path = smooth([*edge, (x, y + 12)])
        p.line(smooth(edge, closed=False), bone.line, 2.6)
        p.fill(path, bone.base)
        with p.inside(path):
            for i in range(3):
                yy = y - 6 - i * 0.24 * long
                p.leaf(x - 12, yy + side * 2, x + 22, yy - side * 2, 3, 1.3, bone.shade)
            p.leaf(x + side * 3 + figure.light * 3, y - 4, x + side * 8, y - 0.7 * long, -side * 3, 1.8, bone.light,
                   0.8)


_ON_HAIR = {
    "ribbon": _ribbon,
    "flower": _flower,
    "hairpin": _hairpin,
    "headphones": _headphones,
    "catears": _cat_ears,
    "horns": _horns,
}
