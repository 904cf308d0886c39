"""What crosses from reading to emitting: a page, and how a stream ended."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_drchrono.lists.evidence import Shortage

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
        whole: Whether every record was read that there was at the start.
        shortage: What is counted and did not come, for the next run to settle; None
            where nothing is open.
    """

    bookmark: str | None
    records: int
    pages: int
    resubmitted: int = 0
    reread: int = 0
    started: float | None = None
    whole: bool = True
    shortage: Shortage | None = None
