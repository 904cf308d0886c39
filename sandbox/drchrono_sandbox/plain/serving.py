"""A plain GET: which rows it lists, and where the list goes on."""

from __future__ import annotations

import datetime as dt
import typing as t
import urllib.parse

from drchrono_sandbox.parameters import is_true, read_moment
from drchrono_sandbox.plain.cursors import Cursor, CursorError, Ordering, cut
from drchrono_sandbox.plain.endpoints import PAGE_MAX, VERBOSE_PAGE_MAX

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drchrono_sandbox.messages import Request
    from drchrono_sandbox.plain.endpoints import PlainInfo
    from drchrono_sandbox.settings import Settings
    from drchrono_sandbox.tables import Row, Table


class NoSuchPageError(Exception):
    """A page or a cursor that is not there: status 404."""


class Query(t.NamedTuple):
    """What a GET asks for.

    Attributes:
        size: Rows a page.
        since: Inclusive lower bound of the time of change, practice time in seconds.
        archived: Whether archived rows are included.
        verbose: Whether verbose fields are included.
    """

    size: int
    since: int | None
    archived: bool
    verbose: bool


class Listed(t.NamedTuple):
    """A page, and the addresses of its neighbours.

    Attributes:
        rows: The rows, in order.
        next: The address of the following page, if there is one.
        previous: The address of the page before, if there is one.
    """

    rows: list[Row]
    next: str | None
    previous: str | None


def read_query(info: PlainInfo, values: Mapping[str, str], settings: Settings) -> Query:
    """Read the parameters of a GET. Unknown ones are ignored.

    Args:
        info: The endpoint.
        values: The query parameters.
        settings: What is accepted.

    Returns:
        What is asked for.

    Raises:
        ParameterError: If a parameter is refused.
    """
    verbose = is_true(values.get("verbose", ""))
    since = values.get(info.since, "") if info.since else ""
    archived = settings.archived == "listed" or (
        settings.archived == "on_request" and is_true(values.get("show_archived", ""))
    )
    return Query(
        size=_size(info, values, settings, verbose=verbose),
        since=(
            read_moment(info.since, since, settings.since_shift_hours)
            if since
            else None
        ),
        archived=archived or not info.archived,
        verbose=verbose,
    )


def _size(
    info: PlainInfo, values: Mapping[str, str], settings: Settings, *, verbose: bool
) -> int:
    """Tell the page size. One that is no number, or too large, is not complained of."""
    top = VERBOSE_PAGE_MAX if verbose else PAGE_MAX
    if settings.page_size_cap is not None:
        top = min(top, settings.page_size_cap)
    asked = values.get("page_size", "") if info.sized else ""
    size = int(asked) if asked.isdecimal() else 0
    return min(size, top) if size else top


def list_page(
    info: PlainInfo, query: Query, table: Table, request: Request, settings: Settings
) -> Listed:
    """Cut the page that a GET asks for.

    Args:
        info: The endpoint.
        query: What is asked for.
        table: All rows.
        request: The request, whose parameters the addresses repeat.
        settings: How lists are sorted and paged.

    Returns:
        The page.

    Raises:
        NoSuchPageError: If its number or its cursor is wrong.
    """
    order, falling = _ORDERS[settings.plain_order]
    rows = table.view(order, by_touch=False, hidden=query.archived, since=query.since)
    if falling:
        rows = list(rows)[::-1]
    if settings.plain_paging == "page":
        return _numbered(rows, query.size, info, request, settings)
    try:
        sent = request.query.get("cursor")
        cursor = Cursor.read(sent) if sent else None
        page = cut(rows, _ordering(order, falling=falling), cursor, query.size)
    except CursorError:
        message = "Invalid cursor"
        raise NoSuchPageError(message) from None
    return Listed(
        page.rows,
        page.next and _address(info, request, settings, "cursor", page.next.write()),
        page.previous
        and _address(info, request, settings, "cursor", page.previous.write()),
    )


def _numbered(
    rows: Sequence[Row],
    size: int,
    info: PlainInfo,
    request: Request,
    settings: Settings,
) -> Listed:
    asked = request.query.get("page", "1")
    number = int(asked) if asked.isdecimal() else 0
    start = (number - 1) * size
    if start < 0 or (start and start >= len(rows)):
        message = "Invalid page."
        raise NoSuchPageError(message)
    return Listed(
        list(rows[start : start + size]),
        _address(info, request, settings, "page", str(number + 1))
        if start + size < len(rows)
        else None,
        _address(info, request, settings, "page", str(number - 1))
        if number > 1
        else None,
    )


def _address(
    info: PlainInfo, request: Request, settings: Settings, name: str, value: str
) -> str:
    """Write the address of a page: all parameters of the request, one of them new."""
    base = settings.next_base or request.base_url
    slash = "/" if settings.next_slash else ""
    query = urllib.parse.urlencode(sorted({**request.query, name: value}.items()))
    return f"{base.rstrip('/')}{info.path}{slash}?{query}"


def _ordering(order: t.Literal["id", "updated_at"], *, falling: bool) -> Ordering:
    sign = -1 if falling else 1
    if order == "id":
        return Ordering(
            rank=lambda row: sign * row.number,
            position=lambda row: str(row.number),
            parse=lambda text: sign * int(text),
        )
    return Ordering(
        rank=lambda row: sign * row.updated,
        position=lambda row: str(dt.datetime.fromtimestamp(row.updated, dt.UTC))[:19],
        parse=lambda text: sign * _seconds(text),
    )


def _seconds(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp())


_ORDERS: Mapping[str, tuple[t.Literal["id", "updated_at"], bool]] = {
    "id": ("id", False),
    "-id": ("id", True),
    "updated_at": ("updated_at", False),
    "-updated_at": ("updated_at", True),
}
