"""Which page of which size to ask for, so that it overlaps what has been read.

A list is cut afresh for every page, and a record that is updated or deleted moves
everything behind it one place to the left. A page that starts a few records before the
end of what was read shows whether that happened; and since every page is asked for
with its own `page` and `page_size`, it can start almost anywhere.
"""

from __future__ import annotations

import typing as t

MAX_PAGE = 1000
"""Highest page number that the API serves, whatever the page size."""


class Window(t.NamedTuple):
    """A stretch of a list, as one page of a certain size.

    Attributes:
        page: Page number, from 1.
        size: Page size in records.
    """

    page: int
    size: int

    @property
    def start(self) -> int:
        """Records before the window."""
        return (self.page - 1) * self.size

    @property
    def end(self) -> int:
        """Records up to the window's end."""
        return self.page * self.size


def overlapping(position: int, max_size: int, overlap: int) -> Window | None:
    """Find the window that reaches furthest beyond a position and starts before it.

    `page = k + 1` with `page_size = s` starts at record k * s. Of the sizes from
    `max_size` down to half of it, the one is taken whose window ends last.

    Args:
        position: Records read so far, from the start of the list.
        max_size: Records a page at most.
        overlap: Records that the window should share with what was read.

    Returns:
        The window, or None where none both overlaps and reaches beyond the position:
        pages of a few records, or the end of the page numbers.
    """
    wanted = max(position - overlap, 0)
    best: Window | None = None
    for size in range(max_size, max(max_size // 2, 1) - 1, -1):
        reach = position + size - min(overlap, position)
        if best is not None and best.end >= reach:
            break
        window = Window(min(wanted // size, MAX_PAGE - 1) + 1, size)
        if (
            window.end > position
            and (window.start < position or position == 0)
            and (best is None or window.end > best.end)
        ):
            best = window
    if best is None and overlap > 1:
        return overlapping(position, max_size, 1)
    return best


def adjoining(position: int, max_size: int) -> Window | None:
    """Find the largest window that starts exactly at a position.

    Args:
        position: Records from the start of the list.
        max_size: Records a page at most.

    Returns:
        The window, or None where no page number reaches there.
    """
    for size in range(max_size, 0, -1):
        page, rest = divmod(position, size)
        if rest == 0 and page < MAX_PAGE:
            return Window(page + 1, size)
    return None


def ending_at(position: int, max_size: int) -> Window | None:
    """Find the largest window that ends exactly at a position.

    Args:
        position: Records from the start of the list, at least 1.
        max_size: Records a page at most.

    Returns:
        The window, or None where no page number reaches there.
    """
    for size in range(min(max_size, position), 0, -1):
        page, rest = divmod(position, size)
        if rest == 0 and page <= MAX_PAGE:
            return Window(page, size)
    return None
