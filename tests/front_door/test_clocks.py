"""A machine whose clock is wrong, is set, or sleeps loses nothing."""

from __future__ import annotations

import random

import pytest
from comparison import differences, source_of
from drchrono_sandbox import Api, Changes, Practice, Settings
from simulated import NOW, SimulatedClock, catalog_of, run, settings_for
from target import Target

STREAMS = ("clinical_notes", "patients", "prescription_messages")
"""By `updated_at`, and without one."""
DAY = 86_400.0
HOUR = 3600.0


class Nights:
    """A sandbox, and a tap on a machine with a clock of its own."""

    def __init__(
        self, directory, machine_ahead=0.0, zone_hours=0.0, sandbox=None, **settings
    ):
        self.clock = SimulatedClock(machine_ahead=machine_ahead)
        practice = Practice.generate(records=60, now=NOW - 7200, zone_hours=zone_hours)
        base = Settings(list_base_seconds=2.0, **(sandbox or {}))
        self.api = Api(practice, base, clock=lambda: self.clock.time)
        self.directory = directory
        self.settings = settings_for(self.api, directory, page_size=12, **settings)
        self.copy = Target(checks=False)
        self.rng = random.Random(7)  # noqa: S311 - reproducible changes

    def work(self):
        """A day passes, with changes up to its end."""
        for _ in range(4):
            self.clock.time += DAY / 4
            for stream in STREAMS:
                amounts = Changes(updates=3, inserts=1)
                self.api.practice.change(stream, amounts, self.rng, self.clock.time)

    def run(self, streams=STREAMS, **how):
        started = self.clock.time
        ended = run(
            self.api,
            self.clock,
            self.directory,
            self.settings,
            state=self.copy.state,
            catalog=catalog_of(*streams),
            **{"level": "WARNING"} | how,
        )
        self.copy.read(ended.output)
        self.seconds = self.clock.time - started
        return ended

    def lacks(self, streams=STREAMS):
        return differences(self.copy, source_of(self.api, streams))


@pytest.mark.parametrize("days", [-40, -3, -2, 2, 3, 40])
def test_a_machine_that_is_days_off_loses_nothing(tmp_path, days):
    nights = Nights(tmp_path, days * DAY)
    for night in range(4):
        ended = nights.run()
        assert ended.status == 0, ended.log
        assert nights.lacks() == {}
        assert ended.log.count("This machine's clock is") == 1
        assert "cannot be used" not in ended.log
        # Far fewer than all is read again.
        assert night == 0 or nights.copy.received < (night + 1) * 60 * 3
        nights.work()


@pytest.mark.parametrize("days", [-365, -30, 30, 365])
def test_a_server_whose_clock_is_not_that_of_its_timestamps(tmp_path, days):
    """A bookmark that is taken from timestamps is compared with nothing else."""
    nights = Nights(tmp_path, zone_hours=24 * days)
    for _ in range(4):
        ended = nights.run(["patients"])
        assert ended.status == 0, ended.log
        assert nights.lacks(["patients"]) == {}
        nights.work()


@pytest.mark.parametrize("shift", [-14, 14])
@pytest.mark.parametrize("zone", [-12, 14])
@pytest.mark.parametrize("unsorted", [True, False])
def test_where_the_bookmark_is_a_moment_of_the_server_zones_are_covered(
    tmp_path, zone, shift, unsorted
):
    sandbox = {"ignore_order_by": unsorted, "since_shift_hours": shift}
    nights = Nights(tmp_path, zone_hours=zone, sandbox=sandbox)
    for night in range(4):
        ended = nights.run()
        assert ended.status == 0, ended.log
        assert nights.lacks() == {}
        assert night == 0 or nights.copy.received < (night + 1) * 60 * 3
        nights.work()


@pytest.mark.parametrize("seconds", [-290.0, 0.0, 290.0])
def test_a_machine_that_is_minutes_off_is_not_worth_a_word(tmp_path, seconds):
    nights = Nights(tmp_path, seconds)
    assert "This machine's clock" not in nights.run().log


@pytest.mark.parametrize("days", [2, 3, 5])
def test_a_bookmark_that_a_fast_clock_left_is_read_from_today(tmp_path, days):
    nights = Nights(tmp_path)
    nights.run()
    ahead = f"2026-01-{1 + days:02}"
    for stream in ("clinical_notes", "prescription_messages"):
        nights.copy.state["bookmarks"][stream]["replication_key_value"] = ahead
    nights.work()
    assert nights.run().status == 0
    assert nights.lacks() == {}


@pytest.mark.parametrize("seconds", [-3 * DAY, -600.0, 600.0, 3 * DAY])
@pytest.mark.parametrize("after", [1.0, 6.0, 12.0])
def test_a_clock_that_is_set_in_the_middle_costs_no_time(tmp_path, seconds, after):
    nights = Nights(tmp_path)
    clock = nights.clock
    set_at = clock.time + after
    machine_time = clock.machine_time
    clock.machine_time = lambda: machine_time() + seconds * (clock.time >= set_at)
    ended = nights.run()
    assert ended.status == 0, ended.log
    assert nights.lacks() == {}
    assert nights.seconds < 60


@pytest.mark.parametrize("hours", [0.2, 0.5, 1.5, 6, 50])
@pytest.mark.parametrize("request_number", [3, 6, 11])
def test_lists_that_expired_while_the_machine_slept_are_submitted_again(
    tmp_path, hours, request_number
):
    nights = Nights(tmp_path)
    handle = nights.api.handle
    seen = []

    def sleep_before(request):
        seen.append(request)
        if len(seen) == request_number:
            nights.clock.suspend(hours * HOUR)
        return handle(request)

    nights.api.handle = sleep_before
    ended = nights.run()
    assert ended.status == 0, ended.log
    assert nights.lacks() == {}
    assert "failed" not in ended.log
    assert nights.seconds < hours * HOUR + 120
