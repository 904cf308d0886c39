"""The table at the end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tap_drchrono.run_log.summary import WIDTH, Row, Tally, table
from tap_drchrono.streams.catalogue import ENDPOINTS

NAMES = list(ENDPOINTS)[:20]
GOOD = Row("patients", Tally(1200, 2, 31.6), 5, "2026-01-30T10:00:00")


def test_a_stream_is_a_row():
    assert table([GOOD]) == [
        "stream   records pages requests seconds bookmark",
        "patients   1,200     2        5      32 2026-01-30",
    ]


def test_several_streams_have_a_sum():
    failed = Row(
        "line_items",
        Tally(12_000, 12, 600),
        60,
        None,
        "failed",
        "line_items: HTTP 503 for /api/line_items_list, 7 times in a row. Run it.",
    )
    unread = Row("transactions", None, 1, "2026-01-29T08:00:00", "not read")
    assert table([GOOD, failed, unread]) == [
        "stream       records pages requests seconds bookmark   trouble",
        "patients       1,200     2        5      32 2026-01-30",
        "line_items    12,000    12       60     600 -          failed",
        "transactions       -     -        -       - 2026-01-29 not read",
        "all           13,200    14       65     632",
        "line_items: HTTP 503 for /api/line_items_list, 7 times in a row",
    ]


@given(
    st.integers(0, 1_999_999),
    st.integers(0, 99_999),
    st.floats(0, 99_999),
    st.text("abcdef ", max_size=400),
)
def test_it_fits_into_a_terminal(records, pages, seconds, why):
    rows = [
        Row(name, Tally(records, pages, seconds), pages, "2026-01-30", "failed", why)
        for name in NAMES
    ]
    lines = table(rows)
    assert max(map(len, lines)) <= WIDTH
    names = {line.replace(":", " ").split()[0] for line in lines[1:]}
    assert names == {*NAMES, "all"}


def test_what_several_tries_cost_is_added():
    assert Tally(1, 2, 3.5).plus(Tally(10, 20, 1.0)) == Tally(11, 22, 4.5)
