"""Cut the fields that plain records have out of the vendor's OpenAPI document.

`python sandbox/cut_fields.py OPENAPI.yaml` writes `drchrono_sandbox/plain/fields.json`:
names, types and values of the fields of all plain lists, those that the sandbox doesn't
serve included, and none of the vendor's texts. A record is an object of its fields; a
field is the name of its type, `["one", "of", "these"]` below `choice`, `[field]` for a
list, or an object of fields below `fields`.
"""  # noqa: INP001 - a script beside the package

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

import yaml

Json: t.TypeAlias = t.Any

TARGET = Path(__file__).parent / "drchrono_sandbox" / "plain" / "fields.json"
_CHOICES = 8
_LISTED_IN_BULK = frozenset(
    {
        "appointments",
        "clinical_note_field_values",
        "clinical_notes",
        "eligibility_checks",
        "line_items",
        "patients",
        "patients_summary",
        "prescription_messages",
        "transactions",
    }
)
_TYPES = {
    "string": "text",
    "integer": "integer",
    "number": "decimal",
    "boolean": "flag",
}
_FORMATS = {"date": "day", "date-time": "moment"}


class _Document:
    """An OpenAPI document."""

    def __init__(self, path: Path) -> None:
        self._whole: Json = yaml.safe_load(path.read_text(encoding="utf-8"))

    def records(self) -> dict[str, Json]:
        """Find the schemas of the records that plain lists hold, by stream."""
        found = {}
        for path, operations in self._whole["paths"].items():
            answer = operations["get"]["responses"]["200"].get("content", {})
            schema = answer.get("application/json", {}).get("schema", {})
            page = schema.get("properties", {})
            rows = page.get("data") or page.get("results")
            name = path.removeprefix("/api/").strip("/")
            if rows and "next" in page and name not in _LISTED_IN_BULK:
                found[name] = self._resolve(rows["items"])
        return found

    def fields(self, schema: Json) -> Json:
        """Describe the fields of an object."""
        return {
            name: self._field(self._resolve(inner))
            for name, inner in sorted(schema["properties"].items())
        }

    def _resolve(self, schema: Json) -> Json:
        if "$ref" not in schema:
            return schema
        return self._whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]]

    def _field(self, schema: Json) -> Json:
        kind = schema.get("type", "string")
        if kind == "array":
            return [self._field(self._resolve(schema.get("items", {})))]
        if kind == "object":
            return {"fields": self.fields(schema)}
        if choices := schema.get("enum"):
            return {"choice": choices[:_CHOICES]}
        return _FORMATS.get(schema.get("format", ""), _TYPES[kind])


def cut(document: Path) -> Json:
    """Describe the records of all plain lists.

    Args:
        document: The OpenAPI document.

    Returns:
        By stream: its fields, and which of them need `verbose=true`.
    """
    source = _Document(document)
    return {
        name: {
            "verbose_only": sorted(record.get("x-verbose-required", ())),
            "fields": source.fields(record),
        }
        for name, record in sorted(source.records().items())
    }


def main() -> None:
    """Write the fields."""
    text = json.dumps(cut(Path(sys.argv[1])), indent=1, ensure_ascii=False)
    TARGET.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
