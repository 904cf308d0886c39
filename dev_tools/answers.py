"""The answers at the end of the demo: from the marts, and once more from the books."""

from __future__ import annotations

import json
import subprocess
import typing as t
from collections import Counter
from decimal import Decimal

from dev_tools.marts import MARTS, Source

if t.TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from pathlib import Path

    from dev_tools.marts import Mart, Row

AGES = ("0-30", "31-60", "61-90", "91-120", "over 120", "undated", "credits")
SIDES = ("insurance", "patient")

_QUERY = """
import json, sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
def rows(query):
    return [json.loads(row) for row, in connection.execute(query).fetchall()]
tables = connection.execute(
    "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'drchrono'"
).fetchall()
marts = {
    mart: rows(f"SELECT to_json(t)::VARCHAR FROM drchrono_marts.{mart} t")
    for mart in sys.argv[2:]
}
json.dump({"tables": [name for name, in tables], "marts": marts}, sys.stdout)
"""
_CENT = Decimal("0.01")
_USED = ("receivables", "day_sheet", "visits")
_MONEY = ("charge", "insurance payment", "patient payment", "write-off")


class Answers(t.NamedTuple):
    """What the demo tells of a practice; amounts in dollars.

    Attributes:
        owed: By side and age, what is owed; credits have an age of their own.
        day: The last day with money on the day sheet, but none that has only begun.
        sheet: By kind, the events of that day and their sum.
        doctors: By doctor, the visits kept, the no-shows, and what was not billed.
    """

    owed: dict[tuple[str, str], Decimal]
    day: str
    sheet: dict[str, tuple[int, Decimal]]
    doctors: dict[str, tuple[int, int, int]]

    def total(self, side: str) -> Decimal:
        """Add up what is owed.

        Args:
            side: By whom.

        Returns:
            The total, credits included.
        """
        return sum((self.owed[side, age] for age in AGES), Decimal("0.00"))


def ask(python: Path, warehouse: Path, as_of: dt.date) -> tuple[Answers, list[str]]:
    """Read the answers from the marts.

    Args:
        python: A Python with the loader's version of DuckDB.
        warehouse: The file.
        as_of: The last whole day.

    Returns:
        The answers, and the names of the tables that were loaded.

    Raises:
        RuntimeError: If the marts cannot be read.
    """
    done = subprocess.run(  # noqa: S603 - the command is this project's own
        [python, "-c", _QUERY, warehouse, *_USED],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        msg = f"The marts cannot be read:\n{done.stderr}"
        raise RuntimeError(msg)
    found = json.loads(done.stdout, parse_float=Decimal)
    marts = {name: found["marts"][name] for name in _USED}
    return _answers(marts, as_of), found["tables"]


def compute(records: Mapping[str, list[Row]], as_of: dt.date) -> Answers:
    """Compute the same from the source's records.

    Args:
        records: By stream.
        as_of: The day that ages are counted to.

    Returns:
        The answers.
    """
    source = Source(records, as_of)
    marts: dict[str, Mart] = {name: MARTS[name](source) for name in _USED}
    rows = {name: [*mart.values()] for name, mart in marts.items()}
    return _answers(rows, as_of)


def _answers(marts: Mapping[str, list[Row]], as_of: dt.date) -> Answers:
    owed = {(side, age): Decimal("0.00") for side in SIDES for age in AGES}
    for row in marts["receivables"]:
        age = "credits" if row["is_credit"] else row["bucket"]
        owed[row["side"], age] += _amount(row)
    events = [row for row in marts["day_sheet"] if row["kind"] in _MONEY]
    days = {str(row["posted_date"]) for row in events if row["posted_date"]}
    day = max((one for one in days if one <= as_of.isoformat()), default="")
    sheet = dict.fromkeys(_MONEY, (0, Decimal("0.00")))
    for row in events:
        if str(row["posted_date"]) == day:
            count, amount = sheet[row["kind"]]
            sheet[row["kind"]] = (count + 1, amount + _amount(row))
    counts: Counter[tuple[str, str]] = Counter()
    for row in marts["visits"]:
        doctor = row["doctor_name"] or f"doctor {row['doctor_id']}"
        counts[doctor, row["outcome"]] += 1
        counts[doctor, "unbilled"] += row["is_unbilled"] is True
    doctors = {
        doctor: (
            counts[doctor, "kept"],
            counts[doctor, "no show"],
            counts[doctor, "unbilled"],
        )
        for doctor in sorted({doctor for doctor, _ in counts})
    }
    return Answers(owed, day, sheet, doctors)


def _amount(row: Row) -> Decimal:
    return Decimal(row["amount"]).quantize(_CENT)


def tables(answers: Answers, as_of: dt.date) -> str:
    """Lay the answers out for people.

    Args:
        answers: The answers.
        as_of: The day that ages are counted to.

    Returns:
        Three small tables, no wider than 80 columns.
    """
    lines = [f"Who owes what, by age on {as_of}, in dollars", ""]
    lines.append(f"{'':<22}{'insurance':>16}{'patients':>16}{'all':>16}")
    for age in AGES:
        amounts = [answers.owed[side, age] for side in SIDES]
        label = f"{age} days" if age[0].isdigit() or age[:4] == "over" else age
        lines.append(_amounts(label, *amounts, sum(amounts)))
    totals = [answers.total(side) for side in SIDES]
    lines += [_amounts("total", *totals, sum(totals)), ""]
    lines += [f"The sheet of the last whole day, {answers.day}, in dollars", ""]
    lines.append(f"{'':<22}{'events':>16}{'amount':>16}")
    for kind, (count, amount) in answers.sheet.items():
        lines.append(f"{kind:<22}{count:>16,}{amount:>16,.2f}")
    lines += ["", "Who came, who did not, and what was never billed", ""]
    lines.append(f"{'doctor':<30.30}{'kept':>8}{'no-shows':>16}{'unbilled':>16}")
    for doctor, (kept, missed, unbilled) in answers.doctors.items():
        lines.append(f"{doctor:<30.30}{kept:>8,}{missed:>16,}{unbilled:>16,}")
    return "\n".join(lines)


def _amounts(label: str, *amounts: Decimal | int) -> str:
    return f"{label:<22}" + "".join(f"{amount:>16,.2f}" for amount in amounts)
