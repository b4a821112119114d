"""What a warm start saves: how good runs on flowers become that begin with a Model, in the same minutes and in half of them.

    python bench/warm.py --data DATA --yardsticks YARDSTICKS [--minutes 20] [--from emoji128@20 …]

Rows of `bench/quality.py` on flowers, with the same seed: from nothing, and for every origin from the Model of that set's
row, for all the minutes and for half of them (what is missing is trained, in the user's cache). The judge tells whether half
the minutes are enough; the score that runs keep themselves (KID in the offline features) how far each is at a fifth of the
minutes, while the rates of all are at their height. Writes its table into bench/RESULTS.md.
"""

import argparse
import statistics
from pathlib import Path
from typing import Any

import ganforge
from quality import code_behind, keep_row, kept_rows, key_of, machines, measured, run_of, same, write_table
from results import provenance, write_section

GOAL = "flowers64"
SMOOTHED = 5
"""Scores of 256 samples jump."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the sets")
    parser.add_argument("--yardsticks", type=Path, required=True, help="folder of judge.py")
    parser.add_argument("--minutes", type=float, default=20.0, help="on flowers")
    parser.add_argument("--from", dest="origins", action="append", metavar="SET@MINUTES")
    args = parser.parse_args()
    warm = [(origin, share) for origin in args.origins or ["emoji128@20"] for share in (1.0, 0.5)]
    lines, stamps = [], []
    for origin, share in [(None, 1.0), *warm]:
        asked = argparse.Namespace(
            set=GOAL, recipe="style", minutes=share * args.minutes, seed=0, settings=[], size=None, precision=None,
            start_from=origin, data=args.data, yardsticks=args.yardsticks,
        )  # fmt: skip
        judge = judged(asked)
        lines.append(row(origin or "nothing", judge, early(run_of(asked), args.minutes / 5)))
        stamps += judge["measured"]
    write_table()
    write_section(
        "Warm start",
        f"python bench/warm.py --data DATA --yardsticks YARDSTICKS --minutes {args.minutes:g}",
        [
            f"`style` on {GOAL}, one seed. The run's own score: KID × 1000 in the offline features, at 256 samples, the median "
            f"of {SMOOTHED} scores that end at {args.minutes / 5:g} minutes. FD and KID × 1000: the judge's, as in “Quality”.",
            "",
            f"| began with | minutes | pictures seen | own KID after {args.minutes / 5:g} minutes | FD | KID × 1000 |",
            "|---|---|---|---|---|---|",
            *lines,
        ],
        stamps,
    )


def judged(asked: argparse.Namespace) -> dict[str, Any]:
    """The row of `bench/quality.py`, measured unless it was by this code on this machine."""
    sought = key_of(asked) | {"code": code_behind(asked), "measured": [provenance()]}
    for kept in kept_rows():
        if same(kept, sought) and kept["code"] == sought["code"] and machines(kept) == machines(sought):
            return kept
    new = measured(asked)
    keep_row(new)
    return new


def early(run: ganforge.Run, minutes: float) -> float:
    """KID × 1000 of a run at its first score after so many minutes, the median of that one and those just before it."""
    told = [(event["seconds"] / 60, 1000 * event["kid"]) for event in run.events("score")]
    there = next(i for i, (at, _) in enumerate(told) if at >= minutes)
    return statistics.median(kid for _, kid in told[max(0, there + 1 - SMOOTHED) : there + 1])


def row(name: str, judge: dict[str, Any], own: float) -> str:
    found = judge["judge"]
    return f"| {name} | {judge['minutes']:g} | {judge['seen']:,} | {own:.0f} | {found['fd']:.1f} | {found['kid_x1000']:.1f} |"


if __name__ == "__main__":
    main()
