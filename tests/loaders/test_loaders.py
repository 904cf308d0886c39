"""What arrives in DuckDB, JSONL files and PostgreSQL, value by value."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from awkward import GONE, WHOLE
from drchrono_sandbox.streams import STREAMS
from loaders import DuckDb, Jsonl, Postgres
from packaging.requirements import Requirement
from wanted import columns, kind_of, wanted

if t.TYPE_CHECKING:
    from loaders import Loader
    from wanted import Column

ROOT = Path(__file__).parent.parent.parent
PINS = sorted(Path(__file__).parent.glob("pins/target-*.txt"))

# One worker starts the database server and fills the loaders' tables.
pytestmark = pytest.mark.xdist_group("loaders")
SIGNATURE = re.compile(r"Signature=[0-9a-f]+")

LOADERS = {one.name: one for one in (DuckDb, Jsonl, Postgres)}
PHASES = ("first", "second", "flat")
VARIABLE = (
    ("prescription_messages", "json_data"),
    ("eligibility_checks", "coverage_details"),
    ("eligibility_checks", "coverage_subscriber"),
)
PLACES = {"first": "plain", "second": "plain", "flat": "flat", "batch": "batch"}

TYPES = {
    DuckDb.name: {
        ("string", None): "VARCHAR",
        ("string", "date"): "VARCHAR",
        ("string", "date-time"): "TIMESTAMP",
        ("integer", None): "HUGEINT",
        ("number", None): "DOUBLE",
        ("boolean", None): "BOOLEAN",
        ("object", None): "JSON",
        ("array", None): "JSON",
    },
    Postgres.name: {
        ("string", None): "text",
        ("string", "date"): "date",
        ("string", "date-time"): "timestamp without time zone",
        ("integer", None): "bigint",
        ("number", None): "numeric",
        ("boolean", None): "boolean",
        ("object", None): "jsonb",
    },
}


class Loaded(t.NamedTuple):
    """What a loader made of the runs.

    Attributes:
        loader: The loader.
        rows: The rows after each run, by run and stream.
        states: The last state that it wrote, by run.
    """

    loader: Loader
    rows: dict[tuple[str, str], list[dict[str, t.Any]]]
    states: dict[str, dict[str, t.Any]]


@pytest.fixture(scope="session")
def load(runs, tmp_path_factory, request):
    """Loads all runs once, with the loader of this name."""
    known: dict[str, Loaded] = {}

    def load_with(name: str) -> Loaded:
        if name not in known:
            home = tmp_path_factory.mktemp(name)
            is_postgres = name == Postgres.name
            server = (request.getfixturevalue("server"),) if is_postgres else ()
            loader = LOADERS[name](home, *server)
            done = known[name] = Loaded(loader, {}, {})
            for phase in (*PHASES, *(["batch"] if is_postgres else [])):
                place = PLACES[phase]
                done.states[phase] = loader.load(runs[phase].output, place)
                for stream in STREAMS:
                    done.rows[phase, stream] = loader.rows(place, stream)
        return known[name]

    return load_with


def check(done: Loaded, phase: str, stream: str, runs: t.Any) -> None:
    """Compare a table with the source: the count, the keys, and each value."""
    run, key = runs[phase], runs[phase].keys[stream]
    schema = runs["first"].schemas[stream]
    form, rows = done.loader.form, done.rows[phase, stream]
    assert len(rows) == len(run.raw[stream])
    found = {str(row[key]): row for row in rows}
    assert set(found) == {str(raw[key]) for raw in run.raw[stream]}
    table = columns(schema, flattened=phase == "flat")
    for raw in run.raw[stream]:
        row, full = found[str(raw[key])], wanted(stream, raw, schema)
        want = {column.name: column.want(full, form) for column in table}
        assert {column.name: column.found(row, form) for column in table} == want


def test_the_records_are_awkward(runs):
    raw = runs["first"].raw
    for stream, field in VARIABLE:
        kinds = {type(one[field]) for one in raw[stream]}
        assert kinds == {dict, list, str, type(None)}, field
    assert any("_" in one["id"] for one in raw["appointments"])
    assert any(one["patient"] is None for one in raw["appointments"])


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("name", LOADERS)
def test_tables_equal_the_source(load, runs, name, phase, stream):
    check(load(name), phase, stream, runs)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("name", LOADERS)
def test_loaders_write_the_last_state(load, runs, name, phase):
    assert load(name).states[phase] == runs[phase].state


@pytest.mark.parametrize("name", [DuckDb.name, Postgres.name])
@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("place", ["plain", "flat"])
def test_columns_have_the_right_types(load, runs, name, stream, place):
    found = load(name).loader.types(place, stream)
    table = columns(runs["first"].schemas[stream], flattened=place == "flat")
    wrong = {
        column.name: found.get(column.name)
        for column in table
        if found.get(column.name) != column_type(name, column, place)
    }
    assert wrong == {}
    assert {one for one in found if not one.startswith("_sdc_")} == {
        column.name for column in table
    }


def column_type(name: str, column: Column, place: str) -> str:
    """The type that a column should have."""
    kind, form = kind_of(column.schema), column.schema.get("format")
    if kind in {"array", "object"} and place == "flat":
        return TYPES[name]["string", None]
    if kind == "array" and name == Postgres.name:
        item = kind_of(column.schema["items"])
        return f"{TYPES[name][item, None]}[]"
    return TYPES[name][kind, form]


def test_the_second_run_was_incremental_and_told_of_deletions(runs):
    first, second = runs["first"], runs["second"]
    for stream in first.raw:
        emitted = second.emitted[stream]
        is_dated = "updated_at" in first.raw[stream][0]
        assert 25 <= emitted < (len(first.raw[stream]) if is_dated else 10**6), stream
        added = len(second.raw[stream]) - len(first.raw[stream])
        # An edit of a line item posts transactions of its own.
        assert added >= 5 if stream == "transactions" else added == 5
    deleted = [
        sum(raw["deleted_flag"] for raw in run.raw["appointments"])
        for run in (first, second)
    ]
    assert deleted[1] == deleted[0] + 4


@pytest.mark.parametrize("stream", STREAMS)
def test_what_left_a_record_leaves_its_row(load, runs, stream):
    """That an update empties `_extra` is one of the awkward things."""
    key = runs["first"].keys[stream]
    before, after = (
        {raw[key] for raw in runs[phase].raw[stream] if "vendor_added" in raw}
        for phase in ("first", "second")
    )
    gone = before - after
    assert gone
    for name in LOADERS:
        rows = load(name).rows["second", stream]
        extras = [row.get("_extra") for row in rows if row[key] in map(str, gone)]
        extras += [row.get("_extra") for row in rows if row[key] in gone]
        assert extras
        assert not any(extras)


@pytest.mark.parametrize("stream", STREAMS)
def test_files_grow_by_a_line_for_each_record(load, runs, stream):
    done = load(Jsonl.name)
    lines = done.loader.lines("plain", stream)
    assert len(lines) == sum(runs[one].emitted[stream] for one in ("first", "second"))


def test_one_level_is_all_there_is_to_flatten(runs):
    flat = [
        [
            {**json.loads(line), "time_extracted": None}
            for line in runs[phase].output.splitlines()
            if b'"type":"STATE"' not in line
        ]
        for phase in ("flat1", "flat")
    ]
    for record in (message for messages in flat for message in messages):
        if "record" in record:
            unsigned(record["record"])
    assert flat[0] == flat[1]


def unsigned(record: dict[str, t.Any]) -> None:
    """Take out signatures, which differ each time that a record is read."""
    for name, value in record.items():
        if isinstance(value, str):
            record[name] = SIGNATURE.sub("", value)


@pytest.mark.parametrize("stream", STREAMS)
def test_batch_files_load(load, runs, stream):
    assert b'"type":"BATCH"' in runs["batch"].output
    assert b'"type":"RECORD"' not in runs["batch"].output
    check(load(Postgres.name), "batch", stream, runs)


def test_a_stream_that_is_read_whole_tells_of_what_is_gone(load, runs):
    """The way to learn of deletions that an incremental run cannot see."""
    loader, run = load(Postgres.name).loader, runs["whole"]
    source = {raw["id"] for raw in run.raw[WHOLE]}
    loader.load(run.output, "plain")
    rows = loader.rows("plain", WHOLE)
    assert len(rows) == len(source) + GONE
    assert {row["id"] for row in rows if row["_sdc_deleted_at"] is None} == source
    loader.load(run.output, "plain", hard_delete=True)
    assert sorted(row["id"] for row in loader.rows("plain", WHOLE)) == sorted(source)


@pytest.mark.parametrize("file", PINS, ids=lambda file: file.stem)
def test_what_is_tested_is_what_meltano_installs(file):
    project = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    loaders = {one["name"]: one for one in project["plugins"]["loaders"]}
    pinned = dict(
        line.split(" ;")[0].split("==")
        for line in file.read_text("utf-8").splitlines()
        if not line.startswith("#")
    )
    for wanted_one in map(Requirement, loaders[file.stem]["pip_url"].split()):
        assert wanted_one.specifier.contains(pinned[wanted_one.name])
