"""Which transaction, payment or remittance has which number, and to what it belongs."""

from __future__ import annotations

import array
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterable

NOTHING = -1
"""Stands for the line item of an entry that belongs to none."""

ALONE = -1
"""Stands for the place of an entry that is no part of a story."""


class Entry(t.NamedTuple):
    """One number of a register; entries sort by time.

    Attributes:
        at: When it was made, in practice seconds.
        item: The line item, or `NOTHING`.
        place: Its place among those of the line item's story, or `ALONE`.
    """

    at: int
    item: int
    place: int


class Register:
    """Entries by number, and the numbers of each line item that are still there."""

    def __init__(self, entries: Iterable[tuple[int, ...]]) -> None:
        """Number the entries of the start.

        Args:
            entries: In the order of their numbers; each begins as an `Entry` does.
        """
        self._at = array.array("q")
        self._items = array.array("q")
        self._places = array.array("q")
        self._of_item: dict[int, tuple[int, ...]] = {}
        self._edits: dict[int, int] = {}
        for at, item, place, *_ in entries:
            self.add(Entry(at, item, place))

    def __len__(self) -> int:
        """Count the numbers given so far."""
        return len(self._items)

    def entry(self, number: int) -> Entry:
        """Look up an entry.

        Args:
            number: Its number, also of one that was removed.

        Returns:
            The entry.
        """
        return Entry(self._at[number], self._items[number], self._places[number])

    def of_item(self, item: int) -> tuple[int, ...]:
        """Find what belongs to a line item.

        Args:
            item: The line item's number.

        Returns:
            The numbers of the entries, in the order of their making.
        """
        return self._of_item.get(item, ())

    def add(self, entry: Entry) -> int:
        """Add an entry.

        Args:
            entry: The entry.

        Returns:
            Its number.
        """
        number = len(self._items)
        self._at.append(entry.at)
        self._items.append(entry.item)
        self._places.append(entry.place)
        if entry.item != NOTHING:
            self._of_item[entry.item] = (*self.of_item(entry.item), number)
        return number

    def remove(self, number: int) -> None:
        """Take an entry away; its number is never given again.

        Args:
            number: Its number.
        """
        item = self._items[number]
        self._of_item[item] = tuple(one for one in self.of_item(item) if one != number)

    def edit(self, number: int) -> None:
        """Note that an entry was corrected.

        Args:
            number: Its number.
        """
        self._edits[number] = self.edits(number) + 1

    def edits(self, number: int) -> int:
        """Count the corrections of an entry.

        Args:
            number: Its number.

        Returns:
            How often it was corrected.
        """
        return self._edits.get(number, 0)
