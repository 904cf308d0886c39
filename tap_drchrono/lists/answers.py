"""What an HTTP answer means: for the list, for the stream, or for another try."""

from __future__ import annotations

import typing as t
from http import HTTPStatus

from singer_sdk.exceptions import RetriableAPIError

from tap_drchrono.api.answers import decoded, refusal, unreadable
from tap_drchrono.errors import StreamError
from tap_drchrono.lists.jobs import (
    Answer,
    Fetch,
    Status,
    is_failure,
    read_answer,
)

if t.TYPE_CHECKING:
    import requests

    from tap_drchrono.lists.jobs import Token


_NOT_FOUND = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


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
    body = decoded(response)
    endpoint = token.list.wanted.source.endpoint
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        answer = read_answer(body)
        if answer is None:
            error = unreadable(endpoint, response, body, "a known list status")
            if _is_unknown_status(body):
                # A word that the documentation lacks may be one for waiting.
                raise RetriableAPIError(str(error), response)
            raise error
        return answer
    word = f"HTTP {status}"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        if isinstance(body, dict) and is_failure(body.get("status")):
            return Answer(
                Status.FAILED, f"{word} {body['status'].strip().capitalize()}"
            )
        raise RetriableAPIError(word, response)
    if _is_beyond_the_last_page(token, status, body):
        return Answer(Status.BEYOND, word)
    if isinstance(token, Fetch) and status in _NOT_FOUND:
        return Answer(Status.GONE, word)
    raise StreamError(refusal(endpoint, response, body))


def _is_unknown_status(body: object) -> bool:
    """Tell a list with a word for its status that is not known."""
    word = body.get("status") if isinstance(body, dict) else None
    return isinstance(word, str) and word.strip().lower() != "complete"


def _is_beyond_the_last_page(token: Token, status: int, body: object) -> bool:
    """Tell whether the list ends before the page.

    The wording varies. A refused POST can mean nothing else, where the first page is
    served; a refused GET can also mean that the list is not known.
    """
    if status not in _NOT_FOUND:
        return False
    said = body if isinstance(body, dict) else {}
    detail = str(said.get("detail", "")).lower()
    if "page" in said or "invalid page" in detail:
        return True
    if token.list.wanted.window.page == 1 or isinstance(token, Fetch):
        return False
    return status != HTTPStatus.BAD_REQUEST or "page" in detail
