"""What a loader logs of a row that the database refuses, as docs/loaders.md says."""

from __future__ import annotations

import json

import pytest
from loaders import Postgres
from postgres_server import postgres

PLANTED = "Zqxplanted"
SCHEMA = {
    "id": {"type": "integer"},
    "first_name": {"type": ["string", "null"]},
    "number": {"type": ["integer", "null"]},
}
MESSAGES = (
    {
        "type": "SCHEMA",
        "stream": "patients",
        "schema": {"properties": SCHEMA},
        "key_properties": ["id"],
    },
    {
        "type": "RECORD",
        "stream": "patients",
        "record": {"id": 1, "first_name": PLANTED, "number": 10**40},
    },
)


@pytest.fixture(scope="module")
def loader(tmp_path_factory):
    with postgres() as server:
        yield Postgres(tmp_path_factory.mktemp("loader"), server)


@pytest.mark.parametrize(
    ("variables", "is_logged"),
    [({}, True), ({"TARGET_POSTGRES_LOGLEVEL": "CRITICAL"}, False)],
)
def test_target_postgres_logs_a_refused_row_unless_it_is_told_not_to(
    loader, variables, is_logged
):
    lines = b"\n".join(json.dumps(one).encode() for one in MESSAGES)
    done = loader.run(lines, "logs", {}, **variables)
    assert done.returncode == 1
    assert (PLANTED in done.stderr.decode()) == is_logged
