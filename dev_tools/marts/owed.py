"""What is owed: `charges`, `receivables` and `ar_aging`."""

from __future__ import annotations

import typing as t

from dev_tools.marts.values import ZERO, as_day, as_money, as_text

if t.TYPE_CHECKING:
    from dev_tools.marts.source import Mart, Source

BUCKETS = ((30, "0-30"), (60, "31-60"), (90, "61-90"), (120, "91-120"))
BUCKET_NAMES = (*(name for _, name in BUCKETS), "over 120", "undated")


def charges(source: Source) -> Mart:
    """Compute `charges`.

    Args:
        source: The practice.

    Returns:
        Its rows by line item.
    """
    found = {}
    for key, row in source.items.items():
        visit_id = as_text(row.get("appointment"))
        if source.is_out(visit_id):
            continue
        visit = source.visits.get(visit_id or "", {})
        doctor = as_text(visit.get("doctor")) or as_text(row.get("doctor"))
        office = as_text(visit.get("office"))
        rank, payer, payer_class = source.payer(visit)
        found[key] = {
            "appointment_id": visit_id,
            "doctor_id": doctor,
            "doctor_name": source.doctor_name(doctor),
            "office_name": as_text(source.offices.get(office or "", {}).get("name")),
            "service_date": as_day(row.get("service_date")),
            "visit_date": as_day(visit.get("scheduled_time")),
            "posted_date": as_day(row.get("posted_date")),
            "first_billed_date": as_day(visit.get("first_billed_date")),
            "billed": as_money(row.get("billed")),
            "adjustment": as_money(row.get("adjustment")),
            "insurance_paid": as_money(row.get("ins_total")),
            "patient_paid": as_money(row.get("pt_paid")),
            "insurance_balance": as_money(row.get("balance_ins")),
            "patient_balance": as_money(row.get("balance_pt")),
            "balance": as_money(row.get("balance_total")),
            "is_denied": bool(row.get("denied_flag")),
            "payer_rank": rank,
            "payer_name": payer,
            "payer_class": payer_class,
        }
    return found


def receivables(source: Source) -> Mart:
    """Compute `receivables`, aged from the first billing.

    Args:
        source: The practice.

    Returns:
        Its rows by line item and side.
    """
    found = {}
    for key, row in charges(source).items():
        aged_from = row["first_billed_date"] or row["service_date"] or row["visit_date"]
        days = (source.as_of - aged_from).days if aged_from else None
        for side in ("insurance", "patient"):
            amount = row[f"{side}_balance"]
            if amount:
                is_insurance = side == "insurance"
                found[f"{key}-{side}"] = {
                    "side": side,
                    "amount": amount,
                    "is_credit": amount < 0,
                    "days": days,
                    "bucket": _bucket(days),
                    "payer_name": row["payer_name"] if is_insurance else None,
                    "payer_class": row["payer_class"] if is_insurance else "patient",
                    "doctor_id": row["doctor_id"],
                    "is_denied": row["is_denied"],
                }
    return found


def ar_aging(source: Source) -> Mart:
    """Compute `ar_aging`.

    Args:
        source: The practice.

    Returns:
        Its rows by side, class of payer and payer.
    """
    columns = {name: f"days_{name.replace('-', '_')}" for name in BUCKET_NAMES}
    columns |= {"over 120": "days_over_120", "undated": "undated"}
    found: Mart = {}
    for row in receivables(source).values():
        is_insurance = row["side"] == "insurance"
        payer = (row["payer_name"] or "unknown") if is_insurance else "patients"
        key = f"{row['side']} / {row['payer_class']} / {payer}"
        empty = dict.fromkeys((*columns.values(), "credits", "total"), ZERO)
        sums = found.setdefault(key, {**empty, "receivables": 0})
        column = "credits" if row["amount"] < 0 else columns[row["bucket"]]
        sums[column] += row["amount"]
        sums["total"] += row["amount"]
        sums["receivables"] += 1
    return found


def _bucket(days: int | None) -> str:
    if days is None:
        return "undated"
    return next((name for most, name in BUCKETS if days <= most), "over 120")
