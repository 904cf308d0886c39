"""Patients, with their insurances and their referring doctors."""

from __future__ import annotations

import typing as t

from drchrono_sandbox.draw import Draw
from drchrono_sandbox.ledger.claims import PAYERS, payers_of
from drchrono_sandbox.stamps import DAY, day_text, signed_url, stamp_text

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drchrono_sandbox.records.common import Common
    from drchrono_sandbox.records.forms import Record
    from drchrono_sandbox.tables import Row


class PatientRecords:
    """Patients.

    Attributes:
        makers: What makes a record, by stream: from the row and two draws, of which
            the second one is another after each edit.
    """

    def __init__(self, common: Common) -> None:
        """Take what the records need, and invent what several patients share.

        Args:
            common: Ids and names.
        """
        self._common = common
        seed = common.seed
        self._insurances = [
            [self._insurance(Draw(seed, 91, payer, n), payer) for n in range(10)]
            for payer in range(len(PAYERS))
        ]
        self._accidents = [self._accident(Draw(seed, 92, n)) for n in range(12)]
        self._compensations = [self._compensation(Draw(seed, 93, n)) for n in range(12)]
        self._referrers = [self._referrer(Draw(seed, 94, n)) for n in range(24)]
        self.makers: Mapping[str, Callable[[Row, Draw, Draw], Record]] = {
            "patients": self._patient
        }

    def status(self, number: int) -> str:
        """Tell whether a patient is active.

        Args:
            number: The patient's number.

        Returns:
            A for active, I for inactive, D for deceased.
        """
        return Draw(self._common.seed, 53, number).pick("AAAAAAAAAAAAAAAAAAID")

    def _patient(self, row: Row, draw: Draw, edit: Draw) -> Record:
        number = row.number
        created, updated = stamp_text(row.created), stamp_text(row.updated)
        pools_ = self._common.pools
        first, last = draw.pick(pools_.first_names), draw.pick(pools_.last_names)
        status = self.status(number)
        born = day_text(draw.below(19_000) * DAY - 10_000 * DAY)
        visit = day_text(row.created + draw.below(400) * DAY)
        doctor = self._common.ids.pick("doctors", draw)
        works = draw.one_in(2)
        flag = self._common.ids.pick("patient_flag_types", draw)
        payer, second = payers_of(self._common.seed, number)
        return {
            "id": self._common.key("patients", number),
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
            "home_phone": self._common.phone(draw) if draw.one_in(2) else "",
            "cell_phone": self._common.phone(edit),
            "office_phone": "",
            "disable_sms_messages": draw.one_in(5),
            "address": edit.pick(pools_.streets),
            "city": draw.pick(pools_.cities),
            "state": draw.pick(pools_.states),
            "zip_code": draw.digits(5),
            "emergency_contact_name": self._common.name(draw) if draw.one_in(2) else "",
            "emergency_contact_phone": self._common.phone(draw)
            if draw.one_in(2)
            else "",
            "emergency_contact_relation": draw.pick(("", "spouse", "parent")),
            "employer": draw.pick(pools_.companies) if works else "",
            "employer_address": draw.pick(pools_.streets) if works else "",
            "employer_city": draw.pick(pools_.cities) if works else "",
            "employer_state": draw.pick(pools_.states) if works else "",
            "employer_zip_code": draw.digits(5) if works else "",
            "primary_care_physician": self._common.name(draw) if draw.one_in(3) else "",
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
            "offices": [self._common.ids.pick("offices", draw)],
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
                    "field_type": self._common.ids.pick("custom_demographics", draw),
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
        pools_ = self._common.pools
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
        pools_ = self._common.pools
        short = {
            "claim_rep_name": self._common.name(draw),
            "claim_rep_address": draw.pick(pools_.streets),
            "claim_rep_city": draw.pick(pools_.cities),
            "claim_rep_state": draw.pick(pools_.states),
            "claim_rep_zip": draw.digits(5),
            "claim_rep_is_insurer": draw.one_in(2),
            "case_number": draw.digits(8),
            "company": draw.pick(pools_.companies),
            "date_of_accident": day_text(self._common.start + draw.below(900) * DAY),
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
        pools_ = self._common.pools
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
            "date_of_accident": day_text(self._common.start + draw.below(900) * DAY),
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
            "first_name": draw.pick(self._common.pools.first_names),
            "middle_name": "",
            "last_name": draw.pick(self._common.pools.last_names),
            "suffix": draw.pick(("", "MD")),
            "address": draw.pick(self._common.pools.streets),
            "phone": self._common.phone(draw),
            "fax": "",
            "email": "",
            "npi": draw.digits(10),
            "provider_number": "",
            "provider_qualifier": "",
            "specialty": draw.pick(("", "Cardiology")),
        }
