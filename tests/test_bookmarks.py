"""Bookmarks: they grow only, with the one exception, and say where to read from."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_drchrono.bookmarks import Bookmark, TimeOddity, day_to_read_from, since

START = "2024-05-01T10:00:00"
LIMIT = dt.datetime(2024, 6, 15, 12)  # noqa: DTZ001 - as timestamps are compared


def emit(bookmark, *values, after=None):
    """Emit one page of records with these update times."""
    oddities = bookmark.see(values, LIMIT, after)
    bookmark.claim()
    return oddities


@pytest.fixture
def bookmark():
    return Bookmark(START, 1)


def test_without_a_record_it_stays(bookmark):
    assert bookmark.value == START
    assert Bookmark(None, 1).value is None


def test_it_is_the_highest_value_as_it_came(bookmark):
    assert not emit(bookmark, "2024-05-02 10:00:00", "2024-05-03 11:00:00")
    assert bookmark.value == "2024-05-03 11:00:00"
    assert not emit(bookmark, "2024-05-03T11:00:00", "2024-05-04")
    assert bookmark.value == "2024-05-04"


def test_a_page_moves_it_only_once_it_is_claimed(bookmark):
    bookmark.see(["2024-05-02T10:00:00"], LIMIT)
    assert bookmark.value == START
    bookmark.claim()
    assert bookmark.value == "2024-05-02T10:00:00"


def test_equal_moments_keep_the_first_form(bookmark):
    emit(bookmark, "2024-05-02 10:00:00", "2024-05-02T10:00:00")
    assert bookmark.value == "2024-05-02 10:00:00"


def test_older_records_do_not_move_it_back(bookmark):
    assert not emit(bookmark, "2024-04-30T00:00:00", "2024-04-30T01:00:00")
    assert bookmark.value == START


@pytest.mark.parametrize("junk", [None, "", "junk", 5, True, {}, "2024-13-01T00:00:00"])
def test_junk_moves_nothing(bookmark, junk):
    assert not emit(bookmark, "2024-05-02T00:00:00", junk, "2024-05-03T00:00:00", junk)
    assert bookmark.value == "2024-05-03T00:00:00"


@pytest.mark.parametrize(
    ("value", "moves", "is_odd"),
    [
        ("2024-06-15T12:00:00", True, False),
        ("2024-06-15T12:00:01", False, False),
        ("2024-06-17T12:00:00", False, False),
        ("2024-06-17T12:00:01", False, True),
        ("2999-01-01", False, True),
    ],
)
def test_it_never_passes_the_start_of_the_run(bookmark, value, moves, is_odd):
    oddities = emit(bookmark, "2024-05-02T00:00:00", value)
    assert oddities == ({TimeOddity.FUTURE} if is_odd else set())
    assert bookmark.value == (value if moves else "2024-05-02T00:00:00")


def test_what_lies_ahead_is_no_disorder(bookmark):
    oddities = emit(bookmark, "2999-01-01T00:00:00", "2024-05-02T00:00:00")
    assert oddities == {TimeOddity.FUTURE}
    assert bookmark.value == "2024-05-02T00:00:00"


@pytest.mark.parametrize(
    ("lookback", "is_odd"), [(1, True), (2, False), (10**9, False)]
)
def test_disorder_of_less_than_the_lookback_is_none(lookback, is_odd):
    bookmark = Bookmark(START, lookback)
    values = ("2024-05-04T00:00:01", "2024-05-03T00:00:00")
    assert (TimeOddity.DISORDER in emit(bookmark, *values)) == is_odd
    assert (TimeOddity.DISORDER in emit(bookmark, values[1], after=values[0])) == is_odd


def test_it_is_held_and_taken_back_until_the_end(bookmark):
    emit(bookmark, "2024-05-02T00:00:00")
    bookmark.hold()
    emit(bookmark, "2024-05-03T00:00:00")
    assert bookmark.value == "2024-05-02T00:00:00"
    bookmark.hold(at_start=True)
    assert bookmark.value == START
    bookmark.release()
    assert bookmark.value == "2024-05-03T00:00:00"


def test_a_moment_is_reached_but_never_left_backwards(bookmark):
    bookmark.reach("2024-05-01")
    assert bookmark.value == START
    bookmark.reach("2024-06-15")
    assert bookmark.value == "2024-06-15"


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2024-05-03T13:59:59", "2024-05-01"),
        ("2024-05-03T14:00:00", "2024-05-02"),
        ("0001-01-01T00:00:00", "1970-01-01"),
    ],
)
def test_the_zone_of_since_comes_on_top_of_the_lookback(moment, day):
    found = day_to_read_from(dt.datetime.fromisoformat(moment), 1)
    assert str(found) == day


@given(st.datetimes(dt.datetime(1971, 1, 1)), st.integers(1, 30), st.integers(-14, 14))  # noqa: DTZ001
def test_it_has_begun_in_every_zone(moment, lookback, hours):
    day = day_to_read_from(moment, lookback)
    begins = dt.datetime.combine(day, dt.time.min) + dt.timedelta(hours=hours)
    assert begins <= moment - dt.timedelta(
        days=min(lookback, (moment.date() - day).days)
    )
    assert moment - begins < dt.timedelta(days=lookback + 2, hours=14)


stamps = st.integers(0, 150 * 86_400).map(
    lambda seconds: (
        f"{dt.datetime.fromtimestamp(1_704_067_200 + seconds, dt.UTC):%FT%T}"
    )
)


@given(st.one_of(st.none(), stamps), st.lists(st.lists(stamps)))
def test_after_the_end_it_is_the_highest_of_all(start, pages):
    bookmark = Bookmark(start, 1)
    for page in pages:
        emit(bookmark, *page)
        assert bookmark.value is None or bookmark.value >= (start or "")
    bookmark.release()
    everything = [start, *(value for page in pages for value in page)]
    assert bookmark.value == max(filter(None, everything), default=None)


@given(st.lists(st.lists(stamps)))
def test_in_order_it_only_grows(pages):
    ordered = iter(sorted(value for page in pages for value in page))
    bookmark = Bookmark(None, 1)
    before = ""
    for page in pages:
        assert not emit(bookmark, *[next(ordered) for _ in page])
        assert (bookmark.value or "") >= before
        before = bookmark.value or ""


@pytest.mark.parametrize(
    ("stored", "start_date", "lookback", "day", "resumed"),
    [
        (None, None, 1, "1970-01-01", False),
        (None, "2024-03-01", 1, "2024-03-01", False),
        (None, "2024-03-01T23:00:00-05:00", 9, "2024-03-01", False),
        ("2024-05-01T00:10:00", "2024-03-01", 1, "2024-04-29", True),
        ("2024-05-01", None, 2, "2024-04-28", True),
        ("2024-05-01 00:10:00", None, 10**9, "1970-01-01", True),
        ("junk", "2024-03-01", 1, "2024-03-01", False),
        (5, None, 1, "1970-01-01", False),
    ],
)
def test_where_to_read_from(stored, start_date, lookback, day, resumed):
    assert since(stored, start_date, lookback) == (dt.date.fromisoformat(day), resumed)
