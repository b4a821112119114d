"""Minutes or pictures → how long to train, and what fraction of it is spent.

Every schedule is a function of the fraction. A Plan says how many pictures the run will see; plans made later change
only what is still to come (a machine that slows down still ends on time, and no schedule jumps or runs backwards).
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ganforge.errors import UsageError


@dataclass(frozen=True)
class Budget:
    """What the user gives: wall time in seconds, or pictures to be seen. Exactly one of them.

    Attributes:
        seconds: from the finished pack to the saved Model, everything inside.
        images: pictures shown to D, repetitions counted.
    """

    seconds: float | None = None
    images: int | None = None

    @classmethod
    def of(cls, minutes: float | None, images: int | None) -> "Budget":
        """As users give it. Raises UsageError for anything that is no number, and for both or neither."""
        for value, name in ((minutes, "minutes"), (images, "images")):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise UsageError(f"{name} takes a number, not {value!r}.")
        return cls(None if minutes is None else minutes * 60, images)

    def __post_init__(self) -> None:
        if (self.seconds is None) == (self.images is None):
            raise UsageError(
                "Say either how many minutes to train (--minutes 20) or how many pictures to see (--images 2M)."
            )
        if self.seconds is not None and not 1 <= self.seconds < 60 * 60 * 24 * 365:
            raise UsageError(f"--minutes takes a number from 0.02 up, not {self.seconds / 60:g}.")
        if self.images is not None and (self.images < 1 or self.images != int(self.images)):
            raise UsageError(
                f"--images takes a whole number from 1 up (2M and 500k are understood), not {self.images}."
            )

    def __str__(self) -> str:
        if self.seconds is not None:
            return f"{self.seconds / 60:g} minutes"
        return f"{self.images:,} pictures"


def parse_count(text: str) -> int:
    """``"2M"`` → 2,000,000; ``"500k"`` → 500,000; ``"1_000"`` and ``"1000"`` likewise. Raises UsageError."""
    scale = {"k": 1_000, "m": 1_000_000, "g": 1_000_000_000}
    word = text.strip().lower().replace("_", "").replace(",", "")
    factor = scale.get(word[-1:], 1)
    try:
        number = float(word[:-1] if factor > 1 else word) * factor
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number != int(number) or number < 1:
        raise UsageError(f"A number of pictures was expected, such as 50000, 500k or 2M; {text!r} came.")
    return int(number)


@dataclass(frozen=True)
class Plan:
    """From ``seen`` pictures at ``fraction`` of the budget on, straight to 1 at ``planned`` pictures."""

    seen: int
    fraction: float
    planned: int

    def fraction_at(self, seen: int) -> float:
        """f₀ + (1 − f₀)(seen − seen₀)/(planned − seen₀)."""
        return self.fraction + (1 - self.fraction) * (seen - self.seen) / max(self.planned - self.seen, 1)

    def as_event(self) -> dict[str, Any]:
        """For the log."""
        return {"event": "plan", **asdict(self)}


class Schedule:
    """The plans of a run, in order.

    Args:
        plans: made so far; at least one.
        upcoming: plans of another run's log to be replayed when their time comes.
    """

    def __init__(self, plans: Sequence[Plan], upcoming: Sequence[Plan] = ()) -> None:
        self.plans = list(plans)
        self._upcoming = list(upcoming)

    @property
    def planned(self) -> int:
        """Pictures to be seen by the end."""
        return self.plans[-1].planned

    def advance(self, seen: int) -> list[Plan]:
        """Take up replayed plans that are due at ``seen`` pictures, and return them."""
        due = []
        while self._upcoming and self._upcoming[0].seen <= seen:
            due.append(self._upcoming.pop(0))
        self.plans += due
        return due

    def fraction(self, seen: int) -> float:
        """Of the budget spent, in [0, 1)."""
        return min(max(self.plans[-1].fraction_at(seen), 0.0), 1 - 1e-9)

    def over(self, seen: int) -> bool:
        """Whether the budget is spent."""
        return seen >= self.planned

    def replan(self, seen: int, planned: int) -> Plan | None:
        """Aim at ``planned`` pictures from here on; the new plan, or None where the old one still fits within 0.3 %."""
        planned = max(planned, seen)
        if abs(planned - self.planned) <= 0.003 * (self.planned - seen):
            return None
        plan = Plan(seen, self.fraction(seen), planned)
        self.plans.append(plan)
        return plan


LONG_GAP_SECONDS, LONG_GAP_SHARE, LONG_GAP_TIMES = 10.0, 0.02, 4.0
"""A gap between two marks counts as at most so many seconds, that share of the run so far, or so many times the mean gap,
whichever is most."""


class Clock:
    """Wall time of a run over all its sittings, and how fast it goes lately.

    Args:
        before: seconds spent in earlier sittings.
        now: the clock to read, in seconds.
    """

    def __init__(self, before: float, now: float) -> None:
        self._start = now - before
        self._marks: list[tuple[float, float, int]] = []  # when, seconds counted so far, pictures seen

    def seconds(self, now: float) -> float:
        """Since the run began, interruptions not counted."""
        return now - self._start

    def mark(self, now: float, seen: int) -> None:
        """Note how many pictures were seen by now; marks of the last 15 seconds or fifth of the run are kept.

        A gap far beyond the others (a laptop that slept, a process that was halted) says nothing of the speed to come and
        counts as a short one: a plan made from it would spend the budget's fraction within a few steps.
        """
        counted = 0.0
        if self._marks:
            (_, c0, _), (last, counted, _) = self._marks[0], self._marks[-1]
            gap = now - last
            if len(self._marks) > 2:
                usual = (counted - c0) / (len(self._marks) - 1)
                gap = min(gap, max(LONG_GAP_SECONDS, LONG_GAP_SHARE * self.seconds(last), LONG_GAP_TIMES * usual))
            counted += gap
        self._marks.append((now, counted, seen))
        while len(self._marks) > 2 and counted - self._marks[1][1] > max(15.0, 0.2 * self.seconds(now)):
            self._marks.pop(0)

    def speed(self) -> float | None:
        """Pictures a second lately, everything inside (samples, checkpoints …); None before there is anything to tell."""
        if len(self._marks) < 2:
            return None
        (_, t0, n0), (_, t1, n1) = self._marks[0], self._marks[-1]
        return (n1 - n0) / (t1 - t0) if n1 > n0 and t1 > t0 else None
