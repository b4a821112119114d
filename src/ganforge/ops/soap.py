"""Adam in the eigenbases of gradients.

SOAP (Vyas et al., "SOAP: Improving and Stabilizing Shampoo using Adam", arXiv 2409.11321): Adam gives every number of a kernel a
step of its own, by that number's own gradients. Here it does so along the directions in which the gradients of all numbers
vary together, which are followed slowly: more is learned from as many pictures, for some more products (bench/STUDY.md, “SOAP”).

Deviations: directions are those of maps, before and after a convolution, and all places of its kernel share them; they are
renewed by one step of orthogonal iteration, as in the paper, which leaves the second moments as they are; biases, linear layers
and kernels of few maps have plain Adam.

Shapes: kernels B×A×K×K, from A maps to B.
"""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

FEWEST_MAPS = 16
"""Kernels of fewer maps, before or after, are moved by plain Adam."""
RENEWED_EVERY, SEEN_EVERY = 10, 2
"""Steps after which directions are renewed, and after which gradients are counted in."""
SETTLING = 6
"""Steps in which they are renewed whenever gradients are counted in: one gradient says little of them."""
FORGETTING = 0.05
"""Share of what is known of directions that a gradient that is counted in replaces."""
EPSILON = 1e-12
"""Beside the root of a second moment: gradients of mean losses are small."""


class Soap(torch.optim.Adam):
    """Adam, but for the groups that are ``rotated``, whose weights are kernels. A step spends those kernels' gradients."""

    def __init__(self, groups: Iterable[dict[str, Any]], rate: float, betas: tuple[float, float]) -> None:
        super().__init__(groups, rate, betas, fused=True)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Move all weights. Products are computed as autocast says, directions in float32."""
        for group in self.param_groups:
            if group.get("rotated"):
                for weight in group["params"]:
                    if weight.grad is not None:
                        _move(weight, weight.grad, group, self.state[weight])
                        weight.grad = None
        return super().step(closure)


def rotatable(weight: nn.Parameter) -> bool:
    """Whether it is a kernel of enough maps."""
    return weight.ndim == 4 and weight.shape[-1] > 1 and min(weight.shape[:2]) >= FEWEST_MAPS


def _move(weight: Tensor, slopes: Tensor, group: dict[str, Any], state: dict[str, Tensor]) -> None:
    beta1, beta2 = group["betas"]
    slopes = slopes.permute(0, 2, 3, 1).contiguous()  # as channels-last kernels lie: one product for all places
    if not state:
        state["step"] = torch.zeros(())
        state["exp_avg_sq"] = torch.zeros_like(slopes)
        if beta1:
            state["exp_avg"] = torch.zeros_like(slopes)
    state["step"] += 1
    step = int(state["step"])
    _follow(state, slopes, step)
    left, right = state["left"], state["right"]
    turned = _turned(slopes, left.T, right)
    spread = state["exp_avg_sq"].mul_(beta2).addcmul_(turned, turned, value=1 - beta2)
    if beta1:
        mean = state["exp_avg"].lerp_(slopes, 1 - beta1)
        turned = _turned(mean, left.T, right) / (1 - beta1**step)
    turned = turned / (spread / (1 - beta2**step)).sqrt_().add_(EPSILON)
    weight.add_(_turned(turned, left, right.T).permute(0, 3, 1, 2), alpha=-group["lr"])


def _follow(state: dict[str, Tensor], slopes: Tensor, step: int) -> None:
    """Count a gradient in, and renew the directions ``left``, B×B, and ``right``, A×A, one a column, where that is due."""
    with torch.autocast(slopes.device.type, enabled=False):
        rows, columns = slopes.flatten(1), slopes.flatten(0, 2)
        if step == 1:
            for name, among in (("left", rows @ rows.T), ("right", columns.T @ columns)):
                state[f"{name}_among"], state[name] = FORGETTING * among, _first(among)
            return
        if step % SEEN_EVERY == 0:
            state["left_among"].mul_(1 - FORGETTING).addmm_(rows, rows.T, alpha=FORGETTING)
            state["right_among"].mul_(1 - FORGETTING).addmm_(columns.T, columns, alpha=FORGETTING)
            if step % RENEWED_EVERY == 0 or step <= SETTLING:
                for name in ("left", "right"):
                    state[name] = _renewed(state[f"{name}_among"] @ state[name])


def _first(among: Tensor) -> Tensor:
    """Eigenvectors, that of the greatest eigenvalue first: the order that orthogonal iteration keeps. Where a gradient is not
    finite they are not either, so that the loop finds it out.
    """
    if not torch.isfinite(among).all():
        return torch.full_like(among, math.nan)
    directions: Tensor = torch.linalg.eigh(_decomposable(among))[1].flip(1)
    return directions.to(among.device).contiguous()


def _renewed(grown: Tensor) -> Tensor:
    """The same directions, a step of orthogonal iteration on."""
    directions: Tensor = torch.linalg.qr(_decomposable(grown))[0]
    return directions.to(grown.device).contiguous()


def _decomposable(matrix: Tensor) -> Tensor:
    """Where PyTorch decomposes it: not on MPS, in all versions that we take."""
    return matrix.cpu() if matrix.device.type == "mps" else matrix


def _turned(slopes: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """B×K×K×A → the same, seen along other directions of B and of A. In float32, whatever the products are computed in."""
    b, *_, a = slopes.shape
    return ((left @ slopes.view(b, -1)).view(-1, a) @ right).float().view_as(slopes)
