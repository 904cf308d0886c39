"""Which clock DrChrono's stamps are on, told from how far they lie behind `Date`."""

from __future__ import annotations

import datetime as dt
import typing as t

from tap_drchrono import timestamps

if t.TYPE_CHECKING:
    from collections.abc import Iterable

_WINTER = (
    (dt.timedelta(0), "UTC"),
    (dt.timedelta(hours=5), "US Eastern"),
    (dt.timedelta(hours=6), "US Central"),
    (dt.timedelta(hours=7), "US Mountain"),
    (dt.timedelta(hours=8), "US Pacific"),
)
_SUMMER = (
    (dt.timedelta(0), "UTC"),
    (dt.timedelta(hours=4), "US Eastern"),
    (dt.timedelta(hours=5), "US Central"),
    (dt.timedelta(hours=6), "US Mountain"),
    (dt.timedelta(hours=7), "US Pacific"),
)
_EARLY = dt.timedelta(minutes=2)
"""A stamp may lie this far ahead: clocks differ."""
_NEAR = dt.timedelta(minutes=15)
_CLOSE = dt.timedelta(minutes=60)
_ZONES = dt.timedelta(hours=14)
_QUIET = 20
"""Usual gaps between two changes after which a late start is no quiet hour."""


class Reading(t.NamedTuple):
    """Which clock some stamps are probably on.

    Attributes:
        answer: Such as `US Eastern, 5 h behind UTC`, or `cannot tell`.
        sure: In percent; None where it cannot be told.
    """

    answer: str
    sure: int | None


CANNOT_TELL = Reading("cannot tell", None)


def is_summer(day: dt.date) -> bool:
    """Tell whether summer time holds in the United States, from March to November."""
    march, november = dt.date(day.year, 3, 8), dt.date(day.year, 11, 1)
    begins = march + dt.timedelta((6 - march.weekday()) % 7)
    ends = november + dt.timedelta((6 - november.weekday()) % 7)
    return begins <= day < ends


def of_stamps(values: Iterable[object], now: dt.datetime) -> Reading:
    """Tell which clock stamps are on, from the newest of them.

    Somebody changes something all day long, so the newest stamp lies a little before
    the present moment, on its own clock.

    Args:
        values: `updated_at` of many records.
        now: The server's time, in UTC, without a zone.

    Returns:
        The reading.
    """
    known = filter(None, map(timestamps.parse, values))
    # Junk may lie anywhere; no clock is further ahead than this.
    newest = max((one for one in known if one - now <= _ZONES), default=None)
    if newest is None:
        return CANNOT_TELL
    behind = now - newest
    if behind < -_EARLY:
        hours = round(-behind / dt.timedelta(hours=1))
        return Reading(f"ahead of UTC, by {hours} h", 80)
    places = _SUMMER if is_summer(now.date()) else _WINTER
    offset, place = max(
        (one for one in places if one[0] <= behind + _EARLY), key=lambda one: one[0]
    )
    rest = behind - offset
    if rest > _CLOSE:
        return CANNOT_TELL
    hours = offset // dt.timedelta(hours=1)
    answer = place if not hours else f"{place}, {hours} h behind UTC"
    return Reading(answer, 95 if rest <= _NEAR else 70)


def of_since(values: Iterable[object], day: dt.date) -> Reading:
    """Tell on which clock the server reads a day in `since`, against the stamps'.

    Args:
        values: `updated_at` of the records of a list that reads from that day.
        day: The day that was asked for.

    Returns:
        The reading: hours by which the list begins before or after that midnight.
    """
    stamps = sorted(filter(None, map(timestamps.parse, values)))
    if not stamps:
        return CANNOT_TELL
    lies = stamps[0] - dt.datetime.combine(day, dt.time.min)
    usual_gap = (stamps[-1] - stamps[0]) / len(stamps)
    # Where little changes, a late start may be a quiet night.
    if abs(lies) > _ZONES + _CLOSE or _CLOSE < lies < _QUIET * usual_gap:
        return CANNOT_TELL
    hours = lies // dt.timedelta(hours=1)
    if hours == 0:
        return Reading("the stamps' own midnight", 90)
    side = "after" if hours > 0 else "before"
    return Reading(
        f"{abs(hours)} h {side} the stamps' midnight", 60 if hours > 0 else 90
    )
