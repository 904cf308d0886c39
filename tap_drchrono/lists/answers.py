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
    Submit,
    is_failure,
    read_answer,
)

if t.TYPE_CHECKING:
    import requests

    from tap_drchrono.lists.jobs import Token


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
    endpoint = token.list.source.endpoint
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        answer = read_answer(body)
        nameless = isinstance(token, Submit) and answer and not answer.uuid
        if answer is None or (nameless and answer.status is Status.IN_PROGRESS):
            reason = unreadable(endpoint, response, body, "a known list status")
            raise RetriableAPIError(reason, response)
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
    raise StreamError(refusal(endpoint, response, body))


def _is_beyond_the_last_page(status: int, body: object) -> bool:
    """Tell whether the server refuses a page because the list became shorter."""
    detail = body.get("detail") if isinstance(body, dict) else None
    return (
        status in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}
        and isinstance(detail, str)
        and "invalid page" in detail.lower()
    )
