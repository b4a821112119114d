"""Minibatch features: a discriminator sees how alike the pictures of a batch are, so that a generator which draws one
picture again and again gives itself away.

Both belong in D, and are computed within the real batch and within the generated batch apart.
Shapes: N pictures of a batch · A features of a picture · B kernels · C numbers a kernel.
"""

from typing import Any

import torch
from torch import Tensor, nn


class MinibatchDiscrimination(nn.Module):
    """f N×A → N×B: for each of B kernels, how close the rest of the batch is; the next layer reads it beside f.

        M_i = f(x_i) · T ∈ ℝ^{B×C},  T ∈ ℝ^{A×B×C} learned
        o(x_i)_b = Σ_{j≠i} exp(−‖M_{i,b} − M_{j,b}‖₁)

    Salimans et al., "Improved Techniques for Training GANs", arXiv 1606.03498, §3.2. The picture itself, which would add
    the constant 1, is left out, as in the paper's words ("other samples") and in its published code. B = 100 and C = 5
    are that code's; T starts as N(0, 1/A), so that distances are of order C whatever A is.
    """

    def __init__(self, features: int, kernels: int = 100, dims: int = 5) -> None:
        super().__init__()
        self.tensor = nn.Parameter(torch.randn(features, kernels, dims) * features**-0.5)

    def forward(self, features: Tensor) -> Tensor:
        """…×N×A → …×N×B, whatever stands before N."""
        rows = features @ self.tensor.flatten(1)  # autocast knows @, not tensordot
        rows = rows.reshape(*rows.shape[:-1], *self.tensor.shape[1:])
        return closeness(rows).to(features.dtype)


def closeness(rows: Tensor) -> Tensor:
    """M …×N×B×C → o …×N×B, computed in float32: Σ over the *other* pictures j of exp(−‖M_i − M_j‖₁), each in (0, N − 1]."""
    m = rows.float().movedim(-3, -2).contiguous()  # …×B×N×C
    distances: Tensor = _Distances.apply(m)  # type: ignore[no-untyped-call]
    return (distances.neg().exp().sum(-1) - 1).movedim(-2, -1)


class _Distances(torch.autograd.Function):
    """…×N×C → …×N×N, L1. As fast as torch.cdist, and differentiable twice, which that is not: gradient penalties ask."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        distances = torch.cdist(rows, rows, p=1.0)
        ctx.save_for_backward(rows, distances)
        return distances

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> Tensor:
        rows, distances = ctx.saved_tensors
        both = slopes + slopes.transpose(-1, -2)  # a row stands on both sides
        if not torch.is_grad_enabled() and rows.device.type != "mps":  # where that kernel is missing
            fast: Tensor = torch.ops.aten._cdist_backward(both.contiguous(), rows, rows, 1.0, distances)
            return fast
        signs = torch.sign(rows.unsqueeze(-2) - rows.unsqueeze(-3))  # …×N×N×C
        return (both.unsqueeze(-1) * signs).sum(-2)


def minibatch_stddev(maps: Tensor, group: int = 4) -> Tensor:
    """N×C×H×W → N×(C + 1)×H×W: one more map that holds the spread within a group of ``group`` pictures.

    Karras et al., "Progressive Growing of GANs", arXiv 1710.10196, §3, in the grouped form of StyleGAN2: the standard
    deviation over the group at every place, averaged over maps and places. Pictures i, i + n, i + 2n … (n = N / group)
    are a group; a batch that does not divide is one group.
    """
    size = group if len(maps) % group == 0 else len(maps)
    groups = maps.float().reshape(size, -1, *maps.shape[1:])
    variance = (groups - groups.mean(0)).square().mean(0)  # torch.var over the first axis takes ten times as long
    spread = (variance + 1e-8).sqrt().mean((1, 2, 3), keepdim=True)  # n×1×1×1
    return torch.cat((maps, spread.repeat(size, 1, *maps.shape[2:]).to(maps.dtype)), 1)
