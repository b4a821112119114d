"""A cell of bench/collapse.py: S games of one method on one kind of data. (A module of its own, for worker processes.)"""

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from ganforge.files import replacing
from ganforge.lessons.arena import Arena
from ganforge.lessons.collapse import PLACES, SAMPLES, Method, config_of
from ganforge.lessons.points import PointSource
from ganforge.machine import keep_freed_memory, one_thread
from ganforge.measures.modes import coverage
from ganforge.pictures.workers import Report
from ganforge.systems.toy2d import Toy2dConfig
from results import code_of, provenance, write_json

SAVE_SECONDS = 20.0
SOURCE_SEED = 1
"""Of the real points, beyond the cell's own."""
CODE = (
    "src/ganforge/losses.py", "src/ganforge/ops/*.py", "src/ganforge/systems/toy2d.py", "src/ganforge/measures/modes.py",
    "src/ganforge/lessons/arena.py", "src/ganforge/lessons/collapse.py", "src/ganforge/lessons/points.py",
    "src/ganforge/training/step.py", "src/ganforge/training/averages.py", "bench/cells.py",
)  # fmt: skip
"""What a cell's result depends on."""
STRIP = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.6, 1.0)
"""Shares of a game at which its samples are kept."""


@dataclass(frozen=True)
class Cell:
    """A game to be played S times at once.

    Attributes:
        place: a name of `PLACES`.
        method: of `METHODS`.
        games: S.
        steps: of each.
        seed: of everything random.
        folder: for state and result.
        gentle: whether at the lower learning rate.
    """

    place: str
    method: Method
    games: int
    steps: int
    seed: int
    folder: Path
    gentle: bool = False

    @property
    def name(self) -> str:
        """``ring-gan``, ``ring-gan-gentle``."""
        return f"{self.place}-{self.method}{'-gentle' if self.gentle else ''}"

    @property
    def config(self) -> Toy2dConfig:
        """Of its S games."""
        return config_of(self.method, PLACES[self.place](), self.games, self.gentle)

    @property
    def identity(self) -> dict[str, Any]:
        """What a result must agree with to be this cell's."""
        config = self.config.model_dump(mode="json")
        return {"cell": self.name, "steps": self.steps, "seed": self.seed, "config": config, "code": code_of(*CODE)}

    def result(self) -> dict[str, Any] | None:
        """What was measured, if it was."""
        file = self.folder / f"{self.name}.json"
        if not file.exists():
            return None
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found if {key: found.get(key) for key in self.identity} == self.identity else None


def play(cell: Cell, report: Report) -> None:
    """Play a cell from where it was left; its result and its samples over time end up in its folder."""
    with FileLock(cell.folder / f"{cell.name}.lock"):  # never twice at once, should a killed bench have left a worker
        if cell.result() is None:
            _play(cell, report)


@one_thread()
def _play(cell: Cell, report: Report) -> None:
    keep_freed_memory()
    stamps = {provenance()}
    identity = cell.identity  # before playing: files may change meanwhile
    place = PLACES[cell.place]()
    config = cell.config
    source = PointSource(place, config.batch_size, cell.games, seed=cell.seed + SOURCE_SEED)
    arena = Arena(config, source, cell.steps, cell.seed, mark=json.dumps(identity))
    state, kept = cell.folder / f"{cell.name}.safetensors", cell.folder / f"{cell.name}-strip.npz"
    seconds, strip = 0.0, {}
    if state.exists():
        arena.resume(state)
        with np.load(kept) as stored:
            strip = {name: stored[name] for name in stored.files}
        seconds = float(strip.pop("seconds"))
        stamps |= set(strip.pop("measured").tolist())
    due = {max(1, math.ceil(part * cell.steps)) for part in STRIP}
    begun = saved = time.process_time()

    def save() -> None:
        with replacing(kept) as temporary:
            spent = seconds + time.process_time() - begun
            np.savez(temporary, seconds=spent, measured=np.array(sorted(stamps)), **strip)
        arena.save(state)

    for played in arena.play():
        report(played / cell.steps)
        if played in due:
            strip[str(played)] = arena.samples(SAMPLES).astype(np.float32)
        if time.process_time() - saved > SAVE_SECONDS:
            save()
            saved = time.process_time()
    save()
    found = [coverage(points, place.centres_or_raise(), place.sigma) for points in arena.samples(SAMPLES)]
    kl = [one.reverse_kl for one in found]
    result = {
        **identity,
        "cpu_seconds": seconds + time.process_time() - begun,
        "modes": [one.modes for one in found],
        "high_quality": [one.high_quality for one in found],
        "reverse_kl": [value if math.isfinite(value) else None for value in kl],
        "measured": " | ".join(sorted(stamps)),
    }
    write_json(cell.folder / f"{cell.name}.json", result)
