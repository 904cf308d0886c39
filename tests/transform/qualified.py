"""Finds columns that are used and are not there, in Snowflake's SQL, and prints them.

Standard input has SQL by the name of the model as JSON; the argument is a file with the
columns of the raw tables.
"""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify

Schema: t.TypeAlias = dict[str, dict[str, dict[str, str]]]


def resolve(models: dict[str, exp.Expression], schema: Schema) -> t.Iterator[str]:
    """Resolve each model once those that it is made of are known.

    Args:
        models: The parsed models and tests by name.
        schema: The columns of the raw tables; those of the models are added.

    Yields:
        What is wrong with a model.
    """
    left = dict(models)
    while left:
        ready = {
            name
            for name, one in left.items()
            if all(
                table.name.upper() in schema["MARTS"]
                for table in one.find_all(exp.Table)
                if table.db.upper() == "MARTS"
            )
        }
        if not ready:
            yield f"{', '.join(sorted(left))}: not there, or in a circle"
            return
        for name in sorted(ready):
            try:
                found = qualify(left.pop(name), schema=schema, dialect="snowflake")
                columns = found.named_selects
            except sqlglot.errors.SqlglotError as error:
                yield f"{name}: {error}"
                columns = ["NOTHING"]
            schema["MARTS"][name.upper()] = {one.upper(): "TEXT" for one in columns}


if __name__ == "__main__":
    raw = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    tables = {
        name.upper(): {column.upper(): "TEXT" for column in columns}
        for name, columns in raw.items()
    }
    models = {
        name: sqlglot.parse_one(sql, read="snowflake")
        for name, sql in json.load(sys.stdin).items()
    }
    for problem in resolve(models, {"RAW": tables, "MARTS": {}}):
        print(problem)  # noqa: T201 - it is the answer
