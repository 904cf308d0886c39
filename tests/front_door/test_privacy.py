"""No record value, token, secret, query or response body in anything but RECORD lines.

The sandbox plants recognisable values in every text, number-like field, date, error
body and token. The tap runs through every fault at DEBUG, and all that it wrote is
searched for them.
"""

from __future__ import annotations

import json
import re
import signal
import typing as t

import pytest
from drchrono_sandbox import Api, App, Practice, Settings
from drchrono_sandbox.rendering import MARK_DATE, MARK_DIGITS
from drchrono_sandbox.server import serve
from fault_matrix import rows
from fault_rows import STREAMS, Moment, Row
from process import started
from simulated import NOW, SimulatedClock, catalog_of, pasted, run, settings_for
from target import Target
from test_faults import faults_of

from tap_drchrono.records.casting import Casting

if t.TYPE_CHECKING:
    from pathlib import Path

    from process import Running
    from target import Ended

MARK = "Zqxplanted"
SECRET = "Zqxsecret-of-the-application"

QUERY = re.compile(r"\?[\w%-]*=|[?&]?\b(since|uuid|page_size|order_by|refresh_token)=")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
BODIES = (
    "Down for maintenance",
    "Request was throttled",
    "Enter a valid date",
    "Invalid uuid",
    "Authentication credentials",
    "You do not have permission",
    "A server error occurred",
    "Please submit",
    "<h1>",
    "<html",
    "error_description",
)
"""What the sandbox's error bodies say."""

_ROWS = {
    (row.trouble.name, row.request, row.moment): row
    for row in rows()
    if row.moment in {Moment.MIDDLE, Moment.START}
    or (row.moment is Moment.REFUSED and not row.lasting)
}
CASES = list(_ROWS.values())
"""Each trouble at each request, for good where there is such a row: that logs most."""


@pytest.fixture(scope="session")
def practice():
    return Practice.generate(records=40, now=NOW - 7200)


def marked(practice: Practice, clock: SimulatedClock, **changes: t.Any) -> Api:
    """The sandbox with planted values, junk and fields that no schema knows."""
    settings = Settings(
        list_base_seconds=2.0,
        mark=MARK,
        odd=0.3,
        apps=(App(client_id="client", client_secret=SECRET),),
        **changes,
    )
    return Api(practice, settings, clock=clock.now)


def found_in(text: str, api: Api) -> list[str]:
    """Return what of the source, its credentials or its answers is in a text."""
    oauth = api.oauth
    planted = (MARK, MARK_DIGITS, MARK_DATE, SECRET, "Bearer ", *BODIES)
    tokens = (*oauth.access_tokens, *oauth.grants, *oauth.spent)
    found = [one for one in (*planted, *tokens) if one in text]
    for pattern in (QUERY, UUID):
        found += [match[0] for match in pattern.finditer(text)]
    return found


def moments_in(text: str, api: Api) -> list[str]:
    """Return the records' own timestamps in a log; a STATE may hold one."""
    moments = {
        str(record.get("updated_at"))
        for stream in STREAMS
        for record in api.records(stream)
    }
    return [
        one for one in moments if re.match(r"\d{4}-..-..[T ]..:", one) and one in text
    ]


def besides_records(output: bytes) -> str:
    """Return all lines of standard output that are no RECORD."""
    lines = output.decode().strip("\n").split("\n")
    assert lines, "nothing was written, so nothing was searched"
    return "\n".join(line for line in lines if not line.startswith('{"type":"RECORD"'))


def files_in(directory: Path, *, but: tuple[str, ...]) -> str:
    """Return the content of all files that a test did not write itself."""
    return "\n".join(
        f"{path}\n{path.read_bytes().decode(errors='replace')}"
        for path in directory.rglob("*")
        if path.is_file() and path.name not in but
    )


OWN_FILES = ("config.json", "state.json", "catalog.json", "pair.json", "log.txt")


def test_the_search_finds_what_it_is_for(practice):
    clock = SimulatedClock()
    api = marked(practice, clock)
    body = api.records_body("patients").decode()
    assert {MARK, MARK_DIGITS, MARK_DATE} <= set(found_in(body, api))
    assert found_in("GET /api/patients_list?uuid=x", api)
    assert found_in(pasted(api), api)
    assert moments_in(body, api)


@pytest.mark.parametrize("row", CASES, ids=lambda row: row.name)
def test_every_fault_at_debug(row: Row, practice, tmp_path):
    clock = SimulatedClock()
    api = marked(practice, clock)
    api.set_faults(faults_of(row))
    settings = settings_for(api, tmp_path, page_size=10)

    ended = run(
        api,
        clock,
        tmp_path,
        settings,
        catalog=catalog_of(*STREAMS),
        cut=row.trouble.cut,
        level="DEBUG",
        environment={"TMPDIR": str(tmp_path)},
    )

    assert api.faults.applied[-1] > 0
    assert "DEBUG" in ended.log
    if row.moment is not Moment.START:
        assert MARK in ended.output.decode(), "no planted value was read at all"
    Target(checks=False).read(ended.output)
    assert leaks(ended, api, tmp_path) == []


def leaks(ended: Ended, api: Api, directory: Path) -> list[str]:
    """Return what a run wrote and should not have, RECORD lines apart."""
    written = ended.log + besides_records(ended.output)
    written += files_in(directory, but=OWN_FILES)
    return found_in(written, api) + moments_in(ended.log, api)


def test_filters_of_stream_maps_log_no_value(practice, tmp_path):
    clock = SimulatedClock()
    api = marked(practice, clock)
    settings = settings_for(
        api, tmp_path, stream_maps={"patients": {"__filter__": "last_name"}}
    )

    ended = run(api, clock, tmp_path, settings, catalog=catalog_of("patients"))

    assert ended.status == 0, ended.log
    assert leaks(ended, api, tmp_path) == []


def test_a_stream_map_that_fails_tells_no_value(practice, tmp_path):
    clock = SimulatedClock()
    api = marked(practice, clock)
    settings = settings_for(
        api, tmp_path, stream_maps={"patients": {"last_name": "int(last_name)"}}
    )

    ended = run(api, clock, tmp_path, settings, catalog=catalog_of(*STREAMS))

    assert ended.status == 1
    assert "patients" in ended.log
    assert leaks(ended, api, tmp_path) == []


@pytest.mark.parametrize("kind", [ValueError, OSError])
def test_a_program_error_tells_its_place_and_no_value(
    practice, tmp_path, monkeypatch, kind
):
    def fail(_: object, record: dict[str, t.Any]) -> None:
        msg = f"cannot cast {json.dumps(record, default=str)}"
        raise kind(msg)

    clock = SimulatedClock()
    api = marked(practice, clock)
    settings = settings_for(api, tmp_path)
    monkeypatch.setattr(Casting, "cast", fail)

    ended = run(api, clock, tmp_path, settings, catalog=catalog_of("patients"))

    assert ended.status == 1
    assert f"patients: unexpected {kind.__name__} in" in ended.log
    assert json.loads(ended.output.splitlines()[-1])["type"] == "STATE"
    assert leaks(ended, api, tmp_path) == []


def test_names_of_fields_that_may_be_values_are_not_logged(tmp_path):
    record = {
        "id": 1,
        "updated_at": "2025-01-01T00:00:00",
        "vendor_added": 1,
        f"{MARK} Jane Roe, born {MARK_DATE}": "text",
    }
    clock = SimulatedClock()
    practice = Practice.of({"patients": [record]}, now=NOW)
    api = Api(practice, clock=clock.now)
    settings = settings_for(api, tmp_path)

    ended = run(api, clock, tmp_path, settings, catalog=catalog_of("patients"))

    assert ended.status == 0
    assert MARK in ended.output.decode()
    assert "vendor_added" in ended.log
    assert found_in(ended.log, api) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"access_token": {"Zqxplanted": "Zqxplanted"}},
        {"access_token": "Zqxplanted\n8675309"},
        {"access_token": "Zqxplanted", "client_secret": SECRET},
        {"client_id": "client", "client_secret": SECRET, "start_date": "Zqxplanted"},
        {"client_id": "client", "client_secret": SECRET, "api_url": "Zqxplanted://"},
        {
            "client_id": "c",
            "client_secret": SECRET,
            "api_url": "https://u:Zqxplanted@h",
        },
        {"client_id": "client", "client_secret": SECRET, "page_size": "Zqxplanted"},
        {"client_id": "client", "client_secret": SECRET, "secret": "Zqxplanted"},
    ],
)
def test_refused_settings_are_named_without_their_values(settings, practice, tmp_path):
    clock = SimulatedClock()
    api = marked(practice, clock)

    ended = run(api, clock, tmp_path, settings)

    assert ended.status == 1
    assert found_in(ended.log, api) == []
    assert api.log == []


REAL_FAULTS = (
    {"kind": "close", "endpoint": "token"},
    {"kind": "html", "endpoint": "token", "nth": 2},
    {"kind": "reset", "method": "POST", "page": 2},
    {"kind": "truncate", "method": "GET", "page": 2, "when": "complete"},
    {"kind": "malformed_json", "method": "GET", "page": 3, "when": "complete"},
    {"kind": "500", "method": "POST", "page": 3},
    {"kind": "401", "nth": 14, "times": 2},
    {"kind": "list_failed", "method": "POST", "page": 4, "status": 500},
    {"kind": "redirect", "method": "POST", "page": 4, "nth": 2},
    {"kind": "429", "seconds": 1.0, "nth": 9},
    {"kind": "403", "method": "POST", "endpoint": "patients", "nth": 2},
)


def at_debug(url: str, api: Api, directory: Path, **when: t.Any) -> Running:
    """Start a tap at DEBUG that can write to one directory only."""
    variables = {
        "TMPDIR": str(directory / "tmp"),
        "PYTHONWARNINGS": "always",
        "PYTHONDEVMODE": "1",
        "TAP_DRCHRONO_LOGLEVEL": "DEBUG",
        "TAP_DRCHRONO_PAGE_SIZE": "10",
    }
    return started(url, api, directory, variables=variables, **when)


def test_a_process_at_debug_over_sockets(practice, tmp_path):
    api = Api(
        practice,
        Settings(mark=MARK, odd=0.3, apps=(App(client_id="c", client_secret=SECRET),)),
        faults=REAL_FAULTS,
    )
    with serve(api=api) as served:
        ended = at_debug(served.url, api, tmp_path).end()

    assert ended.status == 1
    assert "1 of 3 streams failed: patients" in ended.log
    assert sum(api.faults.applied) >= 9
    Target(checks=False).read(ended.output)
    assert leaks(ended, api, tmp_path) == []


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_process_leaves_whole_lines_and_no_value(signum, practice, tmp_path):
    api = Api(
        practice,
        Settings(
            mark=MARK,
            list_base_seconds=0.3,
            list_record_seconds=0.05,
            apps=(App(client_id="c", client_secret=SECRET),),
        ),
    )
    with serve(api=api) as served:
        tap = at_debug(served.url, api, tmp_path)
        ended = tap.end(signum, after=b'{"type":"RECORD"')

    assert ended.status == 128 + signum
    assert ended.output.endswith(b"\n")
    assert json.loads(ended.output.splitlines()[-1])["type"] == "STATE"
    assert leaks(ended, api, tmp_path) == []
