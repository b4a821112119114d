"""What the page of a training run tells, as plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ganforge.drawing.grids import Pictures
from ganforge.drawing.timelapse import Frame

__all__ = ["Command", "Facts", "Frame", "Story"]


@dataclass(frozen=True)
class Command:
    """A line to paste into a terminal.

    Attributes:
        what: it does, as a reader would say it: "Train on your own pictures for 20 minutes".
        line: the command.
    """

    what: str
    line: str


@dataclass(frozen=True)
class Facts:
    """The numbers of a run.

    Attributes:
        minutes: it took.
        pictures_seen: training pictures shown to the critic, repeats counted.
        pictures_per_s: shown in a second of training.
        machine: processor and cores, as people name them.
        torch_version: of PyTorch.
        parameters: weights to learn, by the net's name.
    """

    minutes: float
    pictures_seen: int
    pictures_per_s: float
    machine: str
    torch_version: str
    parameters: Mapping[str, int]


@dataclass(frozen=True)
class Story:
    """Everything on the page. Pictures are uint8 (n, H, W, 3); all of one size.

    Attributes:
        title: the headline.
        recipe: its name, e.g. ``dcgan64``.
        pictures: what was learnt from, e.g. "avatars, 4,000 pictures at 64×64".
        facts: the run's numbers.
        real: some training pictures.
        final: samples of the finished generator, not picked.
        frames: the same seeds over training time, in order; many are thinned out evenly.
        reports: the log's report events (`ganforge.drawing.curves`).
        mp4: the time-lapse.
        commands: what to do next, in order.
        notes: sentences under the facts.
        origin: who made the training pictures, as a label: "drawn by code".
    """

    title: str
    recipe: str
    pictures: str
    facts: Facts
    real: Pictures
    final: Pictures
    frames: Sequence[Frame] = ()
    reports: Sequence[Mapping[str, Any]] = ()
    mp4: bytes | None = None
    commands: Sequence[Command] = ()
    notes: Sequence[str] = field(default_factory=tuple)
    origin: str = "drawn by code"
