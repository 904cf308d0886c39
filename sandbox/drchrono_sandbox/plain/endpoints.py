"""The plain list endpoints, as the vendor documents them: one row each."""

from __future__ import annotations

import functools
import json
import pathlib
import typing as t
from types import MappingProxyType

if t.TYPE_CHECKING:
    from collections.abc import Mapping

Field: t.TypeAlias = t.Any
"""What a field holds, in the words of `fields.json`."""

PAGE_MAX = 250
VERBOSE_PAGE_MAX = 50

_NOTHING: Mapping[str, t.Any] = MappingProxyType({})
_WHERE = pathlib.Path(__file__).parent / "fields.json"


class PlainInfo(t.NamedTuple):
    """What is fixed about one plain list endpoint.

    Attributes:
        name: The stream's name.
        scopes: What a token needs for reading; nothing if empty.
        permissions: What its user needs within DrChrono.
        since: The parameter that bounds the time of change from below, if any.
        time: The field that this bounds, or that tells of changes, if any.
        key: The field that identifies a record.
        archived: The field that says that a record is archived, if any.
        sized: Whether `page_size` is heeded.
        rows: Records in an invented practice; as the practice is large if 0.
        joins: Fields that refer to another stream, where the name doesn't say so.
        real: Fields that hold something else than the document says.
    """

    name: str
    scopes: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    since: str = ""
    time: str = ""
    key: str = "id"
    archived: str = ""
    sized: bool = True
    rows: int = 0
    joins: Mapping[str, str] = _NOTHING
    real: Mapping[str, Field] = _NOTHING

    @property
    def path(self) -> str:
        """The path of the endpoint."""
        return f"/api/{self.name}"

    @property
    def fields(self) -> Mapping[str, Field]:
        """The documented fields of a record, as they really are."""
        fields: Mapping[str, Field] = documented()[self.name]["fields"]
        return {**fields, **self.real}

    @property
    def verbose_only(self) -> frozenset[str]:
        """Fields that are absent without `verbose=true`."""
        return frozenset(documented()[self.name]["verbose_only"])


@functools.cache
def documented() -> Mapping[str, t.Any]:
    """Tell what the vendor's document says of the records of plain lists.

    Returns:
        By stream, also where there is no row below: `fields` and `verbose_only`.
    """
    lists: Mapping[str, t.Any] = json.loads(_WHERE.read_text(encoding="utf-8"))
    return lists


_BILLING = (("billing:read",), ("billing", "show-billing-tab"))
_CLINICAL = (("clinical:read",), ("clinical-notes",))
_CLINICAL_SETTINGS = (
    ("clinical:read", "settings:read"),
    ("clinical-notes", "settings"),
)
_LABS = (("labs:read",), ())
_PATIENTS = (("patients:read",), ("manage-patients",))
_PATIENT_SETTINGS = (
    ("patients:read", "settings:read"),
    ("manage-patients", "settings"),
)
_SCHEDULING = (("calendar:read",), ("scheduling",))
_SCHEDULING_SETTINGS = (
    ("calendar:read", "settings:read"),
    ("scheduling", "settings"),
)
_TASKS = (("tasks:read",), ())
_USERS = (("user:read",), ())

_UPDATED: t.Final = "updated_at"
_CREATED: t.Final = "created_at"
_FLAG = "flag"
_TEXT = "text"


def _row(
    name: str,
    access: tuple[tuple[str, ...], tuple[str, ...]],
    **facts: t.Any,  # noqa: ANN401 - see PlainInfo
) -> PlainInfo:
    scopes, permissions = access
    return PlainInfo(name, scopes, permissions, **facts)


_EXAM_ROOM = {"fields": {"index": "integer", "name": _TEXT, "online_scheduling": _FLAG}}
_PERMISSIONS = {"fields": {"access_billing": _FLAG, "access_clinical_notes": _FLAG}}
_USER_FIELDS = {"is_doctor": _FLAG, "is_staff": _FLAG, "permissions": _PERMISSIONS}

PLAIN: dict[str, PlainInfo] = {
    info.name: info
    for info in (
        _row("doctors", _USERS, rows=4),
        _row(
            "offices",
            _USERS,
            rows=2,
            archived="archived",
            real={"exam_rooms": [_EXAM_ROOM]},
        ),
        _row("users", ((), ()), rows=12, real=_USER_FIELDS),
        _row("staff", ((), ()), time=_UPDATED, rows=8, real={"active": _FLAG}),
        _row(
            "appointment_profiles", _SCHEDULING_SETTINGS, archived="archived", rows=12
        ),
        _row(
            "clinical_note_templates",
            _CLINICAL,
            time=_UPDATED,
            archived="archived",
            rows=6,
            real={"order": "variable"},
        ),
        _row("clinical_note_field_types", _CLINICAL, archived="archived", rows=120),
        _row("custom_vitals", _CLINICAL_SETTINGS, archived="archived", rows=5),
        _row(
            "custom_appointment_fields",
            _CLINICAL_SETTINGS,
            time=_UPDATED,
            archived="archived",
            rows=6,
        ),
        _row("custom_demographics", _PATIENT_SETTINGS, archived="archived", rows=7),
        _row(
            "patient_flag_types",
            _PATIENT_SETTINGS,
            time=_UPDATED,
            archived="archived",
            rows=5,
        ),
        _row(
            "line_item_deletions",
            _BILLING,
            since="since",
            time=_CREATED,
            key="billing_line_item_id",
            sized=False,
        ),
        _row(
            "patient_payments",
            (
                ("billing:patient-payment:read",),
                ("access-patient-payments", "billing", "show-billing-tab"),
            ),
            since="since",
            time=_UPDATED,
        ),
        _row("patient_payment_log", _BILLING, since="since", time=_UPDATED),
        _row("eobs", _BILLING, time=_UPDATED),
        _row("fee_schedules", _BILLING, since="since", time=_UPDATED),
        _row(
            "custom_insurance_plan_names",
            (("settings:read",), ("settings",)),
            since="since",
            time=_UPDATED,
            archived="archived",
        ),
        _row("patient_authorizations", ((), ()), time=_UPDATED),
        _row(
            "tasks",
            _TASKS,
            since="since",
            time=_UPDATED,
            archived="archived",
            real={"due_date": "variable"},
            joins={
                "category": "task_categories",
                "status": "task_statuses",
                "assigned_by": "users",
            },
        ),
        _row(
            "task_categories",
            _TASKS,
            since="since",
            time=_UPDATED,
            archived="archived",
            real={"is_global": _FLAG},
        ),
        _row(
            "task_statuses", _TASKS, since="since", time=_UPDATED, archived="archived"
        ),
        _row("task_notes", _TASKS, since="since", time=_UPDATED, archived="archived"),
        _row("medications", _CLINICAL),
        _row("problems", _CLINICAL),
        _row("allergies", _CLINICAL),
        _row(
            "patient_lab_results",
            (("labs:read", "patients:read"), ("manage-patients",)),
            since="since",
            time=_UPDATED,
        ),
        _row("lab_orders", _LABS, since="since", time="timestamp"),
        _row("lab_tests", _LABS),
        _row("lab_results", _LABS, real={"is_abnormal": _FLAG}),
        _row(
            "patient_vaccine_records",
            _CLINICAL,
            since="since",
            time=_UPDATED,
            joins={
                "administered_at": "offices",
                "administered_by": "users",
                "entered_by": "users",
            },
        ),
        _row("procedures", _BILLING, time=_UPDATED),
        _row("documents", _PATIENTS, since="since", time=_UPDATED, archived="archived"),
        _row("care_plans", _CLINICAL, time=_UPDATED),
        _row("appointment_templates", _SCHEDULING_SETTINGS, archived="archived"),
        _row(
            "schedule_blocks",
            (("calendar:read",), ("calendar",)),
            joins={"appointment_break": "appointments"},
        ),
        _row("patient_communications", _CLINICAL, time=_CREATED),
        _row("consent_forms", _PATIENTS, time=_UPDATED, archived="archived"),
        _row("signed_consent_forms", _PATIENTS, time=_UPDATED, archived="archived"),
        _row(
            "comm_logs",
            _SCHEDULING,
            since="since",
            time=_UPDATED,
            archived="archived",
            joins={"author": "users"},
        ),
        _row(
            "patient_messages",
            (("patients:read", "messages:read"), ("manage-patients", "message-center")),
            since="since",
            time=_UPDATED,
        ),
        _row(
            "messages",
            (("messages:read",), ("message-center",)),
            since="updated_since",
            time=_UPDATED,
            archived="archived",
            joins={"owner": "users"},
        ),
        _row("billing_profiles", _BILLING, time=_UPDATED, archived="archived"),
        _row(
            "user_groups",
            ((), ()),
            time=_UPDATED,
            archived="archived",
            joins={"members": "users"},
        ),
        _row("reminder_profiles", _SCHEDULING),
        _row("claim_billing_notes", _BILLING, time=_CREATED),
    )
}
"""By name."""
