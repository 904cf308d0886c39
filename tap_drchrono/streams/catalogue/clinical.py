"""Charts: medications, problems, laboratory, vaccines, documents, consent."""

from __future__ import annotations

import typing as t

from tap_drchrono.endpoints import Group
from tap_drchrono.streams.catalogue.access import (
    BILLING,
    CLINICAL_NOTES,
    MANAGE_PATIENTS,
    PATIENT,
    SHARE_PATIENTS,
    VISIT,
)
from tap_drchrono.streams.plain import PlainStream


class MedicationsStream(PlainStream):
    """Medications of patients."""

    name = "medications"
    group = Group.CLINICAL
    scopes = frozenset({"clinical:read"})
    permissions = CLINICAL_NOTES
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = VISIT


class ProblemsStream(PlainStream):
    """Problem lists of patients."""

    name = "problems"
    group = Group.CLINICAL
    scopes = frozenset({"clinical:read"})
    permissions = CLINICAL_NOTES
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = VISIT


class AllergiesStream(PlainStream):
    """Allergies of patients."""

    name = "allergies"
    group = Group.CLINICAL
    verbose = True
    scopes = frozenset({"clinical:read"})
    permissions = CLINICAL_NOTES
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = PATIENT


class PatientLabResultsStream(PlainStream):
    """Lab results entered or imported in charts."""

    name = "patient_lab_results"
    group = Group.CLINICAL
    replication_key = "updated_at"
    since = "since"
    scopes = frozenset({"labs:read", "patients:read"})
    permissions = MANAGE_PATIENTS
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = {"patient": "patients", "ordering_doctor": "doctors"}


class LabOrdersStream(PlainStream):
    """Orders to laboratories."""

    name = "lab_orders"
    group = Group.CLINICAL
    replication_key = "timestamp"
    since = "since"
    scopes = frozenset({"labs:read"})
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = PATIENT


class LabTestsStream(PlainStream):
    """Tests of lab orders."""

    name = "lab_tests"
    group = Group.CLINICAL
    scopes = frozenset({"labs:read"})
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = {"lab_order": "lab_orders"}


class LabResultsStream(PlainStream):
    """Values of lab tests."""

    name = "lab_results"
    group = Group.CLINICAL
    scopes = frozenset({"labs:read"})
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = {"lab_order": "lab_orders", "lab_test": "lab_tests"}


class PatientVaccineRecordsStream(PlainStream):
    """Vaccinations of patients."""

    name = "patient_vaccine_records"
    group = Group.CLINICAL
    replication_key = "updated_at"
    since = "since"
    scopes = frozenset({"clinical:read"})
    permissions = CLINICAL_NOTES
    sharing = ("share_inventory", "share_patients")
    joins: t.ClassVar = {
        "patient": "patients",
        "ordering_doctor": "doctors",
        "administered_at": "offices",
        "administered_by": "users",
        "entered_by": "users",
        "consent_form": "consent_forms",
    }


class ProceduresStream(PlainStream):
    """Performed procedures with their status."""

    name = "procedures"
    group = Group.CLINICAL
    replication_key = "updated_at"
    scopes = frozenset({"billing:read"})
    permissions = BILLING
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = VISIT


class DocumentsStream(PlainStream):
    """Scanned documents of patients, without the files."""

    name = "documents"
    group = Group.CLINICAL
    replication_key = "updated_at"
    since = "since"
    archived = True
    scopes = frozenset({"patients:read"})
    permissions = MANAGE_PATIENTS
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = PATIENT


class CarePlansStream(PlainStream):
    """Goals, instructions and referrals of patients."""

    name = "care_plans"
    group = Group.CLINICAL
    replication_key = "updated_at"
    scopes = frozenset({"clinical:read"})
    permissions = CLINICAL_NOTES
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = {"appointment": "appointments", "patient": "patients"}


class PatientCommunicationsStream(PlainStream):
    """Communications with patients, as quality measures code them."""

    name = "patient_communications"
    group = Group.CLINICAL
    scopes = frozenset({"clinical:read"})
    permissions = CLINICAL_NOTES
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = VISIT


class ConsentFormsStream(PlainStream):
    """Kinds of consent forms."""

    name = "consent_forms"
    group = Group.CLINICAL
    replication_key = "updated_at"
    archived = True
    scopes = frozenset({"patients:read"})
    permissions = MANAGE_PATIENTS
    sharing = ("share_consent_forms",)
    joins: t.ClassVar = {"doctor": "doctors"}


class SignedConsentFormsStream(PlainStream):
    """Consent forms that patients signed."""

    name = "signed_consent_forms"
    group = Group.CLINICAL
    replication_key = "updated_at"
    archived = True
    scopes = frozenset({"patients:read"})
    permissions = MANAGE_PATIENTS
    sharing = ("share_consent_forms",)
    joins: t.ClassVar = {
        "appointment": "appointments",
        "consent_form": "consent_forms",
        "patient": "patients",
    }
