"""`ganforge learn slanted`: the four-pixel GAN played, printed and drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ganforge.drawing.clips import write_both
from ganforge.drawing.figures import CRITIC, FAINT_INK, FORGER, INK, bare, figure, heading, pixels, save_figure
from ganforge.drawing.grids import Pictures
from ganforge.drawing.networks import Edge, Node, draw_network, number
from ganforge.lessons import slips_lesson
from ganforge.lessons.comic import Panel, save_story
from ganforge.lessons.lesson import Lesson, Played, Settings, Variant
from ganforge.lessons.slanted import (
    EPOCHS,
    FACES,
    HAND_CRITIC,
    HAND_FORGER,
    LEARNING_RATE,
    NON_FACE,
    Array,
    Critic,
    Forger,
    Moment,
    new_players,
    play,
    smoothed,
)
from ganforge.progress import Progress

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SEED = 42
OTHER_SEEDS = range(20)
SUBSCRIPTS = "₁₂₃₄"
CORNERS = ((0, 0), (1, 0), (0, 1), (1, 1))
"""(column, row) of the four pixels, row by row."""


def play_lesson(folder: Path, progress: Progress) -> Played:
    """Train with the article's seed and twenty others, draw everything into ``folder``."""
    random = np.random.RandomState(SEED)
    before = new_players(random)
    moments = list(play(SEED))
    end = moments[-1]
    printed = end.forger.draw(later_numbers(SEED, 4))
    values = _values(moments, printed)
    drawings: tuple[tuple[str, Callable[[], None]], ...] = (
        ("the story", lambda: _story(folder, moments)),
        ("faces and noise", lambda: _faces(folder)),
        ("hand-set players", lambda: _by_hand(folder)),
        ("errors", lambda: _errors(folder, moments)),
        ("curves", lambda: _curves(folder, moments)),
        ("growing faces", lambda: _growing(folder, before[1], moments)),
        ("the networks", lambda: _networks(folder, end, float(later_numbers(SEED, 1)[0]))),
        ("verdicts", lambda: _verdicts(folder, before[0], end.critic)),
        ("the slips", lambda: slips_lesson.draw(folder, moments)),
    )
    for i, (what, draw) in enumerate(drawings):
        progress(what, i, len(drawings) + len(OTHER_SEEDS))
        draw()
    _clip(folder, moments, progress)
    others = []
    for i, seed in enumerate(OTHER_SEEDS):
        progress("other seeds", len(drawings) + i, len(drawings) + len(OTHER_SEEDS))
        others.append(faces_of(seed))
    _seeds(folder, others)
    dark, light = np.array([slanted_medians(faces) for faces in others]).T
    values |= {"darkest": f"{dark.min():.3f}", "lightest": f"{light.max():.3f}", "seeds": str(len(others))}
    told = (
        f"After {EPOCHS:,} rounds over {len(FACES)} faces (seed {SEED}):",
        f"  forger   weights {_row(end.forger.weights)}   biases {_row(end.forger.biases)}",
        f"  critic   weights {_row(end.critic.weights)}   bias   {end.critic.bias:.8f}",
        *(f"  face {i + 1}   {_row(face)}" for i, face in enumerate(printed)),
        f"{len(others)} other seeds: dark pixels at least {dark.min():.3f}, light ones at most {light.max():.3f} (medians).",
    )
    return Played(values | slips_lesson.values(moments), told)


def faces_of(seed: int) -> Array:
    """(4, 200) pixels of two hundred faces by the forger that this seed ends with."""
    *_, end = play(seed)
    faces: Array = end.forger.draw(later_numbers(seed, 200)).T
    return faces


def slanted_medians(faces: Array) -> tuple[float, float]:
    """(median of the diagonal's pixels, median of the others) over faces (4, n): about (1, 0) where heads are slanted."""
    return float(np.median(faces[[0, 3]])), float(np.median(faces[[1, 2]]))


def later_numbers(seed: int, count: int) -> Array:
    """The z that come after training: the random stream goes on where the game left it."""
    random = np.random.RandomState(seed)
    new_players(random)
    random.rand(EPOCHS * len(FACES))
    later: Array = random.rand(count)
    return later


def _row(numbers: Array) -> str:
    return " ".join(f"{x:11.8f}" for x in numbers)


def _values(moments: list[Moment], printed: Array) -> dict[str, str]:
    """What the texts quote."""
    end = moments[-1]
    values = {f"face{i + 1}": " ".join(number(x) for x in face) for i, face in enumerate(printed)}
    values |= {
        "g_weights": " ".join(number(x) for x in end.forger.weights),
        "g_biases": " ".join(number(x) for x in end.forger.biases),
        "d_weights": " ".join(number(x) for x in end.critic.weights),
        "d_bias": number(end.critic.bias),
        "hand_face_score": number(float(HAND_CRITIC.score(FACES[0]))),
        "hand_face_verdict": number(float(HAND_CRITIC.verdict(FACES[0]))),
        "hand_noise_score": number(float(HAND_CRITIC.score(NON_FACE))),
        "hand_noise_verdict": number(float(HAND_CRITIC.verdict(NON_FACE))),
        "hand_drawn": " ".join(number(x) for x in HAND_FORGER.draw(0.7)),
        "learnt_face_verdict": number(float(end.critic.verdict(FACES[0]))),
        "learnt_others_verdict": number(float(end.critic.verdict(FACES[1:]).mean())),
        "drawn_dark": number(float(printed[:, [0, 3]].mean())),
        "drawn_light": number(float(printed[:, [1, 2]].mean())),
        "real_dark": number(float(FACES[:, [0, 3]].mean())),
        "real_light": number(float(FACES[:, [1, 2]].mean())),
        "learnt_forged_verdict": number(float(end.critic.verdict(printed[0]))),
    }
    return values


# --- drawings ---------------------------------------------------------------------------------------------------------


def picture(x: Array) -> Pictures:
    """Four pixels (4,) as uint8 (2, 2, 3): 1 is black."""
    grey = np.rint(255 * (1 - np.asarray(x).reshape(2, 2, 1))).astype(np.uint8)
    return np.repeat(grey, 3, axis=2)


def _story(folder: Path, moments: list[Moment]) -> None:
    """One panel a sentence of the texts; the pictures on the wall and the verdicts are the game's own."""
    faces = [picture(face) for face in FACES]

    def forged(step: int) -> tuple[Pictures, float]:
        moment, judge = moments[step], moments[max(step, schooled)].critic
        return picture(moment.forged), float(judge.verdict(moment.forged))

    schooled = len(moments) // 5  # at the very beginning he knows no better than she does
    first, verdict_first = forged(0)
    middle, verdict_middle = forged(schooled)
    late, verdict_late = forged(len(moments) - 1)
    random = np.random.RandomState(3)
    panels = (
        Panel(faces),
        Panel([picture(random.rand(4)) for _ in range(3)]),
        Panel([faces[1]], appraiser=0.6, verdict=0.95),
        Panel([first], forger=0.7),
        Panel([first], forger=-0.7, appraiser=-0.5, verdict=verdict_first),
        Panel([middle], forger=0.1, appraiser=-0.1, verdict=verdict_middle),
        Panel([faces[2], late], appraiser=-0.2),
        Panel([late], forger=1.0, appraiser=0.1, verdict=verdict_late),
    )
    save_story(folder, panels)


def _show(axes: Axes, x: Array, title: str = "") -> None:
    """A picture with its four numbers written in."""
    axes.imshow(picture(x), extent=(0, 2, 2, 0), interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    for value, (column, row) in zip(x, CORNERS, strict=True):
        axes.text(
            column + 0.5, row + 0.5, number(float(value)), ha="center", va="center", fontsize=8,
            color="white" if value > 0.5 else INK,
        )  # fmt: skip
    if title:
        axes.set_title(title, fontsize=9)


def _faces(folder: Path) -> None:
    noise = np.random.RandomState(3).rand(5, 4)
    with figure(7.5, 3.2) as made:
        for row, pictures in zip(made.subplots(2, 5), (FACES, noise), strict=True):
            for axes, x in zip(row, pictures, strict=True):
                _show(axes, x)
        save_figure(made, folder / "faces.png")


def critic_network(axes: Axes, critic: Critic, x: Array) -> None:
    """Four pixels → score → σ, every number on its edge."""
    nodes = [Node(0, 1.5 - i, f"x{SUBSCRIPTS[i]}", float(value), shade=float(value)) for i, value in enumerate(x)]
    score, verdict = float(critic.score(x)), float(critic.verdict(x))
    nodes += [Node(2.6, 0, "Σ", score, note=f"bias {number(critic.bias)}"), Node(4.6, 0, "D(x)", verdict)]
    edges = [Edge(i, 4, float(w)) for i, w in enumerate(critic.weights)]
    draw_network(axes, nodes, edges, full=1.5, links=[(4, 5, "σ")])


def forger_network(axes: Axes, forger: Forger, z: float) -> None:
    """z → four scores → σ → four pixels."""
    nodes = [Node(0, 0, "z", z)]
    scores, pixels_ = forger.scores(z), forger.draw(z)
    nodes += [
        Node(2.6, 1.65 - 1.1 * i, "Σ", float(s), note=f"bias {number(float(b))}")
        for i, (s, b) in enumerate(zip(scores, forger.biases, strict=True))
    ]
    nodes += [Node(4.6, 1.65 - 1.1 * i, f"x{SUBSCRIPTS[i]}", float(x), shade=float(x)) for i, x in enumerate(pixels_)]
    edges = [Edge(0, i + 1, float(w), label=0.55) for i, w in enumerate(forger.weights)]
    draw_network(axes, nodes, edges, full=1.5, links=[(i, i + 4, "σ") for i in range(1, 5)])


def _by_hand(folder: Path) -> None:
    with figure(9, 3.2) as made:
        for axes, x in zip(made.subplots(1, 2), (FACES[0], NON_FACE), strict=True):
            critic_network(axes, HAND_CRITIC, x)
        save_figure(made, folder / "hand-critic.png")
    with figure(5.6, 4.2) as made:
        forger_network(made.subplots(), HAND_FORGER, 0.7)
        save_figure(made, folder / "hand-forger.png")


def _networks(folder: Path, end: Moment, z: float) -> None:
    with figure(9.6, 4.2) as made:
        left, right = made.subplots(1, 2)
        forger_network(left, end.forger, z)
        heading(left, "G, the forger")
        critic_network(right, end.critic, end.forger.draw(z))
        heading(right, "D, the critic")
        save_figure(made, folder / "networks.png")


def error_curves(axes: Axes, on_real: float, on_forged: float) -> None:
    """−ln(x) and −ln(1 − x) with the current verdicts as dots."""
    x = np.linspace(0.004, 0.996, 400)
    bare(axes)
    for curve, colour, label, at, error in (
        (-np.log(x), CRITIC, "−ln(x)", on_real, -np.log(on_real)),
        (-np.log(1 - x), FORGER, "−ln(1 − x)", on_forged, -np.log(1 - on_forged)),
    ):
        axes.plot(x, curve, color=colour, linewidth=2, label=label)
        axes.plot([at], [error], "o", color=colour, markersize=9, markeredgecolor="white", clip_on=False)
    axes.set(xlim=(0, 1), ylim=(0, 4), xlabel="x, the critic's verdict", ylabel="error")
    axes.legend(loc="upper center", frameon=False)


def _errors(folder: Path, moments: list[Moment]) -> None:
    with figure(9, 3.4) as made:
        for axes, step in zip(made.subplots(1, 3, sharey=True), (0, len(moments) // 5, -1), strict=True):
            m = moments[step]
            error_curves(axes, float(m.critic.verdict(FACES[0])), float(m.critic.verdict(m.forged)))
            heading(axes, f"round {step // len(FACES) if step >= 0 else EPOCHS:,}")
        save_figure(made, folder / "errors.png")


def training_curves(axes: Axes, moments: list[Moment], rounds: int) -> None:
    """Both errors over the rounds, as they were and smoothed."""
    bare(axes)
    for name, colour, errors in (
        ("D", CRITIC, np.array([m.critic_error for m in moments])),
        ("G", FORGER, np.array([m.forger_error for m in moments])),
    ):
        passed = np.arange(len(errors)) / len(FACES)
        enough = len(errors) > 100
        axes.plot(
            passed, errors, color=colour, linewidth=0.4, alpha=0.25 if enough else 1, label=None if enough else name
        )
        if enough:
            axes.plot(passed[50 : 50 + len(errors) - 99], smoothed(errors), color=colour, linewidth=2, label=name)
    axes.set(xlim=(0, rounds), ylim=(0, 3.2), xlabel="rounds", ylabel="error")
    axes.axhline(np.log(2), color=FAINT_INK, linewidth=1, linestyle=(0, (2, 2)))
    axes.axhline(2 * np.log(2), color=FAINT_INK, linewidth=1, linestyle=(0, (2, 2)))


def _curves(folder: Path, moments: list[Moment]) -> None:
    with figure(8, 3.4) as made:
        axes, rounds = made.subplots(), len(moments) // len(FACES)
        training_curves(axes, moments, rounds)
        axes.text(rounds, 2 * np.log(2), " 2 ln 2", va="center", fontsize=9, color=FAINT_INK)
        axes.text(rounds, np.log(2), " ln 2", va="center", fontsize=9, color=FAINT_INK)
        axes.legend(frameon=False, loc="upper right", ncols=2)
        save_figure(made, folder / "curves.png")


def _growing(folder: Path, start: Forger, moments: list[Moment]) -> None:
    end = len(moments) // len(FACES)
    rounds = sorted({round(end * share) for share in (0, 0.05, 0.1, 0.2, 0.4, 0.7, 1)})
    forgers = [start if r == 0 else moments[r * len(FACES) - 1].forger for r in rounds]
    with figure(9, 3.9) as made:
        for row, z in zip(made.subplots(3, len(rounds), squeeze=False), (0.1, 0.5, 0.9), strict=True):
            for axes, forger, r in zip(row, forgers, rounds, strict=True):
                _show(axes, forger.draw(z), f"round {r:,}" if z == 0.1 else "")
            row[0].set_ylabel(f"z = {z}", rotation=0, ha="right", va="center", fontsize=9)
        save_figure(made, folder / "growing.png")


def _verdicts(folder: Path, before: Critic, after: Critic) -> None:
    """Over all pictures whose diagonal is a and whose other two pixels are b: dark = real."""
    a, b = np.meshgrid(np.linspace(0, 1, 101), np.linspace(0, 1, 101))
    square = np.stack([a, b, b, a], -1)
    with figure(9.4, 3.5) as made:
        panels = made.subplots(1, 3, sharey=True)
        named = (("set by hand", HAND_CRITIC), ("before training", before), ("after training", after))
        for axes, (name, critic) in zip(panels, named, strict=True):
            seen = axes.imshow(critic.verdict(square), origin="lower", extent=(0, 1, 0, 1), cmap="PuOr", vmin=0, vmax=1)
            axes.contour(a, b, critic.verdict(square), levels=[0.5], colors=[INK], linewidths=1.2)
            axes.plot(FACES[:, [0, 3]].mean(1), FACES[:, [1, 2]].mean(1), "o", color=INK, markersize=5, clip_on=False)
            axes.set_xlabel("diagonal, x₁ = x₄")
            heading(axes, name)
        panels[0].set_ylabel("beside it, x₂ = x₃")
        made.colorbar(seen, ax=panels, label="D(x)", shrink=0.9)
        save_figure(made, folder / "verdicts.png")


def _seeds(folder: Path, others: list[Array]) -> None:
    """Where each of the four pixels ends, seed by seed."""
    with figure(8, 2.6) as made:
        axes = made.subplots()
        bare(axes)
        for seed, faces in enumerate(others):
            middles = np.median(faces, axis=1)
            axes.plot([seed, seed], [middles.min(), middles.max()], color="#c9ced6", linewidth=1)
            axes.plot([seed] * 2, middles[[0, 3]], "o", color=INK, label=None if seed else "x₁, x₄")
            axes.plot(
                [seed] * 2, middles[[1, 2]], "o", markerfacecolor="white", color=INK, label=None if seed else "x₂, x₃"
            )
        axes.set(ylim=(-0.03, 1.03), xticks=range(len(others)), xlabel="seed", ylabel="median pixel")
        axes.legend(frameon=False, loc="center right")
        save_figure(made, folder / "seeds.png")


def _clip(folder: Path, moments: list[Moment], progress: Progress) -> None:
    """The whole training in eight seconds: dense at first, where most happens."""

    def frames() -> list[int]:
        return sorted({int((len(moments) - 1) * (i / 39) ** 1.6) for i in range(40)})

    def draw(step: int) -> Pictures:
        m = moments[step]
        with figure(8.4, 6.0) as made:
            panels = made.subplots(2, 2, gridspec_kw={"width_ratios": [2, 1]})
            forger_network(panels[0, 0], m.forger, 0.5)
            critic_network(panels[1, 0], m.critic, m.forger.draw(0.5))
            _show(panels[0, 1], m.forger.draw(0.5), "G(½)")
            training_curves(panels[1, 1], moments[: step + 1], EPOCHS)
            made.suptitle(f"round {step // len(FACES) + 1:,}", fontsize=12, x=0.02, ha="left")
            return pixels(made, 66)

    made = []
    for i, step in enumerate(frames()):
        progress("drawing a clip", i, len(frames()))
        made.append(draw(step))
    write_both([*made, *made[-1:] * 8], folder / "training", 6)


# --- with the user's own settings -------------------------------------------------------------------------------------


class SlantedSettings(Settings):
    """``ganforge learn slanted --set seed=7 --set rounds=300``."""

    seed: int = Field(SEED, ge=0, lt=2**32, description="of everything random")
    rounds: int = Field(EPOCHS, ge=1, le=20_000, description="over the five faces")
    rate: float = Field(LEARNING_RATE, gt=0, le=10, description="the forger's learning rate")
    critic_rate: float = Field(LEARNING_RATE, gt=0, le=10, description="the critic's learning rate")


def play_variant(settings: SlantedSettings, folder: Path, progress: Progress) -> Played:
    """One game: curves.png, growing.png and networks.png."""
    start = new_players(np.random.RandomState(settings.seed))[1]
    moments = []
    for moment in play(settings.seed, settings.rounds, settings.rate, settings.critic_rate):
        moments.append(moment)
        progress("playing", len(moments), settings.rounds * len(FACES))
    end = moments[-1]
    z = np.array([0.1, 0.5, 0.9])
    _curves(folder, moments)
    _growing(folder, start, moments)
    _networks(folder, end, 0.5)
    told = (
        f"After {settings.rounds:,} rounds (seed {settings.seed}):",
        f"  forger   weights {_row(end.forger.weights)}   biases {_row(end.forger.biases)}",
        f"  critic   weights {_row(end.critic.weights)}   bias   {end.critic.bias:.8f}",
        *(f"  z = {x}  {_row(end.forger.draw(x))}" for x in z),
    )
    return Played(told=told)


LESSON = Lesson(
    "slanted", "a GAN of four pixels, every number in sight", play_lesson, Variant(SlantedSettings, play_variant),
    pages=("slips",),
)  # fmt: skip
