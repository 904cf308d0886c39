"""What the books are made of: charges, transactions, patients' payments, steps.

All amounts are whole cents, all times practice seconds.
"""

from __future__ import annotations

import enum
import typing as t

if t.TYPE_CHECKING:
    from drchrono_sandbox.ledger.claims import Claim

PAYMENT = "-3"
"""Reason code of an insurer's payment."""

CONTRACT = "45"
"""Reason code of a contractual write-off."""

SEQUESTRATION = "253"
"""Reason code of what a payer keeps of its payment by law."""

DENIALS = ("16", "27", "29", "50", "97", "197")
"""Reason codes of denials: their amounts move nothing."""


class Kind(enum.Enum):
    """The stories that there are."""

    UNPRICED = "not billed yet: no amounts"
    SELF_PAY = "the patient pays all of it"
    UNBILLED = "the claim was never sent"
    OPEN = "the insurer has not answered"
    DENIED = "the insurer denied; perhaps written off by hand later"
    APPEALED = "denied, then reversed and paid"
    PAID = "paid, with a contractual write-off and a patient's share"
    SECONDARY = "the share is paid by a second insurer"
    RETRACTED = "paid, taken back, and perhaps paid again"
    CREDIT = "the patient paid too much, and perhaps got it back"


class Posting(t.NamedTuple):
    """A transaction: a payment of an insurer or an adjustment, never both.

    Attributes:
        rank: 1 or 2 for the first or the second insurer, 0 for none.
        paid: What the insurer paid; negative where it was taken back.
        adjustment: The amount of the adjustment.
        group: Who bears it, in X12's words; empty on payments.
        reason: Its X12 reason code.
        claim_status: X12's status of the claim.
    """

    rank: int
    paid: int
    adjustment: int
    group: str
    reason: str
    claim_status: str

    @property
    def is_denial(self) -> bool:
        """Whether it says no, and moves nothing."""
        return self.reason in DENIALS

    @property
    def is_share(self) -> bool:
        """Whether it moves its amount to the patient."""
        return self.group == "PR"


class Payment(t.NamedTuple):
    """Money of a patient.

    Attributes:
        amount: Negative for refunds and corrections.
        kind: The vendor's word: empty, `COPAY`, `COINSR`, `REF` or `COR`.
        allocated: Whether it is for the line item, or for the visit at most.
    """

    amount: int
    kind: str
    allocated: bool = True


class Step(t.NamedTuple):
    """What happened at one time.

    Attributes:
        at: When it was posted, in practice seconds.
        check: When the insurer paid; None where no insurer is involved.
        postings: The transactions.
        payments: The patient's payments.
    """

    at: int
    check: int | None = None
    postings: tuple[Posting, ...] = ()
    payments: tuple[Payment, ...] = ()


class Charge(t.NamedTuple):
    """What a line item says of itself, whatever became of it.

    Attributes:
        kind: Its story.
        code: What was done.
        procedure_type: The kind of the code: `C`, `H` or `U`.
        quantity: How much, as the API writes it.
        price: Of one.
        billed: In all.
        allowed: What the insurer's contract allows.
        share: What the patient owes of that.
        share_reason: Why: 1 for a deductible, 2 for coinsurance, 3 for a copay.
    """

    kind: Kind
    code: str
    procedure_type: str
    quantity: str | int
    price: int
    billed: int
    allowed: int
    share: int
    share_reason: str


class Story(t.NamedTuple):
    """All that is to happen to a line item.

    Attributes:
        claim: Who is to pay for its visit.
        charge: What was charged.
        entered: When it was entered.
        steps: What follows, in the order of time; some of it lies in the future.
    """

    claim: Claim
    charge: Charge
    entered: int
    steps: tuple[Step, ...]
