"""Catalogs, stream maps and flattening are respected; `_extra` never leaks."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from comparison import assert_equal, extra_of, source
from drchrono_sandbox import STREAMS, Practice, Settings
from log_lines import errors_in, warnings_in
from offline import offline
from process import only, select

FULL = "FULL_TABLE"
BEFORE = {
    "bookmarks": {
        "patients": {
            "replication_key": "updated_at",
            "replication_key_value": "2025-05-05T00:00:00",
        }
    }
}


def entry_of(catalog, stream):
    catalog = json.loads(json.dumps(catalog))
    (entry,) = (e for e in catalog["streams"] if e["tap_stream_id"] == stream)
    (root,) = (m for m in entry["metadata"] if not m["breadcrumb"])
    return catalog, entry, root["metadata"]


def posts(api, stream="patients"):
    return [e for e in api.log if e.method == "POST" and e.endpoint == stream]


@pytest.fixture(scope="module")
def served():
    with offline(practice=Practice.generate(records=30, seed=11)) as served:
        yield served


@pytest.fixture
def tap(make_tap, served):
    served.api.log.clear()
    return make_tap(served)


@pytest.fixture
def patients(catalog):
    return only(catalog, ["patients"])


class TestReplicationMethod:
    @pytest.mark.parametrize(
        "where", ["replication-method", "forced-replication-method", "stream"]
    )
    def test_full_table(self, tap, served, patients, where):
        catalog, entry, root = entry_of(patients, "patients")
        if where == "stream":
            entry["replication_method"] = FULL
        else:
            entry.pop("replication_method")
            root[where] = FULL
        tap = tap.with_settings(start_date="2024-02-02")
        target = tap.run(catalog=catalog, state=BEFORE).good()
        assert {post.since for post in posts(served.api)} == {"2024-02-02"}
        assert all(
            "replication_key_value" not in state["bookmarks"].get("patients", {})
            or state == BEFORE
            for state in target.states
        )
        raw = source(served.api, "patients")
        wanted = [record for record in raw if record["updated_at"] >= "2024-02-02"]
        assert_equal(target, "patients", wanted)
        assert not target.versions

    def test_full_table_in_versions(self, tap, served, patients):
        catalog, entry, _ = entry_of(patients, "patients")
        entry["replication_method"] = FULL
        tap = tap.with_settings(emit_activate_version_messages=True)
        target = tap.run(catalog=catalog).good()
        version = target.versions["patients"]
        records = target.of_type("RECORD")
        assert {record["version"] for record in records} == {version}
        assert len(records) == len(source(served.api, "patients"))

    def test_versions_do_not_concern_incremental_streams(self, tap, patients):
        tap = tap.with_settings(emit_activate_version_messages=True)
        target = tap.run(catalog=patients).good()
        assert not target.versions
        assert target.bookmark("patients")

    def test_without_a_replication_key_a_stream_stays_incremental(
        self, tap, served, patients
    ):
        catalog, entry, root = entry_of(patients, "patients")
        for name in ("replication_key", "replication_method"):
            entry.pop(name, None)
        for name in ("valid-replication-keys", "replication-key"):
            root.pop(name, None)
        target = tap.run(catalog=catalog, state=BEFORE).good()
        assert {post.since for post in posts(served.api)} == {"2025-05-03"}
        assert target.bookmark("patients") > "2025-05-05"


class TestOldCatalogs:
    def test_columns_and_types_are_todays(self, tap, served, catalog):
        old, entry, _ = entry_of(only(catalog, ["line_items"]), "line_items")
        properties = entry["schema"]["properties"]
        properties["price"] = {"type": ["string", "null"]}
        properties["id"] = {"type": ["string", "null"]}
        properties["gone"] = {"type": ["string", "null"]}
        del properties["_extra"], properties["balance_total"]
        entry["key_properties"] = ["gone"]
        entry["metadata"] = [
            item
            for item in entry["metadata"]
            if item["breadcrumb"][1:] not in (["_extra"], ["balance_total"])
        ]
        target = tap.run(catalog=old).good()
        assert target.keys["line_items"] == ["id"]
        assert_equal(target, "line_items", source(served.api, "line_items"))
        assert "gone" not in target.schemas["line_items"]["properties"]

    def test_streams_that_it_does_not_name_are_not_read(self, tap, served, catalog):
        old = {"streams": [e for e in catalog["streams"] if e["stream"] == "patients"]}
        target = tap.run(catalog=old).good()
        assert set(target.schemas) == {"patients"}
        assert {entry.endpoint for entry in served.api.log} == {"patients"}

    def test_streams_that_the_tap_does_not_know_are_left_out(self, tap, catalog):
        old, entry, _ = entry_of(only(catalog, ["patients"]), "patients")
        other = json.loads(json.dumps(entry))
        other |= {"tap_stream_id": "other", "stream": "other"}
        old["streams"].append(other)
        ended = tap.run(catalog=old)
        assert set(ended.good().schemas) == {"patients"}
        assert warnings_in(ended.log) == [
            "catalog: there is no stream other. It is left out."
        ]

    def test_streams_that_it_deselects_are_nobodys_business(self, tap, catalog):
        old, entry, _ = entry_of(only(catalog, ["patients"]), "patients")
        other = json.loads(json.dumps(entry)) | {"tap_stream_id": "other"}
        old["streams"].append(other)
        old = select(old, {("other",): False})
        assert not warnings_in(tap.run(catalog=old).log)

    def test_a_stream_that_is_not_offered_is_named_with_the_setting(self, tap, catalog):
        old, entry, _ = entry_of(only(catalog, ["patients"]), "patients")
        old["streams"].append({**entry, "tap_stream_id": "tasks", "stream": "tasks"})
        ended = tap.run(catalog=old)
        assert set(ended.good().schemas) == {"patients"}
        (said,) = warnings_in(ended.log)
        assert said == (
            "catalog: the stream tasks is selected and not offered. Name it in "
            "extra_streams to read it."
        )


class TestSelection:
    def test_deselected_streams_cost_nothing(self, tap, served, catalog):
        chosen = only(catalog, ["transactions", "clinical_notes"])
        target = tap.run(catalog=chosen).good()
        assert set(target.schemas) == {"transactions", "clinical_notes"}
        assert {entry.endpoint for entry in served.api.log} == set(target.schemas)
        assert set(target.state["bookmarks"]) <= set(STREAMS)

    def test_nothing_selected(self, tap, served, catalog):
        for option in ((), ("--test",), ("--plan",)):
            ended = tap.run(*option, catalog=only(catalog, []))
            assert ended.status == 1
            (said,) = errors_in(ended.log)
            assert said.startswith("catalog: no stream is selected")
            assert not ended.output
        assert not served.api.log

    def test_fields_and_fields_within(self, tap, served, catalog):
        chosen = select(
            only(catalog, ["patients", "appointments"]),
            {
                ("patients", "social_security_number"): False,
                ("patients", "primary_insurance", "insurance_id_number"): False,
                ("patients", "updated_at"): False,
                ("patients", "id"): False,
                ("appointments", "vitals"): False,
                ("appointments", "reminders", "scheduled_time"): False,
            },
        )
        target = tap.run(catalog=chosen).good()
        for row in target.rows("patients"):
            assert "social_security_number" not in row
            # Key and replication key cannot be deselected.
            assert {"id", "updated_at"} <= set(row)
            insurance = row["primary_insurance"]
            assert insurance is None or "insurance_id_number" not in insurance
        properties = target.schemas["patients"]["properties"]
        assert "social_security_number" not in properties
        within = properties["primary_insurance"]["properties"]
        assert "insurance_id_number" not in within
        assert "insurance_company" in within
        reminders = 0
        for row in target.rows("appointments"):
            assert "vitals" not in row
            for reminder in row["reminders"] or ():
                reminders += 1
                assert "scheduled_time" not in reminder
                assert "type" in reminder
        assert reminders
        raw = source(served.api, "patients")
        highest = max(record["updated_at"] for record in raw)
        assert target.bookmark("patients") == highest


ODD = {
    "patients": [
        {
            "id": 1,
            "updated_at": "2024-01-01T00:00:00",
            "social_security_number": {"number": "SECRET-1"},
            "date_of_birth": "SECRET-2",
            "primary_insurance": {
                "insurance_id_number": ["SECRET-3"],
                "new": "SECRET-4",
            },
            "brand_new": "SECRET-5",
            "first_name": "Ada",
        }
    ]
}


class TestExtra:
    @pytest.fixture
    def odd(self, make_tap):
        with offline(practice=Practice.of(ODD)) as served:
            yield make_tap(served)

    def found(self, ended):
        ended.good()
        assert "SECRET" not in ended.log
        return set(re.findall(r"SECRET-(\d)", ended.text))

    def test_holds_all_that_has_no_column(self, odd, patients):
        ended = odd.run(catalog=patients)
        (row,) = ended.good().rows("patients")
        assert extra_of(row) == {
            "social_security_number": {"number": "SECRET-1"},
            "date_of_birth": "SECRET-2",
            "primary_insurance.insurance_id_number": ["SECRET-3"],
            "primary_insurance.new": "SECRET-4",
            "brand_new": "SECRET-5",
        }
        assert self.found(ended) == {"1", "2", "3", "4", "5"}

    def test_holds_no_deselected_field(self, odd, patients):
        chosen = select(
            patients,
            {
                ("patients", "social_security_number"): False,
                ("patients", "date_of_birth"): False,
                ("patients", "primary_insurance", "insurance_id_number"): False,
                ("patients", "brand_new"): False,
            },
        )
        assert self.found(odd.run(catalog=chosen)) == {"4"}

    def test_holds_nothing_of_a_deselected_object(self, odd, patients):
        chosen = select(patients, {("patients", "primary_insurance"): False})
        assert self.found(odd.run(catalog=chosen)) == {"1", "2", "5"}

    def test_can_be_deselected_itself(self, odd, patients):
        ended = odd.run(catalog=select(patients, {("patients", "_extra"): False}))
        assert self.found(ended) == set()
        assert "_extra" not in ended.good().schemas["patients"]["properties"]
        assert "left out" in ended.log

    @pytest.mark.parametrize("stream", ["patients", "pat*", "*"])
    def test_holds_no_field_that_a_stream_map_touches(self, odd, patients, stream):
        maps = {
            stream: {
                "social_security_number": "'masked'",
                "date_of_birth": None,
                "primary_insurance": "__NULL__",
            }
        }
        ended = odd.with_settings(stream_maps=maps).run(catalog=patients)
        assert self.found(ended) == {"5"}

    def test_holds_no_field_that_a_second_copy_maps(self, odd, patients):
        maps = {
            "people": {"__source__": "patients", "social_security_number": "'masked'"}
        }
        ended = odd.with_settings(stream_maps=maps).run(catalog=patients)
        assert "1" not in self.found(ended)
        assert {"patients", "people"} == set(ended.good().tables)

    def test_is_dropped_with_all_else(self, odd, patients):
        maps = {"patients": {"id": "id", "first_name": "first_name", "__else__": None}}
        ended = odd.with_settings(stream_maps=maps).run(catalog=patients)
        assert self.found(ended) == set()
        assert ended.good().rows("patients") == [{"id": 1, "first_name": "Ada"}]


class TestStreamMaps:
    def test_rename_filter_and_compute(self, tap, served, catalog):
        maps = {
            "patients": {
                "__alias__": "people",
                "__filter__": "patient_status == 'A'",
                "full_name": "first_name + ' ' + last_name",
                "email_hash": "md5(email) if email else None",
                "email": None,
            },
            "transactions": "__NULL__",
        }
        chosen = only(catalog, ["patients", "transactions"])
        ended = tap.with_settings(stream_maps=maps).run(catalog=chosen)
        target = ended.good()
        assert set(target.tables) == {"people"}
        raw = {
            record["id"]: record
            for record in source(served.api, "patients")
            if record["patient_status"] == "A"
        }
        rows = {row["id"]: row for row in target.rows("people")}
        assert rows.keys() == raw.keys()
        assert len(raw) < 30
        for key, row in rows.items():
            names = raw[key]["first_name"], raw[key]["last_name"]
            assert row["full_name"] == " ".join(names)
            assert "email" not in row
        # Records that are filtered out still count for the bookmark.
        highest = max(r["updated_at"] for r in source(served.api, "patients"))
        assert target.bookmark("patients") == highest

    def test_one_that_fails_on_a_record_is_named_without_the_record(
        self, tap, served, patients
    ):
        maps = {"patients": {"number": "int(first_name)"}}
        ended = tap.with_settings(stream_maps=maps).run(catalog=patients)
        assert ended.status == 1
        assert "he stream map for patients fails on a record" in ended.log
        assert "Traceback" not in ended.log
        ended.target()
        names = {record["first_name"] for record in source(served.api, "patients")}
        assert not [name for name in names if name in ended.log]

    def test_one_that_fails_costs_its_stream_alone_in_batches_too(
        self, tap, served, catalog, tmp_path
    ):
        batches = {
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": tmp_path.as_uri()},
        }
        maps = {"patients": {"number": "int(first_name)"}}
        chosen = only(catalog, ["appointments", "patients", "line_items"])
        tap = tap.with_settings(stream_maps=maps, batch_config=batches)
        ended = tap.run(catalog=chosen)
        assert ended.status == 1
        target = ended.target()
        for stream in ("appointments", "line_items"):
            assert_equal(target, stream, source(served.api, stream))
        assert not target.rows("patients")


def test_flattening(tap, served, catalog):
    flat = {"flattening_enabled": True, "flattening_max_depth": 2}
    chosen = only(catalog, ["patients", "appointments"])
    target = tap.with_settings(**flat).run(catalog=chosen).good()
    for stream in ("patients", "appointments"):
        assert len(target.rows(stream)) == len(source(served.api, stream))
        for schema in target.schemas[stream]["properties"].values():
            assert "properties" not in schema
    raw = {record["id"]: record for record in source(served.api, "patients")}
    insured = 0
    for row in target.rows("patients"):
        insurance = raw[row["id"]]["primary_insurance"]
        if insurance:
            insured += 1
            company = insurance["insurance_company"]
            assert row["primary_insurance__insurance_company"] == company
    assert insured


@pytest.mark.parametrize("depth", [0, 1, 5])
def test_flattening_keeps_extra_in_a_column_of_the_schema(make_tap, patients, depth):
    flat = {"flattening_enabled": True, "flattening_max_depth": depth}
    with offline(practice=Practice.of(ODD)) as served:
        ended = make_tap(served, **flat).run(catalog=patients)
    (row,) = ended.good().rows("patients")
    kept = extra_of(row)
    assert kept["brand_new"] == "SECRET-5"
    assert kept["social_security_number"] == {"number": "SECRET-1"}


def test_flattening_with_odd_values(make_tap):
    flat = {"flattening_enabled": True, "flattening_max_depth": 3}
    odd = Settings(odd=0.5)
    with offline(odd, practice=Practice.generate(records=40, seed=12)) as served:
        target = make_tap(served, **flat).run().good()
        for stream in STREAMS:
            assert len(target.rows(stream)) == len(served.api.records(stream))
    today = dt.datetime.now(dt.UTC).date()
    assert target.bookmark("patients") <= str(today + dt.timedelta(days=1))
