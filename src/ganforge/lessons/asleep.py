"""A forger who practises against a critic that no longer learns: the maximin order of play, taken to its end.

For a fixed critic the best a generator can do is to put every picture where he is highest (arXiv 1701.00160, §5.1.1).
"""

from collections.abc import Sequence
from contextlib import nullcontext
from copy import deepcopy

import torch
from torch import Tensor, nn

from ganforge.drawing.grids import Pictures, to_uint8
from ganforge.game import Batch, Losses, Step, Turn
from ganforge.model import Model
from ganforge.progress import Progress
from ganforge.training.step import Table, run_step

BATCH, RATE = 32, 2e-4
MEASURING_BATCHES = 10


def judge_alone(discriminator: nn.Module, real: Tensor, forged: Tensor) -> nn.Module:
    """A copy of D that judges every picture by itself, and never changes.

    Its batch normalisation compares the pictures of a batch, which gives repeats away; here it keeps mean and variance as
    they were over batches of real and of forged pictures.

    Args:
        discriminator: with or without batch normalisation.
        real: N×3×H×W.
        forged: N×3×H×W.
    """
    judge = deepcopy(discriminator).requires_grad_(False)
    for layer in judge.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.track_running_stats, layer.momentum = True, None
            for name, start in (("running_mean", 0.0), ("running_var", 1.0)):
                layer.register_buffer(name, torch.full((layer.num_features,), start, device=real.device))
            layer.register_buffer("num_batches_tracked", torch.tensor(0, device=real.device))
    judge.train()
    with torch.no_grad():
        for a, b in zip(real.chunk(MEASURING_BATCHES), forged.chunk(MEASURING_BATCHES), strict=True):
            judge(a)
            judge(b)
    return judge.eval()


class Unseen:
    """A source for a player who looks at no real picture: the same one, always."""

    size = None

    def __init__(self, pictures: Tensor) -> None:
        self._batch = Batch(pictures)

    def batch(self, number: int) -> Batch:
        """The ``number``-th batch, N×3×H×W."""
        return self._batch


def practise(
    model: Model, real: Tensor, moments: Sequence[int], count: int, seed: int, progress: Progress
) -> list[Pictures]:
    """What G draws, from the same latents, after so many steps in which she climbs the score of a critic asleep.

    Args:
        model: G and D to start with; it is not changed.
        real: N×3×H×W in [−1, 1], N ≥ 10.
        moments: steps, rising.
        count: of pictures (H, W, 3), from seeds ``seed`` ….
        seed: of the first picture.
    """
    z, real = model.latents([seed + i for i in range(count)]), real.to(model.device)
    g = deepcopy(model.generator).requires_grad_(True)
    with torch.no_grad():
        judge = judge_alone(model.discriminator, real, g(model.latents(range(len(real)))))

    def minus_score(step: Step) -> Losses:
        return Losses(-judge(g(g.latents(step.draw, BATCH))).mean())

    turn = Turn("G", g, torch.optim.Adam(g.parameters(), RATE, (0.5, 0.999)), minus_score)
    table = Table((turn,), Unseen(real[:1]), model.device.type, nullcontext, seed)
    shown = []
    with torch.random.fork_rng(devices=[]):  # a step seeds torch's own random numbers
        for step in range(moments[-1] + 1):
            if step in moments:
                g.eval()
                with torch.no_grad():
                    shown.append(to_uint8(g(z)))
                g.train()
            if step < moments[-1]:
                run_step(table, step / moments[-1])
            progress("forging for a critic asleep", step, moments[-1])
    return shown
