"""How good a generator is: measured on its samples, beside what the same measures say of real pictures."""

from typing import TYPE_CHECKING, Any

_HOMES = {"Evaluation": "result", "evaluate": "ask"}
__all__ = ["Evaluation", "evaluate"]

if TYPE_CHECKING:
    from ganforge.evaluation.ask import evaluate
    from ganforge.evaluation.result import Evaluation


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ganforge.evaluation' has no attribute {name!r}; it offers {', '.join(__all__)}")
    from importlib import import_module

    return getattr(import_module(f"ganforge.evaluation.{_HOMES[name]}"), name)
