"""An outage of DrChrono: one clock over all that is asked, and patience.

A host that answers nothing usable on one path may have trouble with that path alone, or
with all of them. `Api.ask` finds out by asking another one; what is waited for here is
the host.
"""

from __future__ import annotations

import typing as t

import requests
from urllib3.exceptions import NameResolutionError, NewConnectionError

from tap_drchrono.clock import how_long
from tap_drchrono.errors import HostError

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from tap_drchrono.clock import Clock

_FIRST_WAIT = 2.0
_LONGEST_WAIT = 60.0
_A_LINE_EVERY = 60.0
_IMPATIENCE = 4.5
"""Seconds after which a host is given up that nobody reaches, or that gives pages
instead of a first token: its name is wrong. The wait before the next try would end
beyond ten seconds."""

_KINDS: tuple[tuple[type[Exception], str], ...] = (
    (requests.exceptions.ConnectTimeout, "No connection in time"),
    (requests.exceptions.Timeout, "No answer in time"),
    (requests.exceptions.SSLError, "The TLS certificate is not accepted"),
    (requests.exceptions.ProxyError, "No connection through the proxy"),
    (requests.exceptions.ChunkedEncodingError, "An answer that was cut off"),
    (requests.exceptions.ConnectionError, "No connection, or one that was cut off"),
    (ConnectionError, "No connection, or one that was cut off"),
)
"""Errors in words, the special ones first."""

_CAUSES: tuple[tuple[type[Exception], str], ...] = (
    (NameResolutionError, "The name of the host is not known"),
    (NewConnectionError, "No connection to the host"),
)
"""What lies behind an error, where that says more; the special one first."""

_UNREACHABLE = (
    NameResolutionError,
    NewConnectionError,
    requests.exceptions.ProxyError,
    requests.exceptions.SSLError,
)


def in_words(error: Exception) -> str:
    """Name a failed request in words.

    Args:
        error: The library's error, whose own text may hold a URL; or one of ours,
            which tells what was answered.

    Returns:
        Words without data.
    """
    cause = error.__cause__
    if isinstance(cause, (requests.RequestException, ConnectionError)):
        return in_words(cause)
    if isinstance(error, (requests.RequestException, ConnectionError)):
        if type(error) is requests.exceptions.ConnectionError:
            for kind, words in _CAUSES:
                if any(isinstance(one, kind) for one in _chain(error)):
                    return words
        for kind, words in _KINDS:
            if isinstance(error, kind):
                return words
        return type(error).__name__
    return str(error)


def is_unreachable(error: BaseException) -> bool:
    """Tell a host that nobody reaches from one that has trouble.

    Args:
        error: Why a request failed.
    """
    return any(isinstance(one, _UNREACHABLE) for one in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Follow an error to what lies behind it, as the libraries wrap it."""
    cause: object = error
    while isinstance(cause, BaseException):
        yield cause
        inner = cause.args[0] if cause.args else None
        cause = cause.__cause__ or getattr(cause, "reason", None) or inner


def _hardly(error: Exception) -> str:
    """Say that another host answers."""
    return (
        f"api_url: what answers there is hardly DrChrono ({in_words(error)}). Correct "
        "the setting, and run the tap again."
    )


def _is_page(error: Exception) -> bool:
    """Tell a page of HTML that came with a good status."""
    response = getattr(error, "response", None)
    if not isinstance(response, requests.Response) or not response.ok:
        return False
    return "html" in response.headers.get("Content-Type", "").lower()


class Outage:
    """Waits while the host gives no usable answer, for as long as is wanted.

    Attributes:
        hurried: Whether nothing is waited for.
        lasted: Seconds so far from a first failure to the next usable answer.
    """

    def __init__(self, clock: Clock, logger: logging.Logger, patience: float) -> None:
        """Begin in good order.

        Args:
            clock: Tells the time and waits.
            logger: Says when an outage begins, how long it lasts, and when it ends.
            patience: Seconds that an outage may take.
        """
        self._clock = clock
        self._logger = logger
        self._patience = patience
        self._reached = False
        self._was_usable = False
        self._failing_since: float | None = None
        self._began: float | None = None
        self._last_line = 0.0
        self._next_wait = _FIRST_WAIT
        self.hurried = False
        self.lasted = 0.0

    @property
    def is_on(self) -> bool:
        """Whether an outage has begun and not ended."""
        return self._began is not None

    def reached(self) -> None:
        """Note that the host gave an answer of any kind, so it exists."""
        self._reached = True

    def answered(self) -> None:
        """Note that a request got a usable answer at last."""
        self.over()
        self._reached = self._was_usable = True
        if self._failing_since is not None:
            self.lasted += self._clock.now() - self._failing_since
        self._failing_since = None

    def over(self) -> None:
        """Note that the host answers something: an outage is over."""
        if self._began is not None:
            took = self._clock.now() - self._began
            self._logger.warning("DrChrono answers again, after %s.", how_long(took))
        self._began = None
        self._next_wait = _FIRST_WAIT

    def failed(self, error: Exception) -> None:
        """Note that a request failed, so that patience counts from the first one.

        Args:
            error: Why.

        Raises:
            HostError: If no wait can help: nobody reaches the host, and nobody did
                before; or somebody looks on.
        """
        now = self._clock.now()
        if self._failing_since is None:
            self._failing_since = now
        if self.hurried and not self._was_usable and _is_page(error):
            raise HostError(_hardly(error))
        if self.hurried:
            is_lost = not self._reached or isinstance(error, requests.Timeout)
        else:
            took = now - self._failing_since
            is_lost = (
                not self._reached and is_unreachable(error) and took >= _IMPATIENCE
            )
        if is_lost:
            msg = (
                f"DrChrono cannot be reached ({in_words(error)}). Check api_url and "
                "the network, and run the tap again; it goes on from the last state "
                "that was saved."
            )
            raise HostError(msg)

    def wait(self, error: Exception, *, is_doubtful: bool = False) -> None:
        """Wait before the next try.

        Args:
            error: Why the last one failed.
            is_doubtful: Whether it looks like another host, and nothing is known that
                ever came from this one.

        Raises:
            HostError: If the outage has taken too long.
            Stopped: If the tap is asked to stop.
        """
        self.failed(error)
        now = self._clock.now()
        patience = self._patience
        is_wrong_host = is_doubtful and not self._was_usable
        if is_wrong_host or (not self._reached and is_unreachable(error)):
            patience = min(patience, _IMPATIENCE)
        left = (self._failing_since or now) + patience - now
        if is_wrong_host and (left <= 0 or self.hurried):
            raise HostError(_hardly(error))
        if left <= 0 or self.hurried:
            msg = (
                f"DrChrono gives no usable answer ({in_words(error)}), for "
                f"{how_long(patience - left)} so far. Run the tap again later; "
                "it goes on from the last state that was saved. The setting "
                "outage_timeout says how long the tap waits."
            )
            raise HostError(msg)
        if self._began is None:
            self._began = self._last_line = now
            self._logger.warning(
                "DrChrono gives no usable answer (%s). Waiting for up to %s.%s",
                in_words(error),
                how_long(left),
                "" if self._was_usable else " If it never gave one, check api_url.",
            )
        elif now - self._last_line >= _A_LINE_EVERY:
            self._last_line = now
            self._logger.warning(
                "Still no usable answer from DrChrono (%s), for %s so far.",
                in_words(error),
                how_long(now - self._began),
            )
        wait = min(self._next_wait, left)
        self._next_wait = min(self._next_wait * 2, _LONGEST_WAIT)
        self._clock.sleep(wait)
