"""Templates → HTML, and pictures → what can stand inside it."""

import base64
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganforge.drawing.grids import Pictures

TEMPLATES = Path(__file__).parent / "templates"

JPEG_QUALITIES = (94, 86, 76, 60)


def render(template: str, **context: Any) -> str:
    """A template of this folder, filled in; values are escaped, and a missing one is an error."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**context)


def template_text(name: str) -> str:
    """A style or script as it stands."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _encoded(picture: Pictures, **options: Any) -> bytes:
    """A picture (H, W, 3) as a file; ``options`` are those of Pillow's ``Image.save``, ``format`` among them."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, **options)
    return buffer.getvalue()


def png(picture: Pictures) -> bytes:
    """Exact, and as small as that allows."""
    return _encoded(picture, format="PNG", optimize=True)


def jpeg(picture: Pictures, quality: int) -> bytes:
    """Quality 1 … 95. Colours keep every pixel: in pictures of 64, half their resolution is seen."""
    return _encoded(picture, format="JPEG", quality=quality, subsampling=0)


def data_uri(data: bytes, kind: str) -> str:
    """A file inside a page; ``kind`` is its media type."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def stills(groups: Sequence[Iterable[Pictures]], *, most_bytes: int, side: int) -> list[list[str]]:
    """Data URIs of every group's pictures, uint8 (H, W, 3) each: all exact, or all JPEG of one quality.

    Args:
        groups: of pictures.
        most_bytes: of all together, wherever JPEG gets so far.
        side: pixels; those with a longer one are reduced to it first.
    """
    small = [[_reduced(picture, side) for picture in group] for group in groups]
    files, kind = [[png(picture) for picture in group] for group in small], "image/png"
    for quality in JPEG_QUALITIES:
        if sum(len(file) for group in files for file in group) <= most_bytes:
            break
        files, kind = [[jpeg(picture, quality) for picture in group] for group in small], "image/jpeg"
    return [[data_uri(file, kind) for file in group] for group in files]


def _reduced(picture: Pictures, side: int) -> Pictures:
    if max(picture.shape) <= side:
        return picture
    image = Image.fromarray(picture)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return np.asarray(image)


def cell(height: int, width: int, largest: int) -> dict[str, int]:
    """CSS pixels that a picture takes, as ``w`` and ``h``: small ones are enlarged by a whole factor up to ``largest``."""
    factor = largest / max(height, width)
    factor = float(int(factor)) if factor >= 1 else factor
    return {"w": max(1, round(width * factor)), "h": max(1, round(height * factor))}
