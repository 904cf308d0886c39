"""Each row of the companions' fault matrix, end to end."""

from __future__ import annotations

from pathlib import Path

import pytest
from companion_matrix import ASKED_FOR, OFFERED, Outcome, render, rows
from comparison import differences, source_of
from drchrono_sandbox import Api, Practice, Settings
from simulated import NOW, SimulatedClock, catalog_of, run, settings_for
from target import Target

BULK = "patients"
STREAMS = (OFFERED, ASKED_FOR, BULK)


@pytest.fixture(scope="session")
def practice():
    counts = {OFFERED: 12, ASKED_FOR: 12, BULK: 12}
    return Practice.generate(records=12, counts=counts, now=NOW - 7200)


@pytest.fixture(scope="session")
def whole(practice):
    return source_of(Api(practice, clock=lambda: NOW), STREAMS, verbose=False)


@pytest.fixture(scope="session")
def catalog():
    return catalog_of(*STREAMS, extra=ASKED_FOR)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_row(row, practice, whole, catalog, tmp_path):
    clock = SimulatedClock()
    trouble, expect = row.trouble, row.expect
    api = Api(practice, Settings(**trouble.sandbox), clock=clock.now)
    settings = settings_for(
        api, tmp_path, page_size=4, verbose=False, extra_streams=ASKED_FOR
    )
    api.set_faults(
        [
            trouble.fault
            | {
                "endpoint": row.stream,
                "method": "GET",
                "nth": row.nth,
                "times": None if row.lasting else 1,
            }
        ]
    )

    first = run(
        api, clock, tmp_path, settings, catalog=catalog, cut=trouble.cut, level="INFO"
    )

    copy = Target(checks=False).read(first.output)
    assert api.faults.applied[-1] > 0, "the fault of this row was not met"
    assert expect.says.format(row.stream) in first.log
    assert "Traceback" not in first.log
    others = {name: one for name, one in whole.items() if name != row.stream}
    match expect.outcome:
        case Outcome.WHOLE:
            assert first.status == 0, first.log
            assert differences(copy, whole) == {}
        case Outcome.WARNED:
            assert first.status == 0, first.log
            assert first.log.count(expect.says) == 1
            assert len(copy.tables[row.stream]) == len(whole[row.stream]) - 1
        case Outcome.REFUSED:
            assert first.status == (0 if row.stream == OFFERED else 1), first.log
            assert differences(copy, others) == {}
        case Outcome.FAILS:
            assert first.status == 1
            assert f"1 of 3 streams failed: {row.stream}." in first.log
            assert differences(copy, others) == {}
        case Outcome.STOPS:
            assert first.status == 1
            assert "streams failed" not in first.log

    api.set_faults(())
    clock.time += 2 * 86_400
    # What came without a key is read again once it changes, or where all is read.
    state = None if expect.outcome is Outcome.WARNED else copy.state
    second = run(
        api,
        clock,
        tmp_path,
        settings,
        state=state,
        catalog=catalog,
        level="WARNING",
    )

    copy.read(second.output)
    assert second.status == 0, second.log
    assert differences(copy, whole) == {}


def test_the_page_has_this_table():
    page = Path(__file__).parents[2] / "docs" / "reliability.md"
    begin, end = "<!-- companions:begin -->\n", "\n<!-- companions:end -->"
    assert page.read_text("utf-8").partition(begin)[2].partition(end)[0] == render()
