"""Rows in the orders in which lists are cut, kept sorted while they change."""

from __future__ import annotations

import bisect
import operator
import typing as t
from collections.abc import Sequence

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Order: t.TypeAlias = t.Literal["id", "updated_at", "scheduled_time", "unsorted"]
_MASK = (1 << 64) - 1
_MIX = 0x9E3779B97F4A7C15


class Row:
    """What the server knows of a record besides its content. Never changed once made.

    Attributes:
        number: The internal id: 0, 1, 2 … in the order of creation.
        created: Practice time in seconds.
        updated: Practice time in seconds.
        version: How often the record was edited.
        touch: Rises with each insert and update in the table.
        scheduled: What `order_by=scheduled_time` sorts by.
        hidden: Whether only `show_archived` or `show_inactive` bring it.
        encoded: The record as JSON, by variant, once it was asked for.
    """

    __slots__ = (
        "created",
        "encoded",
        "hidden",
        "number",
        "scheduled",
        "touch",
        "updated",
        "version",
    )

    def __init__(  # noqa: PLR0913 - a row of a table has that many columns
        self,
        *,
        number: int,
        created: int,
        updated: int,
        version: int = 0,
        touch: int = 0,
        scheduled: int = 0,
        hidden: bool = False,
    ) -> None:
        """Set all attributes."""
        self.number = number
        self.created = created
        self.updated = updated
        self.version = version
        self.touch = touch
        self.scheduled = scheduled
        self.hidden = hidden
        self.encoded: dict[t.Any, bytes] | None = None


updated_of = operator.attrgetter("updated")


def _by_number(row: Row) -> tuple[int, ...]:
    return (row.number,)


def _by_update_and_number(row: Row) -> tuple[int, ...]:
    return (row.updated, row.number)


def _by_update_and_touch(row: Row) -> tuple[int, ...]:
    return (row.updated, row.touch, row.number)


def _by_schedule(row: Row) -> tuple[int, ...]:
    return (row.scheduled, row.number)


def _scrambled(row: Row) -> tuple[int, ...]:
    return (((row.number + 1) * _MIX & _MASK) >> 20, row.number)


class _Index:
    """Rows sorted by a key."""

    def __init__(
        self, rows: Iterable[Row], key: Callable[[Row], tuple[int, ...]]
    ) -> None:
        self.key = key
        self.rows = sorted(rows, key=key)
        self._keys = [key(row) for row in self.rows]

    def add(self, row: Row) -> None:
        key = self.key(row)
        position = bisect.bisect_left(self._keys, key)
        self._keys.insert(position, key)
        self.rows.insert(position, row)

    def discard(self, row: Row) -> None:
        key = self.key(row)
        position = bisect.bisect_left(self._keys, key)
        if position < len(self.rows) and self._keys[position] == key:
            del self._keys[position]
            del self.rows[position]


class _From(Sequence[Row]):
    """The tail of a sorted list, without a copy."""

    def __init__(self, rows: Sequence[Row], start: int) -> None:
        self._rows = rows
        self._start = start

    def __len__(self) -> int:
        return len(self._rows) - self._start

    def __getitem__(self, where: t.Any) -> t.Any:  # noqa: ANN401 - Row or list of them
        if isinstance(where, slice):
            start, stop, _ = where.indices(len(self))
            return self._rows[self._start + start : self._start + stop]
        return self._rows[self._start + where]


class Table:
    """The rows of one stream.

    Attributes:
        last_number: The highest number given so far.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        """Take the rows that exist at the start.

        Args:
            rows: In the order of their numbers.
        """
        self._rows = {row.number: row for row in rows}
        self._indexes: dict[tuple[Order, bool, bool], _Index] = {}
        self._numbers = list(self._rows)
        self.last_number = max(self._rows, default=-1)
        self._touches = len(self._rows)
        self._changes = 0
        self._filtered: tuple[t.Any, list[Row]] | None = None

    def __len__(self) -> int:
        """Count all rows, hidden ones too."""
        return len(self._numbers)

    def nth_number(self, position: int) -> int:
        """Find the number of a row by its position in the order of numbers.

        Args:
            position: From 0.

        Returns:
            The number.
        """
        return self._numbers[position]

    def get(self, number: int) -> Row:
        """Find a row.

        Args:
            number: Its number.

        Returns:
            The row as it is now.
        """
        return self._rows[number]

    def view(
        self, order: Order, *, by_touch: bool, hidden: bool, since: int | None
    ) -> Sequence[Row]:
        """Look at the rows in an order. The view is valid until the next change.

        Args:
            order: By what to sort.
            by_touch: Whether rows with one update time come in the order of their
                changes, rather than of their numbers.
            hidden: Whether hidden rows are included.
            since: Inclusive lower bound of the update time.

        Returns:
            A sequence.
        """
        index = self._index(order, by_touch=by_touch, hidden=hidden)
        if since is None:
            return index.rows
        if order == "updated_at":
            start = bisect.bisect_left(index.rows, since, key=updated_of)
            return _From(index.rows, start)
        known = (order, hidden, since, self._changes)
        if self._filtered is None or self._filtered[0] != known:
            rows = [row for row in index.rows if row.updated >= since]
            self._filtered = (known, rows)
        return self._filtered[1]

    def insert(self, *, stamp: int, scheduled: int = 0, hidden: bool = False) -> int:
        """Add a row.

        Args:
            stamp: Its creation and update time.
            scheduled: What `order_by=scheduled_time` sorts by.
            hidden: Whether it is hidden.

        Returns:
            Its number.
        """
        self.last_number += 1
        row = Row(
            number=self.last_number,
            created=stamp,
            updated=stamp,
            touch=self._next_touch(),
            scheduled=scheduled,
            hidden=hidden,
        )
        self._numbers.append(row.number)
        self._put(row)
        return row.number

    def update(self, number: int, *, stamp: int, hide: bool = False) -> None:
        """Edit a row.

        Args:
            number: Its number.
            stamp: Its new update time.
            hide: Whether it is hidden from now on.
        """
        row = self.get(number)
        self._take(row)
        self._put(
            Row(
                number=number,
                created=row.created,
                updated=stamp,
                version=row.version + 1,
                touch=self._next_touch(),
                scheduled=row.scheduled,
                hidden=row.hidden or hide,
            )
        )

    def touch(self, number: int, *, stamp: int) -> None:
        """Give a row another update time, because what it shows has changed elsewhere.

        Args:
            number: Its number; nothing happens if there is no such row any more.
            stamp: Its new update time.
        """
        row = self._rows.get(number)
        if row is None:
            return
        self._take(row)
        self._put(
            Row(
                number=number,
                created=row.created,
                updated=stamp,
                version=row.version,
                touch=self._next_touch(),
                scheduled=row.scheduled,
                hidden=row.hidden,
            )
        )

    def remove(self, number: int) -> None:
        """Delete a row for good.

        Args:
            number: Its number.
        """
        self._take(self.get(number))
        del self._rows[number]
        del self._numbers[bisect.bisect_left(self._numbers, number)]

    def _index(self, order: Order, *, by_touch: bool, hidden: bool) -> _Index:
        known = (order, by_touch, hidden)
        if known not in self._indexes:
            keys: dict[Order, Callable[[Row], tuple[int, ...]]] = {
                "id": _by_number,
                "updated_at": (
                    _by_update_and_touch if by_touch else _by_update_and_number
                ),
                "scheduled_time": _by_schedule,
                "unsorted": _scrambled,
            }
            rows = (row for row in self._rows.values() if hidden or not row.hidden)
            self._indexes[known] = _Index(rows, keys[order])
        return self._indexes[known]

    def _next_touch(self) -> int:
        self._touches += 1
        return self._touches

    def _put(self, row: Row) -> None:
        self._changes += 1
        self._rows[row.number] = row
        for (_, _, hidden), index in self._indexes.items():
            if hidden or not row.hidden:
                index.add(row)

    def _take(self, row: Row) -> None:
        self._changes += 1
        for index in self._indexes.values():
            index.discard(row)


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

    def remove(self, number: int) -> None:
        """Delete a row for good.

        Args:
            number: Its number.
        """
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
