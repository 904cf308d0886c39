"""Which failures of a request are worth another try."""

from __future__ import annotations

import typing as t

import backoff
import requests
from singer_sdk.exceptions import RetriableAPIError

from tap_drchrono.api.outage import in_words, is_unreachable

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from backoff.types import Details

    from tap_drchrono.api.outage import Outage
    from tap_drchrono.clock import Clock

T = t.TypeVar("T")

TRIES = 7
"""Tries of one request; with the waits between them about half a minute."""
_FIRST_WAIT = 0.5
"""Seconds before the second try; each wait is twice the one before."""

_OUT_OF_SERVICE = 503

FAILURES = (RetriableAPIError, requests.RequestException, ConnectionError)
"""What another try may mend."""


def retried(  # noqa: PLR0913 - each is one thing to know of a request
    request: Callable[[], T],
    *,
    tries: int,
    path: str,
    outage: Outage,
    clock: Clock,
    logger: logging.Logger,
) -> T:
    """Try a request again where that may help, with waits that a stop request ends.

    Args:
        request: Sends a request and reads the answer.
        tries: How often to try in all.
        path: The endpoint, for the log.
        outage: Told of each failure.
        clock: Waits.
        logger: Says that a try failed, without its URL.

    Returns:
        What the request returns.

    Raises:
        RetriableAPIError: If it failed too often; or what the library raised.
        HostError: If nobody can reach the host, and nobody could before.
    """

    def wait(details: Details) -> None:
        error = t.cast("Exception", details.get("exception"))
        outage.failed(error)
        seconds = _FIRST_WAIT * 2 ** (details["tries"] - 1)
        logger.warning(
            "%s for %s. Try %d of %d follows in %.1f s.",
            in_words(error),
            path,
            details["tries"] + 1,
            tries,
            seconds,
        )
        clock.sleep(seconds)

    retry = backoff.on_exception(
        # The wait itself is in the handler, since this library's cannot be ended.
        lambda: backoff.constant(0),
        FAILURES,
        max_tries=tries,
        jitter=None,
        on_backoff=wait,
        # Its log would hold the URL with its query.
        logger=None,
    )(request)
    return retry()


def is_of_the_host(error: Exception) -> bool:
    """Tell a failure that may be everybody's from an answer that makes no sense.

    Args:
        error: One of `FAILURES`.
    """
    if not isinstance(error, RetriableAPIError):
        return True
    response = error.response
    return response is not None and not is_usable(response)


def may_have_taken_effect(error: Exception) -> bool:
    """Tell whether a request that failed may have been carried out all the same.

    Args:
        error: One of `FAILURES`.
    """
    if isinstance(error, RetriableAPIError):
        response: requests.Response | None = error.response
        return response is None or response.status_code != _OUT_OF_SERVICE
    is_unsent = isinstance(error, requests.exceptions.ConnectTimeout)
    return not (is_unsent or is_unreachable(error))


def is_usable(response: requests.Response) -> bool:
    """Tell an answer of DrChrono from a sign of trouble, such as a page of its edge.

    Args:
        response: The answer.
    """
    is_page = "html" in response.headers.get("Content-Type", "").lower()
    return not (is_page and response.ok) and response.status_code < 500  # noqa: PLR2004


def shows_that_the_token_is_taken(response: requests.Response) -> bool:
    """Tell whether an answer comes from behind the check of the token.

    Args:
        response: The answer. A page of HTML comes from the edge, or from nowhere; an
            error of the server may come before the check.
    """
    is_page = "html" in response.headers.get("Content-Type", "").lower()
    is_refused = response.status_code == requests.codes.unauthorized
    return is_usable(response) and not is_page and not is_refused
