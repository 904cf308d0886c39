"""Invented plain records: each one is a function of its number."""

from __future__ import annotations

import typing as t

from drchrono_sandbox.draw import Draw
from drchrono_sandbox.plain.endpoints import PLAIN
from drchrono_sandbox.plain.shapes import SHAPES
from drchrono_sandbox.plain.values import Making, Visit, maker_of
from drchrono_sandbox.references import References, key_of

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from drchrono_sandbox.tables import Row

_SEEDS = {name: 1000 + number for number, name in enumerate(PLAIN)}
_ARCHIVED_EVERY = 6


class PlainRecords:
    """The plain records of an invented practice."""

    def __init__(
        self, seed: int, ids: References, visit_of: Callable[[Draw], Visit]
    ) -> None:
        """Set up the records.

        Args:
            seed: Other seeds give other practices.
            ids: Whose records they refer to.
            visit_of: Draws an appointment that has a patient.
        """
        self._seed = seed
        self._ids = ids
        self._visit_of = visit_of
        self._makers: dict[str, Callable[[Making], dict[str, t.Any]]] = {}

    def record(self, stream: str, row: Row) -> dict[str, t.Any]:
        """Invent a record with all its fields, verbose ones too.

        Args:
            stream: The stream's name.
            row: The server's view of it.

        Returns:
            The record.
        """
        if stream not in self._makers:
            self._makers[stream] = maker_of(PLAIN[stream])
        draw = Draw(self._seed, _SEEDS[stream], row.number)
        making = Making(
            row=row,
            key=key_of(stream, row.number),
            draw=draw,
            edit=Draw(self._seed, _SEEDS[stream], row.number, row.version),
            ids=self._ids,
            visit=self._visit_of(draw),
            doctor=self._ids.pick("doctors", draw),
        )
        record = self._makers[stream](making)
        if (shape := SHAPES.get(stream)) is not None:
            record.update(shape(making))
        return record

    def is_hidden(self, stream: str, number: int) -> bool:
        """Tell whether a record is archived from the start.

        Args:
            stream: The stream's name.
            number: The record's number.

        Returns:
            Whether it is.
        """
        if not PLAIN[stream].archived:
            return False
        return Draw(self._seed, _SEEDS[stream], number, 51).one_in(_ARCHIVED_EVERY)
