"""The practice's books: what happened to line items, and what follows from a change.

What is kept is small: which step each line item has reached, what was corrected, what
was deleted. All amounts follow from that and from the numbers of the records.
"""

from __future__ import annotations

import functools
import typing as t

from drchrono_sandbox.draw import Draw
from drchrono_sandbox.ledger.accounts import Account, settle
from drchrono_sandbox.ledger.claims import Claim, claim_of
from drchrono_sandbox.ledger.layout import Layout, visit_of
from drchrono_sandbox.ledger.parts import (
    PAYMENT,
    Charge,
    Kind,
    Payment,
    Posting,
    Step,
    Story,
)
from drchrono_sandbox.ledger.registers import ALONE, NOTHING, Entry, Register
from drchrono_sandbox.ledger.remittances import Check, Checks, trace_for
from drchrono_sandbox.ledger.stories import AFTERTHOUGHTS, afterthought, tell
from drchrono_sandbox.stamps import DAY

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from drchrono_sandbox.ledger.calendar import Calendar

ORPHANED_EVERY = 12
"""Exception: the transactions of one deleted line item in so many are left behind."""

INTEREST = "225"
"""Reason code of interest that an insurer pays."""

_CLAIMS_REMEMBERED = 1 << 17
_STORIES_REMEMBERED = 1 << 14
_ORPHAN_SEED = 110
_ALONE_SEED = 111
_UNMATCHED_SEED = 112
_EDIT_SEED = 113
_PATIENT_SEED = 114
_DELETED_SEED = 115


class Effect(t.NamedTuple):
    """A record that changes because another one did.

    Attributes:
        stream: Its stream.
        action: What happens to it.
        number: Its number.
    """

    stream: str
    action: t.Literal["insert", "touch", "remove"]
    number: int


class Deletion(t.NamedTuple):
    """A line item that was deleted.

    Attributes:
        item: Its number.
        visit: The appointment's number.
    """

    item: int
    visit: int


class Books:
    """What is known of the money of a practice; see `MoneyRecords` for its rows.

    Attributes:
        calendar: The practice's calendar.
        patients: Patients at the start.
        transactions: The transactions by number.
        payments: The patients' payments by number.
        checks: The remittances by number.
        deletions: The deleted line items, in the order of their deletion.
    """

    def __init__(self, calendar: Calendar, sizes: Mapping[str, int]) -> None:
        """Open the books of a practice.

        Args:
            calendar: Its calendar.
            sizes: Records by stream, at the start.
        """
        self.calendar = calendar
        self.patients = sizes["patients"]
        self._items = sizes["line_items"]
        self._claim = functools.lru_cache(_CLAIMS_REMEMBERED)(self._draw_claim)
        self._story = functools.lru_cache(_STORIES_REMEMBERED)(self._tell)
        layout = Layout(calendar, sizes, self._story)
        self._visits = layout.visits
        self._first_steps = layout.steps
        self._entered, self._settled = layout.entered, layout.settled
        self._late: dict[int, list[int]] = {}
        self._removed: dict[int, int] = {}
        self._of_visit: dict[int, tuple[int, ...]] = {}
        for item, visit in enumerate(layout.visits):
            self._of_visit[visit] = (*self._of_visit.get(visit, ()), item)
        self.transactions = Register(layout.transactions)
        self.payments = Register(layout.payments)
        self.deletions = [
            self._old_deletion(number)
            for number in range(sizes.get("line_item_deletions", 0))
        ]
        self.checks = Checks()
        for *_, trace in layout.transactions:
            self.checks.add(trace)

    def _old_deletion(self, number: int) -> Deletion:
        """Tell of a line item from before the first one that is there."""
        visits = max(1, self.calendar.visits)
        visit = Draw(self.calendar.seed, _DELETED_SEED, number).below(visits)
        is_break = self.calendar.is_break(visit)
        return Deletion(-1 - number, visit - is_break)

    def _draw_claim(self, visit: int) -> Claim:
        return claim_of(self.calendar, visit, self.patients)

    def _tell(self, item: int, visit: int) -> Story:
        return tell(self.calendar, item, self._claim(visit))

    def claim_of_visit(self, visit: int, scheduled: int) -> Claim:
        """Tell who pays for an appointment.

        Args:
            visit: Its number.
            scheduled: When it takes place.

        Returns:
            The claim, also where nothing was charged.
        """
        if visit < self.calendar.visits:
            return self._claim(visit)
        return claim_of(self.calendar, visit, self.patients, scheduled)

    def claim(self, item: int) -> Claim:
        """Tell who pays for a line item.

        Args:
            item: Its number.

        Returns:
            The claim of its visit.
        """
        return self._claim(self._visits[item])

    def charge(self, item: int) -> Charge:
        """Tell what was charged.

        Args:
            item: The line item's number.

        Returns:
            The charge.
        """
        return self._story(item, self._visits[item]).charge

    def steps(self, item: int) -> Sequence[Step]:
        """Tell what has happened to a line item, deletions aside.

        Args:
            item: Its number.

        Returns:
            The steps so far, in order.
        """
        told = self._story(item, self._visits[item]).steps
        first = self._first_steps[item]
        if item not in self._late:
            return told[:first]
        steps = list(told[:first])
        for turn, at in enumerate(self._late[item], first):
            if turn < len(told):
                check = None if told[turn].check is None else at
                steps.append(told[turn]._replace(at=at, check=check))
            else:
                steps.append(afterthought(turn - len(told), at))
        return steps

    def entered(self, item: int) -> int:
        """Tell when a line item of the start was entered.

        Args:
            item: Its number.

        Returns:
            Practice time in seconds.
        """
        return self._entered[item]

    def settled(self, item: int) -> int:
        """Tell when the last thing happened to a line item of the start, by its end.

        Args:
            item: Its number.

        Returns:
            Practice time in seconds.
        """
        return self._settled[item]

    def items_of(self, visit: int) -> list[int]:
        """Find the line items of an appointment.

        Args:
            visit: The appointment's number.

        Returns:
            The numbers of those that are not deleted.
        """
        found = self._of_visit.get(visit, ())
        return [item for item in found if item not in self._removed]

    def removed_at(self, item: int) -> int | None:
        """Tell when a line item was deleted.

        Args:
            item: Its number.

        Returns:
            Practice time in seconds, or None if it is there.
        """
        return self._removed.get(item)

    def account(self, item: int) -> Account:
        """Add up a line item.

        Args:
            item: Its number.

        Returns:
            Its sums.
        """
        return settle(
            self.charge(item),
            self.claim(item),
            [self.posting(number) for number in self.transactions.of_item(item)],
            [self.payment(number) for number in self.payments.of_item(item)],
            is_billed=self.billed_at(item) is not None,
        )

    def billed_at(self, item: int) -> int | None:
        """Tell when the claim for a line item was first sent.

        Args:
            item: Its number.

        Returns:
            Practice time in seconds, or None if it was not.
        """
        claim = self.claim(item)
        if claim.payer is None or claim.billed is None:
            return None
        if claim.billed <= self.calendar.end:
            return claim.billed
        return min(self._late.get(item, ()), default=None)

    def posting(self, number: int) -> Posting:
        """Tell what a transaction says.

        Args:
            number: Its number.

        Returns:
            The posting, with its amounts as they were last corrected.
        """
        _, item, place = self.transactions.entry(number)
        if item == NOTHING:
            draw = Draw(self.calendar.seed, _UNMATCHED_SEED, number)
            posting = Posting(1, 2_000 + draw.below(9_000), 0, "", PAYMENT, "1")
        elif place == ALONE:
            draw = Draw(self.calendar.seed, _ALONE_SEED, number)
            paid = 1 + self.charge(item).allowed * (1 + draw.below(5)) // 100
            reason = INTEREST if draw.one_in(5) else PAYMENT
            posting = Posting(1, paid, 0, "", reason, "1")
        else:
            posting = self._place(item, place)
        return self._corrected(posting, number)

    def payment(self, number: int) -> Payment:
        """Tell what a patient paid.

        Args:
            number: The payment's number.

        Returns:
            The payment; for no line item once that is deleted.
        """
        _, item, place = self.payments.entry(number)
        if place == ALONE or item == NOTHING:
            draw = Draw(self.calendar.seed, _PATIENT_SEED, number)
            amount = 500 * (1 + draw.below(10))
            payment = Payment(amount, "", allocated=item != NOTHING)
        else:
            payments = [one for step in self.steps(item) for one in step.payments]
            payment = payments[place]
        if item in self._removed:
            return payment._replace(allocated=False)
        return payment

    def check_of(self, number: int) -> Check | None:
        """Tell by which remittance a transaction came.

        Args:
            number: The transaction's number.

        Returns:
            The remittance, or None if it was entered by hand.
        """
        check = self.checks.number(number)
        return None if check is None else self.checks.check(check)

    def _place(self, item: int, place: int) -> Posting:
        """Find a posting among those of a story."""
        for step in self.steps(item):
            if place < len(step.postings):
                return step.postings[place]
            place -= len(step.postings)
        msg = f"Line item {item} has no such posting"
        raise LookupError(msg)

    def _corrected(self, posting: Posting, number: int) -> Posting:
        edits = self.transactions.edits(number)
        if not edits:
            return posting
        percent = 70 + Draw(self.calendar.seed, _EDIT_SEED, number, edits).below(30)
        return posting._replace(
            paid=_share(posting.paid, percent),
            adjustment=_share(posting.adjustment, percent),
        )

    def follow(
        self, stream: str, action: str, number: int, stamp: int
    ) -> Iterator[Effect]:
        """Tell what else changes when a record was changed.

        Args:
            stream: The stream of the record.
            action: `insert`, `update` or `remove`.
            number: The record's number.
            stamp: Practice time in seconds.

        Yields:
            The other changes, in the order in which they are to be made.
        """
        if stream == "line_items":
            if action == "remove":
                yield from self._remove_item(number, stamp)
            elif action == "insert":
                visit = visit_of(self.calendar, number, self._items)
                self._visits.append(visit)
                self._first_steps.append(0)
                self._of_visit[visit] = (*self._of_visit.get(visit, ()), number)
            else:
                yield from self._go_on(number, stamp)
            yield Effect("appointments", "touch", self._visits[number])
        elif stream == "transactions":
            yield from self._change_transaction(action, number, stamp)
        elif stream == "patient_payments":
            yield from self._change_payment(action, number, stamp)

    def _go_on(self, item: int, stamp: int) -> Iterator[Effect]:
        """Take the next step of a story."""
        if self.charge(item).kind is Kind.UNPRICED:
            return
        steps = self.steps(item)
        told = self._story(item, self._visits[item]).steps
        if len(steps) == len(told) + AFTERTHOUGHTS:
            return
        place = sum(len(step.postings) for step in steps)
        paid = sum(len(step.payments) for step in steps)
        self._late.setdefault(item, []).append(stamp)
        step = self.steps(item)[-1]
        for offset, posting in enumerate(step.postings):
            number = self.transactions.add(Entry(stamp, item, place + offset))
            yield Effect("transactions", "insert", number)
            yield from self._posted(number, trace_for(self.claim(item), step, posting))
        for offset in range(len(step.payments)):
            number = self.payments.add(Entry(stamp, item, paid + offset))
            yield Effect("patient_payments", "insert", number)

    def _remove_item(self, item: int, stamp: int) -> Iterator[Effect]:
        self._removed[item] = stamp
        self.deletions.append(Deletion(item, self._visits[item]))
        yield Effect("line_item_deletions", "insert", len(self.deletions) - 1)
        for number in self.payments.of_item(item):
            yield Effect("patient_payments", "touch", number)
        if Draw(self.calendar.seed, _ORPHAN_SEED, item).one_in(ORPHANED_EVERY):
            return
        for number in self.transactions.of_item(item):
            yield Effect("transactions", "remove", number)
            yield from self._taken(number)

    def _change_transaction(
        self, action: str, number: int, stamp: int
    ) -> Iterator[Effect]:
        if action == "insert":
            item = self._some_item(number)
            self.transactions.add(Entry(stamp, item, ALONE))
            claim = self.claim(item) if item != NOTHING else None
            doctor, payer = (claim.doctor, claim.payer) if claim else (0, 0)
            check = Check(stamp // DAY, payer or 0, doctor)
            yield from self._posted(number, check.trace)
        elif action == "remove":
            yield from self._taken(number)
        else:
            self.transactions.edit(number)
            yield from self._touched(number)
        yield from self._touch_item(self.transactions.entry(number).item)

    def _change_payment(self, action: str, number: int, stamp: int) -> Iterator[Effect]:
        if action == "insert":
            self.payments.add(Entry(stamp, self._some_item(number), ALONE))
        elif action == "remove":
            self.payments.remove(number)
        else:
            return
        yield from self._touch_item(self.payments.entry(number).item)

    def _touch_item(self, item: int) -> Iterator[Effect]:
        if item == NOTHING:
            return
        if item not in self._removed:
            yield Effect("line_items", "touch", item)
        yield Effect("appointments", "touch", self._visits[item])

    def _posted(self, number: int, trace: int) -> Iterator[Effect]:
        is_new = self.checks.add(trace)
        yield from self._touched(number, "insert" if is_new else "touch")

    def _taken(self, number: int) -> Iterator[Effect]:
        self.transactions.remove(number)
        self.checks.remove(number)
        yield from self._touched(number)

    def _touched(
        self, number: int, action: t.Literal["insert", "touch"] = "touch"
    ) -> Iterator[Effect]:
        check = self.checks.number(number)
        if check is not None:
            yield Effect("eobs", action, check)

    def _some_item(self, number: int) -> int:
        """Draw the line item that an entry by itself is for."""
        draw = Draw(self.calendar.seed, _ALONE_SEED, number)
        for _ in range(20 if self._visits else 0):
            item = draw.below(len(self._visits))
            is_there = item not in self._removed
            is_priced = self.charge(item).kind is not Kind.UNPRICED
            if is_there and is_priced and self.claim(item).payer is not None:
                return item
        return NOTHING


def _share(amount: int, percent: int) -> int:
    share = abs(amount) * percent // 100
    return share if amount >= 0 else -share
