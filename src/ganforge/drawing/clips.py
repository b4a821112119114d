"""Moving pictures: frames uint8 (H, W, 3) in, .mp4, .gif or .webp out, in bounded memory."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from ganforge.drawing.grids import Pictures
from ganforge.errors import UsageError
from ganforge.files import replacing

SUFFIXES = (".mp4", ".gif", ".webp")

CRF = 23

ENCODERS = {"libx264": {"preset": "medium"}, "libopenh264": {}, "mpeg4": {"qmin": "2", "qmax": "5"}}
"""In the order of preference; which of them there is depends on how PyAV was built. mpeg4 is always there."""

GIF_LONGEST_SIDE = 560
GIF_MOST_FRAMES = 150
GIF_MOST_BYTES = 8_000_000
"""A gif is for chats and README files, which refuse or shrink larger ones; an mp4 keeps everything."""

PALETTE_SAMPLES, PALETTE_SIDE = 16, 160
"""Frames, and pixels along their longer side, that a gif's palette is made from."""


def write_clip(frames: Iterable[Pictures], path: Path | str, fps: float, *, crf: int = CRF) -> None:
    """Write frames as a clip; the suffix names the format. Atomic.

    Args:
        frames: uint8 (H, W, 3) each, all of one size; read once, never all in memory.
        path: ``.mp4`` (H.264, yuv420p, odd sizes padded to even ones by repeating the last row or column), ``.gif``
            (one palette for the whole clip; long, large or heavy clips are thinned out and shrunk) or ``.webp``.
        fps: frames a second, > 0.
        crf: quality of an mp4, 0 (exact) … 51 (worst); six more halve the file. Encoders other than x264 ignore it.

    Raises:
        UsageError: another suffix.
        ValueError: no frames, or frames of different sizes.
        OSError: when the file cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"Clips are written as {', '.join(SUFFIXES)}; {path.name!r} ends in none of them.")
    if not fps > 0:
        raise ValueError(f"a clip needs more than {fps} frames a second")
    with replacing(path) as temporary:
        if suffix == ".mp4":
            _write_mp4(_checked(frames), temporary, fps, crf)
        else:
            with _Spool(_checked(frames)) as spool:
                (_write_gif if suffix == ".gif" else _write_webp)(spool, temporary, fps)


def write_both(frames: Sequence[Pictures], path: Path, fps: float) -> None:
    """``path``.mp4 and ``path``.gif: the one for players, the other for pages that take pictures only."""
    for suffix in (".mp4", ".gif"):
        write_clip(frames, path.with_suffix(suffix), fps)


def _checked(frames: Iterable[Pictures]) -> Iterator[Pictures]:
    """The same frames; ValueError for none, for what is no frame, or when the size changes."""
    shape = None
    for frame in frames:
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or not frame.size:
            raise ValueError(f"expected frames of uint8 (H, W, 3), got {frame.dtype} of shape {frame.shape}")
        if shape not in (None, frame.shape):
            raise ValueError(f"all frames need one size; {frame.shape} came after {shape}")
        shape = frame.shape
        yield frame
    if shape is None:
        raise ValueError("a clip needs at least one frame")


# --- mp4 --------------------------------------------------------------------------------------------------------------


def _write_mp4(frames: Iterator[Pictures], path: Path, fps: float, crf: int) -> None:
    import av
    from av.video.reformatter import ColorRange, Colorspace

    encoder = next(name for name in ENCODERS if name in av.codecs_available)
    options = {**ENCODERS[encoder], **({"crf": str(crf)} if encoder == "libx264" else {})}
    rate = Fraction(fps).limit_denominator(1000)
    first = _even(next(frames))
    # faststart puts the index first, so that a browser shows the clip before all of it is there
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream(encoder, rate=rate, options=options)
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = "yuv420p"
        # say how RGB became YUV: players guess differently for small and large clips
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
        context.color_range = ColorRange.MPEG
        for array in _and_then(first, frames):
            frame = av.VideoFrame.from_ndarray(_even(array), format="rgb24")
            yuv = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
            container.mux(stream.encode(yuv))
        container.mux(stream.encode())


def _and_then(first: Pictures, rest: Iterator[Pictures]) -> Iterator[Pictures]:
    yield first
    yield from rest


def _even(frame: Pictures) -> Pictures:
    """The frame with even height and width: yuv420p halves its colours' resolution."""
    h, w, _ = frame.shape
    return np.pad(frame, ((0, h % 2), (0, w % 2), (0, 0)), mode="edge") if h % 2 or w % 2 else frame


# --- gif and webp -----------------------------------------------------------------------------------------------------


class _Spool:
    """Frames kept in a temporary file, so that they can be read twice without holding them in memory."""

    def __init__(self, frames: Iterator[Pictures]) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self.count = 0
        self.shape: tuple[int, ...] = ()
        try:
            for frame in frames:
                self.shape = frame.shape
                self._file.write(np.ascontiguousarray(frame).data)
                self.count += 1
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "_Spool":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getitem__(self, index: int) -> Pictures:
        size = int(np.prod(self.shape))
        self._file.seek(index * size)
        return np.frombuffer(self._file.read(size), np.uint8).reshape(self.shape)


def _write_gif(spool: _Spool, path: Path, fps: float) -> None:
    stride = -(-spool.count // GIF_MOST_FRAMES)
    indices = list(range(0, spool.count, stride))
    if indices[-1] != spool.count - 1:
        indices.append(spool.count - 1)  # the last frame is what the clip leads to
    h, w, _ = spool.shape
    factor = min(1.0, GIF_LONGEST_SIDE / max(h, w))
    while True:
        size = (max(1, round(w * factor)), max(1, round(h * factor)))
        _write_gif_at(spool, indices, size, path, stride / fps)
        too_heavy = path.stat().st_size / GIF_MOST_BYTES
        if too_heavy <= 1 or max(size) <= 64:
            return
        factor *= min(0.9, too_heavy**-0.5)


def _write_gif_at(spool: _Spool, indices: list[int], size: tuple[int, int], path: Path, seconds: float) -> None:
    def picture(index: int) -> Image.Image:
        image = Image.fromarray(spool[index])
        return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)

    palette = _palette([spool[i] for i in indices[:: -(-len(indices) // PALETTE_SAMPLES)]])
    # no dithering: its noise changes in every frame, flickers, and cannot be compressed
    paletted = (picture(i).quantize(palette=palette, dither=Image.Dither.NONE) for i in indices)
    first = next(paletted)
    milliseconds = max(20, round(seconds * 100) * 10)  # a gif counts in hundredths; players slow down below two
    first.save(path, format="GIF", save_all=True, append_images=paletted, duration=milliseconds, loop=0, optimize=False)


def _palette(frames: list[Pictures]) -> Image.Image:
    """256 colours for all frames. A few pixels are enough to find them; unmixed ones keep bars pure."""
    h, w, _ = frames[0].shape
    step = max(1, max(h, w) // PALETTE_SIDE)
    return Image.fromarray(np.concatenate([frame[::step, ::step] for frame in frames])).quantize(256)


def _write_webp(spool: _Spool, path: Path, fps: float) -> None:
    frames = (Image.fromarray(spool[i]) for i in range(spool.count))
    first = next(frames)
    milliseconds = max(1, round(1000 / fps))
    first.save(path, format="WEBP", save_all=True, append_images=frames, duration=milliseconds, loop=0, quality=85)
