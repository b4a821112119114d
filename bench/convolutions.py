"""What convolutions of the sizes of `style` cost: GFLOP/s forwards and backwards, by layer and kind.

    python bench/convolutions.py [--batch 16] [--repeats 25]
    python bench/convolutions.py --twice [--batch 8]    how wrong and how slow the slopes of slopes are, PyTorch's and ours

Backwards counts both slopes, for weights and for what comes in. Kinds: 3×3 with stride 1; 4×4 with stride 2; 4×4 transposed
with stride 2 (what DCGANs are made of). bfloat16 where the CPU has it, channels last. Slopes of slopes: what a penalty on
D's slopes pushes the weights of its convolutions by; the error is the distance from float64's over its length. Writes its table
into bench/RESULTS.md.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ganforge.machine import has_native_bf16, keep_freed_memory
from ganforge.ops.twice import DifferentiableTwice, by_inputs_alone
from results import write_section

LAYERS = ((64, 64, 32), (64, 128, 16), (128, 256, 8), (256, 256, 8), (256, 256, 4))
"""Maps before, maps after, side of what comes in."""
KINDS: dict[str, tuple[Callable[..., Tensor], int, int, bool]] = {
    "3×3": (F.conv2d, 3, 1, False),
    "4×4, stride 2": (F.conv2d, 4, 2, False),
    "4×4 transposed, stride 2": (F.conv_transpose2d, 4, 2, True),
}
OF_D = ((3, 16, 64), (16, 16, 64), (16, 32, 32), (32, 32, 32), (32, 64, 16), (64, 128, 8), (128, 128, 4))
"""The same of the 3×3 convolutions of D with few minutes, at 64×64."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, help="16; with --twice 8, the recipe's")
    parser.add_argument("--repeats", type=int, default=25)
    parser.add_argument("--twice", action="store_true")
    args = parser.parse_args()
    args.batch = args.batch or (8 if args.twice else 16)
    keep_freed_memory()
    if args.twice:
        write_twice(args)
        return
    dtype = torch.bfloat16 if has_native_bf16(torch.device("cpu")) else torch.float32
    rows = []
    for before, after, side in LAYERS:
        cells = [speeds(kind, before, after, side, dtype, args) for kind in KINDS]
        rows.append(f"| {before} → {after} at {side}×{side} | {' | '.join(cells)} |")
    write_section(
        "Convolutions",
        f"python bench/convolutions.py --batch {args.batch} --repeats {args.repeats}",
        [
            f"GFLOP/s forwards / backwards, batch {args.batch}, {str(dtype).removeprefix('torch.')}, channels last, medians of "
            f"{args.repeats}.",
            "",
            f"| maps | {' | '.join(KINDS)} |",
            f"|---|{'---|' * len(KINDS)}",
            *rows,
        ],
    )


def speeds(kind: str, before: int, after: int, side: int, dtype: torch.dtype, args: argparse.Namespace) -> str:
    """Forwards / backwards."""
    function, kernel, stride, transposed = KINDS[kind]
    shape = (before, after) if transposed else (after, before)
    maps = torch.randn(args.batch, before, side, side).to(dtype, memory_format=torch.channels_last).requires_grad_()
    weight = torch.randn(*shape, kernel, kernel).to(dtype, memory_format=torch.channels_last).requires_grad_()

    def forwards() -> Tensor:
        return function(maps, weight, stride=stride, padding=1)

    made = forwards()
    slopes = torch.randn_like(made)
    places = side if transposed else made.shape[2]  # each multiplies a whole kernel
    flops = 2 * args.batch * before * after * kernel**2 * places**2
    there = flops / median(forwards, args.repeats)
    back = (
        2 * flops / median(lambda: torch.autograd.grad(made, (maps, weight), slopes, retain_graph=True), args.repeats)
    )
    return f"{there / 1e9:.0f} / {back / 1e9:.0f}"


def write_twice(args: argparse.Namespace) -> None:
    """Error and time by layer, precision, and whose they are."""
    dtypes = [torch.float32, *([torch.bfloat16] if has_native_bf16(torch.device("cpu")) else [])]
    rows = []
    for before, after, side in OF_D:
        drawn = [torch.randn(n, c, side, side) for n, c in ((args.batch, before), (args.batch, after))]
        maps, second = drawn[0], torch.randn_like(drawn[0])
        given = (maps, torch.randn(after, before, 3, 3), drawn[1], second)
        exact = slopes_of_slopes(given, torch.float64, ours=False)()
        cells = []
        for dtype in dtypes:
            for ours in (False, True):
                do = slopes_of_slopes(given, dtype, ours=ours)
                error = float((do().double() - exact).norm() / exact.norm())
                cells.append(f"{error:.2g}, {1e3 * median(do, args.repeats):.1f}")
        rows.append(f"| {before} → {after} at {side}×{side} | {' | '.join(cells)} |")
    heads = [f"{str(dtype).removeprefix('torch.')}, {whose}" for dtype in dtypes for whose in ("PyTorch's", "ours")]
    write_section(
        "Slopes of slopes",
        f"python bench/convolutions.py --twice --batch {args.batch} --repeats {args.repeats}",
        [
            f"Error (of float64's size) and milliseconds of what a penalty on slopes pushes weights by; batch {args.batch}, "
            f"channels last, medians of {args.repeats}.",
            "",
            f"| maps | {' | '.join(heads)} |",
            f"|---|{'---|' * len(heads)}",
            *rows,
        ],
    )


def slopes_of_slopes(given: tuple[Tensor, ...], dtype: torch.dtype, *, ours: bool) -> Callable[[], Tensor]:
    """By weights, of ⟨slopes by maps, ``second``⟩, where slopes by what was made are given: maps, weight, those, ``second``."""
    maps, weight, slopes, second = (t.to(dtype, memory_format=torch.channels_last).requires_grad_() for t in given)
    with DifferentiableTwice() if ours else nullcontext():
        made = F.conv2d(maps, weight, padding=1)
    with by_inputs_alone():
        first = torch.autograd.grad(made, maps, slopes, create_graph=True)[0]
    return lambda: torch.autograd.grad(first, weight, second.detach(), retain_graph=True)[0]


def median(do: Callable[[], object], repeats: int) -> float:
    """Seconds."""
    times = []
    for _ in range(repeats + 3):
        start = time.perf_counter()
        do()
        times.append(time.perf_counter() - start)
    return statistics.median(times[3:])


if __name__ == "__main__":
    main()
