"""ganforge: from a collection of pictures to a generator of new ones, on the computer you have.

    import ganforge
    run = ganforge.train("holiday-photos", minutes=20)
    ganforge.load(run.path).sample(64, seed=7)

Everything here is loaded on first use, so that ``import ganforge`` and ``ganforge --help`` stay instant.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "train": "ganforge.training",
    "resume": "ganforge.training",
    "Run": "ganforge.training",
    "load": "ganforge.model",
    "Model": "ganforge.model",
    "inspect": "ganforge.pictures",
    "evaluate": "ganforge.evaluation",
    "GanforgeError": "ganforge.errors",
}

__all__ = ["GanforgeError", "Model", "Run", "evaluate", "inspect", "load", "resume", "train"]

if TYPE_CHECKING:
    from ganforge.errors import GanforgeError
    from ganforge.evaluation import evaluate
    from ganforge.model import Model, load
    from ganforge.pictures import inspect
    from ganforge.training import Run, resume, train


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ganforge' has no attribute {name!r}; it offers {', '.join(__all__)}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
