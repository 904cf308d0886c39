"""One target: what is loaded from the messages of one run or more."""

from __future__ import annotations

import gzip
import json
import typing as t
from decimal import Decimal

import jsonschema

Rows: t.TypeAlias = dict[str, dict[str, t.Any]]
"""Rows of a table, by key as text."""


class Target:
    """A copy of the source, kept by what the tap writes.

    Each record is checked against its stream's schema when it arrives, unless that
    takes too long for a test that is about something else; each line must be whole.
    """

    def __init__(self, *, checks: bool = True) -> None:
        self._checks = checks
        self.messages: list[dict[str, t.Any]] = []
        self.schemas: dict[str, dict[str, t.Any]] = {}
        self.keys: dict[str, list[str]] = {}
        self.tables: dict[str, Rows] = {}
        self.emitted: dict[str, int] = {}
        self.states: list[dict[str, t.Any]] = []
        self.versions: dict[str, int] = {}
        self._validators: dict[str, t.Any] = {}

    @property
    def received(self) -> int:
        """Records that came, of all streams."""
        return sum(self.emitted.values())

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
        assert stream in self.schemas, "a RECORD before its SCHEMA"
        if self._checks:
            self._validators[stream].validate(record)
        columns = list(self.schemas[stream]["properties"])
        assert list(record) == columns, f"{stream}: not the columns of the SCHEMA"
        (name,) = self.keys[stream]
        assert record[name] is not None
        self.tables[stream][str(record[name])] = record
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
