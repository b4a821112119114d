"""What each choice of the recipe `style` is worth: one thing changed at a time, the same number of pictures seen.

    python bench/study.py faces64 --data DATA --yardsticks YARDSTICKS [--images 40k] [--only "batch 16"]
    python bench/study.py --table

Each variant is a run of `bench/quality.py`'s set, judged by its judge. Rows are kept in bench/results/study.json by variant,
settings, number of pictures and a hash of the code that trains: variants that are there already are not run again. Times are
single ones on whatever else the machine does; they only say what is out of proportion.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import ganforge
from ganforge.drawing.grids import grid, save_png
from ganforge.pictures import PackOptions, cache_folder, make_pack
from ganforge.training.budget import Budget, parse_count
from quality import CODE, JUDGED, SAMPLE_SEED, SHOWN, WORK, code_of_system, judge, made_for, pictures_of, trained
from results import FIGURES, code_of, provenance, write_json, write_section

ROWS = FIGURES / "study.json"
RECIPE = "style"
VARIANTS: dict[str, dict[str, str]] = {
    "the recipe": {},
    "the recipe, another seed": {"seed": "1"},
    "the recipe, a third seed": {"seed": "2"},
    "non-saturating loss": {"loss": "non_saturating"},
    "batch 4": {"batch_size": "4"},
    "batch 16": {"batch_size": "16"},
    "learning rates × ½": {"g_learning_rate": "5e-3", "d_learning_rate": "5e-3"},
    "learning rates × 1.4": {"g_learning_rate": "14e-3", "d_learning_rate": "14e-3"},
    "D's learning rate × ½": {"d_learning_rate": "5e-3"},
    "D's learning rate × 2": {"d_learning_rate": "2e-2"},
    "rates that fall from 0.3 of the budget on": {"falls_from": "0.3"},
    "rates that do not fall": {"falls_from": "1"},
    "rates that fall to 0.3": {"falls_to": "0.3"},
    "R1 and R2 with γ = 0.03": {"r1_gamma": "0.03", "r2_gamma": "0.03"},
    "R1 and R2 with γ = 1": {"r1_gamma": "1", "r2_gamma": "1"},
    "R1 and R2 with γ from 1 down to 0.1 while D is seldom sure": {
        "r1_gamma": "1",
        "r2_gamma": "1",
        "gamma_least": "0.1",
    },
    "R1 alone, γ = 0.2": {"r1_gamma": "0.2", "r2_gamma": "0"},
    "Adam": {"d_optimizer": "adam"},
    "SOAP for G as well": {"g_optimizer": "soap"},
    "β₂ = 0.99": {"beta2": "0.99"},
    "β₂ = 0.7": {"beta2": "0.7"},
    "penalties every 4 steps": {"r1_every_steps": "4"},
    "penalties every 16 steps": {"r1_every_steps": "16"},
    "mapping learns ten times as fast": {"g.map_rate": "0.1"},
    "style mixing of half": {"mixing": "0.5"},
    "no augmentation": {"augment": "0"},
    "augmentation with p = 0.3": {"augment": "0.3"},
    "D learns nothing of the frozen net": {"d.distilled": "0"},
    "64 and 32 maps at the two finest of G": {"g.widths": "256,192,96,64,32"},
    "G ends without tanh": {"g.output": "linear"},
    "half the maps, as for brief budgets": {"g.widths": "128,128,64,32,16", "d.widths": "16,32,64,128"},
    "a quarter of the maps": {"g.widths": "64,64,32,16,16", "d.widths": "8,16,32,64"},
    "half the maps in D": {"d.widths": "16,32,64,128"},
    "one convolution a resolution in G": {"g.convs": "1,1,1,1,1"},
    "two convolutions a resolution in G": {"g.convs": "2,2,2,2,2"},
    "half the maps at the two finest of D": {"d.widths": "16,32,128,256"},
    "no residual convolutions in D": {"d.convs": "0,0,0,0"},
    "one at every level of D": {"d.convs": "1,1,1,1"},
    "plainer nets: one convolution a resolution in G, none residual in D": {
        "g.widths": "256,256,128,64,16",
        "g.convs": "1,1,1,1,1",
        "d.widths": "16,64,128,256",
        "d.convs": "0,0,0,0",
    },
    "noise": {"g.noise": "true"},
    "averages half as long": {"ema_rampup": "0.025"},
    "averages twice as long": {"ema_rampup": "0.1"},
}
"""Changes of the recipe's settings; ``seed`` is the run's."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sets = [name for name, judged in sorted(JUDGED.items()) if judged.side == 64]  # whose nets the variants are for
    parser.add_argument("set", nargs="?", choices=sets, default="faces64")
    parser.add_argument("--images", default="40k", help="pictures that each variant sees")
    parser.add_argument("--only", action="append", choices=list(VARIANTS), help="these variants alone")
    parser.add_argument("--data", type=Path, help="folder of the sets")
    parser.add_argument("--yardsticks", type=Path, help="folder of judge.py")
    parser.add_argument("--table", action="store_true", help="only write the table anew")
    args = parser.parse_args()
    if not args.table:
        if args.yardsticks is None or (args.data is None and args.set != "avatars"):
            parser.error("--data and --yardsticks are needed (or --table alone)")
        for name in args.only or VARIANTS:
            study(name, args)
            write_table()
    write_table()


def study(name: str, args: argparse.Namespace) -> None:
    """Train and judge one variant, unless its row is there."""
    judged, settings = JUDGED[args.set], VARIANTS[name]
    code = code_of(*CODE, *code_of_system(RECIPE))
    key = {"set": args.set, "images": parse_count(args.images), "variant": name, "settings": settings, "code": code}
    if any(key.items() <= row.items() for row in kept()):
        return
    source = pictures_of(judged, args.data)
    pack = make_pack(source, PackOptions(height=judged.side, width=judged.side))
    budget = Budget(images=key["images"])
    if (
        settings
        and "seed" not in settings
        and made_for(RECIPE, pack, settings, budget) == made_for(RECIPE, pack, {}, budget)
    ):
        print(f"{name}: that is what the recipe does with these pictures; nothing to compare.")
        return
    words = "".join(c if c.isalnum() else "-" for c in name)
    folder = cache_folder() / "study" / f"{args.set}-{args.images}-{words}-{code}"
    folder.mkdir(parents=True, exist_ok=True)
    stamp = provenance()
    asked = {k: v for k, v in settings.items() if k != "seed"}
    run = trained(
        folder / "run",
        source,
        images=args.images,
        recipe=RECIPE,
        size=judged.side,
        seed=int(settings.get("seed", 0)),
        settings=asked,
        stop_early=False,
    )
    samples = ganforge.load(run.path).sample(judged.count, SAMPLE_SEED).pictures
    np.savez(folder / "samples.npz", images=samples)
    figures = judge(args, judged, pack, folder, samples)
    shown = WORK.parent / "study" / f"{folder.name}.png"
    save_png(grid(samples[:SHOWN], columns=12), shown)
    seconds = float(run.events("report")[-1]["seconds"])
    row = key | {"judge": figures, "seconds": seconds, "measured": stamp}
    write_json(ROWS, [*(r for r in kept() if not all(r[k] == key[k] for k in ("set", "images", "variant"))), row])


def kept() -> list[dict[str, Any]]:
    return json.loads(ROWS.read_text("utf-8")) if ROWS.exists() else []


def write_table() -> None:
    rows = kept()
    if not rows:
        sys.exit("There is no row yet.")
    base = {(r["set"], r["images"], r["code"]): r for r in rows if r["variant"] == "the recipe"}
    lines = [
        "One thing changed at a time; every run sees the same number of pictures. ×: the figure over that of the recipe "
        "with the same code (below 1 is better); minutes: of this one run.",
        "",
        "| pictures | seen | variant | figure | × | minutes |",
        "|---|---|---|---|---|---|",
    ]
    rows = [r for r in rows if r["variant"] in VARIANTS]  # others were asked once
    for r in sorted(rows, key=lambda r: (r["set"], r["images"], list(VARIANTS).index(r["variant"]))):
        figure = {"fd": "fd", "kid": "kid_x1000"}[JUDGED[r["set"]].figure]
        own, first = r["judge"][figure], base.get((r["set"], r["images"], r["code"]))
        ratio = "–" if first is None else f"{own / first['judge'][figure]:.2f}"
        lines.append(
            f"| {r['set']} | {r['images']:,} | {r['variant']} | {own:.1f} | {ratio} | {r['seconds'] / 60:.1f} |"
        )
    write_section("Style study", "python bench/study.py SET …", lines, [r["measured"] for r in rows])


if __name__ == "__main__":
    main()
