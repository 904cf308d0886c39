"""The marts equal, to the cent, what plain Python makes of the source's records."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal

import pytest
from phases import PHASES

from dev_tools.environments import ROOT
from dev_tools.marts import MARTS

# One worker fills the warehouses, once.
pytestmark = pytest.mark.xdist_group("marts")

WAREHOUSES = ("duckdb", "postgres")
PRIVATE = (
    *("first_name", "middle_name", "last_name", "nick_name", "chart_id"),
    *("social_security_number", "email", "cell_phone", "home_phone", "office_phone"),
    *("address", "emergency_contact_name", "emergency_contact_phone"),
)


def comparable(value):
    """A value as JSON has it; amounts as numbers."""
    if isinstance(value, dt.date):
        return value.isoformat()
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return Decimal(value) if is_number else value


@pytest.mark.parametrize("mart", MARTS)
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("kind", WAREHOUSES)
def test_a_mart_is_right(marts, wanted, kind, phase, mart):
    want = wanted[phase, mart]
    rows = {next(iter(row.values())): row for row in marts(kind)[phase, mart]}
    assert len(rows) == len(marts(kind)[phase, mart])
    assert set(rows) == set(want)
    for key, row in want.items():
        found = {name: comparable(rows[key][name]) for name in row}
        assert found == {name: comparable(value) for name, value in row.items()}, key


@pytest.mark.parametrize("mart", MARTS)
def test_there_is_something_to_compare(wanted, mart):
    assert wanted["first", mart]
    assert wanted["first", mart] != wanted["second", mart]


@pytest.mark.parametrize("phase", PHASES)
def test_marts_tell_nothing_of_patients(marts, synced, phase):
    patients = synced[phase].records["patients"]
    private = {str(row[name]) for row in patients for name in PRIVATE if row[name]}
    private |= {row["notes"] for row in synced[phase].records["appointments"]}
    named = ("doctors", "offices", "appointment_profiles")
    staff = json.dumps(
        [synced[phase].records[stream] for stream in named],
        default=str,
        ensure_ascii=False,
    )
    # Short ones are part of other words, and staff have names too.
    private = {text for text in private if text and len(text) > 5 and text not in staff}
    assert len(private) > 1000
    text = json.dumps(
        [marts("duckdb")[phase, mart] for mart in MARTS],
        default=str,
        ensure_ascii=False,
    )
    assert {one for one in private if one in text} == set()
    columns = {
        name for mart in MARTS for row in marts("duckdb")[phase, mart] for name in row
    }
    assert not {name for name in columns if "birth" in name or "note" in name} - {
        "is_note_unsigned"
    }


@pytest.mark.parametrize("kind", WAREHOUSES)
def test_the_page_of_answers_can_be_followed(marts, request, kind):
    assert marts(kind)
    page = (ROOT / "docs" / "answers.md").read_text("utf-8")
    queries = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    assert len(queries) == len(MARTS) - 1
    warehouse = request.getfixturevalue(f"{kind}_warehouse")
    for query in queries:
        wrapped = f"SELECT to_json(t) FROM ({query}) t"  # noqa: S608 - of the page
        assert warehouse.run(wrapped), query
