"""What is known about a picture beside its pixels: a schema of attributes, and tables of their values.

One small vocabulary for the avatars' records, CelebA's 40 flags, class folders and the columns of a ``metadata.csv``.
A table is a float32 array (N, A), one column an attribute in the schema's order:

    choice  index of the value in ``values``      hair: black, brown, blond …
    flag    0 or 1                                glasses
    range   the number itself                     smile: −1 … 1
    NaN     not known for this picture
"""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

Value = str | float | bool | None
Record = Mapping[str, Value]
Table = npt.NDArray[np.float32]

TRUE_WORDS = frozenset({"1", "true", "yes", "y", "t", "+1", "1.0"})
FALSE_WORDS = frozenset({"0", "false", "no", "n", "f", "-1", "0.0", "-1.0"})


class _Attribute(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, description="as the user writes it in `--with name=value`")


class Choice(_Attribute):
    """One value of a list."""

    kind: Literal["choice"] = "choice"
    values: tuple[str, ...] = Field(min_length=1)

    def encode(self, value: Value) -> float:
        """Index of ``value``; NaN for None. Raises ValueError for a value that is not in the list."""
        if value is None:
            return math.nan
        try:
            return float(self.values.index(str(value)))
        except ValueError:
            raise ValueError(f"{self.name} is one of {', '.join(self.values)}, not {value!r}") from None

    def decode(self, number: float) -> Value:
        """The inverse of `encode`."""
        return None if math.isnan(number) else self.values[int(number)]


class Flag(_Attribute):
    """Yes or no."""

    kind: Literal["flag"] = "flag"

    def encode(self, value: Value) -> float:
        """1 or 0; NaN for None. Accepts booleans, ±1, and the words of TRUE_WORDS and FALSE_WORDS."""
        if value is None:
            return math.nan
        word = str(value).strip().lower()
        if word in TRUE_WORDS:
            return 1.0
        if word in FALSE_WORDS:
            return 0.0
        raise ValueError(f"{self.name} is yes or no, not {value!r}")

    def decode(self, number: float) -> Value:
        """The inverse of `encode`."""
        return None if math.isnan(number) else number > 0.5


class Range(_Attribute):
    """A number between ``low`` and ``high``."""

    kind: Literal["range"] = "range"
    low: float
    high: float

    def encode(self, value: Value) -> float:
        """The number; NaN for None. Raises ValueError for what is no number or outside the range."""
        if value is None:
            return math.nan
        try:
            number = float(value)
        except ValueError:
            raise ValueError(f"{self.name} is a number, not {value!r}") from None
        if not self.low <= number <= self.high:
            raise ValueError(f"{self.name} lies between {self.low:g} and {self.high:g}, not {number:g}")
        return number

    def decode(self, number: float) -> Value:
        """The inverse of `encode`."""
        return None if math.isnan(number) else float(number)


Attribute = Annotated[Choice | Flag | Range, Field(discriminator="kind")]


class Schema(BaseModel):
    """The attributes of a collection or a model, in the order of a table's columns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attributes: tuple[Attribute, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes' names, in column order."""
        return tuple(attribute.name for attribute in self.attributes)

    def encode(self, record: Record) -> Table:
        """One row (A,) of a table; attributes that the record leaves out are NaN."""
        return np.array([a.encode(record.get(a.name)) for a in self.attributes], dtype=np.float32)

    def decode(self, row: Table) -> dict[str, Value]:
        """The record of a row (A,); unknown attributes are left out."""
        pairs = ((a.name, a.decode(float(number))) for a, number in zip(self.attributes, row, strict=True))
        return {name: value for name, value in pairs if value is not None}


MOST_CHOICES = 1000
"""A text column with more different values than this (or with nearly as many as rows) is no attribute."""


def infer_schema(records: Sequence[Record]) -> Schema:
    """Find the kind of every column: numbers of two values as flags, other numbers as ranges, few words as choices.

    A column whose values are all different words (a name, an address) tells nothing that a generator could learn and is
    left out.
    """
    columns: dict[str, list[Value]] = {}
    for record in records:
        for name, value in record.items():
            if value is not None and str(value).strip() != "":
                columns.setdefault(name, []).append(value)
    kinds = ((name, _infer_kind(name, values)) for name, values in columns.items())
    return Schema(attributes=tuple(kind for _, kind in kinds if kind is not None))


def _infer_kind(name: str, values: list[Value]) -> Choice | Flag | Range | None:
    words = {str(v).strip() for v in values}
    lowered = {w.lower() for w in words}
    if len(words) >= 2 and lowered <= TRUE_WORDS | FALSE_WORDS and lowered & TRUE_WORDS and lowered & FALSE_WORDS:
        return Flag(name=name)
    try:
        numbers = [float(w) for w in words]
    except ValueError:
        numbers = []
    whole = numbers and all(n.is_integer() for n in numbers)
    if numbers and all(map(math.isfinite, numbers)) and not (whole and len(numbers) <= 20):
        return Range(name=name, low=min(numbers), high=max(numbers))
    if len(words) > min(MOST_CHOICES, max(2, len(values) // 2)):
        return None
    return Choice(name=name, values=tuple(sorted(words, key=lambda w: (len(w), w) if whole else (0, w))))
