"""Moving `since` forward, as page numbers end at 1000.

The new `since` lies at least a day before the last record read, since the zone in which
the server reads a date is unknown: the first window counted from there must prove like
any other that it continues what was read.
"""

from __future__ import annotations

import datetime as dt

from tap_drchrono import timestamps
from tap_drchrono.lists import windows
from tap_drchrono.lists.jobs import Frame

_HIGH_PAGE = windows.MAX_PAGE // 2
"""Page number from which `since` is moved forward, where that gains something."""


class Mover:
    """Says where `since` is to be moved, and learns how far that may go."""

    def __init__(self, since: dt.date) -> None:
        """Start at the first day.

        Args:
            since: The day from which the reading starts.
        """
        self._first = since
        self._moved_to = since
        self._margin = 1

    def ahead(
        self, frame: Frame, last: object, position: int, size: int
    ) -> Frame | None:
        """Say where `since` is to be moved.

        Args:
            frame: Where windows are counted from.
            last: When the last record read was updated.
            position: Records up to where the next window begins.
            size: Records a page.

        Returns:
            The frame, whose base is not known yet, or None while that gains nothing.
        """
        if (position - frame.base) // size < _HIGH_PAGE:
            return None
        if not isinstance(last, dt.datetime):
            return None
        since = timestamps.days_before(last.date(), self._margin)
        if since <= max(frame.since, self._moved_to):
            return None
        self._moved_to = since
        return Frame(since)

    def too_far(self) -> None:
        """Note that the new `since` cut off records that were not read."""
        self._margin *= 2

    def back(self, frame: Frame) -> Frame:
        """Count from the first day again.

        Args:
            frame: The frame that leads nowhere.

        Returns:
            The frame that the reading started with; the next move is less far.
        """
        self._margin *= 2
        self._moved_to = self._first
        return Frame(self._first, frame.order)
