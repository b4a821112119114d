"""Games in the plane: real and forged points, the critic's field, and where it sends the forged ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ganforge.drawing.figures import FORGER, INK, RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Points = npt.NDArray[np.floating]


def draw_plane(
    axes: Axes,
    reach: float,
    *,
    real: Points | None = None,
    forged: Points | None = None,
    field: Points | None = None,
    arrows: Points | None = None,
    size: float = 7.0,
) -> None:
    """Draw a moment of a game into empty axes over [−reach, reach]².

    Args:
        axes: where.
        reach: half a side, in the data's units.
        real: (n, 2), open grey circles.
        forged: (n, 2), dots.
        field: (m, m) verdicts 0 … 1 over the square, rows from bottom to top: orange is fake, purple is real.
        arrows: (k, 2) for the first k forged points; only their directions and relative lengths count.
        size: of a dot, points².
    """
    side = (-reach, reach)
    axes.set(xlim=side, ylim=side, xticks=[], yticks=[])
    axes.set_aspect("equal")
    for spine in axes.spines.values():
        spine.set_color(RULE)
    if field is not None:
        axes.imshow(
            field, origin="lower", extent=(*side, *side), cmap="PuOr", vmin=0, vmax=1, alpha=0.75,
            interpolation="bilinear", zorder=0,
        )  # fmt: skip
    if real is not None:
        axes.scatter(
            real[:, 0],
            real[:, 1],
            s=2.2 * size,
            facecolors="none",
            edgecolors=INK,
            linewidths=0.5,
            alpha=0.55,
            zorder=2,
        )
    if forged is not None:
        axes.scatter(forged[:, 0], forged[:, 1], s=size, color=FORGER, edgecolors="white", linewidths=0.25, zorder=3)
        if arrows is not None:
            longest = np.quantile(np.linalg.norm(arrows, axis=1), 0.9) or 1.0
            some = arrows / longest * 0.16 * reach
            lengths = np.linalg.norm(some, axis=1, keepdims=True)
            some = some * np.minimum(1, 0.25 * reach / np.maximum(lengths, 1e-9))
            axes.quiver(
                *forged[: len(arrows)].T, *some.T, angles="xy", scale_units="xy", scale=1, width=0.004, color=INK,
                alpha=0.8, zorder=4,
            )  # fmt: skip
