"""Records that share one value, in an order of their own: read again until all came."""

from __future__ import annotations

import datetime as dt
import typing as t

from tap_drchrono.lists.jobs import Order
from tap_drchrono.lists.reading.patience import PATIENCE, pages_of

if t.TYPE_CHECKING:
    from tap_drchrono.lists.reading.memory import Tie
    from tap_drchrono.lists.reading.passes import Pass

_OTHER_WINDOWS = 12
"""Times that a tie too large for a window is read once more, in other windows."""
_TRIES_OF_A_TIE = 2
"""Windows that are tried to hold a tie as a whole."""


def that_matters(now: Pass, tie: Tie | None, limit: dt.datetime) -> Tie | None:
    """Leave out a tie that the bookmark cannot pass.

    Args:
        now: The reading.
        tie: The tie within which a page begins, if it does.
        limit: Where the bookmark ends at the latest.
    """
    if tie is None or now.frame.order is not Order.UPDATED_AT:
        return tie
    is_recent = isinstance(tie.value, dt.datetime) and tie.value >= limit
    return None if now.is_disordered or is_recent else tie


def _fits(now: Pass, tie: Tie, largest: int) -> bool:
    """Tell whether one window can hold a tie, and was not tried for it."""
    value, times = now.tried
    tried = times if value == tie.value else 0
    return tie.end - tie.start < largest and tried < _TRIES_OF_A_TIE


def is_beyond_telling(now: Pass, tie: Tie | None, largest: int) -> bool:
    """Tell whether a tie in an order of its own spans more than a window.

    Args:
        now: The reading.
        tie: The tie within which a page begins, if it does and it matters.
        largest: Records a page at most.
    """
    in_order = now.frame.order is Order.UPDATED_AT
    return tie is not None and in_order and not _fits(now, tie, largest)


def reads_again(
    now: Pass,
    tie: Tie | None,
    largest: int,
    *,
    missing: int,
    is_last: bool,
) -> bool:
    """Go back to where a tie in an order of its own begins, if that may help.

    Where one window holds it, nothing of it is left out. In an order that is the
    last resort, larger ones are read in other windows, until as many records came
    as there are, or for some times.

    Args:
        now: The reading, which goes back.
        tie: The tie within which the page that was read begins, if it does and it
            matters.
        largest: Records a page at most.
        missing: Records that were missing before that page.
        is_last: Whether it is the last one.

    Returns:
        Whether it goes back.
    """
    if tie:
        if _fits(now, tie, largest):
            value, times = now.tried
            now.tried = (tie.value, times + 1 if value == tie.value else 1)
            size = tie.end - tie.start + 1
            now.pace = now.pace.reaching(size, size=largest)
            now.open_until = now.evidence.position
            now.go_to(tie.start)
            now.close_to, now.had_ties = tie.start, True
            if now.frame.order is Order.UPDATED_AT:
                now.again = tie.value
            return True
        if now.frame.order is not Order.UPDATED_AT and now.open_tie is None:
            now.open_tie = tie
            now.had_ties = True
            if now.tried_again[0] != tie.value:
                now.tried_again = (tie.value, 0, missing)
    tie = now.open_tie
    is_behind = is_last or (tie and now.memory.last_value != tie.value)
    if tie is None or not is_behind:
        return False
    now.open_tie, now.other = None, 0
    value, times, before = now.tried_again
    most = PATIENCE + pages_of(now, largest)
    has_tried = times >= _OTHER_WINDOWS or now.rounds > most
    if has_tried or now.evidence.missing <= max(before, 0):
        return False
    now.tried_again = (value, times + 1, before)
    now.rounds += 1
    now.other = times + 1
    now.go_to(tie.start)
    return True
