"""Hair in front of the face: the cap over the skull with its fringe, the locks beside the face, gloss and strands."""

from dataclasses import dataclass
from math import cos, radians, sin

import skia

from ganforge.avatars.dice import Dice
from ganforge.avatars.figure import Figure
from ganforge.avatars.paint import Painter, Point, smooth
from ganforge.avatars.palette import blend

FRINGES = {
    "short": ("straight", "parted", "swept", "wispy"),
    "spiky": ("wispy", "swept"),
    "slicked": ("none",),
    "bob": ("blunt", "straight", "parted"),
    "long": ("blunt", "straight", "parted", "curtain", "wispy"),
    "wavy": ("curtain", "parted", "swept"),
    "curly": ("curls",),
    "ponytail": ("straight", "parted", "swept", "wispy"),
    "twintails": ("blunt", "straight", "wispy", "curtain"),
    "braids": ("parted", "curtain", "straight"),
    "buns": ("blunt", "straight", "curtain", "wispy"),
}

SIDE_LOCKS = {
    "short": (14, 34), "spiky": (18, 40), "slicked": (4, 10), "bob": (52, 62), "long": (52, 84), "wavy": (50, 80),
    "curly": (26, 40), "ponytail": (40, 66), "twintails": (40, 70), "braids": (30, 46), "buns": (46, 74),
}  # fmt: skip
"""How far down, in head units, the locks beside the face reach."""


@dataclass(frozen=True)
class Front:
    """The hair in front, as drawn: made before the face, which wears its shadow.

    Attributes:
        cap: dome and fringe in one outline.
        valleys: where locks of the fringe part; strands run from here to the crown.
        crown: where the strands come from.
    """

    cap: skia.Path
    valleys: list[tuple[float, float]]
    crown: tuple[float, float]


def stand_off(figure: Figure, side: int) -> float:
    """How far the hair's outline lies outside the face; the back of a turned head shows on the other side."""
    return 4.5 + 0.25 * figure.volume + 7 * max(0.0, -side * figure.turn)


def dome(figure: Figure, extra: float = 0.0) -> list[Point]:
    """The outline of the hair over the skull, from the left ear over the top to the right ear."""
    volume = figure.volume * (0.55 if figure.hat != "none" else 1) + extra
    points: list[Point] = [(-figure.width - stand_off(figure, -1) - 0.4 * extra, figure.eye_y + 6)]
    for degrees in (-78, -48, -18, 18, 48, 78):
        a = radians(degrees)
        side = 1 if degrees > 0 else -1
        x = (figure.width + stand_off(figure, side) + 0.6 * extra) * sin(a) * 1.02
        points.append((x, -6 - (47 + volume) * cos(a) ** 0.9))
    points.append((figure.width + stand_off(figure, 1) + 0.4 * extra, figure.eye_y + 6))
    return points


def plan_front(figure: Figure) -> Front:
    """Cut the fringe."""
    dice = figure.dice("fringe")
    kind = dice.pick(FRINGES[figure.hairstyle])
    if kind == "none":
        return _combed_back(figure, dice)
    if kind == "curls":
        return _curls(figure, dice)
    part = dice.sign() * dice.between(0.25, 0.5) if kind == "parted" else dice.near(0, 0.12)
    locks = _locks(kind, figure, dice, part)
    crown = (figure.across(part * 0.8), -50.0 - 0.5 * figure.volume)
    side_y = figure.eye_y + 4
    outline = dome(figure)
    path = smooth(outline, closed=False)
    valleys: list[tuple[float, float]] = []
    x, y = figure.across(0.94), side_y
    path.lineTo(x, y)
    for tip_u, tip_y, valley_u, valley_y in reversed(locks):
        tip_x, valley_x = figure.across(tip_u), figure.across(valley_u)
        _lock(path, x, y, tip_x, tip_y)
        _lock(path, valley_x, valley_y, tip_x, tip_y, back=True)
        x, y = valley_x, valley_y
        valleys.append((x, y))
    valleys.pop()
    path.lineTo(figure.across(-0.94), side_y)
    path.close()
    return Front(path, valleys, crown)


def _lock(path: skia.Path, x: float, y: float, tip_x: float, tip_y: float, back: bool = False) -> None:
    """One side of a lock: from its root to its tip, or back."""
    cx, cy = x + 0.28 * (tip_x - x), y + 0.7 * (tip_y - y)
    if back:
        path.quadTo(cx, cy, x, y)
    else:
        path.quadTo(cx, cy, tip_x, tip_y)


def _locks(kind: str, figure: Figure, dice: Dice, part: float) -> list[tuple[float, float, float, float]]:
    """The fringe from left to right: (tip u, tip y, u and y of the valley to its left)."""
    lid = figure.eye_y - figure.eye_high
    n = {"blunt": dice.count(5, 8), "straight": dice.count(5, 7), "wispy": dice.count(4, 6), "swept": dice.count(4, 6),
         "parted": dice.count(5, 7), "curtain": dice.count(4, 6)}[kind]  # fmt: skip
    flow = dice.sign()
    length = dice.near(0, 3.5)
    locks = []
    for i in range(n):
        left, right = -0.95 + 1.9 * i / n, -0.95 + 1.9 * (i + 1) / n
        left += dice.near(0, 0.22 / n) if i else 0
        middle = (left + right) / 2
        if kind == "blunt":
            tip_u, tip_y, valley_y = middle + dice.near(0, 0.05), lid + 1 + length + dice.near(0, 1), lid - 5 + length
        elif kind == "straight":
            tip_u, tip_y = middle + 0.06 * flow, lid + 1 + length + dice.near(0, 3)
            valley_y = lid - dice.between(10, 19)
        elif kind == "wispy":
            tip_u, tip_y = middle + dice.near(0.08 * flow, 0.12), lid + dice.between(-5, 8)
            valley_y = lid - dice.between(15, 30)
        elif kind == "swept":
            along = (middle * flow + 1) / 2
            tip_u, tip_y = middle + 0.2 * flow, lid - 16 + 20 * along + length + dice.near(0, 2)
            valley_y = lid - 30 + 14 * along
        else:
            away = 1 if middle > part else -1
            far = min(1.0, abs(middle - part) / 1.05)
            tip_u = middle + away * (0.1 + 0.14 * (1 - far))
            tip_y = lid - 13 + 24 * far**0.9 + length + dice.near(0, 2)
            valley_y = lid - 29 + 18 * far
            if abs(left - part) < 0.95 / n:
                left, valley_y = part, -40 - 0.2 * figure.volume
            if kind == "curtain":
                tip_y += 5 * far
        if 0.2 < abs(tip_u) < 0.75:
            tip_y = min(tip_y, figure.eye_y - 0.62 * figure.eye_high)
        valley_y = min(valley_y, tip_y - 3)
        locks.append((max(-0.97, min(0.97, tip_u)), tip_y, left, valley_y))
    return locks


def _combed_back(figure: Figure, dice: Dice) -> Front:
    """No fringe: a hairline over a free forehead."""
    part = dice.sign() * dice.between(0.15, 0.5)
    points = dome(figure, 1.5)
    peak = dice.between(2, 7)
    back: list[Point] = [(figure.across(0.97), figure.eye_y + 2, 0), (figure.across(0.86), -12), (figure.across(0.62), -29)]
    back += [(figure.across(0.3), -34), (figure.across(0.0), -34 + peak), (figure.across(-0.3), -34)]
    back += [(figure.across(-0.62), -29), (figure.across(-0.86), -12), (figure.across(-0.97), figure.eye_y + 2, 0)]
    first, last = points[0], points[-1]
    path = smooth([(first[0], first[1], 0), *points[1:-1], (last[0], last[1], 0), *back])
    valleys = [(figure.across(u), -33 + 12 * u * u + dice.near(0, 1)) for u in (-0.66, -0.4, -0.12, 0.14, 0.42, 0.68)]
    return Front(path, valleys, (figure.across(part * 0.5), -56.0 - figure.volume))


def _curls(figure: Figure, dice: Dice) -> Front:
    """A cloud of curls, outside and over the forehead."""
    outline: list[Point] = []
    base = dome(figure, 7)
    for (x0, y0, *_), (x1, y1, *_) in zip(base, base[1:], strict=False):
        mx, my = (x0 + x1) / 2, (y0 + y1) / 2
        outline.append((x0, y0, 0))
        outline.append((mx * 1.1 + dice.near(0, 2), my * 1.1 - 3 + dice.near(0, 2)))
    outline.append((base[-1][0], base[-1][1], 0))
    lid = figure.eye_y - figure.eye_high
    n = dice.count(5, 6)
    valleys = []
    for i in range(n):
        u0, u1 = 0.95 - 1.9 * i / n, 0.95 - 1.9 * (i + 1) / n
        middle = (u0 + u1) / 2
        top = lid - 12 + 13 * abs(middle) ** 2
        x0, x1 = figure.across(u0), figure.across(u1)
        outline.append((x0, top - 3, 0))
        outline.append((x0 * 0.8 + x1 * 0.2, top + 4 + dice.near(0, 1.5)))
        outline.append((x0 * 0.25 + x1 * 0.75, top + 5 + dice.near(0, 1.5)))
        valleys.append((x0, top - 3))
    outline.append((figure.across(-0.95), lid - 2, 0))
    return Front(smooth(outline), valleys[1:], (figure.across(0.1), -52.0))


def draw_front(p: Painter, figure: Figure, front: Front) -> None:
    """The cap with fringe, shade, ring of light and strands."""
    hair, light = figure.hair, figure.light
    dice = figure.dice("gloss")
    p.shape(front.cap, hair, 1.3)
    with p.inside(front.cap):
        w = figure.width + 12
        p.fill(
            smooth([(-light * 1.4 * w, -80, 0), (-light * 0.4 * w, -76), (-light * 0.66 * w, -30), (-light * 0.74 * w, 40, 0),
                    (-light * 1.4 * w, 40, 0)]),
            hair.shade, 0.75,
        )  # fmt: skip
        if figure.hairstyle == "curly":
            _gloss_on_curls(p, figure, dice)
        else:
            _ring_of_light(p, figure, dice)
    ink = blend(hair.line, hair.shade, 0.25)
    cx, cy = front.crown
    for x, y in front.valleys:
        reach = dice.between(0.42, 0.75) if figure.hairstyle != "slicked" else 0.8
        if figure.hairstyle == "curly":
            p.leaf(x, y, x + (cx - x) * 0.25 + 4, y - 12, 5, 0.9, ink)
        else:
            bend = (x - cx) * 0.11 * (1 if y < cy else -1)
            p.leaf(x, y + 1, x + (cx - x) * reach, y + (cy - y) * reach, bend, 0.95, ink)
    if p.fine and figure.hat == "none" and figure.hairstyle != "curly":
        for _ in range(dice.count(2, 4)):
            u = dice.between(-0.8, 0.8)
            x, y = figure.across(u), -24 + 8 * u * u
            bend = (x - cx) * 0.11
            p.leaf(x, y, x + (cx - x) * 0.7, y + (cy - y) * 0.7, -bend, 0.7, hair.shade)


def _ring_of_light(p: Painter, figure: Figure, dice: Dice) -> None:
    """The ring of light that anime hair wears, in one of three fashions."""
    gloss, centre = figure.hair.light, 0.16 * figure.light
    fashion = dice.pick(("ring", "ring", "dashes", "sheen"))
    top = -37 - 0.35 * figure.volume + dice.near(0, 3)
    reach = dice.between(0.55, 0.8)
    strength = dice.between(0.7, 0.95)
    if fashion == "sheen":
        p.glow(figure.across(0.45 * figure.light), top - 2, 34, gloss, strength, 0.75)
        return
    upper: list[Point] = []
    lower: list[Point] = []
    steps = 10
    for i in range(steps + 1):
        share = 2 * i / steps - 1
        u = centre + reach * share
        x, y = figure.across(max(-0.98, min(0.98, u))), top + 20 * u * u
        thick = (1 - share * share) ** 0.7
        if fashion == "dashes":
            if i < steps:
                p.leaf(x, y - 5 * thick, x + 0.04 * x, y + (7 + dice.near(0, 3)) * thick, 0, 1.5 + 1.6 * thick, gloss, strength)
            continue
        upper.append((x, y - 3.2 * thick))
        lower.append((x, y + (3 + (4.5 if i % 2 else 0) + dice.near(0, 1.2)) * thick, 0))
    if upper:
        p.fill(smooth([*upper, *reversed(lower)]), gloss, strength)


def _gloss_on_curls(p: Painter, figure: Figure, dice: Dice) -> None:
    for _ in range(9):
        u = dice.between(-0.85, 0.85)
        x, y = figure.across(u), -44 + 24 * u * u + dice.near(0, 9)
        p.leaf(x - 7, y + 2, x + 6, y + 1, -5, 1.7, figure.hair.light, 0.8)
        p.leaf(x - 7, y + 9, x + 7, y + 7, 5, 1.0, figure.hair.shade)


def draw_side_locks(p: Painter, figure: Figure) -> None:
    """The locks that fall in front of the ears."""
    dice = figure.dice("side locks")
    low, high = SIDE_LOCKS[figure.hairstyle]
    length = dice.between(low, high)
    hair = figure.hair
    curved = dice.near(0, 5)
    for side in (-1, 1):
        tip = figure.eye_y + 6 + length * 0.75 + dice.near(0, 4)
        outer = side * (figure.width + stand_off(figure, side) + 0.5)
        inner = figure.across(side * 0.84)
        tip_x = side * (figure.width - 2 + curved) if length > 24 else side * figure.width * 0.97
        if figure.hairstyle == "curly":
            _curl_beside_face(p, figure, side, tip)
            continue
        wave = 5.0 * side if figure.hairstyle == "wavy" else 0.0
        path = smooth(
            [(figure.across(side * 0.74), -30, 0), (outer * 0.97, -14), (outer + 0.4 * wave, 0.35 * tip), (outer + wave, 0.62 * tip),
             (tip_x, tip, 0), (inner + 0.2 * wave, 0.66 * tip), (inner - 0.8 * wave, 0.35 * tip), (figure.across(side * 0.85), 2)]
        )  # fmt: skip
        p.shape(path, hair, 1.15)
        with p.inside(path):
            if side != figure.light:
                p.fill(smooth([(outer * 1.2, -30, 0), (outer * 0.94, 0.3 * tip), (tip_x, tip, 0), (outer * 1.2, tip, 0)]),
                       hair.shade)  # fmt: skip
            else:
                p.leaf(outer * 0.95, 4, outer * 0.94, 0.55 * tip, -side * 2, 1.8, hair.light, 0.75)
        if length > 20:
            ink = blend(hair.line, hair.shade, 0.3)
            p.leaf((inner + outer) / 2, -8, tip_x, tip - 4, -2 * side, 0.75, ink)


def _curl_beside_face(p: Painter, figure: Figure, side: int, tip: float) -> None:
    outer = side * (figure.width + stand_off(figure, side) + 7)
    inner = figure.across(side * 0.88)
    points: list[Point] = [(figure.across(side * 0.8), -26, 0), (outer * 1.02, -12)]
    for i in range(3):
        y = -6 + (tip + 8) * i / 3
        points += [(outer * 0.97, y, 0), (outer * 1.12, y + (tip + 8) / 6)]
    points += [(side * figure.width * 1.02, tip + 6), (inner, tip - 4, 0), (inner + side * 5, 0.5 * tip), (inner, 4, 0)]
    path = smooth(points)
    p.shape(path, figure.hair, 1.15)
    for i in range(2):
        y = 2 + i * 0.45 * tip
        p.leaf(inner + side * 3, y + 5, outer, y + 2, -5 * side, 0.9, figure.hair.shade)
        if side == figure.light:
            p.leaf(inner + side * 5, y - 2, outer, y - 4, -4 * side, 1.3, figure.hair.light, 0.8)
