"""The demo's page from a finished run."""

from pathlib import Path

import numpy as np

from ganforge.drawing.timelapse import stored_frames
from ganforge.errors import RunError
from ganforge.files import quoted
from ganforge.model.model import load
from ganforge.pictures import PackOptions, make_pack
from ganforge.reports.page import write_page
from ganforge.reports.story import Command, Facts, Story
from ganforge.training.folder import Run

SHOWN_SEEDS = 24
FRAMES = 40
FIRST_FRESH_SEED = 1000
"""The final samples are of seeds that the time-lapse has not shown."""


def write_demo_page(run: Run, path: Path) -> Path:
    """Write the page that tells a finished run; its path.

    Raises:
        RunError: the run is not finished.
    """
    finished = run.events("finished")
    if not finished:
        raise RunError(f"{run.path} is not finished; `ganforge resume {quoted(run.path)}` goes on with it.")
    write_page(tell(run), path)
    return path


def tell(run: Run) -> Story:
    """A finished run as a story."""
    config = run.config
    pack = make_pack(config.pictures, PackOptions.model_validate(config.pack))
    model = load(run.path, device="cpu")
    start, last = run.events("start")[-1], run.events("finished")[-1]
    height, width = pack.size
    shown = np.linspace(0, len(pack) - 1, min(SHOWN_SEEDS, len(pack))).astype(int)
    avatars = config.pictures.startswith("avatars")
    clip = run.path / "timelapse.mp4"
    minutes = last["seconds"] / 60
    machine = start["machine"]
    name = quoted(run.path)
    return Story(
        title=f"A generator of your own, in {round(minutes, 1):g} minutes",
        recipe=config.recipe,
        pictures=f"{'avatars' if avatars else Path(config.pictures).name}, {len(pack):,} pictures at {width}×{height}",
        facts=Facts(
            minutes=minutes,
            pictures_seen=int(last["seen"]),
            pictures_per_s=last["seen"] / last["seconds"],
            machine=f"{machine['name']}, {machine['threads']} threads",
            torch_version=machine["torch"],
            parameters={
                "generator": sum(p.numel() for p in model.generator.parameters()),
                "discriminator": sum(p.numel() for p in model.discriminator.parameters()),
            },
        ),
        real=pack.pictures[shown],
        final=model.sample(SHOWN_SEEDS, FIRST_FRESH_SEED).pictures,
        frames=list(stored_frames(run.events(), run.path, height, width, most=FRAMES)),
        reports=run.events("report"),
        mp4=clip.read_bytes() if clip.exists() else None,
        commands=(
            Command("Train on your own pictures for 20 minutes", "ganforge train PICTURES --minutes 20"),
            Command("See first what is in them, and what cannot be read", "ganforge data inspect PICTURES"),
            Command("Draw 64 new pictures with this generator", f"ganforge sample {name} -n 64 --grid sheet.png"),
            Command("Let this one learn twenty minutes more", f"ganforge resume {name} --minutes 20"),
            Command("Ask how good it is", f"ganforge evaluate {name} {quoted(config.pictures)}"),
            Command("Be the critic: which one is real?", f"ganforge turing {name} {quoted(config.pictures)}"),
        ),
        notes=tuple(note for note in start["notes"] if note),
        origin="drawn by code" if avatars else "the training pictures",
    )
