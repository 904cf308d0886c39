"""Which failures of a request are worth another try, and what the last one means."""

from __future__ import annotations

import typing as t

import backoff
import requests
from singer_sdk.exceptions import RetriableAPIError
from urllib3.exceptions import NameResolutionError, NewConnectionError

from tap_drchrono.errors import HostError, StreamError

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from backoff.types import Details

    from tap_drchrono.clock import Clock

T = t.TypeVar("T")

TRIES = 7
"""Tries of one request; with the waits between them about half a minute."""
_FIRST_WAIT = 0.5
"""Seconds before the second try; each wait is twice the one before."""

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


def retried(  # noqa: PLR0913 - each is one thing to know of a request
    request: Callable[[], T],
    *,
    tries: int,
    stream: str,
    path: str,
    clock: Clock,
    logger: logging.Logger,
) -> T:
    """Try a request again where that may help, with waits that a stop request ends.

    Args:
        request: Sends a request and reads the answer.
        tries: How often to try in all.
        stream: The stream, for the error.
        path: The endpoint, for the log.
        clock: Waits.
        logger: Says that a try failed, without its URL.

    Returns:
        What the request returns.

    Raises:
        StreamError: If it failed too often.
        HostError: If nobody can reach the host.
    """

    def wait(details: Details) -> None:
        seconds = _FIRST_WAIT * 2 ** (details["tries"] - 1)
        logger.warning(
            "%s for %s. Try %d of %d follows in %.1f s.",
            _reason(t.cast("Exception", details.get("exception"))),
            path,
            details["tries"] + 1,
            tries,
            seconds,
        )
        clock.sleep(seconds)

    retry = backoff.on_exception(
        # The wait itself is in the handler, since this library's cannot be ended.
        lambda: backoff.constant(0),
        (RetriableAPIError, requests.RequestException, ConnectionError),
        max_tries=tries,
        jitter=None,
        on_backoff=wait,
        # Its log would hold the URL with its query.
        logger=None,
    )(request)
    try:
        return retry()
    except (RetriableAPIError, requests.RequestException, ConnectionError) as error:
        reason = _reason(error)
        unreachable = _is_unreachable(error)
    # Outside of the handler, so that no traceback holds the library's own text.
    if unreachable:
        msg = (
            f"DrChrono cannot be reached ({reason}), after {tries} tries. Check "
            "api_url and the network, and run the tap again; it goes on where it "
            "was."
        )
        raise HostError(msg)
    msg = (
        f"{stream}: {reason} for {path}, {tries} times in a row. Run the tap "
        "again later; it goes on where it was."
    )
    raise StreamError(msg)


def _reason(error: Exception) -> str:
    """Name an error in words; its own text may hold a URL."""
    if isinstance(error, RetriableAPIError):
        return str(error)
    for kind, words in _KINDS:
        if isinstance(error, kind):
            return words
    return type(error).__name__


def _is_unreachable(error: Exception) -> bool:
    """Tell a host that nobody reaches from an endpoint that does not answer."""
    if isinstance(
        error,
        (
            requests.exceptions.ConnectTimeout,
            requests.exceptions.ProxyError,
            requests.exceptions.SSLError,
        ),
    ):
        return True
    reason: object = error
    while isinstance(reason, BaseException) and reason.args:
        if isinstance(reason, (NewConnectionError, NameResolutionError)):
            return True
        reason = getattr(reason, "reason", None) or reason.args[0]
    return False
