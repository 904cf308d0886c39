"""Sends requests to DrChrono's host and nowhere else, within the quota."""

from __future__ import annotations

import logging
import typing as t
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

from tap_drchrono.api.headers import server_time, stated_wait
from tap_drchrono.clock import how_long
from tap_drchrono.errors import HostError, ThrottledError
from tap_drchrono.settings import is_loopback

if t.TYPE_CHECKING:
    import requests

    from tap_drchrono.api.outage import Outage
    from tap_drchrono.api.quota import Quota
    from tap_drchrono.clock import Clock

_REDIRECTS = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)
_MOST_REDIRECTS = 5
_CLOCKS_APART = 300.0
"""Seconds between this machine's clock and the server's that are worth a warning."""
_LONGEST_HOLD = 3600.0
"""Seconds for which a 503 is believed that it will take so long."""
_HURRIED = 7.0
"""Seconds for one HTTP request that somebody looks on to."""

logger = logging.getLogger("tap-drchrono.api")


def silence_libraries() -> None:
    """Keep libraries from logging data, at any log level of the tap.

    urllib3 logs query strings, and the SDK the expressions of stream maps and what
    comes out of them.
    """
    logging.getLogger("singer_sdk.mapper").setLevel(logging.WARNING)
    # A line for each variable that was read tells nothing.
    logging.getLogger("singer_sdk.configuration").setLevel(logging.WARNING)
    for name in ("urllib3", "requests", "charset_normalizer"):
        library = logging.getLogger(name)
        library.addHandler(logging.NullHandler())
        library.propagate = False


class Transport:
    """One session for all streams and the token endpoint.

    Every request is counted, waits for its turn, and can be left at once when the tap
    is asked to stop. A 429 is waited out here, so that it never counts as a failed try.
    """

    def __init__(
        self,
        session: requests.Session,
        quota: Quota,
        outage: Outage,
        clock: Clock,
        timeout: float,
    ) -> None:
        """Remember what to send with.

        Args:
            session: Keeps the connection.
            quota: Counts requests and waits.
            outage: Is told that the host exists.
            clock: Ends a wait for an answer when the tap is asked to stop.
            timeout: Seconds to wait for a connection, and for each part of an answer.
        """
        self._session = session
        self._quota = quota
        self._outage = outage
        self._clock = clock
        self._timeout = timeout
        self._warned = False

    def hurry(self) -> None:
        """Wait no longer for an answer than somebody who looks on would."""
        self._timeout = min(self._timeout, _HURRIED)

    def send(
        self, request: requests.PreparedRequest, grace: float = 0.0
    ) -> requests.Response:
        """Send a request, once as far as the caller is concerned.

        A redirect is replayed with the same method, on the same host only.

        Args:
            request: The request, with its authorization.
            grace: Seconds to wait for the answer after a stop was requested.

        Returns:
            The answer, whatever its status, but never a 429 or a redirect.

        Raises:
            HostError: If the host redirects elsewhere, or throttles for a day (or at
                all, where somebody looks on).
            requests.RequestException: If there is no answer.
            Stopped: If the tap is asked to stop.
        """
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._unthrottled(request, grace)
            if response.status_code not in _REDIRECTS:
                return response
            request = _replayed(request, response)
        msg = f"{_path(request)}: DrChrono redirects without end. Check api_url."
        raise HostError(msg)

    def _unthrottled(
        self, request: requests.PreparedRequest, grace: float
    ) -> requests.Response:
        """Send a request until the answer is not a 429."""
        while True:
            self._quota.take()
            try:
                response = self._clock.call(lambda: self._send(request), grace)
                self._tell_the_clock(response)
            finally:
                self._quota.answered()
            self._outage.reached()
            if response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
                self._quota.accepted()
                if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
                    self._hold(response)
                return response
            body = response.content.decode(errors="replace")
            wait = stated_wait(response.headers, body, now=self._clock.now())
            if self._outage.hurried:
                msg = (
                    "DrChrono throttles (HTTP 429): the requests of this hour are used "
                    "up. Try again after the top of the hour."
                )
                raise ThrottledError(msg)
            self._quota.throttled(wait)

    def _hold(self, response: requests.Response) -> None:
        """Ask nothing for as long as a 503 says."""
        wait = stated_wait(response.headers, now=self._clock.now())
        if wait is not None and wait <= _LONGEST_HOLD and not self._outage.hurried:
            self._quota.hold(wait)

    def _tell_the_clock(self, response: requests.Response) -> None:
        """Take the time from an answer; say once if this machine's is another."""
        now = server_time(response.headers)
        if now is None:
            return
        ahead = self._clock.told(now)
        if abs(ahead) > _CLOCKS_APART and not self._warned:
            self._warned = True
            logger.warning(
                "This machine's clock is %s %s DrChrono's. The tap goes by DrChrono's; "
                "set this machine's right.",
                how_long(abs(ahead)),
                "ahead of" if ahead > 0 else "behind",
            )

    def _send(self, request: requests.PreparedRequest) -> requests.Response:
        """Send a request with the proxies and certificates of the environment."""
        url = request.url or ""
        if is_loopback(urlsplit(url).hostname or ""):
            return self._session.send(
                request, timeout=self._timeout, allow_redirects=False, proxies={}
            )
        environment = self._session.merge_environment_settings(
            url, proxies={}, stream=False, verify=True, cert=None
        )
        return self._session.send(
            request, timeout=self._timeout, allow_redirects=False, **environment
        )


def _replayed(
    request: requests.PreparedRequest, response: requests.Response
) -> requests.PreparedRequest:
    """Copy a request to where a redirect points, if that is on the same host."""
    before = request.url or ""
    target = urljoin(before, response.headers.get("Location", ""))
    if urlsplit(target)[:2] != urlsplit(before)[:2]:
        msg = (
            f"{_path(request)}: DrChrono redirects to another host, which is refused. "
            "Check api_url."
        )
        raise HostError(msg)
    replay = request.copy()
    replay.url = target
    return replay


def _path(request: requests.PreparedRequest) -> str:
    """Name a request without host and query."""
    return urlsplit(request.url or "").path
