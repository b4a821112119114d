"""What a run's log says about its learning, as arrays to draw.

A log is a list of events, one JSON object a line; the ``report`` events carry the numbers (any of which may be null or
not finite):

    {"event": "report", "seen": 6400, "seconds": 12.3, "losses": {"D": {"total": 0.93, …}, "G": {"total": 1.07}},
     "verdicts": {"training": 0.71, "held_out": 0.68, "fakes": 0.31}, "hit_rate": 0.81, …}

and the ``score`` events how far the samples were from real pictures:

    {"event": "score", "seen": 6400, "seconds": 12.3, "kid": 0.021, "best": true, …}
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Series = npt.NDArray[np.float64]
"""float64 (R,), one number a report; NaN where the log has none."""

VERDICT_NAMES = {"training": "training pictures", "held_out": "held-out pictures", "fakes": "the generator's fakes"}
"""Keys of a report's verdicts and what people read."""


@dataclass(frozen=True)
class Curves:
    """R reports of a run, in order.

    Attributes:
        seen: training pictures shown so far.
        seconds: since the start.
        losses: the total loss of every turn, by its name.
        verdicts: how real D finds each kind of picture (0 … 1), by the keys of VERDICT_NAMES.
        hit_rate: share of pictures that D sorts rightly into real and fake, 0 … 1; .5 is a coin toss.
    """

    seen: Series
    seconds: Series
    losses: dict[str, Series]
    verdicts: dict[str, Series]
    hit_rate: Series

    @property
    def minutes(self) -> Series:
        """Since the start."""
        return self.seconds / 60


def read_curves(events: Iterable[Mapping[str, Any]]) -> Curves:
    """The report events among ``events``, sorted by pictures seen; later reports win over earlier ones."""
    by_seen = {
        event["seen"]: event for event in events if event.get("event") == "report" and _number(event.get("seen")) >= 0
    }
    reports = [by_seen[seen] for seen in sorted(by_seen)]
    turns = dict.fromkeys(name for report in reports for name in report.get("losses") or {})

    def series(*keys: str) -> Series:
        return np.array([_number(_dig(report, keys)) for report in reports], dtype=np.float64)

    return Curves(
        seen=series("seen"),
        seconds=series("seconds"),
        losses={turn: series("losses", turn, "total") for turn in turns},
        verdicts={kind: series("verdicts", kind) for kind in VERDICT_NAMES},
        hit_rate=series("hit_rate"),
    )


@dataclass(frozen=True)
class Scores:
    """S ≥ 1 scores of a run, in order.

    Attributes:
        seen: training pictures shown so far.
        seconds: since the start.
        kid: of a few hundred fixed seeds; lower is better.
        best: index of the one whose state became the Model.
    """

    seen: Series
    seconds: Series
    kid: Series
    best: int

    @property
    def minutes(self) -> Series:
        """Since the start."""
        return self.seconds / 60


def read_scores(events: Iterable[Mapping[str, Any]]) -> Scores | None:
    """The score events among ``events`` (all that have no name), sorted by pictures seen; None without any."""
    scores = [
        event
        for event in events
        if event.get("event", "score") == "score"
        and _number(event.get("seen")) >= 0
        and math.isfinite(_number(event.get("kid")))
    ]
    if not scores:
        return None
    scores.sort(key=lambda event: float(event["seen"]))
    kid = np.array([_number(event["kid"]) for event in scores], np.float64)
    marked = [i for i, event in enumerate(scores) if event.get("best")]
    return Scores(
        seen=np.array([_number(event["seen"]) for event in scores], np.float64),
        seconds=np.array([_number(event.get("seconds")) for event in scores], np.float64),
        kid=kid,
        best=marked[-1] if marked else int(kid.argmin()),
    )


KID_SPAN = 8
"""Of a largest to a smallest KID; above it, an axis of equal factors shows what a run gains at its end."""


def kid_range(kid: Series) -> tuple[float, float, bool]:
    """Lowest and highest value to draw, and whether equal steps are equal factors; values at or below 0 lie on the edge."""
    high, above = float(kid.max()), kid[kid > 0]
    if len(above) and high > KID_SPAN * above.min():
        return max(float(above.min()), high / 1000) / 1.25, high * 1.15, True
    low, high = min(0.0, float(kid.min())), max(high, 1e-6)
    return low - 0.04 * (high - low), high + 0.08 * (high - low), False


def smooth(values: Series) -> Series:
    """A running mean that forgets by half every 25th of the run, unbiased at its start; gaps stay gaps."""
    keep = 0.5 ** (25 / max(len(values), 25))
    mean, weight = 0.0, 0.0
    smoothed = np.full(len(values), np.nan)
    for i, value in enumerate(values):
        if np.isfinite(value):
            mean, weight = keep * mean + (1 - keep) * value, keep * weight + (1 - keep)
            smoothed[i] = mean / weight
    return smoothed


def loss_range(curves: Curves) -> tuple[float, float]:
    """Lowest and highest loss worth drawing: a rare spike is cut off, so that it does not flatten everything else."""
    losses = np.concatenate([np.empty(0), *curves.losses.values()])
    losses = losses[np.isfinite(losses)]
    if not len(losses):
        return 0.0, 1.0
    low, usual_low, usual_high, high = np.percentile(losses, (0, 2, 98, 100))
    spread = usual_high - usual_low
    low, high = max(low, usual_low - spread), min(high, usual_high + spread)
    margin = max((high - low) * 0.06, 0.02)
    return float(low - margin), float(high + margin)


def _dig(report: Mapping[str, Any], keys: tuple[str, ...]) -> object:
    value: object = report
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _number(value: object) -> float:
    """``value`` as a finite float, else NaN."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return math.nan
