"""`./dev demo`: two runs of the tap on a simulated practice that changes in between."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import typing as t
from collections import Counter

from drchrono_sandbox.api import Api
from drchrono_sandbox.oauth import REFRESH_TOKEN
from drchrono_sandbox.practice import Practice
from drchrono_sandbox.server import serve
from drchrono_sandbox.settings import Changes, Settings
from drchrono_sandbox.streams import STREAMS

from dev_tools.answers import Answers, ask, compute, tables
from dev_tools.environments import DEV, ROOT, environ, say
from tap_drchrono.endpoints import Group
from tap_drchrono.streams.catalogue import ENDPOINTS, endpoints

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import FrameType

HOME = DEV / "demo"
WAREHOUSE = HOME / "warehouse.duckdb"
LOADER_PYTHON = ROOT / ".meltano" / "loaders" / "target-duckdb" / "venv" / "bin/python"
KEYS = {one.stream: one.key for one in endpoints()}
"""The streams that are read, each with its key."""
JOINS = {
    one.stream: {
        column: (parent, KEYS[parent])
        for column, parent in one.joins.items()
        if "." not in column and ENDPOINTS[parent].group is Group.REFERENCE
    }
    for one in endpoints()
    if one.group is Group.BULK
}
"""By bulk stream, its columns that hold ids of names: the stream that has them, and
its key."""
GONE = {"line_items": "id", "transactions": "line_item"}
"""The column that `line_item_deletions` names where a row is to be left out."""

LOAD = ("tap-drchrono", "target-duckdb")
BUILD = "dbt-duckdb:build"
CHANGES = {
    # Elsewhere a deleted record is gone without a trace, so no table could show it.
    stream: Changes(
        updates=20,
        inserts=5,
        deletions=3 * (stream in {"appointments", "line_items"}),
        streams=(stream,),
    )
    for stream in STREAMS
}

_OWN_SETTINGS = ("MELTANO_", "TAP_DRCHRONO_", "TARGET_", "DBT_", "DRCHRONO_")
_PATIENCE = 5.0
_LAST_LINES = 20

_QUERY = '''
import json, sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
keys, left_out, joins = map(json.loads, sys.argv[2:])
tables = {}
for stream, key in keys.items():
    columns = connection.execute(f"DESCRIBE drchrono.{stream}").fetchall()
    columns = {name for name, *_ in columns}
    changed = "strftime(updated_at, '%Y-%m-%dT%H:%M:%S')"
    changed = changed if "updated_at" in columns else "NULL"
    deleted = "deleted_flag" if "deleted_flag" in columns else "NULL"
    gone = "FALSE"
    if stream in left_out:
        gone = f"""EXISTS (
            SELECT 1 FROM drchrono.line_item_deletions AS gone
            WHERE gone.billing_line_item_id = {stream}.{left_out[stream]}
        )"""
    query = f'SELECT "{key}"::VARCHAR, {changed}, {deleted}, {gone} '
    query += f"FROM drchrono.{stream}"
    tables[stream] = connection.execute(query).fetchall()
names = [0, 0]
for stream, columns in joins.items():
    for column, (parent, key) in columns.items():
        kind, = connection.execute(
            f"SELECT any_value(typeof({column})) FROM drchrono.{stream}"
        ).fetchone()
        ids = f"SELECT {column}::VARCHAR AS id FROM drchrono.{stream}"
        if kind == "JSON":
            ids = f"SELECT unnest(from_json({column}, '[\\"VARCHAR\\"]')) AS id "
            ids += f"FROM drchrono.{stream}"
        found = connection.execute(
            f"""SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (
                SELECT 1 FROM drchrono.{parent} AS p WHERE p.{key}::VARCHAR = one.id
            )) FROM ({ids}) AS one WHERE one.id <> ''"""
        ).fetchone()
        names = [sum(pair) for pair in zip(names, found)]
json.dump({"tables": tables, "names": names}, sys.stdout)
'''


class Row(t.NamedTuple):
    """What is compared of a record.

    Attributes:
        key: Its key as text.
        updated_at: When it last changed, if that is known.
        deleted: The flag of a deleted appointment; None in other streams.
        gone: Whether `line_item_deletions` names it, or its line item.
    """

    key: str
    updated_at: str | None
    deleted: bool | None
    gone: bool = False


class Warehouse(t.NamedTuple):
    """What was loaded.

    Attributes:
        rows: The rows by stream.
        ids: Ids of names in the bulk tables.
        orphans: Those that lead to no name.
    """

    rows: dict[str, list[Row]]
    ids: int = 0
    orphans: int = 0


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


class Load(t.NamedTuple):
    """One stream after a run.

    Attributes:
        source: Records at the source.
        read: Records that the tap read in this run.
        loaded: Rows in the table, without those that are gone.
        deleted: Rows with `deleted_flag`.
        gone: Rows that are left out, since `line_item_deletions` names them.
        equal: Whether the other rows are those of the source, each once.
    """

    source: int
    read: int
    loaded: int
    deleted: int
    gone: int
    equal: bool


def environment(url: str, as_of: dt.date) -> dict[str, str]:
    """Return the environment variables of a run, none of them the user's own settings.

    Args:
        url: Base URL of the sandbox.
        as_of: The practice's last day, which ages are counted to.

    Returns:
        What Meltano and its plugins need; it keeps its state below `.dev/demo`.
    """
    own = {
        name: value
        for name, value in environ().items()
        if not name.startswith(_OWN_SETTINGS)
    }
    app = Settings().apps[0]
    return own | {
        "DBT_LOG_PATH": str(HOME / "dbt"),
        "DBT_TARGET_PATH": str(HOME / "dbt"),
        "DRCHRONO_AS_OF": as_of.isoformat(),
        "MELTANO_DATABASE_URI": f"sqlite:///{HOME / 'meltano.db'}",
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        "TAP_DRCHRONO_API_URL": url,
        "TAP_DRCHRONO_CLIENT_ID": app.client_id,
        "TAP_DRCHRONO_CLIENT_SECRET": app.client_secret,
        "TAP_DRCHRONO_REFRESH_TOKEN": REFRESH_TOKEN,
        "TAP_DRCHRONO_CREDENTIALS_PATH": str(HOME / "credentials.json"),
        # From these lines the demo learns what was read.
        "TAP_DRCHRONO_METRICS_LOG_LEVEL": "INFO",
        "TARGET_DUCKDB_FILEPATH": str(WAREHOUSE),
        # Meltano keeps its logs there.
        "XDG_STATE_HOME": str(HOME / "state"),
    }


def run_pipeline(
    meltano: str, env: Mapping[str, str], log: Path, *steps: str
) -> dict[str, int]:
    """Run the pipeline once.

    Args:
        meltano: The program.
        env: Its environment variables.
        log: Where its output goes.
        steps: What it is to run, one after the other.

    Returns:
        How many records of each stream were read.

    Raises:
        DemoError: If it fails.
    """
    # No .env: it holds the user's own settings.
    command = [meltano, "--env-file", os.devnull, "--log-format", "json"]
    with log.open("wb") as output:
        status = _run_group([*command, "run", *steps], env, output)
    lines = log.read_text("utf-8", errors="replace").splitlines()
    events = [_event(line) for line in lines]
    if status:
        last = [str(event.get("event", "")) for event in events if event][-_LAST_LINES:]
        msg = f"meltano ended with {status}. The end of {log}:\n" + "\n".join(last)
        raise DemoError(msg)
    read = dict.fromkeys(KEYS, 0)
    for event in events:
        metric = event.get("metric_info", {})
        if metric.get("metric") == "record_count":
            read[metric["tags"]["stream"]] += metric["value"]
    return read


def _event(line: str) -> dict[str, t.Any]:
    """Read a line of Meltano's log; what is not JSON is a message by itself."""
    with contextlib.suppress(ValueError):
        found = json.loads(line)
        if isinstance(found, dict):
            return found
    return {"event": line}


def _run_group(command: list[str], env: Mapping[str, str], output: t.BinaryIO) -> int:
    """Run a program, and end it with all that it started if this one must end."""
    process = subprocess.Popen(  # noqa: S603 - the commands are this project's own
        command,
        cwd=ROOT,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        return process.wait()
    finally:
        _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process group: politely first, and surely in the end."""
    until = time.monotonic() + _PATIENCE
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
        while time.monotonic() < until:
            process.poll()
            os.killpg(process.pid, 0)
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)


def loaded() -> Warehouse:
    """Read the warehouse, with the loader's own DuckDB.

    Returns:
        What it holds.

    Raises:
        DemoError: If it cannot be read.
    """
    done = subprocess.run(  # noqa: S603 - the command is this project's own
        [
            LOADER_PYTHON,
            "-c",
            _QUERY,
            WAREHOUSE,
            *map(json.dumps, (KEYS, GONE, JOINS)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        msg = f"The warehouse cannot be read:\n{done.stderr}"
        raise DemoError(msg)
    found = json.loads(done.stdout)
    tables: dict[str, list[tuple[str, str | None, bool | None, bool]]]
    tables = found["tables"]
    rows = {stream: [Row(*row) for row in rows] for stream, rows in tables.items()}
    return Warehouse(rows, *found["names"])


def source_rows(api: Api) -> dict[str, list[Row]]:
    """Read the source.

    Args:
        api: The sandbox.

    Returns:
        The rows by stream, as they should be in the warehouse.
    """
    return {
        name: [
            Row(
                str(record[key]),
                # Some come with a space for the `T`.
                (record.get("updated_at") or "").replace(" ", "T") or None,
                record.get("deleted_flag"),
            )
            for record in api.records(name)
        ]
        for name, key in KEYS.items()
    }


def compare(api: Api, read: Mapping[str, int], warehouse: Warehouse) -> dict[str, Load]:
    """Compare the warehouse with the source.

    Args:
        api: The sandbox.
        read: Records that were read, by stream.
        warehouse: What was loaded.

    Returns:
        The comparison by stream.
    """
    source = source_rows(api)
    loads = {}
    for stream in KEYS:
        there = [row for row in warehouse.rows[stream] if not row.gone]
        loads[stream] = Load(
            len(source[stream]),
            read[stream],
            len(there),
            sum(row.deleted is True for row in there),
            len(warehouse.rows[stream]) - len(there),
            Counter(source[stream]) == Counter(there),
        )
    return loads


def table(first: Mapping[str, Load], second: Mapping[str, Load]) -> str:
    """Lay out both runs for people.

    Args:
        first: By stream, the first run.
        second: By stream, the second run.

    Returns:
        Some lines of text.
    """
    columns = ("source", "read", "loaded")
    head = f"{'':<27}|{'first run':^27}|{'second run':^27}|"
    names = "".join(f"{column:>9}" for column in columns)
    lines = [head, f"{'stream':<27}|{names}|{names}|"]
    for stream in KEYS:
        runs = (first[stream], second[stream])
        cells = "|".join(
            "".join(f"{number:>9,}" for number in (run.source, run.read, run.loaded))
            for run in runs
        )
        verdict = "" if all(run.equal for run in runs) else "  DIFFERENT"
        lines.append(f"{stream:<27}|{cells}|{verdict}")
    return "\n".join(lines)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Refuse a second demo in the same checkout, and start with nothing."""
    with (DEV / "demo.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            msg = "Another demo is running in this checkout."
            raise DemoError(msg) from None
        shutil.rmtree(HOME, ignore_errors=True)
        HOME.mkdir()
        yield


def demo(meltano: str, records: int) -> int:
    """Run the demo.

    Args:
        meltano: The program.
        records: About how many records a stream.

    Returns:
        The exit status: 1 if the warehouse differs from the source.

    Raises:
        DemoError: If a run fails.
    """
    settings = Settings(
        list_base_seconds=0.5,
        list_record_seconds=0.001,
        hourly_limit=500,
        burst_limit=10,
    )
    # A whole day, so that its sheet is full.
    as_of = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
    api = Api(Practice.generate(records=records, as_of=as_of), settings)
    with _alone(), serve(api=api) as sandbox:
        say(f"the sandbox, a simulated practice, listens on {sandbox.url}")
        env = environment(sandbox.url, as_of)
        results = []
        for number, steps in enumerate((LOAD, (*LOAD, BUILD)), 1):
            say(f"run {number} of 2: meltano run {' '.join(steps)}")
            started = time.monotonic()
            read = run_pipeline(meltano, env, HOME / f"run-{number}.log", *steps)
            say(f"run {number} of 2: {time.monotonic() - started:.1f} s")
            warehouse = loaded()
            results.append(compare(api, read, warehouse))
            requests = len(api.log)
            api.log.clear()
            if number == 1:
                for changes in CHANGES.values():
                    api.change(changes)
                say("changed the practice: 20 edits and 5 new records a bulk stream")
        answers, differing = answer(api, as_of)
    first, second = results
    sys.stdout.write(
        f"\n{table(first, second)}\n\n"
        f"Appointments that were deleted stay as rows with deleted_flag = true: "
        f"{first['appointments'].deleted} after the\nfirst run, "
        f"{second['appointments'].deleted} after the second.\n"
        f"Line items that were deleted stay too: {second['line_items'].gone} rows, and "
        f"{second['transactions'].gone} of their\ntransactions. Without those that "
        "line_item_deletions names, as above, the tables\nhold what the source has.\n"
        f"Of {warehouse.ids:,} ids of doctors, offices, users, profiles and fields, "
        f"{warehouse.orphans:,} lead to no\nname: there are orphans, as in real "
        f"practices. The second run cost {requests} requests.\n\n"
        f"{tables(answers, as_of)}\n\n"
        f"The tables are in {WAREHOUSE.relative_to(ROOT)}, schema drchrono, and the\n"
        "answers in schema drchrono_marts: docs/answers.md says what else they tell.\n"
        f"What Meltano said is in {HOME.relative_to(ROOT)}/run-1.log and run-2.log.\n"
    )
    if differing:
        sys.stdout.write("THE ANSWERS DIFFER FROM THE SOURCE'S BOOKS.\n")
        return 1
    if all(load.equal for load in (*first.values(), *second.values())):
        sys.stdout.write(
            "After both runs each table held the source's records, each once, as of\n"
            "their last change. The answers equal the source's books to the cent.\n"
        )
        return 0
    sys.stdout.write("THE WAREHOUSE DIFFERS FROM THE SOURCE.\n")
    return 1


def answer(api: Api, as_of: dt.date) -> tuple[Answers, bool]:
    """Read the answers, and compare them with the source's books.

    Args:
        api: The sandbox.
        as_of: The day that ages are counted to.

    Returns:
        The answers, and whether they differ.

    Raises:
        DemoError: If they cannot be read.
    """
    try:
        answers, loaded = ask(LOADER_PYTHON, WAREHOUSE, as_of)
    except RuntimeError as error:
        raise DemoError(str(error)) from None
    books = compute({stream: api.records(stream) for stream in loaded}, as_of)
    return answers, answers != books


def _stop(signum: int, _: FrameType | None) -> t.NoReturn:
    """End as after Ctrl-C, so that nothing is left running."""
    sys.exit(128 + signum)


def main() -> int:
    """Run the demo as a program.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("meltano", help=argparse.SUPPRESS)
    parser.add_argument(
        "--records", type=int, default=1500, help="records a stream (%(default)s)"
    )
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGHUP, _stop)
    try:
        return demo(asked.meltano, asked.records)
    except DemoError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
