"""A pack as the source of a training: batch number n is a function of the seed and n alone."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ganforge.errors import UsageError
from ganforge.game import Batch, Condition
from ganforge.pictures.collection import TEST, VALIDATION
from ganforge.pictures.pack import Pack

Indices = npt.NDArray[np.int64]
Known = tuple[Indices, npt.NDArray[np.float32]]

_Epoch = tuple[Indices, npt.NDArray[np.float32], npt.NDArray[np.float32]]

MOST_HELD_OUT = 1000
HELD_OUT_SHARE = 0.05
FEWEST_TO_HOLD_OUT_FROM = 64


def split_held_out(pack: Pack) -> tuple[Indices, Indices]:
    """Which pictures to train on, and which to show only to the critic's judges.

    A pack with a validation split holds that one out. Otherwise one picture in twenty is held out, at most 1,000, none
    below 64 pictures; which ones depends on the number of pictures alone. Pictures of a test split are in neither,
    unless there are no others.

    Returns:
        (indices to train on, indices held out), both sorted.
    """
    splits = np.asarray(pack.splits)
    everything = np.arange(len(pack), dtype=np.int64)
    validation = everything[splits == VALIDATION]
    train = everything[(splits != VALIDATION) & (splits != TEST)]
    if len(train) == 0:
        train, validation = everything, everything[:0]
    if len(validation) or len(train) < FEWEST_TO_HOLD_OUT_FROM:
        return train, validation
    count = min(MOST_HELD_OUT, round(HELD_OUT_SHARE * len(train)))
    order = np.argsort(_scrambled(train), kind="stable")
    return np.sort(train[order[count:]]), np.sort(train[order[:count]])


def _scrambled(numbers: Indices) -> npt.NDArray[np.uint64]:
    """SplitMix64's output function: neighbours land far apart, the same everywhere."""
    x = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: npt.NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return mixed


class PackSource:
    """Batches of a pack, shuffled: every picture once an epoch; implements `ganforge.game.Source`.

    A batch may straddle two epochs, so that none is smaller; a pack smaller than a batch gives several epochs in one.

    Args:
        pack: the pictures.
        batch_size: N of every batch.
        seed: of shuffling, flips and the choice among captions.
        flip: mirror half of the pictures; by default as the pack's verdict says.
        indices: which pictures; by default those that `split_held_out` gives for training.
        memory_format: of ``Batch.pictures``: ``torch.contiguous_format`` or ``torch.channels_last``.
        features: (which K pictures of the pack, sorted; their K×F features, float32), handed out as ``Batch.features``.

    Raises:
        UsageError: a batch size below 1, or no pictures.
    """

    def __init__(
        self,
        pack: Pack,
        batch_size: int,
        *,
        seed: int = 0,
        flip: bool | None = None,
        indices: Indices | None = None,
        memory_format: torch.memory_format = torch.contiguous_format,
        features: Known | None = None,
    ) -> None:
        self.pack = pack
        self.batch_size = batch_size
        self.seed = seed
        self.flip = pack.mirror.flip if flip is None else flip
        self.indices = split_held_out(pack)[0] if indices is None else np.asarray(indices, dtype=np.int64)
        self.memory_format = memory_format
        self.features = features
        if batch_size < 1:
            raise UsageError(f"A batch holds at least 1 picture, not {batch_size}.")
        if len(self.indices) == 0:
            raise UsageError("A source needs at least one picture; the list of indices is empty.")
        self._epochs: dict[int, _Epoch] = {}

    @property
    def size(self) -> int:
        """How many different pictures there are."""
        return len(self.indices)

    def spread(self, count: int, within: int) -> Indices:
        """Which pictures are handed out at ``count`` places that lie evenly among the first ``within``, or among all of them."""
        handed_out = self._epoch(0)[0][:within]
        count = min(count, len(handed_out))
        return handed_out[np.arange(count) * len(handed_out) // count]

    def batch(self, number: int) -> Batch:
        """The ``number``-th batch of the run, counted from 0."""
        position, stop = number * self.batch_size, (number + 1) * self.batch_size
        parts: list[tuple[npt.NDArray[Any], ...]] = []
        while position < stop:
            epoch, start = divmod(position, self.size)
            length = min(stop - position, self.size - start)
            parts.append(tuple(column[start : start + length] for column in self._epoch(epoch)))
            position += length
        chosen, flips, choices = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        known = len(self.pack.schema.attributes) > 0
        return Batch(
            pictures=self._pictures(chosen, flips < 0.5 if self.flip else None),
            condition=Condition(attributes=torch.from_numpy(self.pack.table[chosen])) if known else None,
            captions=self._captions(chosen, choices) if self.pack.captioned else None,
            indices=torch.from_numpy(chosen),
            features=None if self.features is None else torch.from_numpy(_rows_of(self.features, chosen)),
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_epochs": {}}

    def _epoch(self, epoch: int) -> _Epoch:
        """The order of an epoch, and two numbers in [0, 1) for each place in it; the last two epochs are kept."""
        if epoch not in self._epochs:
            generator = np.random.Generator(np.random.Philox(key=[self.seed % 2**64, epoch]))
            order = self.indices[generator.permutation(self.size)]
            drawn = generator.random((2, self.size), dtype=np.float32)
            self._epochs = dict([*self._epochs.items()][-1:]) | {epoch: (order, drawn[0], drawn[1])}
        return self._epochs[epoch]

    def _pictures(self, chosen: Indices, flips: npt.NDArray[np.bool_] | None) -> torch.Tensor:
        gathered = np.asarray(self.pack.pictures)[chosen]  # N×H×W×3, copied out of the memory map
        if flips is not None:
            whole = gathered.view("V3")[..., 0]  # a pixel as one element: three times as fast as byte by byte
            whole[flips] = whole[flips][:, :, ::-1]
        first = gathered.transpose(0, 3, 1, 2)  # a view: channels last in memory
        if self.memory_format == torch.contiguous_format:
            first = np.ascontiguousarray(first)  # moved as bytes, a quarter of what floats would cost
        # NumPy, not torch: a millisecond's work must not wait for a second thread on a busy machine.
        scaled = first.astype(np.float32)
        scaled /= np.float32(127.5)
        scaled -= np.float32(1)
        return torch.from_numpy(scaled)

    def _captions(self, chosen: Indices, choices: npt.NDArray[np.float32]) -> list[str]:
        """One caption a picture, "" for a picture without any."""
        texts: list[str] = []
        for index, choice in zip(chosen.tolist(), choices.tolist(), strict=True):
            captions = self.pack.captions(index)
            texts.append(captions[int(choice * len(captions))] if captions else "")
        return texts


def _rows_of(known: Known, chosen: Indices) -> npt.NDArray[np.float32]:
    """The rows of the pictures ``chosen``; NaN for those of which nothing is known."""
    which, table = known
    at = np.searchsorted(which, chosen).clip(max=len(which) - 1)
    rows: npt.NDArray[np.float32] = table[at]
    rows[which[at] != chosen] = np.nan
    return rows
