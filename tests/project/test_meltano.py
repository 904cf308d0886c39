"""The commands of the Meltano plugin see what `meltano run` sees."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from drchrono_sandbox import ACCESS_TOKEN, Practice, serve

from dev_tools.environments import meltano_environment

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
HASHED = {"patients": {"email": "sha256(email) if email else None"}}

pytestmark = pytest.mark.xdist_group("meltano")


@pytest.fixture(scope="module")
def served():
    with serve(practice=Practice.generate(records=5)) as served:
        yield served


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A Meltano project with the tap of this checkout, and an inherited plugin."""
    home = tmp_path_factory.mktemp("project")
    ours: dict[str, t.Any] = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    (tap,) = ours["plugins"]["extractors"]
    del tap["pip_url"]
    tap["executable"] = str(BIN / "tap-drchrono")
    tap["config"] = {"stream_maps": HASHED}
    tap["select"] = ["patients.*", "!patients._extra", "transactions.*"]
    whole = {
        "name": "tap-drchrono--whole",
        "inherit_from": "tap-drchrono",
        "select": ["line_items.*"],
    }
    ours = {name: ours[name] for name in ("requires_meltano", "environments", "cli")}
    ours |= {
        "project_id": "commands",
        "default_environment": "dev",
        "send_anonymous_usage_stats": False,
        "plugins": {"extractors": [tap, whole]},
    }
    (home / "meltano.yml").write_text(yaml.safe_dump(ours))
    return home


def invoke(project, served, command, **variables):
    return subprocess.run(
        [str(meltano_environment()), "invoke", command],
        cwd=project,
        env={
            **{name: os.environ[name] for name in ("HOME", "PATH")},
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            "NO_COLOR": "1",
            "TAP_DRCHRONO_API_URL": served.url,
            "TAP_DRCHRONO_ACCESS_TOKEN": ACCESS_TOKEN,
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_nested_map_and_the_selection_reach_the_test(project, served):
    done = invoke(project, served, "tap-drchrono:test")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("good")]
    assert [line.split()[1] for line in lines] == ["patients", "transactions"]
    assert "is no setting of the tap" not in done.stderr


def test_an_inherited_plugin_has_its_own_selection(project, served):
    done = invoke(project, served, "tap-drchrono--whole:plan")
    assert done.returncode == 0, done.stderr
    assert "line_items" in done.stdout
    assert "patients" not in done.stdout


def test_a_misspelt_setting_in_meltano_yml_is_refused(project, served):
    file = project / "meltano.yml"
    given = file.read_text()
    wrong = yaml.safe_load(given)
    wrong["plugins"]["extractors"][0]["config"]["strat_date"] = "2024-01-01"
    file.write_text(yaml.safe_dump(wrong))
    try:
        done = invoke(project, served, "tap-drchrono:test")
    finally:
        file.write_text(given)
    assert done.returncode == 1
    assert "strat_date: there is no such setting" in done.stdout + done.stderr


def test_a_misspelt_variable_is_told_once(project, served):
    done = invoke(project, served, "tap-drchrono:test", TAP_DRCHRONO_PAGESIZE="7")
    assert done.returncode == 0, done.stderr
    line = "The variable TAP_DRCHRONO_PAGESIZE is no setting of the tap. Is"
    assert (done.stdout + done.stderr).count(line) == 1
