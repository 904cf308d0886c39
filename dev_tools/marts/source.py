"""A practice's records, indexed, and what is judged of a visit."""

from __future__ import annotations

import typing as t
from collections import defaultdict

from dev_tools.marts.values import as_day, as_text

if t.TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

Record: t.TypeAlias = "Mapping[str, t.Any]"
Row: t.TypeAlias = dict[str, t.Any]
Mart: t.TypeAlias = dict[t.Any, Row]

_KEPT = {
    *("arrived", "checked in", "checked in online"),
    *("in room", "in session", "complete"),
}
_ENDED = {
    "no show": "no show",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "rescheduled": "rescheduled",
}
_PLANS = {
    "medicare": ("MA", "MB", "16"),
    "medicaid": ("MC",),
    "blue cross blue shield": ("BL",),
    "workers compensation": ("WC",),
    "auto and liability": ("AM", "LM"),
    "government": ("CH", "VA", "OF", "FI", "TV"),
    "commercial": ("CI", "HM", "11", "12", "13", "14", "15", "17"),
    "other": ("DS", "ZZ"),
}
_CLASSES = {plan: name for name, plans in _PLANS.items() for plan in plans}


class Source:
    """A practice's records, indexed, and the day that ages are counted to."""

    def __init__(self, records: Mapping[str, Sequence[Record]], as_of: dt.date) -> None:
        """Index the records.

        Args:
            records: By stream; a stream that is missing has none.
            as_of: The day that ages are counted to.
        """
        self.as_of = as_of
        self.records = {name: [*rows] for name, rows in records.items()}
        self.visits = self._by_key("appointments")
        self.patients = self._by_key("patients")
        self.doctors = self._by_key("doctors")
        self.offices = self._by_key("offices")
        self.profiles = self._by_key("appointment_profiles")
        self.deposits: dict[str, set[dt.date]] = defaultdict(set)
        for row in self.records.get("eobs", ()):
            if (day := as_day(row.get("deposit_date"))) is not None:
                self.deposits[str(row["insurance_payer_trace_number"])].add(day)
        gone = {
            as_text(row["billing_line_item_id"])
            for row in self.records.get("line_item_deletions", ())
        }
        self.gone = {key for key in gone if key}
        self.items = {
            key: row
            for key, row in self._by_key("line_items").items()
            if key not in self.gone
        }

    def _by_key(self, stream: str) -> dict[str, Record]:
        return {str(row["id"]): row for row in self.records.get(stream, ())}

    def doctor_name(self, key: str | None) -> str | None:
        """Tell the name of a doctor.

        Args:
            key: The doctor's id.

        Returns:
            First and last name, if the doctor is known.
        """
        row = self.doctors.get(key or "", {})
        names = (as_text(row.get("first_name")), as_text(row.get("last_name")))
        return " ".join(name for name in names if name) or None

    def is_out(self, visit: str | None) -> bool:
        """Tell whether a visit takes what belongs to it out of the books.

        Args:
            visit: The appointment's id.

        Returns:
            True for a deleted one and for a break.
        """
        row = self.visits.get(visit or "")
        return row is not None and (bool(row.get("deleted_flag")) or _is_break(row))

    def outcome(self, row: Record) -> str:
        """Tell what became of a visit.

        Args:
            row: The appointment.

        Returns:
            One of the values of `visits.outcome`.
        """
        status = (as_text(row.get("status")) or "").lower()
        if status in _ENDED:
            return _ENDED[status]
        if status in _KEPT:
            return "kept"
        day = as_day(row.get("scheduled_time"))
        return "upcoming" if day is not None and day >= self.as_of else "other"

    def payer(self, row: Record) -> tuple[str, str | None, str]:
        """Tell which insurer owes for a visit.

        Args:
            row: The appointment, or nothing.

        Returns:
            Its rank, its name, and the class of its plan.
        """
        billing = as_text(row.get("billing_status"))
        first, second = as_text(row.get("ins1_status")), as_text(row.get("ins2_status"))
        coordinated = first == "Coordination of Benefits"
        rank = "primary"
        if not (first and not second) and (
            billing == "Bill Secondary Insurance"
            or (billing == "Bill Insurance" and coordinated)
        ):
            rank = "secondary"
        name = as_text(row.get(f"{rank}_insurer_name"))
        payer_id = as_text(row.get(f"{rank}_insurer_payer_id"))
        patient = self.patients.get(as_text(row.get("patient")) or "", {})
        plan = patient.get(f"{rank}_insurance") or {}
        is_same = payer_id and payer_id == as_text(plan.get("insurance_payer_id"))
        code = as_text(plan.get("insurance_plan_type")) if is_same else None
        return rank, name, _CLASSES.get(code or "", "unknown")


def _is_break(row: Record) -> bool:
    return bool(row.get("appt_is_break")) or row.get("patient") is None
