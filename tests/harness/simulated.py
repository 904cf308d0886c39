"""The tap in this process against the sandbox, on a clock that moves when one waits.

Everything is the product but three things: time, the socket, and where the process
would end. So a run that backs off for half a minute takes some milliseconds.
"""

from __future__ import annotations

import contextlib
import email.utils
import io
import json
import logging
import signal
import sys
import typing as t
from http.client import RemoteDisconnected
from unittest import mock

import requests
from drchrono_sandbox import ACCESS_TOKEN, REFRESH_TOKEN, Request
from requests.adapters import HTTPAdapter
from target import Ended
from urllib3 import HTTPConnectionPool, HTTPResponse
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from tap_drchrono.clock import Clock
from tap_drchrono.engine import Outside
from tap_drchrono.tap import TapDrchrono, main

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from drchrono_sandbox import Api

URL = "http://127.0.0.1:1"
"""Nothing listens there; and no proxies are looked up for it, which takes time."""
NOW = 1_767_225_600.0
"""2026-01-01T00:00:00 UTC, the start of a clock hour."""

_LATENCY = 0.05
_ENDLESS = 20_000
"""Requests in a run after which it is taken to have no end."""

_LOGGERS = (None, "singer_sdk.metrics")


class SimulatedClock(Clock):
    """Moves when somebody waits, and can be stopped at a moment.

    Attributes:
        time: The true time, in seconds since the epoch; the sandbox's, mostly.
        machine_ahead: Seconds by which the machine's wall clock is ahead of it.
        asleep: Seconds for which the machine has slept so far.
        stop_at: When the process gets a signal.
        signal: Which one.
    """

    def __init__(self, now: float = NOW, *, machine_ahead: float = 0.0) -> None:
        self.time = now
        self.machine_ahead = machine_ahead
        self.asleep = 0.0
        self.stop_at = float("inf")
        self.signal = signal.SIGTERM
        super().__init__()

    def restart(self) -> None:
        """Begin as a new process does."""
        super().__init__()

    def machine_time(self) -> float:
        return self.time + self.machine_ahead

    def monotonic(self) -> float:
        return self.time - self.asleep

    def suspend(self, seconds: float) -> None:
        """Let the machine sleep."""
        self.time += seconds
        self.asleep += seconds

    def pass_(self, seconds: float) -> None:
        self.time += max(seconds, 0)
        if self.time >= self.stop_at:
            self.request_stop(self.signal)

    def sleep(self, seconds: float) -> None:
        self.check()
        self.pass_(seconds)
        self.check()

    def call(self, function: Callable[[], t.Any], grace: float = 0.0) -> t.Any:
        del grace
        self.check()
        return function()


def _pool_error(reason: Callable[[t.Any], Exception]) -> t.Any:
    """Wrap an error like urllib3 does it, URL with query included."""

    def make(request: requests.PreparedRequest, _: float) -> Exception:
        pool = HTTPConnectionPool("drchrono.invalid")
        error = MaxRetryError(pool, request.url or "", reason(pool))
        return requests.ConnectionError(error, request=request)

    return make


def _tls(request: requests.PreparedRequest, _: float) -> Exception:
    pool = HTTPConnectionPool("drchrono.invalid")
    error = MaxRetryError(pool, request.url or "", Exception("certificate"))
    return requests.exceptions.SSLError(error, request=request)


def _connect_timeout(request: requests.PreparedRequest, _: float) -> Exception:
    pool = HTTPConnectionPool("drchrono.invalid")
    reason = ConnectTimeoutError(pool, f"Connection to {request.url} timed out")
    error = MaxRetryError(pool, request.url or "", reason)
    return requests.exceptions.ConnectTimeout(error, request=request)


def _proxy(request: requests.PreparedRequest, _: float) -> Exception:
    pool = HTTPConnectionPool("drchrono.invalid")
    error = MaxRetryError(pool, request.url or "", OSError("no tunnel"))
    return requests.exceptions.ProxyError(error, request=request)


def _aborted(cause: Exception) -> t.Any:
    def make(request: requests.PreparedRequest, _: float) -> Exception:
        text = f"Connection aborted by {request.url}"
        return requests.ConnectionError(ProtocolError(text, cause), request=request)

    return make


class KilledError(BaseException):
    """The process is killed: nothing in it runs any more."""


CUTS: Mapping[str, t.Any] = {
    "close": _aborted(RemoteDisconnected("Remote end closed connection")),
    "reset": _aborted(ConnectionResetError(104, "Connection reset by peer")),
    "refused": _pool_error(lambda pool: NewConnectionError(pool, "refused")),
    "unknown host": _pool_error(
        lambda pool: NameResolutionError("drchrono.invalid", pool, OSError())
    ),
    "no connection in time": _connect_timeout,
    "bad certificate": _tls,
    "bad proxy": _proxy,
}
"""Ends without an answer, by name."""


class SandboxAdapter(HTTPAdapter):
    """Hands requests to the sandbox's core, and errs like a socket would."""

    def __init__(
        self, api: Api, clock: SimulatedClock, cut: str = "", kill_at: int = 0
    ) -> None:
        super().__init__()
        self._left = kill_at
        self._sent = 0
        self._api = api
        self._clock = clock
        self._cut = cut

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - the library's signature
        timeout: t.Any = None,
        verify: t.Any = True,  # noqa: FBT002 - the library's signature
        cert: t.Any = None,
        proxies: t.Any = None,
    ) -> requests.Response:
        del stream, cert, proxies
        assert verify, "TLS certificates are not checked"
        assert timeout
        self._sent += 1
        assert self._sent < _ENDLESS, "the run has no end"
        self._left -= 1
        if self._left == 0:
            raise KilledError
        url = request.url or ""
        answer = self._api.handle(
            Request.of(request.method or "", url, request.headers, request.body)
        )
        self._clock.pass_(_LATENCY)
        body = answer.body
        date = email.utils.formatdate(self._clock.time, usegmt=True)
        headers = {"date": date, **answer.headers}
        if wrong := answer.misbehaviour:
            self._clock.pass_(min(wrong.delay, timeout))
            if wrong.delay >= timeout:
                pool = HTTPConnectionPool("drchrono.invalid")
                reason = ReadTimeoutError(pool, url, f"Read timed out: {url}")
                raise requests.ReadTimeout(reason, request=request)
            if wrong.cut in {"close", "reset", "hang"}:
                kind = "close" if wrong.cut == "hang" else wrong.cut
                raise CUTS[self._cut or kind](request, timeout)
            if wrong.cut == "truncate":
                headers["content-length"] = str(len(body) + 1)
                body = body[: len(body) // 2]
        raw = HTTPResponse(
            body=io.BytesIO(body),
            headers=headers,
            status=answer.status,
            preload_content=False,
            request_method=request.method,
        )
        return self.build_response(request, raw)


def settings_for(api: Api, directory: Path, **changes: t.Any) -> dict[str, t.Any]:
    """The settings with which the sandbox is read."""
    mark, app = api.settings.mark, api.settings.apps[0]
    settings = {
        "api_url": URL,
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "refresh_token": mark + REFRESH_TOKEN,
        "credentials_path": str(directory / "credentials" / "pair.json"),
    } | changes
    if "access_token" in changes:
        for name in ("client_id", "client_secret", "refresh_token", "credentials_path"):
            del settings[name]
    return settings


def pasted(api: Api) -> str:
    """The access token that the sandbox's user would paste."""
    return api.settings.mark + ACCESS_TOKEN


def catalog_of(*streams: str, extra: str = "") -> dict[str, t.Any]:
    """A catalog that selects these streams, with those that are offered on request."""
    catalog: dict[str, t.Any] = TapDrchrono(
        config={"access_token": "x", "extra_streams": extra}, setup_mapper=False
    ).catalog_dict
    for entry in catalog["streams"]:
        root = next(one for one in entry["metadata"] if not one["breadcrumb"])
        root["metadata"]["selected"] = entry["tap_stream_id"] in streams
    return catalog


def run(
    api: Api,
    clock: SimulatedClock,
    directory: Path,
    settings: Mapping[str, t.Any],
    *,
    state: object = None,
    catalog: object = None,
    cut: str = "",
    kill_at: int = 0,
    over_sockets: bool = False,
    level: str = "DEBUG",
    environment: Mapping[str, str] | None = None,
    options: Iterable[str] = (),
) -> Ended:
    """Run the command line once.

    Args:
        api: The source.
        clock: The tap's clock; the source should have the same.
        directory: For files.
        settings: The settings.
        state: The state of the run before.
        catalog: Selects streams.
        cut: How connections end that the sandbox's `close` ends, one of `CUTS`.
        kill_at: The number of the request at which the process is killed; 0 for none.
        over_sockets: Whether requests go to `api_url` instead of the sandbox's core.
        level: The log level.
        environment: Further environment variables.
        options: Further options of the command line.
    """
    arguments = ["tap-drchrono", *options]
    files = {"config": settings, "state": state, "catalog": catalog}
    for name, content in files.items():
        if content is not None:
            path = directory / f"{name}.json"
            path.write_text(json.dumps(content))
            arguments += [f"--{name}", str(path)]
    clock.restart()
    before = clock.now()
    session = requests.Session()
    if not over_sockets:
        session.mount("http://", SandboxAdapter(api, clock, cut, kill_at))
    output = io.TextIOWrapper(io.BytesIO(), write_through=True)
    log = io.StringIO()
    variables = {"LOGLEVEL": level, **(environment or {})}
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(sys, "argv", arguments))
        stack.enter_context(mock.patch.dict("os.environ", variables))
        stack.enter_context(contextlib.redirect_stdout(output))
        stack.enter_context(contextlib.redirect_stderr(log))
        stack.enter_context(_process_globals())
        try:
            main(Outside(clock, session))
        except SystemExit as end:
            status = end.code
        except KilledError:
            status = -signal.SIGKILL
    assert isinstance(status, int)
    written: bytes = output.buffer.getvalue()  # type: ignore[attr-defined]
    return Ended(status, written, log.getvalue(), clock.now() - before)


@contextlib.contextmanager
def _process_globals() -> t.Iterator[None]:
    """Put back what a command line changes for its whole process."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    handlers = [(n, signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGTERM)]
    hook = sys.excepthook
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        sys.excepthook = hook
        for signum, handler in handlers:
            signal.signal(signum, handler)
        for logger, level, kept in before:
            logger.setLevel(level)
            logger.handlers[:] = kept
