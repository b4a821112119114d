"""Schedules: functions of the fraction of the budget spent, in [0, 1]."""

import math
from collections.abc import Callable


def cosine(fraction: float) -> float:
    """1 → 0 along half a cosine."""
    return 0.5 + 0.5 * math.cos(math.pi * fraction)


def geometric(start: float, end: float) -> Callable[[float], float]:
    """start → end, by the same factor in every stretch of the budget."""
    return lambda fraction: start * (end / start) ** fraction
