"""What Snowflake would be asked: each model can be parsed, by macros of its own."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from warehouses import PROJECT

from dev_tools.environments import ROOT, dbt_environment

# One worker renders the models, once.
pytestmark = pytest.mark.xdist_group("snowflake_sql")

PROGRAM = Path(__file__).parent / "without_adapter.py"
ADDED = ("_sdc_deleted_at",)
SCHEMAS = ROOT / "tap_drchrono" / "schemas"

PARSE = """
import json, sys, sqlglot
for name, sql in json.load(sys.stdin).items():
    try:
        (parsed,) = sqlglot.parse(sql, read="snowflake")
        # What is not understood becomes a command, and fails in Snowflake.
        assert isinstance(parsed, sqlglot.exp.Query), type(parsed)
    except Exception as error:
        print(name, error)
"""


def rendered(schemas="", **variables):
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text("utf-8"))
    done = subprocess.run(
        [
            *(dbt_environment(), PROGRAM, PROJECT, "snowflake", schemas),
            json.dumps(project["vars"] | variables),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def not_parsed(models):
    done = subprocess.run(
        [dbt_environment(), "-c", PARSE],
        input=json.dumps(models),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def models():
    return rendered(SCHEMAS)


def test_every_model_can_be_parsed(models):
    assert len(models) > 30
    assert not not_parsed(models)


@pytest.mark.parametrize(
    ("schemas", "variables"),
    [
        ("", {}),
        (SCHEMAS, {"drchrono_deduplicate": True, "drchrono_as_of": "2026-03-31"}),
    ],
    ids=["nothing loaded", "other variables"],
)
def test_other_cases_can_be_parsed(schemas, variables):
    assert not not_parsed(rendered(schemas, **variables))


def not_there(models, home):
    """What is said of columns that are used and are not there."""
    columns = {
        path.stem: [*json.loads(path.read_text("utf-8"))["properties"], *ADDED]
        for path in SCHEMAS.glob("*.json")
    }
    file = home / "columns.json"
    file.write_text(json.dumps(columns), "utf-8")
    done = subprocess.run(
        [dbt_environment(), Path(__file__).parent / "qualified.py", file],
        input=json.dumps(models),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_column_is_there(models, tmp_path):
    """Without a warehouse: a renamed column of a schema shows at once."""
    assert not not_there(models, tmp_path)


def test_a_column_that_is_not_there_is_noticed(models, tmp_path):
    wrong = {"ar_aging": models["ar_aging"].replace("bucket", "basket")}
    found = not_there(models | wrong, tmp_path)
    assert found.startswith("ar_aging: ")
    assert "basket" in found.lower()


def test_a_text_that_is_no_query_is_noticed():
    assert "wrong" in not_parsed({"wrong": "select from where"})
    assert "wrong" in not_parsed({"wrong": "alter session set x = 1"})


def test_macros_of_snowflake_are_used(models):
    everything = "\n".join(models.values())
    assert "timestamp_ntz" in models["stg_drchrono__appointments"]
    assert "primary_insurance__object['insurance_payer_id']" in everything
    assert 'to_json("ICD10_CODES")' in models["stg_drchrono__appointments"]
    assert "datediff(day, aged_from, current_date)" in models["receivables"]
    assert not re.search(r"->>|json_transform|to_json\(t", everything)
