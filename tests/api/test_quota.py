"""The quota: counted by clock hour and second, and 429s waited out."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from list_model import FakeClock

from tap_drchrono.api.quota import HOUR, Quota, next_hour
from tap_drchrono.errors import HostError

NOON = 1_700_006_400.0
"""The start of a clock hour."""


@pytest.fixture
def clock():
    return FakeClock(NOON)


def quota_with(clock, limit=500):
    return Quota(limit, clock, logging.getLogger("tap-drchrono.test"))


def test_noon_is_the_start_of_an_hour():
    assert NOON % HOUR == 0
    assert next_hour(NOON) == NOON + HOUR
    assert next_hour(NOON - 1) == NOON
    assert next_hour(NOON + HOUR - 0.001) == NOON + HOUR


@given(st.lists(st.floats(0, 5), max_size=100), st.integers(1, 40))
def test_neither_the_hour_nor_the_second_is_ever_exceeded(pauses, limit):
    clock = FakeClock(NOON + HOUR - 3)
    quota = quota_with(clock, limit)
    sent = []
    for pause in pauses:
        clock.time += pause
        quota.take()
        sent.append(clock.now())
        assert quota.used <= limit
    for moment in sent:
        assert sum(moment <= other < moment + 1 for other in sent) < 10
    for hour in {moment // HOUR for moment in sent}:
        assert sum(moment // HOUR == hour for moment in sent) <= limit


def test_a_small_sync_runs_at_full_speed(clock):
    quota = quota_with(clock)
    for _ in range(8):
        quota.take()
    assert clock.now() == NOON


def test_nothing_is_spread(clock):
    quota = quota_with(clock)
    for _ in range(500):
        quota.take()
    assert clock.now() - NOON < 70
    assert quota.used == 500


def test_the_top_of_the_hour_is_waited_for(clock, caplog):
    caplog.set_level(logging.INFO)
    clock.time = NOON + 1800
    quota = quota_with(clock, limit=3)
    for _ in range(3):
        quota.take()
    assert clock.now() == NOON + 1800
    quota.take()
    assert NOON + HOUR < clock.now() <= NOON + HOUR + 2
    assert quota.used == 1
    line, *more = (record.message for record in caplog.records)
    assert line.startswith("Waiting until ")
    assert line.endswith(": all 3 requests of this hour are used")
    assert quota.waited == pytest.approx(1801)
    # Ten and twenty minutes later.
    assert more == [line.replace("Waiting", "Still waiting")] * 2


def test_the_count_starts_anew_with_the_hour(clock):
    quota = quota_with(clock)
    quota.take()
    clock.time = NOON + HOUR
    assert quota.used == 0


class TestThrottled:
    @pytest.mark.parametrize("seconds", [0.5, 412, 2710.0])
    def test_a_stated_wait_is_obeyed(self, clock, seconds):
        quota = quota_with(clock)
        quota.throttled(seconds)
        quota.take()
        assert NOON + seconds <= clock.now() <= NOON + seconds + 2

    def test_a_bare_one_waits_shortly_and_then_for_the_hour(self, clock, caplog):
        caplog.set_level(logging.INFO)
        quota = quota_with(clock)
        quota.throttled(None)
        quota.take()
        assert clock.now() - NOON <= 10
        quota.throttled(None)
        quota.take()
        assert NOON + HOUR <= clock.now() <= NOON + HOUR + 2
        assert caplog.text.count("Waiting until") == 2

    def test_an_answer_ends_it(self, clock):
        quota = quota_with(clock)
        quota.throttled(None)
        quota.take()
        quota.accepted()
        quota.throttled(None)
        quota.take()
        assert clock.now() - NOON <= 20

    def test_a_day_of_nothing_else_is_an_error(self, clock):
        quota = quota_with(clock)

        def insist():
            for _ in range(30):
                quota.throttled(None)
                quota.take()

        with pytest.raises(HostError, match="24 hours"):
            insist()
        assert clock.now() - NOON >= 24 * HOUR

    def test_a_day_with_answers_is_none(self, clock):
        quota = quota_with(clock)
        for _ in range(30):
            quota.throttled(None)
            quota.take()
            quota.throttled(None)
            quota.take()
            quota.accepted()


class TestRefusals:
    """Whatever a 429 says, no hour sees more than five requests refused."""

    @given(
        st.lists(
            st.tuples(
                st.none() | st.floats(0.001, 86_400) | st.just(1.0),
                st.floats(0, 900),
                st.booleans(),
            ),
            max_size=60,
        )
    )
    def test_no_hour_sees_more_than_five(self, answers):
        clock = FakeClock(NOON + 123)
        quota = quota_with(clock)
        refused = []
        for wait, pause, accepted in answers:
            clock.time += pause
            quota.take()
            quota.answered()
            if accepted:
                quota.accepted()
            else:
                refused.append(clock.now())
                try:
                    quota.throttled(wait)
                except HostError:
                    break
        for moment in refused:
            assert sum(moment <= other < moment + HOUR for other in refused) <= 5

    @pytest.mark.parametrize("seconds", [0.1, 1.0, 5.0])
    def test_short_waits_that_are_stated_forever(self, clock, seconds):
        quota = quota_with(clock)
        for _ in range(10):
            quota.take()
            quota.throttled(seconds)
        assert clock.now() - NOON > 6 * HOUR

    def test_refusals_between_answers_are_waited_out_too(self, clock):
        quota = quota_with(clock)
        for _ in range(20):
            quota.take()
            quota.throttled(1.0)
            quota.take()
            quota.accepted()
        assert clock.now() - NOON > 3 * HOUR


class TestAClockThatIsSet:
    """The first answer may set the clock back by days; nothing waits for that."""

    @pytest.mark.parametrize("days", [3, -3])
    def test_costs_no_wait(self, clock, days):
        quota = quota_with(clock)
        for _ in range(8):
            quota.take()
            quota.answered()
        clock.time -= days * 24 * HOUR
        before = clock.now()
        quota.answered()
        assert quota.used == 1
        quota.take()
        assert clock.now() - before <= 1

    def test_a_wait_that_is_over_is_not_waited_for_again(self, clock):
        quota = quota_with(clock)
        quota.take()
        quota.throttled(30.0)
        quota.take()
        clock.time -= 3 * 24 * HOUR
        quota.answered()
        before = clock.now()
        quota.take()
        assert clock.now() - before <= 1

    def test_an_hour_that_begins_before_the_answer_counts_the_request(self, clock):
        quota = quota_with(clock)
        clock.time = NOON - 0.1
        quota.take()
        clock.time = NOON + 0.1
        quota.answered()
        assert quota.used == 1
