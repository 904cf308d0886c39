"""What goes out for a record, the same in messages as in batch files."""

from __future__ import annotations

import re
import typing as t
from collections import defaultdict
from itertools import islice

from singer_sdk.batch import Batcher
from singer_sdk.helpers._batch import SDKBatchMessage

from tap_drchrono.errors import SettingsError, StreamError
from tap_drchrono.records.casting import Oddity, compile_plan

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from singer_sdk.helpers._batch import BatchConfig
    from singer_sdk.mapper import StreamMap
    from singer_sdk.singerlib import SelectionMask

    Record = dict[str, t.Any]

_FIELD_PATH = re.compile(r"[A-Za-z_][\w-]{0,63}(\.[A-Za-z_][\w-]{0,63})*", re.ASCII)
"""Names such as an API gives to fields; objects may also be keyed by values."""


class Emission:
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
        self._maps = maps
        self._warn = warn
        self._plan = compile_plan(
            schema,
            deselected=[
                path for path, selected in mask.items() if path and not selected
            ],
            withheld=withheld,
            report=self._report,
        )
        self.count = 0

    def rows(self, record: Record) -> Iterator[tuple[str, Record]]:
        """Cast a record and map it.

        Args:
            record: As it came.

        Yields:
            For each map that keeps it: the name to go out under, and the row.

        Raises:
            StreamError: If a map fails on it.
        """
        cast = self._plan.cast(record)
        if cast.get(self._key) is None:
            self._warn(
                f"A record without a usable {self._key} was left out: no target could "
                "load it."
            )
            return
        self.count += 1
        for stream_map in self._maps:
            alias = stream_map.stream_alias
            try:
                row = stream_map.transform(cast)
            except Exception as error:  # noqa: BLE001 - its text may hold data
                msg = (
                    f"{self._stream}: the stream map for {alias} fails on a record "
                    f"({type(error).__name__}). Check stream_maps."
                )
                raise StreamError(msg) from None
            if row is not None:
                if stream_map.flattening_enabled:
                    row = _without_strays(row, stream_map.transformed_schema)
                yield alias, row

    def _report(self, path: str, oddity: Oddity) -> None:
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


def write_batches(
    records: Iterable[Record], emission: Emission, config: BatchConfig, tap_name: str
) -> Iterator[list[SDKBatchMessage]]:
    """Write batch files that hold exactly what RECORD messages would.

    The SDK writes raw records there, deselected fields included.

    Args:
        records: Raw records.
        emission: Casts and maps them.
        config: Says where to, and how many at once.
        tap_name: For the files' names.

    Yields:
        The messages for each lot of records.

    Raises:
        StreamError: If a map fails on a record.
        SettingsError: If the storage takes no files.
    """
    remaining = iter(records)
    while lot := list(islice(remaining, config.batch_size)):
        rows: defaultdict[str, list[Record]] = defaultdict(list)
        for record in lot:
            for alias, row in emission.rows(record):
                rows[alias].append(row)
        yield [
            SDKBatchMessage(stream=alias, encoding=config.encoding, manifest=manifest)
            for alias, mapped in rows.items()
            for manifest in _files(mapped, Batcher(tap_name, alias, config))
        ]


def _files(rows: list[Record], batcher: Batcher) -> Iterator[list[str]]:
    """Write rows to the configured storage.

    Raises:
        SettingsError: If it takes no files.
    """
    try:
        yield from batcher.get_batches(iter(rows))
    except Exception as error:  # noqa: BLE001 - one for each kind of storage
        msg = (
            "batch_config: no file can be written to storage.root "
            f"({type(error).__name__}). Check that it exists and may be written to."
        )
        raise SettingsError(msg) from None


def _without_strays(row: Record, schema: Mapping[str, t.Any]) -> Record:
    """Leave out nulls without a column: the SDK does not flatten a null object."""
    columns = schema["properties"]
    return {
        name: value
        for name, value in row.items()
        if value is not None or name in columns
    }
