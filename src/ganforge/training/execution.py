"""How the steps are computed: device, memory layout, precision, compiled or not. Calibration keeps the fastest."""

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

import torch

from ganforge.game import Layout, Source, System
from ganforge.machine import has_native_bf16
from ganforge.training.step import Table, run_step

WARM_UP_STEPS, TIMED_STEPS = 1, 3
ROUNDS = 3
"""How often each candidate gets its turn, where time allows: with one turn each, a run of `style` on a shared machine was left
in float32 to its end, though bfloat16 is faster there (bench/RESULTS.md)."""
BUSY = 1.3
"""Half the threads must be so many times as fast as all of them for the machine to be called busy."""
SECONDS_TO_COMPILE = 15.0
"""What compiling takes about; it is tried where calibration has as many left (ten minutes and more)."""
LEAST_SECONDS = 3.0
"""However short the budget, a candidate gets so long; then the steps played so far have to do."""
CALIBRATION_SHARE = 0.03
"""At most this share of a budget of minutes goes into calibration (the first candidate is always timed)."""


@dataclass(frozen=True)
class Execution:
    """One way of computing a step.

    Attributes:
        device: "cpu", "cuda", "mps".
        layout: name of one of the system's layouts.
        precision: "fp32", or "bf16" for matrix products and convolutions in bfloat16 with float32 weights.
        compiled: whether torch.compile translates the nets' training passes.
    """

    device: str
    layout: str
    precision: str
    compiled: bool = False

    @contextmanager
    def autocast(self) -> Iterator[None]:
        """The context in which losses are computed."""
        with torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bf16"):
            yield

    @contextmanager
    def passing(self) -> Iterator[None]:
        """The same for looks from outside: batches of other sizes, not worth compiling for."""
        if not self.compiled:
            with self.autocast():
                yield
            return
        with torch.compiler.set_stance("force_eager"), self.autocast():
            yield

    def apply(self, system: System) -> None:
        """Move a system to the device, in the layout."""
        system.to(torch.device(self.device))
        _layout(system, self.layout).apply(system)
        if self.compiled:
            # torch.compile looks at .grad of tensors in between, which warns; nothing reads those gradients.
            warnings.filterwarnings("ignore", "The .grad attribute of a Tensor that is not a leaf", UserWarning)
            for net in system.nets.values():
                net.compile(dynamic=False)

    def as_event(self, pictures_per_s: float | None) -> dict[str, Any]:
        """For the log."""
        return {
            "event": "execution",
            **asdict(self),
            "threads": torch.get_num_threads(),
            "pictures_per_s": pictures_per_s,
        }


def _layout(system: System, name: str) -> Layout:
    return next(layout for layout in system.layouts() if layout.name == name)


def candidates(system: System, device: torch.device) -> list[Execution]:
    """Every layout × precision that may be used here, the likeliest to be fast first."""
    precisions = [p for p in system.precisions if p == "fp32" or has_native_bf16(device)]
    return [Execution(device.type, layout.name, precision) for precision in precisions for layout in system.layouts()]


def calibrate(
    make_system: Callable[[], System], source: Source, choices: Sequence[Execution], seconds: float
) -> tuple[Execution, float | None, bool]:
    """The fastest of ``choices``, its pictures a second, and whether other programs keep the cores busy.

    Measured on a second System of the same config; on a busy machine the speed is that of half the threads. The run's own
    system, its random state and its position in the source are untouched. Candidates are timed in order, round after round,
    until ``seconds`` are spent, and judged by their best round; one that fails to run has lost. On CUDA the winner then plays
    against itself compiled, where ``seconds`` leave time for that. (On CPUs compiling took longer and ran slower:
    bench/RESULTS.md.)
    """
    speeds: dict[Execution, float] = {}
    start = time.perf_counter()
    with torch.random.fork_rng():
        for number, choice in product(range(ROUNDS), choices):
            if speeds and time.perf_counter() - start > seconds * 0.6:
                break
            if number and choice not in speeds:
                continue
            found = _speed(make_system(), source, choice, seconds)
            if found is not None:
                speeds[choice] = max(found, speeds.get(choice, 0.0))
        if not speeds:
            return choices[0], None, False
        choice = max(speeds, key=speeds.__getitem__)
        speed = speeds[choice]
        if choice.device == "cuda" and seconds - (time.perf_counter() - start) >= SECONDS_TO_COMPILE:
            quick = _speed(make_system(), source, replace(choice, compiled=True), seconds)
            if quick is not None and quick > speed:
                speed, choice = quick, replace(choice, compiled=True)
        threads = torch.get_num_threads()
        if choice.device == "cpu" and threads > 1 and time.perf_counter() - start <= 2 * seconds + LEAST_SECONDS:
            torch.set_num_threads(threads // 2)
            calm = _speed(make_system(), source, choice, seconds) or 0.0
            torch.set_num_threads(threads)
            if calm > BUSY * speed:
                return choice, calm, True
    return choice, speed, False


def _speed(system: System, source: Source, choice: Execution, seconds: float) -> float | None:
    """Pictures a second; of the warm-up alone where that took longer than ``seconds``."""
    try:
        choice.apply(system)
        table = Table(system.phases()[0].turns, source, choice.device, choice.autocast, seed=0)
        speeds: list[float] = []
        begun = time.perf_counter()
        for i in range(WARM_UP_STEPS + TIMED_STEPS):
            start = time.perf_counter()
            played = run_step(table, fraction=0.0)
            if choice.device != "cpu":
                played.losses[table.turns[-1].name]["total"].item()  # wait for the device
            now = time.perf_counter()
            slow = now - begun > max(seconds, LEAST_SECONDS)
            if i >= WARM_UP_STEPS or slow:
                speeds.append(played.pictures / (now - start))
            if slow and not choice.compiled:
                break
    except (RuntimeError, NotImplementedError, ImportError):  # a compiler that is missing, an operation that is
        return None
    return max(speeds)  # what else the machine does only slows steps down
