"""The smallest game there is: one number against another, value x·y. Its orbit is known in closed form.

Goodfellow 2016, arXiv 1701.00160, §7.2: G minimises x·y with x, D maximises it with y. Played continuously, the point
(x, y) runs round a circle and never arrives; with finite steps taken at once it spirals outwards, one after the other it
stays on an ellipse. What is true of this game is what makes every GAN hard.
"""

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Tensor, nn

from ganforge.game import Config, Losses, Step, System, Turn


class BilinearConfig(Config):
    """The game x·y."""

    batch_size: int = Field(2, ge=2, description="not used: there is nothing to see but the two numbers")
    start: tuple[float, float] = Field((1.0, 0.0), description="x and y before the first move")
    learning_rate: float = Field(0.1, gt=0, description="of plain gradient steps")
    penalty: float = Field(0.0, ge=0, description="γ of γ/2·y², the penalty on D's slope: D's verdict on x is x·y")


class Number(nn.Module):
    """A player that is one number."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(start, dtype=torch.float64))

    def forward(self) -> Tensor:
        """The number."""
        return self.value


class Bilinear(System):
    """G moves first, then D answers."""

    name = "bilinear"
    kind = "net"
    config_class = BilinearConfig
    averaged, parts = (), ("generator", "discriminator")
    config: BilinearConfig

    @classmethod
    def make_nets(cls, config: BilinearConfig) -> dict[str, nn.Module]:
        """x and y."""
        return {"generator": Number(config.start[0]), "discriminator": Number(config.start[1])}

    def value(self, step: Step) -> Losses:
        """x·y, which G minimises."""
        return Losses(self.nets["generator"]() * self.nets["discriminator"]())

    def minus_value(self, step: Step) -> Losses:
        """−x·y + γ/2·y², which D minimises."""
        return Losses(-self.value(step).total + self.config.penalty / 2 * self.nets["discriminator"]().square())

    def turns(self) -> Sequence[Turn]:
        """Plain gradient descent for both."""
        g, d = self.nets["generator"], self.nets["discriminator"]
        rate = self.config.learning_rate
        return (
            Turn("G", g, torch.optim.SGD(g.parameters(), rate), self.value),
            Turn("D", d, torch.optim.SGD(d.parameters(), rate), self.minus_value),
        )
