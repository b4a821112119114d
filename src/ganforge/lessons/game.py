"""The game in the plane: four losses, four orders of play, four kinds of data, and what is seen of a game.

`ganforge.lessons.game_lesson` plays and draws them.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from ganforge.avatars import draw as draw_avatar
from ganforge.lessons.arena import Arena, Look, look
from ganforge.lessons.bilinear import Orbit
from ganforge.lessons.comic import FORGER as FORGER_RECORD
from ganforge.lessons.points import Place, Points, PointSource, gaussians, grid, moons, outline, ring
from ganforge.machine import one_thread
from ganforge.measures.modes import Coverage, coverage
from ganforge.pictures.workers import Report
from ganforge.systems.bilinear import Bilinear, BilinearConfig
from ganforge.systems.toy2d import Toy2dConfig
from ganforge.training.step import Table, run_step

LossName = Literal["minimax", "non_saturating", "wasserstein", "relativistic"]
Order = Literal["D-inside", "G-inside", "D-first", "G-first"]

NETS: dict[str, Any] = {
    "g_widths": (64, 64, 64), "d_widths": (64, 64, 64), "g_learning_rate": 3e-3, "d_learning_rate": 3e-3,
    "ema_halflife_kimg": 0.0,
}  # fmt: skip
"""Of every game of this lesson: about 8,500 weights a player. Drawn is the generator as it is, not an average."""
WAVES = {"g_waves": 16, "g_wave_sigma": 0.3, "d_waves": 16, "d_wave_sigma": 1.0, "decay": True}
"""Of the games that compare losses: without them no loss finds the grid within a short game, and with them some do."""
LOSSES: dict[LossName, dict[str, Any]] = {
    "minimax": {"loss": "minimax"},
    "non_saturating": {"loss": "non_saturating"},
    "wasserstein": {"loss": "wasserstein", "slope_one": 1.0, "d_steps": 5, "beta1": 0.5},
    "relativistic": {"loss": "relativistic", "r1_gamma": 0.1, "r2_gamma": 0.1},
}
INNER = 50
"""Steps of the inner loop for one of the outer."""
SMOOTH = {"loss": "non_saturating", "r1_gamma": 0.02, "d_learning_rate": 1e-2}
"""Of all orders of play: R1 keeps D's slopes finite, so that a D that is far ahead still shows G the way; he learns fast
enough to answer with one step what she did in fifty."""
ORDERS: dict[Order, dict[str, Any]] = {
    "D-inside": {"d_steps": INNER, "g_steps": 1},
    "G-inside": {"d_steps": 1, "g_steps": INNER},
    "D-first": {"first": "D"},
    "G-first": {"first": "G"},
}
INNER_ROUNDS, EVEN_ROUNDS, LOSS_ROUNDS = 100, 1600, 1000
REACH = 1.5
FRAMES = 40
SAMPLES = 1000
"""For counting modes."""


# --- places that can be seen ------------------------------------------------------------------------------------------


def wide_ring() -> Place:
    """Eight modes of σ = 0.05 on radius 1."""
    return _gaussians_at(ring(), 1.0, 0.05)


def wide_grid() -> Place:
    """Twenty-five modes of σ = 0.03 within [−1, 1]²."""
    return _gaussians_at(grid(), 0.25, 0.03)


def _gaussians_at(place: Place, scale: float, sigma: float) -> Place:
    return gaussians(place.name, place.centres_or_raise() * scale, sigma)


def portrait() -> Place:
    """The lines of the forger's portrait."""
    return outline(draw_avatar({**FORGER_RECORD, "smile": 0.6}, 5, 128))


PLACES = {"ring": wide_ring, "grid": wide_grid, "moons": moons, "outline": portrait}


# --- watching a game --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Watched:
    """A game that was played to its end.

    Attributes:
        rounds: when it was looked at.
        looks: what was seen.
        coverage: by samples then; empty where the data has no modes.
    """

    rounds: list[int]
    looks: list[Look]
    coverage: list[Coverage]

    @property
    def modes(self) -> list[int]:
        """Captured at each look."""
        return [one.modes for one in self.coverage]

    @property
    def middles(self) -> Points:
        """(looks, 2): medians of the samples."""
        return np.array([np.median(seen.samples, axis=0) for seen in self.looks])


@dataclass(frozen=True)
class Job:
    """A game to be watched.

    Attributes:
        place: a name of `PLACES`, or a place.
        settings: of its config, beside `NETS`.
        rounds: to be played.
        looks: how often to look, evenly.
        seed: of everything random.
    """

    place: str | Place
    settings: dict[str, Any]
    rounds: int
    looks: int = FRAMES
    seed: int = 0


@one_thread()
def watch(job: Job, report: Report) -> Watched:
    """Play a game and look at it from time to time."""
    place = PLACES[job.place]() if isinstance(job.place, str) else job.place
    config = Toy2dConfig(**{**NETS, **job.settings})
    arena = Arena(config, PointSource(place, config.batch_size, seed=job.seed), job.rounds, job.seed)
    watched = Watched(sorted({round(job.rounds * i / (job.looks - 1)) for i in range(job.looks)}), [], [])
    for moment in watched.rounds:
        for played in arena.play(moment):
            report(played / job.rounds)
        watched.looks.append(look(arena.system, REACH))
        if place.centres is not None:
            watched.coverage.append(coverage(arena.samples(SAMPLES)[0], place.centres, place.sigma))
    return watched


def by_chance(place: Place) -> Coverage:
    """What points strewn evenly over the data's square cover: as many samples as a game is judged by."""
    points = np.random.default_rng(0).uniform(-1, 1, (SAMPLES, 2))
    return coverage(points, place.centres_or_raise(), place.sigma)


# --- what the games show ----------------------------------------------------------------------------------------------


def collapse_of(watched: Watched) -> tuple[float, npt.NDArray[np.float64]]:
    """How far samples lie from their middle, the median of the last half of the looks; how far it moved, look by look."""
    half = len(watched.looks) // 2
    samples, middles = [seen.samples for seen in watched.looks[half:]], watched.middles[half:]
    width = np.median([np.linalg.norm(p - m, axis=1).mean() for p, m in zip(samples, middles, strict=True)])
    return float(width), np.linalg.norm(np.diff(middles, axis=0), axis=1)


def in_sight(watched: Watched) -> list[int]:
    """The looks whose middles lie within `REACH`."""
    return [i for i, middle in enumerate(watched.middles) if np.abs(middle).max() < REACH]


def farthest_three(watched: Watched) -> tuple[int, int, int]:
    """Three looks of the last half, in order, whose middles are in sight and lie far from one another."""
    middles, half = watched.middles, len(watched.looks) // 2
    seen = [i for i in in_sight(watched) if half <= i < len(middles) - 1]
    if len(seen) < 3:
        return half, half + 1, half + 2

    def apart(looks: tuple[int, ...]) -> float:
        return float(min(np.linalg.norm(middles[a] - middles[b]) for a, b in combinations(looks, 2)))

    a, b, c = max(combinations(seen, 3), key=apart)
    return a, b, c


def verdicts_on(field: npt.NDArray[np.float64], points: Points) -> npt.NDArray[np.float64]:
    """N verdicts, read from the nearest places of a `Look`'s field; points beyond it count as on its edge."""
    last = len(field) - 1
    columns, rows = np.rint((points.clip(-REACH, REACH) + REACH) / (2 * REACH) * last).astype(int).T
    read: npt.NDArray[np.float64] = field[rows, columns]
    return read


def usual_modes(watched: Watched) -> float:
    """The median of captured modes over the second half of the looks."""
    return float(np.median(watched.modes[len(watched.modes) // 2 :]))


def usual_share(watched: Watched) -> float:
    """The median share of samples near a mode over the second half of the looks."""
    return float(np.median([one.high_quality for one in watched.coverage[len(watched.coverage) // 2 :]]))


def min_and_max(watched: Watched) -> tuple[int, int]:
    """Fewest and most modes captured at a look of the second half."""
    late = watched.modes[len(watched.modes) // 2 :]
    return min(late), max(late)


# --- x·y --------------------------------------------------------------------------------------------------------------


def play_bilinear(rate: float, steps: int, penalty: float = 0.0) -> Orbit:
    """The orbit of (x, y) = (1, 0) as the training step plays it: G, then D, up to ``steps`` rounds."""
    system = Bilinear(BilinearConfig(learning_rate=rate, penalty=penalty))
    table = Table(system.turns(), PointSource(ring(), 2), "cpu", nullcontext, 0)
    orbit = [complex(1, 0)]
    with torch.random.fork_rng(devices=[]):  # a step seeds torch's own random numbers
        for step in range(steps):
            run_step(table, step / steps)
            orbit.append(complex(*(float(system.nets[name]().detach()) for name in ("generator", "discriminator"))))
    return np.array(orbit)
