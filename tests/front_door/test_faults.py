"""Each row of the fault matrix, end to end: recovered and whole, or a clear error."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from comparison import differences, source_of
from drchrono_sandbox import Api, Practice, Settings
from fault_matrix import render, rows
from fault_rows import STREAMS, Moment, Outcome, Request, Row
from simulated import NOW, SimulatedClock, catalog_of, run, settings_for
from target import Target

if t.TYPE_CHECKING:
    from comparison import Source

_RECORDS = 45
_PAGE = 12
_PAGES = -(-_RECORDS // _PAGE)
_NEAR_EXPIRY = 172_800 - 600 - 20
"""Seconds after which a token is near its expiry in the course of a sync."""


@pytest.fixture(scope="session")
def practice():
    return Practice.generate(records=_RECORDS, now=NOW - 7200)


@pytest.fixture(scope="session")
def whole(practice):
    """What the source holds; none of these runs changes it."""
    return source_of(Api(practice, clock=lambda: NOW), STREAMS, verbose=False)


@pytest.fixture(scope="session")
def catalog():
    return catalog_of(*STREAMS)


def sandbox(practice: Practice, row: Row, clock: SimulatedClock) -> Api:
    """The sandbox with the faults of a row."""
    seconds = 15.0 if row.moment is Moment.NEAR_EXPIRY else 2.0
    settings = Settings(
        list_base_seconds=seconds, list_record_seconds=0.02, **row.trouble.sandbox
    )
    return Api(practice, settings, clock=clock.now)


def faults_of(row: Row) -> list[dict[str, object]]:
    fault = row.trouble.fault | {"times": None if row.lasting else 1}
    endpoint, number = row.moment.value
    if row.request is Request.TOKEN:
        hit = fault | {
            "endpoint": "token",
            "nth": 2 if row.moment is Moment.REFUSED else 1,
        }
        if row.moment is not Moment.REFUSED:
            return [hit]
        # Long enough to meet the other endpoint that is asked with the same token.
        page = {"method": "GET", "page": 3, "endpoint": "patients"}
        return [{"kind": "401", "lasts": 0.06, **page}, hit]
    hit = fault | {"method": row.request.value, "endpoint": endpoint}
    if row.lasting and not row.trouble.by_page:
        # A list that fails is asked for again with other pages: so from here on, all.
        return [hit | {"nth": number}]
    return [hit | {"page": number}]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_row(row, practice, whole, catalog, tmp_path):
    clock = SimulatedClock()
    api = sandbox(practice, row, clock)
    settings = settings_for(api, tmp_path, page_size=_PAGE, verbose=False)
    cut = row.trouble.cut
    copy = Target(checks=False)
    if row.moment is Moment.NEAR_EXPIRY:
        run(
            api,
            clock,
            tmp_path,
            settings,
            catalog=catalog_of("patients"),
            level="WARNING",
        )
        clock.time += _NEAR_EXPIRY
    api.set_faults(faults_of(row))

    first = run(
        api, clock, tmp_path, settings, catalog=catalog, cut=cut, level="WARNING"
    )

    copy.read(first.output)
    assert api.faults.applied[-1] > 0, "the fault of this row was not met"
    assert row.expect.says in first.log
    assert "Traceback" not in first.log
    assert "unexpected " not in first.log
    match row.expect.outcome:
        case Outcome.WHOLE:
            assert first.status == 0, first.log
            assert differences(copy, whole) == {}
        case Outcome.WARNED:
            assert first.status == 0
        case Outcome.HELD:
            assert first.status == 0
            assert set(differences(copy, whole)) == {row.moment.value[0]}
        case Outcome.STREAM_FAILS:
            stream = row.moment.value[0]
            others = {name: rows for name, rows in whole.items() if name != stream}
            assert first.status == 1
            assert f"1 of 3 streams failed: {stream}." in first.log
            assert differences(copy, others) == {}
        case _:
            assert first.status == 1
            assert "streams failed" not in first.log
    assert_bookmarks_cover_only_what_was_sent(copy, whole)
    if row.trouble.most is not None:
        hit = sum(entry.endpoint == row.moment.value[0] for entry in api.log)
        assert hit <= row.trouble.most * _PAGES

    api.set_faults(())
    if row.expect.outcome is Outcome.AUTHORIZE or lost_its_grant(api, settings):
        grant = api.oauth.add_grant(settings["client_id"], clock.now())
        settings["refresh_token"] = grant.refresh_token
    clock.time += 86_400
    second = run(
        api,
        clock,
        tmp_path,
        settings,
        state=copy.state,
        catalog=catalog,
        level="WARNING",
    )

    copy.read(second.output)
    assert second.status == 0, second.log
    assert differences(copy, whole) == {}


@pytest.mark.parametrize("gaps", [True, False])
def test_what_is_never_listed_is_said_once_and_settled(gaps, catalog, tmp_path):
    clock = SimulatedClock()
    practice = Practice.generate(records=_RECORDS, now=NOW - 7200, shared=0)
    fault = {"kind": "records_unlisted", "method": "POST", "times": None, "gaps": gaps}
    api = Api(practice, clock=clock.now, faults=[fault])
    settings = settings_for(api, tmp_path, page_size=_PAGE, verbose=False)
    copy = Target(checks=False)
    said, notes = [], []
    for _ in range(3):
        ended = run(
            api,
            clock,
            tmp_path,
            settings,
            state=copy.state,
            catalog=catalog,
            level="WARNING",
        )
        copy.read(ended.output)
        assert ended.status == 0, ended.log
        said.append(ended.log)
        bookmarks = copy.state["bookmarks"].values()
        notes.append([one["shortage"] for one in bookmarks])
        clock.time += 86_400

    held, settled = "The bookmark stays before them", "the bookmark moves on"
    assert [log.count(held) for log in said] == [len(STREAMS), 0, 0]
    assert [log.count(settled) for log in said] == [0, len(STREAMS), 0]
    assert all(notes[0])
    assert notes[1] == notes[2] == [None] * len(STREAMS)


def lost_its_grant(api: Api, settings) -> bool:
    """Whether the answer that held the newest refresh token never arrived."""
    path = Path(settings["credentials_path"])
    kept = path.read_text() if path.exists() else settings["refresh_token"]
    return not any(token in kept for token in api.oauth.grants)


def assert_bookmarks_cover_only_what_was_sent(copy: Target, whole: Source) -> None:
    """Every record that the next run will not read is in the copy."""
    for stream in STREAMS[:2]:
        if bookmark := copy.bookmark(stream):
            read = copy.tables[stream]
            passed = {
                key
                for key, record in whole[stream].items()
                if record["updated_at"] < bookmark[:10]
            }
            assert passed <= set(read)


def test_the_page_has_this_table():
    page = Path(__file__).parents[2] / "docs" / "reliability.md"
    begin, end = "<!-- reliability:begin -->\n", "\n<!-- reliability:end -->"
    assert page.read_text("utf-8").partition(begin)[2].partition(end)[0] == render()
