"""Where games in the plane are played and looked at: any number of them at once, through the loop's own step."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from ganforge.errors import RunError
from ganforge.files import replacing
from ganforge.game import Phase
from ganforge.lessons.points import Points, PointSource
from ganforge.systems.toy2d import Toy2d, Toy2dConfig
from ganforge.training.averages import Average
from ganforge.training.checkpoints import put_back, tensors_of
from ganforge.training.step import Table, run_step

SAMPLE_SEED = 7


class Arena:
    """S games of one config.

    Attributes:
        system: the players.
        average: of the generators' weights.
        steps: to be played in all.
        played: steps played so far.
        mark: of anything else that a saved game must agree with to go on.
    """

    def __init__(self, config: Toy2dConfig, source: PointSource, steps: int, seed: int = 0, mark: str = "") -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.system = Toy2d(config)
        self.average = Average(self.system.generator, 1000 * config.ema_halflife_kimg, config.ema_rampup)
        self.steps, self.played, self.mark = steps, 0, mark
        self.table = Table(self.system.turns(), source, "cpu", nullcontext, seed)

    def play(self, until: int | None = None) -> Iterator[int]:
        """Play to step ``until`` (the last); yields the number of steps played after each."""
        while self.played < (self.steps if until is None else until):
            with torch.random.fork_rng(devices=[]):  # a step seeds torch's own random numbers
                round_ = run_step(self.table, self.played / self.steps)
            self.played += 1
            self.average.update(round_.pictures, self.played * round_.pictures)
            yield self.played

    def save(self, path: Path) -> None:
        """Keep everything in one file, from which `resume` goes on. Atomic."""
        counts = {**self._identity, "played": str(self.played), "batches": str(self.table.batches)}
        with replacing(path) as temporary:
            save_file(tensors_of(self.system, self._averages, self._phases), temporary, counts)

    def resume(self, path: Path) -> None:
        """Stand where `save` stood; the games go on as if nothing had happened. Raises RunError for another file."""
        try:
            with safe_open(path, "pt") as opened:
                counts = opened.metadata() or {}
            if any(counts.get(name) != value for name, value in self._identity.items()):
                raise RunError(f"{path} is a saved game of other settings. Remove it to begin anew.")
            put_back(load_file(path), self.system, self._averages, self._phases)
            self.played = self.table.steps = int(counts["played"])
            self.table.batches = int(counts["batches"])
        except (OSError, SafetensorError, RuntimeError, KeyError, TypeError, ValueError) as error:
            raise RunError(f"{path} is no saved game of these settings: {error}. Remove it to begin anew.") from None

    @property
    def _identity(self) -> dict[str, str]:
        """What must be the same for a saved game to go on."""
        config = self.system.config.model_dump_json()
        return {"config": config, "steps": str(self.steps), "seed": str(self.table.seed), "mark": self.mark}

    @property
    def _averages(self) -> dict[str, Average]:
        return {"generator": self.average}

    @property
    def _phases(self) -> tuple[Phase, ...]:
        return (Phase("main", 1.0, self.table.turns),)

    @torch.no_grad()
    def samples(self, n: int, *, averaged: bool = True) -> Points:
        """(S, n, 2) points from latents that are always the same."""
        generator = self.average.net if averaged else self.system.generator
        random = torch.Generator().manual_seed(SAMPLE_SEED)
        z = torch.randn(n, self.system.config.games, self.system.config.z_size, generator=random)
        points: Tensor = generator(z)
        return points.transpose(0, 1).double().numpy()


@dataclass(frozen=True)
class Look:
    """One game at one moment.

    Attributes:
        samples: (n, 2) forged points.
        arrows: (n, 2), where the forger's loss falls fastest for each of them; of any common scale.
        field: (m, m), D's verdicts over a square grid, rows from bottom to top.
    """

    samples: Points
    arrows: Points
    field: npt.NDArray[np.float64]


def look(system: Toy2d, reach: float, *, game: int = 0, n: int = 256, resolution: int = 60) -> Look:
    """Samples, arrows and D's field of a game over [−reach, reach]²."""
    games = system.config.games
    random = torch.Generator().manual_seed(SAMPLE_SEED)
    z = torch.randn(n, games, system.config.z_size, generator=random)
    with torch.no_grad():
        samples = system.generator(z)
    samples.requires_grad_()
    scores = system.discriminator(samples)
    (arrows,) = torch.autograd.grad(_wish(system, scores), samples)
    side = torch.linspace(-reach, reach, resolution)
    grid = torch.stack(torch.meshgrid(side, side, indexing="xy"), -1).reshape(-1, 1, 2).expand(-1, games, -1)
    with torch.no_grad():
        heights = system.discriminator(grid)[:, game]
        if system.config.loss in ("wasserstein", "relativistic"):  # scores without a zero: the median is the middle
            heights = heights - heights.median()
        verdicts = heights.sigmoid().reshape(resolution, resolution)
    return Look(samples[:, game].detach().double().numpy(), arrows[:, game].double().numpy(), verdicts.double().numpy())


def _wish(system: Toy2d, scores: Tensor) -> Tensor:
    """What every forged point climbs, as a sum over points; where each is paired with a real one, its score alone."""
    loss = system.config.loss
    if loss == "minimax":
        return F.softplus(scores).sum()
    if loss == "non_saturating":
        return -F.softplus(-scores).sum()
    return scores.sum()
