"""Write docs/streams.md from the schemas: `python docs/generate_streams.py`."""  # noqa: INP001 - a script beside the pages it makes

from __future__ import annotations

import json
import typing as t
from pathlib import Path

if t.TYPE_CHECKING:
    from collections.abc import Iterator

Schema: t.TypeAlias = dict[str, t.Any]

DOCS = Path(__file__).parent
SCHEMAS = DOCS.parent / "tap_drchrono" / "schemas"
PAGE = DOCS / "streams.md"

STREAMS = (
    "appointments",
    "patients",
    "line_items",
    "transactions",
    "prescription_messages",
    "eligibility_checks",
    "clinical_notes",
    "clinical_note_field_values",
)


class Join(t.NamedTuple):
    """A column of one stream that holds the key of another.

    Attributes:
        child: The stream that has the column.
        column: The column.
        parent: The stream whose key it holds.
        many: Whether several children share a parent.
    """

    child: str
    column: str
    parent: str
    many: bool = True


JOINS = (
    Join("appointments", "patient", "patients"),
    Join("line_items", "appointment", "appointments"),
    Join("line_items", "patient", "patients"),
    Join("transactions", "line_item", "line_items"),
    Join("transactions", "appointment", "appointments"),
    Join("transactions", "patient", "patients"),
    Join("prescription_messages", "patient", "patients"),
    Join("prescription_messages", "parent_message", "prescription_messages"),
    Join("eligibility_checks", "patient", "patients"),
    Join("eligibility_checks", "appointment", "appointments"),
    Join("clinical_notes", "patient", "patients"),
    Join("clinical_notes", "appointment", "appointments", many=False),
    Join("clinical_note_field_values", "appointment", "appointments"),
    Join("clinical_note_field_values", "appointment", "clinical_notes"),
)

INTRODUCTION = """\
# Streams

<!-- Written by `python docs/generate_streams.py` from tap_drchrono/schemas. -->

Every column with its type. `a.b` is a field of the object `a`; `a[].b` is a field of
each object in the array `a`. All columns but the key may be null. A column that is
marked *verbose only* is null when `verbose` is off.

- **number**: exactly the digits that the API sent, never rounded through a float.
- **timestamp**: as the API wrote it, without a zone.
- **JSON text**: one text column that holds JSON of varying form. A plain string is
  encoded too, so the text can always be parsed.
- **`_extra`**: what no column could hold, as the text of a JSON object. A field inside
  `a` is found under `a.b`; where `a` is an array, its value is a list with one place
  for each item.

## How the streams join
"""


def load(stream: str) -> Schema:
    """Read a schema.

    Args:
        stream: The stream's name.

    Returns:
        Its JSON Schema.
    """
    schema: Schema = json.loads((SCHEMAS / f"{stream}.json").read_text("utf-8"))
    return schema


def kinds(field: Schema) -> list[str]:
    """List the JSON types that a field may have.

    Args:
        field: The field's schema.

    Returns:
        One or two names, such as `["string", "null"]`.
    """
    types: str | list[str] = field["type"]
    return [types] if isinstance(types, str) else types


def key(schema: Schema) -> str:
    """Find the primary key: the one column that is never null.

    Args:
        schema: The stream's schema.

    Returns:
        The key's name.
    """
    (name,) = (
        name
        for name, field in schema["properties"].items()
        if "null" not in kinds(field)
    )
    return str(name)


def type_name(field: Schema) -> str:
    """Name a field's type for people.

    Args:
        field: The field's schema.

    Returns:
        Such as `number` or `array of text`.
    """
    if "contentMediaType" in field:
        return "JSON text"
    kind = kinds(field)[0]
    if kind == "array":
        return f"array of {type_name(field['items'])}"
    if kind == "string":
        return {"date": "date", "date-time": "timestamp"}.get(
            field.get("format", ""), "text"
        )
    return kind


def columns(schema: Schema, prefix: str = "") -> Iterator[tuple[str, Schema]]:
    """Walk through all columns, nested ones after their parent.

    Args:
        schema: The schema of a stream, an object or an array.
        prefix: What stands before the names.

    Yields:
        The dotted name and the schema of each.
    """
    for name, field in schema.get("properties", {}).items():
        yield f"{prefix}{name}", field
        yield from columns(field, f"{prefix}{name}.")
        yield from columns(field.get("items", {}), f"{prefix}{name}[].")


def render() -> str:
    """Make the page.

    Returns:
        The text of docs/streams.md.
    """
    lines = [INTRODUCTION, "```mermaid", "erDiagram"]
    for join in JOINS:
        ends = "|o--o{" if join.many else "||--o|"
        lines.append(f"    {join.parent} {ends} {join.child} : {join.column}")
    lines.append("```")
    for stream in STREAMS:
        schema = load(stream)
        lines += [
            "",
            f"## {stream}",
            "",
            schema["description"],
            "",
            f"Key: `{key(schema)}`. Replication key: `updated_at`.",
            "",
            "| column | type | description |",
            "| --- | --- | --- |",
        ]
        lines += [
            f"| `{name}` | {type_name(field)} | {field['description']} |"
            for name, field in columns(schema)
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(), "utf-8")
