"""Train a recipe on a GPU for a few minutes and tell its speed and memory.

    python bench/gpu.py faces64.zip --recipe dcgan64 --minutes 4 --out run-folder

Prints one JSON line; a second call with the same --out goes on where the first one stopped.
"""

import argparse
import json
from pathlib import Path

import torch

import ganforge
from ganforge.machine import describe, peak_memory_bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures")
    parser.add_argument("--recipe", default="dcgan64")
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    if (args.out / "run.json").exists():
        run = ganforge.resume(args.out, observers=[])
    else:
        run = ganforge.train(args.pictures, recipe=args.recipe, minutes=args.minutes, out=args.out, observers=[])
    execution, finished = run.events("execution")[-1], run.events("finished")[-1]
    reports = run.events("report")[5:]
    speeds = sorted(report["pictures_per_s"] for report in reports)
    told = {
        "machine": describe().as_dict(),
        "recipe": args.recipe,
        "execution": {k: execution[k] for k in ("device", "layout", "precision")},
        "seconds": round(finished["seconds"], 1),
        "seen": finished["seen"],
        "pictures_per_s": round(finished["seen"] / finished["seconds"]),
        "pictures_per_s_between_reports_median": round(speeds[len(speeds) // 2]),
        "peak_memory_MiB": round(peak_memory_bytes(torch.device(execution["device"])) / 2**20),
        "hit_rate": reports[-1]["hit_rate"],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
