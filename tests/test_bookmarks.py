"""Bookmarks: they grow only, with the one exception, and say where to read from."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_drchrono.bookmarks import Bookmark, Oddity, since

TODAY = dt.date(2024, 6, 15)
START = "2024-05-01T10:00:00"


def emit(bookmark, *values):
    """Emit one page of records with these update times."""
    oddities = bookmark.begin_page(values)
    for value in values:
        bookmark.advance(value)
    return oddities


@pytest.fixture
def bookmark():
    return Bookmark(START, TODAY)


def test_without_a_record_it_stays(bookmark):
    assert bookmark.value == START
    assert Bookmark(None, TODAY).value is None


def test_it_is_the_highest_value_as_it_came(bookmark):
    assert not emit(bookmark, "2024-05-02 10:00:00", "2024-05-03 11:00:00")
    assert bookmark.value == "2024-05-03 11:00:00"
    assert not emit(bookmark, "2024-05-03T11:00:00", "2024-05-04")
    assert bookmark.value == "2024-05-04"


def test_equal_moments_keep_the_first_form(bookmark):
    emit(bookmark, "2024-05-02 10:00:00", "2024-05-02T10:00:00")
    assert bookmark.value == "2024-05-02 10:00:00"


def test_older_records_do_not_move_it_back(bookmark):
    assert not emit(bookmark, "2024-04-01T00:00:00", "2024-04-30T00:00:00")
    assert bookmark.value == START


@pytest.mark.parametrize("junk", [None, "", "junk", 5, True, {}, "2024-13-01T00:00:00"])
def test_junk_moves_nothing(bookmark, junk):
    assert not emit(bookmark, "2024-05-02T00:00:00", junk, "2024-05-03T00:00:00", junk)
    assert bookmark.value == "2024-05-03T00:00:00"


@pytest.mark.parametrize(
    ("value", "moves"),
    [
        ("2024-06-17T23:59:59", True),
        ("2024-06-18T00:00:00", False),
        ("2999-01-01", False),
    ],
)
def test_what_lies_more_than_two_days_ahead_moves_nothing(bookmark, value, moves):
    oddities = emit(bookmark, "2024-05-02T00:00:00", value)
    assert oddities == (set() if moves else {Oddity.FUTURE})
    assert bookmark.value == (value if moves else "2024-05-02T00:00:00")


def test_what_lies_ahead_is_no_disorder(bookmark):
    oddities = emit(bookmark, "2999-01-01T00:00:00", "2024-05-02T00:00:00")
    assert oddities == {Oddity.FUTURE}
    assert bookmark.value == "2024-05-02T00:00:00"


def test_disorder_sends_it_back_until_the_end(bookmark):
    emit(bookmark, "2024-05-02T00:00:00", "2024-05-04T00:00:00")
    assert emit(bookmark, "2024-05-03T00:00:00") == {Oddity.DISORDER}
    assert bookmark.value == START
    emit(bookmark, "2024-05-05T00:00:00")
    assert bookmark.value == START
    bookmark.release()
    assert bookmark.value == "2024-05-05T00:00:00"


def test_disorder_within_a_page_is_known_before_its_first_record(bookmark):
    page = ("2024-05-03T00:00:00", "2024-05-02T00:00:00")
    assert bookmark.begin_page(page) == {Oddity.DISORDER}
    bookmark.advance(page[0])
    assert bookmark.value == START


def test_a_first_run_in_disorder_has_no_bookmark_until_its_end():
    bookmark = Bookmark(None, TODAY)
    emit(bookmark, "2024-05-03T00:00:00", "2024-05-02T00:00:00")
    assert bookmark.value is None
    bookmark.release()
    assert bookmark.value == "2024-05-03T00:00:00"


def test_a_day_is_reached_but_never_left_backwards(bookmark):
    bookmark.reach(dt.date(2024, 5, 1))
    assert bookmark.value == START
    bookmark.reach(dt.date(2024, 6, 15))
    assert bookmark.value == "2024-06-15"


stamps = st.integers(0, 150 * 86_400).map(
    lambda seconds: (
        f"{dt.datetime.fromtimestamp(1_704_067_200 + seconds, dt.UTC):%FT%T}"
    )
)


@given(st.one_of(st.none(), stamps), st.lists(st.lists(stamps)))
def test_after_the_end_it_is_the_highest_of_all(start, pages):
    bookmark = Bookmark(start, TODAY)
    for page in pages:
        emit(bookmark, *page)
        assert bookmark.value is None or bookmark.value >= (start or "")
    bookmark.release()
    everything = [start, *(value for page in pages for value in page)]
    assert bookmark.value == max(filter(None, everything), default=None)


@given(st.lists(st.lists(stamps)))
def test_in_order_it_only_grows(pages):
    ordered = iter(sorted(value for page in pages for value in page))
    bookmark = Bookmark(None, TODAY)
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
        ("2024-05-01T00:10:00", "2024-03-01", 1, "2024-04-30", True),
        ("2024-05-01", None, 2, "2024-04-29", True),
        ("2024-05-01 00:10:00", None, 10**9, "1970-01-01", True),
        ("junk", "2024-03-01", 1, "2024-03-01", False),
        (5, None, 1, "1970-01-01", False),
    ],
)
def test_where_to_read_from(stored, start_date, lookback, day, resumed):
    assert since(stored, start_date, lookback) == (dt.date.fromisoformat(day), resumed)
