"""Templates → HTML, and pictures → what can stand inside it."""

import base64
import io
from pathlib import Path
from typing import Any

from PIL import Image

from ganforge.drawing.grids import Pictures

TEMPLATES = Path(__file__).parent / "templates"


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
