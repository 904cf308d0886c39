"""What the answer to a plain GET means: records, another try, or a refusal."""

from __future__ import annotations

import typing as t
from http import HTTPStatus

from singer_sdk.exceptions import RetriableAPIError

from tap_drchrono.api.answers import decoded, needs, refusal, unreadable
from tap_drchrono.errors import RefusedError, StreamError
from tap_drchrono.plain_lists.links import Parameters, is_numbered

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    import requests

    from tap_drchrono.endpoints import Endpoint
    from tap_drchrono.pages import Record

_NOT_FOR_YOU = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_NOT_THERE = frozenset(
    {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE}
)


class Ask(t.NamedTuple):
    """Page token: what to ask with.

    Attributes:
        parameters: The query.
        number: Which page of the pass it is, from 1.
        turn: Which pass it is, from 1.
    """

    parameters: Parameters
    number: int = 1
    turn: int = 1

    def with_times(self) -> Ask:
        """Ask for the same, with a time of day behind each day."""
        return self._replace(
            parameters=tuple(
                (name, f"{value}T00:00:00" if _is_day(name, value) else value)
                for name, value in self.parameters
            )
        )


class DayRefusedError(StreamError):
    """A `since` that is a day is refused; it may have to be a day with a time."""


class PlainAnswer(t.NamedTuple):
    """A page as it came.

    Attributes:
        records: Its records.
        next: Where the list goes on, as it came.
        at: When it was answered, by the server's clock; seconds since the epoch.
    """

    records: Sequence[Record]
    next: object
    at: float


def interpret(
    endpoint: Endpoint, ask: Ask, response: requests.Response, at: float
) -> PlainAnswer:
    """Read an answer that is neither a 429 nor a redirect.

    Args:
        endpoint: What was asked.
        ask: The page that was asked for.
        response: The answer.
        at: When it was answered, by the server's clock; seconds since the epoch.

    Returns:
        The page.

    Raises:
        RefusedError: If the list is not there for this authorization.
        DayRefusedError: If it may help to write days with a time.
        StreamError: If asking again would not help.
        RetriableAPIError: If asking again may help. Its text holds no data.
    """
    status = response.status_code
    body = decoded(response)
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        records = _records(body)
        if records is None:
            reason = unreadable(endpoint, response, body, "a list of records")
            raise RetriableAPIError(reason, response)
        return PlainAnswer(records, t.cast("Record", body).get("next"), at)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        reason = f"HTTP {status}"
        raise RetriableAPIError(reason, response)
    if status in _NOT_THERE and ask.number > 1 and is_numbered(ask.parameters):
        # The list became shorter meanwhile.
        return PlainAnswer((), None, at)
    if status in _NOT_FOR_YOU or (status in _NOT_THERE and ask.number == 1):
        msg = (
            f"{endpoint.stream}: DrChrono refuses access to {endpoint.path} (HTTP "
            f"{status}). {needs(endpoint)}"
        )
        raise RefusedError(msg)
    why = refusal(endpoint, response, body)
    if status == HTTPStatus.BAD_REQUEST and isinstance(body, dict):
        days = {name for name, value in ask.parameters if _is_day(name, value)}
        if days & body.keys():
            raise DayRefusedError(why)
    raise StreamError(why)


def _is_day(name: str, value: str) -> bool:
    """Tell a `since` that is a day; the forms of this are not documented."""
    return name.endswith("since") and len(value) == len("2026-01-31")


def _records(body: object) -> list[Record] | None:
    """Find the records: in `results`, else in `data`."""
    if not isinstance(body, dict):
        return None
    found = body["results"] if "results" in body else body.get("data")
    if not isinstance(found, list):
        return None
    return found if all(isinstance(record, dict) for record in found) else None
