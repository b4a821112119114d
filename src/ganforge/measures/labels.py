"""Labels compared: what is seen in pictures beside what should be there, and which caption lies nearest to a picture.

Shapes: N pictures · A attributes · tables (N, A) in a schema's encoding, NaN where unknown (`ganforge.attributes`) ·
vectors (N, D) of length 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ganforge.attributes import Attribute, Choice, Flag, Range, Schema, Table
from ganforge.errors import UsageError
from ganforge.measures.distances import Features, blocks
from ganforge.systems.matcher import plain

AMONG = 100
"""Captions that a picture's own is sought among, as in R-precision (AttnGAN, arXiv 1711.10485)."""
RANGE_PARTS = 4
SAME = 1e-6
"""Cosines nearer to each other than this are a tie, and a tie is a miss: a judge that puts everything in one place finds
nothing.
"""
SURE = 1.64
"""Standard errors above chance from which on something was learnt: one guesser in twenty gets so far."""


@dataclass(frozen=True)
class Agreed:
    """How well what is seen in pictures agrees with what should be there.

    Attributes:
        attribute: its name.
        kind: "choice", "flag" or "range".
        value: share of the pictures that carry it, 0 … 1; for a range Pearson's correlation, −1 … 1 (0 where either side
            never changes).
        count: pictures of which both are known.
        chance: what always saying the commonest value would reach; 0 for a range.
    """

    attribute: str
    kind: str
    value: float
    count: int
    chance: float

    @property
    def above_chance(self) -> bool:
        """Whether that is more than luck."""
        spread = 1.0 if self.kind == "range" else self.chance * (1 - self.chance)
        least: float = self.chance + SURE * (spread / self.count) ** 0.5
        return self.value > least


def agreement(predicted: Table, asked: Table, schema: Schema) -> list[Agreed]:
    """Compare two tables (N, A) of a schema; attributes of which no picture is known in both are left out."""
    found = []
    for i, attribute in enumerate(schema.attributes):
        known = ~np.isnan(predicted[:, i]) & ~np.isnan(asked[:, i])
        seen, truth = predicted[known, i].astype(np.float64), asked[known, i].astype(np.float64)
        if len(truth) == 0:
            continue
        if isinstance(attribute, Range):
            value, chance = _correlation(seen, truth), 0.0
        else:
            value = float((seen == truth).mean())
            chance = float(np.unique(truth, return_counts=True)[1].max() / len(truth))
        found.append(Agreed(attribute.name, attribute.kind, value, len(truth), chance))
    return found


def _correlation(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def shares(values: Table, attribute: Attribute) -> dict[str, float]:
    """How often each value occurs among N values (N,) of an attribute; of a range, each quarter of it.

    Unknown ones are passed over; all are 0 where none is known.
    """
    values = values[~np.isnan(values)]
    if isinstance(attribute, Range):
        edges = np.linspace(attribute.low, attribute.high, RANGE_PARTS + 1)
        names = _between(edges)
        places = np.searchsorted(edges[1:-1], values, side="right")
    else:
        names = list(attribute.values) if isinstance(attribute, Choice) else ["no", "yes"]
        places = values.astype(np.int64)
    counts = np.bincount(places, minlength=len(names)) / max(len(values), 1)
    return dict(zip(names, counts.tolist(), strict=True))


def _between(edges: npt.NDArray[np.float64]) -> list[str]:
    """ "0 … 0.5" and so on, with as many digits as tell them apart."""
    for digits in (2, 3, 4, 6, 9):
        words = [f"{edge:.{digits}g}" for edge in edges]
        short = digits < 6 and any("e" in word for word in words)  # 120, not 1.2e+02
        if len(set(words)) == len(words) and not short:
            break
    else:
        words = [str(i) for i in range(len(edges))]
    return [f"{a} … {b}" for a, b in pairwise(words)]


def translated(table: Table, schema: Schema, to: Schema) -> Table:
    """A table (N, A) of one schema in the encoding of another (N, A'), by the names of attributes and values.

    What the other schema does not know becomes NaN; numbers outside a range stay what they are.
    """
    columns = {attribute.name: (attribute, table[:, i]) for i, attribute in enumerate(schema.attributes)}
    made = np.full((len(table), len(to.attributes)), np.nan, np.float32)
    for i, wanted in enumerate(to.attributes):
        if wanted.name not in columns:
            continue
        theirs, numbers = columns[wanted.name]
        values, place = np.unique(numbers, return_inverse=True)
        made[:, i] = np.array([_encoded(theirs, float(v), wanted) for v in values], np.float32)[place]
    return made


def _encoded(theirs: Attribute, number: float, wanted: Attribute) -> float:
    value = theirs.decode(number)
    try:
        if isinstance(wanted, Range):
            return np.nan if value is None else float(value)
        if isinstance(theirs, Flag) and isinstance(wanted, Choice):  # the words differ: yes, true, 1
            same = [i for i, word in enumerate(wanted.values) if _truth(word) == value]
            return float(same[0]) if same else np.nan
        return wanted.encode(f"{value:g}" if isinstance(value, float) else value)
    except ValueError:
        return np.nan


def _truth(word: str) -> bool | None:
    try:
        return Flag(name="word").encode(word) == 1
    except ValueError:
        return None


def recall_at_1(pictures: Features, texts: Features, captions: Sequence[str], among: int = AMONG) -> float:
    """How often a picture's own caption is the nearest among ``among``: itself and others drawn by chance, all different.

    The exact mean over all such draws: of m other captions b are at least as near as the picture's own, and none of them
    is among k drawn ones with probability C(m − b, k) / C(m, k).

    Args:
        pictures: (N, D), of length 1.
        texts: (N, D), of each picture's own caption.
        captions: N of them; equal ones are one caption.
        among: at most as many as there are different captions.

    Raises:
        UsageError: fewer than two different captions.
    """
    numbers: dict[str, int] = {}
    which = np.array([numbers.setdefault(plain(caption), len(numbers)) for caption in captions])
    m, k = len(numbers) - 1, among - 1
    if not 0 < k <= m:
        raise UsageError(f"A caption is sought among 2 to {len(numbers)} different ones, not {among}.")
    choices = texts[np.unique(which, return_index=True)[1]]
    better = np.empty(len(pictures), np.int64)
    for part in blocks(len(pictures), len(choices)):
        own = (pictures[part] * choices[which[part]]).sum(1, keepdims=True)
        better[part] = (pictures[part] @ choices.T > own - SAME).sum(1) - 1  # its own is as near as itself
    b = np.arange(m)
    chances = np.cumprod([1.0, *np.maximum(m - b - k, 0) / (m - b)])
    return float(chances[better].mean())


def different(captions: Sequence[str]) -> int:
    """How many different captions there are."""
    return len({plain(caption) for caption in captions})
