"""Real points in the plane: what the games of `ganforge.systems.toy2d` are played with."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ganforge.game import Batch

Points = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Points]
"""(random numbers, how many) → that many points, n×2."""


@dataclass(frozen=True)
class Place:
    """A distribution in the plane.

    Attributes:
        name: as the user types it.
        draw: gives points of it.
        scale: about how far it reaches from the middle.
        centres: of its modes (M, 2); None where it has none.
        sigma: standard deviation of a mode.
    """

    name: str
    draw: Draw
    scale: float
    centres: Points | None = None
    sigma: float = 0.0


def gaussians(name: str, centres: Points, sigma: float) -> Place:
    """Equally likely round Gaussians."""

    def draw(random: np.random.Generator, n: int) -> Points:
        points: Points = centres[random.integers(len(centres), size=n)] + sigma * random.standard_normal((n, 2))
        return points

    return Place(name, draw, float(np.abs(centres).max()), centres, sigma)


def ring() -> Place:
    """Eight modes on a circle of radius 1, σ = 0.01: PacGAN's ring (arXiv 1712.04086, §4.1)."""
    angles = 2 * np.pi * np.arange(8) / 8  # not linspace(0, 2π, 8), which draws one mode twice
    return gaussians("ring", np.stack([np.cos(angles), np.sin(angles)], 1), 0.01)


def grid() -> Place:
    """Twenty-five modes at {−4, −2, 0, 2, 4}², σ = 0.05: PacGAN's grid."""
    side = np.arange(-4.0, 5.0, 2.0)
    return gaussians("grid", np.stack(np.meshgrid(side, side), -1).reshape(-1, 2), 0.05)


class PointSource:
    """Fresh points for S games: the n-th batch is a function of seed and n alone. N×S×2, float32."""

    def __init__(self, place: Place, batch_size: int, games: int = 1, seed: int = 0) -> None:
        self._place, self._n, self._games, self._seed = place, batch_size, games, seed

    @property
    def size(self) -> None:
        """There is no end of points."""
        return

    def batch(self, number: int) -> Batch:
        """The ``number``-th batch."""
        random = np.random.default_rng((self._seed, number))
        points = self._place.draw(random, self._n * self._games).reshape(self._n, self._games, 2)
        return Batch(torch.from_numpy(points.astype(np.float32)))
