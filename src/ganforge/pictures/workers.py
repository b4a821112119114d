"""The same function over many pictures (or other jobs), in several processes, in order.

    in_order    many small jobs, their results in order, memory bounded
    at_once     a few long jobs, each telling how far it is

Processes are spawned on every platform. They import only what their function needs (decoding needs no torch), and they
never import the user's own script: a script without ``if __name__ == "__main__"`` would otherwise run once more in each
of them. Ctrl-C ends them at once, and they end by themselves when their parent is killed.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from ganforge.errors import GanforgeError, PicturesError

Job = TypeVar("Job")
Result = TypeVar("Result")

WATCH_SECONDS = 0.25
MOST = 61
DIED = (
    "A worker process died, most likely for want of memory. Close other programs, or set the environment variable "
    "GANFORGE_WORKERS=1 to work in one process."
)

_state: Any = None
"""In a worker: what every job needs, sent once; for long jobs, where to tell how far they are."""


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def wanted_workers() -> int:
    """The environment variable GANFORGE_WORKERS, or one a core; never more than Windows can wait for."""
    named = os.environ.get("GANFORGE_WORKERS", "")
    return min(int(named) if named.isdecimal() and int(named) else cores(), MOST)


def _start(state: Any) -> None:
    global _state  # noqa: PLW0603 - a process pool has no other place for what all jobs share
    _state = state
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for its next job forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(function: Callable[[Any, Job], Result], job: Job) -> Result:
    return function(_state, job)


def in_order(function: Callable[[Any, Job], Result], state: Any, jobs: Sequence[Job], workers: int) -> Iterator[Result]:
    """Yield ``function(state, job)`` for each job, in the jobs' order.

    Args:
        function: importable by name.
        state: sent once to each worker.
        jobs: at most two a worker are under way or waiting to be fetched, so that memory stays bounded.
        workers: processes; 1 works right here.

    Raises:
        PicturesError: a worker died (out of memory, or a decoder crashed).
    """
    if workers <= 1 or len(jobs) <= 1:
        for job in jobs:
            yield function(state, job)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(jobs)), mp_context=context, initializer=_start, initargs=(state,))
    waiting: deque[Future[Result]] = deque()
    try:
        for job in jobs:
            with _no_main_module(), _deaf_children():
                waiting.append(pool.submit(_work, function, job))
            if len(waiting) >= 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise PicturesError(DIED) from None
    except KeyboardInterrupt:
        _end(pool)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


Report = Callable[[float], None]
"""Told the share of a job that is done, 0 … 1."""


def at_once(
    function: Callable[[Job, Report], Result],
    jobs: Sequence[Job],
    *,
    workers: int | None = None,
    watch: Callable[[list[float]], None] = lambda shares: None,
) -> list[Result]:
    """``function(job, report)`` for a few long jobs, as many at a time as there are workers; the results in order.

    Args:
        function: importable by name; calls ``report`` now and then.
        jobs: each sent to one worker.
        workers: processes; by default `wanted_workers`; 1 works right here.
        watch: told the share that is done of each job, several times a second.

    Raises:
        GanforgeError: a worker died.
        Exception: what a job raised, as soon as it did; the others are ended.
    """
    workers = min(workers or wanted_workers(), len(jobs))
    shares = [0.0] * len(jobs)
    if workers <= 1:
        results = []
        for i, job in enumerate(jobs):

            def report(share: float, i: int = i) -> None:
                shares[i] = share
                watch(shares)

            results.append(function(job, report))
            report(1.0)
        return results
    context = multiprocessing.get_context("spawn")
    told = context.Array("d", len(jobs), lock=False)
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(told,))
    try:
        futures = []
        for i, job in enumerate(jobs):
            with _no_main_module(), _deaf_children():
                futures.append(pool.submit(_work_long, function, i, job))
        running = set(futures)
        while running:
            finished, running = wait(running, timeout=WATCH_SECONDS, return_when=FIRST_EXCEPTION)
            for future in finished:
                future.result()
            watch(list(told))
        return [future.result() for future in futures]
    except BrokenProcessPool:
        raise GanforgeError(DIED) from None
    except BaseException:
        _end(pool)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _work_long(function: Callable[[Job, Report], Result], number: int, job: Job) -> Result:
    def report(share: float) -> None:
        _state[number] = share

    result = function(job, report)
    report(1.0)
    return result


def _end(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool in the middle of their work: they only compute, and nobody waits for it any more."""
    for process in list((getattr(pool, "_processes", None) or {}).values()):
        process.terminate()


@contextlib.contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes that start here never hear Ctrl-C, not even while they import; ours answers once they have started: one that it
    had not noted yet would outlive it, and say so in a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    answer, heard = signal.getsignal(signal.SIGINT), False

    def note(*_: object) -> None:
        nonlocal heard
        heard = True

    # Blocking it here is not enough: another thread, of a library, takes it, and Python then answers in this one.
    postponed = threading.current_thread() is threading.main_thread() and answer is not None
    if postponed:
        signal.signal(signal.SIGINT, note)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if postponed:
            signal.signal(signal.SIGINT, answer)
            if heard:
                signal.raise_signal(signal.SIGINT)


@contextlib.contextmanager
def _no_main_module() -> Iterator[None]:
    """While processes start: hide where the main module came from, which is what spawned processes would import."""
    main = sys.modules["__main__"]
    hidden = {name: getattr(main, name) for name in ("__file__", "__spec__") if getattr(main, name, None) is not None}
    for name in hidden:
        setattr(main, name, None)
    try:
        yield
    finally:
        for name, value in hidden.items():
            setattr(main, name, value)
