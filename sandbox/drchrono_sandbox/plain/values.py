"""What a field of a plain record holds: told by its type, its name and the joins."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from drchrono_sandbox.pools import pools
from drchrono_sandbox.references import References, key_of
from drchrono_sandbox.stamps import DAY, day_text, signed_url, stamp_text

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drchrono_sandbox.draw import Draw
    from drchrono_sandbox.plain.endpoints import Field, PlainInfo
    from drchrono_sandbox.tables import Row

Value: t.TypeAlias = t.Any


class Visit(t.NamedTuple):
    """An appointment with a patient.

    Attributes:
        appointment: Its id, as a number or as a text.
        patient: The patient's id.
    """

    appointment: int | str
    patient: int


@dataclasses.dataclass(slots=True)
class Making:
    """A record that is being invented.

    Attributes:
        row: The server's view of it.
        key: Its id.
        draw: Decides what stays as it is.
        edit: Decides what people edit.
        ids: Whose records it refers to.
        visit: The appointment and the patient that it belongs to, if to any.
        doctor: The doctor that it belongs to, if to any.
        nested: How many nested objects it has so far.
    """

    row: Row
    key: int
    draw: Draw
    edit: Draw
    ids: References
    visit: Visit
    doctor: int
    nested: int = 0


Maker: t.TypeAlias = "Callable[[Making], Value]"

JOINS: Mapping[str, str] = {
    "appointment": "appointments",
    "appointment_id": "appointments",
    "assignee_group": "user_groups",
    "assignee_user": "users",
    "clinical_note_template": "clinical_note_templates",
    "consent_form": "consent_forms",
    "created_by": "users",
    "doctor": "doctors",
    "doctor_id": "doctors",
    "lab_order": "lab_orders",
    "lab_test": "lab_tests",
    "line_item": "line_items",
    "office": "offices",
    "ordering_doctor": "doctors",
    "patient": "patients",
    "patient_id": "patients",
    "profile": "appointment_profiles",
    "provider": "doctors",
    "responsible_user": "users",
    "staff": "staff",
    "task": "tasks",
    "task_category": "task_categories",
    "user": "users",
    "user_id": "users",
}
"""The stream that a field of this name refers to, whatever record has it."""

_NEEDED = frozenset({"doctors", "patients"})
_RARELY = 12
_NESTED_ROOM = 16
_PRACTICE_GROUP = 990_001


def maker_of(info: PlainInfo) -> Callable[[Making], dict[str, Value]]:
    """Plan how the records of an endpoint are made.

    Args:
        info: The endpoint.

    Returns:
        Makes the fields of one record.
    """
    makers = {
        name: _maker(info, name, field, top=True) for name, field in info.fields.items()
    }

    def make(making: Making) -> dict[str, Value]:
        return {name: maker(making) for name, maker in makers.items()}

    return make


def _maker(info: PlainInfo, name: str, field: Field, *, top: bool) -> Maker:
    if isinstance(field, list):
        return _list(_maker(info, name, field[0], top=False))
    if isinstance(field, dict) and "fields" in field:
        return _object(
            {
                inner: _maker(info, inner, kind, top=False)
                for inner, kind in field["fields"].items()
            }
        )
    target = info.joins.get(name) or JOINS.get(name)
    if target == info.name or (top and name == info.key):
        return lambda making: making.key
    if target is not None:
        return _reference(target, is_text=field == "text")
    return _leaf(info, name, field, top=top)


def _leaf(info: PlainInfo, name: str, field: Field, *, top: bool) -> Maker:
    if isinstance(field, dict):
        return _choice(field["choice"])
    if top and name == info.archived:
        return lambda making: making.row.hidden
    return _MAKERS[field](name)


def _list(item: Maker) -> Maker:
    return lambda making: [item(making) for _ in range(making.draw.below(3))]


def _object(makers: Mapping[str, Maker]) -> Maker:
    def make(making: Making) -> Value:
        making.nested += 1
        return {name: maker(making) for name, maker in makers.items()}

    return make


def _choice(choices: list[Value]) -> Maker:
    return lambda making: making.edit.pick(choices)


def _reference(target: str, *, is_text: bool) -> Maker:
    """Refer to a record: what is documented as text is mostly a number."""

    def make(making: Making) -> Value:
        if target not in _NEEDED and making.draw.one_in(_RARELY):
            return None
        value = _id_of(making, target)
        return str(value) if is_text and making.draw.one_in(4) else value

    return make


def _id_of(making: Making, target: str) -> int | str:
    if target == "appointments":
        return making.visit.appointment
    if target == "patients":
        return making.visit.patient
    if target == "doctors":
        return making.doctor
    return key_of(target, making.ids.number(target, making.draw))


def _integer(name: str) -> Maker:
    if name == "id":
        return lambda making: making.row.number * _NESTED_ROOM + making.nested
    if name == "exam_room":
        return lambda making: 1 + making.draw.below(3)
    if name == "practice_group":
        return lambda _: _PRACTICE_GROUP
    return lambda making: making.edit.below(100)


def _flag(_: str) -> Maker:
    return lambda making: making.edit.one_in(2)


def _decimal(_: str) -> Maker:
    return lambda making: making.edit.money()


def _variable(_: str) -> Maker:
    """Draw a value of unknown form."""

    def make(making: Making) -> Value:
        day = _later(making)
        return making.edit.pick(({"time": f"{day}T12:00:00"}, day, "", None))

    return make


def _later(making: Making) -> str:
    return day_text(making.row.created + making.draw.below(60) * DAY)


def _moment(name: str) -> Maker:
    if name == "updated_at":
        return lambda making: stamp_text(making.row.updated)
    if name in {"created_at", "timestamp"}:
        return lambda making: stamp_text(making.row.created)
    return lambda making: stamp_text(
        making.row.created + making.draw.below(40) * DAY // 2
    )


def _day(_: str) -> Maker:
    return lambda making: making.draw.pick((_later(making), _later(making), "", None))


def _signed(name: str) -> Maker:
    return lambda making: signed_url(name, making.key)


def _clock(_: str) -> Maker:
    return lambda making: f"{making.draw.below(24):02d}:00:00"


def _digits(_: str) -> Maker:
    return lambda making: making.draw.digits(6)


def _practice_group(_: str) -> Maker:
    return lambda _: str(_PRACTICE_GROUP)


def _email(_: str) -> Maker:
    return lambda making: f"{making.draw.digits(5)}@mail.invalid"


def _color(_: str) -> Maker:
    return lambda making: making.draw.pick(("#ff0000", "", "orange"))


def _name(_: str) -> Maker:
    """Name something: never empty, since other records refer to it."""
    return lambda making: _edited(making, making.draw.pick(pools().companies))


def _phone(_: str) -> Maker:
    return lambda making: (
        f"({making.draw.digits(3)}) {making.draw.digits(3)}-{making.draw.digits(4)}"
    )


def _from_pool(
    pool: t.Literal["first_names", "last_names", "streets", "cities", "states"],
) -> Callable[[str], Maker]:
    return lambda _: lambda making: making.draw.pick(getattr(pools(), pool))


def _words(_: str) -> Maker:
    """Draw a text that tells how often it was edited."""

    def make(making: Making) -> Value:
        if making.draw.one_in(_RARELY) and not making.row.version:
            return making.draw.pick(("", None))
        return _edited(making, making.draw.pick(pools().sentences))

    return make


def _edited(making: Making, text: str) -> str:
    version = making.row.version
    return f"{text} (edit {version})" if version else text


def _long_text(_: str) -> Maker:
    return lambda making: making.edit.pick(pools().notes)


def _by_name(name: str) -> Maker:
    for pattern, make in _NAMES:
        if pattern.search(name):
            return make(name)
    return _words(name)


_NAMES: tuple[tuple[re.Pattern[str], Callable[[str], Maker]], ...] = tuple(
    (re.compile(pattern), make)
    for pattern, make in (
        (r"^(start|end)_time$", _clock),
        (r"(^|_)date(_|$)", _day),
        (r"_at$|_time$|_start$|^timestamp$|_performed$|_received$", _moment),
        (r"(^|_)(uri|url|picture|document|attachment|eob|file|result)$", _signed),
        (r"phone|fax_number", _phone),
        (r"^practice_group$", _practice_group),
        (r"email", _email),
        (r"color", _color),
        (r"^name$", _name),
        (r"first_name|middle_name", _from_pool("first_names")),
        (r"last_name", _from_pool("last_names")),
        (r"^address$", _from_pool("streets")),
        (r"^city$", _from_pool("cities")),
        (r"^state$", _from_pool("states")),
        (r"price|quantity", _decimal),
        (r"(^|_)(code|codes|number|id|npi|ndc|rxnorm|group|documents)$", _digits),
        (r"^(notes|text|body|message|comments|instructions)$", _long_text),
    )
)
"""What a text is about, by its name; the first that fits counts."""

_MAKERS: Mapping[str, Callable[[str], Maker]] = {
    "text": _by_name,
    "integer": _integer,
    "decimal": _decimal,
    "flag": _flag,
    "day": _day,
    "moment": _moment,
    "variable": _variable,
}
