"""Asks within the report's own budget, and reads any answer without judging it."""

from __future__ import annotations

import typing as t
from http import HTTPStatus

from singer_sdk.streams.rest import HTTPRequest

from tap_drchrono.api.answers import decoded
from tap_drchrono.api.headers import server_time
from tap_drchrono.errors import ThrottledError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

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
        asked: Requests sent so far.
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
        self._engine = engine
        self._api_url = api_url.rstrip("/")
        self.asked = 0
        self.headers: set[str] = set()
        self.ahead: list[float] = []
        self._throttled = False

    def left(self) -> int:
        """Return how many requests may still be sent."""
        quota = self._engine.quota
        return min(MOST_REQUESTS - self.asked, quota.limit - quota.used)

    def need(self, requests: int) -> None:
        """Make sure that there are requests for a question.

        Args:
            requests: How many it takes.

        Raises:
            NotAskedError: If there are fewer.
        """
        if self._throttled:
            why = "DrChrono throttles (HTTP 429)"
            raise NotAskedError(why)
        if self.left() < requests:
            quota = self._engine.quota
            why = (
                "the hour's requests are used up"
                if quota.limit - quota.used < requests
                else f"it may send {MOST_REQUESTS} requests"
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

        self.asked += 1
        request = HTTPRequest(self._api_url + endpoint.path, method, dict(params))
        try:
            seen = self._engine.api.ask(endpoint, request, read).value
        except ThrottledError:
            self._throttled = True
            self.need(1)
            raise
        self.headers |= seen.headers
        if seen.told is not None:
            self.ahead.append(seen.machine - seen.told)
        return seen
