"""What happens between two samples, and what truncation buys: for models with a w.

Smoothness follows the idea of perceptual path length (StyleGAN, arXiv 1812.04948, §4.1): how far features move when a
latent moves. Measured in steps of finite size, because pictures of 8 bits hold no derivatives.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from ganforge.drawing.grids import Pictures
from ganforge.evaluation.result import Smoothness, Step
from ganforge.evaluation.sides import ModelMaker
from ganforge.measures.distances import Features, unbiased_mmd
from ganforge.measures.features import BATCH, FeatureNet, look
from ganforge.measures.neighbours import prdc
from ganforge.model import Model
from ganforge.progress import Progress, silent

PATHS, STEPS = 64, 16
PSIS = (0.0, 0.25, 0.5, 0.7, 0.85, 1.0)
CURVE_SAMPLES = 1000
FIRST_PATH_SEED = 2_000_000


def smoothness(
    model: Model, net: FeatureNet, *, device: torch.device | str = "cpu", progress: Progress = silent
) -> Smoothness:
    """Straight paths in w between pairs of seeds, seen in features: are the steps even, and is the way straight?"""
    seeds = range(FIRST_PATH_SEED, FIRST_PATH_SEED + 2 * PATHS)
    ends = model.map(model.latents(seeds))
    a, b = ends[:PATHS], ends[PATHS:]

    def chunks() -> Iterator[Pictures]:
        points = torch.stack([torch.lerp(a, b, i / STEPS) for i in range(STEPS + 1)], 1).flatten(0, 1)
        for start in range(0, len(points), BATCH):
            yield model.synthesize(points[start : start + BATCH])

    total = PATHS * (STEPS + 1)
    found = look(net, chunks(), total, device=device, what="walking between samples", progress=progress).features
    along = found.astype(np.float64).reshape(PATHS, STEPS + 1, -1)
    steps = np.linalg.norm(np.diff(along, axis=1), axis=2)
    lengths = np.maximum(steps.sum(1), 1e-12)
    straight = np.maximum(np.linalg.norm(along[:, -1] - along[:, 0], axis=1), 1e-12)
    return Smoothness(
        paths=PATHS,
        steps=STEPS,
        largest_step=float((steps.max(1) / lengths).mean()),
        detour=float((lengths / straight).mean()),
    )


def truncation_curve(
    maker: ModelMaker,
    net: FeatureNet,
    real: Features,
    *,
    device: torch.device | str = "cpu",
    precision: str = "fp32",
    progress: Progress = silent,
) -> list[Step]:
    """KID, precision and recall of the same seeds at several ψ, against at most 1,000 real pictures (N, D)."""
    count = min(CURVE_SAMPLES, len(real))
    curve = []
    for psi in PSIS:
        chunks = replace(maker, psi=psi).chunks(count)
        what = f"truncation {psi:g}"
        made = look(net, chunks, count, device=device, precision=precision, what=what, progress=progress).features
        near = prdc(real[:count], made)
        kid = unbiased_mmd(real[:count], made)
        curve.append(Step(psi=psi, kid=kid, precision=near.precision.value, recall=near.recall.value))
    return curve
