"""What an answer means, by status, content type and body."""

from __future__ import annotations

import json

import pytest
import requests
from list_model import source_of
from singer_sdk.exceptions import RetriableAPIError

from tap_drchrono.api.answers import OddAnswerError
from tap_drchrono.errors import StreamError
from tap_drchrono.lists.answers import interpret
from tap_drchrono.lists.claims import Claims
from tap_drchrono.lists.jobs import Fetch, Job, Status, Submit

SECRET = "Mrs Invented 078-05-1120"
PENDING = Job(source_of("patients").first_list())
POST = Submit(PENDING, 1)
GET = Fetch(PENDING, 1, 0.0)


def response(status, body, kind="application/json"):
    answer = requests.Response()
    answer.status_code = status
    answer.headers["Content-Type"] = kind
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    answer._content = text.encode() if isinstance(text, str) else text  # noqa: SLF001 - as if received
    answer.request = requests.Request("GET", f"https://x.invalid/?q={SECRET}").prepare()
    return answer


def complete(**changes):
    return {
        "status": "Complete",
        "uuid": "u-1",
        "pagination": {"count": 4428, "pages": 5, "page_size": 1000, "page": 1},
        "results": [{"id": 1}],
    } | changes


class TestLists:
    def test_in_progress(self):
        answer = interpret(POST, response(201, {"status": "In progress", "uuid": "u"}))
        assert (answer.status, answer.uuid) == (Status.IN_PROGRESS, "u")

    def test_complete(self):
        answer = interpret(GET, response(200, complete()))
        assert answer.status is Status.COMPLETE
        assert answer.records == [{"id": 1}]
        assert answer.claims == Claims(1, 1000, 4428)

    def test_records_under_their_other_name(self):
        body = complete(data=[{"id": 2}])
        del body["results"]
        assert interpret(GET, response(200, body)).records == [{"id": 2}]

    def test_decimals_keep_their_digits(self):
        text = json.dumps(complete()).replace('"id": 1', '"price": 125.00')
        (record,) = interpret(GET, response(200, text)).records
        assert str(record["price"]) == "125.00"

    @pytest.mark.parametrize(
        "pagination",
        [None, {}, [], {"count": None, "page": -1, "page_size": "many"}, {"count": -1}],
    )
    def test_pagination_that_says_nothing(self, pagination):
        answer = interpret(GET, response(200, complete(pagination=pagination)))
        assert answer.claims == Claims()

    def test_pagination_as_text(self):
        pagination = {"count": "0", "page": "2", "page_size": "50"}
        answer = interpret(GET, response(200, complete(pagination=pagination)))
        assert answer.claims == Claims(2, 50, 0)

    @pytest.mark.parametrize("word", ["IN PROGRESS", " in progress "])
    def test_case_does_not_matter(self, word):
        answer = interpret(GET, response(200, {"status": word, "uuid": "u"}))
        assert answer.status is Status.IN_PROGRESS

    def test_progress_needs_no_uuid_where_it_is_known(self):
        answer = interpret(GET, response(200, {"status": "In progress"}))
        assert answer.status is Status.IN_PROGRESS

    @pytest.mark.parametrize("status", [200, 500, 503])
    @pytest.mark.parametrize("word", ["Failed", "Canceled", "Cancelled", "Error"])
    @pytest.mark.parametrize("token", [POST, GET])
    def test_failed(self, status, word, token):
        body = {"status": word, "uuid": "u", "detail": SECRET}
        answer = interpret(token, response(status, body))
        assert answer.status is Status.FAILED
        assert word in answer.word
        assert SECRET not in answer.word

    @pytest.mark.parametrize("status", [400, 404, 410])
    def test_an_unknown_uuid(self, status):
        body = {"detail": "Invalid uuid specified"}
        assert interpret(GET, response(status, body)).status is Status.GONE

    @pytest.mark.parametrize("token", [POST, GET])
    @pytest.mark.parametrize("status", [400, 404])
    def test_a_page_behind_the_last_one(self, token, status):
        answer = interpret(token, response(status, {"detail": "Invalid page."}))
        assert answer.status is Status.BEYOND


@pytest.mark.parametrize("token", [POST, GET])
@pytest.mark.parametrize(
    "body", ["[" * 3000 + "]" * 3000, '{"a":' * 900 + "1" + "}" * 900]
)
def test_nesting_that_nobody_reads_is_said_at_once(token, body):
    with pytest.raises(StreamError, match="nested too deep"):
        interpret(token, response(200, body))


@pytest.mark.parametrize("count", ["1" * 5000, "NaN", "1e3", "\u0661"])
def test_a_count_that_is_no_number_says_nothing(count):
    body = complete(pagination={"count": count})
    assert interpret(GET, response(200, body)).claims.count is None


class TestAskAgain:
    @pytest.mark.parametrize("token", [POST, GET])
    @pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            ({"detail": SECRET}, "application/json"),
            ("<h1>" + SECRET, "text/html"),
            ("", "text/plain"),
            ({"status": {"a": SECRET}}, "application/json"),
        ],
    )
    def test_server_errors(self, token, status, body, kind):
        with pytest.raises(RetriableAPIError) as raised:
            interpret(token, response(status, body, kind))
        assert str(raised.value) == f"HTTP {status}"

    @pytest.mark.parametrize(
        ("body", "kind", "words"),
        [
            ("<h1>" + SECRET, "text/html; charset=utf-8", "HTML instead of JSON"),
            (json.dumps(complete()), "TEXT/HTML", "HTML instead of JSON"),
            ('{"status": "Comp', "application/json", "cut off or malformed"),
            ("", "application/json", "cut off or malformed"),
            (b"\xff\xfe", "application/json", "cut off or malformed"),
            ("NaN", "application/json", "cut off or malformed"),
            ({"status": SECRET}, "application/json", "without a known list status"),
        ],
    )
    @pytest.mark.parametrize("token", [POST, GET])
    def test_successes_that_are_none(self, token, body, kind, words):
        with pytest.raises(RetriableAPIError, match=words) as raised:
            interpret(token, response(200, body, kind))
        assert SECRET not in str(raised.value)
        assert not isinstance(raised.value, OddAnswerError)

    @pytest.mark.parametrize(
        "body",
        [
            [SECRET],
            {"uuid": SECRET},
            {"status": None},
            {"status": "Complete"},
            complete(results=None),
            complete(results={"a": 1}),
        ],
    )
    @pytest.mark.parametrize("token", [POST, GET])
    def test_json_of_another_kind_is_worth_one_more_look(self, token, body):
        with pytest.raises(OddAnswerError, match="without a known list status") as odd:
            interpret(token, response(200, body))
        assert SECRET not in str(odd.value)

    @pytest.mark.parametrize("results", [[{"id": 1}, None, SECRET], [None, 7, []]])
    def test_a_value_that_is_no_record_costs_itself(self, results):
        answer = interpret(GET, response(200, complete(results=results)))
        assert answer.status is Status.COMPLETE
        assert len(answer.records) == 3
        assert all(isinstance(record, dict) for record in answer.records)

    def test_where_results_are_no_list_data_is_read(self):
        body = complete(results=None) | {"data": [{"id": 1}]}
        assert interpret(GET, response(200, body)).records == [{"id": 1}]

    @pytest.mark.parametrize("uuid", [None, "", {}, False])
    def test_a_submitted_list_without_a_name(self, uuid):
        answer = interpret(POST, response(201, {"status": "In progress", "uuid": uuid}))
        assert answer.status is Status.IN_PROGRESS
        assert answer.uuid is None


class TestRefused:
    def refused(self, token, status, body, kind="application/json"):
        with pytest.raises(StreamError) as raised:
            interpret(token, response(status, body, kind))
        text = str(raised.value)
        assert text.startswith("patients: DrChrono ")
        assert "/api/patients_list" in text
        assert f"HTTP {status}" in text
        assert SECRET not in text
        assert "?" not in text
        return text

    @pytest.mark.parametrize("token", [POST, GET])
    def test_a_missing_permission(self, token):
        text = self.refused(token, 403, {"detail": SECRET})
        assert "patients:read" in text
        assert "tap-drchrono-authorize" in text

    def test_parameters(self):
        body = {"since": [SECRET], "page_size": [SECRET], SECRET: ["x"], "a b": 1}
        text = self.refused(POST, 400, body)
        assert "because of page_size, since" in text

    @pytest.mark.parametrize("body", [[SECRET], {}, SECRET, None, {"detail": SECRET}])
    def test_parameters_without_names(self, body):
        self.refused(POST, 400, body)

    @pytest.mark.parametrize(
        ("token", "status"),
        [(POST, 404), (POST, 405), (GET, 405), (GET, 402), (POST, 304), (POST, 451)],
    )
    def test_all_else(self, token, status):
        assert "Check api_url" in self.refused(token, status, SECRET, "text/html")
