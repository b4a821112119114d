"""How many threads compute, while other programs want the cores too.

PyTorch's threads wait for one another after every operation. When another program takes one of the cores, all of them
wait: with one other busy training on two cores, DCGAN-64 fell from 190 pictures a second to 9. Half the threads then do
far better. Runs with a budget of minutes therefore watch their pace and step aside; runs counted in pictures do not,
since equal runs need equal threads.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

WINDOW_SECONDS = 3.0
"""Speed is judged over stretches of this length at least (and two steps)."""
SLOW = 0.45
"""Below this share of the best pace seen, something else is taking the cores."""
RETRY_SECONDS = 20.0
"""How long to stay aside before trying all threads again; doubled while that does not help."""
LONGEST_RETRY_SECONDS = 160.0


@dataclass
class Pace:
    """Watches steps go by and says when to change the number of threads.

    Attributes:
        full: threads to compute with when the machine is ours.
        aside: pictures a second with half of them, where calibration found the machine busy; 0 elsewhere.
        threads: that compute now.
    """

    full: int
    aside: float = 0.0
    threads: int = 0
    _best: float = 0.0
    _left_at: float = 0.0
    _retry: float = RETRY_SECONDS
    _pictures: int = 0
    _steps: int = 0
    _seconds: float = 0.0
    _since: float = 0.0

    def __post_init__(self) -> None:
        self.threads = self.half if self.aside else self.full

    @property
    def half(self) -> int:
        """Threads when stepping aside."""
        return max(1, self.full // 2)

    def stepped(self, pictures: int, seconds: float) -> int | None:
        """Take in a step; the new number of threads where it should change."""
        self._pictures, self._steps = self._pictures + pictures, self._steps + 1
        self._seconds, self._since = self._seconds + seconds, self._since + seconds
        if self.full < 2 or self._seconds < WINDOW_SECONDS or self._steps < 2:
            return None
        speed = self._pictures / self._seconds
        self._pictures, self._steps, self._seconds = 0, 0, 0.0
        return self._with_all(speed) if self.threads == self.full else self._with_half(speed)

    def _with_all(self, speed: float) -> int | None:
        self._best = max(self._best, speed)
        if self.aside and speed > self.aside:
            self.aside, self._retry = 0.0, RETRY_SECONDS  # the machine is ours again
        if self.aside or speed < SLOW * self._best:
            self._left_at = speed
            return self._change(self.half)
        return None

    def _with_half(self, speed: float) -> int | None:
        if speed <= self._left_at:  # the threads were not to blame
            self.aside, self._best = 0.0, self._left_at
            return self._change(self.full)
        self.aside = speed
        if self._since >= self._retry:
            self._retry = min(2 * self._retry, LONGEST_RETRY_SECONDS)
            return self._change(self.full)
        return None

    def _change(self, threads: int) -> int:
        self.threads, self._since = threads, 0.0
        return threads


def replayed_pace(changes: Sequence[tuple[int, int]]) -> Callable[[int], int | None]:
    """A function of pictures seen that gives the number of threads to change to, as another run logged its changes.

    Args:
        changes: (pictures seen, threads), in order.
    """
    left = list(changes)

    def at(seen: int) -> int | None:
        threads = None
        while left and left[0][0] <= seen:
            threads = left.pop(0)[1]
        return threads

    return at
