"""Hair in front of the face: the cap over the skull with its fringe, the locks beside the face, gloss and strands."""

from dataclasses import dataclass
from itertools import pairwise
from math import cos, radians, sin

import skia

from ganforge.avatars.dice import Dice
from ganforge.avatars.figure import Figure
from ganforge.avatars.paint import Painter, Point, leaf, smooth
from ganforge.avatars.palette import blend

# fmt: off
# (points stand in rows, not one a line)

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
    "short": (3, 17), "spiky": (18, 40), "slicked": (2, 9), "bob": (52, 62), "long": (52, 84), "wavy": (50, 80),
    "curly": (6, 20), "ponytail": (40, 66), "twintails": (40, 70), "braids": (30, 46), "buns": (46, 74),
}
"""How far down, in head units, the locks beside the face reach."""


@dataclass(frozen=True)
class SideLock:
    """A lock beside the face: outline from the ear to the tip, the tip, the bend of the inner edge, the inner root."""

    outer: list[Point]
    tip: tuple[float, float]
    inner: tuple[float, float]
    root: tuple[float, float]


@dataclass(frozen=True)
class Front:
    """The hair in front, as drawn: made before the face, which wears its shadow.

    Attributes:
        cap: dome and fringe in one outline.
        valleys: where locks of the fringe part; strands run from here to the crown.
        crown: where the strands come from.
    locks: left and right of the face.
    """

    cap: skia.Path
    valleys: list[tuple[float, float]]
    crown: tuple[float, float]
    locks: tuple[SideLock, SideLock]


def stand_off(figure: Figure, side: int) -> float:
    """How far the hair's outline lies outside the face; the back of a turned head shows on the other side."""
    close = {"slicked": 5.0, "short": 2.5}.get(figure.hairstyle, 0.0)
    return 4.5 - close + 0.25 * figure.volume + 7 * max(0.0, -side * figure.turn)


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
    """Cut the fringe and the locks beside the face."""
    dice = figure.dice("fringe")
    kind = dice.pick(FRINGES[figure.hairstyle])
    if kind == "curls":
        return _curls(figure, dice)
    part = dice.sign() * dice.between(0.25, 0.5) if kind == "parted" else dice.near(0, 0.12)
    if kind == "none":
        part = dice.sign() * dice.between(0.15, 0.5)
    left, right = (_side_lock(figure, side) for side in (-1, 1))
    over = {"spiky": _tufts, "slicked": _quiff}.get(figure.hairstyle)
    outline = [*reversed(left.outer), *(over(figure, dice) if over else dome(figure)), *right.outer]
    path = smooth(outline, closed=False)
    x, y = right.root
    path.quadTo(*right.inner, x, y)
    valleys: list[tuple[float, float]] = []
    if kind == "none":
        peak = dice.between(2, 7)
        for u, hairline in ((0.7, -30.0), (0.32, -41.0), (0.0, peak - 42), (-0.32, -41.0), (-0.7, -30.0)):
            path.quadTo(figure.across(u + 0.14), hairline - 1, figure.across(u), hairline)
        path.quadTo(figure.across(-0.86), -24, *left.root)
    else:
        for tip_u, tip_y, valley_u, valley_y in reversed(_locks(kind, figure, dice, part)):
            tip_x, valley_x = figure.across(tip_u), figure.across(valley_u)
            _lock(path, x, y, tip_x, tip_y)
            _lock(path, valley_x, valley_y, tip_x, tip_y, back=True)
            x, y = valley_x, valley_y
            valleys.append((x, y))
        valleys[-1] = left.root
        path.lineTo(*left.root)
    path.quadTo(*left.inner, *left.tip)
    path.close()
    crown = (figure.across(part * 0.8), -50.0 - 0.5 * figure.volume - (6 if kind == "none" else 0))
    return Front(path, [*valleys, right.root], crown, (left, right))


def _side_lock(figure: Figure, side: int) -> SideLock:
    """The lock in front of one ear, its outline joined to the cap's so that no seam shows."""
    dice = figure.dice("side locks")
    low, high = SIDE_LOCKS[figure.hairstyle]
    length = dice.between(low, high)
    curved = dice.near(0, 5)
    tip = figure.eye_y + 6 + 0.75 * length + 4 * side * dice.near(0, 1)
    outer = side * (figure.width + stand_off(figure, side) + 0.5)
    inner = figure.across(side * 0.86)
    wave = 5.0 * side if figure.hairstyle == "wavy" else 0.0
    tip_x = side * (figure.width - 2 + curved) if length > 24 else side * figure.width * 0.97
    root = (figure.across(side * (0.92 if figure.hairstyle == "slicked" else 0.85)), figure.eye_y - figure.eye_high - 7)
    outline: list[Point] = [(outer + 0.6 * wave + side, 0.42 * tip + 8),
                            (outer + 0.5 * wave - side * 2, 0.74 * tip + 4)]
    if length < 24:
        outline = outline[:1]
    return SideLock([*outline, (tip_x, tip)], (tip_x, tip), (inner + side * 3 - 0.8 * wave, 0.5 * tip), root)


def _tufts(figure: Figure, dice: Dice) -> list[Point]:
    """The dome of spiky hair: its outline breaks into tufts."""
    points: list[Point] = []
    base = dome(figure, -2)
    lean = dice.between(-6, 6)
    for (x0, y0, *_), (x1, y1, *_) in pairwise(base):
        reach = dice.between(0.12, 0.24) if figure.hat == "none" else 0.05
        mx, my = (x0 + x1) / 2, (y0 + y1) / 2
        points += [(x0, y0, 0), (mx * (1 + 0.6 * reach), my * (1 + 0.5 * reach) - 2),
                   (mx * (1 + reach) + lean, my * (1 + reach) - 7, 0)]
    return [*points, (base[-1][0], base[-1][1], 0)]


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
         "parted": dice.count(5, 7), "curtain": dice.count(4, 6)}[kind]
    flow = dice.sign()
    length = dice.near(0, 3.5)
    locks = []
    for i in range(n):
        left, right = -0.87 + 1.74 * i / n, -0.87 + 1.74 * (i + 1) / n
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
            if abs(left - part) < 0.87 / n:
                left, valley_y = part, -40 - 0.2 * figure.volume
            if kind == "curtain":
                tip_y += 5 * far
        if 0.2 < abs(tip_u) < 0.75:
            tip_y = min(tip_y, figure.eye_y - 0.62 * figure.eye_high)
        valley_y = min(valley_y, tip_y - 3)
        locks.append((max(-0.93, min(0.93, tip_u)), tip_y, left, valley_y))
    return locks


def _quiff(figure: Figure, dice: Dice) -> list[Point]:
    """The dome of hair combed back: higher in front, toward one side, with a loose end."""
    points = dome(figure, 4)
    sway = dice.sign() * dice.between(0.08, 0.2)
    lift = dice.between(3, 9) if figure.hat == "none" else 0
    swayed: list[Point] = []
    for x, y, *_ in points:
        high = max(0.0, -y - 20) / 45
        swayed.append((x * (1 + 0.09 * high) + 14 * sway * high, y - lift * high * (1 + 3 * sway * (x / figure.width))))
    return swayed


def _curls(figure: Figure, dice: Dice) -> Front:
    """A cloud of curls over forehead and ears."""
    left, right = (_side_lock(figure, side) for side in (-1, 1))
    outline: list[Point] = []
    base = [(left.tip[0] * 1.06, left.tip[1]), *dome(figure, 7), (right.tip[0] * 1.06, right.tip[1])]
    for (x0, y0, *_), (x1, y1, *_) in pairwise(base):
        mx, my = (x0 + x1) / 2, (y0 + y1) / 2
        push = 1.1 if my < 0 else 1.13
        outline += [(x0, y0, 0), (mx * push + dice.near(0, 2), my * push - 3 + dice.near(0, 2))]
    outline.append((base[-1][0], base[-1][1], 0))
    outline.append(((base[-1][0] + figure.across(0.92)) / 2, right.tip[1] + 8))
    lid = figure.eye_y - figure.eye_high
    ring: list[tuple[float, float]] = [(figure.across(0.92), right.tip[1] - 2),
                                       (figure.across(0.88), 0.1 * right.tip[1] + 0.4 * lid)]
    n = dice.count(4, 6)
    for i in range(n + 1):
        u = 0.8 - 1.6 * i / n
        ring.append((figure.across(u), lid - 13 + 12 * u * u + dice.near(0, 2)))
    ring += [(figure.across(-0.88), 0.1 * left.tip[1] + 0.4 * lid), (figure.across(-0.92), left.tip[1] - 2)]
    for (x0, y0), (x1, y1) in pairwise(ring):
        mx, my = (x0 + x1) / 2, (y0 + y1) / 2
        droop = 7 if abs(x0 - x1) > 6 else 0
        inward = 0 if droop else -5 * (1 if x0 > 0 else -1)
        outline += [(x0, y0, 0), (mx * 0.5 + x0 * 0.5 + inward, my + droop), (mx * 0.5 + x1 * 0.5 + inward, my + droop)]
    outline += [(ring[-1][0], ring[-1][1], 0), ((base[0][0] + figure.across(-0.92)) / 2, left.tip[1] + 8)]
    return Front(smooth(outline), ring[3:-3], (figure.across(0.1), -52.0), (left, right))


def draw_front(p: Painter, figure: Figure, front: Front) -> None:
    """The cap with fringe, shade, ring of light and strands."""
    hair, light = figure.hair, figure.light
    dice = figure.dice("gloss")
    p.shape(front.cap, hair, 1.3)
    with p.inside(front.cap):
        w = figure.width + 12
        p.fill(
            smooth([(-light * 1.4 * w, -80, 0), (-light * 0.4 * w, -76), (-light * 0.66 * w, -30),
                    (-light * 0.74 * w, 40, 0),
                    (-light * 1.4 * w, 40, 0)]),
            hair.shade, 0.75,
        )
        p.fade(front.cap, (0, -30), (0, figure.eye_y + 40), [(hair.shade, 0), (hair.shade, 0.5)])
        if figure.hairstyle == "curly":
            _gloss_on_curls(p, figure, dice)
        else:
            _ring_of_light(p, figure, dice)
        with p.moved(-2.4 * light, 2):  # light along the edge
            p.line(front.cap, hair.light, 1.0, 0.55)
        if figure.hat != "none":  # the hat's shadow
            p.fill(smooth([(-w, -70, 0), (w, -70, 0), (w, -8, 0), (figure.across(0), -20), (-w, -8, 0)]), hair.shade,
                   0.8)
        if figure.hairstyle != "curly":
            _draw_side_locks(p, figure, front)
    ink = blend(hair.line, hair.shade, 0.25)
    cx, cy = front.crown
    if figure.hairstyle == "slicked":
        _combed_strands(p, figure, front, dice)
        return
    for x, y in front.valleys:
        reach = dice.between(0.42, 0.75)
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


def _combed_strands(p: Painter, figure: Figure, front: Front, dice: Dice) -> None:
    """Long strands from the hairline over the head, in ink, shade and light by turns."""
    hair = figure.hair
    cx, cy = front.crown
    with p.inside(front.cap):
        for side in (-1, 1):  # the sides are cut closer
            x = side * (figure.width + stand_off(figure, side))
            p.fill(smooth([(x * 1.1, -34, 0), (x * 0.84, -26), (figure.across(side * 0.78), 0), (x * 0.9, 40, 0),
                           (x * 1.1, 40, 0)]),
                   hair.shade, 0.8)
        for i in range(13):
            u = -0.72 + 1.44 * i / 12 + dice.near(0, 0.03)
            x, y = figure.across(u), -42 + 22 * u * u
            end_x, end_y = cx + (x - cx) * 0.6, cy - 7 + 14 * u * u
            ink = (hair.line, hair.shade, hair.light)[i % 3]
            p.leaf(x, y, end_x, end_y, (x - cx) * -0.13, (0.9, 1.9, 1.3)[i % 3], ink, (0.8, 0.9, 0.7)[i % 3])
    way = dice.sign()
    for _ in range(dice.count(0, 2)):  # a strand that got away
        x, long = figure.across(way * dice.between(0.05, 0.45)), dice.between(16, 26)
        p.shape(leaf(x, -42, x + way * dice.between(6, 12), long - 42, way * -6, 1.9), hair, 0.7)


def _draw_side_locks(p: Painter, figure: Figure, front: Front) -> None:
    for side, lock in zip((-1, 1), front.locks, strict=True):
        (tip_x, tip_y), (root_x, root_y) = lock.tip, lock.root
        outer_x = lock.outer[0][0]
        if side != figure.light:
            p.fill(smooth([(outer_x * 1.3, -20, 0), (outer_x * 0.97, 0.1 * tip_y),
                           (0.4 * outer_x + 0.6 * root_x, 0.6 * tip_y), (tip_x, tip_y, 0),
                           (outer_x * 1.3, tip_y, 0)]), figure.hair.shade, 0.9)
        elif tip_y > 26:
            p.leaf(outer_x * 0.96, 6, 0.75 * outer_x + 0.25 * root_x, 0.66 * tip_y, side * -2, 1.7, figure.hair.light,
                   0.75)
        if tip_y > 26:
            ink = blend(figure.hair.line, figure.hair.shade, 0.3)
            p.leaf(0.45 * root_x + 0.55 * outer_x, root_y - 6, tip_x, tip_y - 3, side * 2, 0.8, ink)


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
                p.leaf(x, y - 5 * thick, x + 0.04 * x, y + (7 + dice.near(0, 3)) * thick, 0, 1.5 + 1.6 * thick, gloss,
                       strength)
            continue
        upper.append((x, y - 3.2 * thick))
        lower.append((x, y + (3 + (4.5 if i % 2 else 0) + dice.near(0, 1.2)) * thick, 0))
    if upper:
        p.fill(smooth([*upper, *reversed(lower)]), gloss, strength)


def _gloss_on_curls(p: Painter, figure: Figure, dice: Dice) -> None:
    """Rows of open rings: each a curl with its dark inside and a touch of light."""
    hair = figure.hair
    ink = blend(hair.line, hair.shade, 0.35)
    for row, y0 in enumerate((-58.0, -43.0, -28.0)):
        if figure.hat != "none" and row == 0:
            continue
        for i in range(-3, 4):
            u = (i + (0.5 if row % 2 else 0)) * 0.29
            x, y = figure.across(max(-0.97, min(0.97, u))) * 1.1 + dice.near(0, 3), y0 + 26 * u * u + dice.near(0, 3)
            r = dice.between(6, 9)
            way = dice.sign()
            with p.moved(x, y, turn=dice.near(0, 60)):
                p.leaf(-r, 2, r, 1, way * r * 1.2, 1.1, ink)
                p.leaf(-0.5 * r, 4, 0.7 * r, 2, -way * r * 0.7, 1.0, hair.shade)
                if dice.chance(0.5):
                    p.leaf(-0.7 * r, -0.2 * r, 0.5 * r, -0.4 * r, -0.5 * r, 1.7, hair.light, 0.85)
