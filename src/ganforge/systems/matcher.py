"""A small matcher: which caption belongs to which picture. One player, one turn.

It judges generators: whether samples show what their captions say. A picture and a caption each become a vector of length
1; the cosine of the two says how well they belong together. Of the pictures and captions of a batch every picture must
find its own caption, and every caption its own picture: cross entropy both ways over all cosines, times a factor that is
learnt (Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", arXiv 2103.00020,
figure 3; Sohn, "Improved Deep Metric Learning with Multi-class N-pair Loss Objective", NIPS 2016).

There is no vocabulary. A caption of any language is the mean over its sequences of one to four bytes of UTF-8, each a
row of a hashed table; two matrix products follow. With avatars' records in the pictures' place this was as good as words,
pairs of words and longer sequences, in English, Chinese and Japanese alike.

Shapes: N pictures and captions · D size of the common space; vectors N×D.
"""

import math
from collections.abc import Sequence
from unicodedata import normalize

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812
from pydantic import Field
from torch import Tensor, nn

from ganforge.errors import UsageError
from ganforge.game import Losses, PictureConfig, Recipe, Step, System, Turn
from ganforge.ops.schedules import cosine
from ganforge.ops.trunk import doubling, trunk

Numbers = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]

LONGEST = 4
"""Bytes of the longest sequences: a Chinese or Japanese character has three."""
MOST_CHARACTERS = 2000
"""Of a caption; what comes after is not read."""
START_TEMPERATURE, LOWEST_TEMPERATURE = 0.07, 0.01
"""CLIP's."""


class MatcherConfig(PictureConfig):
    """A matcher of pictures and captions."""

    widths: tuple[int, ...] = Field(min_length=1, description="maps from fine to coarse")
    rows: int = Field(2**14, ge=2, description="of the table that sequences of bytes are hashed into")
    row_size: int = Field(128, ge=1, description="numbers of a row")
    hidden: int = Field(256, ge=1, description="numbers between the two matrix products of a caption")
    size: int = Field(128, ge=2, description="D, of the common space")
    learning_rate: float = Field(1e-3, gt=0, description="AdamW's, down to zero along a cosine")
    weight_decay: float = Field(0.02, ge=0, description="AdamW's")


def plain(caption: str) -> str:
    """A caption as it is read: without upper case, double spaces, and signs that Unicode holds equal to others (NFKC)."""
    return " ".join(normalize("NFKC", caption[:MOST_CHARACTERS]).casefold().split())


def hashed(caption: str, rows: int) -> Rows:
    """The rows of a caption's sequences of 1 … LONGEST bytes; the same on every machine. None for an empty caption."""
    text = plain(caption)
    if not text:
        return np.empty(0, np.int64)
    said = np.frombuffer(f" {text} ".encode(errors="replace"), np.uint8).astype(np.uint64)
    found, sequences = [], np.zeros(len(said), np.uint64)
    for length in range(1, LONGEST + 1):
        # to the base of 257, without zeros: no two sequences are one number
        sequences = sequences[: len(said) - length + 1] * np.uint64(257) + said[length - 1 :] + np.uint64(1)
        found.append(sequences)
    chosen: Rows = (_scattered(np.concatenate(found)) % np.uint64(rows)).astype(np.int64)
    return chosen


def _scattered(x: Numbers) -> Numbers:
    """SplitMix64's output function: every bit of the result depends on every bit of x."""
    x = x * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Numbers = x ^ (x >> np.uint64(31))
    return mixed


class PictureEncoder(nn.Module):
    """3×H×W → the convolutions of the classifier → mean over places → D numbers of length 1."""

    def __init__(self, config: MatcherConfig) -> None:
        super().__init__()
        self.layers = trunk(config.channels, config.widths)
        self.out = nn.Linear(config.widths[-1], config.size)

    def forward(self, pictures: Tensor) -> Tensor:
        """pictures N×3×H×W in [−1, 1] → N×D, float32."""
        vectors: Tensor = self.out(self.layers(pictures).mean((2, 3)))
        return F.normalize(vectors.float(), dim=1)


class CaptionEncoder(nn.Module):
    """A caption's rows → their mean, normalised → two matrix products → D numbers of length 1."""

    def __init__(self, config: MatcherConfig) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(config.rows, config.row_size, mode="mean")
        self.layers = nn.Sequential(
            nn.LayerNorm(config.row_size),
            nn.Linear(config.row_size, config.hidden),
            nn.ReLU(inplace=True),
            nn.Linear(config.hidden, config.size),
        )

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # every batch has another number of rows
    def forward(self, captions: Sequence[str]) -> Tensor:
        """N captions → N×D, float32."""
        found = [hashed(caption, self.table.num_embeddings) for caption in captions]
        starts = np.cumsum([0, *map(len, found)])[:-1]
        device = self.table.weight.device
        rows = torch.from_numpy(np.concatenate(found)).to(device)
        vectors: Tensor = self.layers(self.table(rows, torch.from_numpy(starts).to(device)))
        return F.normalize(vectors.float(), dim=1)


class MatcherNet(nn.Module):
    """Both encoders, and the temperature that cosines are divided by."""

    def __init__(self, config: MatcherConfig) -> None:
        super().__init__()
        self.image, self.text = PictureEncoder(config), CaptionEncoder(config)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(START_TEMPERATURE)))

    def forward(self, pictures: Tensor, captions: Sequence[str]) -> Tensor:
        """N pictures and M captions → N×M logits: cosine / temperature."""
        scale = self.log_scale.clamp(max=-math.log(LOWEST_TEMPERATURE)).exp()
        images, texts = self.image(pictures), self.text(captions)
        with torch.autocast(pictures.device.type, enabled=False):  # bfloat16's three digits are too few for cosines
            logits: Tensor = scale * (images @ texts.T)
        return logits


class Matcher(System):
    """Cross entropy both ways; Adam with decoupled weight decay."""

    name = "matcher"
    kind = "net"
    config_class = MatcherConfig
    averaged = ()
    parts = ("net",)
    config: MatcherConfig

    @classmethod
    def make_nets(cls, config: MatcherConfig) -> dict[str, nn.Module]:
        """The net, freshly initialised."""
        return {"net": MatcherNet(config)}

    @property
    def net(self) -> nn.Module:
        """The only player."""
        return self.nets["net"]

    def loss(self, step: Step) -> Losses:
        """−log p(own caption | picture) and −log p(own picture | caption), halved, over what has a caption.

        The same caption in another row is neither right nor wrong.
        """
        captions = step.batch.captions
        if captions is None:
            raise UsageError("These pictures have no captions. Add a metadata.csv with a column named text.")
        logits = self.net(step.batch.pictures, captions)
        wanted = torch.arange(len(captions), device=logits.device)
        logits = logits.masked_fill(_left_out(captions).to(logits.device), -math.inf)
        known = torch.tensor([plain(caption) != "" for caption in captions], device=logits.device)
        count = known.sum().clamp(min=1)
        both = F.cross_entropy(logits, wanted, reduction="none") + F.cross_entropy(logits.T, wanted, reduction="none")
        hits = ((logits.argmax(1) == wanted) & known).sum() / count
        return Losses((both * known).sum() / (2 * count), {"hit_rate": hits})

    def turns(self) -> Sequence[Turn]:
        """One."""
        c = self.config
        adam = torch.optim.AdamW(self.net.parameters(), c.learning_rate, weight_decay=c.weight_decay, fused=True)
        return (Turn("net", self.net, adam, self.loss, learning_rate=cosine),)


def _left_out(captions: Sequence[str]) -> Tensor:
    """N×N: pairs that say nothing: one has no caption, or both have the same one. Never a picture and its own."""
    words = [plain(caption) for caption in captions]
    number = {word: i for i, word in enumerate(dict.fromkeys(words))}
    ids = torch.tensor([number[word] for word in words])
    empty = torch.tensor([not word for word in words])
    pairs = (ids[:, None] == ids) | empty[:, None] | empty
    return pairs & ~torch.eye(len(words), dtype=torch.bool)


def matcher(height: int, width: int) -> MatcherConfig:
    """Any size."""
    return MatcherConfig(height=height, width=width, widths=doubling(height, width), batch_size=64)


RECIPES = (Recipe("matcher", Matcher, matcher, "no generator: tells which caption belongs to which picture"),)
