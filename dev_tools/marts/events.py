"""What happened to the money: `day_sheet` and `denials`."""

from __future__ import annotations

import typing as t

from dev_tools.marts.owed import charges
from dev_tools.marts.values import ZERO, as_day, as_money, as_text

if t.TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from decimal import Decimal

    from dev_tools.marts.source import Mart, Record, Row, Source

NOT_DENIALS = {
    *("-4", "-3", "-2", "-1", "0", "1", "2", "3", "35", "44", "45", "66", "100"),
    *("103", "104", "105", "115", "118", "122", "128", "130", "131", "137", "142"),
    *("144", "155", "160", "161", "178", "187", "201", "205", "223", "225", "237"),
    *("238", "239", "240", "241", "244", "245", "246", "247", "248", "249", "250"),
    *("253", "262", "263", "264", "265", "266", "279", "286", "287", "297", "P3"),
    *("P12", "P15", "W2", "W3", "W4", "Y1", "Y2", "Y3"),
}
"""Reason codes that are no denial."""

_SHARES = {"1", "2", "3"}


def day_sheet(source: Source) -> Mart:
    """Compute `day_sheet`.

    Args:
        source: The practice.

    Returns:
        Its rows by kind and record.
    """
    events = (*_charged(source), *_posted(source), *_paid_by_patients(source))
    return {f"{kind}-{key}": {"kind": kind, **row} for kind, key, row in events}


def _charged(source: Source) -> Iterator[tuple[str, str, Row]]:
    for key, row in charges(source).items():
        if row["billed"]:
            yield "charge", key, _event(row, row["billed"])


def _posted(source: Source) -> Iterator[tuple[str, str, Row]]:
    for row in transactions(source):
        key = row["transaction_id"]
        if row["paid"]:
            yield "insurance payment", key, _event(row, row["paid"])
        if row["kind"]:
            yield row["kind"], key, _event(row, row["adjustment"])


def _paid_by_patients(source: Source) -> Iterator[tuple[str, str, Row]]:
    charged = charges(source)
    for row in source.records.get("patient_payments", ()):
        amount = as_money(row.get("amount"))
        if amount:
            visit = source.visits.get(as_text(row.get("appointment")) or "", {})
            item = charged.get(as_text(row.get("line_item")) or "", {})
            doctor = as_text(visit.get("doctor")) or item.get("doctor_id")
            found = {
                "posted_date": as_day(row.get("posted_date")),
                "check_date": as_day(row.get("received_date")),
                "doctor_id": doctor or as_text(row.get("doctor")),
            }
            yield "patient payment", str(row["id"]), _event(found, amount)


def _event(row: Record, amount: Decimal) -> Row:
    names = ("posted_date", "check_date", "deposit_date", "doctor_id")
    return {"amount": amount, **{name: row.get(name) for name in names}}


def transactions(source: Source) -> Iterator[Row]:
    """List the transactions that count, with what each adjustment means."""
    for row in source.records.get("transactions", ()):
        item_id = as_text(row.get("line_item"))
        item = source.items.get(item_id or "", {})
        visit_id = as_text(item.get("appointment")) or as_text(row.get("appointment"))
        if item_id in source.gone or source.is_out(visit_id):
            continue
        paid = as_money(row.get("ins_paid")) or ZERO
        adjustment = as_money(row.get("adjustment")) or ZERO
        visit = source.visits.get(visit_id or "", {})
        doctors = (as_text(one.get("doctor")) for one in (visit, item, row))
        yield {
            "transaction_id": str(row["id"]),
            "line_item_id": item_id,
            "visit": visit,
            "item": item,
            "doctor_id": next(filter(None, doctors), None),
            "posted_date": as_day(row.get("posted_date")),
            "check_date": as_day(row.get("check_date")),
            "deposit_date": _deposited(source, row),
            "paid": paid,
            "adjustment": adjustment,
            "reason": as_text(row.get("adjustment_reason")),
            "kind": _meaning(row, item, paid, adjustment),
        }


def _deposited(source: Source, row: Record) -> dt.date | None:
    """Tell when a remittance was deposited, if its trace number tells that."""
    days = source.deposits.get(as_text(row.get("trace_number")) or "", set())
    return next(iter(days)) if len(days) == 1 else None


def _meaning(
    row: Record, item: Record, paid: Decimal, adjustment: Decimal
) -> str | None:
    if paid and not adjustment:
        return None
    reason = as_text(row.get("adjustment_reason"))
    if row.get("adjustment_group_code") == "PR" or reason in _SHARES:
        return "patient responsibility"
    if item.get("denied_flag") and reason and reason not in NOT_DENIALS:
        return "denial"
    return "write-off" if adjustment else "other"


def denials(source: Source) -> Mart:
    """Compute `denials`.

    Args:
        source: The practice.

    Returns:
        Its rows by transaction.
    """
    return {
        row["transaction_id"]: {
            "line_item_id": row["line_item_id"],
            "amount": row["adjustment"],
            "reason": row["reason"],
            "check_date": row["check_date"],
            "is_open": bool(as_money(row["item"].get("balance_ins"))),
            "doctor_id": row["doctor_id"],
        }
        for row in transactions(source)
        if row["kind"] == "denial"
    }
