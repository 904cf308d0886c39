"""A web server for one redirect, on loopback only."""

from __future__ import annotations

import queue
import threading
import typing as t
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override

from tap_drchrono.errors import CredentialsError

if t.TYPE_CHECKING:
    from types import TracebackType

LOOPBACK = frozenset({"localhost", "127.0.0.1"})
"""Host names of redirect URIs that this machine can receive."""

_POLL = 0.1
"""Seconds until the server notices that it is to end."""

_PAGE = b"""<!doctype html><meta charset="utf-8"><title>tap-drchrono</title>
<p>Thank you. The answer has arrived: you can close this page and go back to the
terminal.</p>
"""


class Listener:
    """Waits for the browser to come back."""

    def __init__(self, redirect_uri: str) -> None:
        """Begin to listen.

        Args:
            redirect_uri: The address that the browser will be sent to.

        Raises:
            CredentialsError: If its port cannot be used.
        """
        parts = urlsplit(redirect_uri)
        self._path = parts.path or "/"
        self._redirects: queue.Queue[str] = queue.Queue()
        try:
            # A thread per connection: browsers open some that they never use.
            self._server = ThreadingHTTPServer(
                ("127.0.0.1", parts.port or 80), self._handler()
            )
        except OSError as error:
            msg = (
                f"Nothing can listen on {redirect_uri} ({error.strerror}). End what "
                "uses that port, or run the command with --no-browser."
            )
            raise CredentialsError(msg) from error
        threading.Thread(
            target=self._server.serve_forever, args=(_POLL,), daemon=True
        ).start()

    def wait(self, seconds: float) -> str:
        """Wait for the redirect.

        Args:
            seconds: How long.

        Returns:
            Its address.

        Raises:
            CredentialsError: If it does not come.
        """
        try:
            return self._redirects.get(timeout=seconds)
        except queue.Empty:
            msg = (
                f"No answer came within {seconds / 60:.0f} minutes. Run the command "
                "again; with --no-browser where the browser is on another machine."
            )
            raise CredentialsError(msg) from None

    def __enter__(self) -> t.Self:
        """Return the listener."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        path, redirects = self._path, self._redirects

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                """Take the redirect; anything else (an icon) is not found."""
                parts = urlsplit(self.path)
                answer = parse_qs(parts.query)
                if parts.path != path or not answer.keys() & {"code", "error"}:
                    self.send_error(HTTPStatus.NOT_FOUND)
                    return
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(_PAGE)))
                self.send_header("Referrer-Policy", "no-referrer")
                self.end_headers()
                self.wfile.write(_PAGE)
                redirects.put(self.path)

            @override
            def log_message(self, format: str, *args: object) -> None:
                """Log nothing: the address holds the code."""

        return Handler
