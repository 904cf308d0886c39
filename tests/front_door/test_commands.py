"""The command line: what works without settings, --test and --plan."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter

import pytest
from drchrono_sandbox import REFRESH_TOKEN, STREAMS, Fault, Practice, Settings, serve
from offline import OfflineTap, offline
from process import TAP, Tap, only

from tap_drchrono.settings import SETTINGS
from tap_drchrono.tap import TapDrchrono


@pytest.fixture
def bare(tmp_path):
    """A tap without any settings."""
    return Tap(tmp_path)


class TestWithoutSettings:
    def test_version(self, bare):
        ended = bare.run("--version", config=False)
        assert ended.status == 0
        assert ended.text.startswith("tap-drchrono v")

    def test_help(self, bare):
        ended = bare.run("--help", config=False)
        assert ended.status == 0
        for option in ("--config", "--catalog", "--state", "--test", "--plan"):
            assert option in ended.text

    @pytest.mark.parametrize("form", [None, "json", "markdown"])
    def test_about(self, bare, form):
        args = ["--about"] if form is None else ["--about", "--format", form]
        ended = bare.run(*args, config=False)
        assert ended.status == 0, ended.log
        for name in SETTINGS["properties"]:
            assert name in ended.text
        if form == "json":
            about = json.loads(ended.text)
            assert {"batch", "catalog", "discover", "state"} <= {*about["capabilities"]}
            for name, setting in SETTINGS["properties"].items():
                told = about["settings"]["properties"][name]
                assert told["title"]
                assert told["description"] == setting["description"]

    def test_discover(self, catalog):
        entries = {entry["tap_stream_id"]: entry for entry in catalog["streams"]}
        assert set(STREAMS) < set(entries)
        assert len(entries) == 8 + 11 + 2
        keys = {
            "clinical_notes": "appointment",
            "line_item_deletions": "billing_line_item_id",
        }
        for name, entry in entries.items():
            key = keys.get(name, "id")
            assert entry["key_properties"] == [key]
            if name in {*STREAMS, "patient_payments"}:
                assert entry["replication_key"] == "updated_at"
                assert entry["replication_method"] == "INCREMENTAL"
            assert "_extra" in entry["schema"]["properties"]
            (root,) = (m for m in entry["metadata"] if not m["breadcrumb"])
            assert root["metadata"]["selected"] is True
            inclusions = {
                tuple(m["breadcrumb"]): m["metadata"]["inclusion"]
                for m in entry["metadata"]
            }
            assert inclusions["properties", key] == "automatic"

    def test_discovery_ignores_settings_that_cannot_be_used(self, tmp_path):
        ended = Tap(tmp_path, page_size="many", nonsense=1).run("--discover")
        assert ended.status == 0
        assert len(json.loads(ended.text)["streams"]) == 21

    def test_the_program_is_where_tests_look_for_it(self):
        assert TAP.exists()
        assert TapDrchrono.name == TAP.name


def requests_by_stream(api):
    return Counter((entry.method, entry.endpoint) for entry in api.log)


class TestTest:
    def test_all_is_well(self, make_tap):
        with serve(practice=Practice.generate(records=3)) as served:
            ended = make_tap(served).run("--test")
            asked = requests_by_stream(served.api)
        assert ended.status == 0, ended.log
        for stream in STREAMS:
            assert f"good    {stream}" in ended.text
            assert sum(n for (_, name), n in asked.items() if name == stream) <= 2
        assert "Credentials and connection are good" in ended.text
        assert "RECORD" not in ended.text

    def test_only_selected_streams_are_tested(self, make_tap, catalog):
        with offline(practice=Practice.generate(records=3)) as served:
            chosen = only(catalog, ["patients"])
            ended = make_tap(served).run("--test", catalog=chosen)
            assert {e.endpoint for e in served.api.log} == {"patients"}
        assert ended.status == 0
        assert "transactions" not in ended.text

    def test_a_missing_permission(self, make_tap):
        denied = Settings(denied_streams=("line_items",))
        with offline(denied, practice=Practice.generate(records=3)) as served:
            ended = make_tap(served).run("--test")
        assert ended.status == 1
        assert "FAILED  line_items: " in ended.text
        assert ended.text.count("FAILED") == 1
        assert "permission" in ended.text
        assert "billing:read" in ended.text
        assert "Traceback" not in ended.log

    def test_a_missing_scope(self, tmp_path):
        narrow = Settings(granted_scope="patients:read clinical:read calendar:read")
        with offline(narrow, practice=Practice.generate(records=3)) as served:
            tap = OfflineTap(
                tmp_path,
                served,
                api_url=served.url,
                client_id="sandbox-client",
                client_secret="sandbox-secret",
                refresh_token=REFRESH_TOKEN,
                credentials_path=str(tmp_path / "credentials.json"),
            )
            ended = tap.run("--test")
        assert ended.status == 1
        assert (
            "FAILED  line_items: the authorization lacks the scopes billing:read"
            in (ended.text)
        )
        assert "good    patients" in ended.text
        assert max(map(len, ended.text.splitlines())) <= 80

    def test_a_bad_token(self, make_tap):
        with offline(practice=Practice.generate(records=3)) as served:
            ended = (
                make_tap(served).with_settings(access_token="wrong-one").run("--test")
            )
        assert ended.status == 1
        assert "access_token" in ended.log
        assert "wrong-one" not in ended.log + ended.text
        assert "Traceback" not in ended.log

    def test_schemas_only(self, make_tap):
        with offline(practice=Practice.generate(records=3)) as served:
            ended = make_tap(served).run("--test=schema")
            assert not served.api.log
        assert ended.status == 0
        kinds = [json.loads(line)["type"] for line in ended.text.splitlines()]
        assert kinds == ["SCHEMA"] * 21


class TestPlan:
    COUNTS = dict.fromkeys(STREAMS, 7) | {"line_items": 2500, "patients": 0}

    @pytest.fixture
    def served(self):
        practice = Practice.generate(records=0, counts=self.COUNTS)
        with offline(practice=practice) as served:
            yield served

    def test_as_json(self, make_tap, catalog):
        practice = Practice.generate(records=0, counts=self.COUNTS)
        with serve(practice=practice) as served:
            ended = make_tap(served).run(
                "--plan", "--format", "json", catalog=only(catalog, STREAMS)
            )
        assert ended.status == 0, ended.log
        plan = json.loads(ended.text)
        sizes = {size["stream"]: size for size in plan["streams"]}
        counts = {name: served.api.counts()[name] for name in STREAMS}
        assert {name: size["records"] for name, size in sizes.items()} == counts
        assert sizes["line_items"]["pages"] >= 3
        assert sizes["patients"]["pages"] == 1
        assert all(size["requests"] == 2 * size["pages"] for size in sizes.values())
        assert plan["total"]["records"] == sum(counts.values())
        assert plan["total"]["requests"] == sum(s["requests"] for s in sizes.values())
        total = plan["total"]
        assert total["seconds"] > 0
        assert (total["hourly_limit"], total["used_this_hour"]) == (500, 16)
        ahead = dt.datetime.fromisoformat(total["ends_at"]) - dt.datetime.now(dt.UTC)
        assert abs(ahead.total_seconds() - total["seconds"]) < 30
        asked = requests_by_stream(served.api)
        assert asked == {(m, name): 1 for name in STREAMS for m in ("POST", "GET")}
        assert {e.page_size for e in served.api.log} == {1}

    def test_as_a_table(self, make_tap, served, catalog):
        chosen = only(catalog, ["line_items", "transactions"])
        ended = make_tap(served).run("--plan", catalog=chosen)
        assert ended.status == 0
        head, *rest = ended.text.splitlines()
        rows, total, words = rest[:2], rest[2], " ".join(rest[3:])
        assert head.split() == ["stream", "records", "pages", "requests"]
        assert [row.split()[:2] for row in rows] == [
            ["line_items", "2,500"],
            ["transactions", "7"],
        ]
        assert total.split()[:2] == ["all", "2,507"]
        assert "8 requests, at 500 a clock hour: 496 are left until " in words
        assert "A sync that begins now ends at about " in words
        assert max(map(len, ended.text.splitlines())) <= 80

    def test_of_a_further_run(self, make_tap, served, catalog):
        today = dt.datetime.now(dt.UTC).date()
        bookmark = {"replication_key_value": today.isoformat()}
        ended = make_tap(served).run(
            "--plan",
            "--format=json",
            catalog=only(catalog, ["line_items"]),
            state={"bookmarks": {"line_items": bookmark}},
        )
        assert 0 < json.loads(ended.text)["total"]["records"] < 100

    def test_a_stream_whose_size_is_not_known(self, make_tap, served, catalog):
        served.api.set_faults([Fault(kind="403", endpoint="patients", times=None)])
        chosen = only(catalog, ["patients", "transactions"])
        ended = make_tap(served).run("--plan", "--format=json", catalog=chosen)
        assert ended.status == 1
        sizes = {s["stream"]: s["records"] for s in json.loads(ended.text)["streams"]}
        assert sizes == {"patients": None, "transactions": 7}
        total = json.loads(ended.text)["total"]
        assert (total["seconds"], total["ends_at"]) == (None, None)
        assert "patients: DrChrono refuses access" in ended.log
        words = make_tap(served).run("--plan", catalog=chosen).text
        rows = {line.split()[0]: line.split()[1:] for line in words.splitlines()}
        assert rows["patients"] == ["?", "?", "?"]
        assert rows["all"] == ["7+", "1+", "2+"]
        assert "A sync that begins now" not in words
        assert "?: not known" in words

    def test_a_token_that_no_stream_takes_is_one_error(self, make_tap, catalog):
        with offline(practice=Practice.generate(records=3)) as served:
            tap = make_tap(served, access_token="wrong")
            ended = tap.run("--plan", catalog=catalog)
        assert ended.status == 1
        assert not ended.text
        assert ended.log.count("| ERROR") == 1
        assert "access_token has expired or is wrong" in ended.log
