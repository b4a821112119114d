"""The two sides of an evaluation: who made the samples, and the real pictures they are measured against."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ganforge.drawing.grids import Pictures
from ganforge.errors import PicturesError
from ganforge.evaluation import result
from ganforge.measures.features import BATCH, chunks_of
from ganforge.model import Model
from ganforge.pictures import Pack, PackOptions, split_held_out

Indices = npt.NDArray[np.int64]

MOST_COMPARED = 50_000
"""Training pictures that samples are compared with for copies; of more, every second, third …"""
FIRST_SEED = 1_000_000
"""Of samples that are measured: far from those that people look at or that a run is steered by."""


class Maker(Protocol):
    """Whose pictures are judged."""

    @property
    def most(self) -> int | None:
        """How many pictures there are; None for as many as one likes."""
        ...

    def chunks(self, count: int) -> Iterator[Pictures]:
        """``count`` pictures, uint8 (n, H, W, 3) at a time."""
        ...

    def some(self, indices: Indices) -> Pictures:
        """Those among the first ``count`` that are to be shown."""
        ...

    def about(self, count: int) -> result.Made:
        """For the report."""
        ...


@dataclass(frozen=True)
class ModelMaker:
    """Samples of a Model: seeds from ``seed`` on."""

    model: Model
    name: str
    psi: float = 1.0
    seed: int = FIRST_SEED

    @property
    def most(self) -> None:
        """As many as one likes."""
        return None

    def chunks(self, count: int) -> Iterator[Pictures]:
        """A batch at a time, so that memory does not grow with ``count``."""
        for start in range(0, count, BATCH):
            yield self.model.sample(min(BATCH, count - start), self.seed + start, psi=self.psi).pictures

    def some(self, indices: Indices) -> Pictures:
        """Drawn again from their seeds."""
        return np.concatenate([self.model.sample(1, self.seed + int(i), psi=self.psi).pictures for i in indices])

    def about(self, count: int) -> result.Made:
        """For the report."""
        card = self.model.card
        return result.Made(
            name=self.name,
            kind="model",
            model=card.id,
            sha256=card.files.get("generator.safetensors"),
            system=card.system,
            count=count,
            first_seed=self.seed,
            psi=self.psi,
        )


@dataclass(frozen=True)
class PackMaker:
    """Pictures that something else made: a collection, in an order drawn once."""

    pack: Pack
    name: str

    @property
    def most(self) -> int:
        """All that are there."""
        return len(self.pack)

    def _order(self) -> Indices:
        return np.random.default_rng(0).permutation(len(self.pack))

    def chunks(self, count: int) -> Iterator[Pictures]:
        """A batch at a time."""
        return chunks_of(self.pack.pictures, self._order()[:count])

    def some(self, indices: Indices) -> Pictures:
        """From the pack."""
        return np.asarray(self.pack.pictures[self._order()[indices]])

    def rows(self, count: int) -> Indices:
        """Which pictures of the pack the first ``count`` are."""
        return self._order()[:count]

    def about(self, count: int) -> result.Made:
        """For the report."""
        return result.Made(name=self.name, kind="pictures", count=count, digest=self.pack.digest)


@dataclass(frozen=True)
class RealSide:
    """The collection, divided.

    Attributes:
        pack: all of it.
        name: as the user wrote it.
        drawn: indices in an order drawn by chance, each once: those that samples are measured against, and for the floor
            two sets of equally many, the second one in the samples' place.
        count: samples are measured against the first so many of ``drawn``.
        floor: the first so many of ``drawn`` are one set of the floor, as many after them the other; below ``count`` where
            the collection is small.
        train: what the model was trained on; None where these are not its training pictures.
        held_out: what was held out from that training.
        flip: whether mirrored pictures were trained on too.
    """

    pack: Pack
    name: str
    drawn: Indices
    count: int
    floor: int
    train: Indices | None
    held_out: Indices
    flip: bool = False

    @classmethod
    def of(
        cls, pack: Pack, name: str, count: int, seed: int = 0, *, trained_on: bool, flip: bool = False
    ) -> "RealSide":
        """Divide a pack: ``count`` pictures to measure against, and others for the floor.

        A collection of fewer than 2 × count pictures cannot give both at that size; its floor is then taken from its two
        halves, and says so.
        """
        order = np.random.default_rng(seed).permutation(len(pack))
        count = min(count, len(pack))
        floor = min(count, len(pack) // 2)
        train, held_out = split_held_out(pack)
        return cls(
            pack, name, order[: max(count, 2 * floor)], count, floor, train if trained_on else None, held_out, flip
        )

    @property
    def against(self) -> Indices:
        """Those that samples are measured against."""
        return self.drawn[: self.count]

    @property
    def compared(self) -> Indices:
        """The training pictures that samples are compared with for copies; none where they are not known."""
        return np.empty(0, np.int64) if self.train is None else self.train[:: -(-len(self.train) // MOST_COMPARED)]

    def about(self, seed: int) -> result.Real:
        """For the report."""
        return result.Real(
            name=self.name,
            count=self.count,
            there=len(self.pack),
            digest=self.pack.digest,
            floor_count=self.floor,
            draw_seed=seed,
        )


def pack_options(model: Model) -> PackOptions:
    """How PICTURES become pixels for this Model: as for its training, where its card knows that."""
    size = {"height": model.card.height, "width": model.card.width}
    known = (model.card.data.pack if model.card.data is not None else None) or {}
    return PackOptions.model_validate({**known, **size})


def must_be_enough(count: int, what: str, fewest: int) -> None:
    """Raise PicturesError for too few pictures to measure anything."""
    if count < fewest:
        raise PicturesError(f"{count} {what} are too few to be measured; at least {fewest} are needed.")
