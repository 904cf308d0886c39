"""Bookable and blocked time, and reminders."""

from __future__ import annotations

import typing as t

from tap_drchrono.endpoints import Group
from tap_drchrono.streams.plain import PlainStream


class AppointmentTemplatesStream(PlainStream):
    """Blocks of bookable time."""

    name = "appointment_templates"
    group = Group.SCHEDULING
    archived = True
    scopes = frozenset({"calendar:read", "settings:read"})
    permissions = ("scheduling", "settings")
    sharing = ("share_appointment_profiles",)
    joins: t.ClassVar = {"office": "offices", "profile": "appointment_profiles"}


class ScheduleBlocksStream(PlainStream):
    """Blocked time."""

    name = "schedule_blocks"
    group = Group.SCHEDULING
    scopes = frozenset({"calendar:read"})
    permissions = ("calendar",)
    joins: t.ClassVar = {
        "provider": "doctors",
        "office": "offices",
        "appointment_break": "appointments",
    }


class ReminderProfilesStream(PlainStream):
    """Sets of reminders that appointments can use."""

    name = "reminder_profiles"
    group = Group.SCHEDULING
    scopes = frozenset({"calendar:read"})
    permissions = ("scheduling",)
    sharing = ("share_reminder_profile",)
    joins: t.ClassVar = {"doctor": "doctors"}
