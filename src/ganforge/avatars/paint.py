"""Brush and ink: the few strokes that every layer is drawn with, on a canvas of 256 × 256 units.

The only module that imports skia at its top; the layers import it from here.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import cos, hypot, pi, sin

from ganforge.avatars.palette import Material
from ganforge.errors import MissingDependencyError

try:
    import skia
except ImportError as error:
    raise MissingDependencyError(
        f"The avatars are drawn with skia, which cannot be loaded here ({error}). On a Linux server run "
        "`apt-get install libegl1 libgl1`; if it is not installed at all, `pip install skia-python`."
    ) from error

Point = tuple[float, float] | tuple[float, float, int]
"""(x, y), or (x, y, 0) for a corner: a curve runs smoothly through the former and bends sharply at the latter."""

_OPAQUE = 0xFF000000


def _argb(colour: int, alpha: float) -> int:
    return int(alpha * 255 + 0.5) << 24 | colour if alpha < 1 else _OPAQUE | colour


def smooth(points: Sequence[Point], closed: bool = True) -> skia.Path:
    """A curve through ``points`` (Catmull–Rom tangents, shortened toward the nearer neighbour)."""
    path = skia.Path()
    n = len(points)
    lengths = [
        hypot(points[(i + 1) % n][0] - points[i][0], points[(i + 1) % n][1] - points[i][1]) + 1e-6 for i in range(n)
    ]
    backward: list[tuple[float, float]] = []  # control points before and after each point
    forward: list[tuple[float, float]] = []
    for i, point in enumerate(points):
        x, y = point[0], point[1]
        if len(point) == 3 or (not closed and i in (0, n - 1)):
            backward.append((x, y))
            forward.append((x, y))
            continue
        before, after = points[i - 1], points[(i + 1) % n]
        share = 0.42 / (lengths[i - 1] + lengths[i])
        dx, dy = (after[0] - before[0]) * share, (after[1] - before[1]) * share
        backward.append((x - dx * lengths[i - 1], y - dy * lengths[i - 1]))
        forward.append((x + dx * lengths[i], y + dy * lengths[i]))
    path.moveTo(points[0][0], points[0][1])
    for i in range(n if closed else n - 1):
        j = (i + 1) % n
        path.cubicTo(*forward[i], *backward[j], points[j][0], points[j][1])
    if closed:
        path.close()
    return path


def polygon(points: Sequence[tuple[float, float]]) -> skia.Path:
    """A closed shape with straight sides."""
    path = skia.Path()
    path.moveTo(*points[0])
    for x, y in points[1:]:
        path.lineTo(x, y)
    path.close()
    return path


def ellipse(x: float, y: float, rx: float, ry: float) -> skia.Path:
    """An ellipse around (x, y)."""
    path = skia.Path()
    path.addOval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry))
    return path


def star(x: float, y: float, outer: float, inner: float, rays: int = 5) -> skia.Path:
    """A star around (x, y), one ray upward, its sides straight."""
    points = []
    for i in range(2 * rays):
        a, r = pi * i / rays, inner if i % 2 else outer
        points.append((x + r * sin(a), y - r * cos(a)))
    return polygon(points)


def leaf(x0: float, y0: float, x1: float, y1: float, bend: float, width: float) -> skia.Path:
    """A stroke that tapers at both ends, from one point to the other, bulging sideways by ``bend``."""
    length = hypot(x1 - x0, y1 - y0) + 1e-6
    nx, ny = -(y1 - y0) / length, (x1 - x0) / length
    mx, my = (x0 + x1) / 2, (y0 + y1) / 2
    path = skia.Path()
    path.moveTo(x0, y0)
    path.quadTo(mx + nx * (bend + width), my + ny * (bend + width), x1, y1)
    path.quadTo(mx + nx * (bend - width), my + ny * (bend - width), x0, y0)
    path.close()
    return path


class Painter:
    """Draws on one canvas.

    Attributes:
        bold: factor on the width of lines; small pictures get relatively bolder ink, as an illustrator would.
        fine: whether details smaller than a pixel at 48 px are worth drawing.
        light: −1 where the light comes from the left, 1 from the right.
    """

    def __init__(self, canvas: skia.Canvas, size: int, light: int) -> None:
        self.canvas = canvas
        self.bold = (256 / size) ** 0.3
        self.fine = size >= 48
        self.light = light
        self._fill = skia.Paint(AntiAlias=True)
        self._line = skia.Paint(
            AntiAlias=True,
            Style=skia.Paint.kStroke_Style,
            StrokeCap=skia.Paint.kRound_Cap,
            StrokeJoin=skia.Paint.kRound_Join,
        )
        self._edge = skia.Paint(
            AntiAlias=True, Style=skia.Paint.kStrokeAndFill_Style, StrokeJoin=skia.Paint.kRound_Join
        )

    def fill(self, path: skia.Path, colour: int, alpha: float = 1.0) -> None:
        """Flat colour."""
        self._fill.setColor(_argb(colour, alpha))
        self.canvas.drawPath(path, self._fill)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: int, alpha: float = 1.0) -> None:
        """A flat ellipse around (x, y)."""
        self._fill.setColor(_argb(colour, alpha))
        self.canvas.drawOval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry), self._fill)

    def box(self, left: float, top: float, right: float, bottom: float, colour: int, alpha: float = 1.0) -> None:
        """A flat rectangle."""
        self._fill.setColor(_argb(colour, alpha))
        self.canvas.drawRect(skia.Rect.MakeLTRB(left, top, right, bottom), self._fill)

    def line(self, path: skia.Path, colour: int, width: float, alpha: float = 1.0) -> None:
        """An ink line of even width."""
        self._line.setColor(_argb(colour, alpha))
        self._line.setStrokeWidth(width * self.bold)
        self.canvas.drawPath(path, self._line)

    def leaf(
        self, x0: float, y0: float, x1: float, y1: float, bend: float, width: float, colour: int, alpha: float = 1.0
    ) -> None:
        """An ink line that tapers at both ends."""
        self.fill(leaf(x0, y0, x1, y1, bend, width * self.bold), colour, alpha)

    def shape(self, path: skia.Path, material: Material, width: float = 1.3) -> None:
        """A surface with its outline; the line swells on the side that is turned from the light."""
        width *= self.bold
        self._edge.setColor(_OPAQUE | material.line)
        self._edge.setStrokeWidth(2 * width)
        self.canvas.drawPath(path, self._edge)
        self._fill.setColor(_OPAQUE | material.base)
        self.canvas.translate(0.3 * width * self.light, -0.3 * width)
        self.canvas.drawPath(path, self._fill)
        self.canvas.translate(-0.3 * width * self.light, 0.3 * width)

    def fade(
        self,
        path: skia.Path,
        start: tuple[float, float],
        end: tuple[float, float],
        colours: Sequence[tuple[int, float]],
        stops: Sequence[float] | None = None,
    ) -> None:
        """A gradient along a line; ``colours`` are (colour, alpha)."""
        shader = skia.GradientShader.MakeLinear([start, end], [_argb(c, a) for c, a in colours], stops)
        self.canvas.drawPath(path, skia.Paint(AntiAlias=True, Shader=shader))

    def glow(self, x: float, y: float, radius: float, colour: int, alpha: float, flat: float = 1.0) -> None:
        """A soft spot that fades to nothing at ``radius``; ``flat`` < 1 squeezes it in height."""
        shader = skia.GradientShader.MakeRadial((0, 0), radius, [_argb(colour, alpha), colour])
        self.canvas.save()
        self.canvas.translate(x, y)
        self.canvas.scale(1, flat)
        self.canvas.drawCircle(0, 0, radius, skia.Paint(AntiAlias=True, Shader=shader))
        self.canvas.restore()

    @contextmanager
    def inside(self, path: skia.Path) -> Iterator[None]:
        """What is drawn in this block stays inside ``path``."""
        self.canvas.save()
        self.canvas.clipPath(path, skia.ClipOp.kIntersect, True)
        yield
        self.canvas.restore()

    @contextmanager
    def moved(
        self, x: float = 0.0, y: float = 0.0, turn: float = 0.0, wide: float = 1.0, high: float = 1.0
    ) -> Iterator[None]:
        """What is drawn in this block is scaled, turned (degrees, clockwise), then moved."""
        self.canvas.save()
        self.canvas.translate(x, y)
        if turn:
            self.canvas.rotate(turn)
        if wide != 1 or high != 1:
            self.canvas.scale(wide, high)
        yield
        self.canvas.restore()
