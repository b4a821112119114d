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


def in_turn(start: complex, rate: float, steps: npt.ArrayLike) -> Orbit:
    """G steps, then D answers: x ← x − ηy, y ← y + ηx with the new x. x² + y² − ηxy stays what it was: an ellipse.

    A round is a matrix M of determinant 1 and trace 2 − η² = 2 cos θ, so Mⁿ = (sin nθ · M − sin (n−1)θ · 1) / sin θ, 0 < η < 2.
    """
    n, angle = np.asarray(steps), np.arccos(1 - rate**2 / 2)
    x = start.real - rate * start.imag
    once = complex(x, start.imag + rate * x)
    orbit: Orbit = (np.sin(n * angle) * once - np.sin((n - 1) * angle) * start) / np.sin(angle)
    return orbit


def energy(orbit: Orbit, rate: float) -> npt.NDArray[np.float64]:
    """x² + y² − ηxy, which `in_turn` keeps."""
    kept: npt.NDArray[np.float64] = np.abs(orbit) ** 2 - rate * orbit.real * orbit.imag
    return kept
