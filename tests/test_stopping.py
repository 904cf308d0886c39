"""How a wish to stop ends the wait for a request, and which request is waited for."""

import signal
from types import SimpleNamespace

import pytest

from tap_drchrono import clock as module
from tap_drchrono.clock import Clock
from tap_drchrono.errors import Stopped


@pytest.fixture
def call(monkeypatch):
    """Call what is answered after some seconds, with signals at some others.

    Time passes while the clock waits for the thread that makes the call.
    """

    def run(*, answered, signals, grace):
        clock, passed = Clock(), SimpleNamespace(seconds=0.0)
        due = dict(zip(signals, (signal.SIGINT, *[signal.SIGTERM] * 5), strict=False))

        class Thread:
            def __init__(self, target, daemon):
                assert daemon
                self.target = target

            def start(self):
                pass

            def is_alive(self):
                return self.target is not None

            def join(self, seconds):
                passed.seconds = round(passed.seconds + seconds, 6)
                for moment in [one for one in due if one <= passed.seconds]:
                    clock.request_stop(due.pop(moment))
                if passed.seconds >= answered:
                    self.target()
                    self.target = None

        monkeypatch.setattr(module, "threading", SimpleNamespace(Thread=Thread))
        timer = SimpleNamespace(monotonic=lambda: passed.seconds)
        monkeypatch.setattr(module, "time", timer)
        try:
            return clock.call(lambda: "answer", grace), passed.seconds
        except Stopped as stop:
            return stop.signum, passed.seconds

    return run


@pytest.mark.parametrize(
    ("signals", "answered", "expected"),
    [
        ([], 50, ("answer", 50)),
        ([3], 6, ("answer", 6)),
        ([3], 62, ("answer", 62)),
        ([3], 80, (signal.SIGINT, 63)),
        ([3, 3.2, 7.9], 60, ("answer", 60)),
        ([3, 8.2], 60, (signal.SIGINT, 8.2)),
        ([3, 4, 30], 60, (signal.SIGINT, 30)),
    ],
    ids=[
        "no signal",
        "one signal",
        "a late answer",
        "too late an answer",
        "the same wish again",
        "a later wish",
        "a much later wish",
    ],
)
def test_what_must_not_be_lost_is_waited_for(call, signals, answered, expected):
    result, seconds = call(answered=answered, signals=signals, grace=60.0)
    assert result == expected[0]
    assert seconds == pytest.approx(expected[1], abs=0.11)


def test_what_can_be_lost_is_left_at_once(call):
    result, seconds = call(answered=50, signals=[3], grace=0.0)
    assert result == signal.SIGINT
    assert seconds == pytest.approx(3, abs=0.11)


def test_after_a_stop_no_call_begins():
    clock = Clock()
    clock.request_stop(signal.SIGTERM)
    with pytest.raises(Stopped):
        clock.call(lambda: pytest.fail("it was called"), 60.0)
