"""Time, waiting, and the wish to stop: the one place that sleeps.

What counts is DrChrono's clock, not this machine's: bookmarks, lists that expire and
the quota's hour are all told by it.
"""

from __future__ import annotations

import threading
import time
import typing as t

from tap_drchrono.errors import Stopped

if t.TYPE_CHECKING:
    from collections.abc import Callable

T = t.TypeVar("T")

_JITTER = 5.0
"""Seconds that a `Date` may differ for no reason: it is cut to the second, has been on
its way, and comes from one of several servers."""
_UNITS = (
    ("seconds", 1, 0, 90),
    ("minutes", 60, 0, 5400),
    ("hours", 3600, 1, 129_600),
)
"""Name, seconds, digits after the point, and seconds up to which it is used."""
_SLICE = 0.1
"""Seconds between two looks at the stop flag while waiting."""
_SAME_WISH = 5.0
"""Seconds after a signal in which others say the same: `meltano run` turns one Ctrl-C
into SIGINT and SIGTERM."""


def in_words(moment: float, now: float) -> str:
    """Write a time for the log.

    Args:
        moment: Seconds since the epoch.
        now: The present moment, likewise.

    Returns:
        The time of day in the machine's zone, with the date if that is another one.
    """
    then, today = time.localtime(moment), time.localtime(now)
    is_today = then[:3] == today[:3]
    return time.strftime("%H:%M:%S" if is_today else "%Y-%m-%d %H:%M:%S", then)


def how_long(seconds: float) -> str:
    """Write a duration in the unit that a person would use.

    Args:
        seconds: How long.

    Returns:
        Such as `1 second`, `40 seconds`, `3 minutes`, `2.5 hours` or `3.0 days`.
    """
    for unit, size, digits, up_to in _UNITS:
        if seconds < up_to:
            number = f"{seconds / size:.{digits}f}"
            return f"{number} {unit.removesuffix('s') if number == '1' else unit}"
    return f"{seconds / 86_400:.1f} days"


class Clock:
    """DrChrono's clock as far as known, with waits that a wish to stop ends early.

    It starts as this machine's. The first answer's `Date` sets it; from then on it runs
    evenly with the monotonic clock and never goes back, whatever is done to the
    machine's. A monotonic clock stands still while the machine sleeps: the next
    answer's `Date` then takes it forward. So a difference between two readings is the
    larger of what the two clocks say.

    A signal handler may only set a flag (`request_stop`), since raising from one could
    tear a line that is being written. So every wait looks at the flag, several times a
    second.

    Attributes:
        woke_at: When it was taken forward last, in seconds since the epoch: what began
            before tells nothing of how long things take.
    """

    def __init__(self) -> None:
        """Start with this machine's time, and no wish to stop."""
        self._signum: int | None = None
        self._asked_at = 0.0
        self._insisted = False
        self._ahead_of_monotonic = self.machine_time() - self.monotonic()
        self._is_set = False
        self.woke_at = 0.0

    def machine_time(self) -> float:
        """Return this machine's wall clock, in seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since some moment, whatever is done to the wall clock."""
        return time.monotonic()

    def now(self) -> float:
        """Return the current time.

        Returns:
            Seconds since the epoch, by the server's clock once an answer told it.
        """
        return self.monotonic() + self._ahead_of_monotonic

    @property
    def is_set(self) -> bool:
        """Whether an answer has told the server's time."""
        return self._is_set

    def told(self, server_time: float) -> float:
        """Take in the `Date` of an answer that has just come.

        Args:
            server_time: Seconds since the epoch, in whole seconds.

        Returns:
            Seconds by which this machine's wall clock is ahead of it.
        """
        behind = server_time - self.now()
        if behind > _JITTER or (behind < -_JITTER and not self._is_set):
            self._ahead_of_monotonic += behind
            self.woke_at = self.now() if self._is_set else 0.0
        self._is_set = True
        return self.machine_time() - server_time

    def request_stop(self, signum: int) -> None:
        """Ask for an end at the next safe point. Safe to call in a signal handler.

        A later one, more than five seconds after the first, ends also the wait for what
        must not be lost half-way.

        Args:
            signum: The signal that asks.
        """
        if self._signum is None:
            self._signum = signum
            self._asked_at = self.monotonic()
        elif self.monotonic() - self._asked_at > _SAME_WISH:
            self._insisted = True

    @property
    def stop_requested(self) -> bool:
        """Whether an end was asked for."""
        return self._signum is not None

    def check(self) -> None:
        """End here if the tap was asked to stop.

        Raises:
            Stopped: If a stop was requested.
        """
        if self._signum is not None:
            raise Stopped(self._signum)

    def sleep(self, seconds: float) -> None:
        """Wait.

        Args:
            seconds: How long; nothing happens for zero or less.

        Raises:
            Stopped: As soon as a stop is requested.
        """
        until = time.monotonic() + seconds
        self.check()
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _SLICE))
            self.check()

    def call(self, function: Callable[[], T], grace: float = 0.0) -> T:
        """Run a blocking call (a request) so that a wish to stop ends the wait for it.

        The call runs in a daemon thread; after a stop nobody waits for it any more.

        Args:
            function: What to run.
            grace: Seconds to wait for its end after a stop was requested, for what must
                not be lost half-way; less where the wish is repeated.

        Returns:
            What the function returns.

        Raises:
            Stopped: If a stop is requested, then or before.
        """
        self.check()
        outcome: list[T] = []
        failure: list[BaseException] = []

        def run() -> None:
            try:
                outcome.append(function())
            except BaseException as error:  # noqa: BLE001 - raised again by the caller
                failure.append(error)

        worker = threading.Thread(target=run, daemon=True)
        worker.start()
        while worker.is_alive():
            worker.join(_SLICE)
            if not self.stop_requested or not worker.is_alive():
                continue
            if self._insisted or self.monotonic() >= self._asked_at + grace:
                self.check()
        if failure:
            raise failure[0]
        return outcome[0]
