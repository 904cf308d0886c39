"""The practice behind the API: its records, its own time, and how both move on."""

from __future__ import annotations

import datetime as dt
import time
import typing as t

from drchrono_sandbox.endpoints import ENDPOINTS, FOLLOWING, check_names
from drchrono_sandbox.history import History, sizes_of
from drchrono_sandbox.lean import LeanTable
from drchrono_sandbox.plain.endpoints import PLAIN
from drchrono_sandbox.records.given import Given, Lean
from drchrono_sandbox.records.invented import Invented
from drchrono_sandbox.stamps import DAY
from drchrono_sandbox.tables import Row, Table

if t.TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from drchrono_sandbox.ledger.books import Effect
    from drchrono_sandbox.records.forms import Record
    from drchrono_sandbox.settings import Changes

_HOUR = 3600
_CLOSES = 18 * _HOUR
_HISTORY_DAYS = 1500
_HISTORY_DAYS_AS_OF = 456
_MARKING = frozenset(
    {"appointments", *(name for name, info in PLAIN.items() if info.archived)}
)
"""Streams whose deleted records stay, with a flag."""


class Source(t.Protocol):
    """Where the content of records comes from."""

    def record(self, stream: str, row: Row) -> Record:
        """Tell what a record holds, all verbose fields included."""

    def is_hidden(self, stream: str, number: int) -> bool:
        """Tell whether a new record is archived or inactive from the start."""

    def scheduled(self, number: int, created: int) -> int:
        """Tell when a new appointment takes place."""

    def follow(
        self, stream: str, action: str, number: int, stamp: int
    ) -> Iterable[Effect]:
        """Tell what else changes when a record was changed."""


class _Tables(dict[str, Table]):
    """Tables by stream, laid out once they are used."""

    def __init__(
        self,
        tables: Mapping[str, Table],
        lay_out: Callable[[str], Mapping[str, Table]],
    ) -> None:
        super().__init__(tables)
        self._lay_out = lay_out

    def __missing__(self, name: str) -> Table:
        check_names([name])
        self.update(self._lay_out(name))
        return self[name]


def _empty(name: str) -> dict[str, Table]:
    return {name: Table(())}


class Practice:
    """The records of all streams.

    Practice time is a naive local time in whole seconds: the clock's, moved by the
    zone, and it never goes back.

    Attributes:
        tables: The rows, by stream; also of the lists that follow from the books.
        source: The content of the rows.
    """

    def __init__(  # noqa: PLR0913 - what `generate` and the others put together
        self,
        tables: Mapping[str, Table],
        source: Source,
        *,
        zone_hours: float = 0.0,
        keep_encoded: bool = True,
        newest: int = -(2**62),
        lay_out: Callable[[str], Mapping[str, Table]] = _empty,
    ) -> None:
        """Put a practice together; see `generate`, `lean` and `of`.

        Args:
            tables: The rows, by stream.
            source: The content of the rows.
            zone_hours: Practice time less UTC.
            keep_encoded: Whether encoded records are kept in memory.
            newest: Practice time in seconds that no change comes before.
            lay_out: Makes the table of a stream that is not among the tables, and
                those that go with it.
        """
        self.tables = _Tables(tables, lay_out)
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
        as_of: dt.date | None = None,
        history_days: float | None = None,
        shared: float = 0.1,
        shared_moments: int | None = None,
    ) -> Practice:
        """Invent a practice.

        Args:
            records: About how many records a bulk stream; clinical notes are a little
                fewer, since breaks have none. The plain streams have a tenth, or as
                many as their endpoint says.
            counts: Exact numbers for single streams.
            seed: Other seeds give other practices.
            now: The clock's time in seconds; nothing is younger than an hour before.
            zone_hours: Practice time less UTC.
            as_of: The last day of the records that there are at the start; the clock's
                own day if None. Only upcoming visits lie after it, and what changes
                later, which carries the clock's time.
            history_days: How many days the records are spread over; 1500 if None, and
                fifteen months where `as_of` is given, for debts of all ages.
            shared: Share of records that have their `updated_at` in common with
                others, as after a nightly job.
            shared_moments: How many such moments there are; one for about a dozen
                records if None.

        Returns:
            The practice.

        Raises:
            ValueError: If `as_of` is later than the clock's day.
        """
        sizes = sizes_of(records, counts or {})
        here = int((time.time() if now is None else now) + zone_hours * _HOUR)
        end = here - _HOUR if as_of is None else _closing(as_of, here)
        if history_days is None:
            history_days = _HISTORY_DAYS if as_of is None else _HISTORY_DAYS_AS_OF
        start = end - int(history_days * DAY)
        source = Invented(seed, sizes, start, end)
        history = History(source, sizes, (start, end), shared, shared_moments, seed)
        return cls(
            {}, source, zone_hours=zone_hours, newest=end, lay_out=history.tables
        )

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
                    _given_row(name, number, record, default)
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
            The keys of records `updated`, `inserted` and `deleted`; not of those that
            change because the books follow.
        """
        stamp = self.stamp(now)
        table = self.tables[stream]
        done: dict[str, list[t.Any]] = {"updated": [], "inserted": [], "deleted": []}
        for _ in range(int(changes.updates)):
            if (number := self._pick(stream, rng, alive=False)) is not None:
                table.update(number, stamp=stamp)
                self._follow(stream, "update", number, stamp)
                done["updated"].append(self.key(stream, table.get(number)))
        for _ in range(0 if stream in FOLLOWING else int(changes.inserts)):
            number = table.last_number + 1
            table.insert(
                stamp=stamp,
                scheduled=self.source.scheduled(number, stamp),
                hidden=stream == "patients" and self.source.is_hidden(stream, number),
            )
            self._follow(stream, "insert", number, stamp)
            done["inserted"].append(self.key(stream, table.get(number)))
        for _ in range(int(changes.deletions)):
            marks = stream in _MARKING and not changes.purge
            if (number := self._pick(stream, rng, alive=marks)) is None:
                break
            done["deleted"].append(self.key(stream, table.get(number)))
            if marks:
                table.update(number, stamp=stamp, hide=True)
                self._follow(stream, "update", number, stamp)
            else:
                table.remove(number, stamp=stamp)
                self._follow(stream, "remove", number, stamp)
        return done

    def record(self, stream: str, row: Row) -> Record:
        """Tell what a record holds, all verbose fields included.

        Args:
            stream: The stream's name.
            row: The record's row.

        Returns:
            The record; nested values are shared and must not be changed.
        """
        return self.source.record(stream, row)

    def _follow(self, stream: str, action: str, number: int, stamp: int) -> None:
        """Change what else changes with a record."""
        for effect in self.source.follow(stream, action, number, stamp):
            table = self.tables[effect.stream]
            if effect.action == "insert":
                table.insert(stamp=stamp)
            elif effect.action == "remove":
                table.remove(effect.number, stamp=stamp)
            else:
                table.touch(effect.number, stamp=stamp)

    def key(self, stream: str, row: Row) -> t.Any:  # noqa: ANN401 - int or str
        """Tell what identifies a record.

        Args:
            stream: The stream's name.
            row: The record's row.

        Returns:
            The value of the stream's key field.
        """
        return self.record(stream, row).get(ENDPOINTS[stream].key)

    def _pick(self, stream: str, rng: random.Random, *, alive: bool) -> int | None:
        table = self.tables[stream]
        for _ in range(20):
            if not len(table):
                return None
            number = table.nth_number(rng.randrange(len(table)))
            if not (alive and table.get(number).hidden):
                return number
        return None


def _closing(as_of: dt.date, here: int) -> int:
    """Tell when the practice closes on its last day; an hour ago, if that is today."""
    midnight = dt.datetime.combine(as_of, dt.time(), dt.UTC)
    day = int(midnight.timestamp())
    if day > here:
        msg = f"as_of is {as_of}, which is later than the clock's day"
        raise ValueError(msg)
    return min(day + _CLOSES, here - _HOUR)


def _given_row(stream: str, number: int, record: Record, default: int) -> Row:
    hidden = bool(record.get("deleted_flag")) or _is_inactive(record)
    time = "updated_at"
    if (info := PLAIN.get(stream)) is not None:
        hidden = bool(info.archived and record.get(info.archived))
        time = info.time
    return Row(
        number=number,
        created=default,
        updated=_seconds(record.get(time), default),
        touch=number,
        scheduled=_seconds(record.get("scheduled_time"), default),
        hidden=hidden,
    )


def _is_inactive(record: Record) -> bool:
    return record.get("patient_status") in {"I", "D"}


def _seconds(value: object, default: int) -> int:
    try:
        moment = dt.datetime.fromisoformat(str(value)).replace(tzinfo=dt.UTC)
    except ValueError:
        return default
    return int(moment.timestamp())
