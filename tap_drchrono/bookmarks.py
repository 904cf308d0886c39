"""The bookmark of a stream: the highest `updated_at` emitted, as it came."""

from __future__ import annotations

import datetime as dt
import enum
import typing as t

from tap_drchrono import timestamps

if t.TYPE_CHECKING:
    from collections.abc import Iterable

_AHEAD = dt.timedelta(days=2)
"""How far before UTC today an `updated_at` may lie; zones explain no more than that."""


class Oddity(enum.Enum):
    """Why values do not move the bookmark; in words for the log."""

    FUTURE = (
        "An updated_at lies more than two days ahead; it does not move the bookmark."
    )
    DISORDER = (
        "Records do not arrive in the order of updated_at; the bookmark stays where "
        "the run started until the stream's end."
    )


def utc_day(moment: float) -> dt.date:
    """Return the day of a moment, in UTC.

    Args:
        moment: Seconds since the epoch.
    """
    return dt.datetime.fromtimestamp(moment, dt.UTC).date()


def is_usable(value: object, today: dt.date) -> bool:
    """Tell whether a stored bookmark says where to read from.

    Args:
        value: As stored.
        today: The day in UTC.

    Returns:
        Whether it is a timestamp, and not one that lies ahead: that would skip all.
    """
    moment = timestamps.parse(value)
    return moment is not None and moment.date() <= today + _AHEAD


class Bookmark:
    """Grows with the records, and only grows.

    The one exception: where records turn out not to arrive in order, it goes back to
    where the run started, until the stream has been read to its end.
    """

    def __init__(self, start: str | None, today: dt.date) -> None:
        """Start where the previous run ended.

        Args:
            start: The stored bookmark, or None.
            today: The day in UTC.
        """
        self._start = start
        self._limit = dt.datetime.combine(today, dt.time.max) + _AHEAD
        self._highest = start
        self._highest_at = timestamps.parse(start)
        self._latest: dt.datetime | None = None
        self._held = False

    @property
    def value(self) -> str | None:
        """The value to store now, or None."""
        return self._start if self._held else self._highest

    def begin_page(self, values: Iterable[object]) -> set[Oddity]:
        """Look at a page before its first record goes out.

        Args:
            values: The `updated_at` of its records, as they came.

        Returns:
            What is odd about them.
        """
        oddities = set()
        for value in values:
            moment = timestamps.parse(value)
            if moment is None:
                continue
            if moment > self._limit:
                oddities.add(Oddity.FUTURE)
                continue
            if self._latest is not None and moment < self._latest:
                oddities.add(Oddity.DISORDER)
                self.hold()
            self._latest = moment
        return oddities

    def advance(self, value: object) -> None:
        """Take in the `updated_at` of a record that was emitted.

        Args:
            value: As it came; null, junk and what lies ahead move nothing.
        """
        if value == self._highest:
            return
        moment = timestamps.parse(value)
        if moment is None or moment > self._limit:
            return
        if self._highest_at is None or moment > self._highest_at:
            self._highest, self._highest_at = str(value), moment

    def hold(self) -> None:
        """Go back to the start until the stream's end."""
        self._held = True

    def release(self) -> None:
        """The stream has been read to its end."""
        self._held = False

    def reach(self, day: dt.date) -> None:
        """Move to a day, for a stream whose records carry no `updated_at`.

        Args:
            day: The day in UTC on which the stream's first list was asked for.
        """
        moment = dt.datetime.combine(day, dt.time.min)
        if self._highest_at is None or moment > self._highest_at:
            self._highest, self._highest_at = day.isoformat(), moment


def since(
    bookmark: object, start_date: str | None, lookback_days: int
) -> tuple[dt.date, bool]:
    """Say from which day to read.

    Args:
        bookmark: The stored bookmark, or None; junk counts as none.
        start_date: Earliest `updated_at` to read without a bookmark; its date part is
            used as it is.
        lookback_days: Days subtracted from the bookmark: they cover the zones, the
            hour repeated when summer time ends, and rows committed late.

    Returns:
        The day, and whether a bookmark decided it.
    """
    if moment := timestamps.parse(bookmark):
        return timestamps.days_before(moment.date(), lookback_days), True
    if start_date:
        return dt.date.fromisoformat(start_date[:10]), False
    return timestamps.EVERYTHING, False
