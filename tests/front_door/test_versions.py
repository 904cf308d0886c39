"""ACTIVATE_VERSION drops rows at a target, so it must follow a stream read whole."""

from __future__ import annotations

import json

import pytest
from comparison import source
from drchrono_sandbox import REFRESH_TOKEN, Practice, Settings, serve
from offline import offline
from process import only

NEVER = 3600.0
ON = {"emit_activate_version_messages": True}


def whole(catalog, *streams):
    """A catalog that reads these streams whole."""
    catalog = json.loads(json.dumps(only(catalog, streams)))
    for entry in catalog["streams"]:
        entry["replication_method"] = "FULL_TABLE"
    return catalog


def kinds(target, stream):
    """The types of the messages from a stream's SCHEMA on, without repetitions."""
    found = []
    for message in target.messages:
        kind = message["type"]
        if message.get("stream", stream) == stream and found[-1:] != [kind]:
            found.append(kind)
    return found[found.index("SCHEMA") :]


@pytest.fixture
def practice():
    return Practice.generate(records=40, seed=21)


class TestActivateVersion:
    def test_follows_the_last_record_and_a_state_follows_it(
        self, make_tap, catalog, practice
    ):
        with offline(practice=practice) as served:
            tap = make_tap(served, page_size=15, **ON)
            target = tap.run(catalog=whole(catalog, "patients")).good()
            raw = source(served.api, "patients")
        order = kinds(target, "patients")
        assert order[0] == "SCHEMA"
        assert order[-2:] == ["ACTIVATE_VERSION", "STATE"]
        assert "RECORD" not in order[order.index("ACTIVATE_VERSION") :]
        (message,) = target.of_type("ACTIVATE_VERSION")
        records = target.of_type("RECORD")
        assert len(records) == len(raw)
        assert {record["version"] for record in records} == {message["version"]}
        assert message["version"] < 2**31

    @pytest.mark.parametrize(
        ("fault", "records"),
        [
            ({"kind": "403", "method": "POST"}, 0),
            ({"kind": "400", "method": "POST", "page": 2}, 15),
        ],
        ids=["refused", "failed on its way"],
    )
    def test_does_not_come_where_a_stream_fails(
        self, make_tap, catalog, practice, fault, records
    ):
        faults = [{**fault, "endpoint": "patients", "times": None}]
        with offline(practice=practice, faults=faults) as served:
            tap = make_tap(served, page_size=15, **ON)
            chosen = whole(catalog, "patients", "transactions")
            ended = tap.run(catalog=chosen)
        assert ended.status == 1
        target = ended.target()
        assert target.emitted["patients"] == records
        assert set(target.versions) == {"transactions"}

    def test_does_not_come_after_a_signal(self, make_tap, catalog, practice):
        slow = Settings(list_times={"patients": (0, 0, NEVER)})
        with serve(slow, practice=practice) as served:
            tap = make_tap(served, page_size=15, **ON)
            verbose = {"TAP_DRCHRONO_LOGLEVEL": "DEBUG"}
            with tap.start(catalog=whole(catalog, "patients"), env=verbose) as running:
                running.wait_for_log("page 2 is out")
                target = running.terminate().target()
        assert target.emitted["patients"] >= 15
        assert not target.versions
        assert target.messages[-1]["type"] == "STATE"

    def test_does_not_come_where_nothing_came(self, make_tap, catalog):
        with offline(practice=Practice.of({})) as served:
            tap = make_tap(served, **ON)
            target = tap.run(catalog=whole(catalog, "patients")).good()
        assert not target.versions

    @pytest.mark.parametrize("lacking", ["", "clinical:read"])
    def test_does_not_come_where_a_scope_is_lacking(
        self, make_tap, catalog, practice, tmp_path, lacking
    ):
        """Some of the records may be left out, and would be dropped."""
        kept = tmp_path / "pair.json"
        with offline(practice=practice) as served:
            app = served.api.settings.apps[0]
            tap = make_tap(
                served,
                access_token=None,
                client_id=app.client_id,
                client_secret=app.client_secret,
                refresh_token=REFRESH_TOKEN,
                credentials_path=str(kept),
                **ON,
            )
            chosen = whole(catalog, "appointments", "patients")
            tap.run(catalog=chosen).good()
            known = json.loads(kept.read_text("utf-8"))
            pair = known["grants"][0]["pair"]
            pair["scope"] = " ".join({*pair["scope"].split()} - {lacking})
            kept.write_text(json.dumps(known), "utf-8")
            target = tap.run(catalog=chosen).good()
        assert target.rows("appointments")
        assert ("appointments" in target.versions) == (not lacking)
        assert "patients" in target.versions

    def test_comes_for_each_name_that_rows_went_out_under(
        self, make_tap, catalog, practice
    ):
        maps = {
            "patients": {"__alias__": "people"},
            "copies": {"__source__": "patients", "id": "id"},
            "none_of_them": {"__source__": "patients", "__filter__": "id < 0"},
        }
        with offline(practice=practice) as served:
            tap = make_tap(served, stream_maps=maps, **ON)
            target = tap.run(catalog=whole(catalog, "patients")).good()
        assert set(target.versions) == {"people", "copies"}

    def test_batches_carry_no_version_so_both_are_refused(
        self, make_tap, catalog, practice, tmp_path
    ):
        batches = {
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": tmp_path.as_uri()},
        }
        with offline(practice=practice) as served:
            tap = make_tap(served, batch_config=batches, **ON)
            ended = tap.run(catalog=whole(catalog, "patients"))
            assert not served.api.log
        assert ended.status == 1
        assert not ended.output
        assert "batch_config: cannot be combined with emit_act" in ended.log
        assert ended.log.count("| ERROR") == 1


class TestTheLastState:
    """Some targets keep only what comes last."""

    @pytest.mark.parametrize("method", ["FULL_TABLE", "INCREMENTAL"])
    @pytest.mark.parametrize(
        "fault",
        [
            None,
            {"kind": "400", "method": "POST", "page": 2},
            {"kind": "401", "method": "POST", "page": 2},
            {"kind": "500", "method": "POST", "page": 2},
        ],
        ids=["good", "stream fails", "credentials fail", "host fails"],
    )
    def test_follows_the_last_record(self, make_tap, catalog, practice, method, fault):
        chosen = only(catalog, ["patients"])
        if method == "FULL_TABLE":
            chosen = whole(catalog, "patients")
        faults = [{**fault, "endpoint": "patients", "times": None}] if fault else []
        with offline(practice=practice, faults=faults) as served:
            target = make_tap(served, page_size=15).run(catalog=chosen).target()
        assert target.emitted["patients"] >= 15
        assert target.messages[-1]["type"] == "STATE"

    def test_follows_it_also_if_equal_to_the_one_before(
        self, make_tap, catalog, practice
    ):
        with offline(practice=practice) as served:
            tap = make_tap(served, page_size=15)
            chosen = only(catalog, ["patients"])
            state = tap.run(catalog=chosen).good().state
            target = tap.run(catalog=chosen, state=state).good()
        assert target.emitted["patients"] > 0
        assert target.messages[-1] == {"type": "STATE", "value": state}
