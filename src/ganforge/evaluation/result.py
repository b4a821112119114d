"""What an evaluation found, as JSON holds it, and what it says in three plain sentences."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

FEWEST_FOR_FRECHET = 2048
"""Below so many pictures a side a Fréchet distance is mostly its own bias."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Figure(_Part):
    """A measure with its 95 % interval, and what real pictures reach: another draw of them in the samples' place."""

    value: float
    low: float
    high: float
    real: float | None = Field(None, description="real pictures against other real pictures, `floor_count` of each")
    at_floor_count: float | None = Field(
        None, description="the samples' value at `floor_count` pictures a side, where that is fewer"
    )

    @property
    def beside_real(self) -> float:
        """The samples' value at as many pictures as ``real`` was measured with."""
        return self.value if self.at_floor_count is None else self.at_floor_count

    @property
    def of_real(self) -> float:
        """The same as a share of what real pictures reach; above 1 where it is more."""
        return self.beside_real / max(self.real or 0.0, 1e-9)


class Features(_Part):
    """The net that looked; figures of another one are never comparable."""

    name: str
    about: str
    sha256: str
    dims: int
    resizer: str
    standard: bool = Field(description="whether published figures are in these features")
    precision: str = Field(description="of the net's arithmetic")


class Made(_Part):
    """Where the samples come from."""

    name: str
    kind: str = Field(description="model or pictures")
    model: str | None = Field(None, description="the Model's id")
    sha256: str | None = Field(None, description="of the generator's weights")
    system: str | None = None
    count: int
    first_seed: int | None = None
    psi: float | None = None
    digest: str | None = Field(None, description="of the pack, for pictures made elsewhere")


class Real(_Part):
    """What they are measured against."""

    name: str
    count: int = Field(description="pictures the samples are measured against")
    there: int = Field(description="pictures in the collection")
    digest: str
    floor_count: int = Field(description="pictures a side when real is measured against real")
    draw_seed: int


class Copying(_Part):
    """Samples against the pictures that were trained on."""

    share: float = Field(description="of samples nearer to a training picture than the threshold")
    threshold: float = Field(
        description="1st percentile of training pictures' distances to their own nearest neighbour"
    )
    held_out_share: float | None = Field(description="the same share of real pictures that were not trained on")
    training: int = Field(description="pictures compared with, mirror images not counted")
    mirrored: bool = Field(description="whether their mirror images were compared with too")
    flagged: bool


class Step(_Part):
    """A point of the truncation curve."""

    psi: float
    kid: float
    precision: float
    recall: float


class Smoothness(_Part):
    """Straight paths between latents, in features: 1 / steps is perfectly even."""

    paths: int
    steps: int
    largest_step: float = Field(description="mean over paths of the largest step's share of the path's length")
    detour: float = Field(description="mean length of a path over the distance of its ends; 1 is straight")


class Agreement(_Part):
    """Whether samples carry what was asked for, by a classifier that learnt from real pictures alone."""

    attribute: str
    kind: str
    judge: float = Field(
        description="the classifier's own accuracy on held-out real pictures (for a range: correlation)"
    )
    judged_on: int
    samples: float | None = Field(None, description="the same for the samples, where something was asked of them")
    samples_on: int = Field(0, description="samples of which it was asked")
    chance: float = Field(description="what always saying the commonest value would reach (0 for a range)")
    shares: dict[str, tuple[float, float]] | None = Field(
        None,
        description="of each value: (among held-out real pictures, among samples), both as the classifier sees them",
    )


class Retrieval(_Part):
    """Which of 100 captions belongs to a picture, by a matcher that never conditioned the generator."""

    among: int = Field(description="different captions, its own among them; chance finds it once in so many times")
    judge: float = Field(description="R@1 on held-out real pictures")
    judged_on: int
    samples: float | None = Field(None, description="R@1 of samples, where they came with captions")
    samples_on: int = Field(0, description="samples that came with captions")


class Evaluation(_Part):
    """All of it."""

    format: int = 1
    ganforge: str
    date: str
    machine: dict[str, Any]
    seconds: float
    made: Made
    real: Real
    height: int
    width: int
    features: Features
    kid: Figure
    frechet: Figure
    precision: Figure
    recall: Figure
    density: Figure
    coverage: Figure
    neighbourhood_count: int = Field(description="pictures a side for precision, recall, density and coverage")
    inception_score: Figure | None = Field(None, description="low … high: ± one standard deviation over ten splits")
    copying: Copying | None = None
    smoothness: Smoothness | None = None
    truncation: list[Step] = Field(default_factory=list)
    agreement: list[Agreement] = Field(default_factory=list)
    retrieval: Retrieval | None = None
    warnings: list[str] = Field(default_factory=list)
    sentences: dict[str, str] = Field(default_factory=dict)


def plain_sentences(e: Evaluation) -> dict[str, str]:
    """Looks real? How varied? Copied? One sentence each, for somebody who knows none of the measures."""
    hundred = 100
    looks, there = e.precision.beside_real, e.precision.real or 0.0
    met, within = e.coverage, e.recall
    said = {
        "Looks real?": f"Of {hundred} made pictures about {hundred * looks:.0f} look like real ones to the judge; of {hundred} "
        f"real ones that it had not seen, {hundred * there:.0f} do. {_looks(e)}",
        "How varied?": f"Of {hundred} real pictures, {hundred * met.beside_real:.0f} have a made one next to them, and "
        f"{hundred * within.beside_real:.0f} lie within the range of the made ones; with other real ones in their place, "
        f"{hundred * (met.real or 0):.0f} and {hundred * (within.real or 0):.0f}. {_verdict(variety(e), 'varied')}",
    }
    if e.copying is None:
        said["Copied?"] = (
            "Not asked: these are not the pictures it learnt from (or not as they were packed for it), so nothing can be "
            "said about copies."
            if e.made.kind == "model"
            else "Not asked: nobody knows what the maker of these pictures learnt from."
        )
        return said
    c = e.copying
    control = "" if c.held_out_share is None else f"; of real pictures it never saw, {100 * c.held_out_share:.1f} % do"
    said["Copied?"] = (
        f"{'Yes, too many' if c.flagged else 'No'}: {100 * c.share:.1f} % of the samples lie as close to a training picture "
        f"as only 1 % of the training pictures lie to one another{control}. More than 3 % would be a warning."
    )
    return said


CLEARLY_APART = 3
"""A Fréchet distance of more times what real pictures have from one another: no precision makes up for it."""


def _looks(e: Evaluation) -> str:
    """Precision asks of each picture whether it lies among real ones; all of them may still lie in one corner."""
    if e.precision.of_real >= 0.7 and e.frechet.of_real > CLEARLY_APART:
        return "One by one they pass with the judge; all together they differ clearly from real ones."
    return _verdict(e.precision.of_real, "looks")


def variety(e: Evaluation) -> float:
    """Coverage and recall, each as a share of what real pictures reach: their mean.

    Coverage alone forgives a generator that stays in the middle of every neighbourhood, recall alone none that is soft.
    """
    return (min(1.0, e.coverage.of_real) + min(1.0, e.recall.of_real)) / 2


def _verdict(share: float, what: str) -> str:
    steps = {
        "looks": (
            "It looks real to the judge.",
            "It looks nearly real.",
            "It looks half-way real.",
            "It does not look real yet.",
        ),
        "varied": (
            "As varied as the real ones.",
            "Nearly as varied.",
            "About half as varied.",
            "Little variety so far.",
        ),
    }[what]
    return steps[0] if share >= 0.9 else steps[1] if share >= 0.7 else steps[2] if share >= 0.4 else steps[3]
