"""Jobs in several processes."""

import os
import signal
import subprocess
import sys
import time

import pytest

from ganforge.errors import UsageError
from ganforge.pictures.workers import at_once


def slow_square(job: float, report) -> float:
    for i in range(5):
        time.sleep(0.02)
        report(i / 5)
    if job < 0:
        raise UsageError("no negative numbers")
    if job > 100:
        time.sleep(60)
    return job * job


def slower_square(job: float, report) -> float:
    """Long enough for the watch to come by."""
    for i in range(5):
        time.sleep(0.15)
        report((i + 1) / 6)
    return job * job


ENDED = """
import time
from ganforge.pictures.workers import at_once
from pathlib import Path

def beat(job, report):
    for i in range(600):
        Path(job).write_text(str(i))
        time.sleep(0.05)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
@pytest.mark.parametrize("how", ["SIGINT", "SIGKILL"])
def test_long_jobs_end_with_their_parent(tmp_path, how):
    script, beats = tmp_path / "beats.py", [tmp_path / "a", tmp_path / "b"]
    script.write_text(ENDED, encoding="utf-8")
    # what workers run has to be importable: the script as a module
    parent = subprocess.Popen(
        [sys.executable, "-c", "import sys, beats; beats.at_once(beats.beat, sys.argv[1:], workers=2)", *map(str, beats)],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 40
    while not all(beat.exists() for beat in beats):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    parent.send_signal(getattr(signal, how))
    parent.wait(20)
    time.sleep(1.0)
    last = [beat.read_text() for beat in beats]
    time.sleep(0.5)
    assert [beat.read_text() for beat in beats] == last


@pytest.mark.parametrize("workers", [1, 2])
def test_long_jobs_come_back_in_order_and_tell_how_far_they_are(workers):
    seen = []
    made = at_once(slower_square, [3.0, 1.0, 2.0], workers=workers, watch=lambda shares: seen.append(list(shares)))
    assert made == [9, 1, 4]
    assert seen[-1] == [1, 1, 1]
    assert any(0 < share < 1 for shares in seen for share in shares)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_first_failure_is_told_and_ends_the_others(workers):
    begun = time.perf_counter()
    with pytest.raises(UsageError, match="no negative"):
        at_once(slow_square, [-1.0, 101.0 if workers == 2 else 1.0], workers=workers)
    assert time.perf_counter() - begun < 30


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="needs POSIX signals")
def test_ctrl_c_waits_until_processes_have_started():
    """Also where another thread takes the signal, as those of numerical libraries do."""
    script = (
        "import os, signal, threading, time\n"
        "from ganforge.pictures.workers import _deaf_children\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "try:\n"
        "    with _deaf_children():\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        time.sleep(0.2)\n"
        "        print('started')\n"
        "except KeyboardInterrupt:\n"
        "    print('stopped', signal.getsignal(signal.SIGINT) is signal.default_int_handler)\n"
    )
    said = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=60)
    assert (said.stdout.split(), said.stderr) == (["started", "stopped", "True"], "")
