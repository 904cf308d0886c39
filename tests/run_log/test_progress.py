"""The lines that say how far a sync has come."""

from __future__ import annotations

import logging
from collections import Counter

import pytest
from simulated import SimulatedClock

from tap_drchrono.api.quota import Quota
from tap_drchrono.run_log.progress import EVERY, Progress, Standing, line

NOON = 1_700_006_400.0
PLACE = "line_items (3 of 8)"


@pytest.mark.parametrize(
    ("standing", "left", "words"),
    [
        (
            Standing(12_000, 60_118, 5),
            240,
            "12,000 of 60,118 records, 5 lists being generated, about 4 min left",
        ),
        (
            Standing(0, None, 8),
            None,
            "0 records so far, 8 lists being generated, still measuring",
        ),
        (
            Standing(0, 60_118, 1),
            None,
            "0 of 60,118 records, 1 list being generated, still measuring",
        ),
        (Standing(900, 1000, 0), 20, "900 of 1,000 records, about 20 s left"),
        # Records that moved may have gone out twice.
        (
            Standing(1003, 1000, 1),
            0,
            "1,000 of 1,000 records, 1 list being generated, nearly done",
        ),
        # A stream that needs no lists and has no count.
        (Standing(1, pages=1), None, "1 record so far"),
    ],
)
def test_a_line(standing, left, words):
    assert line(PLACE, standing, left) == f"{PLACE}: {words}"


class Watched:
    """A sync of which only the progress is real."""

    def __init__(self, caplog, limit=500):
        caplog.set_level(logging.INFO)
        self._log = caplog
        self.clock = SimulatedClock(NOON)
        self.requests: Counter[str] = Counter()
        self.quota = Quota(limit, self.clock, logging.getLogger("tap-drchrono"))
        self.progress = Progress(
            self.clock,
            self.quota,
            self.requests,
            logging.getLogger("tap-drchrono"),
            at_once=8,
            lost=lambda: self.quota.waited,
        )
        self.at = Standing(0, None, 8)
        self.progress.expect(["patients", "line_items"])
        self.progress.begin("line_items", lambda: self.at)

    def page(self, **changes):
        self.at = self.at._replace(pages=self.at.pages + 1, **changes)
        self.progress.page_sent()

    @property
    def lines(self):
        return [record.message for record in self._log.records]


@pytest.fixture
def watched(caplog):
    return Watched(caplog)


def test_a_long_wait_has_a_line_at_least_every_half_minute(watched):
    watched.progress.wait_until(NOON + 10 * EVERY + 1)
    assert watched.clock.now() == pytest.approx(NOON + 10 * EVERY + 1)
    assert EVERY <= 30
    assert len(watched.lines) == 10
    (words,) = {*watched.lines}
    assert words.startswith("line_items (2 of 2): 0 records so far, ")


def test_quick_pages_have_no_line_each(watched):
    for page in range(1, 1001):
        watched.clock.time += 0.1
        watched.page(records=1000 * page, total=1_000_000)
    assert 100 // EVERY - 1 <= len(watched.lines) <= 100 // EVERY


def test_what_flows_slowly_has_lines_too(watched):
    for _ in range(100):
        watched.clock.time += 1
        watched.progress.show_if_due()
    assert len(watched.lines) == 100 // EVERY


def test_a_slow_target_is_told(watched):
    watched.clock.time += EVERY
    watched.progress.show_slow_target()
    (said,) = watched.lines
    assert said.endswith(", still measuring, waiting for the target")


def test_no_stream_is_no_line(watched):
    watched.progress.end()
    watched.progress.wait_until(NOON + 100)
    watched.progress.show_if_due()
    assert watched.clock.now() == NOON + 100
    assert not watched.lines


def test_a_wait_that_is_over_is_none(watched):
    watched.progress.wait_until(NOON - 5)
    assert watched.clock.now() == NOON


def test_the_estimate_knows_of_the_quota(caplog):
    watched = Watched(caplog, limit=40)
    for page in range(1, 17):
        watched.clock.time += 1
        watched.quota.take()
        watched.quota.take()
        watched.requests["line_items"] += 2
        watched.page(records=1000 * page, total=100_000, lists=0)
    watched.progress.wait_until(NOON + EVERY + 1)
    # 84 pages need 168 requests: 8 in this hour, and 40 in each of the next four.
    assert watched.lines[-1].endswith("16,000 of 100,000 records, about 4.0 hours left")


def test_waits_for_the_quota_are_no_measure_of_speed(watched):
    watched.requests["line_items"] = 500
    for page in range(1, 17):
        watched.clock.time += 1
        watched.page(records=1000 * page, total=32_000, lists=0)
    watched.quota.throttled(1800)
    watched.quota.take()
    watched.page(records=17_000)
    assert watched.lines[-1].endswith("17,000 of 32,000 records, about 10 s left")


@pytest.mark.parametrize("days", [-3, 3])
def test_a_clock_that_is_set_right_is_no_measure_of_speed(watched, days):
    watched.progress.wait_until(NOON + 5)
    watched.clock.told(watched.clock.now() + days * 86_400)
    for page in range(1, 17):
        watched.clock.time += 1
        watched.page(records=1000 * page, total=32_000, lists=0)
    watched.progress.wait_until(watched.clock.now() + EVERY)
    assert len(watched.lines) == 1
    assert watched.lines[0].endswith("16,000 of 32,000 records, about 20 s left")


def test_a_stream_that_is_read_again_is_measured_again(watched):
    for page in range(1, 17):
        watched.clock.time += 1
        watched.page(records=1000 * page, total=32_000)
    watched.page(records=0)
    watched.progress.wait_until(NOON + 100)
    assert watched.lines[-1].endswith("still measuring")
