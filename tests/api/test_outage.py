"""An outage: how long it is waited for, and what is said of it."""

from __future__ import annotations

import logging

import pytest
import requests
from list_model import FakeClock
from simulated import CUTS

from tap_drchrono.api.outage import Outage, in_words
from tap_drchrono.credentials.oauth import PageError, UnclearOutcomeError
from tap_drchrono.errors import HostError

ERROR = requests.ReadTimeout("secret")


def of(cut):
    return CUTS[cut](requests.Request("GET", "http://x.invalid/?q=secret"), 1.0)


@pytest.fixture
def clock():
    return FakeClock()


def outage_with(clock, patience=900.0):
    outage = Outage(clock, logging.getLogger("tap-drchrono.test"), patience)
    outage.reached()
    return outage


def exhaust(outage, error=ERROR, **how):
    while True:
        try:
            outage.wait(error, **how)
        except HostError as end:
            return str(end)


@pytest.mark.parametrize("patience", [1, 60, 900, 7200])
def test_it_is_waited_for_as_long_as_wanted(clock, patience):
    start = clock.now()
    text = exhaust(outage_with(clock, patience))
    assert clock.now() - start == pytest.approx(patience)
    assert "outage_timeout" in text
    assert "No answer in time" in text
    assert "secret" not in text


def test_the_waits_grow_up_to_a_minute(clock):
    exhaust(outage_with(clock))
    assert clock.slept[:7] == [2, 4, 8, 16, 32, 60, 60]
    assert max(clock.slept) == 60


def test_no_patience_is_no_wait(clock):
    exhaust(outage_with(clock, 0))
    assert clock.slept == []


def test_it_counts_from_the_first_failure(clock):
    start = clock.now()
    outage = outage_with(clock)
    outage.failed(ERROR)
    clock.time += 300
    outage.failed(ERROR)
    exhaust(outage)
    assert clock.now() - start == pytest.approx(900)


def test_an_answer_ends_it_and_the_next_has_its_own_patience(clock):
    outage = outage_with(clock)
    for _ in range(3):
        for _ in range(10):
            outage.wait(ERROR)
        assert outage.is_on
        outage.answered()
        assert not outage.is_on
    start = clock.now()
    exhaust(outage)
    assert clock.now() - start == pytest.approx(900)


def test_it_is_said_when_it_begins_each_minute_and_when_it_ends(clock, caplog):
    caplog.set_level(logging.INFO)
    outage = outage_with(clock)
    outage.answered()
    start = clock.now()
    while clock.now() < start + 600:
        outage.wait(ERROR)
    outage.answered()
    outage.answered()
    begin, *meanwhile, end = (record.message for record in caplog.records)
    assert begin.endswith("(No answer in time). Waiting for up to 15 minutes.")
    assert 8 <= len(meanwhile) <= 10
    assert all("Still no usable answer" in line for line in meanwhile)
    assert end.startswith("DrChrono answers again, after 1")
    assert "secret" not in caplog.text


def test_of_a_host_that_never_gave_an_answer_the_setting_is_named(clock, caplog):
    outage_with(clock).wait(ERROR)
    assert "If it never gave one, check api_url." in caplog.text


class TestAHostThatNobodyReaches:
    @pytest.mark.parametrize(
        "cut", ["refused", "unknown host", "bad certificate", "bad proxy"]
    )
    def test_is_given_up_within_ten_seconds(self, clock, cut):
        outage = Outage(clock, logging.getLogger("tap-drchrono.test"), 900)
        start = clock.now()
        assert "cannot be reached" in exhaust(outage, of(cut))
        assert clock.now() - start <= 10

    @pytest.mark.parametrize("cut", ["refused", "unknown host"])
    def test_is_waited_for_if_it_answered_before(self, clock, cut):
        outage = outage_with(clock)
        start = clock.now()
        exhaust(outage, of(cut))
        assert clock.now() - start == pytest.approx(900)

    @pytest.mark.parametrize("cut", ["close", "reset"])
    def test_is_another_matter_than_one_that_has_trouble(self, clock, cut):
        outage = Outage(clock, logging.getLogger("tap-drchrono.test"), 900)
        start = clock.now()
        exhaust(outage, of(cut))
        assert clock.now() - start == pytest.approx(900)


@pytest.mark.parametrize("cut", CUTS)
def test_nobody_who_looks_on_waits(clock, cut):
    outage = Outage(clock, logging.getLogger("tap-drchrono.test"), 900)
    outage.hurried = True
    with pytest.raises(HostError):
        outage.failed(of(cut))
    assert clock.slept == []


def test_the_cause_of_an_error_is_told():
    error = UnclearOutcomeError("ConnectionError")
    error.__cause__ = of("refused")
    assert in_words(error) == "No connection to the host"
    assert in_words(UnclearOutcomeError("HTTP 503")) == "HTTP 503"


def test_no_more_patience_is_announced_than_there_is(clock, caplog):
    exhaust(Outage(clock, logging.getLogger("tap-drchrono.test"), 900), of("refused"))
    assert "Waiting for up to 4 seconds" in caplog.text


def test_nobody_is_told_of_a_cut_where_there_was_no_connection():
    assert in_words(of("refused")) == "No connection to the host"
    assert in_words(of("unknown host")) == "The name of the host is not known"
    assert in_words(of("reset")) == "No connection, or one that was cut off"


@pytest.mark.parametrize("cut", CUTS)
def test_errors_in_words_hold_no_data(cut):
    assert "secret" not in in_words(of(cut))
    assert "invalid" not in in_words(of(cut))


PAGE = PageError("HTTP 200 with HTML instead of JSON")


def test_pages_of_which_nothing_is_known_are_a_wrong_address(clock):
    outage = outage_with(clock)
    start = clock.now()
    text = exhaust(outage, PAGE, is_doubtful=True)
    assert clock.now() - start < 10
    assert "hardly DrChrono (HTTP 200 with HTML instead of JSON)" in text


@pytest.mark.parametrize("was_usable", [True, False])
def test_pages_of_a_host_that_is_known_are_an_outage(clock, was_usable):
    outage = outage_with(clock)
    if was_usable:
        outage.answered()
    start = clock.now()
    assert "outage_timeout" in exhaust(outage, PAGE, is_doubtful=was_usable)
    assert clock.now() - start == pytest.approx(900)


def test_somebody_who_looks_on_is_told_of_the_wrong_address_at_once(clock):
    outage = outage_with(clock)
    outage.hurried = True
    assert "hardly DrChrono" in exhaust(outage, PAGE, is_doubtful=True)
    assert clock.slept == []
