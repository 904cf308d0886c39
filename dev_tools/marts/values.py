"""Raw values of the API as plain Python ones; an empty or blank text is no value."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal("0.00")


def as_text(value: object) -> str | None:
    """Read a text, or an id.

    Args:
        value: The raw value.

    Returns:
        The text without blanks around it, or None if nothing is left.
    """
    return None if value is None else str(value).strip(" ") or None


def as_number(value: object) -> Decimal | None:
    """Read a number.

    Args:
        value: The raw value: a number, or its text.

    Returns:
        The number with its digits, or None.
    """
    found = as_text(value)
    return None if found is None else Decimal(found)


def as_money(value: object) -> Decimal | None:
    """Read an amount.

    Args:
        value: The raw value: a number, or its text.

    Returns:
        The amount in dollars with two decimals, or None.
    """
    found = as_number(value)
    return None if found is None else in_cents(found)


def in_cents(amount: Decimal) -> Decimal:
    """Round an amount.

    Args:
        amount: Dollars.

    Returns:
        Dollars with two decimals.
    """
    return amount.quantize(ZERO, ROUND_HALF_UP)


def as_day(value: object) -> dt.date | None:
    """Read the day of a date or a timestamp.

    Args:
        value: The raw value.

    Returns:
        The day, or None.
    """
    found = as_text(value)
    return None if found is None else dt.date.fromisoformat(found[:10])


def total(*amounts: Decimal | None) -> Decimal | None:
    """Add amounts up.

    Args:
        amounts: Dollars; None if unknown.

    Returns:
        The sum, or None if one of them is unknown.
    """
    known = [amount for amount in amounts if amount is not None]
    return sum(known, ZERO) if len(known) == len(amounts) else None


def is_same(one: Decimal | None, other: Decimal | None) -> bool | None:
    """Compare amounts.

    Args:
        one: Dollars; None if unknown.
        other: Dollars; None if unknown.

    Returns:
        Whether they are the same, or None if one is unknown.
    """
    return None if one is None or other is None else one == other
