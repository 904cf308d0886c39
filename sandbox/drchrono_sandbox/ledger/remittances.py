"""Remittances: each is one check of one insurer to one doctor, for many line items."""

from __future__ import annotations

import array
import typing as t

from drchrono_sandbox.draw import Draw
from drchrono_sandbox.ledger.accounts import SECOND
from drchrono_sandbox.ledger.claims import DOCTORS, PAYERS
from drchrono_sandbox.stamps import DAY

if t.TYPE_CHECKING:
    from drchrono_sandbox.ledger.claims import Claim
    from drchrono_sandbox.ledger.parts import Posting, Step

BY_HAND = 0
"""Stands for the trace number of what came by no remittance."""

_TRACE_BASE = 100_000_000
_NONE = -1
_SOME_SEED = 109


class Check(t.NamedTuple):
    """What identifies a remittance.

    Attributes:
        day: The day of the check, counted from 1970.
        payer: Which of `PAYERS` paid.
        doctor: The doctor's number.
    """

    day: int
    payer: int
    doctor: int

    @property
    def trace(self) -> int:
        """The number of the check, or of the transfer."""
        place = (self.day * len(PAYERS) + self.payer) * DOCTORS + self.doctor
        return _TRACE_BASE + place

    @classmethod
    def of_trace(cls, trace: int) -> Check:
        """Find out what a trace number stands for.

        Args:
            trace: The trace number.

        Returns:
            What identifies the remittance.
        """
        place, doctor = divmod(trace - _TRACE_BASE, DOCTORS)
        day, payer = divmod(place, len(PAYERS))
        return cls(day, payer, doctor)

    @property
    def moment(self) -> int:
        """The beginning of the day of the check, in practice seconds."""
        return self.day * DAY


def trace_for(claim: Claim, step: Step, posting: Posting) -> int:
    """Tell by which remittance a transaction of a story came.

    Args:
        claim: The claim.
        step: The step of the story.
        posting: The transaction.

    Returns:
        The trace number, or `BY_HAND`.
    """
    if step.check is None:
        return BY_HAND
    payer = claim.secondary if posting.rank == SECOND else claim.payer
    return Check(step.check // DAY, payer or 0, claim.doctor).trace


def some_trace(seed: int, at: int, number: int) -> int:
    """Draw the remittance of a transaction that nobody could match.

    Args:
        seed: The practice's seed.
        at: When the transaction was posted, in practice seconds.
        number: Its number among those.

    Returns:
        The trace number of a remittance of the day before.
    """
    draw = Draw(seed, _SOME_SEED, number)
    check = Check(at // DAY - 1, draw.below(len(PAYERS)), draw.below(DOCTORS))
    return check.trace


class Checks:
    """The remittances so far, and the transactions of each that are still there."""

    def __init__(self) -> None:
        """Begin with none."""
        self._traces: array.array[int] = array.array("q")
        self._numbers: dict[int, int] = {}
        self._members: list[list[int]] = []
        self._of: array.array[int] = array.array("q")

    def __len__(self) -> int:
        """Count them."""
        return len(self._traces)

    def check(self, number: int) -> Check:
        """Look up a remittance.

        Args:
            number: Its number.

        Returns:
            What identifies it.
        """
        return Check.of_trace(self._traces[number])

    def number(self, transaction: int) -> int | None:
        """Find the remittance of a transaction.

        Args:
            transaction: The transaction's number.

        Returns:
            The remittance's number, or None if it was entered by hand.
        """
        number = self._of[transaction]
        return None if number == _NONE else number

    def members(self, number: int) -> list[int]:
        """Find the transactions of a remittance.

        Args:
            number: Its number.

        Returns:
            Their numbers.
        """
        return self._members[number]

    def add(self, trace: int) -> bool:
        """Note the remittance of the next transaction.

        Args:
            trace: Its trace number, or `BY_HAND`.

        Returns:
            Whether the remittance is new.
        """
        transaction = len(self._of)
        if trace == BY_HAND:
            self._of.append(_NONE)
            return False
        is_new = trace not in self._numbers
        if is_new:
            self._numbers[trace] = len(self._traces)
            self._traces.append(trace)
            self._members.append([])
        number = self._numbers[trace]
        self._members[number].append(transaction)
        self._of.append(number)
        return is_new

    def remove(self, transaction: int) -> None:
        """Take a transaction away.

        Args:
            transaction: The transaction's number.
        """
        number = self._of[transaction]
        if number != _NONE:
            self._members[number].remove(transaction)
