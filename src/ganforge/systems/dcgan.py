"""DCGAN: all-convolutional generator and discriminator with batch normalisation.

Radford, Metz, Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks",
arXiv 1511.06434, §3–4 and Figure 1. Recipes:

    dcgan             any size; the tutorial's nets of 4×4 kernels, as deep as the pictures ask for
    dcgan64           the paper with its published training code: 5×5 kernels, 1024…128 maps, uniform z, weight decay 1e-5
    dcgan64_pytorch   PyTorch's own example: 4×4 kernels, 512…64 maps, normal z
    celeba28          the O'Reilly tutorial "Deep Convolutional GANs with TensorFlow": 28×28, three-convolution D
    cifar32           PyTorch's example, one octave smaller
    imagenet128       PyTorch's example, one octave larger, for class folders of big varied pictures

Where we deviate, and why:
- D always normalises with the statistics of the batch it sees, in judging too (the paper's training code does the same,
  the tutorials keep running averages they never use). Real and generated pictures are therefore judged apart.
- G's statistics for sampling are recomputed for the averaged weights (`ganforge.training.averages`), not run along.
- The tutorial's notebook flattens 7·7·256 maps as 4·4·256, so that one row of logits mixes the pixels of several pictures
  (16 pictures become 49 rows). Ours flattens all 12,544 numbers of one picture.
- Strided 5×5 convolutions pad two pixels on each side, where TensorFlow pads one before and two after: a shift of one
  pixel that training absorbs.
- The first transposed convolution of the paper's PyTorch port acts on one pixel, where it *is* a matrix product; it is
  computed as one.

Shapes: N pictures · Z latent size · C maps · H×W pixels; see `ganforge.game`.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from ganforge import losses
from ganforge.game import (
    Condition,
    Discriminator,
    Generator,
    Losses,
    PictureConfig,
    Recipe,
    Section,
    Step,
    System,
    Turn,
)
from ganforge.ops.minibatch import MinibatchDiscrimination, minibatch_stddev

# --- config -----------------------------------------------------------------------------------------------------------


Stride = Annotated[int, Field(ge=1, le=2)]


class GeneratorConfig(Section):
    """Nets of G: a matrix product to ``widths[0]`` maps, then one transposed convolution for each further octave."""

    widths: tuple[int, ...] = Field(min_length=1, description="maps from coarse to fine, without the picture itself")
    kernel: int = Field(4, ge=4, le=5, description="side of the transposed convolutions, pixels")
    activation: Literal["relu", "leaky_relu"] = Field("relu", description="leaky: slope 0.2")
    bias: bool = Field(False, description="biases in the matrix product and the convolutions")
    unpadded_first: bool = Field(
        False, description="the first convolution maps s to (s − 1)·2 + kernel (2 → 7), not to 2s"
    )


class DiscriminatorConfig(Section):
    """Nets of D: strided convolutions, flattened into one logit."""

    widths: tuple[int, ...] = Field(min_length=1, description="maps from fine to coarse")
    strides: tuple[Stride, ...] | None = Field(None, description="of each convolution; by default all 2")
    kernel: int = Field(4, ge=4, le=5, description="side of the convolutions, pixels")
    bias: bool = Field(False, description="biases in the convolutions and the last matrix product")
    minibatch: Literal["discrimination", "stddev"] | None = Field(
        None,
        description="what D is told about the rest of the batch, against collapse (discrimination, stddev or none)",
    )
    minibatch_kernels: int = Field(100, ge=1, description="B of minibatch discrimination")
    minibatch_dims: int = Field(5, ge=1, description="C of minibatch discrimination")
    minibatch_group: int = Field(4, ge=2, description="pictures whose spread minibatch stddev takes")


class DcganConfig(PictureConfig):
    """A DCGAN."""

    g: GeneratorConfig
    d: DiscriminatorConfig
    z_size: int = Field(100, ge=1, description="numbers in a latent")
    z_distribution: Literal["normal", "uniform"] = Field("normal", description="N(0, 1) or U(−1, 1)")
    loss: Literal["non_saturating", "minimax"] = Field("non_saturating", description="what G minimises")
    real_label: float = Field(
        1.0, gt=0.5, le=1, description="D's target for real pictures; below 1: one-sided smoothing"
    )
    smooth_generator_target: bool = Field(
        False, description="G aims at real_label too, as the tutorial's notebook does"
    )
    d_steps: int = Field(1, ge=1, description="of D in a row, k in Goodfellow et al. 2014")
    g_steps: int = Field(1, ge=1, description="of G in a row")
    learning_rate: float = Field(2e-4, gt=0, description="Adam's, of both players")
    beta1: float = Field(0.5, ge=0, lt=1, description="Adam's")
    beta2: float = Field(0.999, ge=0, lt=1, description="Adam's")
    weight_decay: float = Field(0.0, ge=0, description="L2 penalty added to the gradients")
    initialisation: Literal["normal", "glorot"] = Field(
        "normal", description="normal: kernels N(0, 0.02), gains N(1, 0.02); glorot: TensorFlow's default"
    )
    norm_epsilon: float = Field(1e-5, gt=0, description="added to the variance in batch normalisation")

    @model_validator(mode="after")
    def _sizes_fit(self) -> "DcganConfig":
        start_of(self)
        strides = self.d.strides or (2,) * len(self.d.widths)
        if len(strides) != len(self.d.widths):
            raise ValueError(f"d.strides has {len(strides)} entries for the {len(self.d.widths)} of d.widths")
        if min(self.height, self.width) < 2 ** strides.count(2):
            raise ValueError(f"D halves {strides.count(2)} times, too often for {self.width}x{self.height} pictures")
        return self


def start_of(config: DcganConfig) -> tuple[int, int]:
    """(height, width) of G's coarsest maps; where doubling them cannot end at the pictures' size, it ends a little above.

    Raises:
        ValueError: an unpadded first convolution that cannot end at the size.
    """

    def start(side: int) -> int:
        octaves = len(config.g.widths)
        if not config.g.unpadded_first:
            return math.ceil(side / (1 << octaves))
        side, rest = divmod(side, 2 ** (octaves - 1))
        start, more = divmod(side - config.g.kernel + 2, 2)
        if rest or more or start < 1:
            raise ValueError(f"{octaves} doublings do not end at {config.width}x{config.height} pixels")
        return start

    return start(config.height), start(config.width)


# --- nets -------------------------------------------------------------------------------------------------------------


class DcganGenerator(Generator):
    """z N×Z → 1×1 → C₀ maps → … → 3 × H × W through tanh; batch normalisation after all but the last layer."""

    def __init__(self, config: DcganConfig) -> None:
        super().__init__()
        self.z_size, self.z_distribution = config.z_size, config.z_distribution
        g = config.g
        self.start = (g.widths[0], *start_of(config))
        self.height, self.width = config.height, config.width

        def finish(width: int) -> list[nn.Module]:
            activation = nn.ReLU(inplace=True) if g.activation == "relu" else nn.LeakyReLU(0.2, inplace=True)
            return [nn.BatchNorm2d(width, eps=config.norm_epsilon), activation]

        def double(before: int, after: int, *, padded: bool) -> nn.ConvTranspose2d:
            padding = (g.kernel - 1) // 2 if padded else 0
            return nn.ConvTranspose2d(
                before, after, g.kernel, 2, padding, output_padding=g.kernel % 2 if padded else 0, bias=g.bias
            )

        self.project = nn.Linear(config.z_size, torch.Size(self.start).numel(), bias=g.bias)
        layers = finish(g.widths[0])
        for i, (before, after) in enumerate(zip(g.widths, g.widths[1:], strict=False)):
            layers += [double(before, after, padded=i > 0 or not g.unpadded_first), *finish(after)]
        layers += [double(g.widths[-1], config.channels, padded=True), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        _initialise(self, config)

    def map(self, z: Tensor, condition: Condition | None = None) -> Tensor:
        """The identity: w = z as one layer, N×1×Z."""
        return z.unsqueeze(1)

    def synthesize(self, w: Tensor) -> Tensor:
        """w N×1×Z → pictures N×3×H×W in [−1, 1]."""
        pictures: Tensor = self.layers(self.project(w[:, 0]).unflatten(1, self.start))
        top, left = (pictures.shape[2] - self.height) // 2, (pictures.shape[3] - self.width) // 2
        return pictures[:, :, top : top + self.height, left : left + self.width]


class DcganDiscriminator(Discriminator):
    """3 × H × W → strided convolutions with leaky ReLU (slope 0.2) → flatten → one logit. No normalisation on the input.

    With ``minibatch`` the last layer also sees how alike the pictures of the batch are (`ganforge.ops.minibatch`). For
    minibatch discrimination f(x) is the mean of the last maps over places, as in the paper's published CIFAR-10 code.
    """

    finest_first = ("layers",)

    def __init__(self, config: DcganConfig) -> None:
        super().__init__()
        d = config.d
        self.layers = nn.ModuleList()
        height, width, before = config.height, config.width, int(config.channels)
        padding = (d.kernel - 1) // 2
        for i, (after, stride) in enumerate(zip(d.widths, d.strides or (2,) * len(d.widths), strict=True)):
            layer: list[nn.Module] = [nn.Conv2d(before, after, d.kernel, stride, padding, bias=d.bias)]
            if i > 0:
                layer += [nn.BatchNorm2d(after, eps=config.norm_epsilon, track_running_stats=False)]
            self.layers.append(nn.Sequential(*layer, nn.LeakyReLU(0.2, inplace=True)))
            height, width = ((side + 2 * padding - d.kernel) // stride + 1 for side in (height, width))
            before = after
        self.group = d.minibatch_group if d.minibatch == "stddev" else 1
        self.company: MinibatchDiscrimination | None = None
        self.judge = nn.Linear((before + (d.minibatch == "stddev")) * height * width, 1, bias=d.bias)
        if d.minibatch == "discrimination":
            self.company = MinibatchDiscrimination(before, d.minibatch_kernels, d.minibatch_dims)
            self.weigh_company = nn.Linear(d.minibatch_kernels, 1, bias=False)
        _initialise(self, config)
        if self.company is not None:
            nn.init.zeros_(self.weigh_company.weight)  # D begins by looking at each picture alone

    def features(self, pictures: Tensor) -> list[Tensor]:
        """pictures N×3×H×W → the maps after each convolution, finest first."""
        maps = []
        for layer in self.layers:
            pictures = layer(pictures)
            maps.append(pictures)
        return maps

    def forward(self, pictures: Tensor, condition: Condition | None = None) -> Tensor:
        """pictures N×3×H×W → N logits, positive for real."""
        maps = self.features(pictures)[-1]
        if self.group > 1:
            maps = minibatch_stddev(maps, self.group)
        logits: Tensor = self.judge(maps.flatten(1))
        if self.company is not None:
            others = max(len(pictures) - 1, 1)  # a factor in training; elsewhere batches may have another size
            logits = logits + self.weigh_company(self.company(maps.mean((2, 3))) / others)
        return logits.squeeze(1)


def _initialise(net: nn.Module, config: DcganConfig) -> None:
    for module in net.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            if config.initialisation == "normal":
                nn.init.normal_(module.weight, 0.0, 0.02)
            else:
                nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            if config.initialisation == "normal":
                nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)


# --- the game ---------------------------------------------------------------------------------------------------------


class Dcgan(System):
    """D and G move once a step each; G reuses the pictures that D has just judged."""

    name = "dcgan"
    config_class = DcganConfig
    config: DcganConfig
    generator: DcganGenerator
    discriminator: DcganDiscriminator

    def __init__(self, config: DcganConfig) -> None:
        super().__init__(config)
        self.generator, self.discriminator = self.nets["generator"], self.nets["discriminator"]  # type: ignore[assignment]

    @classmethod
    def make_nets(cls, config: DcganConfig) -> dict[str, nn.Module]:
        """G and D, freshly initialised."""
        return {"generator": DcganGenerator(config), "discriminator": DcganDiscriminator(config)}

    def fakes(self, step: Step) -> Tensor:
        """N×3×H×W generated pictures, with G's gradient; made once a step."""

        def make() -> Tensor:
            pictures: Tensor = self.generator(self.generator.latents(step.draw, len(step.batch)))
            return pictures

        return step.remember("fakes", make, made_by=[self.generator])

    def discriminator_loss(self, step: Step) -> Losses:
        """−log D(x) − log(1 − D(G(z))); real and generated pictures are normalised apart (arXiv 1701.00160, §3.3)."""
        real = losses.discriminator_real(self.discriminator(step.batch.pictures), self.config.real_label)
        fake = losses.discriminator_fake(self.discriminator(self.fakes(step).detach()))
        return Losses(real + fake, {"real": real, "fake": fake})

    def generator_loss(self, step: Step) -> Losses:
        """−log D(G(z)), or log(1 − D(G(z))) with ``loss=minimax``."""
        logits = self.discriminator(self.fakes(step))
        if self.config.loss == "minimax":
            return Losses(losses.generator_minimax(logits))
        target = self.config.real_label if self.config.smooth_generator_target else 1.0
        return Losses(losses.generator_non_saturating(logits, target))

    def turns(self) -> Sequence[Turn]:
        """D, then G; by default one step each, as in the paper."""

        def adam(net: nn.Module) -> torch.optim.Adam:
            c = self.config
            return torch.optim.Adam(
                net.parameters(), c.learning_rate, (c.beta1, c.beta2), weight_decay=c.weight_decay, fused=True
            )

        return (
            Turn("D", self.discriminator, adam(self.discriminator), self.discriminator_loss, self.config.d_steps),
            Turn("G", self.generator, adam(self.generator), self.generator_loss, self.config.g_steps),
        )


# --- recipes ----------------------------------------------------------------------------------------------------------


def dcgan(height: int, width: int) -> DcganConfig:
    """Nets of 4×4 kernels for any size: halved until the shorter side has 3 to 7 pixels, 64 maps at the finest octave."""
    octaves = 0
    while min(height, width) >> octaves > 7:
        octaves += 1
    octaves = max(octaves, 1)
    widths = tuple(min(64 * 2**i, 512) for i in range(octaves))
    return DcganConfig(
        height=height,
        width=width,
        g=GeneratorConfig(widths=widths[::-1]),
        d=DiscriminatorConfig(widths=widths),
        batch_size=32,
    )


def dcgan64(height: int = 64, width: int = 64) -> DcganConfig:
    """The paper, with the details of its training code: 18.86 M and 17.23 M parameters."""
    return DcganConfig(
        height=height,
        width=width,
        g=GeneratorConfig(widths=(1024, 512, 256, 128), kernel=5),
        d=DiscriminatorConfig(widths=(128, 256, 512, 1024), kernel=5),
        z_distribution="uniform",
        batch_size=128,
        weight_decay=1e-5,
        norm_epsilon=1e-8,
    )


def dcgan64_pytorch(height: int = 64, width: int = 64) -> DcganConfig:
    """pytorch/examples ``dcgan/main.py``: 3,576,704 and 2,765,568 parameters."""
    return DcganConfig(
        height=height,
        width=width,
        g=GeneratorConfig(widths=(512, 256, 128, 64)),
        d=DiscriminatorConfig(widths=(64, 128, 256, 512)),
        batch_size=64,
    )


def celeba28(height: int = 28, width: int = 28) -> DcganConfig:
    """The tutorial's notebook with its flatten mended: 4,314,627 and 1,042,561 parameters."""
    return DcganConfig(
        height=height,
        width=width,
        g=GeneratorConfig(widths=(512, 256, 128), kernel=5, activation="leaky_relu", bias=True, unpadded_first=True),
        d=DiscriminatorConfig(widths=(64, 128, 256), strides=(2, 2, 1), kernel=5, bias=True),
        z_distribution="uniform",
        real_label=0.9,
        batch_size=16,
        initialisation="glorot",
        norm_epsilon=1e-3,
        report_every_steps=400,
    )


def cifar32(height: int = 32, width: int = 32) -> DcganConfig:
    """dcgan64_pytorch with one octave less."""
    return DcganConfig(
        height=height,
        width=width,
        g=GeneratorConfig(widths=(256, 128, 64)),
        d=DiscriminatorConfig(widths=(64, 128, 256)),
        batch_size=64,
    )


def imagenet128(height: int = 128, width: int = 128) -> DcganConfig:
    """dcgan64_pytorch with one octave more, for varied pictures; real labels × 0.9, as Salimans et al. smooth them."""
    return DcganConfig(
        height=height,
        width=width,
        g=GeneratorConfig(widths=(1024, 512, 256, 128, 64)),
        d=DiscriminatorConfig(widths=(64, 128, 256, 512, 1024)),
        real_label=0.9,
        batch_size=64,
    )


RECIPES = (
    Recipe("dcgan", Dcgan, dcgan, "any size: 4×4 kernels, as deep as the pictures ask for"),
    Recipe("dcgan64", Dcgan, dcgan64, "the DCGAN paper at 64×64 (a GPU's work)", (64, 64)),
    Recipe("dcgan64_pytorch", Dcgan, dcgan64_pytorch, "PyTorch's DCGAN example at 64×64", (64, 64)),
    Recipe("celeba28", Dcgan, celeba28, "the celebrity-faces tutorial at 28×28", (28, 28)),
    Recipe("cifar32", Dcgan, cifar32, "small varied pictures at 32×32", (32, 32)),
    Recipe("imagenet128", Dcgan, imagenet128, "class folders of big varied pictures at 128×128", (128, 128)),
)
