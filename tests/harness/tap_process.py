"""Runs the tap as a process, and reads its messages as a target does."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
import typing as t
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import jsonschema

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TAP = Path(sys.executable).parent / "tap-drchrono"
PREFIX = "TAP_DRCHRONO_"
PATIENCE = 60.0
"""Seconds after which a tap that does not end has failed the test."""


class Target:
    """A copy of the source, kept by what the tap writes.

    Each record is checked against its stream's schema when it arrives; each line must
    be whole.
    """

    def __init__(self) -> None:
        self.messages: list[dict[str, t.Any]] = []
        self.schemas: dict[str, dict[str, t.Any]] = {}
        self.keys: dict[str, list[str]] = {}
        self.tables: dict[str, dict[t.Any, dict[str, t.Any]]] = {}
        self.emitted: dict[str, int] = {}
        self.states: list[dict[str, t.Any]] = []
        self.versions: dict[str, int] = {}
        self._validators: dict[str, t.Any] = {}

    @property
    def state(self) -> dict[str, t.Any] | None:
        """The last state."""
        return self.states[-1] if self.states else None

    def bookmark(self, stream: str) -> str | None:
        """The last bookmark of a stream."""
        if self.state is None:
            return None
        return self.state["bookmarks"].get(stream, {}).get("replication_key_value")

    def rows(self, stream: str) -> list[dict[str, t.Any]]:
        """The rows of a table."""
        return list(self.tables.get(stream, {}).values())

    def of_type(self, kind: str) -> list[dict[str, t.Any]]:
        """The messages of a type."""
        return [message for message in self.messages if message["type"] == kind]

    def read(self, output: bytes) -> Target:
        """Take in what a tap wrote."""
        assert not output or output.endswith(b"\n"), "the last line is not whole"
        for line in output.splitlines():
            self.take(json.loads(line, parse_float=Decimal))
        return self

    def take(self, message: dict[str, t.Any]) -> None:
        """Take in one message."""
        self.messages.append(message)
        stream = message.get("stream", "")
        match message["type"]:
            case "SCHEMA":
                self.schemas[stream] = message["schema"]
                self.keys[stream] = message["key_properties"]
                self.tables.setdefault(stream, {})
                self.emitted.setdefault(stream, 0)
                self._validators[stream] = jsonschema.Draft7Validator(message["schema"])
            case "RECORD":
                self.put(stream, message["record"])
            case "BATCH":
                for path in message["manifest"]:
                    for record in read_batch(path):
                        self.put(stream, record)
            case "STATE":
                self.states.append(message["value"])
            case "ACTIVATE_VERSION":
                self.versions[stream] = message["version"]
            case other:
                raise AssertionError(other)

    def put(self, stream: str, record: dict[str, t.Any]) -> None:
        """Insert or update a row."""
        self._validators[stream].validate(record)
        columns = list(self.schemas[stream]["properties"])
        assert list(record) == columns, f"{stream}: not the columns of the SCHEMA"
        key = tuple(record[name] for name in self.keys[stream])
        assert None not in key
        self.tables[stream][key] = record
        self.emitted[stream] += 1


def read_batch(path: str) -> list[dict[str, t.Any]]:
    """Read a batch file."""
    with gzip.open(path.removeprefix("file://"), "rt", encoding="utf-8") as file:
        return [json.loads(line, parse_float=Decimal) for line in file]


class Ended(t.NamedTuple):
    """A run of the tap that is over.

    Attributes:
        status: The exit status; negative after a signal that it did not handle.
        output: Standard output.
        log: Standard error.
        seconds: How long it ran.
    """

    status: int
    output: bytes
    log: str
    seconds: float

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.output.decode()

    def target(self, target: Target | None = None) -> Target:
        """Read the messages."""
        return (target or Target()).read(self.output)

    def good(self, target: Target | None = None) -> Target:
        """Read the messages of a run that must have gone well."""
        assert self.status == 0, self.log
        return self.target(target)


class Tap:
    """A tap with its settings, in a directory of its own."""

    def __init__(self, home: Path, **config: t.Any) -> None:
        self.home = home
        self.config = config

    def with_settings(self, **config: t.Any) -> Tap:
        """A tap with further settings."""
        return Tap(self.home, **(self.config | config))

    @cached_property
    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith((PREFIX, "MELTANO_", "SINGER_"))
        }
        return kept | {
            "XDG_STATE_HOME": str(self.home),
            "HOME": str(self.home),
            "NO_COLOR": "1",
        }

    def file(self, name: str, content: object) -> str:
        """Write a file for the tap, JSON unless it is text."""
        path = self.home / name
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def command(
        self,
        *args: str,
        catalog: object = None,
        state: object = None,
        config: bool = True,
    ) -> list[str]:
        """Put the command line together."""
        command = [str(TAP)]
        if config:
            command += ["--config", self.file("config.json", self.config)]
        if catalog is not None:
            command += ["--catalog", self.file("catalog.json", catalog)]
        if state is not None:
            command += ["--state", self.file("state.json", state)]
        return [*command, *args]

    def start(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        stdout: int = subprocess.PIPE,
        **files: t.Any,
    ) -> Running:
        """Start the tap."""
        return Running(
            subprocess.Popen(
                self.command(*args, **files),
                stdout=stdout,
                stderr=subprocess.PIPE,
                stdin=subprocess.DEVNULL,
                env=self._environment | dict(env or {}),
                cwd=self.home,
            )
        )

    def run(self, *args: str, **kwargs: t.Any) -> Ended:
        """Run the tap to its end."""
        with self.start(*args, **kwargs) as running:
            return running.end()

    def discover(self) -> dict[str, t.Any]:
        """Let the tap write its catalog."""
        ended = self.run("--discover", config=False)
        assert ended.status == 0, ended.log
        return json.loads(ended.output)


class Running:
    """A tap at work; what it writes is read as it comes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.started = time.monotonic()
        self._out = bytearray()
        self._err = bytearray()
        self._readers = [
            threading.Thread(target=_drain, args=(stream, into), daemon=True)
            for stream, into in (
                (process.stdout, self._out),
                (process.stderr, self._err),
            )
            if stream is not None
        ]
        self._reading = False

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if not self._reading:
            for stream in (self.process.stdout, self.process.stderr):
                if stream is not None:
                    stream.close()

    def read(self) -> Running:
        """Begin to read what it writes."""
        if not self._reading:
            self._reading = True
            for reader in self._readers:
                reader.start()
        return self

    def wait_for(self, condition: t.Callable[[], object]) -> None:
        """Wait until something holds, while the tap runs."""
        until = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None, self._err.decode()
            assert time.monotonic() < until, self._err.decode()
            time.sleep(0.01)

    def wait_for_output(self, text: bytes) -> None:
        """Wait until the tap has written something to standard output."""
        self.read()
        self.wait_for(lambda: text in self._out)

    def wait_for_log(self, text: str) -> None:
        """Wait until the tap has written something to standard error, in any case."""
        self.read()
        self.wait_for(lambda: text.lower().encode() in self._err.lower())

    def signal(self, signum: int) -> Ended:
        """Send a signal, and wait for the end; `seconds` count from the signal."""
        sent = time.monotonic()
        self.process.send_signal(signum)
        status = self.process.wait(PATIENCE)
        seconds = time.monotonic() - sent
        return self.end()._replace(status=status, seconds=seconds)

    def terminate(self) -> Ended:
        """Send SIGTERM."""
        return self.signal(signal.SIGTERM)

    def end(self) -> Ended:
        """Wait for the end."""
        self.read()
        status = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return Ended(
            status,
            bytes(self._out),
            self._err.decode(),
            time.monotonic() - self.started,
        )


def _drain(stream: t.IO[bytes], into: bytearray) -> None:
    with stream:
        while chunk := os.read(stream.fileno(), 1 << 16):
            into += chunk


def only(catalog: dict[str, t.Any], streams: Iterable[str]) -> dict[str, t.Any]:
    """Select these streams only."""
    wanted = set(streams)
    return select(
        catalog,
        {
            (entry["tap_stream_id"],): entry["tap_stream_id"] in wanted
            for entry in catalog["streams"]
        },
    )


def select(
    catalog: dict[str, t.Any], choices: Mapping[tuple[str, ...], bool]
) -> dict[str, t.Any]:
    """Select or deselect streams, `(stream,)`, and fields, `(stream, field, …)`."""
    catalog = json.loads(json.dumps(catalog))
    for (stream, *names), selected in choices.items():
        breadcrumb = [part for name in names for part in ("properties", name)]
        (entry,) = (e for e in catalog["streams"] if e["tap_stream_id"] == stream)
        for item in entry["metadata"]:
            if item["breadcrumb"] == breadcrumb:
                item["metadata"]["selected"] = selected
                break
        else:
            entry["metadata"].append(
                {"breadcrumb": breadcrumb, "metadata": {"selected": selected}}
            )
    return catalog
