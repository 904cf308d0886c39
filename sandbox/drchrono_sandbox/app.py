"""The API over HTTP: a thin layer that also performs what a transport does wrong."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import typing as t
import urllib.parse

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from drchrono_sandbox.messages import Request, Response

if t.TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from drchrono_sandbox.api import Api

_RESET_AT_ONCE = struct.pack("ii", 1, 0)
_TRANSPORTS: dict[t.Any, asyncio.Transport] = {}
"""Open connections by both ends' addresses, so that the app can cut them."""


class CuttableProtocol(H11Protocol):
    """An HTTP connection that the application can find and cut."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Remember the connection.

        Args:
            transport: Its transport.
        """
        super().connection_made(transport)
        _TRANSPORTS[self.client, self.server] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection.

        Args:
            exc: Why it was lost.
        """
        _TRANSPORTS.pop((self.client, self.server), None)
        super().connection_lost(exc)


class _Endpoint:
    """Hands requests to the API and its answers to the wire."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        http = HttpRequest(scope, receive)
        query = http.scope["query_string"].decode("latin-1")
        request = Request(
            method=http.method,
            path=http.scope["path"],
            query=dict(urllib.parse.parse_qsl(query, keep_blank_values=True)),
            headers=dict(http.headers),
            body=await http.body(),
            base_url=str(http.base_url).rstrip("/"),
            full_query=query,
        )
        answer = self._api.handle(request)
        wrong = answer.misbehaviour
        if wrong is None:
            await _send(answer, scope, receive, send)
        elif wrong.cut in {"close", "reset"}:
            _cut(scope, reset=wrong.cut == "reset")
        elif wrong.cut == "hang":
            await _hang(wrong.delay, receive)
            _cut(scope, reset=False)
        elif wrong.cut == "truncate":
            await _send_part(answer, scope, send)
        else:
            await asyncio.sleep(wrong.delay)
            await _send(answer, scope, receive, send)


async def _send(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    response = HttpResponse(
        answer.body, status_code=answer.status, headers=dict(answer.headers)
    )
    await response(scope, receive, send)


async def _send_part(answer: Response, scope: Scope, send: Send) -> None:
    """Announce the whole body, send half of it, and close."""
    headers = {**answer.headers, "content-length": str(len(answer.body) + 1)}
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(n.encode(), v.encode()) for n, v in headers.items()],
        }
    )
    part = answer.body[: len(answer.body) // 2]
    await send({"type": "http.response.body", "body": part, "more_body": True})
    if (transport := _transport_of(scope)) is not None:
        transport.close()


async def _hang(seconds: float, receive: Receive) -> None:
    """Wait until the client gives up, or for so long."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(gone(), seconds)


def _transport_of(scope: Scope) -> asyncio.Transport | None:
    return _TRANSPORTS.get((scope["client"], scope["server"]))


def _cut(scope: Scope, *, reset: bool) -> None:
    transport = _transport_of(scope)
    if transport is None:
        return
    if reset:
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
    transport.abort()


def create_app(api: Api) -> Starlette:
    """Make an ASGI application.

    Args:
        api: What it serves.

    Returns:
        The application, for a server that uses `CuttableProtocol`.
    """
    return Starlette(routes=[Route("/{path:path}", _Endpoint(api))])
