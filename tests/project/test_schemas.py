"""The schemas: sound, loadable by targets, and of one kind where they mean the same.

That no documented field is lost is shown in `test_documented_fields.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tap_drchrono.endpoints import Group
from tap_drchrono.streams.catalogue import ENDPOINTS

ROOT = Path(__file__).parents[2]
SCHEMAS = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in sorted((ROOT / "tap_drchrono" / "schemas").glob("*.json"))
}

KEYS = {
    "clinical_notes": "appointment",
    "line_item_deletions": "billing_line_item_id",
}
"""The keys that are not called `id`."""
TEXT_IDS = {
    ("appointments", "id"),
    ("users", "id"),
    # An id or a name; the id as a number is beside it.
    ("patient_authorizations", "doctor"),
    ("patient_authorizations", "patient"),
}
"""Columns that are text though columns of that name are numbers elsewhere."""
USERS = {
    "assigned_by",
    "assignee_user",
    "administered_by",
    "created_by",
    "entered_by",
    "members",
    "owner",
    "responsible_user",
    "user",
    "user_id",
}
"""Columns that hold a user, whose key is text."""

each_stream = pytest.mark.parametrize("stream", SCHEMAS)


def fields(schema, path=""):
    """All fields of a schema, nested ones and the items of arrays included."""
    for name, field in schema.get("properties", {}).items():
        yield path + name, field
        yield from fields(field, f"{path}{name}.")
    if "items" in schema:
        yield path + "[]", schema["items"]
        yield from fields(schema["items"], f"{path}[].")


@each_stream
def test_is_a_valid_schema(stream):
    jsonschema.Draft7Validator.check_schema(SCHEMAS[stream])


@each_stream
def test_only_the_key_is_never_null(stream):
    strict = {
        path
        for path, field in fields(SCHEMAS[stream])
        if not isinstance(field["type"], list) or "null" not in field["type"]
    }
    assert strict == {KEYS.get(stream, "id")}


@each_stream
def test_demands_nothing(stream):
    for path, field in [("", SCHEMAS[stream]), *fields(SCHEMAS[stream])]:
        assert not field.keys() & {"required", "enum", "additionalProperties"}, path


@each_stream
def test_every_field_is_described(stream):
    assert SCHEMAS[stream]["description"]
    for path, field in fields(SCHEMAS[stream]):
        assert field.get("description") or path.endswith("[]"), path


@each_stream
def test_starts_with_key_and_times(stream):
    names = list(SCHEMAS[stream]["properties"])
    assert names[0] == ENDPOINTS[stream].key
    times = [name for name in ("updated_at", "created_at") if name in names]
    first = 2 if stream == "clinical_notes" else 1
    assert names[first : first + len(times)] == times
    assert names[-1] == "_extra"


@each_stream
def test_what_happened_when_is_a_timestamp(stream):
    for path, field in fields(SCHEMAS[stream]):
        if path.endswith("_at") and path != "administered_at":
            assert field["type"] == ["string", "null"], path
            assert field["format"] == "date-time", path


@pytest.mark.parametrize(
    "stream", [name for name, one in ENDPOINTS.items() if one.group is Group.BULK]
)
def test_bulk_streams_have_a_replication_key(stream):
    assert "updated_at" in SCHEMAS[stream]["properties"]


@each_stream
def test_has_a_place_for_the_rest(stream):
    extra = SCHEMAS[stream]["properties"]["_extra"]
    assert extra == SCHEMAS["patients"]["properties"]["_extra"] | {"x-phi": True}


@each_stream
def test_ids_of_one_kind_have_one_type(stream):
    for path, field in fields(SCHEMAS[stream]):
        name = path.rsplit(".", 1)[-1]
        item = field.get("items", field)
        if name in {"appointment", "appointment_id", "appointment_break"}:
            assert "string" in field["type"], path
        elif (stream, path) in TEXT_IDS or name in USERS:
            assert "string" in item["type"], path
        elif name in {"id", "patient", "doctor", "office", "line_item"}:
            assert "integer" in field["type"], path


@pytest.mark.parametrize(
    ("stream", "field"),
    [
        ("prescription_messages", "json_data"),
        ("eligibility_checks", "coverage_details"),
        ("eligibility_checks", "coverage_subscriber"),
        ("users", "permissions"),
        ("offices", "exam_rooms"),
        ("clinical_note_templates", "order"),
        ("tasks", "due_date"),
    ],
)
def test_variable_fields_are_json_text(stream, field):
    column = SCHEMAS[stream]["properties"][field]
    assert column["type"] == ["string", "null"]
    assert column["contentMediaType"] == "application/json"


@each_stream
def test_no_object_is_without_columns(stream):
    """Parquet has no form for one."""
    for path, field in fields(SCHEMAS[stream]):
        assert field.get("properties") or "object" not in field["type"], path
