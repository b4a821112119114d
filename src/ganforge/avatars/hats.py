"""Hats, in head units. They sit on the hair: the brim near the hairline, the fringe below it."""

from collections.abc import Callable
from math import cos, radians, sin

from ganforge.avatars.dice import Dice
from ganforge.avatars.figure import Figure
from ganforge.avatars.hair import stand_off
from ganforge.avatars.paint import Painter, Point, ellipse, polygon, smooth, star
from ganforge.avatars.palette import BRIGHT, FABRICS, Material, cloth, pick_apart

# fmt: off
# (points stand in rows, not one a line)


def draw_hat(p: Painter, figure: Figure) -> None:
    """One of six hats, or none."""
    if figure.hat != "none":
        _HATS[figure.hat](p, figure, figure.dice("hat"))


def _half(figure: Figure) -> float:
    """Half width of the hair where a hat sits."""
    return figure.width + 0.5 * (stand_off(figure, -1) + stand_off(figure, 1))


def _felt(dice: Dice, figure: Figure) -> Material:
    return cloth(pick_apart(dice, FABRICS, figure.hair.base, least=0.2))


def _round_shade(p: Painter, figure: Figure, x: float, y: float, rx: float, ry: float, material: Material) -> None:
    """Shade and gloss of something round; call it inside the shape."""
    p.oval(x - figure.light * 1.25 * rx, y + 0.25 * ry, rx, 1.5 * ry, material.shade)
    p.glow(x + figure.light * 0.4 * rx, y - 0.4 * ry, 0.5 * rx, material.light, 0.75, 0.7)


def _beret(p: Painter, figure: Figure, dice: Dice) -> None:
    felt = _felt(dice, figure)
    half = _half(figure)
    side = dice.sign()
    path = smooth(
        [(-side * half * 0.94, -26), (-side * half * 0.98, -52), (-side * 0.4 * half, -75), (side * 0.45 * half, -82),
         (side * 1.22 * half, -62),
         (side * 1.24 * half, -38), (side * 0.86 * half, -28), (side * 0.2 * half, -36), (-side * 0.5 * half, -32)]
    )
    p.shape(path, felt, 1.4)
    with p.inside(path):
        _round_shade(p, figure, 0, -54, half, 26, felt)
        p.leaf(side * 0.9 * half, -34, side * 1.05 * half, -60, side * 6, 1.4, felt.shade)
    p.line(smooth([(-side * half * 0.92, -24), (-side * 0.4 * half, -32), (side * 0.2 * half, -35),
                   (side * 0.84 * half, -27)], closed=False),
           felt.line, 4.0)
    p.leaf(side * 0.3 * half, -80, side * 0.36 * half, -93, 2, 2.2, felt.line)


def _cap(p: Painter, figure: Figure, dice: Dice) -> None:
    felt = _felt(dice, figure)
    half = _half(figure) + 2
    middle = figure.across(0)
    crown = smooth([(-half, -18), (-0.97 * half, -46), (-0.55 * half, -74), (0, -82), (0.55 * half, -74),
                    (0.97 * half, -46), (half, -18),
                    (middle, -34)])
    p.shape(crown, felt, 1.4)
    with p.inside(crown):
        _round_shade(p, figure, 0, -50, half, 30, felt)
        for u in (-0.45, 0.45):
            p.leaf(figure.across(u), -28, figure.across(u * 0.3), -80, u * 16, 1.1, felt.line)
    p.oval(middle * 0.4, -82, 5, 3.2, felt.line)
    front = cloth(pick_apart(dice, BRIGHT, felt.base, least=0.22))
    _emblem(p, middle * 1.1, -54, front, dice)
    brim = front if dice.chance(0.4) else felt
    reach = 15 + 3 * dice.unit()
    visor = smooth([(middle - 0.82 * half, -30), (middle, -42), (middle + 0.82 * half, -30),
                    (middle + 0.86 * half, -22),
                    (middle * 1.2 + 0.4 * half, -30 + reach), (middle * 1.2,
                                                               -27 + reach), (middle * 1.2 - 0.4 * half, -30 + reach),
                    (middle - 0.86 * half, -22)])
    p.shape(visor, brim, 1.4)
    with p.inside(visor):
        p.fill(ellipse(middle, -14 + 0.4 * reach, 0.8 * half, 8), brim.shade)


def _emblem(p: Painter, x: float, y: float, material: Material, dice: Dice) -> None:
    kind = dice.pick(("star", "heart", "bar", "drop", "none"))
    if kind == "star":
        p.shape(star(x, y, 13, 5.6), material, 1.0)
    elif kind == "heart":
        p.shape(smooth([(x, y - 5, 0), (x + 7, y - 10), (x + 12, y - 3), (x, y + 11, 0), (x - 12, y - 3),
                        (x - 7, y - 10)]), material, 1.0)
    elif kind == "bar":
        p.shape(polygon([(x - 16, y - 6), (x + 16, y - 6), (x + 14, y + 7), (x - 14, y + 7)]), material, 1.0)
    elif kind == "drop":
        p.shape(ellipse(x, y, 11, 11), material, 1.0)
        p.oval(x, y, 5, 5, material.light)


def _beanie(p: Painter, figure: Figure, dice: Dice) -> None:
    wool = _felt(dice, figure)
    half = _half(figure) + 2
    fold = cloth(pick_apart(dice, BRIGHT, wool.base)) if dice.chance(0.4) else wool
    if dice.chance(0.65):
        pom = cloth(pick_apart(dice, BRIGHT, wool.base))
        points: list[Point] = []
        for i in range(10):
            a = radians(36 * i)
            points.append((14 * sin(a), -90 - 12 * cos(a), 0))
            points.append((15.5 * sin(a + 0.31), -90 - 13.5 * cos(a + 0.31)))
        p.shape(smooth(points), pom, 1.2)
    crown = smooth([(-half, -20), (-0.98 * half, -50), (-0.6 * half, -78), (0, -88), (0.6 * half, -78),
                    (0.98 * half, -50), (half, -20)])
    p.shape(crown, wool, 1.4)
    with p.inside(crown):
        for u in (-0.75, -0.4, 0.0, 0.4, 0.75):
            p.leaf(figure.across(u), -30, figure.across(u * 0.5), -86, u * 10, 1.1, wool.shade)
        _round_shade(p, figure, 0, -56, half, 30, wool)
    band = smooth([(-half - 3, -20), (-half - 2, -38), (0, -50), (half + 2, -38), (half + 3, -20), (0.6 * half, -26),
                   (0, -30), (-0.6 * half, -26)])
    p.shape(band, fold, 1.4)
    with p.inside(band):
        for i in range(-5, 6):
            x = i * half / 5.4
            p.leaf(x, -50 + 0.0022 * x * x, x * 1.03, -22, 0, 1.0, fold.shade)


def _straw(p: Painter, figure: Figure, dice: Dice) -> None:
    straw = Material(0xF0CF85, 0xCFA257, 0x7A5526, 0xFFF0C0)
    half = _half(figure)
    tilt = dice.near(0, 4)
    with p.moved(turn=tilt):
        wide = 1.62 * half
        brim = smooth([(-wide, -30), (-0.9 * half, -50), (0, -57), (0.9 * half, -50), (wide, -30), (0.95 * half, -19),
                       (0, -25), (-0.95 * half, -19)])
        p.shape(brim, straw, 1.4)
        with p.inside(brim):
            for i in range(3):
                p.line(ellipse(0, -38, half * (1.12 + 0.2 * i), 12 + 3 * i), straw.shade, 0.9)
            p.fill(ellipse(-figure.light * wide, -34, 0.7 * half, 20), straw.shade, 0.8)
        crown = smooth([(-0.9 * half, -40), (-0.86 * half, -66), (-0.45 * half, -86), (0.45 * half, -86),
                        (0.86 * half, -66), (0.9 * half, -40), (0, -46)])
        p.shape(crown, straw, 1.4)
        with p.inside(crown):
            _round_shade(p, figure, 0, -62, half, 26, straw)
            for y in (-62, -70, -78):
                p.leaf(-half, y + 6, half, y + 6, -9, 0.8, straw.shade)
        band = cloth(dice.pick(BRIGHT[:-1]))
        p.shape(smooth([(-0.92 * half, -39), (-0.9 * half, -54), (0, -60), (0.9 * half, -54), (0.92 * half, -39),
                        (0, -46)]), band, 1.2)
        if dice.chance(0.5):
            x = dice.sign() * 0.62 * half
            for i in range(5):
                a = radians(72 * i)
                p.oval(x + 6 * sin(a), -48 - 6 * cos(a), 4.8, 4.8, 0xFFFFFF)
            p.oval(x, -48, 3.6, 3.6, 0xF6C445)


def _witch(p: Painter, figure: Figure, dice: Dice) -> None:
    felt = cloth(pick_apart(dice, (0x3A2F5A, 0x2E3350, 0x5A2F4A, 0x2F4A46, 0x6A3FA0, 0x3A3F4B), figure.hair.base,
                            least=0.1))
    half = _half(figure)
    bend = dice.sign()
    tilt = dice.near(0, 4)
    with p.moved(turn=tilt):
        with p.moved(wide=bend):
            light = figure.light * bend
            cone = smooth([(-0.9 * half, -38), (-0.62 * half, -70), (-0.2 * half, -104), (0.4 * half, -127),
                           (1.0 * half, -120, 0),
                           (0.58 * half, -108), (0.42 * half, -84), (0.68 * half, -62), (0.9 * half, -38), (0, -44)])
            p.shape(cone, felt, 1.4)
            with p.inside(cone):
                p.oval(-light * 0.9 * half, -60, 0.75 * half, 60, felt.shade)
                p.leaf(-0.3 * half, -86, 0.4 * half, -82, 5, 1.5, felt.line)
                p.leaf(light * 0.3 * half, -56, light * 0.12 * half, -92, 2, 2.4, felt.light, 0.5)
        wide = 1.72 * half
        brim = smooth([(-wide, -22), (-1.0 * half, -46), (0, -54), (1.0 * half, -46), (wide, -22), (0.98 * half, -20),
                       (0, -27), (-0.98 * half, -20)])
        band = cloth(pick_apart(dice, BRIGHT, felt.base, least=0.2))
        p.shape(brim, felt, 1.4)
        with p.inside(brim):
            p.fill(ellipse(-figure.light * wide, -30, 0.8 * half, 18), felt.shade)
            p.leaf(-wide, -22, wide, -22, -14, 1.2, felt.light, 0.4)
        p.shape(smooth([(-0.9 * half, -42), (-0.82 * half, -58), (0, -64), (0.82 * half, -58), (0.9 * half, -42),
                        (0, -50)]), band, 1.2)
        p.line(polygon([(-8, -62), (8, -62), (8, -49), (-8, -49)]), 0xF4D06A, 3.0)


def _tophat(p: Painter, figure: Figure, dice: Dice) -> None:
    felt = cloth(pick_apart(dice, (0x2E2A38, 0x3A3F4B, 0x4A2F3A, 0x2E3A5C, 0xF4F1EA), figure.hair.base, least=0.12))
    half = 0.86 * _half(figure)
    with p.moved(dice.near(0, 5), -2, turn=dice.near(0, 8)):
        tube = smooth([(-0.84 * half, -48), (-0.86 * half, -78), (-0.98 * half, -108, 0), (0, -114),
                       (0.98 * half, -108, 0), (0.86 * half, -78),
                       (0.84 * half, -48), (0, -42)])
        p.shape(tube, felt, 1.4)
        with p.inside(tube):
            p.box(-figure.light * 0.35 * half if figure.light < 0 else -2 * half, -120,
                  2 * half if figure.light < 0 else -0.35 * half, -30, felt.shade)
            p.leaf(figure.light * 0.55 * half, -52, figure.light * 0.62 * half, -104, 0, 3.4, felt.light, 0.7)
        p.shape(ellipse(0, -109, 0.96 * half, 6), felt._replace(base=felt.shade), 1.1)
        band = cloth(pick_apart(dice, BRIGHT, felt.base, least=0.2))
        p.shape(smooth([(-0.86 * half, -46), (-0.85 * half, -62), (0, -56), (0.85 * half, -62), (0.86 * half, -46),
                        (0, -40)]), band, 1.1)
        brim = smooth([(-1.42 * half, -48), (-0.84 * half, -50), (0, -43), (0.84 * half, -50), (1.42 * half, -48),
                       (0.9 * half, -34), (0, -28), (-0.9 * half, -34)])
        p.shape(brim, felt, 1.4)
        with p.inside(brim):
            p.fill(ellipse(-figure.light * 1.3 * half, -38, 0.6 * half, 14), felt.shade)


_HATS: dict[str, Callable[[Painter, Figure, Dice], None]] = {
    "beret": _beret,
    "cap": _cap,
    "beanie": _beanie,
    "straw": _straw,
    "witch": _witch,
    "tophat": _tophat,
}
