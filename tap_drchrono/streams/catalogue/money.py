"""Payments, remittances, prices, and what was deleted."""

from __future__ import annotations

import typing as t

from tap_drchrono.endpoints import Group
from tap_drchrono.streams.base import Turn
from tap_drchrono.streams.catalogue.access import (
    BILLING,
    SHARE_PATIENTS,
    VISIT,
)
from tap_drchrono.streams.plain import PlainStream


class LineItemDeletionsStream(PlainStream):
    """Which line items were deleted, and when."""

    name = "line_item_deletions"
    group = Group.MONEY
    offered = True
    primary_keys = ("billing_line_item_id",)
    replication_key = "created_at"
    since = "since"
    sized = False
    turn = Turn.AFTER_BULK
    scopes = frozenset({"billing:read"})
    permissions = BILLING
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = {
        "billing_line_item_id": "line_items",
        "appointment_id": "appointments",
    }


class PatientPaymentsStream(PlainStream):
    """Payments, refunds and corrections of patients."""

    name = "patient_payments"
    group = Group.MONEY
    offered = True
    replication_key = "updated_at"
    since = "since"
    scopes = frozenset({"billing:patient-payment:read"})
    permissions = ("access-patient-payments", *BILLING)
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = {**VISIT, "line_item": "line_items", "created_by": "users"}


class PatientPaymentLogStream(PlainStream):
    """Who made, changed, deleted or allocated a patient's payment."""

    name = "patient_payment_log"
    group = Group.MONEY
    replication_key = "updated_at"
    since = "since"
    scopes = frozenset({"billing:read"})
    permissions = BILLING
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = {**VISIT, "created_by": "users"}


class EobsStream(PlainStream):
    """Remittances of insurers."""

    name = "eobs"
    group = Group.MONEY
    replication_key = "updated_at"
    scopes = frozenset({"billing:read"})
    permissions = BILLING
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = {"doctor": "doctors"}


class FeeSchedulesStream(PlainStream):
    """Prices by code, payer, plan, office and doctor."""

    name = "fee_schedules"
    group = Group.MONEY
    replication_key = "updated_at"
    since = "since"
    scopes = frozenset({"billing:read"})
    permissions = BILLING
    sharing = ("share_fee_schedules",)
    joins: t.ClassVar = {"doctor": "doctors", "office": "offices"}


class CustomInsurancePlanNamesStream(PlainStream):
    """Names that the practice gave to insurance plans."""

    name = "custom_insurance_plan_names"
    group = Group.MONEY
    replication_key = "updated_at"
    since = "since"
    archived = True
    scopes = frozenset({"settings:read"})
    permissions = ("settings",)
    joins: t.ClassVar = {"doctor": "doctors", "user": "users"}


class PatientAuthorizationsStream(PlainStream):
    """Visits that insurers authorized, and how many remain."""

    name = "patient_authorizations"
    group = Group.MONEY
    replication_key = "updated_at"
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = {"doctor_id": "doctors", "patient_id": "patients"}


class BillingProfilesStream(PlainStream):
    """Bundles of billing codes."""

    name = "billing_profiles"
    group = Group.MONEY
    replication_key = "updated_at"
    archived = True
    scopes = frozenset({"billing:read"})
    permissions = BILLING
    sharing = ("share_billing_profiles",)
    joins: t.ClassVar = {"doctor": "doctors"}


class ClaimBillingNotesStream(PlainStream):
    """Notes on the billing of appointments."""

    name = "claim_billing_notes"
    group = Group.MONEY
    scopes = frozenset({"billing:read"})
    permissions = BILLING
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = {"appointment": "appointments", "created_by": "users"}
