"""Bytes of a picture file → uint8 RGB, the way a person would see it on a screen.

Turned as its EXIF orientation says, colours brought from its ICC profile to sRGB, transparency laid over a background,
grey, palette, CMYK, 16-bit and floating-point modes spread over 0 … 255, the first frame of what moves. What Pillow
would read only in part (a cut-off file) is refused: half a picture must not teach a generator that pictures are grey
below.
"""

import contextlib
import functools
import io
import logging
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from ganforge.pictures.collection import Pixels, UnreadablePicture

Image.init()
logging.getLogger("PIL").addHandler(logging.NullHandler())  # what it would print, the reasons below say
FORMATS: list[str] = [
    name
    for name in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "PPM", "JPEG2000")
    if name in Image.OPEN  # AVIF and WebP where Pillow was built with them
]
"""What may be opened. Pillow knows more formats, some of which start other programs or have no recognisable header."""

SUFFIXES = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".mpo": "JPEG", ".png": "PNG", ".apng": "PNG",
    ".webp": "WEBP", ".gif": "GIF", ".bmp": "BMP", ".dib": "BMP", ".tif": "TIFF", ".tiff": "TIFF", ".avif": "AVIF",
    ".ppm": "PPM", ".pgm": "PPM", ".pbm": "PPM", ".pnm": "PPM", ".jp2": "JPEG2000", ".j2k": "JPEG2000",
}  # fmt: skip

MOST_PIXELS = 178_956_970
"""Read from the header before anything is decoded; twice Pillow's own warning level (a quarter of a gigabyte as RGB,
three times over)."""

MOST_MOVING_PIXELS = MOST_PIXELS // 4
"""A frame of an animation costs its decoder several canvases."""

LEAST_SIDE = 8
"""Narrower pictures are tracking pixels and rulers, nothing to learn from."""

_MAGIC = (
    b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+",
    b"\0\0\0\x0cjP  ",
)  # fmt: skip

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Facts:
    """What a file said of itself: for `ganforge data inspect`.

    Attributes:
        width: in pixels, as seen (after orientation).
        height: in pixels, as seen.
        mode: Pillow's name of the pixel format, e.g. "RGB", "CMYK", "I;16".
        format: as the content says, e.g. "JPEG".
        frames: more than 1 for animations and multi-page files, of which one is used.
    """

    width: int
    height: int
    mode: str
    format: str
    frames: int = 1


def looks_like_picture(head: bytes) -> bool:
    """Whether the first 32 bytes of a file are those of a picture format."""
    riff = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    heif = head[4:8] == b"ftyp" and b"avi" in head[8:32]
    return head.startswith(_MAGIC) or riff or heif


def format_of(name: str) -> str | None:
    """The format that a file's suffix promises; None for suffixes that are no picture's."""
    suffix = "." + name.rsplit(".", 1)[-1].lower() if "." in name else ""
    return SUFFIXES.get(suffix)


def decode(
    data: bytes, *, background: Colour = (255, 255, 255), least: tuple[int, int] | None = None
) -> tuple[Pixels, Facts]:
    """Decode one file.

    Args:
        data: the file's bytes.
        background: what shows through where the picture is transparent, 0 … 255.
        least: (height, width) that is enough; a JPEG larger than that is decoded at a half, quarter or eighth.

    Returns:
        Pixels (H, W, 3) and what the file said of itself.

    Raises:
        UnreadablePicture: with the reason.
    """
    if not data:
        raise UnreadablePicture("empty (0 bytes)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd but readable files; what matters is checked below
            return _decode(data, background, least)
    except UnreadablePicture:
        raise
    except UnidentifiedImageError:
        raise UnreadablePicture(_not_a_picture(data)) from None
    except Image.DecompressionBombError:
        raise UnreadablePicture(f"more than {MOST_PIXELS:,} pixels") from None
    except MemoryError:
        raise UnreadablePicture("too large for the memory of this computer") from None
    except Exception as error:  # Pillow's plugins raise almost anything on damaged files
        words = str(error) or type(error).__name__
        cut = any(word in words.lower() for word in ("truncated", "premature", "end of file", "unexpected end"))
        raise UnreadablePicture(f"{'cut off' if cut else 'damaged'}: {words}"[:200]) from None


def from_array(values: Pixels, background: Colour = (255, 255, 255)) -> tuple[Pixels, Facts]:
    """uint8 (H, W), or (H, W, C) of 3 or 4 channels → pixels (H, W, 3). Raises UnreadablePicture."""
    image = Image.fromarray(np.ascontiguousarray(values))
    _check_size(*image.size)
    return np.asarray(_to_rgb(image, background)), Facts(*image.size, image.mode, "array")


def _check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise UnreadablePicture(f"{width}×{height} pixels: more than {MOST_PIXELS:,}")
    if min(width, height) < LEAST_SIDE:
        raise UnreadablePicture(f"{width}×{height} pixels: smaller than {LEAST_SIDE}")


def _not_a_picture(data: bytes) -> str:
    if {b"WEBP": "WEBP", b"avif": "AVIF", b"avis": "AVIF"}.get(data[8:12], "JPEG") not in FORMATS:
        return "WebP or AVIF, which this installation of Pillow cannot read: `pip install -U pillow`"
    if looks_like_picture(data[:32]):
        return "damaged: its header cannot be read"
    if data.lstrip()[:5].lower() in (b"<svg ", b"<?xml") or data.lstrip()[:5].lower() == b"<!doc":
        return "not a picture: text (SVG, XML or HTML)"
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1"):
        return "HEIC, which Pillow cannot read: save it as JPEG or PNG"
    if not any(data[:4096]):
        return "not a picture: zeros only"
    return "not a picture"


def _decode(data: bytes, background: Colour, least: tuple[int, int] | None) -> tuple[Pixels, Facts]:
    image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    width, height, mode = *image.size, image.mode
    _check_size(width, height)
    orientation = _orientation(image)
    if least is not None and image.format in ("JPEG", "MPO"):
        image.draft(None, (least[1], least[0]) if orientation < 5 else least)
    frames = int(getattr(image, "n_frames", 1)) if image.format != "MPO" else 1
    if frames > 1 and width * height > MOST_MOVING_PIXELS:
        raise UnreadablePicture(f"{width}×{height} pixels in {frames} frames: more than {MOST_MOVING_PIXELS:,}")
    with _libtiff_silent() if image.format == "TIFF" else contextlib.nullcontext():
        image.load()
    if frames > 1 and image.format in ("GIF", "WEBP", "PNG", "AVIF") and _is_blank(image):
        image.seek(frames // 2)  # an animation that fades in from nothing
        image.load()
    rgb = _to_rgb(image, background)
    if orientation in _TURNS:
        rgb = rgb.transpose(_TURNS[orientation])
        width, height = (height, width) if orientation >= 5 else (width, height)
    return np.asarray(rgb), Facts(width, height, mode, "JPEG" if image.format == "MPO" else image.format or "?", frames)


@contextlib.contextmanager
def _libtiff_silent() -> Iterator[None]:
    """libtiff prints what it finds in damaged files straight to file descriptor 2, over any progress bar."""
    try:
        kept = os.dup(2)
    except OSError:  # there is no such descriptor, and nobody to disturb
        yield
        return
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:
        return 1  # damaged EXIF: the pixels may be whole


def _is_blank(image: Image.Image) -> bool:
    extremes: Any = image.convert("RGBA").getextrema()
    return all(low == high for low, high in extremes) or extremes[3][1] == 0


def _to_rgb(image: Image.Image, background: Colour) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_spread(np.asarray(image), image)).convert("RGB")
    profile = image.info.get("icc_profile")
    alpha = None
    if image.has_transparency_data:
        if image.mode not in ("RGBA", "LA"):
            # Palettes, "transparency" chunks and premultiplied modes all become plain RGBA.
            image = image.convert("LA" if image.mode == "La" else "RGBA")
        alpha = image.getchannel("A")
        image = image.convert("L" if image.mode == "LA" else "RGB")
    elif image.mode in ("P", "PA"):
        image = image.convert("RGB")
    elif image.mode == "1":
        image = image.convert("L")
    image = _to_srgb(image, profile)
    if alpha is None:
        return image
    under = Image.new("RGB", image.size, background)
    under.paste(image, mask=alpha)
    return under


def _spread(values: np.ndarray[Any, Any], image: Image.Image) -> Pixels:
    """One channel of whole or floating-point numbers → 0 … 255.

    A 16-bit PNG uses its whole range by definition. Other files are asked for the bits they really use (8, 12 or 16 for
    the cameras and microscopes that write such TIFFs); floating-point pictures for which of [0, 1], [−1, 1] and
    [0, 255] holds them; what fits nowhere is stretched from its minimum to its maximum.
    """
    if image.mode == "F":
        values = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
        low, high = float(values.min()), float(values.max())
        bounds = next((b for b in ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)) if b[0] <= low and high <= b[1]), (low, high))
    else:
        values = values.astype(np.float64)
        low, high = float(values.min()), float(values.max())
        steps = (65535.0,) if image.format == "PNG" else (255.0, 4095.0, 65535.0)
        bounds = next(((0.0, top) for top in steps if low >= 0 and high <= top), (low, high))
    spread = (values - bounds[0]) / (bounds[1] - bounds[0] or 1.0) * 255
    return np.clip(np.rint(spread), 0, 255).astype(np.uint8)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode == "LAB":
        transform = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
        return ImageCms.applyTransform(image, transform) or image
    if profile and image.mode in ("RGB", "L", "CMYK"):
        known = _transform(profile, image.mode)
        if known is not None:
            return ImageCms.applyTransform(image, known) or image
    return image if image.mode == "RGB" else image.convert("RGB")


@functools.lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From the profile's colours to sRGB; None for sRGB itself and for profiles that are damaged or of another mode."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if mode == "RGB" and "srgb" in (ImageCms.getProfileDescription(source) or "").lower():
            return None
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
