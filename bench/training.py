"""How fast a step is: share of the machine's matmul peak, peak memory, and what layouts, precisions and compiling are worth.

    python bench/training.py [--recipe style] [--brief] [--rounds 9] [--steps 8] [--batch N]
    python bench/training.py --recipe dcgan64_pytorch --batch 64    beside the plain tutorial loop on the same nets

Contestants take turns, round after round, each in a process of its own that sleeps meanwhile; the figure is the median
over rounds of (the first one's time / this one's), because a single absolute time on a shared machine means nothing. Steps
are counted from 0 on in every round, so that lazy penalties fall due as often as in a run where --steps is a multiple of
their interval. Writes its table into bench/RESULTS.md.
"""

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import ClassVar

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from ganforge.game import System
from ganforge.machine import keep_freed_memory, peak_memory_bytes
from ganforge.pictures import Pack, PackOptions, PackSource, make_pack
from ganforge.progress import silent
from ganforge.systems import configure, find_recipe, fitted
from ganforge.training.execution import Execution, candidates
from ganforge.training.step import Table, run_step
from ganforge.training.teacher import features_for
from plain import step_of
from results import write_section

PLAIN = "dcgan64_pytorch"
"""The recipe of the plain loop's nets."""
CPU = torch.device("cpu")
SIDE, LARGE = 64, 200_000
"""Pixels; and pictures that recipes are fitted to: so many that none is augmented."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="style")
    parser.add_argument("--brief", action="store_true", help="the recipe's nets for few minutes")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=8, help="in each round")
    parser.add_argument("--batch", type=int, help="by default the recipe's")
    args = parser.parse_args()
    if args.brief and find_recipe(args.recipe).brief is None:
        parser.error(f"{args.recipe} has the same nets for any minutes")
    args.batch = args.batch or find_recipe(args.recipe).make(SIDE, SIDE).batch_size

    def make() -> System:
        torch.manual_seed(0)
        return system(args.recipe, args.batch, args.brief)

    eager = candidates(make(), torch.device("cpu"))
    plain: list[Execution | None] = [None] if args.recipe == PLAIN else []
    # compiled passes cannot be differentiated twice, as penalties on slopes are: of the plain nets alone
    compiled = [replace(choice, compiled=True) for choice in eager if plain and choice.layout == eager[0].layout]
    times, first, memory = _race([*plain, *eager, *compiled], args)

    reference = next(iter(times.values()))
    source = source_for(make(), pack(), args.batch)
    flops = _flops(make(), source, args.steps)
    rows = []
    for name, mine in times.items():
        ratio = statistics.median(a / b for a, b in zip(reference, mine, strict=True))
        second = statistics.median(mine)
        peak = matmul_peak(torch.bfloat16 if "bf16" in name else torch.float32)
        rows.append(
            f"| {name} | {args.batch / second:.0f} | {ratio:.2f} | {flops / second / 1e9:.0f} | {peak / 1e9:.0f} "
            f"| {flops / second / peak:.2f} | {memory[name] / 2**20:.0f} |"
        )
    loader = _seconds(lambda: source.batch(int(time.perf_counter() * 1e6) % 10_000), 200)
    fastest = min(statistics.median(t) for t in times.values())
    compiling = max((first[_name(c)] - args.steps * statistics.median(times[_name(c)]) for c in compiled), default=None)
    _write(args, rows, flops, loader, fastest, compiling)


def pack() -> Pack:
    """What every contestant learns from."""
    return make_pack("avatars:2000", PackOptions(height=SIDE, width=SIDE))


def system(name: str, batch: int, brief: bool) -> System:
    recipe = find_recipe(name)
    config = configure(recipe, SIDE, SIDE, {"batch_size": str(batch)}, brief=brief)
    return recipe.system(fitted(recipe, config, pack().schema, LARGE))


def _name(choice: Execution | None) -> str:
    return (
        "plain loop, fp32"
        if choice is None
        else f"ganforge, {choice.layout} {choice.precision}{' compiled' if choice.compiled else ''}"
    )


def _contest(choice: Execution | None, name: str, batch: int, brief: bool, turns: Connection) -> None:
    """One contestant: play as many steps as it is told to, and say how many seconds a step took."""
    if choice is None:
        pictures = torch.from_numpy(np.array(pack().pictures)).permute(0, 3, 1, 2).contiguous()
        step = step_of(pictures, batch)
    else:
        keep_freed_memory()
        player = system(name, batch, brief)
        choice.apply(player)
        source = source_for(player, pack(), batch)
        table = Table(player.phases()[0].turns, source, choice.device, choice.autocast, seed=0)

        def step() -> None:
            run_step(table, 0.0, player)

    while steps := turns.recv():
        if choice is not None:
            table.steps = 0
        turns.send(_seconds(step, steps))
    turns.send(peak_memory_bytes(torch.device("cpu")))


def _race(
    contestants: list[Execution | None], args: argparse.Namespace
) -> tuple[dict[str, list[float]], dict[str, float], dict[str, int]]:
    """Seconds a step in every round, seconds of the whole first round (it compiles and warms up), peak memory in bytes."""
    spawn = multiprocessing.get_context("spawn")
    lines = {}
    for choice in contestants:
        here, there = spawn.Pipe()
        spawn.Process(target=_contest, args=(choice, args.recipe, args.batch, args.brief, there), daemon=True).start()
        there.close()  # so that a contestant which dies is heard of
        lines[_name(choice)] = here
    times: dict[str, list[float]] = {name: [] for name in lines}
    first: dict[str, float] = {}
    for number in range(-1, args.rounds):
        for name, line in lines.items():
            line.send(args.steps)
            seconds = line.recv()
            if number < 0:
                first[name] = args.steps * seconds
            else:
                times[name].append(seconds)
        print(f"round {number + 1} of {args.rounds}", flush=True)
    memory = {}
    for name, line in lines.items():
        line.send(0)
        memory[name] = line.recv()
    return times, first, memory


def _seconds(do: Callable[[], object], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        do()
    return (time.perf_counter() - start) / times


def _flops(player: System, source: PackSource, steps: int) -> float:
    """Of an eager float32 step, on average over ``steps``."""
    table = Table(player.phases()[0].turns, source, "cpu", Execution("cpu", "contiguous", "fp32").autocast, seed=0)
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = _Everything()  # its own loses its way where slopes are differentiated once more
    with counter:
        for _ in range(steps):
            run_step(table, 0.0, player)
    return float(counter.get_total_flops()) / steps


class _Everything:
    """Stands in for a tracker of modules: everything happens in one place."""

    parents: ClassVar = {"Global"}

    def __enter__(self) -> "_Everything":
        return self

    def __exit__(self, *_: object) -> None:
        return None


def flops_a_picture(recipe: str, side: int, settings: dict[str, str], steps: int = 16) -> float:
    """Of an eager float32 step, penalties and the optimizer's products included, per picture."""
    config = configure(find_recipe(recipe), side, side, settings)
    pictures = make_pack("avatars:64", PackOptions(height=side, width=side))
    player = find_recipe(recipe).system(fitted(find_recipe(recipe), config, pictures.schema, LARGE))
    return _flops(player, source_for(player, pictures, config.batch_size), steps) / config.batch_size


def source_for(player: System, pictures: Pack, batch: int) -> PackSource:
    """Of batches as training hands them out, with the features that the system asks for."""
    source = PackSource(pictures, batch)
    source.features = features_for(player, pictures, source, len(pictures), CPU, silent)
    return source


def matmul_peak(dtype: torch.dtype, device: torch.device = CPU, side: int = 2048) -> float:
    """FLOP/s of the best of ten square matrix products."""
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))

    def product() -> None:
        (a @ b)[0, 0].item()  # waits for it

    return 2 * side**3 / min(_seconds(product, 1) for _ in range(10))


def _write(
    args: argparse.Namespace, rows: list[str], flops: float, loader: float, fastest: float, compiling: float | None
) -> None:
    name, flag = (f"{args.recipe} with few minutes", " --brief") if args.brief else (args.recipe, "")
    write_section(
        f"Training speed of {name}",
        f"python bench/training.py --recipe {args.recipe}{flag} --rounds {args.rounds} --steps {args.steps} "
        f"--batch {args.batch}",
        [
            f"The nets of {name}, batch {args.batch}, {SIDE} px, {args.rounds} rounds of {args.steps} steps in turn; "
            "ratio = median over rounds of the first one's time / this time.",
            "",
            "| | pictures/s (median) | ratio | GFLOP/s | matmul peak, GFLOP/s | share of peak | peak memory, MiB |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
            f"- A step is {flops / 1e9:.1f} GFLOP (eager, float32, `torch.utils.flop_counter`, penalties included).",
            f"- The loader takes {1e3 * loader:.2f} ms a batch, {100 * loader / fastest:.1f} % of the fastest step.",
            *(
                []
                if compiling is None
                else [f"- Compiling takes up to {compiling:.0f} s (torch.compile, a cold cache)."]
            ),
        ],
    )


if __name__ == "__main__":
    main()
