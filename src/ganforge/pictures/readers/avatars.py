"""The set that comes along, drawn at exactly the size that is asked for: ``avatars[:COUNT[:SEED]]``."""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from ganforge.errors import UsageError
from ganforge.pictures.collection import Collection, Pixels, annotate
from ganforge.progress import Progress

COUNT = 10_000
MOST = 10_000_000


@dataclass(frozen=True)
class AvatarPictures:
    """Pictures drawn from the records of a seed."""

    count: int
    seed: int

    def read(self, index: int, size: tuple[int, int] | None) -> bytes | Pixels:
        """Drawn for ``size``: at its longer side, within what the renderer can do."""
        from ganforge.avatars import LARGEST, SMALLEST, avatar_seed, draw, sample_record

        seed = avatar_seed(self.seed, index)
        side = max(size) if size is not None else 64
        return draw(sample_record(seed), seed, min(max(side, SMALLEST), LARGEST))

    def digest(self, progress: Progress) -> str:
        """See `ganforge.pictures.collection.Pictures.digest`."""
        return f"avatars {self.count} {self.seed} {code()}"


@lru_cache(maxsize=1)
def code() -> str:
    """A hash of the code that draws: another line of it, another set."""
    whole = hashlib.blake2b(digest_size=16)
    for file in sorted(resources.files("ganforge.avatars").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".py"):
            whole.update(file.name.encode() + b"\0" + file.read_bytes())
    return whole.hexdigest()


def parse(pictures: str) -> AvatarPictures | None:
    """``avatars[:COUNT[:SEED]]``; None for anything else.

    Raises:
        UsageError: ``avatars:`` followed by something else than whole numbers in range.
    """
    if pictures != "avatars" and not pictures.startswith("avatars:"):
        return None
    match = re.fullmatch(r"avatars(?::(\d{1,9})(?::(\d{1,18}))?)?", pictures, re.ASCII)
    if match is None or not 1 <= int(match[1] or COUNT) <= MOST:
        raise UsageError(
            f"{pictures} is not avatars[:COUNT[:SEED]]: expected how many to draw (1 … {MOST:,}) and a seed, for"
            " example avatars:2000 or avatars:2000:7."
        )
    return AvatarPictures(int(match[1] or COUNT), int(match[2] or 0))


def collection(pictures: AvatarPictures) -> Collection:
    """The records of a set as a collection."""
    from ganforge.avatars import SCHEMA, avatar_seed, captions, sample_record

    seeds = [avatar_seed(pictures.seed, index) for index in range(pictures.count)]
    records = [sample_record(seed) for seed in seeds]
    return Collection(
        layout="avatars",
        names=[f"avatars:{pictures.seed}/{index:05d}" for index in range(pictures.count)],
        pictures=pictures,
        annotations=annotate(
            records,
            captions=[tuple(captions(r, s).values()) for r, s in zip(records, seeds, strict=True)],
            known={attribute.name: attribute for attribute in SCHEMA.attributes},
        ),
    )
