"""The sandbox's own endpoints, the log, and the server around it."""

import json

import pytest
import requests
from drchrono_sandbox import PLAIN, STREAMS, Changes, Practice, serve
from sandbox_bench import NOW


def control(api, method, path, body=None, **query):
    sent = None if body is None else json.dumps(body)
    answer = api.send(method, f"/sandbox/{path}", sent, **query)
    return answer.status, answer.json()


def test_the_source_can_be_counted_and_read(bench):
    api = bench(Practice.generate(records=100, now=NOW))
    status, counts = control(api, "GET", "streams")
    assert (status, list(counts)) == (200, list(STREAMS))
    for stream, count in counts.items():
        _, records = control(api, "GET", f"streams/{stream}")
        read = api.whole(
            stream,
            page_size=1000,
            verbose="true",
            show_archived="true",
            show_inactive="true",
        )
        assert len(records) == count == len(read)
    _, fewer = control(api, "GET", "streams", show_archived="false")
    assert fewer["appointments"] < counts["appointments"]
    assert fewer["patients"] == counts["patients"]
    _, shown = control(api, "GET", "streams/patients", show_inactive=0, verbose=0)
    assert len(shown) < counts["patients"]
    assert "primary_insurance" not in shown[0]


def test_the_source_equals_what_the_api_delivers(bench):
    api = bench()
    for stream in set(STREAMS) - {"appointments", "patients"}:
        _, source = control(api, "GET", f"streams/{stream}")
        assert source == api.whole(stream, page_size=7)


def test_the_source_of_plain_lists_can_be_counted_and_read(bench):
    api = bench()
    _, counts = control(api, "GET", "plain")
    _, fewer = control(api, "GET", "plain", show_archived="false")
    assert list(counts) == list(fewer) == list(PLAIN)
    assert fewer["task_notes"] < counts["task_notes"]
    for stream in ("task_notes", "line_item_deletions", "users"):
        _, source = control(api, "GET", f"streams/{stream}")
        assert source == api.plain(stream, show_archived="true")["results"]
        assert len(source) == counts[stream] > 0
        _, active = control(api, "GET", f"streams/{stream}", show_archived="false")
        assert active == api.plain(stream)["results"]
        assert len(active) == fewer[stream]


def test_changes_can_be_made_over_http(bench):
    api = bench()
    body = {"inserts": 2, "seed": 5, "streams": ["patients"]}
    status, done = control(api, "POST", "change", body)
    assert status == 200
    assert len(done["patients"]["inserted"]) == 2
    assert control(api, "GET", "streams")[1]["patients"] == 62


def test_faults_can_be_replaced_over_http(bench):
    api = bench()
    control(api, "POST", "faults", [{"kind": "500"}])
    assert api.post("patients").status == 500
    assert control(api, "GET", "faults")[1][0]["applied"] == 1
    control(api, "POST", "faults", [])
    assert api.post("patients").status == 201


def test_settings_can_be_changed_over_http(bench):
    api = bench()
    change = {"changes_per_list": {"inserts": 1}, "without_id": [], "mark": "M-"}
    status, settings = control(api, "POST", "settings", change)
    assert (status, settings["mark"]) == (200, "M-")
    assert api.api.settings.changes_per_list == Changes(inserts=1)
    assert "id" in api.results("clinical_notes")[0]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("settings", {"nonsense": 1}),
        ("faults", [{"kind": "nonsense"}]),
        ("change", {"streams": ["nonsense"]}),
        ("change", {"nonsense": 1}),
    ],
)
def test_mistakes_are_answered_in_words(bench, path, body):
    status, answer = control(bench(), "POST", path, body)
    assert status == 400
    assert "nonsense" in answer["detail"]


def test_unknown_control_endpoints(bench):
    assert control(bench(), "GET", "nonsense")[0] == 404
    assert control(bench(), "GET", "streams/nonsense")[0] == 400


def test_grants_can_be_made_over_http(bench):
    api = bench()
    _, grant = control(api, "POST", "grants", {"scope": "patients:read"})
    api.token = grant["access_token"]
    assert api.results("line_items") == []
    assert api.results("patients") != []


def test_the_log_tells_what_was_asked_but_no_secret(bench):
    api = bench(list_base_seconds=1)
    asked = {"page": 2, "page_size": 5, "order_by": "id", "verbose": "true"}
    headers = {"X-DRC-API-Version": "v4", "Accept": "application/json"}
    posted = api.send(
        "POST", "/api/patients_list", headers=headers, since="1970-01-01", **asked
    )
    api.poll("patients", posted.json()["uuid"])
    _, log = control(api, "GET", "log")
    post, get = log
    assert {k: post[k] for k in asked} == asked
    assert (post["method"], post["endpoint"], post["status"]) == (
        "POST",
        "patients",
        201,
    )
    assert (post["since"], post["uuid"], post["api_version"]) == (
        "1970-01-01",
        False,
        "v4",
    )
    assert (get["method"], get["uuid"], get["poll"], get["page"]) == ("GET", True, 1, 2)
    assert (get["state"], get["time"], get["records"]) == ("progress", NOW, 0)
    text = json.dumps(log)
    assert api.token not in text
    assert posted.json()["uuid"] not in text
    assert control(api, "POST", "log/clear")[1] == []
    assert api.api.log == []


def test_it_runs_on_a_free_port_and_stops():
    with serve() as (url, api):
        answer = requests.get(f"{url}/sandbox/streams", timeout=10)
        assert answer.json() == api.counts()
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=1)


def test_several_can_run_at_once():
    with serve() as first, serve(practice=Practice.generate(records=5)) as second:
        counts = [
            requests.get(f"{each.url}/sandbox/streams", timeout=10).json()["patients"]
            for each in (first, second)
        ]
        assert counts == [300, 5]
