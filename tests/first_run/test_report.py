"""The first-run report: what it tells, what it costs, and what it never holds."""

from __future__ import annotations

import re
import signal
import stat
import tempfile
from pathlib import Path

import click
import pytest
from drchrono_sandbox import Changes, Fault
from drchrono_sandbox.rendering import MARK_DATE, MARK_DIGITS
from first_runs import DOCS, rendered, report
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_drchrono.first_run.asking import Seen
from tap_drchrono.first_run.lists import List
from tap_drchrono.first_run.questions import message_of
from tap_drchrono.first_run.readings import envelope, money, reasons, statuses
from tap_drchrono.tap import TapDrchrono

MARK = "Zq7Marked"
BULK = (
    *("appointments", "patients", "line_items", "transactions", "clinical_notes"),
    *("prescription_messages", "eligibility_checks", "clinical_note_field_values"),
)
MONEY = ("line_items", "transactions")
PAID_BACK = {"adjustment_reason": "253", "ins_paid": "-1.00", "adjustment": "1.00"}

SIDES = {
    "The clock of updated_at: line_items": ({}, {"zone_hours": -5.0}),
    "The clock of since": (
        {"records": 400},
        {"records": 400, "since_shift_hours": -5.0},
    ),
    "Where an answer keeps its records": ({}, {"results_key": "data"}),
    "Whether page_size is obeyed": ({}, {"page_size_cap": 50}),
    "Whether clinical_notes carry id": ({}, {"without_id": ()}),
    "Whether clinical_notes carry updated_at": ({}, {"without_updated_at": ()}),
    "Whether prescription_messages carry": ({}, {"without_updated_at": ()}),
    "Whether lists come in the order": ({}, {"ignore_order_by": True}),
    "How long the slowest list takes": ({}, {"list_base_seconds": 25.0}),
    "A time without a zone in since": ({}, {"since_timestamps": True}),
    "show_inactive on patients_list": ({}, {"show_inactive": "never"}),
    "An unknown uuid at line_items": ({}, {"invalid_uuid_status": {"line_items": 404}}),
    "A list that was fetched": ({}, {"kept_lists": 0}),
    "order_by=-updated_at": ({"descending": "ignored"}, {"descending": "honoured"}),
    "Scopes that were granted": ({}, {"granted_scope": "patients:read"}),
    "Headers that tell of a limit": ({}, {"extra_headers": {"X-RateLimit-Limit": "9"}}),
    "What next of a plain list": ({}, {"plain_paging": "page"}),
    "Archived rows of plain lists": ({}, {"archived": "never"}),
    "GET of line_item_deletions": ({}, {"denied_streams": ("line_item_deletions",)}),
    "GET of patient_payments": ({}, {"denied_permissions": ("billing",)}),
    "Plain lists that cannot be read": (
        {"denied_streams": ("staff",)},
        {"denied_streams": ("staff", "users")},
    ),
    "Deleted appointments": (
        {"records": 100},
        {"records": 100, "values": {"appointments": {"deleted_flag": False}}},
    ),
    "Whose records the authorization sees": (
        {},
        {"values": {stream: {"doctor": 1} for stream in BULK}},
    ),
    "GET of doctors": ({}, {"denied_streams": ("doctors",)}),
    "How long a list takes": ({}, {"denied_streams": ("patients",)}),
    "Page 2 continues page 1": (
        {},
        {"changes_per_list": Changes(updates=20, streams=("line_items",))},
    ),
    "This machine's clock": ({}, {"machine_ahead": 600.0}),
    "Other headers": ({}, {"extra_headers": {"X-Frame-Options": "DENY"}}),
    "Most records of one updated_at": (
        {},
        {"values": {"line_items": {"updated_at": "2026-01-01T13:00:00"}}},
    ),
    "Forms of id": ({}, {"values": {"patients": {"id": "Zq-7"}}}),
    "Forms of appointment": ({}, {"values": {"line_items": {"appointment": "1_x"}}}),
    "line_items: insurance_status": (
        {},
        {"values": {"line_items": {"insurance_status": ""}}},
    ),
    **{
        f"line_items: {name} =": ({}, {"values": {"line_items": {name: "0.07"}}})
        for name in ("ins_total", "paid_total", "balance_total", "billed")
    },
    "transactions: ins_paid or adjustment": (
        {"changing": MONEY},
        {"changing": MONEY, "values": {"transactions": PAID_BACK}},
    ),
    "transactions: reason 253": (
        {"changing": MONEY, "values": {"transactions": PAID_BACK}},
        {"changing": MONEY, "values": {"transactions": PAID_BACK | {"ins_paid": "1"}}},
    ),
}
"""What is unknown, and two ways in which the sandbox can be."""


def a_list(stream, records):
    """A list that was read."""
    endpoint = TapDrchrono(config={"access_token": "x"}, setup_mapper=False).streams[
        stream
    ]
    ready = Seen(200, frozenset(), {"results": records}, None, 0)
    return List(endpoint.endpoint(), {}, None, 1.0, ready)


@pytest.mark.parametrize("unknown", SIDES)
def test_the_two_sides_of_an_unknown_give_two_pages(unknown, tmp_path):
    pages = []
    answers = []
    for side, how in enumerate(SIDES[unknown]):
        place = tmp_path / str(side)
        place.mkdir()
        found = report(place, **how)
        assert found.status == 0, found.log
        answers.append(found.answer(unknown))
        pages.append(found.page)
    assert answers[0] != answers[1]
    assert pages[0] != pages[1]


def test_it_sends_sixty_requests_at_most_and_tells_how_many(tmp_path):
    found = report(tmp_path, list_base_seconds=40.0)
    assert found.status == 0
    sent = found.api.log
    assert len(sent) == found.json["requests"] <= 60
    assert f"{len(sent)} of at most 60 requests" in found.page
    assert {one.status for one in sent} <= {200, 201, 400, 404}


@pytest.mark.parametrize("refused", [8, 20])
def test_refused_tokens_count_too(tmp_path, refused):
    """Each is followed by a try with another token, within the same sixty."""
    found = report(tmp_path, fresh_refused_requests=refused)
    assert len(found.api.log) == found.json["requests"] <= 60


@pytest.mark.parametrize("seconds", [1.0, 8.0, 25.0, 80.0])
def test_slow_lists_are_waited_for(tmp_path, seconds):
    found = report(tmp_path, list_base_seconds=seconds)
    assert len(found.api.log) <= 60
    took = found.answer("How long a list takes")
    assert len(took) == 8
    for told in took:
        assert seconds <= float(told.split(" s for ")[0]) <= max(2 * seconds, 5)
    assert not found.json["left_out"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("list_failed", "no list (HTTP 200, Failed)"),
        ("list_error", "no list (HTTP 200, Error)"),
        ("list_canceled", "no list (HTTP 200, Canceled)"),
        ("list_expired", "no list (HTTP 404)"),
        ("html", "no list (HTTP 200)"),
        ("list_never", "no list (not ready after 120 s)"),
    ],
)
def test_a_list_that_never_comes_took_no_time(tmp_path, kind, words):
    fault = Fault(kind=kind, endpoint="patients", times=None)
    found = report(tmp_path, faults=[fault])
    assert found.answer("How long a list takes: patients") == [words]


def test_one_list_that_fails_costs_itself_alone(tmp_path):
    found = report(
        tmp_path, faults=[Fault(kind="close", endpoint="appointments", times=None)]
    )
    assert found.status == 0
    took = found.answer("How long a list takes")
    assert took[0] == "no list (no answer)"
    assert all(" s for " in told for told in took[1:])


def test_the_files_are_for_their_owner_and_that_is_said(tmp_path):
    found = report(tmp_path)
    assert set(found.files) == {"drchrono-report.md", "drchrono-report.json"}
    for file in found.files.values():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "Both hold no health information" in found.output
    assert "Please open an issue with this page" in found.page


def test_the_json_goes_to_standard_output_if_asked_for(tmp_path):
    found = report(tmp_path, options=("--format", "json"))
    assert found.output == found.files["drchrono-report.json"].read_text("utf-8")


def test_settings_follow_from_what_was_found(tmp_path):
    found = report(tmp_path, page_size_cap=50, list_base_seconds=25.0)
    for line in ("page_size: 50  #", "list_timeout: "):
        assert line in found.page
    busy = tmp_path / "busy"
    busy.mkdir()
    assert "lookback_days: 1  #" in report(busy, records=400).page


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ({"page_size": 50, "count": 3}, {"page_size"}),
        ({"page_size": 3, "count": 7}, {"page_size"}),
        ({"page_size": 3, "count": 3}, set()),
        ({"page_size": 3}, set()),
        ({"page_size": 1000, "count": 3}, set()),
    ],
)
def test_a_page_size_that_may_be_the_practices_size_is_not_told(claims, told):
    """A server may say how many there are instead of how many there may be."""
    one = a_list("patients", [{}] * 3)
    ready = one.ready._replace(body={"results": [{}] * 3, "pagination": claims})
    found = envelope([one._replace(ready=ready, asked={"page_size": 1000})])
    assert {name for finding in found for name in finding.settings} == told


def test_a_429_suggests_to_leave_some_to_others(tmp_path):
    found = report(tmp_path, hourly_limit=300, used_by_others=280)
    assert "hourly_request_limit: 250  # half, as others use the same" in found.page
    assert found.answer("Requests until DrChrono throttled") == ["21 of this run"]


def test_nothing_in_records_or_answers_stops_it(tmp_path):
    found = report(tmp_path, odd=1.0, records=60)
    assert found.status == 0, found.log
    assert len(found.answer("How long a list takes")) == 8


def test_junk_in_a_number_is_nothing_to_compare():
    junk = [[], {}, True, None, "", " ", "NaN", "sNaN", "Infinity", "1e999", "x"]
    records = [
        {"ins_paid": one, "adjustment": one, "adjustment_reason": "253"} for one in junk
    ]
    records += [{"ins_paid": " 1.00", "adjustment": "0", "adjustment_reason": "253"}]
    (one,) = [*money([a_list("transactions", records)])][-1:]
    assert one.answer == "holds in 100 %"
    (signs,) = reasons([a_list("transactions", records)])
    assert signs.answer == "adjustment 0: 1-9, ins_paid +: 1-9"


def test_a_free_status_is_told_by_how_many_there_are():
    values = ["", None, "1", "1", "2", "Our own", [], 5]
    records = [{"insurance_status": value} for value in values]
    (found,) = statuses([a_list("line_items", records)])
    assert found.answer == "filled in 75 %, 1-9 different values"
    assert not [*statuses([a_list("transactions", records)])]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({MARK: 1, "results": []}, "keys others, results"),
        ({"since": [MARK]}, "keys since"),
        ({"detail": MARK}, "other, 9 characters"),
        ({"detail": "Not found."}, "Not found"),
        ([MARK], "no JSON object"),
    ],
)
def test_a_message_is_told_by_its_class(body, words):
    assert message_of(Seen(400, frozenset(), body, None, 0)) == words


# An hour later


@pytest.mark.parametrize(
    ("lifetime", "answer"),
    [(3600.0, "Invalid uuid specified"), (86_400.0, "still there")],
)
def test_a_follow_up_tells_how_long_a_list_is_kept(tmp_path, lifetime, answer):
    found = report(tmp_path, list_lifetime=lifetime, options=("--follow-up",))
    assert found.status == 0, found.log
    (told,) = found.answer("A list an hour later")
    assert told.endswith(answer)
    first, last = found.api.log[0], found.api.log[-1]
    assert last.time - first.time > 4200
    assert len(found.api.log) == found.json["requests"] <= 60
    assert "uuid=" not in found.log


def test_what_is_known_is_written_before_the_hour(tmp_path):
    found = report(tmp_path, options=("--follow-up",), stop_at=1800.0)
    assert found.status == 128 + 15
    assert "Left out: the rest, as it was stopped." in found.page
    assert found.answer("order_by=-updated_at")
    assert "Waiting for 70 minutes" in found.log


def test_without_it_no_list_is_asked_for_later(tmp_path):
    assert not report(tmp_path).answer("A list an hour later")


def test_a_follow_up_needs_a_report():
    with pytest.raises(click.UsageError, match="goes with --report"):
        TapDrchrono.invoke(follow_up=True)


# How it ends


@pytest.mark.parametrize(
    ("stopped_by", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_after_ctrl_c_it_keeps_what_it_knew(tmp_path, stopped_by, status):
    found = report(tmp_path, stop_at=6.0, stopped_by=stopped_by)
    assert found.status == status
    assert "Left out: the rest, as it was stopped." in found.page
    assert found.answer("How long a list takes: appointments")
    assert found.answer("This machine's clock")


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (Fault(kind="invalid_grant", endpoint="token", times=None), "uthoriz"),
        (Fault(kind="close", method="GET", times=None), "Run"),
        (Fault(kind="503", endpoint="patients", times=None), None),
    ],
    ids=["revoked", "dies in the middle", "one endpoint"],
)
def test_trouble_ends_in_one_line_and_a_page(tmp_path, trouble, words):
    found = report(tmp_path, faults=[trouble])
    lines = [line for line in found.log.splitlines() if "ERROR" in line]
    assert "Traceback" not in found.log
    if words:
        assert found.status == 1
        assert len(lines) == 1
        assert words in lines[0]
        assert "Left out: the rest" in found.page
    else:
        assert found.status == 0
        assert found.json["findings"]


def test_where_no_file_can_be_made_that_is_said(tmp_path):
    (tmp_path / "drchrono-report.md").mkdir()
    found = report(tmp_path)
    assert found.status == 1
    assert "The report cannot be written to the current directory" in found.log
    assert "Traceback" not in found.log


def test_without_scopes_it_says_so_and_goes_on(tmp_path):
    found = report(tmp_path, granted_scope="tasks:read", missing_scope="403")
    assert found.status == 0, found.log
    assert "The authorization lacks" in found.page


def test_a_quota_that_is_used_up_is_not_waited_for(tmp_path):
    found = report(tmp_path, hourly_limit=20)
    assert found.status == 0
    assert "DrChrono throttles (HTTP 429)" in found.page
    assert found.json["requests"] < 30


def test_an_own_limit_is_kept(tmp_path):
    found = report(tmp_path, config={"hourly_request_limit": 25})
    assert len(found.api.log) <= 25
    assert "the hour's requests are used up" in found.page


# What it never holds


@settings(max_examples=12)
@given(
    odd=st.sampled_from([0.0, 0.3]),
    records=st.integers(1, 60),
    fault=st.sampled_from(["", "403", "400", "500", "html", "list_failed", "429"]),
    echo=st.booleans(),
)
def test_no_value_reaches_the_page_the_json_the_log_or_a_file(
    odd, records, fault, echo
):
    with tempfile.TemporaryDirectory() as place:
        found = report(
            Path(place),
            records=records,
            mark=MARK,
            odd=odd,
            echo_tokens=echo,
            faults=[Fault(kind=fault, times=3)] if fault else [],
        )
        assert found.page
        assert found.json
        texts = [file.read_text("utf-8") for file in found.files.values()]
        told = "\n".join([found.output, found.log, found.page, *texts])
        assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-", told)
        assert MARK_DATE not in told
        assert MARK_DIGITS not in told.replace(",", "")
        assert MARK not in told
        assert MARK.lower() not in told.lower()
        assert "uuid=" not in told
        assert "since=" not in told
        for stream in ("doctors", "offices", "patients", "line_items"):
            for record in found.api.records(stream):
                key = str(record["id"])
                assert len(key) < 4 or key not in told.replace(",", "")


def test_no_number_date_or_size_of_a_practice_is_told(tmp_path):
    found = report(tmp_path, records=137)
    told = found.page + found.output
    day = found.json["day"]
    values = {
        value.strip()
        for stream in ("appointments", "patients", "line_items", "transactions")
        for record in found.api.records(stream)
        for value in map(str, record.values())
        if re.fullmatch(r"[-\d.:T ]{5,}", value) and not value.startswith(day)
    }
    assert len(values) > 1000
    assert {value for value in values if value in told} == set()
    sizes = {len([*found.api.records(stream)]) for stream in ("patients", "line_items")}
    assert {size for size in sizes if re.search(rf"\b{size}\b", told)} == set()


@pytest.mark.parametrize(
    ("status", "answer"), [("400", "refused (HTTP 400)"), ("403", "cannot tell")]
)
@pytest.mark.parametrize(
    ("unknown", "stream"),
    [
        ("A time without a zone in since", "line_items"),
        ("order_by=-updated_at", "line_items"),
        ("show_inactive on patients_list", "patients"),
    ],
)
def test_only_a_400_is_about_the_parameters(tmp_path, status, answer, unknown, stream):
    fault = Fault(kind=status, endpoint=stream, method="POST", times=None)
    assert report(tmp_path, faults=[fault]).answer(unknown) == [answer]


# The docs


def test_the_docs_show_three_pages_as_they_are_made():
    assert DOCS.read_text("utf-8") == rendered()
