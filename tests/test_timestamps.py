"""Timestamps: what counts as one, and going back some days."""

from __future__ import annotations

import datetime as dt

import pytest

from tap_drchrono.timestamps import EVERYTHING, days_before, parse


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2020-12-26T00:07:21", "2020-12-26T00:07:21"),
        ("2020-12-26 00:07:21", "2020-12-26T00:07:21"),
        ("2020-12-26T00:07:21.250", "2020-12-26T00:07:21.250000"),
        ("2021-02-14", "2021-02-14T00:00:00"),
        (" 2021-02-14 ", "2021-02-14T00:00:00"),
        ("2021-02-14T10:00:00Z", "2021-02-14T10:00:00"),
        ("2021-02-14T10:00:00-05:00", "2021-02-14T15:00:00"),
        ("1970-01-01T00:00:00", "1970-01-01T00:00:00"),
        ("9999-12-31T23:59:59", "9999-12-31T23:59:59"),
    ],
)
def test_what_can_be_read(text, iso):
    moment = parse(text)
    assert moment == dt.datetime.fromisoformat(iso)
    assert moment.tzinfo is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "   ",
        "junk",
        "not a timestamp at all",
        "2024-02-30T00:00:00",
        "2024-02-30",
        "2024-01-01T25:00:00",
        "2024",
        "0000-00-00T00:00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        1_700_000_000,
        1.5,
        True,
        [],
        {"a": 1},
        b"2024-01-01T00:00:00",
    ],
)
def test_what_is_junk(value):
    assert parse(value) is None


@pytest.mark.parametrize(
    ("day", "days", "before"),
    [
        ("2024-03-01", 1, "2024-02-29"),
        ("2024-03-01", 0, "2024-03-01"),
        ("1970-01-01", 1, "1970-01-01"),
        ("1970-01-05", 3, "1970-01-02"),
        ("1969-12-31", 1, "1970-01-01"),
        ("0001-01-01", 5, "1970-01-01"),
        ("2024-03-01", 10**12, "1970-01-01"),
        ("9999-12-31", 1, "9999-12-30"),
    ],
)
def test_going_back(day, days, before):
    found = days_before(dt.date.fromisoformat(day), days)
    assert found == dt.date.fromisoformat(before)
    assert found >= EVERYTHING
