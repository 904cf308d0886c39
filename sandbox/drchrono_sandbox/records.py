"""Invented records: each one is a function of its number, so nothing is stored.

The references fit: a line item belongs to an appointment of the practice, a transaction
to a line item, and so on. Field by field the records follow the vendor's OpenAPI, with
the traits of real data: money as strings, empty strings, ids that are no numbers,
references that are sometimes numbers and sometimes strings, texts with newlines.
"""

from __future__ import annotations

import functools
import typing as t
from types import MappingProxyType

from drchrono_sandbox.draw import Draw
from drchrono_sandbox.endpoints import ENDPOINTS, SEEDS
from drchrono_sandbox.ledger.books import Books, Effect
from drchrono_sandbox.ledger.calendar import BREAK_EVERY, Calendar, Outcome
from drchrono_sandbox.ledger.claims import PAYERS, patient_of, payers_of
from drchrono_sandbox.ledger.visits import billing_of
from drchrono_sandbox.money import MONEY_LISTS, MoneyRecords, Names
from drchrono_sandbox.plain.endpoints import PLAIN
from drchrono_sandbox.plain.records import PlainRecords
from drchrono_sandbox.plain.values import Visit
from drchrono_sandbox.pools import Pools, pools
from drchrono_sandbox.references import References, key_of
from drchrono_sandbox.stamps import DAY, day_text, signed_url, stamp_text
from drchrono_sandbox.tables import Row

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Record: t.TypeAlias = dict[str, t.Any]

NUMBER = "@number:"
"""Begins a text that goes out as a JSON number with exactly the digits that follow."""

_EDIT_SEED = 77
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


class Invented:
    """The records of an invented practice."""

    def __init__(
        self, seed: int, sizes: Mapping[str, int], start: int, end: int
    ) -> None:
        """Set up a practice.

        Args:
            seed: Other seeds give other practices.
            sizes: Records per stream at the start, for references that fit.
            start: Practice time of the oldest record, in seconds.
            end: When the practice closes on its last day, in seconds.
        """
        self._seed = seed
        self._sizes = sizes
        self._ids = References(sizes)
        self._plain = PlainRecords(seed, self._ids, self._some_visit)
        self._start = start
        self._pools: Pools = pools()
        self._calendar = Calendar(seed, start, end, sizes["appointments"])
        self._insurances = [
            [self._insurance(Draw(seed, 91, payer, n), payer) for n in range(10)]
            for payer in range(len(PAYERS))
        ]
        self._accidents = [self._accident(Draw(seed, 92, n)) for n in range(12)]
        self._compensations = [self._compensation(Draw(seed, 93, n)) for n in range(12)]
        self._referrers = [self._referrer(Draw(seed, 94, n)) for n in range(24)]
        self._makers: dict[str, Callable[[Row, Draw, Draw], Record]] = {
            "appointments": self._appointment,
            "patients": self._patient,
            "prescription_messages": self._prescription_message,
            "eligibility_checks": self._eligibility_check,
            "clinical_notes": self._clinical_note,
            "clinical_note_field_values": self._field_value,
        }

    @functools.cached_property
    def books(self) -> Books:
        """The practice's books, laid out once they are looked at."""
        return Books(self._calendar, self._sizes)

    @functools.cached_property
    def _money(self) -> MoneyRecords:
        names = Names(
            key=self.key,
            draw=self._draw,
            reference=self._reference,
            doctor=self._doctor,
            user=lambda draw: str(self._ids.pick("users", draw)),
            sentence=lambda draw: draw.pick(self._pools.sentences),
        )
        return MoneyRecords(self.books, names)

    def record(self, stream: str, row: Row) -> Record:
        """Invent a record with all its fields, verbose ones too.

        Args:
            stream: The stream's name.
            row: The server's view of it.

        Returns:
            The record; nested values are shared and must not be changed.
        """
        if stream in PLAIN and stream not in MONEY_LISTS:
            return self._plain.record(stream, row)
        stable = self._draw(stream, row.number)
        edited = Draw(self._seed, _EDIT_SEED, SEEDS[stream], row.number, row.version)
        make = self._makers.get(stream) or self._money.makers[stream]
        record = make(row, stable, edited)
        is_rare = row.number % 97 == 5  # noqa: PLR2004 - always the same few
        if is_rare and "updated_at" in record:
            record["updated_at"] = record["updated_at"].replace("T", " ")
        return record

    def _draw(self, stream: str, number: int) -> Draw:
        return Draw(self._seed, SEEDS[stream], number)

    def is_hidden(self, stream: str, number: int) -> bool:
        """Tell whether a record is archived or inactive from the start.

        Args:
            stream: The stream's name.
            number: The record's number.

        Returns:
            Whether the default parameters leave it out.
        """
        if stream in PLAIN:
            return self._plain.is_hidden(stream, number)
        if stream == "patients":
            return self._patient_status(number) != "A"
        return stream == "appointments" and Draw(self._seed, 51, number).one_in(25)

    def scheduled(self, number: int, created: int) -> int:
        """Tell when an appointment takes place.

        Args:
            number: Its number.
            created: Practice time in seconds.

        Returns:
            Practice time in seconds, on a quarter of an hour.
        """
        return self._calendar.scheduled(number, created)

    def follow(
        self, stream: str, action: str, number: int, stamp: int
    ) -> Iterable[Effect]:
        """Tell what else changes when a record was changed; see `Books.follow`."""
        return self.books.follow(stream, action, number, stamp)

    @staticmethod
    def is_break(number: int) -> bool:
        """Tell whether an appointment is a break.

        Args:
            number: Its number.

        Returns:
            Whether it has no patient.
        """
        return Calendar.is_break(number)

    def key(self, stream: str, number: int) -> int | str:
        """Tell the public id of a record.

        Args:
            stream: The stream's name.
            number: The record's number.

        Returns:
            A string for appointments, else an integer.
        """
        if stream == "appointments":
            return self.appointment_id(number)
        return key_of(stream, number)

    def appointment_id(self, number: int) -> str:
        """Tell the public id of an appointment.

        Args:
            number: Its number.

        Returns:
            A number as text, or for one in 23 a series and a day.
        """
        base = 90_000_001 + number
        if number % 23 == 11 and not self.is_break(number):  # noqa: PLR2004 - a few
            return (
                f"{base}_{day_text(self._start + number * 7919 % 1500 * DAY)}".replace(
                    "-", ""
                )
            )
        return str(base)

    def _patient_status(self, number: int) -> str:
        return Draw(self._seed, 53, number).pick("AAAAAAAAAAAAAAAAAAID")

    def _some_number(self, stream: str, draw: Draw) -> int:
        return draw.below(max(1, self._sizes[stream]))

    def _appointment_patient(self, number: int) -> int:
        patient = patient_of(self._seed, number, self._sizes["patients"])
        return t.cast("int", self.key("patients", patient))

    def _doctor(self, number: int) -> int:
        return key_of("doctors", number % max(1, self._sizes["doctors"]))

    def _visit(self, draw: Draw) -> int:
        """Draw an appointment that has a patient."""
        number = self._some_number("appointments", draw)
        if self.is_break(number):
            number -= 1
        return number

    def _some_visit(self, draw: Draw) -> Visit:
        number = self._visit(draw)
        return Visit(self._reference(number, draw), self._appointment_patient(number))

    def _reference(self, number: int, draw: Draw) -> int | str:
        """Refer to an appointment as a number or as a string, as it happens."""
        key = self.appointment_id(number)
        return int(key) if key.isdigit() and draw.one_in(2) else key

    def _phone(self, draw: Draw) -> str:
        return f"({draw.digits(3)}) {draw.digits(3)}-{draw.digits(4)}"

    def _name(self, draw: Draw) -> str:
        return (
            f"{draw.pick(self._pools.first_names)} {draw.pick(self._pools.last_names)}"
        )

    def _appointment(self, row: Row, draw: Draw, edit: Draw) -> Record:
        number = row.number
        created, updated = stamp_text(row.created), stamp_text(row.updated)
        scheduled = stamp_text(row.scheduled)
        key = self.appointment_id(number)
        is_break = self.is_break(number)
        is_series = "_" in key
        claim = self.books.claim_of_visit(number, row.scheduled)
        payer = None if claim.payer is None else PAYERS[claim.payer]
        second = None if claim.secondary is None else PAYERS[claim.secondary]
        billing = billing_of(self.books, number)
        outcome = self._calendar.outcome(number, row.scheduled)
        status = edit.pick(_STATUSES[outcome])
        pools_ = self._pools
        return {
            "id": key,
            "doctor": self._doctor(claim.doctor),
            "patient": None if is_break else self._appointment_patient(number),
            "office": self._ids.pick("offices", draw),
            "exam_room": 1 + draw.below(3),
            "scheduled_time": scheduled,
            "duration": 15 * (1 + draw.below(6)),
            "status": "" if is_break else status,
            "custom_status": None,
            "reason": "Lunch" if is_break else edit.pick(pools_.sentences),
            "notes": edit.pick(pools_.notes) if edit.one_in(3) else "",
            "color": draw.pick(("#ff0000", "", None, "orange")),
            "profile": (
                None if draw.one_in(3) else self._ids.pick("appointment_profiles", draw)
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
                        "created_by": str(self._ids.pick("users", draw)),
                    }
                ]
                if draw.one_in(8)
                else []
            ),
            "first_billed_date": _stamp_or(billing.first_billed, None),
            "last_billed_date": _stamp_or(billing.last_billed, ""),
            "first_edi_date": _stamp_or(billing.first_billed, None),
            "last_edi_date": _stamp_or(billing.last_billed, None),
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
            "created_by": str(self._ids.pick("users", draw)),
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
                    "field_type": self._ids.pick("custom_appointment_fields", draw),
                    "field_value": draw.pick(pools_.sentences),
                    "created_at": created,
                    "updated_at": updated,
                }
            ],
            "custom_vitals": [
                {
                    "vital_type": self._ids.pick("custom_vitals", draw),
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

    def _patient(self, row: Row, draw: Draw, edit: Draw) -> Record:
        number = row.number
        created, updated = stamp_text(row.created), stamp_text(row.updated)
        pools_ = self._pools
        first, last = draw.pick(pools_.first_names), draw.pick(pools_.last_names)
        status = self._patient_status(number)
        born = day_text(draw.below(19_000) * DAY - 10_000 * DAY)
        visit = day_text(row.created + draw.below(400) * DAY)
        doctor = self._ids.pick("doctors", draw)
        works = draw.one_in(2)
        flag = self._ids.pick("patient_flag_types", draw)
        payer, second = payers_of(self._seed, number)
        return {
            "id": self.key("patients", number),
            "chart_id": f"{last[:2].upper()}{first[:2].upper()}{number:06d}",
            "first_name": first,
            "middle_name": draw.pick(pools_.first_names) if draw.one_in(4) else "",
            "last_name": last,
            "nick_name": "",
            "date_of_birth": None if draw.one_in(60) else born,
            "date_of_death": visit if status == "D" else None,
            "gender": draw.pick(("", "Male", "Female", "Other", "UNK")),
            "gender_identity_code": "",
            "gender_identity_description": "",
            "pronouns": "",
            "social_security_number": (
                f"9{draw.digits(2)}-{draw.digits(2)}-{draw.digits(4)}"
                if draw.one_in(2)
                else ""
            ),
            "race": draw.pick(("blank", "asian", "black", "white", "declined")),
            "race_subcategories": (
                [{"code": "2028-9", "description": "Asian"}] if draw.one_in(9) else []
            ),
            "ethnicity": draw.pick(("blank", "hispanic", "not_hispanic")),
            "preferred_language": draw.pick(("blank", "eng", "spa", "zho")),
            "preferred_language_code": "",
            "preferred_language_description": "",
            "patient_status": status,
            "patient_photo": (signed_url("photos", number) if draw.one_in(5) else None),
            "patient_photo_date": visit if draw.one_in(5) else None,
            "patient_payment_profile": draw.pick(("", "Cash", "Insurance")),
            "email": edit.pick(("", f"patient{number}@mail.invalid")),
            "home_phone": self._phone(draw) if draw.one_in(2) else "",
            "cell_phone": self._phone(edit),
            "office_phone": "",
            "disable_sms_messages": draw.one_in(5),
            "address": edit.pick(pools_.streets),
            "city": draw.pick(pools_.cities),
            "state": draw.pick(pools_.states),
            "zip_code": draw.digits(5),
            "emergency_contact_name": self._name(draw) if draw.one_in(2) else "",
            "emergency_contact_phone": self._phone(draw) if draw.one_in(2) else "",
            "emergency_contact_relation": draw.pick(("", "spouse", "parent")),
            "employer": draw.pick(pools_.companies) if works else "",
            "employer_address": draw.pick(pools_.streets) if works else "",
            "employer_city": draw.pick(pools_.cities) if works else "",
            "employer_state": draw.pick(pools_.states) if works else "",
            "employer_zip_code": draw.digits(5) if works else "",
            "primary_care_physician": self._name(draw) if draw.one_in(3) else "",
            "responsible_party_name": None if draw.one_in(2) else "",
            "responsible_party_relation": None,
            "responsible_party_phone": None,
            "responsible_party_email": None,
            "date_of_first_appointment": visit,
            "date_of_last_appointment": visit,
            "default_pharmacy": draw.pick(("", draw.digits(7))),
            "preferred_pharmacies": [draw.digits(7)] if draw.one_in(4) else [],
            "referring_source": "",
            "copay": edit.money(60),
            "medication_history_consent": draw.pick(("", "Given")),
            "offices": [self._ids.pick("offices", draw)],
            "doctor": doctor,
            "created_at": created,
            "updated_at": updated,
            "primary_insurance": draw.pick(self._insurances[payer]),
            "secondary_insurance": (
                None if second is None else draw.pick(self._insurances[second])
            ),
            "tertiary_insurance": (
                draw.pick(draw.pick(self._insurances)) if draw.one_in(40) else None
            ),
            "auto_accident_insurance": (
                draw.pick(self._accidents) if draw.one_in(30) else None
            ),
            "workers_comp_insurance": (
                draw.pick(self._compensations) if draw.one_in(30) else None
            ),
            "referring_doctor": (
                draw.pick(self._referrers) if draw.one_in(3) else None
            ),
            "custom_demographics": [
                {
                    "field_type": self._ids.pick("custom_demographics", draw),
                    "value": draw.pick(pools_.sentences),
                    "updated_at": updated,
                }
            ],
            "patient_flags": (
                [
                    {
                        "id": flag,
                        "name": "Fall risk",
                        "color": "red",
                        "priority": 1,
                        "doctor": doctor,
                        "archived": False,
                        "created_at": created,
                        "updated_at": created,
                    }
                ]
                if draw.one_in(6)
                else []
            ),
            "patient_flags_attached": (
                [
                    {
                        "id": 83_000_001 + number,
                        "flag_type": flag,
                        "flag_text": draw.pick(pools_.sentences),
                        "archived": False,
                        "created_at": created,
                        "updated_at": updated,
                    }
                ]
                if draw.one_in(6)
                else []
            ),
        }

    def _insurance(self, draw: Draw, number: int) -> Record:
        pools_ = self._pools
        payer = PAYERS[number]
        own = not draw.one_in(4)
        return {
            "insurance_company": payer.name,
            "insurance_payer_id": payer.payer_id,
            "insurance_id_number": draw.digits(9),
            "insurance_group_name": draw.pick(pools_.companies),
            "insurance_group_number": draw.digits(6),
            "insurance_claim_office_number": "",
            "insurance_plan_name": draw.pick(("", "PPO Gold")),
            "insurance_plan_type": "" if draw.one_in(8) else payer.plan_type,
            "is_subscriber_the_patient": own,
            "patient_relationship_to_subscriber": "" if own else "01",
            "photo_front": signed_url("cards", draw.below(10**6)),
            "photo_back": draw.pick(("", None)),
            "subscriber_first_name": "" if own else draw.pick(pools_.first_names),
            "subscriber_middle_name": "",
            "subscriber_last_name": "" if own else draw.pick(pools_.last_names),
            "subscriber_suffix": "",
            "subscriber_date_of_birth": None
            if own
            else day_text(draw.below(9999) * DAY),
            "subscriber_social_security": "",
            "subscriber_gender": "" if own else "Female",
            "subscriber_address": "" if own else draw.pick(pools_.streets),
            "subscriber_city": "" if own else draw.pick(pools_.cities),
            "subscriber_zip_code": "" if own else draw.digits(5),
            "subscriber_state": "" if own else draw.pick(pools_.states),
            "subscriber_country": "US",
        }

    def _accident(self, draw: Draw) -> Record:
        pools_ = self._pools
        short = {
            "claim_rep_name": self._name(draw),
            "claim_rep_address": draw.pick(pools_.streets),
            "claim_rep_city": draw.pick(pools_.cities),
            "claim_rep_state": draw.pick(pools_.states),
            "claim_rep_zip": draw.digits(5),
            "claim_rep_is_insurer": draw.one_in(2),
            "case_number": draw.digits(8),
            "company": draw.pick(pools_.companies),
            "date_of_accident": day_text(self._start + draw.below(900) * DAY),
            "disabled_from_date": None,
            "disabled_to_date": "",
            "return_to_work_date": None,
            "similar_condition_date": None,
            "similar_condition_notes": "",
            "had_similar_condition": False,
            "still_under_care": draw.one_in(2),
            "significant_injury": "NO",
            "significant_injury_notes": "",
            "treatment_duration": "6 weeks",
            "will_require_therapy": draw.one_in(2),
            "will_require_therapy_rec": "",
            "notes": draw.pick(pools_.notes),
            "payer_id": draw.digits(5),
            "payer_address": draw.pick(pools_.streets),
            "payer_city": draw.pick(pools_.cities),
            "payer_state": draw.pick(pools_.states),
            "payer_zip": draw.digits(5),
            "policy_number": draw.digits(10),
            "is_subscriber_the_patient": True,
            "patient_relationship_to_subscriber": "",
            "subscriber_first_name": "",
            "subscriber_middle_name": "",
            "subscriber_last_name": "",
            "subscriber_suffix": "",
            "subscriber_date_of_birth": None,
            "subscriber_social_security": "",
            "subscriber_phone_number": "",
            "subscriber_address": "",
            "subscriber_city": "",
            "subscriber_state": "",
            "subscriber_zip_code": "",
            "state_of_occurrence": draw.pick(pools_.states),
        }
        return {f"auto_accident_{name}": value for name, value in short.items()}

    def _compensation(self, draw: Draw) -> Record:
        pools_ = self._pools
        short = {
            "company": draw.pick(pools_.companies),
            "payer_id": draw.digits(5),
            "payer_address": draw.pick(pools_.streets),
            "payer_city": draw.pick(pools_.cities),
            "payer_state": draw.pick(pools_.states),
            "payer_zip": draw.digits(5),
            "case_number": draw.digits(8),
            "group_name": "",
            "group_number": "",
            "carrier_code": draw.digits(4),
            "date_of_accident": day_text(self._start + draw.below(900) * DAY),
            "notes": draw.pick(pools_.notes),
            "state_of_occurrence": draw.pick(pools_.states),
            "wcb": draw.digits(6),
            "wcb_rating_code": "",
        }
        return {
            **{f"workers_comp_{name}": value for name, value in short.items()},
            "property_and_casualty_agency_claim_number": draw.digits(9),
        }

    def _referrer(self, draw: Draw) -> Record:
        return {
            "first_name": draw.pick(self._pools.first_names),
            "middle_name": "",
            "last_name": draw.pick(self._pools.last_names),
            "suffix": draw.pick(("", "MD")),
            "address": draw.pick(self._pools.streets),
            "phone": self._phone(draw),
            "fax": "",
            "email": "",
            "npi": draw.digits(10),
            "provider_number": "",
            "provider_qualifier": "",
            "specialty": draw.pick(("", "Cardiology")),
        }

    def _variable(self, draw: Draw, edit: Draw) -> t.Any:  # noqa: ANN401 - any form
        """Draw a value in one of the four forms of a "variable size object"."""
        text = edit.pick(self._pools.notes)
        return draw.pick(
            (
                {"drug": {"name": text, "ndc": draw.digits(11)}, "refills": [1, 2]},
                [{"name": "copay", "amount": draw.money()}, text],
                text,
                None,
            )
        )

    def _prescription_message(self, row: Row, draw: Draw, edit: Draw) -> Record:
        patient = self._some_number("patients", draw)
        incoming = draw.one_in(2)
        return {
            "id": self.key("prescription_messages", row.number),
            "patient": None if draw.one_in(9) else self.key("patients", patient),
            "doctor": self._ids.pick("doctors", draw),
            "message_type": "RefillRequest" if incoming else "NewRx",
            "message_direction": "I" if incoming else "O",
            "message_status": edit.pick(("Sent", "Pending", "Error", "", None)),
            "parent_message": (
                str(self.key("prescription_messages", row.number - 1))
                if row.number and draw.one_in(4)
                else None
            ),
            "pharmacy": draw.digits(7),
            "json_data": self._variable(draw, edit),
            "created_at": stamp_text(row.created),
            "updated_at": stamp_text(row.updated),
        }

    def _eligibility_check(self, row: Row, draw: Draw, edit: Draw) -> Record:
        visit = self._visit(draw)
        patient = self._appointment_patient(visit)
        return {
            "id": self.key("eligibility_checks", row.number),
            "appointment": (
                draw.pick((None, ""))
                if draw.one_in(10)
                else self._reference(visit, draw)
            ),
            "patient": draw.pick((patient, str(patient))),
            "eligibility": edit.pick(("1", "3", "6", "")),
            "cob_level": draw.pick(("Primary Insurance", "Secondary Insurance", "")),
            "payer_name": draw.pick(PAYERS).name,
            "coverage_details": self._variable(draw, edit),
            "coverage_subscriber": self._variable(draw, edit),
            "request_service_type": draw.pick(("30", "1", "98")),
            "service_type_description": "Health Benefit Plan Coverage",
            "query_date": stamp_text(row.created),
            "updated_at": stamp_text(row.updated),
        }

    def _clinical_note(self, row: Row, draw: Draw, edit: Draw) -> Record:
        # One note per appointment, and none for breaks.
        number = row.number + row.number // (BREAK_EVERY - 1)
        patient = self._appointment_patient(number)
        signed = draw.one_in(2)
        fields = [self._ids.number("clinical_note_field_types", draw) for _ in range(2)]
        return {
            "id": self.key("clinical_notes", row.number),
            "appointment": self._reference(number, draw),
            "patient": draw.pick((patient, str(patient))),
            "archived": draw.one_in(15),
            "signee": {
                "locked_by": self._name(draw) if signed else None,
                "supervisor_locked_by": "",
            },
            "clinical_note_sections": [
                {
                    "clinical_note_template": self._ids.template_of(fields[section]),
                    "name": name,
                    "values": [
                        {
                            "id": 800_000_001 + 2 * row.number + section,
                            "clinical_note_field": key_of(
                                "clinical_note_field_types", fields[section]
                            ),
                            "value": edit.pick(self._pools.notes),
                        }
                    ],
                }
                for section, name in enumerate(("Subjective", "Plan — Übersicht"))
            ],
            "updated_at": stamp_text(row.updated),
        }

    def _field_value(self, row: Row, draw: Draw, edit: Draw) -> Record:
        return {
            "id": self.key("clinical_note_field_values", row.number),
            "appointment": self._reference(self._visit(draw), draw),
            "clinical_note_field": self._ids.pick("clinical_note_field_types", draw),
            "value": edit.pick(
                ("", "True", edit.pick(self._pools.notes), "7", "[1, 2]")
            ),
            "created_at": stamp_text(row.created),
            "updated_at": stamp_text(row.updated),
        }


def _stamp_or(seconds: int | None, nothing: str | None) -> str | None:
    return nothing if seconds is None else stamp_text(seconds)


class Lean:
    """Records of three or four small fields."""

    def record(self, stream: str, row: Row) -> Record:
        """Write a small record.

        Args:
            stream: The stream's name.
            row: The server's view of it.

        Returns:
            The record.
        """
        key = row.number + 1
        record: Record = {
            "id": str(key) if stream == "appointments" else key,
            "updated_at": stamp_text(row.updated),
            "doctor": row.version,
        }
        name = ENDPOINTS[stream].key
        if name != "id":
            record[name] = str(key) if name == "appointment" else key
        return record

    @staticmethod
    def is_hidden(stream: str, number: int) -> bool:
        """Tell that nothing is hidden."""
        del stream, number
        return False

    @staticmethod
    def scheduled(number: int, created: int) -> int:
        """Tell that nothing is scheduled."""
        del number, created
        return 0

    @staticmethod
    def follow(stream: str, action: str, number: int, stamp: int) -> Iterable[Effect]:
        """Tell that nothing else changes."""
        del stream, action, number, stamp
        return ()


class Given:
    """Records that a test wrote down, delivered as they are."""

    def __init__(self, records: Mapping[str, list[Record]]) -> None:
        """Take the records.

        Args:
            records: By stream.
        """
        self._records = records
        self._deletions: list[Record] = []

    def record(self, stream: str, row: Row) -> Record:
        """Look up a record.

        Args:
            stream: The stream's name.
            row: The server's view of it.

        Returns:
            The given record; once edited, with another `updated_at`. Added records
            are copies of given ones under another id.
        """
        given = self._records.get(stream, [])
        if stream == "line_item_deletions" and row.number >= len(given):
            deletion = self._deletions[row.number - len(given)]
            return deletion | {"created_at": stamp_text(row.created)}
        record = dict(given[row.number % len(given)]) if given else {}
        if row.number >= len(given):
            name = ENDPOINTS[stream].key
            is_text = isinstance(record.get(name, ""), str)
            record[name] = str(10**9 + row.number) if is_text else 10**9 + row.number
        if row.version or row.number >= len(given):
            record["updated_at"] = stamp_text(row.updated)
        info = PLAIN.get(stream)
        flag = info.archived if info else "deleted_flag"
        if row.version and row.hidden and flag and stream != "patients":
            record[flag] = True
        return record

    @staticmethod
    def is_hidden(stream: str, number: int) -> bool:
        """Tell that added records are not hidden."""
        del stream, number
        return False

    @staticmethod
    def scheduled(number: int, created: int) -> int:
        """Schedule added appointments when they are made."""
        del number
        return created

    def follow(
        self, stream: str, action: str, number: int, stamp: int
    ) -> Iterator[Effect]:
        """Tell that a line item's deletion is noted, and that nothing else changes."""
        if stream == "line_items" and action == "remove":
            row = Row(number=number, created=stamp, updated=stamp)
            gone = self.record(stream, row)
            self._deletions.append(
                {
                    "billing_line_item_id": gone["id"],
                    "appointment_id": gone.get("appointment"),
                }
            )
            yield Effect("line_item_deletions", "insert", len(self._deletions) - 1)
