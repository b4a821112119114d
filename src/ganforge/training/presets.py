"""Which of a recipe's presets a run takes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from ganforge.game import PictureConfig, Recipe
from ganforge.machine import best_device
from ganforge.systems import changed, configure
from ganforge.training.budget import Budget
from ganforge.training.warm import shares_that_fit

MINUTES_FOR_ALL_MAPS = 30.0
"""At 64×64 or less; below, on a CPU, a recipe's preset for brief budgets is taken. In slow hours of two cores its narrower nets
were ahead after 12 minutes of faces (FD 37.9 beside 46.2) and 10 of avatars (175 beside 183), and after 20 of CIFAR-10 level
with what the wide ones had come to in a faster hour. Where the wide ones overtake them was not measured (bench/STUDY.md). Larger
pictures take more minutes, in proportion to their sides, as the time for a picture about grows: fewer of them are seen.
"""


@dataclass(frozen=True)
class Preset:
    """One of a recipe's configs.

    Attributes:
        config: with the user's settings.
        brief: whether its nets are those for few minutes; False where there is no difference.
        accelerated: what it has for accelerators, in words; nothing where there is no difference.
    """

    config: PictureConfig
    brief: bool
    accelerated: str

    def notes(self, budget: Budget) -> list[str]:
        """What a user is told of it; nothing of what a Model or a run that is replayed asked for."""
        notes = []
        c = self.config
        if self.brief and is_brief(budget, c.height, c.width):
            notes.append(
                f"Below {minutes_for_all_maps(c.height, c.width):.0f} minutes at {c.width}x{c.height}: narrower nets, which "
                "move more often in the time there is."
            )
        if self.accelerated and is_accelerated():
            notes.append(f"On an accelerator: {self.accelerated}.")
        return notes


def is_accelerated() -> bool:
    """Whether there is more than a CPU."""
    return best_device().type != "cpu"


def minutes_for_all_maps(height: int, width: int) -> float:
    """Of a CPU, for pictures of that size in pixels, from which a recipe's widest nets are taken."""
    return MINUTES_FOR_ALL_MAPS * max(1.0, math.sqrt(height * width) / 64)


def is_brief(budget: Budget, height: int, width: int) -> bool:
    """Whether a budget of minutes is too short for a recipe's widest nets. A budget of pictures never is: after as many, those
    came nearer on faces.
    """
    seconds = budget.seconds
    return not is_accelerated() and seconds is not None and seconds < 60 * minutes_for_all_maps(height, width)


def chosen_preset(
    recipe: Recipe,
    size: tuple[int, int],
    settings: Mapping[str, Any],
    budget: Budget,
    repeated: PictureConfig | None = None,
    origin_path: Path | None = None,
) -> Preset:
    """The one that this machine and the budget ask for, or that the Model to start from fits; where a run of that size is
    replayed, its own config, whatever the presets have become.

    Raises:
        UnknownNameError, UsageError: as `configure`.
        ModelError: the Model to start from is damaged.
    """
    words = {key: _text(value) for key, value in settings.items()}
    if repeated is not None and (repeated.height, repeated.width) == size:
        return Preset(changed(recipe, repeated.model_dump(), words), brief=False, accelerated="")
    presets: list[Preset] = []
    for brief, accelerated in product((False, True), repeat=2):
        own = {key: value for key, value in recipe.accelerated.items() if accelerated and key not in words}
        config = configure(recipe, *size, {**own, **words}, brief=brief)
        if all(config != known.config for known in presets):
            presets.append(Preset(config, brief, ", ".join(f"{key} = {value}" for key, value in own.items())))
    if len(presets) == 1:
        return presets[0]

    def likeness(preset: Preset) -> tuple[float, bool, bool]:
        like = 0.0 if origin_path is None else sum(shares_that_fit(recipe.system, preset.config, origin_path).values())
        return like, bool(preset.accelerated) == is_accelerated(), preset.brief == is_brief(budget, *size)

    return max(presets, key=likeness)


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
