"""What is owed for a line item, by whom: sums of what was charged, posted and paid."""

from __future__ import annotations

import enum
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from drchrono_sandbox.ledger.claims import Claim
    from drchrono_sandbox.ledger.parts import Charge, Payment, Posting

SECOND = 2
"""The rank of the second insurer."""


class Stage(enum.Enum):
    """Where a line item stands, in the vendor's words for its `billing_status`."""

    UNBILLED = ""
    SUBMITTED = "In Process Payer"
    DENIED = "ERA Denied"
    RECEIVED = "ERA Received"
    PARTLY = "Partially Paid"
    AT_SECONDARY = "Coordination of Benefits"
    PAID = "Paid in Full"


class Account(t.NamedTuple):
    """The sums of a line item, in cents. Negative balances are credits.

    Attributes:
        billed: The amount billed; 0 while it is unknown.
        adjustment: What was written off.
        ins1_paid: Paid by the first insurer.
        ins2_paid: Paid by the second insurer.
        pt_paid: Paid by the patient for this line item.
        balance_ins: What insurers owe.
        balance_pt: What the patient owes.
        is_denied: Whether a denial stands.
        stage: Where it stands.
    """

    billed: int
    adjustment: int
    ins1_paid: int
    ins2_paid: int
    pt_paid: int
    balance_ins: int
    balance_pt: int
    is_denied: bool
    stage: Stage

    @property
    def ins_total(self) -> int:
        """Paid by all insurers."""
        return self.ins1_paid + self.ins2_paid

    @property
    def paid_total(self) -> int:
        """Paid by everybody."""
        return self.ins_total + self.pt_paid

    @property
    def balance_total(self) -> int:
        """What is owed by everybody."""
        return self.balance_ins + self.balance_pt


def settle(
    charge: Charge,
    claim: Claim,
    postings: Iterable[Posting],
    payments: Iterable[Payment],
    *,
    is_billed: bool,
) -> Account:
    """Add up a line item.

    Args:
        charge: What was charged.
        claim: Who is to pay.
        postings: The transactions that there are.
        payments: The patient's payments; those for no line item don't count.
        is_billed: Whether the claim was sent.

    Returns:
        The account; it holds whatever the transactions and payments are.
    """
    posted = tuple(postings)
    ins1 = sum(one.paid for one in posted if one.rank != SECOND)
    ins2 = sum(one.paid for one in posted if one.rank == SECOND)
    share = sum(one.adjustment for one in posted if one.is_share)
    denied = sum(one.adjustment for one in posted if one.is_denial)
    adjusted = sum(one.adjustment for one in posted)
    adjustment = adjusted - share - denied
    pt_paid = sum(payment.amount for payment in payments if payment.allocated)
    total = charge.billed - adjustment - ins1 - ins2 - pt_paid
    waits = (
        claim.secondary is not None
        and share > 0
        and not any(one.rank == SECOND for one in posted)
    )
    if claim.payer is None:
        balance_pt = total
    elif not posted or waits:
        balance_pt = 0
    else:
        balance_pt = share - ins2 - pt_paid
    return Account(
        billed=charge.billed,
        adjustment=adjustment,
        ins1_paid=ins1,
        ins2_paid=ins2,
        pt_paid=pt_paid,
        balance_ins=total - balance_pt,
        balance_pt=balance_pt,
        is_denied=denied != 0,
        stage=_stage(
            is_billed=is_billed and claim.payer is not None,
            is_answered=bool(posted),
            is_denied=denied != 0,
            waits=waits,
            paid=ins1 + ins2,
            open_amount=total - balance_pt,
        ),
    )


def _stage(  # noqa: PLR0913 - each is one fact that the stage depends on
    *,
    is_billed: bool,
    is_answered: bool,
    is_denied: bool,
    waits: bool,
    paid: int,
    open_amount: int,
) -> Stage:
    if not is_billed:
        return Stage.UNBILLED
    if not is_answered:
        return Stage.SUBMITTED
    if is_denied:
        return Stage.DENIED
    if waits:
        return Stage.AT_SECONDARY
    if open_amount <= 0:
        return Stage.PAID
    return Stage.PARTLY if paid > 0 else Stage.RECEIVED
