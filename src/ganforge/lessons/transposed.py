"""Transposed convolution, which makes a small map a larger one: written three ways, all in NumPy.

    scatter                every input pixel stamps the kernel, times itself, onto the output; stamps add up
    stretch, then convolve zeros between the pixels, a margin around them, and an ordinary convolution over it
    resize, then convolve  what to do instead where the stamps' overlaps leave a checkerboard

Shapes: input H×W, kernel K×K, output (H − 1)·stride + K high: 2×2 with kernel 3 and stride 2 becomes 5×5.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.float64]


def scatter(small: Map, kernel: Map, stride: int) -> Iterator[tuple[int, int, Map]]:
    """Stamp after stamp: (row, column) of the input pixel, and the output so far."""
    size = len(kernel)
    out = np.zeros([(side - 1) * stride + size for side in small.shape])
    for row, column in np.ndindex(*small.shape):
        top, left = row * stride, column * stride
        out[top : top + size, left : left + size] += small[row, column] * kernel
        yield row, column, out.copy()


def transposed_convolution(small: Map, kernel: Map, stride: int) -> Map:
    """The output when all stamps are down."""
    *_, (_, _, out) = scatter(small, kernel, stride)
    return out


def stretch(small: Map, kernel_size: int, stride: int) -> Map:
    """Zeros between the pixels (stride − 1) and a margin of kernel − 1 around them: what the convolution runs over."""
    margin = kernel_size - 1
    wide = np.zeros([(side - 1) * stride + 1 for side in small.shape])
    wide[::stride, ::stride] = small
    return np.pad(wide, margin)


def convolve(picture: Map, kernel: Map) -> Map:
    """An ordinary convolution without margin: the kernel, turned by 180°, over every place where it fits."""
    windows = np.lib.stride_tricks.sliding_window_view(picture, kernel.shape)
    out: Map = np.einsum("ijkl,kl->ij", windows, kernel[::-1, ::-1])
    return out


def resize_then_convolve(small: Map, kernel: Map, factor: int) -> Map:
    """Each pixel becomes a block, then a convolution that keeps the size (edges repeated)."""
    large = np.repeat(np.repeat(small, factor, axis=0), factor, axis=1)
    return convolve(np.pad(large, len(kernel) // 2, mode="edge"), kernel)


def overlaps(side: int, kernel_size: int, stride: int) -> Map:
    """How many stamps lie on each output pixel."""
    return transposed_convolution(np.ones((side, side)), np.ones((kernel_size, kernel_size)), stride)


def checkerboard(picture: Map, stride: int = 2) -> float:
    """How much of a picture is checkerboard: standard deviation of the means of its stride² sublattices, over its mean.

    0 where all sublattices are equally bright. One kernel's reach at the edges is left out.
    """
    inner = picture[3:-3, 3:-3]
    side = (min(inner.shape) // stride) * stride
    means = [inner[i:side:stride, j:side:stride].mean() for i in range(stride) for j in range(stride)]
    return float(np.std(means) / abs(np.mean(means)))
