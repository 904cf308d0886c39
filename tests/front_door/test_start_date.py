"""A start_date that lies ahead: nothing would be read, and all would look well."""

from __future__ import annotations

import datetime as dt

import pytest
from drchrono_sandbox import Practice
from log_lines import errors_in
from offline import offline
from process import only


@pytest.fixture
def served():
    with offline(practice=Practice.generate(records=3)) as served:
        yield served


def day(ahead):
    return str(dt.datetime.now(dt.UTC).date() + dt.timedelta(days=ahead))


@pytest.mark.parametrize("option", [(), ("--test",), ("--plan",)])
@pytest.mark.parametrize("form", ["", "T10:00:00", "T10:00:00Z"])
def test_it_is_an_error_that_names_the_setting(make_tap, catalog, served, option, form):
    tap = make_tap(served, start_date=day(2) + form)
    chosen = only(catalog, ["patients", "line_items", "doctors"])
    ended = tap.run(*option, catalog=chosen)
    assert ended.status == 1
    (said,) = errors_in(ended.log)
    assert said == (
        "start_date: lies in the future, so nothing would be read of line_items, "
        "patients. Set an earlier one, or none."
    )
    assert not ended.output
    assert len(served.api.log) == 1  # what DrChrono's time is


def test_the_time_is_drchronos(make_tap, catalog, served):
    served.clock.machine_ahead = -9 * 86_400.0
    tap = make_tap(served, start_date=day(-4))
    assert tap.run(catalog=only(catalog, ["patients"])).good()


def test_today_is_none(make_tap, catalog, served):
    for ahead in (-1, 0):
        tap = make_tap(served, start_date=day(ahead))
        assert tap.run(catalog=only(catalog, ["patients"])).status == 0


def test_a_stream_with_a_bookmark_has_no_need_of_it(make_tap, catalog, served):
    chosen = only(catalog, ["patients"])
    state = {"bookmarks": {"patients": {"replication_key_value": "2020-01-01"}}}
    tap = make_tap(served, start_date=day(9))
    ended = tap.run(catalog=chosen, state=state)
    assert len(ended.good().rows("patients")) == 3


def test_a_list_without_a_time_of_change_has_none_either(make_tap, catalog, served):
    tap = make_tap(served, start_date=day(9))
    assert tap.run(catalog=only(catalog, ["doctors"])).good().rows("doctors")
