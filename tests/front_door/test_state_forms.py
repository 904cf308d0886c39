"""States of other shapes, and start dates that move: told once, and read on."""

from __future__ import annotations

import json

import pytest
from comparison import assert_equal, source
from drchrono_sandbox import Practice, Settings
from offline import offline
from process import only
from test_states import OF_0_1_0, merge

PARTITIONED = {"partitions": [{"context": {"office": 1}, **OF_0_1_0}]}
MARKED = {"progress_markers": OF_0_1_0}


@pytest.fixture
def practice():
    return Practice.generate(records=40, seed=23)


@pytest.fixture
def patients(catalog):
    return only(catalog, ["patients"])


def warnings(ended):
    return [line for line in ended.log.splitlines() if "| WARNING" in line]


def since(served):
    return {e.since for e in served.api.log if e.method == "POST"}


@pytest.mark.parametrize(
    ("state", "warning", "day"),
    [
        ({"patients": OF_0_1_0}, "patients beside bookmarks", "1970-01-01"),
        ({"patients": "2024-05-06"}, "patients beside bookmarks", "1970-01-01"),
        (
            {"type": "STATE", "value": {"bookmarks": {"patients": OF_0_1_0}}},
            "a whole STATE message",
            "1970-01-01",
        ),
        (
            {"bookmarks": {"patients": {"updated_at": "2024-05-06"}}},
            "bookmarks of patients in another tap's form",
            "1970-01-01",
        ),
        ({"singer_state": {}}, "cannot be read", "1970-01-01"),
        ({"bookmarks": {"patients": PARTITIONED}}, "partitions of patients", "1970"),
        ({"bookmarks": {"patients": MARKED}}, "progress_markers of patients", "1970"),
        (
            {"bookmarks": {"patients": {**MARKED, **OF_0_1_0}}},
            "progress_markers of patients",
            "2024-05-0",
        ),
    ],
)
def test_one_warning_says_what_to_do(make_tap, practice, patients, state, warning, day):
    with offline(practice=practice) as served:
        tap = make_tap(served)
        ended = tap.run(catalog=patients, state=state)
        target = ended.good()
        assert all(one.startswith(day) for one in since(served))
        (line,) = warnings(ended)
        assert warning in line
        assert "2024" not in line
        assert "docs/incremental.md" in line or "Give the tap" in line
        again = tap.run(catalog=patients, state=target.state)
        again.good()
    assert not warnings(again)


class TestFromTheStart:
    """A full refresh that fails is one until it is finished, also under Meltano."""

    def test_is_written_where_nothing_was_read(self, make_tap, practice, catalog):
        """Also of a stream whose turn never came."""
        streams = ("patients", "transactions")
        faults = [{"kind": "401", "method": "POST", "times": None}]
        with offline(practice=practice, faults=faults) as served:
            target = make_tap(served).run(catalog=only(catalog, streams)).target()
        old = {"bookmarks": {stream: dict(OF_0_1_0) for stream in streams}}
        merged = merge(target.state, old)["bookmarks"]
        assert [merged[stream]["replication_key_value"] for stream in streams] == [
            None,
            None,
        ]

    def test_is_written_before_the_first_record(self, make_tap, practice, patients):
        """So that it holds as well for a run that is killed at its first page."""
        with offline(practice=practice) as served:
            target = make_tap(served).run(catalog=patients).good()
        kinds = [message["type"] for message in target.messages]
        first = kinds.index("STATE")
        assert first < kinds.index("RECORD")
        old = {"bookmarks": {"patients": dict(OF_0_1_0)}}
        merged = merge(target.messages[first]["value"], old)["bookmarks"]
        assert merged["patients"]["replication_key_value"] is None

    def test_is_read_on_from_there(self, make_tap, practice, patients):
        unsorted = Settings(ignore_order_by=True)
        faults = [{"kind": "400", "method": "POST", "page": 2, "times": None}]
        with offline(unsorted, practice=practice, faults=faults) as served:
            tap = make_tap(served, page_size=15)
            failed = tap.run(catalog=patients)
            assert failed.status == 1
            copy = failed.target()
            assert copy.emitted["patients"] > 0
            merged = merge(copy.state, {"bookmarks": {"patients": dict(OF_0_1_0)}})
            served.api.set_faults([])
            served.api.log.clear()
            tap.run(catalog=patients, state=merged).good(copy)
            assert since(served) == {"1970-01-01"}
            assert_equal(copy, "patients", source(served.api, "patients"))

    def test_a_reference_list_is_not_taken_for_fresh(self, make_tap, practice, catalog):
        """Its note of an earlier read must not survive a refresh that fails."""
        chosen = only(catalog, ["doctors"])
        faults = [{"kind": "500", "endpoint": "doctors", "times": None}]
        with offline(practice=practice) as served:
            tap = make_tap(served)
            before = tap.run(catalog=chosen).good()
            served.api.set_faults(faults)
            failed = tap.run(catalog=chosen)
            assert failed.status == 1
            merged = merge(failed.target().state, before.state)
            served.api.set_faults([])
            target = tap.run(catalog=chosen, state=merged).good()
        assert target.rows("doctors")


class TestStartDate:
    WARNING = "start_date lies before what the state covers of patients"

    @pytest.mark.parametrize(
        ("then", "now", "told"),
        [
            ("2024-03-01", "2024-03-01", False),
            ("2024-03-01", "2024-04-01", False),
            ("2024-03-01", "2024-02-29T23:00:00Z", True),
            ("2024-03-01", None, True),
            (None, "2024-03-01", False),
            (None, None, False),
        ],
    )
    def test_that_moved_before_what_was_read_is_told_until_it_was_read(
        self, make_tap, practice, patients, then, now, told
    ):
        with offline(practice=practice) as served:
            tap = make_tap(served)
            first = tap.with_settings(start_date=then).run(catalog=patients).good()
            state = first.state
            for _ in range(2):
                ended = tap.with_settings(start_date=now).run(
                    catalog=patients, state=state
                )
                state = ended.good().state
                assert [self.WARNING in line for line in warnings(ended)] == [
                    True
                ] * told
            fresh = tap.with_settings(start_date=now).run(catalog=patients).good()
            merged = merge(fresh.state, state)
            ended = tap.with_settings(start_date=now).run(
                catalog=patients, state=merged
            )
        assert not warnings(ended)

    def test_is_not_told_of_lists_that_it_does_not_bound(self, make_tap, practice):
        """Those without `since` are read whole, whatever it says."""
        with offline(practice=practice) as served:
            tap = make_tap(served, extra_streams="eobs")
            discovered = json.loads(tap.run("--discover").output)
            chosen = only(discovered, ["eobs", "doctors"])
            later = tap.with_settings(start_date="2024-03-01")
            state = later.run(catalog=chosen).good().state
            ended = tap.run(catalog=chosen, state=state)
        ended.good()
        assert not warnings(ended)

    def test_is_not_told_where_a_state_of_0_1_0_does_not_say(
        self, make_tap, practice, patients
    ):
        state = {"bookmarks": {"patients": OF_0_1_0}}
        with offline(practice=practice) as served:
            tap = make_tap(served, start_date="2020-01-01")
            ended = tap.run(catalog=patients, state=state)
        ended.good()
        assert not warnings(ended)
