"""What lies behind the figure. Soft and lighter in detail than the figure, so that the face stays first."""

from math import cos, radians, sin

import skia

from ganforge.avatars.figure import Figure
from ganforge.avatars.paint import Painter, ellipse, polygon, smooth, star
from ganforge.avatars.palette import blend, contrast

# fmt: off
# (points stand in rows, not one a line)

_WHOLE = ((0, 0), (256, 0), (256, 256), (0, 256))

PASTELS = (
    0xF9D5D8, 0xFBE3C4, 0xF8EDB4, 0xD6EBC4, 0xC4E7DE, 0xC6E0F4, 0xD4D2F2, 0xEBD0EC, 0xE6DED4, 0xD9DEE5, 0xA9C6DD,
    0xE8B8A4,
)


def draw_background(p: Painter, figure: Figure) -> None:
    """One of eight backgrounds over the whole canvas."""
    {
        "plain": _plain,
        "dots": _dots,
        "stripes": _stripes,
        "sky": _sky,
        "sunset": _sunset,
        "night": _night,
        "room": _room,
        "leaves": _leaves,
    }[figure.background](p, figure)


def _gradient(p: Painter, top: int, bottom: int) -> None:
    p.fade(polygon(_WHOLE), (0, 0), (0, 256), [(top, 1), (bottom, 1)])


def _pastel(figure: Figure) -> int:
    """A pastel that the hair does not drown in."""
    dice = figure.dice("pastel")
    apart = [c for c in PASTELS if contrast(c, figure.hair.base) > 0.12]
    return dice.pick(apart)


def _plain(p: Painter, figure: Figure) -> None:
    dice = figure.dice("background")
    tone = _pastel(figure)
    _gradient(p, blend(tone, 0xFFFFFF, dice.between(0.1, 0.6)), blend(tone, 0x8878A8, dice.between(0, 0.25)))
    if dice.chance(0.5):
        p.oval(128 + dice.near(0, 20), 112, 100, 100, blend(tone, 0xFFFFFF, 0.55), 0.8)


def _dots(p: Painter, figure: Figure) -> None:
    dice = figure.dice("background")
    tone = _pastel(figure)
    _gradient(p, tone, tone)
    spot = blend(tone, 0xFFFFFF, 0.92) if dice.chance(0.6) else blend(tone, 0x7A5C8A, 0.42)
    step, r = dice.between(30, 42), dice.between(6.5, 9.5)
    ox, oy = dice.between(0, step), dice.between(0, step)
    rows = int(256 / (step * 0.5)) + 2
    for j in range(rows):
        y = oy + (j - 1) * step * 0.5
        x = ox + (step / 2 if j % 2 else 0) - step
        while x < 256 + r:
            p.oval(x, y, r, r, spot)
            x += step


def _stripes(p: Painter, figure: Figure) -> None:
    dice = figure.dice("background")
    tone = _pastel(figure)
    _gradient(p, tone, tone)
    other = blend(tone, 0xFFFFFF, 0.8) if dice.chance(0.6) else blend(tone, 0x7A6A9A, 0.34)
    wide = dice.between(13, 22)
    slope = dice.pick((-90, 0, 0, 90)) + dice.near(0, 12)
    x = -100 + dice.between(0, wide)
    while x < 356:
        p.fill(polygon([(x - slope, 0), (x + wide - slope, 0), (x + wide + slope, 256), (x + slope, 256)]), other)
        x += 2 * wide


def _cloud(p: Painter, x: float, y: float, size: float, colour: int, alpha: float) -> None:
    for dx, dy, r in ((-1.1, 0.15, 0.55), (-0.4, -0.25, 0.8), (0.45, -0.1, 0.7), (1.15, 0.2, 0.5)):
        p.oval(x + dx * size, y + dy * size, r * size, r * size * 0.8, colour, alpha)
    p.fill(ellipse(x, y + 0.45 * size, 1.6 * size, 0.28 * size), colour, alpha)


def _sky(p: Painter, figure: Figure) -> None:
    dice = figure.dice("background")
    _gradient(p, blend(0x4F9DE0, 0x6FC4EC, dice.unit()), blend(0xD9F1FB, 0xFFF6DC, dice.unit()))
    for side in (-1, 1):
        for _ in range(dice.count(1, 2)):
            x, y, size = 128 + side * dice.between(62, 120), dice.between(20, 180), dice.between(13, 26)
            _cloud(p, x, y + 4, size, 0xB9D8F0, 0.8)
            _cloud(p, x, y, size, 0xFFFFFF, 1)


def _sunset(p: Painter, figure: Figure) -> None:
    dice = figure.dice("background")
    high = blend(0x6B4C9A, 0xC8507E, dice.unit())
    p.fade(polygon(_WHOLE), (0, 0), (0, 230), [(high, 1), (0xF2785C, 1), (0xFFC46B, 1), (0xFFE9A8, 1)],
           [0, 0.42, 0.75, 1])
    x, y = 128 + dice.sign() * dice.between(60, 96), dice.between(130, 165)
    p.glow(x, y, 80, 0xFFF2B8, 0.9)
    p.oval(x, y, 24, 24, 0xFFF7D2)
    for _ in range(3):
        cx, cy, long = dice.between(10, 246), dice.between(30, 120), dice.between(30, 60)
        p.leaf(cx - long, cy, cx + long, cy, dice.near(0, 3), dice.between(3, 6), 0xFFB49A, 0.65)
    hill = dice.between(188, 206)
    p.fill(
        smooth([(-10, hill, 0), (50, hill - dice.between(4, 20)), (128, hill + 6), (205, hill - dice.between(4, 20)),
                (266, hill, 0), (266, 266, 0), (-10, 266, 0)]),
        0x7A3F6A,
    )


def _night(p: Painter, figure: Figure) -> None:
    dice = figure.dice("background")
    _gradient(p, blend(0x151A45, 0x2B1650, dice.unit()), blend(0x3E4E9A, 0x7A4A9A, dice.unit()))
    for _ in range(26):
        p.oval(dice.between(0, 256), dice.between(0, 200), *(2 * (dice.between(1.0, 2.3),)), 0xFFF8DC,
               dice.between(0.6, 1))
    for _ in range(dice.count(4, 7)):
        side = dice.sign()
        r = dice.between(5, 9)
        p.fill(star(128 + side * dice.between(56, 124), dice.between(8, 180), r, 0.3 * r, rays=4), 0xFFF3B0)
    if dice.chance(0.6):
        x, y, r = 128 + dice.sign() * dice.between(84, 98), dice.between(32, 54), dice.between(17, 23)
        p.glow(x, y, 2.4 * r, 0xFFF3C8, 0.5)
        bite = ellipse(x + dice.sign() * 0.45 * r, y - 0.2 * r, 0.86 * r, 0.86 * r)
        p.fill(skia.Op(ellipse(x, y, r, r), bite, skia.kDifference_PathOp), 0xFFF3C4)


def _room(p: Painter, figure: Figure) -> None:
    dice = figure.dice("background")
    wall = dice.pick((0xE9D3B4, 0xD9C4B0, 0xCBBF9F, 0xC9B3A6, 0xE3C7A0))
    _gradient(p, wall, blend(wall, 0x7A5A4A, 0.22))
    side = dice.sign()
    x, y, half = 128 + side * dice.between(66, 84), dice.between(64, 88), dice.between(34, 42)
    wood = dice.pick((0x8A5A3C, 0x6E4630, 0xF4EFE6))
    p.box(x - half - 5, y - 54, x + half + 5, y + 60, wood)
    p.fade(polygon([(x - half, y - 49), (x + half, y - 49), (x + half, y + 55), (x - half, y + 55)]), (0, y - 50),
           (0, y + 55),
           [(0x8FD0F2, 1), (0xE9F8F4, 1)])
    p.oval(x - 0.5 * half, y + 46, 20, 14, 0x9CCB84)
    p.box(x - 2.5, y - 50, x + 2.5, y + 56, wood)
    p.box(x - half, y - 2, x + half, y + 3, wood)
    curtain = blend(dice.pick(PASTELS), 0xB8556A, dice.between(0, 0.4))
    edge = x + side * (half + 2)
    p.fill(smooth([(edge - side * 20, y - 62, 0), (edge + side * 40, y - 62, 0), (edge + side * 40, 260, 0),
                   (edge, 260, 0),
                   (edge - side * 6, y + 20)]), curtain)
    p.leaf(edge + side * 6, y - 60, edge + side * 10, 250, -side * 5, 2.2, blend(curtain, 0x6A4060, 0.3))
    shelf = 128 - side * 92
    sy = dice.between(70, 130)
    for i in range(5):
        height = dice.between(18, 30)
        bx = shelf - 24 + i * 10
        p.box(bx, sy - height, bx + 8.5, sy, blend(dice.pick((0xB8505A, 0x4F7A9A, 0x5E8A5A, 0xC99A4A, 0x7A5A8A)), wall,
                                                   0.15))
    p.box(shelf - 44, sy, shelf + 44, sy + 6, blend(wood, 0x5A3A2A, 0.4))


def _leaves(p: Painter, figure: Figure) -> None:
    dice = figure.dice("background")
    deep, bright = dice.pick(((0x34785A, 0xC2E88C), (0x4A8A46, 0xE2EE92), (0x2F7A70, 0xA6E4B4)))
    _gradient(p, blend(deep, bright, 0.75), blend(deep, bright, 0.25))
    for _ in range(5):
        p.glow(dice.between(0, 256), dice.between(0, 150), dice.between(16, 44), 0xFDFBD0, 0.7)
    for i in range(30):
        a = radians(-118 + 236 * i / 29 + dice.near(0, 5))
        r = dice.between(92, 150)
        x, y = 128 + r * sin(a), 128 - r * cos(a) * 0.95
        turn = dice.between(0, 6.28)
        long = dice.between(15, 25)
        colour = blend(deep, bright, dice.between(0.0, 0.85))
        dx, dy = long * cos(turn), long * sin(turn)
        p.fill(smooth([(x - dx, y - dy, 0), (x - dy * 0.42, y + dx * 0.42), (x + dx, y + dy, 0),
                       (x + dy * 0.42, y - dx * 0.42)]), colour)
        if p.fine:
            p.leaf(x - dx, y - dy, x + dx * 0.8, y + dy * 0.8, 0, 0.8, blend(colour, 0xFFFFFF, 0.3))
