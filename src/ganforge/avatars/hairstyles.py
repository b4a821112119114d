"""Hair behind the head, and what falls over the shoulders: where the styles differ most."""

from math import cos, radians, sin

import skia

from ganforge.avatars.dice import Dice
from ganforge.avatars.figure import Figure
from ganforge.avatars.hair import stand_off
from ganforge.avatars.paint import Painter, Point, ellipse, smooth
from ganforge.avatars.palette import BRIGHT, blend, cloth

# fmt: off
# (points stand in rows, not one a line)


def draw_back(p: Painter, figure: Figure) -> None:
    """Everything behind neck and body."""
    dice = figure.dice("back hair")
    style = figure.hairstyle
    if style == "spiky":
        _spikes(p, figure, dice)
    elif style in ("long", "wavy"):
        _mane(p, figure, dice, wave=8.5 if style == "wavy" else 0.0)
    elif style == "bob":
        _bob(p, figure, dice)
    elif style == "curly":
        _cloud(p, figure, dice)
    else:
        _nape(p, figure, {"short": 0.6, "slicked": 0.8}.get(style, 0.72))
        if style == "ponytail":
            _ponytail(p, figure, dice)
        elif style == "twintails":
            _twintails(p, figure, dice)
        elif style == "buns":
            _buns(p, figure, dice)


def draw_over_shoulders(p: Painter, figure: Figure) -> None:
    """What hangs in front of the clothes: braids, and locks of long hair."""
    dice = figure.dice("drape")
    if figure.hairstyle == "braids":
        _braids(p, figure, dice)
    elif figure.hairstyle in ("long", "wavy"):
        wave = 8.0 if figure.hairstyle == "wavy" else 0.0
        for side in (-1, 1):
            if dice.chance(0.7):
                _drape(p, figure, side, wave, dice)


def _sides(figure: Figure) -> tuple[float, float]:
    return -figure.width - stand_off(figure, -1), figure.width + stand_off(figure, 1)


def _shade_within(p: Painter, figure: Figure, path: skia.Path, bottom: float) -> None:
    """The hollow behind neck and jaw lies in shade."""
    with p.inside(path):
        p.fill(ellipse(-3 * figure.light, figure.chin * 0.9, figure.width * 0.98, bottom), figure.hair.shade)


def _nape(p: Painter, figure: Figure, reach: float) -> None:
    """Close to the skull, ending in points behind the neck."""
    left, right = _sides(figure)
    end = figure.chin * reach
    path = smooth(
        [(left, -10), (left + 1, 0.4 * end), (left * 0.9, 0.8 * end), (left * 0.8, end + 4, 0),
         (left * 0.6, 0.9 * end), (left * 0.5, end + 9, 0),
         (0, end + 3), (right * 0.5, end + 9, 0), (right * 0.6,
                                                   0.9 * end), (right * 0.8, end + 4, 0), (right * 0.9, 0.8 * end),
         (right - 1, 0.4 * end), (right, -10), (0, -50)]
    )
    p.shape(path, figure.hair)
    _shade_within(p, figure, path, 40)


def _spikes(p: Painter, figure: Figure, dice: Dice) -> None:
    """Tufts of uneven size that all lean with one wind."""
    left, right = _sides(figure)
    n = dice.count(8, 10)
    long = dice.between(17, 27)
    wind = dice.near(0, 9)
    covered = figure.hat != "none"
    high = 50 + 0.4 * figure.volume
    points: list[Point] = []
    for i in range(n):
        a = radians(-124 + 248 * (i + 0.5) / n + dice.near(0, 5))
        gap = radians(124 / n)
        half = right if a > 0 else -left
        reach = long * dice.between(0.65, 1.25) * (0.2 if covered and cos(a) > 0.5 else 1)
        tip_x, tip_y = (half + reach) * sin(a) + wind, -6 - (high + reach) * cos(a) - 0.3 * reach * abs(sin(a))
        points.append((half * sin(a - gap), -6 - high * cos(a - gap), 0))
        points.append((0.5 * (half * sin(a - 0.5 * gap) + tip_x), 0.5 * (-6 - high * cos(a - 0.5 * gap) + tip_y) - 2))
        points.append((tip_x, tip_y, 0))
    end = figure.chin * 0.8
    points += [(right * 0.7, end, 0), (0, end + 3), (left * 0.7, end, 0)]
    path = smooth(points)
    p.shape(path, figure.hair)
    _shade_within(p, figure, path, 40)
    with p.inside(path):
        away = -figure.light
        p.fill(smooth([(away * 30, -110, 0), (away * 44, -30), (away * 130, 60, 0), (away * 130, -110, 0)]),
               figure.hair.shade, 0.8)


def _mane(p: Painter, figure: Figure, dice: Dice, wave: float) -> None:
    left, right = _sides(figure)
    flare = dice.between(4, 17) + wave
    points: list[Point] = [(0, -56), (left * 0.8, -40), (left, -4)]
    rungs = ((34, 0.35), (58, 0.6), (82, 0.8), (106, 1.0), (130, 1.0), (160, 1.0), (190, 1.0))
    for i, (y, share) in enumerate(rungs):
        points.append((left - flare * share + wave * (-1) ** i, y))
    points += [(left * 0.5, 205), (right * 0.5, 205)]
    for i, (y, share) in reversed(list(enumerate(rungs))):
        points.append((right + flare * share - wave * (-1) ** i, y))
    points += [(right, -4), (right * 0.8, -40)]
    path = smooth(points)
    p.shape(path, figure.hair)
    _shade_within(p, figure, path, 80)
    with p.inside(path):
        for side, i in ((-1, 0), (-1, 1), (-1, 2), (1, 0), (1, 1), (1, 2)):
            x = (left if side < 0 else right) + side * flare * 0.5 - side * (3 + 7 * i)
            colour = figure.hair.light if side == figure.light and i == 0 else figure.hair.shade
            p.leaf(x - side * 4, 20 + 8 * i, x + wave * side, 150, -side * 3 - wave * side, 1.0 if i else 1.8, colour)


def _drape(p: Painter, figure: Figure, side: int, wave: float, dice: Dice) -> None:
    hair = figure.hair
    x = side * (figure.width + stand_off(figure, side) - 1)
    end = dice.between(112, 175)
    wide = dice.between(15, 24)
    inward = dice.between(0, 10)
    top = figure.chin * 0.45
    path = smooth(
        [(x - side * 5, top - 18, 0), (x + side * 1, top + 8), (x + side * (3 + wave), 0.6 * end),
         (x + side * (2 - wave - inward), 0.83 * end), (x - side * (wide * 0.4 + inward), end, 0),
         (x - side * (wide + wave + inward), 0.8 * end), (x - side * (wide * 0.9 - wave), 0.58 * end),
         (x - side * (wide * 0.5), top + 10)]
    )
    p.shape(path, hair, 1.2)
    ink = blend(hair.line, hair.shade, 0.35)
    p.leaf(x - side * 5, top, x - side * (wide * 0.4 + inward), end - 6, -side * (2 + wave), 0.8, ink)
    if side == figure.light:
        p.leaf(x - side * 2, top + 12, x - side * 4, 0.66 * end, -side * (2 + wave), 1.6, hair.light, 0.75)
    else:
        p.leaf(x - side * 1, top + 10, x - side * (4 + inward), 0.8 * end, -side * (1 + wave), 1.8, hair.shade)


def _bob(p: Painter, figure: Figure, dice: Dice) -> None:
    left, right = _sides(figure)
    end = figure.chin + dice.between(-3, 9)
    puff = dice.between(3, 11)
    path = smooth(
        [(0, -56), (left * 0.85, -36), (left, 0), (left - puff, 0.6 * end), (left - 0.5 * puff, 0.9 * end),
         (left * 0.74, end + 2, 0),
         (0, end - 4), (right * 0.74, end + 2, 0), (right + 0.5 * puff,
                                                    0.9 * end), (right + puff, 0.6 * end), (right, 0),
         (right * 0.85, -36)]
    )
    p.shape(path, figure.hair)
    _shade_within(p, figure, path, 46)
    for side, edge in ((-1, left), (1, right)):
        light = side == figure.light
        p.leaf(edge, 8, edge + side * puff * 0.4, 0.85 * end, -side * puff * 0.6, 1.7,
               figure.hair.light if light else figure.hair.shade, 0.8)


def _cloud(p: Painter, figure: Figure, dice: Dice) -> None:
    left, right = _sides(figure)
    big = dice.between(8, 18)
    n = dice.count(11, 14)
    points: list[Point] = []
    for i in range(n):
        for j, bulge in ((0, 0.0), (0.5, 7.0)):
            a = radians(-140 + 280 * (i + j) / n)
            half = (right if a > 0 else -left) + big + bulge
            high = 52 + 0.5 * big + bulge if figure.hat == "none" else 46 + bulge
            x, y = half * sin(a), -4 - (high if cos(a) > 0 else high + 14) * cos(a)
            points.append((x, y, 0) if j == 0 else (x + dice.near(0, 2), y + dice.near(0, 2)))
    path = smooth(points)
    p.shape(path, figure.hair)
    _shade_within(p, figure, path, 34)
    for i in range(8):
        a = radians((-1 if i % 2 else 1) * (62 + 9 * i))
        x, y = (right + 0.6 * big) * sin(a), -4 - 60 * cos(a)
        light = x * figure.light > 0
        p.leaf(x - 6, y, x + 6, y + 3, -5, 1.4, figure.hair.light if light else figure.hair.shade, 0.8)


def _tie(p: Painter, x: float, y: float, size: float, dice: Dice) -> None:
    p.shape(ellipse(x, y, size, size * 0.8), cloth(dice.pick(BRIGHT)), 1.1)


def _ponytail(p: Painter, figure: Figure, dice: Dice) -> None:
    """High at the back, its end falling to the side that the face turns from."""
    side = -1 if figure.turn > 0.1 else 1 if figure.turn < -0.1 else dice.sign()
    hair, w = figure.hair, figure.width
    root_y = -52.0 if figure.hat == "none" else -12.0
    root_x = side * w * (0.62 if figure.hat == "none" else 1.0)
    out = dice.between(30, 44)
    end = dice.between(95, 150)
    thick = dice.between(20, 28)
    path = smooth(
        [(root_x - side * 8, root_y + 4, 0), (root_x + side * 14, root_y - 12), (side * (w + out), root_y + 26),
         (side * (w + out + 6), 0.45 * end), (side * (w + out - 12), end,
                                              0), (side * (w + out - thick - 2), 0.55 * end),
         (side * (w + out - thick - 6), root_y + 50), (root_x + side * 4, root_y + 24, 0)]
    )
    p.shape(path, hair)
    with p.inside(path):
        x = side * (w + out - 0.4 * thick)
        p.leaf(x - side * 8, root_y + 30, x - side * 8, end - 8, -side * 6, 4.5, hair.shade)
        p.leaf(x + side * 3, root_y + 18, x + side * 8, 0.5 * end, -side * 5, 2.2, hair.light, 0.75)
    _tie(p, root_x + side * 7, root_y + 5, 9, dice)


def _twintails(p: Painter, figure: Figure, dice: Dice) -> None:
    hair, w = figure.hair, figure.width
    out = dice.between(24, 38)
    end = dice.between(105, 165)
    root_y = dice.between(-34, -16) if figure.hat == "none" else -8.0
    curl = dice.near(0, 8)
    for side in (-1, 1):
        root = side * (w + stand_off(figure, side) - 3)
        far = root + side * out
        path = smooth(
            [(root - side * 6, root_y - 4, 0), (root + side * 14, root_y - 14), (far, root_y + 18),
             (far + side * 6, 0.45 * end),
             (far - side * (12 + curl), end, 0), (far - side * 24, 0.55 * end), (far - side * 20, root_y + 46),
             (root, root_y + 14, 0)]
        )
        p.shape(path, hair)
        with p.inside(path):
            p.leaf(far - side * 15, root_y + 20, far - side * 12, end - 6, -side * 5, 4.0, hair.shade)
            if side == figure.light:
                p.leaf(far - side * 2, root_y + 14, far - side * 1, 0.5 * end, -side * 4, 2.2, hair.light, 0.8)
    colour = cloth(dice.pick(BRIGHT))
    for side in (-1, 1):
        root = side * (w + stand_off(figure, side) + 2)
        p.shape(ellipse(root, root_y, 7, 9), colour, 1.1)


def _buns(p: Painter, figure: Figure, dice: Dice) -> None:
    hair, w = figure.hair, figure.width
    r = dice.between(18, 24)
    covered = figure.hat != "none"
    for side in (-1, 1):
        x = side * (w + 13) if covered else side * w * dice.between(0.72, 0.84)
        y = figure.eye_y + 6 if covered else -52 - 0.4 * figure.volume
        path = ellipse(x, y, r, r * 0.94)
        p.shape(path, hair)
        with p.inside(path):
            p.oval(x - figure.light * 0.5 * r, y + 0.5 * r, r, r, hair.shade)
            p.oval(x, y, r * 0.55, r * 0.5, hair.base)
        p.leaf(x - 0.6 * r, y + 0.1 * r, x + 0.6 * r, y - 0.2 * r, 0.5 * r, 1.1, hair.line)
        p.leaf(x + figure.light * 0.2 * r, y - 0.62 * r, x + figure.light * 0.68 * r, y - 0.1 * r, -figure.light * 2,
               2.0, hair.light, 0.85)


def _braids(p: Painter, figure: Figure, dice: Dice) -> None:
    hair = figure.hair
    links = dice.count(5, 7)
    fat = dice.between(10, 13)
    colour = cloth(dice.pick(BRIGHT))
    for side in (-1, 1):
        x, y = side * (figure.width - 1), figure.chin * 0.55
        step = dice.between(14, 16)
        drift = side * dice.between(-0.5, 1.6)
        for i in range(links):
            size = fat * (1 - 0.05 * i)
            for half in (-1, 1):
                p.shape(
                    smooth([(x, y + 4, 0), (x + half * size, y - 3), (x + half * size * 0.95, y + 8),
                            (x, y + step + 5, 0)]),
                    hair, 1.1,
                )
                tone = hair.light if half == figure.light else hair.shade
                p.leaf(x + half * size * 0.35, y + 3, x + half * size * 0.62, y + step * 0.6, half, 1.2, tone, 0.8)
            x, y = x + drift, y + step
        p.shape(smooth([(x - 3, y + 4), (x + 3, y + 4), (x + 8, y + 22, 0), (x, y + 17), (x - 8, y + 22, 0)]), hair,
                1.1)
        p.shape(ellipse(x, y + 3, 6.5, 4.5), colour, 1.0)
