"""How fast the avatars are drawn: pictures a second at 64 and 256 px, on one process and on two.

    python bench/avatars.py [--seconds 5]

Goal: at least 300 a second at 64 px on two cores.
"""

import argparse
import multiprocessing
import os
import platform
import time

from ganforge.avatars import avatar_seed, draw


def draw_for(seconds: float, size: int, dataset_seed: int) -> float:
    """Draw for so long in this process; pictures a second."""
    draw({}, avatar_seed(dataset_seed, 0), size)  # imports and caches are not what is measured
    start = time.perf_counter()
    count = 0
    while time.perf_counter() - start < seconds:
        draw({}, avatar_seed(dataset_seed, count), size)
        count += 1
    return count / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each of the four measurements")
    seconds = parser.parse_args().seconds
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    print(f"{'px':>5} {'processes':>10} {'pictures/s':>11}")
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.starmap(draw_for, [(0.1, 64, 0), (0.1, 64, 1)])  # both are up before the clock starts
        for size in (64, 256):
            print(f"{size:>5} {1:>10} {draw_for(seconds, size, 0):>11.0f}")
            rates = pool.starmap(draw_for, [(seconds, size, 1), (seconds, size, 2)], chunksize=1)
            print(f"{size:>5} {2:>10} {sum(rates):>11.0f}")


if __name__ == "__main__":
    main()
