"""Two limits of requests: per clock hour, and per second."""

from __future__ import annotations

import collections
import typing as t

if t.TYPE_CHECKING:
    from drchrono_sandbox.settings import Settings

HOUR = 3600
TEN_MINUTES = 600


class Throttled(t.NamedTuple):
    """A request that came too early.

    Attributes:
        wait: Seconds until requests are accepted again; None if that is not said.
    """

    wait: float | None


class Quota:
    """Counts the requests of each application; throttled ones count too."""

    def __init__(self) -> None:
        """Start with nothing used."""
        self._windows: dict[tuple[str, int], tuple[int, int]] = {}
        self._recent: dict[str, collections.deque[float]] = {}

    def hit(self, app: str, now: float, settings: Settings) -> Throttled | None:
        """Count one request.

        Args:
            app: The application's client id.
            now: Seconds since the epoch.
            settings: The limits.

        Returns:
            Why the request is refused, if it is.
        """
        used = self._count(app, now, HOUR) + settings.used_by_others
        used_lately = self._count(app, now, TEN_MINUTES)
        recent = self._recent.setdefault(app, collections.deque())
        while recent and recent[0] <= now - 1:
            recent.popleft()
        recent.append(now)
        if settings.hourly_limit is not None and used > settings.hourly_limit:
            return Throttled(HOUR - now % HOUR)
        limit = settings.ten_minute_limit
        if limit is not None and used_lately > limit:
            return Throttled(TEN_MINUTES - now % TEN_MINUTES)
        if settings.burst_limit is not None and len(recent) >= settings.burst_limit:
            return Throttled(None)
        return None

    def used(self, app: str, now: float) -> int:
        """Tell how many requests an application has sent in this clock hour.

        Args:
            app: The application's client id.
            now: Seconds since the epoch.

        Returns:
            The count, throttled requests included.
        """
        window, count = self._windows.get((app, HOUR), (-1, 0))
        return count if window == int(now // HOUR) else 0

    def _count(self, app: str, now: float, length: int) -> int:
        window = int(now // length)
        last, count = self._windows.get((app, length), (window, 0))
        count = count + 1 if last == window else 1
        self._windows[app, length] = (window, count)
        return count
