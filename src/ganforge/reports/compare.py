"""The report of a comparison: several runs on one page, at equal numbers of pictures seen and at equal wall time.

A run keeps its colour and its mark everywhere: in the sentences' bars, in the charts, beside its samples, in the table.
Where runs are shown beside one another, their pictures come in the same size and the same file format.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganforge import __version__
from ganforge.drawing.grids import Pictures
from ganforge.evaluation.compare import Moment, moments
from ganforge.evaluation.comparison import Comparison
from ganforge.evaluation.measuring import Shown
from ganforge.files import quoted, replacing
from ganforge.measures.neighbours import COPIED_LIMIT
from ganforge.reports import evaluation_parts as parts
from ganforge.reports.compare_charts import Key, keys_of, run_charts, score_table
from ganforge.reports.evaluation import facts
from ganforge.reports.figures import Column, clock, columns, percent, setting
from ganforge.reports.rendering import cell, data_uri, render, stills, template_text
from ganforge.training.folder import Run

SEEDS, SAMPLES = 8, 24
"""Pictures of a run: at every moment, and of its Model."""

SEED_CELL, SAMPLE_CELL = 64, 96
"""CSS pixels a picture takes at most."""

SEED_BYTES, SAMPLE_BYTES = 2_000_000, 1_500_000
"""Of all pictures of each kind, wherever JPEG gets so far."""

MOST_SETTINGS = 6
"""That are named beside a run; all of them stand further down."""

SHA_DIGITS = 16
"""Of a hash in the table of runs; the JSON has all of it."""

SAME_OF_SAMPLES = ("count", "seeds", "truncation ψ")

NUMBERS = ("Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


@dataclass(frozen=True)
class Strip:
    """A run's samples at a moment.

    Attributes:
        key: of the run.
        pictures: data URIs; empty where no sheet is left.
        when: pictures seen and wall time by then.
        shape: width / height of a picture.
    """

    key: Key
    pictures: list[str]
    when: str
    shape: str


def write_comparison(found: Comparison, shown: Sequence[Shown], path: Path, *, runs: Sequence[Run]) -> None:
    """Write the report as one self-contained HTML file, atomically.

    Args:
        found: what was measured.
        shown: the pictures in it, of every run.
        path: of the file.
        runs: the run folders, in the same order; their samples over time are read from there.

    Raises:
        OSError: the file cannot be written.
    """
    html = render("compare.html", **_context(found, shown, runs))
    with replacing(path) as temporary:
        temporary.write_text(html, encoding="utf-8", newline="\n")


def _context(found: Comparison, shown: Sequence[Shown], runs: Sequence[Run]) -> dict[str, Any]:
    keys = keys_of(found.curves)
    of_seen, of_time = moments(runs, "seen"), moments(runs, "seconds")
    by_seen, by_time = _strips(keys, found, of_seen, of_time)
    *made, real = stills(
        [*(one.made[:SAMPLES] for one in shown), shown[0].real[:SAMPLES]], most_bytes=SAMPLE_BYTES, side=2 * SAMPLE_CELL
    )
    first = found.evaluations[0]
    table = columns(found.evaluations, comparable=found.comparable)
    return {
        "version": __version__,
        "style": "".join(template_text(f"{name}.css") for name in ("base", "evaluation", "compare")),
        "found": found,
        "first": first,
        "many": NUMBERS[len(keys) - 2] if len(keys) - 2 < len(NUMBERS) else str(len(keys)),
        "keys": keys,
        "about": [_about(found, i) for i in range(len(keys))],
        "said": [_said(found, keys, question, sentence) for question, sentence in found.sentences.items()],
        "charts": run_charts(found.curves, keys),
        "scored_in": list(dict.fromkeys(curve.features or "an unnamed net" for curve in found.curves if curve.scores)),
        "scores": score_table(found.curves),
        "seeds": SEEDS,
        "by_seen": [(f"{_whole(m.value)} pictures seen", s) for m, s in zip(of_seen, by_seen, strict=True)],
        "by_time": [(f"after {clock(m.value)}", s) for m, s in zip(of_time, by_time, strict=True)],
        "cells": [cell(e.height, e.width, SAMPLE_CELL) for e in found.evaluations],
        "samples": list(zip(keys, made, strict=True)),
        "real": real,
        "columns": table,
        "whiskers": [parts.whiskers(column.cells) for column in table],
        "reached": [_reached(column) for column in table] if found.comparable else [],
        "run_table": _run_table(found),
        "facts": _facts(found),
        "command": _command(found),
        "json": data_uri(found.model_dump_json(indent=1).encode(), "application/json"),
        "file": "comparison.json",
    }


# --- pictures ---------------------------------------------------------------------------------------------------------


def _strips(keys: Sequence[Key], found: Comparison, *sections: Sequence[Moment]) -> list[list[list[Strip]]]:
    """Of every section and moment a strip a run; all files of one kind."""
    frames = [frame for section in sections for moment in section for frame in moment.frames]
    empty: list[Pictures] = []
    groups = [empty if frame is None else list(frame.pictures[:SEEDS]) for frame in frames]
    files = iter(stills(groups, most_bytes=SEED_BYTES, side=2 * SEED_CELL))

    def strip(moment: Moment, i: int) -> Strip:
        frame, e = moment.frames[i], found.evaluations[i]
        when = "no sheet of it is left" if frame is None else f"{_whole(frame.seen)} seen · {clock(frame.seconds)}"
        return Strip(keys[i], next(files), when, f"{e.width} / {e.height}")

    return [[[strip(moment, i) for i in range(len(keys))] for moment in section] for section in sections]


# --- words and numbers ------------------------------------------------------------------------------------------------


def _whole(number: float) -> str:
    return f"{number:,.0f}"


def _about(found: Comparison, i: int) -> dict[str, Any]:
    """A run in a few words, and what was set differently."""
    curve = found.curves[i]
    settings = [(name, setting(values[i])) for name, values in found.differs.items() if name != "recipe"]
    return {
        "words": [curve.recipe, f"{curve.width}×{curve.height}", f"{_whole(curve.seen)} pictures seen", clock(curve.seconds)],
        "settings": settings[:MOST_SETTINGS],
        "more": max(0, len(settings) - MOST_SETTINGS),
    }  # fmt: skip


def _said(found: Comparison, keys: Sequence[Key], question: str, sentence: str) -> parts.Said:
    """A sentence with a bar a run beside it, and one for real pictures where all were measured beside the same ones."""
    cut, copying = parts.pieces(sentence), [e.copying for e in found.evaluations]
    if question == "Copied?":
        told = [(key, c.share) for key, c in zip(keys, copying, strict=True) if c is not None]
        real = next((c.held_out_share for c in copying if c is not None), None) if found.comparable else None
        if not told:
            return parts.Said(question, cut)
        top = max(2 * COPIED_LIMIT, real or 0.0, *(share for _, share in told))
        limit = COPIED_LIMIT / top, f"warning: {percent(COPIED_LIMIT)}"
        mark = "yes" if any(c is not None and c.flagged for c in copying) else "no"
        return parts.Said(question, cut, mark, bars=_bars(told, real, "unseen real", 1 / top, 1), limit=limit)
    figures = [e.precision if question == "Looks real?" else e.coverage for e in found.evaluations]
    real = figures[0].real if found.comparable else None
    bars = _bars([(key, figure.value) for key, figure in zip(keys, figures, strict=True)], real, "real pictures")
    if real is None:
        return parts.Said(question, cut, bars=bars)
    return parts.Said(question, cut, "share", min(1.0, max(f.value for f in figures) / max(real, 1e-9)), bars)


def _bars(
    told: Sequence[tuple[Key, float]], real: float | None, real_name: str, scale: float = 1.0, digits: int = 0
) -> list[parts.Bar]:
    def share(value: float) -> float:
        return min(max(scale * value, 0.0), 1.0)

    bars = [parts.Bar(key.name, key.role, share(value), percent(value, digits), key.mark) for key, value in told]
    return bars if real is None else [*bars, parts.Bar(real_name, "real", share(real), percent(real, digits))]


def _reached(column: Column) -> str:
    """What real pictures reach in a measure, the same beside every run."""
    return next((row.real for row in column.cells if row is not None), "–")


# --- how it was measured ----------------------------------------------------------------------------------------------


def _facts(found: Comparison) -> list[tuple[str, list[tuple[str, str]]]]:
    """What is the same for all."""
    told = dict(facts(found.evaluations[0]))
    told["This measurement"] = [
        (name, f"{sum(e.seconds for e in found.evaluations):,.1f} s" if name == "took" else value)
        for name, value in told["This measurement"]
    ]
    told["Samples of each run"] = [(name, value) for name, value in told["Samples"] if name in SAME_OF_SAMPLES]
    same = ("Features", "Samples of each run", *(["Real pictures"] if found.comparable else []), "This measurement")
    return [(title, told[title]) for title in same]


def _run_table(found: Comparison) -> list[list[str]]:
    """What is each run's own: a row's name, and a value a run."""
    rows: list[list[str]] = []

    def row(name: str, *values: str) -> None:
        if any(values):
            rows.append([name, *values])

    for name, values in found.differs.items():
        row(name, *map(setting, values))
    curves, evaluations = found.curves, found.evaluations
    unlike = {name for name, values in found.differs.items()}
    if "recipe" not in unlike:
        row("recipe", *(curve.recipe for curve in curves))
    if "pictures" not in unlike:
        row("pictures", *(curve.pictures for curve in curves))
    if "seed" not in unlike:
        row("seed", *(str(curve.seed) for curve in curves))
    row("size", *(f"{curve.width}×{curve.height}" for curve in curves))
    row("pictures seen", *(_whole(curve.seen) for curve in curves))
    row("wall time", *(clock(curve.seconds) for curve in curves))
    row("state", *(curve.state for curve in curves))
    row("trained on", *(curve.machine for curve in curves))
    row("Model", *(e.made.model or "" for e in evaluations))
    row("sha256 of its generator", *((e.made.sha256 or "")[:SHA_DIGITS] for e in evaluations))
    if not found.comparable:
        row("measured beside", *(f"{e.real.count:,} of {e.real.there:,} in {e.real.name}" for e in evaluations))
        row("their digest", *(e.real.digest[:SHA_DIGITS] for e in evaluations))
    return rows


def _command(found: Comparison) -> str:
    """The command that compares the same again, in the folder where the names lie."""
    first = found.evaluations[0]
    words = ["ganforge compare", *(quoted(curve.run) for curve in found.curves)]
    if any(e.real.name != curve.pictures for e, curve in zip(found.evaluations, found.curves, strict=True)):
        words.append(f"--pictures {quoted(first.real.name)}")
    return " ".join(
        [*words, f"-n {first.made.count}", f"--features {'inception' if first.features.standard else 'offline'}"]
    )
