"""The records of an invented practice, each made from its number."""

from __future__ import annotations

import functools
import typing as t

from drchrono_sandbox.draw import Draw
from drchrono_sandbox.endpoints import SEEDS
from drchrono_sandbox.ledger.books import Books, Effect
from drchrono_sandbox.plain.endpoints import PLAIN
from drchrono_sandbox.plain.records import PlainRecords
from drchrono_sandbox.plain.values import Visit
from drchrono_sandbox.records.clinical import ClinicalRecords
from drchrono_sandbox.records.common import Common
from drchrono_sandbox.records.money import MONEY, MONEY_LISTS, MoneyRecords
from drchrono_sandbox.records.patients import PatientRecords
from drchrono_sandbox.records.visits import VisitRecords

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from drchrono_sandbox.records.forms import Record
    from drchrono_sandbox.tables import Row

_EDIT_SEED = 77


class Invented:
    """The records of an invented practice."""

    def __init__(
        self, seed: int, sizes: Mapping[str, int], start: int, end: int
    ) -> None:
        """Set up a practice.

        Args:
            seed: Other seeds give other practices.
            sizes: Records per stream at the start, for references that fit.
            start: Practice time of the oldest record, in seconds.
            end: When the practice closes on its last day, in seconds.
        """
        self._common = Common(seed, sizes, start, end)
        self._plain = PlainRecords(seed, self._common.ids, self._some_visit)
        self._patients = PatientRecords(self._common)
        self._makers: dict[str, Callable[[Row, Draw, Draw], Record]] = {
            **VisitRecords(self._common, lambda: self.books).makers,
            **self._patients.makers,
            **MoneyRecords(self._common, lambda: self.books).makers,
            **ClinicalRecords(self._common).makers,
        }

    @functools.cached_property
    def books(self) -> Books:
        """The practice's books, laid out once they are looked at."""
        return Books(self._common.calendar, self._common.sizes)

    def record(self, stream: str, row: Row) -> Record:
        """Invent a record with all its fields, verbose ones too.

        Args:
            stream: The stream's name.
            row: The server's view of it.

        Returns:
            The record; nested values are shared and must not be changed.
        """
        if stream in PLAIN and stream not in MONEY_LISTS:
            return self._plain.record(stream, row)
        seed, number = self._common.seed, row.number
        edited = Draw(seed, _EDIT_SEED, SEEDS[stream], number, row.version)
        record = self._makers[stream](row, self._common.draw(stream, number), edited)
        is_rare = number % 97 == 5  # noqa: PLR2004 - always the same few
        if is_rare and "updated_at" in record:
            record["updated_at"] = record["updated_at"].replace("T", " ")
        return record

    def is_hidden(self, stream: str, number: int) -> bool:
        """Tell whether a record is archived or inactive from the start.

        Args:
            stream: The stream's name.
            number: The record's number.

        Returns:
            Whether the default parameters leave it out.
        """
        if stream in PLAIN:
            return self._plain.is_hidden(stream, number)
        if stream == "patients":
            return self._patients.status(number) != "A"
        return stream == "appointments" and Draw(self._common.seed, 51, number).one_in(
            25
        )

    def scheduled(self, number: int, created: int) -> int:
        """Tell when an appointment takes place.

        Args:
            number: Its number.
            created: Practice time in seconds.

        Returns:
            Practice time in seconds, on a quarter of an hour.
        """
        return self._common.calendar.scheduled(number, created)

    def follow(
        self, stream: str, action: str, number: int, stamp: int
    ) -> Iterable[Effect]:
        """Tell what else changes when a record was changed; see `Books.follow`."""
        if stream not in MONEY:
            return ()
        return self.books.follow(stream, action, number, stamp)

    def _some_visit(self, draw: Draw) -> Visit:
        number = self._common.visit(draw)
        reference = self._common.reference(number, draw)
        return Visit(reference, self._common.patient_of(number))
