"""What happened to the pictures of a collection, counted, and said in sentences."""

from collections import Counter
from collections.abc import Sequence

from ganforge.pictures.collection import Skipped
from ganforge.pictures.decode import format_of
from ganforge.pictures.pack import PackOptions
from ganforge.pictures.prepare import Prepared

FEWEST = 16
"""Fewer pictures than this are no collection."""


class Tally:
    """Counts prepared pictures as they come.

    Attributes:
        kept: indices of the pictures to use: readable, and the first of its kind.
        skipped: files passed over, those of the listing first.
        duplicates: names of pictures that look exactly like an earlier one.
        sizes: how many pictures have which (width, height).
        modes: likewise for pixel formats.
        formats: likewise for file formats.
    """

    def __init__(self, names: Sequence[str], skipped: Sequence[Skipped], *, keep_copies: bool = False) -> None:
        self._names, self._keep_copies = names, keep_copies
        self._seen: set[bytes] = set()
        self.kept: list[int] = []
        self.skipped = list(skipped)
        self.duplicates: list[str] = []
        self.sizes: Counter[tuple[int, int]] = Counter()
        self.modes: Counter[str] = Counter()
        self.formats: Counter[str] = Counter()
        self._reshaped: Counter[tuple[int, int]] = Counter()
        self._enlarged = self._moving = self._misnamed = 0

    def add(self, picture: Prepared) -> bool:
        """Count a picture; True if it is to be used."""
        name = self._names[picture.index]
        if picture.facts is None:
            self.skipped.append(Skipped(name, picture.reason))
            return False
        size = (picture.facts.width, picture.facts.height)
        self.sizes[size] += 1
        self.modes[picture.facts.mode] += 1
        self.formats[picture.facts.format] += 1
        if picture.hash in self._seen and not self._keep_copies:
            self.duplicates.append(name)
            return False
        self._seen.add(picture.hash)
        self.kept.append(picture.index)
        self._reshaped[size] += picture.reshaped
        self._enlarged += picture.enlarged
        self._moving += picture.facts.frames > 1
        self._misnamed += picture.facts.format not in ("array", format_of(name), "DIB" if format_of(name) else None)
        return True

    @property
    def readable(self) -> int:
        """Pictures that could be decoded, copies included."""
        return len(self.kept) + len(self.duplicates)

    def sentences(self, options: PackOptions) -> list[str]:
        """What a user should know of how the pictures were read."""
        shape = "square" if options.height == options.width else f"{options.width}:{options.height} part"
        target = f"{options.width}×{options.height}"
        said: list[str] = []
        if reshaped := sum(self._reshaped.values()):
            (w, h), most = self._reshaped.most_common(1)[0]
            sizes = f"{w}×{h}" + (" and other sizes" if most < reshaped else "")
            done = (
                f"padded with {options.background} from {sizes} to {target}"
                if options.fit == "pad"
                else f"cropped from {sizes} to the centre {shape}"
            )
            said.append(f"{_pictures(reshaped)} {_were(reshaped)} {done}.")
        if self._enlarged:
            n = self._enlarged
            said.append(f"{_pictures(n)} {_were(n)} smaller than {target} and enlarged: expect soft samples.")
        said += self.oddities()
        if self.duplicates:
            n = len(self.duplicates)
            copies = "exact copies of others" if n > 1 else "an exact copy of another"
            said.append(f"{_pictures(n)} {_were(n)} left out as {copies}.")
        if self.skipped:
            n = len(self.skipped)
            said.append(f"{n} file{'s' if n > 1 else ''} {_were(n)} skipped (`ganforge data inspect` says why).")
        return said

    def oddities(self) -> list[str]:
        """Sentences on what does not depend on the size that is asked for."""
        said: list[str] = []
        if self._misnamed:
            said.append(f"{_pictures(self._misnamed)} {_were(self._misnamed)} read by content: the suffix is wrong.")
        if self._moving:
            said.append(f"{_pictures(self._moving)} {_were(self._moving)} animated or had pages: one frame was used.")
        return said


def too_few(tally: Tally) -> str:
    """The sentence for a collection that is none."""
    lines = [f"\n  {skipped.name}: {skipped.reason}" for skipped in tally.skipped[:10]]
    more = len(tally.skipped) - len(lines)
    passed = f" {len(tally.skipped)} files were skipped:{''.join(lines)}" if lines else ""
    twice = f" {len(tally.duplicates)} pictures are there twice." if tally.duplicates else ""
    return f"There are {len(tally.kept)} usable pictures; training needs at least {FEWEST}.{twice}{passed}" + (
        f"\n  … and {more} more (`ganforge data inspect --json` lists all)" if more > 0 else ""
    )


def _pictures(count: int) -> str:
    return f"{count:,} picture{'s' if count != 1 else ''}"


def _were(count: int) -> str:
    return "were" if count != 1 else "was"
