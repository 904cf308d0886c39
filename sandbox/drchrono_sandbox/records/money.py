"""Records about money, as the API shows what stands in the practice's books.

The rows of `patient_payments`, `eobs` and `line_item_deletions` are in the practice's
tables of these names, beside those of the bulk streams: their numbers are those of the
books, and they follow each change.
"""

from __future__ import annotations

import typing as t

from drchrono_sandbox.ledger.accounts import SECOND
from drchrono_sandbox.ledger.claims import PAYERS
from drchrono_sandbox.ledger.parts import Kind, Posting
from drchrono_sandbox.ledger.registers import NOTHING
from drchrono_sandbox.records.forms import NUMBER, Record, money_text
from drchrono_sandbox.stamps import DAY, day_text, signed_url, stamp_text

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drchrono_sandbox.draw import Draw
    from drchrono_sandbox.ledger.books import Books
    from drchrono_sandbox.records.common import Common
    from drchrono_sandbox.tables import Row

MONEY_LISTS = ("patient_payments", "eobs", "line_item_deletions")
"""Plain lists whose rows follow from the books."""

MONEY = ("line_items", "transactions", *MONEY_LISTS)
"""All streams that show the books: a change of one of them changes others."""

_METHODS = ("CASH", "CHCK", "CRDT", "VISA", "DBIT", "ONPT", "PTPA")
_EOB_METHODS = ("ACH", "CHK", "BOPCCP", "")


class MoneyRecords:
    """Line items, transactions, patient payments, EOBs and deleted line items.

    Attributes:
        makers: What makes a record, by stream: from the row and two draws, of which
            the second one is another after each edit.
    """

    def __init__(self, common: Common, books: Callable[[], Books]) -> None:
        """Take what the records need.

        Args:
            common: Ids and names.
            books: Opens the practice's books.
        """
        self._common = common
        self._books = books
        self.makers: Mapping[str, Callable[[Row, Draw, Draw], Record]] = {
            "line_items": self._line_item,
            "transactions": self._transaction,
            "patient_payments": self._patient_payment,
            "eobs": self._eob,
            "line_item_deletions": self._deletion,
        }

    def _line_item(self, row: Row, draw: Draw, edit: Draw) -> Record:
        books, key = self._books(), self._common.key
        claim, charge = books.claim(row.number), books.charge(row.number)
        account = books.account(row.number)
        is_known = charge.kind is not Kind.UNPRICED
        is_answered = bool(books.transactions.of_item(row.number))
        allowed = charge.allowed if claim.payer is not None and is_known else 0
        return {
            "id": key("line_items", row.number),
            "appointment": self._common.reference(claim.visit, draw),
            "patient": key("patients", claim.patient),
            "doctor": self._common.doctor(claim.doctor),
            "code": charge.code,
            "procedure_type": charge.procedure_type,
            "description": draw.pick(self._common.pools.sentences),
            "modifiers": draw.pick((["25", "", "", ""], ["", "", "", ""], [])),
            "diagnosis_pointers": draw.pick((["1", "0", "0", "0"], [1, 2, 0, 0])),
            "units": "UN",
            "quantity": charge.quantity,
            "price": money_text(charge.price),
            "billed": money_text(charge.billed) if is_known else None,
            "allowed": (
                money_text(allowed) if is_answered else draw.pick(("", None, "0.00"))
            ),
            "expected_reimbursement": (
                draw.pick(("", None)) if draw.one_in(20) else money_text(allowed)
            ),
            "adjustment": money_text(account.adjustment),
            "ins1_paid": money_text(account.ins1_paid),
            "ins2_paid": money_text(account.ins2_paid),
            "ins3_paid": "0.00",
            "ins_total": money_text(account.ins_total),
            "pt_paid": _one_form(account.pt_paid, draw),
            "paid_total": money_text(account.paid_total),
            "balance_ins": money_text(account.balance_ins),
            "balance_pt": money_text(account.balance_pt),
            "balance_total": money_text(account.balance_total),
            "billing_status": account.stage.value,
            "insurance_status": edit.pick(("", "1", None)),
            "denied_flag": account.is_denied,
            "service_date": day_text(claim.service),
            "posted_date": day_text(row.created),
            "updated_at": stamp_text(row.updated),
        }

    def _transaction(self, row: Row, draw: Draw, edit: Draw) -> Record:
        books, key = self._books(), self._common.key
        posting, check = books.posting(row.number), books.check_of(row.number)
        item = books.transactions.entry(row.number).item
        claim = None if item == NOTHING else books.claim(item)
        doctor = claim.doctor if claim else check.doctor if check else 0
        return {
            "id": key("transactions", row.number),
            "line_item": None if claim is None else key("line_items", item),
            "appointment": (
                None if claim is None else self._common.reference(claim.visit, draw)
            ),
            "patient": None if claim is None else key("patients", claim.patient),
            "doctor": self._common.doctor(doctor),
            "posted_date": day_text(row.created),
            "check_date": (day_text(check.moment) if check else draw.pick((None, ""))),
            "trace_number": str(check.trace) if check else "",
            "adjustment": money_text(posting.adjustment),
            "adjustment_group_code": posting.group,
            "adjustment_reason": posting.reason,
            "claim_status": posting.claim_status,
            "ins_name": _ins_name(
                posting, None if check is None else check.payer, draw
            ),
            "ins_paid": _one_form(posting.paid, draw),
            "insurance": _insurance(None if check is None else check.payer, edit),
            "created_at": stamp_text(row.created),
            "updated_at": stamp_text(row.updated),
        }

    def _patient_payment(self, row: Row, draw: Draw, edit: Draw) -> Record:
        books, key = self._books(), self._common.key
        payment = books.payment(row.number)
        item = books.payments.entry(row.number).item
        claim = None if item == NOTHING else books.claim(item)
        # Half of what is for no line item is for no visit either.
        is_for_visit = payment.allocated or books.removed_at(item) or draw.one_in(2)
        method = draw.pick(_METHODS)
        received = row.created - DAY * draw.below(3)
        patient = draw.below(max(1, books.patients)) if claim is None else claim.patient
        return {
            "id": key("patient_payments", row.number),
            "amount": money_text(payment.amount),
            "appointment": (
                self._common.reference(claim.visit, draw)
                if claim and is_for_visit
                else None
            ),
            "created_at": stamp_text(row.created),
            "created_by": self._common.user(draw),
            "doctor": self._common.doctor(claim.doctor if claim else 0),
            "line_item": (
                key("line_items", item) if claim and payment.allocated else None
            ),
            "notes": edit.pick(self._common.pools.sentences) if draw.one_in(4) else "",
            "patient": key("patients", patient),
            "payment_method": method,
            "payment_transaction_type": payment.kind,
            "posted_date": day_text(row.created),
            "received_date": day_text(received),
            "trace_number": draw.digits(6) if method == "CHCK" else "",
            "updated_at": stamp_text(row.updated),
        }

    def _eob(self, row: Row, draw: Draw, edit: Draw) -> Record:
        del edit
        books = self._books()
        check = books.checks.check(row.number)
        total = sum(books.posting(one).paid for one in books.checks.members(row.number))
        return {
            "id": self._common.key("eobs", row.number),
            "check_date": day_text(check.moment),
            "deposit_date": day_text(check.moment + DAY * (1 + draw.below(4))),
            "doctor": self._common.doctor(check.doctor),
            "insurance_payer_id": PAYERS[check.payer].payer_id,
            "insurance_payer_name": PAYERS[check.payer].name,
            "insurance_payer_trace_number": str(check.trace),
            "payment_method": draw.pick(_EOB_METHODS) if total else "NON",
            "posted_date": day_text(row.created),
            "scanned_eob": signed_url("eobs", row.number) if draw.one_in(3) else "",
            "total_paid": money_text(total),
            "updated_at": stamp_text(row.updated),
        }

    def _deletion(self, row: Row, draw: Draw, edit: Draw) -> Record:
        del draw, edit
        deletion = self._books().deletions[row.number]
        of_item = self._common.draw("line_items", deletion.item)
        return {
            "appointment_id": self._common.reference(deletion.visit, of_item),
            "billing_line_item_id": self._common.key("line_items", deletion.item),
            "created_at": stamp_text(row.created),
        }


def _one_form(cents: int, draw: Draw) -> str | int:
    """Write an amount as a text, or now and then as a number."""
    text = money_text(cents)
    if draw.one_in(3):
        return f"{NUMBER}{text}" if cents else 0
    return text


def _ins_name(posting: Posting, payer: int | None, draw: Draw) -> str | int | None:
    """Say which insurer paid, in one of the ways that occur."""
    if payer is None:
        return draw.pick(("", None))
    rank = posting.rank
    forms: tuple[str | int, ...] = (rank, rank, str(rank))
    return draw.pick(forms if rank == SECOND else (*forms, PAYERS[payer].name))


def _insurance(payer: int | None, edit: Draw) -> Record | None:
    if payer is None:
        nothing = {"name": "", "id_number": "", "message": "No insurance"}
        return edit.pick((nothing, None))
    return {
        "name": PAYERS[payer].name,
        "id_number": PAYERS[payer].payer_id,
        "message": edit.pick(("", "Crossover claim")),
    }
