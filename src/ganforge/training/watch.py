"""What a run shows while it learns, seen from outside: nothing here changes what training reads.

Two losses tell a beginner nothing. D's verdict on a picture (0 … 1, how real it looks) does; so does its hit rate over
held-out real and fresh generated pictures: 100 % is a critic that cannot be fooled, 50 % one that can no longer tell.
Where the loss only compares real with generated pictures, D's logits may lie anywhere: they are then counted from midway
between both kinds.
Systems without a generator (one net that learns) show their losses on held-out pictures instead.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ganforge.drawing.grids import Pictures, save_png, tile, to_uint8
from ganforge.game import Batch, Discriminator, Draw, Generator, Step, System, Turn
from ganforge.measures.diversity import relative_spread
from ganforge.model.model import evaluating
from ganforge.model.seeds import latents
from ganforge.pictures import Pack, PackSource
from ganforge.training.averages import Average, recalibrate
from ganforge.training.execution import Execution
from ganforge.training.folder import explained
from ganforge.training.step import moved

FIXED_SEEDS = range(64)
RECALIBRATION_SEED = 1 << 40
"""Seeds from here on recompute batch statistics: none that a user or the time-lapse is likely to look at."""
JUDGED = 64
"""Pictures of each kind that D judges for a report."""
FEWEST_HELD_OUT = 8
"""With fewer pictures held out, figures about them would say nothing."""

COLLAPSED, RECOVERED = 0.25, 0.5
GREY_UNTIL = 0.35
"""Fraction of the budget before which a generator that never varied yet is called young, not collapsed."""


@dataclass(frozen=True)
class Sheet:
    """Samples of the fixed seeds at one moment.

    Attributes:
        pictures: uint8 (64, H, W, 3), by the averaged weights.
        verdicts: D's, of each.
        spread: how different they are from one another, as a share of real pictures' differences.
    """

    pictures: Pictures
    verdicts: list[float]
    spread: float


class Watch(Protocol):
    """Looks at a system from outside."""

    def settle(self) -> None:
        """Make the averaged weights ready to be used or saved."""

    def border(self) -> float:
        """The logit that tells real from made pictures."""

    def report(self) -> dict[str, Any]:
        """Numbers for a report, beside the losses."""

    def sheet(self) -> Sheet | None:
        """Samples of the fixed seeds; None where the system draws none."""

    def draw(self, seeds: Sequence[int]) -> Pictures:
        """Pictures of any seeds, by the averaged weights as they were last settled; none where the system draws none."""


class Collapse:
    """Tells when samples stop differing from one another, and when they do again."""

    def __init__(self) -> None:
        self._collapsed, self._varied = False, False

    def noticed(self, spread: float, fraction: float) -> str | None:
        """ "collapse", "recovery" or None, by the spread of a sheet at a fraction of the budget."""
        self._varied = self._varied or spread > RECOVERED
        if not self._collapsed and spread < COLLAPSED and (self._varied or fraction > GREY_UNTIL):
            self._collapsed = True
            return "collapse"
        if self._collapsed and spread > RECOVERED:
            self._collapsed = False
            return "recovery"
        return None


class GameWatch:
    """Of a generator and a discriminator: D's verdicts and hit rate, and sheets of the fixed seeds."""

    def __init__(
        self, system: System, averages: dict[str, Average], execution: Execution, pack: Pack, train: Any, held_out: Any
    ) -> None:
        self._system, self._averages, self._execution = system, averages, execution
        device = torch.device(execution.device)
        group = self._discriminator.group
        self._training = _spread_out(pack, train, group, device)
        self._held_out = _spread_out(pack, held_out, group, device) if len(held_out) >= FEWEST_HELD_OUT else None
        self._real = pack.pictures[_evenly(train, 256)]
        z = latents(FIXED_SEEDS, self._generator.z_size, self._generator.z_distribution)
        self._z = torch.from_numpy(z).to(device)

    @property
    def _generator(self) -> Generator:
        net = self._system.nets["generator"]
        assert isinstance(net, Generator)
        return net

    @property
    def _averaged(self) -> Generator:
        net = self._averages["generator"].net
        assert isinstance(net, Generator)
        return net

    @property
    def _discriminator(self) -> Discriminator:
        net = self._system.nets["discriminator"]
        assert isinstance(net, Discriminator)
        return net

    @torch.no_grad()
    def report(self) -> dict[str, Any]:
        """D's mean verdicts on training pictures, held-out pictures and fresh fakes, and its hit rate."""
        with _untouched(self._generator, self._discriminator), self._execution.passing():
            found = self._found()
            border = self._midway(found)
        verdicts = {kind: (logits - border).sigmoid().mean().item() for kind, logits in found.items()}
        real, fakes = found.get("held_out", found["training"]), found["fakes"]
        hits = ((real > border).float().mean() + (fakes <= border).float().mean()) / 2
        return {"verdicts": {"held_out": None, **verdicts}, "hit_rate": hits.item()}

    def _found(self) -> dict[str, Tensor]:
        """D's logits, float32, on training pictures, held-out ones where there are enough, and fresh fakes."""
        pictures = {"training": self._training, "fakes": self._generator(self._z)}
        if self._held_out is not None:
            pictures["held_out"] = self._held_out
        return {kind: self._discriminator(those).float() for kind, those in pictures.items()}

    @torch.no_grad()
    def border(self) -> float:
        """Midway between D's logits on real and on generated pictures where the loss only compares them, else 0."""
        if not self._system.compares:
            return 0.0
        with _untouched(self._generator, self._discriminator), self._execution.passing():
            return self._midway(self._found())

    def _midway(self, found: dict[str, Tensor]) -> float:
        if not self._system.compares:
            return 0.0
        return (found.get("held_out", found["training"]).mean() + found["fakes"].mean()).item() / 2

    @torch.no_grad()
    def settle(self) -> None:
        """Make the averaged weights ready to sample: recompute what batch normalisation keeps."""

        def forward(i: int) -> Tensor:
            net = self._averaged
            seeds = range(RECALIBRATION_SEED + 64 * i, RECALIBRATION_SEED + 64 * (i + 1))
            z = torch.from_numpy(latents(seeds, net.z_size, net.z_distribution)).to(self._z.device)
            with self._execution.passing():
                pictures: Tensor = net(z)
            return pictures

        recalibrate(self._averaged, forward)

    @torch.no_grad()
    def draw(self, seeds: Sequence[int]) -> Pictures:
        """uint8 (N, H, W, 3) of any seeds, a batch at a time."""
        net, made = self._averaged, []
        for start in range(0, len(seeds), JUDGED):
            z = torch.from_numpy(latents(seeds[start : start + JUDGED], net.z_size, net.z_distribution))
            with self._execution.passing():
                made.append(to_uint8(net(z.to(self._z.device)).float().cpu().contiguous()))
        return np.concatenate(made)

    @torch.no_grad()
    def sheet(self) -> Sheet:
        """Pictures of the fixed seeds with D's verdict of each."""
        self.settle()
        border = self.border()
        with _untouched(self._generator, self._discriminator), self._execution.passing():
            made = self._averaged(self._z).float()
            logits: Tensor = self._discriminator(made).float() - border
        pictures = to_uint8(made.cpu().contiguous())
        return Sheet(pictures, logits.sigmoid().tolist(), relative_spread(pictures, self._real))


class HeldOutWatch:
    """Of any other system: what each turn loses on pictures that it never learns from."""

    def __init__(
        self, system: System, turns: Callable[[], Sequence[Turn]], execution: Execution, pack: Pack, held_out: Any
    ) -> None:
        self._system, self._turns, self._execution = system, turns, execution
        self._batch: Batch | None = None
        if len(held_out) >= FEWEST_HELD_OUT:
            source = PackSource(pack, min(system.config.batch_size, len(held_out)), flip=False, indices=held_out)
            self._batch = moved(source.batch(0), execution.device)

    def settle(self) -> None:
        """Nothing to do: such systems keep their own statistics."""

    def border(self) -> float:
        """0: nothing is told from anything."""
        return 0.0

    @torch.no_grad()
    def report(self) -> dict[str, Any]:
        """The total of each turn's loss on one fixed held-out batch, nets in eval mode."""
        if self._batch is None:
            return {}
        with ExitStack() as stack:
            for net in self._system.nets.values():
                stack.enter_context(evaluating(net))
            stack.enter_context(self._execution.passing())
            step = Step(self._batch, 0.0, 0, Draw(0, self._execution.device))
            return {"held_out_losses": {turn.name: turn.loss(step).total.item() for turn in self._turns()}}

    def sheet(self) -> None:
        """None: nothing is drawn."""

    def draw(self, seeds: Sequence[int]) -> Pictures:
        """No pictures, (0, 0, 0, 3)."""
        return np.empty((0, 0, 0, 3), np.uint8)


def watch_for(
    system: System,
    averages: dict[str, Average],
    execution: Execution,
    turns: Callable[[], Sequence[Turn]],
    pack: Pack,
    train: Any,
    held_out: Any,
) -> Watch:
    """The way to look at a system of this kind.

    Args:
        turns: gives the turns that are being played now.
        train: indices of the pack's pictures that are trained on.
        held_out: indices of those that never are.
    """
    if system.kind == "generator":
        return GameWatch(system, averages, execution, pack, train, held_out)
    return HeldOutWatch(system, turns, execution, pack, held_out)


@contextmanager
def _untouched(*nets: nn.Module) -> Iterator[None]:
    """Nets look at pictures as in training, without keeping a trace: statistics and the like are put back."""
    before = [(buffer, buffer.clone()) for net in nets for buffer in net.buffers()]
    try:
        yield
    finally:
        for buffer, value in before:
            buffer.copy_(value)


def save_sheet(run: Path, sheet: Sheet, seen: int) -> str:
    """Write a sheet into the run's folder; its path relative to the run."""
    name = f"samples/{seen:012d}.png"
    with explained(run):
        save_png(tile(sheet.pictures, columns=8), run / name)
    return name


def _evenly(indices: Any, most: int) -> Any:
    return np.asarray(indices)[np.linspace(0, len(indices) - 1, min(most, len(indices))).astype(int)]


def _spread_out(pack: Pack, indices: Any, group: int, device: torch.device) -> Tensor:
    """Up to 64 pictures spread evenly over ``indices``, in whole groups where there is one, float N×3×H×W in [−1, 1]."""
    most = min(JUDGED, len(indices))
    pictures = pack.pictures[_evenly(indices, most - most % group or most)]
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).to(device).float() / 127.5 - 1
