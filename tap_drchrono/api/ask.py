"""Asks DrChrono: every request of every stream goes through here."""

from __future__ import annotations

import typing as t
from collections import Counter

import requests

from tap_drchrono.api.retries import TRIES, retried
from tap_drchrono.errors import StreamError

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from singer_sdk.streams.rest import HTTPRequest

    from tap_drchrono.api.transport import Transport
    from tap_drchrono.clock import Clock
    from tap_drchrono.credentials.auth import Authenticator
    from tap_drchrono.endpoints import Endpoint

T = t.TypeVar("T")

_HEADERS = {"Accept": "application/json", "X-DRC-API-Version": "v4"}


class Answered(t.NamedTuple, t.Generic[T]):
    """An answer that was read.

    Attributes:
        response: As it came; None where there was none.
        value: What it means.
    """

    response: requests.Response | None
    value: T


class Api:
    """The API, with a token that is taken, within the quota, and with patience.

    Attributes:
        requests: Requests sent so far, by stream.
    """

    def __init__(
        self,
        transport: Transport,
        authenticator: Authenticator,
        clock: Clock,
        logger: logging.Logger,
    ) -> None:
        """Remember what to ask with.

        Args:
            transport: Sends within the quota.
            authenticator: Puts the access token on requests, and refreshes it.
            clock: Waits between two tries.
            logger: Says that a try failed, without its URL.
        """
        self._transport = transport
        self._authenticator = authenticator
        self._clock = clock
        self._logger = logger
        self.requests: Counter[str] = Counter()

    def ask(
        self,
        endpoint: Endpoint,
        request: HTTPRequest,
        read: Callable[[requests.Response], T],
        *,
        tries: int = TRIES,
    ) -> Answered[T]:
        """Ask, and read the answer.

        Args:
            endpoint: What is asked; its stream is the one that the request counts for.
            request: The request.
            read: Reads an answer that is neither a 429 nor a redirect. It
                raises `RetriableAPIError` where asking again may help.
            tries: How often to try in all.

        Returns:
            The answer.

        Raises:
            StreamError: If it failed too often, or `read` says that it is refused.
            HostError: If nobody can reach the host.
            CredentialsError: If no token is taken.
        """
        prepared = requests.Request(
            request.method,
            request.url,
            params=request.params,
            headers={**_HEADERS, **request.headers},
        ).prepare()

        def once() -> Answered[T]:
            response = self._send(endpoint, prepared)
            return Answered(response, read(response))

        return retried(
            once,
            tries=tries,
            stream=endpoint.stream,
            path=endpoint.path,
            clock=self._clock,
            logger=self._logger,
        )

    def _send(
        self, endpoint: Endpoint, prepared: requests.PreparedRequest
    ) -> requests.Response:
        """Send a request with a token that is taken, unless by this endpoint alone."""
        while True:
            response = self._transport.send(self._authenticator(prepared))
            self.requests[endpoint.stream] += 1
            if response.status_code != requests.codes.unauthorized:
                self._authenticator.accepted(endpoint.path)
                return response
            if not self._authenticator.refused(endpoint.path):
                if doubt := self._authenticator.doubt:
                    msg = f"{endpoint.stream}: {doubt}"
                    raise StreamError(msg)
                return response
