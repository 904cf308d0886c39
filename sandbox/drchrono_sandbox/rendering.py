"""Records as JSON: with the fields that were asked for, and awkward where wanted."""

from __future__ import annotations

import json
import re
import secrets
import typing as t

from drchrono_sandbox.draw import Draw
from drchrono_sandbox.endpoints import ENDPOINTS, SEEDS
from drchrono_sandbox.messages import dump
from drchrono_sandbox.records.forms import NUMBER
from drchrono_sandbox.stamps import SIGNATURE

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from drchrono_sandbox.practice import Practice
    from drchrono_sandbox.records.forms import Record
    from drchrono_sandbox.settings import Settings
    from drchrono_sandbox.tables import Row

MARK_DIGITS = "8675309"
"""Begins every number-like value while marking is on."""

MARK_DATE = "1871-11-09"
"""Every date but the record's own `updated_at` while marking is on."""

_MARK_ROOM = 10**9
_MARK_BASE = int(MARK_DIGITS) * _MARK_ROOM
_DECIMAL = re.compile(rf"((?:{NUMBER})?)-?([0-9]+\.[0-9]+)")
_NUMBERS = re.compile(rb'"' + NUMBER.encode() + rb'([^"]*)"')
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SERIES = re.compile(r"([0-9]+)_[0-9]{8}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([0-9:]{8})")

_JUNK_MOMENTS = ("not a date", "", None, "2024-02-30T25:61:00", "2021-03-04", 1.5)
_JUNK_NUMBERS = ("n/a", "NaN", "1,250.00", "", None, "12.345678901234567890", True)
_JUNK_FLAGS = ("true", "no", "", None, 1)
_JUNK_OBJECTS: tuple[t.Any, ...] = ("", [], "none", 7)


class Variant(t.NamedTuple):
    """One of the forms in which the same record is delivered.

    Attributes:
        verbose: With verbose-only fields.
        with_id: With its `id`, where that isn't the key.
        with_updated_at: With its `updated_at`.
        values: Fields that have one value in all records, as a JSON object.
        odd: Share of records with junk in them.
        mark: Prefix of planted values.
    """

    verbose: bool
    with_id: bool
    with_updated_at: bool
    values: str
    odd: float
    mark: str

    @classmethod
    def of(cls, stream: str, settings: Settings, *, verbose: bool) -> Variant:
        """Choose the form.

        Args:
            stream: The stream's name.
            settings: What is set.
            verbose: Whether verbose fields were asked for.

        Returns:
            The form.
        """
        return cls(
            verbose=verbose,
            with_id=stream not in settings.without_id,
            with_updated_at=stream not in settings.without_updated_at,
            values=json.dumps(found) if (found := settings.values.get(stream)) else "",
            odd=settings.odd,
            mark=settings.mark,
        )


def encode_all(
    practice: Practice, stream: str, rows: Iterable[Row], variant: Variant
) -> bytes:
    """Encode records as a JSON array, with URLs that are signed anew.

    Args:
        practice: Whose records.
        stream: The stream's name.
        rows: Which records, in order.
        variant: In which form.

    Returns:
        UTF-8 JSON text.
    """
    body = b",".join([encode(practice, stream, row, variant) for row in rows])
    signature = secrets.token_hex(len(SIGNATURE) // 2).encode()
    return b"[" + body.replace(SIGNATURE.encode(), signature) + b"]"


def encode(practice: Practice, stream: str, row: Row, variant: Variant) -> bytes:
    """Encode one record, and keep the text for the next time.

    Args:
        practice: Whose record.
        stream: The stream's name.
        row: Which record.
        variant: In which form.

    Returns:
        UTF-8 JSON text, its URLs unsigned.
    """
    if row.encoded is not None and (known := row.encoded.get(variant)) is not None:
        return known
    text = dump(render(practice, stream, row, variant))
    if NUMBER.encode() in text:
        text = _NUMBERS.sub(rb"\1", text)
    if practice.keep_encoded:
        if row.encoded is None:
            row.encoded = {}
        row.encoded[variant] = text
    return text


def render(practice: Practice, stream: str, row: Row, variant: Variant) -> Record:
    """Give a record its form.

    Args:
        practice: Whose record.
        stream: The stream's name.
        row: Which record.
        variant: In which form.

    Returns:
        The record, its URLs unsigned.
    """
    record = practice.record(stream, row)
    info = ENDPOINTS[stream]
    if not variant.verbose:
        for name in info.verbose_only:
            record.pop(name, None)
    if not variant.with_id and info.key != "id":
        record.pop("id", None)
    if not variant.with_updated_at:
        record.pop("updated_at", None)
    if variant.values:
        record = {**record, **json.loads(variant.values)}
    if variant.odd:
        record = _odd(stream, record, row, variant.odd)
    if variant.mark:
        record = _marked(record, f"{variant.mark}{row.number}")
    return record


def _odd(stream: str, record: Record, row: Row, share: float) -> Record:
    """Put junk into a few fields, never into keys."""
    draw = Draw(99, SEEDS[stream], row.number)
    if draw.below(10_000) >= share * 10_000:
        return record
    record = dict(record)
    keys = {"id", ENDPOINTS[stream].key}
    names = sorted(set(record) - keys)
    for _ in range(3):
        name = draw.pick(names)
        record[name] = _junk(draw, record[name])
    if "updated_at" in record and draw.one_in(3):
        record["updated_at"] = draw.pick(_JUNK_MOMENTS)
    if draw.one_in(2):
        record["vendor_added"] = draw.pick(("text", 7, {"a": [1, "b"]}, None, False))
    nested = [name for name in names if isinstance(record[name], dict)]
    if nested:
        name = draw.pick(nested)
        record[name] = record[name] | {"vendor_added_inside": draw.digits(3)}
    return record


def _junk(draw: Draw, value: object) -> t.Any:  # noqa: ANN401 - junk of any kind
    if isinstance(value, bool):
        return draw.pick(_JUNK_FLAGS)
    if isinstance(value, (int, float)):
        return draw.pick(_JUNK_NUMBERS)
    if isinstance(value, (dict, list)):
        return draw.pick(_JUNK_OBJECTS)
    text = str(value)
    if _DATE.fullmatch(text) or _MOMENT.fullmatch(text):
        return draw.pick(_JUNK_MOMENTS)
    if _DECIMAL.fullmatch(text):
        return draw.pick(_JUNK_NUMBERS)
    return draw.pick((None, "", 0, text))


def _marked(record: Record, marker: str) -> Record:
    kept = {name: record[name] for name in ("updated_at",) if name in record}
    return {name: _mark(value, marker) for name, value in record.items()} | kept


def _mark(value: t.Any, marker: str) -> t.Any:  # noqa: ANN401 - by kind
    """Plant a recognisable value; numbers keep their order, references their sense."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return _MARK_BASE + value
    if isinstance(value, float):
        return float(f"{MARK_DIGITS}.{str(value).partition('.')[2]}")
    if isinstance(value, dict):
        return {name: _mark(inner, marker) for name, inner in value.items()}
    if isinstance(value, list):
        return [_mark(inner, marker) for inner in value]
    return _mark_text(str(value), marker)


def _mark_digits(text: str) -> str:
    # Short ones stay equal to the same reference that is written as a number.
    is_short = int(text) < _MARK_ROOM
    return str(_MARK_BASE + int(text)) if is_short else MARK_DIGITS + text


def _mark_text(text: str, marker: str) -> str:
    if number := _DECIMAL.fullmatch(text):
        return f"{number[1]}{MARK_DIGITS}{number[2]}"
    if _DATE.fullmatch(text):
        return MARK_DATE
    if moment := _MOMENT.fullmatch(text):
        return f"{MARK_DATE}T{moment[1]}"
    if text.isascii() and text.isdigit():
        return _mark_digits(text)
    if series := _SERIES.fullmatch(text):
        return text.replace(series[1], _mark_digits(series[1]), 1)
    return f"{text}&marker={marker}" if "://" in text else f"{marker} {text}"
