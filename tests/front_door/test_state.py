"""Bookmarks and resuming: kills, odd states, odd timestamps, and the end on request."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
from pathlib import Path

import pytest
from comparison import assert_equal, source
from drchrono_sandbox import STREAMS, Fault, Practice, Settings, serve
from log_lines import VERBOSE
from offline import offline
from process import only
from target import Target

PAGE = 40
DAY = dt.timedelta(days=1)
ZONES = dt.timedelta(hours=14)
"""How far the zone in which `since` is read may lie from that of the timestamps."""
NEVER = 3600.0
"""Seconds that a list takes which the tests do not wait for."""


def state_of(**bookmarks):
    return {
        "bookmarks": {
            stream: {"replication_key": "updated_at", "replication_key_value": value}
            for stream, value in bookmarks.items()
        }
    }


def since_of(api):
    return {e.endpoint: e.since for e in reversed(api.log) if e.method == "POST"}


def today():
    return dt.datetime.now(dt.UTC).date()


def about_today(value):
    """Whether a day is today, also when the test runs across midnight."""
    return dt.date.fromisoformat(value) in {today(), today() - DAY}


def of(stream, *stamps, **fields):
    """A practice whose records of one stream have these update times."""
    records = [
        {"id": number, **fields, **({} if stamp is ... else {"updated_at": stamp})}
        for number, stamp in enumerate(stamps, 1)
    ]
    return Practice.of({stream: records})


class TestResuming:
    @pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
    def test_after_a_stop_in_the_middle_nothing_is_missing(
        self, make_tap, catalog, signum
    ):
        slow = Settings(list_times={"patients": (0, 0, NEVER)})
        chosen = only(catalog, ["patients"])
        with serve(slow, practice=Practice.generate(records=100, seed=8)) as served:
            tap = make_tap(served, page_size=PAGE)
            with tap.start(catalog=chosen, env=VERBOSE) as running:
                running.wait_for_output(b'"STATE"')
                running.wait_for_log("page 2 is out")
                ended = running.signal(signum)
            copy = ended.target()
            assert 0 < copy.emitted["patients"] < 100
            assert ended.seconds < 2
            if signum != signal.SIGKILL:
                assert ended.status == 128 + signum
                assert copy.messages[-1]["type"] == "STATE"
            bookmark = copy.bookmark("patients")
            assert bookmark is not None
            served.api.log.clear()
            tap.run(catalog=chosen, state=copy.state).good(copy)
            since = (dt.datetime.fromisoformat(bookmark) - ZONES).date() - DAY
            assert since_of(served.api) == {"patients": str(since)}
            assert_equal(copy, "patients", source(served.api, "patients"))

    def test_a_stop_returns_undated_streams_to_where_they_were(self, make_tap, catalog):
        name = "clinical_notes"
        slow = Settings(list_times={name: (0, 0, 0, NEVER)})
        before = state_of(clinical_notes="2020-01-01")
        chosen = only(catalog, [name])
        with serve(slow, practice=Practice.generate(records=100, seed=8)) as served:
            tap = make_tap(served, page_size=PAGE)
            with tap.start(catalog=chosen, state=before, env=VERBOSE) as running:
                running.wait_for_log("page 2 is out")
                stopped = running.terminate().target()
            assert stopped.emitted[name] > 0
            assert stopped.bookmark(name) == "2020-01-01"
            copy = tap.run(catalog=chosen, state=stopped.state).good(stopped)
            assert since_of(served.api) == {name: "2019-12-30"}
            assert_equal(copy, name, source(served.api, name))
            assert about_today(copy.bookmark(name))

    def test_states_keep_what_they_know_of_other_streams(self, make_tap, catalog):
        before = state_of(patients="2024-01-01T00:00:00", transactions="2024-02-02")
        with serve(practice=Practice.generate(records=3)) as served:
            tap = make_tap(served)
            chosen = only(catalog, ["patients"])
            target = tap.run(catalog=chosen, state=before).good()
        for state in target.states:
            kept = state["bookmarks"]["transactions"]["replication_key_value"]
            assert kept == "2024-02-02"


class TestStates:
    def test_what_is_junk_counts_as_no_bookmark(self, make_tap):
        junk = state_of(
            appointments="junk",
            patients="2999-01-01T00:00:00",
            line_items="2024-02-30T00:00:00",
            prescription_messages="",
            clinical_notes="2024-05-06T07:08:09Z",
        )
        junk["bookmarks"]["transactions"] = 5
        junk["bookmarks"]["eligibility_checks"] = {"replication_key_value": None}
        with offline(practice=Practice.generate(records=3)) as served:
            ended = make_tap(served, start_date="2020-02-02").run(state=junk)
            target = ended.good()
            since = since_of(served.api)
        assert since.pop("clinical_notes") == "2024-05-04"
        assert set(since.values()) == {"2020-02-02"}
        assert len(since) == len(STREAMS) - 1
        assert "junk" not in ended.log
        assert "The bookmark in the state cannot be used" in ended.log
        assert "bookmarks that cannot be read" in ended.log
        for stream in ("appointments", "patients", "line_items", "transactions"):
            assert target.bookmark(stream).startswith("20")

    @pytest.mark.parametrize(
        "state", [{}, {"bookmarks": []}, {"bookmarks": None}, {"value": 1}]
    )
    def test_a_state_without_bookmarks_reads_everything(self, make_tap, catalog, state):
        with offline(practice=Practice.generate(records=3)) as served:
            tap = make_tap(served)
            tap.run(catalog=only(catalog, ["patients"]), state=state).good()
            assert since_of(served.api) == {"patients": "1970-01-01"}

    @pytest.mark.parametrize(
        ("days", "since"),
        [(1, "2024-05-04"), (30, "2024-04-05"), (10**9, "1970-01-01")],
    )
    def test_the_lookback(self, make_tap, catalog, days, since):
        before = state_of(patients="2024-05-06 07:08:09")
        with offline(practice=Practice.generate(records=3)) as served:
            tap = make_tap(served, lookback_days=days, start_date="2024-05-20")
            target = tap.run(catalog=only(catalog, ["patients"]), state=before).good()
            assert since_of(served.api) == {"patients": since}
        assert target.bookmark("patients") > "2024-05-06"

    def test_a_run_that_reads_older_records_does_not_move_the_bookmark_back(
        self, make_tap, catalog
    ):
        practice = of("patients", "2024-05-05T00:00:00", "2024-05-06T01:00:00")
        before = state_of(patients="2024-05-06T07:08:09")
        with offline(practice=practice) as served:
            tap = make_tap(served)
            target = tap.run(catalog=only(catalog, ["patients"]), state=before).good()
        assert target.emitted["patients"] == 2
        bookmarks = {
            state["bookmarks"]["patients"]["replication_key_value"]
            for state in target.states
        }
        assert bookmarks == {"2024-05-06T07:08:09"}


class TestTimestamps:
    @pytest.mark.parametrize(
        ("stamps", "bookmark"),
        [
            (("2024-01-01T10:00:00", "2024-01-02 10:00:00"), "2024-01-02 10:00:00"),
            (("2024-01-01T10:00:00", "2024-01-02"), "2024-01-02"),
            (("2024-01-01T10:00:00", "nonsense", None, ""), "2024-01-01T10:00:00"),
            (("2024-01-01T10:00:00", "2999-01-01T00:00:00"), "2024-01-01T10:00:00"),
            (("2024-01-01T10:00:00", ...), "2024-01-01T10:00:00"),
            (("2024-01-01T10:00:00", 1704103200), "2024-01-01T10:00:00"),
        ],
        ids=["space", "date", "junk", "future", "absent", "number"],
    )
    def test_odd_ones_neither_stop_nor_mislead(
        self, make_tap, catalog, stamps, bookmark
    ):
        with offline(practice=of("patients", *stamps)) as served:
            tap = make_tap(served)
            ended = tap.run(catalog=only(catalog, ["patients"]))
        target = ended.good()
        assert target.emitted["patients"] == len(stamps)
        assert target.bookmark("patients") == bookmark
        warned = "more than two days ahead" in ended.log
        assert warned == ("2999-01-01T00:00:00" in stamps)
        assert "nonsense" not in ended.log

    def test_an_unsorted_server_gets_its_bookmark_at_the_end_only(
        self, make_tap, catalog
    ):
        unsorted = Settings(ignore_order_by=True)
        before = state_of(patients="2020-01-01T00:00:00")
        with offline(unsorted, practice=Practice.generate(records=100)) as served:
            tap = make_tap(served, page_size=PAGE)
            ended = tap.run(catalog=only(catalog, ["patients"]), state=before)
            target = ended.good()
            raw = source(served.api, "patients")
            assert_equal(target, "patients", raw)
        *during, last = [
            state["bookmarks"]["patients"]["replication_key_value"]
            for state in target.states
        ]
        assert set(during) <= {"2020-01-01T00:00:00"}
        started = dt.datetime.fromisoformat(last)
        newest = max(record["updated_at"].replace(" ", "T") for record in raw)
        assert newest < last
        assert abs(dt.datetime.now(dt.UTC).replace(tzinfo=None) - started) < DAY
        assert "Records do not arrive in the order of updated_at" in ended.log


class TestStreamsWithoutUpdatedAt:
    def test_the_next_run_reads_from_the_day_of_the_first_list(self, make_tap, catalog):
        name = "prescription_messages"
        chosen = only(catalog, [name])
        with offline(practice=Practice.generate(records=20)) as served:
            tap = make_tap(served)
            target = tap.run(catalog=chosen).good()
            bookmark = target.bookmark(name)
            assert about_today(bookmark)
            served.api.log.clear()
            again = tap.run(catalog=chosen, state=target.state).good()
            since = dt.date.fromisoformat(bookmark) - 2 * DAY
            assert since_of(served.api) == {name: str(since)}
        assert again.emitted[name] < 20
        assert again.bookmark(name) >= bookmark
        assert all(row["updated_at"] is None for row in target.rows(name))

    def test_an_empty_stream_keeps_its_bookmark(self, make_tap, catalog):
        name = "prescription_messages"
        with offline(practice=Practice.of({})) as served:
            tap = make_tap(served)
            before = state_of(prescription_messages="2024-01-01")
            target = tap.run(catalog=only(catalog, [name]), state=before).good()
        assert target.bookmark(name) == "2024-01-01"

    def test_those_with_updated_at_are_like_the_others(self, make_tap, catalog):
        names = ("prescription_messages", "clinical_notes")
        dated = Settings(without_updated_at=(), without_id=())
        with offline(dated, practice=Practice.generate(records=20)) as served:
            target = make_tap(served).run(catalog=only(catalog, names)).good()
            orders = {e.order_by for e in served.api.log if e.method == "POST"}
            for name in names:
                raw = source(served.api, name)
                assert_equal(target, name, raw)
                highest = max(raw, key=lambda r: r["updated_at"].replace(" ", "T"))
                assert target.bookmark(name) == highest["updated_at"]
        assert orders == {"updated_at"}


class TestTheEndOnRequest:
    """Exit status 128 + signal, soon, the last line whole, and a STATE."""

    def check(self, ended, signum=signal.SIGTERM):
        assert ended.status == 128 + signum, ended.log
        assert ended.seconds < 2
        target = ended.target()
        kinds = [message["type"] for message in target.messages]
        assert "STATE" in kinds
        assert "RECORD" not in kinds[len(kinds) - kinds[::-1].index("STATE") :]
        assert "Traceback" not in ended.log
        assert "Stopped" in ended.log
        return target

    @pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
    def test_while_polling(self, make_tap, signum):
        before = state_of(patients="2024-01-01T00:00:00")
        slow = Settings(list_base_seconds=NEVER)
        with (
            serve(slow, practice=Practice.generate(records=3)) as served,
            make_tap(served).start(state=before) as running,
        ):
            running.read()
            running.wait_for(lambda: any(e.method == "GET" for e in served.api.log))
            ended = running.signal(signum)
        target = self.check(ended, signum)
        assert target.bookmark("patients") == "2024-01-01T00:00:00"

    def test_while_waiting_for_the_hour(self, make_tap):
        with serve(practice=Practice.generate(records=3)) as served:
            with make_tap(served, hourly_request_limit=9).start() as running:
                running.wait_for_log("Waiting until")
                ended = running.terminate()
            assert len(served.api.log) == 9
        self.check(ended)
        assert ended.log.count("Waiting until") == 1

    def test_while_throttled(self, make_tap):
        faults = [Fault(kind="429", method="GET", times=None, seconds=600)]
        with (
            serve(practice=Practice.generate(records=3), faults=faults) as served,
            make_tap(served).start() as running,
        ):
            running.wait_for_log("DrChrono throttles")
            ended = running.terminate()
        self.check(ended)

    @pytest.mark.parametrize("method", ["POST", "GET"])
    def test_while_a_request_hangs(self, make_tap, method):
        faults = [Fault(kind="hang", method=method, seconds=20)]
        with (
            serve(practice=Practice.generate(records=3), faults=faults) as served,
            make_tap(served).start() as running,
        ):
            running.read()
            running.wait_for(lambda: any(e.fault == "hang" for e in served.api.log))
            ended = running.terminate()
        self.check(ended)

    def test_between_two_tries(self, make_tap):
        faults = [Fault(kind="500", method="POST", times=None)]
        with (
            serve(practice=Practice.generate(records=3), faults=faults) as served,
            make_tap(served).start() as running,
        ):
            running.wait_for_log("Try 4 of")
            ended = running.terminate()
        self.check(ended)

    def test_while_the_target_does_not_read(self, make_tap, catalog):
        practice = Practice.generate(records=3, counts={"patients": 2000})
        with serve(practice=practice) as served:
            tap = make_tap(served, page_size=50)
            read, write = os.pipe()
            chosen = only(catalog, ["patients"])
            with tap.start(catalog=chosen, stdout=write) as running:
                os.close(write)
                running.read()
                running.wait_for(
                    lambda: any(e.state == "complete" for e in served.api.log)
                )
                running.wait_for(lambda: is_stuck(running))
                sent = running.signal(signal.SIGTERM)
            with os.fdopen(read, "rb") as pipe:
                output = pipe.read()
        target = self.check(sent._replace(output=output))
        assert 0 < target.emitted["patients"] < 2000
        highest = max(
            row["updated_at"] for row in target.rows("patients") if row["updated_at"]
        )
        assert target.bookmark("patients").replace(" ", "T") <= highest

    def test_before_the_first_request(self, make_tap):
        with (
            serve(practice=Practice.generate(records=3)) as served,
            make_tap(served).start() as running,
        ):
            running.wait_for_log(": reading everything")
            ended = running.terminate()
        self.check(ended)

    def test_a_target_that_died_ends_the_tap_quietly(self, make_tap):
        with serve(practice=Practice.generate(records=3)) as served:
            read, write = os.pipe()
            with make_tap(served).start(stdout=write) as running:
                os.close(write)
                os.read(read, 10)
                os.close(read)
                ended = running.end()
        assert ended.status == 128 + signal.SIGPIPE
        assert "Traceback" not in ended.log
        assert "rror" not in ended.log


def is_stuck(running):
    """Whether the tap has stopped to do anything."""
    statistics = Path("/proc") / str(running.process.pid) / "stat"

    def busy():
        fields = statistics.read_text(encoding="ascii").rpartition(")")[2].split()
        return int(fields[11])

    before = busy()
    try:
        running.process.wait(0.5)
    except subprocess.TimeoutExpired:
        return busy() - before < 10
    return False


def test_the_copy_survives_one_kill_after_the_other(make_tap, catalog):
    """Each run is killed after its first page; the copy still becomes whole."""
    chosen = only(catalog, ["patients"])
    copy = Target()
    faults = [Fault(kind="list_never", method="POST", page=2, times=None)]
    practice = Practice.generate(records=100, seed=9)
    with serve(practice=practice, faults=faults) as served:
        tap = make_tap(served, page_size=30)
        for run in range(1, 4):
            before = copy.received
            with tap.start(
                catalog=chosen, state=copy.state or {}, env=VERBOSE
            ) as running:
                running.wait_for_log("page 1 is out")
                running.signal(signal.SIGKILL).target(copy)
            assert before < copy.emitted["patients"] < 30 * run + 1
        served.api.set_faults([])
        tap.run(catalog=chosen, state=copy.state).good(copy)
        assert_equal(copy, "patients", source(served.api, "patients"))
