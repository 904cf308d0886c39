"""Time, waiting, and the wish to stop: the one place that sleeps."""

from __future__ import annotations

import threading
import time
import typing as t

from tap_drchrono.errors import Stopped

if t.TYPE_CHECKING:
    from collections.abc import Callable

T = t.TypeVar("T")

_SLICE = 0.1
"""Seconds between two looks at the stop flag while waiting."""


def in_words(moment: float) -> str:
    """Write a time for the log.

    Args:
        moment: Seconds since the epoch.

    Returns:
        The time of day in the machine's zone.
    """
    return time.strftime("%H:%M:%S", time.localtime(moment))


class Clock:
    """The wall clock, with waits that end early when the tap is asked to stop.

    A signal handler may only set a flag (`request_stop`), since raising from one could
    tear a line that is being written. So every wait looks at the flag, several times a
    second.
    """

    def __init__(self) -> None:
        """Start with no wish to stop."""
        self._signum: int | None = None

    def now(self) -> float:
        """Return the current time.

        Returns:
            Seconds since the epoch.
        """
        return time.time()

    def request_stop(self, signum: int) -> None:
        """Ask for an end at the next safe point. Safe to call in a signal handler.

        Args:
            signum: The signal that asks.
        """
        self._signum = signum

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
            grace: Seconds to wait for its end after a stop was requested: for what
                must not be lost half-way.

        Returns:
            What the function returns.

        Raises:
            Stopped: As soon as a stop is requested.
        """
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
            if self.stop_requested and worker.is_alive():
                worker.join(grace)
                if worker.is_alive():
                    self.check()
        if failure:
            raise failure[0]
        return outcome[0]
