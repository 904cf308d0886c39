"""What a page proves: whether it continues what was read, or only adjoins it."""

from __future__ import annotations

import typing as t

from tap_drchrono.lists.claims import Claims
from tap_drchrono.lists.jobs import Order
from tap_drchrono.lists.reading.memory import precedes

if t.TYPE_CHECKING:
    from tap_drchrono.lists.reading.memory import Listed
    from tap_drchrono.lists.reading.passes import Pass
    from tap_drchrono.lists.reading.served import Served


def listed(now: Pass, served: Served, key: str) -> tuple[Served, Listed]:
    """Name the records of a page.

    Some servers give the last page where there is none: such a page is empty. It
    begins behind all that was read, and yet ends with the last record of that.

    Args:
        now: The reading.
        served: The page.
        key: The primary key's field.

    Returns:
        The page, and its records by name.
    """
    named = served.listed(key)
    memory = now.memory
    is_older = now.grows_at_the_end and not memory.is_in_tie(named)
    if (
        served.records
        and served.start >= max(now.evidence.position, 1)
        and (served.total is None or now.count.rises or is_older)
        and named.known_as[-1] == memory.last
        and all(memory.place(one) is not None for one in named.known_as)
    ):
        now.repeats_last = True
        claims = Claims(count=served.claims.count)
        served = served._replace(records=(), claims=claims)
        named = served.listed(key)
    return served, named


def is_last_again(now: Pass, served: Served, listed: Listed, place: int) -> bool:
    """Tell whether a page is the last one, given where there is none.

    It was asked for behind all that was read, and yet begins with a record of that:
    so that is where it lies.

    Args:
        now: The reading.
        served: The page.
        listed: The same, by name.
        place: Where its first record was read.
    """
    position = now.evidence.position
    is_front = served.start >= max(position, now.furthest)
    is_behind = is_front and position > place >= position - len(served.records)
    return is_behind and not now.memory.is_in_tie(listed)


def continues(now: Pass, served: Served, listed: Listed, place: int | None) -> bool:
    """Tell whether nothing lies between what was read and a page.

    The first page of a reading needs no proof. That of a `since` that was moved
    forward does: it may cut later than thought. Behind records that are counted
    and not listed nothing can be proven, and the evidence is short already. A page
    that begins within the last tie leaves out nothing but of that.
    """
    if served.start == served.frame.base and served.frame.since == now.since:
        now.again = None
        return True
    if now.again is not None:
        if not precedes(listed, now.again):
            return False
        now.again = None
    if now.skips:
        return served.start <= now.evidence.position
    return place is not None or _overlaps(now, served, listed)


def _overlaps(now: Pass, served: Served, listed: Listed) -> bool:
    """Tell whether a page that begins with an unread record overlaps what was read.

    Any record that was read shows it, wherever it is on the page. That the page begins
    earlier than the last record shows nothing: the hour that a clock repeats comes
    twice. In the order of `scheduled_time` it does show it, and a record that was read
    proves less, as it may be put off.
    """
    if served.start >= now.evidence.position or now.is_disordered:
        return False
    memory = now.memory
    if memory.is_in_tie(listed):
        return True
    if now.frame.order is not Order.UPDATED_AT:
        return precedes(listed, memory.last_value)
    return any(memory.place(one) is not None for one in listed.known_as)


def adjoins(now: Pass, served: Served) -> bool:
    """Tell whether a page begins exactly where the reading stopped.

    Args:
        now: The reading.
        served: The page.
    """
    position = now.evidence.position
    is_proven = now.is_proven_here and now.again is None
    return served.start == position > 0 and is_proven
