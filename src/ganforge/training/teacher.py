"""What a frozen net finds in the pictures, for systems whose D learns to find it too.

The net is the offline one that scores runs. It looks before the first step, at as many pictures as the budget bears; D learns
nothing of the others but that they are real. It sees pictures as they are, whatever D is shown of them: mirrored, or changed
by augmentation.
"""

import numpy as np
import numpy.typing as npt
import torch

from ganforge.game import System
from ganforge.measures.features import look_at_collection
from ganforge.measures.offline import offline_net
from ganforge.pictures import Pack, PackSource
from ganforge.pictures.source import Known
from ganforge.progress import Progress
from ganforge.training.budget import Budget

MOST, LEAST = 50_000, 1_000
"""Pictures looked at."""
A_SECOND = 40
"""Of the budget, so many pictures are looked at: two cores take 0.8 ms for each."""
ONE_IN = 5
"""Of so many pictures that are handed out first, one at least is looked at: 200 a second of the budget, which is about what two
cores see, so that D learns all along. Were those looked at the first, it would learn nothing for the rest of an epoch."""
DIRECTIONS = 64
"""Principal directions of the features that D learns, all of them as important. All features, each with spread 1, came out
behind that on CIFAR-10 and ahead of it on avatars, one run each (bench/STUDY.md)."""


def affordable(pictures: int, budget: Budget) -> int:
    """At how many of a collection's pictures the net looks: by the budget, not by the speed of a machine, so that a run that is
    replayed learns from the same.
    """
    bearable = A_SECOND * budget.seconds if budget.seconds is not None else (budget.images or 0) / ONE_IN
    return min(pictures, MOST, max(LEAST, int(bearable)))


def features_for(
    system: System, pack: Pack, source: PackSource, count: int, device: torch.device, progress: Progress
) -> Known | None:
    """What the net finds in ``count`` of the pictures that the source hands out first, as `whitened`; None where the system
    asks for no features.
    """
    if not system.distilled:
        return None
    looked = np.sort(source.spread(count, within=ONE_IN * count))
    found = look_at_collection(
        offline_net(),
        pack.pictures,
        pack.digest,
        looked,
        device=device,
        what="looking at what is in them",
        progress=progress,
    ).features
    return looked, whitened(found)


def whitened(features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """N×F features → N×F with mean 0 and, along the first `DIRECTIONS` principal directions, spread √(F/`DIRECTIONS`), so that
    the mean square of all numbers is 1; along all others 0.

    They stay in the axes they came in (ZCA): unlike coordinates along the directions themselves, whose signs and order nothing
    fixes, these are the same again where a run is resumed on another number of threads.
    """
    centred = features.astype(np.float64) - features.mean(0, dtype=np.float64)
    values, directions = np.linalg.eigh(centred.T @ centred / len(centred))  # ascending
    values, directions = values[-DIRECTIONS:], directions[:, -DIRECTIONS:]
    there = values > 1e-6 * values[-1]  # of a few pictures not so many
    values, directions = values[there], directions[:, there]
    scale = np.sqrt(features.shape[1] / max(1, len(values)) / values)
    made: npt.NDArray[np.float32] = (centred @ (directions * scale) @ directions.T).astype(np.float32)
    return made
