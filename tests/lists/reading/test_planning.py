"""Which window comes next, in the smaller sizes in which a tie is read once more."""

from __future__ import annotations

import datetime as dt

import pytest

from tap_drchrono.lists.jobs import Frame, Order
from tap_drchrono.lists.reading.evidence import Evidence
from tap_drchrono.lists.reading.frames import Mover
from tap_drchrono.lists.reading.memory import Memory
from tap_drchrono.lists.reading.pace import Pace
from tap_drchrono.lists.reading.passes import Pass, Why
from tap_drchrono.lists.reading.planning import next_window
from tap_drchrono.lists.windows import MAX_PAGE

DAY = dt.date(2024, 1, 1)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 40, 1000])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_other_windows_reach_as_far_as_page_numbers_do(size, share):
    position = int(share * size * MAX_PAGE)
    sizes = set()
    for other in range(13):
        now = Pass(
            Why.DOUBT,
            DAY,
            Frame(DAY, Order.SCHEDULED_TIME),
            Memory(100),
            Pace.for_pages_of(size),
            Mover(DAY),
            evidence=Evidence(position=position),
        )
        now.other = other
        window = next_window(now, None, size)
        assert window
        assert window.page <= MAX_PAGE
        assert window.start <= position < window.end
        sizes.add(window.size)
    assert len(sizes) > 1 or size < 7 or share > 0.9
