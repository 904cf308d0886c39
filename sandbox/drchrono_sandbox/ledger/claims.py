"""Who pays for a visit, and when the claim is sent and answered."""

from __future__ import annotations

import typing as t

from drchrono_sandbox.draw import Draw
from drchrono_sandbox.ledger.calendar import Calendar, Outcome
from drchrono_sandbox.stamps import DAY

DOCTORS = 4
"""Doctors of a practice; visits are theirs by number."""

_PATIENT_SEED = 54
_PAYER_SEED = 103
_CLAIM_SEED = 104


class Payer(t.NamedTuple):
    """An insurer.

    Attributes:
        payer_id: Its id at the clearing house.
        name: Its name.
        plan_type: Its X12 claim filing code.
        sequesters: Whether it keeps two percent of each payment.
    """

    payer_id: str
    name: str
    plan_type: str
    sequesters: bool = False


PAYERS: tuple[Payer, ...] = (
    Payer("60054", "Aetna", "CI"),
    Payer("00431", 'Blue "Cross"', "BL"),
    Payer("87726", "United Healthcare", "HM"),
    Payer("09102", "Medicare Part B", "MB", sequesters=True),
    Payer("77034", "State Medicaid", "MC"),
)


class Claim(t.NamedTuple):
    """What all charges of one visit have in common; times are practice seconds.

    Attributes:
        visit: The appointment's number.
        doctor: The doctor's number.
        patient: The patient's number.
        payer: Which of `PAYERS` is billed first; None if the patient pays.
        secondary: Which of `PAYERS` is billed next, if any.
        service: When the visit takes place.
        missed: Whether the patient did not come.
        billed: When it is first billed; None if that is forgotten.
        check: When the first insurer pays.
        second_check: When the second insurer pays.
    """

    visit: int
    doctor: int
    patient: int
    payer: int | None
    secondary: int | None
    service: int
    missed: bool
    billed: int | None
    check: int
    second_check: int


def patient_of(seed: int, visit: int, patients: int) -> int:
    """Tell who comes.

    Args:
        seed: The practice's seed.
        visit: The appointment's number.
        patients: Patients at the start.

    Returns:
        The patient's number.
    """
    return Draw(seed, _PATIENT_SEED, visit).below(max(1, patients))


def payers_of(seed: int, patient: int) -> tuple[int, int | None]:
    """Tell which insurers a patient has today.

    Args:
        seed: The practice's seed.
        patient: The patient's number.

    Returns:
        The first and the second one, if any, as numbers in `PAYERS`.
    """
    draw = Draw(seed, _PAYER_SEED, patient)
    first = draw.below(len(PAYERS))
    if not draw.one_in(5):
        return first, None
    return first, (first + 1 + draw.below(len(PAYERS) - 1)) % len(PAYERS)


def claim_of(
    calendar: Calendar, visit: int, patients: int, scheduled: int | None = None
) -> Claim:
    """Draw the claim of a visit.

    Args:
        calendar: The practice's calendar.
        visit: The appointment's number.
        patients: Patients at the start.
        scheduled: When it takes place; None for an appointment of the start.

    Returns:
        The claim.
    """
    seed = calendar.seed
    service = calendar.scheduled(visit) if scheduled is None else scheduled
    patient = patient_of(seed, visit, patients)
    first, second = payers_of(seed, patient)
    draw = Draw(seed, _CLAIM_SEED, visit)
    if draw.one_in(9):
        # Billed then to another insurer than the patient's of today.
        first = (first + 1) % len(PAYERS)
        second = None
    missed = calendar.outcome(visit, service) is Outcome.NO_SHOW
    pays_alone = draw.one_in(5) or missed
    forgotten = draw.one_in(25)
    billed = calendar.later(service, 1 + draw.below(5))
    # Insurers pay once a week, so that one check is for several visits.
    week = 7 * DAY
    due = calendar.later(billed, 12 + draw.below(30))
    check = due if calendar.pace < DAY else (due // week + 1) * week
    return Claim(
        visit=visit,
        doctor=draw.below(DOCTORS),
        patient=patient,
        payer=None if pays_alone else first,
        secondary=None if pays_alone else second,
        service=service,
        missed=missed,
        billed=None if forgotten else billed,
        check=check,
        second_check=calendar.later(check, 14 + 7 * draw.below(3)),
    )
