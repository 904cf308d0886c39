"""The money adds up: on every record, and after edits and deletions too."""

import pytest
from drchrono_sandbox import Changes, Practice
from money_checks import Books
from sandbox_bench import NOW

MONEY = ("line_items", "transactions", "appointments")


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


def test_exceptions_are_few_and_counted(bench):
    practice = Practice.generate(records=6000, now=NOW)
    books = Books(bench(practice).api)
    found = books.check()
    assert 25 <= found["billed is null"] <= 80
    assert 40 <= found["nobody could match it"] <= 100
    payments = len(books.payments)
    assert payments / 80 <= found["it is for no line item"] <= payments / 25
    assert 120 <= found["the visit is deleted"] <= 360
    assert set(found) == {
        "billed is null",
        "nobody could match it",
        "it is for no line item",
        "the visit is deleted",
    }
