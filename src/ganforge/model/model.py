"""The Model: one folder, one class, whatever system made it.

model.json                  what it is (ganforge.model.card)
generator.safetensors       map and synthesize, averaged weights, contiguous float32
discriminator.safetensors   optional: verdicts and features
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ganforge.attributes import Schema
from ganforge.drawing.grids import Pictures, to_uint8
from ganforge.errors import ModelError, UsageError
from ganforge.files import quoted, sha256
from ganforge.game import Discriminator, Generator, System
from ganforge.machine import best_device, exact
from ganforge.model.card import DataCard, ModelCard, TrainingCard, best_of, identity, read_card
from ganforge.model.samples import Samples
from ganforge.model.seeds import latents
from ganforge.progress import Progress, silent
from ganforge.systems import find_system

MEAN_SEEDS = range(64)
"""Truncation goes toward the mean w of these seeds, in Python and in the browser alike."""
BATCH = 64
MOST_BYTES = 2**32
"""Of pictures drawn by one call."""


class Model:
    """A trained generator (with its discriminator, where the folder keeps one).

    Made by `load` or by a run. ``model.sample(64, seed=7)`` gives seeds 7 … 70.
    """

    def __init__(self, card: ModelCard, parts: dict[str, nn.Module], path: Path) -> None:
        self.card, self.path = card, path
        self._parts = parts
        for part in parts.values():
            part.eval().requires_grad_(False)

    def __repr__(self) -> str:
        return f"<Model {self.id} {self.card.system} {self.card.width}x{self.card.height} of {self.path}>"

    @property
    def id(self) -> str:
        """Hash of everything that changes a sample."""
        return self.card.id

    @property
    def generator(self) -> Generator:
        """The net; in eval mode."""
        net = self._parts["generator"]
        assert isinstance(net, Generator)
        return net

    @property
    def discriminator(self) -> Discriminator:
        """The critic. Raises ModelError where the folder keeps none."""
        net = self._parts.get("discriminator")
        if not isinstance(net, Discriminator):
            raise ModelError(f"{self.path} keeps no discriminator, so nothing can be judged with it.")
        return net

    @property
    def device(self) -> torch.device:
        """Where the nets are."""
        return next(self.generator.parameters()).device

    @cached_property
    def has_mapping(self) -> bool:
        """Whether w is anything else than z: only then do truncation and straight paths mean what papers say of them."""
        z = self.latents(range(2))
        w = self.map(z)
        return w.shape != (2, 1, z.shape[1]) or not torch.equal(w[:, 0], z)

    def to(self, device: torch.device | str) -> "Model":
        """Move the nets, in place."""
        for part in self._parts.values():
            part.to(device)
        return self

    def latents(self, seeds: Sequence[int]) -> Tensor:
        """seeds → z N×Z (`ganforge.model.seeds`)."""
        z = latents(seeds, self.generator.z_size, self.generator.z_distribution)
        return torch.from_numpy(z).to(self.device)

    @torch.no_grad()
    def map(self, z: Tensor, *, psi: float = 1.0) -> Tensor:
        """z N×Z → w N×L×D, moved toward the mean w: w̄ + ψ(w − w̄) (StyleGAN, arXiv 1812.04948, appendix B)."""
        w = self.generator.map(z)
        if psi == 1.0:
            return w
        mean = torch.tensor(self.card.mean_w, dtype=w.dtype, device=w.device)
        return mean + psi * (w - mean)

    @torch.no_grad()
    def synthesize(self, w: Tensor) -> Pictures:
        """w N×L×D → uint8 pictures (N, H, W, 3). Raises ModelError where the weights give no finite numbers."""
        with exact(self.device):
            pictures = self.generator.synthesize(w).float().cpu().contiguous()
        if not bool(torch.isfinite(pictures).all()):
            raise ModelError(
                f"{self.path} draws no finite numbers: its weights are damaged, or its training went astray."
            )
        return to_uint8(pictures)

    def sample(self, n: int = 1, seed: int = 0, *, psi: float = 1.0, progress: Progress = silent) -> Samples:
        """Pictures of seeds ``seed`` … ``seed + n − 1``.

        Raises:
            UsageError: for n < 1, more pictures than 4 GiB, ψ outside 0 … 2, or seeds outside 0 … 2⁶⁴ − 1.
        """
        size = n * self.card.height * self.card.width * 3
        if size > MOST_BYTES:
            raise UsageError(
                f"{n:,} pictures are {size / 2**30:,.0f} GiB, more than fit into memory at once. "
                f"Draw at most {MOST_BYTES * n // size:,} at a time, from one seed on after the other."
            )
        seeds = _seeds(n, seed)
        _check_psi(psi)
        pictures = []
        for i in range(0, n, BATCH):
            pictures.append(self.synthesize(self.map(self.latents(seeds[i : i + BATCH]), psi=psi)))
            progress("drawing pictures", min(i + BATCH, n), n)
        return Samples(np.concatenate(pictures), seeds, self.id, psi)

    @torch.no_grad()
    def verdicts(self, pictures: Pictures) -> list[float]:
        """How real D finds each of uint8 (N, H, W, 3), 0 … 1, judged about 64 at a time; the first ones once more beside the last
        where D, which is told the spread of a few, would be left with too few.
        """
        together = self.discriminator.group
        count = len(pictures)
        order = np.resize(np.arange(count), -(-count // together) * together if count > together else count)
        told: list[float] = []
        for group in np.array_split(order.reshape(-1, min(together, count)), math.ceil(count / BATCH)):
            batch = torch.from_numpy(pictures[group.ravel()]).permute(0, 3, 1, 2).to(self.device).float() / 127.5 - 1
            told += self.discriminator.verdicts(batch, border=self.card.border).tolist()
        return told[:count]

    def best(self, keep: int, of: int, seed: int = 0, *, psi: float = 1.0, progress: Progress = silent) -> Samples:
        """The ``keep`` pictures that D finds most real among seeds ``seed`` … ``seed + of − 1``, best first."""
        if not 1 <= keep <= of:
            raise UsageError(f"The best {keep} of {of} cannot be picked: ask for at least 1 and at most {of}.")
        everything = self.sample(of, seed, psi=psi, progress=progress)
        verdicts = np.array(self.verdicts(everything.pictures))
        order = np.argsort(-verdicts, kind="stable")[:keep]
        return Samples(
            everything.pictures[order],
            tuple(everything.seeds[i] for i in order),
            self.id,
            psi,
            tuple(float(v) for v in verdicts[order]),
            title=f"picked: the {keep} of {of} that the discriminator finds most real",
        )

    def interpolate(self, n: int, seed: int = 0, *, frames_between: int = 24, psi: float = 1.0) -> Iterator[Pictures]:
        """Frames (H, W, 3) of a loop through n seeds: along the sphere in normal z (slerp), straight in uniform z."""
        seeds = _seeds(n, seed)
        if n < 2:
            raise UsageError("An interpolation needs at least two seeds: -n 2 or more.")
        _check_psi(psi)
        between = slerp if self.generator.z_distribution == "normal" else torch.lerp
        z = self.latents(seeds)
        for a, b in zip(z, z.roll(-1, 0), strict=True):
            steps = torch.linspace(0, 1, frames_between + 1, device=z.device)[:-1]
            eased = steps * steps * (3 - 2 * steps)
            path = torch.stack([between(a, b, t) for t in eased])
            yield from self.synthesize(self.map(path, psi=psi))


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """From a (Z) to b (Z) along the sphere: normal latents live near its surface, and a straight line leaves it."""
    cosine = torch.clamp(torch.dot(a, b) / (a.norm() * b.norm()), -1 + 1e-7, 1 - 1e-7)
    angle = torch.acos(cosine)
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


def _seeds(n: int, seed: int) -> tuple[int, ...]:
    if n < 1:
        raise UsageError(f"At least one picture must be asked for, not {n}.")
    if not 0 <= seed <= 2**64 - n:
        raise UsageError(f"Seeds are whole numbers from 0 to {2**64 - 1}; {seed} … {seed + n - 1} are not.")
    return tuple(range(seed, seed + n))


def _check_psi(psi: float) -> None:
    if not 0 <= psi <= 2:
        raise UsageError(f"Truncation psi lies between 0 (the average picture) and 2, not {psi:g}.")


# --- folders ----------------------------------------------------------------------------------------------------------


def save_model(
    folder: Path,
    system: type[System],
    card_config: dict[str, object],
    size: tuple[int, int],
    parts: dict[str, nn.Module],
    *,
    data: DataCard | None = None,
    training: TrainingCard | None = None,
    scores: Sequence[dict[str, object]] = (),
    border: float = 0.0,
) -> ModelCard:
    """Write a Model into ``folder`` (made if missing); whoever needs it atomic moves the folder into place.

    Weights are stored contiguous and in float32 (integers as they are).
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, net in parts.items():
        save_file(_plain(net.state_dict()), folder / f"{name}.safetensors")
        files[f"{name}.safetensors"] = sha256(folder / f"{name}.safetensors")
    generator = parts.get("generator")
    mean_w = _mean_w(generator) if isinstance(generator, Generator) else []
    weights = files.get("generator.safetensors") or " ".join(files[name] for name in sorted(files))
    card = ModelCard(
        kind=system.kind,
        id=identity(weights, system.name, card_config, Schema(), mean_w),
        system=system.name,
        config=card_config,
        height=size[0],
        width=size[1],
        mean_w=mean_w,
        border=border,
        data=data,
        training=training,
        scores=[dict(score) for score in scores],
        files=files,
    )
    (folder / "model.json").write_text(card.model_dump_json(indent=1), encoding="utf-8")
    return card


@torch.no_grad()
def _mean_w(generator: Generator) -> list[list[float]]:
    device = next(generator.parameters()).device
    z = torch.from_numpy(latents(MEAN_SEEDS, generator.z_size, generator.z_distribution)).to(device)
    with evaluating(generator):
        mean: list[list[float]] = generator.map(z).float().mean(0).cpu().tolist()
    return mean


@contextmanager
def evaluating(net: nn.Module) -> Iterator[None]:
    """The net in eval mode for a while."""
    before = net.training
    net.eval()
    try:
        yield
    finally:
        net.train(before)


def _plain(state: dict[str, Tensor]) -> dict[str, Tensor]:
    def one(value: Tensor) -> Tensor:
        value = value.detach().cpu()
        return (value.float() if value.is_floating_point() else value).contiguous().clone()

    return {name: one(value) for name, value in state.items()}


def find_model(name: str | Path) -> Path:
    """The folder that ``name`` means: a Model's folder, or a run's, whose best Model is taken (its latest without scores).

    Raises:
        ModelError: nothing of that kind is there.
    """
    folder = Path(name)
    if not folder.exists():
        raise ModelError(f"There is no run or model folder at {folder}. `ganforge train PICTURES` makes one.")
    if folder.is_file():
        raise ModelError(f"{folder} is a file; a Model is a folder with a model.json in it (or a run's folder).")
    if (folder / "model.json").exists():
        return folder
    kept = sorted(path.parent for path in (folder / "checkpoints").glob("[0-9]*/model/model.json"))
    done = [folder / "model"] if (folder / "model" / "model.json").exists() else []
    if done or kept:
        return _best(done, kept)
    if (folder / "run.json").exists():
        raise ModelError(
            f"{folder} is a run that has not saved a Model yet. `ganforge resume {quoted(folder)}` goes on with it."
        )
    raise ModelError(f"{folder} is neither a Model (no model.json in it) nor a run.")


def _best(done: list[Path], kept: list[Path]) -> Path:
    """Of a run's finished Model and its checkpoints' (oldest first): the best by score; the latest without scores."""
    cards = {path: read_card(path) for path in (*kept, *done)}  # the finished one is that of a checkpoint

    def seen(path: Path) -> int:
        training = cards[path].training
        return training.seen if training else 0

    oldest_first = sorted(cards, key=seen)
    best = best_of({path: cards[path].scores[-1] for path in oldest_first if cards[path].scores})
    if best is not None:
        return best
    training = cards[done[0]].training if done else None
    grown = not done or (kept and training is not None and int(kept[-1].parent.name) > training.seen)
    return kept[-1] if grown else done[0]


def load(name: str | Path, *, device: torch.device | str | None = None) -> Model:
    """Load a generator by its Model's folder, or the best one of a run's folder (`find_model`).

    Raises:
        ModelError: not a Model, one that draws nothing, a missing or damaged file, or one of a newer ganforge.
    """
    folder = find_model(name)
    card, parts = load_parts(folder)
    if card.kind != "generator":
        raise ModelError(f"{folder} holds a {card.system}, which draws no pictures.")
    if "generator" not in parts:
        raise ModelError(f"{folder} is not whole: model.json names no generator.safetensors.")
    return Model(card, parts, folder).to(device or best_device())


def load_parts(folder: Path) -> tuple[ModelCard, dict[str, nn.Module]]:
    """The card and the nets of a Model's folder, of whatever kind; on the CPU.

    Every file's sha256 is compared with model.json before it is used; weights are never a pickle.

    Raises:
        ModelError: as `load`.
    """
    card = read_card(folder)
    try:
        system = find_system(card.system)
        nets = system.make_nets(system.config_class.model_validate(card.config))
    except (UsageError, ValidationError) as error:
        raise ModelError(f"{folder} was made by another version of ganforge: {error}") from None
    parts = {}
    for file, expected in card.files.items():
        path, part = folder / file, file.removesuffix(".safetensors")
        if part not in nets or Path(file).name != file:
            raise ModelError(f"{folder / 'model.json'} names a file {file!r} that no {card.system} has.")
        if not path.is_file():
            raise ModelError(f"{folder} is not whole: {file} is missing.")
        if sha256(path) != expected:
            raise ModelError(f"{path} is damaged: its sha256 is not the one in model.json. Copy the folder again.")
        try:
            nets[part].load_state_dict(load_file(path))
        except (RuntimeError, SafetensorError) as error:
            raise ModelError(f"{path} does not fit the {card.system} of model.json: {error}") from None
        parts[part] = nets[part]
    return card, parts
