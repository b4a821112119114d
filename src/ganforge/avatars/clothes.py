"""Clothes, in body units: the origin at the pit of the neck, the picture's lower edge near y = 70."""

from collections.abc import Callable

import skia

from ganforge.avatars.dice import Dice
from ganforge.avatars.figure import Figure
from ganforge.avatars.paint import Painter, Point, ellipse, polygon, smooth, star
from ganforge.avatars.palette import BRIGHT, FABRICS, Material, blend, cloth, pick_apart
from ganforge.avatars.tailoring import (
    BOTTOM,
    draw_bow,
    draw_collar,
    draw_garment,
    draw_shade,
    pick_fabric,
)

# fmt: off
# (points stand in rows, not one a line)


def draw_behind_neck(p: Painter, figure: Figure) -> None:
    """What the neck stands in front of: the hood, the back of a collar."""
    dice = figure.dice("clothes")
    if figure.clothes == "hoodie":
        cloth_of = pick_fabric(dice, figure)
        n, s = figure.neck, figure.shoulders
        path = smooth([(-0.66 * s, 14), (-n - 24, -12), (-n - 4, -25), (n + 4, -25), (n + 24, -12), (0.66 * s, 14),
                       (0, 34)])
        p.shape(path, cloth_of)
        p.fill(smooth([(-n - 14, -6), (0, -18), (n + 14, -6), (0, 30)]), cloth_of.shade)
    elif figure.clothes == "sweater":
        return
    elif figure.clothes == "kimono":
        n = figure.neck
        p.shape(smooth([(-n - 12, 4), (-n - 9, -15), (0, -19), (n + 9, -15), (n + 12, 4), (0, 20)]), cloth(0xF5F1E8))


def draw_clothes(p: Painter, figure: Figure) -> None:
    """One of ten outfits over the shoulders."""
    _OUTFITS[figure.clothes](p, figure, figure.dice("clothes"))


def _tshirt(p: Painter, figure: Figure, dice: Dice) -> None:
    body = pick_fabric(dice, figure)
    n, s = figure.neck, figure.shoulders
    deep = dice.between(15, 22)
    draw_garment(p, figure, body, dice, collar=5, neckline=deep)
    trim = cloth(pick_apart(dice, BRIGHT, body.base)) if dice.chance(0.5) else body
    rib = smooth([(-n - 5, -5), (-0.62 * n - 3, 0.74 * deep), (0, deep + 1), (0.62 * n + 3, 0.74 * deep), (n + 5, -5)],
                 closed=False)
    p.line(rib, body.line, 6.4 / p.bold)
    p.line(rib, trim.base if trim is not body else body.shade, 4.2 / p.bold)
    for side in (-1, 1):
        p.leaf(side * (0.72 * s), 58, side * (s + 8), 62, 2, 1.4, body.line)
    colour = pick_apart(dice, BRIGHT, body.base, least=0.25)
    motif = dice.pick(("star", "stripes", "heart", "circle", "stripes"))
    if motif == "stripes":
        for y in (34, 50):
            p.fill(smooth([(-0.68 * s, y), (0, y + 5), (0.68 * s, y), (0.68 * s, y + 8), (0, y + 13),
                           (-0.68 * s, y + 8)]), colour)
    elif motif == "heart":
        p.fill(smooth([(0, 40, 0), (9, 33), (17, 42), (0, 62, 0), (-17, 42), (-9, 33)]), colour)
    elif motif == "circle":
        p.oval(0, 50, 16, 16, colour)
    else:
        p.fill(star(0, 49, 18, 7.5), colour)


def _shirt(p: Painter, figure: Figure, dice: Dice) -> None:
    body = cloth(pick_apart(dice, (0xF6F4F0, 0xF6F4F0, 0xCFE0F2, 0xF6D5DA, 0x6FA0C8, 0x4A6A58, 0xA8434A, 0x46506A),
                            figure.skin.base))
    path = draw_garment(p, figure, body, dice, collar=3, neckline=26)
    if dice.chance(0.35):
        with p.inside(path):
            for i in range(-5, 6):
                p.leaf(i * 13, 10, i * 14, BOTTOM, 0, 0.9, blend(body.base, body.line, 0.35))
    p.leaf(0, 26, 0, BOTTOM, 0, 1.0, body.line)
    for y in (38, 56):
        p.oval(3.5, y, 2.2, 2.2, body.line)
    draw_collar(p, figure, body, 27, 17)
    if dice.chance(0.45):
        draw_bow(p, 0, 29, 13, cloth(pick_apart(dice, BRIGHT, body.base)))


def _hoodie(p: Painter, figure: Figure, dice: Dice) -> None:
    body = pick_fabric(dice, figure)
    n, s = figure.neck, figure.shoulders
    draw_garment(p, figure, body, dice, wider=4, collar=6, neckline=25)
    inner = cloth(blend(body.base, 0xFFFFFF, 0.25))
    for side in (-1, 1):
        p.shape(smooth([(side * (n + 3), -12), (side * (n + 21), -4), (side * 0.6 * s, 14), (side * 24, 32),
                        (0, 36, 0), (side * 6, 22),
                        (side * (n - 1), 8)]), body)
        p.leaf(side * (n + 7), -4, side * 10, 26, side * -7, 1.5, body.shade)
        p.line(smooth([(side * 11, 30), (side * 12.5, 44), (side * 11, 58 + dice.near(0, 5))], closed=False),
               inner.line, 3.6)
        p.line(smooth([(side * 11, 30), (side * 12.5, 44), (side * 11, 57)], closed=False), 0xFAF6EE, 2.2)
    if dice.chance(0.5):
        p.line(skia.Path.Line((0, 37), (0, BOTTOM)), body.line, 2.2)


def _sweater(p: Painter, figure: Figure, dice: Dice) -> None:
    body = pick_fabric(dice, figure)
    n, s = figure.neck, figure.shoulders
    path = draw_garment(p, figure, body, dice, wider=2, collar=3, neckline=10)
    colour = pick_apart(dice, (*BRIGHT, 0xF6F2EA, 0x3A3F4B), body.base, least=0.2)
    with p.inside(path):
        y = dice.between(30, 40)
        for i in range(-9, 10):
            x = i * 11
            p.fill(polygon([(x - 5.5, y + 7), (x, y), (x + 5.5, y + 7), (x, y + 14)]), colour)
        p.fill(smooth([(-s - 10, y - 5), (0, y - 3), (s + 10, y - 5), (0, y - 1)]), colour)
        p.box(-s - 10, y + 17, s + 10, y + 20, colour)
    collar = smooth([(-n - 4, 4), (-n - 5, -11), (0, -7), (n + 5, -11), (n + 4, 4), (0, 14)])
    p.shape(collar, body)
    with p.inside(collar):
        for i in range(-3, 4):
            p.leaf(i * n / 3.2, -9, i * n / 3.0, 13, i * 0.6, 0.9, body.shade)
        p.fill(ellipse(0, -13, n + 4, 8), body.shade)


def _suit(p: Painter, figure: Figure, dice: Dice) -> None:
    jacket = cloth(dice.pick((0x3A3F4B, 0x2E3A5C, 0x4A3B3A, 0x6E7482, 0x3B2F4A, 0x7A6A58)))
    shirt = cloth(dice.pick((0xFAF8F4, 0xFAF8F4, 0xD9E6F5, 0xF8E0E4)))
    n, s = figure.neck, figure.shoulders
    draw_garment(p, figure, shirt, dice, collar=3, neckline=16)
    tie = cloth(pick_apart(dice, (*BRIGHT[:-1], 0x2E3A5C), jacket.base, shirt.base, least=0.13))
    p.shape(polygon([(-6, 14), (6, 14), (11, 66), (0, 80), (-11, 66)]), tie, 1.1)
    if dice.chance(0.5):
        for y in (30, 42, 54):
            p.fill(polygon([(-9, y + 8), (9, y - 1), (9, y + 4), (-9, y + 13)]), tie.light, 0.8)
    p.shape(polygon([(-7, 9), (7, 9), (4.5, 20), (-4.5, 20)]), tie, 1.1)
    draw_collar(p, figure, shirt, 20, 16)
    for side in (-1, 1):
        path = smooth(
            [(side * (n + 6), -7, 0), (side * 0.55 * s, 6), (side * 0.9 * s, 18), (side * (s + 5), 44),
             (side * (s + 8), BOTTOM, 0),
             (side * 1, BOTTOM, 0), (side * 3, 80, 0)]
        )
        p.shape(path, jacket)
        draw_shade(p, figure, path, jacket, dice)
        p.shape(polygon([(side * (n + 6), -8), (side * (n + 15), 10), (side * 37, 30), (side * 29, 38),
                         (side * 32, 45), (side * 3, 84)]),
                jacket._replace(base=blend(jacket.base, jacket.light, 0.16)), 1.1)
    if dice.chance(0.5):
        p.fill(polygon([(36, 52), (48, 49), (46, 58), (38, 60)]), 0xF8F6F2)


def _sailor(p: Painter, figure: Figure, dice: Dice) -> None:
    white_body = dice.chance(0.7)
    navy = cloth(dice.pick((0x2E4480, 0x2E4480, 0x8A2E44, 0x2F5D5A)))
    body, flap = (cloth(0xF8F6F2), navy) if white_body else (navy, cloth(0xF8F6F2))
    n, s = figure.neck, figure.shoulders
    draw_garment(p, figure, body, dice, collar=4, neckline=34)
    stripe = 0xFFFFFF if white_body else navy.base
    for side in (-1, 1):
        p.shape(smooth([(side * (n + 2), -9, 0), (side * 0.5 * s, 4), (side * 0.78 * s, 16, 0),
                        (side * 0.62 * s, 36, 0), (side * 18, 42),
                        (0, 46, 0), (side * 12, 20)]), flap)
        p.line(skia.Path.Polygon([(side * 0.7 * s, 16), (side * 0.56 * s, 30), (side * 5, 40)], False), stripe, 1.9)
    colour = cloth(dice.pick((0xD8364A, 0xD8364A, 0xF0B83C, 0x3A9AC0, 0xE66A9A)))
    draw_bow(p, 0, 46, 17, colour)


def _kimono(p: Painter, figure: Figure, dice: Dice) -> None:
    body = cloth(pick_apart(dice, (0xB83A50, 0x3A4F8A, 0x5E3F86, 0x3F7F72, 0xE89AB0, 0xF0C25A, 0x2F3550, 0xD96A40),
                            figure.skin.base))
    n, s = figure.neck, figure.shoulders
    path = draw_garment(p, figure, body, dice, wider=3, collar=7, neckline=36)
    petal = pick_apart(dice, (0xFDF3E0, 0xF8C7D0, 0xF4D06A, 0x9AD0E0), body.base, least=0.2)
    with p.inside(path):
        for side in (-1, 1):
            for _ in range(3):
                x, y, r = side * dice.between(0.34, 1.0) * s, dice.between(16, 66), dice.between(4.2, 5.6)
                for dx, dy in ((0, -1), (0.95, -0.31), (0.59, 0.81), (-0.59, 0.81), (-0.95, -0.31)):
                    p.oval(x + r * dx, y + r * dy, 0.72 * r, 0.72 * r, petal)
                p.oval(x, y, 0.5 * r, 0.5 * r, body.base)
    inner = cloth(0xFAF6EE)
    trim = cloth(pick_apart(dice, (0xFAF6EE, 0x2F3550, 0xB83A50, 0xE8C15A), body.base))
    for side in (-1, 1):  # the right side lies under the left one, as on the living
        end = 12 if side == -1 else -12
        p.shape(polygon([(side * (n + 1), -12), (side * (n + 7), -9), (end + side * 4, 60), (end - side * 6, 60)]),
                inner, 1.0)
        p.shape(polygon([(side * (n + 6), -11), (side * (n + 17), -4), (end + side * 13, 62), (end + side * 1, 62)]),
                trim, 1.1)
    obi = cloth(pick_apart(dice, (*BRIGHT, 0x2F3550), body.base, trim.base))
    p.shape(polygon([(-0.74 * s, 62), (0.74 * s, 62), (0.74 * s, BOTTOM), (-0.74 * s, BOTTOM)]), obi, 1.2)


def _dress(p: Painter, figure: Figure, dice: Dice) -> None:
    body = cloth(pick_apart(dice,
                            (0xF2A5BC, 0xB04A78, 0x7AB8D8, 0x5E4A9A, 0xF6F0E6, 0x3A3550, 0xC83A4A, 0xA6D0A8, 0xF2CF6A),
                            figure.skin.base, least=0.2))
    s = figure.shoulders
    strap = 0.46 * s
    path = smooth(
        [(-0.86 * s, 34), (-0.62 * s, 33, 0), (-0.3 * s, 28), (0, 35, 0), (0.3 * s, 28), (0.62 * s, 33, 0),
         (0.86 * s, 34),
         (0.72 * s, 60), (0.7 * s, BOTTOM, 0), (-0.7 * s, BOTTOM, 0), (-0.72 * s, 60)]
    )
    for side in (-1, 1):
        p.shape(polygon([(side * strap, 8), (side * (strap + 8), 10), (side * (strap + 6), 36),
                         (side * (strap - 4), 36)]), body, 1.1)
        p.leaf(side * 0.76 * s, 40, side * 0.7 * s, BOTTOM, side * -2, 1.2, figure.skin.line)
    p.shape(path, body)
    draw_shade(p, figure, path, body, dice)
    frill = body._replace(base=body.light)
    bumps: list[Point] = []
    n = 9
    for i in range(n + 1):
        x = (-0.8 + 1.6 * i / n) * s
        y = 31 + 4 * (1 - abs(2 * i / n - 1))
        bumps.append((x, y + 6, 0))
        if i < n:
            bumps.append((x + 0.8 * s / n, y + 13))
    p.shape(smooth([(-0.82 * s, 30), (-0.3 * s, 26), (0, 31, 0), (0.3 * s, 26), (0.82 * s, 30), *reversed(bumps)]),
            frill, 1.1)
    if dice.chance(0.7):
        draw_bow(p, 0, 40, 10, cloth(pick_apart(dice, BRIGHT, body.light)))


def _armour(p: Painter, figure: Figure, dice: Dice) -> None:
    steel = dice.pick((
        Material(0xB8C2D0, 0x7E8AA2, 0x343C50, 0xF2F7FC), Material(0xB8C2D0, 0x7E8AA2, 0x343C50, 0xF2F7FC),
        Material(0xD9B25A, 0xA67C3A, 0x523616, 0xFFF0B4), Material(0x5A6072, 0x3C4052, 0x181A26, 0xA8B2C8),
        Material(0xB87F5A, 0x86543F, 0x40221A, 0xF0C8A0),
    ))
    n, s = figure.neck, figure.shoulders
    trim = cloth(0xE8BC4A) if steel.base != 0xD9B25A else cloth(0xB83A3F)
    path = draw_garment(p, figure, steel, dice, collar=4, neckline=10)
    with p.inside(path):
        p.leaf(0, 12, 0, BOTTOM, 0, 1.6, steel.line)
        p.leaf(figure.light * 16, 22, figure.light * 20, 90, -figure.light * 6, 4.5, steel.light, 0.9)
    gem = dice.pick(BRIGHT[:-1])
    p.shape(polygon([(0, 24), (9, 35), (0, 50), (-9, 35)]), cloth(gem), 1.1)
    p.oval(figure.light * 2.5, 32, 2.2, 3.2, 0xFFFFFF, 0.85)
    for side in (-1, 1):
        for y, reach in ((22.0, 1.0), (8.0, 0.9)):
            plate = smooth([(side * 0.46 * s, y - 8), (side * 0.82 * s * reach, y - 14),
                            (side * (1.16 * s) * reach, y + 10),
                            (side * 1.16 * s * reach, y + 30), (side * 0.86 * s * reach,
                                                                y + 24), (side * 0.5 * s, y + 14)])
            p.shape(plate, steel)
            with p.inside(plate):
                if side != figure.light:
                    p.fill(ellipse(side * 1.2 * s, y + 16, 0.42 * s, 26), steel.shade)
                else:
                    p.leaf(side * 0.6 * s, y - 2, side * 1.06 * s * reach, y + 6, side * -6, 2.4, steel.light)
            p.line(smooth([(side * 0.52 * s, y + 13), (side * 0.86 * s * reach, y + 22),
                           (side * 1.13 * s * reach, y + 28)], closed=False),
                   trim.base, 2.4)
    gorget = smooth([(-n - 7, 3), (-n - 6, -12), (0, -4), (n + 6, -12), (n + 7, 3), (0, 16)])
    p.shape(gorget, steel)
    p.line(smooth([(-n - 6, -11), (0, -3.5), (n + 6, -11)], closed=False), trim.base, 2.2)


def _labcoat(p: Painter, figure: Figure, dice: Dice) -> None:
    under = cloth(pick_apart(dice, (*FABRICS[3:8], *FABRICS[9:14], 0x3A3F4B), figure.skin.base))
    coat = Material(0xFAFAFC, 0xC9D0E2, 0x5C6482, 0xFFFFFF)
    n, s = figure.neck, figure.shoulders
    draw_garment(p, figure, under, dice, collar=2, neckline=16)
    p.line(smooth([(-n - 2, -5), (0, 17), (n + 2, -5)], closed=False), under.line, 2.4)
    for side in (-1, 1):
        path = smooth(
            [(side * (n + 5), -9, 0), (side * 0.56 * s, 4), (side * 0.92 * s, 17), (side * (s + 6), 44),
             (side * (s + 9), BOTTOM, 0),
             (side * 13, BOTTOM, 0), (side * 12, 70, 0)]
        )
        p.shape(path, coat)
        draw_shade(p, figure, path, coat, dice)
        p.shape(polygon([(side * (n + 4), -10), (side * (n + 17), 2), (side * 40, 26), (side * 30, 33),
                         (side * 34, 40), (side * 11, 74)]),
                coat, 1.1)
    side = dice.sign()
    p.line(skia.Path.Polygon([(side * 30, 52), (side * 50, 52)], False), coat.line, 1.8)
    for i, colour in enumerate((dice.pick(BRIGHT[:-1]), 0x3A3F4B)):
        p.box(side * (36 + 7 * i) - 1.8, 42, side * (36 + 7 * i) + 1.8, 52, colour)


_OUTFITS: dict[str, Callable[[Painter, Figure, Dice], None]] = {
    "tshirt": _tshirt,
    "shirt": _shirt,
    "hoodie": _hoodie,
    "sweater": _sweater,
    "suit": _suit,
    "sailor": _sailor,
    "kimono": _kimono,
    "dress": _dress,
    "armour": _armour,
    "labcoat": _labcoat,
}
