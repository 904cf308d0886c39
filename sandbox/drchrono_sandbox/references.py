"""The ids of an invented practice, and references to them that lead somewhere.

Each stream numbers its records in a range of its own, so that a reference that is
looked up in the wrong stream finds nothing.
"""

from __future__ import annotations

import typing as t
from types import MappingProxyType

from drchrono_sandbox.plain.endpoints import PLAIN
from drchrono_sandbox.streams import STREAMS

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from drchrono_sandbox.draw import Draw

_ROOM = 1_000_000
_FIRST = {name: (11 + n) * _ROOM + 1 for n, name in enumerate(PLAIN)}
_BULK_ROOM = 100 * _ROOM
_BULK_FIRST = {name: (n + 1) * _BULK_ROOM + 1 for n, name in enumerate(STREAMS)}
_ORPHAN_EVERY = 60

ORPHANS: Mapping[str, int] = MappingProxyType(
    {
        name: _FIRST[name] + _ROOM - 2
        for name in ("appointment_profiles", "clinical_note_field_types", "users")
    }
)
"""Ids that some bulk records refer to though no record has them, by stream."""


def key_of(stream: str, number: int) -> int:
    """Tell the id of a record.

    Args:
        stream: The stream's name; not for appointments, whose ids are texts.
        number: The record's number.

    Returns:
        The id.
    """
    first = _FIRST.get(stream) or _BULK_FIRST[stream]
    return first + number


class References:
    """Draws ids of records that a practice has."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        """Take the numbers of records.

        Args:
            sizes: By stream, at the start.
        """
        self.sizes = sizes

    def number(self, stream: str, draw: Draw) -> int:
        """Draw a record.

        Args:
            stream: Its stream.
            draw: What decides.

        Returns:
            Its number.
        """
        return draw.below(max(1, self.sizes[stream]))

    def pick(self, stream: str, draw: Draw) -> int:
        """Draw the id of a record, or now and then that of none.

        Args:
            stream: Its stream.
            draw: What decides.

        Returns:
            The id; one of `ORPHANS` once in a while, where the stream has one.
        """
        if stream in ORPHANS and draw.one_in(_ORPHAN_EVERY):
            return ORPHANS[stream]
        return key_of(stream, self.number(stream, draw))

    def template_of(self, number: int) -> int:
        """Tell to which clinical note template a field type belongs.

        Args:
            number: The field type's number.

        Returns:
            The template's id.
        """
        templates = max(1, self.sizes["clinical_note_templates"])
        fields = max(1, self.sizes["clinical_note_field_types"])
        return key_of(
            "clinical_note_templates", min(number, fields - 1) * templates // fields
        )
