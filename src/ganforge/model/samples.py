"""Pictures that a Model made, with the seeds that make them again."""

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from ganforge.drawing.grids import Pictures, grid, save_png
from ganforge.errors import UsageError
from ganforge.files import check_new, replacing

MADE_BY_A_MACHINE = "AI-generated"


@dataclass(frozen=True)
class Samples:
    """N generated pictures; a notebook shows them as a sheet.

    Attributes:
        pictures: uint8 (N, H, W, 3).
        seeds: of each picture.
        model: the Model's id.
        psi: truncation the pictures were made with.
        verdicts: how real D finds each (0 … 1), where it was asked.
        title: a line above the sheet, e.g. that the pictures were picked.
    """

    pictures: Pictures = field(repr=False)
    seeds: tuple[int, ...]
    model: str
    psi: float = 1.0
    verdicts: tuple[float, ...] | None = None
    title: str | None = None

    def __len__(self) -> int:
        return len(self.pictures)

    def __iter__(self) -> Iterator[Image.Image]:
        return (Image.fromarray(picture) for picture in self.pictures)

    def sheet(self, columns: int | None = None) -> Pictures:
        """All pictures on one sheet, uint8 (height, width, 3)."""
        return grid(self.pictures, columns=columns, title=self.title)

    def _recipe(self, seed: int | None = None) -> dict[str, str]:
        seeds = str(seed) if seed is not None else ",".join(map(str, self.seeds))
        return {
            "Source": MADE_BY_A_MACHINE,
            "Software": "ganforge",
            "model": self.model,
            "seed": seeds,
            "psi": f"{self.psi:g}",
        }

    def save_sheet(self, path: Path | str, columns: int | None = None) -> Path:
        """Write the sheet as a PNG that carries its recipe. Raises UsageError where the file is there already."""
        path = _free(Path(path))
        with _explained(path):
            save_png(self.sheet(columns), path, text=self._recipe())
        return path

    def save_folder(self, path: Path | str) -> Path:
        """Write one PNG a picture, named by its seed, into a new or empty folder; all of them or none."""
        path = Path(path)
        check_new(path, folder=True)
        _writable(path)
        partial = path.with_name(f".{path.name}.partial")
        with _explained(path):
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            try:
                for picture, seed in zip(self.pictures, self.seeds, strict=True):
                    save_png(picture, partial / f"seed{seed}.png", text=self._recipe(seed))
                if path.exists():
                    path.rmdir()
                partial.replace(path)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        return path

    def save_npz(self, path: Path | str) -> Path:
        """Write ``images`` uint8 (N, H, W, 3) and ``seeds`` uint64 (N,) into one file."""
        path = _free(Path(path))
        with _explained(path), replacing(path) as partial, partial.open("wb") as file:
            np.savez(file, images=self.pictures, seeds=np.array(self.seeds, dtype=np.uint64))
        return path

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(self.sheet()).save(buffer, format="png")
        return buffer.getvalue()


def _free(path: Path) -> Path:
    check_new(path)
    _writable(path)
    return path


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Name the user's own file, not the temporary one beside it, when a disk is full or read-only."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}. Name another place.") from None


def _writable(path: Path) -> None:
    there = next((p for p in (path.absolute()).parents if p.exists()), None)
    if there is not None and not there.is_dir():
        raise UsageError(f"{path} cannot be written: {there} is a file, not a folder.")
