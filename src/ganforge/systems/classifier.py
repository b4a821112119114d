"""A small classifier: what a picture carries. One player, one turn.

It judges generators: whether samples carry the attributes asked for, how many of a collection's classes they show, and
how surely. Strided convolutions with batch normalisation, the mean over places, one matrix product. Every attribute of
the pictures' schema has its own outputs and its own loss: cross entropy for a choice, binary cross entropy for a flag,
squared error for a number.

Shapes: N pictures · A attributes · O outputs of all attributes: K for a choice of K values, 1 for a flag (its logit), 1
for a range (scaled to −1 … 1); outputs N×O, in the schema's order.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from pydantic import Field, model_validator
from torch import Tensor, nn

from ganforge.attributes import Attribute, Choice, Range, Schema
from ganforge.errors import UnknownNameError, UsageError
from ganforge.game import Losses, PictureConfig, Recipe, Step, System, Turn
from ganforge.ops.schedules import cosine
from ganforge.ops.trunk import doubling, trunk

UNKNOWN = -100
"""Stands for a class that is not known."""


class ClassifierConfig(PictureConfig):
    """A classifier of a schema's attributes."""

    attributes: Schema = Field(Schema(), description="what the pictures carry; taken from them when training begins")
    only: tuple[str, ...] = Field((), description="names of the attributes to learn; all of them where none is named")
    widths: tuple[int, ...] = Field((48, 96, 192), min_length=1, description="maps from fine to coarse")
    dropout: float = Field(0.2, ge=0, lt=1, description="share of the last features that is hidden in training")
    learning_rate: float = Field(2e-3, gt=0, description="AdamW's, down to zero along a cosine")
    weight_decay: float = Field(0.02, ge=0, description="AdamW's")

    @model_validator(mode="after")
    def _known(self) -> "ClassifierConfig":
        names = self.attributes.names
        for name in self.only if names else ():
            if name not in names:
                raise UnknownNameError("attribute", name, names)
        return self

    def learnt(self) -> list[tuple[int, Attribute]]:
        """(column in the pictures' table, attribute) of every attribute that is learnt."""
        return [(i, a) for i, a in enumerate(self.attributes.attributes) if not self.only or a.name in self.only]


def outputs_of(attribute: Attribute) -> int:
    """How many numbers the net gives for an attribute."""
    return len(attribute.values) if isinstance(attribute, Choice) else 1


class ClassifierNet(nn.Module):
    """3×H×W → two convolutions an octave → mean over places → O outputs."""

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        self.layers = trunk(config.channels, config.widths)
        outputs = sum(outputs_of(attribute) for _, attribute in config.learnt())
        self.judge = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(config.widths[-1], outputs))

    def forward(self, pictures: Tensor) -> Tensor:
        """pictures N×3×H×W in [−1, 1] → N×O outputs."""
        outputs: Tensor = self.judge(self.layers(pictures).mean((2, 3)))
        return outputs


class Classifier(System):
    """The sum of the attributes' losses; Adam with decoupled weight decay."""

    name = "classifier"
    kind = "net"
    config_class = ClassifierConfig
    averaged = ()
    parts = ("net",)
    config: ClassifierConfig

    @classmethod
    def make_nets(cls, config: ClassifierConfig) -> dict[str, nn.Module]:
        """The net, freshly initialised. Raises UsageError where the pictures carry nothing."""
        if not config.learnt():
            raise UsageError(
                "These pictures carry no classes. Put them into one folder a class, or add a metadata.csv."
            )
        return {"net": ClassifierNet(config)}

    def loss(self, step: Step) -> Losses:
        """−log p(attributes | picture), over what is known of each picture."""
        table = None if step.batch.condition is None else step.batch.condition.attributes
        if table is None or table.shape[1] != len(self.config.attributes.attributes):
            raise UsageError("These pictures carry other attributes than the classifier was made for.")
        outputs = self.net(step.batch.pictures).float()
        sizes = [outputs_of(attribute) for _, attribute in self.config.learnt()]
        total, hits, judged = outputs.sum() * 0, outputs.new_zeros(()), outputs.new_zeros(())
        for (column, attribute), mine in zip(self.config.learnt(), outputs.split(sizes, 1), strict=True):
            value = table[:, column]
            known = ~value.isnan()
            count = known.sum().clamp(min=1)
            value = value.nan_to_num(0)
            if isinstance(attribute, Range):
                wanted = 2 * (value - attribute.low) / max(attribute.high - attribute.low, 1e-12) - 1
                total = total + ((mine[:, 0] - wanted).square() * known).sum() / count
                continue
            if isinstance(attribute, Choice):
                labels = torch.where(known, value, UNKNOWN).long()
                total = total + F.cross_entropy(mine, labels, ignore_index=UNKNOWN, reduction="sum") / count
                right = mine.argmax(1) == labels
            else:
                apart = F.binary_cross_entropy_with_logits(mine[:, 0], value, reduction="none")
                total = total + (apart * known).sum() / count
                right = (mine[:, 0] > 0) == (value > 0.5)
            hits, judged = hits + (right & known).sum(), judged + known.sum()
        return Losses(total, {"hit_rate": hits / judged.clamp(min=1)})

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
    """Any size; narrow at first and small batches, for it mostly has minutes to learn."""
    return ClassifierConfig(height=height, width=width, batch_size=32, widths=doubling(height, width))


RECIPES = (Recipe("classifier", Classifier, classifier, "no generator: tells what the pictures of a collection carry"),)
