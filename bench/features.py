"""Features of pictures: how fast, beside torchmetrics and a plain loop on the same net, and in how much memory.

    python bench/features.py [--rounds 9] [--pictures 2048] [--memory 100000]

Contestants take turns in random order, round after round, in one process; the figures are medians over rounds of (theirs /
ours). The nets: the offline one, and Inception with random weights (what it sees does not change how long it looks).
Memory: a process of its own compares as many noise pictures a side as --memory says, streamed through a net that says as
much of each as Inception does (2,048 numbers, 1,008 classes) in far less time, and reports its peak.
"""

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance

from ganforge.machine import has_native_bf16, peak_memory_bytes
from ganforge.measures.classes import inception_score
from ganforge.measures.distances import Moments, frechet_estimate, kernel_distance
from ganforge.measures.features import BATCH, FeatureNet, chunks_of, look
from ganforge.measures.inception import CLASSES, FEATURES, FIDInception
from ganforge.measures.neighbours import prdc
from ganforge.measures.offline import offline_net
from results import write_section

SIDE = 64
Pictures = npt.NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--pictures", type=int, default=2048)
    parser.add_argument("--memory", type=int, default=100_000)
    args = parser.parse_args()
    lines = [
        f"{args.pictures} pictures of {SIDE}×{SIDE} a round (Inception: an eighth of them), {args.rounds} rounds in random "
        "order, from pixels to mean and covariance; × = median over rounds of that one's time / ours.",
        "",
        "| net | precision | ours, pictures/s | torchmetrics | × | plain loop | × |",
        "|---|---|---|---|---|---|---|",
    ]
    torch.manual_seed(0)
    inception = FIDInception().to(memory_format=torch.channels_last)
    nets = {
        "offline-1": (offline_net(), args.pictures),
        "Inception": (FeatureNet("inception", "", "", FEATURES, "", inception), max(BATCH, args.pictures // 8)),
    }
    for name, (net, count) in nets.items():
        for precision in ("fp32", *(["bf16"] if has_native_bf16(torch.device("cpu")) else [])):
            ours, theirs, plain = race(net, count, precision, args.rounds)
            cells = [f"{count / statistics.median(ours):,.0f}"]
            for other in (theirs, plain):
                ratio = statistics.median(a / b for a, b in zip(other, ours, strict=True))
                cells += [f"{count / statistics.median(other):,.0f}", f"{ratio:.2f}"]
            lines.append(f"| {name} | {precision} | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    seconds, peak = in_its_own_process(args.memory)
    lines += [
        "",
        f"- {args.memory:,} pictures a side, streamed, 2,048 numbers and 1,008 classes each: distances with their intervals, "
        f"neighbourhoods of 10,000, Inception Score: {seconds / 60:.1f} minutes, peak memory {peak / 2**30:.2f} GiB.",
    ]
    words = f"python bench/features.py --rounds {args.rounds} --pictures {args.pictures} --memory {args.memory}"
    write_section("Features", words, lines)


def race(net: FeatureNet, count: int, precision: str, rounds: int) -> tuple[list[float], list[float], list[float]]:
    """Seconds of every round: ours, torchmetrics', a plain loop's."""
    pictures = np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)
    metric = FrechetInceptionDistance(feature=Only(net), normalize=False)
    contestants: list[Callable[[], object]] = [
        lambda: Moments.of(look(net, chunks_of(pictures), count, precision=precision).features),
        lambda: with_torchmetrics(metric, pictures, precision),
        lambda: plain_loop(net, pictures, precision),
    ]
    times: list[list[float]] = [[], [], []]
    order = np.random.default_rng(0)
    for number in range(-1, rounds):
        for who in order.permutation(len(contestants)):  # whoever comes after NumPy's threads waits for them to sleep
            begun = time.perf_counter()
            contestants[who]()
            if number >= 0:
                times[who].append(time.perf_counter() - begun)
    return times[0], times[1], times[2]


class Wide(nn.Module):
    """As many numbers as Inception gives, by one matrix product of a reduced picture."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = nn.Linear(3 * 16 * 16, FEATURES)
        self.classes = nn.Linear(FEATURES, CLASSES)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """N×3×H×W → N×2048 and N×1008."""
        found = self.numbers(nn.functional.adaptive_avg_pool2d(pictures, 16).flatten(1)).relu()
        return found, self.classes(found)


class Only(nn.Module):
    """The features alone, from the bytes that torchmetrics hands on."""

    def __init__(self, net: FeatureNet) -> None:
        super().__init__()
        self.net, self.num_features = net.net, net.dims

    def forward(self, pictures: Tensor) -> Tensor:
        """uint8 N×3×H×W → N×D."""
        found: Tensor = self.net(pictures.float() / 255)[0].float()
        return found


def batches(pictures: Pictures) -> Iterator[Tensor]:
    """As tutorials do it."""
    for start in range(0, len(pictures), BATCH):
        yield torch.from_numpy(pictures[start : start + BATCH]).permute(0, 3, 1, 2)


@torch.no_grad()
def with_torchmetrics(metric: FrechetInceptionDistance, pictures: Pictures, precision: str) -> None:
    metric.reset()
    for batch in batches(pictures):
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            metric.update(batch, real=True)


@torch.no_grad()
def plain_loop(net: FeatureNet, pictures: Pictures, precision: str) -> npt.NDArray[np.float64]:
    found = []
    for batch in batches(pictures):
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            found.append(net.net(batch.float() / 255)[0].float().numpy())
    return np.cov(np.concatenate(found).astype(np.float64), rowvar=False)


def in_its_own_process(count: int) -> tuple[float, int]:
    """Seconds and peak memory of looking at ``count`` pictures a side and measuring all there is to measure."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=everything, args=(count, there))
    process.start()
    told: tuple[float, int] = here.recv()
    process.join()
    return told


def everything(count: int, told: Connection) -> None:
    begun, net = time.perf_counter(), FeatureNet("wide", "", "", FEATURES, "", Wide())

    def noise(seed: int) -> Iterator[Pictures]:
        random = np.random.default_rng(seed)
        for start in range(0, count, BATCH):
            yield random.integers(0, 256, (min(BATCH, count - start), SIDE, SIDE, 3), dtype=np.uint8)

    real, made = look(net, noise(0), count).features, look(net, noise(1), count)
    assert made.probabilities is not None
    inception_score(made.probabilities)
    frechet_estimate(real, made.features)
    kernel_distance(real, made.features)
    prdc(real[:10_000], made.features[:10_000])
    told.send((time.perf_counter() - begun, peak_memory_bytes(torch.device("cpu"))))


if __name__ == "__main__":
    main()
