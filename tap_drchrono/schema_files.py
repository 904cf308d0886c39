"""The schema files: the columns of each stream, and which could give a patient away.

A file marks its stream and its columns with `x-phi`: true where a value can identify a
patient by itself or is free text. A column without a mark has that of the object it is
in, and without one there, that of the stream. The marks are for people and for the
recipes in the documentation; catalogs and messages never hold them.
"""

from __future__ import annotations

import json
import typing as t
from importlib import resources

from singer_sdk.schema.source import SchemaDirectory
from typing_extensions import override

if t.TYPE_CHECKING:
    from collections.abc import Iterator

Schema: t.TypeAlias = dict[str, t.Any]

_FILES = resources.files("tap_drchrono") / "schemas"
_PHI = "x-phi"


class SchemaFiles(SchemaDirectory):
    """The schemas as they go into catalogs and messages: without marks of our own."""

    @override
    def fetch_schema(self, key: str) -> Schema:
        """Read one schema.

        Args:
            key: The stream's name.

        Returns:
            Its JSON Schema, without marks.
        """
        return _without_marks(super().fetch_schema(key))


SCHEMAS = SchemaFiles(_FILES)


def marks(stream: str) -> dict[str, bool]:
    """Tell of each column of a stream whether it could give a patient away.

    Args:
        stream: The stream's name.

    Returns:
        The columns that hold values, by their dotted name, such as
        `billing_notes.text`, in the order of the file; true where a value can identify
        a patient or is free text.
    """
    schema = json.loads((_FILES / f"{stream}.json").read_text("utf-8"))
    return dict(_marks(schema, inherited=schema[_PHI]))


def phi_columns(stream: str) -> frozenset[str]:
    """Name the columns of a stream that could give a patient away.

    Args:
        stream: The stream's name.

    Returns:
        Their dotted names, as `marks` has them.
    """
    return frozenset(column for column, marked in marks(stream).items() if marked)


def _marks(
    schema: Schema, *, inherited: bool, prefix: str = ""
) -> Iterator[tuple[str, bool]]:
    """Walk through all columns that hold values, those in objects and arrays too."""
    for name, field in schema["properties"].items():
        marked = field.get(_PHI, inherited)
        item = field.get("items", field)
        if "properties" in item:
            yield from _marks(item, inherited=marked, prefix=f"{prefix}{name}.")
        else:
            yield prefix + name, marked


def _without_marks(schema: Schema) -> Schema:
    """Copy a schema without what is marked as ours, at any depth."""
    copy = {name: part for name, part in schema.items() if name != _PHI}
    if "properties" in copy:
        copy["properties"] = {
            name: _without_marks(field) for name, field in copy["properties"].items()
        }
    if "items" in copy:
        copy["items"] = _without_marks(copy["items"])
    return copy
