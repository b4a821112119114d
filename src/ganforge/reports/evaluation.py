"""The report of an evaluation: one HTML file that a person would rather read than its numbers.

Three plain sentences, then pictures to look at, then figures, then how they were measured. Samples and real pictures are
shown in the same size and the same file format, so that neither is flattered.
"""

from pathlib import Path
from typing import Any

from ganforge import __version__
from ganforge.drawing.grids import Pictures
from ganforge.evaluation.measuring import Shown
from ganforge.evaluation.result import Copying, Evaluation, plain_sentences
from ganforge.files import quoted, replacing
from ganforge.measures.neighbours import COPIED_LIMIT
from ganforge.reports import evaluation_parts as parts
from ganforge.reports.figures import percent, rows
from ganforge.reports.rendering import cell, data_uri, render, stills, template_text
from ganforge.training.folder import Run

LARGEST_CELL, SMALL_CELL = 128, 64
"""CSS pixels a picture takes at most on a wide and on a narrower screen; files hold twice as many, for dense ones."""

MOST_BYTES = 2_000_000
"""Of all pictures: with a third more for base64 the page stays below 3 MB, wherever JPEG gets so far."""

UNFOLDED = 12
"""Values of an attribute that are shown at once; the rest is folded away."""


def write_evaluation(found: Evaluation, shown: Shown, path: Path, *, run: Run | None = None) -> None:
    """Write the report as one self-contained HTML file, atomically.

    Args:
        found: what was measured.
        shown: the pictures in it.
        path: of the file.
        run: that the Model comes from; its learning curve is then shown too.

    Raises:
        OSError: the file cannot be written.
    """
    html = render("evaluation.html", **_context(found, shown, run))
    with replacing(path) as temporary:
        temporary.write_text(html, encoding="utf-8", newline="\n")


def _context(e: Evaluation, shown: Shown, run: Run | None) -> dict[str, Any]:
    groups = shown.made, shown.real, _flat(shown.neighbours), shown.closest, _flat(shown.closest_neighbours)
    made, real, neighbours, closest, closest_neighbours = stills(groups, most_bytes=MOST_BYTES, side=2 * LARGEST_CELL)
    identity = e.made.model or e.made.digest or "pictures"
    sentences = e.sentences or plain_sentences(e)
    return {
        "version": __version__,
        "style": template_text("base.css") + template_text("evaluation.css"),
        "e": e,
        "name": run.path.name if run is not None else " ".join((e.made.name, *(e.made.model or "")[:6].split())),
        "said": [parts.said(e, question, sentence) for question, sentence in sentences.items()],
        "cell": cell(e.height, e.width, LARGEST_CELL),
        "small": cell(e.height, e.width, SMALL_CELL),
        "made": made,
        "real": real,
        "rows": _beside(made, neighbours, shown.neighbours),
        "closest": _beside(closest, closest_neighbours, shown.closest_neighbours),
        "copying": sentences.get("Copied?", "") if e.copying is None else _copying(e.copying, e.made.count),
        "figures": [(row, parts.whisker(row)) for row in rows(e)],
        "at_floor_count": parts.at_floor_count(e),
        "truncation": parts.truncation(e.truncation) if e.truncation else [],
        "agreement": [(a, *parts.agreement_bars(a)) for a in e.agreement],
        "retrieval": parts.retrieval_bars(e),
        "unfolded": UNFOLDED,
        "learning": None if run is None else parts.learning(run.events("score")),
        "facts": facts(e),
        "command": _command(e, run),
        "json": data_uri(e.model_dump_json(indent=1).encode(), "application/json"),
        "file": f"evaluation-{identity[:6]}.json",
    }


# --- pictures ---------------------------------------------------------------------------------------------------------


def _flat(pictures: Pictures) -> Pictures:
    """(n, k, H, W, 3) → (n · k, H, W, 3)."""
    return pictures.reshape(-1, *pictures.shape[2:])


def _beside(made: list[str], neighbours: list[str], shape: Pictures) -> list[tuple[str, list[str]]]:
    """Each sample and its neighbours; ``shape`` is (n, k, H, W, 3)."""
    n, k = shape.shape[:2]
    return [(made[i], neighbours[i * k : (i + 1) * k]) for i in range(n)]


# --- words ------------------------------------------------------------------------------------------------------------


def _copying(c: Copying, count: int) -> str:
    mirrors = " or to its mirror image" if c.mirrored else ""
    said = (
        f"{percent(c.share, 1)} of the {count:,} samples lie closer to one of {c.training:,} training pictures{mirrors} "
        "than 99 % of those lie to their own nearest neighbour."
    )
    if c.held_out_share is not None:
        said += f" Of real pictures that were not trained on, {percent(c.held_out_share, 1)} do."
    limit = percent(COPIED_LIMIT)
    return said + (
        f" That is more than {limit}: the model repeats what it was trained on."
        if c.flagged
        else f" No sign of copying: a warning begins at {limit}."
    )


def facts(e: Evaluation) -> list[tuple[str, list[tuple[str, str]]]]:
    """Everything that must be known to believe a figure: groups, and their names and values."""
    f, made, real, copying = e.features, e.made, e.real, e.copying
    machine = {"name": "machine", "torch": "PyTorch", "python": "Python"}
    samples: list[tuple[str, str | None]] = [
        ("from", made.name),
        ("kind", "drawn by a model" if made.kind == "model" else "pictures made elsewhere"),
        ("count", f"{made.count:,}"),
        ("system", made.system),
        ("model", made.model),
        ("sha256 of the generator", made.sha256),
        ("seeds", None if made.first_seed is None else f"{made.first_seed} … {made.first_seed + made.count - 1}"),
        ("truncation ψ", None if made.psi is None else f"{made.psi:g}"),
        ("digest", made.digest),
    ]
    against: list[tuple[str, str | None]] = [
        ("collection", real.name),
        ("pictures in it", f"{real.there:,}"),
        ("measured against", f"{real.count:,}"),
        ("real against real", f"{real.floor_count:,} a side"),
        ("neighbourhoods", f"{e.neighbourhood_count:,} a side"),
        ("seed of the draw", str(real.draw_seed)),
        ("digest", real.digest),
    ]
    if copying is not None:
        mirrors = ", and their mirror images" if copying.mirrored else ""
        against += [
            ("looked through for copies", f"{copying.training:,} training pictures{mirrors}"),
            ("a copy lies nearer than", f"{copying.threshold:.4g} in features"),
        ]
    looked: list[tuple[str, str | None]] = [
        ("net", f.name),
        ("what it is", f.about),
        ("sha256 of its weights", f.sha256),
        ("numbers a picture", f"{f.dims:,}"),
        ("resizer", f.resizer),
        ("precision", f.precision),
    ]
    here: list[tuple[str, str | None]] = [
        ("date", e.date),
        ("took", f"{e.seconds:,.1f} s"),
        ("ganforge", e.ganforge),
        *((machine.get(key, key), str(value)) for key, value in e.machine.items()),
    ]
    groups = {"Features": looked, "Samples": samples, "Real pictures": against, "This measurement": here}
    return [(title, [(k, v) for k, v in facts if v is not None]) for title, facts in groups.items()]


def _command(e: Evaluation, run: Run | None) -> str:
    """The command that measures the same again, in the folder where both names lie."""
    made = e.made
    words = ["ganforge evaluate", quoted(run.path.name if run is not None else made.name), quoted(e.real.name)]
    words.append(f"-n {made.count}")
    if made.first_seed is not None:
        words.append(f"--seed {made.first_seed}")
    if made.psi is not None and made.psi != 1:
        words.append(f"--psi {made.psi:g}")
    words.append(f"--features {'inception' if e.features.standard else 'offline'}")
    if e.smoothness is not None or e.truncation:
        words.append("--paths")
    if e.agreement or e.retrieval is not None:
        words.append("--labels MINUTES")
    return " ".join(words)
