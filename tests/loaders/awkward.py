"""A practice whose records hold everything that is awkward to load."""

from __future__ import annotations

import typing as t

from drchrono_sandbox import Practice
from drchrono_sandbox.streams import STREAMS

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from drchrono_sandbox.ledger.books import Effect
    from drchrono_sandbox.practice import Source
    from drchrono_sandbox.tables import Row

TEXTS = (
    "nothing\0here",
    "",
    None,
    "Zoë — “naïve” 直樹 🙂 עברית",
    "a,b;c|d\te^f",
    'say "hi", twice',
    '"',
    '""',
    "it's",
    "C:\\new\\table\\",
    "line\nbreak",
    "carriage\r\nreturn\r\n",
    "\n",
    "  spaces  ",
    "NULL",
    "None",
    "\\N",
    "\\.",
    "{}",
    '[1, "a"]',
    "0",
    "007",
    "1e5",
    "false",
    "2024-01-05",
    "2024-01-05T10:00:00",
    "'; DROP TABLE patients; --",
    "%s %(name)s {name} :name $1 ?",
    "# no comment",
    "\x01 \x7f \u2028 \ufeff",
    "long " * 1000,
)
AMOUNTS = (
    "0.00",
    "125.00",
    "-12.50",
    "@number:1.50",
    "@number:3",
    "",
    None,
    "12345678901234.56",
    "0.000000000001",
    "79228162514264337593543.950335",
)
UNKNOWN = (
    {"a": [1, None, {"b": "\0 é"}], "amount": "@number:10.10", "": ""},
    ["x", 2],
    "plain\n“text”",
    "@number:0.10",
    False,
    "",
)
EVERY = 5
"""One of so many records has fields that the schema does not know or cannot read."""

WHOLE = "line_items"
"""The stream that is read whole at last, when records have vanished from it."""
GONE = 3
"""How many have."""

TEXT_FIELDS = {
    "appointments": ("notes",),
    "patients": ("employer",),
    "line_items": ("description",),
    "transactions": ("trace_number",),
    "prescription_messages": ("pharmacy",),
    "eligibility_checks": ("eligibility",),
    "clinical_notes": ("signee", "locked_by"),
    "clinical_note_field_values": ("value",),
}
AMOUNT_FIELDS = {
    "appointments": ("vitals", "weight"),
    "line_items": ("price",),
    "transactions": ("ins_paid",),
}
UNREADABLE = {
    "appointments": ("duration", "soon"),
    "patients": ("doctor", {"name": "Dr. Who"}),
    "line_items": ("quantity", "a few"),
    "transactions": ("check_date", "2024-02-31"),
    "prescription_messages": ("patient", 1.5),
    "eligibility_checks": ("query_date", "last week"),
    "clinical_notes": ("archived", "perhaps"),
    "clinical_note_field_values": ("clinical_note_field", "7133-b"),
}
"""A field of each stream, and a value that is not of its type."""

OBJECTS_WITH_MORE = {
    "appointments": ("vitals", "custom_fields"),
    "patients": ("referring_doctor", "custom_demographics"),
    "transactions": ("insurance",),
    "clinical_notes": ("signee", "clinical_note_sections"),
}
"""Objects, and arrays of objects, that get a field that the schema does not know."""


class Awkward:
    """Invented records, spoilt in known places; edits move the trouble on."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def record(self, stream: str, row: Row) -> dict[str, t.Any]:
        record = dict(self._source.record(stream, row))
        if stream not in TEXT_FIELDS:
            return record
        turn = row.number + row.version
        _put(record, TEXT_FIELDS[stream], TEXTS[turn % len(TEXTS)])
        if stream in AMOUNT_FIELDS:
            _put(record, AMOUNT_FIELDS[stream], AMOUNTS[turn % len(AMOUNTS)])
        if turn % EVERY == 0:
            unknown = UNKNOWN[turn // EVERY % len(UNKNOWN)]
            record["vendor_added"] = unknown
            name, value = UNREADABLE[stream]
            record[name] = value
            for name in OBJECTS_WITH_MORE.get(stream, ()):
                record[name] = _with_more(record[name], unknown)
        return record

    def is_hidden(self, stream: str, number: int) -> bool:
        return self._source.is_hidden(stream, number)

    def scheduled(self, number: int, created: int) -> int:
        return self._source.scheduled(number, created)

    def follow(
        self, stream: str, action: str, number: int, stamp: int
    ) -> Iterable[Effect]:
        return self._source.follow(stream, action, number, stamp)


def _put(record: dict[str, t.Any], path: tuple[str, ...], value: t.Any) -> None:
    *objects, name = path
    for one in objects:
        if not isinstance(record.get(one), dict):
            return
        record[one] = record = dict(record[one])
    record[name] = value


def _with_more(value: t.Any, unknown: t.Any) -> t.Any:
    if isinstance(value, dict):
        return value | {"vendor_added": unknown}
    if isinstance(value, list):
        # The first item stays as it is, so that the others must keep their places.
        return [*value[:1], *({**item, "vendor_added": unknown} for item in value[:1])]
    return value


def practice(records: int) -> Practice:
    """Invent a practice with about so many records a stream."""
    invented = Practice.generate(records=records, seed=8)
    invented.source = Awkward(invented.source)
    assert set(TEXT_FIELDS) == set(STREAMS)
    return invented
