"""A Model: a folder of safe weights and one JSON file, sampled identically wherever it goes."""

from typing import TYPE_CHECKING, Any

_HOMES = {"Model": "model", "load": "model", "Samples": "samples", "latents": "seeds", "ModelCard": "card"}
__all__ = ["Model", "ModelCard", "Samples", "latents", "load"]

if TYPE_CHECKING:
    from ganforge.model.card import ModelCard
    from ganforge.model.model import Model, load
    from ganforge.model.samples import Samples
    from ganforge.model.seeds import latents


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ganforge.model' has no attribute {name!r}; it offers {', '.join(__all__)}")
    from importlib import import_module

    return getattr(import_module(f"ganforge.model.{_HOMES[name]}"), name)
