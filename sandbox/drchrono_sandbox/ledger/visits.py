"""What billing says of a visit, from all of its line items."""

from __future__ import annotations

import typing as t

from drchrono_sandbox.ledger.accounts import Stage

if t.TYPE_CHECKING:
    from drchrono_sandbox.ledger.books import Books

_REBILLED_AFTER = 2


class Billing(t.NamedTuple):
    """The billing fields of an appointment; times are practice seconds.

    Attributes:
        billing_status: What the practice has to do next.
        ins1_status: Where the claim with the first insurer stands.
        ins2_status: Where the claim with the second insurer stands.
        first_billed: When the claim was first sent, if it was.
        last_billed: When it was last sent.
        has_secondary: Whether a second insurer is involved.
    """

    billing_status: str
    ins1_status: str
    ins2_status: str
    first_billed: int | None
    last_billed: int | None


def billing_of(books: Books, visit: int) -> Billing:
    """Tell what billing says of a visit.

    Args:
        books: The practice's books.
        visit: The appointment's number.

    Returns:
        Its fields; all empty while nothing is charged.
    """
    items = books.items_of(visit)
    if not items:
        return Billing("", "", "", None, None)
    accounts = [books.account(item) for item in items]
    owed_ins = sum(account.balance_ins for account in accounts)
    owed_pt = sum(account.balance_pt for account in accounts)
    stages = {account.stage for account in accounts}
    billed = [at for item in items if (at := books.billed_at(item)) is not None]
    claim = books.claim(items[0])
    first, second = _claim_status(stages), ""
    if Stage.AT_SECONDARY in stages:
        status, second = "Bill Secondary Insurance", Stage.SUBMITTED.value
    elif owed_ins > 0:
        status = "Bill Insurance" if billed else "Internal Review"
    elif owed_pt > 0:
        status = "Balance Due"
    else:
        is_settled = any(account.is_denied for account in accounts)
        status = "Settled" if is_settled else "Paid In Full"
    if not second and claim.secondary is not None:
        paid = sum(account.ins2_paid for account in accounts)
        second = Stage.PAID.value if paid else ""
    checks = [step.check for item in items for step in books.steps(item)]
    answers = sorted({check for check in checks if check is not None})
    last = max(billed, default=None)
    if last is not None and (len(answers) > 1 or Stage.AT_SECONDARY in stages):
        last = max(last, books.calendar.later(answers[0], _REBILLED_AFTER))
    return Billing(status, first, second, min(billed, default=None), last)


def _claim_status(stages: set[Stage]) -> str:
    """Tell how the claim with the first insurer stands, from those of its lines."""
    stages = stages - {Stage.UNBILLED}
    if not stages:
        return ""
    for stage in (Stage.AT_SECONDARY, Stage.SUBMITTED):
        if stage in stages:
            return str(stage.value)
    if len(stages) == 1:
        [stage] = stages
        return str(stage.value)
    return Stage.PARTLY.value
