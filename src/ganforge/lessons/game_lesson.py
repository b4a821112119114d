"""`ganforge learn game`: GANs in the plane. Who moves how often, which loss, which data, and the game x·y."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image
from pydantic import Field

from ganforge.avatars import draw as draw_avatar
from ganforge.drawing.clips import write_both
from ganforge.drawing.figures import (
    CRITIC,
    FAINT_INK,
    FORGER,
    HELD_OUT,
    HIT_RATE,
    bare,
    figure,
    heading,
    pixels,
    save_figure,
)
from ganforge.drawing.grids import Pictures
from ganforge.drawing.planes import draw_plane
from ganforge.errors import UsageError
from ganforge.lessons import bilinear
from ganforge.lessons.arena import Arena, Look, look
from ganforge.lessons.comic import FORGER as FORGER_RECORD
from ganforge.lessons.comic import Panel, save_story
from ganforge.lessons.lesson import BAR, Lesson, Played, Settings, Variant, side_by_side
from ganforge.lessons.points import Place, Points, PointSource, gaussians, grid, moons, outline, ring
from ganforge.machine import one_thread
from ganforge.measures.modes import coverage
from ganforge.pictures.collection import UnreadablePicture
from ganforge.pictures.decode import decode
from ganforge.pictures.workers import Report
from ganforge.progress import Progress
from ganforge.systems.bilinear import Bilinear, BilinearConfig
from ganforge.systems.toy2d import Toy2dConfig
from ganforge.training.step import Table, run_step

LossName = Literal["minimax", "non_saturating", "wasserstein", "relativistic"]
Order = Literal["D-inside", "G-inside", "D-first", "G-first"]

NETS: dict[str, Any] = {
    "g_widths": (64, 64, 64), "d_widths": (64, 64, 64), "g_learning_rate": 3e-3, "d_learning_rate": 3e-3,
    "ema_halflife_kimg": 0.0,
}  # fmt: skip
"""Of every game of this lesson: about 8,500 weights a player. Drawn is the generator as it is, not an average."""
LOSSES: dict[LossName, dict[str, Any]] = {
    "minimax": {"loss": "minimax"},
    "non_saturating": {"loss": "non_saturating"},
    "wasserstein": {"loss": "wasserstein", "slope_one": 1.0, "d_steps": 5, "beta1": 0.5},
    "relativistic": {"loss": "relativistic", "r1_gamma": 0.1, "r2_gamma": 0.1},
}
INNER = 50
"""Steps of the inner loop for one of the outer."""
SMOOTH = {"loss": "non_saturating", "r1_gamma": 0.1}
"""Of all orders of play: R1 keeps D's slopes finite, so that a D that is far ahead still shows G the way."""
ORDERS: dict[Order, dict[str, Any]] = {
    "D-inside": {"d_steps": INNER, "g_steps": 1},
    "G-inside": {"d_steps": 1, "g_steps": INNER},
    "D-first": {"first": "D"},
    "G-first": {"first": "G"},
}
INNER_ROUNDS, EVEN_ROUNDS, LOSS_ROUNDS = 100, 1600, 1000
REACH = 1.5
FRAMES = 40
LEAST_SIDE = 8
COLOURS = {"D-inside": CRITIC, "G-inside": FORGER, "D-first": HELD_OUT, "G-first": HIT_RATE}


# --- places that can be seen ------------------------------------------------------------------------------------------


def wide_ring() -> Place:
    """Eight modes of σ = 0.05 on radius 1."""
    return _gaussians_at(ring(), 1.0, 0.05)


def wide_grid() -> Place:
    """Twenty-five modes of σ = 0.03 within [−1, 1]²."""
    return _gaussians_at(grid(), 0.25, 0.03)


def _gaussians_at(place: Place, scale: float, sigma: float) -> Place:
    return gaussians(place.name, place.centres_or_raise() * scale, sigma)


def portrait() -> Place:
    """The lines of the forger's portrait."""
    return outline(draw_avatar({**FORGER_RECORD, "smile": 0.6}, 5, 128))


PLACES = {"ring": wide_ring, "grid": wide_grid, "moons": moons, "outline": portrait}


# --- watching a game --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Watched:
    """A game that was played to its end.

    Attributes:
        rounds: when it was looked at.
        looks: what was seen.
        modes: captured then; empty where the data has no modes.
    """

    rounds: list[int]
    looks: list[Look]
    modes: list[int]


@dataclass(frozen=True)
class Job:
    """A game to be watched.

    Attributes:
        place: a name of `PLACES`, or a place.
        settings: of its config, beside `NETS`.
        rounds: to be played.
        looks: how often to look, evenly.
        seed: of everything random.
    """

    place: str | Place
    settings: dict[str, Any]
    rounds: int
    looks: int = FRAMES
    seed: int = 0


@one_thread()
def watch(job: Job, report: Report) -> Watched:
    """Play a game and look at it from time to time."""
    place = PLACES[job.place]() if isinstance(job.place, str) else job.place
    config = Toy2dConfig(**{**NETS, **job.settings})
    arena = Arena(config, PointSource(place, config.batch_size, seed=job.seed), job.rounds, job.seed)
    watched = Watched(sorted({round(job.rounds * i / (job.looks - 1)) for i in range(job.looks)}), [], [])
    for moment in watched.rounds:
        for played in arena.play(moment):
            report(played / job.rounds)
        watched.looks.append(look(arena.system, REACH))
        if place.centres is not None:
            watched.modes.append(coverage(arena.samples(1000)[0], place.centres, place.sigma).modes)
    return watched


def real_points(place: Place, n: int = 400) -> Points:
    """Points to draw."""
    return place.draw(np.random.default_rng(1), n)


# --- the lesson -------------------------------------------------------------------------------------------------------


def play_lesson(folder: Path, progress: Progress) -> Played:
    """Four orders of play, four losses on four kinds of data, and x·y; as many at a time as there are cores."""
    orders, losses = _play_all(progress)
    place = wide_ring()
    _draw_orders(folder, orders, place)
    _draw_modes(folder, orders)
    _draw_hops(folder, orders["G-inside"], place)
    progress("a clip of both inner loops", 0, 1)
    inside: dict[str, Watched] = {order: orders[order] for order in ("D-inside", "G-inside")}
    _write_clips(folder, "inside", inside, place)
    _draw_losses(folder, losses)
    _draw_bilinear(folder)
    _draw_story(folder, orders)
    width, hop = collapse_of(orders["G-inside"])
    told = (
        f"Modes of the ring captured, of 8, median of the second half ({INNER} steps of the inner player for one):",
        *(f"  {order:<9} {usual_modes(watched):g}" for order, watched in orders.items()),
        f"With G inside, samples lie {width:.2f} from their middle on average, and it hops {hop:.2f} between two looks.",
        "Modes captured at the end, by loss and data:",
        *(
            f"  {loss:<15} ring {seen['ring'].modes[-1]} of 8, grid {seen['grid'].modes[-1]} of 25"
            for loss, seen in losses.items()
        ),
    )
    return Played(_values(orders, losses), told)


def _play_all(progress: Progress) -> tuple[dict[Order, Watched], dict[LossName, dict[str, Watched]]]:
    """Every game of the lesson."""
    orders = {
        order: Job("ring", {**SMOOTH, **settings}, INNER_ROUNDS if order.endswith("inside") else EVEN_ROUNDS)
        for order, settings in ORDERS.items()
    }
    losses = {
        (loss, name): Job(name, settings, LOSS_ROUNDS, looks=2) for loss, settings in LOSSES.items() for name in PLACES
    }
    done = side_by_side("playing games", watch, [*orders.values(), *losses.values()], progress)
    rest = dict(zip(losses, done[len(orders) :], strict=True))
    by_loss: dict[LossName, dict[str, Watched]] = {loss: {name: rest[loss, name] for name in PLACES} for loss in LOSSES}
    return dict(zip(orders, done, strict=False)), by_loss


def collapse_of(watched: Watched) -> tuple[float, float]:
    """(how far samples lie from their middle, how far the middle moves between two looks): medians over the last half."""
    samples = [seen.samples for seen in watched.looks[len(watched.looks) // 2 :]]
    middles = np.array([np.median(points, axis=0) for points in samples])
    width = np.median([np.linalg.norm(p - m, axis=1).mean() for p, m in zip(samples, middles, strict=True)])
    return float(width), float(np.median(np.linalg.norm(np.diff(middles, axis=0), axis=1)))


def _values(orders: dict[Order, Watched], losses: dict[LossName, dict[str, Watched]]) -> dict[str, str]:
    width, hop = collapse_of(orders["G-inside"])
    values = {"width": f"{width:.2f}", "hop": f"{hop:.2f}"}
    values |= {order.lower().replace("-", "_"): f"{usual_modes(watched):g}" for order, watched in orders.items()}
    for loss, played in losses.items():
        values |= {f"{loss}_{name}": str(played[name].modes[-1]) for name in ("ring", "grid")}
    return values


def usual_modes(watched: Watched) -> float:
    """The median of captured modes over the second half of the looks."""
    return float(np.median(watched.modes[len(watched.modes) // 2 :]))


# --- drawings ---------------------------------------------------------------------------------------------------------


def _draw_orders(folder: Path, orders: dict[Order, Watched], place: Place) -> None:
    """A row an order: three early moments and three late ones."""
    real = real_points(place)
    with figure(9.6, 6.7) as made:
        rows = made.subplots(len(orders), 6)
        for row, (order, watched) in zip(rows, orders.items(), strict=True):
            last = len(watched.looks) - 1
            shown = [1, 3, 7, last - 4, last - 2, last]
            for axes, i in zip(row, shown, strict=True):
                seen = watched.looks[i]
                draw_plane(axes, REACH, real=real, forged=seen.samples, field=seen.field, size=5)
                axes.set_title(f"{watched.rounds[i]:,}", fontsize=8, color=FAINT_INK, pad=3)
            row[0].set_ylabel(order, fontsize=10, fontweight="bold", color=COLOURS[order])
        save_figure(made, folder / "orders.png", dpi=110)


def _draw_modes(folder: Path, orders: dict[Order, Watched]) -> None:
    with figure(8, 2.8) as made:
        axes = made.subplots()
        bare(axes)
        for order, watched in orders.items():
            share = np.array(watched.rounds) / watched.rounds[-1]
            axes.plot(share, watched.modes, color=COLOURS[order], linewidth=2, label=order)
        axes.set(ylim=(-0.3, 8.4), xlim=(0, 1), xlabel="share of the game played", ylabel="modes of 8")
        axes.legend(frameon=False, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))
        save_figure(made, folder / "modes.png")


def _draw_hops(folder: Path, watched: Watched, place: Place) -> None:
    """Where all samples of the collapsed generator lie, look after look."""
    middles = np.array([np.median(seen.samples, axis=0) for seen in watched.looks])
    with figure(8.4, 3.6) as made:
        path, times = made.subplots(1, 2, gridspec_kw={"width_ratios": [1, 1.5]})
        draw_plane(path, REACH, real=real_points(place))
        path.plot(*middles.T, color=FORGER, linewidth=0.8, alpha=0.7)
        path.plot(*middles.T, "o", color=FORGER, markersize=4)
        bare(times)
        angles = np.degrees(np.arctan2(middles[:, 1], middles[:, 0])) % 360
        times.plot(watched.rounds, angles, "o-", color=FORGER, linewidth=0.8, markersize=4)
        times.set(xlabel="rounds", ylabel="where they all lie, degrees", ylim=(0, 360), yticks=range(0, 361, 45))
        save_figure(made, folder / "hops.png")


def _draw_losses(folder: Path, losses: dict[LossName, dict[str, Watched]]) -> None:
    with figure(8.4, 8.6) as made:
        rows = made.subplots(len(losses), len(PLACES))
        for row, (loss, played) in zip(rows, losses.items(), strict=True):
            for axes, (name, watched) in zip(row, played.items(), strict=True):
                seen = watched.looks[-1]
                real = real_points(PLACES[name](), 600)
                draw_plane(axes, REACH, real=real, forged=seen.samples, field=seen.field, size=5)
                if loss == "minimax":
                    axes.set_title(name, fontsize=10)
            row[0].set_ylabel(loss.replace("_", "-"), fontsize=10, fontweight="bold")
        save_figure(made, folder / "losses.png", dpi=110)


def _write_clips(folder: Path, name: str, games: dict[str, Watched], place: Place) -> None:
    """The games side by side as mp4 and gif: points, D's field, and arrows where the forger's loss falls fastest."""
    real = real_points(place)

    def draw(i: int) -> Pictures:
        with figure(4.2 * len(games), 4.5) as made:
            panels = np.atleast_1d(made.subplots(1, len(games)))
            for axes, (title, watched) in zip(panels, games.items(), strict=True):
                seen = watched.looks[i]
                some = seen.arrows[:48]
                draw_plane(axes, REACH, real=real, forged=seen.samples, field=seen.field, arrows=some, size=8)
                heading(axes, title, f"{watched.rounds[i]:,}")
            return pixels(made, 60)

    count = min(len(watched.looks) for watched in games.values())
    frames = [draw(i) for i in range(count)]
    write_both(frames, folder / name, 8)


def _draw_bilinear(folder: Path) -> None:
    """Continuous play, both at once, and in turn: the last is played by the loop's own step."""
    rate, steps = 0.2, 60
    orbits = (
        ("continuously", bilinear.flow(1, np.linspace(0, 2 * np.pi, 200))),
        ("both at once", bilinear.at_once(1, rate, np.arange(steps + 1))),
        ("one after the other", play_bilinear(rate, steps)),
    )
    with figure(9.4, 3.3) as made:
        for axes, (title, orbit) in zip(made.subplots(1, 3, sharex=True, sharey=True), orbits, strict=True):
            bare(axes)
            axes.plot(
                orbit.real,
                orbit.imag,
                color=CRITIC,
                linewidth=1.2,
                marker="o" if len(orbit) < 100 else "",
                markersize=3,
            )
            axes.plot([1], [0], "o", color=FORGER, markersize=7)
            axes.plot([0], [0], "+", color=FAINT_INK, markersize=10)
            axes.set(aspect="equal", xlabel="x, the forger's")
            heading(axes, title)
        made.axes[0].set_ylabel("y, the critic's")
        save_figure(made, folder / "bilinear.png")


def play_bilinear(rate: float, steps: int) -> bilinear.Orbit:
    """The orbit of (x, y) = (1, 0) as the training step plays it: G, then D."""
    system = Bilinear(BilinearConfig(learning_rate=rate))
    table = Table(system.turns(), PointSource(ring(), 2), "cpu", nullcontext, 0)
    orbit = [complex(1, 0)]
    for step in range(steps):
        run_step(table, step / steps)
        orbit.append(complex(*(float(system.nets[name]().detach()) for name in ("generator", "discriminator"))))
    return np.array(orbit)


def _draw_story(folder: Path, orders: dict[Order, Watched]) -> None:
    """What hangs on the wall are the games themselves."""

    def hung(order: Order, i: int, *, forged: bool = True) -> Pictures:
        seen = orders[order].looks[i]
        with figure(2.6, 2.6) as made:
            axes = made.subplots()
            draw_plane(axes, REACH, real=real_points(wide_ring()), forged=seen.samples if forged else None, size=12)
            return pixels(made, 100)

    panels = (
        Panel([hung("D-inside", 0, forged=False)]),
        Panel([hung("D-inside", 0)], forger=0.6, appraiser=-0.4, verdict=0.05),
        Panel([hung("D-inside", 12)], forger=0.2, appraiser=0.1, verdict=0.3),
        Panel([hung("D-inside", -1)], forger=1.0, appraiser=0.1, verdict=0.5),
        Panel([hung("G-inside", -3)], forger=0.9, appraiser=0.6, verdict=0.95),
        Panel([hung("G-inside", -3)], forger=-0.5, appraiser=-0.8, verdict=0.03),
        Panel([hung("G-inside", -2)], forger=0.9, appraiser=0.6, verdict=0.95),
        Panel([hung("G-inside", i) for i in (-3, -2, -1)], appraiser=-0.7),
    )
    save_story(folder, panels)


# --- with the user's own settings -------------------------------------------------------------------------------------


class GameSettings(Settings):
    """``ganforge learn game --set data=moons --set loss=wasserstein``."""

    data: Literal["ring", "grid", "moons", "outline"] = Field("ring", description="where the real points lie")
    picture: Path | None = Field(None, description="a picture file whose outline is the data")
    loss: LossName = Field("relativistic", description="what the players minimise")
    order: Order = Field("D-first", description="who is the inner loop, or who begins")
    rounds: int = Field(3000, ge=10, le=100_000, description="of the outer player")
    seed: int = Field(0, ge=0, description="of everything random")


def play_variant(settings: GameSettings, folder: Path, progress: Progress) -> Played:
    """One game: game.mp4, game.gif, game.png."""
    place = PLACES[settings.data]() if settings.picture is None else _outline_of(settings.picture)
    rules = {**LOSSES[settings.loss], **ORDERS[settings.order]}
    job = Job(place, rules, settings.rounds, seed=settings.seed)
    watched = watch(job, lambda share: progress("playing", int(BAR * share), BAR))
    progress("a clip", 0, 1)
    _write_clips(folder, "game", {settings.loss: watched}, place)
    seen = watched.looks[-1]
    with figure(6, 6) as made:
        axes = made.subplots()
        draw_plane(
            axes, REACH, real=real_points(place, 800), forged=seen.samples, field=seen.field, arrows=seen.arrows[:64]
        )
        save_figure(made, folder / "game.png")
    told = [f"{settings.loss}, {settings.order}, {settings.rounds:,} rounds, seed {settings.seed}"]
    if watched.modes:
        told.append(f"{watched.modes[-1]} of {len(place.centres_or_raise())} modes captured")
    return Played(told=tuple(told))


def _outline_of(path: Path) -> Place:
    try:
        pixels_, _ = decode(path.read_bytes())
    except (OSError, UnreadablePicture) as error:
        raise UsageError(f"{path} cannot be read as a picture: {error}") from None
    shown = Image.fromarray(pixels_)
    shown.thumbnail((256, 256))
    if min(shown.size) < LEAST_SIDE:
        raise UsageError(f"{path} is too narrow to have an outline.")
    return outline(np.asarray(shown))


def constants() -> dict[str, str]:
    """What the text says of the code."""
    return {
        "inner": str(INNER),
        "inner_rounds": f"{INNER_ROUNDS:,}",
        "even": f"{EVEN_ROUNDS:,}",
        "r1": f"{SMOOTH['r1_gamma']}",
    }


LESSON = Lesson(
    "game", "the forger and the critic in the plane: losses, order of play, collapse", play_lesson,
    Variant(GameSettings, play_variant), constants=constants,
)  # fmt: skip
