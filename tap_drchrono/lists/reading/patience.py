"""How many windows a reading may take, before it is given up for another order."""

from __future__ import annotations

import typing as t

from tap_drchrono.lists.jobs import Order

if t.TYPE_CHECKING:
    from tap_drchrono.lists.reading.passes import Pass

PATIENCE = 6
"""Windows that may be wasted, beside one in two pages, before a stream is read in an
order that updates do not change. Four times as many may be read, beside three a page.
"""
_MORE_PATIENCE = 40
"""The same in that order, beside two a page, before the stream is given up."""
_AT_FIRST = 120
"""Pages that a count is believed to promise, beside four times those that were read."""


def pages_of(now: Pass, largest: int) -> int:
    """Say how many pages a stream has; no count says much more than was read.

    Args:
        now: The reading.
        largest: Records a page at most.
    """
    count, evidence = now.count, now.evidence
    records = max(count.first or 0, count.last or 0, evidence.position)
    pages = records // max(largest - max(largest // 50, 1), 1)
    read = min(evidence.distinct, evidence.position) // largest
    return min(pages, _AT_FIRST + 4 * read)


def is_too_restless(now: Pass, largest: int) -> bool:
    """Tell whether too many windows were wasted on records that move.

    Args:
        now: The reading.
        largest: Records a page at most.
    """
    pages = pages_of(now, largest)
    if now.frame.order is not Order.UPDATED_AT:
        return now.pace.wasted > _MORE_PATIENCE + 2 * pages
    return (
        now.pace.wasted > PATIENCE + pages // 2
        or now.pace.windows > 4 * PATIENCE + 3 * pages
    )
