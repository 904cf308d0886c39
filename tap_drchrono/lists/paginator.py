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

from tap_drchrono.errors import StreamError
from tap_drchrono.lists.jobs import (
    YOUNG,
    Answer,
    Fetch,
    Job,
    JobState,
    ListEndpoint,
    Purpose,
    Status,
    Submit,
    Token,
    Wanted,
)
from tap_drchrono.lists.outcomes import outcome_of
from tap_drchrono.lists.reading.reading import Reading, Taken, Verdict
from tap_drchrono.lists.reading.served import Served
from tap_drchrono.lists.windows import Window

if t.TYPE_CHECKING:
    import logging

    import requests

    from tap_drchrono.clock import Clock
    from tap_drchrono.lists.budget import JobBudget
    from tap_drchrono.lists.jobs import Frame
    from tap_drchrono.lists.reading.looks import Look
    from tap_drchrono.pages import Outcome, Page

_TRIES = 6
"""Lists in a row that may fail before the stream is given up."""
_EXPIRIES = 12
"""Times in a row that lists may expire before the stream is given up."""
_FIRST_WAIT = 1.0
"""Seconds before a list that failed is submitted again; twice as long each time."""


class BulkListPaginator(BaseAPIPaginator[Token | None]):
    """Performs the POST, poll, GET cycle for all pages of one stream."""

    def __init__(
        self,
        source: ListEndpoint,
        budget: JobBudget,
        clock: Clock,
        logger: logging.Logger,
    ) -> None:
        """Start with the stream's first list.

        Args:
            source: The stream.
            budget: Holds the lists of all streams.
            clock: Tells the time.
            logger: Says what is asked for again, and why; names and numbers only.
        """
        self._source = source
        self._budget = budget
        self._clock = clock
        self._logger = logger
        self._reading = Reading(source, lambda: budget.started_at, logger)
        self._queue = deque([budget.take(source.first_list())])
        self._aside: Job | None = None
        self._held: Served | None = None
        self._probed = not source.first_sync
        self._read_at = 0.0
        self._covered_at: float | None = None
        self._failures = 0
        self._expiries = 0
        self._expired_at = 0.0
        self._attempts = 0
        self._resubmitted = 0
        super().__init__(self._next_token())

    # For the log

    @property
    def max_size(self) -> int:
        """Records a page at most."""
        return self._source.max_size

    @property
    def pages(self) -> int:
        """Pages read so far."""
        return self._reading.pages

    @property
    def position(self) -> int:
        """Records read or passed so far."""
        return self._reading.now.evidence.position

    @property
    def total(self) -> int | None:
        """Records of the stream, as far as known."""
        return self._reading.now.total

    @property
    def pending(self) -> int:
        """Lists submitted and not fetched, for this stream and the next ones."""
        return self._budget.pending()

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
        token = self.current_value
        if token is None:
            return None
        job = token.list
        if isinstance(token, Submit):
            self._budget.submitted(job, answer)
        if job in self._wanted():
            return self._own(token, answer)
        if isinstance(token, Fetch):
            self._budget.looked_at(job, answer)
        return None

    def _own(self, token: Token, answer: Answer) -> Page | None:
        """Take in what an answer says of a list of this stream."""
        job, status, now = token.list, answer.status, self._clock.now()
        if status is Status.COMPLETE:
            return self._complete(job, answer)
        if status is Status.BEYOND or (status is Status.GONE and self._is_beyond(job)):
            return self._beyond(job)
        match status:
            case Status.IN_PROGRESS if job.state is JobState.GENERATING:
                self._not_yet(token)
            case Status.IN_PROGRESS:
                self._failed(job, "no name for the list")
            case Status.GONE if job.may_become_known(now):
                job.looked(now, seen=False)
            case Status.GONE if now - job.submitted_at >= YOUNG:
                self._expired(job)
            case _:
                self._failed(job, answer.word)
        return None

    def outcome(self) -> Outcome:
        """Say what the read came to so far."""
        return outcome_of(self._reading, self._resubmitted)

    # What to ask next

    def _next_token(self) -> Token | None:
        """Choose: submit while there is room, else look at what is due first."""
        self._end_if_covered()
        token = None if self._reading.done else self._to_submit() or self._to_fetch()
        if self._reading.done:
            self._drop_queue()
            return None
        return token

    def _to_submit(self) -> Token | None:
        """Choose a list to submit, or None if there is none or no room."""
        self._attempts += 1
        if self._queue and self._queue[0].expires_soon(self._clock.now()):
            self._expired(self._queue[0])
        budget, stream = self._budget, self._source.stream
        for job in self._wanted():
            if not job.state.is_asked_for:
                return self._submit(job)
        if planned := self._plan_look() or self._plan():
            return self._submit(planned)
        if not self._wanted():
            self._reading.cannot_reach_further()
            return None
        if ahead := budget.next_ahead(stream) or self._plan_count():
            return self._submit(ahead)
        return None

    def _submit(self, job: Job) -> Token | None:
        """Ask for a list if there is room; else look at what takes it."""
        budget, next_one = self._budget, self._wanted()[0]
        if budget.has_room(urgent=job is next_one):
            budget.submitting(job)
            return Submit(job, self._attempts, job.not_before)
        if job is not next_one and job is self._queue[-1] and not job.failures:
            self._queue.pop()
        if other := budget.in_the_way(self._source.stream):
            due = budget.look_at(other, None)
            if due <= self._clock.now() or job is next_one:
                return Fetch(other, self._attempts, due)
        if job is not next_one:
            return None
        job.not_before = max(job.not_before, budget.room_from())
        budget.submitting(job)
        return Submit(job, self._attempts, job.not_before)

    def _to_fetch(self) -> Fetch | None:
        """Choose the list to look at."""
        if self._reading.done:
            return None
        due = self._wanted()[0]
        return Fetch(due, self._attempts, 0.0 if due.answer else self._look_at(due))

    def _end_if_covered(self) -> None:
        """End a stream that keeps growing.

        Once as much was read as there was at the start, a page that is cut after that
        is the last: whatever changes later belongs to the next sync.
        """
        reading = self._reading
        if reading.done or reading.look or not reading.has_read_enough:
            self._covered_at = None
        elif self._covered_at is None:
            self._covered_at = self._clock.now()
        elif self._read_at >= self._covered_at and not reading.leave():
            self._covered_at = None
            self._drop_queue()

    def _drop_queue(self, fetched: Job | None = None) -> None:
        """Give up pending lists, which the server goes on to generate all the same."""
        for job in self._wanted():
            if job is not fetched:
                self._budget.drop(job)
        self._queue.clear()
        self._aside = None

    def _wanted(self) -> list[Job]:
        """Lists of this stream, the one to be read next first."""
        return [*([self._aside] if self._aside else []), *self._queue]

    def _look_at(self, job: Job) -> float:
        """Say when to look at a list, in seconds since the epoch."""
        wanted = job.wanted
        records: int | None = None
        if wanted.purpose is Purpose.COUNT:
            records = 1
        elif self.total is not None:
            records = min(wanted.window.size, max(self.total - wanted.start, 0))
        due = self._budget.look_at(job, records)
        return min(due, job.submitted_at + self._source.list_timeout)

    def _plan_look(self) -> Job | None:
        """Plan the page that is only to be looked at, if there is one."""
        look = self._reading.look
        if look is None or self._aside:
            return None
        return self._ask_aside(look.frame, look.window, Purpose.LOOK)

    def _plan(self) -> Job | None:
        """Plan the next page of this stream, if it needs one."""
        reading, total = self._reading, self.total
        behind = self._queue[-1].wanted.end if self._queue else None
        if (
            reading.look
            or self._held
            or len(self._queue) >= int(reading.now.pace.ahead)
        ):
            return None
        if behind is not None and (total is None or behind >= total):
            return None
        if self._aside is None and (frame := reading.frame_ahead(behind)):
            return self._ask_aside(frame, Window(1, 1), Purpose.COUNT)
        window = reading.next_window(behind)
        if window is None:
            return None
        self._queue.append(Job(Wanted(self._source, reading.now.frame, window)))
        return self._queue[-1]

    def _plan_count(self) -> Job | None:
        """Ask for the count where the first list is slow.

        A list of one record is ready almost at once and tells the count, so that all
        other pages can be asked for while the first is still being generated.
        """
        if self._probed or self._aside or self.total is not None or not self._queue:
            return None
        if not self._queue[0].seen:
            return None
        if not self._budget.has_room():
            return None
        self._probed = True
        return self._ask_aside(self._reading.now.frame, Window(1, 1), Purpose.COUNT)

    def _ask_aside(self, frame: Frame, window: Window, purpose: Purpose) -> Job:
        """Ask for a list that is no page to emit."""
        self._aside = Job(Wanted(self._source, frame, window, purpose))
        return self._aside

    # Lists that are not ready, or never will be

    def _not_yet(self, token: Token) -> None:
        """Note that a list is still being generated."""
        job = token.list
        if isinstance(token, Submit):
            return
        job.looked(self._clock.now(), seen=True)
        if job.looked_at >= self._source.list_timeout:
            self._budget.lose(job)
            self._failed(job, f"in progress after {job.looked_at:.0f} s")

    def _expired(self, job: Job) -> None:
        """Submit a list again that was not fetched within the hour.

        Lists that were submitted before another one expired expire for the same
        reason: the machine slept, or the target was slow.

        Raises:
            StreamError: If that happens again and again.
        """
        self._budget.over(job, JobState.EXPIRED)
        self._resubmitted += 1
        if job.submitted_at < self._expired_at:
            return
        self._expired_at = self._clock.now()
        self._expiries += 1
        if self._expiries > _EXPIRIES:
            msg = (
                f"{self._source.stream}: {_EXPIRIES} lists in a row expired before the "
                "quota allowed to fetch one. Raise hourly_request_limit if it is set, "
                "or see what else uses this API application."
            )
            raise StreamError(msg)

    def _failed(self, job: Job, word: str) -> None:
        """Submit a list again that failed, with a smaller page the second time.

        Raises:
            StreamError: If too many failed in a row.
        """
        self._budget.over(job, JobState.FAILED)
        self._resubmitted += 1
        job.failures += 1
        self._failures += 1
        job.not_before = self._clock.now() + _FIRST_WAIT * 2 ** (self._failures - 1)
        window = job.wanted.window
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
        if job.wanted.purpose is Purpose.COUNT:
            self._aside = None
        elif job.wanted.purpose is Purpose.PAGE and job.failures > 1:
            self._split(job)

    def _split(self, job: Job) -> None:
        """Ask for a window in smaller pages; the lists behind it stay as they are."""
        if job.wanted.window.size == 1:
            return
        reading = self._reading
        reading.shrink(job.wanted.window.size)
        behind = [one for one in self._queue if one is not job]
        self._queue.clear()
        end = None
        while behind and (end or 0) < job.wanted.end:
            window = reading.next_window(end)
            if window is None:
                for one in behind:
                    self._budget.drop(one)
                self._queue.clear()
                return
            wanted = Wanted(self._source, reading.now.frame, window)
            self._queue.append(Job(wanted, not_before=job.not_before))
            end = wanted.end
        self._queue.extend(behind)

    def _is_beyond(self, job: Job) -> bool:
        """Tell whether a page that is not found lies behind the end of the list.

        Where nothing counts so many records, at once; without a count, after the looks
        at a list that may become known. Where more are counted, or the list was known
        already, it is submitted once more first.
        """
        if job.wanted.window.page == 1:
            return False
        now = self._clock.now()
        if not job.seen:
            if self.total is None:
                return not job.may_become_known(now)
            if job.wanted.start >= self.total:
                return True
        is_young = now - job.submitted_at < YOUNG
        return is_young and job.failures > 0 and not job.may_become_known(now)

    def _beyond(self, job: Job) -> Page | None:
        """Take in that there is no such page: it is an empty one."""
        self._budget.over(job, JobState.READY)
        if job is self._aside or job is self._queue[0]:
            return self._complete(job, Answer(Status.COMPLETE, "no such page"))
        # One that was asked for ahead: the list became shorter.
        while self._queue[-1] is not job:
            self._budget.drop(self._queue.pop())
        self._queue.pop()
        self._reading.ends_before(self._queue[-1].wanted.end)
        return None

    # Lists that are ready

    def _complete(self, job: Job, answer: Answer) -> Page | None:
        """Take in a list that is ready."""
        wanted, reading = job.wanted, self._reading
        served = Served(wanted.frame, wanted.window, answer.records, answer.claims)
        is_odd = served.is_hollow and not (job.failures or reading.now.expects_nothing)
        if wanted.purpose is Purpose.PAGE and is_odd:
            self._budget.over(job, JobState.READY)
            self._failed(job, "no records, though more are counted")
            return None
        self._failures = self._expiries = 0
        if job.state is JobState.GENERATING:
            self._budget.ready(job, len(answer.records))
        job.answer = None
        if wanted.purpose is Purpose.COUNT:
            self._aside = None
            reading.counted(wanted.frame, answer.claims.count)
            return None
        if wanted.purpose is Purpose.BEFORE:
            adjoining, self._held, self._aside = self._held, None, None
            taken = reading.take_adjoining(t.cast("Served", adjoining), served)
        elif wanted.purpose is Purpose.LOOK:
            reading.looked(t.cast("Look", reading.look), served)
            taken, self._aside = Taken(Verdict.ANEW), None
        else:
            taken = reading.take(served)
        match taken.verdict:
            case Verdict.READ:
                self._queue.popleft()
                self._drop_what_cannot_continue()
            case Verdict.ANEW:
                self._drop_queue(job)
            case Verdict.ADJOINS:
                self._held = served
                self._ask_aside(wanted.frame, reading.window_before(), Purpose.BEFORE)
        if taken.page:
            self._read_at = job.submitted_at
        return taken.page

    def _drop_what_cannot_continue(self) -> None:
        """Give up lists that begin behind what was read: a page was short."""
        if self._queue and self._queue[0].wanted.start > self.position:
            self._drop_queue()
