"""Asks within the report's own budget, and reads any answer without judging it."""

from __future__ import annotations

import typing as t
from http import HTTPStatus

from singer_sdk.streams.rest import HTTPRequest

from tap_drchrono.api.answers import decoded
from tap_drchrono.api.headers import server_time
from tap_drchrono.errors import SpentError, ThrottledError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from tap_drchrono.clock import Clock
    from tap_drchrono.endpoints import Endpoint
    from tap_drchrono.engine import Engine

MOST_REQUESTS = 60


class NotAskedError(Exception):
    """Something cannot be asked; the text says why, in a few words."""


class Seen(t.NamedTuple):
    """An answer of any status.

    Attributes:
        status: The HTTP status.
        headers: The names of its headers, in lower case.
        body: Its JSON; None for what is not JSON.
        told: The server's time, in seconds since the epoch; None if it told none.
        machine: This machine's time when the answer came, likewise.
    """

    status: int
    headers: frozenset[str]
    body: object
    told: float | None
    machine: float

    @property
    def json(self) -> Mapping[str, t.Any]:
        """Its JSON object; empty where it is none."""
        return self.body if isinstance(self.body, dict) else {}

    @property
    def uuid(self) -> str | None:
        """The name of the list that was submitted."""
        uuid = self.json.get("uuid")
        is_fine = self.status < HTTPStatus.MULTIPLE_CHOICES and uuid
        return str(uuid) if is_fine else None

    @property
    def has_list(self) -> bool:
        """Whether it holds records, or none of them."""
        found = self.json.get("results", self.json.get("data"))
        return self.status == HTTPStatus.OK and isinstance(found, list)

    @property
    def records(self) -> list[dict[str, t.Any]]:
        """The records that it holds."""
        found = self.json.get("results", self.json.get("data"))
        if not isinstance(found, list):
            return []
        return [record for record in found if isinstance(record, dict)]

    @property
    def counted(self) -> int | None:
        """The records that it counts in all."""
        pagination = self.json.get("pagination")
        count = pagination.get("count") if isinstance(pagination, dict) else None
        return count if isinstance(count, int) else None


class Questioner:
    """Sends the report's requests: one try each, and never more than there may be.

    Attributes:
        is_throttled: Whether there was a 429.
        headers: The names of all headers that came.
        ahead: Seconds by which this machine's clock was ahead, for each answer.
    """

    def __init__(self, engine: Engine, api_url: str) -> None:
        """Start with the whole budget.

        Args:
            engine: What to ask with.
            api_url: The base URL.
        """
        engine.api.hurry()
        engine.quota.spend_at_most(MOST_REQUESTS)
        self._engine = engine
        self._api_url = api_url.rstrip("/")
        self.is_throttled = False
        self.headers: set[str] = set()
        self.ahead: list[float] = []

    @property
    def asked(self) -> int:
        """Requests sent so far, those for tokens included."""
        return self._engine.quota.sent

    @property
    def limit(self) -> int:
        """Requests that the tap may send in a clock hour."""
        return self._engine.quota.limit

    @property
    def clock(self) -> Clock:
        """Tells the time and waits."""
        return self._engine.clock

    @property
    def left(self) -> int:
        """Requests that may still be sent."""
        return self._engine.quota.left

    def need(self, requests: int) -> None:
        """Make sure that there are requests for a question.

        Args:
            requests: How many it takes.

        Raises:
            NotAskedError: If there are fewer.
        """
        if self.is_throttled:
            why = "DrChrono throttles (HTTP 429)"
            raise NotAskedError(why)
        if self.left < requests:
            why = (
                f"it may send {MOST_REQUESTS} requests"
                if MOST_REQUESTS - self.asked < requests
                else "the hour's requests are used up"
            )
            raise NotAskedError(why)

    def get(self, endpoint: Endpoint, params: Mapping[str, t.Any]) -> Seen:
        """Send a GET.

        Args:
            endpoint: What to ask.
            params: The query.

        Returns:
            The answer.
        """
        return self._ask("GET", endpoint, params)

    def post(self, endpoint: Endpoint, params: Mapping[str, t.Any]) -> Seen:
        """Ask for a list.

        Args:
            endpoint: What to ask.
            params: The query.

        Returns:
            The answer.
        """
        return self._ask("POST", endpoint, params)

    def _ask(
        self, method: str, endpoint: Endpoint, params: Mapping[str, t.Any]
    ) -> Seen:
        self.need(1)
        clock = self._engine.clock

        def read(response: requests.Response) -> Seen:
            names = frozenset(name.lower() for name in response.headers)
            told = server_time(response.headers)
            body = decoded(response)
            return Seen(response.status_code, names, body, told, clock.machine_time())

        request = HTTPRequest(self._api_url + endpoint.path, method, dict(params))
        try:
            seen = self._engine.api.ask(endpoint, request, read).value
        except (ThrottledError, SpentError) as end:
            # A refused token is renewed, and its request sent again.
            self.is_throttled = isinstance(end, ThrottledError)
            self.need(1)
            raise
        self.headers |= seen.headers
        if seen.told is not None:
            self.ahead.append(seen.machine - seen.told)
        return seen
