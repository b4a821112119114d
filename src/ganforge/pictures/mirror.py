"""Whether a collection may be shown mirrored: a decision from the pictures, not a habit.

Mirrored pictures double a collection for nothing if left and right mean nothing in it (faces, flowers), and teach a
generator nonsense if they do (letters, shoes that all point left, hair parted on one side). The question put to the
pictures: is a picture more like its nearest neighbour than its mirror image is like *its* nearest neighbour? Where left
and right mean nothing, a mirror image could have been in the collection as well, and each is nearer half of the time.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from ganforge.attributes import Schema
from ganforge.pictures.collection import Pixels

MOST = 2000
"""Pictures compared; more change the share by less than 2 %."""

THUMB = 16
"""Side of the grey thumbnails that are compared."""

MOST_SHARE = 0.6
"""Flip only while a picture beats its mirror image no more often than this."""

LEAST = 32
"""Fewer pictures than this tell nothing."""

_SIDED = re.compile(
    r"(?<![a-z])(left|right|((left|right)wards?)|((counter|anti)?clockwise)|letters?|digits?)(?![a-z])|左|右",
    re.IGNORECASE,
)


_SIDED_TERMS = re.compile(rf"{_SIDED.pattern}|(?<![a-z])(turn(ed)?|yaw|facing|azimuth)(?![a-z])", re.IGNORECASE)
"""As names of attributes these, too, mean a direction."""


@dataclass(frozen=True)
class MirrorVerdict:
    """Whether mirrored pictures belong to the collection.

    Attributes:
        flip: yes or no.
        share: of pictures that are nearer to a neighbour than their mirror images are; NaN if not measured.
        reason: a sentence for the user.
    """

    flip: bool
    share: float
    reason: str


def thumbnail(pixels: Pixels) -> npt.NDArray[np.float32]:
    """(H, W, 3) → a grey (THUMB·THUMB,) vector of zero mean."""
    grey = Image.fromarray(pixels).convert("L").resize((THUMB, THUMB), Image.Resampling.BOX)
    vector: npt.NDArray[np.float32] = np.array(grey, dtype=np.float32).reshape(-1)
    vector -= vector.mean()
    return vector


def schema_terms(schema: Schema) -> list[str]:
    """The names of attributes and of their values."""
    return [term for a in schema.attributes for term in (a.name, *getattr(a, "values", ()))]


def mirror_verdict(
    pictures: Sequence[Pixels] | Pixels, captions: Sequence[str] = (), terms: Sequence[str] = ()
) -> MirrorVerdict:
    """Decide for a collection.

    Args:
        pictures: N uint8 pictures (H, W, 3) of one size; at most MOST of them, spread evenly, are looked at.
        captions: if one in a hundred speaks of left and right, of letters or digits, mirroring makes it lie.
        terms: names of attributes and of their values; one such word among them is enough.
    """
    for texts, words, enough in ((terms, _SIDED_TERMS, 1), (captions, _SIDED, max(2, len(captions) // 100))):
        sided = [match.group(0) for text in texts if (match := words.search(text))]
        if len(sided) >= enough:
            reason = f"flip: off, because the collection's words tell sides or writing apart ({sided[0]!r})."
            return MirrorVerdict(False, float("nan"), reason)
    if len(pictures) < LEAST:
        return MirrorVerdict(False, float("nan"), f"flip: off, because {len(pictures)} pictures are too few to tell.")
    chosen = np.linspace(0, len(pictures) - 1, min(MOST, len(pictures))).astype(int)
    share = handedness(np.stack([thumbnail(np.asarray(pictures[i])) for i in chosen]))
    if share > MOST_SHARE:
        reason = f"flip: off, because left and right differ: {share:.0%} of the pictures fit in better than mirrored."
    else:
        reason = f"flip: on, because mirrored pictures fit in as well ({share:.0%} fit in better as they are)."
    return MirrorVerdict(share <= MOST_SHARE, share, reason)


def handedness(thumbs: npt.NDArray[np.float32]) -> float:
    """Share of the rows of ``thumbs`` (n, THUMB·THUMB) whose nearest other row is nearer than their mirror image's is.

    Ties (pictures that are their own mirror image) count one half.
    """
    n = len(thumbs)
    mirrored = thumbs.reshape(n, THUMB, THUMB)[:, :, ::-1].reshape(n, -1)
    norms = (thumbs**2).sum(1)
    straight = norms[:, None] + norms[None] - 2 * thumbs @ thumbs.T
    turned = norms[:, None] + norms[None] - 2 * mirrored @ thumbs.T
    np.fill_diagonal(straight, np.inf)
    np.fill_diagonal(turned, np.inf)
    a, b = straight.min(1), turned.min(1)
    slack = 1e-4 * norms.mean() + 1e-6
    return float(np.mean(np.where(np.abs(a - b) <= slack, 0.5, a < b)))
