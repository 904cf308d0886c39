"""Where rows go: RECORD lines, or files that BATCH messages name."""

from __future__ import annotations

import typing as t
from collections import defaultdict

from singer_sdk.batch import Batcher
from singer_sdk.helpers._batch import SDKBatchMessage
from singer_sdk.singerlib.messages import ActivateVersionMessage, RecordMessage

from tap_drchrono.errors import SettingsError

if t.TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator

    from singer_sdk import metrics
    from singer_sdk.helpers._batch import BatchConfig
    from singer_sdk.singerlib.messages import Message

    Row: t.TypeAlias = dict[str, t.Any]
    Write: t.TypeAlias = Callable[[Message], None]


class Sink(t.Protocol):
    """Takes the rows of one stream."""

    def put(self, rows: Iterable[tuple[str, Row]], extracted_at: dt.datetime) -> None:
        """Take the rows of one record.

        Args:
            rows: The name to go out under, and the row.
            extracted_at: When its page was read.
        """

    def flush(self, *, last: bool = False) -> bool:
        """Say whether a STATE may cover all that was put.

        Args:
            last: Whether to put out what waits for more.
        """

    def complete(self) -> None:
        """Take note that the stream was read whole, and all of it was put."""


class RecordLines:
    """Writes each row as a RECORD message."""

    def __init__(self, write: Write, version: int | None) -> None:
        """Remember how to write.

        Args:
            write: Writes a message.
            version: The version under which its rows go out, so that targets can tell
                them from older ones; None for none.
        """
        self._write = write
        self._version = version
        self._names: set[str] = set()

    def put(self, rows: Iterable[tuple[str, Row]], extracted_at: dt.datetime) -> None:
        """Write the rows of one record.

        Args:
            rows: The name to go out under, and the row.
            extracted_at: When its page was read.
        """
        for name, row in rows:
            self._write(RecordMessage(name, row, self._version, extracted_at))
            self._names.add(name)

    def flush(self, *, last: bool = False) -> bool:
        """Say that all rows are out.

        Args:
            last: Makes no difference.
        """
        del last
        return True

    def complete(self) -> None:
        """Let targets drop the rows that did not come with this version.

        Not where no row came: DrChrono leaves records out without a word where a
        scope is missing, and the table would be emptied.
        """
        if self._version is not None:
            for name in sorted(self._names):
                self._write(ActivateVersionMessage(name, self._version))


class BatchFiles:
    """Collects rows into files that hold exactly what RECORD messages would.

    The SDK writes raw records there, deselected fields included.
    """

    def __init__(
        self, write: Write, counter: metrics.Counter, config: BatchConfig, tap_name: str
    ) -> None:
        """Start with no rows.

        Args:
            write: Writes a message.
            counter: Counts batches.
            config: Says where to, and how many rows a file holds.
            tap_name: For the files' names.
        """
        self._write = write
        self._counter = counter
        self._config = config
        self._tap_name = tap_name
        self._rows: defaultdict[str, list[Row]] = defaultdict(list)

    def put(self, rows: Iterable[tuple[str, Row]], extracted_at: dt.datetime) -> None:
        """Keep the rows of one record.

        Args:
            rows: The name to go out under, and the row.
            extracted_at: Goes into no file.
        """
        del extracted_at
        for name, row in rows:
            self._rows[name].append(row)

    def flush(self, *, last: bool = False) -> bool:
        """Write files once there are enough rows for one.

        Args:
            last: Whether fewer rows are enough as well.

        Returns:
            Whether all rows are in files.

        Raises:
            SettingsError: If the storage takes no files.
        """
        waiting = max(map(len, self._rows.values()), default=0)
        if waiting and (last or waiting >= self._config.batch_size):
            for name, rows in self._rows.items():
                for manifest in self._files(name, rows):
                    self._write(
                        SDKBatchMessage(
                            stream=name,
                            encoding=self._config.encoding,
                            manifest=manifest,
                        )
                    )
                    self._counter.increment()
            self._rows.clear()
        return not self._rows

    def complete(self) -> None:
        """Do nothing: rows in files carry no version."""

    def _files(self, name: str, rows: list[Row]) -> Iterator[list[str]]:
        """Write rows to the configured storage."""
        batcher = Batcher(self._tap_name, name, self._config)
        try:
            yield from batcher.get_batches(iter(rows))
        except Exception as error:  # noqa: BLE001 - one for each kind of storage
            msg = (
                "batch_config: no file can be written to storage.root "
                f"({type(error).__name__}). Check that it exists and may be written to."
            )
            raise SettingsError(msg) from None
