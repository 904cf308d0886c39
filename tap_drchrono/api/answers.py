"""What an HTTP answer means, whatever was asked: its JSON, and a refusal's words."""

from __future__ import annotations

import re
import typing as t
from http import HTTPStatus

from singer_sdk.exceptions import RetriableAPIError

from tap_drchrono import words
from tap_drchrono.advice import authorize_command
from tap_drchrono.api.decoding import decode, is_deep
from tap_drchrono.errors import StreamError

if t.TYPE_CHECKING:
    import requests

    from tap_drchrono.endpoints import Endpoint
    from tap_drchrono.pages import Record

_GENERAL = frozenset(
    {"code", "detail", "error", "errors", "message", "non_field_errors", "status"}
)
"""Names in the body of a 400 that are no parameter's."""
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,40}")


class OddAnswerError(RetriableAPIError):
    """JSON that can be read and is not what was asked for.

    One more look tells whether it stays; more would tell nothing.
    """


def decoded(response: requests.Response) -> object:
    """Decode the JSON of an answer.

    Args:
        response: The answer.

    Returns:
        The value; None for what is not JSON. HTML may come with any status.
    """
    if "html" in (kind := _content_type(response)):
        return None
    return decode(response.content, kind)


def records_of(body: object) -> list[Record] | None:
    """Find the records of an answer: in `results`, else in `data`.

    Args:
        body: Its JSON, decoded.

    Returns:
        The records; an empty one for each value that is none, such as null: it goes
        the way of a record without a key. None where there is no list.
    """
    if not isinstance(body, dict):
        return None
    for name in ("results", "data"):
        if isinstance(found := body.get(name), list):
            return [one if isinstance(one, dict) else {} for one in found]
    return None


def unreadable(
    endpoint: Endpoint, response: requests.Response, body: object, lacks: str
) -> RetriableAPIError:
    """Say why a successful answer cannot be used, without its content.

    Args:
        endpoint: What was asked.
        response: The answer.
        body: Its JSON, decoded; None for what is not JSON.
        lacks: What JSON that can be read lacks, in a few words.

    Returns:
        The error, whose text is a few words.

    Raises:
        StreamError: If asking again would bring the same.
    """
    status = response.status_code
    if is_deep(response.content, _content_type(response)):
        msg = (
            f"{endpoint.stream}: HTTP {status} with JSON that is nested too deep to be "
            f"read for {endpoint.path}. Report it to DrChrono."
        )
        raise StreamError(msg)
    if "html" in _content_type(response):
        reason = f"HTTP {status} with HTML instead of JSON"
    elif body is None:
        reason = f"HTTP {status} with JSON that is cut off or malformed"
    else:
        reason = f"HTTP {status} without {lacks}"
        return OddAnswerError(reason, response)
    return RetriableAPIError(reason, response)


def refusal(endpoint: Endpoint, response: requests.Response, body: object) -> str:
    """Say what DrChrono refuses, and who has to do what.

    Args:
        endpoint: What was asked.
        response: The answer.
        body: Its JSON, decoded.

    Returns:
        One line, without values.
    """
    stream, path = endpoint.stream, endpoint.path
    match response.status_code:
        case (HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN) as status:
            return (
                f"{stream}: DrChrono refuses access to {path} (HTTP {status}). "
                f"{_granting(endpoint)}"
            )
        case HTTPStatus.BAD_REQUEST:
            named = sorted(refused_parameters(body))
            which = f" because of {', '.join(named)}" if named else ""
            return (
                f"{stream}: DrChrono refuses the request to {path}{which} "
                "(HTTP 400). Check page_size and start_date; otherwise report it to "
                "the tap's developers."
            )
        case status:
            return (
                f"{stream}: DrChrono answers HTTP {status} for {path}. Check "
                "api_url; otherwise report it to the tap's developers."
            )


def refused_parameters(body: object) -> frozenset[str]:
    """Name the parameters that a 400 complains of.

    Args:
        body: Its JSON, decoded.

    Returns:
        The names; none where it only says something in general.
    """
    names = body.keys() if isinstance(body, dict) else ()
    return frozenset(
        name for name in names if _FIELD_NAME.fullmatch(name) and name not in _GENERAL
    )


def absence(endpoint: Endpoint, status: int) -> str:
    """Say that a list is not there, which no grant changes for sure.

    Args:
        endpoint: What was asked.
        status: The HTTP status.

    Returns:
        One line.
    """
    needed = _needs(endpoint)
    hidden = f" DrChrono may also hide it: {needed}." if needed else ""
    return (
        f"{endpoint.stream}: DrChrono has no list at {endpoint.path} for this account "
        f"(HTTP {status}). Deselect the stream, or ask DrChrono; if other streams fail "
        f"alike, check api_url.{hidden}"
    )


def _granting(endpoint: Endpoint) -> str:
    """Say what to do about a refusal."""
    needed = _needs(endpoint)
    if not needed:
        return (
            "Its documentation names nothing that could be granted for it: ask "
            "DrChrono, or deselect the stream."
        )
    return (
        f"{needed[0].upper()}{needed[1:]}. Grant what is missing and run "
        f"{authorize_command()}, or deselect the stream."
    )


def _needs(endpoint: Endpoint) -> str:
    """Say what somebody needs to read an endpoint; nothing where none is known."""
    parts = [
        f"{who} {words.named(what, of)}"
        for who, what, of in (
            ("the authorization needs the", "scope", sorted(endpoint.scopes)),
            ("the user who gave it needs the", "permission", endpoint.permissions),
        )
        if of
    ]
    if endpoint.sharing:
        flags = ", ".join(endpoint.sharing)
        parts.append(f"other providers' records need {flags} of the practice")
    return "; ".join(parts)


def _content_type(response: requests.Response) -> str:
    return response.headers.get("Content-Type", "").lower()
