"""What a run shows while it learns: D's verdicts, its hit rate, sheets of fixed seeds, and whether samples collapsed.

Two losses tell a beginner nothing. D's verdict on a picture (0 … 1, how real it looks) does; so does its hit rate over
held-out real and fresh generated pictures: 100 % is a critic that cannot be fooled, 50 % one that can no longer tell.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganforge.drawing.grids import Pictures, save_png, tile, to_uint8
from ganforge.game import Discriminator, Generator, System
from ganforge.measures.diversity import relative_spread
from ganforge.model.seeds import latents
from ganforge.pictures.pack import Pack
from ganforge.training.averages import Average, recalibrate
from ganforge.training.execution import Execution
from ganforge.training.folder import Event, explained

FIXED_SEEDS = range(64)
RECALIBRATION_SEED = 1 << 40
"""Seeds from here on recompute batch statistics: none that a user or the time-lapse is likely to look at."""
JUDGED = 64
"""Pictures of each kind that D judges for a report."""

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


class Watch:
    """Looks at a system of a generator and a discriminator from outside; changes nothing that training reads."""

    def __init__(
        self, system: System, averages: dict[str, Average], execution: Execution, pack: Pack, train: Any, held_out: Any
    ) -> None:
        self._system, self._averages, self._execution = system, averages, execution
        device = torch.device(execution.device)
        self._training = _spread_out(pack, train, device)
        self._held_out = _spread_out(pack, held_out, device) if len(held_out) >= 8 else None
        self._real = pack.pictures[_evenly(train, 256)]
        self._collapsed, self._varied = False, False
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
        with self._execution.autocast():
            fakes = self._discriminator.verdicts(self._generator(self._z))
            training = self._discriminator.verdicts(self._training)
            held_out = None if self._held_out is None else self._discriminator.verdicts(self._held_out)
        real = training if held_out is None else held_out
        hits = ((real > 0.5).float().mean() + (fakes <= 0.5).float().mean()) / 2
        return {
            "verdicts": {
                "training": training.mean().item(),
                "held_out": None if held_out is None else held_out.mean().item(),
                "fakes": fakes.mean().item(),
            },
            "hit_rate": hits.item(),
        }

    @torch.no_grad()
    def settle(self) -> None:
        """Make the averaged weights ready to sample: recompute what batch normalisation keeps."""

        def forward(i: int) -> Tensor:
            net = self._averaged
            seeds = range(RECALIBRATION_SEED + 64 * i, RECALIBRATION_SEED + 64 * (i + 1))
            z = torch.from_numpy(latents(seeds, net.z_size, net.z_distribution)).to(self._z.device)
            with self._execution.autocast():
                pictures: Tensor = net(z)
            return pictures

        recalibrate(self._averaged, forward)

    @torch.no_grad()
    def sheet(self) -> Sheet:
        """Pictures of the fixed seeds with D's verdict of each."""
        self.settle()
        with self._execution.autocast():
            made = self._averaged(self._z).float()
            verdicts = self._discriminator.verdicts(made)
        pictures = to_uint8(made.cpu().contiguous())
        return Sheet(pictures, verdicts.tolist(), relative_spread(pictures, self._real))

    def noticed(self, sheet: Sheet, fraction: float) -> Event | None:
        """An event where the samples have collapsed, or come back from it."""
        self._varied = self._varied or sheet.spread > RECOVERED
        if not self._collapsed and sheet.spread < COLLAPSED and (self._varied or fraction > GREY_UNTIL):
            self._collapsed = True
            return {"event": "collapse", "spread": sheet.spread}
        if self._collapsed and sheet.spread > RECOVERED:
            self._collapsed = False
            return {"event": "recovery", "spread": sheet.spread}
        return None


def save_sheet(run: Path, sheet: Sheet, seen: int) -> str:
    """Write a sheet into the run's folder; its path relative to the run."""
    name = f"samples/{seen:012d}.png"
    with explained(run):
        save_png(tile(sheet.pictures, columns=8), run / name)
    return name


def _evenly(indices: Any, most: int) -> Any:
    return np.asarray(indices)[np.linspace(0, len(indices) - 1, min(most, len(indices))).astype(int)]


def _spread_out(pack: Pack, indices: Any, device: torch.device) -> Tensor:
    """Up to 64 pictures spread evenly over ``indices``, float N×3×H×W in [−1, 1]."""
    pictures = pack.pictures[_evenly(indices, JUDGED)]
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).to(device).float() / 127.5 - 1
