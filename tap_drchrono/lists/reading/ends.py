"""Where a list ends, whatever is counted: short pages, and pages without news."""

from __future__ import annotations

import enum
import typing as t

if t.TYPE_CHECKING:
    from tap_drchrono.lists.reading.passes import Pass
    from tap_drchrono.lists.reading.served import Served

_SKIPS = 2
"""Windows without a record that are passed in a row, where more are counted, before a
look further ahead tells whether there is anything.
"""
_IDLE = 8
"""Windows in a row that bring nothing before a reading is taken to be at its end."""
_LOOKS = 3
"""Looks behind a short page that bring something, where nothing counts more."""


class End(enum.Enum):
    """Whether a list ends with a page.

    Attributes:
        NOT_YET: It does not, as far as known.
        HERE: It does.
        LACKING: It does, and more is counted than it lists.
    """

    NOT_YET = enum.auto()
    HERE = enum.auto()
    LACKING = enum.auto()


class Next(enum.Enum):
    """What is to follow a page behind which more is counted.

    Attributes:
        GO_ON: The next one.
        PASS_ON: The one behind it, as it brought nothing.
        LOOK_AHEAD: Looks further ahead.
    """

    GO_ON = enum.auto()
    PASS_ON = enum.auto()
    LOOK_AHEAD = enum.auto()


def follow(now: Pass, served: Served, *, news: bool) -> Next:
    """Say what is to follow a page behind which more is counted.

    A window in which all that is new is counted and not listed is passed. After some
    of them, and where short pages go on to bring something, looks further ahead tell
    whether any record is there.

    Args:
        now: The reading, which passes the window.
        served: The page.
        news: Whether it brought anything.

    Returns:
        What is to follow, where something is there to look at.
    """
    if news:
        now.skips, now.front = 0, None
    elif served.counted != served.end and served.total is not None:
        now.front = now.front or now.evidence
        if now.skips >= _SKIPS and not now.goes_on:
            return Next.LOOK_AHEAD
        now.skips += 1
        now.go_to(served.start + served.window.size)
        return Next.PASS_ON
    if now.goes_on or not (served.is_short and served.end < (served.total or 0)):
        return Next.GO_ON
    now.fronts += 1
    return Next.LOOK_AHEAD if now.fronts > _LOOKS else Next.GO_ON


def is_idle(now: Pass, served: Served, *, before: int, news: bool) -> bool:
    """Tell whether so many pages in a row brought nothing that this is the end.

    Args:
        now: The reading.
        served: The page.
        before: Records that were counted up to the furthest page's end before.
        news: Whether it brought anything.
    """
    now.idle = 0 if news else now.idle + (served.end >= before)
    return now.idle > _IDLE


def end_of(now: Pass, served: Served, *, news: bool) -> End:
    """Tell whether a page is the last.

    A page that is as full as asked for is followed by one more look, and so is a
    short one whose count says that there is more, or nothing at all. The look may
    bring nothing; then what it counts on top is counted and not listed, if it was
    the same before.

    Args:
        now: The reading.
        served: The page.
        news: Whether it brought anything.
    """
    before, now.excess = now.excess, None
    if not served.is_short:
        return End.NOT_YET
    total = served.total
    if total is None and not served.records and not now.count.is_denied:
        total = now.count.last
    excess = None if total is None else max(total - served.end, 0)
    if news:
        now.excess = excess
        now.looks += excess is None
        is_here = excess == 0 or now.looks > _LOOKS
        return End.HERE if is_here else End.NOT_YET
    if not excess:
        return End.HERE
    if before is None and not now.front:
        now.excess = excess
        return End.NOT_YET
    now.lacks(total)
    return End.LACKING
