"""What a run says while it goes on: events, for its log and for whoever watches, and losses between two reports."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ganforge.training.folder import Event, Run

Observer = Callable[[Event], None]


@dataclass(frozen=True)
class Teller:
    """Says what happens.

    Attributes:
        run: whose log keeps events.
        observers: hear them too.
    """

    run: Run
    observers: Sequence[Observer]

    def tell(self, event: Event) -> None:
        """For the log and all observers."""
        self.run.log(event)
        self.whisper(event)

    def whisper(self, event: Event) -> None:
        """For observers alone: it is of no use later."""
        for observer in self.observers:
            observer(event)


@dataclass
class Sums:
    """Losses since the last report, summed on the device."""

    values: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    steps: int = 0

    def add(self, losses: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Those of a step: of every turn, by its parts."""
        for turn, parts in losses.items():
            mine = self.values.setdefault(turn, {})
            for part, value in parts.items():
                mine[part] = mine[part] + value if part in mine else value.clone()
        self.steps += 1

    def finite(self) -> bool:
        """Whether all totals still are numbers."""
        return all(bool(torch.isfinite(parts["total"])) for parts in self.values.values())

    def take(self) -> dict[str, dict[str, float]]:
        """Means of the steps since the last call."""
        means = {t: {k: float(v) / self.steps for k, v in parts.items()} for t, parts in self.values.items()}
        self.values, self.steps = {}, 0
        return means
