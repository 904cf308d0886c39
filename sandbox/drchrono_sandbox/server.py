"""The API on a socket of this machine, for a while."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import socket
import threading
import time
import typing as t

import uvicorn

from drchrono_sandbox.api import Api
from drchrono_sandbox.app import CuttableProtocol, create_app
from drchrono_sandbox.practice import Practice

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from drchrono_sandbox.faults import Fault
    from drchrono_sandbox.settings import Settings

_START_SECONDS = 10.0
_STOP_SECONDS = 10.0
_BACKLOG = 128


class Served(t.NamedTuple):
    """A running sandbox.

    Attributes:
        url: Its base URL, without a slash at the end.
        api: The API itself, to look at or to change.
    """

    url: str
    api: Api


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket on a loopback address.

    Args:
        host: A loopback address or `localhost`.
        port: The port; 0 for a free one.

    Returns:
        The socket.

    Raises:
        ValueError: If the address is not a loopback address.
    """
    address = "127.0.0.1" if host == "localhost" else host
    try:
        is_loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        msg = f"The sandbox listens on loopback addresses only, not on {host!r}"
        raise ValueError(msg)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, port), family=family, backlog=_BACKLOG)
    # The event loop does it only for sockets that name their protocol. Head and body of
    # an answer are sent one by one, and would wait 40 ms for each other.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def url_of(listener: socket.socket) -> str:
    """Tell the URL of a listening socket.

    Args:
        listener: The socket.

    Returns:
        The base URL, without a slash at the end.
    """
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def make_server(api: Api) -> uvicorn.Server:
    """Set up a server without starting it.

    Args:
        api: What it serves.

    Returns:
        The server; run it with a listening socket.
    """
    # Connections that are cut on purpose are no errors worth a log line.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        create_app(api),
        http=CuttableProtocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


@contextlib.contextmanager
def serve(
    settings: Settings | None = None,
    *,
    practice: Practice | None = None,
    api: Api | None = None,
    faults: Iterable[Fault | Mapping[str, t.Any]] = (),
    port: int = 0,
) -> Iterator[Served]:
    """Run the sandbox in this process, in a thread of its own.

    Args:
        settings: How the API behaves.
        practice: Its records; a generated one of 300 records a stream if None.
        api: A whole API instead of the other arguments.
        faults: What goes wrong.
        port: The port; a free one if 0.

    Yields:
        The running sandbox; it is stopped at the end of the `with` block.

    Raises:
        RuntimeError: If it doesn't start in time.
    """
    if api is None:
        practice = practice or Practice.generate(records=300)
        api = Api(practice, settings, faults=faults)
    listener = listen("127.0.0.1", port)
    server = make_server(api)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, daemon=True
    )
    thread.start()
    until = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > until:
            listener.close()
            msg = f"The sandbox did not start within {_START_SECONDS:.0f} s"
            raise RuntimeError(msg)
        time.sleep(0.002)
    try:
        yield Served(url_of(listener), api)
    finally:
        server.should_exit = server.force_exit = True
        thread.join(_STOP_SECONDS)
        listener.close()
