"""The read-only OAuth scopes that each stream needs."""

from __future__ import annotations

import typing as t
from types import MappingProxyType

if t.TYPE_CHECKING:
    from collections.abc import Mapping

SCOPES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "appointments": frozenset({"calendar:read", "clinical:read"}),
        "patients": frozenset({"patients:read"}),
        "line_items": frozenset({"billing:read"}),
        "transactions": frozenset({"billing:read"}),
        "prescription_messages": frozenset({"clinical:read"}),
        "eligibility_checks": frozenset(
            {"calendar:read", "clinical:read", "patients:read"}
        ),
        "clinical_notes": frozenset({"clinical:read"}),
        "clinical_note_field_values": frozenset(
            {"calendar:read", "clinical:read", "patients:read"}
        ),
    }
)
"""Scopes by stream, as DrChrono documents them for the stream's endpoint."""

ALL_SCOPES: frozenset[str] = frozenset().union(*SCOPES.values())
"""What a grant must hold so that all streams can be read."""


def missing_scopes(granted: frozenset[str]) -> dict[str, frozenset[str]]:
    """Name the streams that a grant is not enough for.

    Args:
        granted: The scopes of the grant.

    Returns:
        By stream, the scopes that are lacking; streams without a lack are left out.
    """
    return {
        stream: lacking
        for stream, needed in SCOPES.items()
        if (lacking := needed - granted)
    }
