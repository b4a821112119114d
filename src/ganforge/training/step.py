"""One step of the game: the only place where gradients are computed and weights move."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ganforge.game import Batch, Condition, Draw, Source, Step, System, Turn
from ganforge.machine import seed_generators


@dataclass
class Table:
    """What lies on the table between two steps: who plays, with what, and how far the game has come.

    Attributes:
        turns: in order of play.
        source: of batches.
        device: where the nets are.
        autocast: context in which losses are computed.
        seed: of all draws.
        salt: counts up when the run was rolled back, so that it does not walk into the same trouble again.
        steps: played so far.
        batches: drawn from the source so far.
        learning_rate_scale: halved by every rollback.
    """

    turns: Sequence[Turn]
    source: Source
    device: str
    autocast: Callable[[], AbstractContextManager[None]]
    seed: int
    salt: int = 0
    steps: int = 0
    batches: int = 0
    learning_rate_scale: float = 1.0

    def draw_batch(self) -> Batch:
        """The next batch of the source, on the device."""
        batch = self.source.batch(self.batches)
        self.batches += 1
        return moved(batch, self.device)

    def draw(self, turn: int, repeat: int) -> Draw:
        """Draws for one move; a function of seed, salt, step, turn and repeat alone. Seeds dropout as well."""
        key = np.random.SeedSequence((self.seed, self.salt, self.steps, turn, repeat)).generate_state(1, np.uint64)
        seed_generators(int(key[0]), torch.device(self.device))
        return Draw(int(key[0]), self.device)

    def set_learning_rate(self, turn: Turn, fraction: float) -> None:
        """The rate of this moment: base × schedule × what rollbacks left of it."""
        factor = turn.learning_rate(fraction) * self.learning_rate_scale
        for group in turn.optimizer.param_groups:
            group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor


@dataclass(frozen=True)
class Played:
    """What a step leaves behind.

    Attributes:
        pictures: drawn from the source.
        losses: by turn, then by part ("total" is what was minimised); tensors, still on the device.
    """

    pictures: int
    losses: Mapping[str, Mapping[str, Tensor]]


class Ahead:
    """A source that makes the next batch while this one is played: for devices that compute beside the CPU."""

    def __init__(self, source: Source) -> None:
        self._source, self._worker = source, ThreadPoolExecutor(max_workers=1)
        self._next: tuple[int, Future[Batch]] | None = None

    @property
    def size(self) -> int | None:
        """As the source's."""
        return self._source.size

    def batch(self, number: int) -> Batch:
        """The source's ``number``-th batch; the one after it is on its way."""
        made = self._next[1] if self._next is not None and self._next[0] == number else None
        batch = made.result() if made is not None else self._source.batch(number)
        self._next = (number + 1, self._worker.submit(self._source.batch, number + 1))
        return batch


def run_step(table: Table, fraction: float, system: System | None = None) -> Played:
    """Let every turn move once (or ``repeats`` times), in order.

    Gradients are computed for the weights that the turn moves alone, so nothing is spent on nets that only look on.
    """
    told: dict[str, dict[str, Tensor]] = {}
    step = Step(table.draw_batch(), fraction, table.steps, table.draw(0, 0))
    pictures = len(step.batch)
    for t, turn in enumerate(table.turns):
        weights = [w for group in turn.optimizer.param_groups for w in group["params"] if w.requires_grad]
        table.set_learning_rate(turn, fraction)
        for repeat in range(turn.repeats):
            if repeat:
                step = Step(table.draw_batch(), fraction, table.steps, step.draw)
                pictures += len(step.batch)
            step.draw = table.draw(t, repeat)
            with table.autocast():
                losses = turn.loss(step)
            for weight in weights:
                weight.grad = None
            losses.total.backward(inputs=weights)  # type: ignore[no-untyped-call]
            with table.autocast():
                turn.optimizer.step()
            step.forget(turn.player)
            told[turn.name] = {"total": losses.total.detach(), **{k: v.detach() for k, v in losses.parts.items()}}
    if system is not None:
        system.after_step(step)
    table.steps += 1
    return Played(pictures, told)


def moved(batch: Batch, device: str) -> Batch:
    """The batch on a device."""
    if device == "cpu":
        return batch

    def move(tensor: Tensor | None) -> Tensor | None:
        return (
            None
            if tensor is None
            else tensor.pin_memory().to(device, non_blocking=True)
            if device == "cuda"
            else tensor.to(device)
        )

    condition = batch.condition
    if condition is not None:
        condition = Condition(move(condition.attributes), move(condition.text))
    pictures = move(batch.pictures)
    assert pictures is not None
    return replace(batch, pictures=pictures, condition=condition, features=move(batch.features))
