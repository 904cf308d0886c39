"""What the answer to a plain GET means: records, another try, or a refusal."""

from __future__ import annotations

import typing as t
from http import HTTPStatus

from singer_sdk.exceptions import RetriableAPIError

from tap_drchrono.api.answers import (
    absence,
    decoded,
    records_of,
    refusal,
    refused_parameters,
    unreadable,
)
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
_DISPENSABLE = frozenset({"page_size", "show_archived", "verbose"})
"""Parameters without which a list can be read as well, if less of it."""


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

    @property
    def names(self) -> frozenset[str]:
        """The names of the parameters."""
        return frozenset(name for name, _ in self.parameters)

    def leaving_out(self, names: frozenset[str]) -> Ask:
        """Ask for the same, without some parameters.

        Args:
            names: Their names.
        """
        kept = tuple(one for one in self.parameters if one[0] not in names)
        return self._replace(parameters=kept)

    def without(self, body: object) -> Ask | None:
        """Ask for the same, without what a 400 complains of.

        Args:
            body: Its JSON, decoded.

        Returns:
            The request with a time of day behind a day that is refused, and without
            parameters that are not vital; None if that changes nothing.
        """
        refused = refused_parameters(body)
        kept = tuple(
            (name, f"{value}T00:00:00" if _is_day(name, value) else value)
            if name in refused
            else (name, value)
            for name, value in self.parameters
            if not (name in refused and name in _DISPENSABLE)
        )
        return None if kept == self.parameters else self._replace(parameters=kept)


class ParametersRefusedError(StreamError):
    """Some parameters are refused, and it may do to ask in another way.

    Attributes:
        instead: What to ask.
    """

    def __init__(self, msg: str, instead: Ask) -> None:
        """Remember what to ask.

        Args:
            msg: The refusal, in one line.
            instead: What to ask.
        """
        super().__init__(msg)
        self.instead = instead


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
        ParametersRefusedError: If it may help to ask in another way.
        StreamError: If asking again would not help.
        RetriableAPIError: If asking again may help. Its text holds no data.
    """
    status = response.status_code
    body = decoded(response)
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        records = records_of(body)
        if records is None:
            raise unreadable(endpoint, response, body, "a list of records")
        return PlainAnswer(records, t.cast("Record", body).get("next"), at)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        reason = f"HTTP {status}"
        raise RetriableAPIError(reason, response)
    if status in _NOT_THERE and ask.number > 1 and is_numbered(ask.parameters):
        # The list became shorter meanwhile.
        return PlainAnswer((), None, at)
    if status in _NOT_THERE and ask.number == 1:
        raise RefusedError(absence(endpoint, status))
    why = refusal(endpoint, response, body)
    if status in _NOT_FOR_YOU:
        raise RefusedError(why)
    if status == HTTPStatus.BAD_REQUEST and (left := ask.without(body)):
        raise ParametersRefusedError(why, left)
    raise StreamError(why)


def _is_day(name: str, value: str) -> bool:
    """Tell a `since` that is a day; the forms of this are not documented."""
    return name.endswith("since") and len(value) == len("2026-01-31")
