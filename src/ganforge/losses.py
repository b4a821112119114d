"""Losses of the adversarial game: logits in, a scalar out. No config, no nets.

s = D's logit, positive for real; D(x) = σ(s); softplus(s) = log(1 + e^s).
"""

import torch.nn.functional as F  # noqa: N812
from torch import Tensor


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
