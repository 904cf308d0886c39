"""Prescriptions, eligibility checks, clinical notes and what was entered in them."""

from __future__ import annotations

import typing as t

from drchrono_sandbox.ledger.calendar import BREAK_EVERY
from drchrono_sandbox.ledger.claims import PAYERS
from drchrono_sandbox.references import key_of
from drchrono_sandbox.stamps import stamp_text

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drchrono_sandbox.draw import Draw
    from drchrono_sandbox.records.common import Common
    from drchrono_sandbox.records.forms import Record
    from drchrono_sandbox.tables import Row


class ClinicalRecords:
    """What concerns a patient's treatment.

    Attributes:
        makers: What makes a record, by stream: from the row and two draws, of which
            the second one is another after each edit.
    """

    def __init__(self, common: Common) -> None:
        """Take what the records need.

        Args:
            common: Ids and names.
        """
        self._common = common
        self.makers: Mapping[str, Callable[[Row, Draw, Draw], Record]] = {
            "prescription_messages": self._prescription_message,
            "eligibility_checks": self._eligibility_check,
            "clinical_notes": self._clinical_note,
            "clinical_note_field_values": self._field_value,
        }

    def _variable(self, draw: Draw, edit: Draw) -> t.Any:  # noqa: ANN401 - any form
        """Draw a value in one of the four forms of a "variable size object"."""
        text = edit.pick(self._common.pools.notes)
        return draw.pick(
            (
                {"drug": {"name": text, "ndc": draw.digits(11)}, "refills": [1, 2]},
                [{"name": "copay", "amount": draw.money()}, text],
                text,
                None,
            )
        )

    def _prescription_message(self, row: Row, draw: Draw, edit: Draw) -> Record:
        patient = self._common.some_number("patients", draw)
        incoming = draw.one_in(2)
        return {
            "id": self._common.key("prescription_messages", row.number),
            "patient": None
            if draw.one_in(9)
            else self._common.key("patients", patient),
            "doctor": self._common.ids.pick("doctors", draw),
            "message_type": "RefillRequest" if incoming else "NewRx",
            "message_direction": "I" if incoming else "O",
            "message_status": edit.pick(("Sent", "Pending", "Error", "", None)),
            "parent_message": (
                str(self._common.key("prescription_messages", row.number - 1))
                if row.number and draw.one_in(4)
                else None
            ),
            "pharmacy": draw.digits(7),
            "json_data": self._variable(draw, edit),
            "created_at": stamp_text(row.created),
            "updated_at": stamp_text(row.updated),
        }

    def _eligibility_check(self, row: Row, draw: Draw, edit: Draw) -> Record:
        visit = self._common.visit(draw)
        patient = self._common.patient_of(visit)
        return {
            "id": self._common.key("eligibility_checks", row.number),
            "appointment": (
                draw.pick((None, ""))
                if draw.one_in(10)
                else self._common.reference(visit, draw)
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
        patient = self._common.patient_of(number)
        signed = draw.one_in(2)
        fields = [
            self._common.ids.number("clinical_note_field_types", draw) for _ in range(2)
        ]
        return {
            "id": self._common.key("clinical_notes", row.number),
            "appointment": self._common.reference(number, draw),
            "patient": draw.pick((patient, str(patient))),
            "archived": draw.one_in(15),
            "signee": {
                "locked_by": self._common.name(draw) if signed else None,
                "supervisor_locked_by": "",
            },
            "clinical_note_sections": [
                {
                    "clinical_note_template": self._common.ids.template_of(
                        fields[section]
                    ),
                    "name": name,
                    "values": [
                        {
                            "id": 800_000_001 + 2 * row.number + section,
                            "clinical_note_field": key_of(
                                "clinical_note_field_types", fields[section]
                            ),
                            "value": edit.pick(self._common.pools.notes),
                        }
                    ],
                }
                for section, name in enumerate(("Subjective", "Plan — Übersicht"))
            ],
            "updated_at": stamp_text(row.updated),
        }

    def _field_value(self, row: Row, draw: Draw, edit: Draw) -> Record:
        return {
            "id": self._common.key("clinical_note_field_values", row.number),
            "appointment": self._common.reference(self._common.visit(draw), draw),
            "clinical_note_field": self._common.ids.pick(
                "clinical_note_field_types", draw
            ),
            "value": edit.pick(
                ("", "True", edit.pick(self._common.pools.notes), "7", "[1, 2]")
            ),
            "created_at": stamp_text(row.created),
            "updated_at": stamp_text(row.updated),
        }
