"""A warm start: a new run whose nets begin with the weights of a trained Model."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ganforge.errors import RunError, UsageError
from ganforge.files import quoted
from ganforge.game import PictureConfig, System
from ganforge.model.card import ModelCard, read_card
from ganforge.model.model import find_model, load_parts
from ganforge.training.averages import Average

LEAST_SHARE = 0.1
"""Of a net's weights: with less, a start is not warm."""


def origin(name: str | Path) -> tuple[Path, ModelCard]:
    """The Model's folder and card. Raises ModelError where there is none."""
    folder = find_model(name)
    return folder, read_card(folder)


def must_be_the_same(folder: Path, card: ModelCard, model_id: str) -> None:
    """Raises RunError where the Model there is not the one that a run began with."""
    if card.id != model_id:
        raise RunError(
            f"The Model in {quoted(folder)} changed since this run began: it was {model_id}, and is {card.id} now. Begin a "
            "new run, or put it back."
        )


def must_fit(system: type[System], config: PictureConfig, folder: Path) -> None:
    """Look whether nets of this config could start warm, before pictures are read for them.

    Raises:
        UsageError: next to nothing of the Model fits.
        ModelError: it is damaged.
    """
    if "attributes" in type(config).model_fields:
        return  # its nets depend on what the pictures carry
    _warm_enough(shares_that_fit(system, config, folder), folder)


def as_begun(system: type[System], config: PictureConfig, card: ModelCard) -> PictureConfig:
    """The config, with what the Model's weights depend on as it was there (`System.continued`)."""
    begun: PictureConfig = system.continued(config, system.config_class.model_validate(card.config))
    return begun


def shares_that_fit(system: type[System], config: PictureConfig, folder: Path) -> dict[str, float]:
    """How much of each of the config's nets a Model's weights would fill. Raises ModelError where it is damaged."""
    with torch.device("meta"):
        nets = system.make_nets(config)
    _, parts = load_parts(folder)
    return {name: _share(net, _fitting(net, parts[name])) for name, net in nets.items() if name in parts}


@torch.no_grad()
def take_weights(system: System, averages: Mapping[str, Average], folder: Path, model_id: str) -> str:
    """Copy into the system's nets, and their averages, every weight of the Model that has its name and shape there.

    G's are the Model's averaged ones, D's as they stood beside them. What does not fit stays as it was initialised: the
    layers of other sizes, where pictures are larger or smaller; D's are matched from its coarse end.

    Returns:
        What was taken, in words.

    Raises:
        RunError: the Model is not the one that the run began with.
        UsageError: it is of another system, or next to nothing of it fits.
        ModelError: it is gone or damaged.
    """
    folder, card = origin(folder)
    must_be_the_same(folder, card, model_id)
    if card.system != system.name:
        raise UsageError(
            f"{quoted(folder)} holds a {card.system}, whose weights no {system.name} can take. Choose a recipe of the "
            f"system {card.system}, or another Model."
        )
    _, parts = load_parts(folder)
    shares = {}
    for name, net in system.nets.items():
        if name in parts:
            fitting = _fitting(net, parts[name])
            net.load_state_dict(fitting, strict=False)
            shares[name] = _share(net, fitting)
    _warm_enough(shares, folder)
    for name, average in averages.items():
        average.net.load_state_dict(system.nets[name].state_dict())
    told = ", ".join(f"{share:.0%} of the {name}'s" for name, share in shares.items())
    return f"Starts with the weights of {folder}: {told}."


def _warm_enough(shares: Mapping[str, float], folder: Path) -> None:
    if max(shares.values(), default=0.0) < LEAST_SHARE:
        raise UsageError(
            f"Hardly a weight of {quoted(folder)} has the shape of this run's: its nets are of other widths or sizes. Give the "
            "same --set and --size as to that one's run."
        )


def _as_numbered(giver: nn.Module, net: nn.Module) -> dict[str, Tensor]:
    """The giver's weights, under the names that the same layers have in ``net``."""
    shifts = {
        name: len(getattr(net, name)) - len(getattr(giver, name)) for name in getattr(type(net), "finest_first", ())
    }

    def renamed(name: str) -> str:
        head, *rest = name.split(".")
        return ".".join((head, str(int(rest[0]) + shifts[head]), *rest[1:])) if head in shifts else name

    return {renamed(name): value for name, value in giver.state_dict().items()}


def _fitting(net: nn.Module, giver: nn.Module) -> dict[str, Tensor]:
    """The giver's weights that have their name and shape in ``net``."""
    given, own = _as_numbered(giver, net), net.state_dict()
    return {name: value for name, value in given.items() if name in own and own[name].shape == value.shape}


def _share(net: nn.Module, some: Mapping[str, Tensor]) -> float:
    """How much of the net's weights these are."""
    counts: dict[str, int] = {name: value.numel() for name, value in net.state_dict().items()}
    return sum(counts[name] for name in some) / max(1, sum(counts.values()))
