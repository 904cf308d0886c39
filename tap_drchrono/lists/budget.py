"""The lists that the server may be generating, over all streams, and room for more.

The budget holds every job from before its POST until the list came, failed, or cannot
be generated any more: nothing else counts them, so the limit holds by construction.
"""

from __future__ import annotations

import dataclasses
import typing as t
from collections import defaultdict, deque

from tap_drchrono.lists.jobs import LIFETIME, Job, JobState, Status
from tap_drchrono.lists.polling import ListTimes, explore

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_drchrono.clock import Clock
    from tap_drchrono.lists.jobs import Answer, Wanted


_SURE = 2.0
"""Times the usual time after which a list that nobody wants is taken to be done."""
_LATE = 5.0
"""Seconds by which a look may be late, as requests and records take time, and tell how
long a list takes; half as long as the list is old already, where that is more."""
_NAMELESS = 60.0
"""Seconds after which a list without a name, of which nothing is known, is so too."""


class JobBudget:
    """Keeps the number of lists that the server generates at once within bounds.

    The stream being read comes first. The first lists of the streams after it fill up
    to half of the room, so that they are ready when their turn comes. Where it needs
    more, theirs are looked at early, and kept until their turn. Only before the first
    list came, while no stream can know that it needs more than one, may they fill all
    of it; and only where none of them has to wait for another.

    Attributes:
        max_pending: Lists that may be generated at once.
    """

    def __init__(self, max_pending: int, clock: Clock) -> None:
        """Start with nothing pending.

        Args:
            max_pending: Lists that may be generated at once.
            clock: Tells the time.
        """
        self.max_pending = max_pending
        self._limit = float(max_pending)
        self._clock = clock
        self._live: list[Job] = []
        self._later: deque[Wanted] = deque()
        self._ahead: dict[str, Job] = {}
        self._times: defaultdict[str, ListTimes] = defaultdict(ListTimes)
        self._any_stream = ListTimes()
        self._usual_records = 0
        self._started_at: float | None = None

    @property
    def started_at(self) -> float:
        """When the first list of the sync was asked for, by the server's clock.

        In seconds since the epoch; before there was one, the present moment.
        """
        return self._clock.now() if self._started_at is None else self._started_at

    # The streams after the one being read

    def expect(self, first_lists: Iterable[Wanted]) -> None:
        """Say which lists will be wanted next.

        Args:
            first_lists: The first list of each stream, in the order of the sync.
        """
        self._later = deque(first_lists)

    def take(self, wanted: Wanted) -> Job:
        """Take over the first list of a stream whose turn has come.

        What the stream before it left is dropped.

        Args:
            wanted: The list that the stream starts with.

        Returns:
            The list as asked for ahead, or else one that is to be asked for.
        """
        self._later = deque(one for one in self._later if one.stream != wanted.stream)
        job = self._ahead.pop(wanted.stream, None) or Job(wanted)
        for other in list(self._live):
            if other is not job and other not in self._ahead.values():
                self.drop(other)
        return job

    def next_ahead(self, stream: str) -> Job | None:
        """Say which list to submit for a stream whose turn will come.

        Args:
            stream: The stream being read, or about to be. Its own first list is not
                held back.

        Returns:
            The list, or None if there is no room or none is wanted.
        """
        foreign = sum(job.wanted.stream != stream for job in self._generating())
        is_own = bool(self._later) and self._later[0].stream == stream
        if not self.has_room() or (foreign >= self._lendable() and not is_own):
            return None
        if self._later:
            wanted = self._later.popleft()
            self._ahead[wanted.stream] = job = Job(wanted)
            return job
        now = self._clock.now()
        soon = (job for job in self._ahead.values() if job.expires_soon(now))
        return next(soon, None)

    def in_the_way(self, stream: str) -> Job | None:
        """Say which list to look at to make room for the stream being read.

        Args:
            stream: The stream.

        Returns:
            The one that is due first of those that are not its own, or that it
            dropped; None if there is none that can be looked at.
        """
        others = [
            job
            for job in self._generating()
            if job.uuid
            and (job.wanted.stream != stream or job.state is JobState.DROPPED)
        ]
        return min(others, key=lambda job: self.look_at(job, None), default=None)

    def looked_at(self, job: Job, answer: Answer) -> None:
        """Take in what a look at a list that is not the stream's own has brought.

        Args:
            job: The list.
            answer: The answer.
        """
        if answer.status is Status.IN_PROGRESS:
            job.looked(self._clock.now(), seen=True)
        elif answer.status is Status.GONE and job.may_become_known(self._clock.now()):
            job.looked(self._clock.now(), seen=False)
        elif answer.status is Status.COMPLETE and job.state is JobState.GENERATING:
            self.ready(job, len(answer.records))
            job.answer = answer
        elif answer.status is Status.REFUSED:
            job.state, job.uuid = JobState.DROPPED, None
        else:
            self._forget(job)
            job.state = JobState.FAILED

    # The life of a list

    def has_room(self, *, urgent: bool = False) -> bool:
        """Tell whether fewer lists are generated than may be, over all streams.

        Args:
            urgent: Whether the list is the one to be read next. Others leave more room
                where lists have failed.
        """
        limit = self.max_pending if urgent else int(self._limit)
        return len(self._generating()) < limit

    def room_from(self) -> float:
        """Say from when on there is room, if no list that is looked at makes any.

        Returns:
            Seconds since the epoch.
        """
        dropped = [
            self._done_at(job)
            for job in self._live
            if job.state in {JobState.DROPPED, JobState.SUBMITTED}
        ]
        return min(dropped, default=self._clock.now())

    def submitting(self, job: Job) -> None:
        """Note that a list is about to be asked for: it costs room from now on.

        Args:
            job: The list; if it was asked for before, that is over.
        """
        self._forget(job)
        job.state, job.uuid = JobState.SUBMITTED, None
        job.submitted_at = self._clock.now()
        self._live.append(job)

    def submitted(self, job: Job, answer: Answer) -> None:
        """Take in the answer to a POST.

        Args:
            job: The list.
            answer: The answer; without a name the list is lost, though the server may
                generate it.
        """
        now = self._clock.now()
        if self._started_at is None:
            self._started_at = now
        job.submitted(answer.uuid, now)
        if answer.status in {Status.FAILED, Status.BEYOND}:
            self._forget(job)
            job.state = JobState.FAILED
        elif not answer.uuid:
            self.lose(job)

    def lose(self, job: Job) -> None:
        """Give a list up that the server may still generate, to ask for it again.

        Args:
            job: The list; what costs room from now on is a copy.
        """
        self.drop(dataclasses.replace(job))
        self._forget(job)
        job.state = JobState.FAILED

    def drop(self, job: Job) -> None:
        """Note that nobody wants a list any more.

        Args:
            job: The list, which goes on to cost room.
        """
        if not job.state.costs_room:
            return
        job.state = JobState.DROPPED
        if job not in self._live:
            self._live.append(job)

    def over(self, job: Job, state: JobState) -> None:
        """Note that the server does not generate a list any more.

        Args:
            job: The list.
            state: How it ended.
        """
        self._forget(job)
        job.state = state
        if state is JobState.FAILED:
            self._limit = max(1.0, self._limit / 2)

    def ready(self, job: Job, records: int) -> None:
        """Learn from a list that was found ready.

        Args:
            job: The list.
            records: Records that it holds.
        """
        late = self._clock.now() - self.look_at(job, records)
        self._forget(job)
        job.state = JobState.READY
        self._limit = min(self._limit + 0.5, float(self.max_pending))
        if job.submitted_at < self._clock.woke_at:
            return  # the machine slept meanwhile
        if late > max(_LATE, job.looked_at / 2):
            return  # the hour was used up, or DrChrono out of service
        age = self._clock.now() - job.submitted_at
        for times in (self._times[job.wanted.stream], self._any_stream):
            expected = times.expected(records) or self._any_stream.expected(records)
            # A list that was ready when first looked at, long after its submission,
            # tells nothing but that it was not slower.
            if job.looks or expected is None or age < expected * 1.2:
                times.observe(records, job.looked_at, age)
                self._usual_records = records

    def pending(self) -> int:
        """Count the lists that were asked for and have not come."""
        return len(self._generating())

    # When to look

    def look_at(self, job: Job, records: int | None) -> float:
        """Say when to look at a list.

        Args:
            job: A submitted list.
            records: Records that it will hold, or None if unknown.

        Returns:
            Seconds since the epoch.
        """
        age = job.looked_at
        times = self._times[job.wanted.stream]
        if job.looks and not job.seen:
            age += 2.0 ** (job.looks - 1)
        elif records is not None and times.expected(records) is not None:
            age = times.look_at(records, age, job.looks)
        elif job.looks == 0 and (usual := self._usual(records)) is not None:
            age = self._any_stream.look_at(usual, age, 0)
        else:
            age = explore(age)
        return job.submitted_at + age

    def _usual(self, records: int | None) -> int | None:
        """Say for how many records another stream's times are to be used."""
        wanted = self._usual_records if records is None else records
        return None if self._any_stream.expected(wanted) is None else wanted

    def _lendable(self) -> int:
        """Say how many lists other streams may have pending."""
        limit = int(self._limit)
        is_start = self._any_stream.expected(self._usual_records) is None
        all_fit = len(self._generating()) + len(self._later) <= limit
        return limit if is_start and all_fit else limit // 2

    def _generating(self) -> list[Job]:
        """Return the lists that the server may be generating."""
        now = self._clock.now()
        self._live = [job for job in self._live if now < self._done_at(job)]
        return self._live

    def _done_at(self, job: Job) -> float:
        """Say when a list costs no room, though it did not come.

        One that is wanted costs room until the server forgets it. One that nobody will
        fetch is taken to be done after twice the usual time.

        Returns:
            Seconds since the epoch.
        """
        if job.state is JobState.GENERATING:
            return job.submitted_at + LIFETIME
        size = job.wanted.window.size
        times = self._times[job.wanted.stream]
        usual = times.expected(size) or self._any_stream.expected(size)
        if usual is not None:
            took = max(_SURE * usual, usual + 1, job.looked_at)
        else:
            took = LIFETIME if job.uuid else _NAMELESS
        return job.submitted_at + took

    def _forget(self, job: Job) -> None:
        """Take a list out: the server does not generate it."""
        if job in self._live:
            self._live.remove(job)
