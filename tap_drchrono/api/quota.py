"""The quota: requests a clock hour, and fewer than ten in any second.

500 requests an hour for each API application, reset at the top of the clock hour; ten
or more calls within one second are throttled (https://app.drchrono.com/api-docs/, rate
limits). There are no rate limit headers, so the tap counts its own requests.
"""

from __future__ import annotations

import typing as t
from collections import deque

from tap_drchrono.clock import in_words
from tap_drchrono.errors import HostError, SpentError

if t.TYPE_CHECKING:
    import logging

    from tap_drchrono.clock import Clock

HOUR = 3600
_BURST = 8
"""Requests in any second. Two below the limit, since the network bunches them."""
_SHORT_WAIT = 5.0
"""Seconds after a first 429 that does not say how long."""
_GRACE = 1.0
"""Seconds after the top of the hour or a stated wait, as clocks differ."""
_PATIENCE = 24 * HOUR
"""Seconds of nothing but 429 after which somebody has to look."""
_STATED = 2
"""Refusals in a row whose stated waits are believed."""
_A_LINE_EVERY = 600.0
"""Seconds between two lines while the quota is waited for."""
_SLIGHT = 0.001
"""Seconds to wait at the least: readings of a clock are rounded."""
_REFUSALS = 5
"""Refused requests in any hour, whatever the answers say and whoever else calls."""


def next_hour(now: float) -> float:
    """Return the top of the next clock hour, in seconds since the epoch."""
    return (now // HOUR + 1) * HOUR


class Quota:
    """Counts requests, and waits rather than being throttled.

    Attributes:
        sent: Requests sent so far.
        waited: Seconds so far that requests waited for the hour or a refusal to end.
    """

    def __init__(self, hourly_limit: int, clock: Clock, logger: logging.Logger) -> None:
        """Start with nothing used.

        Args:
            hourly_limit: Requests that may be sent in a clock hour.
            clock: Tells the time and waits.
            logger: Says why the tap waits and until when, and again every ten minutes.
        """
        self._limit = hourly_limit
        self._clock = clock
        self._logger = logger
        self._hour = 0.0
        self._used = 0
        self._recent: deque[float] = deque(maxlen=_BURST)
        self._blocked_until = 0.0
        self._throttled_since: float | None = None
        self._in_a_row = 0
        self._refusals: deque[float] = deque(maxlen=_REFUSALS)
        self._reason = ""
        self._most: int | None = None
        self.sent = 0
        self.waited = 0.0

    @property
    def limit(self) -> int:
        """Requests that may be sent in a clock hour."""
        return self._limit

    @property
    def used(self) -> int:
        """Requests sent in the current clock hour."""
        return self._used if self._clock.now() // HOUR == self._hour else 0

    @property
    def left(self) -> int:
        """Requests that may still be sent without waiting for the next clock hour."""
        of_the_hour = self._limit - self.used
        if self._most is None:
            return of_the_hour
        return min(of_the_hour, self._most - self.sent)

    def spend_at_most(self, requests: int) -> None:
        """Send no more than so many in all, and wait for no hour: someone looks on.

        Args:
            requests: How many, those that were sent before included.
        """
        self._most = requests

    def take(self) -> None:
        """Wait until a request may be sent, and count it.

        Raises:
            SpentError: If there is none left, and nobody wants to wait.
            Stopped: If a stop is requested while waiting.
        """
        if self._most is not None and self.left <= 0:
            msg = "No request is left. Run it again after the top of the hour."
            raise SpentError(msg)
        self._wait_until(self._blocked_until)
        self._blocked_until = 0.0
        if self.used >= self._limit:
            until = next_hour(self._clock.now()) + _GRACE
            self._log_wait(self._all_used(), until)
            self._wait_until(until)
        if len(self._recent) == _BURST:
            # The first answer may have set the clock back.
            self._clock.sleep(min(self._recent[0] + 1 - self._clock.now(), 1.0))
        now = self._clock.now()
        self._recent.append(now)
        self.sent += 1
        self._used = self.used + 1
        self._hour = now // HOUR

    def answered(self) -> None:
        """Note that a request is over.

        The second counts from here: the server may have seen it no earlier. So does
        the hour, if another one has begun, by a clock that the answer may have set.
        """
        now = self._clock.now()
        self._recent[-1] = now
        if now // HOUR != self._hour:
            self._hour = now // HOUR
            self._used = 1

    def throttled(self, wait: float | None) -> None:
        """Note a 429: the next request waits.

        Others may use the same quota. A 429 that does not say how long may come from
        the limit a second, so the first gets a short wait; hammering would keep the
        limit tripped, so the next ones wait for the top of the hour. That also ends
        short waits that are stated again and again.

        Args:
            wait: Seconds that the answer asked for, or None if it did not say.

        Raises:
            HostError: If there was nothing but 429 for a day.
        """
        now = self._clock.now()
        if self._throttled_since is None:
            self._throttled_since = now
        elif now - self._throttled_since > _PATIENCE:
            msg = (
                "DrChrono has throttled every request (HTTP 429) for 24 hours. Check "
                "what else uses this API application, or ask DrChrono for a higher "
                "limit."
            )
            raise HostError(msg)
        if wait is not None:
            until = now + wait + _GRACE
        elif self._in_a_row == 0:
            until = now + _SHORT_WAIT
        else:
            until = next_hour(now) + _GRACE
        self._in_a_row += 1
        if self._in_a_row > _STATED:
            until = max(until, next_hour(now) + _GRACE)
        self._refusals.append(now)
        if len(self._refusals) == _REFUSALS:
            until = max(until, self._refusals[0] + HOUR + _GRACE)
        self._blocked_until = until
        self._log_wait("DrChrono throttles (HTTP 429)", until)

    def hold(self, wait: float) -> None:
        """Note that DrChrono is out of service, and said until when.

        Args:
            wait: Seconds for which the next request waits.
        """
        self._blocked_until = self._clock.now() + wait + _GRACE
        self._log_wait("DrChrono is out of service (HTTP 503)", self._blocked_until)

    def accepted(self) -> None:
        """Note an answer other than 429."""
        self._throttled_since = None
        self._in_a_row = 0

    def _all_used(self) -> str:
        """Say that nothing is left of the hour's requests."""
        if self._limit == 1:
            return "the one request of this hour is used"
        return f"all {self._limit:,} requests of this hour are used"

    def _log_wait(self, reason: str, until: float) -> None:
        """Say why and until when."""
        self._reason = reason
        told = in_words(until, self._clock.now())
        self._logger.info("Waiting until %s: %s", told, reason)

    def _wait_until(self, moment: float) -> None:
        """Wait, and say from time to time that nothing else is the matter."""
        started = now = self._clock.now()
        while (left := moment - now) > 0:
            self._clock.sleep(min(max(left, _SLIGHT), _A_LINE_EVERY))
            now = self._clock.now()
            if now < moment - _A_LINE_EVERY / 2:
                told = in_words(moment, now)
                self._logger.info("Still waiting until %s: %s", told, self._reason)
        self.waited += now - started
