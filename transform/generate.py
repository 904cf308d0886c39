"""Write the staging models from the tap's schemas: `python transform/generate.py`.

One file a stream with its columns, and the page that dbt makes its documentation from.
"""  # noqa: INP001 - a script beside the models it makes

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Schema: t.TypeAlias = dict[str, t.Any]

STAGING = Path(__file__).parent / "models" / "staging"
SCHEMAS = Path(__file__).parent.parent / "tap_drchrono" / "schemas"

STREAMS = {
    "appointments": "appointment",
    "patients": "patient",
    "line_items": "line_item",
    "transactions": "transaction",
    "prescription_messages": "prescription_message",
    "eligibility_checks": "eligibility_check",
    "clinical_notes": "clinical_note",
    "clinical_note_field_values": "clinical_note_field_value",
    "doctors": "doctor",
    "offices": "office",
    "users": "user",
    "staff": "staff",
    "appointment_profiles": "appointment_profile",
    "clinical_note_templates": "clinical_note_template",
    "clinical_note_field_types": "clinical_note_field_type",
    "custom_vitals": "custom_vital",
    "custom_appointment_fields": "custom_appointment_field",
    "custom_demographics": "custom_demographic",
    "patient_flag_types": "patient_flag_type",
    "line_item_deletions": "line_item_deletion",
    "patient_payments": "patient_payment",
    "eobs": "eob",
}
"""Each stream that has a model, with what one of its records is called."""

KEYS = {"clinical_notes": "appointment", "line_item_deletions": "billing_line_item_id"}
"""The keys that are not `id`."""

REFERENCES = {
    "appointment": "appointment_id",
    "base_recurring_appointment": "base_recurring_appointment_id",
    "billing_line_item_id": "line_item_id",
    "clinical_note_field": "clinical_note_field_type_id",
    "clinical_note_template": "clinical_note_template_id",
    "doctor": "doctor_id",
    "line_item": "line_item_id",
    "office": "office_id",
    "parent_message": "parent_message_id",
    "patient": "patient_id",
    "practice_group": "practice_group_id",
    "profile": "appointment_profile_id",
    "reminder_profile": "reminder_profile_id",
    "staff": "staff_id",
}
"""Fields that hold the key of another record."""

NAMES = {
    "active": "is_active",
    "allow_overlapping": "is_overlapping_allowed",
    "appt_is_break": "is_break",
    "archived": "is_archived",
    "disable_sms_messages": "is_sms_disabled",
    "recurring_appointment": "is_recurring",
    "order": "sort_order",
    # PostgreSQL would cut the name of this one.
    "property_and_casualty_agency_claim_number": "agency_claim_number",
}
"""Names that no rule gives."""

UNSTAGED = ("_extra", "deleted_flag")
"""Fields without a column of their own: `is_deleted` tells of the flag."""

_KINDS_BY_NAME = {"appt_is_break": "break", "quantity": "quantity"}
_KINDS = {
    "array": "json",
    "date": "date",
    "date-time": "timestamp",
    "number": "money",
    "object": "json",
    "string": "text",
}
# A column whose name is longer begins with initials once it is flattened.
LONGEST_NAME = 63


class Column(t.NamedTuple):
    """A column of a staging model.

    Attributes:
        name: Its name.
        field: The field that it comes from, with a dot before what is nested.
        kind: What it is cast to: `id`, `text`, `money`, …, as `drchrono_type` knows it.
        flat: The name of the field's column where objects were flattened.
        description: What it holds.
        phi: Whether it may tell something of a patient.
    """

    name: str
    field: str
    kind: str
    flat: str
    description: str
    phi: bool


def columns(stream: str, schema: Schema) -> list[Column]:
    """Derive the columns of a model, the key first.

    Args:
        stream: The stream's name.
        schema: Its schema.

    Returns:
        The columns in the order of the schema. Each model also has `is_deleted`.
    """
    key = KEYS.get(stream, "id")
    fields = dict(schema["properties"])
    fields = {key: fields.pop(key), **fields}
    for name in UNSTAGED:
        fields.pop(name, None)
    found = []
    for name, given in fields.items():
        field = {"x-phi": schema["x-phi"], **given}
        nested = field.get("properties")
        for inner, its_field in (nested or {"": field}).items():
            found.append(_column(stream, name, inner, its_field, field))
    return found


def _column(stream: str, name: str, inner: str, field: Schema, outer: Schema) -> Column:
    kind = _kind(inner or name, field)
    if inner:
        short = inner.removeprefix(name.removesuffix("insurance"))
        renamed = f"{name}__{_renamed(short, kind)}"
    elif name == "id":
        renamed = f"{STREAMS[stream]}_id"
    else:
        renamed = _renamed(name, kind)
    return Column(
        name=renamed,
        field=f"{name}.{inner}" if inner else name,
        kind=kind,
        flat=_flat_name(name, inner) if inner else "",
        description=field.get("description", ""),
        phi=field.get("x-phi", outer["x-phi"]),
    )


def _kind(name: str, field: Schema) -> str:
    if name in REFERENCES or name == "id" or name.endswith("_id"):
        return "id"
    if name in _KINDS_BY_NAME:
        return _KINDS_BY_NAME[name]
    types = {field["type"]} if isinstance(field["type"], str) else {*field["type"]}
    (kind,) = types - {"null"}
    return _KINDS.get(field.get("format", ""), _KINDS.get(kind, kind))


def _renamed(name: str, kind: str) -> str:
    """Name a column by its kind: `_id`, `is_`, `_at`, `_date`."""
    if name in NAMES:
        return NAMES[name]
    if kind == "id":
        return REFERENCES.get(name, name)
    if kind == "boolean":
        return "is_" + name.removesuffix("_flag").removeprefix("is_")
    if kind == "timestamp":
        return re.sub(r"(_at|_time|_date)?$", "_at", name, count=1)
    if kind == "date":
        return re.sub(r"date_of_(\w+)$", r"\1_date", name)
    return name


def _flat_name(outer: str, inner: str) -> str:
    name = f"{outer}__{inner}"
    if len(name) <= LONGEST_NAME:
        return name
    return "".join(word[0] for word in outer.split("_")) + f"__{inner}"


def model(stream: str, found: list[Column]) -> str:
    """Write the SQL file of a model.

    Args:
        stream: The stream's name.
        found: Its columns.

    Returns:
        The text: one call of the macro that does the rest.
    """
    lines = [
        "{#- Generated by transform/generate.py from the tap's schema. -#}",
        f'{{{{ drchrono_stage("{stream}", [',
    ]
    for column in found:
        more = (column.flat,) if column.flat else ()
        cells = ", ".join(f'"{cell}"' for cell in (*column[:3], *more))
        lines.append(f"    [{cells}],")
    without = ""
    if stream == "line_items":
        without = ', without=ref("stg_drchrono__line_item_deletions")'
    return "\n".join((*lines, f"]{without}) }}}}", ""))


def page(schemas: Mapping[str, Schema]) -> str:
    """Write the properties of all models, and the sources.

    Args:
        schemas: By stream.

    Returns:
        A YAML text.
    """
    lines = [
        "# Generated by transform/generate.py from the tap's schemas.",
        "version: 2",
        "",
        "sources:",
        "  - name: drchrono",
        "    description: The tables that a loader made of the tap's streams.",
        "    database: \"{{ var('drchrono_database', none) or target.database }}\"",
        "    schema: \"{{ var('drchrono_schema') }}\"",
        "    tables:",
    ]
    for stream, schema in schemas.items():
        lines += [f"      - name: {stream}", *_described(schema, 8)]
    lines += ["", "models:"]
    for stream, schema in schemas.items():
        lines += [*_model_page(stream, schema)]
    return "\n".join((*lines, ""))


def _model_page(stream: str, schema: Schema) -> Iterator[str]:
    found = columns(stream, schema)
    yield f"  - name: stg_drchrono__{stream}"
    yield from _described(schema, 4)
    yield "    data_tests:"
    yield "      - drchrono_key:"
    yield "          arguments:"
    yield f"            column: {found[0].name}"
    yield "    columns:"
    for column in found:
        yield f"      - name: {column.name}"
        yield from _described({"description": column.description}, 8)
        if column.phi:
            yield "        config:"
            yield "          meta:"
            yield "            phi: true"
    yield "      - name: is_deleted"
    yield "        description: Whether it was deleted, as far as that is known."


def _described(schema: Schema, indent: int) -> list[str]:
    if not schema.get("description"):
        return []
    # JSON's way to quote a text is one of YAML's.
    text = json.dumps(schema["description"], ensure_ascii=False)
    return [f"{' ' * indent}description: {text}"]


def render() -> dict[Path, str]:
    """Render all files.

    Returns:
        The text by path.
    """
    schemas = {
        stream: json.loads((SCHEMAS / f"{stream}.json").read_text("utf-8"))
        for stream in STREAMS
    }
    files = {
        STAGING / f"stg_drchrono__{stream}.sql": model(stream, columns(stream, schema))
        for stream, schema in schemas.items()
    }
    return files | {STAGING / "staging.yml": page(schemas)}


def main() -> None:
    """Write all files."""
    for path, text in render().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
