"""Variety on real pictures: with and without minibatch discrimination in D, and of the style recipe.

    python bench/variety.py cifar --pictures cifar10_train.zip --judged judge/cifar10.zip --judge judge.py --nets nets/
    python bench/variety.py fashion --pictures fashion/
    python bench/variety.py imagenet --pictures flowers64.zip

cifar     `cifar32` for 15 minutes each way, 5,000 samples against 5,000 real test pictures; the share that a CIFAR-10
          ResNet-20 recognises with ≥ 90 % confidence, beside the same share of the real pictures
fashion   three Fashion-MNIST pictures as red, green and blue: 1,000 modes; `dcgan` for 8 minutes each way and `style` for
          8, 26,000 samples, judged by a small classifier that is trained first; real held-out triples and blends of real
          pairs beside it
imagenet  a smoke test of `imagenet128` for 3 minutes on class folders made from the pictures at hand: it shows that the
          recipe runs, not that it draws

Everything may be interrupted and goes on with the same command. Work is kept in bench/work/variety; tables go into
bench/RESULTS.md.
"""

import argparse
import csv
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

import ganforge
from ganforge.cli.live import watching
from ganforge.drawing.grids import Pictures, grid, save_png
from ganforge.files import replacing
from ganforge.lessons.lesson import MEASURED
from ganforge.measures.classes import StackedCoverage, stacked_coverage, sure_share
from ganforge.measures.features import chunks_of, look
from ganforge.measures.neighbours import prdc
from ganforge.measures.offline import offline_net
from ganforge.model.model import load_parts
from ganforge.pictures import PackOptions, make_pack
from ganforge.training.budget import Budget
from quality import made_for
from results import FIGURES, provenance, write_json, write_section

WORK = Path(__file__).parent / "work" / "variety"
VARIANTS: dict[str, dict[str, str]] = {"plain": {}, "discrimination": {"d.minibatch": "discrimination"}}
STACKED = {
    "plain": ("DCGAN", "dcgan", VARIANTS["plain"]),
    "discrimination": ("+ minibatch discrimination", "dcgan", VARIANTS["discrimination"]),
    "style": ("style", "style", {}),
}
"""What is trained on stacked Fashion: the row's title, the recipe, its settings."""
SAMPLE_SEED = 100_000
CIFAR_MINUTES, FASHION_MINUTES, CLASSIFIER_MINUTES, SMOKE_MINUTES = 15.0, 8.0, 4.0, 3.0
JUDGE = {"widths": "48,96,192", "batch_size": "128"}
"""The judge of modes is one and the same for all its rows, whatever becomes of the recipe's preset."""
CIFAR_SAMPLES, STACKED_SAMPLES, STACKED_TRAINING, HELD_OUT = 5_000, 26_000, 60_000, 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("cifar", "fashion", "imagenet"))
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--judged", type=Path, help="real pictures that were never trained on (cifar)")
    parser.add_argument("--judge", type=Path, help="the judge's script (cifar)")
    parser.add_argument("--nets", type=Path, help="folder of feature_nets.py and cifar_resnet20.npz (cifar)")
    parser.add_argument("--faster", type=float, default=1.0, help="divide all minutes, to try the bench itself")
    args = parser.parse_args()
    args.work = WORK if args.faster == 1 else WORK / f"faster-{args.faster:g}"
    args.work.mkdir(parents=True, exist_ok=True)
    {"cifar": cifar, "fashion": fashion, "imagenet": imagenet}[args.what](args)


def trained(
    args: argparse.Namespace,
    name: str,
    pictures: Path,
    minutes: float,
    recipe: str,
    settings: Mapping[str, Any],
    **more: Any,
) -> ganforge.Run:
    """The finished run of that name: as it lies there, resumed, or trained. Exits where it is a run of other settings."""
    folder, minutes = args.work / name, minutes / args.faster
    with watching(folder) as view:
        if not (folder / "run.json").exists():
            write_json(measured_file(args, name), [provenance()])
            return ganforge.train(
                pictures, minutes=minutes, recipe=recipe, settings=settings, out=folder, observers=[view],
                progress=view.progress, **more,
            )  # fmt: skip
        run = ganforge.Run(folder)
        pack = make_pack(pictures, PackOptions(**run.config.pack))
        words = {key: str(value) for key, value in settings.items()}
        wanted = made_for(recipe, pack, words, Budget(seconds=60 * minutes))
        same = (
            type(wanted).model_validate(run.config.config) == wanted,  # settings that came later have their defaults
            run.config.recipe == recipe,
            run.config.seconds == 60 * minutes,
            Path(run.config.pictures).resolve() == pictures.resolve(),
        )
        if not all(same):
            sys.exit(f"{folder} is a run of other settings; remove it to measure anew.")
        if run.state().get("state") != "finished":
            stamps = json.loads(measured_file(args, name).read_text("utf-8"))
            write_json(measured_file(args, name), sorted({*stamps, provenance()}))
            run = ganforge.resume(folder, observers=[view], progress=view.progress)
    return run


def measured_file(args: argparse.Namespace, name: str) -> Path:
    """Where the provenance of a run is kept, from before it was trained."""
    return Path(args.work / f"{name}.measured.json")


def drawn(run: ganforge.Run, count: int) -> Pictures:
    """Samples of a run, uint8 (count, H, W, 3)."""
    return ganforge.load(run.path).sample(count, SAMPLE_SEED).pictures


def publish(
    args: argparse.Namespace,
    name: str,
    values: Mapping[str, Any],
    title: str,
    command: str,
    lines: Sequence[str],
    runs: Sequence[str],
) -> None:
    """Numbers to where the lesson finds them, the table into RESULTS.md; of a trial, only to the terminal."""
    if args.faster != 1:
        print("\n".join([f"A trial, {args.faster:g} times shorter; nothing is kept.", *lines]))
        return
    write_json(MEASURED / f"{name}.json", values)
    stamps = [stamp for run in runs for stamp in json.loads(measured_file(args, run).read_text("utf-8"))]
    write_section(title, command, lines, stamps)


# --- CIFAR-10 ---------------------------------------------------------------------------------------------------------


def cifar(args: argparse.Namespace) -> None:
    if None in (args.judged, args.judge, args.nets):
        sys.exit("cifar takes --judged, --judge and --nets; see --help.")
    real = pictures_of(args.judged)
    others = make_pack(args.pictures, PackOptions(height=32, width=32)).pictures
    chosen = np.random.default_rng(0).permutation(len(others))[: len(real)]
    found: dict[str, dict[str, Any]] = {
        "real": {
            "sure": sure_share(cifar_probabilities(args.nets, real)),
            **met(real, np.asarray(others[chosen])),
        }
    }
    rows = [f"| real | – | – | – | {100 * found['real']['sure']:.1f} | {shares(found['real'])} |"]
    for name, settings in VARIANTS.items():
        run = trained(args, f"cifar-{name}", args.pictures, CIFAR_MINUTES, "cifar32", settings)
        samples, file = drawn(run, CIFAR_SAMPLES), args.work / f"cifar-{name}.npz"
        np.savez(file, images=samples)
        words = [
            sys.executable,
            args.judge,
            args.judged,
            file,
            "--net",
            "resnet20",
            "--size",
            "32",
            "--n",
            str(CIFAR_SAMPLES),
        ]
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        found[name] = {
            **json.loads(said.strip().splitlines()[-1]),
            "sure": sure_share(cifar_probabilities(args.nets, samples)),
            **met(real, samples),
            "seen": run.state()["seen"],
        }
        r = found[name]
        kid = f"{r['kid_x1000']:.2f} ± {r['kid_standard_error_x1000']:.2f}"
        rows.append(f"| {name} | {r['seen']:,} | {r['fd']:.2f} | {kid} | {100 * r['sure']:.1f} | {shares(r)} |")
        both = np.concatenate([real[:: len(real) // 64][:64], samples[:64]])
        save_png(beside(both, 8), args.work / f"cifar-{name}.png")
    publish(
        args,
        "cifar",
        found,
        "CIFAR-10 with and without minibatch discrimination",
        "python bench/variety.py cifar …",
        [
            f"`cifar32`, {CIFAR_MINUTES:g} minutes each, one seed; {CIFAR_SAMPLES:,} samples (seeds {SAMPLE_SEED:,} …) "
            f"against {len(real):,} test pictures. FD and KID (± its standard error) in a CIFAR-10 ResNet-20; sure: share "
            "that the same net recognises with ≥ 90 % confidence. Recall (k = 3) and coverage (k = 5) in ganforge's offline "
            "features, with their 95 % intervals; real: training pictures in the samples' place. Sheets of real beside "
            "generated pictures are left in bench/work/variety: the pictures are not ours to publish.",
            "",
            "| | pictures seen | FD resnet20 | KID × 1000 | % sure | % recall | % coverage |",
            "|---|---|---|---|---|---|---|",
            *rows,
        ],
        [f"cifar-{name}" for name in VARIANTS],
    )


def pictures_of(archive: Path) -> Pictures:
    with zipfile.ZipFile(archive) as opened:
        names = sorted(name for name in opened.namelist() if name.lower().endswith((".jpg", ".png")))
        return np.stack([np.asarray(Image.open(io.BytesIO(opened.read(name))).convert("RGB")) for name in names])


def cifar_probabilities(nets: Path, pictures: Pictures) -> npt.NDArray[np.float32]:
    sys.path.insert(0, str(nets))
    from feature_nets import ResNetCifar

    net = ResNetCifar(nets / "cifar_resnet20.npz").eval()
    return probabilities(lambda x: net((x + 1) / 2)[1], pictures)


def met(real: Pictures, made: Pictures) -> dict[str, list[float]]:
    """Recall and coverage in the offline features: value, low, high."""
    x, y = (look(offline_net(), chunks_of(pictures), len(pictures)).features for pictures in (real, made))
    found = prdc(x, y)
    return {name: [e.value, e.low, e.high] for name, e in (("recall", found.recall), ("coverage", found.coverage))}


def shares(found: Mapping[str, Any]) -> str:
    """The two as cells of a table."""
    return " | ".join(
        "{:.1f} ({:.1f} … {:.1f})".format(*(100 * x for x in found[name])) for name in ("recall", "coverage")
    )


def probabilities(net: Any, pictures: Pictures) -> npt.NDArray[np.float32]:
    """(N, K) by a net that reads [−1, 1]."""
    told = []
    with torch.no_grad():
        for i in range(0, len(pictures), 500):
            batch = torch.from_numpy(pictures[i : i + 500]).permute(0, 3, 1, 2).float() / 127.5 - 1
            told.append(net(batch).float().softmax(1).numpy())
    return np.concatenate(told)


def beside(pictures: Pictures, columns: int) -> Pictures:
    """Two equal halves as two sheets side by side, the first (real) on the left."""
    half = len(pictures) // 2
    left, right = (grid(part, columns=columns, scale=2) for part in (pictures[:half], pictures[half:]))
    gap = np.full((left.shape[0], 24, 3), 255, np.uint8)
    return np.concatenate([left, gap, right], axis=1)


# --- stacked Fashion-MNIST --------------------------------------------------------------------------------------------


def fashion(args: argparse.Namespace) -> None:
    pack = make_pack(args.pictures, PackOptions(height=28, width=28))
    grey, labels = np.asarray(pack.pictures)[..., 0], pack.table[:, 0].astype(int)
    order = np.random.default_rng(0).permutation(len(grey))
    training, held_out = order[HELD_OUT:], order[:HELD_OUT]
    name = pack.digest[:12]  # other pictures, other files
    classes, stacked = args.work / f"fashion-classes-{name}.npz", args.work / f"fashion-stacked-{name}.npz"
    if not stacked.exists():
        with replacing(classes) as temporary:
            np.savez(temporary, images=np.repeat(grey[training][..., None], 3, 3), labels=labels[training])
        with replacing(stacked) as temporary:
            np.savez(temporary, images=triples(grey[training], STACKED_TRAINING, 1))
    judge = trained(args, "fashion-classifier", classes, CLASSIFIER_MINUTES, "classifier", JUDGE, size=28, flip=False)
    net = load_parts(judge.path / "model")[1]["net"].eval()

    def channels(pictures: Pictures) -> npt.NDArray[np.float32]:
        each = [probabilities(net, np.repeat(pictures[..., [c]], 3, 3)) for c in range(3)]
        return np.stack(each, axis=1)

    known = probabilities(net, np.repeat(grey[held_out][..., None], 3, 3))
    hit_rate = float((known.argmax(1) == labels[held_out]).mean())
    a, b = (triples(grey[held_out], STACKED_SAMPLES, seed) for seed in (2, 3))
    sets = {"real held-out triples": a, "blends of real pairs": ((a.astype(np.uint16) + b) // 2).astype(np.uint8)}
    seen: dict[str, int] = {}
    for name, (title, recipe, settings) in STACKED.items():
        run = trained(args, f"fashion-{name}", stacked, FASHION_MINUTES, recipe, settings, size=28, flip=False)
        sets[title] = drawn(run, STACKED_SAMPLES)
        seen[title] = int(run.state()["seen"] or 0)
        figures = FIGURES if args.faster == 1 else args.work
        save_png(beside(np.concatenate([a[:64], sets[title][:64]]), 8), figures / f"fashion-{name}.png")
        if name == "plain" and args.faster == 1:
            save_png(beside(np.concatenate([a[:40], sets[title][:40]]), 8), MEASURED / "stacked.png")
    found: dict[str, StackedCoverage] = {name: stacked_coverage(channels(pictures)) for name, pictures in sets.items()}
    numbers = {name: {**vars(one), "seen": seen.get(name)} for name, one in found.items()}
    rows = [
        f"| {name} | {seen[name]:,} | {one.modes:,} | {one.kl:.3f} | {100 * one.sure:.1f} |"
        if name in seen
        else f"| {name} | – | {one.modes:,} | {one.kl:.3f} | {100 * one.sure:.1f} |"
        for name, one in found.items()
    ]
    publish(
        args,
        "stacked-fashion",
        {"sets": numbers, "judge": hit_rate},
        "Stacked Fashion: 1,000 modes",
        "python bench/variety.py fashion --pictures fashion/",
        [
            f"Three pictures of Fashion-MNIST as red, green and blue; `dcgan` and `style` at 28 px, {FASHION_MINUTES:g} minutes "
            f"each, one seed; {STACKED_SAMPLES:,} samples. A mode counts when at least one sample falls in it with ≥ 0.9 "
            "confidence in all three channels; KL of all samples' histogram over the modes from the uniform one, nats; sure: "
            f"share of samples with ≥ 0.9 in all three. The classifier is right on {100 * hit_rate:.1f} % of {HELD_OUT:,} held "
            "out. A blend is the mean of two real triples: what the judge gives to pictures of nothing.",
            "",
            "| | pictures seen | modes of 1,000 | KL | % sure |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "Real triples (left) beside generated ones (right): DCGAN, with minibatch discrimination, and style. "
            "Fashion-MNIST: MIT, Zalando SE.",
            "",
            *(f"![real beside generated, {name}](results/fashion-{name}.png)" for name in STACKED),
        ],
        ["fashion-classifier", *(f"fashion-{name}" for name in STACKED)],
    )


def triples(grey: npt.NDArray[np.uint8], count: int, seed: int) -> Pictures:
    """Three grey pictures (n, 28, 28), drawn at random, as the channels of one."""
    chosen = np.random.default_rng(seed).integers(len(grey), size=(count, 3))
    return np.stack([grey[chosen[:, c]] for c in range(3)], axis=3)


# --- imagenet128, a smoke test ----------------------------------------------------------------------------------------


def imagenet(args: argparse.Namespace) -> None:
    """Class folders like ImageNet's from a zip with a metadata.csv (file_name, label)."""
    folders = args.work / f"class-folders-{args.pictures.stem}"
    if not folders.exists():
        partial = args.work / ".class-folders"
        with zipfile.ZipFile(args.pictures) as opened:
            names = {Path(name).name: name for name in opened.namelist()}
            table = csv.DictReader(io.StringIO(opened.read(names["metadata.csv"]).decode()))
            for row in table:
                target = partial / f"n{int(row['label']):08}" if row["label"].isdigit() else partial / row["label"]
                target.mkdir(parents=True, exist_ok=True)
                (target / Path(row["file_name"]).name).write_bytes(opened.read(names[Path(row["file_name"]).name]))
        partial.rename(folders)
    run = trained(args, "imagenet-smoke", folders, SMOKE_MINUTES, "imagenet128", {})
    save_png(grid(drawn(run, 32), columns=8), args.work / "imagenet-smoke.png")
    classes = sum(1 for path in folders.iterdir() if path.is_dir())
    seen = int(run.state()["seen"] or 0)
    publish(
        args,
        "imagenet-smoke",
        {"classes": classes, "seen": seen},
        "imagenet128: a smoke test",
        "python bench/variety.py imagenet --pictures flowers64.zip",
        [
            f"{classes} class folders made from a collection of flowers (64 px, enlarged): read, packed and trained on for "
            f"{SMOKE_MINUTES:g} minutes, {seen:,} pictures seen. It shows that the recipe runs from folders "
            "to samples; nothing can be said about its pictures after so little."
        ],
        ["imagenet-smoke"],
    )


if __name__ == "__main__":
    main()
