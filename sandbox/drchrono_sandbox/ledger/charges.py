"""The charge of a line item: what was done, at what price, and the patient's share."""

from __future__ import annotations

import typing as t

from drchrono_sandbox.ledger.parts import Charge, Kind

if t.TYPE_CHECKING:
    from drchrono_sandbox.draw import Draw
    from drchrono_sandbox.ledger.claims import Claim

NULL_BILLED_EVERY = 120
"""Exception: one line item in so many has no `billed` yet, and so no money at all."""

_CODES = (
    ("99213", "C", 12_500),
    ("99214", "C", 18_500),
    ("93000", "C", 6_500),
    ("G0439", "H", 17_500),
    ("J1100", "H", 1_840),
    ("X-RAY", "U", 9_025),
    ("99072", "S", 4_000),
)
_QUANTITIES: tuple[tuple[str | int, int], ...] = (
    *[("1.00", 100)] * 4,
    (1, 100),
    ("2.00", 200),
    ("0.50", 50),
    ("@number:2.50", 250),
    ("", 100),
)
_NO_SHOW_FEE = ("NSFEE", "U", 5_000)
_COPAY = 2_500
_CHANCES = (
    *[Kind.OPEN] * 14,
    *[Kind.DENIED] * 9,
    *[Kind.APPEALED] * 3,
    *[Kind.RETRACTED] * 4,
    *[Kind.CREDIT] * 6,
    *[Kind.PAID] * 64,
)
_SHARES = ("none", "none", "none", "part", "part", "copay", "copay", "all")


def draw_charge(draw: Draw, claim: Claim) -> Charge:
    """Draw a charge.

    Args:
        draw: What decides.
        claim: That of its visit.

    Returns:
        The charge.
    """
    kind = _kind(draw, claim)
    code, procedure_type, base = draw.pick(_CODES)
    quantity, hundredths = draw.pick(_QUANTITIES)
    if claim.missed:
        code, procedure_type, base = _NO_SHOW_FEE
        quantity, hundredths = "1.00", 100
    price = base + 100 * draw.below(12)
    billed = (price * hundredths + 50) // 100
    allowed = billed * (55 + draw.below(45)) // 100
    if draw.one_in(5):
        allowed = billed
    share, reason = _share(draw, allowed)
    if kind is Kind.SECONDARY and not share:
        kind = Kind.PAID
    return Charge(
        kind=kind,
        code=code,
        procedure_type=procedure_type,
        quantity=quantity,
        price=price,
        billed=0 if kind is Kind.UNPRICED else billed,
        allowed=allowed,
        share=share,
        share_reason=reason,
    )


def _kind(draw: Draw, claim: Claim) -> Kind:
    chance = draw.pick(_CHANCES)
    if draw.one_in(NULL_BILLED_EVERY):
        return Kind.UNPRICED
    if claim.payer is None:
        return Kind.SELF_PAY
    if claim.billed is None:
        return Kind.UNBILLED
    if chance is Kind.PAID and claim.secondary is not None:
        return Kind.SECONDARY
    return chance


def _share(draw: Draw, allowed: int) -> tuple[int, str]:
    """Draw what a patient owes of the allowed amount, and by which rule."""
    how = draw.pick(_SHARES)
    if how == "part":
        return allowed * (10 + draw.below(3) * 5) // 100, "2"
    if how == "copay":
        return min(allowed, _COPAY), "3"
    return (allowed, "1") if how == "all" else (0, "2")
