"""What a warm start saves: minutes until a run on flowers is as good as one that began with nothing.

    python bench/warm.py --data DATA [--minutes 10] [--origin-minutes 20]

Trains `style` on avatars and on emoji, then on flowers three times with the same seed: from nothing, from the avatars' and from
the emoji's Model. Compared is the score that runs keep themselves (KID in the offline features, the same pictures in all of
them): when does each first reach what the cold run reaches at its end? Runs lie in the user's cache and are resumed. Writes
its table into bench/RESULTS.md.
"""

import argparse
import statistics
from pathlib import Path

import ganforge
from ganforge.pictures import cache_folder
from quality import CODE, JUDGED, code_of_system, pictures_of, trained
from results import code_of, provenance, write_section

RECIPE = "style"
ORIGINS = ("avatars", "emoji128")
GOAL = "flowers64"
SMOOTHED = 5
"""Scores of 256 samples jump."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the sets")
    parser.add_argument("--minutes", type=float, default=10.0, help="on flowers")
    parser.add_argument("--origin-minutes", type=float, default=20.0, help="on avatars and emoji")
    args = parser.parse_args()
    code = code_of(*CODE, *code_of_system(RECIPE))
    stamp = provenance()
    folder = cache_folder() / "warm" / f"{args.minutes:g}-{args.origin_minutes:g}-{code}"

    def run(name: str, pictures: str, minutes: float, start_from: Path | None = None) -> ganforge.Run:
        asked = {"recipe": RECIPE, "size": JUDGED[pictures].side, "minutes": minutes, "start_from": start_from}
        return trained(folder / name, pictures_of(JUDGED[pictures], args.data), stop_early=False, **asked)

    cold = run("cold", GOAL, args.minutes)
    origins = {name: run(name, name, args.origin_minutes) for name in ORIGINS}
    warm = {name: run(f"from-{name}", GOAL, args.minutes, origin.path) for name, origin in origins.items()}
    goal = scores(cold)[-1][1]
    rows = [row("nothing", cold, goal), *(row(name, one, goal) for name, one in warm.items())]
    write_section(
        "Warm start",
        f"python bench/warm.py --data DATA --minutes {args.minutes:g} --origin-minutes {args.origin_minutes:g}",
        [
            f"`{RECIPE}` on {GOAL}, {args.minutes:g} minutes each, one seed; the origins were trained for "
            f"{args.origin_minutes:g} minutes. KID × 1000 in the offline features, at 256 samples; medians of {SMOOTHED} scores "
            "that follow one another.",
            "",
            "| began with | KID at a tenth of the time | at the end | minutes to the cold run's end |",
            "|---|---|---|---|",
            *rows,
        ],
        [stamp],
    )


def scores(run: ganforge.Run) -> list[tuple[float, float]]:
    """(minutes, KID × 1000) of a run, each the median of a score and those just before it."""
    told = [(event["seconds"] / 60, 1000 * event["kid"]) for event in run.events("score")]
    return [
        (told[i][0], statistics.median(kid for _, kid in told[i + 1 - SMOOTHED : i + 1]))
        for i in range(SMOOTHED - 1, len(told))
    ]


def row(name: str, run: ganforge.Run, goal: float) -> str:
    told = scores(run)
    early = next(kid for minutes, kid in told if minutes >= told[-1][0] / 10)
    reached = next((f"{minutes:.1f}" for minutes, kid in told if kid <= goal), "–")
    return f"| {name} | {early:.0f} | {told[-1][1]:.0f} | {reached} |"


if __name__ == "__main__":
    main()
