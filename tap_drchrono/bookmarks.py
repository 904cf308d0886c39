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
ZONES = dt.timedelta(hours=14)
"""How far the zone in which `since` is read may lie from that of the timestamps."""
_LONGEST = dt.timedelta(days=100_000)
"""Longer than any stream: a lookback beyond it changes nothing."""


class TimeOddity(enum.Enum):
    """Why values do not move the bookmark; in words for the log."""

    FUTURE = (
        "An updated_at lies more than two days ahead; it does not move the bookmark."
    )
    DISORDER = (
        "Records do not arrive in the order of updated_at; the bookmark stays where "
        "the run started until the stream's end."
    )


def utc_moment(moment: float) -> dt.datetime:
    """Return a moment in UTC, without its zone, as timestamps are compared.

    Args:
        moment: Seconds since the epoch.
    """
    return dt.datetime.fromtimestamp(moment, dt.UTC).replace(tzinfo=None, microsecond=0)


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
    """How far the records that were read let the bookmark go.

    It grows with them, up to the moment at which the run started, and it is held where
    the evidence ends: what lies before it was read.
    """

    def __init__(self, start: str | None, lookback_days: int) -> None:
        """Start where the previous run ended.

        Args:
            start: The stored bookmark, or None.
            lookback_days: Days for which a change may be dated too early; records that
                are out of order by less move nothing.
        """
        self._start = start
        self._tolerance = dt.timedelta(min(lookback_days, _LONGEST.days))
        self._highest = start
        self._highest_at = timestamps.parse(start)
        self._held = False
        self.value = start
        self.is_dated = False

    def see(
        self, values: Iterable[object], limit: dt.datetime, after: object = None
    ) -> set[TimeOddity]:
        """Look at a page before its first record goes out; claim nothing yet.

        Args:
            values: The `updated_at` of its records, as they came.
            limit: The server's clock at the start of the run: what lies behind it
                belongs to the next run.
            after: The `updated_at` of the record read before the page, where that is
                not on the page.

        Returns:
            What is odd about them.
        """
        oddities = set()
        latest = timestamps.parse(after)
        for value in values:
            moment = timestamps.parse(value)
            if moment is None:
                continue
            self.is_dated = True
            if moment > limit:
                if moment - limit > _AHEAD:
                    oddities.add(TimeOddity.FUTURE)
                continue
            if latest is None or moment > latest:
                latest = moment
            elif latest - moment > self._tolerance:
                oddities.add(TimeOddity.DISORDER)
            if self._highest_at is None or moment > self._highest_at:
                self._highest, self._highest_at = str(value), moment
        return oddities

    def claim(self) -> None:
        """Move to the highest value that was seen, unless it is held."""
        if not self._held:
            self.value = self._highest

    def hold(self, *, at_start: bool = False) -> None:
        """Stay here until the stream's end.

        Args:
            at_start: Whether to go back to where the run started.
        """
        self._held = True
        if at_start:
            self.value = self._start

    def release(self) -> None:
        """Move to the highest value: the stream has been read to its end."""
        self._held = False
        self.claim()

    def reach(self, text: str) -> None:
        """Move to a moment of the server's clock, if that lies ahead.

        Args:
            text: A date, or a timestamp without a zone.
        """
        moment = timestamps.parse(text)
        if self._highest_at is None or (moment and moment > self._highest_at):
            self._highest, self._highest_at = text, moment
        self.release()


def since(
    bookmark: object, start_date: str | None, lookback_days: int
) -> tuple[dt.date, bool]:
    """Say from which day to read.

    Args:
        bookmark: The stored bookmark, or None; junk counts as none.
        start_date: Earliest `updated_at` to read without a bookmark; its date part is
            used as it is.
        lookback_days: Days subtracted from the bookmark: they cover the hour repeated
            when summer time ends, and rows committed late. The unknown zone in which
            the server reads the day comes on top.

    Returns:
        The day, and whether a bookmark decided it.
    """
    if moment := timestamps.parse(bookmark):
        return day_to_read_from(moment, lookback_days), True
    if start_date:
        return dt.date.fromisoformat(start_date[:10]), False
    return timestamps.EVERYTHING, False


def day_to_read_from(moment: dt.datetime, lookback_days: int) -> dt.date:
    """Say from which day to read what changed at a moment or later.

    Args:
        moment: In the zone of the records' timestamps, whichever that is.
        lookback_days: Days for which a change may be dated too early.

    Returns:
        A day that has not begun then, in whatever zone the server reads it.
    """
    day = timestamps.days_before(moment.date(), lookback_days)
    since_midnight = dt.timedelta(hours=moment.hour, minutes=moment.minute)
    return day if since_midnight >= ZONES else timestamps.days_before(day, 1)
