"""The bookmark of a plain list: nothing is claimed before its end."""

from __future__ import annotations

import typing as t

from tap_drchrono import timestamps
from tap_drchrono.bookmarks import utc_day, utc_moment

if t.TYPE_CHECKING:
    from collections.abc import Iterable


class Newest:
    """The latest change that a read has seen, no later than its start.

    A list that is sorted by change moves while it is read: what changed meanwhile may
    have been skipped, and is later than the start.
    """

    def __init__(self, bookmark: str | None) -> None:
        """Start where the previous run ended.

        Args:
            bookmark: The stored bookmark; None for none.
        """
        self._best = bookmark
        self._best_at = timestamps.parse(bookmark)
        self._records = 0
        self._is_dated = False

    def see(self, values: Iterable[object], started: float) -> None:
        """Look at a page.

        Args:
            values: When its records changed, as they tell; null and junk tell nothing.
            started: When the read began, by the server's clock; seconds since the
                epoch.
        """
        for value in values:
            self._records += 1
            moment = timestamps.parse(value)
            if moment is None:
                continue
            self._is_dated = True
            limit = utc_moment(started)
            if moment > limit:
                self._reach(limit.isoformat())
            else:
                self._reach(str(value))

    def bookmark(self, started: float) -> str | None:
        """Say what holds once the list was read to its end.

        Args:
            started: When the read began, by the server's clock; seconds since the
                epoch.

        Returns:
            The bookmark; where no record tells when it changed, the day of the read.
        """
        if self._records and not self._is_dated:
            self._reach(utc_day(started).isoformat())
        return self._best

    def _reach(self, text: str) -> None:
        moment = timestamps.parse(text)
        if moment and (self._best_at is None or moment > self._best_at):
            self._best, self._best_at = text, moment
