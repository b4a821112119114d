"""``ganforge train`` and ``ganforge resume``."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from ganforge.cli.options import read_settings

Pictures = Annotated[
    str, typer.Argument(metavar="PICTURES", help="A folder, an archive, a known layout, or avatars[:COUNT[:SEED]].")
]
Minutes = Annotated[
    float | None, typer.Option(help="Wall time from the read pictures to the saved model, everything inside.")
]
Images = Annotated[
    str | None, typer.Option(metavar="COUNT", help="Pictures to be seen instead of minutes: 50000, 500k, 2M.")
]


def train(
    pictures: Pictures,
    minutes: Minutes = None,
    images: Images = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="A system with a preset; `ganforge recipes` lists them. style, or that of --from or --replay."
        ),
    ] = None,
    start_from: Annotated[
        Path | None,
        typer.Option("--from", metavar="MODEL", help="Begin with a trained model's weights, as far as they fit."),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            help="Side of the pictures or WxH; by default that of --replay or --from, or the largest of 32, 64, 128 that suits."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, help="Of everything random; 0, or that of --replay.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; `ganforge recipes NAME` lists them."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder to make; by default a new name here.")] = None,
    flip: Annotated[
        bool | None,
        typer.Option(
            "--flip/--no-flip", help="Mirror half of the pictures; by default where it fits them, or as --replay did."
        ),
    ] = None,
    background: Annotated[
        str | None, typer.Option(help="Behind transparent pictures: white (the default), black or #rrggbb.")
    ] = None,
    fit: Annotated[
        Literal["crop", "pad"] | None,
        typer.Option(help="What happens to pictures of other proportions; crop by default."),
    ] = None,
    crop: Annotated[
        Literal["108", "178"] | None,
        typer.Option(help="Centre cut out of CelebA's pictures: the face, or all of the width, which is the default."),
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Train as RUN was, by the plan it logged instead of a budget.")
    ] = None,
    stop_early: Annotated[
        bool | None,
        typer.Option(
            "--stop-early/--no-stop-early",
            help="End a run that has collapsed or copies its pictures; by default so, or as --replay did.",
        ),
    ] = None,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write TensorBoard's files too.")] = False,
) -> None:
    """Train a generator on a collection of pictures, for the minutes you give it (20 by default)."""
    import ganforge
    from ganforge.cli.live import say_how_to_go_on, watching
    from ganforge.cli.terminal import say
    from ganforge.systems import find_recipe
    from ganforge.training.folder import new_folder
    from ganforge.training.start import recipe_of

    recipe = recipe_of(recipe, start_from, replay)
    find_recipe(recipe)
    folder = out or new_folder(pictures, recipe, Path.cwd())
    with stopping(folder), watching(folder) as view:
        ganforge.train(
            pictures,
            minutes=minutes,
            images=images,
            recipe=recipe,
            start_from=start_from,
            size=size,
            seed=seed,
            settings=read_settings(set_ or []),
            out=folder,
            flip=flip,
            background=background,
            fit=fit,
            crop=crop,
            replay=replay,
            stop_early=stop_early,
            use_tensorboard=tensorboard,
            observers=[view],
            progress=view.progress,
        )
    say_how_to_go_on(folder, pictures)
    say(str(folder))


def resume(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run folder.")],
    minutes: Minutes = None,
    images: Images = None,
) -> None:
    """Finish an interrupted run; with --minutes (or --images), train a finished one that much more."""
    import ganforge
    from ganforge.cli.live import say_how_to_go_on, watching
    from ganforge.cli.terminal import say

    with stopping(run), watching(run) as view:
        resumed = ganforge.resume(run, minutes=minutes, images=images, observers=[view], progress=view.progress)
    say_how_to_go_on(run, resumed.config.pictures)
    say(str(run))


def recipes(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Show this recipe's settings.")] = None,
) -> None:
    """List the recipes, or the settings of one: what `--recipe NAME` and `--set KEY=VALUE` accept."""
    from ganforge.cli.terminal import say
    from ganforge.systems import find_recipe, settings_of
    from ganforge.systems import recipes as all_recipes

    if name is None:
        for recipe in all_recipes().values():
            say(f"{recipe.name:16} {recipe.about}")
        return
    for key, value, about in settings_of(find_recipe(name)):
        say(f"{key} = {value}\n    {about}")


@contextmanager
def stopping(folder: Path, again: str | None = None) -> Iterator[None]:
    """A run that the user stopped is saved; say how to go on."""
    from ganforge.cli.terminal import STOPPED, say
    from ganforge.files import quoted
    from ganforge.training import Interrupted

    try:
        yield
    except Interrupted:
        say(f"Stopped and saved. Go on with:  {again or f'ganforge resume {quoted(folder)}'}", stderr=True)
        sys.exit(STOPPED)
    except KeyboardInterrupt:
        if not (folder / "run.json").exists():
            raise
        say(f"Stopped. Go on with:  {again or f'ganforge resume {quoted(folder)}'}", stderr=True)
        sys.exit(STOPPED)
