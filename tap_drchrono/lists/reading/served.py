"""A page that came: where it lies in the list, and what it shows of the list's end."""

from __future__ import annotations

import typing as t

from tap_drchrono import timestamps
from tap_drchrono.lists.jobs import Frame, Order
from tap_drchrono.lists.reading.memory import Listed

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_drchrono.lists.claims import Claims
    from tap_drchrono.lists.windows import Window

    Records = Sequence[dict[str, t.Any]]


class Served(t.NamedTuple):
    """The records of a window, as they came.

    Attributes:
        frame: Where it is counted from.
        window: What was asked for.
        records: Its records.
        claims: What the answer says of itself.
        shift: Records by which it lies behind where it was asked for.
    """

    frame: Frame
    window: Window
    records: Records
    claims: Claims
    shift: int = 0

    @property
    def start(self) -> int:
        """Records of the stream before it, if the window was served as asked for."""
        return self.frame.base + self.window.start + self.shift

    @property
    def end(self) -> int:
        """Records of the stream up to its last one."""
        return self.start + len(self.records)

    @property
    def total(self) -> int | None:
        """Records of the stream in all; None if what the answer says cannot be."""
        seen = self.end - self.frame.base if self.records else 0
        count = self.claims.count_beyond(seen)
        return None if count is None else self.frame.base + count

    @property
    def is_short(self) -> bool:
        """Whether it holds fewer records than asked for."""
        return len(self.records) < self.window.size

    @property
    def is_hollow(self) -> bool:
        """Whether it is empty where the count says that records are."""
        return not self.records and self.start < (self.total or 0)

    @property
    def counted(self) -> int:
        """Records of the stream up to the page's end, by what was asked and counted.

        At the list's end it may be the count that is wrong.
        """
        asked = self.start + self.window.size
        return self.end if self.total is None or asked >= self.total else asked

    @property
    def is_unsure(self) -> bool:
        """Whether it is short, and neither the count nor the page size explains it."""
        explained = self.total in {None, self.end} or self.claims.size == len(
            self.records
        )
        return self.is_short and not explained

    def is_capped(self, place: int | None, *, may_guess: bool) -> bool:
        """Tell whether the server serves smaller pages than asked for.

        Args:
            place: Where the page's first record was read before, if it was.
            may_guess: Whether the first page may show it by its length alone.

        Returns:
            Whether it does: the page is short, and begins where a page of that size
            would, or says that it is as large as pages get.
        """
        served = len(self.records)
        if not served or not self.is_short:
            return False
        if place is not None and self.window.page > 1:
            return place < self.start and (
                self.claims.size == served
                or (
                    self.claims.size is None
                    and place == self.frame.base + (self.window.page - 1) * served
                )
            )
        if self.claims.size == served:
            return True
        return may_guess and self.window.page == 1 and self.total != self.end

    def listed(self, key: str) -> Listed:
        """Name the records, so that they are known when they come again.

        Content decides nothing: signed URLs in it change with each read. In an order
        that updates do not change, neither does the version.

        Args:
            key: The primary key's field.
        """
        records, order = self.records, self.frame.order
        keys = [hash(str(record.get(key))) for record in records]
        if order is Order.ID:
            return Listed(self.start, keys, keys, keys)
        values = [instant(record.get(order.value)) for record in records]
        names = keys
        if order is Order.UPDATED_AT:
            names = [hash(pair) for pair in zip(keys, values, strict=True)]
        return Listed(self.start, names, keys, values)


def instant(value: object) -> object:
    """Read a timestamp, so that ways to write it make no difference.

    Args:
        value: As it came.

    Returns:
        The moment, or what came as text where it is none.
    """
    return timestamps.parse(value) or (None if value is None else str(value))


def carries_updates(records: Records) -> bool:
    """Tell whether any record carries an `updated_at` that can be read."""
    return any(timestamps.parse(record.get("updated_at")) for record in records)
