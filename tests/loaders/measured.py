"""The targets that `./dev loaders` measures: what to install, and what was stored."""

from __future__ import annotations

import csv
import json
import os
import socket
import sqlite3
import subprocess
import time
import typing as t
from contextlib import closing, contextmanager
from decimal import Decimal

from postgres_server import DATABASE, USER

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from postgres_server import Server

Row: t.TypeAlias = dict[str, t.Any]

BUCKET = "lake"
STORE = ("moto[server]>=5", "boto3")
"""The object store. It has an environment of its own: it brings a checker of dates,
with which a target of the Singer SDK refuses each timestamp that has no zone."""

_READ_DUCKDB = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
query = f"SELECT to_json(t) FROM drchrono.{sys.argv[2]} t"
for row, in connection.execute(query).fetchall():
    print(row)
"""
_READ_PARQUET = """
import io, json, os, sys
import boto3, pyarrow.parquet
address, bucket, stream = sys.argv[1:]
store = boto3.client("s3", endpoint_url=address, region_name="us-east-1")
pages = store.get_paginator("list_objects_v2").paginate(Bucket=bucket)
found = [one for page in pages for one in page.get("Contents", ())]
for one in sorted(found, key=lambda one: one["LastModified"]):
    if stream not in one["Key"].replace(".", "/").replace("-", "/").split("/"):
        continue
    body = store.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
    for row in pyarrow.parquet.read_table(io.BytesIO(body)).to_pylist():
        print(json.dumps(row, default=str))
sys.stdout.flush()
os._exit(0)  # pyarrow's threads may crash a process that ends by itself
"""
_MAKE_BUCKET = """
import sys, boto3
store = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1")
store.create_bucket(Bucket=sys.argv[2])
"""


class Place(t.NamedTuple):
    """Where a target is tried.

    Attributes:
        python: The Python of its environment.
        home: A directory of its own.
        server: A PostgreSQL server.
        store: The address of an object store on this machine; empty where none runs.
    """

    python: Path
    home: Path
    server: Server
    store: str = ""


class Target(t.NamedTuple):
    """A target.

    Attributes:
        package: The package that it comes in, with its version.
        more: What else must be installed with it.
        program: Its program.
        config: Its settings, for the run of this number.
        rows: Reads a stream back, in the order in which it was stored.
        flat: Whether the tap flattens for it.
        instead: Versions to install, whatever the package asks for.
        needs_store: Whether it writes into an object store.
    """

    package: str
    program: str
    config: Callable[[Place, int], dict[str, t.Any]]
    rows: Callable[[Place, str], list[Row]]
    more: tuple[str, ...] = ()
    flat: bool = False
    instead: tuple[str, ...] = ()
    needs_store: bool = False

    @property
    def name(self) -> str:
        """The package's name."""
        return self.package.partition("==")[0]


def _lines(place: Place, program: str, *arguments: str) -> list[Row]:
    """Run a program of the environment, and read the JSON that it prints."""
    done = subprocess.run(
        [place.python, "-X", "utf8", "-c", program, *arguments],
        env=environment(),
        capture_output=True,
        check=True,
    )
    return _parsed(done.stdout.decode().split("\n")[:-1])


def environment() -> dict[str, str]:
    """The environment variables of a target; the keys are no one's."""
    own = ("TAP_", "TARGET_", "MELTANO_", "AWS_", "PYTHON")
    kept = {name: one for name, one in os.environ.items() if not name.startswith(own)}
    return kept | {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "none"}


def _parsed(lines: list[str]) -> list[Row]:
    return [json.loads(line, parse_float=Decimal) for line in lines]


def _in_files(folder: Path, pattern: str) -> Iterator[Path]:
    return iter(sorted(folder.rglob(pattern), key=lambda path: path.stat().st_mtime_ns))


def _jsonl(place: Place, stream: str) -> list[Row]:
    return [
        row
        for path in _in_files(place.home, f"{stream}.jsonl")
        for row in _parsed(path.read_text("utf-8").split("\n")[:-1])
    ]


def _csv(place: Place, stream: str) -> list[Row]:
    found: list[Row] = []
    for path in _in_files(place.home, f"{stream}[-.]*csv"):
        with path.open(encoding="utf-8", newline="") as file:
            found += csv.DictReader(file)
    return found


def _sqlite(place: Place, stream: str) -> list[Row]:
    with closing(sqlite3.connect(place.home / "stored.db")) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute(f'SELECT * FROM "{stream}"')  # noqa: S608 - names of the tap's own
        return [dict(row) for row in rows]


def _duckdb(place: Place, stream: str) -> list[Row]:
    return _lines(place, _READ_DUCKDB, str(place.home / "stored.duckdb"), stream)


def _postgres(schema: str) -> Callable[[Place, str], list[Row]]:
    def rows(place: Place, stream: str) -> list[Row]:
        query = f'SELECT to_jsonb(t) FROM "{schema}"."{stream}" t'  # noqa: S608 - names of the tests' own
        return _parsed(place.server.query(query))

    return rows


def _parquet(place: Place, stream: str) -> list[Row]:
    return _lines(place, _READ_PARQUET, place.store, BUCKET, stream)


def _folder(place: Place, number: int) -> str:
    folder = place.home / f"run{number}"
    folder.mkdir(exist_ok=True)
    return str(folder)


def _for_postgres(place: Place, schema: str) -> dict[str, t.Any]:
    return {
        "host": "127.0.0.1",
        "port": place.server.port,
        "user": USER,
        "password": "not asked for",
        "database": DATABASE,
        "dbname": DATABASE,
        "default_target_schema": schema,
    }


TARGETS = (
    Target(
        "target-jsonl==0.1.4",
        "target-jsonl",
        lambda place, number: (
            {"destination_path": _folder(place, number)} | {"do_timestamp_file": False}
        ),
        _jsonl,
    ),
    Target(
        "meltanolabs-target-postgres==0.8.1",
        "target-postgres",
        lambda place, _: (
            _for_postgres(place, "meltanolabs") | {"load_method": "upsert"}
        ),
        _postgres("meltanolabs"),
    ),
    Target(
        "pipelinewise-target-postgres==2.1.2",
        "target-postgres",
        lambda place, _: _for_postgres(place, "pipelinewise"),
        _postgres("pipelinewise"),
        more=("setuptools<80",),
    ),
    Target(
        "target-duckdb==0.8.0",
        "target-duckdb",
        lambda place, _: {
            "filepath": str(place.home / "stored.duckdb"),
            "default_target_schema": "drchrono",
        },
        _duckdb,
        more=("duckdb<1.3",),
    ),
    Target(
        "target-sqlite==0.2.0",
        "target-sqlite",
        lambda place, _: {"database": str(place.home / "stored")},
        _sqlite,
        more=("setuptools<80",),
        flat=True,
        instead=("SQLAlchemy==1.3.24",),
    ),
    Target(
        "target-csv==0.3.0",
        "target-csv",
        lambda place, number: (
            {"destination_path": _folder(place, number)} | {"disable_collection": True}
        ),
        _csv,
        more=("setuptools<80",),
        flat=True,
    ),
    Target(
        "meltanolabs-target-csv==0.5.0",
        "target-csv",
        lambda place, number: {"output_path": _folder(place, number)},
        _csv,
        flat=True,
    ),
    Target(
        "target-parquet==0.0.1",
        "target-parquet",
        lambda place, number: (
            {"destination_path": _folder(place, number)} | {"disable_collection": True}
        ),
        lambda _, __: [],
        more=("setuptools<80",),
        instead=("pandas>=2", "pyarrow>=14"),
        flat=True,
    ),
    Target(
        "plinxore-target-s3==0.1.7",
        "target-s3",
        lambda place, _: {
            "format": {"format_type": "parquet"},
            "cloud_provider": {
                "cloud_provider_type": "aws",
                "aws": {
                    "aws_region": "us-east-1",
                    "aws_bucket": BUCKET,
                    "aws_endpoint_override": place.store,
                    "aws_access_key_id": "nobody",
                    "aws_secret_access_key": "none",
                },
            },
            "append_date_to_prefix": False,
        },
        _parquet,
        flat=True,
        needs_store=True,
    ),
)


@contextmanager
def store(python: Path) -> Iterator[str]:
    """Run an object store on this machine, with an empty bucket."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [python.parent / "moto_server", "-H", "127.0.0.1", "-p", str(port)],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        make = [python, "-c", _MAKE_BUCKET, address, BUCKET]
        subprocess.run(make, env=environment(), capture_output=True, check=True)
        yield address
    finally:
        process.terminate()
        process.wait()
