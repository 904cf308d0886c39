"""Cursors as Django REST Framework's `CursorPagination` makes and reads them.

The same steps as there, so that pages behave as on a server: a cursor names the
position of a row in the ordering, and counts an offset among rows of one position.
"""

from __future__ import annotations

import base64
import binascii
import bisect
import typing as t
import urllib.parse

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drchrono_sandbox.tables import Row

_OFFSET_MAX = 1000


class CursorError(Exception):
    """A cursor that can't be read."""


class Cursor(t.NamedTuple):
    """Where a page begins.

    Attributes:
        offset: Rows to skip from the position.
        reverse: Whether the page lies before the position.
        position: The ordering field's value; None for the end of the list.
        turn: Tells cursors apart that mean the same. The framework has no such part;
            faults need it.
    """

    offset: int = 0
    reverse: bool = False
    position: str | None = None
    turn: int = 0

    @classmethod
    def read(cls, text: str) -> Cursor:
        """Read a cursor.

        Args:
            text: As it was sent.

        Returns:
            The cursor.

        Raises:
            CursorError: If it is none.
        """
        try:
            query = base64.b64decode(text.encode("ascii")).decode("ascii")
            tokens = urllib.parse.parse_qs(query, keep_blank_values=True)
            offset = int(tokens.get("o", ["0"])[0])
            reverse = bool(int(tokens.get("r", ["0"])[0]))
            turn = int(tokens.get("n", ["0"])[0])
        except (ValueError, binascii.Error) as error:
            raise CursorError from error
        if offset < 0:
            raise CursorError
        position = tokens.get("p", [None])[0]
        return cls(min(offset, _OFFSET_MAX), reverse, position, turn)

    def write(self) -> str:
        """Write the cursor.

        Returns:
            Base64 of its parts, those that say something.
        """
        tokens = {}
        if self.offset:
            tokens["o"] = str(self.offset)
        if self.reverse:
            tokens["r"] = "1"
        if self.position is not None:
            tokens["p"] = self.position
        if self.turn:
            tokens["n"] = str(self.turn)
        query = urllib.parse.urlencode(tokens)
        return base64.b64encode(query.encode("ascii")).decode("ascii")


class Ordering(t.NamedTuple):
    """How rows are sorted.

    Attributes:
        rank: The number by which they rise.
        position: Writes the rank of a row as a cursor does.
        parse: Reads a position as a rank.
    """

    rank: Callable[[Row], int]
    position: Callable[[Row], str]
    parse: Callable[[str], int]


class Page(t.NamedTuple):
    """A page of rows.

    Attributes:
        rows: The rows.
        next: Where the following page begins, if there is one.
        previous: Where the page before begins, if there is one.
    """

    rows: list[Row]
    next: Cursor | None
    previous: Cursor | None


def cut(
    rows: Sequence[Row], ordering: Ordering, cursor: Cursor | None, size: int
) -> Page:
    """Cut a page.

    Args:
        rows: All rows, as they are sorted now.
        ordering: How they are sorted.
        cursor: Where to begin; at the first row if None.
        size: Rows a page.

    Returns:
        The page.

    Raises:
        CursorError: If the cursor's position can't be read.
    """
    asked = cursor or Cursor()
    found = _behind(rows, ordering, asked, size + 1)
    page = found[:size]
    more = ordering.position(found[size]) if len(found) > size else None
    is_inside = asked.position is not None or asked.offset > 0
    if asked.reverse:
        page.reverse()
        around = _Around(page, ordering, cursor, size, more, asked.position)
        has_previous, has_next = more is not None, is_inside
    else:
        around = _Around(page, ordering, cursor, size, asked.position, more)
        has_previous, has_next = is_inside, more is not None
    return Page(
        page,
        around.next(has_previous=has_previous) if has_next else None,
        around.previous(has_next=has_next) if has_previous else None,
    )


def _behind(
    rows: Sequence[Row], ordering: Ordering, cursor: Cursor, count: int
) -> list[Row]:
    """Find the rows that follow a cursor, in the direction in which it looks."""
    rank = None
    if cursor.position is not None:
        try:
            rank = ordering.parse(cursor.position)
        except ValueError as error:
            raise CursorError from error
    if not cursor.reverse:
        start = 0
        if rank is not None:
            start = bisect.bisect_right(rows, rank, key=ordering.rank)
        start += cursor.offset
        return list(rows[start : start + count])
    stop = len(rows)
    if rank is not None:
        stop = bisect.bisect_left(rows, rank, key=ordering.rank)
    stop = max(0, stop - cursor.offset)
    return list(rows[max(0, stop - count) : stop])[::-1]


class _Around(t.NamedTuple):
    """A page, and what is known of the positions around it."""

    page: list[Row]
    ordering: Ordering
    cursor: Cursor | None
    size: int
    before: str | None
    after: str | None

    def next(self, *, has_previous: bool) -> Cursor:
        asked = self.cursor or Cursor()
        turns = bool(self.page) and asked.reverse and asked.offset != 0
        compare = self.ordering.position(self.page[-1]) if turns else self.after
        offset, position = self._mark(self.page[::-1], compare)
        if self.page and position is None:
            # All rows of the page have one position.
            if not has_previous:
                offset = self.size
            elif asked.reverse:
                offset, position = 0, self.before
            else:
                offset, position = asked.offset + self.size, self.before
        if not self.page:
            position = self.after
        return Cursor(offset, reverse=False, position=position)

    def previous(self, *, has_next: bool) -> Cursor:
        asked = self.cursor or Cursor()
        turns = bool(self.page) and not asked.reverse and asked.offset != 0
        compare = self.ordering.position(self.page[0]) if turns else self.before
        offset, position = self._mark(self.page, compare)
        if self.page and position is None:
            if not has_next:
                offset = self.size
            elif asked.reverse:
                offset, position = asked.offset + self.size, self.after
            else:
                offset, position = 0, self.after
        if not self.page:
            position = self.before
        return Cursor(offset, reverse=True, position=position)

    def _mark(self, rows: Sequence[Row], compare: str | None) -> tuple[int, str | None]:
        """Find the first row whose position differs from that of the one before it."""
        for offset, row in enumerate(rows):
            position = self.ordering.position(row)
            if position != compare:
                return offset, position
            compare = position
        return len(rows), None
