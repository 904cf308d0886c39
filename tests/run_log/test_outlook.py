"""What a plan says of the quota, and of the end."""

from __future__ import annotations

import time

import pytest

from tap_drchrono.run_log.estimate import Allowance
from tap_drchrono.run_log.outlook import WIDTH, Work, told

NOON = 1_700_006_400.0
"""The start of a clock hour."""


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    """Set the machine's zone, in which times are told."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def words(requests, pages, used=0, past=300.0):
    work = Work(requests, pages, 8, 30.0)
    lines = told(work, Allowance(500, used, NOON + past))
    assert max(map(len, lines)) <= WIDTH
    return " ".join(lines)


@pytest.mark.parametrize(
    ("requests", "pages", "hours", "end"),
    [
        (16, 8, "", "at about 00:05, after 30 seconds,"),
        (484, 8, "", "at about 00:05, after 30 seconds,"),
        (
            1290,
            645,
            ", then 1 hour of 500, then 306 in the hour after that",
            "at about 02:09, after 2.1 hours,",
        ),
        (
            10_600,
            5_300,
            ", then 20 hours of 500, then 116 in the hour after that",
            "at about 21:03, after 21.0 hours,",
        ),
        (
            100_984,
            50_492,
            ", then 201 hours of 500",
            "on 2023-11-23, after 8.4 days,",
        ),
    ],
)
def test_the_arithmetic_is_shown(requests, pages, hours, end):
    text = words(requests, pages, used=16)
    assert text.startswith(
        f"Quota: {requests:,} requests, at 500 a clock hour: 484 are left until 01:00"
        f"{hours}. A sync that begins now ends "
    )
    assert end in text


def test_one_is_singular():
    assert words(1, 1).startswith("Quota: 1 request, at 500")


def test_within_the_hour_the_lists_decide():
    # 20 rounds of 8 lists.
    assert "at about 00:15, after 10 minutes," in words(320, 160)
