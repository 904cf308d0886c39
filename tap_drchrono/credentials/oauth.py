"""The token endpoint: one request, and what its answer means.

Nothing here logs, and no error quotes an answer: DrChrono's may echo the token.
"""

from __future__ import annotations

import typing as t
from http import HTTPStatus

import requests

from tap_drchrono.credentials.grant import Pair
from tap_drchrono.errors import CredentialsError, HostError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Send: t.TypeAlias = Callable[[requests.PreparedRequest], requests.Response]
    """Sends a request once, without following a redirect."""

_LIFETIME = 172_800.0
"""Seconds; 48 hours as documented, for an answer without `expires_in`."""

_APPLICATION_ERRORS = frozenset({"invalid_client", "unauthorized_client"})
_NO_ENDPOINT = frozenset({301, 302, 303, 307, 308, 404, 405})


class InvalidGrantError(Exception):
    """The refresh token or code is spent, expired or revoked."""


class UnclearOutcomeError(Exception):
    """No usable answer: the token may have been spent, or not."""


class PageError(UnclearOutcomeError):
    """A page of HTML instead of a token: of DrChrono's edge, or of another host."""


def ask(
    send: Send, api_url: str, form: Mapping[str, str], *, now: Callable[[], float]
) -> Pair:
    """Send one token request.

    Args:
        send: Sends it, once.
        api_url: The base URL.
        form: The fields of the form.
        now: Tells the time, in seconds since the epoch. It is asked after the answer,
            which may set the clock.

    Returns:
        The new pair. Where no refresh token is returned, it keeps the one of the form.

    Raises:
        InvalidGrantError: If a person must authorize again.
        UnclearOutcomeError: If it is unknown whether the token was spent.
        CredentialsError: If the request or the API application is refused.
        HostError: If there is no token endpoint at this address.
    """
    request = requests.Request(
        "POST",
        f"{api_url.rstrip('/')}/o/token/",
        data=form,
        headers={"Accept": "application/json"},
    )
    try:
        response = send(request.prepare())
    except requests.RequestException as error:
        raise UnclearOutcomeError(type(error).__name__) from error
    body = _json_object(response)
    if response.status_code == HTTPStatus.OK and usable(body.get("access_token")):
        return _pair(body, now(), form.get("refresh_token", ""))
    if response.ok and "html" in response.headers.get("Content-Type", "").lower():
        msg = f"HTTP {response.status_code} with HTML instead of JSON"
        raise PageError(msg)
    raise _error(response.status_code, body)


def _pair(body: Mapping[str, object], obtained_at: float, spent: str) -> Pair:
    refresh, scope = body.get("refresh_token"), body.get("scope")
    return Pair(
        access_token=str(body["access_token"]),
        refresh_token=refresh if usable(refresh) else spent,
        obtained_at=obtained_at,
        expires_at=obtained_at + _lifetime(body.get("expires_in")),
        scope=scope if isinstance(scope, str) else None,
    )


def _error(status: int, body: Mapping[str, object]) -> Exception:
    error = body.get("error")
    if error == "invalid_grant":
        return InvalidGrantError()
    where = f"POST /o/token/ was answered with HTTP {status}"
    if error in _APPLICATION_ERRORS:
        return CredentialsError(
            f"{where}: DrChrono does not accept the API application. Check the "
            "settings client_id and client_secret."
        )
    if body and status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}:
        return CredentialsError(
            f"{where}: the request was refused. Check the settings client_id, "
            "client_secret and api_url."
        )
    if status in _NO_ENDPOINT:
        return HostError(
            f"{where}: there is no token endpoint. Check the setting api_url."
        )
    return UnclearOutcomeError(f"HTTP {status}" + ("" if body else " without JSON"))


def _json_object(response: requests.Response) -> Mapping[str, object]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _lifetime(expires_in: object) -> float:
    try:
        seconds = float(expires_in)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return _LIFETIME
    return seconds if 0 < seconds < float("inf") else _LIFETIME


def usable(token: object) -> t.TypeGuard[str]:
    """Say whether something can stand in an `Authorization` header.

    HTTP libraries quote a header that they refuse, so a token is checked before.

    Args:
        token: What is said to be a token.

    Returns:
        Whether it is text of printable ASCII characters without spaces.
    """
    return (
        isinstance(token, str)
        and bool(token)
        and token.isascii()
        and token.isprintable()
        and " " not in token
    )
