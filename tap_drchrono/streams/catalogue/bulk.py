"""The eight bulk lists."""

from __future__ import annotations

import typing as t

from tap_drchrono.lists.jobs import Order
from tap_drchrono.streams.bulk import BulkListStream
from tap_drchrono.streams.catalogue.access import (
    BILLING,
    CLINICAL_NOTES,
    MANAGE_PATIENTS,
    PATIENT,
    SHARE_PATIENTS,
    VISIT,
)

_VALUES = "clinical_note_sections.values"


class AppointmentsStream(BulkListStream):
    """Appointments, breaks and, marked by `deleted_flag`, deleted appointments."""

    name = "appointments"
    scopes = frozenset({"calendar:read", "clinical:read"})
    permissions = ("scheduling", "clinical-notes")
    sharing = SHARE_PATIENTS
    steady_order = Order.SCHEDULED_TIME
    includes: t.ClassVar = {"show_archived": "include_deleted"}
    joins: t.ClassVar = {
        **PATIENT,
        "office": "offices",
        "profile": "appointment_profiles",
        "supervising_provider": "doctors",
        "billing_provider": "doctors",
        "created_by": "users",
        "cloned_from": "appointments",
        "base_recurring_appointment": "appointments",
        "status_transitions.appointment": "appointments",
        "billing_notes.id": "claim_billing_notes",
        "billing_notes.created_by": "users",
        "billing_notes.appointment": "appointments",
        "reminder_profile": "reminder_profiles",
        "custom_vitals.vital_type": "custom_vitals",
        "custom_fields.field_type": "custom_appointment_fields",
    }


class PatientsStream(BulkListStream):
    """Patients."""

    name = "patients"
    scopes = frozenset({"patients:read"})
    permissions = MANAGE_PATIENTS
    sharing = SHARE_PATIENTS
    includes: t.ClassVar = {"show_inactive": "include_inactive"}
    joins: t.ClassVar = {
        "doctor": "doctors",
        "offices": "offices",
        "custom_demographics.field_type": "custom_demographics",
        "patient_flags.id": "patient_flag_types",
        "patient_flags.doctor": "doctors",
        "patient_flags_attached.flag_type": "patient_flag_types",
    }


class LineItemsStream(BulkListStream):
    """Billed procedures of appointments."""

    name = "line_items"
    scopes = frozenset({"billing:read"})
    permissions = BILLING
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = VISIT


class TransactionsStream(BulkListStream):
    """Payments and adjustments of line items."""

    name = "transactions"
    scopes = frozenset({"billing:read"})
    permissions = BILLING
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = {**VISIT, "line_item": "line_items"}


class PrescriptionMessagesStream(BulkListStream):
    """Electronic prescription messages; may carry no `updated_at`."""

    name = "prescription_messages"
    scopes = frozenset({"clinical:read"})
    permissions = ("clinical-notes", "clinical")
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = {**PATIENT, "parent_message": "prescription_messages"}


class EligibilityChecksStream(BulkListStream):
    """Insurance eligibility checks."""

    name = "eligibility_checks"
    scopes = frozenset({"calendar:read", "clinical:read", "patients:read"})
    permissions = ("clinical-notes", "scheduling")
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = {"appointment": "appointments", "patient": "patients"}


class ClinicalNotesStream(BulkListStream):
    """Clinical notes, one an appointment; may carry no `id` and no `updated_at`."""

    name = "clinical_notes"
    primary_keys = ("appointment",)
    scopes = frozenset({"clinical:read"})
    permissions = CLINICAL_NOTES
    sharing = ("share_clinical_templates", "share_patients")
    joins: t.ClassVar = {
        "appointment": "appointments",
        "patient": "patients",
        "clinical_note_sections.clinical_note_template": "clinical_note_templates",
        f"{_VALUES}.id": "clinical_note_field_values",
        f"{_VALUES}.clinical_note_field": "clinical_note_field_types",
    }


class ClinicalNoteFieldValuesStream(BulkListStream):
    """Values that were charted in clinical notes."""

    name = "clinical_note_field_values"
    scopes = frozenset({"calendar:read", "clinical:read", "patients:read"})
    permissions = ("scheduling", "clinical-notes")
    sharing = SHARE_PATIENTS
    max_page_size = 20_000
    joins: t.ClassVar = {
        "appointment": "appointments",
        "clinical_note_field": "clinical_note_field_types",
    }
