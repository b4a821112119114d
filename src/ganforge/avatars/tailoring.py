"""What every outfit is sewn from: shoulders and chest, shade and folds, collars and bows. In body units."""

import skia

from ganforge.avatars.dice import Dice
from ganforge.avatars.figure import Figure
from ganforge.avatars.paint import Painter, ellipse, polygon, smooth
from ganforge.avatars.palette import FABRICS, Material, cloth, pick_apart

# fmt: off
# (points stand in rows, not one a line)

BOTTOM = 116
"""y below the picture's lower edge at every zoom."""


def torso(figure: Figure, wider: float = 0.0, collar: float = 2.0, neckline: float = 12.0) -> skia.Path:
    """Shoulders and chest, cut out at the neck: ``collar`` beyond the neck, ``neckline`` deep."""
    n, s = figure.neck + collar, figure.shoulders + wider
    rise = 1.0 + wider * 0.5
    return smooth(
        [(-n, -5 - 0.3 * rise, 0), (-0.55 * s, 7 - rise), (-0.88 * s, 19 - rise), (-s - 3, 44), (-s - 7, BOTTOM, 0),
         (s + 7, BOTTOM, 0), (s + 3, 44), (0.88 * s, 19 - rise), (0.55 * s, 7 - rise), (n, -5 - 0.3 * rise, 0),
         (0.6 * n, 0.72 * neckline), (0, neckline), (-0.6 * n, 0.72 * neckline)]
    )


def draw_shade(p: Painter, figure: Figure, path: skia.Path, material: Material, dice: Dice) -> None:
    """Shade from the side that is turned from the light, the shadow of the head, arms and folds."""
    s, light = figure.shoulders, figure.light
    with p.inside(path):
        p.fill(
            smooth([(-light * (s + 20), -10, 0), (-light * 0.78 * s, 14), (-light * 0.7 * s, 34),
                    (-light * 0.76 * s, 60),
                    (-light * 0.7 * s, BOTTOM, 0), (-light * (s + 30), BOTTOM, 0)]),
            material.shade, 0.85,
        )
        for side in (-1, 1):
            x = side * 0.7 * s
            p.leaf(x, 48, x + side * 2, BOTTOM, -side * 2, 1.5, material.line)
            p.leaf(x - side * 2, 47, x - side * 16, 39 + dice.near(0, 4), side * 2, 1.3, material.shade)
            y = 28 + dice.near(0, 5)
            p.leaf(x + side * 8, y, x - side * 4, y + 18, side * 4, 1.1, material.shade)
        if p.fine:
            for _ in range(2):
                x, y = dice.near(0, 0.5 * s), dice.between(34, 52)
                p.leaf(x, y, x + dice.near(0, 12), y + 18, dice.near(0, 4), 1.2, material.shade)


def draw_garment(p: Painter, figure: Figure, material: Material, dice: Dice, **cut: float) -> skia.Path:
    """A whole top with outline, shade and folds; ``cut`` as in `torso`. Returns its outline."""
    path = torso(figure, **cut)
    p.shape(path, material)
    draw_shade(p, figure, path, material, dice)
    return path


def pick_fabric(dice: Dice, figure: Figure) -> Material:
    """A fabric that stands apart from the skin."""
    return cloth(pick_apart(dice, FABRICS, figure.skin.base, least=0.12))


def draw_collar(p: Painter, figure: Figure, material: Material, point: float, wide: float) -> None:
    """Two pointed wings of a shirt's collar."""
    n = figure.neck
    for side in (-1, 1):
        p.shape(polygon([(side * (n + 2), -9), (side * (n + 7), -3), (side * wide, point + 7), (side * 1, point - 3)]),
                material, 1.1)


def draw_bow(p: Painter, x: float, y: float, size: float, material: Material) -> None:
    """A bow with two loops and two tails, ``size`` from its knot to the end of a loop."""
    for side in (-1, 1):
        p.shape(smooth([(x, y, 0), (x + side * 0.7 * size, y + 0.5 * size), (x + side * 0.55 * size, y + 1.3 * size, 0),
                        (x + side * 0.1 * size, y + 0.6 * size)]), material, 1.0)
        p.shape(smooth([(x, y, 0), (x + side * 0.7 * size, y - 0.6 * size), (x + side * 1.2 * size, y),
                        (x + side * 0.7 * size, y + 0.55 * size)]),
                material, 1.1)
        p.leaf(x + side * 2, y, x + side * 0.8 * size, y, side, 1.0, material.shade)
    p.shape(ellipse(x, y, 0.24 * size, 0.28 * size), material, 1.0)
