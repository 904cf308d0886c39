"""How long dbt takes for the marts of a large practice: `python -m bench.marts`.

The tables are made by DuckDB itself, with every column that the loader would make. Only
the columns that the marts are made of hold values that fit together.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import typing as t

from dev_tools.environments import DEV, ROOT, dbt_environment

if t.TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HOME = DEV / "bench"
SCHEMAS = ROOT / "tap_drchrono" / "schemas"

_FILL = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
for statement in sys.stdin.read().split(";\\n"):
    connection.execute(statement)
"""
_TYPES = {
    "string": ("VARCHAR", "'text ' || i % 1000"),
    "date": ("VARCHAR", "strftime(DATE '2026-03-31' - (i % 400)::INTEGER, '%Y-%m-%d')"),
    "date-time": ("TIMESTAMP", "TIMESTAMP '2026-03-31' - INTERVAL 1 HOUR * (i % 9600)"),
    "integer": ("HUGEINT", "i"),
    "number": ("DOUBLE", "(i % 20000) / 100"),
    "boolean": ("BOOLEAN", "i % 20 = 0"),
    "array": ("JSON", '\'["99213", "25"]\''),
}
_PLAN = '\'{"insurance_payer_id": "\' || i % 5 || \'", "insurance_plan_type": "MB"}\''
_STATUS = "['Complete', 'Confirmed', 'No Show', 'Cancelled', 'Arrived'][1 + i % 5]"
_OWN: Mapping[str, Mapping[str, str]] = {
    "appointments": {
        "patient": "i % {patients}",
        "doctor": "i % 40",
        "office": "i % 10",
        "status": _STATUS,
        "appt_is_break": "false",
        "is_virtual_base": "false",
        "primary_insurer_name": "'Insurer ' || i % 5",
        "primary_insurer_payer_id": "i % 5",
    },
    "patients": {"primary_insurance": _PLAN, "secondary_insurance": _PLAN},
    "line_items": {
        "appointment": "i % {appointments}",
        "balance_ins": "(i % 7 = 0)::INTEGER * (i % 9000) / 100",
        "balance_pt": "(i % 11 = 0)::INTEGER * (i % 9000) / 100",
    },
    "transactions": {
        "line_item": "i % {line_items}",
        "appointment": "(i % {line_items}) % {appointments}",
        "ins_paid": "(i % 2) * (i % 9000) / 100",
        "adjustment": "(1 - i % 2) * (i % 9000) / 100",
        "adjustment_reason": "['-3', '45', '2', '50'][1 + i % 4]",
        "adjustment_group_code": "['CO', 'PR', ''][1 + i % 3]",
    },
    "patient_payments": {
        "line_item": "i % {line_items}",
        "appointment": "(i % {line_items}) % {appointments}",
    },
}


def sizes(line_items: int) -> dict[str, int]:
    """Tell how many records a practice has.

    Args:
        line_items: Its line items.

    Returns:
        Records by stream, in proportion.
    """
    return {
        "appointments": line_items * 2 // 3,
        "patients": line_items // 6,
        "line_items": line_items,
        "transactions": line_items * 16 // 9,
        "patient_payments": line_items // 4,
        "line_item_deletions": line_items // 100,
        "doctors": 40,
        "offices": 10,
    }


def statements(rows: Mapping[str, int]) -> str:
    """Write the statements that make the tables.

    Args:
        rows: Records by stream.

    Returns:
        SQL.
    """
    made = ["CREATE SCHEMA drchrono"]
    for stream, count in rows.items():
        path = SCHEMAS / f"{stream}.json"
        fields = json.loads(path.read_text("utf-8"))["properties"]
        columns = [
            f'({_expression(stream, name, field, rows)}) AS "{name}"'
            for name, field in fields.items()
        ]
        made.append(
            f"CREATE TABLE drchrono.{stream} AS SELECT {', '.join(columns)} "  # noqa: S608 - names of the schemas
            f"FROM range(1, {count + 1}) AS made(i)"
        )
    return ";\n".join(made)


def _expression(
    stream: str, name: str, field: Mapping[str, t.Any], rows: Mapping[str, int]
) -> str:
    types = {field["type"]} if isinstance(field["type"], str) else {*field["type"]}
    (kind,) = types - {"null"}
    inner = ", ".join(f'"{one}": "text"' for one in field.get("properties", ()))
    made, value = _TYPES.get(
        field.get("format", kind), _TYPES.get(kind, ("JSON", f"'{{{inner}}}'"))
    )
    if name == "_extra":
        value = "NULL"
    elif name in {"id", "billing_line_item_id"}:
        value = "i"
    value = _OWN.get(stream, {}).get(name, value)
    for one, count in rows.items():
        value = value.replace(f"{{{one}}}", str(count))
    return f"CAST({value} AS {made})"


def build(python: Path, warehouse: Path) -> float:
    """Build and test all models.

    Args:
        python: That of dbt's environment.
        warehouse: The file.

    Returns:
        Seconds, from the start of dbt to its end.

    Raises:
        RuntimeError: If it fails.
    """
    project = str(ROOT / "transform")
    env = os.environ | {
        "DBT_LOG_PATH": str(HOME),
        "DBT_PROFILES_DIR": project,
        "DBT_PROJECT_DIR": project,
        "DBT_TARGET_PATH": str(HOME),
        "DRCHRONO_AS_OF": "2026-03-31",
        "DRCHRONO_WAREHOUSE": "duckdb",
        "TARGET_DUCKDB_FILEPATH": str(warehouse),
    }
    started = time.monotonic()
    done = subprocess.run(
        [python.parent / "dbt", "build", "--exclude-resource-type", "unit_test"],
        env=env,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - started
    if done.returncode:
        msg = f"dbt failed:\n{done.stdout[-3000:]}"
        raise RuntimeError(msg)
    return seconds


def main() -> int:
    """Measure, and print a line.

    Returns:
        The exit status: 1 if it takes longer than the goal.
    """
    parser = argparse.ArgumentParser(prog="python -m bench.marts", description=__doc__)
    parser.add_argument("--line-items", type=int, default=450_000)
    asked = parser.parse_args()
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    python, warehouse = dbt_environment(), HOME / "warehouse.duckdb"
    rows = sizes(asked.line_items)
    subprocess.run(
        [python, "-c", _FILL, warehouse], input=statements(rows), text=True, check=True
    )
    seconds = build(python, warehouse)
    told = ", ".join(
        f"{count:,} {name.replace('_', ' ')}" for name, count in rows.items()
    )
    print(f"{told}: {seconds:.1f} s (goal: 30 s for 450,000 line items)")
    return int(seconds > 30)


if __name__ == "__main__":
    sys.exit(main())
