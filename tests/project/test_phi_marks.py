"""Which columns are marked as able to give a patient away; the marks never go out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from drchrono_sandbox import Practice, serve

from tap_drchrono.schema_files import SCHEMAS, marks, phi_columns

FILES = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in sorted(
        (Path(__file__).parents[2] / "tap_drchrono" / "schemas").glob("*.json")
    )
}

each_stream = pytest.mark.parametrize("stream", FILES)


def walk(schema, inherited):
    """Each field with its path, and what it inherits."""
    for name, field in schema.get("properties", {}).items():
        yield name, field, inherited
        for path, inner, above in walk(
            field.get("items", field), field.get("x-phi", inherited)
        ):
            yield f"{name}.{path}", inner, above


def columns(stream):
    """The columns that hold values, with their schemas."""
    return {
        path: field
        for path, field, _ in walk(FILES[stream], None)
        if "properties" not in field.get("items", field)
    }


@each_stream
def test_each_column_is_decided(stream):
    decided = marks(stream)
    assert list(decided) == list(columns(stream))
    assert set(decided.values()) <= {True, False}
    assert phi_columns(stream) == {path for path in decided if decided[path]}


@each_stream
def test_only_exceptions_are_marked(stream):
    assert type(FILES[stream]["x-phi"]) is bool
    for path, field, inherited in walk(FILES[stream], FILES[stream]["x-phi"]):
        if path != "_extra":
            assert field.get("x-phi", not inherited) is not inherited, path
        assert not [name for name in field if name.startswith("x-") and name != "x-phi"]


@each_stream
def test_what_has_no_column_counts_as_marked(stream):
    assert marks(stream)["_extra"]


def test_the_nearest_mark_counts():
    patients = marks("patients")
    assert FILES["patients"]["x-phi"]
    assert patients["primary_insurance.subscriber_first_name"]
    assert not patients["primary_insurance.insurance_company"]
    assert "primary_insurance" not in patients
    flags = FILES["patients"]["properties"]["patient_flags"]
    assert not flags["x-phi"]
    assert "x-phi" not in flags["items"]["properties"]["name"]
    assert not patients["patient_flags.name"]


IDENTIFYING = re.compile(
    r"(^|\.|_)(first_name|middle_name|last_name|nick_name|suffix|social_security\w*"
    r"|date_of_birth|date_of_death|(cell|home|office)_phone|phone(_number)?|fax|e?mail"
    r"|email|address|city|zip(_code)?|chart_id|id_number|policy_number|case_number"
    r"|group_number|claim_number|photo(_front|_back)?|notes?|employer|contact_name"
    r"|party_name|rep_name)$"
)


def test_all_that_identifies_a_patient_by_its_name_is_marked():
    found = [path for path in columns("patients") if IDENTIFYING.search(path)]
    assert len(found) > 80
    assert not [path for path in found if not marks("patients")[path]]


@pytest.mark.parametrize(
    "column",
    [
        "appointments.reason",
        "appointments.notes",
        "appointments.primary_insurance_id_number",
        "appointments.secondary_insurance_id_number",
        "appointments.billing_notes.text",
        "appointments.clinical_note.pdf",
        "appointments.custom_fields.field_value",
        "patients.referring_source",
        "patients.custom_demographics.value",
        "patients.patient_flags_attached.flag_text",
        "transactions.insurance.id_number",
        "prescription_messages.json_data",
        "eligibility_checks.coverage_subscriber",
        "eligibility_checks.coverage_details",
        "clinical_notes.clinical_note_sections.values.value",
        "clinical_note_field_values.value",
        "patient_payments.notes",
        "patient_authorizations.patient",
        "patient_authorizations.auth_number",
        "tasks.title",
        "tasks.notes.text",
        "task_notes.text",
        "medications.notes",
        "medications.frequency",
        "custom_vitals.description",
        "custom_demographics.description",
        "custom_appointment_fields.field_desc",
        "problems.description",
        "allergies.reaction",
        "patient_lab_results.doctor_comments",
        "lab_orders.accession_number",
        "lab_results.comments",
        "patient_vaccine_records.comments",
        "documents.description",
        "documents.document",
        "care_plans.instructions",
        "signed_consent_forms.signature_file",
        "comm_logs.message",
        "patient_messages.subject",
        "patient_messages.body",
        "patient_messages.attachments.attachment",
        "messages.patient_last_name",
        "messages.outgoing_fax_recipient_fax_number",
        "claim_billing_notes.text",
    ],
)
def test_identifies_or_is_free_text(column):
    stream, path = column.split(".", 1)
    assert marks(stream)[path]


@pytest.mark.parametrize(
    "column",
    [
        "appointments.scheduled_time",
        "appointments.created_by",
        "appointments.icd10_codes",
        "patients.state",
        "patients.gender",
        "patients.date_of_first_appointment",
        "line_items.code",
        "line_items.modifiers",
        "transactions.adjustment_reason",
        "doctors.last_name",
        "doctors.email",
        "offices.address",
        "staff.cell_phone",
        "messages.doctor_last_name",
        "patient_payments.received_date",
        "problems.icd_code",
        "lab_results.observation_code",
        "patient_vaccine_records.cvx_code",
    ],
)
def test_is_a_key_code_amount_date_of_a_visit_or_about_staff(column):
    stream, path = column.split(".", 1)
    assert not marks(stream)[path]


@each_stream
def test_only_text_is_marked(stream):
    for path in phi_columns(stream) - {"_extra"}:
        assert "string" in columns(stream)[path]["type"], path


@each_stream
def test_addresses_of_files_are_marked(stream):
    for path, field in columns(stream).items():
        if "address of" in field["description"]:
            assert marks(stream)[path], path


@each_stream
def test_the_marks_are_in_no_schema_that_goes_out(stream):
    schema = SCHEMAS.get_schema(stream)
    assert "x-" not in "".join(
        name for _, field, _ in walk(schema, None) for name in field
    )
    assert list(schema) == [name for name in FILES[stream] if name != "x-phi"]
    assert [path for path, _, _ in walk(schema, None)] == [
        path for path, _, _ in walk(FILES[stream], None)
    ]


def test_the_marks_are_in_no_catalog_and_no_message(make_tap, catalog):
    assert "x-phi" not in json.dumps(catalog)
    with serve(practice=Practice.generate(records=20, seed=5)) as served:
        ended = make_tap(served).run()
        ended.good()
    assert '"SCHEMA"' in ended.text
    assert "x-phi" not in ended.text
