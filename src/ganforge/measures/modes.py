"""Mode coverage of points in the plane, where the truth is known.

The protocol of VEEGAN (Srivastava et al. 2017, arXiv 1705.07761) as PacGAN computes it (Lin et al. 2018, arXiv
1712.04086): a sample is of high quality when it lies within three standard deviations of the nearest mode; a mode
is captured when at least one such sample lies there.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

WITHIN_SIGMAS = 3.0
PERFECT = 1 - float(np.exp(-(WITHIN_SIGMAS**2) / 2))
"""Share of perfect samples that is of high quality: a Gaussian of the plane holds 98.9 % within three σ."""


@dataclass(frozen=True)
class Coverage:
    """How well samples cover the modes.

    Attributes:
        counts: M, samples of high quality at each mode.
        high_quality: share of the samples, 0 … 1.
    """

    counts: npt.NDArray[np.int64]
    high_quality: float

    @property
    def modes(self) -> int:
        """How many modes are captured."""
        return int((self.counts > 0).sum())

    @property
    def reverse_kl(self) -> float:
        """KL(samples' histogram over the modes ‖ uniform), nats, over samples of high quality; ln M for one mode alone.

        NaN without any such sample.
        """
        if not self.counts.sum():
            return float("nan")
        return kl_from_uniform(self.counts)


def kl_from_uniform(counts: npt.NDArray[np.int64]) -> float:
    """KL(histogram ‖ uniform), nats: 0 when all bins hold the same."""
    share = counts[counts > 0] / counts.sum()
    return float((share * np.log(share * len(counts))).sum())


def coverage(points: npt.NDArray[np.floating], centres: npt.NDArray[np.floating], sigma: float) -> Coverage:
    """Points (N, 2) against the modes' centres (M, 2), each a Gaussian of standard deviation ``sigma``."""
    distances = np.linalg.norm(points[:, None] - centres[None], axis=-1)
    nearest = distances.argmin(1)
    good = distances[np.arange(len(points)), nearest] < WITHIN_SIGMAS * sigma
    return Coverage(np.bincount(nearest[good], minlength=len(centres)), float(good.mean()))
