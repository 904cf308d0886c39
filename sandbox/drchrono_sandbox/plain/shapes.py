"""What a generic drawing can't tell: how records of a few streams hang together."""

from __future__ import annotations

import typing as t

from drchrono_sandbox.references import key_of

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drchrono_sandbox.plain.values import Making

Shape: t.TypeAlias = "Callable[[Making], dict[str, t.Any]]"


def _user(making: Making) -> dict[str, t.Any]:
    """A user is a doctor or a member of the staff; nobody else is a user."""
    number, doctors = making.row.number, making.ids.sizes["doctors"]
    is_doctor = number < doctors
    member = (number - doctors) % max(1, making.ids.sizes["staff"])
    return {
        "doctor": key_of("doctors", number) if is_doctor else making.doctor,
        "is_doctor": is_doctor,
        "is_staff": not is_doctor,
        "staff": None if is_doctor else key_of("staff", member),
        "username": f"user{number}",
    }


def _staff(making: Making) -> dict[str, t.Any]:
    user = making.ids.sizes["doctors"] + making.row.number
    return {"user_id": key_of("users", user), "username": f"user{user}"}


def _office(making: Making) -> dict[str, t.Any]:
    online = making.draw.below(4)
    return {
        "exam_rooms": [
            {
                "index": index,
                "name": f"Room {index}",
                "online_scheduling": index == online,
            }
            for index in (1, 2, 3)
        ]
    }


def _note_template(making: Making) -> dict[str, t.Any]:
    return {"order": making.edit.pick(({"on_ipad": 1, "on_complete_note": 2}, 3, None))}


def _field_type(making: Making) -> dict[str, t.Any]:
    return {"clinical_note_template": making.ids.template_of(making.row.number)}


SHAPES: Mapping[str, Shape] = {
    "users": _user,
    "staff": _staff,
    "offices": _office,
    "clinical_note_templates": _note_template,
    "clinical_note_field_types": _field_type,
}
"""What replaces drawn fields, by stream."""
