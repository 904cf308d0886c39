"""One practice, read by the tap in five runs, for all loaders."""

from __future__ import annotations

import json
import typing as t

import pytest
from awkward import GONE, WHOLE, practice
from comparison import source
from drchrono_sandbox import ACCESS_TOKEN, Changes, serve
from drchrono_sandbox.streams import STREAMS
from postgres_server import postgres
from process import Tap, only

if t.TYPE_CHECKING:
    from loaders import Row

RECORDS = 150
FLAT = {"flattening_enabled": True}


class Run(t.NamedTuple):
    """A run of the tap.

    Attributes:
        output: What it wrote.
        raw: All records of the source then, by stream.
        schemas: The SCHEMA messages' schemas.
        keys: The key of each stream.
        emitted: How many records of each stream went out.
        state: The last state.
    """

    output: bytes
    raw: dict[str, list[Row]]
    schemas: dict[str, dict[str, t.Any]]
    keys: dict[str, str]
    emitted: dict[str, int]
    state: dict[str, t.Any]


@pytest.fixture(scope="session")
def runs(tmp_path_factory, catalog) -> dict[str, Run]:
    """Two runs with changes between; all flattened; as BATCH files; a stream whole."""
    home = tmp_path_factory.mktemp("tap")
    with serve(practice=practice(RECORDS)) as served:
        tap = Tap(home, api_url=served.url, access_token=ACCESS_TOKEN)
        first = _run(tap, served.api)
        served.api.change(Changes(updates=20, inserts=5), seed=1)
        deleted = Changes(deletions=4, streams=("appointments",))
        served.api.change(deleted, seed=2)
        batches = {
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": f"file://{home}/batches"},
        }
        found = {
            "first": first,
            "second": _run(tap, served.api, state=first.state),
            "flat1": _run(
                tap.with_settings(**FLAT, flattening_max_depth=1), served.api
            ),
            "flat": _run(tap.with_settings(**FLAT, flattening_max_depth=3), served.api),
            "batch": _run(tap.with_settings(batch_config=batches), served.api),
        }
        gone = Changes(deletions=GONE, purge=True, streams=(WHOLE,))
        served.api.change(gone, seed=3)
        found["whole"] = _run(
            tap.with_settings(emit_activate_version_messages=True),
            served.api,
            state=found["second"].state,
            catalog=_full_table(catalog),
        )
    return found


def _full_table(catalog: dict[str, t.Any]) -> dict[str, t.Any]:
    """A catalog by which one stream is read whole."""
    catalog = only(catalog, [WHOLE])
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if not item["breadcrumb"]:
                item["metadata"]["replication-method"] = "FULL_TABLE"
    return catalog


def _run(tap: Tap, api: t.Any, **files: t.Any) -> Run:
    ended = tap.run(**files)
    target = ended.good()
    return Run(
        ended.output,
        {stream: source(api, stream) for stream in STREAMS},
        target.schemas,
        {stream: key for stream, (key,) in target.keys.items()},
        target.emitted,
        json.loads(json.dumps(target.state)),
    )


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL server."""
    with postgres() as running:
        yield running
