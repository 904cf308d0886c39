"""What an answer's headers say of time: the server's, and how long to wait."""

from __future__ import annotations

import email.utils
import re
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_AVAILABLE_IN = re.compile(r"available in (\d+(?:\.\d+)?) second", re.ASCII)
_EARLIEST = 1_577_836_800.0
"""2020-01-01: a `Date` before that is no clock's."""
_ABSURD = 86_400.0
"""Seconds: nobody means to be waited for longer than a day."""


def server_time(headers: Mapping[str, str]) -> float | None:
    """Read the `Date` of an answer.

    Args:
        headers: The answer's headers.

    Returns:
        Seconds since the epoch, or None if there is none that can be read.
    """
    moment = _moment(headers.get("Date", ""))
    return moment if moment is not None and moment >= _EARLIEST else None


def stated_wait(
    headers: Mapping[str, str], body: str = "", *, now: float
) -> float | None:
    """Read from a 429 or 503 how long to wait.

    Args:
        headers: The answer's headers.
        body: The answer's body, where DrChrono says it.
        now: Seconds since the epoch, for a `Retry-After` that is a date in an answer
            that has no `Date`.

    Returns:
        Seconds, more than zero; or None if the answer does not say, or nothing that
        can be meant: no time at all, or more than a day.
    """
    after = headers.get("Retry-After", "").strip()
    wait: float | None = None
    if _SECONDS.fullmatch(after):
        wait = float(after)
    elif (moment := _moment(after)) is not None:
        wait = moment - (server_time(headers) or now)
    elif match := _AVAILABLE_IN.search(body):
        wait = float(match[1])
    return wait if wait is not None and 0 < wait <= _ABSURD else None


def _moment(text: str) -> float | None:
    """Read an HTTP date."""
    try:
        return email.utils.parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, OverflowError):
        return None
