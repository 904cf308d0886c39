"""Tables of 0.1.0 take what the tap writes, once docs/upgrading.md was followed."""

from __future__ import annotations

import json
import re
import subprocess
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from drchrono_sandbox.streams import STREAMS
from loaders import DuckDb, Postgres
from test_loaders import Loaded, check

from dev_tools.environments import loader_environment

PAGE = Path(__file__).parents[2] / "docs" / "upgrading.md"
DATED = ("line_items", "transactions")
pytestmark = pytest.mark.xdist_group("loaders")

PLACES = {DuckDb.name: "warehouse", Postgres.name: "drchrono"}
"""Files, or schemas: those that the page names."""

to_json = msgspec.json.Encoder(decimal_format="number").encode


def statements(loader: str) -> list[str]:
    """The statements of a loader's first block on the page."""
    page = PAGE.read_text("utf-8")
    section = page.partition(f"### {loader}\n")[2].partition("\n### ")[0]
    (block, *_) = re.findall(r"```sql\n(.*?)```", section, flags=re.DOTALL)
    return [one.strip() for one in block.split(";") if one.strip()]


def of_0_1_0(schema):
    """A schema as 0.1.0 had it."""
    properties = dict(schema["properties"])
    properties["_extra"] = {"type": ["object", "null"]}
    if "posted_date" in properties:
        properties["posted_date"] = {"type": ["string", "null"], "format": "date-time"}
    return {**schema, "properties": properties}


def messages_of_0_1_0(output: bytes) -> bytes:
    """What 0.1.0 would have written."""
    lines = []
    for line in output.splitlines():
        message = json.loads(line, parse_float=Decimal)
        if message["type"] != "STATE" and message["stream"] not in STREAMS:
            continue
        if message["type"] == "SCHEMA":
            message["schema"] = of_0_1_0(message["schema"])
        if message["type"] == "RECORD":
            record = message["record"]
            if (extra := record.pop("_extra")) is not None:
                record["_extra"] = json.loads(extra, parse_float=Decimal)
        lines.append(to_json(message) + b"\n")
    return b"".join(lines)


@pytest.fixture(scope="session", params=[DuckDb, Postgres], ids=lambda one: one.name)
def upgraded(runs, tmp_path_factory, request):
    """A warehouse of 0.1.0, upgraded and loaded again."""
    home = tmp_path_factory.mktemp("upgraded")
    is_postgres = request.param is Postgres
    server = (request.getfixturevalue("server"),) if is_postgres else ()
    loader, place = request.param(home, *server), PLACES[request.param.name]
    if is_postgres:  # the pages name one schema, and other tests load into it too
        loader.execute(place, f'DROP SCHEMA IF EXISTS "{place}" CASCADE')
    loader.load(messages_of_0_1_0(runs["first"].output), place)
    before = {stream: loader.types(place, stream) for stream in STREAMS}
    for statement in statements(loader.name):
        loader.execute(place, statement)
    loader.load(runs["second"].output, place)
    rows = {("second", stream): loader.rows(place, stream) for stream in STREAMS}
    return Loaded(loader, rows, {}), before


@pytest.mark.parametrize("stream", STREAMS)
def test_all_rows_equal_the_source(upgraded, runs, stream):
    check(upgraded[0], "second", stream, runs)


@pytest.mark.parametrize("stream", STREAMS)
def test_only_these_two_columns_changed(upgraded, stream):
    done, before = upgraded
    after = done.loader.types(PLACES[done.loader.name], stream)
    assert after.keys() == before[stream].keys()
    changed = {name for name in after if after[name] != before[stream][name]}
    assert changed == {"_extra", *(["posted_date"] if stream in DATED else [])}


def test_without_the_statements_duckdb_keeps_the_old_columns_aside(runs, tmp_path):
    loader, place = DuckDb(tmp_path), "untouched"
    loader.load(messages_of_0_1_0(runs["first"].output), place)
    loader.load(runs["second"].output, place)
    names = loader.types(place, "line_items")
    assert sum(bool(re.fullmatch(r"_extra_\d+_\d+", name)) for name in names) == 1
    assert names["_extra"] == "VARCHAR"


def test_without_the_statements_postgres_refuses(runs, tmp_path, server):
    loader = Postgres(tmp_path, server)
    loader.load(messages_of_0_1_0(runs["first"].output), "untouched")
    with pytest.raises(AssertionError, match="Altering columns is not supported"):
        loader.load(runs["second"].output, "untouched")


def test_snowflake_would_be_asked_to_alter_what_it_cannot(runs):
    meets = runs["first"].schemas["line_items"]

    def sent(made_for):
        done = subprocess.run(
            [
                loader_environment("target-snowflake"),
                Path(__file__).parent / "snowflake_alters.py",
            ],
            input=json.dumps({"made_for": made_for, "meets": meets}).encode(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        return [re.sub(r"\s+", " ", one).strip() for one in json.loads(done.stdout)]

    old = of_0_1_0(meets)
    assert sent(old) == [
        "ALTER TABLE DB.DRCHRONO.LINE_ITEMS ALTER COLUMN _extra SET DATA TYPE VARCHAR"
    ]
    renamed = {
        f"{name}_0_1_0" if name in {"_extra", "posted_date"} else name: field
        for name, field in old["properties"].items()
    }
    adds = sent({**old, "properties": renamed})
    assert len(adds) == 2
    assert all(" ADD COLUMN " in one for one in adds)
    pairs = {
        match.groups()
        for one in statements("target-snowflake")
        if (match := re.search(r"\.(\w+) RENAME COLUMN (\w+) TO \2_0_1_0$", one))
    }
    assert pairs == {(stream.upper(), "_EXTRA") for stream in STREAMS} | {
        (stream.upper(), "POSTED_DATE") for stream in DATED
    }
