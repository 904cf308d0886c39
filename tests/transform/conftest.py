"""One practice, read by the tap twice with changes between, in two warehouses."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
import typing as t

import pytest
from comparison import source
from drchrono_sandbox import ACCESS_TOKEN, Changes, Practice, serve
from phases import PHASES
from postgres_server import postgres
from process import Tap
from warehouses import DuckDbWarehouse, PostgresWarehouse

from dev_tools.marts import MARTS, Source

if t.TYPE_CHECKING:
    from warehouses import Row, Warehouse

RECORDS = 300
AS_OF = dt.date(2026, 3, 31)


def pytest_collection_modifyitems(items):
    """Skip by name what needs dbt where it does not start."""
    if sys.version_info >= (3, 14):
        reason = "dbt-core 1.11 does not start on Python 3.14"
        for item in items:
            if item.path.parent.name == "transform":
                item.add_marker(pytest.mark.skip(reason=reason))


class Run(t.NamedTuple):
    """A run of the tap.

    Attributes:
        output: What it wrote.
        records: All records of the source then, by stream.
    """

    output: bytes
    records: dict[str, list[Row]]


@pytest.fixture(scope="session")
def practice():
    """A practice whose calendar ends on the day that ages are counted to."""
    return Practice.generate(records=RECORDS, as_of=AS_OF, seed=5)


@pytest.fixture(scope="session")
def synced(practice, tmp_path_factory) -> dict[str, Run]:
    """A first sync, and a second one after edits, new records and deletions."""
    with serve(practice=practice) as served:
        home = tmp_path_factory.mktemp("tap")
        tap = Tap(
            home,
            api_url=served.url,
            access_token=ACCESS_TOKEN,
            extra_streams=["eobs"],
        )

        def run(**files: t.Any) -> tuple[Run, t.Any]:
            ended = tap.run(**files)
            target = ended.good()
            streams = [*target.schemas]
            records = {stream: source(served.api, stream) for stream in streams}
            return Run(ended.output, records), target.state

        first, state = run()
        served.api.change(Changes(updates=30, inserts=10), seed=1)
        # Deletions of line items can be seen in a stream of their own only.
        seen = {"appointments": "appointments", "line_items": "line_item_deletions"}
        streams = tuple(one for one in seen if seen[one] in first.records)
        served.api.change(Changes(deletions=6, streams=streams), seed=2)
        second, _ = run(state=state)
    return {"first": first, "second": second}


@pytest.fixture(scope="session")
def duckdb_warehouse(tmp_path_factory):
    home = tmp_path_factory.mktemp("duckdb")
    with contextlib.closing(DuckDbWarehouse(home, AS_OF.isoformat())) as warehouse:
        yield warehouse


@pytest.fixture(scope="session")
def postgres_warehouse(tmp_path_factory):
    with postgres() as server:
        home = tmp_path_factory.mktemp("postgres")
        own = PostgresWarehouse(home, AS_OF.isoformat(), server)
        with contextlib.closing(own) as warehouse:
            yield warehouse


@pytest.fixture(scope="session")
def marts(synced, request):
    """Reads all marts after both runs, by phase and mart, in the warehouse named."""
    known: dict[str, dict[tuple[str, str], list[Row]]] = {}

    def read(kind: str) -> dict[tuple[str, str], list[Row]]:
        if kind not in known:
            warehouse: Warehouse = request.getfixturevalue(f"{kind}_warehouse")
            known[kind] = {}
            for phase in PHASES:
                warehouse.load(synced[phase].output)
                warehouse.build("--exclude-resource-type", "unit_test")
                for mart in MARTS:
                    known[kind][phase, mart] = warehouse.rows(mart)
        return known[kind]

    return read


@pytest.fixture(scope="session")
def wanted(synced):
    """What each mart must hold, by phase and mart."""
    sources = {phase: Source(synced[phase].records, AS_OF) for phase in PHASES}
    return {
        (phase, mart): compute(sources[phase])
        for phase in PHASES
        for mart, compute in MARTS.items()
    }
