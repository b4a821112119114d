"""Counting eyes on avatars, real and generated.

The truth comes from the renderer: draw an avatar twice, with blue and with red eyes, and what differs are its irises.
A small net (`ganforge.systems.spotter`) learns to find them in seconds, and then finds them on generated pictures too.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ganforge.attributes import Record
from ganforge.avatars import avatar_seed, draw, sample_record
from ganforge.drawing.grids import Pictures
from ganforge.game import Batch
from ganforge.lessons.little import close_up
from ganforge.pictures.workers import in_order, wanted_workers
from ganforge.progress import Progress, silent
from ganforge.systems.spotter import Spotter, SpotterConfig
from ganforge.training.step import Table, run_step

Spot = tuple[float, float]
"""(x, y) in pixels."""

TRAINING, COLLECTION = 1536, 71
"""Avatars that the spotter learns from: how many, and the collection's seed (no other uses it)."""
BATCH, STEPS = 48, 500
EMPTY = 8
"""Pictures of a batch that show no face."""
BLOB = 1.6
"""Standard deviation of a blob on an avatar of 64 pixels, in pixels."""
DIFFERENT, APART = 40, 3
"""A pixel is iris when the two drawings differ by more; columns of pixels further apart are two eyes (at 64 px)."""
DRAWN_AT_ONCE = 64
PATCH, CENTRE = 13, 0.8
"""Side of a pasted square in pixels at 64; a blob is brighter than that about its centre."""


@dataclass(frozen=True)
class View:
    """What is seen of an avatar.

    Attributes:
        side: of the pictures, pixels.
        close: whether the face alone fills them.
    """

    side: int
    close: bool = False

    @property
    def scale(self) -> float:
        """How large an avatar is in it, in units of 64 pixels."""
        return self.side * (2 if self.close else 1) / 64

    def draw(self, record: Record, seed: int) -> Pictures:
        """An avatar, (side, side, 3)."""
        return close_up(draw(record, seed, 2 * self.side)) if self.close else draw(record, seed, self.side)


def eyes_of(record_seed: int, view: View) -> tuple[Pictures, list[Spot]]:
    """An avatar (side, side, 3) and where its eyes are."""
    record = sample_record(record_seed)
    picture = view.draw(record, record_seed)
    blue, red = (view.draw({**record, "eyes": colour}, record_seed).astype(np.int16) for colour in ("blue", "red"))
    iris = np.abs(blue - red).max(2) > DIFFERENT
    columns = np.flatnonzero(iris.any(0))
    spots = []
    if len(columns):
        for group in np.split(columns, np.flatnonzero(np.diff(columns) > max(1, int(APART * view.scale))) + 1):
            rows, within = np.nonzero(iris[:, group])
            spots.append((float(group[within].mean()) + 0.5, float(rows.mean()) + 0.5))
    return picture, spots


def blobs(spots: Sequence[Spot], view: View) -> npt.NDArray[np.float32]:
    """(side, side): bright where a spot is."""
    y, x = np.mgrid[: view.side, : view.side] + 0.5
    sigma = BLOB * view.scale
    drawn = np.zeros((view.side, view.side), np.float32)
    for cx, cy in spots:
        drawn = np.maximum(drawn, np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * sigma**2)).astype(np.float32))
    return drawn


def _draw_some(view: View, seeds: Sequence[int]) -> list[tuple[Pictures, list[Spot]]]:
    return [eyes_of(seed, view) for seed in seeds]


class EyeSource:
    """Avatars with blobs on their eyes as a fourth channel, half of them mirrored, brightness and colours varied.

    Patches of other avatars, many of them with an eye in their middle, are pasted over two thirds: else the net would learn
    that there are two eyes side by side and look for no third. A sixth are no faces at all, noise or blurred beyond
    recognition, and have no eyes.
    """

    def __init__(self, view: View, progress: Progress = silent) -> None:
        seeds = [avatar_seed(COLLECTION, i) for i in range(TRAINING)]
        chunks = [seeds[i : i + DRAWN_AT_ONCE] for i in range(0, TRAINING, DRAWN_AT_ONCE)]
        made: list[npt.NDArray[np.float32]] = []
        for chunk in in_order(_draw_some, view, chunks, wanted_workers()):
            for picture, spots in chunk:
                made.append(np.concatenate([picture / 127.5 - 1, blobs(spots, view)[..., None]], 2, dtype=np.float32))
            progress("drawing avatars", len(made), TRAINING)
        self._made = np.stack(made).transpose(0, 3, 1, 2)
        self._patch = round(PATCH * view.scale)

    @property
    def size(self) -> int:
        """How many avatars there are."""
        return len(self._made)

    def batch(self, number: int) -> Batch:
        """The ``number``-th batch: 48×4×side×side, float32."""
        random = np.random.default_rng((COLLECTION, number))
        chosen = self._made[random.integers(len(self._made), size=BATCH)]
        for one in chosen[: 2 * BATCH // 3]:
            for other in self._made[random.integers(len(self._made), size=random.integers(1, 5))]:
                self._paste(one, other, random)
        chosen[-EMPTY:, 3] = 0
        chosen[-EMPTY:-2, :3] = _blurred(chosen[-EMPTY:-2, :3])
        chosen[-2:, :3] = random.uniform(-1, 1, chosen[-2:, :3].shape)
        chosen = np.where(random.random((BATCH, 1, 1, 1)) < 0.5, chosen, chosen[..., ::-1])
        pictures = chosen[:, :3] * random.uniform(0.7, 1.1, (BATCH, 3, 1, 1)) + random.normal(0, 0.1, (BATCH, 3, 1, 1))
        pictures = pictures + random.normal(0, random.uniform(0, 0.12, (BATCH, 1, 1, 1)), pictures.shape)
        return Batch(torch.from_numpy(np.concatenate([pictures, chosen[:, 3:]], 1).astype(np.float32)))

    def _paste(
        self, picture: npt.NDArray[np.float32], other: npt.NDArray[np.float32], random: np.random.Generator
    ) -> None:
        """A square of the other one, somewhere: both 4×side×side, the first changed in place."""
        side, room = self._patch, picture.shape[1] - self._patch + 1
        top, left = random.integers(0, room, 2)
        rows, columns = np.nonzero(other[3] > CENTRE)
        if len(rows) and random.random() < 0.7:  # an eye about its middle
            i = random.integers(len(rows))
            top, left = (int(np.clip(at[i] - side // 2, 0, room - 1)) for at in (rows, columns))
        there = [slice(at, at + side) for at in random.integers(0, room, 2)]
        picture[:, there[0], there[1]] = other[:, top : top + side, left : left + side]


def _blurred(pictures: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(n, 3, H, W) → the same, of 5×5 colours that run into one another."""
    small = torch.nn.functional.adaptive_avg_pool2d(torch.from_numpy(pictures), 5)
    large = torch.nn.functional.interpolate(small, size=pictures.shape[2:], mode="bilinear", align_corners=False)
    blurred: npt.NDArray[np.float32] = large.numpy()
    return blurred


def learn_to_count(view: View, progress: Progress = silent) -> nn.Module:
    """A net that finds the eyes of avatars; equal on every call on one machine."""
    source = EyeSource(view, progress)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        system = Spotter(SpotterConfig(height=view.side, width=view.side, batch_size=BATCH))
        table = Table(system.turns(), source, "cpu", nullcontext, 0)
        for step in range(STEPS):
            run_step(table, step / STEPS)
            progress("learning what an eye is", step + 1, STEPS)
    return system.net.eval()


@torch.no_grad()
def find_eyes(net: nn.Module, pictures: Pictures, view: View) -> list[list[Spot]]:
    """Where the net sees eyes on pictures (N, side, side, 3): bright local maxima of its map."""
    found: list[list[Spot]] = []
    reach = 2 * max(1, round(1.5 * view.scale)) + 1
    for i in range(0, len(pictures), 64):
        batch = torch.from_numpy(pictures[i : i + 64]).permute(0, 3, 1, 2).float() / 127.5 - 1
        maps = net(batch)  # logits, 0 where an eye is as likely as none
        peaks = (maps == torch.nn.functional.max_pool2d(maps[:, None], reach, 1, reach // 2)[:, 0]) & (maps > 0)
        for one in peaks:
            rows, columns = torch.nonzero(one, as_tuple=True)
            found.append([(2.0 * x + 1, 2.0 * y + 1) for x, y in zip(columns.tolist(), rows.tolist(), strict=True)])
    return found
