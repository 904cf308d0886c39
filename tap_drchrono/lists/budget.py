"""What the streams of one sync share: room for pending lists, and what was learned."""

from __future__ import annotations

import typing as t
from collections import defaultdict

from tap_drchrono.lists.polling import ListTimes, explore

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_drchrono.clock import Clock
    from tap_drchrono.lists.jobs import PendingList


_SURE = 2.0
"""Times the usual time after which a list is taken to be ready without a look."""


class ListDesk:
    """Keeps the number of lists that the server generates at once within bounds.

    The stream being read comes first. The first lists of the streams after it fill the
    room that it does not need, so that they are ready when their turn comes.
    """

    def __init__(self, max_pending: int, clock: Clock) -> None:
        """Start with nothing pending.

        Args:
            max_pending: Lists that may be generated at once.
            clock: Tells the time.
        """
        self._max_pending = max_pending
        self._limit = float(max_pending)
        self._clock = clock
        self._waiting: list[PendingList] = []
        self._ahead: dict[str, PendingList] = {}
        self._times: defaultdict[str, ListTimes] = defaultdict(ListTimes)
        self._any_stream = ListTimes()
        self._usual_records = 0

    def expect(self, first_lists: Iterable[PendingList]) -> None:
        """Say which lists will be wanted next.

        Args:
            first_lists: The first list of each stream, in the order of the sync.
        """
        self._waiting = list(first_lists)

    def take(self, wanted: PendingList) -> PendingList:
        """Take over the first list of a stream whose turn has come.

        Args:
            wanted: The list that the stream starts with.

        Returns:
            The same list as submitted ahead, or the one wanted.
        """
        self._waiting = [one for one in self._waiting if one.stream != wanted.stream]
        return self._ahead.pop(wanted.stream, None) or wanted

    def next_ahead(self, own: int) -> PendingList | None:
        """Say which list to submit for a stream whose turn will come.

        Args:
            own: Lists pending of the stream being read.

        Returns:
            The list, or None if there is no room or none is wanted.
        """
        if not self.has_spare_room(own) or self._generating() >= self._lendable():
            return None
        if self._waiting:
            ahead = self._waiting.pop(0)
            self._ahead[ahead.stream] = ahead
            return ahead
        now = self._clock.now()
        return next((a for a in self._ahead.values() if a.expires_soon(now)), None)

    def give_up(self, ahead: PendingList) -> None:
        """Forget a list that was not taken: its stream will see for itself."""
        self._ahead.pop(ahead.stream, None)

    def room(self, own: int) -> int:
        """Say how many more lists the stream being read may submit.

        At least half of the limit is its own, so that the first lists of other streams
        never starve it. Only before anything is known may they take more, for as long
        as a list usually takes.

        Args:
            own: Lists pending of that stream.

        Returns:
            A number of lists; zero or less where there is no room.
        """
        return max(int(self._limit) - self._generating(), 1) - own

    def has_spare_room(self, own: int) -> bool:
        """Tell whether fewer lists are generated than may be, over all streams.

        Args:
            own: Lists pending of the stream being read.
        """
        return own + self._generating() < int(self._limit)

    @property
    def pending_ahead(self) -> int:
        """Lists submitted for streams whose turn will come."""
        return len(self._ahead)

    def failed(self) -> None:
        """A list failed: ask for fewer at once."""
        self._limit = max(1.0, self._limit / 2)

    def look_at(self, pending: PendingList, records: int | None) -> float:
        """Say when to look at a list.

        Args:
            pending: A submitted list.
            records: Records that it will hold, or None if unknown.

        Returns:
            Seconds since the epoch.
        """
        age = pending.looked_at
        times = self._times[pending.stream]
        if records is not None and times.expected(records) is not None:
            age = times.look_at(records, age, pending.looks)
        elif pending.looks == 0 and (usual := self._usual(records)) is not None:
            age = self._any_stream.look_at(usual, age, 0)
        else:
            age = explore(age)
        return pending.submitted_at + age

    def ready(self, pending: PendingList, records: int) -> None:
        """Learn from a list that was found ready.

        Args:
            pending: The list.
            records: Records that it holds.
        """
        self._limit = min(self._limit + 0.5, float(self._max_pending))
        age = self._clock.now() - pending.submitted_at
        for times in (self._times[pending.stream], self._any_stream):
            expected = times.expected(records) or self._any_stream.expected(records)
            # A list that was ready when first looked at, long after its submission,
            # tells nothing but that it was not slower.
            if pending.looks or expected is None or age < expected * 1.2:
                times.observe(records, pending.looked_at, age)
                self._usual_records = records

    def _usual(self, records: int | None) -> int | None:
        """Say for how many records another stream's times are to be used."""
        wanted = self._usual_records if records is None else records
        return None if self._any_stream.expected(wanted) is None else wanted

    def _lendable(self) -> int:
        """Say how many lists other streams may have pending."""
        limit = int(self._limit)
        is_start = self._any_stream.expected(self._usual_records) is None
        return limit if is_start else max(limit // 2, 1)

    def _generating(self) -> int:
        """Count the lists of other streams that are perhaps not ready yet."""
        usual = self._any_stream.expected(self._usual_records)
        now = self._clock.now()
        return sum(
            usual is None or now - ahead.submitted_at < usual * _SURE
            for ahead in self._ahead.values()
        )
