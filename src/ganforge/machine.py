"""What this machine is and can do."""

import ctypes
import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ganforge.errors import UsageError


@dataclass(frozen=True)
class Machine:
    """Facts that belong beside every measured number.

    Attributes:
        device: "cpu", "cuda" or "mps".
        name: of the processor or GPU.
        threads: that torch computes with.
        bf16: whether bfloat16 is computed natively (elsewhere it is slower than float32).
        torch: version.
        python: version.
        system: operating system and architecture.
    """

    device: str
    name: str
    threads: int
    bf16: bool
    torch: str
    python: str
    system: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def best_device() -> torch.device:
    """CUDA where there is a GPU, else Apple's MPS, else the CPU. ``GANFORGE_DEVICE`` overrides."""
    asked = os.environ.get("GANFORGE_DEVICE")
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if asked:
        if not there.get(asked):
            offered = ", ".join(name for name, usable in there.items() if usable)
            raise UsageError(f"GANFORGE_DEVICE is {asked!r}; this machine offers {offered}.")
        return torch.device(asked)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


_NATIVE_BF16 = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")


def has_native_bf16(device: torch.device) -> bool:
    """Whether bfloat16 matrix products have instructions of their own here (AVX512-BF16, AMX, Ampere and later)."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        return any(bool(getattr(torch.cpu, name, lambda: False)()) for name in _NATIVE_BF16)
    return False


def describe(device: torch.device | None = None) -> Machine:
    """The machine as it computes now."""
    device = device or best_device()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return Machine(
        device=device.type,
        name=name,
        threads=torch.get_num_threads(),
        bf16=has_native_bf16(device),
        torch=str(torch.__version__),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
    )


def keep_freed_memory() -> None:
    """Let the process keep what it frees, where the C library is glibc; elsewhere, do nothing.

    A step frees and asks for the same tens of megabytes again and again. By default glibc gives them back to the system
    each time and pays for fresh, zeroed pages: about 8 % of a float32 step of DCGAN-64 on the CPU (bench/training.py).
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    # An older glibc refuses more than 32 MiB, and then the second call alone would do harm.
    if mallopt is not None and (mallopt(_M_MMAP_THRESHOLD, 2**30) or mallopt(_M_MMAP_THRESHOLD, 2**25)):
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""From glibc's malloc.h."""


def seed_generators(seed: int, device: torch.device) -> None:
    """What ``torch.manual_seed`` does, for this device alone: that writes down the stack for each device that was not used yet,
    a millisecond on a CPU.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread in this process: nets of a few thousand weights only wait for one another's threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def exact(device: torch.device) -> Iterator[None]:
    """Convolve in full float32 on CUDA too (its default, TF32, rounds to ten bits): a seed is the same picture anywhere."""
    if device.type != "cuda":
        yield
        return
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=torch.backends.cudnn.benchmark, deterministic=False, allow_tf32=False
    ):
        yield


def memory_bytes() -> int | None:
    """Of this machine; None where the system does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None


def peak_memory_bytes(device: torch.device) -> int:
    """The most memory that was in use: of the GPU on CUDA, resident of this process elsewhere; 0 where unknown."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what the parent had when it started this process
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii", errors="replace"))
        if found:
            return int(found[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows keeps no such count
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024
