"""What a run came to: a table, written at its end, however it ends."""

from __future__ import annotations

import functools
import textwrap
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH = 80
"""Columns of the table, after the log's own prefix."""

_HEAD = ("stream", "records", "pages", "requests", "seconds", "bookmark")
_TROUBLE = "trouble"
"""The last column, where any stream had some."""
_DAY = 10
"""Characters of a bookmark's date."""


class Tally(t.NamedTuple):
    """What the reading of a stream has cost so far.

    Attributes:
        records: Records that went out.
        pages: Pages that were read.
        seconds: How long it took, waits included.
    """

    records: int = 0
    pages: int = 0
    seconds: float = 0.0

    def plus(self, other: Tally) -> Tally:
        """Add what something else has cost.

        Args:
            other: A further try, or another stream.
        """
        return Tally(
            self.records + other.records,
            self.pages + other.pages,
            self.seconds + other.seconds,
        )


class Row(t.NamedTuple):
    """One stream.

    Attributes:
        stream: Its name.
        tally: What it cost; None if it was not begun.
        requests: Requests that were sent for it.
        bookmark: The bookmark in the last STATE; None for none.
        trouble: What went wrong, in a word.
        why: The same in a sentence.
    """

    stream: str
    tally: Tally | None
    requests: int
    bookmark: str | None = None
    trouble: str = ""
    why: str = ""


def table(rows: Sequence[Row]) -> list[str]:
    """Write the table.

    Args:
        rows: The streams, in the order of the sync.

    Returns:
        Its lines: the first names the columns; every other one begins with a stream's
        name, but for the sum of several streams.
    """
    cells = [_cells(row, ",") for row in rows]
    if len(rows) > 1:
        cells.append(_sum(rows, ","))
    head = (*_HEAD, _TROUBLE if any(row.trouble for row in rows) else "")
    lines = _aligned([head, *cells])
    if max(map(len, lines)) > WIDTH:
        cells = [tuple(cell.replace(",", "") for cell in one) for one in cells]
        lines = _aligned([head, *cells])
    explained = [line for row in rows for line in _explained(row)]
    return [*lines, *explained]


def _cells(row: Row, mark: str) -> tuple[str, ...]:
    """Write one stream's cells."""
    tally = row.tally
    numbers = (tally.records, tally.pages, row.requests) if tally else (0, 0, 0)
    told = [f"{number:{mark}}" if tally else "-" for number in numbers]
    seconds = f"{tally.seconds:{mark}.0f}" if tally else "-"
    return (row.stream, *told, seconds, (row.bookmark or "-")[:_DAY], row.trouble)


def _sum(rows: Sequence[Row], mark: str) -> tuple[str, ...]:
    """Write the last row's cells."""
    whole = functools.reduce(
        Tally.plus, (row.tally for row in rows if row.tally), Tally()
    )
    requests = sum(row.requests for row in rows if row.tally)
    return (*_cells(Row("all", whole, requests), mark)[:-2], "", "")


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Put cells under each other: words to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        " ".join(
            cell.rjust(width) if 0 < index < len(_HEAD) - 1 else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _explained(row: Row) -> Iterator[str]:
    """Say what went wrong with a stream, in its first sentence."""
    name = f"{row.stream}: "
    sentence = row.why.removeprefix(name).split(". ", 1)[0].rstrip(".")
    for text in textwrap.wrap(sentence, WIDTH - len(name)):
        yield name + text
