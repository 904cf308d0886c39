"""The recipes for running the tap each night do what the pages say."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from drchrono_sandbox import ACCESS_TOKEN, Practice, serve
from target import Target

from dev_tools.environments import environ, meltano_environment

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
BIN = Path(sys.executable).parent

TARGET = """#!{python}
import json, os, sys
fail_at = int(os.environ.get("FAIL_AT", 0))
with open("loaded.jsonl", "a") as file:
    for number, line in enumerate(sys.stdin, 1):
        if number == fail_at:
            sys.exit(3)
        file.write(line)
        message = json.loads(line)
        if message["type"] == "STATE":
            print(json.dumps(message["value"]), flush=True)
"""
"""A target that keeps what it gets, confirms states, and fails at a given line."""

FAILING = '#!/bin/sh\necho "$PWD" "$@" > ../called\necho boo\nexit 1\n'
"""A `meltano` that notes how it was called, and fails."""

pytestmark = pytest.mark.xdist_group("meltano")


@pytest.fixture(scope="module")
def served():
    with serve(practice=Practice.generate(records=10)) as served:
        yield served


@pytest.fixture
def place(tmp_path):
    """A directory with a target of that name on the PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    target = programs / "target-jsonl"
    target.write_text(TARGET.format(python=sys.executable))
    target.chmod(0o755)
    return tmp_path


def nightly(place, served, **variables):
    return subprocess.run(
        [str(EXAMPLES / "nightly.sh"), str(place)],
        env={
            "PATH": os.pathsep.join((str(place / "bin"), str(BIN), os.environ["PATH"])),
            "HOME": str(place),
            "TAP_DRCHRONO_API_URL": served.url,
            "TAP_DRCHRONO_ACCESS_TOKEN": ACCESS_TOKEN,
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def since_of(api):
    return [entry.since for entry in api.log if entry.method == "POST"]


def test_the_shell_loop_is_incremental(place, served):
    first = nightly(place, served)
    assert first.returncode == 0, first.stderr
    state = json.loads((place / "state.json").read_text())
    assert state["bookmarks"]["patients"]["replication_key_value"]
    served.api.log.clear()
    again = nightly(place, served)
    assert again.returncode == 0, again.stderr
    assert min(since_of(served.api)) > "1970-01-01"
    target = Target().read((place / "loaded.jsonl").read_bytes())
    for stream in ("patients", "line_items"):
        assert len(target.rows(stream)) == len(list(served.api.records(stream)))


@pytest.mark.parametrize(
    "trouble",
    [{"FAIL_AT": "1"}, {"TAP_DRCHRONO_ACCESS_TOKEN": "wrong"}, {"FAIL_AT": "25"}],
    ids=["target at once", "tap", "target later"],
)
def test_the_shell_loop_keeps_the_state_when_something_fails(place, served, trouble):
    assert nightly(place, served).returncode == 0
    before = json.loads((place / "state.json").read_text())
    done = nightly(place, served, **trouble)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    after = json.loads((place / "state.json").read_text())
    assert after["bookmarks"].keys() >= before["bookmarks"].keys()
    for stream, bookmark in before["bookmarks"].items():
        if value := bookmark.get("replication_key_value"):
            assert after["bookmarks"][stream]["replication_key_value"] >= value


# Schedulers


@pytest.fixture
def stand_in(tmp_path):
    """Run a command with a `meltano` that notes how it was called, and fails."""

    def run(command, **variables):
        project = tmp_path / "project"
        project.mkdir()
        (tmp_path / "log").mkdir()
        program = tmp_path / "meltano"
        program.write_text(
            '#!/bin/sh\necho "$PWD" "$@" > ../called\necho boo\nexit 1\n'
        )
        program.chmod(0o755)
        for there, here in (
            ("/opt/meltano/venv/bin/meltano", program),
            ("/opt/meltano/drchrono", project),
            ("/var/log/drchrono", tmp_path / "log"),
        ):
            command = command.replace(there, str(here))
            variables = {
                name: value.replace(there, str(here))
                for name, value in variables.items()
            }
        done = subprocess.run(
            ["bash", "-c", command],  # noqa: S607 - as cron starts it
            cwd=project,
            env={"PATH": "/usr/bin:/bin", **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        called = (tmp_path / "called").read_text().split()
        assert called[0] == str(project)
        assert called[1:] == [
            "--environment=prod",
            "run",
            "tap-drchrono",
            "target-snowflake",
        ]
        return done

    return run


def test_cron_runs_the_command_and_prints_the_log_of_a_failure(stand_in):
    text = (EXAMPLES / "drchrono.cron").read_text("utf-8")
    variables = dict(re.findall(r"^([A-Z]+)=(.+)$", text, re.MULTILINE))
    line = text.splitlines()[-1]
    user, command = line.split(maxsplit=6)[5:]
    assert user == "meltano"
    done = stand_in(command, LOG=variables["LOG"])
    assert done.returncode == 1
    assert done.stdout == "boo\n"


def test_systemd_runs_the_command_and_tells_of_a_failure(stand_in):
    service = configparser.ConfigParser(strict=False, interpolation=None)
    service.read(EXAMPLES / "drchrono.service")
    timer = configparser.ConfigParser(interpolation=None)
    timer.read(EXAMPLES / "drchrono.timer")
    assert service["Unit"]["OnFailure"]
    assert timer["Timer"]["OnCalendar"]
    assert service["Service"]["WorkingDirectory"] == "/opt/meltano/drchrono"
    assert stand_in(service["Service"]["ExecStart"]).returncode == 1


# A project of one's own


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs the git repository")
def test_the_block_works_in_an_empty_project(tmp_path, served):
    text = (ROOT / "docs" / "own-project.md").read_text("utf-8")
    ((tap,),) = (
        yaml.safe_load(block)
        for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    )
    assert tap["pip_url"].startswith("git+https://")
    tap["pip_url"] = f"git+file://{ROOT}"
    project = {
        "version": 1,
        "send_anonymous_usage_stats": False,
        "plugins": {"extractors": [tap]},
    }
    (tmp_path / "meltano.yml").write_text(yaml.safe_dump(project))
    environment = {
        **{
            name: value
            for name, value in environ().items()
            if not name.startswith(("MELTANO_", "TAP_"))
        },
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        "TAP_DRCHRONO_API_URL": served.url,
        "TAP_DRCHRONO_ACCESS_TOKEN": ACCESS_TOKEN,
    }
    for arguments in (
        ("install", "extractor", "tap-drchrono"),
        ("invoke", "tap-drchrono:test"),
    ):
        done = subprocess.run(
            [str(meltano_environment()), *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert "all selected streams can be read" in done.stdout
    shutil.rmtree(tmp_path / ".meltano")
