"""`./dev demo`, and what it must not do: lie, or leave something running."""

from __future__ import annotations

import datetime as dt
import os
import re
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
from drchrono_sandbox import Practice, Settings
from drchrono_sandbox.api import Api
from drchrono_sandbox.streams import STREAMS

from dev_tools import demo
from dev_tools.answers import AGES, compute
from dev_tools.environments import meltano_environment

ROOT = Path(__file__).parents[2]


def _api() -> Api:
    return Api(Practice.generate(records=30), Settings())


def test_two_runs_load_what_the_source_holds():
    program = str(meltano_environment())
    done = subprocess.run(
        [sys.executable, "-m", "dev_tools.demo", program, "--records", "120"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = {
        line[:26].strip(): [
            int(cell.replace(",", "")) for cell in line[27:].replace("|", " ").split()
        ]
        for line in done.stdout.splitlines()
        if line[:26].strip() in demo.KEYS
    }
    assert rows.keys() == demo.KEYS.keys()
    for name, numbers in rows.items():
        source, read, loaded, source_then, read_then, loaded_then = numbers
        assert source == read == loaded > 0
        if name not in STREAMS:
            assert source_then == loaded_then >= source
            continue
        assert source > 100
        assert source_then == loaded_then
        added = source_then - source
        # Three line items are deleted, and their transactions with them.
        if name != "transactions":
            assert added == (2 if name == "line_items" else 5)
        assert 25 <= read_then < source
    assert "each table held the source's records" in done.stdout
    text = " ".join(done.stdout.split())
    (gone,) = re.findall(r"Line items that were deleted stay too: (\d+) rows", text)
    assert int(gone) == 3
    ((ids, orphans),) = re.findall(r"Of ([\d,]+) ids of doctors.*?(\d+) lead", text)
    assert int(ids.replace(",", "")) > 1000
    assert 0 < int(orphans) < int(ids.replace(",", "")) / 20
    (requests,) = re.findall(r"second run cost (\d+) requests", text)
    assert int(requests) <= 35
    assert "equal the source's books to the cent" in done.stdout
    check_answers(done.stdout)


def check_answers(text: str) -> None:
    """The three tables are there, narrow, and add up."""
    answers = text.split("\nWho owes what")[1]
    lines = answers.splitlines()
    assert max(map(len, lines)) <= 80
    amounts = {
        line[:22].strip(): [Decimal(one.replace(",", "")) for one in line[22:].split()]
        for line in lines
        if re.fullmatch(r".{22}( +-?[\d,]+\.\d\d){3}", line)
    }
    total = amounts.pop("total")
    assert len(amounts) == len(AGES)
    assert [sum(column) for column in zip(*amounts.values(), strict=True)] == total
    assert total[0] + total[1] == total[2] > 0
    assert re.search(r"^charge +\d+ +[\d,]+\.\d\d$", answers, re.MULTILINE)
    assert len(re.findall(r"^\w+ \w+ +[\d,]+ +\d+ +\d+$", answers, re.MULTILINE)) > 1
    assert "docs/answers.md" in answers


def test_answers_that_differ_are_told(monkeypatch):
    as_of = dt.date(2026, 3, 31)
    api = Api(Practice.generate(records=100, as_of=as_of), Settings())
    records = {stream: api.records(stream) for stream in demo.KEYS}
    right = compute(records, as_of)
    assert right.total("insurance") > 0
    assert sum(count for count, _ in right.sheet.values()) > 0
    monkeypatch.setattr(demo, "ask", lambda *_: (right, list(records)))
    assert demo.answer(api, as_of) == (right, False)
    key = ("patient", "0-30")
    wrong = right._replace(owed=right.owed | {key: right.owed[key] + Decimal("0.01")})
    monkeypatch.setattr(demo, "ask", lambda *_: (wrong, list(records)))
    assert demo.answer(api, as_of) == (wrong, True)


def test_equal_tables_are_told():
    api = _api()
    warehouse = demo.Warehouse(demo.source_rows(api))
    loads = demo.compare(api, dict.fromkeys(demo.KEYS, 30), warehouse)
    assert all(load.equal for load in loads.values())
    assert "DIFFERENT" not in demo.table(loads, loads)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows: rows[1:],
        lambda rows: [*rows, rows[0]],
        lambda rows: [rows[0]._replace(key="other"), *rows[1:]],
        lambda rows: [rows[0]._replace(updated_at=None), *rows[1:]],
        lambda rows: [rows[0]._replace(deleted=not rows[0].deleted), *rows[1:]],
    ],
    ids=["lost", "twice", "another key", "an old version", "another flag"],
)
def test_a_table_that_differs_is_told(spoil):
    api = _api()
    rows = demo.source_rows(api)
    rows |= {"appointments": spoil(rows["appointments"])}
    loads = demo.compare(api, dict.fromkeys(demo.KEYS, 30), demo.Warehouse(rows))
    assert [name for name, load in loads.items() if not load.equal] == ["appointments"]
    assert demo.table(loads, loads).count("DIFFERENT") == 1


def test_a_row_that_is_gone_is_left_out():
    api = _api()
    rows = demo.source_rows(api)
    ghost = rows["line_items"][0]._replace(key="ghost", gone=True)
    rows |= {"line_items": [*rows["line_items"], ghost]}
    loads = demo.compare(api, dict.fromkeys(demo.KEYS, 30), demo.Warehouse(rows))
    assert all(load.equal for load in loads.values())
    assert loads["line_items"].gone == 1


def test_a_users_own_settings_stay_out(monkeypatch):
    for name in (
        "TAP_DRCHRONO_ACCESS_TOKEN",
        "TARGET_DUCKDB_TOKEN",
        "MELTANO_CWD",
        "DBT_VARS",
    ):
        monkeypatch.setenv(name, "mine")
    env = demo.environment("http://127.0.0.1:1", dt.date(2026, 3, 31))
    assert "mine" not in env.values()
    assert env["TAP_DRCHRONO_API_URL"] == "http://127.0.0.1:1"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()[0]
    return state != "Z"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_nothing_is_left_running(tmp_path, signum):
    pids = tmp_path / "pids"
    grandchild = f"sleep 60 & echo $! $$ > {pids}.new; mv {pids}.new {pids}; wait"
    program = (
        "import os, signal, sys\n"
        "from dev_tools import demo\n"
        "signal.signal(signal.SIGTERM, demo._stop)\n"
        "signal.signal(signal.SIGHUP, demo._stop)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"command = ['/bin/sh', '-c', {grandchild!r}]\n"
        "demo._run_group(command, os.environ, open(os.devnull, 'wb'))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.DEVNULL
    ) as process:
        until = time.monotonic() + 20
        while not pids.exists() and time.monotonic() < until:
            time.sleep(0.02)
        started = [int(pid) for pid in pids.read_text("utf-8").split()]
        assert all(_is_alive(pid) for pid in started)
        process.send_signal(signum)
        assert process.wait(20) != 0
    while any(_is_alive(pid) for pid in started) and time.monotonic() < until:
        # Killed they are; a busy machine may take a moment to see it.
        time.sleep(0.02)
    assert not any(_is_alive(pid) for pid in started)


def test_the_commands_are_listed():
    done = subprocess.run(
        [ROOT / "dev", "help"], capture_output=True, text=True, check=True
    )
    for name in ("demo", "test", "check", "sandbox", "bench", "soak", "setup"):
        assert f"\n  {name} " in done.stdout


def test_an_unknown_command_is_refused():
    done = subprocess.run(
        [ROOT / "dev", "dmeo"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "there is no command dmeo" in done.stderr
