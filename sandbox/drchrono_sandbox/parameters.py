"""The query parameters of a POST: accepted, refused or ignored."""

from __future__ import annotations

import datetime as dt
import typing as t

from drchrono_sandbox.lists import Query
from drchrono_sandbox.streams import PAGE_MAX

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from drchrono_sandbox.settings import Settings
    from drchrono_sandbox.streams import StreamInfo
    from drchrono_sandbox.tables import Order

_HOUR = 3600
_PAGE_SIZE = 100
"""Records a page where a POST does not say."""
_DATE_LENGTH = len("2024-01-05")
_ZONE_SIGNS = ("Z", "z", "+")
_BAD_DATE = "Enter a valid date in the format YYYY-MM-DD."


class ParameterError(Exception):
    """A parameter that is refused with status 400."""

    def __init__(self, field: str, message: str) -> None:
        """Say what is wrong.

        Args:
            field: The parameter.
            message: What is wrong with it.
        """
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


def read_query(
    info: StreamInfo, values: Mapping[str, str], settings: Settings
) -> Query:
    """Read the parameters of a POST. Unknown ones are ignored.

    Args:
        info: The endpoint.
        values: The query parameters.
        settings: What is accepted.

    Returns:
        What is asked for.

    Raises:
        ParameterError: If a parameter is refused.
    """
    page_size = _number("page_size", values, info.page_size_max, _PAGE_SIZE)
    if settings.page_size_cap is not None:
        page_size = min(page_size, settings.page_size_cap)
    return Query(
        page=_number("page", values, PAGE_MAX, 1),
        page_size=page_size,
        order=_order(info, values, settings),
        since=_since(values, settings),
        hidden=_includes_hidden(info, values, settings),
        verbose=is_true(values.get("verbose", "")),
        descending=settings.descending == "honoured"
        and values.get("order_by", "").startswith("-"),
    )


def is_true(text: str) -> bool:
    """Read a flag.

    Args:
        text: As it was sent.

    Returns:
        Whether it is set.
    """
    return text.lower() in {"true", "1"}


def _refuse(field: str, message: str) -> t.NoReturn:
    raise ParameterError(field, message)


def _number(name: str, values: Mapping[str, str], top: int, default: int) -> int:
    if name not in values:
        return default
    try:
        number = int(values[name])
    except ValueError:
        _refuse(name, "A valid integer is required.")
    if number < 1:
        _refuse(name, "Ensure this value is greater than or equal to 1.")
    if number > top:
        _refuse(name, f"Ensure this value is less than or equal to {top}.")
    return number


def _order(info: StreamInfo, values: Mapping[str, str], settings: Settings) -> Order:
    order = values.get("order_by") or info.orders[0]
    if settings.descending != "refused":
        order = order.removeprefix("-")
    if order not in info.orders:
        _refuse("order_by", f"Valid options include {list(info.orders)}.")
    return "unsorted" if settings.ignore_order_by else t.cast("Order", order)


def _since(values: Mapping[str, str], settings: Settings) -> int:
    text = values.get("since", "")
    if not text:
        _refuse("since", "This field is required.")
    if len(text) != _DATE_LENGTH and not settings.since_timestamps:
        _refuse("since", _BAD_DATE)
    return read_moment("since", text, settings.since_shift_hours)


def read_moment(name: str, text: str, shift_hours: float) -> int:
    """Read a date, or a timestamp without a zone.

    Args:
        name: The parameter.
        text: As it was sent.
        shift_hours: How much later than practice time it is understood.

    Returns:
        Practice time in seconds.

    Raises:
        ParameterError: If it is neither.
    """
    if any(sign in text for sign in _ZONE_SIGNS):
        _refuse(name, _BAD_DATE)
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        _refuse(name, _BAD_DATE)
    if moment.tzinfo is not None:
        _refuse(name, _BAD_DATE)
    seconds = int(moment.replace(tzinfo=dt.UTC).timestamp())
    return seconds + int(shift_hours * _HOUR)


def _includes_hidden(
    info: StreamInfo, values: Mapping[str, str], settings: Settings
) -> bool:
    if info.name == "appointments":
        return is_true(values.get("show_archived", ""))
    if settings.show_inactive == "honoured":
        return is_true(values.get("show_inactive", ""))
    return settings.show_inactive == "always"
