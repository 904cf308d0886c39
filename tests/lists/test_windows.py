"""Windows: where they start and end, for any position and page size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_drchrono.lists.windows import (
    MAX_PAGE,
    Window,
    adjoining,
    ending_at,
    overlapping,
)

sizes = st.integers(1, 1000)


@pytest.mark.parametrize(
    ("window", "start", "end"),
    [(Window(1, 1000), 0, 1000), (Window(2, 999), 999, 1998), (Window(5, 1), 4, 5)],
)
def test_a_window_is_a_stretch_of_the_list(window, start, end):
    assert (window.start, window.end) == (start, end)


def test_the_first_window_is_a_full_page():
    assert overlapping(0, 1000, 10) == Window(1, 1000)
    assert overlapping(0, 1, 10) == Window(1, 1)


@given(st.integers(1, 900_000), sizes, st.integers(1, 50))
def test_an_overlapping_window_starts_before_and_ends_behind(position, size, overlap):
    window = overlapping(position, size, overlap)
    if window is not None:
        assert window.start < position < window.end
        assert 1 <= window.page <= MAX_PAGE
        assert window.size <= size


@pytest.mark.parametrize("size", [500, 777, 1000])
def test_reading_on_costs_a_few_percent_more_pages(size):
    position = pages = 0
    while position < 100 * size:
        window = overlapping(position, size, max(1, size // 50))
        position = window.end
        pages += 1
    assert pages <= 109


@pytest.mark.parametrize("position", [1, 2, 17, 1000])
def test_pages_of_one_record_never_overlap(position):
    assert overlapping(position, 1, 5) is None


def test_none_overlaps_behind_the_last_page():
    assert overlapping(MAX_PAGE * 1000, 1000, 5) is None
    assert overlapping(MAX_PAGE * 1000 - 1, 1000, 5) == Window(MAX_PAGE, 1000)


@given(st.integers(0, 900_000), sizes)
def test_an_adjoining_window_starts_at_the_position(position, size):
    window = adjoining(position, size)
    if window is None:
        assert position >= MAX_PAGE
    else:
        assert window.start == position
        assert window.page <= MAX_PAGE
        assert window.size <= size


@given(st.integers(1, 900_000), sizes)
def test_a_window_that_ends_at_the_position(position, size):
    window = ending_at(position, size)
    if window is None:
        assert position > MAX_PAGE
    else:
        assert window.end == position
        assert window.page <= MAX_PAGE
        assert window.size <= size


@pytest.mark.parametrize(
    ("position", "size", "next_one", "last_one"),
    [
        (7, 1000, Window(2, 7), Window(1, 7)),
        (2000, 1000, Window(3, 1000), Window(2, 1000)),
        (1997, 1000, Window(1998, 1), None),
        (3, 1, Window(4, 1), Window(3, 1)),
    ],
)
def test_the_largest_one_is_taken(position, size, next_one, last_one):
    if next_one.page > MAX_PAGE:
        next_one = None
    assert adjoining(position, size) == next_one
    assert ending_at(position, size) == last_one
