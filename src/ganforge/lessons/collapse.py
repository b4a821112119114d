"""Mode collapse and two remedies, in the plane: what `ganforge learn collapse` shows and bench/collapse.py measures.

Same nets, optimizer, learning rate, batches and schedule for all methods; a method changes D's loss, or gives D minibatch
features. They were chosen for the relativistic game; the others are measured at a gentler learning rate as well.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from ganforge.lessons.arena import Arena
from ganforge.lessons.points import Place, Points, PointSource, grid, ring
from ganforge.machine import one_thread
from ganforge.measures.modes import Coverage, coverage
from ganforge.pictures.workers import Report
from ganforge.systems.toy2d import Toy2dConfig

Method = Literal["gan", "discrimination", "relativistic"]

NETS: dict[str, Any] = {
    "batch_size": 256,
    "z_size": 2,
    "g_widths": (64, 64, 64),
    "g_waves": 16,
    "g_wave_sigma": 0.3,
    "d_widths": (64, 64),
    "d_waves": 32,
    "d_wave_sigma": 1.0,
    "g_learning_rate": 5e-3,
    "d_learning_rate": 5e-3,
    "beta1": 0.5,
    "beta2": 0.99,
    "decay": True,
}
METHODS: dict[Method, dict[str, Any]] = {
    "gan": {"loss": "non_saturating"},
    "discrimination": {"loss": "non_saturating", "minibatch_kernels": 8, "minibatch_dims": 4},
    "relativistic": {"loss": "relativistic", "r1_gamma": 0.05, "r2_gamma": 0.05, "gamma_end": 0.01},
}
"""Non-saturating GAN; with minibatch discrimination in D; relativistic pairing with R1 and R2."""
GENTLE_RATE = 1e-3
PLACES = {"ring": ring, "grid": grid}


def config_of(method: Method, place: Place, games: int, gentle: bool = False) -> Toy2dConfig:
    """The config of a game; ``gentle`` at the lower learning rate."""
    rates = {"g_learning_rate": GENTLE_RATE, "d_learning_rate": GENTLE_RATE} if gentle else {}
    return Toy2dConfig(**NETS | METHODS[method] | rates, games=games, scale=place.scale)


LOOKS = (0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 1.0)
"""Shares of a game at which it is looked at."""
SAMPLES = 2500


@dataclass(frozen=True)
class Job:
    """A game of one method.

    Attributes:
        place: of `PLACES`.
        method: of `METHODS`.
        steps: to be played.
        seed: of everything random.
    """

    place: str
    method: Method
    steps: int
    seed: int


@dataclass(frozen=True)
class Covered:
    """A game over time.

    Attributes:
        steps: when it was looked at.
        samples: (n, 2) each.
        coverage: by each of them.
        verdicts: D's on them, on average, 0 … 1.
    """

    steps: list[int]
    samples: list[Points]
    coverage: list[Coverage]
    verdicts: list[float]


@one_thread()
def cover(job: Job, report: Report) -> Covered:
    """Play a game and see what it covers from time to time."""
    place = PLACES[job.place]()
    config = config_of(job.method, place, games=1)
    arena = Arena(config, PointSource(place, config.batch_size, seed=job.seed), job.steps, job.seed)
    found = Covered([], [], [], [])
    for moment in sorted({max(1, round(share * job.steps)) for share in LOOKS}):
        for step in arena.play(moment):
            report(step / job.steps)
        samples = arena.samples(SAMPLES)[0]
        found.steps.append(moment)
        found.samples.append(samples)
        found.coverage.append(coverage(samples, place.centres_or_raise(), place.sigma))
        shown = torch.from_numpy(samples).float()[:, None]
        with torch.no_grad():
            found.verdicts.append(float(arena.system.discriminator(shown).sigmoid().mean()))
    return found


def mean_and_deviation(values: Sequence[float | None], digits: int) -> str:
    """ "8.0 ± 0.3": mean and sample standard deviation of those seeds that have a figure, and how many they are."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return "–"
    few = "" if len(known) == len(values) else f" ({len(known)} of {len(values)} seeds)"
    deviation = np.std(known, ddof=1) if len(known) > 1 else 0.0
    return f"{np.mean(known):.{digits}f} ± {deviation:.{digits}f}{few}"
