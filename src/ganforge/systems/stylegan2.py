"""StyleGAN2 with adaptive discriminator augmentation: the full nets, for a GPU and hours.

Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", arXiv 1912.04958; Karras et al., "Training Generative
Adversarial Networks with Limited Data", arXiv 2006.06676. Values are those of the configuration `auto` of the authors'
PyTorch code for one GPU. Recipes:

    stylegan2    any size; 64 px: 22.2 M weights in G, 23.4 M in D

Where we deviate, and why:
- Activations are scaled by styles and by the demodulation factor, not weights: the same numbers, and no grouped convolution.
- Lazy penalties are added to the loss of their step, instead of being steps of their own with betas and rates adjusted to one
  step more in 16 (D) and 4 (G).
- bfloat16 where the device has it, with no clamp: its range is float32's. The authors' float16 needs one.
- Pictures of any proportions: the coarsest maps have 3 or 4 places on the shorter side, and what is too large is cut off.
- Style mixing, R1 and who moves when are the game of `ganforge.systems.styled`.

Shapes: N pictures · Z, W sizes of z and w · L layers · C maps · H×W pixels; see `ganforge.game`.
"""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from ganforge.game import CHANNELS_LAST, CONTIGUOUS, Condition, Discriminator, Draw, Layout, Losses, Recipe, Step
from ganforge.ops.adaptive import NORMAL, UNIFORM, augment_all
from ganforge.ops.equalised import SLOPE, EqualisedConv2d, EqualisedLinear
from ganforge.ops.minibatch import minibatch_stddev
from ganforge.ops.resample import blur, downsample, upsample
from ganforge.systems.styled import (
    GameConfig,
    Noise,
    Probability,
    StyledGenerator,
    StyledSystem,
    unit,
)

PATHS_DECAY = 0.01
"""Share of a batch's mean path length in the running mean."""

# --- config -----------------------------------------------------------------------------------------------------------


class StyleGan2Config(GameConfig):
    """StyleGAN2-ADA."""

    z_size: int = Field(512, ge=1, description="numbers in a latent")
    w_size: int = Field(512, ge=1, description="numbers in a style")
    map_layers: int = Field(2, ge=1, description="of the mapping network")
    map_rate: float = Field(0.01, gt=0, description="the mapping network's share of the learning rate")
    octaves: int = Field(ge=1, description="doublings from the coarsest maps to the picture")
    maps_times_side: int = Field(
        16384, ge=1, description="maps at a resolution × its side, where it is below most_maps"
    )
    most_maps: int = Field(512, ge=1, description="at any resolution")
    minibatch_group: int = Field(4, ge=2, description="pictures whose spread D is told")
    mixing: float = Field(0.9, ge=0, le=1, description="share of made pictures whose layers take two styles")
    r1_every_steps: int = Field(16, ge=1, description="steps between two penalties, each weighted by their number")
    paths_weight: float = Field(2.0, ge=0, description="of the path-length penalty")
    paths_every_steps: int = Field(4, ge=1, description="steps between two of them, each weighted by their number")
    augment: Probability | Literal["adaptive", "by_count"] = Field(
        "adaptive",
        description="probability of each change of what D sees, by_count: by how many pictures there are, adaptive: "
        "by how sure D is",
    )
    g_learning_rate: float = Field(2.5e-3, gt=0, description="Adam's, of G")
    d_learning_rate: float = Field(2.5e-3, gt=0, description="Adam's, of D")
    falls_from: float = Field(1.0, ge=0, le=1, description="fraction of the budget from which the learning rates fall")

    @model_validator(mode="after")
    def _octaves_fit(self) -> "StyleGan2Config":
        if 1 << self.octaves > min(self.height, self.width):
            raise ValueError(f"octaves halve {self.width}x{self.height} pictures too often")
        return self

    def maps(self, level: int) -> int:
        """At the ``level``-th resolution, 0 the coarsest."""
        return max(1, min(self.maps_times_side // (4 << level), self.most_maps))

    def coarsest(self) -> tuple[int, int]:
        """(height, width) of the coarsest maps."""
        return math.ceil(self.height / 2**self.octaves), math.ceil(self.width / 2**self.octaves)


# --- nets -------------------------------------------------------------------------------------------------------------


def active(x: Tensor) -> Tensor:
    """Leaky ReLU times √2."""
    return nn.functional.leaky_relu(x, SLOPE) * math.sqrt(2)


class Affine(EqualisedLinear):
    """w → what scales each map; all maps alike at first."""

    def __init__(self, w_size: int, maps: int) -> None:
        super().__init__(w_size, maps, gain=1.0, bias=1.0)

    def forward(self, w: Tensor) -> Tensor:
        """N×W → N×C, in float32."""
        with torch.autocast(w.device.type, enabled=False):
            return super().forward(w.float())


class StyledConv(nn.Module):
    """Modulated and demodulated 3×3 convolution, noise, leaky ReLU; may double the maps first."""

    def __init__(self, before: int, after: int, w_size: int, *, places: tuple[int, int], double: bool) -> None:
        super().__init__()
        self.doubles = double
        self.affine = Affine(w_size, before)
        self.conv = EqualisedConv2d(before, after, gain=1.0)
        self.noise = Noise(*places)

    def forward(self, maps: Tensor, w: Tensor, fresh: Tensor | None = None) -> Tensor:
        """maps N×A×H×W, w N×W, noise N×1×H×W → N×B×H×W, or twice the sides."""
        scale = self.affine(w)
        weight = self.conv.weight
        with torch.autocast(w.device.type, enabled=False):
            squares = scale.square() @ weight.float().square().sum((2, 3)).T
            level = (squares + 1e-8).rsqrt()
        maps = maps * scale.to(maps.dtype)[:, :, None, None]
        if (
            self.doubles
        ):  # transposed, then the filter: what a convolution of the doubled maps would give, for a quarter
            maps = blur(nn.functional.conv_transpose2d(maps, weight.transpose(0, 1), stride=2), pad=1, gain=4.0)
        else:
            maps = nn.functional.conv2d(maps, weight, padding=1)
        maps = self.noise(maps * level.to(maps.dtype)[:, :, None, None], fresh)
        assert self.conv.bias is not None
        return active(maps + self.conv.bias.to(maps.dtype)[:, None, None])


class Draws(nn.Module):
    """Maps → red, green and blue: modulated, not demodulated."""

    def __init__(self, before: int, w_size: int) -> None:
        super().__init__()
        self.affine = Affine(w_size, before)
        self.conv = EqualisedConv2d(before, 3, 1, gain=1.0)

    def forward(self, maps: Tensor, w: Tensor) -> Tensor:
        """maps N×C×H×W, w N×W → N×3×H×W, float32."""
        drawn: Tensor = self.conv(maps * self.affine(w).to(maps.dtype)[:, :, None, None])
        return drawn.float()


class StyleGan2Generator(StyledGenerator):
    """z N×Z → w N×L×W → a learned constant that doubles → pictures, summed over resolutions."""

    def __init__(self, config: StyleGan2Config) -> None:
        super().__init__()
        c = config
        self.z_size, self.z_distribution = c.z_size, "normal"
        self.height, self.width = c.height, c.width
        self.mapping = nn.ModuleList(
            EqualisedLinear(c.w_size if i else c.z_size, c.w_size, gain=1.0, rate=c.map_rate)
            for i in range(c.map_layers)
        )
        rows, columns = c.coarsest()
        self.start = nn.Parameter(torch.randn(1, c.maps(0), rows, columns))
        self.convs, self.draws = nn.ModuleList(), nn.ModuleList()
        for level in range(c.octaves + 1):
            places = (rows << level, columns << level)
            if level:
                self.convs.append(StyledConv(c.maps(level - 1), c.maps(level), c.w_size, places=places, double=True))
            self.convs.append(StyledConv(c.maps(level), c.maps(level), c.w_size, places=places, double=False))
            self.draws.append(Draws(c.maps(level), c.w_size))
        self.layers = len(self.convs) + 1

    def style(self, z: Tensor, condition: Condition | None = None) -> Tensor:
        """z N×Z → N×W."""
        w = unit(z.float())
        for layer in self.mapping:
            w = active(layer(w))
        return w

    def synthesize(self, w: Tensor, noise: Sequence[Tensor] = ()) -> Tensor:
        """See `StyledGenerator.synthesize`."""
        w = w.expand(-1, self.layers, -1)
        maps, layer, fresh = self.start.expand(len(w), -1, -1, -1), 0, iter(noise)
        if torch.is_autocast_enabled(w.device.type):
            maps = maps.to(torch.get_autocast_dtype(w.device.type))
        picture: Tensor | None = None
        for draw in self.draws:
            for conv in self.convs[layer : layer + (2 if layer else 1)]:
                maps = conv(maps, w[:, layer], next(fresh, None))
                layer += 1
            drawn = draw(maps, w[:, layer])  # with the style of the next resolution's first convolution
            picture = drawn if picture is None else upsample(picture) + drawn
        assert picture is not None
        return self.cut(picture)


class Residual(nn.Module):
    """D at one resolution: two convolutions and a straight way beside them, both halving."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.first = EqualisedConv2d(before, before, gain=1.0)
        self.second = EqualisedConv2d(before, after, gain=1.0)
        self.skip = EqualisedConv2d(before, after, 1, gain=1.0, biased=False)

    def forward(self, maps: Tensor) -> Tensor:
        """N×A×H×W → N×B×H/2×W/2."""
        straight: Tensor = self.skip(downsample(maps))
        second = self.second
        maps = blur(active(self.first(maps)), pad=2)
        return (active(nn.functional.conv2d(maps, second.weight, second.bias, stride=2)) + straight) * math.sqrt(0.5)


class StyleGan2Discriminator(Discriminator):
    """Pictures → residual levels down to the coarsest maps → the spread of the batch beside them → one logit."""

    finest_first = ("levels",)

    def __init__(self, config: StyleGan2Config) -> None:
        super().__init__()
        c = config
        self.group = c.minibatch_group
        rows, columns = c.coarsest()
        self.missing = ((columns << c.octaves) - c.width, (rows << c.octaves) - c.height)
        self.enter = EqualisedConv2d(3, c.maps(c.octaves), 1, gain=1.0)
        self.levels = nn.ModuleList(Residual(c.maps(level), c.maps(level - 1)) for level in range(c.octaves, 0, -1))
        self.look = EqualisedConv2d(c.maps(0) + 1, c.maps(0), gain=1.0)
        self.hidden = EqualisedLinear(c.maps(0) * rows * columns, c.maps(0), gain=1.0)
        self.judge = EqualisedLinear(c.maps(0), 1, gain=1.0)

    def features(self, pictures: Tensor) -> list[Tensor]:
        """pictures N×3×H×W → the maps of each level, finest first. Sides that do not divide are filled up with grey."""
        right, bottom = self.missing
        if right or bottom:
            pictures = nn.functional.pad(pictures, (right // 2, right - right // 2, bottom // 2, bottom - bottom // 2))
        found = [active(self.enter(pictures))]
        for level in self.levels:
            found.append(level(found[-1]))
        return found[1:]

    def forward(self, pictures: Tensor, condition: Condition | None = None) -> Tensor:
        """pictures N×3×H×W → N logits, positive for real."""
        maps = active(self.look(minibatch_stddev(self.features(pictures)[-1], self.group)))
        logits: Tensor = self.judge(active(self.hidden(maps.flatten(1))))
        return logits.squeeze(1)


# --- the game ---------------------------------------------------------------------------------------------------------


class StyleGan2(StyledSystem):
    """The game of `ganforge.systems.styled`, with augmentation that adapts and a penalty on the lengths of paths."""

    name = "stylegan2"
    config_class = StyleGan2Config
    config: StyleGan2Config
    generator: StyleGan2Generator

    def __init__(self, config: StyleGan2Config) -> None:
        super().__init__(config)
        self.state["path_length"] = torch.zeros(())

    @classmethod
    def make_nets(cls, config: StyleGan2Config) -> dict[str, nn.Module]:
        """G and D, freshly initialised."""
        return {"generator": StyleGan2Generator(config), "discriminator": StyleGan2Discriminator(config)}

    def changed(self, pictures: Tensor, draw: Draw, p: Tensor | float) -> Tensor:
        """Pictures with each kind of change applied with probability p: all kinds there are."""
        n = len(pictures)
        return augment_all(pictures, draw.uniform(n, UNIFORM), draw.normal(n, NORMAL), p)

    def generator_loss(self, step: Step) -> Losses:
        """−log D(G(z)), and w·k·E(‖Jᵀy‖ − a)² on every k-th step (arXiv 1912.04958, §3.2)."""
        losses = super().generator_loss(step)
        c = self.config
        if not (c.paths_weight and step.due(every=c.paths_every_steps)):
            return losses
        lengths = self.path_lengths(step)
        mean = step.remember(
            "path_length", lambda: self.state["path_length"].lerp(lengths.detach().mean(), PATHS_DECAY), made_by=()
        )
        penalty = (lengths - mean).square().mean()
        total = losses.total + c.paths_weight * c.paths_every_steps * penalty
        return Losses(total, {**losses.parts, "paths": penalty})

    def path_lengths(self, step: Step) -> Tensor:
        """How far pictures move when their styles do: √ of the mean over layers of ‖∂(Σ picture·y)/∂w‖², y ~ N(0, 1)/√(H·W).

        Of half a batch, in float32: it is differentiated once more.
        """
        with torch.autocast(step.batch.pictures.device.type, enabled=False):
            n = max(1, len(step.batch) // 2)
            w = self.generator.mixed(*self.latents(step, n))
            pictures = self.generator.synthesize(w, self.generator.fresh_noise(step.draw, n))
            y = step.draw.normal(*pictures.shape) / math.sqrt(pictures.shape[2] * pictures.shape[3])
            slopes = torch.autograd.grad((pictures * y).sum(), w, create_graph=True)[0]
            lengths: Tensor = slopes.square().sum(2).mean(1).sqrt()
        return lengths

    def after_step(self, step: Step) -> None:
        """The running mean of path lengths as well."""
        super().after_step(step)
        state = self.state
        state["path_length"] = step.remember("path_length", lambda: state["path_length"], made_by=())

    def layouts(self) -> Sequence[Layout]:
        """Both, the likelier first."""
        return (CHANNELS_LAST, CONTIGUOUS)


# --- recipes ----------------------------------------------------------------------------------------------------------


def stylegan2(height: int, width: int) -> StyleGan2Config:
    """The values of `auto` for one GPU: batch, γ and half-life by the pictures' size."""
    side = min(height, width)
    octaves = max(1, math.ceil(math.log2(side / 4)))
    batch = max(4, min(4096 // side // 4 * 4, 32))
    large = side >= 512
    rate = 2e-3 if side >= 1024 else 2.5e-3
    return StyleGan2Config(
        height=height,
        width=width,
        octaves=octaves,
        maps_times_side=32768 if large else 16384,
        batch_size=batch,
        r1_gamma=2e-4 * side**2 / batch,
        ema_halflife_kimg=batch * 10 / 32,
        g_learning_rate=rate,
        d_learning_rate=rate,
    )


RECIPES = (Recipe("stylegan2", StyleGan2, stylegan2, "StyleGAN2 with adaptive augmentation, for a GPU"),)
