"""A small classifier: which class a picture belongs to. One player, one turn.

It judges generators: how many of a collection's classes their samples show, and how surely. Three strided convolutions
with batch normalisation, the mean over places, one matrix product; cross entropy against the labels that class folders,
IDX files and tables carry.

Shapes: N pictures · K classes; logits N×K.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from pydantic import Field
from torch import Tensor, nn

from ganforge.errors import UsageError
from ganforge.game import Losses, PictureConfig, Recipe, Step, System, Turn
from ganforge.ops.schedules import cosine

UNKNOWN = -100
"""Stands for a class that is not known."""


class ClassifierConfig(PictureConfig):
    """A classifier of K classes."""

    classes: int = Field(10, ge=2, description="how many there are")
    column: int = Field(0, ge=0, description="which attribute of a picture is its class, counted from 0")
    widths: tuple[int, ...] = Field((48, 96, 192), min_length=1, description="maps from fine to coarse")
    dropout: float = Field(0.2, ge=0, lt=1, description="share of the last features that is hidden in training")
    learning_rate: float = Field(2e-3, gt=0, description="AdamW's, down to zero along a cosine")
    weight_decay: float = Field(0.02, ge=0, description="AdamW's")


class ClassifierNet(nn.Module):
    """3×H×W → two convolutions an octave → mean over places → K logits."""

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = int(config.channels)
        for width in config.widths:
            for a, b, stride in ((before, width, 1), (width, width, 2)):
                layers += [nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True)]
            before = width
        self.layers = nn.Sequential(*layers)
        self.judge = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(before, config.classes))

    def forward(self, pictures: Tensor) -> Tensor:
        """pictures N×3×H×W in [−1, 1] → N×K logits."""
        logits: Tensor = self.judge(self.layers(pictures).mean((2, 3)))
        return logits


class Classifier(System):
    """Cross entropy, Adam with decoupled weight decay."""

    name = "classifier"
    kind = "net"
    config_class = ClassifierConfig
    averaged = ()
    parts = ("net",)
    config: ClassifierConfig

    @classmethod
    def make_nets(cls, config: ClassifierConfig) -> dict[str, nn.Module]:
        """The net, freshly initialised."""
        return {"net": ClassifierNet(config)}

    def loss(self, step: Step) -> Losses:
        """−log p(class | picture), over the pictures whose class is known."""
        condition = step.batch.condition
        if condition is None or condition.attributes is None or self.config.column >= condition.attributes.shape[1]:
            raise UsageError(
                "These pictures carry no classes. Put them into one folder a class, or add a metadata.csv."
            )
        column = condition.attributes[:, self.config.column]
        if step.number == 0 or column.device.type == "cpu":
            self._check(column, first=step.number == 0)
        none = (
            column.isnan() | (column < 0) | (column >= self.config.classes)
        )  # on a GPU such a label kills the process
        labels = torch.where(none, UNKNOWN, column).long()
        known = (labels != UNKNOWN).sum().clamp(min=1)
        logits = self.net(step.batch.pictures).float()
        loss = F.cross_entropy(logits, labels, ignore_index=UNKNOWN, reduction="sum") / known
        return Losses(loss, {"hit_rate": (logits.argmax(1) == labels).sum() / known})

    def _check(self, column: Tensor, *, first: bool) -> None:
        """On a GPU before the first step only: looking at numbers makes it wait."""
        known = column[~column.isnan()]
        if first and not len(known):
            raise UsageError(f"No picture of the first batch carries a class in column {self.config.column}.")
        if bool((known != known.round()).any()) or bool((known < 0).any()):
            raise UsageError(
                f"Column {self.config.column} of what is known of the pictures is no class; say --set column=…"
            )
        if bool((known >= self.config.classes).any()):
            raise UsageError(f"There are more than {self.config.classes} classes; say --set classes=…")

    @property
    def net(self) -> nn.Module:
        """The only player."""
        return self.nets["net"]

    def turns(self) -> Sequence[Turn]:
        """One."""
        c = self.config
        adam = torch.optim.AdamW(self.net.parameters(), c.learning_rate, weight_decay=c.weight_decay, fused=True)
        return (Turn("net", self.net, adam, self.loss, learning_rate=cosine),)


def classifier(height: int, width: int) -> ClassifierConfig:
    """Any size."""
    return ClassifierConfig(height=height, width=width, batch_size=128)


RECIPES = (Recipe("classifier", Classifier, classifier, "no generator: tells the classes of a collection apart"),)
