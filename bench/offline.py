"""Which features to score with where no download is at hand: those that rank spoilt pictures as a large net does.

    python bench/offline.py --data DATA --yardsticks YARDSTICKS [--avatars-only RUN]

Five ways to spoil pictures at five strengths each (bench/spoiling.py), on 2,000 faces, flowers and CIFAR-10 pictures
against 2,000 others. For every net tried: the Fréchet distance of each spoilt set, and its Spearman correlation with the
distance in the judge's MobileNet – over all 25 sets of a collection, and within each way to spoil.

Tried: random weights (two octave pyramids of random convolutions), the net that comes along (its last maps, and all of
them), and with --avatars-only the same kind of net trained on avatars as drawn (a run of the recipe classifier). About 40
minutes on two cores; what the judge said is kept in bench/work/offline, and the bench goes on where it stopped.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812
from matplotlib.ticker import NullFormatter
from scipy.stats import spearmanr
from torch import Tensor, nn

from ganforge.drawing.figures import figure, save_figure
from ganforge.measures.distances import Moments, frechet
from ganforge.measures.features import FeatureNet, chunks_of, look
from ganforge.measures.offline import SIDE, OfflineNet, offline_net
from ganforge.model.model import find_model, load_parts
from ganforge.pictures import PackOptions, make_pack
from results import FIGURES, ROOT, provenance, write_section
from spoiling import KINDS, SPOIL, STRENGTHS, collapsed, without_classes

WORK = ROOT / "bench" / "work" / "offline"
COUNT = 2000
AGE_BANDS = (3, 12, 20, 30, 45, 60)
Pictures = npt.NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--yardsticks", type=Path, required=True)
    parser.add_argument("--avatars-only", type=Path, help="a classifier's run on avatars as drawn")
    args = parser.parse_args()
    stamp = provenance()
    WORK.mkdir(parents=True, exist_ok=True)
    candidates = nets(args.avatars_only)
    judge = Judge(args.yardsticks)
    found: dict[str, dict[str, list[tuple[str, float, float]]]] = {name: {} for name in candidates}
    for collection, real, pool, classes in collections(args.data):
        random = np.random.default_rng(1)
        against, base = some(real, random), some(pool, random)
        theirs = judge.moments(collection, "real", against)
        ours = {name: moments(net, against) for name, net in candidates.items()}
        for case, pictures in cases(pool, base, classes):
            distance = frechet(theirs, judge.moments(collection, case, pictures))
            for name, net in candidates.items():
                row = (case, distance, frechet(ours[name], moments(net, pictures)))
                found[name].setdefault(collection, []).append(row)
            print(f"{collection}, {case}: judge {distance:.1f}", flush=True)
    write(found, stamp)


# --- pictures ---------------------------------------------------------------------------------------------------------


def collections(data: Path) -> Iterator[tuple[str, Pictures, Pictures, npt.NDArray[np.int64]]]:
    """Name, real pictures, a pool of others, and the class of each of those."""

    def packed(name: str, side: int) -> Any:
        return make_pack(str(data / name), PackOptions(height=side, width=side))

    faces, others = packed("faces64.zip", 64), packed("judge/faces64.zip", 64)
    names = faces.schema.names
    ages, genders = faces.table[:, names.index("age")], faces.table[:, names.index("gender")]
    yield (
        "faces",
        np.asarray(others.pictures),
        np.asarray(faces.pictures),
        (2 * np.digitize(ages, AGE_BANDS) + (genders > 0)).astype(np.int64),
    )
    flowers = packed("flowers64.zip", 64)
    order = np.random.default_rng(0).permutation(len(flowers))
    half, rest = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
    labels = flowers.table[:, flowers.schema.names.index("label")].astype(np.int64)
    yield "flowers", np.asarray(flowers.pictures[half]), np.asarray(flowers.pictures[rest]), labels[rest]
    cifar, test = packed("cifar10_train.zip", 32), packed("judge/cifar10.zip", 32)
    yield "CIFAR-10", np.asarray(test.pictures), np.asarray(cifar.pictures), cifar.table[:, 0].astype(np.int64)


def some(pictures: Pictures, random: np.random.Generator) -> Pictures:
    return np.asarray(pictures[np.sort(random.permutation(len(pictures))[:COUNT])])


def cases(pool: Pictures, base: Pictures, classes: npt.NDArray[np.int64]) -> Iterator[tuple[str, Pictures]]:
    """Every way and strength: its name, and COUNT pictures."""
    for kind in KINDS:
        for strength in STRENGTHS:
            if kind in SPOIL:
                yield f"{kind} {strength + 1}", SPOIL[kind](base, strength)
            elif kind == "collapse":
                yield f"{kind} {strength + 1}", pool[collapsed(len(pool), COUNT, strength)]
            else:
                yield f"{kind} {strength + 1}", pool[without_classes(classes, COUNT, strength)]


# --- nets -------------------------------------------------------------------------------------------------------------


class Judge:
    """The MobileNet of judge.py; what it says is kept."""

    def __init__(self, yardsticks: Path) -> None:
        sys.path.insert(0, str(yardsticks))
        import judge  # type: ignore[import-not-found]

        net = judge.feature_nets.MobileNet075(str(judge.NETS / "mobilenet_v1_075_224.npz")).eval()
        self._features = lambda pictures: judge.features(
            lambda x: net(x.contiguous(memory_format=torch.channels_last)), pictures
        )

    def moments(self, collection: str, case: str, pictures: Pictures) -> Moments:
        """Of its features of a set of pictures."""
        file = WORK / f"{collection}-{case}.npy"
        if not file.exists():
            different, places = np.unique(pictures, axis=0, return_inverse=True)
            np.save(file, self._features(different)[places.ravel()].astype(np.float32))
        return Moments.of(np.load(file))


class AllLayers(OfflineNet):
    """The net that comes along, with the means of all its layers' maps."""

    def forward(self, pictures: Tensor) -> tuple[Tensor, None]:
        """pictures N×3×H×W in [0, 1] → (features N×D, no logits)."""
        x = (
            F.interpolate(pictures, (SIDE, SIDE), mode="bicubic", antialias=True)
            if pictures.shape[-1] != SIDE
            else pictures
        )
        x, means = 2 * x - 1, []
        for layer in self.layers:
            x = F.relu(layer(x))
            means.append(x.mean((2, 3)))
        return torch.cat(means, 1), None


class Random(nn.Module):
    """Random convolutions on an octave pyramid: means and standard deviations of two layers' maps at each octave."""

    def __init__(self, maps: int = 32, octaves: int = 3) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.kernels = []
        for _ in range(octaves):
            first = torch.randn(maps, 3, 5, 5, generator=generator) / 75**0.5
            second = torch.randn(maps, maps, 3, 3, generator=generator) * (2 / (9 * maps)) ** 0.5
            self.kernels.append((first - 0.7 * first.mean((2, 3), keepdim=True), second))
        self.dims = 4 * maps * octaves

    def forward(self, pictures: Tensor) -> tuple[Tensor, None]:
        """pictures N×3×H×W in [0, 1] → (features N×D, no logits)."""
        if pictures.shape[-1] != SIDE:
            pictures = F.interpolate(pictures, (SIDE, SIDE), mode="bicubic", antialias=True)
        x, found = 2 * pictures - 1, []
        for first, second in self.kernels:
            a = F.relu(F.conv2d(x, first, stride=2, padding=2))
            b = F.relu(F.conv2d(a, second, padding=1))
            found += [part for maps in (a, b) for part in (maps.mean((2, 3)), maps.flatten(2).std(2))]
            x = F.avg_pool2d(x, 2)
        return torch.cat(found, 1), None


class Trunk(nn.Module):
    """The last maps of a classifier of avatars."""

    def __init__(self, run: Path) -> None:
        super().__init__()
        self.net = load_parts(find_model(run))[1]["net"].eval()
        self.dims = int(self.net.judge[-1].in_features)

    def forward(self, pictures: Tensor) -> tuple[Tensor, None]:
        """pictures N×3×H×W in [0, 1] → (features N×D, no logits)."""
        if pictures.shape[-1] != SIDE:
            pictures = F.interpolate(pictures, (SIDE, SIDE), mode="bicubic", antialias=True)
        return self.net.layers(2 * pictures - 1).mean((2, 3)), None


def nets(avatars_only: Path | None) -> dict[str, FeatureNet]:
    from safetensors.torch import load_file

    from ganforge.measures import offline

    def named(name: str, net: Any, dims: int) -> FeatureNet:
        return FeatureNet(name=name, about="", sha256="", dims=dims, resizer="", net=net)

    own = offline_net()
    everything = AllLayers(load_file(Path(offline.__file__).parent / "weights" / offline.WEIGHTS))
    found = {
        "random weights": named("random weights", Random(), Random().dims),
        "avatars and spoilt avatars, all maps": named(
            "all maps", everything, sum(layer.out_channels for layer in everything.layers)
        ),
        "avatars and spoilt avatars, last maps (offline-1)": own,
    }
    if avatars_only is not None:
        trunk = Trunk(avatars_only)
        found = {**found, "avatars as drawn, last maps": named("avatars", trunk, trunk.dims)}
    return found


def moments(net: FeatureNet, pictures: Pictures) -> Moments:
    return Moments.of(look(net, chunks_of(pictures), len(pictures)).features)


# --- results ----------------------------------------------------------------------------------------------------------


def write(found: dict[str, dict[str, list[tuple[str, float, float]]]], stamp: str) -> None:
    def correlation(rows: list[tuple[str, float, float]]) -> float:
        return float(spearmanr([r[1] for r in rows], [r[2] for r in rows])[0])

    lines = [
        f"Spearman correlation of the Fréchet distance with the MobileNet judge's, {COUNT:,} pictures a side. All: over the 25 "
        "spoilt sets of a collection together; each: the least over the five ways to spoil, five strengths each.",
        "",
        "| features | faces, all | each | flowers, all | each | CIFAR-10, all | each |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, sets in found.items():
        cells = []
        for rows in sets.values():
            each = min(correlation([r for r in rows if r[0].startswith(kind)]) for kind in KINDS)
            cells += [f"{correlation(rows):.3f}", f"{each:.2f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += [
        "",
        "![Distances in the judge's features and in each candidate's, for every spoilt set](results/offline.png)",
    ]
    draw(found)
    write_section("Offline features", "python bench/offline.py …", lines, [stamp])


def draw(found: dict[str, dict[str, list[tuple[str, float, float]]]]) -> None:
    mpl.use("Agg")
    sets = list(next(iter(found.values())))
    with figure(4 * len(sets), 3.2 * len(found)) as made:
        axes = made.subplots(len(found), len(sets), squeeze=False)
        for i, (name, rows_of) in enumerate(found.items()):
            for j, collection in enumerate(sets):
                ax = axes[i][j]
                for k, kind in enumerate(KINDS):
                    rows = [r for r in rows_of[collection] if r[0].startswith(kind)]
                    ax.loglog([r[1] for r in rows], [r[2] for r in rows], marker="os^Dv"[k], label=kind, lw=1)
                ax.set_title(f"{collection}: {name}", fontsize=8)
                ax.set_xlabel("judge (MobileNet)", fontsize=8)
                ax.xaxis.set_minor_formatter(NullFormatter())
                ax.yaxis.set_minor_formatter(NullFormatter())
        axes[0][0].legend(fontsize=7)
        save_figure(made, FIGURES / "offline.png")


if __name__ == "__main__":
    main()
