"""The paginator: which list to ask for, which to look at, and when.

Each page is a list of its own. The paginator holds a few of them in flight in one
thread: it submits while there is room, looks at the oldest when it is probably ready,
and hands its records on once it is proven that nothing was skipped.

A page token says what to ask next: `Submit` becomes a POST, `Fetch` a GET.
"""

from __future__ import annotations

import typing as t
from collections import deque

from singer_sdk.pagination import BaseAPIPaginator

from tap_drchrono import timestamps, windows
from tap_drchrono.continuity import Identity, Reading
from tap_drchrono.errors import StreamError
from tap_drchrono.lists import (
    LIFETIME,
    Answer,
    Fetch,
    Frame,
    Order,
    PendingList,
    Purpose,
    Status,
    Submit,
    Token,
    carries_updates,
)

if t.TYPE_CHECKING:
    import datetime as dt
    import logging
    from collections.abc import Sequence

    import requests

    from tap_drchrono.clock import Clock
    from tap_drchrono.desk import ListDesk

    Records = Sequence[dict[str, t.Any]]

_REBASE_PAGE = windows.MAX_PAGE // 2
"""Page number above which `since` is moved forward, when that gains something."""
_TRIES = 6
"""Lists in a row that may fail before the stream is given up."""
_GAPS = 40
"""Windows in a row that may fail to continue before the stream is given up; the steps
back double, so this many mean that there is no end to the changes."""
_RESTARTS = 3
"""Returns to the first record before the order within one `updated_at` is distrusted.
"""
_MEMORY = 3000
"""Records to remember at least, however small the pages."""


class Source(t.NamedTuple):
    """What the paginator must know of a stream.

    Attributes:
        stream: Its name.
        key: The primary key's field.
        max_size: Records a page at most.
        since: Day from which to read.
        first_sync: Whether there is no bookmark, so that many records are likely.
        list_timeout: Seconds for which a list may stay in progress.
    """

    stream: str
    key: str
    max_size: int
    since: dt.date
    first_sync: bool
    list_timeout: float

    def first_list(self) -> PendingList:
        """Return the list that the stream starts with."""
        window = windows.Window(1, self.max_size)
        return PendingList(self.stream, Frame(self.since), window)


class Tally:
    """Counts for the log, for one stream.

    Attributes:
        pages: Pages read.
        resubmitted: Lists asked for again.
        reread: Windows that did not continue what was read, and were read again.
    """

    def __init__(self) -> None:
        """Start at zero."""
        self.pages = 0
        self.resubmitted = 0
        self.reread = 0


class BulkListPaginator(BaseAPIPaginator[Token | None]):
    """Performs the POST, poll, GET cycle for all pages of one stream."""

    def __init__(
        self, source: Source, desk: ListDesk, clock: Clock, logger: logging.Logger
    ) -> None:
        """Start with the stream's first list.

        Args:
            source: The stream.
            desk: What the streams share.
            clock: Tells the time.
            logger: Says what is asked for again, and why; names and numbers only.
        """
        self._source = source
        self._desk = desk
        self._clock = clock
        self._logger = logger
        self.tally = Tally()
        self._attempts = 0
        self._full_size = source.max_size
        self._size = source.max_size
        self._probed = not source.first_sync
        self._margin = 1
        self._moved_to = source.since
        self._rereads = 0
        self._restarts = 0
        self._failures = 0
        self._start_over(Frame(source.since))
        self.started_at = clock.now()
        first = desk.take(source.first_list())
        if first.uuid:
            self.started_at = first.submitted_at
        self._queue.append(first)
        super().__init__(self._next_token())

    def _start_over(self, frame: Frame) -> None:
        """Begin to read from the first record of a frame."""
        self._frame = frame
        self._reading = Reading(max(_MEMORY, 3 * self._source.max_size))
        self._queue: deque[PendingList] = deque()
        self._aside: PendingList | None = None
        self._held: tuple[PendingList, Answer, bool] | None = None
        self._count: int | None = None
        self._first_count: int | None = None
        self._reached_at: float | None = None
        self._quiet = True
        self._anchored = True
        self._overlap = max(1, self._source.max_size // 50)
        self._step = self._overlap
        self._gaps = 0
        self._done = False

    @property
    def order(self) -> Order:
        """What the records arrive in the order of."""
        return self._frame.order

    @property
    def position(self) -> int:
        """Records read or passed so far."""
        return self._reading.position

    @property
    def total(self) -> int | None:
        """Records of the stream, as far as known."""
        return self._count

    @property
    def pending(self) -> int:
        """Lists submitted and not fetched, for this stream and the next ones."""
        return self._own_pending() + self._desk.pending_ahead

    def continue_if_empty(self, response: requests.Response) -> bool:  # noqa: ARG002
        """Go on: most answers hold no records."""
        return True

    def get_next(self, response: requests.Response) -> Token | None:  # noqa: ARG002
        """Say what to ask next, or None at the end of the stream."""
        return self._next_token()

    def receive(self, answer: Answer) -> Records:
        """Take in the answer to the current token.

        Args:
            answer: The answer, read.

        Returns:
            The records to emit, in order: proven to continue those before, and not
            read before.

        Raises:
            StreamError: If the stream cannot be read on.
        """
        token = self.current_value
        if token is None:
            return ()
        pending = token.list
        if pending.stream != self._source.stream:
            if answer.status is Status.IN_PROGRESS and answer.uuid:
                pending.submitted(answer.uuid, self._clock.now())
            else:
                self._desk.give_up(pending)
            return ()
        if isinstance(token, Submit) and answer.uuid:
            pending.submitted(answer.uuid, self._clock.now())
        match answer.status:
            case Status.COMPLETE:
                return self._complete(pending, answer)
            case Status.IN_PROGRESS:
                if isinstance(token, Fetch):
                    self._not_yet(pending)
            case Status.GONE if self._age(pending) > LIFETIME * 0.9:
                self._ask_again(pending)
            case _:
                self._failed(pending, answer.word)
        return ()

    def _age(self, pending: PendingList) -> float:
        """Seconds since a list was submitted."""
        return self._clock.now() - pending.submitted_at

    # What to ask next

    def _next_token(self) -> Token | None:
        """Choose: submit while there is room, else look at what is due first."""
        if self._done:
            return None
        self._attempts += 1
        if pending := self._to_submit():
            return Submit(pending, self._attempts)
        due = self._aside or self._queue[0]
        return Fetch(due, self._attempts, self._look_at(due))

    def _to_submit(self) -> PendingList | None:
        """Choose a list to submit, or None if there is none or no room."""
        now = self._clock.now()
        if self._queue and self._queue[0].expires_soon(now):
            self._ask_again(self._queue[0])
        for wanted in self._wanted():
            if wanted.uuid is None:
                return wanted
        own = self._own_pending()
        room = self._desk.room(own) > 0
        if room and (pending := self._plan()):
            return pending
        if not self._wanted():
            raise self._unreachable()
        return self._desk.next_ahead(own) or (self._plan_count() if room else None)

    def _wanted(self) -> list[PendingList]:
        """Lists of this stream, the one to be read next first."""
        return [*([self._aside] if self._aside else []), *self._queue]

    def _own_pending(self) -> int:
        """Count the lists of this stream that are submitted and not fetched."""
        return sum(pending.uuid is not None for pending in self._wanted())

    def _look_at(self, pending: PendingList) -> float:
        """Say when to look at a list, in seconds since the epoch."""
        records: int | None = None
        if pending.purpose is Purpose.COUNT:
            records = 1
        elif self._count is not None:
            left = max(self._count - pending.start, 0)
            records = min(pending.window.size, left)
        due = self._desk.look_at(pending, records)
        return min(due, pending.submitted_at + self._source.list_timeout)

    def _plan(self) -> PendingList | None:
        """Plan the next page of this stream, if it needs one."""
        if self._held:
            return None
        if self._queue and (self._count is None or self._queue[-1].end >= self._count):
            return None
        start = self._queue[-1].end if self._queue else self.position
        at = max(start - self._frame.base, 0)
        if at // self._size >= _REBASE_PAGE and (count := self._plan_move()):
            return count
        window = windows.overlapping(at, self._size, self._overlap)
        if window is None and not self._queue and self._anchored:
            window = windows.adjoining(at, self._size)
        elif window is None and not self._queue:
            window = windows.ending_at(at, self._size)
        if window is None:
            return None
        self._queue.append(PendingList(self._source.stream, self._frame, window))
        return self._queue[-1]

    def _plan_count(self) -> PendingList | None:
        """Ask for the count where the first list is slow.

        A list of one record is ready almost at once and tells the count, so that all
        other pages can be asked for while the first is still being generated.
        """
        if self._probed or self._aside or self._count is not None:
            return None
        if not self._queue[0].looks or self._queue[0].window.size == 1:
            return None
        self._probed = True
        return self._ask_count(self._frame)

    def _plan_move(self) -> PendingList | None:
        """Prepare to move `since` forward, as page numbers end at 1000.

        The new `since` lies at least a day before the last record read, since the zone
        in which the server reads a date is unknown. How many records it cuts off is
        told by the counts before and after.
        """
        last = self._reading.last
        moment = timestamps.parse(last.version) if last else None
        if moment is None or self._count is None or self._aside:
            return None
        since = timestamps.days_before(moment.date(), self._margin)
        if since <= max(self._frame.since, self._moved_to):
            return None
        self._moved_to = since
        return self._ask_count(Frame(since))

    def _ask_count(self, frame: Frame) -> PendingList:
        """Ask for the smallest list of a frame."""
        window = windows.Window(1, 1)
        self._aside = PendingList(self._source.stream, frame, window, Purpose.COUNT)
        return self._aside

    def _unreachable(self) -> StreamError:
        """Say that page numbers end before the stream does."""
        what = (
            "its records carry no updated_at, so `since` cannot be moved forward"
            if self.order is Order.ID
            else "too many records share one day for `since` to be moved forward"
        )
        return StreamError(
            f"{self._source.stream}: cannot read beyond record {self.position}: "
            f"DrChrono serves {windows.MAX_PAGE} pages of {self._size} records, and "
            f"{what}. Raise page_size if it is set, or a later start_date."
        )

    # Lists that are not ready, or never will be

    def _not_yet(self, pending: PendingList) -> None:
        """Note that a list is still being generated."""
        pending.looks += 1
        pending.looked_at = self._age(pending)
        if pending.looked_at >= self._source.list_timeout:
            self._failed(pending, f"in progress after {pending.looked_at:.0f} s")

    def _ask_again(self, pending: PendingList) -> None:
        """Submit a list again that was not fetched within the hour."""
        pending.uuid = None
        self.tally.resubmitted += 1

    def _failed(self, pending: PendingList, word: str) -> None:
        """Submit a list again that failed, with a smaller page the second time.

        Raises:
            StreamError: If too many failed in a row.
        """
        pending.uuid = None
        pending.failures += 1
        self._failures += 1
        self.tally.resubmitted += 1
        self._desk.failed()
        window = pending.window
        if self._failures >= _TRIES:
            msg = (
                f"{self._source.stream}: DrChrono could not generate a list "
                f"(last answer: {word}). Tried {self._failures} times, the last time "
                f"with page {window.page} of page_size {window.size}. Run the tap "
                "again later; if it stays, set a smaller page_size or ask DrChrono."
            )
            raise StreamError(msg)
        self._logger.warning(
            "%s: the list of page %d (page_size %d) failed: %s. Submitting it again.",
            self._source.stream,
            window.page,
            window.size,
            word,
        )
        if pending.purpose is Purpose.COUNT:
            self._aside = None
        elif pending.purpose is Purpose.PAGE and pending.failures > 1:
            self._split(pending)

    def _split(self, pending: PendingList) -> None:
        """Ask for a window in smaller pages; the lists behind it stay as they are."""
        if pending.window.size == 1:
            return
        self._size = max(1, pending.window.size // 2)
        behind = [one for one in self._queue if one is not pending]
        self._queue.clear()
        if not behind or self.position == self._frame.base:
            return
        while not self._queue or self._queue[-1].end < pending.end:
            start = self._queue[-1].end if self._queue else self.position
            at = start - self._frame.base
            window = windows.overlapping(at, self._size, self._overlap)
            if window is None:
                self._queue.clear()
                return
            self._queue.append(PendingList(self._source.stream, self._frame, window))
        self._queue.extend(behind)

    # Lists that are ready

    def _complete(self, pending: PendingList, answer: Answer) -> Records:
        """Take in a list that is ready."""
        if pending.purpose is Purpose.PAGE and self._is_hollow(pending, answer):
            self._failed(pending, "no records, though more are counted")
            return ()
        self._desk.ready(pending, len(answer.records))
        self._failures = 0
        match pending.purpose:
            case Purpose.COUNT:
                self._counted(pending, answer)
                return ()
            case Purpose.SEAM:
                return self._seam(pending, answer)
            case _:
                return self._page(pending, answer)

    def _is_hollow(self, pending: PendingList, answer: Answer) -> bool:
        """Tell whether a page is empty where the count says that records are."""
        size = answer.size or pending.window.size
        start = ((answer.page or pending.window.page) - 1) * size
        return not answer.records and start < (answer.count or 0)

    def _counted(self, pending: PendingList, answer: Answer) -> None:
        """Learn the count, or by how much a later `since` shortens the list."""
        self._aside = None
        if answer.count is None:
            return
        if pending.frame == self._frame:
            self._note_count(self._frame.base + answer.count)
            return
        base = (self._count or 0) - answer.count
        if not self._frame.base < base < self.position:
            # It cuts off records that were not read: the server's day begins later.
            self._margin *= 2
            return
        self._frame = Frame(pending.frame.since, Order.UPDATED_AT, base)
        self._logger.info(
            "%s: moved `since` forward, as page numbers end at %d",
            self._source.stream,
            windows.MAX_PAGE,
        )

    def _note_count(self, count: int) -> None:
        """Remember how many records there are, and whether that changes."""
        if self._first_count is None:
            self._first_count = count
        self._quiet = self._quiet and count == self._first_count
        self._count = count

    def _page(self, pending: PendingList, answer: Answer) -> Records:
        """Take in a page: the answer is believed over what was asked."""
        records = answer.records
        size = answer.size or pending.window.size
        start = pending.frame.base + ((answer.page or pending.window.page) - 1) * size
        end = start + len(records)
        if answer.count is not None and pending.frame == self._frame:
            self._note_count(pending.frame.base + answer.count)
        count = None if answer.count is None else pending.frame.base + answer.count
        at_end = len(records) < size if count is None else end >= count
        if size < pending.window.size or (len(records) < size and not at_end):
            self._clamped(pending, min(size, max(len(records), 1)))
        if self._is_dateless(records) and not at_end:
            self._logger.info(
                "%s: records carry no updated_at; reading in the order of id",
                self._source.stream,
            )
            self._start_over(Frame(self._source.since, Order.ID))
            self._count = count
            return ()
        identities = self._identities(records)
        if not self._continues(pending, start, identities):
            if start == self.position and records and self._anchored:
                return self._hold(pending, answer, at_end=at_end)
            self._gap(pending, start)
            return ()
        return self._accept(pending, answer, start, identities, at_end=at_end)

    def _clamped(self, pending: PendingList, size: int) -> None:
        """The server serves smaller pages than asked for: plan anew behind this one."""
        self._full_size = self._size = size
        while self._queue and self._queue[-1] is not pending:
            self._queue.pop()

    def _is_dateless(self, records: Records) -> bool:
        """Tell whether the stream's records turn out to carry no `updated_at`."""
        return (
            self.order is Order.UPDATED_AT
            and not self.tally.pages
            and bool(records)
            and not carries_updates(records)
        )

    def _identities(self, records: Records) -> list[Identity]:
        """Name the records, so that they are known when they come again."""
        key = self._source.key
        if self.order is Order.ID:
            return [Identity(str(record.get(key)), None) for record in records]
        return [
            Identity(str(record.get(key)), str(record.get("updated_at")))
            for record in records
        ]

    def _continues(
        self,
        pending: PendingList,
        start: int,
        identities: list[Identity],
    ) -> bool:
        """Tell whether nothing lies between what was read and a window."""
        first_page = start == pending.frame.base
        if first_page and pending.frame.since == self._source.since:
            return True
        if not identities:
            return False
        return self._reading.knows(identities[0])

    def _hold(self, pending: PendingList, answer: Answer, *, at_end: bool) -> Records:
        """Keep a page that adjoins what was read, and look whether anything moved.

        Where no window can overlap (pages of a few records), the page that ends where
        the reading stopped is read again: if its last record is still the last one
        read, nothing moved between.
        """
        at = self.position - pending.frame.base
        window = windows.ending_at(at, self._size)
        if window is None:
            raise self._unreachable()
        self._held = (pending, answer, at_end)
        self._aside = PendingList(
            self._source.stream, pending.frame, window, Purpose.SEAM
        )
        return ()

    def _seam(self, pending: PendingList, answer: Answer) -> Records:
        """Emit the page that was held if nothing moved before it."""
        held, self._held, self._aside = self._held, None, None
        if held is None:
            return ()
        before = self._identities(answer.records)
        page, page_answer, at_end = held
        full = len(before) == (answer.size or pending.window.size)
        if not (before and full and before[-1] == self._reading.last):
            self._gap(page, self.position)
            return ()
        start = self.position
        identities = self._identities(page_answer.records)
        return self._accept(page, page_answer, start, identities, at_end=at_end)

    def _gap(self, pending: PendingList, start: int) -> None:
        """More moved than the overlap covers: step back and read again.

        Raises:
            StreamError: If there is no end to the changes.
        """
        self._gaps += 1
        self.tally.reread += 1
        self._quiet = False
        if self._gaps > _GAPS:
            msg = (
                f"{self._source.stream}: records change faster than they can be read: "
                f"{_GAPS} pages in a row did not continue what was read. Run the tap "
                "when the practice is quiet, or with a larger page_size."
            )
            raise StreamError(msg)
        if start == pending.frame.base and pending.frame.since != self._source.since:
            # Not even the first record from the later `since` was read: it cuts later
            # than thought, so count from the beginning again, and move less far.
            self._frame = Frame(self._source.since)
            self._margin *= 2
            self._moved_to = self._source.since
        back = min(self.position, start) - self._step
        self._reading.position = max(back, self._frame.base)
        self._step *= 2
        self._overlap = max(1, min(2 * self._overlap, self._full_size // 2))
        self._anchored = False
        self._queue.clear()
        self._logger.info(
            "%s: records moved while they were read; reading again from record %d",
            self._source.stream,
            self.position,
        )

    def _accept(
        self,
        pending: PendingList,
        answer: Answer,
        start: int,
        identities: list[Identity],
        *,
        at_end: bool,
    ) -> Records:
        """Take in a window that continues what was read."""
        again = start == self._frame.base and self.tally.pages > 0 and self._gaps > 0
        self._restarts += again
        fresh = self._reading.read(start, identities)
        if self._queue and self._queue[0] is pending:
            self._queue.popleft()
        self.tally.pages += 1
        self._gaps = 0
        self._step = self._overlap
        self._anchored = True
        self._size = min(self._full_size, self._size * 2)
        if self._restarts > _RESTARTS and self.order is Order.UPDATED_AT:
            self._read_by_id("the order of its records changes")
        elif at_end or (
            self._reached_at is not None and pending.submitted_at >= self._reached_at
        ):
            self._end()
        elif self._first_count is not None and self.position >= self._first_count:
            self._reached_at = self._reached_at or self._clock.now()
        return [answer.records[index] for index in fresh]

    def _end(self) -> None:
        """End the stream, unless records are missing although nothing changed."""
        short = (self._first_count or 0) - self._reading.distinct
        if not self._quiet or short <= 0:
            self._done = True
        elif self._rereads:
            self._logger.warning(
                "%s: DrChrono counts %d records more than it lists",
                self._source.stream,
                short,
            )
            self._done = True
        else:
            self._read_by_id(f"{short} records of the count did not appear")

    def _read_by_id(self, why: str) -> None:
        """Read the whole stream again in an order that does not change."""
        self._logger.warning(
            "%s: %s; reading it again in the order of id", self._source.stream, why
        )
        self._rereads += 1
        self._restarts = 0
        self._start_over(Frame(self._source.since, Order.ID))
