"""A value that is hardly JSON costs that value: all else of each record arrives."""

from __future__ import annotations

import json

from comparison import plain, source_of
from drchrono_sandbox import Api, Practice
from simulated import NOW, SimulatedClock, catalog_of, run, settings_for
from target import Target


def test_odd_values_cost_no_record(tmp_path):
    clock = SimulatedClock()
    api = Api(Practice.generate(records=30, now=NOW - 7200), clock=clock.now)
    whole = source_of(api, ["patients"])
    api.set_faults([{"kind": "odd_values", "endpoint": "patients", "times": None}])

    result = run(
        api,
        clock,
        tmp_path,
        settings_for(api, tmp_path),
        catalog=catalog_of("patients"),
        level="WARNING",
    )

    assert result.status == 0, result.log
    assert "Try 2 of" not in result.log
    rows = Target(checks=False).read(result.output).tables["patients"]
    extras = [row.pop("_extra") for row in rows.values()]
    assert {key: plain(row) for key, row in rows.items()} == whole["patients"]
    for extra in extras:
        odd = json.loads(extra)
        assert odd["odd_nan"] == "NaN"
        assert odd["odd_infinity"] == "-Infinity"
        assert odd["odd_long"] == "7" * 5000
        assert json.dumps(odd["odd_deep"]).count("[") == 3000
