"""Casts of single values: text, numbers, booleans, dates, timestamps, JSON text.

Each takes a raw value, never None, and returns the one to emit, or `UNREADABLE`.
"""

from __future__ import annotations

import re
import typing as t
from datetime import date
from decimal import Decimal

import msgspec

if t.TYPE_CHECKING:
    from collections.abc import Callable

Json: t.TypeAlias = t.Any
"""Any JSON value, its floats as `Decimal`."""

Cast: t.TypeAlias = "Callable[[Json], Json]"
"""Turns a raw value, never None, into the one to emit, or into `UNREADABLE`."""

UNREADABLE: t.Final = object()

TEXT_TYPES = frozenset({str, type(None)})

_DIGITS = re.compile(r"\s*[+-]?\d{1,19}\s*", re.ASCII).fullmatch
_INTEGERS = 2**63
"""What a 64-bit column holds lies between this and its negative."""
_INTEGER_DIGITS = len(str(_INTEGERS))

_DECIMAL = re.compile(
    r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?\s*", re.ASCII
).fullmatch
_PLAIN_DECIMAL = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?", re.ASCII).fullmatch
"""Nearly all amounts: their magnitude needs no look."""
_MAGNITUDE = 308
"""The power of ten up to which targets that load numbers as doubles can follow."""

_BOOLEAN_WORDS = {"": None, "false": False, "true": True}

_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
_ANY_DAY = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?", re.ASCII
).fullmatch
_ANY_TIMESTAMP = re.compile(
    rf"(\d{{4}}-\d{{2}}-\d{{2}})(?:[T ]{_CLOCK}(?::[0-5]\d(?:\.\d+)?)?"
    r"(?:Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?)?",
    re.ASCII,
).fullmatch

# Nearly all values match these, which need no look at the calendar.
_EARLY_DAY = r"(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])"
_PLAIN_DAY = re.compile(_EARLY_DAY, re.ASCII).fullmatch
_PLAIN_TIMESTAMP = re.compile(rf"{_EARLY_DAY}T{_CLOCK}:[0-5]\d", re.ASCII).fullmatch

_ENCODER = msgspec.json.Encoder(
    enc_hook=str,  # `Spoilt`, a text that no type of a column takes
    decimal_format="number",
)


def text(value: Json) -> Json:
    """Take text, and numbers as they are written."""
    kind = type(value)
    if kind is str:
        return value
    return str(value) if kind is int or kind is Decimal else UNREADABLE


def _integer(value: Json) -> Json:
    kind = type(value)
    if kind is int:
        number = value
    elif kind is str:
        if not value:
            return None
        if not _DIGITS(value):
            return UNREADABLE
        number = int(value)
    # The magnitude comes first: 1E+999999 as an int would fill the memory.
    elif (
        kind is Decimal
        and value.is_finite()
        and value.adjusted() < _INTEGER_DIGITS
        and value == value.to_integral_value()
    ):
        number = int(value)
    else:
        return UNREADABLE
    return number if -_INTEGERS <= number < _INTEGERS else UNREADABLE


def _number(value: Json) -> Json:
    kind = type(value)
    if kind is int:
        return value if abs(value) < 10**_MAGNITUDE else UNREADABLE
    if kind is str:
        if not value:
            return None
        if _PLAIN_DECIMAL(value):
            return Decimal(value)
        if not _DECIMAL(value):
            return UNREADABLE
        value = Decimal(value)
    elif kind is not Decimal or not value.is_finite():
        return UNREADABLE
    return value if abs(value.adjusted()) < _MAGNITUDE else UNREADABLE


def _boolean(value: Json) -> Json:
    kind = type(value)
    if kind is bool:
        return value
    if kind is str:
        return _BOOLEAN_WORDS.get(value.lower(), UNREADABLE)
    return bool(value) if kind is int and value in {0, 1} else UNREADABLE


def _date(value: Json) -> Json:
    if type(value) is not str:
        return UNREADABLE
    if _PLAIN_DAY(value):
        return value
    if not value:
        return None
    day = _ANY_DAY(value)
    return day[1] if day and _is_day(day[1]) else UNREADABLE


def _timestamp(value: Json) -> Json:
    if type(value) is not str:
        return UNREADABLE
    if _PLAIN_TIMESTAMP(value):
        return value
    if not value:
        return None
    timestamp = _ANY_TIMESTAMP(value)
    if not timestamp or not _is_day(timestamp[1]):
        return UNREADABLE
    return value.replace(" ", "T")


def _is_day(text: str) -> bool:
    """Whether the calendar has this `YYYY-MM-DD`."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def json_text(value: Json) -> str:
    """Write any value as JSON text."""
    return _ENCODER.encode(value).decode()


def refuse(_: Json) -> Json:
    """Take nothing: a value that would carry what is deselected."""
    return UNREADABLE


def nothing(_: Json) -> None:
    """Make null of any value: an object of which nothing is selected."""
    return


SCALARS: dict[tuple[str, str | None], Cast] = {
    ("string", None): text,
    ("string", "date"): _date,
    ("string", "date-time"): _timestamp,
    ("integer", None): _integer,
    ("number", None): _number,
    ("boolean", None): _boolean,
}
