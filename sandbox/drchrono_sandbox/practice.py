"""The practice behind the API: its records, its own time, and how both move on."""

from __future__ import annotations

import datetime as dt
import time
import typing as t

from drchrono_sandbox.draw import Draw
from drchrono_sandbox.records import BREAK_EVERY, DAY, Given, Invented, Lean, Record
from drchrono_sandbox.streams import STREAMS
from drchrono_sandbox.tables import LeanTable, Row, Table

if t.TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from drchrono_sandbox.settings import Changes

_HOUR = 3600


class Source(t.Protocol):
    """Where the content of records comes from."""

    def record(self, stream: str, row: Row) -> Record:
        """Tell what a record holds, all verbose fields included."""

    def is_hidden(self, stream: str, number: int) -> bool:
        """Tell whether a new record is archived or inactive from the start."""

    def scheduled(self, number: int, created: int) -> int:
        """Tell when a new appointment takes place."""


class Practice:
    """The records of all streams.

    Practice time is a naive local time in whole seconds: the clock's, moved by the
    zone, and it never goes back.

    Attributes:
        tables: The rows, by stream.
        source: The content of the rows.
    """

    def __init__(
        self,
        tables: Mapping[str, Table],
        source: Source,
        *,
        zone_hours: float = 0.0,
        keep_encoded: bool = True,
        newest: int = -(2**62),
    ) -> None:
        """Put a practice together; see `generate`, `lean` and `of`.

        Args:
            tables: The rows, by stream; streams that are missing are empty.
            source: The content of the rows.
            zone_hours: Practice time less UTC.
            keep_encoded: Whether encoded records are kept in memory.
            newest: Practice time in seconds that no change comes before.
        """
        self.tables = {name: tables.get(name) or Table(()) for name in STREAMS}
        self.source = source
        self._zone = zone_hours * _HOUR
        self._last = newest
        self.keep_encoded = keep_encoded

    @classmethod
    def generate(  # noqa: PLR0913 - each argument is one trait of the practice
        cls,
        *,
        records: int = 3000,
        counts: Mapping[str, int] | None = None,
        seed: int = 0,
        now: float | None = None,
        zone_hours: float = 0.0,
        history_days: float = 1500,
        shared: float = 0.1,
        shared_moments: int | None = None,
    ) -> Practice:
        """Invent a practice.

        Args:
            records: About how many records a stream; clinical notes are a little
                fewer, since breaks have none.
            counts: Exact numbers for single streams.
            seed: Other seeds give other practices.
            now: The clock's time in seconds; nothing is younger than an hour before.
            zone_hours: Practice time less UTC.
            history_days: How many days the update times are spread over.
            shared: Share of records that have their `updated_at` in common with
                others, as after a nightly job.
            shared_moments: How many such moments there are; one for about a dozen
                records if None.

        Returns:
            The practice.
        """
        sizes = dict.fromkeys(STREAMS, records) | dict(counts or {})
        if "clinical_notes" not in (counts or {}):
            visits = sizes["appointments"] - sizes["appointments"] // BREAK_EVERY
            sizes["clinical_notes"] = visits
        end = int((time.time() if now is None else now) + zone_hours * _HOUR) - _HOUR
        start = end - int(history_days * DAY)
        source = Invented(seed, sizes, start)
        tables = {
            name: Table(
                _history(
                    source,
                    name,
                    sizes[name],
                    span=(start, end),
                    shared=shared,
                    moments=shared_moments,
                    seed=seed,
                )
            )
            for name in STREAMS
        }
        return cls(tables, source, zone_hours=zone_hours, newest=end)

    @classmethod
    def lean(
        cls,
        stream: str,
        records: int,
        *,
        now: float | None = None,
        history_days: float = 1500,
    ) -> Practice:
        """Set up one stream of many tiny records that are made on the fly.

        Args:
            stream: The stream's name; the others are empty.
            records: How many, a million and more.
            now: The clock's time in seconds; nothing is younger than an hour before.
            history_days: How many days the update times are spread over, evenly.

        Returns:
            The practice; it takes hardly any memory.
        """
        end = int(time.time() if now is None else now) - _HOUR
        table = LeanTable(records, first=end - int(history_days * DAY), last=end)
        return cls({stream: table}, Lean(), keep_encoded=False, newest=end)

    @classmethod
    def of(
        cls,
        records: Mapping[str, Sequence[Mapping[str, t.Any]]],
        *,
        now: float | None = None,
    ) -> Practice:
        """Serve given records as they are.

        Args:
            records: By stream. Their order is that of their internal ids; where
                `updated_at` can't be read, it counts as a day before now. A text
                like `@number:1.50` goes out as a JSON number with those digits.
            now: The clock's time in seconds.

        Returns:
            The practice.
        """
        given = {
            name: [dict(record) for record in rows] for name, rows in records.items()
        }
        default = int(time.time() if now is None else now) - DAY
        tables = {
            name: Table(
                [
                    _given_row(number, record, default)
                    for number, record in enumerate(rows)
                ]
            )
            for name, rows in given.items()
        }
        return cls(tables, Given(given))

    def stamp(self, now: float) -> int:
        """Tell practice time for the next change.

        Args:
            now: The clock's time in seconds.

        Returns:
            Seconds on the practice's own clock; never less than before.
        """
        self._last = max(self._last, int(now + self._zone))
        return self._last

    def change(
        self, stream: str, changes: Changes, rng: random.Random, now: float
    ) -> dict[str, list[t.Any]]:
        """Let people work.

        Args:
            stream: Where.
            changes: How much: whole numbers are used.
            rng: Picks the records.
            now: The clock's time in seconds.

        Returns:
            The keys of records `updated`, `inserted` and `deleted`.
        """
        stamp = self.stamp(now)
        table = self.tables[stream]
        done: dict[str, list[t.Any]] = {"updated": [], "inserted": [], "deleted": []}
        for _ in range(int(changes.updates)):
            if (number := self._pick(stream, rng, alive=False)) is not None:
                table.update(number, stamp=stamp)
                done["updated"].append(self.key(stream, table.get(number)))
        for _ in range(int(changes.inserts)):
            number = table.last_number + 1
            table.insert(
                stamp=stamp,
                scheduled=self.source.scheduled(number, stamp),
                hidden=stream == "patients" and self.source.is_hidden(stream, number),
            )
            done["inserted"].append(self.key(stream, table.get(number)))
        for _ in range(int(changes.deletions)):
            marks = stream == "appointments" and not changes.purge
            if (number := self._pick(stream, rng, alive=marks)) is None:
                break
            done["deleted"].append(self.key(stream, table.get(number)))
            if marks:
                table.update(number, stamp=stamp, hide=True)
            else:
                table.remove(number)
        return done

    def key(self, stream: str, row: Row) -> t.Any:  # noqa: ANN401 - int or str
        """Tell what identifies a record.

        Args:
            stream: The stream's name.
            row: The record's row.

        Returns:
            The value of the stream's key field.
        """
        return self.source.record(stream, row).get(STREAMS[stream].key)

    def _pick(self, stream: str, rng: random.Random, *, alive: bool) -> int | None:
        table = self.tables[stream]
        for _ in range(20):
            if not len(table):
                return None
            number = table.nth_number(rng.randrange(len(table)))
            if not (alive and table.get(number).hidden):
                return number
        return None


def _history(  # noqa: PLR0913 - see Practice.generate
    source: Invented,
    stream: str,
    count: int,
    *,
    span: tuple[int, int],
    shared: float,
    moments: int | None,
    seed: int,
) -> list[Row]:
    """Lay out when the records of a stream were made and last touched."""
    start, end = span
    length = end - start
    groups = max(1, int(count * shared) // 12 if moments is None else moments)
    rows = []
    for number in range(count):
        draw = Draw(seed, 55, list(STREAMS).index(stream), number)
        created = start + length * number // max(1, count)
        updated = created + draw.below(end - created + 1)
        if draw.below(10_000) < shared * 10_000:
            updated = start + length * (draw.below(groups) + 1) // groups
            created = min(created, updated)
        rows.append(
            Row(
                number=number,
                created=created,
                updated=updated,
                touch=draw.below(2**40),
                scheduled=(
                    source.scheduled(number, created) if stream == "appointments" else 0
                ),
                hidden=source.is_hidden(stream, number),
            )
        )
    return rows


def _given_row(number: int, record: Record, default: int) -> Row:
    return Row(
        number=number,
        created=default,
        updated=_seconds(record.get("updated_at"), default),
        touch=number,
        scheduled=_seconds(record.get("scheduled_time"), default),
        hidden=bool(record.get("deleted_flag")) or _is_inactive(record),
    )


def _is_inactive(record: Record) -> bool:
    return record.get("patient_status") in {"I", "D"}


def _seconds(value: object, default: int) -> int:
    try:
        moment = dt.datetime.fromisoformat(str(value)).replace(tzinfo=dt.UTC)
    except ValueError:
        return default
    return int(moment.timestamp())
