"""How long work reports its progress without knowing who shows it.

Any function that may take more than two seconds accepts ``progress: Progress``. The command line passes a function that
moves a bar; a library user passes nothing.
"""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""``progress(what, done, total)``: what is being done (a few words), how many are done, of how many."""


def silent(what: str, done: int, total: int) -> None:
    """Show nothing: the default of every ``progress`` argument."""
