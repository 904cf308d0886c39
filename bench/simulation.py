"""The simulated API without sockets, under a clock that only moves when told."""

from __future__ import annotations

import decimal
import io
import time
import typing as t

import msgspec
import requests
from drchrono_sandbox.messages import Request
from requests.adapters import BaseAdapter
from typing_extensions import override

from tap_drchrono.clock import Clock, T

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from drchrono_sandbox.api import Api

_DECODER = msgspec.json.Decoder(float_hook=decimal.Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")

ROUND_TRIP = 0.05
"""Virtual seconds that a request takes."""
START = 1_780_000_200.0
"""Where the virtual clock starts: half way through a clock hour."""


class VirtualClock(Clock):
    """A clock whose sleep takes no time."""

    def __init__(self, now: float = START) -> None:
        """Start at a time.

        Args:
            now: Seconds since the epoch.
        """
        super().__init__()
        self._now = now

    @override
    def now(self) -> float:
        return self._now

    @override
    def sleep(self, seconds: float) -> None:
        self.check()
        self._now += max(seconds, 0.0)

    @override
    def call(self, function: Callable[[], T], grace: float = 0.0) -> T:
        return function()


class Adapter(BaseAdapter):
    """Answers the requests of a session from the simulated API's core.

    Attributes:
        requests: Requests so far.
        first: Virtual time of the first one, in seconds since the epoch.
        last: Virtual time of the last answer.
        cpu: CPU seconds spent in the simulated API, which are not the client's.
        codec: CPU seconds to decode the answers and to encode their records again.
        throttled: Answers with 429.
    """

    def __init__(self, api: Api, clock: VirtualClock) -> None:
        """Connect a session to an API.

        Args:
            api: The API; it must use the same clock.
            clock: The clock.
        """
        super().__init__()
        self._api = api
        self._clock = clock
        self.requests = 0
        self.first: float | None = None
        self.last = 0.0
        self.cpu = 0.0
        self.codec = 0.0
        self.throttled = 0

    @property
    def seconds(self) -> float:
        """Virtual seconds from the first request to the last answer."""
        return self.last - (self.first or 0.0)

    @override
    def send(  # type: ignore[override]
        self,
        request: requests.PreparedRequest,
        **kwargs: object,
    ) -> requests.Response:
        if self.first is None:
            self.first = self._clock.now()
        self.requests += 1
        self._clock.sleep(ROUND_TRIP)
        started = time.process_time()
        answer = self._api.handle(
            Request.of(
                request.method or "GET",
                request.url or "",
                dict(request.headers),
                request.body,
            )
        )
        decoding = time.process_time()
        self.cpu += decoding - started
        if request.method == "GET":
            for record in _DECODER.decode(answer.body).get("results", ()):
                _ENCODER.encode(record)
        self.codec += time.process_time() - decoding
        self.last = self._clock.now()
        self.throttled += answer.status == requests.codes.too_many_requests
        response = requests.Response()
        response.status_code = answer.status
        response.headers.update(answer.headers)
        response.raw = io.BytesIO(answer.body)
        response.url = request.url or ""
        response.request = request
        _ = response.content
        return response

    @override
    def close(self) -> None:
        pass
