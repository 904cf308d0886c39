"""Faults: which request is hit, and what comes of it."""

import json
import time

import pytest
import requests
from drchrono_sandbox import ACCESS_TOKEN, KINDS, Fault, Settings, serve
from drchrono_sandbox.claims import LIES
from sandbox_bench import NOW, refresh


def test_a_fault_hits_the_request_it_names(bench):
    fault = {"kind": "500", "method": "POST", "endpoint": "patients", "page": 2}
    api = bench(faults=[fault])
    assert api.post("patients", page=1).status == 201
    assert api.post("line_items", page=2).status == 201
    assert [api.post("patients", page=2).status for _ in range(2)] == [500, 201]


def test_a_fault_can_wait_for_its_turn_and_come_more_than_once(bench):
    api = bench(faults=[Fault(kind="503", nth=2, times=2)])
    statuses = [api.post("patients").status for _ in range(5)]
    assert statuses == [201, 503, 503, 201, 201]
    assert (api.api.faults.matched, api.api.faults.applied) == ([5], [2])
    in_turn = bench(faults=[Fault(kind="503"), Fault(kind="500")])
    assert [in_turn.post("patients").status for _ in range(3)] == [503, 500, 201]
    always = bench(faults=[Fault(kind="503", times=None)])
    assert {always.post("patients").status for _ in range(5)} == {503}


def test_a_fault_can_look_at_the_poll_and_at_what_it_would_find(bench):
    faults = [
        Fault(kind="502", method="GET", poll=2),
        Fault(kind="html", method="GET", when="complete"),
        Fault(kind="500", page_size=50),
    ]
    api = bench(faults=faults, list_base_seconds=5)
    uuid = api.post("patients", page_size=49).json()["uuid"]
    assert [api.poll("patients", uuid).status for _ in range(3)] == [200, 502, 200]
    api.now = NOW + 5
    answer = api.poll("patients", uuid)
    assert (answer.status, answer.headers["content-type"][:9]) == (200, "text/html")
    assert api.poll("patients", uuid).json()["status"] == "Complete"
    assert api.post("patients", page_size=50).status == 500


def test_token_requests_are_hit_only_by_name(bench):
    api = bench(faults=[Fault(kind="500"), Fault(kind="503", endpoint="token")])
    assert [refresh(api).status for _ in range(2)] == [503, 200]
    assert (
        bench(faults=[Fault(kind="500", endpoint="*")]).post("patients").status == 500
    )


def test_a_lost_answer_may_have_had_its_effect(bench):
    for performed, status in ((False, 200), (True, 400)):
        fault = Fault(kind="reset", endpoint="token", performed=performed)
        api = bench(faults=[fault])
        assert refresh(api).misbehaviour.cut == "reset"
        assert refresh(api).status == status


def test_a_fault_may_have_its_time(bench):
    fault = Fault(kind="503", times=None, begins=NOW + 10, ends=NOW + 20)
    api = bench(faults=[fault])
    statuses = []
    for api.now in (NOW + 9, NOW + 10, NOW + 19, NOW + 20):
        statuses.append(api.post("patients").status)
    assert statuses == [201, 503, 503, 201]


def test_a_fault_may_last_for_everyone_from_its_first_hit(bench):
    api = bench(faults=[Fault(kind="503", endpoint="patients", page=2, lasts=60)])
    assert api.post("patients", page=1).status == 201
    statuses = []
    for wait in (0, 59, 60):
        api.now = NOW + wait
        statuses.append(
            api.post("patients" if wait == 0 else "line_items", page=2).status
        )
    assert statuses == [503, 503, 201]
    assert refresh(api).status == 200


@pytest.mark.parametrize("kind", ["429", "503"])
def test_an_answer_may_say_when_to_come_back(bench, kind):
    answer = bench(faults=[Fault(kind=kind, retry_after="0")]).post("patients")
    assert answer.headers["retry-after"] == "0"


def test_a_fault_may_hit_by_chance(bench):
    api = bench(faults=[Fault(kind="500", times=None, chance=0.5)])
    statuses = [api.post("patients").status for _ in range(40)]
    assert 8 < statuses.count(500) < 32


@pytest.mark.parametrize(
    ("kind", "status", "content"),
    [
        ("400", 400, "application/json"),
        ("401", 401, "application/json"),
        ("403", 403, "application/json"),
        ("404", 404, "application/json"),
        ("429", 429, "application/json"),
        ("500", 500, "application/json"),
        ("502", 502, "text/html"),
        ("503", 503, "text/html"),
        ("504", 504, "text/html"),
        ("html", 200, "text/html"),
        ("empty_body", 200, "application/json"),
        ("not_an_object", 200, "application/json"),
    ],
)
def test_canned_answers(bench, kind, status, content):
    answer = bench(faults=[Fault(kind=kind)]).post("patients")
    assert answer.status == status
    assert answer.headers["content-type"].startswith(content)


@pytest.mark.parametrize("kind", ["truncated_json", "malformed_json", "empty_body"])
def test_json_that_cannot_be_read(bench, kind):
    answer = bench(faults=[Fault(kind=kind)]).post("patients")
    with pytest.raises(ValueError, match=r"codec|Expecting|Unterminated|Extra"):
        answer.json()


@pytest.mark.parametrize(
    ("kind", "lost"),
    [
        ("missing_status", "status"),
        ("missing_results", "results"),
        ("missing_uuid", "uuid"),
    ],
)
def test_bodies_that_lack_something(bench, kind, lost):
    api = bench(faults=[Fault(kind=kind, method="GET")])
    body = api.page("patients")
    assert lost not in body
    assert "pagination" in body


@pytest.mark.parametrize("kind", ["byte_order_mark", "latin_1", "utf_16"])
def test_json_in_other_forms(bench, kind):
    whole = bench().page("patients")
    answer = bench(faults=[Fault(kind=kind)]).post("patients")
    declared = answer.headers["content-type"].partition("charset=")[2]
    body = json.loads(answer.body.decode(declared or "utf-8-sig"))
    assert body["status"] in {"In progress", whole["status"]}


def test_values_that_are_hardly_json(bench):
    fault = Fault(kind="odd_values", method="GET", when="complete")
    api = bench(faults=[fault])
    uuid = api.post("patients", page_size=3).json()["uuid"]
    body = api.poll("patients", uuid).body
    for name in (b"odd_nan", b"odd_infinity", b"odd_long", b"odd_deep"):
        assert body.count(name) == 3


def test_a_status_that_nobody_knows(bench):
    api = bench(faults=[Fault(kind="unexpected_status", method="GET")])
    assert api.page("patients")["status"] == "Queued"


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        ("list_failed", 200, "Failed"),
        ("list_failed", 500, "Failed"),
        ("list_error", 200, "Error"),
        ("list_error", 500, "Error"),
        ("list_canceled", 200, "Canceled"),
    ],
)
def test_a_failed_list_stays_failed_and_a_new_one_works(
    bench, method, kind, status, text
):
    fault = Fault(kind=kind, method=method, status=status)
    api = bench(faults=[fault])
    uuid = api.post("patients").json()["uuid"]
    for _ in range(2):
        answer = api.poll("patients", uuid)
        assert answer.status == status
        assert answer.json()["status"] == text
        assert set(answer.json()) == {"status", "uuid", "detail"}
    assert api.page("patients")["status"] == "Complete"


def test_a_list_may_expire_early_or_never_finish(bench):
    faults = [
        Fault(kind="list_expired", method="GET", poll=2),
        Fault(kind="list_never", endpoint="line_items"),
    ]
    api = bench(faults=faults)
    uuid = api.post("patients").json()["uuid"]
    assert [api.poll("patients", uuid).status for _ in range(3)] == [200, 404, 404]
    uuid = api.post("line_items").json()["uuid"]
    api.now += 3000
    assert api.poll("line_items", uuid).json()["status"] == "In progress"


def test_a_list_may_come_empty_or_out_of_order(bench):
    faults = [
        Fault(kind="scope_missing", endpoint="patients"),
        Fault(kind="out_of_order", endpoint="line_items"),
    ]
    api = bench(faults=faults)
    assert api.page("patients")["pagination"]["count"] == 0
    ids = [record["id"] for record in api.results("line_items")]
    assert ids == sorted(ids, reverse=True)


def test_redirects_lead_to_the_same_address_or_elsewhere(bench):
    faults = [Fault(kind="redirect"), Fault(kind="redirect_elsewhere", permanent=True)]
    api = bench(faults=faults)
    here, there = (api.post("patients", page=1) for _ in range(2))
    query = "/api/patients_list?since=1970-01-01&page=1"
    assert (here.status, here.headers["location"]) == (302, f"http://sandbox{query}")
    assert there.status == 301
    assert there.headers["location"].endswith(f".invalid{query}")


def test_every_kind_does_something(bench):
    for kind in KINDS:
        whole = bench().page("patients")
        api = bench(faults=[Fault(kind=kind, method="GET")])
        uuid = api.post("patients").json()["uuid"]
        answer = api.poll("patients", uuid)
        spoiled = answer.misbehaviour is not None or answer.status != 200
        try:
            spoiled = spoiled or answer.json() | {"uuid": 0} != whole | {"uuid": 0}
        except (TypeError, ValueError):
            spoiled = True
        assert spoiled, kind
        assert api.api.log[-1].fault == kind


def test_a_list_may_be_unknown_for_a_while(bench):
    api = bench(faults=[Fault(kind="list_unnamed", method="POST", seconds=2)])
    uuid = api.post("patients").json()["uuid"]
    early = api.poll("patients", uuid)
    assert (early.status, early.json()) == (404, {"detail": "Invalid uuid specified"})
    api.now += 2
    assert api.poll("patients", uuid).json()["status"] == "Complete"


@pytest.mark.parametrize(("gaps", "records"), [(True, 9), (False, 10)])
def test_some_records_may_be_counted_and_not_listed(bench, gaps, records):
    fault = Fault(kind="records_unlisted", method="POST", times=None, gaps=gaps)
    api = bench(faults=[fault])
    whole = len(api.api.records("line_items"))
    answer = api.page("line_items", page=1, page_size=10)
    assert len(answer["results"]) == records
    assert answer["pagination"]["count"] == whole
    listed = api.results("line_items", page_size=1000)
    assert len(listed) < whole


@pytest.mark.parametrize("claims", LIES)
def test_each_lie_is_one_and_leaves_the_records_alone(bench, claims):
    fault = Fault(kind="claims", method="GET", claims=claims, times=None)
    true, false = bench(), bench(faults=[fault])
    lied = False
    for page in (1, 2):
        one, other = (
            api.page("line_items", page=page, page_size=50) for api in (true, false)
        )
        assert one["results"] == other["results"]
        lied = lied or one["pagination"] != other["pagination"]
    assert lied


@pytest.mark.parametrize(
    "bad",
    [
        {"kind": "fire"},
        {"kind": "500", "pages": 1},
        {"kind": "claims", "claims": "the truth"},
    ],
)
def test_a_fault_that_does_not_exist_is_refused(bench, bad):
    with pytest.raises(ValueError, match="known"):
        bench(faults=[bad])


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("close", requests.ConnectionError),
        ("reset", requests.ConnectionError),
        ("hang", requests.ReadTimeout),
        ("truncate", requests.exceptions.ChunkedEncodingError),
    ],
)
def test_connections_are_really_cut(kind, error):
    with serve(Settings(), faults=[Fault(kind=kind)]) as (url, api):
        asked = {
            "params": {"since": "1970-01-01"},
            "headers": {"Authorization": f"Bearer {ACCESS_TOKEN}"},
        }
        with pytest.raises(error):
            requests.post(f"{url}/api/patients_list", timeout=0.3, **asked)
        answer = requests.post(f"{url}/api/patients_list", timeout=0.3, **asked)
        assert answer.status_code == 201
        assert api.log[0].status == (201 if kind == "truncate" else 0)


def test_a_slow_answer_comes_late_but_whole():
    fault = Fault(kind="slow", seconds=0.2)
    with serve(Settings(), faults=[fault]) as (url, _):
        before = time.monotonic()
        answer = requests.post(
            f"{url}/api/patients_list",
            params={"since": "1970-01-01"},
            headers={"Authorization": f"Bearer {ACCESS_TOKEN}"},
            timeout=10,
        )
        assert answer.json()["status"] == "In progress"
        assert time.monotonic() - before >= 0.2
