"""What an HTTP answer means: for the list, for the stream, or for another try."""

from __future__ import annotations

import re
import typing as t
from http import HTTPStatus

from singer_sdk.exceptions import RetriableAPIError

from tap_drchrono.advice import authorize_command
from tap_drchrono.api.decoding import decode, is_deep
from tap_drchrono.errors import StreamError
from tap_drchrono.lists.jobs import (
    Answer,
    Fetch,
    Status,
    Submit,
    is_failure,
    read_answer,
)

if t.TYPE_CHECKING:
    import requests

    from tap_drchrono.endpoints import Endpoint
    from tap_drchrono.lists.jobs import Token

_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,40}")


def interpret(token: Token, response: requests.Response) -> Answer:
    """Read an answer that is neither a 429 nor a redirect.

    Args:
        token: What was asked.
        response: The answer.

    Returns:
        What it says of the list.

    Raises:
        StreamError: If asking again would not help.
        RetriableAPIError: If asking again may help. Its text holds no data.
    """
    status = response.status_code
    body = _decode(response)
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        answer = read_answer(body)
        nameless = isinstance(token, Submit) and answer and not answer.uuid
        if answer is None or (nameless and answer.status is Status.IN_PROGRESS):
            if is_deep(response.content, _content_type(response)):
                raise StreamError(_too_deep(token.list.stream, status))
            raise RetriableAPIError(_unreadable(response, body), response)
        return answer
    word = f"HTTP {status}"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        if isinstance(body, dict) and is_failure(body.get("status")):
            return Answer(
                Status.FAILED, f"{word} {body['status'].strip().capitalize()}"
            )
        raise RetriableAPIError(word, response)
    if _is_beyond_the_last_page(status, body):
        return Answer(Status.COMPLETE, "no such page")
    if isinstance(token, Fetch) and status in {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.GONE,
    }:
        return Answer(Status.GONE, word)
    raise StreamError(_refusal(token.list.source.endpoint, response, body))


def _decode(response: requests.Response) -> object:
    """Decode JSON, or return None: HTML may come with any status."""
    if "html" in (kind := _content_type(response)):
        return None
    return decode(response.content, kind)


def _content_type(response: requests.Response) -> str:
    return response.headers.get("Content-Type", "").lower()


def _too_deep(stream: str, status: int) -> str:
    """Say that asking again would bring the same."""
    endpoint = f"/api/{stream}_list"
    return (
        f"{stream}: HTTP {status} with JSON that is nested too deep to be read for "
        f"{endpoint}. Report it to DrChrono."
    )


def _unreadable(response: requests.Response, body: object) -> str:
    """Say why a successful answer cannot be used, without its content."""
    if "html" in _content_type(response):
        return f"HTTP {response.status_code} with HTML instead of JSON"
    if body is None:
        return f"HTTP {response.status_code} with JSON that is cut off or malformed"
    return f"HTTP {response.status_code} without a known list status"


def _is_beyond_the_last_page(status: int, body: object) -> bool:
    """Tell whether the server refuses a page because the list became shorter."""
    detail = body.get("detail") if isinstance(body, dict) else None
    return (
        status in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}
        and isinstance(detail, str)
        and "invalid page" in detail.lower()
    )


def _refusal(endpoint: Endpoint, response: requests.Response, body: object) -> str:
    """Say what DrChrono refuses, and who has to do what."""
    stream, path = endpoint.stream, endpoint.path
    match response.status_code:
        case (HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN) as status:
            scopes = ", ".join(sorted(endpoint.scopes))
            return (
                f"{stream}: DrChrono refuses access to {path} (HTTP {status}). The "
                "user who authorized the tap needs the permission for it in DrChrono, "
                f"and the authorization the scopes {scopes}. Grant them and run "
                f"{authorize_command()}, or deselect the stream."
            )
        case HTTPStatus.BAD_REQUEST:
            names = (
                [name for name in body if _FIELD_NAME.fullmatch(name)]
                if isinstance(body, dict)
                else []
            )
            which = f" because of {', '.join(sorted(names))}" if names else ""
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
