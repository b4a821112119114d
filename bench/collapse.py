"""Mode collapse and its cures in the plane: ten seeds a cell, all with the same nets, played as one batched net.

    python bench/collapse.py [--cells ring-gan,grid-relativistic] [--folder FOLDER] [--workers 2]

VEEGAN's protocol in PacGAN's geometry (ring: 8 modes on radius 1, σ 0.01; grid: 25 modes at {−4 … 4}², σ 0.05; 2,500
samples a seed; of high quality within 3 σ). Cells are ring and grid × GAN, + minibatch discrimination, relativistic + R1
+ R2; each computes with one thread, two at a time on two cores. It may be interrupted or killed at any time, and goes on
with the same command. Writes a table into bench/RESULTS.md, numbers to where the lesson finds them, and strips over time
into bench/results/.
"""

import argparse
import json
import math
import multiprocessing
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ganforge.drawing.figures import figure, save_figure
from ganforge.drawing.planes import draw_plane
from ganforge.files import replacing
from ganforge.lessons.arena import Arena
from ganforge.lessons.collapse import METHODS, PLACES, Method, config_of
from ganforge.lessons.lesson import MEASURED
from ganforge.lessons.points import PointSource
from ganforge.machine import keep_freed_memory
from ganforge.measures.modes import PERFECT, coverage
from results import write_section

ROOT = Path(__file__).parent.parent
RESULTS = MEASURED / "collapse.json"
FIGURES = ROOT / "bench" / "results"
GAMES, SAMPLES = 10, 2500
STEPS: dict[Method, int] = {"gan": 10_000, "discrimination": 3_500, "relativistic": 30_000}
"""About five CPU minutes a cell, and twenty for the goal's two."""
SAVE_SECONDS = 20.0
STRIP = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.6, 1.0)
"""Shares of a game at which its samples are kept."""


def main() -> None:
    cells = [f"{place}-{method}" for place in PLACES for method in METHODS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", default=",".join(cells), help="which of them to play (all)")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "bench" / "work" / "collapse", help="for what is unfinished"
    )
    parser.add_argument("--workers", type=int, default=2, help="cells at a time")
    parser.add_argument("--share", type=float, default=1.0, help="of the steps, to try the bench itself")
    args = parser.parse_args()
    wanted = args.cells.split(",")
    if unknown := set(wanted) - set(cells):
        parser.error(f"unknown cells {', '.join(unknown)}; there are {', '.join(cells)}")
    args.folder.mkdir(parents=True, exist_ok=True)
    with multiprocessing.get_context("spawn").Manager() as manager:
        done = manager.dict()
        with multiprocessing.get_context("spawn").Pool(args.workers) as pool:
            jobs = [pool.apply_async(play, (cell, args.folder, args.share, done)) for cell in longest_first(wanted)]
            watch(wanted, jobs, done)
    if args.share == 1.0:
        report(args)


def longest_first(cells: list[str]) -> list[str]:
    return sorted(cells, key=lambda cell: -STEPS[cell.partition("-")[2]])  # type: ignore[index]


def watch(cells: list[str], jobs: list[Any], done: Any) -> None:
    """A bar a cell until all are played."""
    columns = (
        TextColumn("{task.description:22}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as bars:
        tasks = {cell: bars.add_task(cell, total=1.0) for cell in cells}
        while not all(job.ready() for job in jobs):
            time.sleep(0.5)
            for cell, task in tasks.items():
                bars.update(task, completed=done.get(cell, 0.0))
    for job in jobs:
        job.get()


def play(cell: str, folder: Path, share: float, done: Any) -> None:
    """Play a cell from where it was left; its result and its samples over time end up in ``folder``."""
    if (folder / f"{cell}.json").exists():
        done[cell] = 1.0
        return
    torch.set_num_threads(1)
    keep_freed_memory()
    place_name, _, method = cell.partition("-")
    place, steps = PLACES[place_name](), round(STEPS[method] * share)  # type: ignore[index]
    config = config_of(method, place, GAMES)  # type: ignore[arg-type]
    arena = Arena(config, PointSource(place, config.batch_size, GAMES, seed=1), steps)
    state, kept = folder / f"{cell}.safetensors", folder / f"{cell}-strip.npz"
    seconds, strip = 0.0, {}
    if state.exists():
        arena.resume(state)
        with np.load(kept) as stored:
            strip = {name: stored[name] for name in stored.files}
        seconds = float(strip.pop("seconds"))
    due = {max(1, math.ceil(part * steps)) for part in STRIP}
    begun = saved = time.process_time()

    def save() -> None:
        with replacing(kept) as temporary:
            np.savez(temporary, seconds=seconds + time.process_time() - begun, **strip)
        arena.save(state)

    for played in arena.play():
        done[cell] = played / steps
        if played in due:
            strip[str(played)] = arena.samples(SAMPLES).astype(np.float32)
        if time.process_time() - saved > SAVE_SECONDS:
            save()
            saved = time.process_time()
    save()
    seconds += time.process_time() - begun
    found = [coverage(points, place.centres, place.sigma) for points in arena.samples(SAMPLES)]
    result = {
        "cell": cell,
        "steps": steps,
        "cpu_seconds": seconds,
        "modes": [seed.modes for seed in found],
        "high_quality": [seed.high_quality for seed in found],
        "reverse_kl": [seed.reverse_kl for seed in found],
        "config": config.model_dump(mode="json"),
    }
    with replacing(folder / f"{cell}.json") as temporary:
        temporary.write_text(json.dumps(result, indent=1), encoding="utf-8")


def report(args: argparse.Namespace) -> None:
    """The table over all cells that are finished, and the strips."""
    names = {
        "gan": "GAN (non-saturating)",
        "discrimination": "+ minibatch discrimination",
        "relativistic": "relativistic + R1 + R2",
    }
    found = {}
    for place in PLACES:
        for method in METHODS:
            file = args.folder / f"{place}-{method}.json"
            if file.exists():
                found[place, method] = json.loads(file.read_text(encoding="utf-8"))
    rows = [
        f"| {place} | {names[method]} | {_spread(r['modes'], 1)} ({min(r['modes'])}–{max(r['modes'])}) "
        f"| {_spread([100 * x for x in r['high_quality']], 1)} ({100 * min(r['high_quality']):.1f}) "
        f"| {_spread(r['reverse_kl'], 3)} | {r['steps']:,} | {r['cpu_seconds'] / 60:.1f} |"
        for (place, method), r in found.items()
    ]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(list(found.values()), indent=1) + "\n", encoding="utf-8")
    write_section(
        "Mode collapse in the plane",
        "python bench/collapse.py",
        [
            f"{GAMES} seeds a cell, mean ± standard deviation over seeds; {SAMPLES:,} samples a seed by the averaged "
            f"generator; perfect samples would be {100 * PERFECT:.1f} % of high quality. Ring: 8 modes on radius 1, "
            "σ 0.01; grid: 25 modes at {−4, −2, 0, 2, 4}², σ 0.05; within 3 σ. Same nets, optimizers and batches in all "
            "cells (`ganforge.lessons.collapse.NETS`); one thread a cell.",
            "",
            "| data | method | modes (least–most) | % high quality (least) | reverse KL, nats | steps | CPU minutes |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
            "The first seed's samples over time, step by step:",
            "",
            *(f"![{place}: samples over time](results/{place}.png)" for place in PLACES),
        ],
    )
    for place in PLACES:
        draw_strip(place, args.folder)


def _spread(values: list[float], digits: int) -> str:
    """Mean ± standard deviation over the seeds that have the figure; how many, where some have not."""
    known = [value for value in values if math.isfinite(value)]
    few = "" if len(known) == len(values) else f" ({len(known)} seeds)"
    return f"{np.mean(known):.{digits}f} ± {np.std(known):.{digits}f}{few}" if known else "–"


def draw_strip(place_name: str, folder: Path) -> None:
    """A row a method: the first seed's samples over time."""
    place = PLACES[place_name]()
    strips = {}
    for method in METHODS:
        file = folder / f"{place_name}-{method}-strip.npz"
        if file.exists():
            with np.load(file) as stored:
                strips[method] = sorted((int(name), stored[name][0]) for name in stored.files if name != "seconds")
    real = place.draw(np.random.default_rng(0), 400)
    with figure(1.55 * len(STRIP), 1.75 * len(strips)) as made:
        for row, (method, moments) in zip(
            made.subplots(len(strips), len(STRIP), squeeze=False), strips.items(), strict=True
        ):
            for axes, (step, points) in zip(row, moments, strict=True):
                draw_plane(axes, 1.35 * place.scale, real=real, forged=points[:500], size=3)
                axes.set_title(f"{step:,}", fontsize=8, pad=2)
            row[0].set_ylabel(method, fontsize=9, fontweight="bold")
        save_figure(made, FIGURES / f"{place_name}.png")


if __name__ == "__main__":
    main()
