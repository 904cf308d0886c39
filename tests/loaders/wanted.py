"""What a table must hold for a raw record, told apart from the tap's own casting."""

from __future__ import annotations

import datetime as dt
import json
import re
import typing as t
from decimal import Decimal

from awkward import UNREADABLE
from comparison import JSON_TEXT
from loaders import Form

if t.TYPE_CHECKING:
    from loaders import Row

Schema: t.TypeAlias = "dict[str, t.Any]"

EXACT = Form(exact=True, empty=True)

_SCALARS: dict[tuple[str, str | None], t.Callable[[t.Any], t.Any]] = {
    ("number", None): lambda raw: Decimal(str(raw)),
    ("integer", None): int,
    ("boolean", None): lambda raw: raw,
    ("string", None): str,
    ("string", "date"): str,
    ("string", "date-time"): lambda raw: raw.replace(" ", "T"),
}
_SIGNATURE = re.compile(r"Signature=[0-9a-f]+")


def wanted(stream: str, raw: Row, schema: Schema) -> Row:
    """The row of a record, `_extra` included, every column of the schema present."""
    extra: Row = {}
    unreadable = UNREADABLE.get(stream)
    row = _object(raw, schema, (), extra, unreadable)
    return row | {"_extra": extra or None}


def _object(
    raw: Row,
    schema: Schema,
    path: tuple[str, ...],
    extra: Row,
    unreadable: tuple[str, t.Any] | None = None,
) -> Row:
    row = {}
    for name, value in raw.items():
        where = (*path, name)
        if name not in schema["properties"]:
            extra[".".join(where)] = value
        elif unreadable is not None and (name, _plain(value)) == unreadable:
            extra[name], row[name] = value, None
        else:
            row[name] = _value(value, schema["properties"][name], where, extra)
    return row


def _plain(value: t.Any) -> t.Any:
    return float(value) if isinstance(value, Decimal) else value


def _value(raw: t.Any, schema: Schema, path: tuple[str, ...], extra: Row) -> t.Any:
    kind, form = kind_of(schema), schema.get("format")
    if path[-1] in JSON_TEXT or "contentMediaType" in schema:
        return raw
    if raw is None or (raw == "" and (kind != "string" or form)):
        return None
    if kind == "object":
        return _object(raw, schema, path, extra)
    if kind == "array":
        return _array(raw, schema["items"], path, extra)
    return _SCALARS[kind, form](raw)


def _array(
    raw: list[t.Any], schema: Schema, path: tuple[str, ...], extra: Row
) -> list[t.Any]:
    found: list[Row] = [{} for _ in raw]
    items = [
        _value(item, schema, path, more) for item, more in zip(raw, found, strict=True)
    ]
    for name in {name for more in found for name in more}:
        extra[name] = [more.get(name) for more in found]
    return items


def kind_of(schema: Schema) -> str:
    """The one type of a field that is not null."""
    types = {schema["type"]} if isinstance(schema["type"], str) else {*schema["type"]}
    (kind,) = types - {"null"}
    return str(kind)


class Column(t.NamedTuple):
    """A column of a table.

    Attributes:
        name: Its name there.
        path: Where its value is in a row of the source: a field, or one in an object.
        schema: The schema of that field.
        as_text: Whether what is nested arrives as JSON text.
    """

    name: str
    path: tuple[str, ...]
    schema: Schema
    as_text: bool

    def want(self, row: Row, form: Form) -> t.Any:
        """What the column must hold, in a form that can be compared."""
        value: t.Any = row
        for name in self.path:
            value = (value or {}).get(name)
        return _comparable(value, self.schema, EXACT if self.as_text else form)

    def found(self, row: Row, form: Form) -> t.Any:
        """What the column holds, in the same form."""
        value = row.get(self.name)
        if self.as_text and value is not None:
            return inside(json.loads(value, parse_float=Decimal), EXACT)
        return _comparable(value, self.schema, form)


def columns(schema: Schema, *, flattened: bool) -> list[Column]:
    """The columns of a table.

    Args:
        schema: The stream's schema, not flattened.
        flattened: Whether objects are taken apart; what stays nested is text then.
    """
    found = []
    for name, field in schema["properties"].items():
        if flattened and "properties" in field:
            found += [
                Column(_flat_name(name, inner), (name, inner), its_field, as_text=False)
                for inner, its_field in field["properties"].items()
            ]
        else:
            is_nested = kind_of(field) in {"object", "array"}
            as_text = "contentMediaType" in field or (flattened and is_nested)
            found.append(Column(name, (name,), field, as_text))
    return found


def _flat_name(outer: str, inner: str) -> str:
    """PostgreSQL cuts a name after 63 bytes, so longer ones begin with initials."""
    name = f"{outer}__{inner}"
    if len(name) <= 63:
        return name
    return "".join(word[0] for word in outer.split("_")) + f"__{inner}"


def _comparable(value: t.Any, schema: Schema, form: Form) -> t.Any:
    if value is None:
        return None
    if "contentMediaType" in schema:
        return inside(value, EXACT)
    if value == "" and not form.empty:
        return None
    if schema.get("format") == "date-time":
        return dt.datetime.fromisoformat(value)
    return inside(value, form)


def inside(value: t.Any, form: Form) -> t.Any:
    """Bring a value, nested or not, into a form that can be compared."""
    if isinstance(value, dict):
        return {name: inside(one, form) for name, one in value.items()}
    if isinstance(value, list):
        return [inside(one, form) for one in value]
    if isinstance(value, str):
        # No database stores this character, so the tap replaces it.
        return _SIGNATURE.sub("", value).replace("\0", "\ufffd")
    if isinstance(value, bool) or value is None:
        return value
    return "number", Decimal(value) if form.exact else float(value)
