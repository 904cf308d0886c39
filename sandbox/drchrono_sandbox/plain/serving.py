"""A plain GET: which rows it lists, and where the list goes on."""

from __future__ import annotations

import datetime as dt
import typing as t
import urllib.parse
from collections.abc import Sequence

from drchrono_sandbox.parameters import is_true, read_moment
from drchrono_sandbox.plain.cursors import Cursor, CursorError, Ordering, cut
from drchrono_sandbox.plain.endpoints import PAGE_MAX, VERBOSE_PAGE_MAX

if t.TYPE_CHECKING:
    from collections.abc import Mapping

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


class _Reversed(Sequence["Row"]):
    """A sequence from its end, without a copy."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, where: t.Any) -> t.Any:  # noqa: ANN401 - Row or list of them
        if isinstance(where, slice):
            start, stop, _ = where.indices(len(self))
            rows = self._rows[len(self) - stop : len(self) - start]
            return list(rows)[::-1]
        return self._rows[len(self) - 1 - where]


class Asked(t.NamedTuple):
    """What else decides on a page.

    Attributes:
        request: The request, whose parameters the addresses repeat.
        settings: How lists are sorted and paged.
        fault: The kind of the fault that hits the page, if one does.
    """

    request: Request
    settings: Settings
    fault: str = ""

    def address(self, name: str, value: str) -> str:
        """Write the address of a page.

        Args:
            name: The parameter that tells it from the one that is asked for.
            value: Its value.

        Returns:
            A URL with all parameters of the request.
        """
        settings = self.settings
        base = (settings.next_base or self.request.base_url).rstrip("/")
        slash = "/" if settings.next_slash else ""
        parameters = sorted({**self.request.query, name: value}.items())
        query = urllib.parse.urlencode(parameters)
        return f"{base}{self.request.path}{slash}?{query}"


def list_page(query: Query, table: Table, asked: Asked) -> Listed:
    """Cut the page that a GET asks for.

    Args:
        query: What is asked for.
        table: All rows.
        asked: The request, and what else decides.

    Returns:
        The page.

    Raises:
        NoSuchPageError: If its number or its cursor is wrong.
    """
    order, falling = _ORDERS[asked.settings.plain_order]
    rows = table.view(order, by_touch=False, hidden=query.archived, since=query.since)
    if falling:
        rows = _Reversed(rows)
    if asked.settings.plain_paging == "page":
        return _by_number(rows, query.size, asked)
    return _by_cursor(rows, query.size, _ordering(order, falling=falling), asked)


def _by_cursor(
    rows: Sequence[Row], size: int, ordering: Ordering, asked: Asked
) -> Listed:
    sent = asked.request.query.get("cursor")
    if asked.fault == "short_page":
        size = max(1, size // 2)
    try:
        cursor = Cursor.read(sent) if sent else None
        page = cut(rows, ordering, cursor, size)
    except CursorError:
        message = "Invalid cursor"
        raise NoSuchPageError(message) from None
    here = cursor or Cursor()
    again = here._replace(turn=here.turn + 1)
    if asked.fault == "empty_page":
        page = page._replace(rows=[], next=again)
    if asked.fault == "next_endless":
        page = page._replace(next=page.next or again)
    return Listed(
        page.rows,
        page.next and asked.address("cursor", page.next.write()),
        page.previous and asked.address("cursor", page.previous.write()),
    )


def _by_number(rows: Sequence[Row], size: int, asked: Asked) -> Listed:
    text = asked.request.query.get("page", "1")
    number = int(text) if text.isdecimal() else 0
    start, stop = (number - 1) * size, number * size
    is_endless = asked.fault == "next_endless"
    if start < 0 or (start and start >= len(rows) and not is_endless):
        message = "Invalid page."
        raise NoSuchPageError(message)
    has_next = stop < len(rows) or is_endless
    return Listed(
        list(rows[start:stop]),
        asked.address("page", str(number + 1)) if has_next else None,
        asked.address("page", str(number - 1)) if number > 1 else None,
    )


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
