"""The game that style-based systems play, whatever their nets look like.

After StyleGAN2 (Karras et al., arXiv 1912.04958): D's turn with lazy R1 and R2 inside, G's turn, style mixing, augmentation of
what D sees by the number of pictures or by how sure D is. Deviations: with the relativistic loss G is compared with D's verdicts
on real pictures from D's own turn, which spares a pass of D; where asked for, penalties follow how sure D is. The
nets are those of `ganforge.systems.style` and `ganforge.systems.stylegan2`.

Shapes: N pictures · Z, W sizes of z and w · L layers · C maps · H×W pixels; see `ganforge.game`.
"""

import sys
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
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
    Step,
    System,
    Turn,
)
from ganforge.ops.augmentation import NUMBERS, adapted, augment
from ganforge.ops.equalised import adam
from ganforge.ops.schedules import falling
from ganforge.ops.twice import DifferentiableTwice

AUGMENTED = ((10_000, 0.3),)
"""Probability of each change of what D sees, for collections of at most so many pictures. Against none it was ahead on emoji
(1,693 pictures) and avatars (10,000) after 7 minutes, level on flowers (4,435) after 20 and behind on faces (14,355) after 13
(bench/STUDY.md)."""
ADAPT_EVERY_STEPS = 4
"""Steps between two looks at how sure D is (arXiv 2006.06676, §3.1)."""
SURE = 0.75
"""r_t = E[sign D(real)], or of the pairs, above which the penalties grow: with the relativistic loss D was right about 65 to 86 %
of the time on faces and CIFAR-10 whatever γ was, and 91 to 98 % on avatars (bench/STUDY.md)."""

Probability = Annotated[float, Field(ge=0, le=1)]
Optimizer = Literal["adam", "soap"]

# --- config -----------------------------------------------------------------------------------------------------------


class GameConfig(PictureConfig):
    """How style-based nets are played, whatever they look like."""

    z_size: int = Field(128, ge=2, description="numbers in a latent")
    w_size: int = Field(128, ge=1, description="numbers in a style")
    mixing: float = Field(0.0, ge=0, le=1, description="share of made pictures whose layers take two styles")
    loss: Literal["non_saturating", "relativistic"] = Field("non_saturating", description="of both players")
    r1_gamma: float = Field(ge=0, description="γ of γ/2·‖∇D‖² at real pictures, at most")
    r2_gamma: float = Field(0.0, ge=0, description="γ of the same at made pictures, at most")
    gamma_least: float = Field(
        1.0, gt=0, le=1, description="share of either γ that is left while D is seldom sure; 1: always γ"
    )
    gamma_kimg: float = Field(5.0, gt=0, description="thousands of pictures in which γ may fall so far, or grow again")
    r1_every_steps: int = Field(8, ge=1, description="steps between two penalties, each weighted by their number")
    augment: Probability | Literal["adaptive", "by_count"] = Field(
        "by_count",
        description="probability of each change of what D sees, by_count: by how many pictures there are, adaptive: "
        "by how sure D is",
    )
    augment_kimg: float = Field(500.0, gt=0, description="thousands of pictures in which it may adapt from 0 to 1")
    g_learning_rate: float = Field(1e-2, gt=0, description="Adam's, of G")
    d_learning_rate: float = Field(1e-2, gt=0, description="Adam's, of D")
    g_optimizer: Optimizer = Field("adam", description="of G, soap: Adam along the directions in which gradients vary")
    d_optimizer: Optimizer = Field("adam", description="of D, as of G")
    beta1: float = Field(0.0, ge=0, lt=1, description="Adam's")
    beta2: float = Field(0.99, ge=0, lt=1, description="Adam's")
    falls_from: float = Field(0.6, ge=0, le=1, description="fraction of the budget from which the learning rates fall")
    falls_to: float = Field(0.05, ge=0, le=1, description="share of them that is left at the end")


# --- nets -------------------------------------------------------------------------------------------------------------


def unit(x: Tensor) -> Tensor:
    """N×K → the same direction with second moment 1."""
    return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


class Noise(nn.Module):
    """Noise on maps, as strong as is learned: given in training, else always the same (StyleGAN, arXiv 1812.04948, §3.2)."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(()))
        self.kept = nn.Buffer(torch.randn(height, width))

    def forward(self, maps: Tensor, fresh: Tensor | None = None) -> Tensor:
        """maps N×C×H×W, fresh N×1×H×W → N×C×H×W."""
        noise = self.kept if fresh is None else fresh
        return maps + (noise * self.strength).to(maps.dtype)


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

    @abstractmethod
    def synthesize(self, w: Tensor, noise: Sequence[Tensor] = ()) -> Tensor:
        """w N×L×W → pictures N×3×H×W; a few values lie beyond [−1, 1] and are clipped where pictures are stored.

        Args:
            w: styles, N×L×W; or N×1×W, the same for every layer.
            noise: what `fresh_noise` drew; none for the noise that is kept.
        """

    def fresh_noise(self, draw: Draw, n: int) -> list[Tensor]:
        """Noise for n pictures, N×1×H×W for each layer that takes any, in order."""
        return [draw.normal(n, 1, *layer.kept.shape) for layer in self.modules() if isinstance(layer, Noise)]

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

    def forward(
        self,
        z: Tensor,
        condition: Condition | None = None,
        second: Tensor | None = None,
        crossing: Tensor | None = None,
        noise: Sequence[Tensor] = (),
    ) -> Tensor:
        """z N×Z → pictures N×3×H×W; the rest as `mixed` and `synthesize` take it."""
        w = self.mixed(z, condition, second, crossing)
        return self.synthesize(w[:, :1] if second is None else w, noise)


# --- the game ---------------------------------------------------------------------------------------------------------


class StyledSystem(System):
    """D and G move once a step each; G reuses the pictures that D has just judged."""

    config_class: ClassVar[type[GameConfig]]
    config: GameConfig
    generator: StyledGenerator
    discriminator: Discriminator

    def __init__(self, config: GameConfig) -> None:
        super().__init__(config)
        self.generator, self.discriminator = self.nets["generator"], self.nets["discriminator"]  # type: ignore[assignment]
        if config.augment == "adaptive":
            self.state["augment"] = torch.zeros(())
        if config.gamma_least < 1:
            self.state["penalty"] = torch.ones(())
        if self.state:
            self.state["signs"] = torch.zeros(())

    @classmethod
    def fitted(cls, config: Any, pictures: int, saturated: float = 0.0) -> Any:
        """Augmentation by the number of pictures."""
        if config.augment != "by_count":
            return config
        p = next((p for most, p in AUGMENTED if pictures <= most), 0.0)
        return config.model_copy(update={"augment": p})

    @property
    def compares(self) -> bool:
        """Whether the loss is the relativistic one."""
        return self.config.loss == "relativistic"

    def fakes(self, step: Step) -> Tensor:
        """N×3×H×W generated pictures, with G's gradient; made once a step."""

        def make() -> Tensor:
            n = len(step.batch)
            pictures: Tensor = self.generator(*self.latents(step, n), self.generator.fresh_noise(step.draw, n))
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
        """Every four steps the strength of augmentation and of the penalties follows how sure D is."""
        c, state = self.config, self.state
        if "signs" not in state:
            return
        state["signs"] = state["signs"] + step.remember("signs", lambda: state["signs"] * 0, made_by=())
        if (step.number + 1) % ADAPT_EVERY_STEPS:
            return
        sure, kimg = state["signs"] / ADAPT_EVERY_STEPS, ADAPT_EVERY_STEPS * c.batch_size / 1000
        state["signs"] = torch.zeros_like(sure)
        if "augment" in state:
            state["augment"] = adapted(state["augment"], sure, kimg / c.augment_kimg)
        if "penalty" in state:
            state["penalty"] = adapted(state["penalty"], sure, kimg / c.gamma_kimg, SURE)

    @property
    def gamma_share(self) -> Tensor | float:
        """What is left of γ now: ``gamma_least`` to 1, by equal factors."""
        return self.config.gamma_least ** (1 - self.state["penalty"]) if "penalty" in self.state else 1.0

    def discriminator_loss(self, step: Step) -> Losses:
        """The game's loss, how far D is from the features of real pictures that it learns to find, and on every k-th step
        γ/2·k·‖∇D‖² at real pictures (R1), or at made ones too (R2): lazy regularisation, arXiv 1912.04958.
        """
        c, d = self.config, self.discriminator
        due = step.due(every=c.r1_every_steps)
        pictures, made = step.batch.pictures.detach(), self.fakes(step).detach().float()
        penalised = [(gamma, at) for gamma, at in ((c.r1_gamma, pictures), (c.r2_gamma, made)) if due and gamma]
        for _, at in penalised:
            at.requires_grad_()
        real, fake = self.seen(pictures, step), self.seen(made, step)
        if penalised or len(real) % d.group:  # apart: groups would mix, and a penalty is of one kind alone
            with self.exactly(real.device.type):
                (told, found), (lied, _) = self.judged(real), self.judged(fake)
                slopes = [gamma * losses.squared_slope(told if at is pictures else lied, at) for gamma, at in penalised]
        else:  # alternating, so that groups of minibatch stddev stay all real or all made
            both, found = self.judged(torch.stack((real, fake), 1).flatten(0, 1))
            (told, lied), slopes = (both[::2], both[1::2]), []
            found = None if found is None else found[::2]
        surely = (told - lied if c.loss == "relativistic" else told).detach()
        step.remember("signs", lambda: surely.sign().mean(), made_by=())
        step.remember("verdicts on real pictures", told.detach, made_by=())
        if c.loss == "relativistic":
            parts = {"pairs": losses.relativistic_discriminator(told, lied)}
        else:
            parts = {"real": losses.discriminator_real(told), "fake": losses.discriminator_fake(lied)}
        if found is not None and step.batch.features is not None:
            parts["distillation"] = losses.distillation(found, step.batch.features)
        weight = c.r1_every_steps / 2 * self.gamma_share
        total = torch.stack([*parts.values(), *(weight * slope for slope in slopes)]).sum()
        return Losses(total, parts)

    def judged(self, pictures: Tensor) -> tuple[Tensor, Tensor | None]:
        """N pictures → D's N logits, and N×F features that it takes them to have, where it learns to find those."""
        return self.discriminator(pictures), None

    @contextmanager
    def exactly(self, device: str) -> Iterator[None]:
        """The context of a penalty: float32 on accelerators, where it costs little, and not compiled, for compiled passes cannot
        be differentiated twice; on CPUs in the precision of the rest of the step. Convolutions are those of
        `ganforge.ops.twice`.
        """
        with ExitStack() as stack:
            stack.enter_context(DifferentiableTwice())
            if "torch._dynamo" in sys.modules:  # else nothing is compiled, and asking would load it
                stack.enter_context(torch.compiler.set_stance("force_eager"))
            if device != "cpu":
                stack.enter_context(torch.autocast(device, enabled=False))
            yield

    def generator_loss(self, step: Step) -> Losses:
        """−log D(G(z)), or G's side of the pairs: beside real pictures as D found them before it moved, for they only say how
        much a made picture counts, and that is not worth another pass.
        """
        d = self.discriminator
        lied = d(self.seen(self.fakes(step), step))
        if self.config.loss == "non_saturating":
            return Losses(losses.generator_non_saturating(lied))

        def judge() -> Tensor:
            with torch.no_grad():
                verdicts: Tensor = d(self.seen(step.batch.pictures, step))
            return verdicts

        told = step.remember("verdicts on real pictures", judge, made_by=())
        return Losses(losses.relativistic_generator(told, lied))

    def layouts(self) -> Sequence[Layout]:
        """Channels last alone: what its convolutions are fast in, whatever a few timed steps on a busy machine say."""
        return (CHANNELS_LAST,)

    def turns(self) -> Sequence[Turn]:
        """D, then G."""
        c, betas = self.config, (self.config.beta1, self.config.beta2)
        fall = falling(c.falls_from, c.falls_to)
        d, g = self.discriminator, self.generator
        d_moved = adam(d, c.d_learning_rate, betas, rotated=c.d_optimizer == "soap")
        g_moved = adam(g, c.g_learning_rate, betas, rotated=c.g_optimizer == "soap")
        return (
            Turn("D", d, d_moved, self.discriminator_loss, learning_rate=fall),
            Turn("G", g, g_moved, self.generator_loss, learning_rate=fall),
        )
