"""model.json: what a Model is, where it comes from, and how it may be used."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ganforge.attributes import Schema
from ganforge.errors import ModelError
from ganforge.game import Kind
from ganforge.measures.neighbours import too_many_copies

T = TypeVar("T")


class DataCard(BaseModel):
    """What the Model learnt from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pictures: str = Field(description="as the user named the collection (its last part; never a whole path)")
    count: int = Field(description="pictures trained on")
    digest: str = Field(description="hash of the pack")
    pack: dict[str, Any] | None = Field(None, description="how pictures became pixels: options of the pack")
    flip: bool = Field(False, description="whether mirror images were trained on too")
    licence: str | None = Field(None, description="of the pictures, where it is known")


class TrainingCard(BaseModel):
    """How the Model was made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    seed: int
    seen: int = Field(description="pictures shown to D, repetitions counted")
    seconds: float = Field(description="of training, everything inside")
    ganforge: str = Field(description="version")


class ModelCard(BaseModel):
    """model.json, whole."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    format: Literal[1] = 1
    kind: Kind = "generator"
    id: str = Field(description="hash of everything that changes what it makes")
    system: str
    config: dict[str, Any]
    height: int
    width: int
    attributes: Schema = Schema()
    mean_w: list[list[float]] = Field(
        description="L×D, the mean of seeds 0 … 63 through map; empty without a generator"
    )
    border: float = Field(0.0, description="the discriminator's logit between real and made pictures")
    directions: dict[str, Any] = Field(default_factory=dict, description="named moves in w, by name")
    data: DataCard | None = None
    training: TrainingCard | None = None
    licence: str | None = Field(None, description="of the weights")
    scores: list[dict[str, Any]] = Field(default_factory=list, description="measured, each with its judge")
    files: dict[str, str] = Field(description="sha256 of every other file of the folder")


def standing(score: Mapping[str, Any]) -> tuple[bool, float]:
    """What a run's states are ordered by, the best first: whether too many samples are copies, then KID."""
    return too_many_copies(score.get("copied")), float(score["kid"])


def _alike(scores: Mapping[T, Mapping[str, Any]]) -> dict[T, Mapping[str, Any]]:
    """Those in the features of the newest; the others do not compare."""
    newest = [score.get("features") for score in scores.values()][-1:]
    return {key: score for key, score in scores.items() if score.get("features") in newest}


def lowest_of(scores: Mapping[T, Mapping[str, Any]]) -> T | None:
    """Which of these scores, oldest first, stands lowest."""
    alike = _alike(scores)
    return min(alike, key=lambda key: standing(alike[key]), default=None)


def best_of(scores: Mapping[T, Mapping[str, Any]]) -> T | None:
    """Which of these scores, oldest first, is the best: the newest that luck alone may keep from being the lowest.

    That is one within the lowest one's standard error of it (`kid_error`; 0 where none was kept). What was learned since is
    thrown away only where the score says more than that: of a state that is a hundredth better by its 256 samples it says
    nothing (bench/STUDY.md, “Which state”).
    """
    alike, lowest = _alike(scores), lowest_of(scores)
    if lowest is None:
        return None
    copies, kid = standing(alike[lowest])
    reach = copies, kid + (alike[lowest].get("kid_error") or 0.0)
    return [key for key, score in alike.items() if standing(score) <= reach][-1]


def identity(
    weights_sha256: str, system: str, config: dict[str, Any], attributes: Schema, mean_w: list[list[float]]
) -> str:
    """The Model's id: 16 hexadecimal digits over the weights and everything else that changes what they make.

    ``weights_sha256``: of the generator's file alone where there is one (its critic changes no sample), else of all files.
    """
    said = json.dumps(
        [weights_sha256, system, config, attributes.model_dump(), mean_w], sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def read_card(folder: Path) -> ModelCard:
    """model.json of a Model's folder. Raises ModelError where it is missing or not one of ours."""
    try:
        text = (folder / "model.json").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ModelError(f"{folder} is not a Model: it holds no readable model.json.") from None
    try:
        return ModelCard.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ModelError(
            f"{folder / 'model.json'} is damaged or of a newer ganforge: {where}: {first['msg']}."
        ) from None
