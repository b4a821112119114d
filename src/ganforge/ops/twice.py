"""Convolutions that are differentiated twice, as penalties on D's slopes ask for.

PyTorch turns the second derivative by weights into a convolution whose kernel is as large as the maps. On CPUs that takes up to
three times as long as need be (`bench/convolutions.py --twice`), and in bfloat16 on those with AMX its result for fewer than 16
pictures is wrong by more than its own size (torch 2.13): R1 and R2 pushed D's convolutions about at random (bench/STUDY.md,
“Penalties that were not”). It is the ordinary gradient by weights, of other maps, and for that there is fast code. Karras et al.
do the same on GPUs (`conv2d_gradfix` of StyleGAN2-ADA, arXiv 2006.06676); here it was never run on one.

Shapes: N pictures · A, B maps · H×W places.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.overrides import TorchFunctionMode


class DifferentiableTwice(TorchFunctionMode):
    """The context of a pass whose slopes are differentiated again: every 2-D convolution in it, whatever net it belongs to, is
    one of ours.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """See `TorchFunctionMode`."""
        return (convolved if func is F.conv2d else func)(*args, **(kwargs or {}))


@contextmanager
def by_inputs_alone() -> Iterator[None]:
    """Within it slopes that stay differentiable are taken by maps, never by weights, which those of the game do not need: a third
    of the multiplications of a pass. (A custom function is not told which of its slopes are wanted.)
    """
    before, _Convolution.by_inputs_alone = _Convolution.by_inputs_alone, True
    try:
        yield
    finally:
        _Convolution.by_inputs_alone = before


def convolved(
    maps: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """As `torch.nn.functional.conv2d`: maps N×A×H×W → N×B×H'×W'. Padding that is spelled out, and a single picture's maps
    A×H×W, have PyTorch's own slopes.
    """
    if isinstance(padding, str) or maps.dim() != 4:
        return F.conv2d(maps, weight, bias, stride, padding, dilation, groups)
    device = maps.device.type
    if torch.is_autocast_enabled(device):  # which does not reach into custom functions
        dtype = torch.get_autocast_dtype(device)
        maps, weight, bias = maps.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype)
    shape = (_pair(stride), _pair(padding), _pair(dilation), groups)
    made: Tensor = _Convolution.apply(maps, weight, bias, shape)  # type: ignore[no-untyped-call]
    return made


Shape = tuple[list[int], list[int], list[int], int]
"""Stride, padding, dilation, groups."""


class _Convolution(torch.autograd.Function):
    by_inputs_alone = False
    """One for all threads: on accelerators slopes are computed by a thread of their own."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor, bias: Tensor | None, shape: Shape) -> Tensor:
        ctx.save_for_backward(maps, weight)
        ctx.shape, ctx.biases = shape, None if bias is None else list(bias.shape)
        return torch.convolution(maps, weight, bias, *shape[:3], False, [0, 0], shape[3])

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> tuple[Tensor | None, ...]:
        maps, weight = ctx.saved_tensors
        by_maps, by_weight, by_bias = ctx.needs_input_grad[:3]
        if not torch.is_grad_enabled():
            return *_slopes(slopes, maps, weight, ctx.biases, ctx.shape, (by_maps, by_weight, by_bias)), None
        found = _ByMaps.apply(slopes, maps, weight, ctx.shape) if by_maps else None  # type: ignore[no-untyped-call]
        if _Convolution.by_inputs_alone:
            return found, None, None, None
        return found, *_slopes(slopes, maps, weight, ctx.biases, ctx.shape, (False, by_weight, by_bias))[1:], None


class _ByMaps(torch.autograd.Function):
    """A convolution's slopes by its maps, which are linear in the slopes by what it made and in its weights."""

    @staticmethod
    def forward(ctx: Any, slopes: Tensor, maps: Tensor, weight: Tensor, shape: Shape) -> Tensor:
        ctx.save_for_backward(slopes, weight)
        ctx.shape = shape
        found = _slopes(slopes, maps, weight, None, shape, (True, False, False))[0]
        assert found is not None
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, second: Tensor) -> tuple[Tensor | None, ...]:
        slopes, weight = ctx.saved_tensors
        by_slopes, _, by_weight, _ = ctx.needs_input_grad
        stride, padding, dilation, groups = ctx.shape
        again = torch.convolution(second, weight, None, stride, padding, dilation, False, [0, 0], groups)
        moved = _slopes(slopes, second, weight, None, ctx.shape, (False, True, False))[1] if by_weight else None
        return again if by_slopes else None, None, moved, None


def _slopes(
    slopes: Tensor,
    maps: Tensor,
    weight: Tensor,
    biases: list[int] | None,
    shape: Shape,
    wanted: tuple[bool, bool, bool],
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """By maps, weights and biases, those that are wanted."""
    stride, padding, dilation, groups = shape
    found: tuple[Tensor | None, Tensor | None, Tensor | None] = torch.ops.aten.convolution_backward(
        slopes, maps, weight, biases, stride, padding, dilation, False, [0, 0], groups, wanted
    )
    return found


def _pair(number: int | Sequence[int]) -> list[int]:
    return [number, number] if isinstance(number, int) else list(number)
