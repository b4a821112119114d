"""Jobs in several processes."""

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


@pytest.mark.parametrize("workers", [1, 2])
def test_long_jobs_come_back_in_order_and_tell_how_far_they_are(workers):
    seen = []
    made = at_once(slow_square, [3.0, 1.0, 2.0], workers=workers, watch=lambda shares: seen.append(list(shares)))
    assert made == [9, 1, 4]
    assert seen[-1] == [1, 1, 1]
    assert any(0 < share < 1 for shares in seen for share in shares) or workers == 2


@pytest.mark.parametrize("workers", [1, 2])
def test_the_first_failure_is_told_and_ends_the_others(workers):
    begun = time.perf_counter()
    with pytest.raises(UsageError, match="no negative"):
        at_once(slow_square, [-1.0, 101.0 if workers == 2 else 1.0], workers=workers)
    assert time.perf_counter() - begun < 30
