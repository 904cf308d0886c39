"""One comparison: what a target holds against what the sandbox has, by value.

`differences` names keys that differ, whatever the columns' types; `assert_equal` holds
each value against its column's type as well, told apart from the tap's own casting.
"""

from __future__ import annotations

import json
import re
import typing as t
from decimal import Decimal

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from drchrono_sandbox import Api
    from target import Rows, Target

    Source: t.TypeAlias = dict[str, Rows]

JSON_TEXT = frozenset({"json_data", "coverage_details", "coverage_subscriber"})
_SIGNATURE = re.compile(r"Signature=\w+")
KEYS = {"clinical_notes": "appointment"}
"""Key fields that are not `id`."""

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_SPACED = re.compile(r"(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})")


def key_of(stream: str) -> str:
    return KEYS.get(stream, "id")


def source(api: t.Any, stream: str, **kwargs: bool) -> list[dict[str, t.Any]]:
    """The records of the sandbox, with exact digits."""
    return json.loads(api.records_body(stream, **kwargs), parse_float=Decimal)


def extra_of(row: dict[str, t.Any]) -> dict[str, t.Any]:
    """What a row's `_extra` holds, with exact digits."""
    return json.loads(row.get("_extra") or "{}", parse_float=Decimal)


def assert_same(raw: t.Any, emitted: t.Any, schema: t.Any, path: str = "") -> None:
    """Check a value that can be read as its column's type."""
    if path.rpartition(".")[2] in JSON_TEXT and raw is not None:
        assert json.loads(emitted, parse_float=Decimal) == raw, path
        return
    kinds = {schema["type"]} if isinstance(schema["type"], str) else {*schema["type"]}
    (kind,) = kinds - {"null"}
    if kind == "object" and isinstance(raw, dict):
        assert not set(raw) - set(emitted), path
        assert list(emitted) == list(schema["properties"]), path
        for name, value in emitted.items():
            within = schema["properties"][name]
            assert_same(raw.get(name), value, within, f"{path}.{name}")
    elif kind == "array" and isinstance(raw, list):
        assert len(emitted) == len(raw), path
        for value, item in zip(raw, emitted, strict=True):
            assert_same(value, item, schema["items"], f"{path}[]")
    else:
        value = _scalar(raw, kind, schema.get("format"))
        if isinstance(value, str) and isinstance(emitted, str):
            value, emitted = _SIGNATURE.sub("", value), _SIGNATURE.sub("", emitted)
        # As text, so that 1.50 is not 1.5, and 1 not true.
        assert (type(emitted), str(emitted)) == (type(value), str(value)), path


def _scalar(raw: t.Any, kind: str, form: str | None) -> t.Any:
    if raw is None or (raw == "" and (kind != "string" or form)):
        return None
    match kind, form:
        case "number", _:
            value = Decimal(str(raw)) if "." in str(raw) else int(raw)
        case "integer", _:
            value = int(raw)
        case "boolean", _:
            value = str(raw).lower() in {"true", "1"}
        case _, "date-time":
            value = raw.replace(" ", "T")
        case _, "date":
            value = raw[:10]
        case _:
            value = str(raw)
    return value


def assert_equal(target: t.Any, stream: str, raw: list[dict[str, t.Any]]) -> None:
    """Check that a table holds exactly the records of the source."""
    (name,) = target.keys[stream]
    rows = target.tables[stream]
    wanted = {str(record[name]): record for record in raw}
    assert set(rows) == set(wanted), stream
    for key, record in wanted.items():
        assert_same(record, rows[key], target.schemas[stream], stream)


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
    target: Target, source: Source, *, gone: Collection[str] = ()
) -> dict[str, list[str]]:
    """Name the keys in which a target differs from its source.

    Args:
        target: The copy.
        source: The source; other streams are not compared.
        gone: `stream/key` of records that were deleted where deletions are not visible.
    """
    found = {}
    for stream, wanted in source.items():
        rows = target.tables.get(stream, {})
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


def leaves(value: t.Any, path: str = "") -> Iterator[tuple[str, t.Any]]:
    """All values within a record, with the paths of their columns."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield path, value
