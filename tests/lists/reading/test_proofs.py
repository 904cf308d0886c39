"""What shows that a page continues what was read."""

from __future__ import annotations

import datetime as dt

import pytest

from tap_drchrono.lists.claims import Claims
from tap_drchrono.lists.jobs import Frame, Order
from tap_drchrono.lists.reading import proofs
from tap_drchrono.lists.reading.evidence import Evidence
from tap_drchrono.lists.reading.frames import Mover
from tap_drchrono.lists.reading.memory import Listed, Memory
from tap_drchrono.lists.reading.pace import Pace
from tap_drchrono.lists.reading.passes import Pass, Why
from tap_drchrono.lists.reading.served import Served
from tap_drchrono.lists.windows import Window

DAY = dt.date(2024, 11, 3)
TEN = 10


def minutes(*times):
    return [dt.datetime(2024, 11, 3, 1, minute) for minute in times]  # noqa: DTZ001


def continues(names, values):
    """Tell it of a page behind ten records of the first of two equal hours."""
    memory = Memory(100)
    known = range(TEN)
    memory.read(Listed(0, known, known, minutes(*range(40, 50))))
    now = Pass(
        Why.USUAL,
        DAY,
        Frame(DAY, Order.UPDATED_AT),
        memory,
        Pace.for_pages_of(TEN),
        Mover(DAY),
        evidence=Evidence(position=TEN, distinct=TEN),
    )
    window = Window(4, 3)
    served = Served(now.frame, window, tuple({} for _ in names), Claims())
    listed = Listed(window.start, names, names, values)
    return proofs.continues(now, served, listed, memory.place(names[0]))


@pytest.mark.parametrize(
    ("names", "values", "wanted"),
    [
        ([9, 20, 21], minutes(49, 50, 51), True),
        ([20, 9, 21], minutes(30, 49, 50), True),
        ([20, 21, 22], minutes(49, 50, 51), True),
        ([20, 21, 22], minutes(5, 6, 7), False),
        ([20, 21, 22], minutes(50, 51, 52), False),
    ],
    ids=[
        "begins with one that was read",
        "one that came late, before one that was read",
        "begins within the last tie",
        "begins in the hour that is repeated: some of it may be left out",
        "begins later than the last record",
    ],
)
def test_a_page_continues_what_was_read(names, values, wanted):
    assert continues(names, values) is wanted
