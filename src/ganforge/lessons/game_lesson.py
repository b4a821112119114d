"""`ganforge learn game`: GANs in the plane. Who moves how often, which loss, which data, and the game x·y."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from pydantic import Field

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
from ganforge.lessons.comic import Panel, save_story
from ganforge.lessons.game import (
    EVEN_ROUNDS,
    INNER,
    INNER_ROUNDS,
    LOSS_ROUNDS,
    LOSSES,
    ORDERS,
    PLACES,
    REACH,
    SAMPLES,
    SMOOTH,
    WAVES,
    Job,
    LossName,
    Order,
    Watched,
    by_chance,
    collapse_of,
    farthest_three,
    in_sight,
    min_and_max,
    play_bilinear,
    usual_modes,
    usual_share,
    verdicts_on,
    watch,
    wide_ring,
)
from ganforge.lessons.lesson import BAR, Lesson, Played, Settings, Variant, percent, side_by_side
from ganforge.lessons.points import Place, Points, outline
from ganforge.measures.modes import Coverage
from ganforge.pictures.collection import UnreadablePicture
from ganforge.pictures.decode import decode
from ganforge.progress import Progress

LEAST_SIDE = 8
MODAL = ("ring", "grid")
"""Data that have modes."""
COLOURS: dict[Order, str] = {"D-inside": CRITIC, "G-inside": FORGER, "D-first": HELD_OUT, "G-first": HIT_RATE}


# --- the lesson -------------------------------------------------------------------------------------------------------


def play_lesson(folder: Path, progress: Progress) -> Played:
    """Four orders of play, four losses on four kinds of data, and x·y; as many at a time as there are cores."""
    orders, losses = _play_all(progress)
    place = wide_ring()
    _draw_orders(folder, orders, place)
    _draw_modes(folder, orders)
    _draw_hops(folder, orders["G-inside"], place)
    inside: dict[str, Watched] = {order: orders[order] for order in ("D-inside", "G-inside")}
    _write_clips(folder, "inside", inside, place, progress)
    _draw_losses(folder, losses)
    _draw_bilinear(folder)
    _draw_story(folder, orders)
    width, hops = collapse_of(orders["G-inside"])
    chance = {name: by_chance(PLACES[name]()) for name in MODAL}
    told = (
        f"Modes of the ring captured, of 8, median of the second half ({INNER} steps of the inner player for one):",
        *(f"  {order:<9} {usual_modes(watched):g}" for order, watched in orders.items()),
        f"With G inside, samples lie {width:.2f} from their middle on average, which hops {np.median(hops):.2f}.",
        "Modes captured at the end and share of samples within 3 sigma, by loss and data:",
        *(
            f"  {loss:<15} ring {_covered(seen['ring'].coverage[-1])}, grid {_covered(seen['grid'].coverage[-1])}"
            for loss, seen in losses.items()
        ),
        f"  {'points at random':<15} ring {_covered(chance['ring'])}, grid {_covered(chance['grid'])}",
    )
    return Played(_values(orders, losses, chance), told)


def _covered(one: Coverage) -> str:
    return f"{one.modes} of {len(one.counts)}, {percent(one.high_quality)}"


def _play_all(progress: Progress) -> tuple[dict[Order, Watched], dict[LossName, dict[str, Watched]]]:
    """Every game of the lesson."""
    orders = {
        order: Job("ring", {**SMOOTH, **settings}, INNER_ROUNDS if order.endswith("inside") else EVEN_ROUNDS)
        for order, settings in ORDERS.items()
    }
    losses = {
        (loss, name): Job(name, WAVES | settings, LOSS_ROUNDS, looks=2)
        for loss, settings in LOSSES.items()
        for name in PLACES
    }
    done = side_by_side("playing games", watch, [*orders.values(), *losses.values()], progress)
    rest = dict(zip(losses, done[len(orders) :], strict=True))
    by_loss: dict[LossName, dict[str, Watched]] = {loss: {name: rest[loss, name] for name in PLACES} for loss in LOSSES}
    return dict(zip(orders, done, strict=False)), by_loss


def _values(
    orders: dict[Order, Watched], losses: dict[LossName, dict[str, Watched]], chance: dict[str, Coverage]
) -> dict[str, str]:
    width, hops = collapse_of(orders["G-inside"])
    values = {"width": f"{width:.2f}", "hop": f"{np.median(hops):.2f}"}
    for order, watched in orders.items():
        values[order.lower().replace("-", "_")] = f"{usual_modes(watched):g}"
        values[order.lower().replace("-", "_") + "_good"] = percent(usual_share(watched))
    least, most = min_and_max(orders["G-inside"])
    values |= {"g_least": str(least), "g_most": str(most)}
    for loss, played in losses.items():
        values |= {f"{loss}_{name}": _covered(played[name].coverage[-1]) for name in MODAL}
    return values | {f"chance_{name}": _covered(one) for name, one in chance.items()}


# --- drawings ---------------------------------------------------------------------------------------------------------


def real_points(place: Place, n: int = 400) -> Points:
    """Points to draw."""
    return place.draw(np.random.default_rng(1), n)


def _draw_orders(folder: Path, orders: dict[Order, Watched], place: Place) -> None:
    """A row an order: three early moments and three late ones."""
    real = real_points(place)
    with figure(9.6, 6.7) as made:
        rows = made.subplots(len(orders), 6)
        for row, (order, watched) in zip(rows, orders.items(), strict=True):
            last = len(watched.looks) - 1
            shown = [1, 3, 7, last - 4, last - 2, last]
            if order == "G-inside":  # she runs out of sight now and then
                shown = [*[i for i in in_sight(watched) if i][:3], *farthest_three(watched)]
            for axes, i in zip(row, shown, strict=True):
                seen = watched.looks[i]
                draw_plane(axes, REACH, real=real, forged=seen.samples, field=seen.field, size=5)
                axes.set_title(f"{watched.rounds[i]:,}", fontsize=8, color=FAINT_INK, pad=3)
            row[0].set_ylabel(order, fontsize=10, fontweight="bold", color=COLOURS[order])
        save_figure(made, folder / "orders.png", dpi=110)


def _draw_modes(folder: Path, orders: dict[Order, Watched]) -> None:
    with figure(8.4, 2.8) as made:
        modes, good = made.subplots(1, 2)
        for order, watched in orders.items():
            share = np.array(watched.rounds) / watched.rounds[-1]
            modes.plot(share, watched.modes, color=COLOURS[order], linewidth=2, label=order)
            within = [100 * one.high_quality for one in watched.coverage]
            good.plot(share, within, color=COLOURS[order], linewidth=2)
        for axes, name, top in ((modes, "modes of 8", 8.4), (good, "% within 3 σ", 102)):
            bare(axes)
            axes.set(ylim=(-0.035 * top, top), xlim=(0, 1), xlabel="share of the game played", ylabel=name)
        made.legend(frameon=False, ncols=4, loc="outside upper center")
        save_figure(made, folder / "modes.png")


def _draw_hops(folder: Path, watched: Watched, place: Place) -> None:
    """Where all samples of the collapsed generator lie, look after look."""
    middles = watched.middles
    with figure(8.4, 3.6) as made:
        path, times = made.subplots(1, 2, gridspec_kw={"width_ratios": [1, 1.5]})
        draw_plane(path, REACH, real=real_points(place))
        path.plot(*middles.T, color=FORGER, linewidth=0.8, alpha=0.7)
        path.plot(*middles.T, "o", color=FORGER, markersize=4)
        bare(times)
        away = np.linalg.norm(middles[:, None] - place.centres_or_raise(), axis=2).min(1)
        times.plot(watched.rounds, away, "o-", color=FORGER, linewidth=0.8, markersize=4)
        times.axhspan(0, 3 * place.sigma, color=CRITIC, alpha=0.2)
        times.set(xlabel="rounds", ylabel="from the nearest heap", ylim=(0, REACH))
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


def _write_clips(folder: Path, name: str, games: dict[str, Watched], place: Place, progress: Progress) -> None:
    """The games side by side as mp4 and gif: points, D's field, and arrows where the forger's loss falls fastest."""
    real = real_points(place)
    count = min(len(watched.looks) for watched in games.values())

    def draw(i: int) -> Pictures:
        progress("drawing a clip", i, count)
        with figure(4.2 * len(games), 4.5) as made:
            panels = np.atleast_1d(made.subplots(1, len(games)))
            for axes, (title, watched) in zip(panels, games.items(), strict=True):
                seen = watched.looks[i]
                some = seen.arrows[:48]
                draw_plane(axes, REACH, real=real, forged=seen.samples, field=seen.field, arrows=some, size=8)
                heading(axes, title, f"{watched.rounds[i]:,}")
            return pixels(made, 50)

    write_both([draw(i) for i in range(count)], folder / name, 8)
    progress("drawing a clip", count, count)


def _draw_bilinear(folder: Path) -> None:
    """Continuous play, both at once, and in turn without and with a penalty: the last two by the loop's own step."""
    rate, steps, penalty = 0.2, 60, 0.5
    orbits = (
        ("continuously", bilinear.flow(1, np.linspace(0, 2 * np.pi, 200))),
        ("both at once", bilinear.at_once(1, rate, np.arange(steps + 1))),
        ("one after the other", play_bilinear(rate, steps)),
        ("with a penalty", play_bilinear(rate, steps, penalty)),
    )
    with figure(11, 3.1) as made:
        for axes, (title, orbit) in zip(made.subplots(1, 4, sharex=True, sharey=True), orbits, strict=True):
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


def _draw_story(folder: Path, orders: dict[Order, Watched]) -> None:
    """What hangs on the wall are the games themselves."""

    def verdict(order: Order, before: int, after: int) -> float:
        """D's at look ``after`` on what G drew at look ``before``."""
        game = orders[order].looks
        return float(np.mean(verdicts_on(game[after].field, game[before].samples)))

    def hung(order: Order, i: int, *, forged: bool = True) -> Pictures:
        seen = orders[order].looks[i]
        with figure(2.6, 2.6) as made:
            axes = made.subplots()
            draw_plane(axes, REACH, real=real_points(wide_ring()), forged=seen.samples if forged else None, size=12)
            return pixels(made, 100)

    a, b, c = farthest_three(orders["G-inside"])
    answered = min(verdict("G-inside", a, later) for later in range(a + 1, min(a + 5, len(orders["G-inside"].looks))))
    panels = (
        Panel([hung("D-inside", 0, forged=False)]),
        Panel([hung("D-inside", 0)], forger=0.6, appraiser=-0.4, verdict=0.05),
        Panel([hung("D-inside", 12)], forger=0.2, appraiser=0.1, verdict=0.3),
        Panel([hung("D-first", -1)], forger=1.0, appraiser=0.1, verdict=verdict("D-first", -1, -1)),
        Panel([hung("G-inside", a)], forger=0.9, appraiser=0.6, verdict=verdict("G-inside", a, a)),
        Panel([hung("G-inside", a)], forger=-0.5, appraiser=-0.8, verdict=answered),
        Panel([hung("G-inside", b)], forger=0.9, appraiser=0.6, verdict=verdict("G-inside", b, b)),
        Panel([hung("G-inside", i) for i in (a, b, c)], appraiser=-0.7),
    )
    save_story(folder, panels)


# --- with the user's own settings -------------------------------------------------------------------------------------


class GameSettings(Settings):
    """``ganforge learn game --set data=moons --set loss=wasserstein``."""

    data: Literal["ring", "grid", "moons", "outline"] = Field("ring", description="where the real points lie")
    picture: Path | None = Field(None, description="a picture file whose outline is the data")
    loss: LossName = Field("relativistic", description="what the players minimise")
    order: Order = Field("D-first", description="who is the inner loop, or who begins")
    waves: bool = Field(True, description="whether the players read their input through waves too")
    rounds: int = Field(3000, ge=10, le=100_000, description="of the outer player")
    seed: int = Field(0, ge=0, lt=2**63, description="of everything random")


def play_variant(settings: GameSettings, folder: Path, progress: Progress) -> Played:
    """One game: game.mp4, game.gif, game.png."""
    place = PLACES[settings.data]() if settings.picture is None else _outline_of(settings.picture)
    rules = {**(WAVES if settings.waves else {}), **LOSSES[settings.loss], **ORDERS[settings.order]}
    job = Job(place, rules, settings.rounds, seed=settings.seed)
    watched = watch(job, lambda share: progress("playing", int(BAR * share), BAR))
    _write_clips(folder, "game", {settings.loss: watched}, place, progress)
    seen = watched.looks[-1]
    with figure(6, 6) as made:
        axes = made.subplots()
        draw_plane(
            axes, REACH, real=real_points(place, 800), forged=seen.samples, field=seen.field, arrows=seen.arrows[:64]
        )
        save_figure(made, folder / "game.png")
    told = [f"{settings.loss}, {settings.order}, {settings.rounds:,} rounds, seed {settings.seed}"]
    if watched.coverage:
        told.append(f"modes captured and share within 3 sigma: {_covered(watched.coverage[-1])}")
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
        "samples": f"{SAMPLES:,}",
        "loss_rounds": f"{LOSS_ROUNDS:,}",
    }


LESSON = Lesson(
    "game", "the forger and the critic in the plane: losses, order of play, collapse", play_lesson,
    Variant(GameSettings, play_variant), constants=constants,
)  # fmt: skip
