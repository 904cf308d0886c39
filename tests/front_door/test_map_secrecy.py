"""Nothing of a map's expression or alias is logged, nor an unknown setting's value."""

from __future__ import annotations

import pytest
from drchrono_sandbox import Practice
from offline import offline
from process import only

SECRET = "Zqxs3cr3t"

MAPS = {
    "works": {
        "patients": {
            "__alias__": f"{SECRET}people",
            "__filter__": f"first_name != '{SECRET}'",
            "email": f"md5('{SECRET}' + email) if email else '{SECRET}'",
        },
        f"{SECRET}copy": {"__source__": "patients", "email": None},
        "*": {"__filter__": f"updated_at != '{SECRET}'"},
    },
    "fails on a record": {
        "patients": {"__alias__": SECRET, "email": f"int('{SECRET}' + str(id))"}
    },
    "cannot be parsed": {"patients": {"email": f"md5('{SECRET}'"}},
    "is no expression": {"patients": {"email": f"email = '{SECRET}'"}},
    "filters badly": {"patients": {"__filter__": f"{SECRET} <>"}},
    "has a bad key": {"patients": {"__key_properties__": [SECRET]}},
    "has a bad alias": {"patients": {"__alias__": f"{SECRET} +"}},
    "is no map": {"patients": SECRET},
    "names nothing": {"patients": {"email": SECRET}},
    "is an option of its own": {f"__{SECRET}__": {"a": SECRET}},
    "has a copy of no form": {SECRET: {"__source__": "patients", "email": 5}},
    "has a copy that is none": {SECRET: [SECRET]},
    "keeps the rest": {"patients": {"email": "email", "__else__": SECRET}},
    "keeps the other streams": {"__else__": SECRET},
    "has an alias that is no text": {"patients": {"__alias__": [SECRET]}},
    "has a source that is no text": {SECRET: {"__source__": [SECRET]}},
    "has a key that is no list": {"patients": {"__key_properties__": SECRET}},
    "has a key of no texts": {"patients": {"__key_properties__": [[SECRET]]}},
    "fails in the end": {"patients": {"email": f"datetime.{SECRET}(email)"}},
}


@pytest.mark.parametrize("case", MAPS)
def test_of_stream_maps(make_tap, catalog, case):
    with offline(practice=Practice.generate(records=5)) as served:
        tap = make_tap(served, stream_maps=MAPS[case])
        ended = tap.run(catalog=only(catalog, ["patients"]), level="DEBUG")
    assert ended.status == int(case != "works")
    assert SECRET.lower() not in ended.log.lower()
    assert "Traceback" not in ended.log
    assert "report" not in ended.log


def test_of_unknown_settings(make_tap):
    with offline(practice=Practice.generate(records=5)) as served:
        ended = make_tap(served, client_secrte=SECRET).run(level="DEBUG")
    assert ended.status == 1
    assert "client_secrte: there is no such setting" in ended.log
    assert SECRET not in ended.log


def test_a_map_for_all_is_left_out_where_the_field_is_not(make_tap, catalog):
    maps = {"*": {"email": None}}
    with offline(practice=Practice.generate(records=5)) as served:
        tap = make_tap(served, stream_maps=maps)
        chosen = only(catalog, ["patients", "line_items", "transactions"])
        ended = tap.run(catalog=chosen)
        target = ended.good()
    assert "email" not in target.schemas["patients"]["properties"]
    assert all(target.emitted.values())
    lines = [line for line in ended.log.splitlines() if "is left out for" in line]
    (line,) = lines
    assert "stream_maps.*.email is left out for line_items, transactions:" in line


@pytest.mark.parametrize("pattern", ["*", "patients"])
def test_a_misspelt_rule_stops_the_run_before_any_request(make_tap, catalog, pattern):
    maps = {pattern: {"social_security_nubmer": None}}
    with offline(practice=Practice.generate(records=5)) as served:
        tap = make_tap(served, stream_maps=maps)
        ended = tap.run(catalog=only(catalog, ["patients"]))
        assert not served.api.log
    assert ended.status == 1
    assert not ended.output
    assert "has the field social_security_nubmer" in ended.log


def test_a_field_that_answers_leave_out_can_be_mapped(make_tap, catalog):
    bare = Practice.of({"patients": [{"id": 1, "updated_at": "2024-01-01T00:00:00"}]})
    maps = {"patients": {"hash": "sha256(email) if email else None", "email": None}}
    with offline(practice=bare) as served:
        tap = make_tap(served, stream_maps=maps)
        (row,) = tap.run(catalog=only(catalog, ["patients"])).good().rows("patients")
    assert row["hash"] is None


@pytest.mark.parametrize(
    "maps",
    [
        {"*": None},
        {"__else__": None},
        {"patients": None, "offices": "__NULL__"},
        {"line_items": {"id": "id"}, "__else__": "__NULL__"},
    ],
)
def test_maps_that_leave_out_all_that_is_selected_are_refused(make_tap, catalog, maps):
    with offline(practice=Practice.generate(records=5)) as served:
        tap = make_tap(served, stream_maps=maps)
        ended = tap.run(catalog=only(catalog, ["patients", "offices"]))
        assert not served.api.log
    assert ended.status == 1
    assert not ended.output
    assert ended.log.count("| ERROR") == 1
    assert "stream_maps: leaves out every stream that is selected" in ended.log


def test_maps_that_leave_out_a_part_are_none_of_them(make_tap, catalog):
    maps = {"patients": None, "copy": {"__source__": "patients", "id": "id"}}
    with offline(practice=Practice.generate(records=5)) as served:
        tap = make_tap(served, stream_maps=maps)
        target = tap.run(catalog=only(catalog, ["patients"])).good()
    assert target.received == target.emitted["copy"] == 5
