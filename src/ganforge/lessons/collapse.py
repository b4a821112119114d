"""Mode collapse and two cures, in the plane: what `ganforge learn collapse` shows and bench/collapse.py measures.

Same nets, optimizers and batches for all methods; a method changes D's loss, or gives D minibatch features.
"""

from typing import Any, Literal

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


def config_of(method: Method, place: Place, games: int) -> Toy2dConfig:
    """The config of a cell."""
    return Toy2dConfig(**NETS, **METHODS[method], games=games, scale=place.scale)


PLACES = {"ring": ring, "grid": grid}
