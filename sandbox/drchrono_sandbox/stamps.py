"""Times as the API writes them, and addresses that are signed anew on each read."""

from __future__ import annotations

import datetime as dt

DAY = 86_400

SIGNATURE = "__SIGNATURE__"
"""Stands for the part of a signed URL that changes on each read."""


def stamp_text(seconds: int) -> str:
    """Write a practice time as the API does.

    Args:
        seconds: Since 1970 on the practice's own clock.

    Returns:
        ISO 8601 without a zone.
    """
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")


def day_text(seconds: int) -> str:
    """Write the day of a practice time.

    Args:
        seconds: Since 1970 on the practice's own clock.

    Returns:
        Such as `2024-01-05`.
    """
    return stamp_text(seconds)[:10]


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
