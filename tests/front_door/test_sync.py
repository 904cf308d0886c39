"""Whole streams through the front door, value by value, first and further runs."""

from __future__ import annotations

import datetime as dt
import json
import typing as t
from decimal import Decimal

import pytest
from comparison import assert_equal, assert_same, extra_of, source
from drchrono_sandbox import (
    ACCESS_TOKEN,
    STREAMS,
    Changes,
    LogEntry,
    Practice,
    Settings,
    serve,
)
from log_lines import rows_of
from offline import OfflineTap, offline
from process import only
from target import Ended, Target

RECORDS = 90
PAGE = 40
UNDATED = ("clinical_notes", "prescription_messages")
DATED = tuple(name for name in STREAMS if name not in UNDATED)


class Synced(t.NamedTuple):
    """A run, and what the sandbox saw and held."""

    ended: Ended
    target: Target
    log: list[LogEntry]
    raw: dict[str, list[dict[str, t.Any]]]
    copy: Target

    def posts(self, stream: str) -> list[LogEntry]:
        return [e for e in self.log if e.method == "POST" and e.endpoint == stream]


def everything(api, **kwargs):
    return {stream: source(api, stream, **kwargs) for stream in STREAMS}


def highest(records):
    stamps = [record["updated_at"] for record in records if record.get("updated_at")]
    return max(stamps, key=dt.datetime.fromisoformat)


def same_moment(one, other):
    return dt.datetime.fromisoformat(one) == dt.datetime.fromisoformat(other)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Three runs: everything in several pages, nothing new, after changes."""
    synced = []
    copy = Target()
    with offline(practice=Practice.generate(records=RECORDS, seed=3)) as served:
        home = tmp_path_factory.mktemp("tap")
        tap = OfflineTap(home, served, api_url=served.url, access_token=ACCESS_TOKEN)
        for number, settings in enumerate(({"page_size": PAGE}, {}, {})):
            if number == 2:
                served.api.change(Changes(updates=4, inserts=3), seed=1)
                archived = Changes(deletions=3, streams=("appointments",))
                served.api.change(archived, seed=2)
            served.api.log.clear()
            ended = tap.with_settings(**settings).run(state=copy.state)
            ended.good(copy)
            log = [*served.api.log]
            run = Synced(ended, ended.target(), log, everything(served.api), copy)
            synced.append(run)
    return synced


@pytest.fixture
def first(runs):
    return runs[0]


@pytest.mark.parametrize("stream", STREAMS)
class TestFirstRun:
    def test_the_copy_equals_the_source(self, first, stream):
        assert_equal(first.target, stream, first.raw[stream])
        assert len(first.raw[stream]) > 2 * PAGE

    def test_each_record_goes_out_once_and_nothing_is_left_over(self, first, stream):
        assert first.target.emitted[stream] == len(first.raw[stream])
        assert all(not row.get("_extra") for row in first.target.rows(stream))

    def test_the_wire(self, first, stream):
        posts = first.posts(stream)
        assert {post.since for post in posts} == {"1970-01-01"}
        assert {post.verbose for post in posts} == {"true"}
        archived, inactive = posts[0].show_archived, posts[0].show_inactive
        assert archived == ("true" if stream == "appointments" else None)
        assert inactive == ("true" if stream == "patients" else None)
        orders = {"updated_at", "id"} if stream in UNDATED else {"updated_at"}
        assert {post.order_by for post in posts} == orders
        assert all(post.page_size <= PAGE for post in posts)
        assert {entry.accept for entry in first.log} == {"application/json"}
        assert {entry.api_version for entry in first.log} == {"v4"}

    def test_a_state_that_covers_what_went_out_follows_each_page(self, first, stream):
        emitted, since_last = [], 0
        for message in first.target.messages:
            if message["type"] == "RECORD" and message["stream"] == stream:
                emitted.append(message["record"])
                since_last += 1
                assert since_last <= PAGE or stream in UNDATED
            elif message["type"] == "STATE" and since_last:
                since_last = 0
                bookmark = message["value"]["bookmarks"][stream]
                if stream in DATED:
                    assert same_moment(
                        bookmark["replication_key_value"], highest(emitted)
                    )
                elif len(emitted) < len(first.raw[stream]):
                    assert bookmark["replication_key_value"] is None
        assert len(emitted) == len(first.raw[stream])

    def test_the_bookmark_is_the_highest_updated_at_as_it_came(self, first, stream):
        bookmark = first.target.bookmark(stream)
        if stream in UNDATED:
            today = dt.datetime.now(dt.UTC).date()
            assert bookmark in {str(today), str(today - dt.timedelta(days=1))}
        else:
            assert bookmark == highest(first.raw[stream])


def test_the_summary_names_records_and_requests(first):
    for stream in STREAMS:
        records, pages, requests, _, bookmark = rows_of(first.ended.log)[stream]
        assert int(records) == len(first.raw[stream])
        assert 1 <= int(pages) < int(requests)
        assert first.target.bookmark(stream).startswith(bookmark)


class TestSecondRun:
    @pytest.mark.parametrize("stream", STREAMS)
    def test_it_reads_from_the_bookmark_less_the_lookback(self, runs, stream):
        before, again, _ = runs
        moment = dt.datetime.fromisoformat(before.target.bookmark(stream))
        # In whatever zone the server reads the day.
        since = (moment - dt.timedelta(days=1, hours=14)).date()
        assert {post.since for post in again.posts(stream)} == {str(since)}
        assert len(again.posts(stream)) == 1

    @pytest.mark.parametrize("stream", DATED)
    def test_it_reads_only_what_is_new(self, runs, stream):
        again = runs[1]
        since = again.posts(stream)[0].since
        keys = again.target.tables[stream].keys()
        wanted = {
            str(record["id"])
            for record in again.raw[stream]
            if record["updated_at"][:10] >= since
        }
        assert keys == wanted
        assert len(wanted) < RECORDS / 2

    def test_it_is_cheap(self, runs):
        assert len(runs[1].log) <= 20


@pytest.mark.parametrize("stream", STREAMS)
def test_after_changes_the_copy_equals_the_source(runs, stream):
    assert_equal(runs[2].copy, stream, runs[2].raw[stream])
    added = len(runs[2].raw[stream]) - len(runs[1].raw[stream])
    # An edit of a line item posts transactions of its own.
    assert added >= 3 if stream == "transactions" else added == 3
    bookmarks = [
        state["bookmarks"].get(stream, {}).get("replication_key_value")
        for state in runs[2].copy.states
    ]
    moments = [dt.datetime.fromisoformat(one) for one in bookmarks if one]
    assert moments == sorted(moments)


def test_deleted_appointments_are_marked(runs):
    before = {row["id"] for row in runs[1].raw["appointments"] if row["deleted_flag"]}
    after = {
        row["id"] for row in runs[2].copy.rows("appointments") if row["deleted_flag"]
    }
    assert len(after - before) == 3


def test_less_can_be_asked_for(make_tap):
    with serve(practice=Practice.generate(records=60, seed=4)) as served:
        tap = make_tap(
            served, verbose=False, include_deleted=False, include_inactive=False
        )
        target = tap.run().good()
        for entry in served.api.log:
            if entry.endpoint not in STREAMS:
                continue
            assert entry.verbose is None
            assert entry.show_archived is None
            assert entry.show_inactive is None
        for stream in STREAMS:
            raw = source(served.api, stream, verbose=False, hidden=False)
            assert_equal(target, stream, raw)
        hidden = len(served.api.records("patients")) - len(target.rows("patients"))
        assert hidden > 0


@pytest.mark.parametrize(
    ("page_size", "sent"),
    [
        (None, (1000, 20_000)),
        (20_000, (1000, 20_000)),
        (1500, (1000, 1500)),
        (7, (7, 7)),
    ],
)
def test_a_page_never_exceeds_the_endpoints_maximum(make_tap, catalog, page_size, sent):
    streams = ("patients", "clinical_note_field_values")
    with offline(practice=Practice.generate(records=5)) as served:
        settings = {} if page_size is None else {"page_size": page_size}
        run = make_tap(served, **settings).run(catalog=only(catalog, streams))
        target = run.good()
        asked = {e.endpoint: e.page_size for e in served.api.log if e.method == "POST"}
        assert tuple(asked[stream] for stream in streams) == sent
        assert [len(target.rows(stream)) for stream in streams] == [5, 5]


def test_pages_of_one_record(make_tap, catalog):
    with offline(practice=Practice.generate(records=4)) as served:
        tap = make_tap(served, page_size=1)
        target = tap.run(catalog=only(catalog, ["transactions"])).good()
        assert_equal(target, "transactions", source(served.api, "transactions"))
        assert target.emitted["transactions"] == 4


@pytest.mark.parametrize("start", ["2025-03-04", "2025-03-04T12:30:00Z"])
def test_a_first_sync_begins_at_the_start_date(make_tap, catalog, start):
    practice = Practice.generate(records=40)
    with offline(practice=practice) as served:
        tap = make_tap(served, start_date=start)
        target = tap.run(catalog=only(catalog, ["line_items"])).good()
        raw = source(served.api, "line_items")
        wanted = [record for record in raw if record["updated_at"] >= "2025-03-04"]
        assert {post.since for post in served.api.log if post.since} == {"2025-03-04"}
        assert 0 < len(wanted) < len(raw)
        assert_equal(target, "line_items", wanted)


@pytest.mark.parametrize(
    "settings",
    [
        Settings(results_key="data"),
        Settings(page_size_cap=25),
        Settings(without_updated_at=(), without_id=()),
        Settings(without_updated_at=tuple(STREAMS)),
        Settings(tie="shuffled"),
    ],
    ids=["data", "capped", "all-dated", "none-dated", "shuffled"],
)
def test_servers_differ(make_tap, catalog, settings):
    streams = ("patients", "clinical_notes")
    with offline(settings, practice=Practice.generate(records=60, seed=5)) as served:
        target = make_tap(served).run(catalog=only(catalog, streams)).good()
        for stream in streams:
            assert_equal(target, stream, source(served.api, stream))
            if settings.tie != "shuffled":
                assert target.emitted[stream] == len(target.rows(stream))


def test_odd_values_stop_nothing_and_none_is_lost(make_tap):
    odd = Settings(odd=0.5)
    with offline(odd, practice=Practice.generate(records=60, seed=6)) as served:
        ended = make_tap(served).run()
        target = ended.good()
        kept = 0
        for stream in STREAMS:
            name = target.keys[stream][0]
            for raw in source(served.api, stream):
                row = target.tables[stream][str(raw[name])]
                extra = extra_of(row)
                kept += len(extra)
                for field, value in raw.items():
                    if field in extra:
                        assert extra[field] == value
                        assert row.get(field) is None
                    elif not any(path.startswith(f"{field}.") for path in extra):
                        within = target.schemas[stream]["properties"][field]
                        assert_same(value, row[field], within, field)
        assert kept > 20
        assert "Field vendor_added is not in the schema" in ended.log
        told = [
            line.split(" | ")[-2:]
            for line in ended.log.splitlines()
            if "Field " in line
        ]
        assert len(told) == len({tuple(line) for line in told})


def test_values_of_real_data(make_tap, catalog):
    given = {
        "appointments": [
            {
                "id": 123,
                "updated_at": "2024-01-05 10:00:00",
                "patient": None,
                "base_recurring_appointment": 77,
                "recur_end_date": "",
                "notes": "line\nline   ü",
            },
            {"id": "123_20240105", "updated_at": "2024-01-06T10:00:00"},
        ],
        "line_items": [
            {
                "id": "5",
                "updated_at": "2024-01-05T10:00:00",
                "appointment": 123,
                "price": "125.00",
                "allowed": "@number:1.50",
                "balance_ins": "",
                "balance_total": "123456789012345678.123456789",
                "doctor": "17",
                "new_field": {"a": [1, "@number:2.10"]},
            },
            {"id": 6, "updated_at": "2024-01-05T10:00:00", "price": "n/a"},
            {"updated_at": "2024-01-05T10:00:00", "price": "1.00"},
        ],
    }
    with offline(practice=Practice.of(given)) as served:
        ended = make_tap(served).run(catalog=only(catalog, given))
        target = ended.good()
    one, other = sorted(target.rows("appointments"), key=lambda row: row["id"])
    assert one["id"] == "123"
    assert one["updated_at"] == "2024-01-05T10:00:00"
    assert one["base_recurring_appointment"] == "77"
    assert one["recur_end_date"] is None
    assert one["notes"] == "line\nline   ü"
    assert other["id"] == "123_20240105"
    item, bad = sorted(target.rows("line_items"), key=lambda row: row["id"])
    assert (item["id"], item["appointment"], item["doctor"]) == (5, "123", 17)
    exact = [str(item[name]) for name in ("price", "allowed", "balance_total")]
    assert exact == ["125.00", "1.50", "123456789012345678.123456789"]
    assert item["balance_ins"] is None
    assert extra_of(item) == {"new_field": {"a": [1, Decimal("2.10")]}}
    assert (bad["price"], extra_of(bad)) == (None, {"price": "n/a"})
    assert "A record without a usable id was left out" in ended.log
    assert "n/a" not in ended.log


def test_an_empty_practice(make_tap):
    with offline(practice=Practice.of({})) as served:
        ended = make_tap(served).run()
        target = ended.good()
    assert set(STREAMS) < set(target.schemas)
    assert not target.of_type("RECORD")
    assert set(STREAMS) < set(target.state["bookmarks"])
    assert not any(target.bookmark(stream) for stream in STREAMS)
    assert ended.log.count("DrChrono may leave out records") == len(STREAMS)


def test_output_is_json_lines_in_utf_8(first):
    for line in first.ended.output.splitlines():
        assert json.loads(line)["type"] in {"SCHEMA", "RECORD", "STATE"}
