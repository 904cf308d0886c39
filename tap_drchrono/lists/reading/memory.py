"""What was read lately, and where: the proof that a window goes on from there.

If the first record of a window was read already, in the version that it has now,
nothing lies between the window and what was read: read on, and skip what was seen. If
it was not, more records moved than the overlap covers.

That holds where the order is fixed. Records that share one value of what the list is
ordered by (a tie) may come in another order in each list. Where a window begins within
such a tie, its records show whether they do.
"""

from __future__ import annotations

import datetime as dt
import typing as t
from itertools import islice

if t.TYPE_CHECKING:
    from collections.abc import Sequence


class Listed(t.NamedTuple):
    """The records of a window, by what makes each the same when it comes again.

    Attributes:
        start: Records of the stream before the window.
        known_as: Key and version of each record, hashed. Two of a hundred thousand
            share one with a chance of one in billions.
        keys: The same of the key alone.
        values: By what the list is ordered; equal values are a tie.
    """

    start: int
    known_as: Sequence[int]
    keys: Sequence[int]
    values: Sequence[object]


class Tie(t.NamedTuple):
    """Records of one value that came in another order than before.

    Attributes:
        value: The value that they share.
        start: Records of the stream before the first of them, as last seen.
        end: Records up to the last of them, or to the window's end.
        closed: Whether a record behind them was seen.
    """

    value: object
    start: int
    end: int
    closed: bool


class Read(t.NamedTuple):
    """What a window brought.

    Attributes:
        fresh: Indexes of the records that were not read before.
        renewed: How many of those are another version of a record that was.
        tie: The tie within which it begins, if its order is another than before.
    """

    fresh: list[int]
    renewed: int
    tie: Tie | None


class Memory:
    """The records that were read last, and the place of each in the list.

    Attributes:
        last: The last record read, as in `Listed.known_as`.
        last_value: Its value.
        tie_start: Records before the first one that shares this value.

    Only the recent past is remembered, so memory stays flat: some pages, and all that
    share the last value.
    """

    def __init__(self, least: int) -> None:
        """Start at the beginning.

        Args:
            least: Records to remember at least.
        """
        self.last: int | None = None
        self.last_value: object = None
        self.tie_start = 0
        self._least = least
        self._end = 0
        self._places: dict[int, int] = {}
        self._keys: dict[int, None] = {}

    def place(self, known_as: int) -> int | None:
        """Say where a record was read.

        Args:
            known_as: As in `Listed.known_as`.

        Returns:
            Records before it when it was read, or None if it was not read lately.
        """
        return self._places.get(known_as)

    def has(self, key: int) -> bool:
        """Tell whether a record was read lately, in whatever version.

        Args:
            key: As in `Listed.keys`.
        """
        return key in self._keys

    def read(self, window: Listed, *, in_order: bool = True, enough: int = 1) -> Read:
        """Take in a window that is known to continue what was read.

        Args:
            window: Its records, in order.
            in_order: Whether a tie before it is known to have kept its order.
            enough: Records that have to come as before to show that a tie in which it
                begins keeps its order.

        Returns:
            What it brought.
        """
        tie = self._tie(window, in_order=in_order, enough=enough)
        fresh = []
        renewed = 0
        places, keys = self._places, self._keys
        for index, (known_as, key) in enumerate(
            zip(window.known_as, window.keys, strict=True)
        ):
            if known_as not in places:
                fresh.append(index)
                renewed += key in keys
                keys.pop(key, None)
                keys[key] = None
            places[known_as] = window.start + index
        if window.values:
            self._end_with(window)
        self._forget()
        return Read(fresh, renewed, tie)

    def is_in_tie(self, window: Listed) -> bool:
        """Tell whether a window begins among the records that share the last value.

        Args:
            window: Its records, in order.
        """
        if self.last is None or not window.start or not window.values:
            return False
        return window.values[0] == self.last_value

    def _tie(self, window: Listed, *, in_order: bool, enough: int) -> Tie | None:
        """Tell whether the window begins in the last tie, and in another order.

        What of the tie lies before the window is known only if the order is the same:
        deletions move it to the left. A few records come as before by chance, too.
        """
        if not self.is_in_tie(window):
            # What lies between is of that tie, if anything does.
            tie = Tie(self.last_value, self.tie_start, window.start, closed=True)
            return None if in_order else tie
        places = [self._places.get(known_as) for known_as in window.known_as]
        before = window.start - 1
        unread, changed = False, not in_order
        size = alike = 0
        for value, place in zip(window.values, places, strict=True):
            if value != self.last_value:
                break
            size += 1
            if place is None:
                unread = True
            else:
                changed = changed or unread or place <= before
                alike += not changed
                before = place
        # Where a page only adjoins what was read, none of its records is known.
        if not changed and (alike >= enough or window.start >= self._end):
            return None
        end = window.start + size
        return Tie(self.last_value, self.tie_start, end, size < len(window.values))

    def _end_with(self, window: Listed) -> None:
        """Remember the window's last record, and where its tie begins."""
        value = window.values[-1]
        index = len(window.values) - 1
        while index and window.values[index - 1] == value:
            index -= 1
        if index or self.last is None or value != self.last_value or not window.start:
            self.tie_start = window.start + index
        self.last, self.last_value = window.known_as[-1], value
        self._end = window.start + len(window.values)

    def _forget(self) -> None:
        """Drop the oldest records, but none that shares the last value."""
        surplus = max(len(self._places) - self._least, 0)
        for known_as, place in list(islice(self._places.items(), surplus)):
            if place >= self.tie_start:
                break
            del self._places[known_as]
        for key in list(islice(self._keys, max(len(self._keys) - self._least, 0))):
            del self._keys[key]


def precedes(window: Listed, value: object) -> bool:
    """Tell whether a window begins before a value, in an order by time.

    Args:
        window: Its records, in order.
        value: The value.
    """
    first = window.values[0] if window.values else None
    if not isinstance(first, dt.datetime) or not isinstance(value, dt.datetime):
        return False
    return first < value
