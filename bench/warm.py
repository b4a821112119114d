"""What a warm start saves: minutes until a run on flowers is as good as one that began with nothing.

    python bench/warm.py --data DATA --yardsticks YARDSTICKS [--minutes 20] [--from avatars@10 --from emoji128@20]

Three rows of `bench/quality.py` on flowers, with the same seed: from nothing and from the Models of other sets' rows (any that
is missing is trained, in the user's cache). Compared is the score that runs keep themselves (KID in the offline features, the
same pictures in all of them): when does each first reach what the cold run reaches at its end? Writes its table into
bench/RESULTS.md.
"""

import argparse
import statistics
from pathlib import Path
from typing import Any

import ganforge
from quality import code_behind, keep_row, kept_rows, key_of, measured, run_of, same, write_table
from results import write_section

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
    found = {}
    for origin in (None, *(args.origins or ["avatars@10", "emoji128@20"])):
        asked = argparse.Namespace(
            set=GOAL, recipe="style", minutes=args.minutes, seed=0, settings=[], size=None, precision=None, start_from=origin,
            data=args.data, yardsticks=args.yardsticks,
        )  # fmt: skip
        found[origin] = (judged(asked), run_of(asked))
    write_table()
    goal = scores(found[None][1])[-1][1]
    stamps = [stamp for judge, _ in found.values() for stamp in judge["measured"]]
    write_section(
        "Warm start",
        f"python bench/warm.py --data DATA --yardsticks YARDSTICKS --minutes {args.minutes:g}",
        [
            f"`style` on {GOAL}, {args.minutes:g} minutes each, one seed. The run's own score: KID × 1000 in the offline "
            f"features, at 256 samples; medians of {SMOOTHED} scores that follow one another. The judge's: as in “Quality”.",
            "",
            "| began with | own KID at a tenth of the time | at the end | minutes to the cold run's end | the judge's KID |",
            "|---|---|---|---|---|",
            *(
                row(origin or "nothing", run, goal, judge["judge"]["kid_x1000"])
                for origin, (judge, run) in found.items()
            ),
        ],
        stamps,
    )


def judged(asked: argparse.Namespace) -> dict[str, Any]:
    """The row of `bench/quality.py`, measured unless it was by this code."""
    sought = key_of(asked) | {"code": code_behind(asked)}
    for kept in kept_rows():
        if same(kept, sought) and kept["code"] == sought["code"]:
            return kept
    new = measured(asked)
    keep_row(new)
    return new


def scores(run: ganforge.Run) -> list[tuple[float, float]]:
    """(minutes, KID × 1000) of a run, each the median of a score and those just before it."""
    told = [(event["seconds"] / 60, 1000 * event["kid"]) for event in run.events("score")]
    return [
        (told[i][0], statistics.median(kid for _, kid in told[i + 1 - SMOOTHED : i + 1]))
        for i in range(SMOOTHED - 1, len(told))
    ]


def row(name: str, run: ganforge.Run, goal: float, judge: float) -> str:
    told = scores(run)
    early = next(kid for minutes, kid in told if minutes >= told[-1][0] / 10)
    reached = next((f"{minutes:.1f}" for minutes, kid in told if kid <= goal), "–")
    return f"| {name} | {early:.0f} | {told[-1][1]:.0f} | {reached} | {judge:.1f} |"


if __name__ == "__main__":
    main()
