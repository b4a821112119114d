"""``ganforge sample``: pictures of a Model."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ganforge.errors import UsageError
from ganforge.files import check_new
from ganforge.progress import Progress

if TYPE_CHECKING:
    from ganforge.drawing.grids import Pictures
    from ganforge.model import Model

MOST_STOPS = 16
FRAMES_A_SECOND = 24
CLIP_SIDE = 256
"""Pictures smaller than this are enlarged by a whole factor."""


def sample(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A run folder (its best model) or a model folder.")],
    n: Annotated[
        int | None, typer.Option("-n", min=1, help="How many (64); `-n 64 --seed 7` means seeds 7 ... 70.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    psi: Annotated[
        float, typer.Option(help="Truncation: below 1 nearer to the average picture, above 1 wilder.")
    ] = 1.0,
    grid: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one sheet, a PNG.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write one PNG a picture into a new folder.")
    ] = None,
    npz: Annotated[Path | None, typer.Option(metavar="FILE", help="Write images and seeds as arrays.")] = None,
    interpolate: Annotated[
        Path | None, typer.Option(metavar="CLIP", help="Write a loop through the first 16 seeds: .mp4, .gif, .webp.")
    ] = None,
    best: Annotated[
        int | None, typer.Option(min=1, help="Keep the pictures that the discriminator finds most real.")
    ] = None,
    of: Annotated[int | None, typer.Option(min=1, help="Pick --best from so many.")] = None,
) -> None:
    """Draw pictures with a Model. Without --grid, --out, --npz or --interpolate, a sheet with a new name is written here."""
    if (best is None) != (of is None):
        raise UsageError("--best and --of go together: --best 16 --of 256 keeps the 16 of 256 that D finds most real.")
    if best is not None and (n is not None or interpolate is not None):
        raise UsageError("--best and --of say how many pictures; -n and --interpolate do not go with them.")
    count = 64 if n is None else n
    targets = [path for path in (grid, out, npz, interpolate) if path is not None]
    _check_new(targets, out)
    if grid is not None and grid.suffix.lower() != ".png":
        raise UsageError(f"A sheet is a PNG: name it {grid.with_suffix('.png')}.")
    import ganforge
    from ganforge.cli.terminal import progress_bar, say
    from ganforge.files import free_name

    loaded = ganforge.load(model)
    if not targets:
        grid = free_name(Path(f"samples-{loaded.id[:6]}-seed{seed}.png"))
        targets = [grid]
    with progress_bar() as progress:
        if interpolate is not None:
            _write_interpolation(loaded, interpolate, count, seed, psi, progress)
        if targets != [interpolate]:
            if best is not None and of is not None:
                samples = loaded.best(best, of, seed, psi=psi, progress=progress)
            else:
                samples = loaded.sample(count, seed, psi=psi, progress=progress)
            for target, save in ((grid, samples.save_sheet), (out, samples.save_folder), (npz, samples.save_npz)):
                if target is not None:
                    save(target)
    for path in targets:
        say(str(path))


def _check_new(targets: list[Path], folder: Path | None) -> None:
    if len({path.absolute() for path in targets}) < len(targets):
        raise UsageError("Two of --grid, --out, --npz and --interpolate name the same file; give each its own.")
    for path in targets:
        check_new(path, folder=path is folder)


def _write_interpolation(model: "Model", path: Path, n: int, seed: int, psi: float, progress: Progress) -> None:
    """A loop through at most 16 seeds (more would take minutes to watch), small pictures enlarged."""
    from ganforge.drawing.clips import write_clip
    from ganforge.drawing.grids import grid

    seeds = min(n, MOST_STOPS)
    scale = max(1, CLIP_SIDE // max(model.card.height, model.card.width))

    def frames() -> "Iterator[Pictures]":
        for done, frame in enumerate(model.interpolate(seeds, seed, frames_between=FRAMES_A_SECOND, psi=psi), 1):
            progress("drawing frames", done, seeds * FRAMES_A_SECOND)
            yield grid(frame[None], pad=0, scale=scale)

    path.parent.mkdir(parents=True, exist_ok=True)
    write_clip(frames(), path, FRAMES_A_SECOND)
