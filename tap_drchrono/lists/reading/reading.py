"""Reading a list that moves: how a page becomes records, and what it proves.

Positions count records from the stream's first one. Nothing here knows of requests or
of time, so that it can be tested against a pure model of a list that moves.
"""

from __future__ import annotations

import enum
import typing as t

from tap_drchrono import bookmarks
from tap_drchrono.lists import windows
from tap_drchrono.lists.jobs import Frame, Order
from tap_drchrono.lists.reading import ends, planning, proofs, ties
from tap_drchrono.lists.reading.looks import Ahead
from tap_drchrono.lists.reading.pace import Pace, enough_for
from tap_drchrono.lists.reading.passes import Why
from tap_drchrono.lists.reading.patience import is_too_restless
from tap_drchrono.lists.reading.served import carries_updates
from tap_drchrono.lists.reading.stream_passes import Passes
from tap_drchrono.pages import Page

if t.TYPE_CHECKING:
    from tap_drchrono.lists.reading.evidence import Evidence
    from tap_drchrono.lists.reading.memory import Listed, Tie
    from tap_drchrono.lists.reading.served import Served
    from tap_drchrono.lists.windows import Window


class Verdict(enum.Enum):
    """What a page means for the lists that are still pending.

    Attributes:
        READ: It continues what was read; so will they.
        ADJOINS: It adjoins what was read, which proves nothing yet.
        ANEW: Plan anew from the position.
    """

    READ = enum.auto()
    ADJOINS = enum.auto()
    ANEW = enum.auto()


class Taken(t.NamedTuple):
    """What taking in a page led to.

    Attributes:
        verdict: What it means for pending lists.
        page: What goes out, if it continues what was read.
    """

    verdict: Verdict
    page: Page | None = None


class Reading(Passes):
    """Reads one stream: takes in its pages, and proves that they leave nothing out."""

    # How a page becomes records

    def take(self, served: Served) -> Taken:
        """Take in a page.

        Args:
            served: The page.

        Returns:
            What it means for pending lists, and what goes out.

        Raises:
            StreamError: If there is no end to the changes.
        """
        served, listed = proofs.listed(self.now, self._placed(served), self.source.key)
        self.now.hear(served)
        if self._turns_out_undated(served):
            return Taken(Verdict.ANEW)
        place = self.now.memory.place(listed.known_as[0]) if served.records else None
        is_new_frame = self.now.is_rebased and served.frame == self.now.frame
        if is_new_frame and place is not None:
            served, listed = self._anchored(served, listed, place)
        capped = served.is_capped(
            place, may_guess=self._largest == served.window.size == self.source.max_size
        )
        if capped:
            self._largest = self._size = len(served.records)
            self.now.pace = Pace.for_pages_of(self._largest)
            if served.window.page > 1:
                return Taken(Verdict.ANEW)
        elif place is not None and proofs.is_last_again(
            self.now, served, listed, place
        ):
            served = served._replace(shift=place - served.start)
            listed = listed._replace(start=place)
        self.now.has_moved |= place is not None and place != listed.start
        if proofs.continues(self.now, served, listed, place):
            return self._read(served, listed, capped=capped)
        if proofs.adjoins(self.now, served):
            return Taken(Verdict.ADJOINS)
        return self._gap(served)

    def take_adjoining(self, served: Served, before: Served) -> Taken:
        """Take in a page that adjoins what was read.

        Where no window can overlap (pages of a few records), the page that ends where
        the reading stopped is read again, later: if its last record is still the last
        one read, nothing moved between.

        Args:
            served: The page that adjoins.
            before: The page that ends there.

        Returns:
            As `take`.

        Raises:
            StreamError: If there is no end to the changes.
        """
        served, before = self._placed(served), self._placed(before)
        ends = before.listed(self.source.key)
        if not ends.values or before.end != self.now.evidence.position:
            return self._gap(served)
        served, listed = proofs.listed(self.now, served, self.source.key)
        is_last = ends.known_as[-1] == self.now.memory.last
        # Where it ends with another record of the last tie, only such ones can lie
        # between.
        if not (is_last or ends.values[-1] == self.now.memory.last_value):
            return self._gap(served)
        return self._read(served, listed, in_order=is_last)

    def _read(
        self,
        served: Served,
        listed: Listed,
        *,
        capped: bool = False,
        in_order: bool = True,
    ) -> Taken:
        """Take in a page that continues what was read.

        Args:
            served: The page.
            listed: The same, by name.
            capped: Whether it shows that pages are smaller than asked for.
            in_order: Whether a tie before it is known to have kept its order.
        """
        now, before = self.now, self.now.evidence
        last_value = now.memory.last_value if served.start >= before.position else None
        # By id, no two records share a value.
        by_time = now.frame.order is not Order.ID
        enough = enough_for(self._largest) if by_time else 1
        read = now.memory.read(listed, in_order=in_order, enough=enough)
        tie = ties.that_matters(now, read.tie, self._limit)
        # A first page that is short without a word proves nothing: asked for once more
        # in the size that it had, it shows whether pages are so small, or lack records.
        is_guess = capped and served.claims.size != len(served.records)
        end = before.position if is_guess else served.end
        now.evidence = before.after(
            end=end,
            fresh=len(read.fresh) - read.renewed,
            counted=end if capped else served.counted,
            entered=now.entered,
            tied=ties.is_beyond_telling(now, tie, self._largest),
        )
        now.has_moved |= read.renewed > 0
        now.is_proven_here = True
        now.furthest = max(now.furthest, end)
        if now.wall is not None and served.end > now.wall:
            now.wall = None
        now.pace = now.pace.after_page(
            size=self._largest,
            moved=before.position - served.end + len(read.fresh),
            hoped=min(served.start + served.window.size, served.total or served.end)
            - max(before.position, before.counted),
            fresh=len(read.fresh),
        )
        if is_guess or (served.is_unsure and not capped):
            now.pace = now.pace.alone()
        self.pages += 1
        self._size = min(self._largest, self._size * 2)
        fresh = [served.records[index] for index in read.fresh]
        is_open = tie is not None or served.end < now.open_until
        is_sure = not (is_guess or is_open)
        page = self._page(served, fresh, last_value, is_sure=is_sure)
        if capped:
            return Taken(Verdict.ANEW, page)
        return self._next(
            served, page, before, ties.that_matters(now, tie, self._limit)
        )

    def _next(
        self, served: Served, page: Page, before: Evidence, tie: Tie | None
    ) -> Taken:
        """Say what follows a page that was read.

        Args:
            served: The page.
            page: What goes out.
            before: What was known before it.
            tie: The tie within which it begins, if it does and it matters.
        """
        now, news = self.now, bool(page.records)
        is_last = served.is_short and served.total in {None, served.end}
        goes_back = ties.reads_again(
            now, tie, self._largest, missing=before.missing, is_last=is_last
        )
        if goes_back or self._passes_on(served, news=news):
            return Taken(Verdict.ANEW, page)
        if ends.is_idle(now, served, before=before.counted, news=news):
            self._lacks(served.total)
            return Taken(Verdict.READ if self.end() else Verdict.ANEW, page)
        end = ends.end_of(now, served, news=news)
        if end is ends.End.LACKING:
            self.bookmark.hold(at_start=True)
        if end is not ends.End.NOT_YET:
            return Taken(Verdict.READ if self.end() else Verdict.ANEW, page)
        if is_too_restless(self.now, self._largest):
            self._give_up_on_this_order()
            return Taken(Verdict.ANEW, page)
        return Taken(Verdict.READ, page)

    def _page(
        self,
        served: Served,
        fresh: list[dict[str, t.Any]],
        last_value: object,
        *,
        is_sure: bool,
    ) -> Page:
        """Say how far the bookmark may go with a page."""
        now, bookmark = self.now, self.bookmark
        in_order = now.frame.order is Order.UPDATED_AT
        if now.why is not Why.UNDATED:
            values = [record.get("updated_at") for record in served.records]
            oddities = bookmark.see(values, self._limit, last_value)
            if not in_order:
                oddities.discard(bookmarks.TimeOddity.DISORDER)
            self._say(oddities)
            now.is_disordered |= bookmarks.TimeOddity.DISORDER in oddities
        if now.is_disordered or not in_order:
            # A record that changed after its page was read lies behind later ones, so
            # nothing that is read in such an order moves the bookmark.
            bookmark.hold(at_start=now.is_disordered)
        elif not now.evidence.is_clean:
            # What this page leaves out, or a tie, lies where the reading was. What
            # turns up in front of it can lie anywhere.
            bookmark.hold(at_start=now.evidence.missing > now.evidence.unlisted)
        before = bookmark.value
        if is_sure and not served.is_unsure:
            bookmark.claim()
        return Page(fresh, before, bookmark.value)

    def _passes_on(self, served: Served, *, news: bool) -> bool:
        """Pass a window, or look further ahead, where more is counted than comes."""
        match ends.follow(self.now, served, news=news):
            case ends.Next.PASS_ON:
                return True
            case ends.Next.LOOK_AHEAD:
                self._ahead = Ahead(served)
                self.look = self._ahead.next(self.now.frame)
        return self.look is not None

    def _say(self, oddities: set[bookmarks.TimeOddity]) -> None:
        """Say once what is odd about the records."""
        for oddity in sorted(oddities - self._said, key=lambda one: one.name):
            self._logger.warning("%s: %s", self.source.stream, oddity.value)
        self._said |= oddities

    # What a page proves

    def _placed(self, served: Served) -> Served:
        """Count a page from where its frame is known to begin."""
        frame = self.now.frame
        if served.frame[:2] != frame[:2]:
            return served
        return served._replace(frame=frame)

    def _anchored(
        self, served: Served, listed: Listed, place: int
    ) -> tuple[Served, Listed]:
        """Correct where a frame begins, by a record whose place is known."""
        frame = self.now.frame
        self.now.frame = frame._replace(base=frame.base + place - served.start)
        self.now.is_rebased = False
        return served._replace(frame=self.now.frame), listed._replace(start=place)

    def _turns_out_undated(self, served: Served) -> bool:
        """Change the order if the records carry no `updated_at`, on many pages."""
        is_last = served.total is not None and served.end >= served.total
        if (
            self.now.frame.order is not Order.UPDATED_AT
            or self.pages
            or is_last
            or not served.records
            or carries_updates(served.records)
        ):
            return False
        self._logger.info(
            "%s: records carry no updated_at; reading in the order of %s",
            self.source.stream,
            self.source.steady.value,
        )
        frame = Frame(self.source.since, self.source.steady)
        self._begin(Why.UNDATED, frame, self.now.count)
        return True

    def _gap(self, served: Served) -> Taken:
        """Step back and read again: more moved than the overlap covers.

        Raises:
            StreamError: If there is no end to the changes.
        """
        now = self.now
        now.has_moved = True
        self.gaps += 1
        now.pace = now.pace.after_gap(size=self._largest)
        if is_too_restless(self.now, self._largest):
            self._give_up_on_this_order()
            return Taken(Verdict.ANEW)
        if served.start == served.frame.base:
            # Not even the first record since the later day was read.
            now.frame, now.is_rebased = now.mover.back(now.frame), False
        back = min(now.evidence.position, served.start) - now.pace.step
        self.now.go_to(max(back, now.frame.base))
        now.is_proven_here = False
        self._logger.info(
            "%s: records moved while they were read; reading again from record %d",
            self.source.stream,
            now.evidence.position,
        )
        return Taken(Verdict.ANEW)

    # Which window comes next

    def next_window(self, behind: int | None) -> Window | None:
        """Choose the next window, as `planning.next_window` does."""
        return planning.next_window(self.now, behind, self._size)

    def frame_ahead(self, behind: int | None) -> Frame | None:
        """Say where `since` is to be moved, as `planning.frame_ahead` does."""
        return planning.frame_ahead(self.now, behind, self._size)

    def window_before(self) -> Window:
        """Choose the window that ends at the position.

        Raises:
            StreamError: If page numbers do not reach there.
        """
        at = self.now.evidence.position - self.now.frame.base
        window = windows.ending_at(at, self._size)
        if window is None:
            raise self.unreachable()
        return window

    def counted(self, frame: Frame, claimed: int | None) -> None:
        """Learn how many records a frame holds.

        Args:
            frame: The current frame, or one ahead: it cuts off as many records as its
                count is smaller.
            claimed: The count, if the answer told one.
        """
        now = self.now
        if claimed is None:
            return
        if frame == now.frame:
            now.count = now.count.then(frame.base + claimed)
            return
        base = (now.count.last or 0) - claimed
        if not now.frame.base < base < now.evidence.position:
            # It cuts off records that were not read: the server's day begins later.
            now.mover.too_far()
            return
        now.frame, now.is_rebased = frame._replace(base=base), True
        self._logger.info(
            "%s: moved `since` forward, as page numbers end at %d",
            self.source.stream,
            windows.MAX_PAGE,
        )

    def ends_before(self, position: int) -> None:
        """Learn that there is no page from a position on.

        Args:
            position: Records before that page, at least.
        """
        self.now.wall = position

    def shrink(self, size: int) -> None:
        """Ask for smaller pages for a while, as a list failed twice."""
        self._size = max(1, size // 2)
