"""Numbers and names in words, as a person would say them."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Collection

_TENS = 55
"""Seconds below which a time is told in tens of seconds."""
_MINUTES = 90 * 60
"""Seconds below which a time is told in minutes."""
_HOURS = 48 * 3600
"""Seconds below which a time is told in hours."""


def counted(number: int, noun: str) -> str:
    """Write a number of things.

    Args:
        number: How many.
        noun: One of them.

    Returns:
        Such as `1 page` or `12,000 pages`.
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def named(noun: str, names: Collection[str]) -> str:
    """Write things by name.

    Args:
        noun: One of them.
        names: Their names.

    Returns:
        Such as `scope billing:read` or `scopes calendar:read, clinical:read`.
    """
    return f"{noun}{'' if len(names) == 1 else 's'} {', '.join(names)}"


def roughly(seconds: float) -> str:
    """Write a time that was estimated, with no more digits than it deserves.

    Args:
        seconds: How long.

    Returns:
        Such as `20 s`, `4 min`, `2.5 hours` or `3 days`.
    """
    if seconds < _TENS:
        return f"{max(10, 10 * round(seconds / 10))} s"
    if seconds < _MINUTES:
        return f"{max(1, round(seconds / 60))} min"
    if seconds < _HOURS:
        return f"{seconds / 3600:.1f} hours"
    return f"{seconds / 86_400:.0f} days"
