"""Eyes, brows and glasses: what one looks at first."""

import skia

from ganforge.avatars.figure import Figure
from ganforge.avatars.paint import Painter, Point, ellipse, polygon, smooth
from ganforge.avatars.palette import blend

# fmt: off
# (points stand in rows, not one a line)


def draw_eyes(p: Painter, figure: Figure) -> None:
    """Both eyes, each drawn as a left-hand one with the outer corner toward +x, then mirrored."""
    dice = figure.dice("eyes")
    gaze = dice.near(0.1 * figure.turn, 0.1)
    drop = dice.near(0, 0.06)
    star = dice.chance(0.08) and p.fine
    for side in (-1, 1):
        x = figure.across(side * figure.eye_x)
        narrow = figure.narrowed(side * figure.eye_x)
        with p.moved(x, figure.eye_y, wide=side * narrow):
            _draw_eye(p, figure, side, gaze * side, drop, star)


def _draw_eye(p: Painter, figure: Figure, side: int, gaze: float, drop: float, star: bool) -> None:
    a, slant, smile = figure.eye_wide, figure.eye_slant, figure.smile
    high = figure.eye_high * (1 - 0.1 * max(0, -smile))
    low = figure.eye_high * (0.82 - 0.3 * max(0, smile) ** 1.5)
    man, woman = figure.gender == "man", figure.gender == "woman"
    flat = (0.1 if figure.age in ("grown",
                                  "old") else 0.0) + (0.1 if man else 0.04)  # lids that cover the top of the iris
    opening = smooth(
        [(-a, 2.5, 0), (-0.62 * a, -high * (0.7 - flat)), (0.05 * a, -high * (1 - flat)),
         (0.68 * a, -high * (0.72 - flat) - 0.3 * slant), (a, -1.5 - slant, 0), (0.7 * a, low * 0.75), (0.05 * a, low),
         (-0.6 * a, low * 0.8)]
    )
    p.fill(opening, 0xFFFFFF if figure.age != "old" else 0xF7F2EC)
    with p.inside(opening):
        p.fade(ellipse(0, 0, a + 2, high + 2), (0, -high), (0, 0.3 * high), [(0x8E8AB8, 0.75), (0xC8C6E4, 0.0)])
        _draw_iris(p, figure, gaze * a, high, side, drop, star)
    _draw_lashes(p, figure, a, high, low, slant, flat, woman, man)


def _draw_iris(p: Painter, figure: Figure, x: float, high: float, side: int, drop: float, star: bool) -> None:
    iris = figure.iris
    size = figure.eye_high if figure.age in ("child", "young") else figure.eye_high * 1.12
    rx = min(figure.eye_wide * 0.73, size * 0.88)
    ry = size * 0.99
    y = -0.09 * high + drop * high
    path = ellipse(x, y, rx, ry)
    p.fade(path, (0, y - ry), (0, y + ry),
           [(iris.dark, 1), (blend(iris.dark, iris.middle, 0.75), 1), (iris.middle, 1), (iris.glow, 1)],
           [0, 0.36, 0.62, 1])
    p.line(path, blend(iris.dark, iris.middle, 0.15), 1.1 / p.bold**0.5)
    pupil = 0.44 / p.bold**0.5  # in small pictures the colour counts more
    p.oval(x, y - 0.04 * ry, rx * 0.82 * pupil, ry * pupil, blend(iris.dark, 0x000000, 0.35))
    p.oval(x, y + 0.62 * ry, rx * 0.55, ry * 0.22, iris.glow, 0.75)
    if p.fine:
        p.oval(x, y - 0.62 * ry, rx * 0.66, ry * 0.22, iris.middle, 0.35)
    towards = figure.light * side
    gx = x + towards * 0.36 * rx
    if star:
        r = 0.46 * rx
        p.fill(smooth([(gx, y - 0.42 * ry - r, 0), (gx + 0.25 * r, y - 0.42 * ry - 0.25 * r),
                       (gx + r, y - 0.42 * ry, 0),
                       (gx + 0.25 * r, y - 0.42 * ry + 0.25 * r), (gx, y - 0.42 * ry + r, 0),
                       (gx - 0.25 * r, y - 0.42 * ry + 0.25 * r), (gx - r, y - 0.42 * ry, 0),
                       (gx - 0.25 * r, y - 0.42 * ry - 0.25 * r)]), 0xFFFFFF)
    else:
        p.oval(gx, y - 0.42 * ry, 0.34 * rx, 0.27 * ry, 0xFFFFFF)
    p.oval(x - towards * 0.42 * rx, y + 0.42 * ry, 0.17 * rx, 0.13 * ry, 0xFFFFFF, 0.92)


def _draw_lashes(
    p: Painter, figure: Figure, a: float, high: float, low: float, slant: float, flat: float, woman: bool, man: bool
) -> None:
    ink = blend(figure.hair.line, 0x1C1218, 0.6)
    thick = (3.9 if woman else 2.9 if not man else 2.5) * (0.8 if figure.age == "old" else 1) * p.bold**0.5
    out = a + (4.2 if woman else 2.2 if not man else 1.2)
    up = 4.5 if woman else 1.2 if not man else -1.0
    points: list[Point] = [
        (-a - 1.2, 3.2, 0),
        (-0.66 * a, -high * (0.72 - flat) - 0.7 * thick),
        (0.03 * a, -high * (1 - flat) - thick),
        (0.7 * a, -high * (0.74 - flat) - thick - 0.3 * slant),
        (out, -1.5 - slant - up, 0),
        (0.92 * a, -2.2 - slant + (1.8 if woman else 1)),
        (0.64 * a, -high * (0.66 - flat) - 0.3 * slant + 0.8),
        (0.03 * a, -high * (1 - flat) + 1.2),
        (-0.6 * a, -high * (0.62 - flat) + 0.6),
    ]
    p.fill(smooth(points), ink)
    if woman:
        p.leaf(0.62 * a, -high * 0.74 - slant * 0.3, a + 3.2, -high * 0.74 - slant - 4.5, -1.5, 1.1, ink)
        p.leaf(0.86 * a, -high * 0.42 - slant * 0.5, a + 5.4, -high * 0.36 - slant - 3.2, -1.2, 1.1, ink)
    p.leaf(0.95 * a, 0.1 * low, 0.05 * a, low + 0.3, -0.22 * a,
           1.15 if woman else 0.95, ink, 0.85 if woman else 0.6)
    if woman and p.fine:
        p.leaf(0.72 * a, low * 0.62, 0.98 * a, low * 0.98, 0, 0.8, ink, 0.8)
    if p.fine:  # the crease of the lid
        crease = blend(figure.skin.shade, figure.skin.line, 0.5)
        gap = 4.2 if figure.age in ("grown", "old") else 3.4
        p.leaf(-0.55 * a, -high * (0.86 - flat) - gap - 1, 0.86 * a, -high * (0.8 - flat) - gap - 0.5 * slant,
               -2.4, 0.85, crease)


def draw_brows(p: Painter, figure: Figure, alpha: float) -> None:
    """Brows; they carry the mood: raised in a smile, drawn together or worried in a frown.

    They are drawn on the face, then once more faintly over the fringe, as is the custom.
    """
    dice = figure.dice("brows")
    smile = figure.smile
    worried = dice.chance(0.45)
    thick = {"woman": 1.7, "neither": 3.0, "man": 4.4}[figure.gender] * dice.near(1, 0.14)
    if figure.age == "child":
        thick *= 0.8
    arch = {"woman": 4.4, "neither": 2.6, "man": 1.2}[figure.gender] + dice.near(0, 1) + 1.5 * max(0, smile)
    length = figure.eye_wide * {"woman": 0.98, "neither": 1.0, "man": 1.08}[figure.gender]
    gap = {"child": 9.0, "young": 7.5, "grown": 7.0, "old": 8.0}[figure.age]
    y = figure.eye_y - figure.eye_high * 1.02 - gap + (2.5 if figure.gender == "man" else 0)
    y -= 2.2 * max(0, smile) - 1.2 * max(0, -smile) * (0 if worried else 1)
    slope = 1.0 + dice.near(0, 1.5)  # inner end lower than the outer one
    slope += (-9 if worried else 9) * max(0, -smile)
    colour = figure.brow if figure.age != "old" else blend(figure.brow, figure.hair.base, 0.5)
    for side in (-1, 1):
        lift = dice.near(0, 1)
        with p.moved(figure.across(side * figure.eye_x), y + lift, wide=side * figure.narrowed(side * figure.eye_x)):
            inner, outer = slope * 0.5, -slope * 0.5 + 2
            p.fill(
                smooth([(-length, inner + 0.5 * thick), (-0.9 * length, inner - 0.5 * thick),
                        (0.15 * length, (inner + outer) / 2 - arch * 0.8 - 0.5 * thick), (1.05 * length, outer, 0),
                        (0.1 * length, (inner + outer) / 2 - arch * 0.8 + 0.55 * thick)]),
                colour, alpha,
            )


def _frame(figure: Figure) -> tuple[int, float, float, float]:
    """Colour, height in the face, half width and half height of a lens."""
    dice = figure.dice("glasses")
    colours: tuple[int, ...] = (0x2B2530, 0x2B2530, 0x6B2D2A, 0x7A4A2E, 0x3B4A6B, 0xB03A48)
    if figure.glasses == "aviator":
        colours = (0xB98A2E, 0x8F949E, 0xC49A3A)
    rx = max(figure.eye_wide * 1.22, 16)
    ry = {"round": rx, "square": 0.66 * rx, "aviator": 15.0}[figure.glasses]
    return dice.pick(colours), figure.eye_y + 2, rx * (1.08 if figure.glasses == "square" else 1), ry


def draw_glasses_arms(p: Painter, figure: Figure) -> None:
    """The arms of the glasses, which vanish under the hair."""
    if figure.glasses == "none":
        return
    colour, y, rx, _ = _frame(figure)
    for side in (-1, 1):
        if side * figure.turn < 0.55:
            outer = figure.across(side * figure.eye_x) + side * rx * figure.narrowed(side * figure.eye_x)
            p.line(skia.Path.Line((outer, y - 3), (side * (figure.width + 2), y - 6)), colour, 1.8)


def draw_glasses(p: Painter, figure: Figure) -> None:
    """Round, square or aviator lenses, over the fringe so that they are always seen."""
    if figure.glasses == "none":
        return
    colour, y, rx, ry = _frame(figure)
    lens = _lens(figure.glasses, rx, ry)
    inner: list[float] = []
    for side in (-1, 1):
        x, narrow = figure.across(side * figure.eye_x), figure.narrowed(side * figure.eye_x)
        with p.moved(x, y, wide=side * narrow):
            if figure.glasses == "aviator":
                p.fade(lens, (0, -ry), (0, ry), [(0x4A3A2E, 0.62), (0xC98A4A, 0.22), (0xE8B878, 0.08)])
            else:
                p.fill(lens, 0xDCEBFF, 0.16)
            with p.inside(lens):
                for left, width in ((-0.1, 0.3), (0.36, 0.1)):
                    x0 = figure.light * side * rx * left - 6 * side
                    p.fill(polygon([(x0, -ry), (x0 + rx * width, -ry), (x0 + rx * width - 9 * side, ry),
                                    (x0 - 9 * side, ry)]),
                           0xFFFFFF, 0.24)
            p.line(lens, colour, 2.1 if figure.glasses != "aviator" else 1.6)
            if figure.glasses == "square":
                p.line(skia.Path.Line((-rx, -ry), (rx, -ry)), colour, 3.2)
        inner.append(x - side * rx * narrow)
    p.line(smooth([(inner[0], y - 2), ((inner[0] + inner[1]) / 2, y - 4.5), (inner[1], y - 2)], closed=False), colour,
           1.9)
    if figure.glasses == "aviator":
        p.line(skia.Path.Line((inner[0] - 2, y - 9), (inner[1] + 2, y - 9)), colour, 1.5)


def _lens(kind: str, rx: float, ry: float) -> skia.Path:
    if kind == "round":
        return ellipse(0, 0, rx, ry)
    if kind == "square":
        path = skia.Path()
        path.addRoundRect(skia.Rect.MakeLTRB(-rx, -ry, rx, ry), 2.5, 2.5)
        return path
    return smooth([(-rx * 0.9, -ry * 0.85), (0.1 * rx, -ry), (rx * 1.02, -ry * 0.8), (rx * 0.96, 0.15 * ry),
                   (0.35 * rx, ry), (-0.45 * rx, ry * 0.8), (-rx * 0.95, 0)])
