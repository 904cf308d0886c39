"""What a column must hold for a raw value, told apart from the tap's own casting."""

from __future__ import annotations

import json
import re
import typing as t
from decimal import Decimal

JSON_TEXT = frozenset({"json_data", "coverage_details", "coverage_subscriber"})
_SIGNATURE = re.compile(r"Signature=[0-9a-f]+")


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
    keys = target.keys[stream]
    rows = target.tables[stream]
    wanted = {
        tuple(_key(record[name], name) for name in keys): record for record in raw
    }
    assert set(rows) == set(wanted), stream
    for key, record in wanted.items():
        assert_same(record, rows[key], target.schemas[stream], stream)


def _key(value: t.Any, name: str) -> t.Any:
    return str(value) if name == "appointment" else value
