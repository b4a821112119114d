"""Checkpoints: a Model as it would be shipped, and what training needs to go on from it.

    checkpoints/000001234560/           pictures seen
        model/                          averaged nets and D: a whole Model (ganforge.model)
        training.safetensors            raw nets, optimizers, the system's state
        position.json                   where the game stands; sha256 of training.safetensors

Nothing is stored twice: averaged weights and D come back from model/. A folder appears under its name when it is whole.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ganforge.errors import ModelError, RunError
from ganforge.files import sha256, to_disk
from ganforge.game import Phase, PictureConfig, System
from ganforge.model.card import DataCard, TrainingCard, best_of, lowest_of, read_card
from ganforge.model.model import save_model
from ganforge.training.averages import Average
from ganforge.training.folder import explained

NEWEST_KEPT = 2


class Position(BaseModel):
    """Where a run stands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seen: int
    steps: int
    batches: int
    seconds: float
    fraction: float
    phase: int = 0
    salt: int
    rollbacks: int
    learning_rate_scale: float
    planned: int
    plan_seen: int
    plan_fraction: float
    score: dict[str, Any] | None = None
    sha256: str = ""


def save(
    folder: Path,
    position: Position,
    system: System,
    averages: Mapping[str, Average],
    phases: Sequence[Phase],
    data: DataCard,
    training: TrainingCard,
    border: float = 0.0,
) -> Path:
    """Write a checkpoint below ``folder`` and drop those that need not be kept.

    Raises:
        RunError: disk full, read-only target; earlier checkpoints stay.
    """
    target = folder / f"{position.seen:012d}"
    partial = folder / f".partial-{os.getpid()}"
    with explained(folder.parent):
        shutil.rmtree(partial, ignore_errors=True)
        try:
            parts = {n: averages[n].net if n in averages else system.nets[n] for n in system.parts}
            assert isinstance(system.config, PictureConfig)
            size = (system.config.height, system.config.width)
            save_model(
                partial / "model",
                type(system),
                system.config.model_dump(mode="json"),
                size,
                parts,
                data=data,
                training=training,
                scores=[] if position.score is None else [position.score],
                border=border,
            )
            save_file(tensors_of(system, averages, phases), partial / "training.safetensors")
            stored = position.model_copy(update={"sha256": sha256(partial / "training.safetensors")})
            (partial / "position.json").write_text(stored.model_dump_json(indent=1), encoding="utf-8")
            to_disk(partial)
            aside = folder / f".old-{target.name}"
            if target.exists():
                target.replace(aside)
            partial.replace(target)
            shutil.rmtree(aside, ignore_errors=True)
        except SafetensorError as error:  # the library wraps the system's error and loses its number
            raise RunError(
                f"The checkpoint could not be written into {folder.parent}: {error}. Is the disk full?"
            ) from None
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    _prune(folder)
    return target


def tensors_of(system: System, averages: Mapping[str, Average], phases: Sequence[Phase]) -> dict[str, Tensor]:
    """All that training needs to go on, but for what the saved Model keeps anyway (``system.parts``)."""
    tensors: dict[str, Tensor] = {f"state.{k}": v for k, v in system.state.items()}
    for name, net in system.nets.items():
        if name in averages or name not in system.parts:
            tensors |= {f"nets.{name}.{k}": v for k, v in net.state_dict().items()}
        if name in averages and name not in system.parts:
            tensors |= {f"averages.{name}.{k}": v for k, v in averages[name].net.state_dict().items()}
    for phase in phases:
        for turn in phase.turns:
            for i, memory in turn.optimizer.state_dict()["state"].items():
                tensors |= {
                    f"optimizers.{phase.name}.{turn.name}.{i}.{k}": torch.as_tensor(v) for k, v in memory.items()
                }
    return {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}


def restore(folder: Path, system: System, averages: Mapping[str, Average], phases: Sequence[Phase]) -> Position:
    """Put nets, averages, optimizers and state back as they were; every tensor keeps the layout it has now.

    Raises:
        RunError: the checkpoint is missing, damaged, or of other nets.
    """
    try:
        position = Position.model_validate_json((folder / "position.json").read_bytes())
        if sha256(folder / "training.safetensors") != position.sha256:
            raise RunError(f"{folder / 'training.safetensors'} is damaged.")
        tensors = load_file(folder / "training.safetensors")
        card = read_card(folder / "model")
        for name in system.parts:
            file = folder / "model" / f"{name}.safetensors"
            if sha256(file) != card.files.get(file.name):
                raise RunError(f"{file} is damaged.")
            net = averages[name].net if name in averages else system.nets[name]
            net.load_state_dict(load_file(file))
    except (OSError, ValidationError, SafetensorError, ModelError, RuntimeError) as error:
        raise RunError(f"The checkpoint {folder} cannot be read: {str(error).splitlines()[0]}") from None
    put_back(tensors, system, averages, phases)
    return position


def put_back(
    tensors: Mapping[str, Tensor], system: System, averages: Mapping[str, Average], phases: Sequence[Phase]
) -> None:
    """Undo `tensors_of`. Raises RuntimeError for tensors of other nets."""
    for name, net in system.nets.items():
        for owner, prefix in (
            (net, f"nets.{name}."),
            (averages[name].net if name in averages else net, f"averages.{name}."),
        ):
            mine = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
            if mine:
                owner.load_state_dict(mine)
    device = next(iter(next(iter(system.nets.values())).parameters())).device
    system.state = {
        k.removeprefix("state."): v.to(device).clone() for k, v in tensors.items() if k.startswith("state.")
    }
    for phase in phases:
        for turn in phase.turns:
            _restore_optimizer(turn.optimizer, f"optimizers.{phase.name}.{turn.name}.", tensors)


def _restore_optimizer(optimizer: torch.optim.Optimizer, prefix: str, tensors: Mapping[str, Tensor]) -> None:
    """Fill the optimizer's memory; moments get their weight's own layout, which fused kernels count on."""
    weights = [(w, group) for group in optimizer.param_groups for w in group["params"]]
    optimizer.state.clear()
    for name, value in tensors.items():
        if not name.startswith(prefix):
            continue
        index, key = name.removeprefix(prefix).split(".", 1)
        weight, group = weights[int(index)]
        if value.shape == weight.shape:
            kept = torch.empty_like(weight, requires_grad=False).copy_(value)
        elif value.ndim == 0:  # a count; fused and capturable optimizers keep it on the device
            kept = value.to(weight.device if group.get("fused") or group.get("capturable") else "cpu").clone()
        else:
            kept = value.to(weight.device).clone()
        optimizer.state[weight][key] = kept


def saved(folder: Path) -> list[Path]:
    """The checkpoints, oldest first; whether a disk or a person damaged one since, `restore` finds out."""
    return sorted(p for p in folder.glob("*") if p.name.isdigit() and p.is_dir())


def _positions(folder: Path) -> dict[Path, Position]:
    """Where each readable checkpoint stands, oldest first."""
    found = {}
    for checkpoint in saved(folder):
        with suppress(OSError, ValidationError):
            found[checkpoint] = Position.model_validate_json((checkpoint / "position.json").read_bytes())
    return found


def best(folder: Path) -> Path | None:
    """The best checkpoint of the last phase (`best_of`); None where none was scored."""
    return best_of(_scored(_positions(folder)))


def _scored(positions: Mapping[Path, Position]) -> dict[Path, dict[str, Any]]:
    """The scores of the last phase's checkpoints, oldest first."""
    phase = max((p.phase for p in positions.values()), default=0)
    return {c: p.score for c, p in positions.items() if p.score is not None and p.phase == phase}


def _prune(folder: Path) -> None:
    """Keep the best, the one of the lowest score, that it is measured by, the newest two, the last of each quarter of the
    budget, and the last of each phase.
    """
    checkpoints = saved(folder)
    last: dict[tuple[str, int], Path] = {}
    positions = _positions(folder)
    for checkpoint, position in positions.items():
        last["quarter", min(int(4 * position.fraction), 3)] = checkpoint
        last["phase", position.phase] = checkpoint
    scored = _scored(positions)
    kept = {*checkpoints[-NEWEST_KEPT:], *last.values(), best_of(scored), lowest_of(scored)}
    for checkpoint in set(checkpoints) - kept:
        gone = folder / f".gone-{checkpoint.name}"
        with suppress(OSError):  # what cannot be removed now (open on Windows) is tried again next time
            checkpoint.replace(gone)
        shutil.rmtree(gone, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove what a killed process left half-written or half-removed; put back what it had only moved aside."""
    for aside in folder.glob(".old-*"):
        target = folder / aside.name.removeprefix(".old-")
        if not target.exists():
            aside.replace(target)
    for leftover in (p for pattern in (".partial-*", ".old-*", ".gone-*") for p in folder.glob(pattern)):
        shutil.rmtree(leftover, ignore_errors=True)


def newest(
    folder: Path, system: System, averages: Mapping[str, Average], phases: Sequence[Phase]
) -> tuple[Position, Path, list[str]] | None:
    """Restore the newest checkpoint that is whole; also the reasons why newer ones were passed over. None without any.

    Those passed over are renamed ``damaged-…``: they are neither a Model nor a place to go on from.

    Raises:
        RunError: there are checkpoints, and none of them can be read.
    """
    passed: list[str] = []
    for checkpoint in reversed(saved(folder)):
        try:
            position = restore(checkpoint, system, averages, phases)
        except RunError as error:
            passed.append(str(error))
            continue
        for newer in saved(folder):
            if newer > checkpoint:
                newer.replace(folder / f"damaged-{newer.name}")
        return position, checkpoint, passed
    if passed:
        raise RunError("No checkpoint can be read, so the run cannot go on; nothing was changed. " + " ".join(passed))
    return None
