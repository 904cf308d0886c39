"""Proof that a window goes on where the reading stopped.

If the first record of a window was read already, in the version that it has now,
nothing lies between the window and what was read: read on, and skip what was seen. If
it was not, more records moved than the overlap covers.
"""

from __future__ import annotations

import typing as t
from itertools import islice

if t.TYPE_CHECKING:
    from collections.abc import Sequence


class Identity(t.NamedTuple):
    """What makes two records the same: key and version, never the content.

    Signed URLs change with each read, so content decides nothing.

    Attributes:
        key: The primary key's value.
        version: `updated_at` as it came; None in lists ordered by id, where an update
            moves nothing.
    """

    key: str
    version: str | None


class Reading:
    """What has been read of one list: a position, and a memory of the last records.

    Attributes:
        position: Records read or passed.
        distinct: Records read, each version once.
        misplaced: Unread records that lay before read ones, where none should be.
        last: The last record read.

    Only the recent past is remembered, so memory stays flat: some pages, and all that
    share the last `updated_at`, since the order among those is unknown.
    """

    def __init__(self, memory: int) -> None:
        """Start at the beginning.

        Args:
            memory: Records to remember at least.
        """
        self.position = 0
        self.distinct = 0
        self.misplaced = 0
        self.last: Identity | None = None
        self._memory = memory
        # By hash, which takes a third of the memory. Two records out of a hundred
        # thousand share one with a chance of one in billions.
        self._recent: dict[int, str | None] = {}

    def knows(self, identity: Identity) -> bool:
        """Tell whether a record was read lately, in this version."""
        return hash(identity) in self._recent

    def read(self, start: int, window: Sequence[Identity]) -> list[int]:
        """Take in a window that is known to continue what was read.

        Args:
            start: Records before the window.
            window: Identities of its records, in order.

        Returns:
            Indexes of the records that were not read before.
        """
        fresh = []
        last_known = -1
        for index, identity in enumerate(window):
            known = hash(identity)
            if known not in self._recent:
                fresh.append(index)
                self._recent[known] = identity.version
            else:
                last_known = index
        self.misplaced += sum(index < last_known for index in fresh)
        self.position = start + len(window)
        self.distinct += len(fresh)
        if window:
            self.last = window[-1]
        self._forget()
        return fresh

    def _forget(self) -> None:
        """Drop the oldest records, but none that shares the last `updated_at`."""
        last = self.last
        surplus = max(len(self._recent) - self._memory, 0)
        for known, version in list(islice(self._recent.items(), surplus)):
            if last and last.version and version == last.version:
                break
            del self._recent[known]
