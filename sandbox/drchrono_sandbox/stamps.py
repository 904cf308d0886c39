"""Times as the API writes them, and addresses that are signed anew on each read."""

from __future__ import annotations

import datetime as dt
import functools

DAY = 86_400
_EPOCH = dt.date(1970, 1, 1).toordinal()

SIGNATURE = "__SIGNATURE__"
"""Stands for the part of a signed URL that changes on each read."""


def stamp_text(seconds: int) -> str:
    """Write a practice time as the API does.

    Args:
        seconds: Since 1970 on the practice's own clock.

    Returns:
        ISO 8601 without a zone.
    """
    days, second = divmod(seconds, DAY)
    minute, second = divmod(second, 60)
    hour, minute = divmod(minute, 60)
    return f"{_day_text(days)}T{hour:02d}:{minute:02d}:{second:02d}"


def day_text(seconds: int) -> str:
    """Write the day of a practice time.

    Args:
        seconds: Since 1970 on the practice's own clock.

    Returns:
        Such as `2024-01-05`.
    """
    return _day_text(seconds // DAY)


@functools.lru_cache(1 << 14)
def _day_text(days: int) -> str:
    """Write a day, counted from 1970. A practice has few days and many stamps."""
    return dt.date.fromordinal(_EPOCH + days).isoformat()


def signed_url(kind: str, number: int) -> str:
    """Make up the address of a file.

    Args:
        kind: What the file shows.
        number: Which file.

    Returns:
        The address, unsigned: `SIGNATURE` stands for the signature.
    """
    return (
        f"https://media.drchrono-sandbox.invalid/{kind}/{number}"
        f"?Expires=3600&Signature={SIGNATURE}"
    )
