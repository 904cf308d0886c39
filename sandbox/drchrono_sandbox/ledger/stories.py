"""The story of a line item: what was charged, and what became of it step by step.

Each line item draws one story from its number, once. A story is a list of steps in the
order of time; a step posts transactions or takes payments of the patient. Whoever looks
at a line item at some time sees the steps that were taken by then, and edits take the
next one. After the last one a patient pays a little, and takes it back, twice.
"""

from __future__ import annotations

import operator
import typing as t
from types import MappingProxyType

from drchrono_sandbox.draw import Draw
from drchrono_sandbox.ledger.charges import draw_charge
from drchrono_sandbox.ledger.claims import PAYERS
from drchrono_sandbox.ledger.parts import (
    CONTRACT,
    DENIALS,
    PAYMENT,
    SEQUESTRATION,
    Charge,
    Kind,
    Payment,
    Posting,
    Step,
    Story,
)

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from drchrono_sandbox.ledger.calendar import Calendar
    from drchrono_sandbox.ledger.claims import Claim

UNALLOCATED_EVERY = 40
"""Exception: one patient payment in so many is for no line item."""

AFTERTHOUGHTS = 4
"""How many edits after the end of a story still move money."""

_CORRECTED_EVERY = 12
_STORY_SEED = 105
_SMALL = 500


class _Plot(t.NamedTuple):
    """What a story is told from."""

    calendar: Calendar
    charge: Charge
    claim: Claim
    draw: Draw

    def posted(self, days: float = 0, *, second: bool = False) -> int:
        """Tell when the answer of an insurer, or what follows it, is posted."""
        check = self.claim.second_check if second else self.claim.check
        return self.calendar.later(check, 1.4 + days)


def tell(calendar: Calendar, number: int, claim: Claim) -> Story:
    """Draw the story of a line item.

    Args:
        calendar: The practice's calendar.
        number: The line item's number.
        claim: That of its visit.

    Returns:
        The story.
    """
    draw = Draw(calendar.seed, _STORY_SEED, number)
    charge = draw_charge(draw, claim)
    entered = calendar.later(claim.service, draw.below(48) / 24)
    if claim.service > calendar.end:
        # Charged in advance: all visits are to come.
        entered = calendar.created(claim.visit)
    plot = _Plot(calendar, charge, claim, draw)
    steps = _STORIES[charge.kind](plot)
    in_order = tuple(sorted(steps, key=operator.attrgetter("at")))
    return Story(claim, charge, min(calendar.end, entered), in_order)


def afterthought(turn: int, at: int) -> Step:
    """Tell what an edit does once the story is over: it always evens out.

    Args:
        turn: From 0.
        at: When, in practice seconds.

    Returns:
        The step.
    """
    if turn % 2:
        return Step(at, payments=(Payment(-_SMALL, "COR"),))
    return Step(at, payments=(Payment(_SMALL, ""),))


def _nothing(plot: _Plot) -> Iterator[Step]:
    del plot
    yield from ()


def _self_pay(plot: _Plot) -> Iterator[Step]:
    how = plot.draw.below(5)
    billed, service = plot.charge.billed, plot.claim.service
    if how == 0:
        return
    first = billed if how > 2 else billed // 2  # noqa: PLR2004 - two of five
    yield _paid(plot, service, first, "")
    if how == 1:
        later = plot.calendar.later(service, 20 + plot.draw.below(60))
        yield _paid(plot, later, billed - first, "")


def _denied(plot: _Plot) -> Iterator[Step]:
    yield _denial(plot)
    if plot.draw.one_in(3):
        given_up = Posting(0, 0, plot.charge.billed, "CO", CONTRACT, "")
        yield Step(plot.posted(60 + plot.draw.below(60)), None, (given_up,))


def _appealed(plot: _Plot) -> Iterator[Step]:
    denial = _denial(plot)
    yield denial
    days = 28 + 7 * plot.draw.below(6)
    postings = (*_undone(denial.postings), *_answer(plot))
    yield Step(plot.posted(days), plot.calendar.later(plot.claim.check, days), postings)
    yield from _share_paid(plot, plot.posted(days))


def _paid_story(plot: _Plot) -> Iterator[Step]:
    yield Step(plot.posted(), plot.claim.check, _answer(plot))
    yield from _share_paid(plot, plot.posted())


def _secondary(plot: _Plot) -> Iterator[Step]:
    yield Step(plot.posted(), plot.claim.check, _answer(plot))
    covered = plot.charge.share * (60 + 20 * plot.draw.below(3)) // 100
    second = Posting(2, covered, 0, "", PAYMENT, "2")
    yield Step(plot.posted(second=True), plot.claim.second_check, (second,))
    rest = plot.charge.share - covered
    if rest and plot.draw.one_in(2):
        later = plot.posted(10 + plot.draw.below(40), second=True)
        yield _paid(plot, later, rest, "COINSR")


def _retracted(plot: _Plot) -> Iterator[Step]:
    first = _answer(plot)
    yield Step(plot.posted(), plot.claim.check, first)
    days = 35 + 7 * plot.draw.below(8)
    check = plot.calendar.later(plot.claim.check, days)
    again = _answer(plot, percent=70) if plot.draw.one_in(2) else ()
    yield Step(plot.posted(days), check, (*_undone(first), *again))


def _credit(plot: _Plot) -> Iterator[Step]:
    too_much = 1_000 + 500 * plot.draw.below(6)
    service = plot.claim.service
    yield Step(service, payments=(Payment(plot.charge.share + too_much, "COPAY"),))
    yield Step(plot.posted(), plot.claim.check, _answer(plot))
    if plot.draw.one_in(2):
        back = plot.posted(20 + plot.draw.below(60))
        yield Step(back, payments=(Payment(-too_much, "REF"),))


def _answer(plot: _Plot, *, percent: int = 100) -> tuple[Posting, ...]:
    """List what a remittance says of a charge; what it underpays stays owed."""
    charge, payer = plot.charge, plot.claim.payer
    paid = (charge.allowed - charge.share) * percent // 100
    written_off = charge.billed - charge.allowed
    kept = 0
    if payer is not None and PAYERS[payer].sequesters:
        kept = paid * 2 // 100
    postings = (
        Posting(1, paid - kept, 0, "", PAYMENT, "1"),
        Posting(1, 0, written_off, "CO", CONTRACT, "1"),
        Posting(1, 0, kept, "CO", SEQUESTRATION, "1"),
        Posting(1, 0, charge.share, "PR", charge.share_reason, "1"),
    )
    return tuple(one for one in postings if one.paid or one.adjustment)


def _undone(postings: tuple[Posting, ...]) -> tuple[Posting, ...]:
    return tuple(
        posting._replace(
            paid=-posting.paid, adjustment=-posting.adjustment, claim_status="22"
        )
        for posting in postings
    )


def _denial(plot: _Plot) -> Step:
    group = plot.draw.pick(("CO", "CO", "PI", "OA"))
    reason = plot.draw.pick(DENIALS)
    denial = Posting(1, 0, plot.charge.billed, group, reason, "4")
    return Step(plot.posted(), plot.claim.check, (denial,))


def _share_paid(plot: _Plot, answered: int) -> Iterator[Step]:
    """Tell how a patient pays the share: at the desk, later, in part, or not at all."""
    share, draw = plot.charge.share, plot.draw
    if not share:
        return
    if plot.charge.share_reason == "3" and not draw.one_in(3):
        yield _paid(plot, plot.claim.service, share, "COPAY")
        return
    how = draw.below(5)
    if how > 2:  # noqa: PLR2004 - two of five never pay
        return
    later = plot.calendar.later(answered, 7 + draw.below(50))
    yield _paid(plot, later, share // 2 if how == 0 else share, "COINSR")


def _paid(plot: _Plot, at: int, amount: int, kind: str) -> Step:
    """Take money of the patient, now and then by mistake for no line item."""
    if plot.draw.one_in(UNALLOCATED_EVERY):
        return Step(at, payments=(Payment(amount, kind, allocated=False),))
    if plot.draw.one_in(_CORRECTED_EVERY):
        wrong = amount + 1_000
        entries = (Payment(wrong, kind), Payment(-wrong, "COR"), Payment(amount, kind))
        return Step(at, payments=entries)
    return Step(at, payments=(Payment(amount, kind),))


_STORIES: Mapping[Kind, Callable[[_Plot], Iterator[Step]]] = MappingProxyType(
    {
        Kind.UNPRICED: _nothing,
        Kind.SELF_PAY: _self_pay,
        Kind.UNBILLED: _nothing,
        Kind.OPEN: _nothing,
        Kind.DENIED: _denied,
        Kind.APPEALED: _appealed,
        Kind.PAID: _paid_story,
        Kind.SECONDARY: _secondary,
        Kind.RETRACTED: _retracted,
        Kind.CREDIT: _credit,
    }
)
