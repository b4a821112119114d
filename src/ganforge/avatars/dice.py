"""Seeds and seeded choices that are the same on every machine and in every version of Python.

SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014): a counter stepped by
the golden ratio and put through a bijective 64-bit mixer. Each layer of a picture throws its own dice, named after the
layer, so that another hat never changes the fold of a sleeve.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeVar
from zlib import crc32

from ganforge.errors import UsageError

T = TypeVar("T")

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_HALF = 1 << 32


def mix(number: int) -> int:
    """SplitMix64's finaliser, a bijection of the 64-bit integers."""
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)


def avatar_seed(dataset_seed: int, index: int) -> int:
    """The 64-bit seed of picture ``index`` of the data set ``dataset_seed``.

    ``mix(dataset_seed · 2³² + index)``: no two pairs share a seed, hence different data sets are disjoint.

    Args:
        dataset_seed: 0 … 2³² − 1.
        index: 0 … 2³² − 1.

    Raises:
        UsageError: a number outside these ranges.
    """
    for name, number in (("seed of the data set", dataset_seed), ("index of the picture", index)):
        if not 0 <= number < _HALF:
            raise UsageError(f"The {name} lies between 0 and {_HALF - 1}, not {number}.")
    return mix((dataset_seed * _HALF + index + _GOLDEN) & _MASK)


@lru_cache(maxsize=256)
def _stream(name: str) -> int:
    return mix(crc32(name.encode("utf-8")) + _GOLDEN)


class Dice:
    """A stream of random numbers: a function of ``seed`` and of the stream's name alone."""

    __slots__ = ("_state",)

    def __init__(self, seed: int, name: str) -> None:
        self._state = mix((seed ^ _stream(name)) & _MASK)

    def unit(self) -> float:
        """A number in [0, 1)."""
        self._state = (self._state + _GOLDEN) & _MASK
        return (mix(self._state) >> 11) * 2.0**-53

    def between(self, low: float, high: float) -> float:
        """A number in [low, high), all equally likely."""
        return low + (high - low) * self.unit()

    def near(self, middle: float, spread: float) -> float:
        """A number in middle ± spread, likelier near the middle (a triangular distribution)."""
        return middle + spread * (self.unit() + self.unit() - 1)

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.unit() < probability

    def sign(self) -> int:
        """−1 or 1."""
        return 1 if self.unit() < 0.5 else -1

    def pick(self, things: Sequence[T]) -> T:
        """One of them, all equally likely."""
        return things[int(self.unit() * len(things))]

    def count(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.unit() * (high - low + 1))

    def weighted(self, weights: Mapping[T, float]) -> T:
        """A key, as likely as its weight."""
        point = self.unit() * sum(weights.values())
        for thing, weight in weights.items():
            point -= weight
            if point < 0:
                return thing
        return next(reversed(list(weights)))

    def shuffled(self, things: Sequence[T]) -> list[T]:
        """All of them in random order."""
        deck = list(things)
        for last in range(len(deck) - 1, 0, -1):
            other = int(self.unit() * (last + 1))
            deck[last], deck[other] = deck[other], deck[last]
        return deck
