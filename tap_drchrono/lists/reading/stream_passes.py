"""The passes over one stream: how one ends, and when another follows."""

from __future__ import annotations

import datetime as dt
import typing as t

from tap_drchrono import bookmarks, words
from tap_drchrono.errors import StreamError
from tap_drchrono.lists import windows
from tap_drchrono.lists.claims import Count
from tap_drchrono.lists.jobs import Frame, Order
from tap_drchrono.lists.reading.frames import Mover
from tap_drchrono.lists.reading.looks import steady_end
from tap_drchrono.lists.reading.memory import Memory
from tap_drchrono.lists.reading.pace import Pace
from tap_drchrono.lists.reading.passes import Pass, Why

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from tap_drchrono.lists.jobs import ListEndpoint
    from tap_drchrono.lists.reading.looks import Ahead, Look
    from tap_drchrono.lists.reading.served import Served

_MEMORY = 30_000
"""Records to remember at least, however small the pages."""


class Passes:
    """The passes over one stream: one, and another where it does not add up.

    Attributes:
        pages: Pages read so far.
        gaps: Pages that did not continue what was read.
        done: Whether the stream was read to its end.
        is_complete: Whether all that was not read lies behind what was.
        is_within_reach: Whether page numbers reached to the end.
        is_left: Whether it went on growing when the reading ended.
        look: A page that is to be looked at next.
    """

    def __init__(
        self, source: ListEndpoint, started: Callable[[], float], logger: logging.Logger
    ) -> None:
        """Start at the stream's first record.

        Args:
            source: What is read.
            started: Tells when the run started, by the server's clock.
            logger: Says what is read again, and why; names and numbers only.
        """
        self.source = source
        self.bookmark = bookmarks.Bookmark(source.bookmark, source.lookback)
        self.pages = self.gaps = 0
        self.done = False
        self.is_complete = self.is_within_reach = True
        self.is_left = False
        self.look: Look | None = None
        self._ahead: Ahead | None = None
        self._was_disordered = False
        self._started = started
        self._logger = logger
        self._largest = source.max_size
        self._size = source.max_size
        self._said: set[bookmarks.TimeOddity] = set()
        if source.shortage:
            # What is to be settled is read whole, or once more.
            self.bookmark.hold()
        self._begin(Why.USUAL, Frame(source.since), Count())

    def _begin(self, why: Why, frame: Frame, count: Count) -> None:
        """Begin to read from the first record of a day."""
        self.now = Pass(
            why,
            frame.since,
            frame,
            Memory(max(_MEMORY, 3 * self._largest)),
            Pace.for_pages_of(self._largest),
            Mover(frame.since),
            count=count,
        )

    @property
    def _limit(self) -> dt.datetime:
        """The server's clock at the start of the run."""
        return bookmarks.utc_moment(self._started())

    # The end

    def end(self) -> bool:
        """End the stream, unless something did not add up and was not read twice.

        Returns:
            Whether the stream has ended.
        """
        now = self.now
        if now.evidence.is_clean or now.why in {Why.DOUBT, Why.UNREST}:
            self._finish()
            return True
        if now.evidence.only_counts_more and (
            look := steady_end(now, self.source.steady, self._size)
        ):
            self.look = look
            return False
        self._read_doubtful()
        return False

    def _lacks(self, total: int | None) -> None:
        """Note that records at the end are counted, and not listed."""
        self.now.lacks(total)
        self.bookmark.hold(at_start=True)

    def looked(self, look: Look, served: Served) -> None:
        """Take in a page that was only to be looked at.

        Args:
            look: The look.
            served: The page.
        """
        now, self.look = self.now, None
        keys = set(served.listed(self.source.key).keys)
        if look.at_end:
            at_end = served.end <= now.evidence.position or now.repeats_last
            if at_end and all(now.memory.has(key) for key in keys):
                self._finish()
            else:
                self._read_doubtful()
            return
        ahead = t.cast("Ahead", self._ahead)
        ahead.seen(now, keys)
        self.look = ahead.next(now.frame)
        if self.look:
            return
        now.goes_on = ahead.found_any
        if not now.goes_on:
            self._lacks(ahead.total)
            self.end()

    def leave(self) -> bool:
        """End a stream that keeps growing, as `end` does.

        Returns:
            Whether the stream has ended.
        """
        self.is_complete = self.now.grows_at_the_end
        if self.now.excess:
            position = self.now.evidence.position
            self._lacks(position + self.now.excess)
        self.is_left = self.end()
        self.is_complete = self.is_complete or not self.is_left
        if self.is_left:
            self._logger.info(
                "%s: it changes faster than it can be read; what changed since the run "
                "began is left to the next one.",
                self.source.stream,
            )
        return self.is_left

    @property
    def has_read_enough(self) -> bool:
        """Whether a list that never ends may be left.

        As much was read as there was when the reading began, and what was read last
        changed about then: a count is no proof, it may have been too small. Where that
        cannot be told, twice as much and some more was read, and something did change.
        A list by id is read to its end, as nobody makes records so fast.
        """
        now, position = self.now, self.now.evidence.position
        first = now.count.first
        if first is None or now.count.is_denied:
            return False
        if now.grows_at_the_end and now.frame.order is Order.ID:
            return False
        if now.grows_at_the_end and position >= first and self._is_up_to_date:
            return True
        return now.has_moved and position >= 2 * first + 10 * self._largest

    @property
    def _is_up_to_date(self) -> bool:
        """Whether the last record read may have changed since the run started."""
        last = self.now.memory.last_value
        return isinstance(last, dt.datetime) and last >= self._limit - bookmarks.ZONES

    @property
    def adds_up(self) -> bool:
        """Whether as many records were read as there are, in order."""
        now = self.now
        if now.frame.order is Order.SCHEDULED_TIME:
            # What a tie has left out may have come in other windows. Where records
            # come and go meanwhile, their number does not tell.
            is_told = not (now.had_ties and now.count.has_changed)
            return now.evidence.is_whole and is_told and self.is_within_reach
        return now.evidence.is_clean and self.is_within_reach

    @property
    def is_settled(self) -> bool:
        """Whether what is short now is DrChrono's way of counting."""
        return self.source.shortage is not None or not self.is_within_reach

    def _finish(self) -> None:
        """End the stream, and say what is short."""
        self.done = True
        if self.adds_up:
            return
        short = self.now.evidence.short
        self._logger.warning(
            "%s: %s. %s",
            self.source.stream,
            f"DrChrono counts {words.counted(short, 'record')} more than it lists"
            if short
            else "records that share one scheduled_time came and went while they were "
            "read, so that some may be missing",
            "It is taken for its way of counting, and the bookmark moves on."
            if self.is_settled
            else "The bookmark stays before them; the next sync reads them again, and "
            "then it moves on.",
        )

    def let_bookmark_go(self) -> None:
        """Move the bookmark to where a stream that was read to its end leaves it."""
        if self._was_disordered or self.now.is_disordered:
            self.bookmark.reach(self._limit.isoformat())
        elif self.now.evidence.position and not self.bookmark.is_dated:
            self.bookmark.reach(self._limit.date().isoformat())
        else:
            self.bookmark.release()

    # Another order

    def _read_doubtful(self) -> None:
        """Read once more what did not add up, in the order that stays."""
        short = self.now.evidence.short
        why = (
            f"{words.counted(short, 'record')} of the count did not appear"
            if short
            else "records that share one updated_at change their order"
        )
        self._read_steadily(Why.DOUBT, why)

    def _give_up_on_this_order(self) -> None:
        """Read in an order that updates do not change.

        Raises:
            StreamError: If it is read so already.
        """
        if self.now.frame.order is Order.UPDATED_AT:
            why = "its records move faster than they can be read"
            self._read_steadily(Why.UNREST, why)
            return
        msg = (
            f"{self.source.stream}: records change faster than they can be read: "
            f"{self.gaps} pages did not continue what was read. Run the tap when "
            "the practice is quiet, or with a larger page_size."
        )
        raise StreamError(msg)

    def _read_steadily(self, why: Why, because: str) -> None:
        """Read what is not proven in an order that updates do not change."""
        self._logger.warning(
            "%s: %s; reading it again in the order of %s",
            self.source.stream,
            because,
            self.source.steady.value,
        )
        since, _ = bookmarks.since(self.bookmark.value, None, self.source.lookback)
        since = max(since, self.source.since)
        count = self.now.count if since == self.now.since else Count()
        last = Count() if count.last is None else Count().then(count.last)
        self._was_disordered |= self.now.is_disordered
        self.bookmark.hold()
        self._begin(why, Frame(since, self.source.steady), last)

    def cannot_reach_further(self) -> None:
        """End a second reading where page numbers end.

        Raises:
            StreamError: If it is the first.
        """
        if self.now.why is not Why.DOUBT:
            raise self.unreachable()
        self.is_within_reach = False
        self._finish()

    def unreachable(self) -> StreamError:
        """Say that page numbers end before the stream does."""
        what = (
            "too many records share one day for `since` to be moved forward"
            if self.now.frame.order is Order.UPDATED_AT
            else "it is not read in the order of updated_at, so `since` must stay"
        )
        return StreamError(
            f"{self.source.stream}: cannot read beyond record "
            f"{self.now.evidence.position}: "
            f"DrChrono serves {windows.MAX_PAGE} pages of {self._size} records, and "
            f"{what}. "
            "Raise page_size if it is set, or set a later start_date."
        )
