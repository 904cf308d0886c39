"""DrChrono's timestamps: compared with each other, never given a zone.

Timestamps are ISO 8601 without a zone, in whole seconds; in the wild also with a space
for the `T`, a date only, and now and then junk.
"""

from __future__ import annotations

import datetime as dt
import functools

EVERYTHING = dt.date(1970, 1, 1)
"""The `since` that means everything."""


def parse(value: object) -> dt.datetime | None:
    """Read a timestamp for comparison with others of its kind.

    Args:
        value: What the API or a state file holds.

    Returns:
        A naive datetime (in UTC if the value names a zone), or None for junk.
    """
    if not isinstance(value, str) or len(value) < len("2021-02-14"):
        return None
    return _parse(value)


@functools.lru_cache(maxsize=4096)
def _parse(text: str) -> dt.datetime | None:
    """Read a text; each is looked at several times."""
    try:
        moment = dt.datetime.fromisoformat(text.strip())
        if moment.tzinfo:
            moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    return moment


def days_before(day: dt.date, days: int) -> dt.date:
    """Go back some days, but not before the beginning.

    Args:
        day: Where to start.
        days: How many days to go back.

    Returns:
        The day, no earlier than 1970-01-01.
    """
    return max(EVERYTHING, day - dt.timedelta(min(days, (day - dt.date.min).days)))
