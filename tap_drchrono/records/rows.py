"""What goes out for a record, the same in messages as in batch files."""

from __future__ import annotations

import fnmatch
import re
import typing as t

from singer_sdk.mapper import SameRecordTransform

from tap_drchrono.errors import StreamError
from tap_drchrono.records.casting import FieldOddity, compile_casting

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from singer_sdk.mapper import StreamMap
    from singer_sdk.singerlib import SelectionMask

    Record = dict[str, t.Any]

_FIELD_PATH = re.compile(r"[A-Za-z_][\w-]{0,63}(\.[A-Za-z_][\w-]{0,63})*", re.ASCII)
"""Names such as an API gives to fields; objects may also be keyed by values."""


def mapped_fields(maps: Mapping[str, t.Any] | None, stream: str) -> frozenset[str]:
    """Name the fields that a stream map touches.

    Args:
        maps: The setting `stream_maps`.
        stream: The stream.

    Returns:
        Top-level fields, which must not reach `_extra` unmapped.
    """
    return frozenset(
        field
        for pattern, fields in (maps or {}).items()
        if isinstance(fields, dict)
        and fnmatch.fnmatch(stream, fields.get("__source__", pattern))
        for field in fields
    )


class Rows:
    """Turns the raw records of one stream into what its messages hold.

    Attributes:
        count: Records that went out.
    """

    def __init__(  # noqa: PLR0913 - each is one thing to know of a stream
        self,
        stream: str,
        schema: Mapping[str, t.Any],
        *,
        mask: SelectionMask,
        withheld: Collection[str],
        maps: Collection[StreamMap],
        warn: Callable[[str], None],
    ) -> None:
        """Prepare the casting.

        Args:
            stream: The stream, for errors.
            schema: The stream's own schema.
            mask: Which fields are selected.
            withheld: Top-level fields that must not reach `_extra`.
            maps: The stream's maps; without any, the SDK's own that changes nothing.
            warn: Says something once.
        """
        (self._key,) = (
            name
            for name, field in schema["properties"].items()
            if "null" not in field["type"]
        )
        self._stream = stream
        self._maps = [(one, _columns(one)) for one in maps]
        self._warn = warn
        self._casting = compile_casting(
            schema,
            deselected=[
                path for path, selected in mask.items() if path and not selected
            ],
            withheld=withheld,
            report=self._report,
        )
        self.count = 0

    def of(self, record: Record) -> Iterator[tuple[str, Record]]:
        """Cast a record and map it.

        Args:
            record: As it came.

        Yields:
            For each map that keeps it: the name to go out under, and the row.

        Raises:
            StreamError: If a map fails on it.
        """
        cast = self._casting.cast(record)
        if cast.get(self._key) is None:
            self._warn(
                f"A record without a usable {self._key} was left out: no target could "
                "load it."
            )
            return
        self.count += 1
        for stream_map, columns in self._maps:
            alias = stream_map.stream_alias
            try:
                row = stream_map.transform(cast)
            except Exception as error:  # noqa: BLE001 - its text may hold data
                msg = (
                    f"The stream map for {self._stream} fails on a record "
                    f"({type(error).__name__}). Check stream_maps."
                )
                raise StreamError(msg) from None
            if row is not None:
                yield alias, row if columns is None else _in_order(row, columns)

    def _report(self, path: str, oddity: FieldOddity) -> None:
        """Say once that a field is odd, by name, never by value."""
        if not _FIELD_PATH.fullmatch(path):
            self._warn(
                "A field whose name may itself be a value, so that it is not shown "
                f"here, is {oddity.value}."
            )
        else:
            self._warn(
                f"Field {path} is {oddity.value}. Please report it to the tap's "
                "developers."
            )


def _columns(stream_map: StreamMap) -> tuple[str, ...] | None:
    """Return what must be in each row of a map; None where casting has seen to that."""
    is_changed = not isinstance(stream_map, SameRecordTransform)
    if is_changed or stream_map.flattening_enabled:
        return tuple(stream_map.transformed_schema["properties"])
    return None


def _in_order(row: Record, columns: tuple[str, ...]) -> Record:
    """Bring a row to the columns of its SCHEMA, with null for what it lacks.

    The SDK does not flatten a null object, and puts keys first in some maps.
    """
    return row if tuple(row) == columns else {name: row.get(name) for name in columns}
