"""Real points in the plane: what the games of `ganforge.systems.toy2d` are played with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ganforge.errors import UsageError
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

    def centres_or_raise(self) -> Points:
        """Of the modes, for those who only know places that have some. Raises ValueError."""
        if self.centres is None:
            raise ValueError(f"{self.name} has no modes")
        return self.centres


def gaussians(name: str, centres: Points, sigma: float) -> Place:
    """Equally likely round Gaussians."""

    def draw(random: np.random.Generator, n: int) -> Points:
        points: Points = centres[random.integers(len(centres), size=n)] + sigma * random.standard_normal((n, 2))
        return points

    return Place(name, draw, float(np.abs(centres).max()), centres, sigma)


def ring() -> Place:
    """Eight modes on a circle of radius 1, σ = 0.01: PacGAN's ring (arXiv 1712.04086 and its published configs)."""
    angles = 2 * np.pi * np.arange(8) / 8  # not linspace(0, 2π, 8), which draws one mode twice
    return gaussians("ring", np.stack([np.cos(angles), np.sin(angles)], 1), 0.01)


def grid() -> Place:
    """Twenty-five modes at {−4, −2, 0, 2, 4}², σ = 0.05: PacGAN's grid."""
    side = np.arange(-4.0, 5.0, 2.0)
    return gaussians("grid", np.stack(np.meshgrid(side, side), -1).reshape(-1, 2), 0.05)


def moons() -> Place:
    """Two half circles that reach into one another, with noise of 0.05."""

    def draw(random: np.random.Generator, n: int) -> Points:
        angle, upper = random.uniform(0, np.pi, n), random.integers(0, 2, n) == 0
        x = np.where(upper, np.cos(angle) - 0.5, 0.5 - np.cos(angle))
        y = np.where(upper, np.sin(angle) - 0.25, 0.25 - np.sin(angle))
        points: Points = np.stack([x, y], 1) / 1.5 + 0.05 / 1.5 * random.standard_normal((n, 2))
        return points

    return Place("moons", draw, 1.0)


def outline(picture: npt.NDArray[np.uint8], name: str = "outline") -> Place:
    """Points along the edges of a picture (h, w, 3), within [−1, 1]².

    Raises:
        UsageError: the picture is one flat colour.
    """
    grey = picture.astype(np.float64).mean(2)
    down, right = np.gradient(grey)
    steep = np.hypot(down, right)
    strong = (steep >= np.quantile(steep, 0.9)) & (steep > 4.0)
    rows, columns = np.nonzero(strong)
    if not len(rows):
        raise UsageError("This picture has no outline: it is one flat colour.")
    longest = max(picture.shape[:2])
    middle = np.array([picture.shape[1], picture.shape[0]]) / 2

    def draw(random: np.random.Generator, n: int) -> Points:
        chosen = random.integers(len(rows), size=n)
        places = np.stack([columns[chosen], rows[chosen]], 1) + random.uniform(0, 1, (n, 2))
        points: Points = (places - middle) * (1.9, -1.9) / longest
        return points

    return Place(name, draw, 1.0)


class PointSource:
    """Fresh points for S games: the n-th batch is a function of seed and n alone. N×S×2, float32.

    Args:
        places: one for all games, or one a game.
        batch_size: N.
        games: S, where there is one place for all.
        seed: of everything drawn.
    """

    def __init__(self, places: Place | Sequence[Place], batch_size: int, games: int = 1, seed: int = 0) -> None:
        self._places = [places] * games if isinstance(places, Place) else list(places)
        self._n, self._seed = batch_size, seed

    @property
    def size(self) -> None:
        """There is no end of points."""
        return

    def batch(self, number: int) -> Batch:
        """The ``number``-th batch."""
        random = np.random.default_rng((self._seed, number))
        points = np.stack([place.draw(random, self._n) for place in self._places], 1)
        return Batch(torch.from_numpy(points.astype(np.float32)))
