"""What may be said of a value: its form, never the value itself.

The report can be shared, so all that it says of records goes through here: pattern
classes, shares in whole percent, rough counts, and names that are no data.
"""

from __future__ import annotations

import re
import typing as t
from decimal import Decimal

if t.TYPE_CHECKING:
    from collections.abc import Iterable

_TEXTS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.ASCII))
    for name, pattern in (
        ("digits", r"-?\d+"),
        ("digits_8digits", r"\d+_\d{8}"),
        ("0.00 text", r"-?\d+\.\d+"),
        ("date", r"\d{4}-\d{2}-\d{2}"),
        ("naive seconds", r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}"),
        ("naive seconds with a space", r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}"),
        ("naive fractions", r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}\.\d+"),
        (
            "time with a zone",
            r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})",
        ),
    )
)
_NAME = re.compile(r"[a-z][a-z_]*[a-z](_?\d{1,2})?(_[a-z]+)*", re.ASCII)
_LONGEST_NAME = 40
UNNAMED = "a name that looks like data"


def form(value: object) -> str:
    """Name the form of a value.

    Args:
        value: Any JSON value, decoded.

    Returns:
        One of a fixed set of words.
    """
    match value:
        case None:
            found = "null"
        case bool():
            found = "true or false"
        case int():
            found = "whole number"
        case float() | Decimal():
            found = "number"
        case dict():
            found = "object"
        case list():
            found = "list"
        case "":
            found = "empty text"
        case str():
            known = (name for name, pattern in _TEXTS if pattern.fullmatch(value))
            found = next(known, "text")
        case _:
            found = "something else"
    return found


def rough(count: int) -> str:
    """Say how many, without a practice's exact size.

    Args:
        count: A number of records, zero or more.

    Returns:
        Such as `0`, `1-9`, `10-99` or `1,000-9,999`.
    """
    if count <= 0:
        return "0"
    low = 10 ** (len(str(count)) - 1)
    return f"{low:,}-{low * 10 - 1:,}"


def share(part: int, whole: int) -> str:
    """Write a share in whole percent; `-` where there is nothing to compare."""
    return "-" if not whole else f"{round(100 * part / whole)} %"


def name_of(name: str, known: Iterable[str] = ()) -> str:
    """Name a field or a key, unless its name may itself be data.

    Args:
        name: The name, as it came.
        known: Names that DrChrono documents.

    Returns:
        The name, or a word in its place.
    """
    if name in known:
        return name
    is_name = len(name) <= _LONGEST_NAME and _NAME.fullmatch(name)
    return name if is_name else UNNAMED
