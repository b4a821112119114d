"""``ganforge compare``: several runs beside one another, in figures, in plain sentences and in pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ganforge.cli.options import FeaturesOption, ReportOption, WeightsOption, check_page

if TYPE_CHECKING:
    from rich.table import Table

    from ganforge.evaluation.comparison import Comparison

LEFT_OUT = ("density", "Inception Score")
"""Of the terminal's table; the report has them."""

HEADS = {"KID × 1000": "KID\n× 1000", "Fréchet distance": "Fréchet\ndistance"}

SIGNS = {"best": "* ", "as good": "= ", "too many": "! "}


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN RUN …", help="Run folders, at least two.")],
    pictures: Annotated[
        str | None, typer.Option(metavar="PICTURES", help="Judge all by these; by default each by what it learnt from.")
    ] = None,
    n: Annotated[int, typer.Option("-n", min=64, help="Samples of each, and as many real pictures.")] = 4000,
    features: FeaturesOption = "auto",
    weights: WeightsOption = None,
    out: ReportOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="All of it as JSON on stdout, and no report.")] = False,
) -> None:
    """Put runs side by side: their figures, their curves and the same seeds, by pictures seen and by wall time."""
    from ganforge.cli.terminal import console, progress_bar, say
    from ganforge.files import free_name

    check_page(out, as_json)
    from ganforge.evaluation import compare as comparing

    with progress_bar() as progress:
        found, shown = comparing.compare(
            runs, pictures=pictures, count=n, features=features, weights=weights, progress=progress
        )
    if as_json:
        say(found.model_dump_json(indent=1))
        return
    from ganforge.reports.compare import write_comparison
    from ganforge.reports.figures import setting

    for question, answer in found.sentences.items():
        say(f"{question}  {answer}")
    say("")
    console().print(table(found))
    if found.comparable:
        say("* the best; = its interval overlaps the best one's; ! too many copies")
    for name, values in found.differs.items():
        say(f"{name}: " + ", ".join(f"{setting(v)} ({c.run})" for v, c in zip(values, found.curves, strict=True)))
    for warning in found.warnings:
        say(f"Note: {warning}")
    target = out or free_name(Path("comparison.html"))
    write_comparison(found, shown, target, runs=comparing.open_runs(runs))
    say(str(target))


def table(found: "Comparison") -> "Table":
    """One row a run, the best of every column marked; all figures in the features that the title names."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from ganforge.reports.evaluation_parts import short
    from ganforge.reports.figures import clock, columns

    shown = [
        column for column in columns(found.evaluations, comparable=found.comparable) if column.name not in LEFT_OUT
    ]
    name = found.evaluations[0].features.name
    made = Table(box=box.SIMPLE, title=f"in the features of {name}", title_justify="left", padding=0)
    made.add_column("run\nrecipe", overflow="fold")
    made.add_column("seen\ntime", justify="right", no_wrap=True)
    for column in shown:
        made.add_column(HEADS.get(column.name, column.name.replace(", ", "\n")), justify="right", no_wrap=True)
    for i, curve in enumerate(found.curves):
        cells = []
        for column in shown:
            row, sign = column.cells[i], SIGNS.get(column.mark(i), "")
            if row is None:
                cells.append("–")
            elif column.better == "lower" and row.figure is not None:  # distances: their intervals are what to look at
                value, *ends = (short(row.scale * x) for x in (row.figure.value, row.figure.low, row.figure.high))
                cells.append(f"{sign}{value}\n{'…'.join(ends)}")
            else:
                cells.append(sign + row.value)
        made.add_row(escape(f"{curve.run}\n{curve.recipe}"), f"{curve.seen:,}\n{clock(curve.seconds)}", *cells)
    if found.comparable:
        real = [next(row.real for row in column.cells if row is not None) for column in shown]
        made.add_row("real", "", *real)
    return made
