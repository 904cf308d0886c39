"""What many endpoints have alike: permissions, sharing flags, and joins."""

from __future__ import annotations

import typing as t
from types import MappingProxyType

if t.TYPE_CHECKING:
    from collections.abc import Mapping

BILLING = ("billing", "show-billing-tab")
CLINICAL_NOTES = ("clinical-notes",)
MANAGE_PATIENTS = ("manage-patients",)

SHARE_CLINICAL_TEMPLATES = ("share_clinical_templates",)
SHARE_PATIENTS = ("share_patients",)

PATIENT: Mapping[str, str] = MappingProxyType(
    {"patient": "patients", "doctor": "doctors"}
)
"""A record about a patient."""
VISIT: Mapping[str, str] = MappingProxyType({"appointment": "appointments", **PATIENT})
"""A record about a visit of a patient."""
