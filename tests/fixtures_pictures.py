"""Small pictures and collections in the layouts' own formats, made by the tests that need them."""

import gzip
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image


def pixels(seed: int, height: int = 20, width: int = 20) -> np.ndarray:
    """A smooth coloured picture (H, W, 3) that JPEG keeps well; different for every seed."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def encode(array: np.ndarray, form: str = "PNG", **options) -> bytes:
    """A picture file."""
    buffer = io.BytesIO()
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    image.save(buffer, form, **options)
    return buffer.getvalue()


def png(seed: int, height: int = 20, width: int = 20) -> bytes:
    """A PNG file, different for every seed."""
    return encode(pixels(seed, height, width))


def write(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files below a folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def pictures(count: int, start: int = 0, pattern: str = "{:03d}.png") -> dict[str, bytes]:
    """Names and contents of different pictures."""
    return {pattern.format(i): png(start + i) for i in range(count)}


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    """A zip with UTF-8 names."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def legacy_zip(path: Path, files: dict[str, bytes], encoding: str) -> Path:
    """A zip whose names are in another encoding, without the UTF-8 flag, as Windows writes them."""

    class Info(zipfile.ZipInfo):
        def _encodeFilenameFlags(self):  # noqa: N802 - zipfile's own hook
            return self.filename.encode(encoding), self.flag_bits & ~0x800

    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(Info(name), data)
    return path


def idx(array: np.ndarray) -> bytes:
    """An IDX file of bytes."""
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def idx_gz(array: np.ndarray) -> bytes:
    """A gzipped IDX file."""
    return gzip.compress(idx(array), mtime=0)
