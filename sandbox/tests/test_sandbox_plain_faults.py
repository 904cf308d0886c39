"""What can go wrong with a plain list, and how its rows move."""

import collections
import urllib.parse

import pytest
from drchrono_sandbox import PLAIN, Changes, Fault, Practice
from drchrono_sandbox.endpoints import FOLLOWING
from sandbox_bench import NOW

SOON = "2026-01-01T02:00:00"


@pytest.fixture
def tasks():
    return Practice.generate(records=60, counts={"tasks": 60, "doctors": 4}, now=NOW)


def ids(pages):
    return [record["id"] for page in pages for record in page["results"]]


@pytest.mark.parametrize(
    ("kind", "status", "content_type"),
    [
        ("400", 400, "application/json"),
        ("401", 401, "application/json"),
        ("403", 403, "application/json"),
        ("404", 404, "application/json"),
        ("405", 405, "application/json"),
        ("410", 410, "application/json"),
        ("429", 429, "application/json"),
        ("500", 500, "application/json"),
        ("502", 502, "text/html; charset=utf-8"),
        ("503", 503, "text/html; charset=utf-8"),
        ("504", 504, "text/html; charset=utf-8"),
        ("html", 200, "text/html; charset=utf-8"),
        ("redirect", 302, "text/html; charset=utf-8"),
        ("truncated_json", 200, "application/json"),
        ("malformed_json", 200, "application/json"),
        ("empty_body", 200, "application/json"),
        ("not_an_object", 200, "application/json"),
    ],
)
def test_a_fault_hits_one_plain_endpoint_alone(
    bench, tasks, kind, status, content_type
):
    fault = Fault(kind=kind, endpoint="tasks", nth=2, times=None)
    api = bench(tasks, faults=[fault])
    answers = [api.send("GET", "/api/tasks") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, status, status]
    assert answers[1].headers["content-type"] == content_type
    assert api.plain("doctors")["results"] != []
    assert [entry.fault for entry in api.api.log] == ["", kind, kind, ""]


@pytest.mark.parametrize(
    ("kind", "cut"),
    [
        ("close", "close"),
        ("reset", "reset"),
        ("hang", "hang"),
        ("truncate", "truncate"),
    ],
)
def test_connections_are_cut(bench, tasks, kind, cut):
    api = bench(tasks, faults=[Fault(kind=kind, endpoint="tasks")])
    assert api.send("GET", "/api/tasks").misbehaviour.cut == cut
    assert api.send("GET", "/api/tasks").misbehaviour is None


def test_faults_without_an_endpoint_hit_bulk_lists_and_plain_ones_have_a_name(bench):
    api = bench(faults=[Fault(kind="500"), Fault(kind="404", endpoint="plain")])
    assert api.send("GET", "/api/doctors").status == 404
    assert api.send("GET", "/api/offices").status == 200
    assert api.post("patients").status == 500


def test_next_leads_to_another_path(bench, tasks):
    api = bench(tasks, faults=[Fault(kind="next_elsewhere", endpoint="tasks")])
    address = api.plain("tasks", page_size=5)["next"]
    assert urllib.parse.urlsplit(address).path == "/api/elsewhere"
    assert api.plain("doctors")["next"] is None


def test_next_leads_to_the_page_that_was_read(bench, tasks):
    fault = Fault(kind="next_loop", endpoint="tasks", nth=2, times=None)
    api = bench(tasks, faults=[fault])
    first = api.plain("tasks", page_size=5)
    second = api.plain_at(first["next"])
    assert second["next"] == first["next"]


@pytest.mark.parametrize("paging", ["cursor", "page"])
def test_next_never_ends(bench, tasks, paging):
    fault = Fault(kind="next_endless", endpoint="tasks", times=None)
    api = bench(tasks, faults=[fault], plain_paging=paging)
    page = api.plain("tasks", page_size=25)
    seen = set()
    for _ in range(40):
        assert page["next"] not in seen
        seen.add(page["next"])
        page = api.plain_at(page["next"])


@pytest.mark.parametrize("kind", ["short_page", "empty_page"])
def test_a_page_in_the_middle_is_short_though_the_list_goes_on(bench, tasks, kind):
    fault = Fault(kind=kind, endpoint="tasks", nth=2)
    api = bench(tasks, faults=[fault], archived="listed")
    pages = api.follow("tasks", page_size=20)
    sizes = {"short_page": [20, 10, 20, 10], "empty_page": [20, 0, 20, 20]}
    assert [len(page["results"]) for page in pages] == sizes[kind]
    assert len({page["next"] for page in pages}) == 4
    assert ids(pages) == [record["id"] for record in api.api.records("tasks")]


def test_a_record_comes_without_its_key(bench, tasks):
    faults = [
        Fault(kind="record_without_key", endpoint="tasks"),
        Fault(kind="record_without_key", endpoint="line_item_deletions"),
    ]
    api = bench(tasks, faults=faults)
    first, second = api.plain("tasks")["results"][:2]
    assert "id" not in first
    assert "id" in second
    first, second = api.plain("line_item_deletions")["results"][:2]
    assert set(second) - set(first) == {"billing_line_item_id"}


def test_an_answer_comes_without_results(bench, tasks):
    api = bench(tasks, faults=[Fault(kind="missing_results", endpoint="tasks")])
    assert list(api.plain("tasks")) == ["previous", "next"]


def test_a_replica_shows_what_was_some_seconds_ago(bench, tasks):
    api = bench(tasks, replica_lag=10, archived="listed")

    def times(**asked):
        page = api.plain("tasks", **asked)["results"]
        return {record["id"]: record["updated_at"] for record in page}

    before = times()
    api.now += 3600
    changes = Changes(updates=1, inserts=1, deletions=1, purge=True, streams=("tasks",))
    done = api.api.change(changes, seed=3)["tasks"]
    [updated], [inserted], [deleted] = done.values()
    assert updated != deleted
    api.now += 9
    assert list(times().items()) == list(before.items())
    api.now += 1
    later = api.api.change(Changes(updates=60, streams=("tasks",)), seed=4)["tasks"]
    now = "2026-01-01T01:00:00"
    assert times() == {
        key: now if key in {updated, inserted} else time
        for key, time in {**before, inserted: now}.items()
        if key != deleted
    }
    assert times(since=now).keys() == {updated, inserted}
    api.now += 10
    assert times(since="2026-01-01T01:00:10").keys() == set(later["updated"])


@pytest.mark.parametrize("stream", PLAIN)
def test_people_edit_add_and_delete_plain_records(bench, stream):
    info = PLAIN[stream]
    api = bench(Practice.generate(records=60, now=NOW))

    def records():
        return {record[info.key]: record for record in api.api.records(stream)}

    before = records()
    api.now += 7200
    changes = Changes(updates=1, inserts=1, streams=(stream,))
    done = api.api.change(changes, seed=1)[stream]
    after = records()
    assert after.keys() - before.keys() == set(done["inserted"])
    assert len(done["inserted"]) == (stream not in FOLLOWING)
    [updated] = done["updated"]
    if stream != "line_item_deletions":
        assert unsigned(after[updated]) != unsigned(before[updated])
    for key in done["inserted"]:
        assert after[key].get(info.time, SOON) == SOON
    if info.since:
        news = api.plain(stream, **{info.since: SOON})["results"]
        assert {record[info.key] for record in news} >= set(done["inserted"])
    changes = Changes(deletions=1, streams=(stream,))
    [gone] = api.api.change(changes, seed=2)[stream]["deleted"]
    if info.archived:
        assert records()[gone][info.archived] is True
        changes = Changes(deletions=1, purge=True, streams=(stream,))
        [gone] = api.api.change(changes, seed=2)[stream]["deleted"]
    assert gone not in records()


def unsigned(record):
    return {
        name: value for name, value in record.items() if "Signature=" not in str(value)
    }


@pytest.mark.parametrize("order", ["id", "updated_at"])
def test_rows_move_while_a_list_is_read(bench, tasks, order):
    rate = Changes(updates=2, inserts=1, deletions=1, purge=True)
    api = bench(tasks, plain_order=order, archived="listed", changes_per_page=rate)
    api.now += 7200
    before = {r["id"]: r["updated_at"] for r in api.api.records("tasks")}
    read = collections.Counter(ids(api.follow("tasks", page_size=5)))
    after = {r["id"]: r["updated_at"] for r in api.api.records("tasks")}
    still = {key for key, time in after.items() if before.get(key) == time}
    assert still <= read.keys()
    moved = {key for key, time in after.items() if key in before} - still
    assert moved
    twice = {key for key, count in read.items() if count > 1}
    assert bool(twice) == (order == "updated_at")
    assert twice.isdisjoint(still)


def test_practice_time_changes_plain_records_where_that_is_asked_for(bench, tasks):
    rate = Changes(inserts=1, streams=("plain",))
    api = bench(tasks, changes_per_second=rate)
    api.now += 3
    counts = api.api.counts(plain=True)
    assert (counts["tasks"], counts["doctors"]) == (63, 7)
    assert api.api.counts()["patients"] == 60


def test_values_can_be_marked_and_odd(bench, tasks):
    api = bench(tasks, mark="PHI-", odd=1.0)
    for stream in ("tasks", "doctors", "line_item_deletions"):
        records = api.plain(stream)["results"]
        assert "PHI-" in str(records) or stream == "line_item_deletions"
        assert any("vendor_added" in record for record in records)
        assert all("8675309" in str(record[PLAIN[stream].key]) for record in records)
