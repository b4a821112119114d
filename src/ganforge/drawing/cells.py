"""Small maps as squares with their numbers in them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ganforge.drawing.figures import FORGER, INK, RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Map = npt.NDArray[np.floating]


def draw_cells(
    axes: Axes,
    values: Map,
    *,
    most: float,
    least: float = 0.0,
    marked: Collection[tuple[int, int]] = (),
    title: str = "",
    numbers: bool = True,
    zeros: bool = True,
) -> None:
    """Draw a map (H, W) into empty axes: the larger, the darker.

    Args:
        axes: where.
        values: what stands in the squares; nothing where it is NaN.
        most: drawn black.
        least: drawn white.
        marked: (row, column) of squares with a coloured border.
        title: above.
        numbers: write them in.
        zeros: write zeros too.
    """
    from matplotlib.patches import Rectangle

    height, width = values.shape
    axes.imshow(
        values, cmap="Greys", vmin=least, vmax=most + 0.35 * (most - least), extent=(0, width, height, 0),
        interpolation="nearest",
    )  # fmt: skip
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_color(RULE)
    for i in range(height + 1):
        axes.plot([0, width], [i, i], color=RULE, linewidth=0.8)
    for j in range(width + 1):
        axes.plot([j, j], [0, height], color=RULE, linewidth=0.8)
    if numbers:
        for (i, j), value in np.ndenumerate(values):
            if (value or zeros) and not np.isnan(value):
                dark = (value - least) / (most - least) > 0.7
                axes.text(
                    j + 0.5, i + 0.5, f"{value:g}", ha="center", va="center", fontsize=9,
                    color="white" if dark else INK,
                )  # fmt: skip
    for i, j in marked:
        axes.add_patch(Rectangle((j, i), 1, 1, fill=False, edgecolor=FORGER, linewidth=2.4, zorder=3))
    axes.set(xlim=(-0.05, width + 0.05), ylim=(height + 0.05, -0.05))
    if title:
        axes.set_title(title, fontsize=10)
