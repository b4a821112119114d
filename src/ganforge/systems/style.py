"""A lean style-based GAN: the best pictures that a machine can learn in the minutes it is given.

After StyleGAN2 (Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", arXiv 1912.04958): a mapping network,
convolutions modulated by styles, pictures summed over resolutions, a discriminator with minibatch standard
deviation, non-saturating or relativistic loss with lazy R1 and R2, averaged weights, truncation. Recipes:

    style    any size; nets that two CPU cores train in minutes and a browser runs in milliseconds

Where we deviate, and why:
- D is a plain stack of convolutions, with residual ones at its two finest levels and everywhere from 32×32 on.
- Activations are scaled, not weights, and the styles of a layer are brought to second moment 1 where StyleGAN2 divides by the
  norm of the modulated weights: what comes out keeps its size as well, and no step squares every weight of the net. What each
  resolution draws keeps no size, as in StyleGAN2: styles say how much of it there is.
- One convolution a resolution, two at 32×32 and 64×64. Maps grow bilinearly, which is StyleGAN2's filter, to the finest
  resolution alone by copies: with copies everywhere dotted lines were left along rows and columns, with the filter
  everywhere smears (bench/STUDY.md).
- All kernels are 3×3 with stride 1, and D halves by means: those are the convolutions that CPUs have fast code for
  (bench/convolutions.py).
- Where much of the real pictures is flat black or white, as half of the pixels of emoji are, made ones end in a tanh that
  reaches −1 and 1; anything that is not exactly so seems to give them away (bench/STUDY.md, “Black and white”).
- Equalised learning rates without multiplications (`ganforge.ops.equalised`), and on CPUs SOAP in Adam's place
  for D (`ganforge.ops.soap`).

Shapes: N pictures · Z, W sizes of z and w · L layers · C maps · H×W pixels; see `ganforge.game`.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Annotated, Literal

import torch
import torch.nn.functional as F  # noqa: N812
from pydantic import Field, field_validator, model_validator
from torch import Tensor, nn

from ganforge.game import Condition, Discriminator, Recipe, Section
from ganforge.ops.equalised import RELU_GAIN, EqualisedConv2d, EqualisedLinear, leaky
from ganforge.ops.minibatch import minibatch_stddev
from ganforge.ops.resample import doubled, halved, interpolated
from ganforge.systems.styled import GameConfig, Noise, StyledGenerator, StyledSystem, unit

FIRST_STROKES = 0.3
"""What each resolution draws at first, as a share of the range: with 1 the first pictures glare, and D learns glare."""
BEYOND = 1.1
"""How far the tanh that ends G would reach; what is beyond [−1, 1] is cut off."""
MUCH_BLACK_OR_WHITE = 0.1
"""Share of real values from which pictures end in it: half of emoji's and of Fashion-MNIST's are, and one to three in a hundred
of faces', flowers' and avatars'."""
FROM_FIRST_STYLES = math.sqrt(0.5)
"""Styles begin as N(1, 1), whose second moment is 2."""
OFFLINE_FEATURES, TAUGHT_FROM = 192, 28
"""What the net that comes along for scores (`ganforge.measures.offline`) finds in a picture, and the pixels a side from which on
D learns to find it too: smaller ones were not tried (bench/STUDY.md)."""

# --- config -----------------------------------------------------------------------------------------------------------

Width = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]


class GeneratorConfig(Section):
    """Nets of G."""

    widths: tuple[Width, ...] = Field(min_length=1, description="maps from coarse to fine; each step doubles the sides")
    convs: tuple[Width, ...] = Field(min_length=1, description="convolutions at each of these resolutions")
    map_layers: int = Field(2, ge=1, description="of the mapping network")
    noise: bool = Field(False, description="whether each convolution's maps get noise of a strength that is learned")
    map_rate: float = Field(0.01, gt=0, description="the mapping network's share of the learning rate")
    output: Literal["linear", "tanh", "by_pictures"] = Field(
        "linear",
        description="how pictures end, tanh: within their range and exactly at its ends, by_pictures: so where much of "
        "the real ones is black or white",
    )


class DiscriminatorConfig(Section):
    """Nets of D."""

    widths: tuple[Width, ...] = Field(min_length=1, description="maps from fine to coarse; each step halves the sides")
    convs: tuple[Count, ...] = Field(min_length=1, description="residual convolutions at each of these resolutions")
    look: int = Field(128, ge=1, description="maps of the last convolution, at half the sides of the coarsest level")
    head: int = Field(256, ge=1, description="size of the last hidden layer")
    minibatch_group: int = Field(4, ge=2, description="pictures whose spread D is told")
    distilled: Count = Field(0, description="features of a frozen net that D learns to find in real pictures; 0: none")

    @field_validator("distilled")
    @classmethod
    def _all_or_none(cls, count: int) -> int:
        if count not in (0, OFFLINE_FEATURES):
            raise ValueError(f"the frozen net finds {OFFLINE_FEATURES} features: distil those, or 0")
        return count


class StyleConfig(GameConfig):
    """A lean style-based GAN."""

    g: GeneratorConfig
    d: DiscriminatorConfig

    @model_validator(mode="after")
    def _lengths_fit(self) -> "StyleConfig":
        for name, section in (("g", self.g), ("d", self.d)):
            if len(section.widths) != len(section.convs):
                raise ValueError(
                    f"{name}.convs has {len(section.convs)} entries for the {len(section.widths)} of {name}.widths"
                )
            if 1 << (len(section.widths) - (name == "g")) > min(self.height, self.width):
                raise ValueError(f"{name}.widths halve {self.width}x{self.height} pictures too often")
        return self


def coarsest(config: StyleConfig, halvings: int) -> tuple[int, int]:
    """(height, width) of the coarsest maps; where doubling them does not end at the picture's size, it ends above."""
    return math.ceil(config.height / 2**halvings), math.ceil(config.width / 2**halvings)


# --- nets -------------------------------------------------------------------------------------------------------------


class Modulated(nn.Module):
    """A convolution of maps that are scaled, map by map, by what the style asks for (`Scales`).

    Args:
        before, after: maps.
        w_size: W.
        kernel: its side, pixels.
        gain: standard deviation of what comes out at first where what comes in has second moment 1.
        keeps_size: whether that stays so, whatever the style.
        noise: (height, width) of the maps that get noise; None for none.
    """

    def __init__(
        self,
        before: int,
        after: int,
        w_size: int,
        *,
        kernel: int = 3,
        gain: float = RELU_GAIN,
        keeps_size: bool = True,
        noise: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.keeps_size = keeps_size
        self.style = EqualisedLinear(w_size, before, gain=1.0, bias=1.0)
        self.conv = EqualisedConv2d(before, after, kernel, gain=gain)
        self.noise = None if noise is None else Noise(*noise)

    def forward(self, scaled: Tensor, fresh: Tensor | None = None) -> Tensor:
        """Scaled maps N×A×H×W, noise N×1×H×W → N×B×H×W."""
        made: Tensor = self.conv(scaled)
        return made if self.noise is None else self.noise(made, fresh)


class Scales(nn.Module):
    """What the maps of every layer are scaled by, from their styles: for all layers at once, which a CPU does faster than a
    dozen small products and their way back (bench/STUDY.md, “Speed”). The weights are those of the layers.

    Args:
        takers: what scales its maps, M in all, with A_1 … A_M maps.
        layers: which of the L styles each takes.
    """

    def __init__(self, takers: Sequence[Modulated], layers: Sequence[int]) -> None:
        super().__init__()
        self.counts = [taker.style.out_features for taker in takers]
        kept = torch.tensor([taker.keeps_size for taker in takers])
        owner = torch.tensor([i for i, count in enumerate(self.counts) for _ in range(count)])
        owned = torch.eye(len(takers))[owner]  # ΣA×M
        self.means = nn.Buffer(owned * (kept / torch.tensor(self.counts)), persistent=False)
        self.spread = nn.Buffer(owned.T.contiguous(), persistent=False)
        self.least = nn.Buffer(torch.where(kept, 1e-8, FROM_FIRST_STYLES**-2), persistent=False)
        self.picks = nn.Buffer(torch.tensor(layers)[owner] * len(owner) + torch.arange(len(owner)), persistent=False)

    def forward(self, w: Tensor, takers: Sequence[Modulated], dtype: torch.dtype) -> Sequence[Tensor]:
        """w N×L×W, or N×1×W for the same in every layer → of each taker N×A×1×1. In float32 up to its end."""
        with torch.autocast(w.device.type, enabled=False):
            weight, bias = (torch.cat([getattr(taker.style, name) for taker in takers]) for name in ("weight", "bias"))
            scale = nn.functional.linear(w.float(), weight, bias).flatten(1)  # N×(L or 1)·ΣA
            if w.shape[1] > 1:
                scale = scale.index_select(1, self.picks)
            size = torch.addmm(self.least, scale.square(), self.means)  # second moments; a constant where none is kept
            scale = scale * (size.rsqrt() @ self.spread)
        return torch.split(scale.to(dtype)[:, :, None, None], self.counts, 1)


def clipped_tanh(picture: Tensor) -> Tensor:
    """N×3×H×W → the same within [−1, 1], and exactly −1 or 1 from ±1.53 on. Slopes are tanh's, at the ends as well."""
    bent = BEYOND * picture.tanh()
    return bent + (bent.clamp(-1, 1) - bent).detach()


class StyleGenerator(StyledGenerator):
    """z N×Z → w N×L×W → maps that begin at a learned constant and double → pictures, summed over resolutions."""

    def __init__(self, config: StyleConfig) -> None:
        super().__init__()
        g = config.g
        self.z_size, self.z_distribution = config.z_size, "normal"
        self.height, self.width = config.height, config.width
        self.output = g.output
        self.mapping = nn.ModuleList(
            EqualisedLinear(config.w_size if i else config.z_size, config.w_size, rate=g.map_rate)
            for i in range(g.map_layers)
        )
        height, width = coarsest(config, len(g.widths) - 1)
        self.start = nn.Parameter(torch.randn(1, g.widths[0], height, width))
        self.levels, self.draws = nn.ModuleList(), nn.ModuleList()
        for i, (before, after, count) in enumerate(zip(g.widths, (*g.widths[1:], g.widths[-1]), g.convs, strict=True)):
            noise = (height << i, width << i) if g.noise else None
            ends = [before] * count + [after]
            self.levels.append(
                nn.ModuleList(Modulated(a, b, config.w_size, noise=noise) for a, b in itertools.pairwise(ends))
            )
            self.draws.append(Modulated(after, 3, config.w_size, kernel=1, gain=FIRST_STROKES, keeps_size=False))
        self.layers = sum(g.convs) + 1
        drawn_at = itertools.accumulate(g.convs)  # with the style of the next resolution's first convolution
        self.scales = Scales(self.takers(), (*range(self.layers - 1), *drawn_at))

    def takers(self) -> list[Modulated]:
        """All that take a style: the convolutions, then what draws."""
        return [*(conv for level in self.levels for conv in level), *self.draws]  # type: ignore[attr-defined]

    def style(self, z: Tensor, condition: Condition | None = None) -> Tensor:
        """z N×Z → w N×W."""
        w = unit(z.float())
        for layer in self.mapping:
            w = leaky(layer(w))
        return w

    def synthesize(self, w: Tensor, noise: Sequence[Tensor] = ()) -> Tensor:
        """See `StyledGenerator.synthesize`."""
        autocast = torch.is_autocast_enabled(w.device.type)
        dtype = torch.get_autocast_dtype(w.device.type) if autocast else self.start.dtype
        maps, picture, fresh = self.start.expand(len(w), -1, -1, -1).to(dtype), None, iter(noise)
        scales = self.scales(w, self.takers(), dtype)
        of_convs, of_draws = iter(scales[: self.layers - 1]), scales[self.layers - 1 :]
        for level, draw, of_draw in zip(self.levels, self.draws, of_draws, strict=True):
            for i, conv in enumerate(level.children()):
                maps = maps * next(of_convs)
                if i == 0 and picture is not None:  # scaled before: they are a quarter as many
                    maps = doubled(maps) if level is self.levels[-1] else interpolated(maps)
                maps = leaky(conv(maps, next(fresh, None)))
            drawn = draw(maps * of_draw).float()
            picture = drawn if picture is None else interpolated(picture) + drawn
        assert picture is not None
        picture = self.cut(picture)
        return clipped_tanh(picture) if self.output == "tanh" else picture


class Level(nn.Module):
    """D at one resolution: halve (not the first), a convolution to the new width, then residual ones."""

    def __init__(self, before: int, after: int, convs: int, *, halve: bool) -> None:
        super().__init__()
        self.halve = halve
        self.enter = EqualisedConv2d(before, after)
        self.convs = nn.ModuleList(EqualisedConv2d(after, after, gain=1.0) for _ in range(convs))

    def forward(self, maps: Tensor) -> Tensor:
        """N×A×H×W → N×B×H×W, or half the sides."""
        maps = leaky(self.enter(halved(maps) if self.halve else maps))
        for conv in self.convs:
            maps = maps + leaky(conv(maps))
        return maps


class StyleDiscriminator(Discriminator):
    """Pictures → levels → the spread of the batch beside the last maps → one logit."""

    finest_first = ("levels",)
    aside = ("find",)

    def __init__(self, config: StyleConfig) -> None:
        super().__init__()
        d = config.d
        self.group = d.minibatch_group
        height, width = coarsest(config, len(d.widths))
        self.missing = ((width << len(d.widths)) - config.width, (height << len(d.widths)) - config.height)
        self.levels = nn.ModuleList(
            Level(before, after, convs, halve=i > 0)
            for i, (before, after, convs) in enumerate(zip((3, *d.widths[:-1]), d.widths, d.convs, strict=True))
        )
        self.look = EqualisedConv2d(d.widths[-1] + 1, d.look)
        self.hidden = EqualisedLinear(d.look * height * width, d.head)
        self.judge = EqualisedLinear(d.head, 1, gain=1.0)
        if d.distilled:
            self.find = EqualisedLinear(d.head, d.distilled, gain=1.0)

    def features(self, pictures: Tensor) -> list[Tensor]:
        """pictures N×3×H×W → the maps of each level, finest first. Sides that do not divide are filled up with grey."""
        if any(self.missing):
            right, bottom = self.missing
            pictures = F.pad(pictures, (right // 2, right - right // 2, bottom // 2, bottom - bottom // 2))
        found = [pictures.contiguous(memory_format=torch.channels_last)]
        for level in self.levels:
            found.append(level(found[-1]))
        return found[1:]

    def forward(self, pictures: Tensor, condition: Condition | None = None, *, finding: bool = False) -> Tensor:
        """pictures N×3×H×W → N logits, positive for real; where it is to find features, N×(1 + F): each logit and those."""
        maps = leaky(self.look(minibatch_stddev(halved(self.features(pictures)[-1]), self.group)))
        hidden = leaky(self.hidden(maps.flatten(1)))
        logits: Tensor = self.judge(hidden)
        return torch.cat((logits, self.find(hidden)), 1) if finding else logits.squeeze(1)


# --- the game ---------------------------------------------------------------------------------------------------------


class Style(StyledSystem):
    """The game of `ganforge.systems.styled` with lean nets."""

    name = "style"
    config_class = StyleConfig
    config: StyleConfig

    @classmethod
    def make_nets(cls, config: StyleConfig) -> dict[str, nn.Module]:
        """G and D, freshly initialised."""
        return {"generator": StyleGenerator(config), "discriminator": StyleDiscriminator(config)}

    @property
    def distilled(self) -> int:
        """F: see `System.distilled`."""
        return self.config.d.distilled

    def judged(self, pictures: Tensor) -> tuple[Tensor, Tensor | None]:
        """See `StyledSystem.judged`."""
        if not self.distilled:
            return super().judged(pictures)
        told: Tensor = self.discriminator(pictures, finding=True)
        return told[:, 0], told[:, 1:]

    @classmethod
    def fitted(cls, config: StyleConfig, pictures: int, saturated: float = 0.0) -> StyleConfig:
        """By how many there are, and how much of them is black or white."""
        made: StyleConfig = super().fitted(config, pictures, saturated)
        return _ending(made, "tanh" if saturated >= MUCH_BLACK_OR_WHITE else "linear")

    @classmethod
    def continued(cls, config: StyleConfig, before: StyleConfig) -> StyleConfig:
        """Pictures end as the Model's did: what was drawn for a tanh may lie far beyond the range that it ends in."""
        return _ending(config, before.g.output)


def _ending(config: StyleConfig, output: str) -> StyleConfig:
    """With pictures that end so, where that was left to the pictures."""
    if config.g.output != "by_pictures":
        return config
    return config.model_copy(update={"g": config.g.model_copy(update={"output": output})})


# --- recipes ----------------------------------------------------------------------------------------------------------


G_WIDTHS, G_CONVS = (256, 192, 96, 48, 24, 8, 8, 8, 8), (1, 1, 1, 2, 2, 1, 1, 1, 1)
"""Maps and convolutions of G from 4×4 on."""
D_WIDTHS, D_CONVS = (256, 128, 64, 32, 16, 8, 8, 8), (0, 0, 1, 1, 1, 1, 1, 1)
"""Maps and residual convolutions of D from 8×8 on. With one convolution in G and none here at 32×32 and 64×64 edges dissolved
(bench/STUDY.md); above that nothing was compared."""
BRIEF_G_WIDTHS, BRIEF_D_WIDTHS = (128, 128, 64, 32, 16, 8, 8, 8, 8), (128, 64, 32, 16, 8, 8, 8, 8)
"""The same for a few minutes, which are better spent on moves than on maps: in 8 minutes of one thread distances were 0.76 of
those of the wider nets on faces, 0.87 on CIFAR-10, 0.96 on avatars (bench/STUDY.md)."""
D_FINEST = 2
"""Levels of D that have a residual convolution whatever their size: KID on CIFAR-10 gained by one at 16×16, its Fréchet distance
did not (bench/STUDY.md)."""
PENALTY, PENALTY_A_PIXEL = 1.0, 2.5e-5
"""γ of R1 and of R2 while D is sure, and γ a pixel that it falls to while D is not: the second was ahead on CIFAR-10, where D,
untaught, is right in two of three pairs. It is StyleGAN2-ADA's, 2·10⁻⁴·pixels / batch (arXiv 2006.06676, auto), at batch 8."""
WEAK_FROM = 64
"""Pixels a side from which on it is γ a pixel all along: level with that rule on faces and ahead of it on avatars, beside a
teacher (bench/STUDY.md)."""

BETA2 = 0.9
"""Of Adam, which R3GAN begins with as well (arXiv 2501.05441). With StyleGAN2's 0.99 scores fell more slowly at first
(bench/STUDY.md)."""

ADAPTS_WITHIN_KIMG = 50.0
"""StyleGAN2-ADA's 500 are more pictures than two cores see in an hour."""


def style(
    height: int, width: int, g_widths: tuple[int, ...] = G_WIDTHS, d_widths: tuple[int, ...] = D_WIDTHS
) -> StyleConfig:
    """Nets for any size: from 3 to 5 places on the shorter side down to the pixel."""
    octaves = 2
    while min(height, width) > 5 << (octaves - 1):
        octaves += 1
    halvings = octaves - 1
    least = height * width * PENALTY_A_PIXEL
    gamma = least if min(height, width) >= WEAK_FROM else max(PENALTY, least)
    return StyleConfig(
        height=height,
        width=width,
        g=GeneratorConfig(widths=g_widths[:octaves], convs=G_CONVS[:octaves], output="by_pictures"),
        d=DiscriminatorConfig(
            widths=d_widths[:halvings][::-1],
            convs=tuple(max(count, int(i < D_FINEST)) for i, count in enumerate(D_CONVS[:halvings][::-1])),
            distilled=OFFLINE_FEATURES if min(height, width) >= TAUGHT_FROM else 0,
        ),
        loss="relativistic",
        batch_size=8,
        r1_gamma=gamma,
        r2_gamma=gamma,
        gamma_least=least / gamma,
        d_optimizer="soap",
        beta2=BETA2,
        augment_kimg=ADAPTS_WITHIN_KIMG,
    )


def brief_style(height: int, width: int) -> StyleConfig:
    """The same with about half the maps."""
    return style(height, width, BRIEF_G_WIDTHS, BRIEF_D_WIDTHS)


RECIPES = (
    Recipe(
        "style",
        Style,
        style,
        "style-based, for any size",
        brief=brief_style,
        accelerated={"batch_size": "32", "d_optimizer": "adam"},
    ),
)
"""Accelerators should hardly be faster with 8 pictures a step than with the 32 that StyleGAN2-ADA's `auto` takes for one of
them up to 128×128, and the many small decompositions of `ganforge.ops.soap` are nothing that they are fast at. Neither was
measured here."""
