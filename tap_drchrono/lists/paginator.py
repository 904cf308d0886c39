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
from typing_extensions import override

from tap_drchrono import timestamps
from tap_drchrono.bookmarks import Bookmark, Oddity, utc_day
from tap_drchrono.errors import StreamError
from tap_drchrono.lists.jobs import (
    LIFETIME,
    Answer,
    Fetch,
    Frame,
    Order,
    PendingList,
    Purpose,
    Source,
    Status,
    Submit,
    Token,
)
from tap_drchrono.lists.reading import Course, Served, Verdict
from tap_drchrono.lists.windows import Window
from tap_drchrono.pages import Outcome, Page

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    import requests

    from tap_drchrono.clock import Clock
    from tap_drchrono.lists.budget import ListDesk

    Records = Sequence[dict[str, t.Any]]

_TRIES = 6
"""Lists in a row that may fail before the stream is given up."""
_EXPIRIES = 12
"""Lists in a row that may expire before the stream is given up."""
_FIRST_WAIT = 1.0
"""Seconds before a list that failed is submitted again; twice as long each time."""


class BulkListPaginator(BaseAPIPaginator[Token | None]):
    """Performs the POST, poll, GET cycle for all pages of one stream.

    Attributes:
        resubmitted: Lists asked for again.
        complete: Whether all that was not read lies behind what was.
    """

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
        self._course = Course(source, logger)
        first = desk.take(source.first_list())
        self._queue = deque([first])
        self._aside: PendingList | None = None
        self._held: Served | None = None
        self._probed = not source.first_sync
        self._read_at = 0.0
        self._covered_at: float | None = None
        self._failures = 0
        self._expiries = 0
        self._attempts = 0
        self._dropped: list[float] = []
        self.resubmitted = 0
        self.complete = True
        self._started_at = first.submitted_at if first.uuid else clock.now()
        self._bookmark = Bookmark(source.bookmark, utc_day(clock.now()))
        self._dated = False
        self._warned: set[Oddity] = set()
        super().__init__(self._next_token())

    # For the log

    @property
    def max_size(self) -> int:
        """Records a page at most."""
        return self._source.max_size

    @property
    def pages(self) -> int:
        """Pages read so far."""
        return self._course.pages

    @property
    def position(self) -> int:
        """Records read or passed so far."""
        return self._course.position

    @property
    def total(self) -> int | None:
        """Records of the stream, as far as known."""
        return self._course.count

    @property
    def pending(self) -> int:
        """Lists submitted and not fetched, for this stream and the next ones."""
        return self._own_pending() + self._desk.pending_ahead

    # The cycle

    @override
    def continue_if_empty(self, response: requests.Response) -> bool:
        """Go on: most answers hold no records."""
        return True

    @override
    def get_next(self, response: requests.Response) -> Token | None:
        """Say what to ask next, or None at the end of the stream."""
        return self._next_token()

    def page(self, answer: Answer) -> Page | None:
        """Take in the answer to the current token.

        Args:
            answer: The answer, read.

        Returns:
            The records to emit, in order: proven to continue those before, and not
            read before. None where the answer is no page of the stream.

        Raises:
            StreamError: If the stream cannot be read on.
        """
        pages = self.pages
        records = self._receive(answer)
        return self._covered(records) if self.pages > pages else None

    def outcome(self) -> Outcome:
        """Say what the read came to so far."""
        if self._course.done and self.complete:
            self._bookmark.release()
            if self.position and not self._dated:
                self._bookmark.reach(utc_day(self._started_at))
        return Outcome(
            self._bookmark.value,
            self.position,
            self.pages,
            self.resubmitted,
            self._course.gaps,
        )

    def _covered(self, records: Records) -> Page:
        """Say how far the bookmark may go with a page."""
        bookmark = self._bookmark
        if self._course.order is not Order.UPDATED_AT:
            # A record that changed after its page was read lies behind later ones, so
            # nothing that is read in this order moves the bookmark.
            bookmark.hold()
            return Page(records, bookmark.value, bookmark.value)
        values = [record.get("updated_at") for record in records]
        self._dated = self._dated or any(map(timestamps.parse, values))
        for oddity in bookmark.begin_page(values):
            if oddity is Oddity.DISORDER:
                self._course.ordered = False
            if oddity not in self._warned:
                self._warned.add(oddity)
                self._logger.warning("%s: %s", self._source.stream, oddity.value)
        before = bookmark.value
        for value in values:
            bookmark.advance(value)
        return Page(records, before, bookmark.value)

    def _receive(self, answer: Answer) -> Records:
        """Take in the answer to the current token, and return its records."""
        token = self.current_value
        if token is None:
            return ()
        pending = token.list
        if pending.stream != self._source.stream:
            self._receive_ahead(pending, answer)
            return ()
        if isinstance(token, Submit) and answer.uuid:
            pending.submitted(answer.uuid, self._clock.now())
        match answer.status:
            case Status.COMPLETE if pending in list(self._queue)[1:]:
                self._beyond_the_end(pending)
            case Status.COMPLETE:
                return self._complete(pending, answer)
            case Status.IN_PROGRESS if isinstance(token, Submit):
                pass
            case Status.IN_PROGRESS:
                self._not_yet(pending)
            case Status.GONE if self._age(pending) > LIFETIME * 0.9:
                self._expired(pending)
            case _:
                self._failed(pending, answer.word)
        return ()

    def _receive_ahead(self, pending: PendingList, answer: Answer) -> None:
        """Note that a list of a later stream was submitted, or was not taken."""
        if answer.status is Status.IN_PROGRESS and answer.uuid:
            pending.submitted(answer.uuid, self._clock.now())
        else:
            self._desk.give_up(pending)

    def _age(self, pending: PendingList) -> float:
        """Seconds since a list was submitted."""
        return self._clock.now() - pending.submitted_at

    # What to ask next

    def _next_token(self) -> Token | None:
        """Choose: submit while there is room, else look at what is due first."""
        self._end_if_covered()
        if self._course.done:
            return None
        self._attempts += 1
        if pending := self._to_submit():
            return Submit(pending, self._attempts, pending.not_before)
        due = self._aside or self._queue[0]
        return Fetch(due, self._attempts, self._look_at(due))

    def _end_if_covered(self) -> None:
        """End a stream that keeps growing.

        Once as much was read as there was at the start, a page that is cut after that
        is the last: whatever changes later belongs to the next sync.
        """
        if self._course.done or not self._course.has_read_enough:
            return
        if self._covered_at is None:
            self._covered_at = self._clock.now()
        elif self._read_at >= self._covered_at:
            self.complete = self._course.ordered
            if not self._course.end():
                self.complete = True
                self._covered_at = None
                self._drop_queue()

    def _to_submit(self) -> PendingList | None:
        """Choose a list to submit, or None if there is none or no room.

        Raises:
            StreamError: If page numbers end before the stream does.
        """
        if self._queue and self._queue[0].expires_soon(self._clock.now()):
            self._expired(self._queue[0])
        for wanted in self._wanted():
            if wanted.uuid is None:
                return wanted
        now = self._clock.now()
        self._dropped = [ready for ready in self._dropped if ready > now]
        own = self._own_pending() + len(self._dropped)
        has_room = self._desk.room(own) > 0
        if (has_room or not self._wanted()) and (pending := self._plan()):
            if not has_room:
                pending.not_before = min(self._dropped, default=now)
            return pending
        if not self._wanted():
            raise self._course.unreachable()
        if ahead := self._desk.next_ahead(own):
            return ahead
        return self._plan_count() if self._desk.has_spare_room(own) else None

    def _drop_queue(self, fetched: PendingList | None = None) -> None:
        """Give up pending lists, which the server goes on to generate all the same."""
        self._dropped += [
            self._look_at(pending)
            for pending in self._queue
            if pending.uuid and pending is not fetched
        ]
        self._queue.clear()

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
        elif self.total is not None:
            records = min(pending.window.size, max(self.total - pending.start, 0))
        due = self._desk.look_at(pending, records)
        return min(due, pending.submitted_at + self._source.list_timeout)

    def _plan(self) -> PendingList | None:
        """Plan the next page of this stream, if it needs one."""
        behind = self._queue[-1].end if self._queue else None
        all_planned = self.total is None or (behind or 0) >= self.total
        if self._held or (behind is not None and all_planned):
            return None
        if self._aside is None and (frame := self._course.frame_ahead(behind)):
            return self._ask_aside(frame, Window(1, 1), Purpose.COUNT)
        window = self._course.next_window(behind)
        if window is None:
            return None
        self._queue.append(PendingList(self._source, self._course.frame, window))
        return self._queue[-1]

    def _plan_count(self) -> PendingList | None:
        """Ask for the count where the first list is slow.

        A list of one record is ready almost at once and tells the count, so that all
        other pages can be asked for while the first is still being generated.
        """
        first = self._queue[0]
        if self._probed or self._aside or self.total is not None or not first.looks:
            return None
        self._probed = True
        return self._ask_aside(self._course.frame, Window(1, 1), Purpose.COUNT)

    def _ask_aside(self, frame: Frame, window: Window, purpose: Purpose) -> PendingList:
        """Ask for a list that is no page to emit."""
        self._aside = PendingList(self._source, frame, window, purpose)
        return self._aside

    # Lists that are not ready, or never will be

    def _not_yet(self, pending: PendingList) -> None:
        """Note that a list is still being generated."""
        pending.looks += 1
        pending.looked_at = self._age(pending)
        if pending.looked_at >= self._source.list_timeout:
            self._failed(pending, f"in progress after {pending.looked_at:.0f} s")

    def _expired(self, pending: PendingList) -> None:
        """Submit a list again that was not fetched within the hour.

        Raises:
            StreamError: If that happens again and again.
        """
        self._ask_again(pending)
        self._expiries += 1
        if self._expiries > _EXPIRIES:
            msg = (
                f"{self._source.stream}: {_EXPIRIES} lists in a row expired before the "
                "quota allowed to fetch one. Raise hourly_request_limit if it is set, "
                "or see what else uses this API application."
            )
            raise StreamError(msg)

    def _ask_again(self, pending: PendingList) -> None:
        """Submit a list again."""
        pending.uuid = None
        self.resubmitted += 1

    def _failed(self, pending: PendingList, word: str) -> None:
        """Submit a list again that failed, with a smaller page the second time.

        Raises:
            StreamError: If too many failed in a row.
        """
        self._ask_again(pending)
        pending.failures += 1
        self._failures += 1
        pending.not_before = self._clock.now() + _FIRST_WAIT * 2 ** (self._failures - 1)
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
        self._course.shrink(pending.window.size)
        behind = [one for one in self._queue if one is not pending]
        self._queue.clear()
        end = None
        while behind and (end or 0) < pending.end:
            window = self._course.next_window(end)
            if window is None:
                self._queue.clear()
                return
            smaller = PendingList(self._source, self._course.frame, window)
            smaller.not_before = pending.not_before
            self._queue.append(smaller)
            end = smaller.end
        self._queue.extend(behind)

    def _beyond_the_end(self, pending: PendingList) -> None:
        """A page that was refused when asked for ahead: the list became shorter."""
        while self._queue.pop() is not pending:
            continue
        self._course.count = self._queue[-1].end

    # Lists that are ready

    def _complete(self, pending: PendingList, answer: Answer) -> Records:
        """Take in a list that is ready."""
        page = Served.read(pending.frame, pending.window, answer)
        if pending.purpose is Purpose.PAGE and page.is_hollow and not pending.failures:
            self._failed(pending, "no records, though more are counted")
            return ()
        self._failures = self._expiries = 0
        if pending.uuid:
            self._desk.ready(pending, len(answer.records))
        if pending.purpose is Purpose.COUNT:
            self._aside = None
            if answer.count is not None:
                self._course.counted(pending.frame, answer.count)
            return ()
        if pending.purpose is Purpose.SEAM:
            adjoining, self._held, self._aside = self._held, None, None
            verdict, records = self._course.close_seam(
                t.cast("Served", adjoining), page
            )
        else:
            verdict, records = self._course.take(page)
        match verdict:
            case Verdict.READ:
                self._queue.popleft()
            case Verdict.SHORTER | Verdict.ANEW:
                self._drop_queue(pending)
            case Verdict.SEAM:
                self._held = page
                self._ask_aside(page.frame, self._course.seam(), Purpose.SEAM)
        if verdict in {Verdict.READ, Verdict.SHORTER}:
            self._read_at = pending.submitted_at
        return records
