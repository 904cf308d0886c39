"""The server's clock: set by the first answer, even, and never going back."""

from __future__ import annotations

import pytest
from simulated import NOW, SimulatedClock

from tap_drchrono.clock import Clock, how_long

DAY = 86_400.0


@pytest.mark.parametrize("ahead", [-3 * DAY, -600.0, 0.0, 600.0, 3 * DAY])
class TestAMachineThatIsWrong:
    def test_is_believed_until_an_answer_tells(self, ahead):
        clock = SimulatedClock(machine_ahead=ahead)
        assert clock.now() == NOW + ahead
        assert clock.told(NOW) == ahead
        assert clock.now() == NOW

    def test_may_be_set_while_the_tap_runs(self, ahead):
        clock = SimulatedClock()
        clock.told(NOW)
        clock.machine_ahead = ahead
        clock.time += 10
        assert clock.now() == NOW + 10

    def test_may_be_set_before_the_first_answer(self, ahead):
        clock = SimulatedClock()
        clock.machine_ahead = ahead
        clock.time += 10
        assert clock.now() == NOW + 10


def test_a_clock_without_answers_runs_evenly():
    clock = Clock()
    before = clock.now()
    assert abs(before - clock.machine_time()) < 5
    assert clock.now() >= before


def test_sleep_is_noticed_with_the_next_answer():
    clock = SimulatedClock()
    clock.told(NOW)
    clock.suspend(6 * 3600)
    assert clock.now() == NOW
    assert clock.woke_at == 0
    clock.told(clock.time)
    assert clock.now() == clock.woke_at == NOW + 6 * 3600


@pytest.mark.parametrize("late", [0.4, 0.9, 3.0, -3.0])
def test_what_a_date_differs_for_no_reason_changes_nothing(late):
    clock = SimulatedClock()
    for _ in range(3):
        clock.time += 100
        clock.told(clock.time - late)
        assert clock.now() == clock.time


def test_a_server_that_is_behind_another_does_not_take_it_back():
    clock = SimulatedClock()
    clock.told(NOW)
    clock.told(NOW - DAY)
    assert clock.now() == NOW


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "1 second"),
        (89, "89 seconds"),
        (180, "3 minutes"),
        (9000, "2.5 hours"),
        (3 * DAY, "3.0 days"),
    ],
)
def test_durations_in_words(seconds, words):
    assert how_long(seconds) == words
