"""Features of pictures in a frozen net: streamed in batches, kept in the cache where they are of a collection.

Every measure of `ganforge.measures` compares two tables of features. Which net made them is part of every number: figures
in different features are never compared.

Shapes: N pictures, uint8 (N, H, W, 3); features float32 (N, D); probabilities float32 (N, K).
"""

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ganforge.drawing.grids import Pictures
from ganforge.errors import UsageError
from ganforge.files import replacing
from ganforge.machine import keep_freed_memory
from ganforge.measures.distances import Features
from ganforge.pictures.cache import cache_folder
from ganforge.progress import Progress, silent

Indices = npt.NDArray[np.int64]

BATCH = 64


@dataclass(frozen=True)
class FeatureNet:
    """A frozen net and what a report says of it.

    Attributes:
        name: short, for a table's head; features of another name are other features.
        about: what it is, in words.
        sha256: of its weights.
        dims: D.
        resizer: how pictures come to the size it reads.
        net: N×3×H×W float32 in [0, 1] → (features N×D, logits N×K or None).
        standard: whether the field's published figures are in these features.
    """

    name: str
    about: str
    sha256: str
    dims: int
    resizer: str
    net: nn.Module = field(repr=False)
    standard: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For JSON: all but the net."""
        return {k: getattr(self, k) for k in ("name", "about", "sha256", "dims", "resizer", "standard")}


@dataclass(frozen=True)
class Looked:
    """What a net said of N pictures.

    Attributes:
        features: float32 (N, D).
        probabilities: float32 (N, K), softmax of its logits; None for a net without any.
    """

    features: Features
    probabilities: Features | None


def chunks_of(pictures: Pictures, indices: Indices | None = None, *, mirrored: bool = False) -> Iterator[Pictures]:
    """Some of N pictures (all by default), a batch at a time: a memory-mapped pack is never read whole."""
    chosen = np.arange(len(pictures)) if indices is None else indices
    for start in range(0, len(chosen), BATCH):
        chunk = np.asarray(pictures[chosen[start : start + BATCH]])
        yield chunk[:, :, ::-1] if mirrored else chunk


@torch.no_grad()
def look(
    net: FeatureNet,
    chunks: Iterable[Pictures],
    total: int,
    *,
    device: torch.device | str = "cpu",
    precision: str = "fp32",
    what: str = "looking at pictures",
    progress: Progress = silent,
) -> Looked:
    """Features of ``total`` pictures that come in chunks; memory holds one chunk and the features.

    Args:
        net: to look with.
        chunks: uint8 (n, H, W, 3) each.
        total: N, the sum of all n.
        device: to compute on.
        precision: "fp32" or "bf16" (products in bfloat16, features kept in float32).
        what: said beside the progress.
        progress: told how many are done.

    Raises:
        UsageError: a chunk that is no uint8 (n, H, W, 3), fewer or more pictures than ``total``, or features that are no
            finite numbers.
    """
    features = np.empty((total, net.dims), np.float32)
    probabilities: Features | None = None
    device = torch.device(device)
    net.net.to(device).eval()
    keep_freed_memory()
    done = 0
    for chunk in chunks:
        if chunk.dtype != np.uint8 or chunk.ndim != 4 or chunk.shape[3] != 3:
            raise UsageError(f"Pictures are uint8 (N, height, width, 3), not {chunk.dtype} {chunk.shape}.")
        if done + len(chunk) > total:
            raise UsageError(f"More than the {total:,} pictures that were announced came.")
        batch = torch.from_numpy(np.ascontiguousarray(chunk)).to(device).permute(0, 3, 1, 2).float() / 255
        with torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext():
            found, logits = net.net(batch)
        if not bool(torch.isfinite(found).all()):
            raise UsageError(f"{net.name} gave features that are no finite numbers; its weights are damaged.")
        features[done : done + len(chunk)] = found.float().cpu().numpy()
        if logits is not None:
            told = logits.float().softmax(1).cpu().numpy()
            probabilities = np.empty((total, told.shape[1]), np.float32) if probabilities is None else probabilities
            probabilities[done : done + len(chunk)] = told
        done += len(chunk)
        progress(what, done, total)
    if done < total:
        raise UsageError(f"{done:,} pictures came where {total:,} were announced.")
    return Looked(features, probabilities)


# --- kept in the cache ------------------------------------------------------------------------------------------------

FORMAT = 2
"""Counts up where the same net would say something else of the same picture."""
MOST_KEPT_BYTES = 2 * 2**30
"""Of all features in the cache; those that were used longest ago go first."""


def look_at_collection(
    net: FeatureNet,
    pictures: Pictures,
    digest: str,
    indices: Indices,
    *,
    mirrored: bool = False,
    device: torch.device | str = "cpu",
    precision: str = "fp32",
    what: str = "looking at real pictures",
    progress: Progress = silent,
) -> Looked:
    """`look` at some pictures of a collection, from the cache where the same was asked before.

    Args:
        net: to look with.
        pictures: of the collection, uint8 (M, H, W, 3).
        digest: that names the collection's content.
        indices: (N,) which of them.
        mirrored: each seen in a mirror.
        device: to compute on.
        precision: "fp32" or "bf16".
        what: said beside the progress.
        progress: told how many are done.
    """
    size = "x".join(map(str, pictures.shape[1:3]))
    asked = (
        f"{FORMAT} {digest} {size} {net.name} {net.sha256} {net.resizer} {precision} {mirrored} ".encode()
        + indices.astype("<i8").tobytes()
    )
    file = cache_folder() / "features" / f"{hashlib.blake2b(asked, digest_size=16).hexdigest()}.npz"
    kept = _read(file, len(indices), net.dims)
    if kept is not None:
        progress(what, len(indices), len(indices))
        return kept
    chunks = chunks_of(pictures, indices, mirrored=mirrored)
    found = look(net, chunks, len(indices), device=device, precision=precision, what=what, progress=progress)
    _keep(file, found)
    return found


def _read(file: Path, count: int, dims: int) -> Looked | None:
    """What the cache holds; None for nothing, or for a damaged file."""
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
            found = Looked(arrays["features"], arrays.get("probabilities"))
        file.touch()
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return found if found.features.shape == (count, dims) else None


def _keep(file: Path, found: Looked) -> None:
    """Best effort: a full or read-only cache costs time, not the result."""
    try:
        with replacing(file) as temporary, temporary.open("wb") as opened:
            if found.probabilities is None:
                np.savez(opened, features=found.features)
            else:
                np.savez(opened, features=found.features, probabilities=found.probabilities)
        others = sorted(file.parent.glob("*.npz"), key=lambda path: path.stat().st_mtime, reverse=True)
        kept = 0
        for path in others:
            kept += path.stat().st_size
            if kept > MOST_KEPT_BYTES and path != file:
                path.unlink()
    except OSError:
        return
