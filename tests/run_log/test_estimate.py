"""How long it will take, by arithmetic."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_drchrono.run_log.estimate import (
    HOUR,
    Allowance,
    Measured,
    time_left,
    with_quota,
)
from tap_drchrono.words import counted, roughly

NOON = 1_700_006_400.0
"""The start of a clock hour."""
PLENTY = Allowance(1_000_000, 0, NOON)


@pytest.mark.parametrize(
    ("requests", "seconds", "used", "past_noon", "expected"),
    [
        # Within the hour, the quota makes no difference.
        (100, 60, 0, 0, 60),
        (500, 60, 0, 0, 60),
        (0, 0, 500, 0, 0),
        # What this hour does not allow goes out in the next one.
        (501, 501, 0, 0, HOUR + 1),
        (100, 100, 500, 0, HOUR + 100),
        (100, 100, 450, 1800, 1800 + 50),
        # Five hours of 500, the rest in the sixth.
        (2600, 260, 0, 0, 5 * HOUR + 10),
        # So slow that the quota is never reached.
        (2600, 10 * HOUR, 0, 0, 10 * HOUR),
        # Before the hour ends it is used up, and after that never again.
        (100, 10 * HOUR, 500, 3000, 600 + 10 * HOUR),
        # It takes no time but that of waiting.
        (1500, 0, 0, 900, 1 * HOUR + 2700),
    ],
)
def test_the_quota_is_waited_for(requests, seconds, used, past_noon, expected):
    allowance = Allowance(500, used, NOON + past_noon)
    assert with_quota(requests, seconds, allowance) == pytest.approx(expected)


def walked(requests: int, seconds: float, allowance: Allowance) -> float:
    """The same, request by request."""
    each, now, used = seconds / requests, allowance.now, allowance.used
    for _ in range(requests):
        if used >= allowance.limit:
            now, used = (now // HOUR + 1) * HOUR, 0
        before = now // HOUR
        now, used = now + each, used + 1
        if now // HOUR > before:
            used = 0
    return now - allowance.now


@given(
    st.integers(1, 400),
    st.floats(1, 30_000),
    st.integers(5, 100),
    st.integers(0, 100),
    st.floats(0, 3599),
)
def test_it_is_what_a_walk_over_all_requests_gives(requests, seconds, limit, used, at):
    allowance = Allowance(limit, min(used, limit), NOON + at)
    told = with_quota(requests, seconds, allowance)
    # In each hour that it touches, a request more or less.
    hours = told // HOUR + 2
    slack = hours * (seconds / requests) + 1
    walk = walked(requests, seconds, allowance)
    assert abs(told - walk) <= slack or abs(told - walk) <= HOUR + slack


def measured(**changes) -> Measured:
    usual = Measured(
        seconds=60,
        records=16_000,
        page_seconds=60,
        page_records=16_000,
        pages=16,
        pages_read=16,
        requests=30,
    )
    return usual._replace(**changes)


def left(found: Measured, records: int, **how) -> float | None:
    how = {"pending": 8, "at_once": 8, "allowance": PLENTY} | how
    return time_left(found, records, **how)


@pytest.mark.parametrize(
    ("found", "records", "expected"),
    [
        # As long for what is left as for what was read.
        (measured(), 16_000, 60),
        (measured(), 48_000, 180),
        # The last pages came a while ago: so much less is left.
        (measured(seconds=80, page_seconds=60), 16_000, 40),
        # They came very long ago: it does not come nearer for ever.
        (measured(seconds=600, page_seconds=60), 16_000, 300),
        # A page is going out to a slow target.
        (measured(seconds=120, page_seconds=60, records=18_000), 14_000, 46.7),
    ],
)
def test_the_average_counts(found, records, expected):
    assert left(found, records) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("pages", "records", "is_told"),
    [
        (0, 60_000, False),
        (1, 60_000, False),
        (7, 60_000, False),
        (8, 60_000, True),
        # A stream of few pages is measured when half of them have come.
        (1, 3_000, False),
        (2, 2_000, True),
    ],
)
def test_nothing_is_told_before_a_round_of_lists_has_come(pages, records, is_told):
    found = measured(
        pages=pages,
        pages_read=pages,
        page_records=1000 * pages,
        records=1000 * pages,
        requests=2 * pages,
    )
    assert (left(found, records) is not None) == is_told


def test_lists_that_are_pending_cost_one_request_only():
    # 40 pages: 80 requests, 8 of which were sent.
    allowance = Allowance(500, 428, NOON)
    assert left(measured(), 40_000, allowance=allowance) == pytest.approx(150)
    allowance = Allowance(500, 429, NOON)
    assert HOUR < (left(measured(), 40_000, allowance=allowance) or 0) < HOUR + 5


def test_looks_that_came_too_early_are_learned_from():
    # Four requests a page: 160, 8 of which were sent.
    found = measured(requests=60)
    allowance = Allowance(500, 349, NOON)
    assert (left(found, 40_000, allowance=allowance) or 0) > HOUR


@given(
    st.floats(0, 1e6),
    st.integers(0, 10_000_000),
    st.floats(0, 1e6),
    st.integers(0, 10_000_000),
    st.integers(0, 10_000),
    st.integers(-10, 100_000),
    st.integers(0, 10_000_000),
    st.integers(1, 1000),
    st.integers(1, 20),
)
def test_it_is_never_silly(
    seconds, records, page_seconds, page_records, pages, requests, rest, limit, at_once
):
    found = Measured(
        max(seconds, page_seconds),
        records,
        page_seconds,
        page_records,
        pages,
        pages + 1,
        requests,
    )
    told = time_left(
        found, rest, pending=3, at_once=at_once, allowance=Allowance(limit, 0, NOON)
    )
    assert told is None or (told >= 0 and math.isfinite(told))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "10 s"),
        (14, "10 s"),
        (54, "50 s"),
        (55, "1 min"),
        (61, "1 min"),
        (240, "4 min"),
        (5399, "90 min"),
        (9000, "2.5 hours"),
        (259_200, "3 days"),
    ],
)
def test_a_time_has_no_more_digits_than_it_deserves(seconds, words):
    assert roughly(seconds) == words


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 pages"), (1, "1 page"), (12_000, "12,000 pages")]
)
def test_one_is_singular(number, words):
    assert counted(number, "page") == words
