"""What target-snowflake makes of the messages, up to where it would connect."""

from __future__ import annotations

import json
import os
import re
import subprocess
import typing as t
from decimal import Decimal
from pathlib import Path

import pytest
from drchrono_sandbox.streams import STREAMS
from loaders import Form
from wanted import columns, kind_of, wanted

from dev_tools.environments import loader_environment

# The worker that has the runs of the tap loads them.
pytestmark = pytest.mark.xdist_group("loaders")

PROGRAM = Path(__file__).parent / "snowflake_offline.py"
PHASES = ("first", "flat", "batch")
DOUBLES = Form(exact=False, empty=True)

TYPES = {
    ("string", None): "VARCHAR",
    ("string", "date"): "DATE",
    ("string", "date-time"): "TIMESTAMP_NTZ",
    ("integer", None): "DECIMAL",
    ("number", None): "FLOAT",
    ("boolean", None): "BOOLEAN",
    ("object", None): "VARIANT",
    ("array", None): "VARIANT",
}
"""A DECIMAL without a size is NUMBER(38, 0) there."""

LONGEST_NAME = 255


@pytest.fixture(scope="session")
def offline(runs, tmp_path_factory) -> dict[tuple[str, str], dict[str, t.Any]]:
    """What would be sent, by run and stream."""
    home = tmp_path_factory.mktemp("target-snowflake")
    files = {phase: home / f"{phase}.singer" for phase in PHASES}
    for phase, file in files.items():
        file.write_bytes(runs[phase].output)
    done = subprocess.run(
        [loader_environment("target-snowflake"), PROGRAM, *files.values()],
        cwd=home,
        env={k: v for k, v in os.environ.items() if not k.startswith("TARGET_")},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-4000:]
    found = json.loads(done.stdout)
    return {
        (phase, stream): found[str(file)][f'"DB"."DRCHRONO"."{stream.upper()}"']
        for phase, file in files.items()
        for stream in STREAMS
    }


def own(names: t.Iterable[str]) -> list[str]:
    """Leave out the columns that the loader adds."""
    return [name for name in names if not name.startswith("_sdc_")]


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("phase", ["first", "flat"])
def test_columns_have_sensible_types(offline, runs, phase, stream):
    table = columns(runs["first"].schemas[stream], flattened=phase == "flat")
    found = offline[phase, stream]["columns"]
    assert {name: found[name] for name in own(found)} == {
        column.name: TYPES["string", None]
        if column.as_text
        else TYPES[kind_of(column.schema), column.schema.get("format")]
        for column in table
    }


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("phase", ["first", "flat"])
def test_names_need_no_quotes_and_stay_apart(offline, phase, stream):
    found = offline[phase, stream]
    names = list(found["columns"])
    assert len({name.upper() for name in names}) == len(names)
    assert max(map(len, names)) <= LONGEST_NAME
    create = re.findall(r"^\t(\S+) ", found["create"], re.MULTILINE)
    # A quote would mean a reserved word, or a name whose case counts.
    assert create == [*names, "PRIMARY"]
    assert all(re.fullmatch(r"[a-z_][a-z0-9_]*", name) for name in names)


@pytest.mark.parametrize("stream", STREAMS)
def test_rows_are_merged_by_key(offline, runs, stream):
    found, key = offline["first", stream], runs["first"].keys[stream]
    assert f"PRIMARY KEY ({key})" in found["create"]
    assert f" on d.{key} = s.{key} when matched then update set " in found["merge"]
    for name, its_type in found["columns"].items():
        assert f"$1:{name}::{its_type} as {name}" in found["merge"]
        assert f"d.{name} = s.{name}" in found["merge"]


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("phase", PHASES)
def test_what_would_be_staged_equals_the_source(offline, runs, phase, stream):
    run, key = runs[phase], runs[phase].keys[stream]
    schema = runs["first"].schemas[stream]
    lines = offline[phase, stream]["staged"]
    rows = [json.loads(line, parse_float=Decimal) for line in lines]
    assert len(rows) == len(run.raw[stream])
    found = {str(row[key]): row for row in rows}
    assert set(found) == {str(raw[key]) for raw in run.raw[stream]}
    table = columns(schema, flattened=phase == "flat")
    for raw in run.raw[stream]:
        row, full = found[str(raw[key])], wanted(stream, raw, schema)
        for column in table:
            want, got = column.want(full, DOUBLES), column.found(row, DOUBLES)
            assert wall_clock(got, column) == want, column.name


def wall_clock(value: t.Any, column: t.Any) -> t.Any:
    """Read a moment as TIMESTAMP_NTZ does, which leaves the offset out."""
    is_moment = column.schema.get("format") == "date-time" and value is not None
    return value.replace(tzinfo=None) if is_moment else value
