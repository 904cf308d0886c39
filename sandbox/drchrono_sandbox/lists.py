"""Bulk lists: posted, generated for a while, delivered, forgotten after an hour."""

from __future__ import annotations

import bisect
import dataclasses
import random
import typing as t
import uuid

from drchrono_sandbox.tables import updated_of

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from drchrono_sandbox.practice import Practice
    from drchrono_sandbox.settings import Settings
    from drchrono_sandbox.streams import StreamInfo
    from drchrono_sandbox.tables import Order, Row

_UNLISTED = (9, 4)
"""A row is unlisted if its number, divided by the first, leaves the second."""
Unlisted: t.TypeAlias = t.Literal["none", "gaps", "closed up"]
Fate: t.TypeAlias = t.Literal["", "failed", "canceled", "error", "never"]


class Query(t.NamedTuple):
    """What a POST asks for.

    Attributes:
        page: From 1.
        page_size: Records a page.
        order: By what to sort.
        since: Inclusive lower bound of the update time, practice time in seconds.
        hidden: Whether archived or inactive records are included.
        verbose: Whether verbose fields are included.
        descending: Whether the last record comes first.
    """

    page: int
    page_size: int
    order: Order
    since: int | None
    hidden: bool
    verbose: bool
    descending: bool = False


class Cut(t.NamedTuple):
    """The records of a page, as they were when the list was cut.

    Attributes:
        total: Records on all pages.
        rows: Those of this page.
        page: The page that they are, from 1.
    """

    total: int
    rows: list[Row]
    page: int = 1


@dataclasses.dataclass
class BulkList:
    """One list.

    Attributes:
        uuid: Its name.
        info: Its endpoint.
        query: What was asked for.
        posted: The clock's time in seconds.
        ready_at: When it is generated.
        cut: Its records, once they are fixed.
        polls: GETs so far.
        fate: How it fails, if it does.
        fate_status: The status code that says so.
        known_at: When it is known by its name.
        emptied: Whether its records are withheld.
        unlisted: Which of its records are counted and do not come.
        disordered: Whether its records come in reverse.
    """

    uuid: str
    info: StreamInfo
    query: Query
    posted: float
    ready_at: float
    cut: Cut | None = None
    polls: int = 0
    fate: Fate = ""
    fate_status: int = 200
    known_at: float = 0.0
    unlisted: Unlisted = "none"
    emptied: bool = False
    disordered: bool = False

    def is_ready(self, now: float) -> bool:
        """Tell whether it has been generated.

        Args:
            now: The clock's time in seconds.

        Returns:
            Whether a GET delivers it.
        """
        return now >= self.ready_at and self.fate != "never"


class Lists:
    """All lists that can still be asked for."""

    def __init__(self, seed: int) -> None:
        """Start with none.

        Args:
            seed: Of times that vary and of shuffled ties.
        """
        self._lists: dict[str, BulkList] = {}
        self._delivered: dict[str, None] = {}
        self._posted: dict[str, int] = {}
        self._rng = random.Random(seed)  # noqa: S311 - reproducible timings

    def post(
        self,
        practice: Practice,
        info: StreamInfo,
        query: Query,
        now: float,
        settings: Settings,
    ) -> BulkList:
        """Begin a list.

        Args:
            practice: Whose records.
            info: The endpoint.
            query: What is asked for.
            now: The clock's time in seconds.
            settings: Times, and when the records are fixed.

        Returns:
            The list.
        """
        self._forget_expired(now, settings)
        cut = self.cut(practice, info, query, settings)
        name = str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
        seconds = self._seconds(info.name, len(cut.rows), settings)
        bulk = BulkList(name, info, query, posted=now, ready_at=now + seconds)
        if settings.cut == "post":
            bulk.cut = cut
        self._lists[name] = bulk
        return bulk

    def find(
        self, name: str, info: StreamInfo, now: float, settings: Settings
    ) -> BulkList | None:
        """Look a list up.

        Args:
            name: Its uuid.
            info: The endpoint that is asked.
            now: The clock's time in seconds.
            settings: The lifetime.

        Returns:
            The list; None if it is unknown there or not known yet, or expired.
        """
        bulk = self._lists.get(name)
        if bulk is None or bulk.info.name != info.name:
            return None
        expired = now >= bulk.posted + settings.list_lifetime
        return None if expired or now < bulk.known_at else bulk

    def expire(self, name: str) -> None:
        """Forget a list.

        Args:
            name: Its uuid.
        """
        self._lists.pop(name, None)

    def deliver(self, bulk: BulkList, practice: Practice, settings: Settings) -> Cut:
        """Get the records of a list that is ready.

        Args:
            bulk: The list.
            practice: Whose records.
            settings: How many delivered lists are remembered.

        Returns:
            The records.
        """
        if bulk.cut is None:
            bulk.cut = self.cut(
                practice, bulk.info, bulk.query, settings, bulk.unlisted
            )
        self._delivered[bulk.uuid] = None
        while len(self._delivered) > settings.kept_lists:
            oldest = next(iter(self._delivered))
            del self._delivered[oldest]
            self.expire(oldest)
        return bulk.cut

    def withhold(
        self, bulk: BulkList, practice: Practice, settings: Settings, *, gaps: bool
    ) -> None:
        """Count some records of a list, and do not deliver them.

        Args:
            bulk: The list.
            practice: Whose records.
            settings: The order of records with one update time.
            gaps: Whether they leave their places on the page empty.
        """
        bulk.unlisted = "gaps" if gaps else "closed up"
        if bulk.cut is not None:
            bulk.cut = self.cut(
                practice, bulk.info, bulk.query, settings, bulk.unlisted
            )

    def cut(
        self,
        practice: Practice,
        info: StreamInfo,
        query: Query,
        settings: Settings,
        unlisted: Unlisted = "none",
    ) -> Cut:
        """Fix the records of a page as they are now.

        Args:
            practice: Whose records.
            info: The endpoint.
            query: What is asked for.
            settings: The order of records with one update time, and what there is
                beyond the last page.
            unlisted: Which records are counted and left out.

        Returns:
            The records.
        """
        view = practice.tables[info.name].view(
            query.order,
            by_touch=settings.tie == "insertion",
            hidden=query.hidden,
            since=query.since,
        )
        total = len(view)
        if unlisted == "closed up":
            view = [row for row in view if not _is_unlisted(row)]
        page, size = query.page, query.page_size
        if settings.out_of_range == "last_page":
            page = min(page, max(1, -(-len(view) // size)))
        rows = self._rows(view, (page - 1) * size, query, settings)
        if unlisted == "gaps":
            rows = [row for row in rows if not _is_unlisted(row)]
        return Cut(total, rows, page)

    def _rows(
        self, view: Sequence[Row], start: int, query: Query, settings: Settings
    ) -> list[Row]:
        """Cut a page out of a view."""
        stop = min(len(view), start + query.page_size)
        if start >= stop:
            return []
        if query.descending:
            return list(view[len(view) - stop : len(view) - start])[::-1]
        if settings.tie == "shuffled" and query.order == "updated_at":
            return self._shuffled(view, start, stop)
        return list(view[start:stop])

    def _shuffled(self, view: Sequence[Row], start: int, stop: int) -> list[Row]:
        """Cut a page after shuffling all rows that share an update time."""
        first, last = view[start].updated, view[stop - 1].updated
        low = bisect.bisect_left(view, first, key=updated_of)
        high = bisect.bisect_right(view, last, key=updated_of)
        rows = list(view[low:high])
        self._rng.shuffle(rows)
        rows.sort(key=updated_of)
        return rows[start - low : stop - low]

    def _seconds(self, stream: str, records: int, settings: Settings) -> float:
        nth = self._posted.get(stream, 0)
        self._posted[stream] = nth + 1
        times = settings.list_times.get(stream, ())
        if nth < len(times):
            return times[nth]
        seconds = settings.list_base_seconds + settings.list_record_seconds * records
        if settings.list_sigma:
            seconds *= self._rng.lognormvariate(0, settings.list_sigma)
        return seconds

    def _forget_expired(self, now: float, settings: Settings) -> None:
        # Lists are kept in the order of their POSTs, so the oldest come first.
        for name, bulk in list(self._lists.items()):
            if now < bulk.posted + settings.list_lifetime:
                break
            self.expire(name)
            self._delivered.pop(name, None)


def _is_unlisted(row: Row) -> bool:
    every, rest = _UNLISTED
    return row.number % every == rest
