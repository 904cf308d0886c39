"""How many records an invented practice has, and when each was made and touched."""

from __future__ import annotations

import typing as t

from drchrono_sandbox.draw import Draw
from drchrono_sandbox.endpoints import SEEDS, check_names
from drchrono_sandbox.ledger.calendar import BREAK_EVERY
from drchrono_sandbox.plain.endpoints import PLAIN
from drchrono_sandbox.records.money import MONEY
from drchrono_sandbox.streams import STREAMS
from drchrono_sandbox.tables import Row, Table

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from drchrono_sandbox.records.invented import Invented

_FEW = 6
_NEXT_MOMENTS = 8
_DATED = ("line_items", "transactions")
_NEVER_EDITED = frozenset({"line_item_deletions"})


def sizes_of(records: int, counts: Mapping[str, int]) -> dict[str, int]:
    """Tell how many records the streams of a practice have.

    Args:
        records: About how many records a stream.
        counts: Exact numbers of single streams.

    Returns:
        The numbers by stream; of patient payments and EOBs, which follow from the
        books, only where they are asked for.

    Raises:
        ValueError: If a stream is unknown.
    """
    check_names(counts)
    few = max(_FEW, records // 10)
    sizes = dict.fromkeys(STREAMS, records)
    sizes |= {name: info.rows or few for name, info in PLAIN.items()}
    del sizes["patient_payments"], sizes["eobs"]
    sizes |= counts
    if "users" not in counts:
        sizes["users"] = sizes["doctors"] + sizes["staff"]
    if "clinical_notes" not in counts:
        visits = sizes["appointments"]
        sizes["clinical_notes"] = visits - visits // BREAK_EVERY
    return sizes


class History(t.NamedTuple):
    """Lays out the rows of a practice.

    Attributes:
        source: The records.
        sizes: How many there are, by stream.
        span: Practice time of the oldest and the newest one.
        shared: See `Practice.generate`.
        moments: See `Practice.generate`.
        seed: See `Practice.generate`.
    """

    source: Invented
    sizes: Mapping[str, int]
    span: tuple[int, int]
    shared: float
    moments: int | None
    seed: int

    def tables(self, stream: str) -> dict[str, Table]:
        """Lay out a stream.

        Args:
            stream: Its name.

        Returns:
            Its rows; where it shows the books, those of all streams that do, since a
            change of one of them changes the others.
        """
        names = MONEY if stream in MONEY else (stream,)
        return {name: Table(self._laid_out(name)) for name in names}

    def _laid_out(self, stream: str) -> list[Row]:
        if stream == "patient_payments":
            return self._payments()
        if stream == "eobs":
            return self._eobs()
        return self._rows(stream, self.sizes[stream])

    def _rows(self, stream: str, count: int) -> list[Row]:
        start, end = self.span
        length = end - start
        asked = int(count * self.shared) // 12 if self.moments is None else self.moments
        groups = max(1, asked)
        shared = self.shared * 10_000
        seed, place = self.seed, SEEDS[stream]
        is_dated, is_visit = stream in _DATED, stream == "appointments"
        is_edited = stream not in _NEVER_EDITED
        rows = []
        for number in range(count):
            draw = Draw(seed, 55, place, number)
            nominal = created = earliest = start + length * number // count
            if is_dated:
                created, earliest = self._dated(stream, number)
            updated = earliest + draw.below(end - earliest + 1)
            if draw.below(10_000) < shared:
                moment = draw.below(groups)
                if is_dated:
                    # A nightly job that touched it came after what it shows.
                    first = min(groups - 1, (earliest - start) * groups // length)
                    moment = first + draw.below(min(_NEXT_MOMENTS, groups - first))
                updated = start + length * (moment + 1) // groups
                created = min(created, updated)
            rows.append(
                Row(
                    number=number,
                    created=created,
                    updated=updated if is_edited else created,
                    touch=draw.below(2**40),
                    scheduled=self.source.scheduled(number, nominal) if is_visit else 0,
                    hidden=self.source.is_hidden(stream, number),
                )
            )
        return rows

    def _dated(self, stream: str, number: int) -> tuple[int, int]:
        """Tell when a record was made, and since when it shows what it shows."""
        books = self.source.books
        if stream == "line_items":
            return books.entered(number), books.settled(number)
        at = books.transactions.entry(number).at
        return at, at

    def _payments(self) -> list[Row]:
        payments = self.source.books.payments
        paid = (payments.entry(number).at for number in range(len(payments)))
        return [
            Row(number=number, created=at, updated=at, touch=number)
            for number, at in enumerate(paid)
        ]

    def _eobs(self) -> list[Row]:
        books = self.source.books
        rows = []
        for number in range(len(books.checks)):
            members = books.checks.members(number)
            times = [books.transactions.entry(one).at for one in members]
            created, updated = min(times), max(times)
            rows.append(
                Row(number=number, created=created, updated=updated, touch=number)
            )
        return rows
