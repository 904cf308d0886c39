"""When a list of counted pages is read whole, though it moves while it is read.

Where a record is deleted, those behind it move up, and one may slip from a page that is
still to be read to one that was read: it is missed, though it did not change. Another
pass brings it to light. What is made or changed meanwhile comes to light as well, and
is no sign of that: the next sync reads it in any case.
"""

from __future__ import annotations

import datetime as dt
import typing as t

_FARTHEST_ZONE = 14 * 3600.0
"""Seconds between the stamps, whose zone is not known, and UTC: at most."""


class _New(t.NamedTuple):
    """A record that no pass before has brought.

    Attributes:
        number: Its key, where that is a number.
        stamp: When it changed, by the practice's clock; None where it does not tell.
    """

    number: int | None
    stamp: float | None


class Settling:
    """What the passes through a list have brought.

    The list is settled by the first pass, after the one before it, that brings no new
    key that is older than the start of the read. A key is younger if it was given later
    than all before, or if its record changed since the start. Both are told by what the
    list itself shows: keys that are numbers grow, and the latest stamp that was seen
    tells how far the practice's clock is from the server's.
    """

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._highest: int | None = None
        self._highest_before: int | None = None
        self._new: list[_New] = []
        self._ahead = -_FARTHEST_ZONE
        self._is_first = True

    def see(
        self, key: str, changed: dt.datetime | None, at: float, *, is_new: bool
    ) -> None:
        """Look at a record.

        Args:
            key: Its key.
            changed: When it changed, by the practice's clock, without a zone.
            at: When it was answered, by the server's clock; seconds since the epoch.
            is_new: Whether it had not come so far.
        """
        stamp = None if changed is None else changed.replace(tzinfo=dt.UTC).timestamp()
        if stamp is not None and stamp - at <= _FARTHEST_ZONE:
            self._ahead = max(self._ahead, stamp - at)
        number = int(key) if key.isascii() and key.isdecimal() else None
        if number is not None and (self._highest is None or number > self._highest):
            self._highest = number
        if is_new and not self._is_first:
            self._new.append(_New(number, stamp))

    def ends_pass(self, started: float) -> bool:
        """Note that a pass is over.

        Args:
            started: When the read began, by the server's clock; seconds since the
                epoch.

        Returns:
            Whether the list is settled.
        """
        settled = not self._is_first and all(
            self._is_younger(one, started) for one in self._new
        )
        self._highest_before = self._highest
        self._new = []
        self._is_first = False
        return settled

    def _is_younger(self, one: _New, started: float) -> bool:
        """Tell whether a record was made or changed since the start of the read."""
        if one.stamp is not None and one.stamp >= started + self._ahead:
            return True
        if one.number is None or self._highest_before is None:
            return False
        return one.number > self._highest_before
