"""Train a recipe on a GPU for a few minutes and tell its speed, memory and share of the matmul peak.

    python bench/gpu.py faces64.zip [--recipe style] [--size 64] --minutes 4 --out run-folder [--set KEY=VALUE]

Prints one JSON line; a second call with the same --out goes on where the first one stopped. The share: average eager float32
FLOPs of a step, penalties included, over what the GPU's bfloat16 (or float32) matrix products reach in the same time.
"""

import argparse
import json
from pathlib import Path

import torch

import ganforge
from ganforge.cli.options import read_settings
from ganforge.machine import describe, peak_memory_bytes
from ganforge.systems import find_recipe
from training import flops_a_picture, matmul_peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures")
    parser.add_argument("--recipe", default="style")
    parser.add_argument("--size", type=int, default=64, help="pixels")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    if (args.out / "run.json").exists():
        run = ganforge.resume(args.out, observers=[])
    else:
        run = ganforge.train(
            args.pictures,
            recipe=args.recipe,
            size=args.size,
            minutes=args.minutes,
            settings=read_settings(args.settings),
            out=args.out,
            observers=[],
        )
    execution, finished = run.events("execution")[-1], run.events("finished")[-1]
    reports = run.events("report")[5:]
    speeds = sorted(report["pictures_per_s"] for report in reports)
    device = torch.device(execution["device"])
    between = speeds[len(speeds) // 2]
    flops = flops_a_picture(
        args.recipe, args.size, {**find_recipe(args.recipe).accelerated, **read_settings(args.settings)}
    )
    peak = matmul_peak(torch.bfloat16 if execution["precision"] == "bf16" else torch.float32, device, side=8192)
    told = {
        "machine": describe().as_dict(),
        "recipe": args.recipe,
        "execution": {k: execution[k] for k in ("device", "layout", "precision")},
        "seconds": round(finished["seconds"], 1),
        "seen": finished["seen"],
        "pictures_per_s": round(finished["seen"] / finished["seconds"]),
        "pictures_per_s_between_reports_median": round(between),
        "MFLOP_a_picture": round(flops / 1e6),
        "matmul_peak_TFLOP_s": round(peak / 1e12, 1),
        "share_of_peak": round(between * flops / peak, 4),
        "peak_memory_MiB": round(peak_memory_bytes(device) / 2**20),
        "hit_rate": reports[-1]["hit_rate"],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
