"""Which window comes next, and from which day on it is counted."""

from __future__ import annotations

import typing as t

from tap_drchrono.lists import windows
from tap_drchrono.lists.jobs import Order

if t.TYPE_CHECKING:
    from tap_drchrono.lists.jobs import Frame
    from tap_drchrono.lists.reading.passes import Pass
    from tap_drchrono.lists.windows import Window


def next_window(now: Pass, behind: int | None, size: int) -> Window | None:
    """Choose the next window.

    Args:
        now: The reading.
        behind: Where the last pending window ends, or None if none is pending.
        size: Records a page.

    Returns:
        The window; None if none overlaps, and a pending one has to be read first.
        With none pending: None if page numbers do not reach there.
    """
    position = now.evidence.position if behind is None else behind
    at = max(position - now.frame.base, 0)
    # Smaller by no more than half: page numbers end at 1000.
    smaller = size - max(size // 16, 1) * now.other % (size // 2 + 1)
    overlap = 1 if position == now.close_to else now.pace.overlap
    for tried in sorted({smaller, size}):
        window = windows.overlapping(at, tried, overlap)
        if window is None and behind is None:
            beside = windows.adjoining if now.is_proven_here else windows.ending_at
            window = beside(at, tried)
        if window:
            return window
    return None


def frame_ahead(now: Pass, behind: int | None, size: int) -> Frame | None:
    """Say where `since` is to be moved, as page numbers end at 1000.

    Args:
        now: The reading.
        behind: Where the last pending window ends, or None if none is pending.
        size: Records a page.

    Returns:
        The frame, whose base is not known yet, or None while that gains nothing.
    """
    if now.frame.order is not Order.UPDATED_AT or now.count.last is None:
        return None
    position = now.evidence.position if behind is None else behind
    last = now.memory.last_value
    return now.mover.ahead(now.frame, last, position, size)
