"""A spotter: where in a picture is a certain part? One player, one turn.

It reads a picture and draws a map, half as high and wide, that is bright where the part sits. Counting its bright spots
counts the parts: too many eyes on generated faces, for one. Small strided and dilated convolutions, mean squared error
against blobs, weighted so that the few bright places count as much as the many dark ones.

Shapes: N pictures of H×W; the source hands out N×4×H×W, the fourth channel holding the blobs, 0 … 1.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from pydantic import Field
from torch import Tensor, nn

from ganforge.game import Losses, PictureConfig, Step, System, Turn
from ganforge.ops.schedules import cosine

BRIGHT_WEIGHT = 20.0


class SpotterConfig(PictureConfig):
    """A spotter of one kind of part."""

    width_maps: int = Field(24, ge=1, description="maps at half the picture's size")
    learning_rate: float = Field(3e-3, gt=0, description="Adam's, down to zero along a cosine")


class SpotterNet(nn.Module):
    """3×H×W → 1×H/2×W/2 logits."""

    def __init__(self, config: SpotterConfig) -> None:
        super().__init__()
        c = config.width_maps

        def layer(before: int, after: int, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
            convolution = nn.Conv2d(before, after, 3, stride, dilation, dilation, bias=False)
            return [convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True)]

        self.fine = nn.Sequential(*layer(3, c, 2), *layer(c, c))
        self.coarse = nn.Sequential(*layer(c, 2 * c, 2), *layer(2 * c, 2 * c, 1, 2), *layer(2 * c, 2 * c, 1, 4))
        self.join = nn.Sequential(*layer(3 * c, c), nn.Conv2d(c, 1, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        """pictures N×3×H×W in [−1, 1] → N×H/2×W/2 logits."""
        fine = self.fine(pictures)
        coarse = F.interpolate(self.coarse(fine), size=fine.shape[2:], mode="nearest")
        logits: Tensor = self.join(torch.cat((fine, coarse), 1))
        return logits[:, 0]


class Spotter(System):
    """Mean squared error, weighted."""

    name = "spotter"
    kind = "net"
    config_class = SpotterConfig
    averaged = ()
    parts = ("net",)
    config: SpotterConfig

    @classmethod
    def make_nets(cls, config: SpotterConfig) -> dict[str, nn.Module]:
        """The net, freshly initialised."""
        return {"net": SpotterNet(config)}

    @property
    def net(self) -> nn.Module:
        """The only player."""
        return self.nets["net"]

    def loss(self, step: Step) -> Losses:
        """Squared error of the map, bright places weighing more."""
        pictures, blobs = step.batch.pictures[:, :3], step.batch.pictures[:, 3:]
        wanted = F.avg_pool2d(blobs, 2, ceil_mode=True)[:, 0]
        error = (self.net(pictures).float().sigmoid() - wanted).square() * (1 + BRIGHT_WEIGHT * wanted)
        return Losses(error.mean())

    def turns(self) -> Sequence[Turn]:
        """One."""
        adam = torch.optim.Adam(self.net.parameters(), self.config.learning_rate, fused=True)
        return (Turn("net", self.net, adam, self.loss, learning_rate=cosine),)
