"""The invented plain records: their fields, and how they hang together."""

import time
from collections.abc import Mapping

import pytest
from drchrono_sandbox import ORPHANS, PLAIN, STREAMS, Practice, Settings
from drchrono_sandbox.draw import Draw
from drchrono_sandbox.plain.endpoints import PlainInfo, documented
from drchrono_sandbox.plain.values import JOINS, Making, Visit, maker_of
from drchrono_sandbox.references import References
from drchrono_sandbox.tables import Row
from sandbox_bench import NOW, Bench

BULK_JOINS = {
    ("appointments", "doctor"): "doctors",
    ("appointments", "billing_provider"): "doctors",
    ("appointments", "office"): "offices",
    ("appointments", "profile"): "appointment_profiles",
    ("appointments", "created_by"): "users",
    ("appointments", "billing_notes.created_by"): "users",
    ("appointments", "custom_vitals.vital_type"): "custom_vitals",
    ("appointments", "custom_fields.field_type"): "custom_appointment_fields",
    ("patients", "doctor"): "doctors",
    ("patients", "offices"): "offices",
    ("patients", "custom_demographics.field_type"): "custom_demographics",
    ("patients", "patient_flags.id"): "patient_flag_types",
    ("patients", "patient_flags.doctor"): "doctors",
    ("patients", "patient_flags_attached.flag_type"): "patient_flag_types",
    ("line_items", "doctor"): "doctors",
    ("transactions", "doctor"): "doctors",
    ("prescription_messages", "doctor"): "doctors",
    (
        "clinical_notes",
        "clinical_note_sections.clinical_note_template",
    ): "clinical_note_templates",
    (
        "clinical_notes",
        "clinical_note_sections.values.clinical_note_field",
    ): "clinical_note_field_types",
    (
        "clinical_note_field_values",
        "clinical_note_field",
    ): "clinical_note_field_types",
}


def values_at(value, path):
    """Collect the values at a dotted path, through lists."""
    if isinstance(value, list):
        return [found for inner in value for found in values_at(inner, path)]
    if not path:
        return [] if value in {None, ""} else [value]
    name, _, rest = path.partition(".")
    return values_at(value[name], rest) if isinstance(value, Mapping) else []


@pytest.fixture(scope="module")
def api():
    growing = [name for name, info in PLAIN.items() if not info.rows]
    practice = Practice.generate(
        records=600, counts=dict.fromkeys(growing, 150), now=NOW
    )
    return Bench(practice, Settings()).api


@pytest.fixture(scope="module")
def known(api):
    return {
        stream: {str(record["id"]) for record in api.records(stream)}
        for stream in (*STREAMS, *PLAIN)
        if stream not in {"clinical_notes", "line_item_deletions"}
    }


def paths_of(fields, joins, prefix=""):
    for name, field in fields.items():
        inner = field[0] if isinstance(field, list) else field
        if isinstance(inner, Mapping) and "fields" in inner:
            yield from paths_of(inner["fields"], joins, f"{prefix}{name}.")
        elif target := joins.get(name):
            yield f"{prefix}{name}", target


@pytest.mark.parametrize(("place", "target"), BULK_JOINS.items())
def test_ids_in_bulk_records_lead_to_plain_records_but_for_orphans(
    api, known, place, target
):
    stream, path = place
    found = [str(value) for value in values_at(api.records(stream), path)]
    missing = {value for value in found if value not in known[target]}
    assert len(found) > 10
    assert missing <= {str(ORPHANS.get(target))}


@pytest.mark.parametrize("target", ORPHANS)
def test_some_ids_lead_nowhere_as_in_real_data(api, known, target):
    orphans = sum(
        str(value) == str(ORPHANS[target])
        for (stream, path), joined in BULK_JOINS.items()
        if joined == target
        for value in values_at(api.records(stream), path)
    )
    assert 0 < orphans < 40
    assert str(ORPHANS[target]) not in known[target]


@pytest.mark.parametrize("stream", PLAIN)
def test_ids_in_plain_records_lead_to_records(api, known, stream):
    info = PLAIN[stream]
    for path, target in paths_of(info.fields, {**JOINS, **info.joins}):
        found = {str(value) for value in values_at(api.records(stream), path)}
        assert found - {str(ORPHANS.get(target))} <= known[target], (path, target)
        assert found, path


@pytest.mark.parametrize("stream", PLAIN)
def test_every_documented_field_is_there_and_has_its_type(api, stream):
    info, records = PLAIN[stream], api.records(stream)
    assert {frozenset(record) for record in records} == {frozenset(info.fields)}
    for name, field in info.fields.items():
        kinds = {type(record[name]) for record in records} - {type(None)}
        allowed = {
            "flag": {bool},
            "integer": {int, str},
            "decimal": {str, int},
            "text": {str, int},
        }
        if isinstance(field, str) and field in allowed:
            assert kinds <= allowed[field], name
        if isinstance(field, list):
            assert kinds == {list}, name
            assert any(record[name] for record in records), name


@pytest.mark.parametrize(
    ("stream", "name"),
    [
        ("offices", "online_timeslots"),
        ("clinical_note_templates", "clinical_note_fields"),
        ("tasks", "notes"),
        ("tasks", "associated_items"),
        ("allergies", "description"),
        ("appointment_templates", "open_slots"),
    ],
)
def test_verbose_fields_are_absent_unless_asked_for(api, stream, name):
    assert all(name not in record for record in api.records(stream, verbose=False))
    assert all(name in record for record in api.records(stream))


def test_types_are_the_real_ones_where_the_document_is_to_be_distrusted(api):
    for user in api.records("users"):
        assert isinstance(user["id"], int)
        assert user["is_doctor"] is not user["is_staff"]
        assert isinstance(user["permissions"], dict)
        assert (user["staff"] is None) == user["is_doctor"]
    for member in api.records("staff"):
        assert isinstance(member["active"], bool)
    for office in api.records("offices"):
        assert [room["index"] for room in office["exam_rooms"]] == [1, 2, 3]
    amounts = {payment["amount"] for payment in api.records("patient_payments")}
    assert all(isinstance(amount, str | None) for amount in amounts)
    dues = {type(task["due_date"]) for task in api.records("tasks")}
    assert dues == {dict, str, type(None)}


def test_users_are_doctors_or_staff_and_staff_say_which_user_they_are(api):
    users = {user["id"]: user for user in api.records("users")}
    doctors = {doctor["id"] for doctor in api.records("doctors")}
    assert {u["doctor"] for u in users.values() if u["is_doctor"]} == doctors
    for member in api.records("staff"):
        assert users[member["user_id"]]["staff"] == member["id"]


def test_a_clinical_note_section_shows_fields_of_its_template(api):
    template = {
        field["id"]: field["clinical_note_template"]
        for field in api.records("clinical_note_field_types")
    }
    for note in api.records("clinical_notes"):
        for section in note["clinical_note_sections"]:
            for value in section["values"]:
                field = value["clinical_note_field"]
                assert template[field] == section["clinical_note_template"]


def test_one_row_is_all_that_another_list_needs():
    added = sorted(set(documented()) - set(PLAIN))
    assert len(added) > 10
    for name in added:
        key = "id" if "id" in documented()[name]["fields"] else "created_at"
        info = PlainInfo(name, ("clinical:read",), key=key)
        making = Making(
            row=Row(number=3, created=0, updated=0),
            key=3,
            draw=Draw(1),
            edit=Draw(2),
            ids=References(dict.fromkeys((*PLAIN, *STREAMS), 5)),
            visit=Visit("1", 2),
            doctor=4,
        )
        record = maker_of(info)(making)
        assert record.keys() == info.fields.keys()
        assert record.get(key, 3) == 3


def test_the_same_seed_gives_the_same_records():
    first, second, other = (
        Bench(Practice.generate(records=60, now=NOW, seed=seed), Settings()).api
        for seed in (1, 1, 2)
    )
    for stream in ("tasks", "eobs", "offices"):
        assert first.records(stream)[0] == second.records(stream)[0] or (
            "Signature" in str(first.records(stream)[0])
        )
        assert first.records(stream)[0] != other.records(stream)[0]


def test_a_practice_may_be_written_down_or_lean(bench):
    given = {"tasks": [{"id": 7, "archived": True}, {"id": 8, "title": "x"}]}
    api = bench(Practice.of(given, now=NOW))
    assert api.plain("tasks", show_archived="true")["results"] == given["tasks"]
    assert api.plain("tasks")["results"] == given["tasks"][1:]
    assert api.plain("doctors")["results"] == []
    lean = bench(Practice.lean("line_item_deletions", 1_000_000, now=NOW))
    page = lean.plain("line_item_deletions")
    assert [record["billing_line_item_id"] for record in page["results"][:2]] == [1, 2]
    assert page["next"] is not None


def test_a_large_practice_stays_quick():
    counts = {"clinical_note_field_types": 8000, "patients": 100_000}
    practice = Practice.generate(records=100, counts=counts, now=NOW)
    bench = Bench(practice, Settings(plain_order="updated_at"))
    begun = time.process_time()
    pages = bench.follow("clinical_note_field_types", show_archived="true")
    assert len(pages) == 32
    assert sum(len(page["results"]) for page in pages) == 8000
    assert time.process_time() - begun < 5
