"""``ganforge evaluate``: how good a Model is, in figures, in plain sentences and in pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ganforge.cli.options import FeaturesOption, ReportOption, WeightsOption, check_page
from ganforge.errors import RunError

if TYPE_CHECKING:
    from rich.table import Table

    from ganforge.evaluation import Evaluation
    from ganforge.training import Run

MADE = typer.Argument(
    metavar="MODEL", help="A run folder (its best model), a model folder, or PICTURES made elsewhere."
)


def evaluate(
    model: Annotated[str, MADE],
    pictures: Annotated[
        str, typer.Argument(metavar="PICTURES", help="Real ones: what it was trained on, or others to judge it by.")
    ],
    n: Annotated[int, typer.Option("-n", min=64, help="Samples, and as many real pictures.")] = 4000,
    seed: Annotated[int, typer.Option(min=0, help="The first seed of the samples.")] = 1_000_000,
    psi: Annotated[float, typer.Option(help="Truncation.")] = 1.0,
    features: FeaturesOption = "auto",
    weights: WeightsOption = None,
    labels: Annotated[
        float | None,
        typer.Option(metavar="MINUTES", help="Train a judge of the pictures' attributes and captions for so long."),
    ] = None,
    paths: Annotated[
        bool, typer.Option("--paths", help="Smoothness and truncation also for models without a mapping.")
    ] = False,
    out: ReportOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="All figures as JSON on stdout, and no report.")] = False,
) -> None:
    """Measure a model's samples beside real pictures, and write a report to look at."""
    from ganforge.cli.terminal import progress_bar, say
    from ganforge.files import free_name

    check_page(out, as_json)
    import ganforge

    with progress_bar() as progress:
        found, shown = ganforge.evaluate(
            model, pictures, count=n, seed=seed, psi=psi, features=features, weights=weights, label_minutes=labels,
            paths=paths, progress=progress,
        )  # fmt: skip
    if as_json:
        say(found.model_dump_json(indent=1))
        return
    from ganforge.reports.evaluation import write_evaluation

    _print(found)
    run = _run(Path(model))
    target = out or free_name(Path(f"evaluation-{(found.made.model or found.made.digest or 'pictures')[:6]}.html"))
    write_evaluation(found, shown, target, run=run)
    say(str(target))


def _run(folder: Path) -> "Run | None":
    """Whose learning curve the report shows; a damaged run folder may still hold a sound Model."""
    from ganforge.training.folder import Run

    try:
        return Run(folder) if (folder / "run.json").is_file() else None
    except RunError:
        return None


def _print(found: "Evaluation") -> None:
    from ganforge.cli.terminal import console, say

    for question, answer in found.sentences.items():
        say(f"{question}  {answer}")
    say("")
    console().print(table(found))
    if found.agreement or found.retrieval is not None:
        console().print(label_table(found))
    for warning in found.warnings:
        say(f"Note: {warning}")


def table(found: "Evaluation") -> "Table":
    """The figures beside what real pictures reach."""
    from rich import box
    from rich.table import Table

    from ganforge.reports.figures import rows

    made = Table(box=box.SIMPLE, title=f"in the features of {found.features.name}", title_justify="left")
    made.add_column("")
    told = rows(found)
    # Few pictures: what real ones reach was measured with fewer, and stands beside as many samples.
    fewer = [f"samples, {found.real.floor_count:,}"] if any(row.at_floor_count for row in told) else []
    for head in ("samples", "95 % interval", *fewer, "real pictures", "better is"):
        made.add_column(head, justify="right")
    for row in told:
        made.add_row(row.name, row.value, row.interval, *([row.at_floor_count] if fewer else []), row.real, row.better)
    return made


def label_table(found: "Evaluation") -> "Table":
    """Whether samples carry what was asked for, beside how far the judges can be trusted."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from ganforge.reports.figures import label_rows

    made = Table(box=box.SIMPLE, title="what judges of labels see (ranges: correlation)", title_justify="left")
    made.add_column("")
    for head in ("samples", "real pictures", "chance", "share furthest from real"):
        made.add_column(head, justify="right")
    for row in label_rows(found):
        made.add_row(*map(Text, row))  # names are the user's: no markup
    return made
