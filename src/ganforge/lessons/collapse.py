"""Mode collapse and two remedies, in the plane: what `ganforge learn collapse` shows and bench/collapse.py measures.

Same nets, optimizer, learning rate, batches and schedule for all methods; a method changes D's loss, or gives D minibatch
features. They were chosen for the relativistic game; the others are measured at a gentler learning rate as well.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ganforge.lessons.points import Place, grid, ring
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


def mean_and_deviation(values: Sequence[float | None], digits: int) -> str:
    """ "8.0 ± 0.3": mean and sample standard deviation of those seeds that have a figure, and how many they are."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return "–"
    few = "" if len(known) == len(values) else f" ({len(known)} of {len(values)} seeds)"
    deviation = np.std(known, ddof=1) if len(known) > 1 else 0.0
    return f"{np.mean(known):.{digits}f} ± {deviation:.{digits}f}{few}"
