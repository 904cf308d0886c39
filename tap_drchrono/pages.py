"""What crosses from reading to emitting: a page, and how a stream ended."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    Record: t.TypeAlias = dict[str, t.Any]


class Page(t.NamedTuple):
    """Records that are proven to be next, and how far the bookmark may go with them.

    Attributes:
        records: As they came, each once.
        before: The bookmark that holds before the first of them goes out; None for
            none. Where it lies before one that was stored, that one is taken back.
        after: The bookmark that holds after the last of them; None for none.
    """

    records: Sequence[Record]
    before: str | None
    after: str | None


class Shortage(t.NamedTuple):
    """Records that are counted and do not come; noted in the state until settled.

    Attributes:
        records: How many, or 0 where it is only known that some may be missing.
    """

    records: int

    @classmethod
    def of(cls, note: object) -> Shortage | None:
        """Read the note of the run before.

        Args:
            note: As stored; junk counts as none.

        Returns:
            The shortage, or None.
        """
        if isinstance(note, bool) or not isinstance(note, int):
            return None
        return cls(max(note, 0))

    def note(self) -> int:
        """Write the note for the next run.

        It is no object: Meltano fails where one meets a null.
        """
        return self.records


class Outcome(t.NamedTuple):
    """What a stream's read came to, as far as it got.

    Attributes:
        bookmark: The bookmark that holds at the end; None for none.
        records: Records that the reading has passed.
        pages: Pages read.
        resubmitted: Lists asked for again.
        reread: Pages read again because records moved.
        started: When the read began, by the server's clock, in seconds since the
            epoch; None where that is not known.
        whole: Whether every record was read that was there all the time. Not where the
            list kept growing and was left: an unread record may have moved behind.
        shortage: What is counted and did not come, for the next run to settle; None
            where nothing is open.
        twice: Records that came twice in one reading, as the list moved.
    """

    bookmark: str | None
    records: int
    pages: int
    resubmitted: int = 0
    reread: int = 0
    started: float | None = None
    whole: bool = True
    shortage: Shortage | None = None
    twice: int = 0
