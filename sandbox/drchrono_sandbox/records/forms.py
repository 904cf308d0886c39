"""How a record is written down before it becomes JSON."""

from __future__ import annotations

import functools
import typing as t

from drchrono_sandbox.stamps import stamp_text

Record: t.TypeAlias = dict[str, t.Any]

NUMBER = "@number:"
"""Begins a text that goes out as a JSON number with exactly the digits that follow."""


@functools.lru_cache(1 << 14)
def money_text(cents: int) -> str:
    """Write an amount as the API does.

    Args:
        cents: The amount.

    Returns:
        Such as `"-12.50"`.
    """
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def stamp_or(seconds: int | None, nothing: str | None) -> str | None:
    """Write a practice time that may be unknown.

    Args:
        seconds: Since 1970 on the practice's own clock, or None.
        nothing: What stands for None.

    Returns:
        ISO 8601 without a zone, or what stands for None.
    """
    return nothing if seconds is None else stamp_text(seconds)
