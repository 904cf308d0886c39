"""What may be said of a value, and which clock stamps are on."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_drchrono.first_run import zones
from tap_drchrono.first_run.forms import UNNAMED, form, name_of, rough, share

WORDS = {
    "null",
    "true or false",
    "whole number",
    "number",
    "object",
    "list",
    "empty text",
    "digits",
    "digits_8digits",
    "0.00 text",
    "date",
    "naive seconds",
    "naive seconds with a space",
    "naive fractions",
    "time with a zone",
    "text",
}


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (None, "null"),
        (True, "true or false"),
        (5, "whole number"),
        (Decimal("1.50"), "number"),
        ({}, "object"),
        ([], "list"),
        ("", "empty text"),
        ("4711", "digits"),
        ("123_20240105", "digits_8digits"),
        ("125.00", "0.00 text"),
        ("2024-01-05", "date"),
        ("2024-01-05T10:00:00", "naive seconds"),
        ("2024-01-05 10:00:00", "naive seconds with a space"),
        ("2024-01-05T10:00:00.123", "naive fractions"),
        ("2024-01-05T10:00:00Z", "time with a zone"),
        ("Mrs Invented", "text"),
    ],
)
def test_a_value_has_a_form(value, word):
    assert form(value) == word


@given(st.recursive(st.none() | st.booleans() | st.text() | st.integers(), st.lists))
def test_a_form_is_one_of_few_words(value):
    assert form(value) in WORDS


@pytest.mark.parametrize(
    ("count", "word"),
    [(0, "0"), (1, "1-9"), (9, "1-9"), (10, "10-99"), (4428, "1,000-9,999")],
)
def test_a_count_is_rough(count, word):
    assert rough(count) == word


def test_a_share_is_in_whole_percent():
    assert [share(1, 3), share(3, 3), share(0, 0)] == ["33 %", "100 %", "-"]


@pytest.mark.parametrize(
    "name", ["Mrs Invented", "4711", "a" * 41, "k-1", "p_20240105", "x@example.com", ""]
)
def test_a_name_that_looks_like_data_is_not_shown(name):
    assert name_of(name) == UNNAMED
    assert name_of(name, [name]) == name


@pytest.mark.parametrize(
    "name", ["new_field", "field_2", "icd10_codes", "address_line_1"]
)
def test_a_name_of_a_field_is_shown(name):
    assert name_of(name) == name


@pytest.mark.parametrize(
    ("now", "newest", "answer", "sure"),
    [
        (
            "2026-01-15T18:00:00",
            "2026-01-15T12:55:00",
            "US Eastern, 5 h behind UTC",
            95,
        ),
        (
            "2026-07-15T18:00:00",
            "2026-07-15T13:55:00",
            "US Eastern, 4 h behind UTC",
            95,
        ),
        (
            "2026-01-15T18:00:00",
            "2026-01-15T09:20:00",
            "US Pacific, 8 h behind UTC",
            70,
        ),
        ("2026-01-15T18:00:00", "2026-01-15T17:59:00", "UTC", 95),
        ("2026-01-15T18:00:00", "2026-01-15T20:00:00", "ahead of UTC, by 2 h", 80),
        ("2026-01-15T18:00:00", "2026-01-14T10:00:00", "cannot tell", None),
    ],
)
def test_the_newest_stamp_tells_the_clock(now, newest, answer, sure):
    found = zones.of_stamps([newest, "junk", None], dt.datetime.fromisoformat(now))
    assert found == (answer, sure)


def test_no_stamp_tells_nothing():
    assert zones.of_stamps([], dt.datetime(2026, 1, 1)) == zones.CANNOT_TELL  # noqa: DTZ001 - as the API writes it
    assert zones.of_since(["junk"], dt.date(2026, 1, 1)) == zones.CANNOT_TELL
