"""The two sides of an evaluation: who made the samples, and the real pictures they are measured against."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ganforge.drawing.grids import Pictures
from ganforge.errors import PicturesError, RunError
from ganforge.evaluation import result
from ganforge.measures.features import BATCH, chunks_of
from ganforge.model import Model
from ganforge.pictures import Pack, PackOptions, split_held_out
from ganforge.training.folder import Run

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
        against: indices that samples are measured against, in an order drawn by chance.
        other: as many others, in the samples' place for the floor; fewer where the collection is small.
        half: of ``against``, as many as there are in ``other``.
        train: what the model was trained on; None where these are not its training pictures.
        held_out: what was held out from that training.
        flip: whether mirrored pictures were trained on too.
    """

    pack: Pack
    name: str
    against: Indices
    other: Indices
    half: Indices
    train: Indices | None
    held_out: Indices
    flip: bool = False

    @classmethod
    def of(
        cls, pack: Pack, name: str, count: int, seed: int = 0, *, trained_on: bool, flip: bool = False
    ) -> "RealSide":
        """Divide a pack: ``count`` pictures to measure against, and others for the floor.

        A collection of fewer than 2 × count pictures cannot give both at that size; its floor is then taken from two
        disjoint halves, and says so.
        """
        order = np.random.default_rng(seed).permutation(len(pack))
        count = min(count, len(pack))
        if len(pack) >= 2 * count:
            against, other = order[:count], order[count : 2 * count]
            half = against
        else:
            against, n = order[:count], count // 2
            half, other = order[:n], order[n : 2 * n]
        train, held_out = split_held_out(pack)
        mine = train if trained_on else None
        return cls(pack, name, against, other, half, mine, held_out, flip)

    @property
    def compared(self) -> Indices:
        """The training pictures that samples are compared with for copies; none where they are not known."""
        return np.empty(0, np.int64) if self.train is None else self.train[:: -(-len(self.train) // MOST_COMPARED)]

    def about(self, seed: int) -> result.Real:
        """For the report."""
        return result.Real(
            name=self.name,
            count=len(self.against),
            there=len(self.pack),
            digest=self.pack.digest,
            floor_count=len(self.other),
            draw_seed=seed,
        )


def run_of(model: Model) -> Run | None:
    """The run whose folder the Model lies in; None for a Model by itself."""
    for folder in (model.path, *model.path.parents[:3]):
        if (folder / "run.json").is_file():
            try:
                return Run(folder)
            except RunError:
                return None
    return None


def pack_options(model: Model, run: Run | None) -> PackOptions:
    """How PICTURES become pixels for this Model: as for its training where its run is at hand, else at its size."""
    size = {"height": model.card.height, "width": model.card.width}
    if run is None:
        return PackOptions(**size)
    return PackOptions.model_validate({**run.config.pack, **size})


def must_be_enough(count: int, what: str, fewest: int) -> None:
    """Raise PicturesError for too few pictures to measure anything."""
    if count < fewest:
        raise PicturesError(f"{count} {what} are too few to be measured; at least {fewest} are needed.")
