"""A table of a million rows and more that takes hardly any memory."""

from __future__ import annotations

import bisect
import typing as t
from collections.abc import Sequence

from drchrono_sandbox.tables import Order, Row, Table


class LeanTable(Table):
    """A million rows and more that exist only while they are looked at.

    The rows of the start are numbered in the order of their update times. What was
    touched since is kept apart; it comes after all of them by update time.
    """

    def __init__(self, count: int, *, first: int, last: int) -> None:
        """Plan the rows.

        Args:
            count: How many.
            first: Practice time of the first one, in seconds.
            last: Practice time of the last one, in seconds.
        """
        super().__init__(())
        self.last_number = count - 1
        self._count = count
        self._first = first
        self._span = max(0, last - first)
        self._gone: list[int] = []
        self._removed: list[int] = []

    def __len__(self) -> int:
        """Count all rows."""
        return self.last_number + 1 - len(self._removed)

    def nth_number(self, position: int) -> int:
        """Find the number of a row by its position in the order of numbers.

        Args:
            position: From 0.

        Returns:
            The number.
        """
        return _nth_missing_from(self._removed, position)

    def get(self, number: int) -> Row:
        """Find a row.

        Args:
            number: Its number.

        Returns:
            The row as it is now.
        """
        return self._rows.get(number) or self.base(number)

    def base(self, number: int) -> Row:
        """Make a row as it was at the start.

        Args:
            number: Its number.

        Returns:
            The row.
        """
        stamp = self._first + number * self._span // max(1, self._count - 1)
        return Row(number=number, created=stamp, updated=stamp, touch=number)

    def view(
        self, order: Order, *, by_touch: bool, hidden: bool, since: int | None
    ) -> Sequence[Row]:
        """Look at the rows in an order. The view is valid until the next change.

        Args:
            order: By what to sort; `unsorted` and `scheduled_time` sort by number.
            by_touch: Whether rows with one update time come in the order of their
                changes, rather than of their numbers.
            hidden: Nothing is hidden in a lean table.
            since: Inclusive lower bound of the update time.

        Returns:
            A sequence.
        """
        start = 0 if since is None else self._first_since(since)
        if order == "updated_at":
            return _LeanByUpdate(
                self,
                start,
                self._count,
                self._gone,
                super().view(order, by_touch=by_touch, hidden=hidden, since=since),
            )
        late = [
            row
            for _, row in sorted(self._rows.items())
            if since is None or row.updated >= since
        ]
        if since is not None and start == self._count:
            # Later than the whole start: so are only some of the rows touched since.
            return late
        early = [row for row in late if row.number < start]
        return _LeanByNumber(self, start, self.last_number + 1, self._removed, early)

    def as_of(self, moment: int) -> Table:
        """Look at the table as it is: it doesn't know what it was.

        Args:
            moment: Not heeded.

        Returns:
            This table.
        """
        del moment
        return self

    def remove(self, number: int, *, stamp: int | None = None) -> None:
        """Delete a row for good.

        Args:
            number: Its number.
            stamp: Not needed: there is no `as_of` of a lean table.
        """
        del stamp
        self._take(self.get(number))
        self._rows.pop(number, None)
        bisect.insort(self._removed, number)

    def _take(self, row: Row) -> None:
        super()._take(row)
        if row.number < self._count and row.number not in self._rows:
            bisect.insort(self._gone, row.number)

    def _first_since(self, since: int) -> int:
        return bisect.bisect_left(
            range(self._count), since, key=lambda number: self.base(number).updated
        )


def _nth_missing_from(taken: Sequence[int], position: int, start: int = 0) -> int:
    """Find the n-th number from `start` on that a sorted list doesn't hold."""
    skipped = bisect.bisect_left(taken, start)
    low, high = skipped, len(taken)
    while low < high:
        middle = (low + high) // 2
        if taken[middle] - start - (middle - skipped) <= position:
            low = middle + 1
        else:
            high = middle
    return start + position + (low - skipped)


class _Lazy(Sequence[Row]):
    """Rows that are made when they are asked for."""

    def __getitem__(self, where: t.Any) -> t.Any:  # noqa: ANN401 - Row or list of them
        if isinstance(where, slice):
            return [self._at(position) for position in range(*where.indices(len(self)))]
        if not 0 <= where < len(self):
            raise IndexError(where)
        return self._at(where)

    def _at(self, position: int) -> Row:
        raise NotImplementedError


class _LeanByUpdate(_Lazy):
    """Untouched rows from a start on, then the touched ones."""

    def __init__(
        self,
        table: LeanTable,
        start: int,
        stop: int,
        gone: list[int],
        touched: Sequence[Row],
    ) -> None:
        self._table = table
        self._start = start
        self._gone = gone
        left = len(gone) - bisect.bisect_left(gone, start)
        self._untouched = stop - start - left
        self._touched = touched

    def __len__(self) -> int:
        return self._untouched + len(self._touched)

    def _at(self, position: int) -> Row:
        if position >= self._untouched:
            row: Row = self._touched[position - self._untouched]
            return row
        return self._table.base(_nth_missing_from(self._gone, position, self._start))


class _LeanByNumber(_Lazy):
    """Touched rows from before a start, then all rows from there on."""

    def __init__(
        self,
        table: LeanTable,
        start: int,
        stop: int,
        removed: list[int],
        early: list[Row],
    ) -> None:
        self._table = table
        self._start = start
        self._removed = removed
        self._early = early
        left = len(removed) - bisect.bisect_left(removed, start)
        self._late = stop - start - left

    def __len__(self) -> int:
        return len(self._early) + self._late

    def _at(self, position: int) -> Row:
        if position < len(self._early):
            return self._early[position]
        position -= len(self._early)
        return self._table.get(_nth_missing_from(self._removed, position, self._start))
