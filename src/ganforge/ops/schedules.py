"""Schedules: functions of the fraction of the budget spent, in [0, 1]."""

import math
from collections.abc import Callable


def cosine(fraction: float) -> float:
    """1 → 0 along half a cosine."""
    return 0.5 + 0.5 * math.cos(math.pi * fraction)


def geometric(start: float, end: float) -> Callable[[float], float]:
    """start → end, by the same factor in every stretch of the budget."""
    return lambda fraction: start * (end / start) ** fraction


def falling(start: float, end: float) -> Callable[[float], float]:
    """1 until the fraction ``start``, then along half a cosine to ``end``."""
    return lambda fraction: 1.0 if fraction <= start else end + (1 - end) * cosine((fraction - start) / (1 - start))
