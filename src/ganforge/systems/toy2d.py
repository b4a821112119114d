"""Games in the plane: real points, forged points, and every way to play, in nets small enough to watch.

A picture is a point here. Any number of independent games (other weights, other data, other noise) is played as one
batched net, so that ten seeds cost little more than one. Losses to choose from:

    non_saturating, minimax     Goodfellow et al. 2014, arXiv 1406.2661, §3 and equation 1
    wasserstein                 Gulrajani et al. 2017, arXiv 1704.00028 (set ``slope_one`` to λ)
    relativistic                Huang et al. 2024, arXiv 2501.05441 (set ``r1_gamma`` and ``r2_gamma``)

with minibatch discrimination (arXiv 1606.03498, §3.2) in any of them – among groups of ``minibatch_group`` points of the
batch, and weighed apart from the other features with weights that start at zero. Any order of play: D many steps for each
of G's (minimax), G many for each of D's (maximin; arXiv 1701.00160, §5.1.1), or one each, whoever begins.

Shapes: N points of a batch · S games · Z latent size; points are N×S×2, latents and w are N×S×Z, logits N×S.
"""

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812
from pydantic import Field
from torch import Tensor, nn

from ganforge import losses
from ganforge.game import Condition, Config, Discriminator, Draw, Generator, Losses, Step, System, Turn, constant
from ganforge.ops.minibatch import closeness
from ganforge.ops.schedules import cosine, geometric

# --- config -----------------------------------------------------------------------------------------------------------


class Toy2dConfig(Config):
    """A game in the plane, S times."""

    batch_size: int = Field(256, ge=2, description="points of one step, in each game")
    games: int = Field(1, ge=1, description="independent games, played at once")
    z_size: int = Field(2, ge=1, description="numbers in a latent, N(0, 1)")
    g_widths: tuple[int, ...] = Field((128, 128, 128), min_length=1, description="hidden units of G, layer by layer")
    d_widths: tuple[int, ...] = Field((128, 128, 128), min_length=1, description="hidden units of D, layer by layer")
    g_waves: int = Field(0, ge=0, description="random waves through which G reads a latent, besides its numbers")
    g_wave_sigma: float = Field(0.5, gt=0, description="spread of their frequencies, cycles per unit of z")
    d_waves: int = Field(0, ge=0, description="random waves through which D reads a point, besides its coordinates")
    d_wave_sigma: float = Field(1.0, gt=0, description="spread of their frequencies, cycles per unit of scale")
    scale: float = Field(1.0, gt=0, description="units of the data; D reads points / scale, G draws points × scale")
    loss: Literal["non_saturating", "minimax", "wasserstein", "relativistic"] = Field("non_saturating")
    minibatch_kernels: int = Field(0, ge=0, description="B of minibatch discrimination; 0 leaves it out")
    minibatch_dims: int = Field(4, ge=1, description="C of minibatch discrimination")
    minibatch_group: int = Field(64, ge=2, description="points of a batch that are compared with one another")
    r1_gamma: float = Field(0.0, ge=0, description="γ of γ/2 E‖∇D‖² on real points, in units of scale")
    r2_gamma: float = Field(0.0, ge=0, description="γ of γ/2 E‖∇D‖² on forged points, in units of scale")
    gamma_end: float = Field(1.0, gt=0, description="share of both γ that is left at the end")
    slope_one: float = Field(0.0, ge=0, description="λ of WGAN-GP's penalty, in units of scale")
    first: Literal["D", "G"] = Field("D", description="who moves first")
    d_steps: int = Field(1, ge=1, description="of D in a row")
    g_steps: int = Field(1, ge=1, description="of G in a row")
    d_learning_rate: float = Field(1e-3, gt=0, description="Adam's")
    g_learning_rate: float = Field(1e-3, gt=0, description="Adam's")
    beta1: float = Field(0.0, ge=0, lt=1, description="Adam's")
    beta2: float = Field(0.99, ge=0, lt=1, description="Adam's")
    decay: bool = Field(False, description="learning rates follow a cosine down to zero")


# --- nets -------------------------------------------------------------------------------------------------------------


class Waves(nn.Module):
    """S×N×A → S×N×(A + 2W): numbers, and sines and cosines of W random mixtures of them.

    Perceptrons learn smooth functions first and fine ones late; waves bring fine ones within reach (Tancik et al. 2020,
    arXiv 2006.10739). The waves never change; every game has its own.
    """

    def __init__(self, games: int, size: int, waves: int, sigma: float) -> None:
        super().__init__()
        self.width = size + 2 * waves
        self.frequencies: Tensor
        self.register_buffer("frequencies", 2 * torch.pi * sigma * torch.randn(games, size, waves))

    def forward(self, x: Tensor) -> Tensor:
        """S×N×A → S×N×(A + 2W)."""
        if not self.frequencies.numel():
            return x
        phases = torch.bmm(x, self.frequencies)
        return torch.cat((x, phases.sin(), phases.cos()), -1)


class Layers(nn.Module):
    """S multilayer perceptrons side by side: S×N×in → S×N×out, leaky ReLU (slope 0.2) in between."""

    def __init__(self, games: int, sizes: Sequence[int]) -> None:
        super().__init__()
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for before, after in itertools.pairwise(sizes):
            gain = nn.init.calculate_gain("leaky_relu", 0.2) if len(self.weights) < len(sizes) - 2 else 1.0
            self.weights.append(nn.Parameter(torch.randn(games, before, after) * gain * before**-0.5))
            self.biases.append(nn.Parameter(torch.zeros(games, 1, after)))

    def hidden(self, x: Tensor) -> list[Tensor]:
        """S×N×in → what each hidden layer says, S×N×width."""
        said = []
        for weight, bias in list(zip(self.weights, self.biases, strict=True))[:-1]:
            x = F.leaky_relu(torch.baddbmm(bias, x, weight), 0.2)
            said.append(x)
        return said

    def last(self, x: Tensor) -> Tensor:
        """S×N×width → S×N×out."""
        return torch.baddbmm(self.biases[-1], x, self.weights[-1])

    def forward(self, x: Tensor) -> Tensor:
        """S×N×in → S×N×out."""
        return self.last(self.hidden(x)[-1])


class Toy2dGenerator(Generator):
    """z N×S×Z → points N×S×2."""

    z_distribution = "normal"

    def __init__(self, config: Toy2dConfig) -> None:
        super().__init__()
        self.z_size, self.games, self.scale = config.z_size, config.games, config.scale
        self.read = Waves(config.games, config.z_size, config.g_waves, config.g_wave_sigma)
        self.layers = Layers(config.games, (self.read.width, *config.g_widths, 2))

    def map(self, z: Tensor, condition: Condition | None = None) -> Tensor:
        """The identity; the S games stand where other systems have L layers."""
        return z

    def synthesize(self, w: Tensor) -> Tensor:
        """w N×S×Z → points N×S×2."""
        points: Tensor = self.layers(self.read(w.transpose(0, 1))) * self.scale
        return points.transpose(0, 1)

    def latents(self, draw: Draw, n: int) -> Tensor:
        """n×S×Z latents for training."""
        return draw.normal(n, self.games, self.z_size)


class Toy2dDiscriminator(Discriminator):
    """points N×S×2 → N×S logits; with minibatch discrimination on what the last hidden layer says."""

    def __init__(self, config: Toy2dConfig) -> None:
        super().__init__()
        self.scale, kernels, width = config.scale, config.minibatch_kernels, config.d_widths[-1]
        self.read = Waves(config.games, 2, config.d_waves, config.d_wave_sigma)
        self.layers = Layers(config.games, (self.read.width, *config.d_widths, 1))
        self.kernels, self.group = (kernels, config.minibatch_dims), config.minibatch_group
        if kernels:
            self.tensor = nn.Parameter(torch.randn(config.games, width, kernels * config.minibatch_dims) * width**-0.5)
            self.weigh = nn.Parameter(torch.zeros(config.games, kernels, 1))

    def features(self, pictures: Tensor) -> list[Tensor]:
        """points N×S×2 → what each hidden layer says, N×S×width."""
        return [said.transpose(0, 1) for said in self._hidden(pictures)]

    def _hidden(self, points: Tensor) -> list[Tensor]:
        """points N×S×2 → what each hidden layer says, S×N×width."""
        return self.layers.hidden(self.read(points.transpose(0, 1) / self.scale))

    def forward(self, pictures: Tensor, condition: Condition | None = None) -> Tensor:
        """points N×S×2 → N×S logits, positive for real."""
        said = self._hidden(pictures)[-1]  # S×N×A
        logits = self.layers.last(said)
        if self.kernels[0]:
            rows = (said @ self.tensor).reshape(*said.shape[:2], *self.kernels)
            groups = len(pictures) // self.group if len(pictures) % self.group == 0 else 1
            close = closeness(rows.reshape(-1, len(pictures) // groups, *self.kernels))
            close = close.reshape(*said.shape[:2], -1)  # S×N×B
            logits = logits + close @ self.weigh
        return logits.squeeze(-1).transpose(0, 1)


# --- the game ---------------------------------------------------------------------------------------------------------


class Toy2d(System):
    """Losses are summed over the games, so that each is played as if it were alone."""

    name = "toy2d"
    config_class = Toy2dConfig
    parts = ()
    precisions = ("fp32",)
    config: Toy2dConfig
    generator: Toy2dGenerator
    discriminator: Toy2dDiscriminator

    def __init__(self, config: Toy2dConfig) -> None:
        super().__init__(config)
        self.generator, self.discriminator = self.nets["generator"], self.nets["discriminator"]  # type: ignore[assignment]

    @classmethod
    def make_nets(cls, config: Toy2dConfig) -> dict[str, nn.Module]:
        """G and D of all games, freshly initialised."""
        return {"generator": Toy2dGenerator(config), "discriminator": Toy2dDiscriminator(config)}

    def fakes(self, step: Step) -> Tensor:
        """N×S×2 forged points, with G's gradient; made once a step."""

        def make() -> Tensor:
            points: Tensor = self.generator(self.generator.latents(step.draw, len(step.batch)))
            return points

        return step.remember("fakes", make, made_by=[self.generator])

    def discriminator_loss(self, step: Step) -> Losses:
        """The chosen loss and its penalties on D's slope, summed over games."""
        c, games = self.config, self.config.games
        real = step.batch.pictures.detach().requires_grad_(c.r1_gamma > 0)
        fake = self.fakes(step).detach().requires_grad_(c.r2_gamma > 0)
        on_real, on_fake = self.discriminator(real), self.discriminator(fake)
        if c.loss == "wasserstein":
            loss = losses.wasserstein_critic(on_real, on_fake)
        elif c.loss == "relativistic":
            loss = losses.relativistic_discriminator(on_real, on_fake)
        else:
            loss = losses.discriminator_real(on_real) + losses.discriminator_fake(on_fake)
        penalty = torch.zeros(())
        left = geometric(1.0, c.gamma_end)(step.fraction)
        for gamma, logits, points in ((c.r1_gamma, on_real, real), (c.r2_gamma, on_fake, fake)):
            if gamma:
                penalty = penalty + gamma * left / 2 * losses.squared_slope(logits, points) * c.scale**2
        if c.slope_one:
            mix = step.draw.uniform(len(real), games, 1)
            between = (real.detach() * mix + fake.detach() * (1 - mix)).requires_grad_()
            penalty = penalty + c.slope_one * losses.slope_from_one(self.discriminator(between) * c.scale, between)
        return Losses(games * (loss + penalty), {"loss": loss, "penalty": penalty})

    def generator_loss(self, step: Step) -> Losses:
        """The chosen loss, summed over games."""
        logits = self.discriminator(self.fakes(step))
        if self.config.loss == "relativistic":
            with torch.no_grad():
                on_real = self.discriminator(step.batch.pictures)
            loss = losses.relativistic_generator(on_real, logits)
        else:
            minimise: dict[str, Callable[[Tensor], Tensor]] = {
                "minimax": losses.generator_minimax,
                "non_saturating": losses.generator_non_saturating,
                "wasserstein": losses.wasserstein_generator,
            }
            loss = minimise[self.config.loss](logits)
        return Losses(self.config.games * loss, {"loss": loss})

    def turns(self) -> Sequence[Turn]:
        """Both players, in the order of the config, each as many times in a row as it says."""
        c = self.config
        rate = cosine if c.decay else constant
        adam = partial(torch.optim.Adam, betas=(c.beta1, c.beta2), fused=True)
        turns = (
            Turn(
                "D", self.discriminator, adam(self.discriminator.parameters(), c.d_learning_rate),
                self.discriminator_loss, c.d_steps, rate,
            ),
            Turn(
                "G", self.generator, adam(self.generator.parameters(), c.g_learning_rate),
                self.generator_loss, c.g_steps, rate,
            ),
        )  # fmt: skip
        return turns if c.first == "D" else turns[::-1]
