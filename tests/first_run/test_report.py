"""The first-run report: what it tells, what it costs, and what it never holds."""

from __future__ import annotations

import stat
import tempfile
from pathlib import Path

import pytest
from drchrono_sandbox import Fault
from first_runs import DOCS, rendered, report
from hypothesis import given, settings
from hypothesis import strategies as st

MARK = "Zq7Marked"

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
    "Deleted appointments": ({"records": 100}, {"records": 1}),
}
"""What is unknown, and two ways in which the sandbox can be."""


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
    sent = [one for one in found.api.log if one.endpoint != "token"]
    assert len(sent) == found.json["requests"] <= 60
    assert f"{len(sent)} of at most 60 requests" in found.page
    assert {one.status for one in sent} <= {200, 201, 400, 404}


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


# How it ends


def test_after_ctrl_c_it_keeps_what_it_knew(tmp_path):
    found = report(tmp_path, stop_at=4.0)
    assert found.status == 128 + 15
    assert "Left out: the rest, as it was stopped." in found.page
    assert found.json["findings"]


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
        texts = [file.read_text("utf-8") for file in found.files.values()]
        told = "\n".join([found.output, found.log, found.page, *texts])
        assert MARK not in told
        assert MARK.lower() not in told.lower()
        assert "uuid=" not in told
        assert "since=" not in told
        for stream in ("doctors", "offices", "patients", "line_items"):
            for record in found.api.records(stream):
                key = str(record["id"])
                assert len(key) < 4 or key not in told.replace(",", "")


# The docs


def test_the_docs_show_three_pages_as_they_are_made():
    assert DOCS.read_text("utf-8") == rendered()
