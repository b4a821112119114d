"""Every error a user can meet, drawn as a tree. The command line prints the message alone, never a traceback.

    GanforgeError                 something the user can mend; exit status 1
     ├─ UsageError                a wrong name, value or combination of options; exit status 2
     │   └─ UnknownNameError      not in the list; carries the nearest right names
     ├─ PicturesError             the collection cannot be used (nothing readable, too few, unsafe archive)
     ├─ ModelError                not a model or run folder, or a damaged one
     ├─ RunError                  the run folder is there already, cannot be written, or cannot be resumed
     ├─ TrainingError             training cannot go on (non-finite three times, out of memory)
     ├─ FetchError                a file cannot be brought from the network, or is not the one that was promised
     └─ MissingDependencyError    an extra or a system library is not installed

A message says what came, what was expected, and how to mend it.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class GanforgeError(Exception):
    """Something the user can mend; the message says how."""

    exit_status = 1


class UsageError(GanforgeError):
    """A wrong name, value or combination of options."""

    exit_status = 2


class UnknownNameError(UsageError):
    """A name that is not in the list of right ones; names the nearest of them.

    Args:
        what: the kind of thing, e.g. ``"recipe"``.
        name: what came.
        known: the right names.
    """

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        near = get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        super().__init__(f"There is no {what} named {name!r}. {hint}Known: {', '.join(known)}.")


class PicturesError(GanforgeError):
    """The collection of pictures cannot be used."""


class ModelError(GanforgeError):
    """Not a model or run folder, or a damaged one."""


class RunError(GanforgeError):
    """The run folder is there already, cannot be written, or cannot be resumed."""


class TrainingError(GanforgeError):
    """Training cannot go on."""


class FetchError(GanforgeError):
    """A file cannot be brought from the network, or what came is not what was promised."""


class MissingDependencyError(GanforgeError):
    """An optional package or a system library is not installed."""
