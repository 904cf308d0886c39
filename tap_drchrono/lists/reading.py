"""The course of a read: which window comes next, and what an answer proves.

Positions count records from the stream's first one. Nothing here knows of requests or
of time, so that it can be tested against a pure model of a list that moves.
"""

from __future__ import annotations

import enum
import typing as t

from tap_drchrono import timestamps
from tap_drchrono.errors import StreamError
from tap_drchrono.lists import windows
from tap_drchrono.lists.jobs import Frame, Order, carries_updates
from tap_drchrono.lists.memory import Identity, Reading

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from tap_drchrono.lists.jobs import Answer, Source
    from tap_drchrono.lists.windows import Window

    Records = Sequence[dict[str, t.Any]]

_HIGH_PAGE = windows.MAX_PAGE // 2
"""Served number from which `since` is moved forward, where that gains something."""
_UNREST = 10
"""Windows that may fail to continue, beside one in four pages, before a stream is read
in an order that updates do not change."""
_GAPS = 40
"""The same in that order, before the stream is given up."""
_MEMORY = 30_000
"""Records to remember at least, however small the pages."""


class Served(t.NamedTuple):
    """A window as the server says it served it, whatever was asked.

    Attributes:
        frame: Where it is counted from.
        start: Records of the stream before it.
        asked: Served size that was asked for, in records.
        size: Served size that was served, in records.
        records: Its records.
        total: Records of the stream in all, or None if the answer did not say.
    """

    frame: Frame
    start: int
    asked: int
    size: int
    records: Records
    total: int | None

    @classmethod
    def read(cls, frame: Frame, asked: Window, answer: Answer) -> Served:
        """Believe an answer over what was asked, unless it contradicts itself.

        Args:
            frame: Where the window is counted from.
            asked: The window that was asked for.
            answer: The answer.
        """
        size = answer.size or asked.size
        if size > asked.size >= len(answer.records):
            size = asked.size
        before = ((answer.page or asked.page) - 1) * size
        start = frame.base + before
        total = None
        least = before + len(answer.records) if answer.records else 0
        if answer.count is not None and answer.count >= least:
            total = frame.base + answer.count
        return cls(frame, start, asked.size, size, answer.records, total)

    @property
    def end(self) -> int:
        """Records of the stream up to the page's end."""
        return self.start + len(self.records)

    @property
    def is_last(self) -> bool:
        """Whether the list ended here when it was cut, as far as the answer says.

        A short page proves nothing: the server may serve fewer records than asked for.
        """
        return self.total is not None and self.end >= self.total

    @property
    def is_hollow(self) -> bool:
        """Whether it is empty where the count says that records are."""
        return not self.records and not self.is_last and self.start < (self.total or 0)


class Verdict(enum.Enum):
    """What a page means for the pages that are still pending.

    Attributes:
        READ: It continues what was read.
        SHORTER: So it does, but pages are smaller than asked for: plan anew behind it.
        SEAM: It adjoins what was read, which proves nothing yet.
        ANEW: It does not: plan anew from the position.
    """

    READ = enum.auto()
    SHORTER = enum.auto()
    SEAM = enum.auto()
    ANEW = enum.auto()


class Course:
    """Plans the windows of one stream, and proves that they leave nothing out."""

    def __init__(self, source: Source, logger: logging.Logger) -> None:
        """Start at the stream's first record.

        Args:
            source: What is read.
            logger: Says what is read again, and why; names and numbers only.
        """
        self._source = source
        self._logger = logger
        self.pages = 0
        self.gaps = 0
        self.full_size = source.max_size
        self.size = source.max_size
        self._margin = 1
        self._moved_to = source.since
        self._distrusted = False
        self._served = 0
        self._barren = 0
        self._start_over(Frame(source.since))

    def _start_over(self, frame: Frame) -> None:
        """Begin to read from the first record of a frame."""
        self.frame = frame
        self.count: int | None = None
        self.done = False
        self._reading = Reading(max(_MEMORY, 3 * self.full_size))
        self._first_count: int | None = None
        self._quiet = True
        self._anchored = True
        self._overlap = max(self.full_size // 50, 1)
        self._step = self._overlap
        self._calm = 4 * (_UNREST if frame.order is Order.UPDATED_AT else _GAPS)
        # By id, new records are the last ones too, but an update may bring an old one
        # into a list that does not read everything.
        self.ordered = frame.order is Order.UPDATED_AT or (
            frame.order is Order.ID and frame.since == timestamps.EVERYTHING
        )

    @property
    def position(self) -> int:
        """Records read or passed so far."""
        return self._reading.position

    @property
    def order(self) -> Order:
        """What the records arrive in the order of."""
        return self.frame.order

    @property
    def has_read_enough(self) -> bool:
        """Whether a list that never ends may be left.

        As much was read as there was when the reading began. Where what changed since
        does not lie behind, twice as much and some more, for nothing is certain then.
        """
        if self._first_count is None:
            return False
        if self.ordered:
            return self.position >= self._first_count
        return self.position >= 2 * self._first_count + 10 * self.full_size

    # Which window comes next

    def next_window(self, behind: int | None) -> Window | None:
        """Choose the next window.

        Args:
            behind: Where the last pending window ends, or None if none is pending.

        Returns:
            The window; None if none overlaps, and a pending one has to be read first.
            With none pending: None if page numbers do not reach there.
        """
        at = max((self.position if behind is None else behind) - self.frame.base, 0)
        window = windows.overlapping(at, self.size, self._overlap)
        if window or behind is not None:
            return window
        if self._anchored:
            return windows.adjoining(at, self.size)
        return windows.ending_at(at, self.size)

    def seam(self) -> Window:
        """Choose the window that ends at the position.

        Raises:
            StreamError: If page numbers do not reach there.
        """
        window = windows.ending_at(self.position - self.frame.base, self.size)
        if window is None:
            raise self.unreachable()
        return window

    def frame_ahead(self, behind: int | None) -> Frame | None:
        """Say where `since` is to be moved, as page numbers end at 1000.

        The new `since` lies at least a day before the last record read, since the zone
        in which the server reads a date is unknown.

        Args:
            behind: Where the last pending window ends, or None if none is pending.

        Returns:
            The frame, whose base is not known yet, or None while that gains nothing.
        """
        at = (self.position if behind is None else behind) - self.frame.base
        last = self._reading.last
        moment = timestamps.parse(last.version) if last else None
        if at // self.size < _HIGH_PAGE or moment is None or self.count is None:
            return None
        since = timestamps.days_before(moment.date(), self._margin)
        if since <= max(self.frame.since, self._moved_to):
            return None
        self._moved_to = since
        return Frame(since)

    def counted(self, frame: Frame, count: int) -> None:
        """Learn how many records a frame holds.

        Args:
            frame: The current frame, or one ahead: it cuts off as many records as its
                count is smaller.
            count: The count.
        """
        if frame == self.frame:
            self._note_count(frame.base + count)
            return
        base = (self.count or 0) - count
        if not self.frame.base < base < self.position:
            # It cuts off records that were not read: the server's day begins later.
            self._margin *= 2
            return
        self.frame = frame._replace(base=base)
        self._logger.info(
            "%s: moved `since` forward, as page numbers end at %d",
            self._source.stream,
            windows.MAX_PAGE,
        )

    def unreachable(self) -> StreamError:
        """Say that page numbers end before the stream does."""
        what = (
            "too many records share one day for `since` to be moved forward"
            if self.order is Order.UPDATED_AT
            else "it is not read in the order of updated_at, so `since` must stay"
        )
        return StreamError(
            f"{self._source.stream}: cannot read beyond record {self.position}: "
            f"DrChrono serves {windows.MAX_PAGE} pages of {self.size} records, and "
            f"{what}. "
            "Raise page_size if it is set, or set a later start_date."
        )

    def shrink(self, size: int) -> None:
        """Ask for smaller pages for a while, as a list failed twice."""
        self.size = max(1, size // 2)

    # What an answer proves

    def take(self, page: Served) -> tuple[Verdict, Records]:
        """Take in a page.

        Args:
            page: The page.

        Returns:
            What it means for pending pages, and the records to emit.

        Raises:
            StreamError: If there is no end to the changes.
        """
        if page.total is not None and page.frame == self.frame:
            self._note_count(page.total)
        if self._turns_out_dateless(page):
            self._logger.info(
                "%s: records carry no updated_at; reading in the order of %s",
                self._source.stream,
                self._source.steady.value,
            )
            self._start_over(Frame(self._source.since, self._source.steady))
            self.count = page.total
            return Verdict.ANEW, ()
        shorter = self._believe_size(page)
        identities = self._identities(page.records)
        if not self._continues(page, identities):
            if page.start == self.position and page.start > 0 and self._anchored:
                return Verdict.SEAM, ()
            return self._gap(page)
        return self._read(page, identities, shorter=shorter)

    def close_seam(
        self, page: Served, before: Served | None = None
    ) -> tuple[Verdict, Records]:
        """Take in a page that adjoins what was read.

        Where no window can overlap (pages of a few records), the page that ends where
        the reading stopped is read again, later: if its last record is still the last
        one read, nothing moved between.

        Args:
            page: The page that adjoins.
            before: The page that ends there.

        Returns:
            As `take`.

        Raises:
            StreamError: If there is no end to the changes.
        """
        identities = self._identities(before.records) if before else []
        if not (before and identities and before.end == self.position):
            return self._gap(page)
        if identities[-1] != self._reading.last:
            return self._gap(page)
        return self._read(page, self._identities(page.records), shorter=False)

    def _turns_out_dateless(self, page: Served) -> bool:
        """Tell whether the stream's records carry no `updated_at`, on many pages."""
        return (
            self.order is Order.UPDATED_AT
            and not self.pages
            and bool(page.records)
            and not page.is_last
            and not carries_updates(page.records)
        )

    def _believe_size(self, page: Served) -> bool:
        """Learn that the server serves smaller pages than asked for."""
        served = page.size
        if (
            len(page.records) < served
            and not page.is_last
            and page.asked > self._served
        ):
            served = len(page.records)
        if not 0 < served < page.asked:
            return False
        self.full_size = self.size = served
        return True

    def _identities(self, records: Records) -> list[Identity]:
        """Name the records, so that they are known when they come again."""
        key = self._source.key
        if self.order is not Order.UPDATED_AT:
            return [Identity(str(record.get(key)), None) for record in records]
        return [
            Identity(str(record.get(key)), str(record.get("updated_at")))
            for record in records
        ]

    def _continues(self, page: Served, identities: list[Identity]) -> bool:
        """Tell whether nothing lies between what was read and a page.

        The first page of the run's own `since` needs no proof. That of a `since` that
        was moved forward does: it may cut later than thought.
        """
        if page.start == page.frame.base and page.frame.since == self._source.since:
            return True
        return bool(identities) and self._reading.knows(identities[0])

    def _gap(self, page: Served) -> tuple[Verdict, Records]:
        """More moved than the overlap covers: step back and read again.

        Raises:
            StreamError: If there is no end to the changes.
        """
        self.gaps += 1
        self._calm -= 4
        if self._calm < 0 and self.order is Order.UPDATED_AT:
            self._read_steadily("its records move faster than they can be read")
            return Verdict.ANEW, ()
        if self._calm < 0:
            msg = (
                f"{self._source.stream}: records change faster than they can be read: "
                f"{self.gaps} pages did not continue what was read. Run the tap when "
                "the practice is quiet, or with a larger page_size."
            )
            raise StreamError(msg)
        if page.start == page.frame.base:
            # Not even the first record since the later day was read: count from the
            # run's own `since` again, and move less far the next time.
            self.frame = Frame(self._source.since, self.order)
            self._margin *= 2
            self._moved_to = self._source.since
        back = min(self.position, page.start) - self._step
        self._reading.position = max(back, self.frame.base)
        self._step *= 2
        self._overlap = max(1, min(2 * self._overlap, self.full_size // 2))
        self._anchored = False
        self._logger.info(
            "%s: records moved while they were read; reading again from record %d",
            self._source.stream,
            self.position,
        )
        return Verdict.ANEW, ()

    def _read(
        self, page: Served, identities: list[Identity], *, shorter: bool
    ) -> tuple[Verdict, Records]:
        """Take in a page that continues what was read."""
        fresh = self._reading.read(page.start, identities)
        self.pages += 1
        self._calm += 1
        self._step = self._overlap
        self._anchored = True
        if not shorter:
            self.size = min(self.full_size, self.size * 2)
        verdict = Verdict.SHORTER if shorter else Verdict.READ
        if self._is_end(page, fresh) and not self.end():
            verdict = Verdict.ANEW
        self._served = max(self._served, len(page.records))
        return verdict, [page.records[index] for index in fresh]

    def _is_end(self, page: Served, fresh: list[int]) -> bool:
        """Tell whether a page is the last.

        Without a count, it is one that brings nothing, or fewer records than asked for
        of a server that is known to serve as many.
        """
        is_short = len(page.records) < page.asked <= self._served
        brings_nothing = not fresh and page.start + page.asked > self.position
        self._barren = self._barren + 1 if brings_nothing else 0
        if page.total is not None:
            # A count may be wrong for good: records that it counts and nobody may see.
            return page.is_last or self._barren > 1
        return is_short or brings_nothing

    def end(self) -> bool:
        """End the stream, unless records are missing although nothing changed.

        Returns:
            Whether the stream has ended.
        """
        short = max(self._missing, 0)
        if short and self._distrusted:
            self._logger.warning(
                "%s: DrChrono counts %d records more than it lists",
                self._source.stream,
                short,
            )
        if self._distrusted or not (short or self._reading.misplaced):
            self.done = True
        elif short:
            self._read_steadily(f"{short} records of the count did not appear")
        else:
            self._read_steadily("records that share one updated_at change their order")
        return self.done

    @property
    def _missing(self) -> int:
        """Records that lie before the position, though they never came.

        What changed meanwhile came in two versions, so it can hide such a loss, but
        never look like one. Where `since` has moved, the position is an estimate if
        anything changed.
        """
        if self.frame.base and not self._quiet:
            return 0
        counted = self.count if self._quiet and self.count else 0
        return max(self.position, counted) - self._reading.distinct

    def _read_steadily(self, why: str) -> None:
        """Read the whole stream again in an order that does not change."""
        self._logger.warning(
            "%s: %s; reading it again in the order of %s",
            self._source.stream,
            why,
            self._source.steady.value,
        )
        self._distrusted = True
        count = self.count
        self._start_over(Frame(self._source.since, self._source.steady))
        self.count = count

    def _note_count(self, count: int) -> None:
        """Remember how many records there are, and whether that changes."""
        if self._first_count is None:
            self._first_count = count
        self._quiet = self._quiet and count == self._first_count
        self.count = count
