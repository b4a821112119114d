"""Small networks as drawings: line widths show the size of a weight, colour its sign, numbers stand on nodes and edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ganforge.drawing.figures import CRITIC, FAINT_INK, FORGER, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RADIUS = 0.28
POSITIVE, NEGATIVE = CRITIC, FORGER
WIDEST, THINNEST = 7.0, 0.6
"""Points, for a weight as large as ``full`` and for none."""


@dataclass(frozen=True)
class Node:
    """A number of the network.

    Attributes:
        x: to the right; columns stand about 2.4 apart.
        y: up; nodes of a column stand 1 apart.
        name: inside the circle, e.g. "z".
        value: beside the name where there is one.
        shade: 0 (white) … 1 (dark) fills the circle, as a pixel.
        note: below, e.g. a bias.
    """

    x: float
    y: float
    name: str
    value: float | None = None
    shade: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Edge:
    """From node ``start`` to node ``end`` (their places in the list), with its weight.

    Attributes:
        label: where along the line its number stands, 0 … 1.
    """

    start: int
    end: int
    weight: float
    label: float = 0.35


def draw_network(
    axes: Axes,
    nodes: Sequence[Node],
    edges: Sequence[Edge],
    *,
    full: float = 2.0,
    links: Sequence[tuple[int, int, str]] = (),
) -> None:
    """Draw a network into empty axes.

    Args:
        axes: where.
        nodes: circles.
        edges: lines, drawn first.
        full: a weight of this size has the widest line.
        links: (start, end, sign): arrows without a weight, such as a squashing function.
    """
    from matplotlib.patches import Circle

    axes.set_aspect("equal")
    axes.axis("off")
    for edge in edges:
        a, b = nodes[edge.start], nodes[edge.end]
        width = THINNEST + (WIDEST - THINNEST) * min(abs(edge.weight) / full, 1)
        axes.plot(
            [a.x, b.x], [a.y, b.y], color=POSITIVE if edge.weight >= 0 else NEGATIVE, linewidth=width, alpha=0.55,
            solid_capstyle="butt", zorder=1,
        )  # fmt: skip
    for edge in edges:
        a, b = nodes[edge.start], nodes[edge.end]
        x, y = a.x + edge.label * (b.x - a.x), a.y + edge.label * (b.y - a.y)
        angle = float(np.degrees(np.arctan2(b.y - a.y, b.x - a.x)))
        axes.text(
            x, y, number(edge.weight), rotation=angle, rotation_mode="anchor", ha="center", va="center", fontsize=8.5,
            color=INK, zorder=2, bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 0.8},
        )  # fmt: skip
    for start, end, sign in links:
        a, b = nodes[start], nodes[end]
        axes.annotate(
            "", (b.x - RADIUS, b.y), (a.x + RADIUS, a.y), arrowprops={"arrowstyle": "->", "color": FAINT_INK, "lw": 1.2}
        )
        axes.text((a.x + b.x) / 2, (a.y + b.y) / 2 + 0.08, sign, ha="center", va="bottom", fontsize=9, color=FAINT_INK)
    for node in nodes:
        grey = 1 - (node.shade or 0.0)
        axes.add_patch(
            Circle((node.x, node.y), RADIUS, facecolor=(grey, grey, grey), edgecolor=INK, linewidth=1.2, zorder=3)
        )
        said = node.name if node.value is None else f"{node.name}\n{number(node.value)}"
        ink = "white" if grey < 0.5 else INK
        axes.text(node.x, node.y, said, ha="center", va="center", fontsize=8.5, color=ink, zorder=4, linespacing=1.1)
        if node.note:
            axes.text(
                node.x, node.y - RADIUS - 0.05, node.note, ha="center", va="top", fontsize=8, color=FAINT_INK, zorder=4,
                bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.5},
            )  # fmt: skip
    xs, ys = [node.x for node in nodes], [node.y for node in nodes]
    axes.set_xlim(min(xs) - 0.6, max(xs) + 0.6)
    axes.set_ylim(min(ys) - 0.75, max(ys) + 0.5)


def number(value: float) -> str:
    """Two decimals, with a real minus sign."""
    return f"{value:.2f}".replace("-", "\u2212")
