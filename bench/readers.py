"""Three ways to read the same practice: the tap, and two plain loops beside it."""

from __future__ import annotations

import logging
import resource
import time
import typing as t

import requests
from singer_sdk.singerlib.messages import RecordMessage
from typing_extensions import override

from bench.simulation import Adapter, VirtualClock
from tap_drchrono.engine import Outside
from tap_drchrono.records.messages import MessageWriter
from tap_drchrono.tap import TapDrchrono

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drchrono_sandbox.api import Api
    from singer_sdk.singerlib.messages import Message

    Reader = Callable[["Api", VirtualClock, "Sequence[str]"], "Result"]

_URL = "http://127.0.0.1"
_TOKEN = {"Authorization": "Bearer sandbox-access"}
_POLL = 10.0
"""Seconds between two polls in the vendor's sample loop."""


class Result(t.NamedTuple):
    """What a read cost, and what it brought.

    Attributes:
        requests: Requests sent.
        seconds: Virtual seconds from the first request to the last answer.
        emitted: Records handed on.
        keys: Streams and keys handed on.
        throttled: Answers with 429.
        cpu: CPU seconds of the client alone.
        codec: CPU seconds to decode and encode the same records, and nothing else.
        peak: Peak memory of the process in MiB, the simulated API included.
    """

    requests: int
    seconds: float
    emitted: int
    keys: frozenset[tuple[str, str]]
    throttled: int
    cpu: float
    codec: float
    peak: float


class _Sink(MessageWriter):
    """Encodes messages as they would be written, and keeps only the keys."""

    def __init__(self, *, keep_keys: bool) -> None:
        super().__init__()
        self.records = 0
        self.keys: set[tuple[str, str]] = set()
        self._keep_keys = keep_keys

    @override
    def write_message(self, message: Message) -> None:
        self.serialize_message(message)
        if isinstance(message, RecordMessage):
            self.records += 1
            if self._keep_keys:
                key = message.record.get("id") or message.record["appointment"]
                self.keys.add((message.stream, str(key)))


def read_with_tap(
    api: Api,
    clock: VirtualClock,
    streams: Sequence[str],
    *,
    keep_keys: bool = True,
    state: dict[str, t.Any] | None = None,
    **config: object,
) -> Result:
    """Read with the tap, in this process.

    Args:
        api: The simulated API.
        clock: Its clock.
        streams: The streams to select.
        keep_keys: Whether to remember which records came.
        state: Where the run before ended; changed to where this one ends.
        config: Further settings.

    Returns:
        The result.
    """
    logging.getLogger("tap-drchrono").setLevel(logging.ERROR)
    logging.getLogger("singer_sdk.metrics").setLevel(logging.ERROR)
    sink = _Sink(keep_keys=keep_keys)
    adapter = Adapter(api, clock)
    session = requests.Session()
    session.mount(_URL, adapter)
    tap = TapDrchrono(
        outside=Outside(clock, session),
        config={"access_token": "sandbox-access", "api_url": _URL, **config},
        message_writer=sink,
        state=state,
    )
    for name, stream in tap.streams.items():
        stream.selected = name in streams
    started = time.process_time()
    status = tap.sync()
    cpu = time.process_time() - started - adapter.cpu - adapter.codec
    if status:
        msg = f"The tap ended with {status}"
        raise RuntimeError(msg)
    if state is not None:
        state.update(tap.state)
    return _result(adapter, sink.records, sink.keys, cpu)


def read_with_sample_loop(
    api: Api, clock: VirtualClock, streams: Sequence[str]
) -> Result:
    """Read as the vendor's sample does: page by page, a poll every ten seconds."""
    return _read_page_by_page(api, clock, streams, first_poll=0.0, poll=_POLL)


def read_with_page_numbers(
    api: Api, clock: VirtualClock, streams: Sequence[str]
) -> Result:
    """Read page by page as well, but poll every two seconds."""
    return _read_page_by_page(api, clock, streams, first_poll=2.0, poll=2.0)


def _read_page_by_page(
    api: Api,
    clock: VirtualClock,
    streams: Sequence[str],
    *,
    first_poll: float,
    poll: float,
) -> Result:
    """Read with plain page numbers, one list at a time."""
    session = requests.Session()
    adapter = Adapter(api, clock)
    session.mount(_URL, adapter)
    emitted = 0
    keys: set[tuple[str, str]] = set()
    started = time.process_time()
    for stream in streams:
        page, pages = 1, 1
        while page <= pages:
            url = f"{_URL}/api/{stream}_list"
            params = {
                "since": "1970-01-01",
                "order_by": "updated_at",
                "page": str(page),
                "page_size": "1000",
                "verbose": "true",
                "show_archived": "true",
                "show_inactive": "true",
            }
            posted = session.post(url, params=params, headers=_TOKEN).json()
            if "uuid" not in posted:
                return _result(adapter, emitted, keys, 0.0)
            clock.sleep(first_poll)
            while True:
                answer = session.get(
                    url, params={"uuid": posted["uuid"]}, headers=_TOKEN
                ).json()
                if answer.get("status") != "In progress":
                    break
                clock.sleep(poll)
            if "results" not in answer:
                return _result(adapter, emitted, keys, 0.0)
            for record in answer["results"]:
                emitted += 1
                keys.add((stream, str(record.get("id") or record["appointment"])))
            pages = answer["pagination"]["pages"]
            page += 1
    cpu = time.process_time() - started - adapter.cpu - adapter.codec
    return _result(adapter, emitted, keys, cpu)


def _result(
    adapter: Adapter, emitted: int, keys: set[tuple[str, str]], cpu: float
) -> Result:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Result(
        adapter.requests,
        adapter.seconds,
        emitted,
        frozenset(keys),
        adapter.throttled,
        cpu,
        adapter.codec,
        peak,
    )
