"""Reference lists: the names behind ids, offered by default and read whole."""

from __future__ import annotations

import typing as t

from tap_drchrono.streams.catalogue.access import (
    CLINICAL_NOTES,
    SHARE_CLINICAL_TEMPLATES,
    SHARE_PATIENTS,
)
from tap_drchrono.streams.plain import ReferenceStream


class DoctorsStream(ReferenceStream):
    """Doctors of the practice; names behind `doctor`."""

    name = "doctors"
    scopes = frozenset({"user:read"})
    joins: t.ClassVar = {
        "doctor_work_schedule.doctor": "doctors",
        "doctor_work_schedule.office": "offices",
    }


class OfficesStream(ReferenceStream):
    """Offices with their exam rooms; names behind `office`."""

    name = "offices"
    archived = True
    scopes = frozenset({"user:read"})
    joins: t.ClassVar = {
        "doctor": "doctors",
        "office_work_schedule.doctor": "doctors",
        "office_work_schedule.office": "offices",
    }


class UsersStream(ReferenceStream):
    """Logins: who is doctor or staff, and which; no names."""

    name = "users"
    joins: t.ClassVar = {"doctor": "doctors", "staff": "staff"}


class StaffStream(ReferenceStream):
    """Staff members; names of users who are no doctors."""

    name = "staff"
    joins: t.ClassVar = {"doctor": "doctors", "user_id": "users"}


class AppointmentProfilesStream(ReferenceStream):
    """Kinds of visit; names behind `profile`."""

    name = "appointment_profiles"
    archived = True
    scopes = frozenset({"calendar:read", "settings:read"})
    permissions = ("scheduling", "settings")
    sharing = ("share_appointment_profiles",)
    joins: t.ClassVar = {"doctor": "doctors"}


class ClinicalNoteTemplatesStream(ReferenceStream):
    """Forms of clinical notes; names behind `clinical_note_template`."""

    name = "clinical_note_templates"
    archived = True
    scopes = frozenset({"clinical:read"})
    permissions = CLINICAL_NOTES
    sharing = SHARE_CLINICAL_TEMPLATES
    joins: t.ClassVar = {
        "doctor": "doctors",
        "clinical_note_fields.clinical_note_template": "clinical_note_templates",
    }


class ClinicalNoteFieldTypesStream(ReferenceStream):
    """Fields of those forms; names behind `clinical_note_field`."""

    name = "clinical_note_field_types"
    archived = True
    scopes = frozenset({"clinical:read"})
    permissions = CLINICAL_NOTES
    sharing = SHARE_CLINICAL_TEMPLATES
    joins: t.ClassVar = {"clinical_note_template": "clinical_note_templates"}


class CustomVitalsStream(ReferenceStream):
    """Vital signs of the practice's own; names behind `vital_type`."""

    name = "custom_vitals"
    archived = True
    scopes = frozenset({"clinical:read", "settings:read"})
    permissions = ("clinical-notes", "settings")
    sharing = SHARE_CLINICAL_TEMPLATES
    joins: t.ClassVar = {"doctor": "doctors"}


class CustomAppointmentFieldsStream(ReferenceStream):
    """Fields that the practice added to appointments."""

    name = "custom_appointment_fields"
    archived = True
    scopes = frozenset({"clinical:read", "settings:read"})
    permissions = ("clinical-notes", "settings")
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = {"doctor": "doctors"}


class CustomDemographicsStream(ReferenceStream):
    """Fields that the practice added to patients."""

    name = "custom_demographics"
    archived = True
    scopes = frozenset({"patients:read", "settings:read"})
    permissions = ("manage-patients", "settings")
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = {"doctor": "doctors"}


class PatientFlagTypesStream(ReferenceStream):
    """Kinds of flags that patients can carry."""

    name = "patient_flag_types"
    archived = True
    scopes = frozenset({"patients:read", "settings:read"})
    permissions = ("manage-patients", "settings")
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = {"doctor": "doctors"}
