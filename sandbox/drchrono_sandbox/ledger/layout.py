"""What had happened by the practice's last day, fitted to the numbers that were asked.

A test may ask for any number of line items and transactions. So the stories are told in
the order of the line items, each as far as its share of the transactions allows; what
is left over is given to the oldest that were cut short, and then to remittances that
nobody could match.
"""

from __future__ import annotations

import array
import typing as t

from drchrono_sandbox.draw import Draw
from drchrono_sandbox.ledger.calendar import Calendar, Outcome
from drchrono_sandbox.ledger.registers import NOTHING
from drchrono_sandbox.ledger.remittances import some_trace, trace_for

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drchrono_sandbox.ledger.parts import Story

UNMATCHED_EVERY = 150
"""Exception: one transaction in so many belongs to no line item."""

_BLOCK = 3
_LEADERS = (*[(0, 1, 2)] * 5, (0, 0, 2), (0, 1, 1))
_SEARCHED = 40
_SLACK = 4
_FEE_EVERY = 4

_GROUP_SEED = 106
_FEE_SEED = 107
_LATE_SEED = 108


class Layout:
    """What had happened by the end of the calendar.

    Attributes:
        visits: The appointment of each line item.
        steps: How many steps of its story each line item has taken.
        entered: When each line item was entered, in practice seconds.
        settled: When the last thing happened to it.
        transactions: In the order of time: an `Entry` each, and the trace number.
        payments: In the order of time: an `Entry` each.
    """

    def __init__(
        self,
        calendar: Calendar,
        sizes: Mapping[str, int],
        story: Callable[[int, int], Story],
    ) -> None:
        """Lay out the money of a practice.

        Args:
            calendar: Its calendar.
            sizes: Records by stream.
            story: Tells the story of a line item, by its number and its appointment.
        """
        self._calendar = calendar
        self.visits: array.array[int] = array.array("q")
        self.steps: array.array[int] = array.array("q")
        self.entered: array.array[int] = array.array("q")
        self.settled: array.array[int] = array.array("q")
        self.transactions: list[tuple[int, int, int, int]] = []
        self.payments: list[tuple[int, int, int]] = []
        items, wanted = sizes["line_items"], sizes["transactions"]
        room = wanted - wanted // UNMATCHED_EVERY
        cut = []
        for number in range(items):
            visit = visit_of(calendar, number, items)
            told = story(number, visit)
            self.visits.append(visit)
            self.steps.append(0)
            self.entered.append(told.entered)
            self.settled.append(told.entered)
            share = min(room, room * (number + 1) // items + _SLACK)
            if not self._take(number, told, share):
                cut.append(number)
        for number in cut:
            if len(self.transactions) == room:
                break
            self._take(number, story(number, self.visits[number]), room)
        self._fill(wanted - len(self.transactions))
        more = sizes.get("patient_payments", 0) - len(self.payments)
        self.payments += self._spread(more)
        self.transactions.sort()
        self.payments.sort()

    def _take(self, number: int, told: Story, room: int) -> bool:
        """Take the next steps of a story, while they are past and there is room."""
        first = self.steps[number]
        place = sum(len(step.postings) for step in told.steps[:first])
        paid = sum(len(step.payments) for step in told.steps[:first])
        for step in told.steps[first:]:
            if step.at > self._calendar.end:
                return True
            if len(self.transactions) + len(step.postings) > room:
                return False
            for posting in step.postings:
                trace = trace_for(told.claim, step, posting)
                self.transactions.append((step.at, number, place, trace))
                place += 1
            for _ in step.payments:
                self.payments.append((step.at, number, paid))
                paid += 1
            self.steps[number] += 1
            self.settled[number] = max(self.settled[number], step.at)
        return True

    def _fill(self, count: int) -> None:
        """Add remittances that nobody could match."""
        for at, item, place in self._spread(count):
            trace = some_trace(self._calendar.seed, at, place)
            self.transactions.append((at, item, place, trace))

    def _spread(self, count: int) -> list[tuple[int, int, int]]:
        """Lay out entries that belong to no line item."""
        calendar = self._calendar
        span = calendar.end - calendar.start
        return [
            (calendar.start + span * (n + 1) // (count + 1), NOTHING, n)
            for n in range(count)
        ]


def visit_of(calendar: Calendar, number: int, items: int) -> int:
    """Tell for which appointment a line item is.

    Args:
        calendar: The practice's calendar.
        number: The line item's number.
        items: Line items at the start; later ones are for recent appointments.

    Returns:
        The appointment's number: one of the start that was kept, as far as possible;
        now and then one that was missed, for a fee.
    """
    visits = max(1, calendar.visits)
    if number < items:
        block, place = divmod(number, _BLOCK)
        leaders = Draw(calendar.seed, _GROUP_SEED, block).pick(_LEADERS)
        first = (block * _BLOCK + leaders[place]) * visits // items
    else:
        draw = Draw(calendar.seed, _LATE_SEED, number)
        first = visits - 1 - draw.below(max(1, visits // 10))
    for back in range(min(_SEARCHED, visits)):
        visit = (first - back) % visits
        if _is_charged(calendar, visit):
            return visit
    return first - 1 if calendar.is_break(first) else first


def _is_charged(calendar: Calendar, visit: int) -> bool:
    if calendar.is_break(visit):
        return False
    scheduled = calendar.scheduled(visit)
    if scheduled > calendar.end:
        return False
    outcome = calendar.outcome(visit, scheduled)
    if outcome is Outcome.NO_SHOW:
        return Draw(calendar.seed, _FEE_SEED, visit).one_in(_FEE_EVERY)
    return outcome is Outcome.KEPT
