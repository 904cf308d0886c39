"""Following `next`: what is believed of it, when a list has ended, and the bookmark."""

from __future__ import annotations

import base64
import datetime as dt
import json

import pytest
import requests
from singer_sdk.exceptions import RetriableAPIError

from tap_drchrono.api.answers import OddAnswerError
from tap_drchrono.endpoints import Endpoint
from tap_drchrono.errors import RefusedError, StreamError
from tap_drchrono.plain_lists.answers import (
    Ask,
    ParametersRefusedError,
    PlainAnswer,
    interpret,
)
from tap_drchrono.plain_lists.links import LinkError, counts, parameters
from tap_drchrono.plain_lists.paginator import PlainPaginator, PlainSource

PATH = "/api/tasks"
ENDPOINT = Endpoint(
    "tasks",
    PATH,
    "id",
    frozenset({"tasks:read"}),
    permissions=("invented-permission",),
    sharing=("share_invented",),
)
NOON = 1_767_225_600.0 + 12 * 3600
"""2026-01-01T12:00:00 UTC."""
OWN = {"page_size": "2", "since": "2025-01-01"}


def source(bookmark=None, changed="updated_at", written_from=None):
    return PlainSource(ENDPOINT, {PATH}, OWN, changed, bookmark, written_from)


class Reading:
    """A paginator that is driven like the loop does it."""

    def __init__(self, **kwargs):
        self.warnings = []
        self.paginator = PlainPaginator(source(**kwargs), self.warnings.append)
        self.rows = []

    def answer(self, records, link=None, at=NOON):
        assert not self.paginator.finished
        before = self.bookmark
        page = self.paginator.page(PlainAnswer(records, link, at))
        self.paginator.advance(requests.Response())
        self.rows += page.records
        assert (page.before, page.after) == (before, before)
        return self

    @property
    def asked(self):
        return dict(self.paginator.current_value.parameters)

    @property
    def bookmark(self):
        return self.paginator.outcome().bookmark


def read(*pages, **kwargs):
    """Read cursor pages to the end."""
    reading = Reading(**kwargs)
    for number, records in enumerate(pages, 1):
        paginator = reading.paginator
        link = f"{PATH}?cursor=c{number}" if number < len(pages) else None
        reading.rows += paginator.page(PlainAnswer(records, link, NOON)).records
        paginator.advance(requests.Response())
    assert reading.paginator.finished
    return reading


def row(key, changed="2025-06-01T00:00:00"):
    return {"id": key, "updated_at": changed}


class TestLinks:
    @pytest.mark.parametrize("host", ["https://drchrono.com", "http://x.invalid:1", ""])
    @pytest.mark.parametrize("slash", ["", "/"])
    def test_only_the_query_is_taken(self, host, slash):
        link = f"{host}{PATH}{slash}?cursor=cD0x&page_size=2"
        assert parameters(link, OWN, {PATH}) == (
            ("cursor", "cD0x"),
            ("page_size", "2"),
            ("since", "2025-01-01"),
        )

    def test_parameters_are_not_doubled_and_those_of_the_link_win(self):
        found = parameters(f"{PATH}?page_size=1&since=2024-12-31&cursor=a", OWN, {PATH})
        assert found == (("cursor", "a"), ("page_size", "1"), ("since", "2024-12-31"))

    def test_a_cursor_arrives_as_it_was_sent(self):
        found = dict(parameters(f"{PATH}?cursor=cD0rLw%3D%3D&empty=", {}, {PATH}))
        assert found == {"cursor": "cD0rLw==", "empty": ""}

    @pytest.mark.parametrize("link", [None, ""])
    def test_none_is_the_end(self, link):
        assert parameters(link, OWN, {PATH}) is None

    @pytest.mark.parametrize(
        "link",
        [
            "https://drchrono.com/api/taskes?cursor=a",
            "/api/tasks/1?cursor=a",
            "/elsewhere/api/tasks?cursor=a",
            7,
            {"url": PATH},
            ["https://drchrono.com/api/tasks?cursor=a"],
            "http://[broken",
            "https://drchrono.com?cursor=a",
            "https://drchrono.com/?cursor=a",
        ],
    )
    def test_what_does_not_lead_on_is_refused(self, link):
        with pytest.raises(LinkError):
            parameters(link, OWN, {PATH})


def cursor(text):
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"page": "2"}, True),
        ({"cursor": cursor("p=2026-04")}, False),
        ({"cursor": cursor("p=2026-04").rstrip("=")}, False),
        ({"cursor": cursor("r=1&p=17")}, False),
        ({"cursor": cursor("o=3&p=2024-11-06")}, True),
        ({"cursor": cursor("o=3&p=2024-11-06").rstrip("="), "page": "2"}, True),
        ({"cursor": "opaque"}, False),
        ({"cursor": "\u00e9"}, False),
        ({"cursor": ""}, False),
        ({"after": "7"}, False),
    ],
)
def test_what_counts(asked, expected):
    assert counts(tuple(asked.items())) is expected


class TestPages:
    def test_a_short_or_empty_page_is_not_the_end(self):
        reading = read([row(1)], [], [row(2), row(3)])
        assert [one["id"] for one in reading.rows] == [1, 2, 3]

    def test_the_first_page_is_asked_for_with_own_parameters(self):
        assert Reading().asked == OWN

    @pytest.mark.parametrize("link", [PATH, f"{PATH}?page_size=2&since=2025-01-01"])
    def test_the_way_back_to_the_first_page_is_an_error(self, link):
        reading = Reading()
        page = reading.paginator.page(PlainAnswer([row(1)], link, NOON))
        assert page.records == [row(1)]
        with pytest.raises(StreamError, match="a page that was read before"):
            reading.paginator.advance(requests.Response())
        assert not reading.paginator.outcome().whole

    @pytest.mark.parametrize("link", [7, "/api/taskes?cursor=a", "http://[broken"])
    def test_the_page_goes_out_whose_next_does_not_lead_on(self, link):
        reading = Reading(bookmark="2025-01-05T00:00:00")
        page = reading.paginator.page(PlainAnswer([row(1)], link, NOON))
        assert page.records == [row(1)]
        with pytest.raises(StreamError, match="the address of the next page"):
            reading.paginator.advance(requests.Response())
        assert reading.bookmark == "2025-01-05T00:00:00"

    def test_a_loop_is_an_error(self):
        reading = Reading()
        for cursor in "ab":
            reading.answer([row(cursor)], f"{PATH}?cursor={cursor}")
        with pytest.raises(StreamError, match="a page that was read before"):
            reading.answer([row("c")], f"{PATH}?cursor=a")

    def test_a_list_has_two_thousand_pages_at_most(self):
        reading = Reading()
        for number in range(1999):
            reading.answer([], f"{PATH}?cursor={number}")
        with pytest.raises(StreamError, match="leads on after 2000 pages") as error:
            reading.answer([], f"{PATH}?cursor=1999")
        assert "cursor" not in str(error.value)

    def test_two_thousand_pages_are_fine(self):
        reading = Reading()
        for number in range(1999):
            reading.answer([], f"{PATH}?cursor={number}")
        reading.answer([])
        assert reading.paginator.finished

    def test_a_key_that_comes_twice_is_written_twice_and_counted(self):
        reading = read([row(1)], [row(1, "2025-07-01T00:00:00"), row(2)])
        assert [one["id"] for one in reading.rows] == [1, 1, 2]
        assert reading.paginator.twice == 1


class TestBookmark:
    def test_it_is_the_highest_and_holds_at_the_end_only(self):
        reading = Reading(bookmark="2025-01-05T00:00:00")
        reading.answer([row(1, "2025-09-09T09:00:00")], f"{PATH}?cursor=a")
        assert reading.bookmark == "2025-01-05T00:00:00"
        reading.paginator.page(PlainAnswer([row(2, "2025-08-01 00:00:00")], None, NOON))
        assert reading.bookmark == "2025-09-09T09:00:00"

    def test_it_only_grows(self):
        reading = read([row(1, "2025-01-01T00:00:00")], bookmark="2025-01-05T00:00:00")
        assert reading.bookmark == "2025-01-05T00:00:00"

    @pytest.mark.parametrize(
        "changed", ["2026-01-01T12:00:01", "2026-01-02T00:00:00", "2999-01-01T00:00:00"]
    )
    def test_it_is_never_later_than_the_start_of_the_read(self, changed):
        reading = Reading()
        reading.answer([row(1, changed)], f"{PATH}?cursor=a", at=NOON)
        reading.paginator.page(PlainAnswer([row(2, changed)], None, NOON + 900))
        assert reading.bookmark == "2026-01-01T12:00:00"

    @pytest.mark.parametrize("changed", ["updated_at", None])
    def test_where_no_record_is_dated_it_is_the_day_of_the_read(self, changed):
        reading = read([{"id": 1}], [{"id": 2, "updated_at": "?"}], changed=changed)
        assert reading.bookmark == "2026-01-01"

    def test_where_nothing_came_it_stays(self):
        assert read([]).bookmark is None
        assert read([], bookmark="2025-01-05").bookmark == "2025-01-05"


def test_what_did_not_change_since_need_not_be_written():
    reading = read(
        [row(1, "2025-05-31T23:59:59"), row(2, "2025-06-01T00:00:00"), row(3, None)],
        written_from=dt.date(2025, 6, 1),
    )
    assert [one["id"] for one in reading.rows] == [2, 3]


class TestCountedPages:
    """Counted pages shift where a record is deleted: one is lost for good."""

    @staticmethod
    def passes(*passes, **kwargs):
        """Read passes of two pages each; return the reading and how many were read."""
        reading = Reading(**kwargs)
        used = 0
        for first, second in passes:
            if reading.paginator.finished:
                break
            used += 1
            for records, link in ((first, f"{PATH}?page=2"), (second, None)):
                reading.rows += reading.paginator.page(
                    PlainAnswer(records, link, NOON)
                ).records
                reading.paginator.advance(requests.Response())
        return reading, used

    def test_a_list_is_read_until_a_pass_brings_nothing_that_was_missed(self):
        shifted = ([row(1), row(2)], [row(4)])
        whole = ([row(2), row(3)], [row(4)])
        reading, used = self.passes(shifted, whole, whole, whole)
        assert used == 3
        assert {one["id"] for one in reading.rows} == {1, 2, 3, 4}
        assert not reading.warnings
        assert reading.paginator.outcome().whole

    @pytest.mark.parametrize("changed", ["updated_at", None])
    @pytest.mark.parametrize("newest_first", [False, True])
    def test_steady_inserts_are_no_sign_of_that(self, changed, newest_first):
        def passed(number):
            keys = list(range(1, 5 + 3 * number))[:: -1 if newest_first else 1]
            half = len(keys) // 2
            return [row(key) for key in keys[:half]], [row(key) for key in keys[half:]]

        reading, used = self.passes(*map(passed, range(5)), changed=changed)
        assert used == 2
        assert not reading.warnings
        assert reading.paginator.outcome().whole

    @pytest.mark.parametrize("zone", [-8, 0, 5])
    def test_nor_are_records_that_changed_since_the_start(self, zone):
        """Whatever the zone of their stamps."""

        def at(minutes):
            told = dt.datetime.fromtimestamp(NOON + zone * 3600 + minutes * 60, dt.UTC)
            return told.replace(tzinfo=None).isoformat()

        before = ([row(5, at(-60)), row(7, at(-1))], [row(9, at(0))])
        after = ([row(5, at(-60)), row(2, at(1))], [row(9, at(0)), row(1, at(2))])
        reading, used = self.passes(before, after)
        assert used == 2
        assert not reading.warnings

    def test_one_that_is_older_than_the_start_is(self):
        before = ([row(5), row(7)], [row(9, "2026-01-01T11:59:00")])
        after = ([row(5), row(2, "2026-01-01T11:58:59")], [row(7), row(9)])
        _, used = self.passes(before, after, after)
        assert used == 3

    def test_a_stamp_far_ahead_hides_nothing(self):
        before = ([row(5, "2999-01-01T00:00:00"), row(7, "2026-01-01T11:59:00")], [])
        missed = row(2, "2025-12-31T11:59:00")
        after = ([row(5), missed], [row(7, "2026-01-01T12:00:00")])
        _, used = self.passes(before, after, after)
        assert used == 3

    def test_what_was_written_is_not_written_again_unless_it_changed(self):
        before = ([row(1), row(2)], [row(3)])
        after = ([row(1), row(2, "2025-07-01T00:00:00")], [row(3)])
        reading, _ = self.passes(before, after)
        assert [one["id"] for one in reading.rows] == [1, 2, 3, 2]

    def test_that_has_an_end_and_the_bookmark_stays(self):
        moving = [([row(n)], [row(-n)]) for n in range(1, 10)]
        reading, used = self.passes(*moving, bookmark="2025-01-05T00:00:00")
        assert used == 5
        assert reading.paginator.finished
        assert len(reading.warnings) == 1
        assert reading.bookmark == "2025-01-05T00:00:00"
        assert not reading.paginator.outcome().whole

    @pytest.mark.parametrize(
        ("link", "second", "passes"),
        [
            (cursor("p=2025-06-01"), row(3), 1),
            (cursor("o=1&p=2025-06-01"), row(3), 2),
            ("opaque", row(3), 1),
        ],
        ids=["position", "count among equals", "unknown"],
    )
    def test_a_cursor_may_count_too(self, link, second, passes):
        reading = Reading()
        used = 0
        while not reading.paginator.finished:
            used += 1
            reading.answer([row(1), row(2)], f"{PATH}?cursor={link}")
            reading.answer([second])
        assert used == passes
        assert reading.paginator.outcome().whole
        assert [one["id"] for one in reading.rows] == [1, 2, 3]

    def test_what_was_missed_before_it_counted_is_found(self):
        """The first link names a position; the second one counts."""
        reading = Reading()
        counted = f"{PATH}?cursor={cursor('o=1&p=2025-06-01')}"
        for third in (4, 3, 3):
            reading.answer([row(1)], f"{PATH}?cursor={cursor('p=2025-05-01')}")
            reading.answer([row(2)], counted)
            reading.answer([row(third)], f"{PATH}?cursor={cursor('p=2025-07-01')}")
            reading.answer([row(5)])
        assert reading.paginator.finished
        assert sorted(one["id"] for one in reading.rows) == [1, 2, 3, 4, 5]

    def test_one_page_needs_no_second_pass(self):
        reading = Reading()
        reading.paginator.page(PlainAnswer([row(1)], None, NOON))
        reading.paginator.advance(requests.Response())
        assert reading.paginator.finished

    def test_a_page_that_is_no_longer_there_ends_the_pass(self):
        gone = response(404, {"detail": "Invalid page."})
        ask = Ask((("page", "3"),), number=3)
        assert interpret(ENDPOINT, ask, gone, NOON) == PlainAnswer((), None, NOON)


def response(status, body, kind="application/json"):
    answer = requests.Response()
    answer.status_code = status
    answer.headers["Content-Type"] = kind
    answer._content = body if isinstance(body, bytes) else json.dumps(body).encode()  # noqa: SLF001 - as the library's own tests do
    return answer


FIRST = Ask(())


class TestAnswers:
    @pytest.mark.parametrize("name", ["results", "data"])
    def test_records_are_in_results_or_data(self, name):
        body = {"previous": None, name: [{"id": 1}], "next": "x"}
        found = interpret(ENDPOINT, FIRST, response(200, body), NOON)
        assert found == PlainAnswer([{"id": 1}], "x", NOON)

    def test_results_win(self):
        body = {"results": [{"id": 1}], "data": [{"id": 2}]}
        found = interpret(ENDPOINT, FIRST, response(200, body), NOON)
        assert found.records == [{"id": 1}]

    @pytest.mark.parametrize(
        ("status", "body", "kind", "says"),
        [
            (200, b"<html>", "text/html", "HTML instead of JSON"),
            (200, b'{"results": [', "application/json", "cut off or malformed"),
            (200, b"", "application/json", "cut off or malformed"),
            (502, b"<html>", "text/html", "HTTP 502"),
            (500, {"detail": "x"}, "application/json", "HTTP 500"),
        ],
    )
    def test_what_another_try_may_mend(self, status, body, kind, says):
        with pytest.raises(RetriableAPIError, match=says):
            interpret(ENDPOINT, FIRST, response(status, body, kind), NOON)

    @pytest.mark.parametrize(
        "body",
        [
            {"next": None},
            {"results": "no"},
            {"results": None, "data": {"id": 1}},
            [{"id": 1}],
            "text",
        ],
    )
    def test_what_one_more_look_may_mend(self, body):
        with pytest.raises(OddAnswerError, match="without a list of records"):
            interpret(ENDPOINT, FIRST, response(200, body), NOON)

    @pytest.mark.parametrize(
        "body",
        [{"results": None, "data": [{"id": 1}]}, {"results": [{"id": 1}], "data": 7}],
    )
    def test_the_one_that_is_a_list_is_read(self, body):
        found = interpret(ENDPOINT, FIRST, response(200, body), NOON)
        assert found.records == [{"id": 1}]

    def test_a_value_that_is_no_record_costs_itself(self):
        body = {"results": [{"id": 1}, None, "text", {"id": 2}]}
        found = interpret(ENDPOINT, FIRST, response(200, body), NOON)
        assert found.records == [{"id": 1}, {}, {}, {"id": 2}]

    @pytest.mark.parametrize("status", [401, 403, 404, 405, 410])
    def test_a_refusal_names_scope_permission_and_flag(self, status):
        with pytest.raises(RefusedError) as error:
            interpret(ENDPOINT, FIRST, response(status, {"detail": "no"}), NOON)
        told = str(error.value)
        assert told.startswith("tasks: ")
        assert f"HTTP {status}" in told
        for needed in ("tasks:read", "invented-permission", "share_invented"):
            assert needed in told

    def test_a_cursor_that_is_gone_is_no_refusal(self):
        ask = Ask((("cursor", "a"),), number=2)
        with pytest.raises(StreamError) as error:
            interpret(ENDPOINT, ask, response(404, {"detail": "Invalid cursor"}), NOON)
        assert not isinstance(error.value, RefusedError)

    @pytest.mark.parametrize("status", [404, 405, 410])
    def test_nobody_is_told_to_grant_what_is_not_there(self, status):
        with pytest.raises(RefusedError) as error:
            interpret(ENDPOINT, FIRST, response(status, b"<html>", "text/html"), NOON)
        told = str(error.value)
        assert "has no list at /api/tasks" in told
        assert "Grant" not in told

    def test_what_names_nothing_to_grant_says_so(self):
        bare = Endpoint("users", PATH, "id", frozenset())
        with pytest.raises(RefusedError, match="names nothing that could be granted"):
            interpret(bare, FIRST, response(403, {}), NOON)

    def test_one_scope_is_one(self):
        bare = Endpoint("doctors", PATH, "id", frozenset({"user:read"}))
        with pytest.raises(RefusedError, match=r"needs the scope user:read\. Grant"):
            interpret(bare, FIRST, response(403, {}), NOON)

    @pytest.mark.parametrize("name", ["since", "updated_since"])
    def test_a_day_that_is_refused_is_written_with_a_time(self, name):
        ask = Ask(((name, "2025-06-07"), ("page_size", "250")))
        bad = response(400, {name: ["Enter a valid date/time."]})
        with pytest.raises(ParametersRefusedError) as refused:
            interpret(ENDPOINT, ask, bad, NOON)
        again = refused.value.instead
        assert dict(again.parameters) == {
            name: "2025-06-07T00:00:00",
            "page_size": "250",
        }
        with pytest.raises(StreamError) as error:
            interpret(ENDPOINT, again, bad, NOON)
        assert not isinstance(error.value, ParametersRefusedError)

    @pytest.mark.parametrize("name", ["page_size", "show_archived", "verbose"])
    def test_a_parameter_that_is_refused_is_left_out(self, name):
        ask = Ask((("cursor", "a"), (name, "1")))
        with pytest.raises(ParametersRefusedError) as refused:
            interpret(ENDPOINT, ask, response(400, {name: ["Unknown."]}), NOON)
        assert refused.value.instead.parameters == (("cursor", "a"),)

    @pytest.mark.parametrize("name", ["detail", "non_field_errors", "error"])
    def test_a_complaint_in_general_names_no_parameter(self, name):
        with pytest.raises(StreamError) as error:
            interpret(ENDPOINT, FIRST, response(400, {name: "no"}), NOON)
        assert "because of" not in str(error.value)

    def test_a_bad_request_is_an_error(self):
        with pytest.raises(StreamError, match="because of since") as error:
            interpret(ENDPOINT, FIRST, response(400, {"since": ["no"]}), NOON)
        assert not isinstance(error.value, RefusedError)
