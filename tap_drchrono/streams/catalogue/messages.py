"""Phone calls and messages."""

from __future__ import annotations

import typing as t

from tap_drchrono.endpoints import Group
from tap_drchrono.streams.catalogue.access import (
    PATIENT,
    SHARE_PATIENTS,
    VISIT,
)
from tap_drchrono.streams.plain import PlainStream


class CommLogsStream(PlainStream):
    """Phone calls with patients."""

    name = "comm_logs"
    group = Group.MESSAGES
    replication_key = "updated_at"
    since = "since"
    archived = True
    scopes = frozenset({"calendar:read"})
    permissions = ("scheduling",)
    sharing = SHARE_PATIENTS
    joins: t.ClassVar = VISIT


class PatientMessagesStream(PlainStream):
    """Messages of the patient portal."""

    name = "patient_messages"
    group = Group.MESSAGES
    replication_key = "updated_at"
    since = "since"
    scopes = frozenset({"messages:read", "patients:read"})
    permissions = ("manage-patients", "message-center")
    sharing = ("share_communications",)
    joins: t.ClassVar = {**PATIENT, "attachments.doctor": "doctors"}


class MessagesStream(PlainStream):
    """The message center: faxes, reports and mails."""

    name = "messages"
    group = Group.MESSAGES
    replication_key = "updated_at"
    since = "updated_since"
    archived = True
    scopes = frozenset({"messages:read"})
    permissions = ("message-center",)
    sharing = ("share_communications",)
    joins: t.ClassVar = {
        **PATIENT,
        "owner": "users",
        "responsible_user": "users",
        "message_notes.created_by": "users",
    }
