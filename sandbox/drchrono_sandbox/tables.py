"""Rows in the orders in which lists are cut, kept sorted while they change."""

from __future__ import annotations

import bisect
import collections
import operator
import typing as t
from collections.abc import Sequence

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Order: t.TypeAlias = t.Literal["id", "updated_at", "scheduled_time", "unsorted"]
_JOURNAL = 10_000
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
        self._journal: collections.deque[tuple[int, int, Row | None]] = (
            collections.deque(maxlen=_JOURNAL)
        )

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

    def remove(self, number: int, *, stamp: int | None = None) -> None:
        """Delete a row for good.

        Args:
            number: Its number.
            stamp: When, for `as_of`, which takes it for always gone if None.
        """
        row = self.get(number)
        self._take(row)
        if stamp is not None:
            self._journal.append((stamp, number, row))
        del self._rows[number]
        del self._numbers[bisect.bisect_left(self._numbers, number)]

    def as_of(self, moment: int) -> Table:
        """Look at the table as it was, if that is not long ago.

        Args:
            moment: Practice time in seconds; what changed later is undone.

        Returns:
            A table of the same rows, or this one if nothing changed since.
        """
        rows: dict[int, Row] | None = None
        for stamp, number, before in reversed(self._journal):
            if stamp <= moment:
                break
            rows = dict(self._rows) if rows is None else rows
            if before is None:
                rows.pop(number, None)
            else:
                rows[number] = before
        if rows is None:
            return self
        return Table(rows[number] for number in sorted(rows))

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
        self._journal.append((row.updated, row.number, self._rows.get(row.number)))
        self._rows[row.number] = row
        for (_, _, hidden), index in self._indexes.items():
            if hidden or not row.hidden:
                index.add(row)

    def _take(self, row: Row) -> None:
        self._changes += 1
        for index in self._indexes.values():
            index.discard(row)
