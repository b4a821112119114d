"""A tiny config of every recipe, and a collection of small pictures to train it on: what the contract tests run over."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from pydantic import Field
from torch import Tensor, nn

from ganforge.attributes import Choice, Flag, Range, Schema
from ganforge.game import Losses, Phase, PictureConfig, Recipe, Step, System, Turn
from ganforge.systems import configure, fitted, recipes
from ganforge.systems.dcgan import Dcgan, DcganConfig

TINY = {
    "classifier": {"widths": "4,8", "batch_size": "8"},
    "dcgan": {"g.widths": "16,8", "d.widths": "8,16", "z_size": "8", "batch_size": "8"},
    "dcgan64": {"g.widths": "16,8,8,8", "d.widths": "8,8,8,16", "batch_size": "8"},
    "dcgan64_pytorch": {"g.widths": "16,8,8,8", "d.widths": "8,8,8,16", "batch_size": "8"},
    "celeba28": {"g.widths": "16,8,8", "d.widths": "8,8,16", "batch_size": "8"},
    "cifar32": {"g.widths": "16,8,8", "d.widths": "8,8,16", "batch_size": "8"},
    "imagenet128": {"g.widths": "16,8,8,8,8", "d.widths": "8,8,8,8,16", "batch_size": "4"},
    "matcher": {"widths": "4,8", "rows": "64", "row_size": "8", "hidden": "16", "size": "8", "batch_size": "8"},
    "style": {
        "g.widths": "16,8",
        "g.convs": "1,1",
        "d.widths": "8,16",
        "d.convs": "1,0",
        "z_size": "8",
        "w_size": "8",
        "d.head": "8",
        "d.distilled": "192",  # as from 28 px on
        "batch_size": "8",
    },
    "stylegan2": {"z_size": "8", "w_size": "8", "maps_times_side": "64", "octaves": "1", "batch_size": "8"},
}


SCHEMA = Schema(
    attributes=(Choice(name="kind", values=("a", "b")), Flag(name="bright"), Range(name="size", low=0, high=2))
)
"""What the pictures of a contract test carry, for the systems that learn it."""


def tiny(name: str) -> tuple[Recipe, PictureConfig]:
    """A recipe and its smallest sensible config (16×16 where the recipe takes any size)."""
    recipe = recipes()[name]
    height, width = recipe.size or (16, 16)
    return recipe, fitted(recipe, configure(recipe, height, width, TINY[name]), SCHEMA, 1000)


def write_pictures(folder: Path, count: int = 80, side: int = 20, seed: int = 0) -> Path:
    """Blobs of two colours, all different."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    for i in range(count):
        centre, radius = rng.uniform(0.3, 0.7, 2), rng.uniform(0.15, 0.4)
        inside = ((y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius**2)[..., None]
        pixels = np.where(inside, rng.integers(0, 256, 3), rng.integers(0, 256, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{i:03}.png")
    return folder


# --- systems that are no single game: what the house promises to play as well ------------------------------------------


class TinyConfig(PictureConfig):
    learning_rate: float = Field(1e-2, gt=0, description="Adam's")


class MeanColour(nn.Module):
    """Guesses the mean of each channel from a picture in which dropout hides parts."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Dropout(0.2), nn.Conv2d(3, 4, 3, 2, 1), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.guess = nn.Linear(4, 3)

    def forward(self, pictures: Tensor) -> Tensor:
        guess: Tensor = self.guess(self.layers(pictures))
        return guess


class OneTurn(System):
    """One net that learns: no generator, no critic, nothing to draw."""

    name, kind, config_class = "one_turn", "net", TinyConfig
    averaged, parts = (), ("net",)
    config: TinyConfig

    @classmethod
    def make_nets(cls, config: TinyConfig) -> dict[str, nn.Module]:
        return {"net": MeanColour()}

    def loss(self, step: Step) -> Losses:
        pictures = step.batch.pictures
        return Losses((self.nets["net"](pictures) - pictures.mean((2, 3))).square().mean())

    def turns(self) -> Sequence[Turn]:
        net = self.nets["net"]
        return (Turn("net", net, torch.optim.Adam(net.parameters(), self.config.learning_rate), self.loss),)


class TwoPhases(Dcgan):
    """G first learns to make the average picture (as SRResNet learns before SRGAN); then the game begins."""

    name = "two_phases"

    def phases(self) -> Sequence[Phase]:
        def warm(step: Step) -> Losses:
            return Losses((self.fakes(step).mean(0) - step.batch.pictures.mean(0)).abs().mean())

        optimizer = torch.optim.Adam(self.generator.parameters(), 1e-3)
        turn = Turn("average", self.generator, optimizer, warm, learning_rate=lambda fraction: 1 - fraction)
        return (Phase("average", 0.25, (turn,)), Phase("game", 0.75, self.turns()))

    def after_step(self, step: Step) -> None:
        self.state["steps"] = self.state.get("steps", torch.zeros(())) + 1


class Spectral(Dcgan):
    """A critic with buffers that training moves."""

    name = "spectral"

    @classmethod
    def make_nets(cls, config: DcganConfig) -> dict[str, nn.Module]:
        nets = super().make_nets(config)
        for module in nets["discriminator"].modules():
            if isinstance(module, nn.Conv2d):
                nn.utils.parametrizations.spectral_norm(module)
        return nets


OTHERS = {
    "spectral": Recipe("spectral", Spectral, lambda height, width: tiny("dcgan")[1], "spectral", (16, 16)),
    "one_turn": Recipe(
        "one_turn", OneTurn, lambda height, width: TinyConfig(height=height, width=width, batch_size=8), "one net"
    ),
    "two_phases": Recipe("two_phases", TwoPhases, lambda height, width: tiny("dcgan")[1], "two phases", (16, 16)),
}
