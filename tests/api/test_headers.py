"""What headers say of time, in all forms that servers write."""

from __future__ import annotations

import datetime as dt
import email.utils

import pytest

from tap_drchrono.api.headers import server_time, stated_wait

NOON = 1_700_006_400.0
DAY = 86_400


def written(moment):
    return email.utils.format_datetime(
        dt.datetime.fromtimestamp(moment, dt.UTC), usegmt=True
    )


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (written(NOON), NOON),
        ("Wed, 15 Nov 2023 00:00:00 +0000", NOON),
        ("Tuesday, 14-Nov-23 16:00:00 -0800", NOON),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("Wed, 99 Nov 2023 00:00:00 GMT", None),
        ("now", None),
        ("", None),
    ],
)
def test_the_server_s_time(text, moment):
    assert server_time({"Date": text}) == moment


def test_no_date_is_no_time():
    assert server_time({}) is None


SENTENCE = "Request was throttled. Expected available in {} seconds."


@pytest.mark.parametrize(
    ("headers", "body", "wait"),
    [
        ({}, SENTENCE.format("412"), 412.0),
        ({}, SENTENCE.format("2710.0"), 2710.0),
        ({}, SENTENCE.format("1").replace("seconds", "second"), 1.0),
        ({}, "Request was throttled.", None),
        ({}, "", None),
        ({"Retry-After": "30"}, "", 30.0),
        ({"Retry-After": "30.5"}, "", 30.5),
        ({"Retry-After": "30"}, SENTENCE.format("412"), 30.0),
        ({"Retry-After": "soon"}, SENTENCE.format("412"), 412.0),
        ({"Retry-After": "-5"}, "", None),
        ({"Retry-After": "0"}, "", None),
        ({"Retry-After": ""}, "", None),
        ({"Retry-After": "86400"}, "", 86_400.0),
        ({"Retry-After": "86401"}, "", None),
        ({"Retry-After": "9" * 500}, "", None),
        ({}, SENTENCE.format("9" * 30), None),
    ],
)
def test_what_an_answer_says(headers, body, wait):
    assert stated_wait(headers, body, now=NOON) == wait


@pytest.mark.parametrize(
    ("ahead", "wait"), [(90, 90), (-90, None), (0, None), (400 * DAY, None)]
)
@pytest.mark.parametrize("machine", [-3 * DAY, 0, 3 * DAY])
def test_a_date_is_measured_against_the_answer_s_own(ahead, wait, machine):
    headers = {"Retry-After": written(NOON + ahead), "Date": written(NOON)}
    assert stated_wait(headers, now=NOON + machine) == wait


def test_a_date_without_one_is_measured_against_the_clock():
    assert stated_wait({"Retry-After": written(NOON + 90)}, now=NOON) == 90
