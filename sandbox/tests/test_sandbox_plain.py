"""The plain lists: one GET after the other, until there is no `next`."""

import base64
import urllib.parse

import pytest
from drchrono_sandbox import PLAIN, Changes, Practice
from sandbox_bench import NOW


def keys(records, stream):
    return [record[PLAIN[stream].key] for record in records]


def cursor_of(address):
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))
    return base64.b64decode(asked["cursor"]).decode()


def test_there_are_45_of_them():
    assert len(PLAIN) == 45


@pytest.fixture(scope="module")
def wide():
    """Make a practice with more than a page of most plain records."""
    growing = [name for name, info in PLAIN.items() if not info.rows]
    return Practice.generate(records=60, counts=dict.fromkeys(growing, 300), now=NOW)


@pytest.mark.parametrize("stream", PLAIN)
def test_each_list_is_read_whole_by_following_next(bench, wide, stream):
    api = bench(wide)
    pages = api.follow(stream, show_archived="true")
    records = [record for page in pages for record in page["results"]]
    count = api.api.counts(plain=True)[stream]
    assert len(set(keys(records, stream))) == len(records) == count > 1
    assert keys(records, stream) == keys(api.api.records(stream), stream)
    assert [list(page) for page in pages] == [["previous", "results", "next"]] * len(
        pages
    )
    assert {len(page["results"]) for page in pages[:-1]} <= {250}
    assert pages[0]["previous"] is None
    assert pages[-1]["next"] is None


def test_next_is_absolute_on_another_host_and_repeats_all_parameters(bench, wide):
    api = bench(wide)
    asked = {"since": "2020-01-01", "page_size": 40, "unknown": "1"}
    first = api.plain("tasks", **asked)
    parts = urllib.parse.urlsplit(first["next"])
    assert (parts.scheme, parts.netloc, parts.path) == (
        "https",
        "drchrono.com",
        "/api/tasks",
    )
    sent = dict(urllib.parse.parse_qsl(parts.query))
    assert {name: sent[name] for name in asked} == {
        "since": "2020-01-01",
        "page_size": "40",
        "unknown": "1",
    }
    assert cursor_of(first["next"]).startswith("p=")
    api.api.settings = api.api.settings.with_changes(
        {"next_base": "", "next_slash": True}
    )
    assert api.plain("tasks", **asked)["next"].startswith("http://sandbox/api/tasks/?")


@pytest.mark.parametrize("order", ["id", "-id", "updated_at", "-updated_at"])
@pytest.mark.parametrize("page_size", [1, 7, 60])
def test_every_order_and_page_size_reads_the_list_whole(bench, order, page_size):
    practice = Practice.generate(
        records=60, counts={"tasks": 60}, now=NOW, shared=0.9, shared_moments=2
    )
    api = bench(practice, plain_order=order, archived="listed")
    pages = api.follow("tasks", page_size=page_size)
    assert len(pages) == -(-60 // page_size)
    read = [record for page in pages for record in page["results"]]
    assert len(set(keys(read, "tasks"))) == len(read) == 60
    name = order.lstrip("-")
    values = (
        [record[name].replace("T", " ") for record in read]
        if name != "id"
        else (keys(read, "tasks"))
    )
    assert values == sorted(values, reverse=order.startswith("-"))


@pytest.mark.parametrize("order", ["id", "updated_at", "-updated_at"])
def test_previous_leads_back(bench, order):
    practice = Practice.generate(records=60, counts={"tasks": 60}, now=NOW, shared=0)
    api = bench(practice, plain_order=order, archived="listed")
    pages = api.follow("tasks", page_size=25)
    back = api.plain_at(pages[2]["previous"])
    assert back["results"] == pages[1]["results"]
    assert api.plain_at(back["next"])["results"] == pages[2]["results"]
    front = api.plain_at(back["previous"])
    assert front["results"] == pages[0]["results"]
    assert front["previous"] is None


def test_rows_of_one_moment_are_counted_by_an_offset(bench):
    practice = Practice.generate(
        records=60, counts={"tasks": 30}, now=NOW, shared=1, shared_moments=1
    )
    api = bench(practice, plain_order="updated_at", archived="listed")
    pages = api.follow("tasks", page_size=10)
    assert [cursor_of(page["next"]) for page in pages[:-1]] == ["o=10", "o=20"]
    moment = "p=2025-12-31+23%3A00%3A00"
    assert cursor_of(pages[1]["previous"]) == f"r=1&{moment}"


def test_more_equal_rows_than_an_offset_can_count_lead_in_a_loop(bench):
    practice = Practice.generate(
        records=60, counts={"tasks": 1300}, now=NOW, shared=1, shared_moments=1
    )
    api = bench(practice, plain_order="updated_at", archived="listed")
    addresses = []
    page = api.plain("tasks")
    for _ in range(6):
        addresses.append(cursor_of(page["next"]))
        page = api.plain_at(page["next"])
    assert addresses == ["o=250", "o=500", "o=750", "o=1000", "o=1250", "o=1250"]


def test_page_numbers_instead_of_cursors(bench):
    api = bench(
        Practice.generate(records=60, counts={"tasks": 60}, now=NOW),
        plain_paging="page",
        archived="listed",
    )
    pages = api.follow("tasks", page_size=25)
    assert [len(page["results"]) for page in pages] == [25, 25, 10]
    assert pages[0]["next"] == "https://drchrono.com/api/tasks?page=2&page_size=25"
    assert pages[2]["previous"].endswith("?page=2&page_size=25")
    assert api.send("GET", "/api/tasks", page=4, page_size=25).status == 404


def test_a_cursor_that_is_none_is_refused(bench):
    for cursor in ("nonsense", "bz1h", base64.b64encode(b"p=x").decode(), "ü"):
        answer = bench().send("GET", "/api/tasks", cursor=cursor)
        assert (answer.status, answer.json()) == (404, {"detail": "Invalid cursor"})


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({}, 250),
        ({"page_size": 9}, 9),
        ({"page_size": 1000}, 250),
        ({"page_size": "x"}, 250),
        ({"page_size": 0}, 250),
        ({"verbose": "true"}, 50),
        ({"verbose": "true", "page_size": 51}, 50),
    ],
)
def test_page_sizes(bench, asked, size):
    practice = Practice.generate(
        records=60, counts={"medications": 300, "line_item_deletions": 300}, now=NOW
    )
    api = bench(practice)
    assert len(api.plain("medications", **asked)["results"]) == size
    if "verbose" not in asked:
        assert len(api.plain("line_item_deletions", **asked)["results"]) == 250


def test_results_may_be_called_data(bench):
    page = bench(results_key="data").plain("doctors")
    assert list(page) == ["previous", "data", "next"]


@pytest.mark.parametrize(
    ("stream", "name", "time"),
    [
        ("tasks", "since", "updated_at"),
        ("messages", "updated_since", "updated_at"),
        ("line_item_deletions", "since", "created_at"),
        ("patient_payments", "since", "updated_at"),
    ],
)
def test_since_is_inclusive_and_bounds_the_time_of_change(bench, stream, name, time):
    practice = Practice.generate(records=60, counts={stream: 200}, now=NOW)
    api = bench(practice, archived="listed")
    every = api.plain(stream)["results"]
    times = sorted(record[time].replace(" ", "T") for record in every)
    day = times[len(times) // 2][:10]
    for bound in (day, times[len(times) // 2]):
        read = api.plain(stream, **{name: bound})["results"]
        assert sorted(record[time].replace(" ", "T") for record in read) == [
            moment for moment in times if moment >= bound
        ]
        assert 0 < len(read) < len(every)
    refused = api.send("GET", f"/api/{stream}", **{name: f"{day}T00:00:00Z"})
    assert refused.status == 400
    assert list(refused.json()) == [name]


def test_a_list_without_since_ignores_it(bench):
    api = bench()
    assert len(api.plain("doctors", since="2999-01-01")["results"]) == 4


def test_archived_records_are_listed_if_asked_for_or_always_or_never(bench):
    api = bench(Practice.generate(records=60, counts={"task_notes": 90}, now=NOW))

    def listed(**asked):
        return api.plain("task_notes", **asked)["results"]

    active = [record for record in listed() if not record["archived"]]
    assert listed() == active != []
    assert len(active) < 90
    assert len(listed(show_archived="true")) == 90
    api.api.settings = api.api.settings.with_changes({"archived": "listed"})
    assert len(listed()) == 90
    api.api.settings = api.api.settings.with_changes({"archived": "never"})
    assert listed(show_archived="true") == active
    assert api.api.counts(plain=True)["task_notes"] == len(active)


def test_a_missing_permission_is_a_403_with_a_detail(bench):
    api = bench(denied_permissions=["show-billing-tab"])
    refused = api.send("GET", "/api/patient_payments")
    assert (refused.status, list(refused.json())) == (403, ["detail"])
    assert api.send("GET", "/api/doctors").status == 200
    api = bench(denied_streams=["doctors"])
    assert api.send("GET", "/api/doctors").status == 403
    assert api.send("GET", "/api/offices").status == 200


def test_a_missing_scope_is_silent_or_a_403(bench):
    api = bench()
    grant = api.api.oauth.add_grant("sandbox-client", NOW, scope="clinical:read")
    api.token = grant.access_token
    assert api.plain("doctors")["results"] == []
    assert api.plain("medications")["results"] != []
    assert api.plain("custom_vitals")["results"] == []
    assert api.plain("users")["results"] != []
    api.api.settings = api.api.settings.with_changes({"missing_scope": "403"})
    assert api.send("GET", "/api/doctors").status == 403


def test_tokens_methods_and_the_quota_are_those_of_the_bulk_endpoints(bench):
    api = bench(hourly_limit=2)
    assert api.send("POST", "/api/doctors").status == 405
    assert api.post("patients").status == 201
    assert api.send("GET", "/api/doctors").status == 429
    api.token = "wrong"
    assert api.send("GET", "/api/doctors").status == 401


def test_the_log_tells_what_was_asked_of_a_plain_list(bench, wide):
    api = bench(wide)
    api.follow("tasks", since="2020-01-01", show_archived="true")
    first, second = api.api.log
    assert (first.endpoint, first.since, first.show_archived, first.records) == (
        "tasks",
        "2020-01-01",
        "true",
        250,
    )
    assert (first.cursor, second.cursor) == (False, True)
    api.plain_at("http://sandbox/api/tasks?since=2020-01-01&since=2020-01-01")
    assert api.api.log[-1].repeated == ("since",)
    assert second.repeated == ()


@pytest.mark.parametrize("mode", ["cursor", "page"])
def test_rows_move_while_they_are_read(bench, mode):
    api = bench(
        Practice.generate(records=60, counts={"tasks": 60}, now=NOW),
        plain_paging=mode,
        archived="listed",
        changes_per_page=Changes(deletions=1, purge=True),
    )
    before = set(keys(api.api.records("tasks"), "tasks"))
    pages = api.follow("tasks", page_size=10)
    read = {key for page in pages for key in keys(page["results"], "tasks")}
    kept = set(keys(api.api.records("tasks"), "tasks"))
    assert len(before) - len(kept) == len(pages)
    assert (kept <= read) == (mode == "cursor")


def test_a_deleted_line_item_appears_among_the_deletions(bench):
    api = bench()
    api.now += 7200
    before = keys(api.plain("line_item_deletions")["results"], "line_item_deletions")
    items = {record["id"]: record for record in api.api.records("line_items")}
    assert not set(before) & set(items)
    done = api.api.change(Changes(deletions=2, streams=("line_items",)), seed=1)
    after = api.plain("line_item_deletions", since="2026-01-01")["results"]
    assert after == [
        {
            "billing_line_item_id": key,
            "appointment_id": items[key]["appointment"],
            "created_at": "2026-01-01T02:00:00",
        }
        for key in done["line_items"]["deleted"]
    ]
    left = {record["id"] for record in api.api.records("line_items")}
    assert left == set(items) - {record["billing_line_item_id"] for record in after}
