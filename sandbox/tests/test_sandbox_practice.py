"""The invented practice: its traits, its references, its changes."""

import collections
import decimal
import json
import pathlib
import random
import re

import pytest
from drchrono_sandbox import STREAMS, Changes, Practice
from drchrono_sandbox.lean import LeanTable
from drchrono_sandbox.tables import Row, Table
from hypothesis import example, given
from hypothesis import strategies as st
from sandbox_bench import NOW

DOCUMENTED = json.loads(
    (pathlib.Path(__file__).parent / "documented_fields.json").read_text()
)


def fields_of(value, prefix=""):
    if isinstance(value, list):
        return set().union(*(fields_of(inner, prefix) for inner in value))
    if not isinstance(value, dict):
        return set()
    names = {f"{prefix}{name}" for name in value}
    nested = (fields_of(inner, f"{prefix}{name}.") for name, inner in value.items())
    return names.union(*nested)


@pytest.fixture(scope="module")
def practice():
    return Practice.generate(records=800, now=NOW)


@pytest.fixture
def full(bench, practice):
    return bench(practice, without_id=(), without_updated_at=()).api


@pytest.mark.parametrize("stream", STREAMS)
def test_every_documented_field_exists(full, stream):
    records = full.records(stream)
    fields = set().union(*(fields_of(record) for record in records))
    assert set(DOCUMENTED[stream]) - fields == set()
    assert {frozenset(record) for record in records} == {frozenset(records[0])}
    top_level = {name for name in DOCUMENTED[stream] if "." not in name}
    assert set(records[0]) - top_level <= {"id", "updated_at"}


def test_streams_refer_to_each_other(full):
    known = {
        stream: {str(record["id"]) for record in full.records(stream)}
        for stream in STREAMS
    }
    references = {
        "patient": "patients",
        "appointment": "appointments",
        "line_item": "line_items",
        "parent_message": "prescription_messages",
    }
    patients = {
        str(record["id"]): record["patient"] for record in full.records("appointments")
    }
    seen = collections.Counter()
    for stream in STREAMS:
        for record in full.records(stream):
            for name, target in references.items():
                if record.get(name) not in {None, ""}:
                    assert str(record[name]) in known[target], (stream, name)
                    seen[stream, name] += 1
            if "appointment" in record and record["appointment"] not in {None, ""}:
                visited = patients[str(record["appointment"])]
                assert visited is not None
                assert str(record.get("patient", visited)) == str(visited)
    assert len(seen) == 13
    items = {record["id"]: record for record in full.records("line_items")}
    for record in full.records("transactions"):
        if record["line_item"] is None:
            assert record["appointment"] is record["patient"] is None
            continue
        item = items[record["line_item"]]
        assert str(item["appointment"]) == str(record["appointment"])


def test_breaks_have_no_patient_and_no_note(full):
    appointments = full.records("appointments")
    breaks = {r["id"] for r in appointments if r["appt_is_break"]}
    assert breaks == {r["id"] for r in appointments if r["patient"] is None}
    notes = [str(record["appointment"]) for record in full.records("clinical_notes")]
    assert breaks
    assert not breaks & set(notes)
    assert sorted(notes) == sorted({r["id"] for r in appointments} - breaks)


def test_real_world_traits(full):
    appointments = full.records("appointments")
    assert all(isinstance(record["id"], str) for record in appointments)
    assert any(re.fullmatch(r"\d+_\d{8}", record["id"]) for record in appointments)
    assert {"", None} < {record["status"] for record in appointments}
    assert {type(r["appointment"]) for r in full.records("line_items")} == {int, str}
    assert {type(r["patient"]) for r in full.records("clinical_notes")} == {int, str}
    copays = {record["copay"] for record in full.records("patients")}
    assert {"", None} < copays
    assert any(re.fullmatch(r"\d+\.\d\d", copay or "") for copay in copays)
    forms = {dict, list, str, type(None)}
    checks, messages = (
        full.records(name) for name in ("eligibility_checks", "prescription_messages")
    )
    assert {type(record["coverage_details"]) for record in checks} == forms
    assert {type(record["coverage_subscriber"]) for record in checks} == forms
    assert {type(record["json_data"]) for record in messages} == forms
    names = {type(record["ins_name"]) for record in full.records("transactions")}
    assert names == {int, str, type(None)}
    body = full.records_body("clinical_notes").decode()
    assert "°C" in body
    assert "\\r\\n" in body
    assert '\\"' in body


def test_numbers_keep_their_digits(full):
    body = full.records_body("line_items")
    items = json.loads(body, parse_float=decimal.Decimal)
    quantities = {str(record["quantity"]) for record in items}
    assert {"2.50", "1", "1.00", ""} <= quantities
    assert b"@number" not in body


def test_timestamps_have_no_zone_and_lie_in_the_past(full):
    stamps = [record["updated_at"] for record in full.records("line_items")]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d", s) for s in stamps)
    assert any(" " in stamp for stamp in stamps)
    assert max(stamps) < "2026-01-01"
    assert max(collections.Counter(stamps).values()) > 2


def test_records_may_carry_no_id_and_no_update_time(bench, practice):
    api = bench(practice).api
    note = api.records("clinical_notes")[0]
    assert not {"id", "updated_at"} & set(note)
    message = api.records("prescription_messages")[0]
    assert "id" in message
    assert "updated_at" not in message
    assert all(
        "updated_at" in api.records(s)[0]
        for s in set(STREAMS) - {"clinical_notes", "prescription_messages"}
    )


def test_a_practice_is_reproducible():
    def records(seed):
        practice = Practice.generate(records=30, seed=seed, now=NOW)
        table = practice.tables["patients"]
        return [practice.source.record("patients", table.get(n)) for n in range(30)]

    assert records(1) == records(1) != records(2)


def test_sizes_can_be_exact():
    counts = {"appointments": 38, "clinical_notes": 5, "patients": 0}
    practice = Practice.generate(records=19, counts=counts, now=NOW)
    sizes = {name: len(practice.tables[name]) for name in STREAMS}
    assert sizes == {**dict.fromkeys(STREAMS, 19), **counts}
    assert len(Practice.generate(records=19, now=NOW).tables["clinical_notes"]) == 18


def test_history_can_share_moments_and_days(bench):
    practice = Practice.generate(
        records=200, now=NOW, history_days=1, shared=0.5, shared_moments=1
    )
    stamps = [
        r["updated_at"].replace(" ", "T")
        for r in bench(practice).api.records("line_items")
    ]
    [(_, most)] = collections.Counter(stamps).most_common(1)
    assert 70 < most < 130
    assert {stamp[:10] for stamp in stamps} <= {"2025-12-30", "2025-12-31"}


def test_given_records_are_served_as_they_are(bench):
    record = {"id": 7, "updated_at": "junk", "price": "@number:1.10", "new": {"a": []}}
    practice = Practice.of({"line_items": [record]}, now=NOW)
    body = bench(practice).api.records_body("line_items")
    assert body == b'[{"id":7,"updated_at":"junk","price":1.10,"new":{"a":[]}}]'


@pytest.mark.parametrize("stream", STREAMS)
def test_changes_are_visible_and_stamped_with_practice_time(bench, stream):
    practice = Practice.generate(records=40, now=NOW, zone_hours=-5)
    api = bench(practice, without_updated_at=()).api
    key = STREAMS[stream].key

    def keyed():
        return {str(record[key]): record for record in api.records(stream)}

    before = keyed()
    changes = Changes(updates=1, inserts=1, deletions=1, streams=(stream,))
    done = {kind: str(keys[0]) for kind, keys in api.change(changes)[stream].items()}
    after = keyed()
    if stream == "appointments":
        assert after[done["deleted"]]["deleted_flag"] is True
        purge = Changes(deletions=1, purge=True, streams=(stream,))
        [gone] = api.change(purge)[stream]["deleted"]
        assert str(gone) not in keyed()
    else:
        assert done["deleted"] not in after
    if done["inserted"] != done["deleted"]:
        assert done["inserted"] not in before
        assert after[done["inserted"]]["updated_at"] == "2025-12-31T19:00:00"
    if done["updated"] != done["deleted"]:
        old, new = before[done["updated"]], after[done["updated"]]
        assert new["updated_at"].replace(" ", "T") == "2025-12-31T19:00:00"
        assert old != new


def test_edits_change_more_than_the_time(bench):
    api = bench(without_updated_at=()).api
    signed = (
        "clinical_note",
        "primary_insurance",
        "secondary_insurance",
        "tertiary_insurance",
        "patient_photo",
    )
    for stream in STREAMS:
        before = api.records(stream)
        api.change(Changes(updates=30, streams=(stream,)), seed=1)
        edited = [
            {name for name in old if old[name] != new[name] and name not in signed}
            for old, new in zip(before, api.records(stream), strict=True)
        ]
        assert any(fields - {"updated_at", "extended_updated_at"} for fields in edited)


def test_changes_are_seeded():
    def changed(seed):
        practice = Practice.generate(records=40, now=NOW)
        changes = Changes(updates=3, inserts=1, deletions=2)
        return practice.change("patients", changes, random.Random(seed), NOW)  # noqa: S311 - a seed

    assert changed(1) == changed(1) != changed(2)


def test_practice_time_never_goes_back(bench):
    api = bench()
    insert = Changes(inserts=1, streams=("line_items",))
    api.api.change(insert)
    api.now = NOW - 5000
    api.api.change(insert)
    last, late = api.api.records("line_items")[-2:]
    assert last["updated_at"] <= late["updated_at"]


def test_people_work_while_the_clock_runs(bench):
    rate = Changes(inserts=0.5, streams=("line_items",))
    api = bench(changes_per_second=rate)
    api.now = NOW + 200
    grown = api.api.counts()["line_items"] - 60
    assert 70 < grown < 130
    stamps = {r["updated_at"] for r in api.api.records("line_items")[60:]}
    assert len(stamps) > 50
    api.api.settings = api.api.settings.with_changes({"changes_per_second": None})
    api.now = NOW + 400
    assert api.api.counts()["line_items"] == 60 + grown


def test_marked_values_are_everywhere(bench, practice):
    api = bench(practice, mark="PHI-").api
    plain = bench(practice).api

    def check(value, path):
        if isinstance(value, dict):
            for name, inner in value.items():
                check(inner, f"{path}.{name}")
        elif isinstance(value, list):
            for inner in value:
                check(inner, path)
        elif isinstance(value, str) and path != ".updated_at":
            digits = value.lstrip("-").startswith("8675309")
            assert "PHI-" in value or digits or value.startswith("1871-11-09"), path
        elif value is not None and not isinstance(value, (bool, str)):
            assert str(value).startswith("8675309"), path

    for stream in STREAMS:
        marked = api.records(stream)
        key = STREAMS[stream].key
        for record in marked:
            check(record, "")
        assert [r.get("updated_at") for r in marked] == [
            r.get("updated_at") for r in plain.records(stream)
        ]
        assert len({str(r[key]) for r in marked}) == len(marked)
    appointments = {record["id"] for record in api.records("appointments")}
    assert {str(r["appointment"]) for r in api.records("line_items")} <= appointments


def test_marks_are_in_tokens_and_errors_too(bench):
    api = bench(mark="PHI-", hourly_limit=6)
    assert api.post("patients").status == 201
    assert b"PHI-" in api.post("patients", page=0).body
    assert b"PHI-" in api.poll("patients", "unknown").body
    assert b"PHI-" in api.send("POST", "/o/token/", "client_id=x&client_secret=y").body
    body = "client_id=sandbox-client&client_secret=sandbox-secret&"
    token = api.send(
        "POST",
        "/o/token/",
        f"{body}grant_type=refresh_token&refresh_token=PHI-sandbox-refresh",
    )
    assert token.json()["access_token"].startswith("PHI-")
    assert token.json()["refresh_token"].startswith("PHI-")
    api.token = "wrong"
    assert b"PHI-" in api.post("patients").body
    api.token = token.json()["access_token"]
    api.post("patients")
    assert b"PHI-" in api.post("patients").body


def test_some_records_may_be_odd(bench, practice):
    plain, odd = bench(practice).api, bench(practice, odd=0.3).api
    added = junk = 0
    for stream in STREAMS:
        key = STREAMS[stream].key
        before, after = plain.records(stream), odd.records(stream)
        assert [r[key] for r in before] == [r[key] for r in after]
        share = sum(set(a) != set(b) for a, b in zip(before, after, strict=True))
        assert share < 0.4 * len(after)
        added += sum("vendor_added" in record for record in after)
        junk += sum(record.get("updated_at") == "not a date" for record in after)
    assert added > 100
    assert junk > 20
    text = odd.records_body("patients").decode()
    assert "vendor_added_inside" in text
    assert all(word in text for word in ('"n/a"', '"NaN"', '"true"', "2024-02-30"))


COUNT = 40
STEPS = st.lists(
    st.tuples(st.sampled_from(["update", "insert", "remove"]), st.integers(0, 60)),
    max_size=25,
)


@given(
    steps=STEPS,
    since=st.one_of(st.none(), st.integers(990, 1110)),
    order=st.sampled_from(["id", "updated_at"]),
)
@example(steps=[("insert", 0)], since=1071, order="id")
def test_a_lean_table_is_a_table_that_takes_no_memory(steps, since, order):
    lean = LeanTable(COUNT, first=1000, last=1060)
    plain = Table(
        [
            Row(number=n, created=r.created, updated=r.updated, touch=n)
            for n in range(COUNT)
            for r in [lean.base(n)]
        ]
    )
    for time, (step, position) in enumerate(steps, 1070):
        if step == "insert":
            assert lean.insert(stamp=time) == plain.insert(stamp=time)
        elif position < len(plain):
            number = plain.nth_number(position)
            assert lean.nth_number(position) == number
            for table in (lean, plain):
                if step == "update":
                    table.update(number, stamp=time)
                else:
                    table.remove(number)
    assert len(lean) == len(plain)
    asked = {"by_touch": False, "hidden": True, "since": since}
    one, other = lean.view(order, **asked), plain.view(order, **asked)
    assert len(one) == len(other)
    middle = len(one) // 3
    for window in (slice(0, len(one)), slice(middle, middle + 7)):
        assert [(r.number, r.updated, r.version) for r in one[window]] == [
            (r.number, r.updated, r.version) for r in other[window]
        ]


def test_a_million_records_are_there_at_once(bench):
    api = bench(Practice.lean("transactions", 1_000_000, now=NOW, history_days=10))
    answer = api.page("transactions", page=1000, page_size=1000, order_by="updated_at")
    assert answer["pagination"]["count"] == 1_000_000
    assert answer["results"][-1]["id"] == 1_000_000
    day = api.page("transactions", since="2025-12-28", order_by="updated_at")
    assert 300_000 < day["pagination"]["count"] < 500_000
    api.api.change(Changes(updates=1, deletions=1, streams=("transactions",)))
    changed = api.page(
        "transactions", page=1, order_by="updated_at", since="2026-01-01"
    )
    assert changed["pagination"]["count"] == len(changed["results"]) == 1
