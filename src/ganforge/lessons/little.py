"""Small models of avatars, trained within a lesson: nets a quarter of dcgan's, and a learning rate for short times.

Close-ups are the faces alone, cut out of avatars: eyes are then large enough to be drawn well by a small net.
"""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ganforge.avatars import avatar_seed, draw, sample_record
from ganforge.drawing.grids import Pictures
from ganforge.model import Model, load
from ganforge.pictures.workers import in_order, wanted_workers
from ganforge.progress import Progress
from ganforge.training import start
from ganforge.training.folder import Event

SIDE = 32
SETTINGS = {"g.widths": "128,64,32", "d.widths": "32,64,128", "batch_size": "16", "learning_rate": "0.0007"}
"""Within a minute on two cores these gave better faces than dcgan's own widths and its learning rate of 0.0002."""
LEFT, TOP, REACH = 0.25, 0.21875, 0.5
"""The face within an avatar, as shares of its side."""
DRAWN_AT_ONCE = 64


def train_little(pictures: str | Path, minutes: float, out: Path, what: str, progress: Progress) -> Model:
    """A model of pictures of 32×32 pixels; ``what`` names it on the bar."""

    def show(event: Event) -> None:
        if event["event"] == "tick":
            progress(what, int(1000 * event["fraction"]), 1000)

    run = start.train(
        pictures, minutes=minutes, size=SIDE, settings=SETTINGS, out=out, observers=[show], progress=progress
    )
    return load(run.path)


def close_up(avatar: Pictures) -> Pictures:
    """(2S, 2S, 3) → (S, S, 3), the face."""
    side = len(avatar)
    left, top, reach = (round(share * side) for share in (LEFT, TOP, REACH))
    return avatar[top : top + reach, left : left + reach]


def write_close_ups(folder: Path, collection: int, count: int, progress: Progress) -> None:
    """PNG files of ``count`` faces of 32×32 pixels, of avatars of that collection's seed."""
    folder.mkdir(parents=True)
    seeds = [avatar_seed(collection, i) for i in range(count)]
    chunks = [seeds[i : i + DRAWN_AT_ONCE] for i in range(0, count, DRAWN_AT_ONCE)]
    done = 0
    for chunk in in_order(_draw_faces, SIDE, chunks, wanted_workers()):
        for face in chunk:
            Image.fromarray(face).save(folder / f"{done:05}.png")
            done += 1
        progress("drawing faces", done, count)


def _draw_faces(side: int, seeds: Sequence[int]) -> list[Pictures]:
    return [close_up(draw(sample_record(seed), seed, 2 * side)) for seed in seeds]
