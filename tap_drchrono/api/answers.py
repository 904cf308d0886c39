"""What an HTTP answer means, whatever was asked: its JSON, and a refusal's words."""

from __future__ import annotations

import re
import typing as t
from http import HTTPStatus

from tap_drchrono.advice import authorize_command
from tap_drchrono.api.decoding import decode, is_deep
from tap_drchrono.errors import StreamError

if t.TYPE_CHECKING:
    import requests

    from tap_drchrono.endpoints import Endpoint

_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,40}")


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


def unreadable(
    endpoint: Endpoint, response: requests.Response, body: object, lacks: str
) -> str:
    """Say why a successful answer cannot be used, without its content.

    Args:
        endpoint: What was asked.
        response: The answer.
        body: Its JSON, decoded; None for what is not JSON.
        lacks: What JSON that can be read lacks, in a few words.

    Returns:
        The words.

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
        return f"HTTP {status} with HTML instead of JSON"
    if body is None:
        return f"HTTP {status} with JSON that is cut off or malformed"
    return f"HTTP {status} without {lacks}"


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
                f"{needs(endpoint)}"
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


def needs(endpoint: Endpoint) -> str:
    """Say what somebody needs to read an endpoint.

    Args:
        endpoint: The endpoint.

    Returns:
        Scopes, permissions and flags by name, and what to do.
    """
    scopes = ", ".join(sorted(endpoint.scopes)) or "none that DrChrono names"
    permissions = ", ".join(endpoint.permissions) or "none that DrChrono names"
    sharing = (
        f"; other providers' records need {', '.join(endpoint.sharing)} of the practice"
        if endpoint.sharing
        else ""
    )
    return (
        f"The authorization needs the scopes {scopes}, and the user who gave it the "
        f"permissions {permissions}{sharing}. Grant them and run "
        f"{authorize_command()}, or deselect the stream."
    )


def _content_type(response: requests.Response) -> str:
    return response.headers.get("Content-Type", "").lower()
