"""A training as the terminal shows it: a bar, the last report, and the samples themselves in coloured half blocks."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganforge.cli.terminal import console, say
from ganforge.files import quoted

if TYPE_CHECKING:
    from rich.console import Console, Group, RenderableType
    from rich.text import Text

    from ganforge.training.folder import Event

PLAIN_SECONDS = 5.0
"""Between two lines where the output is no terminal."""
CELL = 22
"""Columns of one sample; a row of characters shows two rows of pixels."""


def clock(seconds: float | None) -> str:
    """65 → "1:05"."""
    if seconds is None:
        return "?"
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def told(event: "Event") -> str:
    """A report in a line."""
    losses = "  ".join(f"loss {turn} {number(parts.get('total'))}" for turn, parts in event["losses"].items())
    if "verdicts" not in event:
        return losses
    verdicts = event["verdicts"]
    real = verdicts["held_out"] if verdicts["held_out"] is not None else verdicts["training"]
    return (
        f"{losses}  critic says real of real pictures {number(real)}, of made ones {number(verdicts['fakes'])}; "
        f"right in {100 * event['hit_rate']:.0f} % (50 %: it can no longer tell)"
    )


def number(value: float | None) -> str:
    """Three decimals, or a dash for what is no number."""
    return "-" if value is None or value != value else f"{value:.3f}"  # noqa: PLR0124 - NaN


class View:
    """Listens to a run and shows it."""

    def __init__(self, folder: Path, out: "Console", live: Any = None) -> None:
        self.folder = folder
        self._out, self._live = out, live
        self._reading: tuple[str, int, int] | None = None
        self._tick: Event | None = None
        self._report: Event | None = None
        self._samples: Text | None = None
        self._said = -PLAIN_SECONDS
        self._stepped_aside = False

    def progress(self, what: str, done: int, total: int) -> None:
        """Reading pictures, before the run begins."""
        self._reading = (what, done, total)
        if self._live is not None:
            self._live.update(self._render())
        elif time.monotonic() - self._said >= PLAIN_SECONDS:
            self._said = time.monotonic()
            self._print(f"{what}: {done:,} of {total:,}")

    def __call__(self, event: "Event") -> None:
        """Show an event of the run."""
        handle = getattr(self, f"_on_{event['event']}", None)
        if handle is not None:
            handle(event)
        if self._live is not None:
            self._live.update(self._render())

    def _print(self, text: str) -> None:
        self._out.print(text, markup=False, highlight=False)

    def _on_start(self, event: "Event") -> None:
        for note in event["notes"]:
            self._print(note)

    def _on_warm_start(self, event: "Event") -> None:
        self._print(event["said"])

    def _on_calibrating(self, _: "Event") -> None:
        self._print("Trying which way of computing is fastest here ...")

    def _on_execution(self, event: "Event") -> None:
        speed = f", {event['pictures_per_s']:.0f} pictures/s" if event["pictures_per_s"] else ""
        compiled = ", compiled" if event["compiled"] else ""
        self._print(f"Computing on {event['device']}, {event['layout']}, {event['precision']}{compiled}{speed}.")

    def _on_resume(self, event: "Event") -> None:
        for reason in event["passed_over"]:
            self._print(f"Passed over: {reason}")
        self._print(f"Going on from {event['seen']:,} pictures seen.")

    def _on_tick(self, event: "Event") -> None:
        self._tick, self._reading = event, None

    def _on_report(self, event: "Event") -> None:
        self._report = event
        now = time.monotonic()
        if self._live is None and now - self._said >= PLAIN_SECONDS:
            self._said = now
            left = clock(self._tick["left"]) if self._tick else "?"
            speed = f"{event['pictures_per_s']:.0f} pictures/s" if event["pictures_per_s"] else ""
            self._print(
                f"{100 * event['fraction']:3.0f} %  {event['seen']:,} seen  {speed}  {left} left  {told(event)}"
            )

    def _on_sample(self, event: "Event") -> None:
        if self._live is not None:
            self._samples = mosaic(self.folder / event["file"], self._out.width)
        elif event["seen"] == 0 or event["fraction"] >= 1:
            self._print(f"Samples: {self.folder / event['file']}")

    def _on_collapse(self, event: "Event") -> None:
        self._print(
            f"The samples hardly differ any more ({100 * event['spread']:.0f} % of the variety of the real pictures): "
            "the generator has collapsed. More pictures, a smaller learning rate or another --seed may help."
        )

    def _on_stopped_early(self, event: "Event") -> None:
        why = {
            "collapse": "the samples have been nearly the same picture for a while, and no state since was better",
            "copying": "too many samples have been copies of training pictures for a while",
        }[event["reason"]]
        self._print(f"Stopped at {100 * event['fraction']:.0f} % of the budget: {why}. --no-stop-early goes on anyway.")

    def _on_finished(self, event: "Event") -> None:
        from ganforge.training.folder import Run

        scores = Run(self.folder).events("score")  # of all sittings
        best = next((score for score in reversed(scores) if score["best"]), None)
        if best is None:
            return
        spent = 100 * scores[-1]["spent"] / max(scores[-1]["seconds"], 1e-9)
        last = "its last state" if best is scores[-1] else f"its state after {best['seen']:,} pictures"
        self._print(
            f"Scored {len(scores)} times, which took {spent:.1f} % of the time: the model is {last} (KID x 1000: "
            f"{1000 * best['kid']:.1f} in the offline features)."
        )

    def _on_recovery(self, _: "Event") -> None:
        self._print("The samples differ again.")

    def _on_rollback(self, event: "Event") -> None:
        self._print(
            f"A loss was no finite number; back to {event['seen']:,} pictures seen, "
            f"learning rate x {event['learning_rate_scale']:g}."
        )

    def _on_threads(self, event: "Event") -> None:
        if event["aside"] and not self._stepped_aside:
            self._stepped_aside = True
            self._print(
                f"Other programs want the cores too: computing with {event['threads']} thread(s) while they do."
            )

    def _on_stopping(self, _: "Event") -> None:
        self._print("Stopping after this step; saving ...")

    def _render(self) -> "Group":
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        parts: list[RenderableType] = []
        if self._samples is not None:
            parts += [self._samples, Text("the same seeds, as they change", style="dim")]
        if self._report is not None:
            parts.append(Text(told(self._report)))
        if self._tick is not None:
            row = Table.grid(padding=(0, 2), expand=True)
            row.add_column(ratio=1)
            row.add_column(justify="right", no_wrap=True)
            speed = self._tick["pictures_per_s"]
            row.add_row(
                ProgressBar(total=1.0, completed=self._tick["fraction"]),
                f"{100 * self._tick['fraction']:.0f} %  {self._tick['seen']:,} seen  "
                f"{f'{speed:.0f}' if speed else '?'} pictures/s  {clock(self._tick['left'])} left",
            )
            parts.append(row)
        elif self._reading is not None:
            what, done, count = self._reading
            row = Table.grid(padding=(0, 2), expand=True)
            row.add_column(ratio=1)
            row.add_row(ProgressBar(total=max(count, 1), completed=done), f"{what}: {done:,} of {count:,}")
            parts.append(row)
        return Group(*parts)


def mosaic(sheet: Path, width: int, rows: int = 1) -> "Text | None":
    """The first samples of a sheet of 8 columns as coloured half blocks; None where they cannot be read."""
    import numpy as np
    from PIL import Image
    from rich.text import Text

    try:
        with Image.open(sheet) as opened:
            image = opened.convert("RGB")
    except OSError:
        return None
    shown = max(1, min(8, (width - 1) // (CELL + 1)))
    side_x, side_y = image.width // 8, image.height // 8
    high = max(2, round(CELL * side_y / side_x) // 2 * 2)
    cells = [
        np.asarray(image.crop((i * side_x, r * side_y, (i + 1) * side_x, (r + 1) * side_y)).resize((CELL, high)))
        for r in range(rows)
        for i in range(shown)
    ]
    text = Text(no_wrap=True)
    for r in range(rows):
        for y in range(0, high, 2):
            for cell in cells[r * shown : (r + 1) * shown]:
                for upper, lower in zip(cell[y], cell[y + 1], strict=True):
                    text.append(
                        "▀", style=f"rgb({upper[0]},{upper[1]},{upper[2]}) on rgb({lower[0]},{lower[1]},{lower[2]})"
                    )
                text.append(" ")
            text.append("\n")
    text.rstrip()
    return text


@contextmanager
def watching(folder: Path) -> Iterator[View]:
    """Show a run while it goes: live on a colour terminal that has half blocks, line by line elsewhere."""
    out = console(stderr=True)
    fancy = out.is_terminal and not out.legacy_windows and out.color_system in ("truecolor", "256")
    if not (fancy and out.encoding.lower().startswith("utf")):
        yield View(folder, out)
        return
    from rich.live import Live

    with Live(console=out, refresh_per_second=4, transient=False) as live:
        yield View(folder, out, live)


def say_how_to_go_on(folder: Path, pictures: str) -> None:
    """After a finished run on these PICTURES."""
    name = quoted(folder)
    say(f"Sample it:      ganforge sample {name} -n 64 --grid sheet.png")
    say(f"Train it more:  ganforge resume {name} --minutes 20")
    say(f"How good is it: ganforge evaluate {name} {quoted(pictures)}")
