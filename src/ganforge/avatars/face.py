"""Face: ears, outline and shade, cheeks, nose, mouth, the lines of age, beards. Eyes have their own file."""

import skia

from ganforge.avatars.figure import Figure
from ganforge.avatars.paint import Painter, Point, ellipse, leaf, smooth
from ganforge.avatars.palette import blend

# fmt: off
# (points stand in rows, not one a line)


def outline(figure: Figure, wider: float = 0.0) -> skia.Path:
    """The face from crown to chin, in head units."""
    w, chin, jaw, turn = figure.width + wider, figure.chin + wider, figure.jaw, figure.turn
    middle = 11 * turn
    corner = 0.66 + 0.17 * jaw  # half width at the corner of the jaw
    if figure.age == "child":
        corner += 0.08
    corner_y = chin * (0.7 + 0.03 * jaw)
    tip = 4.5 + 7.5 * jaw
    points: list[Point] = [
        (-w, -4),
        (-0.8 * w, -40),
        (0, -54),
        (0.8 * w, -40),
        (w, -4),
        (0.985 * w + 1.2 * min(turn, 0), 0.32 * chin),
        (corner * w + 0.45 * middle, corner_y),
        (middle + tip, chin - 1.5),
        (middle, chin),
        (middle - tip, chin - 1.5),
        (-corner * w + 0.45 * middle, corner_y),
        (-0.985 * w + 1.2 * max(turn, 0), 0.32 * chin),
    ]
    return smooth(points)


def draw_ears(p: Painter, figure: Figure) -> None:
    """Both ears, behind the face; a turn hides the far one."""
    y = figure.eye_y + 5
    for side in (-1, 1):
        hidden = max(0.0, figure.turn * side)
        x = side * (figure.width + 2.5 - 9 * hidden) - 3.5 * figure.turn * (1 - hidden)
        p.shape(
            smooth([(x - side * 4, y - 11), (x + side * 4, y - 12), (x + side * 6, y - 2), (x + side * 1, y + 12),
                    (x - side * 5, y + 10)]),
            figure.skin,
        )
        if p.fine:
            p.leaf(x + side * 3, y - 8, x, y + 5, side * 2.5, 1, figure.skin.shade)


def draw_face(p: Painter, figure: Figure, fringe: skia.Path | None) -> None:
    """Skin with one soft shade from the side that is turned from the light, and the shadow of the fringe."""
    path, skin, away = outline(figure), figure.skin, -figure.light
    p.shape(path, skin, 1.35)
    with p.inside(path):
        w, chin = figure.width, figure.chin
        edge = 0.74 * w * away + 6 * figure.turn
        p.fill(
            smooth([(away * 1.3 * w, -20, 0), (edge, figure.eye_y + 4), (edge - away * 10, chin * 0.66),
                    (edge - away * 34, chin + 1), (away * 1.3 * w, chin + 6, 0)]),
            skin.shade, 0.55,
        )
        if fringe is not None:
            with p.moved(-2.5 * figure.light, 6):
                p.fill(fringe, skin.shade, 0.85)
        p.glow(-0.4 * w * away, figure.eye_y + 20, 26, skin.light, 0.5)
        _draw_cheeks(p, figure)
    if figure.age == "old":
        _draw_age(p, figure, 1.0)
    elif figure.age == "grown":
        _draw_age(p, figure, 0.2)


def _draw_cheeks(p: Painter, figure: Figure) -> None:
    dice = figure.dice("cheeks")
    strength = {"child": 0.62, "young": 0.46, "grown": 0.24, "old": 0.24}[figure.age]
    strength *= {"woman": 1.15, "neither": 0.85, "man": 0.5}[figure.gender] * (1 + 0.35 * max(0, figure.smile))
    strength *= dice.between(0.75, 1.25)
    y = figure.eye_y + figure.eye_high + 6
    for side in (-1, 1):
        x, narrow = figure.across(side * 0.6), figure.narrowed(side * 0.6)
        with p.moved(x, y, wide=narrow):
            p.glow(0, 0, 15, figure.blush, min(0.85, strength), 0.62)
            if p.fine and figure.age in ("child", "young") and dice.chance(0.3):
                for i in (-1, 0, 1):
                    p.leaf(i * 4 + 1.5, -3, i * 4 - 1.5, 3, 0, 0.8, figure.blush, 0.8)
    if p.fine and figure.age != "old" and dice.chance(0.1):  # freckles
        for i in range(7):
            u = -0.5 + i / 6 + dice.near(0, 0.06)
            p.oval(figure.across(u), y - 3 + dice.near(0, 3), 1.1, 1.1, figure.skin.shade)
    elif dice.chance(0.1):  # a beauty spot
        p.oval(figure.across(dice.sign() * 0.4), figure.mouth_y + dice.near(-3, 8), 1.3, 1.3, figure.skin.line)


def _draw_age(p: Painter, figure: Figure, strength: float) -> None:
    """Lines that come with years: beside the nose, under and beside the eyes, across the forehead."""
    ink = blend(figure.skin.shade, figure.skin.line, 0.35)
    nose_y, mouth_y = figure.nose_y, figure.mouth_y
    for side in (-1, 1):
        p.leaf(figure.across(side * 0.2), nose_y + 1, figure.across(side * 0.36), mouth_y + 4, side * 2.5,
               0.5 + 1.2 * strength, ink, 0.3 + 0.7 * strength)
        if strength < 1:
            continue
        inner, outer = figure.across(side * 0.3), figure.across(side * 0.62)
        y = figure.eye_y + figure.eye_high + 4
        p.leaf(inner, y - 0.5, outer, y + 1, side * -3, 1.5, ink)
        x = figure.across(side * 0.8)
        for i in (-1, 1) if p.fine else ():
            p.leaf(x, figure.eye_y + 3 * i, x + side * 6, figure.eye_y + 5 * i, 0, 0.9, ink, 0.8)
        hollow = figure.across(side * 0.66)
        p.leaf(hollow, nose_y + 5, hollow - side * 5, mouth_y + 10, side * -3, 2.8, figure.skin.shade, 0.85)
    if strength == 1 and p.fine:
        for y in (-20, -13):
            p.leaf(figure.across(-0.4), y, figure.across(0.4), y, -3, 0.9, ink, 0.8)


def draw_nose(p: Painter, figure: Figure) -> None:
    """A touch of shade for the young; a bridge and a wing for the grown."""
    dice = figure.dice("nose")
    x, y, skin = figure.across(0), figure.nose_y, figure.skin
    away = -figure.light
    lead = 3.5 * figure.turn
    if figure.age in ("child", "young") and figure.gender != "man":
        p.leaf(x + lead - 2.5, y, x + lead + 2.5, y + 0.5, 1.2, 1.4, blend(skin.shade, skin.line, 0.45))
    else:
        side = 1 if figure.turn > 0.15 else -1 if figure.turn < -0.15 else away
        length = {"child": 4, "young": 9, "grown": 13, "old": 15}[figure.age] * dice.near(1, 0.15)
        p.fill(
            smooth([(x + side * 1.5, y - length, 0), (x + lead + side * 5, y + 0.5, 0),
                    (x + lead - side * 1, y + 2.5, 0)]),
            skin.shade, 0.9,
        )
        p.leaf(x + lead - 4, y + 1.5, x + lead + 4, y + 1.5, 2, 1.3, blend(skin.shade, skin.line, 0.6))
    p.oval(x + lead - away * 1.5, y - 3.5, 1.5, 1.9, skin.light, 0.75)


def draw_mouth(p: Painter, figure: Figure) -> None:
    """One curve from −1, corners down, over a level line to 1, an open laugh; continuous in ``smile``."""
    dice = figure.dice("mouth")
    smile, skin = figure.smile, figure.skin
    x, y = figure.across(0) + 2.5 * figure.turn, figure.mouth_y
    half = (9.4 if figure.gender == "woman" else 10.6) * dice.near(1, 0.1) + 5 * max(0, smile) + 2 * max(0, -smile)
    if figure.age == "child":
        half *= 0.9
    half *= p.bold**0.25
    lift = 10.5 * smile  # corners against the middle
    ink = blend(skin.line, figure.lips, 0.25)
    near, far = 1 + 0.25 * figure.turn, 1 - 0.25 * figure.turn
    left, right = x - half * near, x + half * far
    corner, middle = y - 0.55 * lift, y + 0.45 * lift
    gape = max(0.0, smile - 0.22) * 15 + max(0.0, -smile - 0.55) * 9
    if gape > 0.5:
        if smile > 0:
            points: list[Point] = [(left, corner, 0), (x, middle - 1.5), (right, corner, 0),
                                   (x + half * 0.5, middle + 0.7 * gape),
                                   (x, middle + gape), (x - half * 0.5, middle + 0.7 * gape)]
        else:
            left, right = x - half * 0.86 * near, x + half * 0.86 * far
            top, bottom = middle - 0.5 * gape, corner + 0.15 * gape
            points = [(left, bottom), (x - 0.4 * half, top + 0.8), (x + 0.4 * half, top + 0.8),
                      (right, bottom), (x + 0.5 * half, bottom - 0.4), (x, bottom - 1),
                      (x - 0.5 * half, bottom - 0.4)]
        path = smooth(points)
        p.fill(path, 0x7A2430)
        with p.inside(path):
            if smile > 0:
                p.oval(x, middle + gape * 1.1, half * 0.62, gape * 0.55, 0xEE7F86)
                p.box(left, y - 12, right, middle + min(2.5, 0.3 * gape), 0xFFFFFF)
            else:
                p.oval(x, corner + 0.7 * gape, half * 0.5, 0.9 * gape, 0xD9707A)
        p.line(path, ink, 1.3)
    if smile > 0 or gape <= 0.5:
        p.leaf(left, corner, x + 1.5, middle, 0.3 * lift, 1.6, ink)
        p.leaf(right, corner, x - 1.5, middle, -0.3 * lift, 1.6, ink)
    if abs(smile) > 0.25 and (smile > 0 or gape <= 0.5):
        p.oval(left, corner, 0.9, 0.9, ink)
        p.oval(right, corner, 0.9, 0.9, ink)
    under = middle + max(gape, 0.5) + 4
    if figure.gender == "woman" and figure.age != "child":
        p.leaf(x - half * 0.6, middle + max(gape, 0), x + half * 0.6, middle + max(gape, 0), 3.4, 1.7, figure.lips,
               0.85)
        if gape <= 0.5:
            p.leaf(x - half * 0.6, middle - 0.6, x + half * 0.6, middle - 0.6, -1.6, 1.2, figure.lips, 0.7)
    else:
        p.leaf(x - half * 0.4, under, x + half * 0.4, under, 1.0, 1.1, skin.shade)


def draw_beard(p: Painter, figure: Figure) -> None:
    """Stubble, moustache, goatee or a full beard, in the hair's colour."""
    if figure.beard == "none":
        return
    dice = figure.dice("beard")
    hair, x, y, chin = figure.hair, figure.across(0) + 2.5 * figure.turn, figure.mouth_y, figure.chin
    w, middle = figure.width, 11 * figure.turn
    lip = figure.nose_y + 0.5 * (y - figure.nose_y)
    if figure.beard == "stubble":
        tone = blend(figure.skin.shade, blend(hair.line, 0x2A2228, 0.5), 0.62)
        jowl = smooth(
            [(-w - 6, figure.nose_y + 2), (-0.6 * w, y - 5), (x - 14, lip - 1), (x, lip - 3), (x + 14, lip - 1),
             (0.6 * w, y - 5),
             (w + 6, figure.nose_y + 2), (middle + 30, chin + 8), (middle - 30, chin + 8)]
        )
        with p.inside(outline(figure)):
            p.fade(jowl, (0, lip - 10), (0, chin - 4), [(tone, 0.25), (tone, 0.62), (tone, 0.7)])
            p.glow(x, y + 1, 15, figure.skin.base, 0.9, 0.42)
            for _ in range(26 if p.fine else 0):
                u, v = dice.near(0, 0.72), dice.between(0, 1)
                p.oval(middle * v + u * w * (1 - 0.35 * v), lip + v * (chin - lip - 2), 0.9, 0.9, tone)
        return
    if figure.beard == "full":
        length = dice.between(8, 22) if figure.age == "old" else dice.between(4, 9)
        top = figure.eye_y + 9
        points: list[Point] = [(-w - 1, top, 0), (-0.84 * w, y - 12), (x - 16, lip - 1), (x, lip + 2),
                               (x + 16, lip - 1),
                               (0.84 * w, y - 12), (w + 1, top, 0), (0.93 * w, y + 2),
                               (middle + 0.5 * w, chin + 0.5 * length)]
        tips = dice.count(2, 4)
        for i in range(tips):
            centre = 0.36 * w * (1 - 2 * (i + 0.5) / tips)
            points.append((middle + centre, chin + length * (1.12 - abs(centre) / w), 0))
            if i < tips - 1:
                points.append((middle + centre - 0.36 * w / tips, chin + 0.72 * length))
        points += [(middle - 0.5 * w, chin + 0.5 * length), (-0.93 * w, y + 2)]
        path = smooth(points)
        p.shape(path, hair)
        with p.inside(path):
            p.fill(ellipse(x, y + 3, 15, 5.5 + 5 * abs(figure.smile)), hair.shade)
            for i in range(-3, 4):
                p.leaf(middle + i * 11, y + 10, middle + i * 8, chin + length, i * 1.2, 0.8, hair.shade)
    elif figure.beard == "goatee":
        base = y + 8 + 7 * max(0, figure.smile)
        long = dice.between(4, 12)
        p.shape(
            smooth([(x - 9, base, 0), (x, base + 2), (x + 9, base, 0), (middle + 11, chin - 2),
                    (middle, chin + long, 0),
                    (middle - 11, chin - 2)]),
            hair, 1.1,
        )
    if figure.beard == "goatee":
        return
    curl = dice.between(-2, 6) if figure.beard == "moustache" else 0
    reach = dice.between(19, 25) if figure.beard == "moustache" else 17
    for side in (-1, 1):
        path = smooth(
            [(x, lip - 2), (x + side * 0.45 * reach, lip - 2.2), (x + side * 0.8 * reach, lip + 3),
             (x + side * reach, lip + 6 - curl, 0),
             (x + side * 0.62 * reach, lip + 7.5), (x, lip + 4.5, 0)]
        )
        p.shape(path, hair, 1.0)
        p.leaf(x + side * 3, lip + 1, x + side * 0.75 * reach, lip + 4.5, side * -2, 0.8, hair.shade)


def draw_neck(p: Painter, figure: Figure, top: float) -> None:
    """Neck and the skin under the collar, in body units; ``top`` is where the chin hides it."""
    n, skin, turn = figure.neck, figure.skin, figure.turn
    s = figure.shoulders if figure.clothes == "dress" else 0.8 * figure.shoulders
    path = smooth(
        [(-n + 2 * turn, top, 0), (-n, -12), (-n - 3, -3), (-0.5 * s, 8), (-0.86 * s, 19), (-s, 44), (-s, 110, 0),
         (s, 110, 0),
         (s, 44), (0.86 * s, 19), (0.5 * s, 8), (n + 3, -3), (n, -12), (n + 2 * turn, top, 0)]
    )
    p.shape(path, skin)
    with p.inside(path):
        fall = -2.5 * figure.light
        p.fill(
            smooth([(-n - 8, top, 0), (n + 8, top, 0), (n + 3, -9), (fall + 5 * turn, 1), (-n - 3, -9)]), skin.shade
        )
    ink = blend(skin.shade, skin.line, 0.3)
    for side in (-1, 1):
        p.fill(leaf(side * 7, 10, side * figure.shoulders * 0.5, 14, side * 3, 1.2), ink, 0.8)
        if figure.age == "old" and p.fine:
            p.fill(leaf(side * 5, -8, side * 2.5, 5, side * 1, 0.9), ink, 0.9)
