"""The money adds up: on every record, and after edits and deletions too."""

import collections
import datetime as dt

import pytest
from drchrono_sandbox import Changes, Practice, Settings
from drchrono_sandbox.ledger.charges import NULL_BILLED_EVERY
from drchrono_sandbox.ledger.layout import UNMATCHED_EVERY
from drchrono_sandbox.ledger.stories import UNALLOCATED_EVERY
from money_checks import Books, amount
from sandbox_bench import NOW, Bench

MONEY = ("line_items", "transactions", "appointments", "patient_payments")
DELETED_EVERY = 25


@pytest.mark.parametrize(
    "counts",
    [
        {},
        {"transactions": 1500},
        {"transactions": 40},
        {"appointments": 3, "line_items": 50},
        {"line_items": 0},
        {"appointments": 0},
    ],
    ids=lambda counts: "-".join(counts) or "as many of each",
)
def test_every_record_adds_up(bench, counts):
    practice = Practice.generate(records=600, counts=counts, now=NOW, seed=3)
    Books(bench(practice).api).check()


def test_edits_and_deletions_leave_it_adding_up(bench):
    api = bench(Practice.generate(records=400, now=NOW)).api
    for turn in range(6):
        changes = Changes(updates=40, inserts=10, deletions=15, streams=MONEY)
        api.change(changes, seed=turn)
        Books(api).check()
    purge = Changes(deletions=20, purge=True, streams=("appointments",))
    api.change(purge, seed=9)
    found = Books(api).check()
    assert found["its line item was deleted"]
    assert found["the visit is gone"]


def test_a_story_ends(bench):
    practice = Practice.generate(records=5, now=NOW)
    api = bench(practice).api
    edits = Changes(updates=200, streams=("line_items",))
    api.change(edits, seed=1)
    before = Books(api)
    api.change(edits, seed=2)
    after = Books(api)
    after.check()
    assert len(after.payments) == len(before.payments)
    assert len(after.transactions) == len(before.transactions)


def test_exceptions_are_few_and_counted(bench):
    practice = Practice.generate(records=6000, now=NOW)
    books = Books(bench(practice).api)
    found = books.check()
    expected = {
        "billed is null": len(books.items) / NULL_BILLED_EVERY,
        "nobody could match it": len(books.transactions) / UNMATCHED_EVERY,
        "it is for no line item": len(books.payments) / UNALLOCATED_EVERY,
        "the visit is deleted": len(books.items) / DELETED_EVERY,
    }
    assert set(found) == set(expected)
    for kind, number in expected.items():
        assert number / 2 <= found[kind] <= number * 2, kind


AS_OF = dt.date(2025, 9, 30)


@pytest.fixture(scope="module")
def dated():
    """Fifteen months of a practice that end on a given day."""
    practice = Practice.generate(records=1500, now=NOW, as_of=AS_OF, seed=2)
    return Books(Bench(practice, Settings()).api)


def day(text):
    return dt.date.fromisoformat(text[:10])


def test_the_calendar_ends_on_a_given_day(dated):
    assert not set(dated.check()) & {"the visit is gone", "its line item was deleted"}
    stamps = [
        record[name]
        for records in (dated.items.values(), dated.transactions, dated.payments)
        for record in records
        for name in ("posted_date", "updated_at", "service_date", "check_date")
        if record.get(name)
    ]
    stamps += [visit["updated_at"] for visit in dated.visits.values()]
    days = [day(stamp) for stamp in stamps]
    assert max(days) <= AS_OF
    assert min(days) > AS_OF - dt.timedelta(days=470)
    coming = [v for v in dated.visits.values() if day(v["scheduled_time"]) > AS_OF]
    assert 50 < len(coming) < 200
    assert not {str(i["appointment"]) for i in dated.items.values()} & {
        visit["id"] for visit in coming
    }
    assert {visit["status"] for visit in coming} <= {
        *("", "Confirmed", "Not Confirmed", "Cancelled")
    }
    assert any(visit["primary_insurer_name"] for visit in coming)


@pytest.mark.parametrize("side", ["balance_ins", "balance_pt"])
def test_debts_are_of_all_ages(dated, side):
    buckets = collections.Counter(
        min(4, (AS_OF - day(item["service_date"])).days // 30)
        for item in dated.items.values()
        if amount(item[side]) > 0
    )
    assert set(buckets) == {0, 1, 2, 3, 4}
    assert min(buckets.values()) >= 5


def test_a_day_to_come_is_refused():
    with pytest.raises(ValueError, match="later than the clock's day"):
        Practice.generate(records=1, now=NOW, as_of=dt.date(2026, 1, 2))


def test_all_stories_are_told(dated):
    items = list(dated.items.values())
    share = collections.Counter(item["billing_status"] for item in items)
    assert set(share) == {
        *("", "In Process Payer", "ERA Denied", "Partially Paid"),
        *("Coordination of Benefits", "Paid in Full", "ERA Received"),
    }
    assert any(amount(item["balance_pt"]) < 0 for item in items)
    assert any(amount(item["ins2_paid"]) for item in items)
    denied = [item for item in items if item["denied_flag"]]
    assert any(item["balance_total"] == item["billed"] for item in denied)
    assert any(amount(item["adjustment"]) for item in denied)
    reasons = {record["adjustment_reason"] for record in dated.transactions}
    assert {"-3", "45", "253", "1", "2", "3"} < reasons
    assert any(amount(record["ins_paid"]) < 0 for record in dated.transactions)
    assert {record["claim_status"] for record in dated.transactions} == {
        *("", "1", "2", "4", "22")
    }
    kinds = {record["payment_transaction_type"] for record in dated.payments}
    assert kinds == {"", "COPAY", "COINSR", "COR", "REF"}


def test_visits_say_what_their_line_items_say(dated):
    items = collections.defaultdict(list)
    for item in dated.items.values():
        items[str(item["appointment"])].append(item)
    seen = collections.Counter()
    for key, visit in dated.visits.items():
        status = visit["billing_status"]
        seen[status] += 1
        first, last = visit["first_billed_date"], visit["last_billed_date"]
        if key not in items:
            assert not any((status, first, last, visit["ins1_status"]))
            continue
        owed_ins = sum(amount(item["balance_ins"]) for item in items[key])
        owed_pt = sum(amount(item["balance_pt"]) for item in items[key])
        if status in {"Paid In Full", "Settled"}:
            assert max(owed_ins, owed_pt) <= 0
        elif status == "Balance Due":
            assert owed_ins <= 0 < owed_pt
        else:
            assert status in {
                *("Bill Insurance", "Bill Secondary Insurance", "Internal Review")
            }
        if first:
            assert visit["scheduled_time"] < first <= last
            assert visit["primary_insurer_name"]
        else:
            assert not visit["ins1_status"]
        if visit["payment_profile"] == "Cash":
            assert not first
            assert not owed_ins
    assert min(seen.values()) > 0
    assert {"Bill Secondary Insurance", "Settled", "Balance Due"} <= set(seen)


def test_a_visit_that_was_missed_costs_a_fee_of_the_patient(dated):
    missed = {v["id"] for v in dated.visits.values() if v["status"] == "No Show"}
    fees = [i for i in dated.items.values() if str(i["appointment"]) in missed]
    assert fees
    for item in fees:
        assert (item["code"], item["procedure_type"]) == ("NSFEE", "U")
        assert not amount(item["balance_ins"])
    codes = [item["code"] for item in dated.items.values()]
    assert codes.count("NSFEE") == len(fees)


def test_edits_take_the_story_on(bench):
    practice = Practice.generate(records=200, now=NOW)
    api = bench(practice).api
    before = Books(api)
    done = api.change(Changes(updates=60, streams=("line_items",)), seed=1)
    after = Books(api)
    edited = {key: after.items[key] for key in done["line_items"]["updated"]}
    moved = [
        key
        for key, item in edited.items()
        if item["balance_total"] != before.items[key]["balance_total"]
    ]
    assert len(moved) > 10
    assert len(after.transactions) > len(before.transactions)
    assert len(after.payments) > len(before.payments)
    for key, item in edited.items():
        visit = after.visits[str(item["appointment"])]
        assert item["updated_at"].replace(" ", "T") == "2026-01-01T00:00:00"
        assert visit["updated_at"].replace(" ", "T") == "2026-01-01T00:00:00"
        assert item["billed"] == before.items[key]["billed"]


def test_a_correction_is_seen_wherever_it_counts(bench):
    api = bench(Practice.generate(records=200, now=NOW)).api
    before = Books(api)
    changes = Changes(updates=30, inserts=5, deletions=5, streams=("transactions",))
    done = api.change(changes, seed=1)["transactions"]
    after = Books(api)
    after.check()
    old = {record["id"]: record for record in before.transactions}
    new = {record["id"]: record for record in after.transactions}
    touched = set()
    for key in done["updated"]:
        if key in new:
            touched.add(new[key]["line_item"])
            assert new[key] != old[key]
    touched |= {old[key]["line_item"] for key in done["deleted"] if key in old}
    touched |= {new[key]["line_item"] for key in done["inserted"] if key in new}
    for key in touched - {None}:
        stamp = after.items[key]["updated_at"].replace(" ", "T")
        assert stamp == "2026-01-01T00:00:00"
    changed = [eob for eob in after.eobs if eob["updated_at"] >= "2026-01-01"]
    assert len(changed) > 5


def test_the_books_are_reproducible(bench):
    def told():
        api = bench(Practice.generate(records=100, now=NOW)).api
        api.change(Changes(updates=20, inserts=5, deletions=5), seed=4)
        books = Books(api)
        return books.items, books.transactions, books.payments, books.eobs

    assert told() == told()
