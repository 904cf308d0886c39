"""Records that are not invented: small ones, and those that a test wrote down."""

from __future__ import annotations

import typing as t

from drchrono_sandbox.endpoints import ENDPOINTS
from drchrono_sandbox.ledger.books import Effect
from drchrono_sandbox.plain.endpoints import PLAIN
from drchrono_sandbox.stamps import stamp_text
from drchrono_sandbox.tables import Row

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from drchrono_sandbox.records.forms import Record


class Lean:
    """Records of three or four small fields."""

    def record(self, stream: str, row: Row) -> Record:
        """Write a small record.

        Args:
            stream: The stream's name.
            row: The server's view of it.

        Returns:
            The record.
        """
        key = row.number + 1
        record: Record = {
            "id": str(key) if stream == "appointments" else key,
            "updated_at": stamp_text(row.updated),
            "doctor": row.version,
        }
        name = ENDPOINTS[stream].key
        if name != "id":
            record[name] = str(key) if name == "appointment" else key
        return record

    @staticmethod
    def is_hidden(stream: str, number: int) -> bool:
        """Tell that nothing is hidden."""
        del stream, number
        return False

    @staticmethod
    def scheduled(number: int, created: int) -> int:
        """Tell that nothing is scheduled."""
        del number, created
        return 0

    @staticmethod
    def follow(stream: str, action: str, number: int, stamp: int) -> Iterable[Effect]:
        """Tell that nothing else changes."""
        del stream, action, number, stamp
        return ()


class Given:
    """Records that a test wrote down, delivered as they are."""

    def __init__(self, records: Mapping[str, list[Record]]) -> None:
        """Take the records.

        Args:
            records: By stream.
        """
        self._records = records
        self._deletions: list[Record] = []

    def record(self, stream: str, row: Row) -> Record:
        """Look up a record.

        Args:
            stream: The stream's name.
            row: The server's view of it.

        Returns:
            The given record; once edited, with another `updated_at`. Added records
            are copies of given ones under another id.
        """
        given = self._records.get(stream, [])
        if stream == "line_item_deletions" and row.number >= len(given):
            deletion = self._deletions[row.number - len(given)]
            return deletion | {"created_at": stamp_text(row.created)}
        record = dict(given[row.number % len(given)]) if given else {}
        if row.number >= len(given):
            name = ENDPOINTS[stream].key
            is_text = isinstance(record.get(name, ""), str)
            record[name] = str(10**9 + row.number) if is_text else 10**9 + row.number
        if row.version or row.number >= len(given):
            record["updated_at"] = stamp_text(row.updated)
        info = PLAIN.get(stream)
        flag = info.archived if info else "deleted_flag"
        if row.version and row.hidden and flag and stream != "patients":
            record[flag] = True
        return record

    @staticmethod
    def is_hidden(stream: str, number: int) -> bool:
        """Tell that added records are not hidden."""
        del stream, number
        return False

    @staticmethod
    def scheduled(number: int, created: int) -> int:
        """Schedule added appointments when they are made."""
        del number
        return created

    def follow(
        self, stream: str, action: str, number: int, stamp: int
    ) -> Iterator[Effect]:
        """Tell that a line item's deletion is noted, and that nothing else changes."""
        if stream == "line_items" and action == "remove":
            row = Row(number=number, created=stamp, updated=stamp)
            gone = self.record(stream, row)
            self._deletions.append(
                {
                    "billing_line_item_id": gone["id"],
                    "appointment_id": gone.get("appointment"),
                }
            )
            yield Effect("line_item_deletions", "insert", len(self._deletions) - 1)
