"""Losses of the adversarial game: logits in, a scalar out. No config, no nets.

s = D's logit, positive for real; D(x) = σ(s); softplus(s) = log(1 + e^s).
"""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ganforge.ops.twice import by_inputs_alone


def discriminator_real(logits: Tensor, target: float = 1.0) -> Tensor:
    """−[t log D(x) + (1 − t) log(1 − D(x))] averaged over N real pictures, t = ``target``.

    A target below 1 is one-sided label smoothing (Salimans et al. 2016, arXiv 1606.03498, §3.4).
    """
    return F.softplus(logits.float()).mean() - target * logits.float().mean()


def discriminator_fake(logits: Tensor) -> Tensor:
    """−log(1 − D(G(z))) averaged over N generated pictures. The target is never smoothed (arXiv 1701.00160, §4.2)."""
    return F.softplus(logits.float()).mean()


def generator_non_saturating(logits: Tensor, target: float = 1.0) -> Tensor:
    """−log D(G(z)), the loss of practice (Goodfellow et al. 2014, §3): strong gradients while D rejects samples.

    ``target`` below 1 smooths what G aims at, as the DCGAN tutorial's notebook does.
    """
    return discriminator_real(logits, target)


def generator_minimax(logits: Tensor) -> Tensor:
    """log(1 − D(G(z))), the value function's own term (Goodfellow et al. 2014, equation 1).

    Its gradient fades when D is confident.
    """
    return -F.softplus(logits.float()).mean()


# --- other games ------------------------------------------------------------------------------------------------------


def wasserstein_critic(real: Tensor, fake: Tensor) -> Tensor:
    """E f(G(z)) − E f(x): the critic's scores as far apart as its Lipschitz bound lets them (arXiv 1701.07875)."""
    return fake.float().mean() - real.float().mean()


def wasserstein_generator(fake: Tensor) -> Tensor:
    """−E f(G(z))."""
    return -fake.float().mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """softplus(−(D(x) − D(G(z)))) over pairs: each real picture more real than the forged one beside it.

    Jolicoeur-Martineau, arXiv 1807.00734; the pairing loss of R3GAN (Huang et al. 2024, arXiv 2501.05441).
    """
    return F.softplus(fake.float() - real.float()).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """softplus(−(D(G(z)) − D(x))) over pairs: each forged picture more real than the real one beside it."""
    return relativistic_discriminator(fake, real)


def distillation(found: Tensor, features: Tensor) -> Tensor:
    """Mean of (found − features)² over the rows N×F that are known (no NaN); 0 where none is.

    D's further task beside telling real from made pictures: to find in real ones what a frozen net finds there, as in
    knowledge distillation (Hinton et al., arXiv 1503.02531).
    """
    known = features.isfinite().all(1, keepdim=True)
    misses = torch.where(known, found.float() - features.nan_to_num(), 0.0).square()
    return misses.sum() / (known.sum() * features.shape[1]).clamp(min=1)


def squared_slope(scores: Tensor, pictures: Tensor) -> Tensor:
    """E ‖∇ₓD(x)‖² over N pictures N×…: R1 on real pictures, R2 on forged ones, times γ/2.

    Mescheder et al. 2018, arXiv 1801.04406, eq. 9. ``pictures`` must require gradients, and ``scores`` come from them,
    within `ganforge.ops.twice.DifferentiableTwice` where D convolves.
    """
    return _slopes(scores, pictures).square().sum(-1).mean()


def slope_from_one(scores: Tensor, pictures: Tensor) -> Tensor:
    """E (‖∇ₓD(x)‖ − 1)² over N pictures: WGAN-GP's penalty, times λ (Gulrajani et al. 2017, arXiv 1704.00028, eq. 3)."""
    steepness: Tensor = torch.linalg.vector_norm(_slopes(scores, pictures), dim=-1)
    return (steepness - 1).square().mean()


def _slopes(scores: Tensor, pictures: Tensor) -> Tensor:
    """∇ₓ Σ D, one row a score: (as scores)×the rest of a picture; kept differentiable.

    ∇ₓD(x) of each picture where D looks at pictures one by one; a D that compares those of a batch adds their influence.
    """
    with by_inputs_alone():
        slopes = torch.autograd.grad(scores.float().sum(), pictures, create_graph=True)[0].float()
    rows: Tensor = slopes.reshape(*scores.shape, -1)
    return rows
