"""Where the articles about the four-pixel GAN (and the two beside them) slip: the wrong and the right, side by side."""

from collections.abc import Sequence
from math import erf, log, sqrt
from pathlib import Path

import numpy as np
import torch

from ganforge.drawing.figures import CRITIC, FORGER, INK, bare, figure, heading, save_figure
from ganforge.drawing.networks import number
from ganforge.lessons.slanted import FACES, HAND_CRITIC, NON_FACE, Array, Moment, log_sigmoid, sigmoid, smoothed
from ganforge.ops.minibatch import closeness


def draw(folder: Path, moments: Sequence[Moment]) -> None:
    """slips-losses.png and slips-curve.png."""
    d = np.linspace(0.004, 0.996, 400)
    with figure(9.4, 3.4) as made:
        errors, slopes, total = made.subplots(1, 3)
        for axes in (errors, slopes, total):
            bare(axes)
            axes.set(xlim=(0, 1), xlabel="D(G(z))")
        errors.plot(d, -np.log(d), color=FORGER, linewidth=2, label="−ln D")
        errors.plot(d, np.log(1 - d), color=CRITIC, linewidth=2, label="ln(1 − D)")
        errors.set_ylim(-4, 4)
        heading(errors, "a", "two errors of the forger")
        slopes.plot(d, d - 1, color=FORGER, linewidth=2, label="−(1 − D)")
        slopes.plot(d, -d, color=CRITIC, linewidth=2, label="−D")
        heading(slopes, "a", "their slopes by the score")
        total.plot(d, -np.log(d) - np.log(1 - d), color=INK, linewidth=2, label="−ln D − ln(1 − D)")
        total.plot([0.5], [2 * log(2)], "o", color=INK, markersize=8)
        total.set_ylim(0, 6)
        heading(total, "b", "lowest at ½")
        for axes in (errors, slopes, total):
            axes.legend(frameon=False)
        save_figure(made, folder / "slips-losses.png")
    right, wrong = (np.array([error(i, m) for i, m in enumerate(moments)]) for error in (_error, _published))
    with figure(8, 3) as made:
        axes = made.subplots()
        bare(axes)
        for curve, colour, name in ((right, CRITIC, "the error"), (wrong, FORGER, "as published")):
            smooth = smoothed(curve)
            axes.plot(np.arange(len(smooth)) / len(FACES), smooth, color=colour, label=name)
        axes.set(xlabel="rounds", ylabel="error", ylim=(0, None))
        axes.legend(frameon=False)
        heading(axes, "g", "the critic's error")
        save_figure(made, folder / "slips-curve.png")


def values(moments: Sequence[Moment]) -> dict[str, str]:
    """The numbers that the page quotes."""
    first, last = moments[0], moments[-1]
    right, wrong = _error(len(moments) - 1, last), _published(len(moments) - 1, last)
    random = np.random.RandomState(0)
    alike = torch.from_numpy(np.repeat(FACES[:1], 64, axis=0) @ _kernels()).reshape(64, 5, 3)
    real = torch.from_numpy(FACES[random.randint(len(FACES), size=64)] @ _kernels()).reshape(64, 5, 3)
    forged = torch.from_numpy(last.forger.draw(random.rand(64)) @ _kernels()).reshape(64, 5, 3)
    return {
        "slip_c_wrong": number(float(sigmoid(HAND_CRITIC.score(NON_FACE) + 1))),
        "slip_c_right": number(float(HAND_CRITIC.verdict(NON_FACE))),
        "slip_e_outside": f"{1 - erf(1 / sqrt(2)) / 2:.0%}".replace("%", " %"),
        "slip_f_right": number(-log(0.7)),
        "slip_g_right": number(right),
        "slip_g_wrong": number(wrong),
        "slip_h_start": number(float(first.critic.verdict(first.forged))),
        "slip_h_end": number(float(last.critic.verdict(last.forged))),
        "slip_i_same": f"{float(closeness(alike).mean()):.0f}",
        "slip_i_real": f"{float(closeness(real).mean()):.0f}",
        "slip_i_forged": f"{float(closeness(forged).mean()):.0f}",
    }


def _on_face(number: int, moment: Moment) -> float:
    return float(-log_sigmoid(moment.critic.score(FACES[number % len(FACES)])))


def _error(number: int, moment: Moment) -> float:
    """The critic's error in the round of that number."""
    return _on_face(number, moment) + float(-log_sigmoid(-moment.critic.score(moment.forged)))


def _published(number: int, moment: Moment) -> float:
    """As the notebook has it: z where four pixels were expected, which NumPy multiplies with each weight, makes four errors;
    the one about the real face is added to each of them, and all are summed."""
    four = -log_sigmoid(-(moment.z * moment.critic.weights + moment.critic.bias))
    return float((_on_face(number, moment) + four).sum())


def _kernels() -> Array:
    return np.random.RandomState(1).normal(size=(4, 15)) * 2
