"""A lean style-based GAN: the best pictures that a machine can learn in the minutes it is given.

After StyleGAN2 (Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", arXiv 1912.04958): a mapping network,
convolutions modulated by styles, pictures summed over resolutions, a residual discriminator with minibatch standard
deviation, non-saturating or relativistic loss with lazy R1, averaged weights, truncation. Recipes:

    style    any size; nets that two CPU cores train in minutes and a browser runs in milliseconds

Where we deviate, and why:
- D judges places as well as pictures, at every level but the finest: more is told to G by a step.
- Activations are scaled, not weights, and the styles of a layer are brought to second moment 1 where StyleGAN2 divides by the
  norm of the modulated weights: what comes out keeps its size as well, and no step squares every weight of the net.
- One convolution a resolution, before the maps grow: a 3×3 kernel at the coarse side costs a quarter.
- All kernels are 3×3 with stride 1, growth and halving are nearest neighbour and mean: those are the convolutions that CPUs
  have fast code for (bench/convolutions.py).
- Equalised learning rates without multiplications (`ganforge.ops.equalised`).

Shapes: N pictures · Z, W sizes of z and w · L layers · C maps · H×W pixels; see `ganforge.game`.
"""

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

import torch
import torch.nn.functional as F  # noqa: N812
from pydantic import Field, model_validator
from torch import Tensor, nn

from ganforge import losses
from ganforge.game import (
    CHANNELS_LAST,
    Condition,
    Discriminator,
    Draw,
    Generator,
    Layout,
    Losses,
    PictureConfig,
    Recipe,
    Section,
    Step,
    System,
    Turn,
)
from ganforge.ops.augmentation import NUMBERS, adapted, augment
from ganforge.ops.equalised import RELU_GAIN, EqualisedConv2d, EqualisedLinear, adam, leaky
from ganforge.ops.minibatch import minibatch_stddev
from ganforge.ops.schedules import falling

FIRST_STROKES = 0.3
"""What each resolution draws at first, as a share of the range: with 1 the first pictures glare, and D learns glare."""

AUGMENTED = ((10_000, 0.3),)
"""Probability of each change of what D sees, for collections of at most so many pictures."""
ADAPT_EVERY_STEPS = 4
"""Steps between two looks at how sure D is (arXiv 2006.06676, §3.1)."""

# --- config -----------------------------------------------------------------------------------------------------------

Width = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Probability = Annotated[float, Field(ge=0, le=1)]


class GeneratorConfig(Section):
    """Nets of G."""

    widths: tuple[Width, ...] = Field(min_length=1, description="maps from coarse to fine; each step doubles the sides")
    convs: tuple[Width, ...] = Field(min_length=1, description="convolutions at each of these resolutions")
    map_layers: int = Field(2, ge=1, description="of the mapping network")
    map_rate: float = Field(0.01, gt=0, description="the mapping network's share of the learning rate")


class DiscriminatorConfig(Section):
    """Nets of D."""

    widths: tuple[Width, ...] = Field(min_length=1, description="maps from fine to coarse; each step halves the sides")
    convs: tuple[Count, ...] = Field(min_length=1, description="residual convolutions at each of these resolutions")
    places: bool = Field(True, description="whether every place of every level but the finest is judged, too")
    look: int = Field(128, ge=1, description="maps of the last convolution, at half the sides of the coarsest level")
    head: int = Field(256, ge=1, description="size of the last hidden layer")
    minibatch_group: int = Field(4, ge=2, description="pictures whose spread D is told")


class GameConfig(PictureConfig):
    """How style-based nets are played, whatever they look like."""

    z_size: int = Field(128, ge=1, description="numbers in a latent")
    w_size: int = Field(128, ge=1, description="numbers in a style")
    mixing: float = Field(0.0, ge=0, le=1, description="share of made pictures whose layers take two styles")
    loss: Literal["non_saturating", "relativistic"] = Field("non_saturating", description="of both players")
    r1_gamma: float = Field(0.02, ge=0, description="γ of γ/2·‖∇D‖² at real pictures")
    r1_every_steps: int = Field(8, ge=1, description="steps between two penalties, each weighted by their number")
    augment: Probability | Literal["adaptive", "by_count"] = Field(
        "by_count",
        description="probability of each change of what D sees, by_count: by how many pictures there are, adaptive: "
        "by how sure D is",
    )
    augment_kimg: float = Field(500.0, gt=0, description="thousands of pictures in which it may adapt from 0 to 1")
    g_learning_rate: float = Field(1e-2, gt=0, description="Adam's, of G")
    d_learning_rate: float = Field(1e-2, gt=0, description="Adam's, of D")
    beta1: float = Field(0.0, ge=0, lt=1, description="Adam's")
    beta2: float = Field(0.99, ge=0, lt=1, description="Adam's")
    falls_from: float = Field(0.3, ge=0, le=1, description="fraction of the budget from which the learning rates fall")
    falls_to: float = Field(0.05, ge=0, le=1, description="share of them that is left at the end")


class StyleConfig(GameConfig):
    """A lean style-based GAN."""

    g: GeneratorConfig
    d: DiscriminatorConfig
    fold: int = Field(
        1, ge=1, description="side of the block of pixels that one place of the finest maps draws (arXiv 1609.05158)"
    )

    @model_validator(mode="after")
    def _lengths_fit(self) -> "StyleConfig":
        for name, section in (("g", self.g), ("d", self.d)):
            if len(section.widths) != len(section.convs):
                raise ValueError(
                    f"{name}.convs has {len(section.convs)} entries for the {len(section.widths)} of {name}.widths"
                )
            if self.fold << (len(section.widths) - (name == "g")) > min(self.height, self.width):
                raise ValueError(f"{name}.widths halve {self.width}x{self.height} pictures too often")
        return self


def coarsest(config: StyleConfig, halvings: int) -> tuple[int, int]:
    """(height, width) of the coarsest maps; where doubling them does not end at the picture's size, it ends above."""
    step = config.fold << halvings
    return math.ceil(config.height / step), math.ceil(config.width / step)


# --- nets -------------------------------------------------------------------------------------------------------------


def unit(x: Tensor) -> Tensor:
    """N×K → the same direction with second moment 1."""
    return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


class Modulated(nn.Module):
    """A convolution of maps that are scaled, map by map, by what the style asks for."""

    def __init__(self, before: int, after: int, w_size: int, *, kernel: int = 3, gain: float = RELU_GAIN) -> None:
        super().__init__()
        self.style = EqualisedLinear(w_size, before, gain=1.0, bias=1.0)
        self.conv = EqualisedConv2d(before, after, kernel, gain=gain)

    def forward(self, maps: Tensor, w: Tensor) -> Tensor:
        """maps N×A×H×W, w N×W → N×B×H×W. Styles are float32 whatever the maps are."""
        with torch.autocast(w.device.type, enabled=False):
            scale = unit(self.style(w.float()))
        made: Tensor = self.conv(maps * scale.to(maps.dtype)[:, :, None, None])
        return made


class StyledGenerator(Generator):
    """A mapping network and layers that each take a style of their own.

    Attributes:
        layers: L.
        height, width: of the pictures, pixels.
    """

    layers: int
    height: int
    width: int

    @abstractmethod
    def style(self, z: Tensor, condition: Condition | None = None) -> Tensor:
        """z N×Z → w N×W: the mapping network, in float32."""

    def map(self, z: Tensor, condition: Condition | None = None) -> Tensor:
        """z N×Z → w N×L×W, the same for every layer. In float32."""
        with torch.autocast(z.device.type, enabled=False):
            w = self.style(z, condition)
        return w.unsqueeze(1).repeat(1, self.layers, 1)

    def cut(self, picture: Tensor) -> Tensor:
        """N×3×H'×W' → its middle N×3×H×W: what was drawn may be larger than the picture."""
        top, left = (picture.shape[2] - self.height) // 2, (picture.shape[3] - self.width) // 2
        return picture[:, :, top : top + self.height, left : left + self.width]

    def mixed(
        self,
        z: Tensor,
        condition: Condition | None = None,
        second: Tensor | None = None,
        crossing: Tensor | None = None,
    ) -> Tensor:
        """z N×Z → w N×L×W; layers from ``crossing`` (N, in 1 … L) on take the styles of the latents ``second``, N×Z.

        Style mixing (StyleGAN, arXiv 1812.04948, §3.1), which teaches layers not to rely on one another.
        """
        w = self.map(z, condition)
        if second is None or crossing is None:
            return w
        later = torch.arange(self.layers, device=w.device) >= crossing[:, None]
        return torch.where(later[:, :, None], self.map(second, condition), w)

    def forward(self, z: Tensor, condition: Condition | None = None, *mixing: Tensor | None) -> Tensor:
        """z N×Z → pictures N×3×H×W; ``mixing`` as `mixed` takes it."""
        return self.synthesize(self.mixed(z, condition, *mixing))


class StyleGenerator(StyledGenerator):
    """z N×Z → w N×L×W → maps that begin at a learned constant and double → pictures, summed over resolutions."""

    def __init__(self, config: StyleConfig) -> None:
        super().__init__()
        g = config.g
        self.z_size, self.z_distribution = config.z_size, "normal"
        self.height, self.width, self.fold = config.height, config.width, config.fold
        self.mapping = nn.ModuleList(
            EqualisedLinear(config.w_size if i else config.z_size, config.w_size, rate=g.map_rate)
            for i in range(g.map_layers)
        )
        self.start = nn.Parameter(torch.randn(1, g.widths[0], *coarsest(config, len(g.widths) - 1)))
        self.levels, self.draws = nn.ModuleList(), nn.ModuleList()
        for width, after, count in zip(g.widths, (*g.widths[1:], g.widths[-1]), g.convs, strict=True):
            ends = [width] * count + [after]
            self.levels.append(nn.ModuleList(Modulated(a, b, config.w_size) for a, b in pairwise(ends)))
            self.draws.append(Modulated(after, 3 * config.fold**2, config.w_size, kernel=1, gain=FIRST_STROKES))
        self.layers = sum(g.convs) + 1

    def style(self, z: Tensor, condition: Condition | None = None) -> Tensor:
        """z N×Z → w N×W."""
        w = unit(z.float())
        for layer in self.mapping:
            w = leaky(layer(w))
        return w

    def synthesize(self, w: Tensor) -> Tensor:
        """w N×L×W → pictures N×3×H×W; a few values lie beyond [−1, 1] and are clipped where pictures are stored."""
        maps = self.start.expand(len(w), -1, -1, -1)
        if torch.is_autocast_enabled(w.device.type):
            maps = maps.to(torch.get_autocast_dtype(w.device.type))
        picture, layer = None, 0
        for level, draw in zip(self.levels, self.draws, strict=True):
            if picture is not None:
                maps = F.interpolate(maps, scale_factor=2.0, mode="nearest")
                picture = F.interpolate(picture, scale_factor=2.0, mode="bilinear", align_corners=False)
            for conv in level:  # type: ignore[attr-defined]
                maps = leaky(conv(maps, w[:, layer]))
                layer += 1
            drawn = F.pixel_shuffle(draw(maps, w[:, layer]).float(), self.fold)
            picture = drawn if picture is None else picture + drawn
        assert picture is not None
        return self.cut(picture)


class Level(nn.Module):
    """D at one resolution: halve (not the first), a convolution to the new width, then residual ones."""

    def __init__(self, before: int, after: int, convs: int, *, halve: bool) -> None:
        super().__init__()
        self.halve = halve
        self.enter = EqualisedConv2d(before, after)
        self.convs = nn.ModuleList(EqualisedConv2d(after, after, gain=1.0) for _ in range(convs))

    def forward(self, maps: Tensor) -> Tensor:
        """N×A×H×W → N×B×H×W, or half the sides."""
        maps = leaky(self.enter(F.avg_pool2d(maps, 2) if self.halve else maps))
        for conv in self.convs:
            maps = maps + leaky(conv(maps))
        return maps


class StyledDiscriminator(Discriminator):
    """A critic that may judge places as well.

    Attributes:
        places: P of each level whose places are judged.
        group: pictures whose spread is told.
    """

    places: tuple[int, ...] = ()
    group: int

    @abstractmethod
    def forward(self, pictures: Tensor, condition: Condition | None = None, everywhere: bool = False) -> Tensor:
        """pictures N×3×H×W → N logits, positive for real; ``everywhere`` N×(1 + ΣP), those of the places after them."""


class StyleDiscriminator(StyledDiscriminator):
    """Blocks of pixels → levels → the spread of the batch beside the last maps → one logit."""

    finest_first = ("levels", "spots")

    def __init__(self, config: StyleConfig) -> None:
        super().__init__()
        d = config.d
        self.fold, self.group = config.fold, d.minibatch_group
        height, width = coarsest(config, len(d.widths))
        step = config.fold << len(d.widths)
        self.missing = (width * step - config.width, height * step - config.height)
        self.levels = nn.ModuleList(
            Level(before, after, convs, halve=i > 0)
            for i, (before, after, convs) in enumerate(
                zip((3 * config.fold**2, *d.widths[:-1]), d.widths, d.convs, strict=True)
            )
        )
        self.look = EqualisedConv2d(d.widths[-1] + 1, d.look)
        self.hidden = EqualisedLinear(d.look * height * width, d.head)
        self.judge = EqualisedLinear(d.head, 1, gain=1.0)
        self.spots = nn.ModuleList(EqualisedConv2d(maps, 1, 1, gain=1.0) for maps in d.widths[1:] if d.places)
        self.places = tuple((height * width) << 2 * i for i in range(len(self.spots), 0, -1))

    def features(self, pictures: Tensor) -> list[Tensor]:
        """pictures N×3×H×W → the maps of each level, finest first. Sides that do not divide are filled up with grey."""
        if any(self.missing):
            right, bottom = self.missing
            pictures = F.pad(pictures, (right // 2, right - right // 2, bottom // 2, bottom - bottom // 2))
        blocks = F.pixel_unshuffle(pictures, self.fold)
        found = [blocks.contiguous(memory_format=torch.channels_last)]
        for level in self.levels:
            found.append(level(found[-1]))
        return found[1:]

    def forward(self, pictures: Tensor, condition: Condition | None = None, everywhere: bool = False) -> Tensor:
        """pictures N×3×H×W → N logits, positive for real; ``everywhere`` N×(1 + ΣP), those of the places after them."""
        found = self.features(pictures)
        maps = leaky(self.look(minibatch_stddev(F.avg_pool2d(found[-1], 2), self.group)))
        logits: Tensor = self.judge(leaky(self.hidden(maps.flatten(1))))
        if not everywhere:
            return logits.squeeze(1)
        spots = (spot(maps).flatten(1) for spot, maps in zip(self.spots, found[1:], strict=False))
        return torch.cat((logits, *spots), 1)


# --- the game ---------------------------------------------------------------------------------------------------------


class Style(System):
    """D and G move once a step each; G reuses the pictures that D has just judged."""

    name = "style"
    config_class: ClassVar[type[GameConfig]] = StyleConfig
    config: GameConfig
    generator: StyledGenerator
    discriminator: StyledDiscriminator

    def __init__(self, config: GameConfig) -> None:
        super().__init__(config)
        self.generator, self.discriminator = self.nets["generator"], self.nets["discriminator"]  # type: ignore[assignment]
        if config.augment == "adaptive":
            self.state = {"augment": torch.zeros(()), "signs": torch.zeros(())}

    @classmethod
    def make_nets(cls, config: Any) -> dict[str, nn.Module]:
        """G and D, freshly initialised."""
        return {"generator": StyleGenerator(config), "discriminator": StyleDiscriminator(config)}

    @classmethod
    def fitted(cls, config: Any, pictures: int) -> Any:
        """Augmentation by the number of pictures."""
        if config.augment != "by_count":
            return config
        p = next((p for most, p in AUGMENTED if pictures <= most), 0.0)
        return config.model_copy(update={"augment": p})

    def fakes(self, step: Step) -> Tensor:
        """N×3×H×W generated pictures, with G's gradient; made once a step."""

        def make() -> Tensor:
            pictures: Tensor = self.generator(*self.latents(step, len(step.batch)))
            return pictures

        return step.remember("fakes", make, made_by=[self.generator])

    def latents(self, step: Step, n: int) -> tuple[Tensor, Condition | None, Tensor | None, Tensor | None]:
        """What G draws n pictures from: z, the condition, and for style mixing second latents and where they begin."""
        g, condition = self.generator, step.batch.condition
        z = g.latents(step.draw, n)
        if not self.config.mixing:
            return z, condition, None, None
        second = g.latents(step.draw, n)
        mixed = step.draw.uniform(n) < self.config.mixing
        return z, condition, second, torch.where(mixed, 1 + step.draw.integers(g.layers - 1, n), g.layers)

    def seen(self, pictures: Tensor, step: Step) -> Tensor:
        """What D is shown of pictures."""
        p = self.config.augment
        if p == "adaptive":
            return self.changed(pictures, step.draw, self.state["augment"])
        return self.changed(pictures, step.draw, p) if isinstance(p, float) and p > 0 else pictures

    def changed(self, pictures: Tensor, draw: Draw, p: Tensor | float) -> Tensor:
        """Pictures with each kind of change applied with probability p."""
        return augment(pictures, draw.uniform(len(pictures), NUMBERS), colour=p, translation=p, cutout=p)

    def after_step(self, step: Step) -> None:
        """Every four steps the strength of augmentation follows how sure D is."""
        if self.config.augment != "adaptive":
            return
        state = self.state
        state["signs"] = state["signs"] + step.remember("signs", lambda: state["signs"] * 0, made_by=())
        if (step.number + 1) % ADAPT_EVERY_STEPS == 0:
            share = ADAPT_EVERY_STEPS * self.config.batch_size / (1000 * self.config.augment_kimg)
            state["augment"] = adapted(state["augment"], state["signs"] / ADAPT_EVERY_STEPS, share)
            state["signs"] = torch.zeros_like(state["signs"])

    def discriminator_loss(self, step: Step) -> Losses:
        """The game's loss, and γ/2·k·‖∇D‖² at real pictures on every k-th step (lazy regularisation, arXiv 1912.04958)."""
        c, d = self.config, self.discriminator
        due = c.r1_gamma > 0 and step.due(every=c.r1_every_steps)
        pictures, made = step.batch.pictures.detach().requires_grad_(due), self.fakes(step).detach().float()
        real, fake = self.seen(pictures, step), self.seen(made, step)
        if due or len(real) % d.group:  # the slope's slope is taken through real pictures alone
            with self.exactly(real.device.type):
                told = d(real, everywhere=True)
            lied = d(fake, everywhere=True).to(told.dtype)
        else:  # alternating, so that groups of minibatch stddev stay all real or all made
            both = d(torch.stack((real, fake), 1).flatten(0, 1), everywhere=True)
            told, lied = both[::2], both[1::2]
        surely = (told - lied if c.loss == "relativistic" else told)[:, 0].detach()
        step.remember("signs", lambda: surely.sign().mean(), made_by=())
        told, lied = self.apart(told), self.apart(lied)
        if c.loss == "relativistic":
            each = [{"pairs": losses.relativistic_discriminator(t, f)} for t, f in zip(told, lied, strict=True)]
        else:
            each = [
                {"real": losses.discriminator_real(t), "fake": losses.discriminator_fake(f)}
                for t, f in zip(told, lied, strict=True)
            ]
        total = torch.stack([part for parts in each for part in parts.values()]).sum()
        if due:
            scores = torch.stack([logits.mean(1) for logits in told]).sum(0)
            total = total + c.r1_gamma / 2 * c.r1_every_steps * losses.squared_slope(scores, pictures)
        return Losses(total, each[0])

    @contextmanager
    def exactly(self, device: str) -> Iterator[None]:
        """The context of a penalty: float32 on accelerators, where it costs little, and not compiled, for compiled passes cannot
        be differentiated twice; on CPUs, where nothing is compiled, as the rest of the step.
        """
        if device == "cpu":
            yield
            return
        with torch.compiler.set_stance("force_eager"), torch.autocast(device, enabled=False):
            yield

    def generator_loss(self, step: Step) -> Losses:
        """−log D(G(z)), or G's side of the pairs."""
        d = self.discriminator
        lied = self.apart(d(self.seen(self.fakes(step), step), everywhere=True))
        if self.config.loss == "non_saturating":
            each = [losses.generator_non_saturating(logits) for logits in lied]
        else:
            with torch.no_grad():
                told = self.apart(d(self.seen(step.batch.pictures, step), everywhere=True))
            each = [losses.relativistic_generator(t, f) for t, f in zip(told, lied, strict=True)]
        return Losses(torch.stack(each).sum(), {"picture": each[0]} if len(each) > 1 else {})

    def apart(self, logits: Tensor) -> Sequence[Tensor]:
        """D's logits N×(1 + ΣP) → N×1 of whole pictures, and N×P of the places of each level: every one a loss of its own."""
        parts: Sequence[Tensor] = logits.split((1, *self.discriminator.places), 1)  # type: ignore[no-untyped-call]
        return parts

    def layouts(self) -> Sequence[Layout]:
        """Channels last alone: its convolutions were up to twice as fast, and a few timed steps on a busy machine may say
        otherwise.
        """
        return (CHANNELS_LAST,)

    def turns(self) -> Sequence[Turn]:
        """D, then G."""
        c, betas = self.config, (self.config.beta1, self.config.beta2)
        fall = falling(c.falls_from, c.falls_to)
        d, g = self.discriminator, self.generator
        return (
            Turn("D", d, adam(d, c.d_learning_rate, betas), self.discriminator_loss, learning_rate=fall),
            Turn("G", g, adam(g, c.g_learning_rate, betas), self.generator_loss, learning_rate=fall),
        )


# --- recipes ----------------------------------------------------------------------------------------------------------


WIDTHS = (256, 256, 128, 64, 16, 8, 8, 8, 8)
"""Maps from 4×4 on. The few at the fine end cost little; where one place drew two by two pixels instead, first tries showed a
lattice (`fold`; bench/study.py asks again).
"""


def style(height: int, width: int) -> StyleConfig:
    """Nets for any size: from 3 to 5 places on the shorter side down to the pixel."""
    octaves = 2
    while min(height, width) > 5 << (octaves - 1):
        octaves += 1
    widths = WIDTHS[:octaves]
    return StyleConfig(
        height=height,
        width=width,
        g=GeneratorConfig(widths=widths, convs=(1,) * octaves),
        d=DiscriminatorConfig(widths=widths[:0:-1], convs=(0,) * (octaves - 1)),
        loss="relativistic",
        batch_size=16,
    )


RECIPES = (Recipe("style", Style, style, "style-based, for any size"),)
