"""The words every system speaks: Turn, Step, Batch, Condition, System.

A GAN is a game of players who move in turn. A *system* (one published method, one file of `ganforge.systems`) says who
the players are and what each of them minimises; the loop (`ganforge.training.loop`) plays the game. Nothing here trains,
reads or writes.

    System.turns() ─► Turn "D": player, optimizer, loss(step) ─┐
                      Turn "G": player, optimizer, loss(step) ─┴─► run_step plays them in order
    Step = what a turn sees: a batch, the fraction of the budget spent, seeded draws, a memo shared by the turns

Shapes (used in every file below this one):
    N pictures of a batch · C channels (3) · H, W pixels · Z latent size · L layers steered by w · D size of w
    pictures are float32 in [−1, 1], N×C×H×W · z is N×Z · w is N×L×D
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.optim import Optimizer

T = TypeVar("T")

Kind = Literal["generator", "net"]
"""What a Model does: a generator turns latents into pictures; a net is anything else that learns."""


# --- what the nets are shown ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Condition:
    """What a generator is asked for. Every field may be missing; N rows each.

    Attributes:
        attributes: N×A in the schema's encoding (`ganforge.attributes`), NaN where left open.
        text: N×T, the embedding φ(t) of a caption.
    """

    attributes: Tensor | None = None
    text: Tensor | None = None


@dataclass(frozen=True)
class Batch:
    """What a source hands out: N pictures and what is known of them.

    Attributes:
        pictures: N×C×H×W float32 in [−1, 1].
        condition: what is known of each picture, or None.
        captions: one caption a picture, or None.
        contradicting: for each picture a caption that its record contradicts (GAN-CLS's third kind of sample), or None.
        indices: N, which pictures of the source these are.
        features: N×F float32, what a frozen net finds in each picture, whitened, with mean square 1, for systems that ask
            (`System.distilled`); NaN in the rows of pictures that it did not look at.
    """

    pictures: Tensor
    condition: Condition | None = None
    captions: Sequence[str] | None = None
    contradicting: Sequence[str] | None = None
    indices: Tensor | None = None
    features: Tensor | None = None

    def __len__(self) -> int:
        return len(self.pictures)


class Source(Protocol):
    """What the loop reads: a pack (random access) or a stream (read in order).

    The batches of a run are numbered, and the n-th is a function of the source's seed and n alone; the number of batches
    drawn is the position that a checkpoint keeps. A stream may refuse to go back, but for its first few batches, which
    calibration asks for several times.
    """

    @property
    def size(self) -> int | None:
        """How many different pictures there are; None where nobody knows."""
        ...

    def batch(self, number: int) -> Batch:
        """The ``number``-th batch of the run, counted from 0."""
        ...


# --- one step of the game ---------------------------------------------------------------------------------------------


class Draw:
    """Seeded random numbers for one turn: drawn for the global batch, sliced for this process.

    Two draws with the same key give the same numbers, on any number of processes.
    """

    def __init__(self, key: int, device: torch.device | str = "cpu", *, rank: int = 0, processes: int = 1) -> None:
        self._generator = torch.Generator(device=device).manual_seed(key)
        self._device = device
        self._rank, self._processes = rank, processes

    def _slice(self, rows: Tensor) -> Tensor:
        n = len(rows) // self._processes
        return rows[self._rank * n : (self._rank + 1) * n]

    def normal(self, n: int, *shape: int) -> Tensor:
        """n×shape numbers from N(0, 1) for this process's n pictures."""
        return self._slice(torch.randn(n * self._processes, *shape, generator=self._generator, device=self._device))

    def uniform(self, n: int, *shape: int) -> Tensor:
        """n×shape numbers from U(0, 1) for this process's n pictures."""
        return self._slice(torch.rand(n * self._processes, *shape, generator=self._generator, device=self._device))

    def integers(self, high: int, n: int, *shape: int) -> Tensor:
        """n×shape whole numbers from 0 … high − 1 for this process's n pictures."""
        return self._slice(
            torch.randint(high, (n * self._processes, *shape), generator=self._generator, device=self._device)
        )


@dataclass
class Step:
    """What a turn's loss sees.

    Attributes:
        batch: turns share the step's batch; each further repeat of a turn draws a fresh one, which later turns then share.
        fraction: of the budget (of the phase's part of it) spent, in [0, 1); every schedule is a function of it.
        number: how many steps were played before this one.
        draw: all randomness inside a loss comes from here.
    """

    batch: Batch
    fraction: float
    number: int
    draw: Draw
    _memo: dict[str, tuple[Any, tuple[nn.Module, ...]]] = field(default_factory=dict, repr=False)

    def due(self, *, every: int) -> bool:
        """Whether a lazy regulariser that acts on every ``every``-th step acts now."""
        return self.number % every == 0

    def remember(self, name: str, make: Callable[[], T], *, made_by: Sequence[nn.Module]) -> T:
        """The result of ``make()``, made once and shared by the turns of this step.

        It is forgotten as soon as one of the nets in ``made_by`` changes: G may reuse the fakes that D judged, but not
        D's verdicts on them from before D moved.
        """
        if name not in self._memo:
            self._memo[name] = (make(), tuple(made_by))
        value: T = self._memo[name][0]
        return value

    def forget(self, changed: nn.Module) -> None:
        """Drop what ``changed`` helped to make (called by run_step after the optimizer moved it)."""
        stale = [name for name, (_, makers) in self._memo.items() if any(net is changed for net in makers)]
        for name in stale:
            del self._memo[name]


@dataclass(frozen=True)
class Losses:
    """What a turn returns: the scalar to minimise, and numbers for the log (tensors stay on the device until printed)."""

    total: Tensor
    parts: Mapping[str, Tensor] = field(default_factory=dict)


def constant(fraction: float) -> float:
    """The learning-rate schedule that never changes: factor 1 at every fraction of the budget."""
    return 1.0


@dataclass(frozen=True)
class Turn:
    """One player's move.

    Attributes:
        name: "D", "G" … names the player's losses in the log.
        player: the only net whose weights this turn may change.
        optimizer: over the player's parameters.
        loss: the scalar to minimise and what to log; no backward inside.
        repeats: steps of this player before the next one moves, each with a fresh batch and fresh draws.
        learning_rate: factor by the fraction of the phase's budget spent.
    """

    name: str
    player: nn.Module
    optimizer: Optimizer
    loss: Callable[[Step], Losses]
    repeats: int = 1
    learning_rate: Callable[[float], float] = constant


@dataclass(frozen=True)
class Phase:
    """A stretch of the run with its own turns (SRResNet, then SRGAN). Most systems have one.

    Attributes:
        name: names the phase's Model (``RUN:name``).
        share: of the budget; the shares of a system's phases add up to 1.
        turns: who moves, in order.
    """

    name: str
    share: float
    turns: Sequence[Turn]


# --- what a system is made of -----------------------------------------------------------------------------------------


class Section(BaseModel):
    """Base of a config's sections (``d.widths``): frozen, unknown names refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False)


class Config(Section):
    """Base of every system's config: frozen, keyword-only, unknown names refused, units in the names.

    A system adds its own fields; these are the ones that whoever plays the game reads.
    """

    batch_size: int = Field(64, ge=2, description="pictures of one step, over all processes")
    ema_halflife_kimg: float = Field(10.0, ge=0, description="half-life of the averaged weights; 0 keeps the raw ones")
    ema_rampup: float = Field(
        0.05,
        gt=0,
        description="the half-life is at most this share of the pictures seen, so that the start is forgotten",
    )
    report_every_steps: int | None = Field(
        None, ge=1, description="steps between two reports; by default about a hundred reports a run"
    )


class PictureConfig(Config):
    """Base of the configs of systems that learn from pictures: what the loop and the Model read."""

    height: int = Field(gt=0, description="pixels of a picture from top to bottom")
    width: int = Field(gt=0, description="pixels of a picture from left to right")
    channels: Literal[3] = Field(3, description="red, green, blue")


class Generator(nn.Module, ABC):
    """A net of two graphs, so that truncation, mixing and editing are written once, in w.

    Attributes:
        z_size: Z, numbers in a latent.
        z_distribution: "normal" for N(0, 1), "uniform" for U(−1, 1).
    """

    z_size: int
    z_distribution: Literal["normal", "uniform"]

    @abstractmethod
    def map(self, z: Tensor, condition: Condition | None = None) -> Tensor:
        """z N×Z → w N×L×D. The identity (L = 1) for systems without a mapping."""

    @abstractmethod
    def synthesize(self, w: Tensor) -> Tensor:
        """w N×L×D → pictures N×C×H×W in [−1, 1]; what lies beyond is clipped where pictures are stored or shown."""

    def forward(self, z: Tensor, condition: Condition | None = None) -> Tensor:
        """z N×Z → pictures N×C×H×W in [−1, 1]."""
        return self.synthesize(self.map(z, condition))

    def latents(self, draw: Draw, n: int) -> Tensor:
        """n×Z latents for training."""
        if self.z_distribution == "normal":
            return draw.normal(n, self.z_size)
        return draw.uniform(n, self.z_size) * 2 - 1


class Discriminator(nn.Module, ABC):
    """A critic of pictures. Those of one kind are judged together, as in training: batch statistics need it.

    Attributes:
        finest_first: names of lists of layers that are counted from the pixels on, so that in a net for larger pictures the
            same layer has another number.
        group: pictures whose spread it is told at once; as many, or a multiple, are judged together.
        aside: names of layers that no verdict passes: those of a further task that it has in training.
    """

    finest_first: ClassVar[tuple[str, ...]] = ()
    aside: ClassVar[tuple[str, ...]] = ()
    group: int = 1

    @abstractmethod
    def features(self, pictures: Tensor) -> list[Tensor]:
        """pictures N×C×H×W → the feature maps after each layer, finest first."""

    @abstractmethod
    def forward(self, pictures: Tensor, condition: Condition | None = None) -> Tensor:
        """pictures N×C×H×W → N logits, positive for real."""

    def verdicts(self, pictures: Tensor, condition: Condition | None = None, *, border: float = 0.0) -> Tensor:
        """pictures N×C×H×W → N numbers in 0 … 1, how real each is found; float64, on the CPU.

        Args:
            pictures: in [−1, 1].
            condition: what was asked for.
            border: the logit between real and made pictures. It is 0, and the numbers are probabilities, but where the loss
                only compares (`System.compares`).
        """
        logits: Tensor = self(pictures, condition)
        return (logits.cpu().double() - border).sigmoid()


@dataclass(frozen=True)
class Layout:
    """How a system's nets lie in memory; calibration times at most three and keeps the fastest.

    Attributes:
        name: goes into the plan.
        apply: moves the system's nets into the layout, in place.
    """

    name: str
    apply: Callable[[System], None]


def _move(memory_format: torch.memory_format) -> Callable[[System], None]:
    def apply(system: System) -> None:
        for net in system.nets.values():
            net.to(memory_format=memory_format)  # type: ignore[call-overload]

    return apply


CONTIGUOUS = Layout("contiguous", _move(torch.contiguous_format))
CHANNELS_LAST = Layout("channels-last", _move(torch.channels_last))


class System(ABC):
    """One published method: a file of `ganforge.systems` with its config, nets, losses, turns and recipes.

    Attributes:
        name: as in model.json.
        kind: what its Model does. A "generator" has a discriminator beside it; a "net" (a classifier, an encoder …) plays
            alone.
        config_class: validates and documents the config.
        averaged: the nets whose moving average is sampled and saved.
        parts: the nets that the saved Model keeps.
        precisions: that its pictures were looked at with, the likelier to be fast first.
        config: as resolved.
        nets: every net that learns, by name.
        state: what is neither weight nor optimizer (mean w, augmentation strength …); checkpoints carry it.
    """

    name: ClassVar[str]
    kind: ClassVar[Kind] = "generator"
    config_class: ClassVar[type[Config]]
    averaged: ClassVar[tuple[str, ...]] = ("generator",)
    parts: ClassVar[tuple[str, ...]] = ("generator", "discriminator")
    precisions: ClassVar[tuple[str, ...]] = ("bf16", "fp32")

    @property
    def compares(self) -> bool:
        """Whether its loss only compares real with made pictures, so that D's logit 0 is no border between them."""
        return False

    @property
    def distilled(self) -> int:
        """F, how many features of each real picture its losses ask for (`Batch.features`); 0 for none."""
        return 0

    def __init__(self, config: Config) -> None:
        self.config = config
        self.nets = self.make_nets(config)
        self.state: dict[str, Tensor] = {}

    @classmethod
    @abstractmethod
    def make_nets(cls, config: Any) -> dict[str, nn.Module]:
        """Freshly initialised nets by name; drawn from torch's global random state."""

    @classmethod
    def fitted(cls, config: Any, pictures: int, saturated: float = 0.0) -> Any:
        """The config for a collection of that many pictures to train on, such a share of whose values are at the ends of their
        range (`Pack.saturated`); most systems do not ask.
        """
        return config

    @classmethod
    def continued(cls, config: Any, before: Any) -> Any:
        """The config for nets that begin with the weights of a Model of the config ``before``: what is left open and weights
        depend on stays as it was; in most systems nothing is.
        """
        return config

    @abstractmethod
    def turns(self) -> Sequence[Turn]:
        """Who moves, in order. Makes the optimizers, so call it once, after `to`."""

    def phases(self) -> Sequence[Phase]:
        """The stretches of a run; one, unless the method has more."""
        return (Phase("main", 1.0, self.turns()),)

    def after_step(self, step: Step) -> None:  # noqa: B027 - most systems have no state to update
        """Update `state` when all turns of a step have moved."""

    def layouts(self) -> Sequence[Layout]:
        """Memory layouts worth timing, the likeliest first; at most three."""
        return (CHANNELS_LAST, CONTIGUOUS)

    def to(self, device: torch.device) -> System:
        """Move nets and state to ``device``, in place."""
        for net in self.nets.values():
            net.to(device)
        self.state = {name: value.to(device) for name, value in self.state.items()}
        return self


@dataclass(frozen=True)
class Recipe:
    """A system with a preset: what ``--recipe NAME`` names.

    Attributes:
        name: as the user types it.
        system: the method.
        make: (height, width) → config.
        about: one line for ``--help`` and lists.
        size: (height, width) where the recipe is made for one size; None where it takes any.
        brief: as ``make``, for budgets in which the nets of that one would move too seldom; None where it serves for all.
        accelerated: settings, as ``--set`` takes them, that differ on accelerators.
    """

    name: str
    system: type[System]
    make: Callable[[int, int], PictureConfig]
    about: str
    size: tuple[int, int] | None = None
    brief: Callable[[int, int], PictureConfig] | None = None
    accelerated: Mapping[str, str] = field(default_factory=dict)
