"""Samples of the fixed seeds while a run goes on: the frames of its time-lapse, and the first to see a collapse."""

import time
from collections.abc import Iterable, Iterator

from ganforge.training.folder import Event, Run
from ganforge.training.watch import Collapse, Watch, save_sheet

SHARE = 0.04
"""Of a run's wall time that frames may take."""
FEWEST_STEPS = 100
"""Before so many, samples that do not differ are young, not collapsed."""


class Frames:
    """Draws the fixed seeds again and again, dense at first, where most happens.

    Args:
        run: whose folder keeps them; its config says how many there are.
        watch: draws them.
    """

    def __init__(self, run: Run, watch: Watch) -> None:
        self._run, self._watch = run, watch
        self._last, self._spent, self._collapse = -1, 0.0, Collapse()

    def _number(self, fraction: float) -> int:
        """The k-th of F frames is due at fraction (k/F)^1.5 of the budget."""
        return int(fraction ** (2 / 3) * self._run.config.frames)

    def due(self, fraction: float, seconds: float) -> bool:
        """Whether one belongs here, at a fraction of the budget and after so many seconds, and can be afforded."""
        return self._number(fraction) > self._last and self._spent <= SHARE * max(seconds, 5.0)

    def take(self, seen: int, fraction: float, seconds: float, steps: int) -> Iterator[Event]:
        """Draw and save one; what there is to tell of it."""
        start = time.perf_counter()
        self._last = self._number(fraction)
        sheet = self._watch.sheet()
        if sheet is None:
            return
        file = save_sheet(self._run.path, sheet, seen)
        about = {"seen": seen, "fraction": fraction, "seconds": seconds, "spread": sheet.spread}
        yield {"event": "sample", **about, "file": file, "verdicts": sheet.verdicts}
        noticed = self._collapse.noticed(sheet.spread, fraction) if steps >= FEWEST_STEPS else None
        if noticed is not None:
            yield {"event": noticed, **about}
        self._spent += time.perf_counter() - start

    def resume_from(self, fraction: float, samples: Iterable[Event]) -> None:
        """Stand at this fraction of the budget, after these "sample" events."""
        self._last, self._collapse = self._number(fraction), Collapse()
        for event in samples:
            self._collapse.noticed(event["spread"] or 0.0, event["fraction"])
