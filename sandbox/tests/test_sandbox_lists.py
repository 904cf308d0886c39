"""Bulk lists: parameters, orders, filters, times and ends."""

import datetime as dt

import pytest
from drchrono_sandbox import STREAMS, Changes, Practice
from sandbox_bench import NOW

DAY = dt.timedelta(days=1)


def updated(records):
    return [record["updated_at"].replace(" ", "T") for record in records]


def rows(*moments):
    return [
        {"id": number, "updated_at": moment, "value": "x"}
        for number, moment in enumerate(moments, 1)
    ]


@pytest.mark.parametrize("stream", STREAMS)
def test_each_endpoint_accepts_its_largest_page_and_no_larger_one(bench, stream):
    api = bench()
    top = 20_000 if stream == "clinical_note_field_values" else 1000
    assert api.post(stream, page_size=top, page=1000).status == 201
    refused = api.post(stream, page_size=top + 1)
    assert refused.status == 400
    assert list(refused.json()) == ["page_size"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("page", "0"),
        ("page", "1001"),
        ("page", "one"),
        ("page_size", "0"),
        ("page_size", "-1"),
        ("order_by", "-updated_at"),
        ("order_by", "name"),
        ("since", ""),
        ("since", "2024-01-01T00:00:00"),
        ("since", "2024-13-01"),
        ("since", "yesterday"),
    ],
)
def test_a_bad_parameter_is_refused_by_name(bench, field, value):
    refused = bench().post("patients", **{field: value})
    assert refused.status == 400
    [(name, messages)] = refused.json().items()
    assert name == field
    assert isinstance(messages[0], str)


def test_unknown_parameters_are_ignored(bench):
    assert bench().post("patients", nonsense="1").status == 201


def test_parameters_in_the_body_do_not_count(bench):
    answer = bench().send("POST", "/api/patients_list", body="since=1970-01-01")
    assert answer.status == 400


@pytest.mark.parametrize("zone", ["Z", "+00:00", "-05:00"])
def test_a_timestamp_may_be_accepted_but_never_its_zone(bench, zone):
    api = bench(since_timestamps=True)
    assert api.post("patients", since="2024-01-01T00:00:00").status == 201
    assert api.post("patients", since=f"2024-01-01T00:00:00{zone}").status == 400


def test_since_is_an_inclusive_lower_bound_read_as_practice_time(bench):
    moments = ["2024-01-01T23:59:59", "2024-01-02T00:00:00", "2024-01-02T08:00:00"]
    practice = Practice.of({"line_items": rows(*moments)}, now=NOW)
    for order in ("id", "updated_at"):
        exact = bench(practice).results(
            "line_items", since="2024-01-02", order_by=order
        )
        assert updated(exact) == moments[1:]
        shifted = bench(practice, since_shift_hours=8).results(
            "line_items", since="2024-01-02", order_by=order
        )
        assert updated(shifted) == moments[2:]


@pytest.mark.parametrize("stream", STREAMS)
def test_records_come_in_the_order_that_was_asked_for(bench, stream):
    api = bench(without_updated_at=(), without_id=())
    default = api.whole(stream, page_size=25)
    by_update = updated(api.whole(stream, page_size=25, order_by="updated_at"))
    assert by_update == sorted(by_update)
    assert by_update != updated(default)
    name = "scheduled_time" if stream == "appointments" else "id"
    assert [record[name] for record in default] == sorted(r[name] for r in default)
    refused = "id" if stream == "appointments" else "scheduled_time"
    assert api.post(stream, order_by=refused).status == 400


def test_a_field_can_have_one_value_in_all_records(bench):
    api = bench(values={"line_items": {"doctor": 7, "code": None}})
    found = api.whole("line_items", page_size=25)
    assert {(record["doctor"], record["code"]) for record in found} == {(7, None)}
    assert len({record["doctor"] for record in api.whole("appointments")}) > 1


def test_order_within_one_update_time_can_be_set(bench):
    practice = Practice.generate(records=200, now=NOW, shared=1.0, shared_moments=1)

    def ids(api):
        return [r["id"] for r in api.results("patients", order_by="updated_at")]

    by_id = bench(practice)
    assert ids(by_id) == sorted(ids(by_id))
    by_touch = bench(practice, tie="insertion")
    assert ids(by_touch) == ids(by_touch) != ids(by_id)
    shuffled = bench(practice, tie="shuffled")
    assert ids(shuffled) != ids(shuffled)


def test_a_shuffled_page_holds_the_rows_of_its_place(bench):
    moments = ["2024-01-01T00:00:00", *["2024-01-02T00:00:00"] * 8, "2024-01-03"]
    practice = Practice.of({"line_items": rows(*moments)}, now=NOW)
    api = bench(practice, tie="shuffled")
    page = {"page_size": 5, "order_by": "updated_at"}
    assert updated(api.results("line_items", page=1, **page)) == moments[:5]
    assert updated(api.results("line_items", page=2, **page)) == moments[5:]


def test_order_by_can_be_ignored(bench):
    api = bench(ignore_order_by=True)
    records = api.whole("patients", page_size=20, order_by="updated_at")
    assert len({record["id"] for record in records}) == len(records)
    assert updated(records) != sorted(updated(records))
    ids = [record["id"] for record in records]
    assert ids != sorted(ids)


@pytest.mark.parametrize("stream", ["appointments", "patients"])
def test_verbose_only_fields_are_absent_unless_asked_for(bench, stream):
    api = bench()
    plain = api.results(stream)[0]
    full = api.results(stream, verbose="true")[0]
    assert set(full) - set(plain) == STREAMS[stream].verbose_only
    assert set(plain) < set(full)


def test_deleted_appointments_come_only_with_show_archived(bench):
    api = bench(Practice.generate(records=300, now=NOW))
    shown = api.whole("appointments", page_size=1000)
    archived = api.whole("appointments", page_size=1000, show_archived="true")
    assert {record["deleted_flag"] for record in shown} == {False}
    assert {record["deleted_flag"] for record in archived} == {False, True}
    assert len(archived) == 300 == api.api.counts()["appointments"]
    assert len(shown) == api.api.counts(hidden=False)["appointments"]


@pytest.mark.parametrize(
    ("honoured", "plain", "asked"),
    [("honoured", 0, 1), ("never", 0, 0), ("always", 1, 1)],
)
def test_show_inactive_may_be_honoured(bench, honoured, plain, asked):
    api = bench(Practice.generate(records=300, now=NOW), show_inactive=honoured)
    for extra, expected in (({}, plain), ({"show_inactive": "true"}, asked)):
        records = api.whole("patients", page_size=1000, **extra)
        states = {record["patient_status"] for record in records}
        assert states == ({"A", "I", "D"} if expected else {"A"})
    assert len(records) == api.api.counts()["patients"]


def test_a_page_beyond_the_last_is_empty_or_refused(bench):
    beyond = {"page": 9, "page_size": 10}
    answer = bench().page("line_items", **beyond)
    assert answer["results"] == []
    assert answer["pagination"] == {
        "count": 60,
        "pages": 6,
        "page_size": 10,
        "page": 9,
    }
    late = bench(out_of_range="not_found")
    uuid = late.post("line_items", **beyond).json()["uuid"]
    assert late.poll("line_items", uuid).status == 404
    early = bench(out_of_range="not_found_at_post").post("line_items", **beyond)
    assert (early.status, early.json()) == (404, {"detail": "Invalid page."})


def test_a_page_beyond_the_last_may_be_refused_in_other_words(bench):
    beyond = {"page": 9, "page_size": 10}
    worded = bench(out_of_range="not_found_at_post", out_of_range_detail="Not here")
    assert worded.post("line_items", **beyond).json() == {"detail": "Not here"}
    early = bench(out_of_range="bad_request_at_post").post("line_items", **beyond)
    assert (early.status, early.json()) == (400, {"page": ["Invalid page."]})
    late = bench(out_of_range="bad_request")
    uuid = late.post("line_items", **beyond).json()["uuid"]
    assert late.poll("line_items", uuid).status == 400


def test_a_page_beyond_the_last_may_be_the_last_one(bench):
    api = bench(out_of_range="last_page")
    last = api.page("line_items", page=6, page_size=10)
    beyond = api.page("line_items", page=9, page_size=10)
    assert beyond["results"] == last["results"] != []
    assert beyond["pagination"] == last["pagination"]


def test_an_empty_stream_has_one_empty_page(bench):
    answer = bench(Practice.of({}, now=NOW)).page("patients")
    assert answer["results"] == []
    assert answer["pagination"]["count"] == 0
    assert answer["pagination"]["pages"] == 1


def test_a_list_takes_its_time_by_the_records_on_its_page(bench):
    api = bench(list_base_seconds=3, list_record_seconds=0.1)
    uuid = api.post("line_items", page_size=20).json()["uuid"]
    for now, status in ((4.9, "In progress"), (5.1, "Complete")):
        api.now = NOW + now
        assert api.poll("line_items", uuid).json()["status"] == status


def test_times_can_be_set_by_list(bench):
    api = bench(list_base_seconds=9, list_times={"patients": (7.0,)})
    posted = [api.post(stream) for stream in ("patients", "patients", "line_items")]
    uuids = [answer.json()["uuid"] for answer in posted]
    ready = [
        api.api.lists.find(u, STREAMS[s], NOW, api.api.settings).ready_at - NOW
        for u, s in zip(uuids, ("patients", "patients", "line_items"), strict=True)
    ]
    assert ready == [7, 9, 9]


def test_times_that_vary_are_reproducible(bench):
    def times(seed):
        api = bench(list_base_seconds=10, list_sigma=0.3, list_seed=seed)
        uuids = [api.post("patients").json()["uuid"] for _ in range(5)]
        info, settings = STREAMS["patients"], api.api.settings
        found = (api.api.lists.find(uuid, info, NOW, settings) for uuid in uuids)
        return [bulk.ready_at - NOW for bulk in found]

    assert times(1) == times(1) != times(2)
    assert len(set(times(1))) == 5


@pytest.mark.parametrize("stream", STREAMS)
def test_a_list_is_forgotten_after_an_hour(bench, stream):
    api = bench()
    uuid = api.post(stream).json()["uuid"]
    api.now = NOW + 3599
    assert api.poll(stream, uuid).json()["status"] == "Complete"
    api.now = NOW + 3600
    gone = api.poll(stream, uuid)
    assert gone.status == (404 if stream == "patients" else 400)
    assert gone.json() == {"detail": "Invalid uuid specified"}
    other = bench(invalid_uuid_status={stream: 410})
    assert other.poll(stream, "0").status == 410


def test_a_uuid_belongs_to_its_endpoint(bench):
    api = bench()
    uuid = api.post("patients").json()["uuid"]
    assert api.poll("line_items", uuid).status == 400
    assert api.send("GET", "/api/line_items_list").json().keys() == {"uuid"}


def test_lists_are_cut_when_posted_or_when_first_found_ready(bench):
    inserted = Changes(inserts=1, streams=("line_items",))
    for cut, count in (("post", 60), ("ready", 61)):
        api = bench(cut=cut)
        uuid = api.post("line_items").json()["uuid"]
        api.api.change(inserted)
        assert api.poll("line_items", uuid).json()["pagination"]["count"] == count
        api.api.change(inserted)
        assert api.poll("line_items", uuid).json()["pagination"]["count"] == count


def test_each_page_makes_its_own_list_of_what_is_there_by_then(bench):
    api = bench(changes_per_list=Changes(updates=1, inserts=2))
    counts = [api.page("line_items", page=n)["pagination"]["count"] for n in (1, 2, 3)]
    assert counts == [62, 64, 66]


def test_results_may_come_as_data(bench):
    answer = bench(results_key="data").page("appointments")
    assert "results" not in answer
    assert len(answer["data"]) > 10


def test_without_page_size_the_default_applies(bench):
    api = bench(Practice.generate(counts={"line_items": 101}, now=NOW))
    assert len(api.results("line_items")) == 100


def test_delivered_lists_do_not_pile_up(bench):
    api = bench(kept_lists=2)
    uuids = [api.post("patients").json()["uuid"] for _ in range(3)]
    assert [api.poll("patients", uuid).status for uuid in uuids] == [200] * 3
    assert [api.poll("patients", uuid).status for uuid in uuids] == [404, 200, 200]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(bench, method):
    assert bench().send(method, "/api/patients_list", since="1970-01-01").status == 405


def test_other_paths_do_not_exist(bench):
    answer = bench().send("GET", "/api/patients")
    assert (answer.status, answer.headers["content-type"][:9]) == (404, "text/html")


def test_urls_are_signed_anew_on_each_read(bench):
    api = bench(Practice.generate(records=1, now=NOW))
    uuid = api.post("appointments", verbose="true").json()["uuid"]
    first, second = (api.poll("appointments", uuid).json() for _ in range(2))
    pdfs = [a["results"][0]["clinical_note"].pop("pdf") for a in (first, second)]
    assert pdfs[0] != pdfs[1]
    assert pdfs[0].partition("Signature")[0] == pdfs[1].partition("Signature")[0]
    assert first == second
