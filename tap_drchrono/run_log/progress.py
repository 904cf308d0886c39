"""How far a sync has come: a line at least every half minute, driven by time.

There is no bar that moves: the lines serve a terminal and a log alike.
"""

from __future__ import annotations

import typing as t

from tap_drchrono import words
from tap_drchrono.run_log.estimate import Allowance, Measured, time_left

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping, Sequence

    from tap_drchrono.api.quota import Quota
    from tap_drchrono.clock import Clock

EVERY = 25.0
"""Seconds between two lines: less than half a minute by as much as a usual request may
take, since no line is written while one is in flight."""

_SLIGHT = 0.001
"""Seconds to wait at the least: readings of a clock are rounded."""


class Standing(t.NamedTuple):
    """How far the reading of a stream has come.

    Attributes:
        records: Records that went out.
        total: Records of the stream in all; None if that is not known.
        lists: Lists that are being generated; None where the stream needs none.
        pages: Pages that were read.
    """

    records: int
    total: int | None = None
    lists: int | None = None
    pages: int = 0


def line(place: str, standing: Standing, left: float | None) -> str:
    """Write how far a stream has come.

    Args:
        place: The stream, and its place among the others.
        standing: How far.
        left: Seconds until it has been read; None if that is not known.

    Returns:
        Such as `line_items (3 of 8): 12,000 of 60,118 records, 5 lists being generated,
        about 4 min left`.
    """
    records, total, lists, _ = standing
    if total is None:
        parts = [f"{words.counted(records, 'record')} so far"]
    else:
        # Records that moved while they were read may have gone out twice.
        parts = [f"{min(records, total):,} of {words.counted(total, 'record')}"]
    if lists:
        parts.append(f"{words.counted(lists, 'list')} being generated")
    if total is not None and records >= total:
        parts.append("nearly done")
    elif left is not None:
        parts.append(f"about {words.roughly(left)} left")
    elif lists is not None:
        parts.append("still measuring")
    return f"{place}: {', '.join(parts)}"


class Progress:
    """Writes a line from time to time, and remembers what an estimate needs."""

    def __init__(  # noqa: PLR0913 - each is one thing to know of a run
        self,
        clock: Clock,
        quota: Quota,
        requests: Mapping[str, int],
        logger: logging.Logger,
        *,
        at_once: int,
        lost: Callable[[], float],
    ) -> None:
        """Begin with no stream.

        Args:
            clock: Tells the time and waits.
            quota: What is left of it.
            requests: Requests sent so far, by stream.
            logger: Takes the lines.
            at_once: Lists that are generated at once.
            lost: Says for how many seconds so far nothing could be done, as the quota
                was used up or DrChrono out of service.
        """
        self._clock = clock
        self._quota = quota
        self._requests = requests
        self._logger = logger
        self._at_once = at_once
        self._lost = lost
        self._names: Sequence[str] = ()
        self._standing: Callable[[], Standing] | None = None
        self._stream = ""
        # DrChrono's clock may be set by the next answer, by days: this one runs evenly.
        self._due = clock.monotonic() + EVERY
        self._start = self._at_page = Standing(0)
        self._started = self._paged = 0.0
        self._learning = 0

    def expect(self, names: Sequence[str]) -> None:
        """Say which streams there will be.

        Args:
            names: Their names, in the order of the sync.
        """
        self._names = names
        self._due = self._clock.monotonic() + EVERY

    def place(self, stream: str) -> str:
        """Name a stream with its place, such as `line_items (3 of 8)`.

        Args:
            stream: Its name.
        """
        if stream not in self._names:
            return stream
        return f"{stream} ({self._names.index(stream) + 1} of {len(self._names)})"

    def begin(self, stream: str, standing: Callable[[], Standing]) -> None:
        """Turn to a stream.

        Args:
            stream: Its name.
            standing: Says how far it has come.
        """
        self._stream = stream
        self._standing = standing
        self._measure_from(standing())

    def end(self) -> None:
        """Leave the stream."""
        self._standing = None

    def page_sent(self) -> None:
        """Note that a page has gone out."""
        if self._standing is None:
            return
        at = self._standing()
        if at.records < self._at_page.records:
            # It is read again from its start.
            self._measure_from(at)
        elif self._at_page is self._start:
            self._learning = self._spent(at)
        self._at_page, self._paged = at, self._active()
        self._logger.debug("%s: page %d is out", self._stream, at.pages)
        self.show_if_due()

    def show_if_due(self, why: str = "") -> None:
        """Write a line if it is time for one.

        Args:
            why: What else is to be said of the moment.
        """
        now = self._clock.monotonic()
        if self._standing is None or now < self._due:
            return
        self._due = now + EVERY
        at = self._standing()
        said = line(self.place(self._stream), at, self._left(at))
        self._logger.info("%s%s", said, why)

    def show_slow_target(self) -> None:
        """Write a line if it is time for one, while the target takes no records."""
        self.show_if_due(", waiting for the target")

    def wait_until(self, moment: float) -> None:
        """Wait, with a line whenever it is time for one.

        Args:
            moment: Seconds since the epoch.

        Raises:
            Stopped: As soon as a stop is requested.
        """
        self._clock.check()
        while (left := moment - self._clock.now()) > 0:
            if self._standing:
                left = min(left, self._due - self._clock.monotonic())
            self._clock.sleep(max(left, _SLIGHT))
            self.show_if_due()

    def _measure_from(self, at: Standing) -> None:
        """Measure from here on."""
        self._start = self._at_page = at
        self._started = self._paged = self._active()
        self._learning = self._spent(at)

    def _spent(self, at: Standing) -> int:
        """Count the requests of the stream, but for those of lists that are pending."""
        return self._requests.get(self._stream, 0) - (at.lists or 0)

    def _active(self) -> float:
        """Say what time it would be if nothing had ever stood in the way."""
        return self._clock.monotonic() - self._lost()

    def _left(self, at: Standing) -> float | None:
        """Estimate when the stream has been read."""
        if at.total is None:
            return None
        start = self._start
        measured = Measured(
            seconds=self._active() - self._started,
            records=at.records - start.records,
            page_seconds=self._paged - self._started,
            page_records=self._at_page.records - start.records,
            pages=self._at_page.pages - start.pages,
            pages_read=at.pages - start.pages,
            requests=self._spent(at) - self._learning,
        )
        return time_left(
            measured,
            max(at.total - at.records, 0),
            pending=at.lists or 0,
            at_once=self._at_once,
            allowance=Allowance.of(self._quota, self._clock.now()),
        )
