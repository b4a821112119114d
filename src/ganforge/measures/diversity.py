"""How different pictures are from one another: the plain sign of collapse."""

import numpy as np
import numpy.typing as npt

THUMB = 8


def spread(pictures: npt.NDArray[np.uint8]) -> float:
    """Mean distance between two pictures of uint8 (N, H, W, 3), N ≥ 2: root mean square over 8×8 thumbnails, 0 … 255.

    Thumbnails see what people mean by "another picture" (layout and colour), and hardly any noise.
    """
    n, height, width, _ = pictures.shape
    rows = np.linspace(0, height, THUMB + 1).astype(int)
    columns = np.linspace(0, width, THUMB + 1).astype(int)
    sums = np.add.reduceat(np.add.reduceat(pictures.astype(np.float64), rows[:-1], axis=1), columns[:-1], axis=2)
    thumbs = sums / np.outer(np.diff(rows), np.diff(columns))[None, :, :, None]
    flat = thumbs.reshape(n, -1)
    squares = (flat**2).sum(1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * flat @ flat.T, 0) / flat.shape[1])
    return float(distances.sum() / (n * (n - 1)))


def relative_spread(made: npt.NDArray[np.uint8], real: npt.NDArray[np.uint8]) -> float:
    """Spread of generated pictures as a share of the real ones' own: 1 is as varied as the real, 0 one single picture."""
    reference = spread(real)
    return spread(made) / reference if reference > 0 else 1.0
