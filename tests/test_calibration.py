"""How the way to compute a step is chosen, on a made-up machine."""

from itertools import count
from types import SimpleNamespace

import pytest

from ganforge.training import execution
from ganforge.training.execution import Execution, calibrate

BF16, FP32 = (Execution("cpu", "channels-last", precision) for precision in ("bf16", "fp32"))


@pytest.fixture
def machine(monkeypatch):
    """Answers with made-up speeds, look after look, and notes who was looked at."""
    asked = []

    def become(speed_of, seconds: float = 0.1):
        clock = count(step=seconds)

        def speed(system, source, choice, left):
            asked.append(choice.precision)
            return speed_of(choice, asked.count(choice.precision))

        monkeypatch.setattr(execution, "_speed", speed)
        monkeypatch.setattr(execution, "time", SimpleNamespace(perf_counter=lambda: float(next(clock))))
        monkeypatch.setattr(execution.torch, "get_num_threads", lambda: 1)
        return asked

    return become


def test_a_moments_hiccup_does_not_choose(machine):
    machine(lambda choice, look: (60 if look == 1 else 150) if choice is BF16 else 100)
    assert calibrate(object, None, [BF16, FP32], 20) == (BF16, 150, False)


def test_the_faster_one_is_taken(machine):
    machine(lambda choice, look: 90 if choice is BF16 else 100)
    assert calibrate(object, None, [BF16, FP32], 20)[0] is FP32


def test_what_fails_is_not_tried_again(machine):
    asked = machine(lambda choice, look: None if choice is BF16 else 100)
    assert calibrate(object, None, [BF16, FP32], 20)[0] is FP32
    assert asked.count("bf16") == 1
    assert asked.count("fp32") == execution.ROUNDS


def test_where_all_fail_the_likeliest_is_left_to_say_why(machine):
    machine(lambda choice, look: None)
    assert calibrate(object, None, [BF16, FP32], 20) == (BF16, None, False)


def test_time_ends_the_looks(machine):
    asked = machine(lambda choice, look: 100, seconds=4)
    calibrate(object, None, [BF16, FP32], 10)
    assert asked == ["bf16", "fp32"]
