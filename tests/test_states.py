"""What a state says from run to run, also after Meltano has merged it."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_drchrono import states
from tap_drchrono.states import Stored

TODAY = dt.date(2024, 6, 1)
KEY = "updated_at"
WHEN = "2024-05-06T07:08:09"
START = dt.date(2024, 1, 1)

OF_0_1_0 = {"replication_key": KEY, "replication_key_value": WHEN}


def merge(new, old):
    """Merge two states as Meltano does: no key is deleted, a null stays a null."""
    for name, value in new.items():
        if isinstance(value, dict):
            merge(value, old.setdefault(name, {}))
        else:
            old[name] = value
    return old


def read(entry):
    return states.read(entry, KEY, TODAY)


def written(bookmark, covered, entry=None):
    entry = {} if entry is None else entry
    states.write(entry, KEY, bookmark, covered)
    return json.loads(json.dumps(entry))


@pytest.mark.parametrize("covered", [None, START])
def test_comes_back_as_it_was_written(covered):
    assert read(written(WHEN, covered)) == Stored(WHEN, covered)


def test_a_state_of_0_1_0_is_read_and_one_for_it_is_written():
    assert read(OF_0_1_0) == Stored(WHEN)
    assert written(WHEN, START).items() >= OF_0_1_0.items()
    # It took a null for none.
    assert written(None, None)["replication_key_value"] is None


@pytest.mark.parametrize(
    "old", [OF_0_1_0, written("2023-01-01", START), written(None, START)]
)
def test_from_the_start_survives_merging(old):
    merged = merge({"patients": written(None, None)}, {"patients": dict(old)})
    assert read(merged["patients"]) == Stored()


steps = st.tuples(
    st.sampled_from([None, WHEN, "2024-05-01"]), st.sampled_from([None, START, TODAY])
)


@given(st.lists(steps, min_size=1))
def test_the_last_of_many_merged_states_holds(steps):
    merged = {"patients": dict(OF_0_1_0)}
    for bookmark, covered in steps:
        merge({"patients": written(bookmark, covered)}, merged)
    expected = Stored(bookmark, covered) if bookmark else Stored()
    assert read(merged["patients"]) == expected


def test_a_shortage_of_another_run_does_not_survive_a_full_refresh():
    old = {"patients": {**OF_0_1_0, "shortage": 5}}
    merged = merge({"patients": written(None, None)}, old)
    assert merged["patients"]["shortage"] is None


def test_a_shortage_is_kept_until_it_is_settled():
    assert written(WHEN, START, {"shortage": 5})["shortage"] == 5


def test_no_note_is_an_object():
    """Meltano fails where it merges one over a null."""
    assert not [one for one in written(WHEN, START).values() if isinstance(one, dict)]


def test_what_other_taps_wrote_is_written_as_null_once_it_was_told():
    entry = {"partitions": [{"context": {}}], "progress_markers": {"a": 1}}
    assert list(states.warnings({"bookmarks": {"patients": entry}}, ["patients"]))
    entry = written(WHEN, START, entry)
    assert (entry["partitions"], entry["progress_markers"]) == (None, None)
    assert not list(states.warnings({"bookmarks": {"patients": entry}}, ["patients"]))


def told(state):
    return list(states.warnings(state, ["patients", "doctors"]))


@pytest.mark.parametrize(
    "entry",
    [
        {},
        written(None, None),
        written(WHEN, START),
        OF_0_1_0,
        {**OF_0_1_0, "updated_at": WHEN},
        {"replication_key_signpost": WHEN, "starting_replication_value": WHEN},
        {"read_at": WHEN, "pages": 3, "shortage": 2},
        {"updated_at": None},
    ],
)
def test_what_this_tap_writes_is_not_told(entry):
    assert not told({"bookmarks": {"patients": entry}})


@pytest.mark.parametrize("value", [WHEN, 1_700_000_000, {"id": 7}])
def test_a_bookmark_under_another_name_is_told_and_written_as_null(value):
    state = {"bookmarks": {"patients": {"updated_at": value}, "doctors": {}}}
    (line,) = told(state)
    assert "bookmarks of patients in another tap's form" in line
    kept = states.entries(state)
    assert kept["patients"] == {"updated_at": None}
    assert not told({"bookmarks": kept})


def test_what_stands_beside_bookmarks_as_well_as_below_counts_below():
    state = {"patients": OF_0_1_0, "bookmarks": {"patients": OF_0_1_0}}
    assert not told(state)


@pytest.mark.parametrize(
    "entry",
    [
        {"replication_key_value": "junk"},
        {"replication_key_value": 5},
        {"replication_key_value": "2999-01-01"},
        {"replication_key": "created_at", "replication_key_value": WHEN},
    ],
)
def test_junk_is_no_bookmark(entry):
    assert read(entry) == Stored(is_usable=False)


@pytest.mark.parametrize("note", ["junk", 5, [], {"a": 1}, "2024-02-30"])
def test_a_note_that_is_junk_counts_as_none(note):
    assert read({**OF_0_1_0, "covered_from": note}) == Stored(WHEN)
