"""Looks at pages whose records do not go out: whether there is more than was read."""

from __future__ import annotations

import typing as t

from tap_drchrono.lists import windows
from tap_drchrono.lists.jobs import Frame

if t.TYPE_CHECKING:
    from tap_drchrono.lists.jobs import Order
    from tap_drchrono.lists.reading.passes import Pass
    from tap_drchrono.lists.reading.served import Served
    from tap_drchrono.lists.windows import Window


class Look(t.NamedTuple):
    """A page to look at: its records do not go out.

    Attributes:
        frame: Where its window is counted from.
        window: Its page and page size.
        at_end: Whether it lies at the end of the order that stays, rather than behind
            records that are counted and not listed.
    """

    frame: Frame
    window: Window
    at_end: bool


class Ahead:
    """Looks at the last page by the count, and in the middle, where nothing comes.

    Attributes:
        total: Records that are counted.
    """

    def __init__(self, served: Served) -> None:
        """Choose the pages, of which there may be none.

        Args:
            served: The page behind which more is counted.
        """
        frame, size = served.frame, served.window.size
        self.total = served.total or 0
        last = min((self.total - frame.base) // size, windows.MAX_PAGE)
        first = served.end // size + 2
        pages = {last, (first + last) // 2} if first <= last else set()
        self._pages = [windows.Window(page, size) for page in sorted(pages)]
        self._found: list[set[int]] = []

    def next(self, frame: Frame) -> Look | None:
        """Choose the next page.

        Args:
            frame: Where windows are counted from.
        """
        if not self._pages:
            return None
        return Look(frame, self._pages.pop(), at_end=False)

    def seen(self, now: Pass, keys: set[int]) -> None:
        """Take in what a page holds.

        Args:
            now: The reading.
            keys: Its records, as in `Listed.keys`.
        """
        # A page with a record that was read is the last one, given where there is none.
        if keys and not any(now.memory.has(key) for key in keys):
            self._found.append(keys)

    @property
    def found_any(self) -> bool:
        """Whether there is more.

        A record that comes for two page numbers is on the last page, given where there
        is none.
        """
        found = self._found
        return bool(found) and not (len(found) > 1 and set.intersection(*found))


def steady_end(now: Pass, order: Order, size: int) -> Look | None:
    """Choose the page at the end of the order that stays.

    Where all records that are listed were read, and more are counted, it shows whether
    that order lists more.

    Args:
        now: The reading.
        order: The order that stays.
        size: Records a page.
    """
    position = now.evidence.position
    if not position or now.frame.since != now.since:
        return None
    window = windows.overlapping(position, size, 1) or windows.adjoining(position, size)
    return window and Look(Frame(now.since, order), window, at_end=True)
