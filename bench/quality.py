"""How good a named recipe is after named minutes, judged by one judge for all.

    python bench/quality.py faces64 --recipe dcgan --minutes 12 --data DATA --yardsticks YARDSTICKS
    python bench/quality.py faces64 --recipe plain --minutes 12 …      the yardstick: the plain tutorial loop
    python bench/quality.py faces64 --recipe real …                    other real pictures: as far as any recipe can get
    python bench/quality.py emoji128 --size 128 …                      at another size, and judged at that
    python bench/quality.py flowers64 --from emoji128@20 …             begun with the Model of another set's row
    python bench/quality.py --table                                    write the table and the page of grids anew

Sets: faces64, flowers64, emoji128, cifar10_train, fashion (files of DATA), avatars (drawn). What was trained is kept in the
user's cache, named by set, recipe, settings, minutes, seed and a hash of the code that trains; a run that was interrupted
goes on. Rows are kept in bench/results/quality.json; the table goes into bench/RESULTS.md, grids into bench/work/quality
(one page of all), and those of emoji, Fashion and avatars into bench/results.

YARDSTICKS holds judge.py and plain_dcgan.py; see `JUDGED` for who judges what. Recall, coverage and copies are our own
(`ganforge evaluate`, offline features).
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import ganforge
from ganforge.cli.live import watching
from ganforge.cli.options import read_settings
from ganforge.drawing.grids import Pictures, grid, save_png
from ganforge.evaluation.measuring import measure
from ganforge.evaluation.sides import Maker, ModelMaker, PackMaker, RealSide
from ganforge.files import replacing
from ganforge.game import PictureConfig
from ganforge.measures.offline import offline_net
from ganforge.pictures import Pack, PackOptions, cache_folder, make_pack, split_held_out
from ganforge.systems import find_recipe, fitted
from ganforge.training.budget import Budget
from ganforge.training.presets import chosen_preset
from results import FIGURES, ROOT, code_of, provenance, write_json, write_section

ROWS = FIGURES / "quality.json"
WORK = ROOT / "bench" / "work" / "quality"
SAMPLE_SEED = 100_000
SHOWN, SHOWN_LARGE = 48, 24
"""Samples in a grid: up to 64 px, and above, so that the repository can keep it."""
LARGEST_SHOWN = 128
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "4000000000", "MALLOC_TOP_PAD_": "268435456"}
"""glibc gives every large tensor back to the system and asks for it again: half of the judge's time, measured."""
CODE = ("src/ganforge/game.py", "src/ganforge/losses.py", "src/ganforge/machine.py", "src/ganforge/ops/*.py",
        "src/ganforge/training/*.py", "src/ganforge/model/*.py", "src/ganforge/measures/*.py",
        "src/ganforge/measures/weights/*", "src/ganforge/pictures/**/*.py", "src/ganforge/avatars/*.py")  # fmt: skip
"""What every training runs, beside its own system: a result of other code is not this one's."""


@dataclass(frozen=True)
class Judged:
    """How a set is judged.

    Attributes:
        pictures: below DATA, or avatars.
        side: pixels.
        figure: "fd" or "kid": what the table leads with.
        net: the judge's.
        count: pictures a side, at most.
        against: real pictures that were never trained on, below DATA; None for the training pictures themselves.
        credit: what stands beside samples in the repository; None where they stay out of it.
    """

    pictures: str
    side: int
    figure: str
    net: str
    count: int
    against: str | None
    credit: str | None


JUDGED = {
    "faces64": Judged("faces64.zip", 64, "fd", "mobilenet", 4000, "judge/faces64.zip", None),
    "cifar10_train": Judged("cifar10_train.zip", 32, "fd", "resnet20", 5000, "judge/cifar10.zip", None),
    "flowers64": Judged("flowers64.zip", 64, "kid", "mobilenet", 4000, None, None),
    "emoji128": Judged("emoji128.zip", 64, "kid", "mobilenet", 4000, None, "Emoji: Noto, Google, Apache-2.0."),
    "fashion": Judged("fashion", 32, "fd", "mobilenet", 4000, None, "Fashion-MNIST: MIT, Zalando SE."),
    "avatars": Judged("avatars", 64, "fd", "mobilenet", 4000, "avatars:4000:1", "Avatars: our own drawings."),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", nargs="?", choices=sorted(JUDGED))
    parser.add_argument(
        "--recipe", default="style", help="or plain, the yardstick; or real, pictures of the set itself"
    )
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--size", type=int, metavar="PIXELS", help="train and judge at this side instead of the set's own"
    )
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument(
        "--from",
        dest="start_from",
        metavar="SET@MINUTES",
        help="begin with that run's Model; it is trained if it is not yet",
    )
    parser.add_argument(
        "--precision", choices=("fp32", "bf16"), help="instead of what calibration finds; of our recipes"
    )
    parser.add_argument("--data", type=Path, help="folder of the sets")
    parser.add_argument("--yardsticks", type=Path, help="folder of judge.py and plain_dcgan.py")
    parser.add_argument("--table", action="store_true", help="only write table and page anew")
    args = parser.parse_args()
    if not args.table:
        if args.set is None or args.yardsticks is None or (args.data is None and args.set != "avatars"):
            parser.error("a set, --data and --yardsticks are needed (or --table alone)")
        if args.start_from is not None:
            if args.recipe in ("plain", "real"):
                parser.error("--from is for our recipes: nothing of others begins with a Model")
            if not re.fullmatch(rf"({'|'.join(JUDGED)})@\d+(\.\d+)?", args.start_from):
                parser.error(f"--from is SET@MINUTES, as emoji128@20, not {args.start_from!r}")
        keep_row(measured(args))
    write_table()


def measured(args: argparse.Namespace) -> dict[str, Any]:
    """Train, sample, judge: the row of one run."""
    judged, ours = judged_of(args), args.recipe not in ("plain", "real")
    source, pack = pictures_of(judged, args.data), pack_of(args)
    key, code = key_of(args), code_behind(args)
    name, folder = name_of(key), folder_of(args)
    stamp, now = folder / "measured.json", provenance()
    sittings = json.loads(stamp.read_text("utf-8")) if stamp.exists() else []
    if not (folder / "samples.npz").exists() and now not in sittings:
        write_json(stamp, [*sittings, now])
    make = {"plain": yardstick, "real": themselves}.get(args.recipe, forged)
    samples, seen = make(args, judged, pack, source, folder)
    figures = judge(args, judged, pack, folder, samples)
    maker: Maker
    if ours:
        maker = ModelMaker(ganforge.load(folder / "run", device="cpu"), name, seed=SAMPLE_SEED)
    else:
        kept = PackOptions(height=judged.side, width=judged.side, keep_copies=True)
        maker = PackMaker(make_pack(folder / "samples.npz", kept), name)
    real = RealSide.of(pack, args.set, judged.count, trained_on=args.recipe != "real", flip=ours and pack.mirror.flip)
    if args.recipe == "plain":  # it learns from all pictures, and holds none out
        real = replace(real, train=np.arange(len(pack)), held_out=np.empty(0, np.int64))
    found, _ = measure(maker, real, offline_net(), count=judged.count)
    shares = {k: getattr(found, k) for k in ("recall", "precision", "coverage")}
    shown = grid(_small(samples[: _shown(samples.shape[1])]), columns=12)
    save_png(shown, WORK / f"{folder.name}.png")
    if published(key):
        save_png(shown, FIGURES / f"quality-{name}.png")
    return {
        **key,
        "code": code,
        "measured": json.loads(stamp.read_text("utf-8")),
        "judged": provenance(),
        "seen": seen,
        "judge": figures,
        **{k: v.real if args.recipe == "real" else v.value for k, v in shares.items()},
        "real": {k: v.real for k, v in shares.items()},
        "copied": None if found.copying is None else found.copying.share,
        "copied_held_out": None if found.copying is None else found.copying.held_out_share,
        "grid": f"{folder.name}.png",
    }


def judged_of(args: argparse.Namespace) -> Judged:
    """How the set is judged, at the side that was asked for."""
    judged = JUDGED[args.set]
    return judged if args.size is None else replace(judged, side=args.size)


def pack_of(args: argparse.Namespace) -> Pack:
    """The set's pictures at the side they are judged at."""
    judged = judged_of(args)
    return make_pack(pictures_of(judged, args.data), PackOptions(height=judged.side, width=judged.side))


def key_of(args: argparse.Namespace) -> dict[str, Any]:
    """What tells a row from another; what was not asked for is not in it."""
    settings = read_settings(args.settings)
    key = {"set": args.set, "recipe": args.recipe, "settings": settings, "minutes": args.minutes, "seed": args.seed}
    if judged_of(args).side != JUDGED[args.set].side:
        key["side"] = args.size
    if args.precision is not None:
        key["computed_in"] = args.precision
    if args.start_from is not None:
        key["start_from"] = args.start_from
    return key


def code_behind(args: argparse.Namespace) -> str:
    """A hash of the code that makes a row's pictures."""
    if args.recipe in ("plain", "real"):
        return hashlib.sha256((args.yardsticks / "plain_dcgan.py").read_bytes()).hexdigest()[:16]
    return code_of(*CODE, *code_of_system(args.recipe))


def folder_of(args: argparse.Namespace) -> Path:
    """In the user's cache, for one row."""
    key = key_of(args)
    mark = hashlib.sha256(
        json.dumps([key, pack_of(args).digest, code_behind(args)], sort_keys=True).encode()
    ).hexdigest()
    folder = cache_folder() / "quality" / f"{name_of(key)}-{mark[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def code_of_system(recipe: str) -> list[str]:
    """Files that a recipe's system and the systems it builds on are written in."""
    modules = {c.__module__ for c in find_recipe(recipe).system.__mro__ if c.__module__.startswith("ganforge.systems.")}
    return sorted(Path(sys.modules[m].__file__ or "").relative_to(ROOT).as_posix() for m in modules)


def yardstick(args: argparse.Namespace, judged: Judged, pack: Pack, source: str, folder: Path) -> tuple[Pictures, int]:
    """The plain loop on the same pixels; it cannot be resumed, so an interrupted one starts again."""
    kept, said = folder / "samples.npz", folder / "said.txt"
    if not kept.exists():
        pixels = folder / "pictures.npz"
        np.savez(pixels, images=np.asarray(pack.pictures))
        words = [sys.executable, args.yardsticks / "plain_dcgan.py", "--pictures", pixels, "--size", judged.side,
                 "--minutes", args.minutes, "--seed", args.seed, "--samples", judged.count,
                 "--out", folder / "new.npz"]  # fmt: skip
        told = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=True).stdout
        said.write_text(told, encoding="utf-8")
        (folder / "new.npz").replace(kept)
        pixels.unlink()
    told = said.read_text("utf-8")
    steps = int(told.split("steps ")[1].split()[0])
    return np.load(kept)["images"], 64 * steps


def themselves(args: argparse.Namespace, judged: Judged, pack: Pack, source: str, folder: Path) -> tuple[Pictures, int]:
    """Pictures of the set, in a recipe's place."""
    if judged.against is None:
        sys.exit(f"{args.set} is judged by its own pictures: they would be measured beside themselves.")
    samples = np.asarray(pack.pictures[np.sort(np.random.default_rng(1).permutation(len(pack))[: judged.count])])
    np.savez(folder / "samples.npz", images=samples)
    return samples, 0


def forged(args: argparse.Namespace, judged: Judged, pack: Pack, source: str, folder: Path) -> tuple[Pictures, int]:
    """A run of ours; its best Model's samples."""
    run = run_of(args)
    samples = ganforge.load(run.path).sample(judged.count, SAMPLE_SEED).pictures
    with replacing(folder / "samples.npz") as temporary, temporary.open("wb") as file:
        np.savez(file, images=samples)
    return samples, int(run.state()["seen"] or 0)


def run_of(args: argparse.Namespace) -> ganforge.Run:
    """The row's run, finished, resumed or begun, and before it the one whose Model it begins with."""
    judged, start = judged_of(args), None
    if args.start_from is not None:
        name, _, minutes = args.start_from.partition("@")
        origin = {"set": name, "minutes": float(minutes), "start_from": None, "settings": [], "precision": None}
        start = run_of(argparse.Namespace(**(vars(args) | origin))).path
    return trained(
        folder_of(args) / "run",
        pictures_of(judged, args.data),
        minutes=args.minutes,
        recipe=args.recipe,
        size=judged.side,
        seed=args.seed,
        settings=read_settings(args.settings),
        execution=None if args.precision is None else {"precision": args.precision},
        start_from=start,
    )


def pictures_of(judged: Judged, data: Path) -> str:
    """PICTURES of a set, as `ganforge.train` takes it."""
    return judged.pictures if judged.pictures == "avatars" else str((data / judged.pictures).resolve())


def made_for(recipe: str, pack: Pack, settings: Mapping[str, str], budget: Budget) -> PictureConfig:
    """The config of a run on a pack."""
    height, width = pack.pictures.shape[1:3]
    asked = chosen_preset(find_recipe(recipe), (height, width), settings, budget).config
    return fitted(find_recipe(recipe), asked, pack.schema, len(split_held_out(pack)[0]), pack.saturated)


def trained(path: Path, source: str, **asked: Any) -> ganforge.Run:
    """The run at ``path``: finished before, resumed or begun."""
    with watching(path) as view:
        if not (path / "run.json").exists():
            return ganforge.train(source, out=path, observers=[view], progress=view.progress, **asked)
        run = ganforge.Run(path)
        if run.state().get("state") != "finished":
            run = ganforge.resume(path, observers=[view], progress=view.progress)
        return run


def judge(args: argparse.Namespace, judged: Judged, pack: Pack, folder: Path, samples: Pictures) -> dict[str, Any]:
    """What judge.py says of the samples."""
    count = min(judged.count, len(samples))
    if judged.against is None:
        count = min(count, len(pack))
        real = folder / "real.npz"
        np.savez(real, images=np.asarray(pack.pictures))
    elif judged.against.startswith("avatars"):
        real = folder / "real.npz"
        np.savez(
            real,
            images=np.asarray(make_pack(judged.against, PackOptions(height=judged.side, width=judged.side)).pictures),
        )
    else:
        real = args.data / judged.against
    words = [sys.executable, args.yardsticks / "judge.py", real, folder / "samples.npz", "--net", judged.net,
             "--size", judged.side, "--n", count]  # fmt: skip
    told = subprocess.run(
        [str(w) for w in words], capture_output=True, text=True, check=True, env=os.environ | KEEP_MEMORY
    ).stdout
    (folder / "real.npz").unlink(missing_ok=True)
    found: dict[str, Any] = json.loads(told.strip().splitlines()[-1])
    return found


# --- rows, table, page ------------------------------------------------------------------------------------------------


def kept_rows() -> list[dict[str, Any]]:
    return json.loads(ROWS.read_text("utf-8")) if ROWS.exists() else []


KEYS = ("set", "recipe", "settings", "minutes", "seed", "side", "computed_in", "start_from")


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return all(a.get(k) == b.get(k) for k in KEYS)


def name_of(row: dict[str, Any]) -> str:
    """Of a row's run and grid."""
    asked = [f"{k}-{v.replace(',', '-')}" for k, v in sorted(row["settings"].items())]
    sized = [f"{row['side']}px"] if "side" in row else []
    computed = [row["computed_in"]] if "computed_in" in row else []
    begun = ["from-" + row["start_from"].replace("@", "-") + "m"] if "start_from" in row else []
    return "-".join(
        [row["set"], row["recipe"], f"{row['minutes']:g}m", f"seed{row['seed']}", *sized, *asked, *computed, *begun]
    )


def titled(row: dict[str, Any]) -> str:
    """The row's pictures, in words."""
    return f"{row['set']} at {row['side']} px" if "side" in row else str(row["set"])


def machines(row: dict[str, Any]) -> set[str]:
    """What its run was trained on, as stamps name it."""
    return {stamp.split(" · ", 2)[-1] for stamp in row["measured"]}


def keep_row(row: dict[str, Any]) -> None:
    """In the place of an older one of the same run on the same machine: rows of one compare with the yardstick of that one."""
    write_json(ROWS, [*(r for r in kept_rows() if not (same(r, row) and machines(r) == machines(row))), row])


def beside_plain(row: dict[str, Any], rows: list[dict[str, Any]]) -> float | None:
    """The set's figure as a share of the yardstick's after the same minutes on the same machine; None where none was."""
    figure = {"fd": "fd", "kid": "kid_x1000"}[JUDGED[row["set"]].figure]
    alike = ("set", "minutes", "side")
    beside = [r for r in rows if r["recipe"] == "plain" and all(r.get(k) == row.get(k) for k in alike)]
    beside = [plain for plain in beside if machines(plain) == machines(row)]
    return float(row["judge"][figure] / beside[0]["judge"][figure]) if beside else None


def published(row: dict[str, Any]) -> bool:
    """Whether all that its pictures were learned from may be shown."""
    origin = row.get("start_from", row["set"]).partition("@")[0]
    return row["recipe"] != "real" and None not in (JUDGED[row["set"]].credit, JUDGED[origin].credit)


def write_table() -> None:
    rows = sorted(
        kept_rows(),
        key=lambda r: (r["set"], r.get("side", 0), r["minutes"], r["recipe"] != "plain", r["recipe"], r["seed"]),
    )
    if not rows:
        sys.exit("There is no row yet.")
    lines = [
        "Figures of the one judge (mobilenet; resnet20 for CIFAR-10; KID × 1000 with equal n against the training pictures "
        "for flowers and emoji). Precision, recall, coverage and copies: `ganforge evaluate`, offline features, per cent; in "
        "brackets what other real pictures reach. Bold: the figure the set is judged by; × plain: as a share of what the "
        "yardstick `plain` reached in the same minutes on the same machine. Each row is of the recipe as it was in the commit "
        "that it names; bench/STUDY.md tells what has changed since.",
        "",
        "| pictures | recipe | minutes | seed | seen | FD | KID × 1000 | × plain | precision | recall | coverage | "
        "copied | measured |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        judged, fd, kid = JUDGED[r["set"]], f"{r['judge']['fd']:.2f}", f"{r['judge']['kid_x1000']:.2f}"
        fd, kid = (f"**{fd}**", kid) if judged.figure == "fd" else (fd, f"**{kid}**")
        shares = [f"{100 * r[k]:.0f} ({100 * r['real'][k]:.0f})" for k in ("precision", "recall", "coverage")]
        copied = "–" if r["copied"] is None else f"{100 * r['copied']:.1f}"
        copied += "" if r["copied_held_out"] is None else f" ({100 * r['copied_held_out']:.1f})"
        ratio = beside_plain(r, rows) if r["recipe"] not in ("plain", "real") else None
        minutes, seen = (f"{r['minutes']:g}", f"{r['seen']:,}") if r["recipe"] != "real" else ("–", "–")
        settings = "".join(f" {k}={v}" for k, v in r["settings"].items())
        settings += f", {r['computed_in']}" if "computed_in" in r else ""
        settings += f", from {r['start_from'].replace('@', ' of ')} min" if "start_from" in r else ""
        lines.append(
            f"| {titled(r)} | {r['recipe']}{settings} | {minutes} | {r['seed']} | {seen} | {fd} | {kid} | "
            f"{'–' if ratio is None else f'{ratio:.3f}'} | {' | '.join(shares)} | {copied} | {'; '.join(r['measured'])} |"
        )
    credits = sorted({JUDGED[r["set"]].credit or "" for r in rows if published(r)})
    lines += ["", " ".join(credits), ""]
    shown = [
        f"![{titled(r)}, {r['recipe']}, {r['minutes']:g} minutes: "
        f"{_shown(r.get('side', 0))} samples, not picked](results/quality-{name_of(r)}.png)"
        for r in rows
        if published(r)
    ]
    lines += dict.fromkeys(shown)  # of several machines those of the last one
    stamps = [stamp for r in rows for stamp in r["measured"]]
    write_section("Quality", "python bench/quality.py SET --recipe NAME --minutes M …", lines, stamps)
    write_grids(rows)


def _shown(side: int) -> int:
    return SHOWN if side <= 64 else SHOWN_LARGE


def _small(pictures: Pictures) -> Pictures:
    """N×H×W×3, averaged over blocks to sides that a repository can keep."""
    n, height, width, _ = pictures.shape
    by = max(1, max(height, width) // LARGEST_SHOWN)
    blocks = pictures[:, : height // by * by, : width // by * by].reshape(n, height // by, by, width // by, by, 3)
    small: Pictures = np.rint(blocks.mean((2, 4))).astype(np.uint8)
    return small


def write_grids(rows: list[dict[str, Any]]) -> None:
    """One page of all grids, for those who have the pictures: it stays out of the repository."""
    parts = [
        f"<figure><figcaption>{titled(r)} · {r['recipe']} · {r['minutes']:g} min · seed {r['seed']} · FD {r['judge']['fd']} · "
        f"KID {r['judge']['kid_x1000']}</figcaption><img src='{r['grid']}' alt=''></figure>"
        for r in rows
    ]
    style = "body{font:16px system-ui;margin:2rem}img{max-width:100%}figure{margin:0 0 2rem}"
    page = f"<!doctype html><meta charset=utf-8><title>Quality</title><style>{style}</style>{''.join(parts)}"
    WORK.mkdir(parents=True, exist_ok=True)
    with replacing(WORK / "index.html") as temporary:
        temporary.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
