"""A copy of the source, kept up to date from Singer messages like a target does it."""

from __future__ import annotations

import json
import re
import typing as t
from decimal import Decimal

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from drchrono_sandbox import Api

KEYS = {"clinical_notes": "appointment"}
"""Key fields that are not `id`."""

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_SPACED = re.compile(r"(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})")
_SIGNATURE = re.compile(r"Signature=\w+")

Rows: t.TypeAlias = "dict[str, dict[str, t.Any]]"
Source: t.TypeAlias = "dict[str, Rows]"


def key_of(stream: str) -> str:
    return KEYS.get(stream, "id")


class Copy:
    """What a target holds after the messages of one run or more."""

    def __init__(self) -> None:
        self.rows: dict[str, Rows] = {}
        self.state: dict[str, t.Any] | None = None
        self.described: set[str] = set()
        self.received = 0

    def take(self, output: bytes) -> Copy:
        """Take in what a run wrote; a half-written line is a failure of the test."""
        assert not output or output.endswith(b"\n"), "the last line is not whole"
        for line in output.splitlines():
            message = json.loads(line, parse_float=Decimal)
            kind = message["type"]
            if kind == "SCHEMA":
                self.described.add(message["stream"])
            elif kind == "STATE":
                self.state = message["value"]
            else:
                assert kind == "RECORD"
                self._upsert(message["stream"], message["record"])
        return self

    def _upsert(self, stream: str, record: dict[str, t.Any]) -> None:
        assert stream in self.described, "a RECORD before its SCHEMA"
        self.received += 1
        key = str(record[key_of(stream)])
        self.rows.setdefault(stream, {})[key] = record

    def bookmark(self, stream: str) -> str | None:
        bookmarks = (self.state or {}).get("bookmarks", {})
        return bookmarks.get(stream, {}).get("replication_key_value")


def source_of(api: Api, streams: Iterable[str], *, verbose: bool = True) -> Source:
    """What the source holds, by stream and key, in a form that can be compared."""
    return {
        stream: {
            str(record[key_of(stream)]): plain(record)
            for record in api.records(stream, verbose=verbose)
        }
        for stream in streams
    }


def differences(
    copy: Copy, source: Source, *, gone: Collection[str] = ()
) -> dict[str, list[str]]:
    """Name the keys in which a copy differs from its source.

    Args:
        copy: The copy.
        source: The source; other streams are not compared.
        gone: `stream/key` of records that were deleted where deletions are not visible.
    """
    found = {}
    for stream, wanted in source.items():
        rows = copy.rows.get(stream, {})
        found[stream] = [
            key
            for key in {**wanted, **rows}
            if wanted.get(key) != plain(rows.get(key))
            and not (key not in wanted and f"{stream}/{key}" in gone)
        ]
    return {stream: keys for stream, keys in found.items() if keys}


def plain(value: t.Any) -> t.Any:
    """Reduce a value to what it says, as text, whatever its type; "" says nothing."""
    if isinstance(value, dict):
        inner = {name: plain(one) for name, one in value.items()}
        return {name: one for name, one in inner.items() if one is not None}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if value is None or isinstance(value, str):
        return _plain_text(value or "")
    return str(value).lower() if isinstance(value, bool) else _digits(str(value))


def _plain_text(text: str) -> t.Any:
    text = _SIGNATURE.sub("", text)
    if text.startswith(("{", "[", '"')):
        try:
            return plain(json.loads(text, parse_float=Decimal))
        except ValueError:
            return text
    if moment := _SPACED.fullmatch(text):
        return "T".join(moment.groups())
    return _digits(text) if _NUMBER.fullmatch(text) else text or None


def _digits(text: str) -> str:
    return f"{Decimal(text).normalize():f}"
