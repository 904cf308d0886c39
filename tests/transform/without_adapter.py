"""Renders the models for a warehouse that is not there, and prints their SQL as JSON.

Only dbt's adapter is played: `ref`, `source` and the columns of the tables. Which macro
is meant for the warehouse is decided as dbt does.
"""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

import jinja2

# What a loader makes of each type of the tap's schemas, in Snowflake's words.
TYPES = {
    "string": "VARCHAR",
    "date": "DATE",
    "date-time": "TIMESTAMP_NTZ",
    "integer": "NUMBER(38,0)",
    "number": "FLOAT",
    "boolean": "BOOLEAN",
    "object": "VARIANT",
    "array": "VARIANT",
}


class Column(t.NamedTuple):
    """A column of a table, as an adapter tells of it."""

    name: str
    dtype: str


class Adapter:
    """Dispatches macros, and knows the tables."""

    def __init__(self, kind: str, tables: dict[str, list[Column]]) -> None:
        self.kind, self.tables = kind, tables
        self.macros: dict[str, t.Any] = {}

    def dispatch(self, name: str, _: str) -> t.Any:
        """Choose the macro of this warehouse, or else the default."""
        return (
            self.macros.get(f"{self.kind}__{name}") or self.macros[f"default__{name}"]
        )

    def quote(self, name: str) -> str:
        """Quote a name."""
        return f'"{name}"'

    def get_columns_in_relation(self, relation: str) -> list[Column]:
        """List the columns of a table."""
        return self.tables[relation[4:]]


def tables(schemas: Path) -> dict[str, list[Column]]:
    """Read what tables a loader would make."""
    found = {}
    for path in schemas.glob("*.json"):
        fields = json.loads(path.read_text("utf-8"))["properties"]
        found[path.stem] = [
            Column(name.upper(), TYPES[_type(field)]) for name, field in fields.items()
        ]
        found[path.stem].append(Column("_SDC_DELETED_AT", "TIMESTAMP_NTZ"))
    return found


def _type(field: dict[str, t.Any]) -> str:
    types = {field["type"]} if isinstance(field["type"], str) else {*field["type"]}
    (kind,) = types - {"null"}
    form = field.get("format")
    return form if form in TYPES else kind


def render(
    project: Path,
    kind: str,
    known: dict[str, list[Column]],
    variables: dict[str, t.Any],
) -> dict[str, str]:
    """Render all models and tests.

    Args:
        project: The dbt project.
        kind: The warehouse.
        known: The tables there.
        variables: The project's variables.

    Returns:
        SQL by the name of the model or test.
    """
    adapter = Adapter(kind, known)
    env = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)  # noqa: S701 - SQL
    env.globals |= {
        "adapter": adapter,
        "config": lambda **_: "",
        "env_var": lambda _, default: default,
        "execute": True,
        "load_relation": lambda name: name if name[4:] in known else None,
        "ref": "marts.{}".format,
        "source": lambda _, name: f"raw.{name}",
        "var": lambda name, default=None: variables.get(name, default),
    }
    for path in sorted(project.glob("macros/*.sql")):
        module = env.from_string(path.read_text("utf-8")).module
        for name, macro in vars(module).items():
            if isinstance(macro, jinja2.runtime.Macro):
                adapter.macros[name] = env.globals[name] = macro
    files = (*project.glob("models/**/*.sql"), *project.glob("tests/*.sql"))
    return {
        path.stem: env.from_string(path.read_text("utf-8")).render() for path in files
    }


if __name__ == "__main__":
    project, kind, schemas, variables = sys.argv[1:]
    known = tables(Path(schemas)) if schemas else {}
    json.dump(render(Path(project), kind, known, json.loads(variables)), sys.stdout)
