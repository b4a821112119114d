"""A seed is a 64-bit integer; the same seed is the same latent in every language.

The numbers come from Philox4x64-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011) with
key = (seed, 0) and the counter counted up from 1, four 64-bit words a block, used in order:

    uniform  u = (word >> 11) · 2⁻⁵³, in [0, 1), one word a number;                     z = 2u − 1
    normal   two words a pair (Box–Muller): r = √(−2 ln(1 − u₁)), a = 2π u₂;           z = r cos a, then r sin a

The integers are exact anywhere; the floating-point part agrees to 1e-6.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from ganforge.errors import UsageError


def _uniforms(seed: int, count: int) -> npt.NDArray[np.float64]:
    words = np.random.Philox(key=np.array([seed, 0], dtype=np.uint64)).random_raw(count)
    uniforms: npt.NDArray[np.float64] = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return uniforms


def latents(
    seeds: Sequence[int], size: int, distribution: Literal["normal", "uniform"] = "normal"
) -> npt.NDArray[np.float32]:
    """One latent a seed: float32 (N, size) from N(0, 1) or U(−1, 1).

    Raises:
        UsageError: for a seed outside 0 … 2⁶⁴ − 1.
    """
    rows = np.empty((len(seeds), size), dtype=np.float32)
    for row, seed in zip(rows, seeds, strict=True):
        if not 0 <= seed < 2**64:
            raise UsageError(f"A seed is a whole number from 0 to {2**64 - 1}, not {seed}.")
        if distribution == "uniform":
            row[:] = 2 * _uniforms(seed, size) - 1
        else:
            u = _uniforms(seed, size + size % 2).reshape(-1, 2)
            r, a = np.sqrt(-2 * np.log1p(-u[:, 0])), 2 * np.pi * u[:, 1]
            row[:] = np.stack([r * np.cos(a), r * np.sin(a)], axis=1).reshape(-1)[:size]
    return rows
