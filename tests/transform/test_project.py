"""The dbt project says what is so, and needs nothing but itself."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import typing as t

import pytest
import yaml
from packaging.requirements import Requirement
from warehouses import PROJECT

from dev_tools.environments import DBT_PINS, ROOT, dbt_environment
from dev_tools.marts import MARTS
from dev_tools.marts.events import NOT_DENIALS

if t.TYPE_CHECKING:
    from pathlib import Path

PAGE = (ROOT / "docs" / "answers.md").read_text("utf-8")
DBT: dict[str, t.Any] = yaml.safe_load((PROJECT / "dbt_project.yml").read_text("utf-8"))
MELTANO: dict[str, t.Any] = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
UTILITIES = {one["name"]: one for one in MELTANO["plugins"]["utilities"]}


def generated() -> dict[Path, str]:
    return runpy.run_path(str(PROJECT / "generate.py"))["render"]()


def test_the_staging_models_are_those_of_the_schemas():
    files = generated()
    staging = PROJECT / "models" / "staging"
    assert set(staging.iterdir()) == set(files)
    for path, text in files.items():
        assert path.read_text("utf-8") == text, path.name


def test_what_identifies_a_patient_is_marked():
    page = yaml.safe_load((PROJECT / "models/staging/staging.yml").read_text("utf-8"))
    marked = {
        (model["name"].removeprefix("stg_drchrono__"), column["name"])
        for model in page["models"]
        for column in model["columns"]
        if column.get("config", {}).get("meta", {}).get("phi")
    }
    assert ("patients", "last_name") in marked
    assert ("patients", "birth_date") in marked
    assert ("patients", "primary_insurance__subscriber_first_name") in marked
    assert ("appointments", "notes") in marked
    assert ("patients", "patient_id") not in marked
    assert ("line_items", "billed") not in marked


def test_names_fit_into_postgresql():
    for path, text in generated().items():
        if path.suffix == ".sql":
            names = re.findall(r'^    \["(\w+)"', text, re.MULTILINE)
            assert names
            assert len({*names}) == len(names)
            assert max(map(len, names)) <= 63


def test_every_mart_is_described():
    pages = (PROJECT / "models" / "marts").glob("*.yml")
    models = [
        model["name"]
        for page in pages
        for model in yaml.safe_load(page.read_text("utf-8")).get("models", ())
    ]
    files = {path.stem for path in (PROJECT / "models" / "marts").glob("*.sql")}
    assert sorted(models) == sorted(files) == sorted(MARTS)
    assert all(f"`{mart}`" in PAGE for mart in MARTS)


def test_the_page_names_every_variable():
    assert {name for name in DBT["vars"] if f"`{name}`" not in PAGE} == set()
    assert len(DBT["vars"]["drchrono_not_denials"]) == 65
    assert "| 65 codes |" in PAGE


def test_both_computations_know_the_same_denials():
    assert set(DBT["vars"]["drchrono_not_denials"]) == NOT_DENIALS


def test_it_depends_on_no_package_and_tells_nobody():
    for name in ("packages.yml", "dependencies.yml"):
        assert not (PROJECT / name).exists()
    assert DBT["flags"]["send_anonymous_usage_stats"] is False
    for plugin in UTILITIES.values():
        assert plugin["config"]["send_anonymous_usage_stats"] is False


@pytest.mark.parametrize("name", UTILITIES)
def test_what_is_tested_is_what_meltano_installs(name):
    pinned = dict(
        line.split(" ;")[0].split("==")
        for line in (ROOT / DBT_PINS).read_text("utf-8").splitlines()
    )
    for wanted in map(Requirement, UTILITIES[name]["pip_url"].split()):
        # No account was available to run Snowflake's adapter with.
        if wanted.name != "dbt-snowflake":
            assert wanted.specifier.contains(pinned[wanted.name])
    oldest, newest = DBT["require-dbt-version"]
    assert Requirement(f"dbt-core{oldest},{newest}").specifier.contains(
        pinned["dbt-core"]
    )


def test_both_duckdbs_are_the_same():
    (loader,) = (
        one for one in MELTANO["plugins"]["loaders"] if one["name"] == "target-duckdb"
    )
    pin = loader["pip_url"].split()[-1]
    assert pin in UTILITIES["dbt-duckdb"]["pip_url"].split()


def test_dbt_builds_where_the_loader_writes():
    loaders = {one["name"]: one["config"] for one in MELTANO["plugins"]["loaders"]}
    path = loaders["target-duckdb"]["filepath"]
    assert path == "$MELTANO_PROJECT_ROOT/warehouse.duckdb"
    profile = (PROJECT / "profiles.yml").read_text("utf-8")
    default = "env_var('MELTANO_PROJECT_ROOT', '..') ~ '/warehouse.duckdb'"
    assert f"env_var('TARGET_DUCKDB_FILEPATH', {default})" in profile
    schemas = {
        config["default_target_schema"].lower()
        for config in loaders.values()
        if "default_target_schema" in config
    }
    assert schemas == {DBT["vars"]["drchrono_schema"]}


def test_another_project_can_use_it(tmp_path):
    """As a package of a project that has models of its own."""
    files = {
        "dbt_project.yml": "name: mine\nversion: 1.0.0\nprofile: drchrono\n"
        "flags: {send_anonymous_usage_stats: false}\n",
        "packages.yml": f"packages: [{{local: {PROJECT}}}]\n",
        "profiles.yml": (PROJECT / "profiles.yml").read_text("utf-8"),
        "models/mine.sql": "select * from {{ ref('ar_aging') }}",
    }
    (tmp_path / "models").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    dbt = dbt_environment().parent / "dbt"
    for command in (["deps"], ["ls", "-q", "--resource-type", "model"]):
        done = subprocess.run(
            [dbt, *command, "--profiles-dir", tmp_path],
            cwd=tmp_path,
            env=os.environ | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
    models = done.stdout.split()
    assert "mine.mine" in models
    assert {f"drchrono.marts.{mart}" for mart in MARTS} <= {*models}
