"""Whether patients came, and who treated them: `visits` and `provider_month`."""

from __future__ import annotations

import typing as t
from collections import defaultdict

from dev_tools.marts.events import day_sheet
from dev_tools.marts.owed import charges
from dev_tools.marts.values import ZERO, as_day, as_text

if t.TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

    from dev_tools.marts.source import Mart, Row, Source


def visits(source: Source) -> Mart:
    """Compute `visits`.

    Args:
        source: The practice.

    Returns:
        Its rows by appointment.
    """
    charged = charges(source).values()
    billed: dict[str | None, Decimal] = defaultdict(lambda: ZERO)
    for charge in charged:
        billed[charge["appointment_id"]] += charge["billed"] or 0
    is_known = any(charge["billed"] is not None for charge in charged)
    found = {}
    for key, row in source.visits.items():
        if source.is_out(key) or row.get("is_virtual_base"):
            continue
        outcome, day = source.outcome(row), as_day(row.get("scheduled_time"))
        is_past = day is not None and day < source.as_of
        profile = source.profiles.get(as_text(row.get("profile")) or "", {})
        doctor = as_text(row.get("doctor"))
        found[key] = {
            "outcome": outcome,
            "visit_date": day,
            "billed": billed[key],
            "is_unbilled": (outcome == "kept" and is_past and not billed[key])
            if is_known
            else None,
            "doctor_id": doctor,
            "doctor_name": source.doctor_name(doctor),
            "appointment_profile_name": as_text(profile.get("name")),
        }
    return found


def provider_month(source: Source) -> Mart:
    """Compute `provider_month`.

    Args:
        source: The practice.

    Returns:
        Its rows by doctor and month.
    """
    counts = ("visits", "kept", "no_shows", "cancellations", "unbilled")
    money = ("charges", "write_offs", "insurance_payments", "patient_payments")
    found: Mart = {}

    def row_of(doctor: str | None, day: dt.date | None) -> Row:
        month = day.replace(day=1).isoformat() if day else "undated"
        empty = dict.fromkeys(counts, 0) | dict.fromkeys(money, ZERO)
        return found.setdefault(f"{doctor or 'unknown'} / {month}", empty)

    for visit in visits(source).values():
        row, outcome = row_of(visit["doctor_id"], visit["visit_date"]), visit["outcome"]
        row["visits"] += 1
        row["kept"] += outcome == "kept"
        row["no_shows"] += outcome == "no show"
        row["cancellations"] += outcome in {"cancelled", "rescheduled"}
        row["unbilled"] += visit["is_unbilled"] is True
    kinds = ("charge", "write-off", "insurance payment", "patient payment")
    columns = dict(zip(kinds, money, strict=True))
    for event in day_sheet(source).values():
        if column := columns.get(event["kind"]):
            row_of(event["doctor_id"], event["posted_date"])[column] += event["amount"]
    for row in found.values():
        row["collections"] = row["insurance_payments"] + row["patient_payments"]
    return found
