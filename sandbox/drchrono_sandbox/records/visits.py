"""Appointments, with what billing says of them."""

from __future__ import annotations

import typing as t
from types import MappingProxyType

from drchrono_sandbox.ledger.calendar import Calendar, Outcome
from drchrono_sandbox.ledger.claims import PAYERS
from drchrono_sandbox.ledger.visits import billing_of
from drchrono_sandbox.records.forms import stamp_or
from drchrono_sandbox.references import key_of
from drchrono_sandbox.stamps import signed_url, stamp_text

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drchrono_sandbox.draw import Draw
    from drchrono_sandbox.ledger.books import Books
    from drchrono_sandbox.records.common import Common
    from drchrono_sandbox.records.forms import Record
    from drchrono_sandbox.tables import Row


_STATUSES = MappingProxyType(
    {
        Outcome.KEPT: (
            "Complete",
            "Complete",
            "Arrived",
            "Checked In",
            "In Session",
            "Waiting — Room 2",
            "",
            None,
        ),
        Outcome.NO_SHOW: ("No Show",),
        Outcome.CANCELLED: ("Cancelled",),
        Outcome.RESCHEDULED: ("Rescheduled",),
        Outcome.UPCOMING: ("", "Confirmed", "Not Confirmed", "Cancelled"),
    }
)
_ICD10 = ("E11.9", "I10", "J06.9", "M54.5", "Z00.00", "F41.1")


class VisitRecords:
    """Appointments.

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
            "appointments": self._appointment
        }

    def _appointment(self, row: Row, draw: Draw, edit: Draw) -> Record:
        number, books = row.number, self._books()
        created, updated = stamp_text(row.created), stamp_text(row.updated)
        scheduled = stamp_text(row.scheduled)
        key = self._common.appointment_id(number)
        is_break = Calendar.is_break(number)
        is_series = "_" in key
        claim = books.claim_of_visit(number, row.scheduled)
        payer = None if claim.payer is None else PAYERS[claim.payer]
        second = None if claim.secondary is None else PAYERS[claim.secondary]
        billing = billing_of(books, number)
        outcome = self._common.calendar.outcome(number, row.scheduled)
        status = edit.pick(_STATUSES[outcome])
        pools_ = self._common.pools
        return {
            "id": key,
            "doctor": self._common.doctor(claim.doctor),
            "patient": None if is_break else self._common.patient_of(number),
            "office": self._common.ids.pick("offices", draw),
            "exam_room": 1 + draw.below(3),
            "scheduled_time": scheduled,
            "duration": 15 * (1 + draw.below(6)),
            "status": "" if is_break else status,
            "custom_status": None,
            "reason": "Lunch" if is_break else edit.pick(pools_.sentences),
            "notes": edit.pick(pools_.notes) if edit.one_in(3) else "",
            "color": draw.pick(("#ff0000", "", None, "orange")),
            "profile": (
                None
                if draw.one_in(3)
                else self._common.ids.pick("appointment_profiles", draw)
            ),
            "reminder_profile": "",
            "payment_profile": "Cash"
            if payer is None
            else draw.pick(("", "Insurance")),
            "appt_is_break": is_break,
            "is_walk_in": draw.one_in(12),
            "is_virtual_base": False,
            "allow_overlapping": draw.one_in(30),
            "recurring_appointment": is_series,
            "base_recurring_appointment": (
                draw.pick((key.split("_")[0], int(key.split("_")[0])))
                if is_series
                else None
            ),
            "recurrence_instance_key": key if is_series else None,
            "recur_start_date": scheduled[:10] if is_series else None,
            "recur_end_date": "",
            "recurring_days": ["Monday", "Thursday"] if is_series else [],
            "recurs_every": 2 if is_series else None,
            "cloned_from": None,
            "billing_status": billing.billing_status or draw.pick(("", None)),
            "billing_provider": draw.pick(("", str(key_of("doctors", 0)))),
            "supervising_provider": "",
            "billing_notes": (
                [
                    {
                        "id": 40_000_001 + number,
                        "appointment": 90_000_001 + number,
                        "text": draw.pick(pools_.notes),
                        "created_at": created,
                        "created_by": self._common.user(draw),
                    }
                ]
                if draw.one_in(8)
                else []
            ),
            "first_billed_date": stamp_or(billing.first_billed, None),
            "last_billed_date": stamp_or(billing.last_billed, ""),
            "first_edi_date": stamp_or(billing.first_billed, None),
            "last_edi_date": stamp_or(billing.last_billed, None),
            "ins1_status": billing.ins1_status,
            "ins2_status": billing.ins2_status,
            "primary_insurer_name": payer.name if payer else "",
            "primary_insurer_payer_id": payer.payer_id if payer else "",
            "primary_insurance_id_number": draw.digits(9) if payer else "",
            "secondary_insurer_name": second.name if second else "",
            "secondary_insurer_payer_id": second.payer_id if second else "",
            "secondary_insurance_id_number": draw.digits(9) if second else "",
            "resubmit_claim_original_id": None,
            "icd9_codes": [],
            "icd10_codes": [draw.pick(_ICD10), draw.pick(_ICD10)],
            "deleted_flag": row.hidden,
            "created_by": self._common.user(draw),
            "created_at": created,
            "updated_at": updated,
            "extended_updated_at": updated,
            "reminders": (
                [
                    {
                        "id": 50_000_001 + number,
                        "type": draw.pick(("email", "sms", "phone")),
                        "scheduled_time": scheduled,
                    }
                ]
                if draw.one_in(2)
                else []
            ),
            "vitals": self._vitals(draw),
            "custom_fields": [
                {
                    "field_type": self._common.ids.pick(
                        "custom_appointment_fields", draw
                    ),
                    "field_value": draw.pick(pools_.sentences),
                    "created_at": created,
                    "updated_at": updated,
                }
            ],
            "custom_vitals": [
                {
                    "vital_type": self._common.ids.pick("custom_vitals", draw),
                    "value": draw.money(50),
                }
            ],
            "clinical_note": (
                None
                if is_break
                else {
                    "pdf": signed_url("clinical-notes", number),
                    "locked": draw.one_in(2),
                    "updated_at": updated,
                }
            ),
            "status_transitions": [
                {
                    "appointment": key,
                    "from_status": "",
                    "to_status": status,
                    "datetime": updated,
                }
            ],
        }

    def _vitals(self, draw: Draw) -> Record:
        known = not draw.one_in(3)
        return {
            "height": 60.25 + draw.below(15) if known else None,
            "height_units": "inches",
            "weight": draw.pick((151.5, 70, "180.0", "", None)),
            "weight_units": "lbs",
            "bmi": f"{18 + draw.below(15)}.{draw.below(10)}" if known else "",
            "temperature": 98.6 if known else None,
            "temperature_units": "f",
            "pulse": 55 + draw.below(40) if known else None,
            "respiratory_rate": 12 + draw.below(8) if known else None,
            "oxygen_saturation": 95 + draw.below(5) if known else "",
            "blood_pressure_1": 105 + draw.below(40) if known else None,
            "blood_pressure_2": 65 + draw.below(20) if known else None,
            "head_circumference": None,
            "head_circumference_units": "inches",
            "pain": draw.pick(("", "0", "3", "10")),
            "smoking_status": draw.pick(("blank", "266919005", "449868002")),
        }
