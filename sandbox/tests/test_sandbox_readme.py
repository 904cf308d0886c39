"""What the README and the docstrings show is what works."""

import dataclasses
import json
import pathlib
import re
import shlex

import pytest
from drchrono_sandbox import App, Changes, Fault, Settings
from drchrono_sandbox.__main__ import _parser
from drchrono_sandbox.faults import FaultPlan

README = (pathlib.Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)


def blocks(language):
    return [text for kind, text in BLOCKS if kind == language]


def test_its_commands_have_options_that_exist():
    lines = [line for text in blocks("") for line in text.splitlines()]
    assert len(lines) == 2
    for line in lines:
        program, *arguments = shlex.split(line, comments=True)
        assert program == "drchrono-sandbox"
        assert _parser().parse_args(arguments).host == "127.0.0.1"


def test_its_faults_can_be_read():
    [text] = blocks("json")
    assert len(FaultPlan(json.loads(text)).faults) == 4


def test_its_example_runs():
    [code] = blocks("python")
    exec(code, {})  # noqa: S102 - it is our own README


@pytest.mark.parametrize("kind", [App, Changes, Fault, Settings])
def test_every_attribute_is_described(kind):
    for field in dataclasses.fields(kind):
        assert re.search(rf"^        {field.name}: ", kind.__doc__, re.MULTILINE)
