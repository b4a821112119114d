"""From pictures to a Model within a budget."""

from typing import TYPE_CHECKING, Any

_HOMES = {"train": "start", "resume": "start", "Run": "folder", "Interrupted": "loop"}
__all__ = ["Interrupted", "Run", "resume", "train"]

if TYPE_CHECKING:
    from ganforge.training.folder import Run
    from ganforge.training.start import resume, train
    from ganforge.training.stopping import Interrupted


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ganforge.training' has no attribute {name!r}; it offers {', '.join(__all__)}")
    from importlib import import_module

    return getattr(import_module(f"ganforge.training.{_HOMES[name]}"), name)
