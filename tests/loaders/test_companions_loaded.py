"""The companion streams in DuckDB, JSONL files and PostgreSQL, value by value."""

from __future__ import annotations

import typing as t

import pytest
from comparison import source
from drchrono_sandbox import ACCESS_TOKEN, Changes, Practice, serve
from drchrono_sandbox.plain.endpoints import PLAIN
from loaders import DuckDb, Jsonl, Postgres
from process import Tap
from target import Target
from wanted import columns, wanted

if t.TYPE_CHECKING:
    from loaders import Loader, Row

pytestmark = pytest.mark.xdist_group("loaders")

LOADERS = {one.name: one for one in (DuckDb, Jsonl, Postgres)}
VERBOSE = frozenset({"tasks", "allergies"})
"""The streams whose verbose fields are asked for."""


class Told(t.NamedTuple):
    """Two runs of the tap, and the source after the second."""

    runs: list[bytes]
    target: Target
    raw: dict[str, list[Row]]


@pytest.fixture(scope="session")
def told(tmp_path_factory):
    home = tmp_path_factory.mktemp("companions")
    with serve(practice=Practice.generate(records=15, seed=29)) as served:
        tap = Tap(
            home,
            api_url=served.url,
            access_token=ACCESS_TOKEN,
            extra_streams="all",
            reference_max_age_hours=0,
        )
        first = tap.run()
        target = first.good()
        changes = Changes(updates=3, inserts=2, streams=("plain",))
        served.api.change(changes, seed=1)
        second = tap.run(state=target.state)
        second.good(target)
        raw = {
            name: source(served.api, name, verbose=name in VERBOSE) for name in PLAIN
        }
    return Told([first.output, second.output], target, raw)


@pytest.fixture(scope="session")
def load(told, tmp_path_factory, request):
    """Loads both runs once, with the loader of this name."""
    known: dict[str, Loader] = {}

    def load_with(name: str) -> Loader:
        if name not in known:
            home = tmp_path_factory.mktemp(f"companions-{name}")
            is_postgres = name == Postgres.name
            server = (request.getfixturevalue("server"),) if is_postgres else ()
            loader = known[name] = LOADERS[name](home, *server)
            for run in told.runs:
                loader.load(run, "companions")
        return known[name]

    return load_with


@pytest.mark.parametrize("stream", PLAIN)
@pytest.mark.parametrize("name", LOADERS)
def test_tables_equal_the_source(load, told, name, stream):
    loader = load(name)
    (key,) = told.target.keys[stream]
    schema = told.target.schemas[stream]
    found = {str(row[key]): row for row in loader.rows("companions", stream)}
    assert set(found) == {str(raw[key]) for raw in told.raw[stream]}
    for raw in told.raw[stream]:
        row, full = found[str(raw[key])], wanted(stream, raw, schema)
        for column in columns(schema, flattened=False):
            want = column.want(full, loader.form)
            assert column.found(row, loader.form) == want, column.name


def test_something_was_new_in_the_second_run(told):
    first = Target().read(told.runs[0])
    assert sum(told.target.emitted.values()) > sum(first.emitted.values())
    grown = [
        name for name in PLAIN if len(told.target.rows(name)) > len(first.rows(name))
    ]
    assert len(grown) > 30
