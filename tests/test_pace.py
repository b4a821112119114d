"""Stepping aside while other programs want the cores, on a made-up machine."""

import pytest

from ganforge.training.pace import Pace, replayed_pace


def play(pace: Pace, speed_of, seconds: float, step: float = 0.5) -> list[int]:
    """Let ``seconds`` go by on a machine of ``speed_of(threads)`` pictures a second; the threads of each step."""
    used = []
    for _ in range(int(seconds / step)):
        used.append(pace.threads)
        pace.stepped(max(1, round(speed_of(pace.threads) * step)), step)
    return used


def test_a_quiet_machine_keeps_all_threads():
    assert set(play(Pace(2), lambda _: 190, 300)) == {2}


def test_ordinary_noise_changes_nothing():
    pace = Pace(2)
    for speed in (190, 150, 110, 180, 100, 170):
        assert set(play(pace, lambda _, s=speed: s, 9)) == {2}


def test_a_busy_machine_is_left_half_and_taken_back():
    pace = Pace(2)
    play(pace, lambda _: 190, 30)
    busy = play(pace, lambda threads: 9 if threads == 2 else 90, 200)
    assert busy.count(1) > 0.85 * len(busy)  # some time goes into trying all threads again
    free = play(pace, lambda threads: 190 if threads == 2 else 100, 400)
    assert free[-1] == 2
    assert free[free.index(2, 10) :].count(1) <= 40


def test_slowness_that_threads_do_not_cause_is_borne():
    pace = Pace(2)
    play(pace, lambda _: 190, 30)
    slow = play(pace, lambda threads: 50 if threads == 2 else 30, 120)
    assert slow.count(2) > 0.8 * len(slow)


def test_one_core_has_nothing_to_give():
    pace = Pace(1)
    play(pace, lambda _: 100, 30)
    assert set(play(pace, lambda _: 5, 60)) == {1}


@pytest.mark.parametrize(("seen", "threads"), [(0, None), (99, None), (100, 1), (350, 2), (10_000, 2)])
def test_logged_changes_are_replayed(seen, threads):
    assert replayed_pace([(100, 1), (300, 2)])(seen) == threads
