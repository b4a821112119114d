"""A cheap score while a run goes on: which of its states is the best, and whether going on still makes sense.

The kernel distance (KID) of a few hundred fixed seeds to a thousand training pictures, in the offline features. It says
nothing beside other runs' figures of other features; within a run it tells better from worse, and what the Model of a run
is follows from it. Small collections are also watched for copying: a generator that repeats its training pictures has the
best KID of all, and is of no use.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from ganforge.game import System
from ganforge.measures.distances import Features, mmd_and_error
from ganforge.measures.diversity import relative_spread
from ganforge.measures.features import chunks_of, look, look_at_collection
from ganforge.measures.neighbours import copied, copy_threshold, too_many_copies
from ganforge.measures.offline import offline_net
from ganforge.model.card import best_of
from ganforge.pictures import Pack
from ganforge.training.budget import Schedule
from ganforge.training.folder import Event, RunConfig
from ganforge.training.watch import COLLAPSED, GREY_UNTIL, RECOVERED, Watch

SEEDS = range(1 << 41, (1 << 41) + 256)
"""Of the samples that are scored: none that a user or the time-lapse is likely to look at."""
MOST_REAL, REAL_SHARE, PROBED = 1000, 0.01, 32
"""Real pictures that samples are compared with, and the share of a run's wall time that looking at them may take."""
SCORES = 40
"""At most so many a run."""
SHARE = 0.04
"""Of a run's wall time that scores may take so far; what making ready takes counts."""
PICTURES_A_SCORE = 16 * len(SEEDS)
"""Runs counted in pictures see at least so many between two scores: a rule that is equal on every machine."""
COPY_SHARE = 0.015
"""Of a run's wall time that looking at all its training pictures may take; where it would take more, copying is not watched."""
MOST_WATCHED = 5000
"""Training pictures; of larger collections nothing is learnt by heart within the minutes these runs have."""

PATIENCE, PATIENCE_SHARE = 4, 0.12
"""So many scores in a row, over at least this share of the budget, end a run that has collapsed or copies."""


@dataclass(frozen=True)
class _Watched:
    """All training pictures, to see whether samples are copies of them."""

    training: Features
    mirrored: Features | None
    threshold: float

    def share(self, made: Features) -> float:
        return copied(made, self.training, mirrored=self.mirrored, threshold=self.threshold).share


class Scorer:
    """Scores a run's samples, within its share of the time.

    Args:
        pack: the pictures.
        train: indices of those that are trained on.
        config: of the run.
        device: to compute on.
        before: scores of this run's earlier sittings: what they were measured against, those to come are too. So it is
            with those of a run that is replayed.
    """

    def __init__(
        self, pack: Pack, train: Any, config: RunConfig, device: torch.device | str, before: Sequence[Event] = ()
    ) -> None:
        begun = time.perf_counter()
        self._net, self._device = offline_net(), device
        told = config.replay_scores
        self._replayed = None if told is None else [int(score["seen"]) for score in told]
        before = [score for score in before or told or () if score.get("features") == self._net.name]
        self._seconds, self._last_seen, self._count = config.seconds, 0, 0
        order = np.random.default_rng(0).permutation(train)[:MOST_REAL]
        cost = self._cost_of_a_look(pack, order)
        if before:
            order = order[: int(before[-1]["real"])]
        elif self._seconds is not None:
            order = order[: max(len(SEEDS), int(REAL_SHARE * self._seconds / cost))]
        self._real_pictures = np.asarray(pack.pictures[order[:256]])
        self._real = self._features_of(pack, order)
        watched = before[-1].get("copied") is not None if before else self._can_watch(train, config, cost)
        self._watched = self._everything(pack, train, config) if watched else None
        self.spent = time.perf_counter() - begun
        self.cost = 0.0

    def _cost_of_a_look(self, pack: Pack, order: Any) -> float:
        """Seconds a picture takes here, whatever the cache already knows."""
        probe = min(PROBED, len(order))
        times = []
        for _ in range(2):  # the first one warms up
            begun = time.perf_counter()
            look(self._net, chunks_of(pack.pictures, order[:probe]), probe, device=self._device)
            times.append(time.perf_counter() - begun)
        return times[-1] / probe

    def _features_of(self, pack: Pack, indices: Any, *, mirrored: bool = False) -> Features:
        return look_at_collection(
            self._net, pack.pictures, pack.digest, indices, mirrored=mirrored, device=self._device
        ).features

    def _can_watch(self, train: Any, config: RunConfig, cost: float) -> bool:
        """Whether samples are copies is asked only where looking at all training pictures costs little."""
        looks = len(train) * (2 if config.flip else 1)
        if config.seconds is not None:
            affordable = looks * cost <= COPY_SHARE * config.seconds
        else:
            affordable = looks <= (config.images or 0) / 20
        return len(train) <= MOST_WATCHED and affordable

    def _everything(self, pack: Pack, train: Any, config: RunConfig) -> _Watched:
        everything = np.asarray(train)
        training = self._features_of(pack, everything)
        mirrored = self._features_of(pack, everything, mirrored=True) if config.flip else None
        return _Watched(training, mirrored, copy_threshold(training, mirrored=mirrored))

    @property
    def features(self) -> str:
        """The name of the net; scores of other features do not compare."""
        return self._net.name

    def due(self, seen: int, schedule: Schedule, seconds: float) -> bool:
        """Whether a score belongs here: evenly over the budget, and not before it can be afforded."""
        if self._replayed is not None:
            return any(self._last_seen < at <= seen for at in self._replayed)
        if schedule.fraction(seen) < (self._count + 1) / SCORES:
            return False
        if self._seconds is None:
            return seen - self._last_seen >= PICTURES_A_SCORE
        return self.spent + self.cost <= SHARE * seconds

    def score(self, seen: int, fraction: float, watch: Watch) -> Event:
        """Score what ``watch`` draws, with the averaged weights settled first: that is part of the cost.

        Returns:
            ``kid``, and ``kid_error``, its standard error by the samples; ``spread`` as a share of the real pictures' own;
            ``copied``, the share of samples that are nearer to a training picture than it could be by chance (None where not
            watched).
        """
        begun = time.perf_counter()
        watch.settle()
        pictures = watch.draw(SEEDS)
        made = look(self._net, chunks_of(pictures), len(pictures), device=self._device).features
        kid, error = mmd_and_error(made, self._real)
        found = {
            "kid": kid,
            "kid_error": error,
            "spread": relative_spread(pictures, self._real_pictures),
            "copied": None if self._watched is None else self._watched.share(made),
        }
        self.cost = time.perf_counter() - begun
        self.spent += self.cost
        self._last_seen, self._count = seen, int(fraction * SCORES)
        return found | {"features": self._net.name, "samples": len(made), "real": len(self._real), "spent": self.spent}

    def resume_from(self, scores: Sequence[Event], fraction: float) -> None:
        """Stand where the log's scores say, at a fraction of the budget: that begins anew where a run is given more."""
        if scores:
            last = scores[-1]
            self._last_seen, self._count = int(last["seen"]), int(min(last["fraction"], fraction) * SCORES)
            self.spent = max(self.spent, float(last.get("spent") or 0))


def scorer_for(
    system: type[System],
    config: RunConfig,
    pack: Pack,
    train: Any,
    device: torch.device | str,
    before: Sequence[Event] = (),
) -> Scorer | None:
    """None for what draws no pictures, and for runs that see too few to be scored."""
    too_few = config.images is not None and config.images < PICTURES_A_SCORE and not config.replay_scores
    if system.kind != "generator" or too_few:
        return None
    return Scorer(pack, train, config, device, before)


def is_best(score: Event, before: Sequence[Event]) -> bool:
    """Whether this score is the best so far (`best_of`); one that copies is beaten by any that does not."""
    return best_of(dict(enumerate((*before, score)))) == len(before)


def reason_to_stop(scores: Sequence[Event]) -> str | None:
    """ "collapse" or "copying" where the last scores say that going on makes nothing better; None elsewhere."""
    given_more = [i for i, (a, b) in enumerate(pairwise(scores), 1) if b["fraction"] < a["fraction"]]
    scores = scores[given_more[-1] :] if given_more else scores
    varied = next((i for i, s in enumerate(scores) if s["spread"] > RECOVERED), len(scores))
    old = [s for i, s in enumerate(scores) if i > varied or s["fraction"] > GREY_UNTIL]  # young ones may be grey
    for reason, bad in (
        ("collapse", lambda s: s["spread"] < COLLAPSED),
        ("copying", lambda s: too_many_copies(s.get("copied"))),
    ):
        row: list[Event] = []
        for score in reversed(old):
            if not bad(score) or score.get("best"):
                break
            row.append(score)
        if len(row) >= PATIENCE and row[0]["fraction"] - row[-1]["fraction"] >= PATIENCE_SHARE:
            return reason
    return None
