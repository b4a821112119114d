"""``ganforge demo``: from nothing to a trained generator and a page that shows how it learnt."""

from pathlib import Path
from typing import Annotated

import typer

from ganforge.files import check_new

DEMO_PICTURES = 4000
SIDE = 32
"""Pixels: at 64, two minutes on two cores end in shapes; at 32 they end in characters."""

PAGE = "index.html"
MEND = "Name another folder with --out."


def demo(
    minutes: Annotated[float, typer.Option(help="Of training.")] = 2.0,
    out: Annotated[
        Path | None, typer.Option(help="Folder to make, or an interrupted demo to finish; by default a new name.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Of everything random.")] = 0,
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Open the page where there is a display.")] = True,
) -> None:
    """Draw avatars, train a generator on them for two minutes, and show it all on one page."""
    import webbrowser

    from ganforge.cli.live import watching
    from ganforge.cli.terminal import has_display, say
    from ganforge.cli.train import stopping
    from ganforge.files import free_name, quoted

    folder = out or free_name(Path("ganforge-demo"))
    begun = (folder / "run.json").exists()
    if not begun:
        check_new(folder, folder=True, mend=MEND)
    check_new(folder / PAGE, mend=MEND)
    with stopping(folder, f"ganforge demo --out {quoted(folder)}"), watching(folder) as view:
        import ganforge
        from ganforge.training.budget import Budget

        if begun:
            run = ganforge.Run(folder)
            if run.state().get("state") != "finished":
                run = ganforge.resume(folder, observers=[view], progress=view.progress)
        else:
            Budget.of(minutes, None)
            say(f"Drawing {DEMO_PICTURES:,} avatars, then training on them for {minutes:g} minutes ...", stderr=True)
            run = ganforge.train(
                f"avatars:{DEMO_PICTURES}",
                minutes=minutes,
                size=SIDE,
                seed=seed,
                out=folder,
                observers=[view],
                progress=view.progress,
            )
    from ganforge.reports.demo import write_demo_page

    page = write_demo_page(run, folder / PAGE)
    if open_page and has_display():
        webbrowser.open(page.resolve().as_uri())
    say(f"The page: {page.resolve()}")
