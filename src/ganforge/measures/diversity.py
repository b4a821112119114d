"""How different pictures are from one another: the plain sign of collapse."""

import numpy as np
import numpy.typing as npt

THUMB = 8
SAME = 0.5
"""Grey levels; pictures nearer than that are the same to any eye."""


def spread(pictures: npt.NDArray[np.uint8]) -> float:
    """Mean distance between two pictures of uint8 (N, H, W, 3), N ≥ 2: root mean square over 8×8 thumbnails, 0 … 255.

    Thumbnails see what people mean by "another picture" (layout and colour), and hardly any noise.
    """
    n = len(pictures)
    return float(_distances(pictures, pictures).sum() / (n * (n - 1)))


def _distances(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """(N, M): root mean square between the 8×8 thumbnails of two sets, 0 … 255."""
    x, y = _thumbnails(a), _thumbnails(b)
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1)[None] - 2 * x @ y.T
    distances: npt.NDArray[np.float64] = np.sqrt(np.maximum(squares, 0) / x.shape[1])
    return distances


def _thumbnails(pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """(N, 8·8·3): means over 8×8 equal parts; fewer where there are fewer pixels."""
    n, height, width, _ = pictures.shape
    rows = np.linspace(0, height, min(THUMB, height) + 1).astype(int)
    columns = np.linspace(0, width, min(THUMB, width) + 1).astype(int)
    sums = np.add.reduceat(np.add.reduceat(pictures.astype(np.float64), rows[:-1], axis=1), columns[:-1], axis=2)
    thumbs = sums / np.outer(np.diff(rows), np.diff(columns))[None, :, :, None]
    flat: npt.NDArray[np.float64] = thumbs.reshape(n, -1)
    return flat


def relative_spread(made: npt.NDArray[np.uint8], real: npt.NDArray[np.uint8]) -> float:
    """Spread of generated pictures as a share of the real ones' own: 1 is as varied as the real, 0 one single picture."""
    reference = spread(real)
    return spread(made) / reference if reference > 0 else 1.0


def distinct(made: npt.NDArray[np.uint8], real: npt.NDArray[np.uint8]) -> int:
    """How many of N generated pictures are left when repeats are put aside.

    A picture is a repeat when one kept before it lies nearer than 99 % of as many real pictures lie to their nearest
    neighbour. So nearly all real ones are distinct, and of one picture drawn again and again a single one is left.
    """
    n = min(len(made), len(real))
    among_real = _distances(real[:n], real[:n])
    np.fill_diagonal(among_real, np.inf)
    near = max(np.quantile(among_real.min(1), 0.01), SAME)
    distances = _distances(made[:n], made[:n])
    kept: list[int] = []
    for i in range(n):
        if not kept or distances[i, kept].min() >= near:
            kept.append(i)
    return len(kept)
