"""`ganforge learn anatomy [MODEL]`: inside a Model, from z to a picture and from a picture to a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pydantic import Field

from ganforge.drawing.figures import CRITIC, FAINT_INK, FORGER, bare, figure, heading, save_figure
from ganforge.drawing.grids import Pictures, to_uint8
from ganforge.lessons.anatomy import Anatomy, Layer, dissect, liveliest, stages
from ganforge.lessons.comic import Panel, save_story
from ganforge.lessons.lesson import Lesson, Played, Settings, Variant
from ganforge.lessons.little import train_little
from ganforge.model import load
from ganforge.progress import Progress

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = 12
"""Feature maps of a layer."""
GAP = (0, 114, 178)
"""Between maps, which are grey."""
COMPANY, MOST_PIXELS = 64, 2**20
"""Pictures that D judges at once, and how many pixels they may have together: all maps of all of them are kept."""
LITTLE_MINUTES, LITTLE_PICTURES = 1.5, "avatars:2000"
"""The generator that is trained where the user names no Model."""


class AnatomySettings(Settings):
    """``ganforge learn anatomy MODEL --set seed=7``."""

    model: str | None = Field(None, description="a run folder or a model folder; by default a little one is trained")
    seed: int = Field(7, ge=0, lt=2**63, description="of the z that is followed")


def play_lesson(folder: Path, progress: Progress) -> Played:
    """Train a little generator, and look inside."""
    return play_variant(AnatomySettings(model=None), folder, progress)


def play_variant(settings: AnatomySettings, folder: Path, progress: Progress) -> Played:
    """Look inside the user's Model."""
    if settings.model is not None:
        model = load(settings.model)
    else:
        model = train_little(LITTLE_PICTURES, LITTLE_MINUTES, folder / "run", "training a little generator", progress)
    progress("looking inside", 0, 1)
    company = max(2, min(COMPANY, MOST_PIXELS // (model.card.height * model.card.width)))
    z = model.latents([(settings.seed + i) % 2**64 for i in range(company)])
    anatomy = dissect(model.generator, model.discriminator, z, model.card.border)
    _draw_generator(folder, anatomy)
    _draw_discriminator(folder, anatomy)
    _draw_story(folder, anatomy)
    g, d = (sum(layer.weights for layer in layers) for layers in (anatomy.generator, anatomy.discriminator))
    values = {
        "generator_table": table(anatomy.generator),
        "discriminator_table": table(anatomy.discriminator),
        "g_weights": f"{g:,}",
        "d_weights": f"{d:,}",
        "z_size": str(len(anatomy.z)),
        "verdict": f"{anatomy.verdict:.2f}",
        "size": "×".join(map(str, anatomy.picture.shape[:0:-1])),
        "seed": str(settings.seed),
    }
    told = (
        f"{model!r}, seed {settings.seed}",
        f"G, {g:,} weights:",
        *_lines(anatomy.generator),
        f"D, {d:,} weights:",
        *_lines(anatomy.discriminator),
        f"Verdict: {anatomy.verdict:.3f}",
    )
    return Played(values, told)


def table(layers: list[Layer]) -> str:
    """Layers as a Markdown table."""
    rows = ["| layer | in | out | weights |", "|---|---|---|---|"]
    rows += [f"| {x.kind} | {_shape(x.before)} | {_shape(x.after)} | {x.weights:,} |" for x in layers]
    return "\n".join(rows)


def _lines(layers: list[Layer]) -> list[str]:
    return [f"  {x.kind:<34} {_shape(x.before):>12} -> {_shape(x.after):<12} {x.weights:>10,}" for x in layers]


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


# --- drawings ---------------------------------------------------------------------------------------------------------


def _mosaic(layer: Layer) -> npt.NDArray[np.float32]:
    """C×H×W maps as one array (rows·(H + gap) − gap, 4·(W + gap) − gap), four in a row; NaN between them."""
    maps = liveliest(layer, SHOWN)
    height, width = maps.shape[1:]
    gap = max(1, height // 16)
    rows = -(-len(maps) // 4)
    sheet = np.full((rows * (height + gap) - gap, 4 * (width + gap) - gap), np.nan, np.float32)
    for i, one in enumerate(maps):
        top, left = i // 4 * (height + gap), i % 4 * (width + gap)
        sheet[top : top + height, left : left + width] = one
    return sheet


def _picture(anatomy: Anatomy) -> Pictures:
    picture: Pictures = to_uint8(anatomy.picture[None])[0]
    return picture


def _show(axes: Axes, picture: npt.NDArray[np.floating] | Pictures, title: str, explanation: str) -> None:
    from matplotlib import colormaps

    red, green, blue = (part / 255 for part in GAP)
    axes.imshow(picture, cmap=colormaps["gray"].with_extremes(bad=(red, green, blue)), interpolation="nearest")
    axes.axis("off")
    heading(axes, title)
    axes.text(0, -0.04, explanation, transform=axes.transAxes, va="top", fontsize=9, color=FAINT_INK)


def _draw_generator(folder: Path, anatomy: Anatomy) -> None:
    """z as bars, the maps at each size, the picture."""
    passed = stages(anatomy.generator)
    with figure(2.6 * (len(passed) + 2), 3.0) as made:
        panels = made.subplots(1, len(passed) + 2)
        bare(panels[0])
        panels[0].bar(range(len(anatomy.z)), anatomy.z, color=FORGER, width=1)
        heading(panels[0], "z", f"{len(anatomy.z)}")
        for axes, layer in zip(panels[1:-1], passed, strict=True):
            _show(axes, _mosaic(layer), _shape(layer.after), layer.kind)
        _show(panels[-1], _picture(anatomy), _shape(anatomy.picture.shape), "G(z)")
        save_figure(made, folder / "generator.png")


def _draw_discriminator(folder: Path, anatomy: Anatomy) -> None:
    """The picture, the maps at each size, the verdict."""
    passed = stages(anatomy.discriminator)
    with figure(2.6 * (len(passed) + 2), 3.0) as made:
        panels = made.subplots(1, len(passed) + 2)
        _show(panels[0], _picture(anatomy), _shape(anatomy.picture.shape), "G(z)")
        for axes, layer in zip(panels[1:-1], passed, strict=True):
            _show(axes, _mosaic(layer), _shape(layer.after), layer.kind)
        bare(panels[-1])
        panels[-1].bar([0], [anatomy.verdict], color=CRITIC, width=0.5)
        panels[-1].set(ylim=(0, 1), xlim=(-1, 1), xticks=[])
        heading(panels[-1], "D(G(z))", f"{anatomy.verdict:.2f}")
        save_figure(made, folder / "discriminator.png")


def _draw_story(folder: Path, anatomy: Anatomy) -> None:
    """What hangs on the wall are the nets' own maps."""

    def hung(layer: Layer) -> Pictures:
        sheet = _mosaic(layer)
        sheet = sheet[: sheet.shape[1], :, None].repeat(3, 2)
        shown: Pictures = np.rint(np.where(np.isnan(sheet), GAP, 255 * sheet)).astype(np.uint8)
        return shown

    bars = np.full((40, 40, 3), 255, np.uint8)
    for i, value in enumerate(anatomy.z[:20]):
        height = int(min(abs(value), 2) * 9)
        rows = slice(20 - height, 20) if value > 0 else slice(20, 20 + height)
        bars[rows, 2 * i] = (213, 94, 0)
    made, seen, picture = stages(anatomy.generator), stages(anatomy.discriminator), _picture(anatomy)
    panels = (
        Panel([bars], forger=0.2),
        Panel([hung(made[0])], forger=0.3),
        Panel([hung(made[-1])], forger=0.5),
        Panel([picture], forger=1.0),
        Panel([picture, hung(seen[0])], appraiser=0.1),
        Panel([hung(seen[0]), hung(seen[-1])], appraiser=0.0),
        Panel([picture], forger=0.2, appraiser=0.2, verdict=anatomy.verdict),
    )
    save_story(folder, panels)


LESSON = Lesson(
    "anatomy", "inside a Model: every layer, and its feature maps for one z", play_lesson,
    Variant(AnatomySettings, play_variant),
)  # fmt: skip
