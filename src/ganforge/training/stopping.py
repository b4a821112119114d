"""Being asked to stop: Ctrl-C, SIGTERM and a closed terminal end a run between two steps."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


class Interrupted(Exception):  # noqa: N818 - nothing went wrong
    """The user stopped the run; it is saved."""


@dataclass
class Stop:
    """Whether somebody has asked to stop."""

    asked: bool = False


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Hear requests to stop; a second Ctrl-C ends it at once. Only a main thread can hear them."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    there = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # What is ignored stays ignored: nohup and a shell's & ask for that. None is a handler that Python cannot put back.
    before = {n: handler for n in there if (handler := signal.getsignal(n)) not in (signal.SIG_IGN, None)}

    def hear(number: int, frame: FrameType | None) -> None:
        stop.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    for number in before:
        signal.signal(number, hear)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
