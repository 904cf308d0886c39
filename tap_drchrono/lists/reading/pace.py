"""How carefully to read: learned from what moved.

Every window that is asked for ahead and thrown away costs requests. So the more moves,
the further do windows overlap, and the fewer are asked for ahead.
"""

from __future__ import annotations

import typing as t

UNBOUNDED = 1_000.0
"""Lists asked for ahead where nothing speaks against it; the budget bounds them."""
_ENOUGH = 5
"""Records that are in one order twice by chance once in 120 times."""
_RECOVERY = 0.25
"""Lists that may be asked for ahead in addition after each page that continues."""


def enough_for(size: int) -> int:
    """Say how many records in the same order show that a tie keeps its order.

    Fewer may come so by chance. Tiny pages have to do with less.

    Args:
        size: Records a page.
    """
    return max(min(_ENOUGH, size // 12), 1)


class Pace(t.NamedTuple):
    """How far windows overlap, how far to step back, and how many to ask for ahead.

    Attributes:
        overlap: Records that a window shares with what was read.
        step: Records to step back if a window does not continue it.
        ahead: Lists to have pending.
        windows: Windows so far.
        wasted: Those that were thrown away, or brought little.
    """

    overlap: int
    step: int
    ahead: float = UNBOUNDED
    windows: int = 0
    wasted: int = 0

    @classmethod
    def for_pages_of(cls, size: int) -> Pace:
        """Start to read.

        Args:
            size: Records a page.
        """
        overlap = max(size // 50, enough_for(size))
        return cls(overlap, 2 * overlap)

    def after_page(self, *, size: int, moved: int, hoped: int, fresh: int) -> Pace:
        """Learn from a window that continued what was read.

        Args:
            size: Records a page at most.
            moved: Records that left the part that was read, since the window before.
            hoped: Records that it was to bring.
            fresh: Records that it brought.
        """
        overlap = self.overlap
        if 2 * moved > overlap:
            overlap = max(overlap, min(2 * overlap, 2 * moved, size // 2))
        return Pace(
            overlap,
            2 * overlap,
            min(self.ahead + _RECOVERY, UNBOUNDED),
            self.windows + 1,
            self.wasted + (2 * fresh < hoped),
        )

    def after_gap(self, *, size: int) -> Pace:
        """Learn from a window that did not continue what was read.

        Args:
            size: Records a page at most.
        """
        overlap = max(1, min(2 * self.overlap, size // 2))
        step = max(2 * self.step, size // 2)
        return Pace(overlap, step, 1, self.windows + 1, self.wasted + 1)

    def alone(self) -> Pace:
        """Ask for nothing ahead for a while: the count promised what does not come."""
        return self._replace(ahead=1)

    def reaching(self, records: int, *, size: int) -> Pace:
        """Overlap at least so far from now on.

        Args:
            records: Records that windows are to share with what was read.
            size: Records a page at most.
        """
        overlap = max(self.overlap, min(records, size // 2))
        return self._replace(overlap=overlap, step=2 * overlap)
