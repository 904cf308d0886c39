"""Asks DrChrono: every request of every stream goes through here."""

from __future__ import annotations

import enum
import typing as t
from collections import Counter

import requests

from tap_drchrono.api.answers import OddAnswerError
from tap_drchrono.api.outage import in_words
from tap_drchrono.api.retries import (
    FAILURES,
    TRIES,
    is_of_the_host,
    is_usable,
    retried,
    shows_that_the_token_is_taken,
)
from tap_drchrono.credentials.refusals import Elsewhere
from tap_drchrono.endpoints import Group
from tap_drchrono.errors import EndpointError, HostError, StreamError

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable

    from singer_sdk.streams.rest import HTTPRequest

    from tap_drchrono.api.outage import Outage
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


class Verdict(enum.Enum):
    """What it means that the host failed on an endpoint, again and again."""

    OUTAGE = "other endpoints are not answered either"
    OVER = "others are answered, which they were not before: it may be over here too"
    OWN_TROUBLE = "others are answered"
    NOTHING_ELSE = (
        "others are answered, but no stream has got on since it was set aside"
    )


class Api:
    """The API, with a token that is taken, within the quota, and with patience.

    Attributes:
        requests: Requests sent so far, by stream.
    """

    def __init__(
        self,
        transport: Transport,
        authenticator: Authenticator,
        outage: Outage,
        clock: Clock,
        logger: logging.Logger,
    ) -> None:
        """Remember what to ask with.

        Args:
            transport: Sends within the quota.
            authenticator: Puts the access token on requests, and refreshes it.
            outage: Waits while the host gives no usable answer.
            clock: Waits between two tries.
            logger: Says that a try failed, without its URL.
        """
        self._transport = transport
        self._authenticator = authenticator
        self._outage = outage
        self._clock = clock
        self._logger = logger
        self._pings: list[tuple[Endpoint, HTTPRequest]] = []
        self._set_aside: set[str] = set()
        self.requests: Counter[str] = Counter()

    def hurry(self) -> None:
        """Wait for nothing from here on: someone looks on."""
        self._outage.hurried = True
        self._transport.hurry()

    def expect(self, pings: Iterable[tuple[Endpoint, HTTPRequest]]) -> None:
        """Say what else can be asked, to tell an endpoint's trouble from an outage.

        Args:
            pings: For each endpoint of the sync a request that changes nothing.
        """
        self._pings = list(pings)

    def ask(
        self,
        endpoint: Endpoint,
        request: HTTPRequest,
        read: Callable[[requests.Response], T],
        *,
        tries: int = TRIES,
        again: Callable[[Exception], None] | None = None,
    ) -> Answered[T]:
        """Ask, and read the answer.

        Where the host fails on one endpoint, another one is asked. If that is answered,
        the endpoint has trouble of its own. If not, it is an outage, which is waited
        out here: so a stream goes on where it was. It is one too where each stream has
        such trouble of its own.

        Args:
            endpoint: What is asked; its stream is the one that the request counts for.
            request: The request.
            read: Reads an answer that is neither a 429 nor a redirect. It
                raises `RetriableAPIError` where asking again may help.
            tries: How often to try in all. Of a request that is tried once, an outage
                is not waited out.
            again: Is told before each further try why the last one failed, and may
                wait.

        Returns:
            The answer.

        Raises:
            EndpointError: If the host fails on this endpoint, and not on others.
            StreamError: If it failed too often otherwise, an answer is odd twice in a
                row, or `read` says that it is refused.
            HostError: If nobody can reach the host, or an outage takes too long.
            CredentialsError: If no token is taken.
        """
        prepared = _prepared(request)
        question = _Question(
            endpoint, lambda: self._send(endpoint, prepared), read, again
        )
        waits = tries > 1 and not self._outage.hurried
        tries = tries if waits else 1
        verdict: Verdict | None = None
        failures = 0
        while True:
            try:
                answered = self._tried(question.once, endpoint, tries)
            except FAILURES as found:
                error = found
            else:
                self._outage.answered()
                self._set_aside.clear()
                return answered
            # Outside of the handler, so that no traceback holds the library's own text.
            self._outage.failed(error)
            failures += tries
            often = "once" if failures == 1 else f"{failures} times in a row"
            msg = (
                f"{endpoint.stream}: {in_words(error)} for {endpoint.path}, {often}. "
                "Run the tap again later; it goes on from the last state that was "
                "saved."
            )
            if not waits or not is_of_the_host(error):
                raise StreamError(msg)
            verdict = self._judge(endpoint, verdict)
            if verdict is Verdict.OWN_TROUBLE:
                self._set_aside.add(endpoint.stream)
                raise EndpointError(msg)
            try:
                tries = self._wait(verdict, error)
            except HostError as end:
                raise (
                    end if verdict is Verdict.OUTAGE else EndpointError(msg)
                ) from None

    def _wait(self, verdict: Verdict, error: Exception) -> int:
        """Wait before asking again, and say how often to ask."""
        if verdict is Verdict.OVER:
            return TRIES
        self._outage.wait(error)
        return 1

    def _judge(self, endpoint: Endpoint, before: Verdict | None) -> Verdict:
        """Say what it means that the host failed on an endpoint.

        Args:
            endpoint: The endpoint.
            before: What was said when the same request failed before.

        Returns:
            The verdict.
        """
        if before is Verdict.NOTHING_ELSE:
            return before
        if not self._answers_others(endpoint):
            return Verdict.OUTAGE
        was_on = self._outage.is_on
        self._outage.over()
        if was_on and before is not Verdict.OVER:
            return Verdict.OVER
        if endpoint.stream in self._set_aside:
            return Verdict.NOTHING_ELSE
        return Verdict.OWN_TROUBLE

    def _tried(
        self, once: Callable[[], Answered[T]], endpoint: Endpoint, tries: int
    ) -> Answered[T]:
        return retried(
            once,
            tries=tries,
            path=endpoint.path,
            outage=self._outage,
            clock=self._clock,
            logger=self._logger,
        )

    def _answers_others(self, endpoint: Endpoint) -> bool:
        """Ask for something else; where that fails, another one the next time."""
        others = [one for one in self._pings if one[0] != endpoint]
        if not others:
            return False
        other, request = others[0]
        try:
            response = self._send_once(other, _prepared(request))
        except FAILURES:
            answered = False
        else:
            answered = is_usable(response)
        if not answered:
            self._pings.remove(others[0])
            self._pings.append(others[0])
        return answered

    def _send(
        self, endpoint: Endpoint, prepared: requests.PreparedRequest
    ) -> requests.Response:
        """Send a request with a token that is taken, unless by this endpoint alone."""
        while True:
            response = self._send_once(endpoint, prepared)
            if response.status_code != requests.codes.unauthorized:
                return response
            elsewhere = self._elsewhere(endpoint)
            if not self._authenticator.refused(endpoint.path, elsewhere):
                if doubt := self._authenticator.doubt:
                    msg = f"{endpoint.stream}: {doubt}"
                    raise StreamError(msg)
                return response

    def _send_once(
        self, endpoint: Endpoint, prepared: requests.PreparedRequest
    ) -> requests.Response:
        """Send a request with the current token, and note who took it."""
        response = self._transport.send(self._authenticator(prepared))
        self.requests[endpoint.stream] += 1
        if shows_that_the_token_is_taken(response):
            self._authenticator.accepted(endpoint.path)
        return response

    def _elsewhere(self, endpoint: Endpoint) -> Elsewhere:
        """Ask another endpoint whether it takes the token that this one refused."""
        if self._authenticator.is_refused(endpoint.path):
            return Elsewhere.UNKNOWN
        # A plain list may refuse for want of a scope that no bulk list needs.
        pings = sorted(self._pings, key=lambda one: one[0].group is not Group.BULK)
        by_path = {other.path: (other, request) for other, request in pings}
        path = self._authenticator.compare_with(endpoint.path, list(by_path))
        if path is None:
            return Elsewhere.UNKNOWN
        other, request = by_path[path]
        try:
            response = self._send_once(other, _prepared(request))
        except FAILURES:
            return Elsewhere.UNKNOWN
        if response.status_code == requests.codes.unauthorized:
            return self._authenticator.refused_elsewhere(path, list(by_path))
        taken = shows_that_the_token_is_taken(response)
        return Elsewhere.TAKEN if taken else Elsewhere.UNKNOWN


class _Question(t.Generic[T]):
    """A request that may have to be sent several times."""

    def __init__(
        self,
        endpoint: Endpoint,
        send: Callable[[], requests.Response],
        read: Callable[[requests.Response], T],
        again: Callable[[Exception], None] | None,
    ) -> None:
        self._endpoint = endpoint
        self._send = send
        self._read = read
        self._again = again
        self._before: Exception | None = None

    def once(self) -> Answered[T]:
        """Send it and read the answer.

        Raises:
            StreamError: If the answer is as odd as the one before.
        """
        if self._before and self._again:
            self._again(self._before)
        try:
            response = self._send()
            return Answered(response, self._read(response))
        except FAILURES as error:
            if {type(error), type(self._before)} == {OddAnswerError}:
                msg = (
                    f"{self._endpoint.stream}: {error} for {self._endpoint.path}, "
                    "twice in a row. It can be read, and is not what DrChrono "
                    "documents: check api_url; if that is right, report it to DrChrono."
                )
                raise StreamError(msg) from None
            self._before = error
            raise


def _prepared(request: HTTPRequest) -> requests.PreparedRequest:
    """Prepare a request, with the headers that all have."""
    return requests.Request(
        request.method,
        request.url,
        params=request.params,
        headers={**_HEADERS, **request.headers},
    ).prepare()
