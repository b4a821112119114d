"""What a classifier makes of generated pictures: how surely it recognises them, and how many classes they cover."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ganforge.errors import PicturesError
from ganforge.measures.modes import kl_from_uniform

Probabilities = npt.NDArray[np.floating]

SURE = 0.9


def sure_share(probabilities: Probabilities, least: float = SURE) -> float:
    """Share of N pictures (N, K) that the classifier gives to one class with at least this confidence."""
    return float((probabilities.max(1) >= least).mean())


@dataclass(frozen=True)
class StackedCoverage:
    """How stacked pictures (one grey picture a channel) cover the combinations of classes.

    Attributes:
        modes: combinations with at least one sample that is recognised in every channel.
        of: how many combinations there are, K³ for three channels.
        kl: KL(histogram of all samples over the combinations ‖ uniform), nats.
        sure: share of samples that are recognised in every channel.
    """

    modes: int
    of: int
    kl: float
    sure: float


def stacked_coverage(probabilities: Probabilities, least: float = SURE) -> StackedCoverage:
    """Coverage by N stacked pictures (N, channels, K), after Stacked MNIST (VEEGAN, arXiv 1705.07761).

    A combination counts when at least one sample falls into it with confidence ≥ ``least`` in every channel; the threshold
    is ours, so that a blur between classes counts for none.
    """
    _, channels, classes = probabilities.shape
    place = probabilities.argmax(2) @ classes ** np.arange(channels)
    sure = (probabilities.max(2) >= least).all(1)
    counts = np.bincount(place, minlength=classes**channels)
    return StackedCoverage(
        modes=len(np.unique(place[sure])),
        of=classes**channels,
        kl=kl_from_uniform(counts),
        sure=float(sure.mean()),
    )


def inception_score(probabilities: Probabilities, splits: int = 10, seed: int = 0) -> tuple[float, float]:
    """exp(mean KL(p(y|x) ‖ p(y))) of N pictures (N, K): mean and standard deviation over splits, 1 … K.

    The order is shuffled, since samples often come class by class. Salimans et al., arXiv 1606.03498; the deviation is the
    population's, as in their code. Published scores are those of one net's 1,008 probabilities, without its output bias,
    over 50,000 samples.

    Raises:
        PicturesError: fewer pictures than splits.
    """
    if len(probabilities) < splits:
        raise PicturesError(
            f"{len(probabilities)} pictures are too few for an Inception Score over {splits} splits; it wants thousands."
        )
    order = np.random.default_rng(seed).permutation(len(probabilities))
    scores = []
    for indices in np.array_split(order, splits):  # a split at a time: all as float64 at once would be gigabytes
        part = probabilities[indices].astype(np.float64)
        ratios = np.divide(part, part.mean(0), out=np.ones_like(part), where=part > 0)  # 0 · log 0 = 0
        scores.append(np.exp((part * np.log(ratios)).sum(1).mean()))
    return float(np.mean(scores)), float(np.std(scores))
