"""What a person sees of a run: progress, the table at the end, and no line too many."""

from __future__ import annotations

import contextlib
import itertools
import logging
import re
import signal
import time

import pytest
from drchrono_sandbox import Api, Practice, Settings
from log_lines import messages_in, rows_of, table_in
from simulated import NOW, SimulatedClock, catalog_of, run, settings_for
from target import Target

from tap_drchrono.endpoints import Group
from tap_drchrono.run_log.summary import WIDTH
from tap_drchrono.streams.catalogue import ENDPOINTS

BULK = tuple(sorted(n for n, one in ENDPOINTS.items() if one.group is Group.BULK))

PROGRESS = re.compile(
    r"(\w+) \((\d+) of (\d+)\): "
    r"([\d,]+ of [\d,]+ records?|[\d,]+ records? so far)"
    r"(, [\d,]+ lists? being generated)?"
    r"(, about \d+ s left|, about \d+ min left|, about [\d.]+ hours left"
    r"|, still measuring|, nearly done)?"
)


class Watched:
    """A run, with the simulated moment of each of its log's lines."""

    def __init__(self, practice, directory, faults=(), start=NOW, **settings):
        self.clock = SimulatedClock(start)
        self.api = Api(
            practice, Settings(**settings), clock=self.clock.now, faults=faults
        )
        self._directory = directory
        self.settings = settings_for(self.api, directory)
        self.copy = Target(checks=False)
        self.timed: list[tuple[float, str]] = []

    def run(self, *streams, **how):
        self.timed.clear()
        with self._timing():
            ended = run(
                self.api,
                self.clock,
                self._directory,
                self.settings,
                state=self.copy.state,
                catalog=catalog_of(*(streams or BULK)),
                **{"level": "INFO"} | how,
            )
        self.copy.read(ended.output)
        return ended

    @contextlib.contextmanager
    def _timing(self):
        def emit(record):
            self.timed.append((self.clock.now(), record.getMessage()))
            return True

        logger = logging.getLogger("tap-drchrono")
        logger.addFilter(emit)
        try:
            yield
        finally:
            logger.removeFilter(emit)

    def progress(self, stream):
        """The moments and the words of the lines about a stream."""
        return [
            (moment, words)
            for moment, words in self.timed
            if words.startswith(f"{stream} (") and PROGRESS.fullmatch(words)
        ]


@pytest.fixture
def watch(tmp_path):
    def make(records=40, counts=None, **how):
        practice = Practice.generate(
            records=records, counts=counts, now=how.get("start", NOW) - 7200
        )
        return Watched(practice, tmp_path, **how)

    return make


class TestProgress:
    @pytest.mark.parametrize("seconds", [3.0, 40.0, 400.0])
    def test_a_line_every_half_minute(self, watch, seconds):
        watched = watch(counts={"line_items": 3000}, list_base_seconds=seconds)
        watched.settings["page_size"] = 100
        began = watched.clock.now()
        assert watched.run("line_items").status == 0
        lines = watched.progress("line_items")
        moments = [began, *(moment for moment, _ in lines), watched.clock.now()]
        gaps = [after - before for before, after in itertools.pairwise(moments)]
        assert max(gaps) <= 30
        assert len(lines) <= (watched.clock.now() - began) / 20

    def test_quick_pages_have_no_line_each(self, watch):
        watched = watch(counts={"line_items": 3000}, list_base_seconds=0.2)
        watched.settings["page_size"] = 30
        watched.run("line_items")
        assert int(rows_of_timed(watched)["line_items"][1]) > 100
        assert len(watched.progress("line_items")) < 10

    def test_it_is_measured_first_and_never_silly(self, watch):
        watched = watch(counts={"line_items": 6000}, list_base_seconds=60.0)
        watched.settings["page_size"] = 100
        watched.run("line_items")
        end = watched.clock.now()
        lines = watched.progress("line_items")
        assert re.search(
            r": 0 records so far, \d lists being generated, still measuring$",
            lines[0][1],
        )
        told = [(moment, seconds_in(words)) for moment, words in lines]
        assert not [seconds for _, seconds in told[:2] if seconds is not None]
        known = [(moment, left) for moment, left in told if left is not None]
        assert len(known) > len(lines) / 2
        for moment, left in known:
            assert (end - moment) / 2 - 60 <= left <= (end - moment) * 2 + 60

    def test_waits_for_the_quota_are_in_the_estimate(self, watch):
        watched = watch(counts={"line_items": 6000}, list_base_seconds=20.0)
        watched.settings |= {"page_size": 100, "hourly_request_limit": 60}
        watched.run("line_items")
        end = watched.clock.now()
        known = [
            (moment, left)
            for moment, words in watched.progress("line_items")
            if (left := seconds_in(words)) is not None
        ]
        assert end - known[0][0] > 3600
        for moment, left in known:
            # A request more than expected may cost an hour; in the last one, none can.
            slack = 3600 if end - moment > 3600 else 1800
            assert abs(left - (end - moment)) <= slack

    def test_an_outage_is_no_measure_of_speed(self, watch):
        outage = {"kind": "503", "endpoint": "*", "times": None}
        watched = watch(
            counts={"line_items": 6000},
            list_base_seconds=20.0,
            faults=[{**outage, "begins": NOW + 100, "ends": NOW + 900}],
        )
        watched.settings["page_size"] = 100
        assert watched.run("line_items").status == 0
        end = watched.clock.now()
        known = [
            (moment, left)
            for moment, words in watched.progress("line_items")
            if moment > NOW + 900 and (left := seconds_in(words)) is not None
        ]
        assert known
        for moment, left in known:
            assert left <= (end - moment) * 2 + 60

    def test_the_wait_itself_has_a_line_every_ten_minutes(self, watch):
        watched = watch(list_base_seconds=1.0)
        watched.settings["hourly_request_limit"] = 9
        watched.run()
        waits = [
            (moment, words)
            for moment, words in watched.timed
            if "aiting until" in words
        ]
        moments = [moment for moment, _ in waits]
        gaps = [after - before for before, after in itertools.pairwise(moments)]
        assert waits[0][1].startswith("Waiting until ")
        assert all(590 <= gap <= 610 for gap in gaps[:5])
        told = time.strftime("%H:00:01", time.localtime(NOW + 3600))
        assert {words.split(": ", 1)[0] for _, words in waits[:6]} == {
            f"Waiting until {told}",
            f"Still waiting until {told}",
        }

    def test_no_more_lists_than_may_be_pending(self, watch):
        watched = watch(counts={"line_items": 3000}, list_base_seconds=40.0)
        watched.settings |= {"page_size": 100, "max_pending_lists": 3}
        watched.run()
        counts = [
            int(count)
            for _, words in watched.timed
            for count in re.findall(r"(\d+) lists? being generated", words)
        ]
        assert counts
        assert max(counts) <= 3


def rows_of_timed(watched):
    log = "\n".join(f"- | - | - | {words}" for _, words in watched.timed)
    return rows_of(log)


def seconds_in(words):
    found = re.search(r"about ([\d.]+) (s|min|hours) left", words)
    return (
        float(found[1]) * {"s": 1, "min": 60, "hours": 3600}[found[2]]
        if found
        else None
    )


class TestSummary:
    def test_each_stream_has_a_row(self, watch):
        watched = watch()
        log = watched.run().log
        rows = rows_of(log)
        assert list(rows) == [*BULK, "all"]
        assert max(map(len, table_in(log))) <= WIDTH
        for name, (records, pages, requests, _, bookmark) in list(rows.items())[:-1]:
            assert int(records) == len(watched.copy.tables[name])
            assert pages == "1"
            asked = sum(entry.endpoint == name for entry in watched.api.log)
            assert int(requests) == asked
            assert watched.copy.bookmark(name).startswith(bookmark)
        assert int(rows["all"][2]) == len(watched.api.log) - 1  # and one for the token

    def test_a_failed_stream_has_its_reason(self, watch):
        fault = {"kind": "503", "endpoint": "line_items", "page": 3, "times": None}
        watched = watch(faults=[fault])
        watched.settings["page_size"] = 10
        ended = watched.run()
        rows = rows_of(ended.log)
        assert ended.status == 1
        assert rows["line_items"][-1] == "failed"
        assert 0 < int(rows["line_items"][0]) < 40
        assert [name for name, row in rows.items() if len(row) > 5] == ["line_items"]
        said = messages_in(ended.log)
        table = said.index(table_in(ended.log)[0])
        (why,) = [line for line in said[table:] if line.startswith("line_items: ")]
        assert why.startswith("line_items: HTTP 503 for /api/line_items_list")
        assert len(why) <= WIDTH

    def test_after_a_signal(self, watch):
        watched = watch(list_base_seconds=60.0)
        watched.clock.stop_at = NOW + 130
        watched.settings |= {"page_size": 10, "max_pending_lists": 1}
        ended = watched.run()
        troubles = {name: row[-1] for name, row in rows_of(ended.log).items()}
        assert ended.status == 128 + signal.SIGTERM
        assert troubles["appointments"] == "stopped"
        assert messages_in(ended.log)[-1].startswith("Stopped; ")
        unread = [line for line in table_in(ended.log) if line.endswith("not read")]
        assert len(unread) == 7

    def test_after_an_error_that_stops_everything(self, watch):
        watched = watch(
            faults=[{"kind": "503", "endpoint": "*", "nth": 12, "times": None}]
        )
        watched.settings["outage_timeout"] = 120
        ended = watched.run()
        assert ended.status == 1
        assert "stopped" in {row[-1] for row in rows_of(ended.log).values()}
        assert "DrChrono gives no usable answer" in messages_in(ended.log)[-1]

    def test_no_table_where_no_page_came(self, watch):
        watched = watch(faults=[{"kind": "503", "endpoint": "*", "times": None}])
        watched.settings["outage_timeout"] = 60
        ended = watched.run()
        assert ended.status == 1
        assert not table_in(ended.log)

    def test_no_table_where_nothing_was_begun(self, watch):
        watched = watch()
        watched.settings["refresh_token"] = "wrong"
        ended = watched.run()
        assert ended.status == 1
        assert not table_in(ended.log)


class TestFewLines:
    def test_a_night_without_changes(self, watch):
        watched = watch(records=300, list_base_seconds=3.0)
        watched.run()
        watched.clock.pass_(86_400)
        log = watched.run().log
        counted = set(messages_in(log)) - set(table_in(log))
        assert len(counted) <= 25
        assert len(log.splitlines()) <= 25 + len(BULK) + 2

    def test_a_further_stream_has_one_line(self, watch):
        watched = watch(list_base_seconds=1.0)
        watched.run()
        two = watched.run("patients", "line_items").log
        three = watched.run("patients", "line_items", "transactions").log
        without = [len(log.splitlines()) - len(table_in(log)) for log in (two, three)]
        assert without[1] - without[0] == 1

    def test_each_line_about_a_stream_names_it(self, watch):
        faults = [
            {"kind": "list_failed", "endpoint": "patients", "page": 2},
            {"kind": "503", "endpoint": "patients", "method": "GET"},
        ]
        watched = watch(faults=faults, list_base_seconds=1.0)
        watched.settings["page_size"] = 10
        log = watched.run("patients", level="DEBUG").log
        about = [
            line
            for line in messages_in(log)
            if re.search(r"page|list|record|Try", line) and "METRIC" not in line
        ]
        head = table_in(log)[0]
        assert len(about) > 8
        assert [line for line in about if "patients" not in line and line != head] == []

    @pytest.mark.parametrize(
        ("level", "expected"), [(None, 0), ("WARNING", 0), ("INFO", 2)]
    )
    def test_metric_lines_come_back_with_their_setting(self, watch, level, expected):
        watched = watch()
        if level:
            watched.settings["metrics_log_level"] = level
        log = watched.run("patients").log
        assert log.count("METRIC") == expected

    @pytest.mark.parametrize(
        ("level", "has_progress", "has_pages"),
        [("DEBUG", True, True), ("INFO", True, False), ("WARNING", False, False)],
    )
    def test_log_levels_are_as_documented(self, watch, level, has_progress, has_pages):
        watched = watch()
        watched.run("patients")
        for how in (
            {"level": level},
            {"level": "ERROR", "environment": {"TAP_DRCHRONO_LOGLEVEL": level}},
        ):
            log = watched.run("patients", **how).log
            assert bool(table_in(log)) == has_progress
            assert ("patients: page 1 is out" in log) == has_pages

    def test_one_is_singular(self, watch):
        watched = watch(
            faults=[{"kind": "list_failed", "endpoint": "patients", "page": 1}]
        )
        log = watched.run("patients").log
        assert "1 list asked for again, 0 pages read again" in log
        assert not re.search(r"\b1 (records|pages|lists|requests)\b", log)
