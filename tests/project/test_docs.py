"""The documentation says what is true, and its commands run.

A block of shell commands carries a comment: `<!-- run -->` (these tests run it),
`<!-- account -->` (it needs an account), `<!-- run: NAME -->` (it begins with
`./dev NAME`), or `<!-- run by FILE -->`.
"""

from __future__ import annotations

import ast
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import types
import typing as t
from pathlib import Path

import pytest
import yaml
from drchrono_sandbox import ACCESS_TOKEN, Practice
from drchrono_sandbox.server import serve
from messages_of import first_sentence, messages

from dev_tools.commands import COMMANDS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted(DOCS.glob("*.md")),
]
PATIENCE = 60


class Block(t.NamedTuple):
    """A fenced block of a page."""

    page: str
    line: int
    mark: str
    language: str
    text: str


def blocks():
    """The fenced blocks of all pages, with the comment before each."""
    fence = re.compile(
        r"(?:^<!-- ?([^>\n]*?) ?-->\n+)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL
    )
    for page in PAGES:
        text = page.read_text("utf-8") if page.exists() else ""
        for found in fence.finditer(text):
            line = text.count("\n", 0, found.start(2)) + 1
            name = str(page.relative_to(ROOT))
            yield Block(name, line, found[1] or "", found[2], found[3])


BLOCKS = list(blocks())
SHELL = [block for block in BLOCKS if block.language in {"sh", "bash", "shell"}]


def named(chosen):
    """Parametrize a test by blocks."""
    return pytest.mark.parametrize(
        "block", chosen, ids=[f"{block.page}:{block.line}" for block in chosen]
    )


# Commands


@named(SHELL)
def test_it_is_known_who_runs_a_command(block):
    kind, _, runner = block.mark.partition(" ")
    match kind:
        case "run" | "account" if not runner:
            pass
        case "run:":
            assert runner in COMMANDS
            assert block.text.startswith(f"./dev {runner}")
        case "run":
            assert (ROOT / runner.removeprefix("by ")).is_file()
        case other:
            pytest.fail(f"it has none of the marks, but {other!r}")


@pytest.fixture(scope="module")
def sandbox_environment():
    """The variables that point the tap at a small practice."""
    with serve(practice=Practice.generate(records=20)) as served:
        yield {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "TAP_DRCHRONO_API_URL": served.url,
            "TAP_DRCHRONO_ACCESS_TOKEN": ACCESS_TOKEN,
        }


@named([block for block in SHELL if block.mark == "run"])
def test_commands_run(block, sandbox_environment, tmp_path):
    shutil.copy(ROOT / ".env.example", tmp_path)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text],  # noqa: S607 - the shell
        cwd=tmp_path,
        env=sandbox_environment | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@named([block for block in BLOCKS if block.language in {"yaml", "json"}])
def test_examples_can_be_read(block):
    read = json.loads if block.language == "json" else yaml.safe_load
    assert read(block.text)


# Links


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.exists()], ids=lambda page: page.name
)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


# Settings


def test_the_table_of_settings_is_up_to_date():
    page = runpy.run_path(str(DOCS / "generate_settings.py"))
    assert page["PAGE"].read_text("utf-8") == page["render"]()
    assert page["OWN_PROJECT"].read_text("utf-8") == page["own_project"]()


# Messages


def searchable(text):
    """A text as a user would search for it."""
    text = re.sub(r"…+", "…", re.sub(r"\s+", " ", text.replace("`", "")))
    return text.strip("….: ")


@pytest.mark.parametrize(
    "file", sorted((ROOT / "tap_drchrono").rglob("*.py")), ids=lambda file: file.name
)
def test_every_message_is_explained(file):
    page = searchable((DOCS / "troubleshooting.md").read_text("utf-8"))
    said = {searchable(first_sentence(message)) for message in messages(file)}
    assert {message for message in said if message not in page} == set()


def test_messages_are_found():
    found = [
        message
        for file in (ROOT / "tap_drchrono").rglob("*.py")
        for message in messages(file)
    ]
    # Some that are written in different ways; a number that may well grow.
    assert "…: there is no such setting" in found
    assert any(message.startswith("…: must be at least …") for message in found)
    assert any("redirects to another host" in message for message in found)
    assert len(set(found)) > 80


# The example of a nightly run


class Recorder:
    """Stands for what an orchestrator offers, and remembers what it was asked for."""

    made: t.ClassVar[list[dict[str, t.Any]]] = []

    def __init__(self, **arguments):
        self.made.append(arguments)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


def test_the_dag_runs_one_tap_for_each_practice(monkeypatch):
    source = DOCS / "examples" / "airflow_dag.py"
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("airflow"):
            module = types.ModuleType(node.module)
            for name in node.names:
                setattr(module, name.name, type(name.name, (Recorder,), {}))
            monkeypatch.setitem(sys.modules, node.module, module)
    monkeypatch.setattr(Recorder, "made", [])
    practices = runpy.run_path(str(source))["PRACTICES"]
    dag, *tasks = Recorder.made
    assert dag["max_active_runs"] == 1
    assert len(tasks) == len(practices)
    for setting in (
        "TAP_DRCHRONO_CREDENTIALS_PATH",
        "TARGET_SNOWFLAKE_DEFAULT_TARGET_SCHEMA",
    ):
        assert len({task["env"][setting] for task in tasks}) == len(practices)
    limits = [int(task["env"]["TAP_DRCHRONO_HOURLY_REQUEST_LIMIT"]) for task in tasks]
    assert sum(limits) <= 500
    for practice, task in zip(practices, tasks, strict=True):
        assert f"--state-id-suffix={practice} " in task["bash_command"]
        assert task["append_env"]


def test_the_diff_of_a_new_stream_is_real():
    (diff,) = (block.text for block in BLOCKS if block.language == "diff")
    code = ""
    for line in diff.splitlines():
        if line.startswith("+++ b/"):
            code = (ROOT / line.removeprefix("+++ b/")).read_text("utf-8")
        elif line.startswith("+"):
            assert f"{line[1:]}\n" in code
        elif line.startswith("@@ "):
            assert line.removeprefix("@@ ") in code


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_bytes()) <= 9000
