"""`ganforge learn collapse`: a GAN that covers few of eight modes, and two remedies, over time and in numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any, Literal

import numpy as np
from pydantic import Field

from ganforge.drawing.figures import CRITIC, FORGER, HELD_OUT, bare, figure, pixels, save_figure
from ganforge.drawing.grids import Pictures
from ganforge.drawing.planes import draw_plane
from ganforge.lessons.collapse import METHODS, PLACES, SAMPLES, Covered, Job, Method, cover, mean_and_deviation
from ganforge.lessons.comic import Panel, save_story
from ganforge.lessons.lesson import MEASURED, Lesson, Played, Settings, Variant, percent, side_by_side
from ganforge.lessons.points import Points
from ganforge.measures.modes import PERFECT, coverage
from ganforge.progress import Progress

STEPS, SEED = 3000, 1
"""A seed with which the plain GAN's samples end on one mode; with others they end beside all of them, or on two."""
STACKED = "stacked.png"
"""Real and generated triples of Fashion-MNIST, as bench/variety.py drew them."""
NAMES: dict[Method, str] = {"gan": "GAN", "discrimination": "+ minibatch", "relativistic": "relativistic"}
MEASURED_METHODS: tuple[tuple[Method, bool], ...] = (
    ("gan", False), ("gan", True), ("discrimination", False), ("discrimination", True), ("relativistic", False),
)  # fmt: skip
"""And whether at the gentler learning rate."""
COLOURS: dict[Method, str] = {"gan": FORGER, "discrimination": HELD_OUT, "relativistic": CRITIC}


def cover_all(place: str, steps: int, seed: int, progress: Progress) -> dict[Method, Covered]:
    """The same data played by every method, as many at a time as there are cores."""
    jobs = [Job(place, method, steps, seed) for method in METHODS]
    return dict(zip(METHODS, side_by_side("playing", cover, jobs, progress), strict=True))


def play_lesson(folder: Path, progress: Progress) -> Played:
    """Three methods on the ring, one seed, a short game; beside it what bench/collapse.py measured with ten."""
    games = cover_all("ring", STEPS, SEED, progress)
    _draw_strip(folder, "ring", games)
    _draw_modes(folder, games)
    _draw_story(folder, games)
    copyfile(MEASURED / STACKED, folder / STACKED)
    values = {f"{method}_modes": str(g.coverage[-1].modes) for method, g in games.items()}
    values |= {f"{method}_good": percent(g.coverage[-1].high_quality, 1) for method, g in games.items()}
    return Played(values, _told("ring", games))


def _told(place: str, games: dict[Method, Covered]) -> tuple[str, ...]:
    of = len(PLACES[place]().centres_or_raise())
    return (
        f"{place}: modes captured of {of}, share of samples within 3 sigma, reverse KL",
        *(
            f"  {NAMES[method]:<14} {c.modes:>2}   {percent(c.high_quality, 1):>7}   {c.reverse_kl:.3f}"
            for method, c in ((m, g.coverage[-1]) for m, g in games.items())
        ),
    )


# --- what bench/ measured ---------------------------------------------------------------------------------------------


def constants() -> dict[str, str]:
    """What the text says of the code, and tables in Markdown from the files that bench/ writes; "–" where it did not yet."""
    cells = {cell["cell"]: cell for cell in _read("collapse") or ()}
    rows = [
        f"| {place} | {NAMES[method]} | {_measured(cells.get(place + '-' + method + '-gentle' * gentle))} |"
        for place in PLACES
        for method, gentle in MEASURED_METHODS
    ]
    stacked, cifar = _read("stacked-fashion") or {"sets": {}}, _read("cifar") or {}
    values = {"steps": f"{STEPS:,}", "seed": str(SEED), "perfect": percent(PERFECT, 1), "cells": "\n".join(rows)}
    values["stacked"] = "\n".join(
        f"| {name} | {_seen(row)} | {row['modes']:,} | {row['kl']:.2f} | {percent(row['sure'], 1)} |"
        for name, row in stacked["sets"].items()
    )
    titles = {"real": "real", "plain": "`cifar32`", "discrimination": "+ minibatch discrimination"}
    values["cifar"] = "\n".join(
        f"| {title} | {_seen(row)} | {row.get('fd', '–')} | {percent(row['sure'], 1)} | "
        f"{percent(row['recall'][0], 1)} | {percent(row['coverage'][0], 1)} |"
        for title, row in ((title, cifar[name]) for name, title in titles.items() if name in cifar)
    )
    smoke = _read("imagenet-smoke") or {"classes": "–", "seen": 0}
    place = PLACES["ring"]()
    strewn = np.random.default_rng(0).uniform(-place.scale, place.scale, (SAMPLES, 2))
    chance = coverage(strewn, place.centres_or_raise(), place.sigma)
    values |= {"chance_modes": str(chance.modes), "chance_good": percent(chance.high_quality, 1)}
    return values | {"smoke_classes": str(smoke["classes"]), "smoke_seen": f"{smoke['seen']:,}"}


def _seen(row: dict[str, Any]) -> str:
    """Pictures seen in training."""
    return f"{row['seen']:,}" if row.get("seen") else "–"


def _measured(cell: dict[str, Any] | None) -> str:
    """Learning rate, steps, modes, quality and reverse KL of a cell, as columns."""
    if cell is None:
        return " | ".join("–" * 5)
    quality = mean_and_deviation([100 * share for share in cell["high_quality"]], 1)
    modes, kl = mean_and_deviation(cell["modes"], 1), mean_and_deviation(cell["reverse_kl"], 3)
    return f"{cell['config']['g_learning_rate']:g} | {cell['steps']:,} | {modes} | {quality} | {kl}"


def _read(name: str) -> Any:
    """A file that bench/ wrote; None where it did not yet."""
    file = MEASURED / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


# --- drawings ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A row of a strip: a game over time.

    Attributes:
        name: at its left.
        colour: of the name.
        shown: title and samples, (n, 2), from the first steps to the last.
    """

    name: str
    colour: str
    shown: Sequence[tuple[str, Points]]


def draw_strip(file: Path, place_name: str, rows: Sequence[Row]) -> None:
    """Games over time, each a row of small planes."""
    place = PLACES[place_name]()
    real = place.draw(np.random.default_rng(0), 400)
    with figure(1.5 * len(rows[0].shown), 1.72 * len(rows)) as made:
        panels = made.subplots(len(rows), len(rows[0].shown), squeeze=False)
        for line, row in zip(panels, rows, strict=True):
            for axes, (title, points) in zip(line, row.shown, strict=True):
                draw_plane(axes, 1.4 * place.scale, real=real, forged=points[:600], size=3)
                axes.set_title(title, fontsize=8, pad=2)
            line[0].set_ylabel(row.name, fontsize=9, fontweight="bold", color=row.colour)
        save_figure(made, file)


def _draw_strip(folder: Path, place_name: str, games: dict[Method, Covered]) -> None:
    rows = []
    for method, game in games.items():
        looks = zip(game.steps, game.samples, game.coverage, strict=True)
        shown = [(f"{step:,}: {found.modes}", points) for step, points, found in looks]
        rows.append(Row(NAMES[method], COLOURS[method], shown))
    draw_strip(folder / "strip.png", place_name, rows)


def _draw_modes(folder: Path, games: dict[Method, Covered]) -> None:
    with figure(8.4, 2.8) as made:
        modes, quality = made.subplots(1, 2)
        for axes, name in ((modes, "modes captured"), (quality, "share within 3 σ")):
            bare(axes)
            axes.set(xlabel="steps", ylabel=name)
        for method, game in games.items():
            modes.plot(game.steps, [c.modes for c in game.coverage], "o-", color=COLOURS[method], label=NAMES[method])
            quality.plot(game.steps, [c.high_quality for c in game.coverage], "o-", color=COLOURS[method])
        modes.set_ylim(-0.3, None)
        quality.set_ylim(-0.02, 1.02)
        modes.legend(frameon=False)
        save_figure(made, folder / "modes.png")


def _draw_story(folder: Path, games: dict[Method, Covered]) -> None:
    place = PLACES["ring"]()
    real = place.draw(np.random.default_rng(0), 400)

    def hung(points: Points | None) -> Pictures:
        with figure(2.6, 2.6) as made:
            draw_plane(made.subplots(), 1.4, real=real, forged=None if points is None else points[:300], size=10)
            return pixels(made, 100)

    collapsed, cured = games["gan"], games["relativistic"]
    heap = hung(collapsed.samples[-1])
    panels = (
        Panel([hung(None)]),
        Panel([heap], forger=0.8, appraiser=0.2, verdict=collapsed.verdicts[-1]),
        Panel([heap] * 3, forger=0.8),
        Panel([heap] * 3, appraiser=-0.8, verdict=0.05),
        Panel([hung(None), heap], forger=-0.6, appraiser=-0.4),
        Panel([hung(cured.samples[-1])], forger=1.0, appraiser=0.3, verdict=0.5),
    )
    save_story(folder, panels)


# --- with the user's own settings -------------------------------------------------------------------------------------


class CollapseSettings(Settings):
    """``ganforge learn collapse --set data=grid --set steps=8000``."""

    data: Literal["ring", "grid"] = Field("ring", description="eight modes or twenty-five")
    steps: int = Field(STEPS, ge=10, le=200_000, description="of each method")
    seed: int = Field(SEED, ge=0, lt=2**63, description="of everything random")


def play_variant(settings: CollapseSettings, folder: Path, progress: Progress) -> Played:
    """strip.png and modes.png of the user's choice."""
    games = cover_all(settings.data, settings.steps, settings.seed, progress)
    _draw_strip(folder, settings.data, games)
    _draw_modes(folder, games)
    return Played(told=_told(settings.data, games))


LESSON = Lesson(
    "collapse", "mode collapse and two remedies, over time and in numbers", play_lesson,
    Variant(CollapseSettings, play_variant), constants=constants,
)  # fmt: skip
