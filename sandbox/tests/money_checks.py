"""The identities of a practice's money, checked on every record that it delivers."""

from __future__ import annotations

import collections
import decimal
import json

NOT_WRITTEN_OFF = {"1", "2", "3"}
DENIALS = {"16", "27", "29", "50", "97", "197"}
ZERO = decimal.Decimal(0)


def amount(value):
    """Read money in any of the forms that the API gives it."""
    return decimal.Decimal(str(value)) if value not in {None, ""} else ZERO


def raw(api, stream):
    """Read a bulk stream with exact decimals."""
    return json.loads(api.records_body(stream), parse_float=decimal.Decimal)


def listed(api, name):
    """Read a list that follows from the books."""
    practice = api.practice
    view = practice.tables[name].view("id", by_touch=False, hidden=True, since=None)
    return [practice.source.record(name, row) for row in view]


class Books:
    """Everything about money that a practice delivers."""

    def __init__(self, api):
        self.visits = {r["id"]: r for r in raw(api, "appointments")}
        self.items = {r["id"]: r for r in raw(api, "line_items")}
        self.transactions = raw(api, "transactions")
        self.payments = listed(api, "patient_payments")
        self.eobs = listed(api, "eobs")
        self.deletions = listed(api, "line_item_deletions")
        self.of_item = collections.defaultdict(list)
        for record in self.transactions:
            self.of_item[record["line_item"]].append(record)
        self.exceptions = collections.Counter()

    def check(self):
        """Check all identities; return how many exceptions of each kind there are."""
        self.exceptions.clear()
        for item in self.items.values():
            self.check_item(item)
        for record in self.transactions:
            self.check_transaction(record)
        self.check_payments()
        self.check_remittances()
        return dict(self.exceptions)

    def check_item(self, item):
        money = {
            name: amount(item[name])
            for name in (
                *("billed", "adjustment", "ins1_paid", "ins2_paid", "ins3_paid"),
                *("ins_total", "pt_paid", "paid_total", "price"),
                *("balance_ins", "balance_pt", "balance_total"),
            )
        }
        posted = self.of_item[item["id"]]
        # 1, 2, 3, 4
        paid = money["ins1_paid"] + money["ins2_paid"] + money["ins3_paid"]
        assert money["ins_total"] == paid
        assert money["paid_total"] == money["ins_total"] + money["pt_paid"]
        owed = money["balance_ins"] + money["balance_pt"]
        assert money["balance_total"] == owed
        left = money["billed"] - money["adjustment"] - money["paid_total"]
        assert money["balance_total"] == left
        # 5
        if item["billed"] is None:
            self.exceptions["billed is null"] += 1
            assert not any(money[name] for name in money if name != "price")
        else:
            quantity = amount(item["quantity"]) if item["quantity"] != "" else 1
            exact = (money["price"] * quantity).quantize(
                decimal.Decimal("0.01"), decimal.ROUND_HALF_UP
            )
            assert money["billed"] == exact > 0
        # 6, 7
        assert money["ins_total"] == sum(amount(one["ins_paid"]) for one in posted)
        assert money["adjustment"] == sum(
            amount(one["adjustment"])
            for one in posted
            if one["adjustment_group_code"] != "PR"
            and one["adjustment_reason"] not in NOT_WRITTEN_OFF
            and not (item["denied_flag"] and one["adjustment_reason"] in DENIALS)
        )
        # 9
        if item["denied_flag"]:
            assert any(one["adjustment_reason"] in DENIALS for one in posted)
        # 10, 11
        visit = self.visits.get(str(item["appointment"]))
        if visit is None:
            self.exceptions["the visit is gone"] += 1
            return
        self.exceptions["the visit is deleted"] += visit["deleted_flag"]
        assert item["service_date"] == visit["scheduled_time"][:10]
        assert not visit["appt_is_break"]
        assert item["patient"] == visit["patient"]
        assert item["doctor"] == visit["doctor"]

    def check_transaction(self, record):
        # 8
        assert not (amount(record["ins_paid"]) and amount(record["adjustment"]))
        if amount(record["ins_paid"]):
            assert record["adjustment_reason"] in {"-3", "225"}
            assert record["adjustment_group_code"] == ""
        # 11
        if record["line_item"] is None:
            self.exceptions["nobody could match it"] += 1
            assert record["appointment"] is None
            return
        item = self.items.get(record["line_item"])
        if item is None:
            self.exceptions["its line item was deleted"] += 1
            gone = {one["billing_line_item_id"] for one in self.deletions}
            assert record["line_item"] in gone
            return
        assert str(record["appointment"]) == str(item["appointment"])
        assert record["patient"] == item["patient"]

    def check_payments(self):
        paid = collections.Counter()
        for payment in self.payments:
            assert amount(payment["amount"])
            if payment["line_item"] is None:
                self.exceptions["it is for no line item"] += 1
            else:
                item = self.items[payment["line_item"]]
                assert str(item["appointment"]) == str(payment["appointment"])
                paid[payment["line_item"]] += amount(payment["amount"])
        for key, item in self.items.items():
            assert amount(item["pt_paid"]) == paid[key]

    def check_remittances(self):
        paid = collections.Counter()
        dates = {}
        for record in self.transactions:
            if record["trace_number"]:
                paid[record["trace_number"]] += amount(record["ins_paid"])
                day = dates.setdefault(record["trace_number"], record["check_date"])
                assert record["check_date"] == day
        for eob in self.eobs:
            number = eob["insurance_payer_trace_number"]
            assert amount(eob["total_paid"]) == paid.pop(number, 0)
            assert eob["check_date"] == dates.get(number, eob["check_date"])
        assert not paid
