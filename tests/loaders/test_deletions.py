"""The SQL in docs/deletions.md, on what the loaders stored."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
from comparison import source
from drchrono_sandbox import ACCESS_TOKEN, Changes, Practice, serve
from loaders import DuckDb, Postgres
from process import Tap, only

pytestmark = pytest.mark.xdist_group("loaders")

PAGE = Path(__file__).parents[2] / "docs" / "deletions.md"
STREAMS = ("appointments", "line_items", "transactions", "line_item_deletions")
SCHEMA = "drchrono"


class Told(t.NamedTuple):
    """Two runs with deletions in between, one that reads all, and the source then."""

    runs: list[bytes]
    whole: bytes
    before: dict[str, set[t.Any]]
    after: dict[str, set[t.Any]]


@pytest.fixture(scope="module")
def told(tmp_path_factory, catalog):
    chosen = only(catalog, STREAMS)
    practice = Practice.generate(records=120, seed=23)
    with serve(practice=practice) as served:
        home = tmp_path_factory.mktemp("deleting")
        tap = Tap(home, api_url=served.url, access_token=ACCESS_TOKEN)
        first = tap.run(catalog=chosen)
        before = keys(served.api)
        gone = Changes(deletions=9, purge=True, streams=("line_items",))
        served.api.change(gone, seed=1)
        # A deleted transaction leaves no trace.
        gone = Changes(deletions=4, purge=True, streams=("transactions",))
        served.api.change(gone, seed=2)
        second = tap.run(catalog=chosen, state=first.good().state)
        whole = tap.run(catalog=only(catalog, ["transactions"]))
        second.good()
        whole.good()
        return Told(
            [first.output, second.output], whole.output, before, keys(served.api)
        )


def keys(api: t.Any) -> dict[str, set[t.Any]]:
    return {name: {one["id"] for one in source(api, name)} for name in STREAMS[:3]}


@pytest.fixture(scope="module", params=[DuckDb, Postgres], ids=lambda one: one.name)
def ask(request, told, tmp_path_factory):
    """Loads the runs, and answers a query with its rows."""
    home = tmp_path_factory.mktemp(request.param.name)
    is_postgres = request.param is Postgres
    server = (request.getfixturevalue("server"),) if is_postgres else ()
    loader = request.param(home, *server)
    # A file of the schema's name would make the name ambiguous for DuckDB.
    place = SCHEMA if is_postgres else "warehouse"
    if is_postgres:  # the pages name one schema, and other tests load into it too
        loader.execute(place, f'DROP SCHEMA IF EXISTS "{SCHEMA}" CASCADE')
    for run in told.runs:
        loader.load(run, place)
    loader.load(told.whole, place, default_target_schema=f"{SCHEMA}_whole")
    return lambda query: loader.ask(place, query)


def queries() -> list[str]:
    return re.findall(r"```sql\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL)


def test_the_loaded_table_has_ghosts(ask, told):
    rows = ask("select line_items.* from drchrono.line_items")
    ghosts = {row["id"] for row in rows} - told.after["line_items"]
    assert len(ghosts) >= 9


def test_the_anti_join_gives_what_the_source_has(ask, told):
    rows = ask(queries()[0])
    assert {row["id"] for row in rows} == told.after["line_items"]
    assert len(rows) == len(told.after["line_items"])


def test_transactions_of_deleted_line_items_are_left_out(ask, told):
    rows = ask(queries()[1])
    everything = ask("select transactions.* from drchrono.transactions")
    there = told.after["line_items"]
    wanted = {
        row["id"]
        for row in everything
        if row["line_item"] in there or row["line_item"] is None
    }
    assert {row["id"] for row in rows} == wanted
    assert len(wanted) < len(everything)


def test_line_items_of_deleted_visits_are_left_out(ask):
    rows = ask(queries()[2])
    deleted = {
        row["id"] for row in ask("select * from drchrono.appointments")
        if row["deleted_flag"]
    }  # fmt: skip
    wanted = [row for row in ask(queries()[0]) if row["appointment"] not in deleted]
    assert deleted
    assert {row["id"] for row in rows} == {row["id"] for row in wanted}


def test_a_whole_read_beside_shows_what_is_gone(ask, told):
    rows = ask(queries()[3])
    loaded = {row["id"] for row in ask("select * from drchrono.transactions")}
    assert {row["id"] for row in rows} == loaded - told.after["transactions"]
    assert len(rows) >= 4


def test_each_query_of_the_page_is_tested():
    assert len(queries()) == 4
