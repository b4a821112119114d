"""Mode collapse and its remedies in the plane: ten seeds a cell, all with the same nets, played as one batched net.

    python bench/collapse.py [--cells ring-gan,grid-relativistic] [--folder FOLDER] [--workers 2]

VEEGAN's protocol in PacGAN's geometry (ring: 8 modes on radius 1, σ 0.01; grid: 25 modes at {−4 … 4}², σ 0.05; 2,500
samples a seed; of high quality within 3 σ). Cells are ring and grid × GAN, + minibatch discrimination, relativistic + R1
+ R2, the first two also at a gentler learning rate; each computes with one thread, two at a time on two cores. It may be
interrupted or killed at any time, and goes on with the same command. Writes a table into bench/RESULTS.md, numbers to
where the lesson finds them, and strips over time into bench/results/.

``--share 0.01`` plays a hundredth of everything, to try the bench.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from cells import Cell, play
from ganforge.errors import GanforgeError
from ganforge.lessons.collapse import PLACES, SAMPLES, Method, mean_and_deviation
from ganforge.lessons.collapse_lesson import COLOURS, MEASURED_METHODS, Row, draw_strip
from ganforge.lessons.lesson import MEASURED
from ganforge.measures.modes import PERFECT
from ganforge.pictures.workers import at_once
from results import FIGURES, write_json, write_section

WORK = Path(__file__).parent / "work" / "collapse"
GAMES = 10
STEPS: dict[Method, int] = {"gan": 18_000, "discrimination": 4_200, "relativistic": 30_000}
"""At most five CPU minutes a cell, and twenty for the goal's two."""
SEED = 0
NAMES: dict[Method, str] = {
    "gan": "GAN (non-saturating)",
    "discrimination": "+ minibatch discrimination",
    "relativistic": "relativistic + R1 + R2",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", help="which of them to play (all)")
    parser.add_argument("--folder", type=Path, default=WORK, help="for what is unfinished")
    parser.add_argument("--workers", type=int, default=2, help="cells at a time")
    parser.add_argument("--share", type=float, default=1.0, help="of the steps, to try the bench itself")
    args = parser.parse_args()
    folder = args.folder if args.share == 1.0 else args.folder / f"share-{args.share:g}"
    cells = [
        Cell(place, method, GAMES, max(1, round(STEPS[method] * args.share)), SEED, folder, gentle)
        for place in PLACES
        for method, gentle in MEASURED_METHODS
    ]
    names = [cell.name for cell in cells]
    wanted = args.cells.split(",") if args.cells else names
    if unknown := set(wanted) - set(names):
        parser.error(f"unknown cells {', '.join(unknown)}; there are {', '.join(names)}")
    folder.mkdir(parents=True, exist_ok=True)
    wanted_first = sorted((cell for cell in cells if cell.name in wanted), key=lambda cell: -cell.steps)
    try:
        play_all(wanted_first, args.workers)
    except GanforgeError as error:
        sys.exit(str(error))
    if args.share == 1.0:
        report(cells)


def play_all(cells: list[Cell], workers: int) -> None:
    """A bar a cell until all are played."""
    columns = (
        TextColumn("{task.description:24}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as bars:
        tasks = [bars.add_task(cell.name, total=1.0) for cell in cells]

        def watch(shares: list[float]) -> None:
            for task, share in zip(tasks, shares, strict=True):
                bars.update(task, completed=share)

        at_once(play, cells, workers=workers, watch=watch)


def report(cells: list[Cell]) -> None:
    """The table over all cells, if they are all played, and the strips."""
    found = [(cell, cell.result()) for cell in cells]
    missing = [cell.name for cell, result in found if result is None]
    if missing:
        print(f"No table yet: {', '.join(missing)} are still to be played.")
        return
    results = [result for _, result in found if result is not None]
    write_json(MEASURED / "collapse.json", results)
    rows = [
        f"| {cell.place} | {NAMES[cell.method]} | {cell.config.g_learning_rate:g} | {mean_and_deviation(r['modes'], 1)} "
        f"({min(r['modes'])}–{max(r['modes'])}) | {mean_and_deviation([100 * x for x in r['high_quality']], 1)} "
        f"({100 * min(r['high_quality']):.1f}) | {mean_and_deviation(r['reverse_kl'], 3)} | {r['steps']:,} "
        f"| {r['cpu_seconds'] / 60:.1f} |"
        for cell, r in zip(cells, results, strict=True)
    ]
    for place in PLACES:
        strip(place, [cell for cell in cells if cell.place == place and not cell.gentle])
    write_section(
        "Mode collapse in the plane",
        "python bench/collapse.py",
        [
            f"{GAMES} seeds a cell, mean ± sample standard deviation over seeds; {SAMPLES:,} samples a seed by the averaged "
            f"generator; perfect samples would be {100 * PERFECT:.1f} % of high quality. Ring: 8 modes on radius 1, "
            "σ 0.01; grid: 25 modes at {−4, −2, 0, 2, 4}², σ 0.05; within 3 σ. Same nets, optimizer, "
            "batches and schedule in all cells (`ganforge.lessons.collapse.NETS`); one thread a cell.",
            "",
            "| data | method | learning rate | modes (least–most) | % high quality (least) | reverse KL, nats | steps "
            "| CPU minutes |",
            "|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            "The first seed's samples over time, step by step:",
            "",
            *(f"![{place}: samples over time](results/{place}.png)" for place in PLACES),
        ],
        [r["measured"] for r in results],
    )


def strip(place: str, cells: list[Cell]) -> None:
    """A row a method: the first seed's samples over time."""
    rows = []
    for cell in cells:
        with np.load(cell.folder / f"{cell.name}-strip.npz") as stored:
            moments = sorted((int(name), stored[name][0]) for name in stored.files if name.isdecimal())
        rows.append(Row(cell.method, COLOURS[cell.method], [(f"{step:,}", points) for step, points in moments]))
    draw_strip(FIGURES / f"{place}.png", place, rows)


if __name__ == "__main__":
    main()
