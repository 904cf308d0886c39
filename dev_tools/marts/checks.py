"""The rules that the source's books should satisfy: `checks`."""

from __future__ import annotations

import typing as t
from collections import defaultdict

from dev_tools.marts.events import transactions
from dev_tools.marts.owed import charges
from dev_tools.marts.values import (
    ZERO,
    as_day,
    as_money,
    as_number,
    as_text,
    in_cents,
    is_same,
    total,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from dev_tools.marts.source import Mart, Record, Row, Source


def checks(source: Source) -> Mart:
    """Compute `checks`.

    Args:
        source: The practice.

    Returns:
        By the identity's number, how often it holds and how often it is broken.
    """
    found: Mart = {number: {"held": 0, "broken": 0} for number in range(1, 12)}
    for number, holds in _judged(source):
        if holds is not None:
            found[number]["held" if holds else "broken"] += 1
    return found


def _judged(source: Source) -> Iterator[tuple[int, bool | None]]:
    """Judge each record by each rule that concerns it; None if it cannot be told."""
    posted = [*transactions(source)]
    of_item: dict[str | None, list[Row]] = defaultdict(list)
    for row in posted:
        of_item[row["line_item_id"]].append(row)
        yield 8, not (row["paid"] and row["adjustment"])
    for transaction in source.records.get("transactions", ()):
        item_id = as_text(transaction.get("line_item"))
        if item_id and item_id not in source.gone:
            yield 11, item_id in source.items
    counted = charges(source)
    for key, item in source.items.items():
        yield from _amounts_judged(item)
        visit_id = as_text(item.get("appointment"))
        visit = source.visits.get(visit_id or "")
        if visit_id:
            yield 11, visit is not None and not visit.get("deleted_flag")
        if visit is not None:
            days = as_day(item.get("service_date")), as_day(visit.get("scheduled_time"))
            yield 10, None if None in days else days[0] == days[1]
        if key in counted and posted:
            mine = of_item[key]
            off = [row["adjustment"] for row in mine if row["kind"] == "write-off"]
            paid = total(*(row["paid"] for row in mine))
            yield 6, is_same(as_money(item.get("ins_total")), paid)
            yield 7, is_same(as_money(item.get("adjustment")), total(*off))
            if item.get("denied_flag"):
                yield 9, any(row["kind"] == "denial" for row in mine)


def _amounts_judged(item: Record) -> Iterator[tuple[int, bool | None]]:
    def of(name: str) -> Decimal | None:
        return as_money(item.get(name))

    insurers = [of(f"ins{rank}_paid") or ZERO for rank in (1, 2, 3)]
    yield 1, is_same(of("ins_total"), total(*insurers))
    yield 2, is_same(of("paid_total"), total(of("ins_total"), of("pt_paid")))
    yield 3, is_same(of("balance_total"), total(of("balance_ins"), of("balance_pt")))
    settled = total(of("balance_total"), of("adjustment"), of("paid_total"))
    yield 4, is_same(of("billed"), settled)
    price, quantity = of("price"), as_number(item.get("quantity"))
    if price is not None and quantity is not None:
        yield 5, is_same(of("billed"), in_cents(price * quantity))
