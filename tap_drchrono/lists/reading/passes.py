"""One reading of a list, from the first record of a day: all that is known of it."""

from __future__ import annotations

import dataclasses
import enum
import typing as t

from tap_drchrono import timestamps
from tap_drchrono.lists.claims import Count
from tap_drchrono.lists.jobs import Frame, Order
from tap_drchrono.lists.reading.evidence import Evidence

if t.TYPE_CHECKING:
    import datetime as dt

    from tap_drchrono.lists.reading.frames import Mover
    from tap_drchrono.lists.reading.memory import Memory, Tie
    from tap_drchrono.lists.reading.pace import Pace
    from tap_drchrono.lists.reading.served import Served


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
        repeats_last: Whether the last page came for one behind it.
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
    repeats_last: bool = False

    @property
    def grows_at_the_end(self) -> bool:
        """Whether all that comes in lies behind what was read."""
        # By id, new records are the last ones too, but an update may bring an old one
        # into a list that does not read everything.
        if self.frame.order is Order.UPDATED_AT:
            return not self.is_disordered
        everything = self.frame.since == timestamps.EVERYTHING
        return self.frame.order is Order.ID and everything

    def go_to(self, position: int) -> None:
        """Read on from another position.

        Args:
            position: Records before it.
        """
        self.evidence = self.evidence._replace(position=position)
        self.excess = None

    def lacks(self, total: int | None) -> None:
        """Note that records at the end are counted, and not listed.

        Args:
            total: Records of the stream, as counted.
        """
        known = self.front or self.evidence
        self.evidence = known.lacking(max((total or 0) - known.position, 0))

    @property
    def expects_nothing(self) -> bool:
        """Whether a page without a record would be no surprise, whatever is counted."""
        return bool(self.skips or self.excess)

    @property
    def total(self) -> int | None:
        """Records of the stream, as far as known."""
        if self.count.last is None or self.count.is_denied:
            return None
        return self.count.last if self.wall is None else min(self.count.last, self.wall)

    @property
    def entered(self) -> int:
        """Records that may have come in before the position, and are no loss.

        Where something did not add up before, nothing is explained away.
        """
        explains = not self.grows_at_the_end and self.why is not Why.DOUBT
        return self.count.grown if explains else 0

    def hear(self, served: Served) -> None:
        """Take in a count, if it can be.

        Args:
            served: The page that it came with.
        """
        total = served.total
        if total is None:
            if served.claims.count is not None:
                self.count = self.count.denied()
        elif served.frame == self.frame:
            self.count = self.count.then(total)
