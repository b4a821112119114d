"""x·y in closed form (arXiv 1701.00160, §7.2), as complex numbers u = x + iy."""

import numpy as np
import numpy.typing as npt

Orbit = npt.NDArray[np.complex128]


def flow(start: complex, times: npt.ArrayLike) -> Orbit:
    """Both move at once, continuously: x′ = −y, y′ = x, so u(t) = u₀ eⁱᵗ, a circle."""
    return np.asarray(start * np.exp(1j * np.asarray(times)))


def at_once(start: complex, rate: float, steps: npt.ArrayLike) -> Orbit:
    """Both step at once: u ← (1 + iη) u, a spiral; the distance grows by √(1 + η²) a step."""
    return np.asarray(start * (1 + 1j * rate) ** np.asarray(steps))


def in_turn(start: complex, rate: float, steps: int) -> Orbit:
    """G steps, then D answers: x ← x − ηy, y ← y + ηx (the new x). x² + y² − ηxy stays what it was: an ellipse, for η < 2.

    All points up to ``steps``.
    """
    x, y = start.real, start.imag
    orbit = [start]
    for _ in range(steps):
        x -= rate * y
        y += rate * x
        orbit.append(complex(x, y))
    return np.array(orbit)


def energy(orbit: Orbit, rate: float) -> npt.NDArray[np.float64]:
    """x² + y² − ηxy, which `in_turn` keeps."""
    kept: npt.NDArray[np.float64] = np.abs(orbit) ** 2 - rate * orbit.real * orbit.imag
    return kept
