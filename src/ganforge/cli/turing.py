"""``ganforge turing``: be the critic yourself."""

from pathlib import Path
from typing import Annotated

import typer

from ganforge.cli.options import check_page


def turing(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A run folder or a model folder.")],
    pictures: Annotated[str, typer.Argument(metavar="PICTURES", help="Real ones, best those that it learnt from.")],
    pairs: Annotated[int, typer.Option(min=1, max=100, help="How many; more make the interval narrower.")] = 24,
    seed: Annotated[int, typer.Option(min=0, help="The first seed to draw from, and of every choice.")] = 0,
    psi: Annotated[
        float, typer.Option(help="Truncation: below 1 nearer to the average picture, above 1 wilder.")
    ] = 1.0,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="The page to write; by default a new name.")
    ] = None,
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Open the page where there is a display.")] = True,
) -> None:
    """Be the critic yourself: a page of pairs, one picture real, one made, harder and harder. Who is fooled less, you or D?"""
    check_page(out)
    import webbrowser

    import ganforge
    from ganforge.cli.terminal import has_display, progress_bar, say
    from ganforge.evaluation.sides import pack_options
    from ganforge.files import free_name
    from ganforge.pictures import make_pack
    from ganforge.reports.turing import write_turing_page

    loaded = ganforge.load(model)
    with progress_bar() as progress:
        pack = make_pack(pictures, pack_options(loaded), progress=progress)
        path = out or free_name(Path(f"turing-{loaded.id[:6]}.html"))
        page = write_turing_page(loaded, pack, path, pairs=pairs, seed=seed, psi=psi, progress=progress)
    if open_page and has_display():
        webbrowser.open(page.resolve().as_uri())
    say(f"The page: {page.resolve()}")
