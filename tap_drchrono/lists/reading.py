"""Reading a list that moves: how a page becomes records, and what it proves.

Positions count records from the stream's first one. Nothing here knows of requests or
of time, so that it can be tested against a pure model of a list that moves.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import typing as t

from tap_drchrono import bookmarks, timestamps, words
from tap_drchrono.errors import StreamError
from tap_drchrono.lists import windows
from tap_drchrono.lists.claims import Claims, Count
from tap_drchrono.lists.evidence import Evidence
from tap_drchrono.lists.frames import Mover
from tap_drchrono.lists.jobs import Frame, Order
from tap_drchrono.lists.memory import Memory, precedes
from tap_drchrono.lists.pace import Pace, enough_for
from tap_drchrono.lists.served import carries_updates
from tap_drchrono.pages import Page

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from tap_drchrono.lists.jobs import ListEndpoint
    from tap_drchrono.lists.memory import Listed, Read, Tie
    from tap_drchrono.lists.served import Served
    from tap_drchrono.lists.windows import Window

_PATIENCE = 6
"""Windows that may be wasted, beside one in two pages, before a stream is read in an
order that updates do not change. Four times as many may be read, beside three a page.
"""
_MORE_PATIENCE = 40
"""The same in that order, beside two a page, before the stream is given up."""
_AT_FIRST = 120
"""Pages that a count is believed to promise, beside four times those that were read."""
_MEMORY = 30_000
"""Records to remember at least, however small the pages."""
_SKIPS = 2
"""Windows without a record that are passed in a row, where more are counted, before a
look further ahead tells whether there is anything.
"""
_IDLE = 8
"""Windows in a row that bring nothing before a reading is taken to be at its end."""
_LOOKS = 3
"""Looks behind a short page that bring something, where nothing counts more."""
_OTHER_WINDOWS = 12
"""Times that a tie too large for a window is read once more, in other windows."""
_TRIES_OF_A_TIE = 2
"""Windows that are tried to hold a tie as a whole."""


class Verdict(enum.Enum):
    """What a page means for the lists that are still pending.

    Attributes:
        READ: It continues what was read; so will they.
        SEAM: It adjoins what was read, which proves nothing yet.
        ANEW: Plan anew from the position.
    """

    READ = enum.auto()
    SEAM = enum.auto()
    ANEW = enum.auto()


class Taken(t.NamedTuple):
    """What taking in a page led to.

    Attributes:
        verdict: What it means for pending lists.
        page: What goes out, if it continues what was read.
    """

    verdict: Verdict
    page: Page | None = None


class Look(t.NamedTuple):
    """A page to look at: its records do not go out.

    Attributes:
        frame: Where its window is counted from.
        window: Its page and page size.
        at_end: Whether it lies at the end of the order that stays, rather than behind
            records that are counted and not listed.
    """

    frame: Frame
    window: Window
    at_end: bool


class Why(enum.Enum):
    """Why a list is read in the order that it is read in.

    Attributes:
        USUAL: It is the usual one.
        UNDATED: The records carry no `updated_at`.
        DOUBT: Something did not add up, and is read once more.
        UNREST: The usual one changes faster than it can be read.
    """

    USUAL = enum.auto()
    UNDATED = enum.auto()
    DOUBT = enum.auto()
    UNREST = enum.auto()


@dataclasses.dataclass
class Pass:
    """One reading of a list from the first record of a day.

    Attributes:
        why: Why it is read in this order.
        since: The day.
        frame: Where windows are counted from.
        memory: What was read last.
        pace: How carefully to read.
        mover: Moves `since` forward.
        evidence: What is known.
        count: What the answers say of how many records there are.
        is_rebased: Whether the frame has just moved, so that its base is an estimate.
        is_proven_here: Whether a window was read since the last gap.
        excess: Records that the last page counted beyond what it lists at the end.
        furthest: Where the page that reached furthest has ended.
        wall: Records before a page that was refused; nothing is planned behind it.
        looks: Short pages that brought something, though nothing counts more.
        fronts: Short pages that brought something, and more is counted.
        skips: Windows without a record that were passed in a row.
        front: What was known before the first of them.
        goes_on: Whether a look further ahead found that there is more.
        idle: Windows in a row, the furthest so far, that brought nothing.
        rounds: Times that a large tie was read once more.
        other: Which other windows it is read in; 0 for the largest ones.
        tried: A tie that one window was to hold, by its value, and how often.
        tried_again: A tie that is read in other windows: its value, how often, and the
            records that were missing before it.
        close_to: Position right before which the next window begins.
        again: The value of a tie that is read again, until a window begins before it.
        open_until: Position before which nothing is claimed: such a tie may be read in
            part only.
        open_tie: The tie in which the reading is, if its order is not known.
        had_ties: Whether there was one.
        is_disordered: Whether records come in no order.
        has_moved: Whether a record was seen to change, or to lie in another place.
    """

    why: Why
    since: dt.date
    frame: Frame
    memory: Memory
    pace: Pace
    mover: Mover
    evidence: Evidence = dataclasses.field(default_factory=Evidence)
    count: Count = dataclasses.field(default_factory=Count)
    is_rebased: bool = False
    is_proven_here: bool = True
    excess: int | None = None
    furthest: int = 0
    wall: int | None = None
    looks: int = 0
    fronts: int = 0
    skips: int = 0
    front: Evidence | None = None
    goes_on: bool = False
    idle: int = 0
    rounds: int = 0
    other: int = 0
    tried: tuple[object, int] = (None, 0)
    tried_again: tuple[object, int, int] = (None, 0, 0)
    close_to: int | None = None
    again: object = None
    open_until: int = 0
    open_tie: Tie | None = None
    had_ties: bool = False
    is_disordered: bool = False
    has_moved: bool = False

    @property
    def grows_at_the_end(self) -> bool:
        """Whether all that comes in lies behind what was read."""
        # By id, new records are the last ones too, but an update may bring an old one
        # into a list that does not read everything.
        if self.frame.order is Order.UPDATED_AT:
            return not self.is_disordered
        everything = self.frame.since == timestamps.EVERYTHING
        return self.frame.order is Order.ID and everything


class Reading:
    """Reads one stream: plans its windows, and proves that they leave nothing out.

    Attributes:
        pages: Pages read so far.
        gaps: Pages that did not continue what was read.
        done: Whether the stream was read to its end.
        is_complete: Whether all that was not read lies behind what was.
        is_within_reach: Whether page numbers reached to the end.
        look: A page that is to be looked at next.
    """

    def __init__(
        self, source: ListEndpoint, started: Callable[[], float], logger: logging.Logger
    ) -> None:
        """Start at the stream's first record.

        Args:
            source: What is read.
            started: Tells when the run started, by the server's clock.
            logger: Says what is read again, and why; names and numbers only.
        """
        self.source = source
        self.bookmark = bookmarks.Bookmark(source.bookmark, source.lookback)
        self.pages = self.gaps = 0
        self.done = False
        self.is_complete = self.is_within_reach = True
        self.look: Look | None = None
        self._further: list[Window] = []
        self._repeats_last = False
        self._ahead: list[set[int]] = []
        self._counted = 0
        self._was_disordered = False
        self._started = started
        self._logger = logger
        self._largest = source.max_size
        self._size = source.max_size
        self._said: set[bookmarks.TimeOddity] = set()
        if source.shortage:
            # What is to be settled is read whole, or once more.
            self.bookmark.hold()
        self._begin(Why.USUAL, Frame(source.since), Count())

    def _begin(self, why: Why, frame: Frame, count: Count) -> None:
        """Begin to read from the first record of a day."""
        self.now = Pass(
            why,
            frame.since,
            frame,
            Memory(max(_MEMORY, 3 * self._largest)),
            Pace.for_pages_of(self._largest),
            Mover(frame.since),
            count=count,
        )

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
        served, listed = self._listed(self._placed(served))
        self._hear(served)
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
        elif place is not None and self._is_last_again(served, listed, place):
            served = served._replace(shift=place - served.start)
            listed = listed._replace(start=place)
        self.now.has_moved |= place is not None and place != listed.start
        if self._continues(served, listed, place):
            return self._read(served, listed, capped=capped)
        if self._adjoins(served):
            return Taken(Verdict.SEAM)
        return self._gap(served)

    def close_seam(self, served: Served, before: Served) -> Taken:
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
        served, listed = self._listed(served)
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
        ties = now.frame.order is not Order.ID
        enough = enough_for(self._largest) if ties else 1
        read = now.memory.read(listed, in_order=in_order, enough=enough)
        # A first page that is short without a word proves nothing: asked for once more
        # in the size that it had, it shows whether pages are so small, or lack records.
        is_guess = capped and served.claims.size != len(served.records)
        end = before.position if is_guess else served.end
        now.evidence = before.after(
            end=end,
            fresh=len(read.fresh) - read.renewed,
            counted=end if capped else served.counted,
            entered=self._entered,
            tied=self._is_beyond_telling(read.tie),
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
        is_open = served.end < now.open_until or self._matters(read.tie)
        is_sure = not (is_guess or is_open)
        page = self._page(served, fresh, last_value, is_sure=is_sure)
        is_last = served.is_short and served.total in {None, served.end}
        if (
            capped
            or self._reads_tie_again(read.tie, missing=before.missing, is_last=is_last)
            or self._skips(served, read)
            or self._goes_on_at_the_front(served)
        ):
            return Taken(Verdict.ANEW, page)
        at_front = served.end >= before.counted
        now.idle = 0 if read.fresh else now.idle + at_front
        if now.idle > _IDLE:
            self._count_as_unlisted(served.total)
            return Taken(Verdict.READ if self.end() else Verdict.ANEW, page)
        if self._is_end(served, news=bool(read.fresh)):
            return Taken(Verdict.READ if self.end() else Verdict.ANEW, page)
        if self._is_too_restless():
            self._give_up_on_this_order()
            return Taken(Verdict.ANEW, page)
        return Taken(Verdict.READ, page)

    @property
    def _entered(self) -> int:
        """Records that may have come in before the position, and are no loss.

        Where something did not add up before, nothing is explained away.
        """
        now = self.now
        explains = not now.grows_at_the_end and now.why is not Why.DOUBT
        return now.count.grown if explains else 0

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

    def _say(self, oddities: set[bookmarks.TimeOddity]) -> None:
        """Say once what is odd about the records."""
        for oddity in sorted(oddities - self._said, key=lambda one: one.name):
            self._logger.warning("%s: %s", self.source.stream, oddity.value)
        self._said |= oddities

    @property
    def _limit(self) -> dt.datetime:
        """The server's clock at the start of the run."""
        return bookmarks.utc_moment(self._started())

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

    def _listed(self, served: Served) -> tuple[Served, Listed]:
        """Name the records of a page.

        Some servers give the last page where there is none: such a page is empty. It
        begins behind all that was read, and yet ends with the last record of that.
        """
        listed = served.listed(self.source.key)
        now, memory = self.now, self.now.memory
        is_older = now.grows_at_the_end and not memory.is_in_tie(listed)
        if (
            served.records
            and served.start >= max(now.evidence.position, 1)
            and (served.total is None or now.count.rises or is_older)
            and listed.known_as[-1] == memory.last
            and all(memory.place(one) is not None for one in listed.known_as)
        ):
            self._repeats_last = True
            claims = Claims(count=served.claims.count)
            served = served._replace(records=(), claims=claims)
            listed = served.listed(self.source.key)
        return served, listed

    def _is_last_again(self, served: Served, listed: Listed, place: int) -> bool:
        """Tell whether a page is the last one, given where there is none.

        It was asked for behind all that was read, and yet begins with a record of that:
        so that is where it lies.
        """
        now, position = self.now, self.now.evidence.position
        is_front = served.start >= max(position, now.furthest)
        is_behind = is_front and position > place >= position - len(served.records)
        return is_behind and not now.memory.is_in_tie(listed)

    def _hear(self, served: Served) -> None:
        """Take in a count, if it can be."""
        now, total = self.now, served.total
        if total is None:
            if served.claims.count is not None:
                now.count = now.count.denied()
        elif served.frame == now.frame:
            now.count = now.count.then(total)

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

    def _continues(self, served: Served, listed: Listed, place: int | None) -> bool:
        """Tell whether nothing lies between what was read and a page.

        The first page of a reading needs no proof. That of a `since` that was moved
        forward does: it may cut later than thought. Behind records that are counted
        and not listed nothing can be proven, and the evidence is short already. In an
        order by time, a page that begins no later than the last record read leaves out
        nothing but of the last tie.
        """
        now = self.now
        if served.start == served.frame.base and served.frame.since == now.since:
            now.again = None
            return True
        if now.again is not None:
            if not precedes(listed, now.again):
                return False
            now.again = None
        if now.skips:
            return served.start <= now.evidence.position
        if place is not None:
            return True
        overlaps = served.start < now.evidence.position
        return overlaps and not now.is_disordered and now.memory.covers(listed)

    def _adjoins(self, served: Served) -> bool:
        """Tell whether a page begins exactly where the reading stopped."""
        position = self.now.evidence.position
        is_proven = self.now.is_proven_here and self.now.again is None
        return served.start == position > 0 and is_proven

    def _gap(self, served: Served) -> Taken:
        """Step back and read again: more moved than the overlap covers.

        Raises:
            StreamError: If there is no end to the changes.
        """
        now = self.now
        now.has_moved = True
        self.gaps += 1
        now.pace = now.pace.after_gap(size=self._largest)
        if self._is_too_restless():
            self._give_up_on_this_order()
            return Taken(Verdict.ANEW)
        if served.start == served.frame.base:
            # Not even the first record since the later day was read.
            now.frame, now.is_rebased = now.mover.back(now.frame), False
        back = min(now.evidence.position, served.start) - now.pace.step
        self._go_to(max(back, now.frame.base))
        now.is_proven_here = False
        self._logger.info(
            "%s: records moved while they were read; reading again from record %d",
            self.source.stream,
            now.evidence.position,
        )
        return Taken(Verdict.ANEW)

    def _go_to(self, position: int) -> None:
        """Read on from another position."""
        self.now.evidence = self.now.evidence._replace(position=position)
        self.now.excess = None

    # Ties, and records that are counted and not listed

    def _matters(self, tie: Tie | None) -> bool:
        """Tell whether there is a tie, and the bookmark could pass it."""
        if tie is None:
            return False
        if self.now.frame.order is not Order.UPDATED_AT:
            return True
        return not self.now.is_disordered and not (
            isinstance(tie.value, dt.datetime) and tie.value >= self._limit
        )

    def _fits(self, tie: Tie) -> bool:
        """Tell whether one window can hold a tie, and was not tried for it."""
        value, times = self.now.tried
        tried = times if value == tie.value else 0
        return tie.end - tie.start < self._largest and tried < _TRIES_OF_A_TIE

    def _is_beyond_telling(self, tie: Tie | None) -> bool:
        """Tell whether a tie in an order of its own spans more than a window."""
        in_order = self.now.frame.order is Order.UPDATED_AT
        if tie is None or not in_order or not self._matters(tie):
            return False
        return not self._fits(tie)

    def _reads_tie_again(self, tie: Tie | None, *, missing: int, is_last: bool) -> bool:
        """Go back to where a tie in an order of its own begins, if that may help.

        Where one window holds it, nothing of it is left out. In an order that is the
        last resort, larger ones are read in other windows, until as many records came
        as there are, or for some times.
        """
        now = self.now
        if tie and self._matters(tie):
            if self._fits(tie):
                value, times = now.tried
                now.tried = (tie.value, times + 1 if value == tie.value else 1)
                size = tie.end - tie.start + 1
                now.pace = now.pace.reaching(size, size=self._largest)
                now.open_until = now.evidence.position
                self._go_to(tie.start)
                now.close_to, now.had_ties = tie.start, True
                if now.frame.order is Order.UPDATED_AT:
                    now.again = tie.value
                return True
            if now.frame.order is not Order.UPDATED_AT and now.open_tie is None:
                now.open_tie = tie
                now.had_ties = True
                if now.tried_again[0] != tie.value:
                    now.tried_again = (tie.value, 0, missing)
        tie = now.open_tie
        is_behind = is_last or (tie and now.memory.last_value != tie.value)
        if tie is None or not is_behind:
            return False
        now.open_tie, now.other = None, 0
        value, times, before = now.tried_again
        has_tried = times >= _OTHER_WINDOWS or now.rounds > _PATIENCE + self._pages
        if has_tried or now.evidence.missing <= max(before, 0):
            return False
        now.tried_again = (value, times + 1, before)
        now.rounds += 1
        now.other = times + 1
        self._go_to(tie.start)
        return True

    def _skips(self, served: Served, read: Read) -> bool:
        """Pass a window in which all that is new is counted and not listed.

        After some of them, looks further ahead tell whether any record is there.
        """
        now = self.now
        if read.fresh:
            now.skips, now.front = 0, None
            return False
        if served.counted == served.end or served.total is None:
            return False
        now.front = now.front or now.evidence
        if now.skips < _SKIPS or now.goes_on:
            now.skips += 1
            self._go_to(served.start + served.window.size)
            return True
        return self._looks_further(served)

    def _goes_on_at_the_front(self, served: Served) -> bool:
        """Look further ahead where short pages bring something, and more is counted."""
        now = self.now
        if now.goes_on or not (served.is_short and served.end < (served.total or 0)):
            return False
        now.fronts += 1
        return now.fronts > _LOOKS and self._looks_further(served)

    def _looks_further(self, served: Served) -> bool:
        """Look at the last page by the count, and in the middle, if there is one."""
        frame, window, total = served.frame, served.window, served.total or 0
        last = min((total - frame.base) // window.size, windows.MAX_PAGE)
        first = served.end // window.size + 2
        pages = {last, (first + last) // 2} if first <= last else set()
        self._further = [windows.Window(page, window.size) for page in sorted(pages)]
        self._counted, self._ahead = total, []
        return self._looks_next()

    def _looks_next(self) -> bool:
        """Look at the next of those pages, if there is one."""
        self.look = None
        if self._further:
            self.look = Look(self.now.frame, self._further.pop(), at_end=False)
        return self.look is not None

    def looked(self, look: Look, served: Served) -> Taken:
        """Take in a page that was only to be looked at.

        Args:
            look: The look.
            served: The page.

        Returns:
            That the next windows are to be planned anew.
        """
        now = self.now
        if look.at_end:
            return self._looked_at_steady_end(served)
        # A page with a record that was read, or one that comes for two page numbers, is
        # the last one, given where there is none.
        keys = set(served.listed(self.source.key).keys)
        if keys and not any(now.memory.has(key) for key in keys):
            self._ahead.append(keys)
        if self._looks_next():
            return Taken(Verdict.ANEW)
        now.goes_on = bool(self._ahead) and not (
            len(self._ahead) > 1 and set.intersection(*self._ahead)
        )
        if not now.goes_on:
            self._count_as_unlisted(self._counted)
            self.end()
        return Taken(Verdict.ANEW)

    def _looked_at_steady_end(self, served: Served) -> Taken:
        """End the stream, if the order that stays lists no more than was read."""
        self.look = None
        keys = served.listed(self.source.key).keys
        at_end = served.end <= self.now.evidence.position or self._repeats_last
        if at_end and all(self.now.memory.has(key) for key in keys):
            self._finish()
        else:
            self._read_doubtful()
        return Taken(Verdict.ANEW)

    def _is_end(self, served: Served, *, news: bool) -> bool:
        """Tell whether a page is the last.

        A page that is as full as asked for is followed by one more look, and so is a
        short one whose count says that there is more, or nothing at all. The look may
        bring nothing; then what it counts on top is counted and not listed, if it was
        the same before.
        """
        now = self.now
        before, now.excess = now.excess, None
        if not served.is_short:
            return False
        total = served.total
        if total is None and not served.records and not now.count.is_denied:
            total = now.count.last
        excess = None if total is None else max(total - served.end, 0)
        if news:
            now.excess = excess
            now.looks += excess is None
            return excess == 0 or now.looks > _LOOKS
        if not excess:
            return True
        if before is None and not now.front:
            now.excess = excess
            return False
        self._count_as_unlisted(total)
        return True

    def _count_as_unlisted(self, total: int | None) -> None:
        """Note that records at the end are counted, and not listed.

        Args:
            total: Records of the stream, as counted.
        """
        known = self.now.front or self.now.evidence
        self.now.evidence = known.lacking(max((total or 0) - known.position, 0))
        self.bookmark.hold(at_start=True)

    @property
    def expects_nothing(self) -> bool:
        """Whether a page without a record would be no surprise, whatever is counted."""
        return bool(self.now.skips or self.now.excess)

    # The end, and other orders

    def end(self) -> bool:
        """End the stream, unless something did not add up and was not read twice.

        Returns:
            Whether the stream has ended.
        """
        now = self.now
        if now.evidence.is_clean or now.why in {Why.DOUBT, Why.UNREST}:
            self._finish()
            return True
        if now.evidence.only_counts_more and (look := self._steady_end()):
            self.look = look
            return False
        self._read_doubtful()
        return False

    def _read_doubtful(self) -> None:
        """Read once more what did not add up, in the order that stays."""
        short = self.now.evidence.short
        why = (
            f"{words.counted(short, 'record')} of the count did not appear"
            if short
            else "records that share one updated_at change their order"
        )
        self._read_steadily(Why.DOUBT, why)

    def _steady_end(self) -> Look | None:
        """Choose the page at the end of the order that stays.

        Where all records that are listed were read, and more are counted, it shows
        whether that order lists more.
        """
        position, since = self.now.evidence.position, self.now.since
        if not position or self.now.frame.since != since:
            return None
        window = windows.overlapping(position, self._size, 1) or windows.adjoining(
            position, self._size
        )
        return window and Look(Frame(since, self.source.steady), window, at_end=True)

    @property
    def adds_up(self) -> bool:
        """Whether as many records were read as there are, in order."""
        now = self.now
        if now.frame.order is Order.SCHEDULED_TIME:
            # What a tie has left out may have come in other windows. Where records
            # come and go meanwhile, their number does not tell.
            is_told = not (now.had_ties and now.count.has_changed)
            return now.evidence.is_whole and is_told and self.is_within_reach
        return now.evidence.is_clean and self.is_within_reach

    @property
    def is_settled(self) -> bool:
        """Whether what is short now is DrChrono's way of counting."""
        return self.source.shortage is not None or not self.is_within_reach

    def _finish(self) -> None:
        """End the stream, and say what is short."""
        self.done = True
        if self.adds_up:
            return
        short = self.now.evidence.short
        self._logger.warning(
            "%s: %s. %s",
            self.source.stream,
            f"DrChrono counts {words.counted(short, 'record')} more than it lists"
            if short
            else "records that share one scheduled_time came and went while they were "
            "read, so that some may be missing",
            "It is taken for its way of counting, and the bookmark moves on."
            if self.is_settled
            else "The bookmark stays before them; the next sync reads them again, and "
            "then it moves on.",
        )

    def let_bookmark_go(self) -> None:
        """Move the bookmark to where a stream that was read to its end leaves it."""
        if self._was_disordered or self.now.is_disordered:
            self.bookmark.reach(self._limit.isoformat())
        elif self.now.evidence.position and not self.bookmark.is_dated:
            self.bookmark.reach(self._limit.date().isoformat())
        else:
            self.bookmark.release()

    def leave(self) -> bool:
        """End a stream that keeps growing, as `end` does.

        Returns:
            Whether the stream has ended.
        """
        self.is_complete = self.now.grows_at_the_end
        if self.now.excess:
            position = self.now.evidence.position
            self._count_as_unlisted(position + self.now.excess)
        if self.end():
            return True
        self.is_complete = True
        return False

    @property
    def total(self) -> int | None:
        """Records of the stream, as far as known."""
        count, wall = self.now.count, self.now.wall
        if count.last is None or count.is_denied:
            return None
        return count.last if wall is None else min(count.last, wall)

    @property
    def has_read_enough(self) -> bool:
        """Whether a list that never ends may be left.

        As much was read as there was when the reading began, and what was read last
        changed about then: a count is no proof, it may have been too small. Where that
        cannot be told, twice as much and some more was read, and something did change.
        A list by id is read to its end, as nobody makes records so fast.
        """
        now, position = self.now, self.now.evidence.position
        first = now.count.first
        if first is None or now.count.is_denied:
            return False
        if now.grows_at_the_end and now.frame.order is Order.ID:
            return False
        if now.grows_at_the_end and position >= first and self._is_up_to_date:
            return True
        return now.has_moved and position >= 2 * first + 10 * self._largest

    @property
    def _is_up_to_date(self) -> bool:
        """Whether the last record read may have changed since the run started."""
        last = self.now.memory.last_value
        return isinstance(last, dt.datetime) and last >= self._limit - bookmarks.ZONES

    def _is_too_restless(self) -> bool:
        """Tell whether too many windows were wasted on records that move."""
        now, pages = self.now, self._pages
        if now.frame.order is not Order.UPDATED_AT:
            return now.pace.wasted > _MORE_PATIENCE + 2 * pages
        return (
            now.pace.wasted > _PATIENCE + pages // 2
            or now.pace.windows > 4 * _PATIENCE + 3 * pages
        )

    @property
    def _pages(self) -> int:
        """Pages of the stream, as far as known; no count says more than was read."""
        count, evidence = self.now.count, self.now.evidence
        records = max(count.first or 0, count.last or 0, evidence.position)
        pages = records // max(self._largest - max(self._largest // 50, 1), 1)
        read = min(evidence.distinct, evidence.position) // self._largest
        return min(pages, _AT_FIRST + 4 * read)

    def _give_up_on_this_order(self) -> None:
        """Read in an order that updates do not change.

        Raises:
            StreamError: If it is read so already.
        """
        if self.now.frame.order is Order.UPDATED_AT:
            why = "its records move faster than they can be read"
            self._read_steadily(Why.UNREST, why)
            return
        msg = (
            f"{self.source.stream}: records change faster than they can be read: "
            f"{self.gaps} pages did not continue what was read. Run the tap when "
            "the practice is quiet, or with a larger page_size."
        )
        raise StreamError(msg)

    def _read_steadily(self, why: Why, because: str) -> None:
        """Read what is not proven in an order that updates do not change."""
        self._logger.warning(
            "%s: %s; reading it again in the order of %s",
            self.source.stream,
            because,
            self.source.steady.value,
        )
        since, _ = bookmarks.since(self.bookmark.value, None, self.source.lookback)
        since = max(since, self.source.since)
        count = self.now.count if since == self.now.since else Count()
        last = Count() if count.last is None else Count().then(count.last)
        self._was_disordered |= self.now.is_disordered
        self.bookmark.hold()
        self._begin(why, Frame(since, self.source.steady), last)

    def cannot_reach_further(self) -> None:
        """End a second reading where page numbers end.

        Raises:
            StreamError: If it is the first.
        """
        if self.now.why is not Why.DOUBT:
            raise self.unreachable()
        self.is_within_reach = False
        self._finish()

    def unreachable(self) -> StreamError:
        """Say that page numbers end before the stream does."""
        what = (
            "too many records share one day for `since` to be moved forward"
            if self.now.frame.order is Order.UPDATED_AT
            else "it is not read in the order of updated_at, so `since` must stay"
        )
        return StreamError(
            f"{self.source.stream}: cannot read beyond record "
            f"{self.now.evidence.position}: "
            f"DrChrono serves {windows.MAX_PAGE} pages of {self._size} records, and "
            f"{what}. "
            "Raise page_size if it is set, or set a later start_date."
        )

    # Which window comes next

    def next_window(self, behind: int | None) -> Window | None:
        """Choose the next window.

        Args:
            behind: Where the last pending window ends, or None if none is pending.

        Returns:
            The window; None if none overlaps, and a pending one has to be read first.
            With none pending: None if page numbers do not reach there.
        """
        now = self.now
        position = now.evidence.position if behind is None else behind
        at = max(position - now.frame.base, 0)
        size = max(1, self._size - max(self._size // 16, 1) * now.other)
        overlap = 1 if position == now.close_to else now.pace.overlap
        window = windows.overlapping(at, size, overlap)
        if window or behind is not None:
            return window
        if now.is_proven_here:
            return windows.adjoining(at, size)
        return windows.ending_at(at, size)

    def seam(self) -> Window:
        """Choose the window that ends at the position.

        Raises:
            StreamError: If page numbers do not reach there.
        """
        at = self.now.evidence.position - self.now.frame.base
        window = windows.ending_at(at, self._size)
        if window is None:
            raise self.unreachable()
        return window

    def frame_ahead(self, behind: int | None) -> Frame | None:
        """Say where `since` is to be moved, as page numbers end at 1000.

        Args:
            behind: Where the last pending window ends, or None if none is pending.

        Returns:
            The frame, whose base is not known yet, or None while that gains nothing.
        """
        now = self.now
        if now.frame.order is not Order.UPDATED_AT or now.count.last is None:
            return None
        position = now.evidence.position if behind is None else behind
        last = now.memory.last_value
        return now.mover.ahead(now.frame, last, position, self._size)

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
