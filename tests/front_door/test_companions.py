"""Companion streams through the front door: what is offered, read, refused and kept."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections import Counter

import pytest
import simulated
from comparison import (
    assert_equal,
    assert_same,
    differences,
    leaves,
    plain,
    source,
    source_of,
)
from drchrono_sandbox import (
    ACCESS_TOKEN,
    REFRESH_TOKEN,
    Api,
    Changes,
    Fault,
    Practice,
    Settings,
)
from drchrono_sandbox import STREAMS as BULK
from drchrono_sandbox.messages import json_response
from drchrono_sandbox.plain.endpoints import PLAIN
from offline import OfflineTap, offline
from process import only
from target import Target

from tap_drchrono.endpoints import Group
from tap_drchrono.schema_files import SCHEMAS
from tap_drchrono.streams.catalogue import ENDPOINTS
from tap_drchrono.tap import TapDrchrono

REFERENCE = [name for name, one in ENDPOINTS.items() if one.group is Group.REFERENCE]
DEFAULT = {*BULK, *REFERENCE, "line_item_deletions", "patient_payments"}
REFUSALS = ("401", "403", "404", "405", "410")
HOUR = 3600.0
FULL = "FULL_TABLE"


def practice(seed=41, **counts):
    return Practice.generate(records=20, counts=counts or None, seed=seed)


def discovered(tap, **files):
    """What discovery offers with a tap's settings."""
    ended = tap.run("--discover", **files)
    assert ended.status == 0, ended.log
    return json.loads(ended.text)


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """The catalog of all streams."""
    with offline() as served:
        home = tmp_path_factory.mktemp("all")
        return discovered(OfflineTap(home, served, extra_streams="all"))


def gets(api, stream):
    return [one for one in api.log if one.endpoint == stream]


class TestOffer:
    def test_by_default(self, catalog):
        assert {entry["stream"] for entry in catalog["streams"]} == DEFAULT

    @pytest.mark.parametrize(
        "value",
        [
            "tasks, medications",
            "tasks,medications",
            ["tasks", "medications"],
            '["tasks", "medications"]',
            "['tasks', 'medications']",
        ],
    )
    def test_more_on_request(self, make_tap, value):
        with offline(practice=practice()) as served:
            found = discovered(make_tap(served, extra_streams=value))
        streams = {entry["stream"] for entry in found["streams"]}
        assert streams == DEFAULT | {"tasks", "medications"}

    def test_all(self, everything):
        assert {entry["stream"] for entry in everything["streams"]} == set(ENDPOINTS)

    def test_from_the_environment(self, monkeypatch):
        monkeypatch.setenv("TAP_DRCHRONO_EXTRA_STREAMS", "eobs")
        monkeypatch.setenv("TAP_DRCHRONO_ACCESS_TOKEN", "invented")
        tap = TapDrchrono(parse_env_config=True)
        assert set(tap.streams) == DEFAULT | {"eobs"}

    @pytest.mark.parametrize(
        ("value", "says"),
        [
            ("medication", "there is no stream medication; the nearest is medications"),
            ("tasks,lab_result", "there is no stream lab_result; the nearest is lab_"),
            (["Problems"], "there is no stream Problems; the nearest is problems"),
            ("$(secret)", "must be names of streams"),
            (5, "must be text or an array"),
        ],
    )
    def test_an_unknown_name_is_refused_with_the_nearest(self, make_tap, value, says):
        with offline(practice=practice()) as served:
            ended = make_tap(served, extra_streams=value).run()
            assert not served.api.log
        assert ended.status == 1
        assert f"extra_streams: {says}" in ended.log

    def test_a_catalog_of_an_earlier_version_selects_what_it_selected(
        self, make_tap, catalog
    ):
        old = {
            "streams": [one for one in catalog["streams"] if one["stream"] in BULK],
        }
        with offline(practice=practice()) as served:
            target = make_tap(served).run(catalog=old).good()
            assert {one.endpoint for one in served.api.log} == set(BULK)
        assert set(target.schemas) == set(BULK)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, everything):
    """One run with all streams, on a practice with several pages of each."""
    counts = dict.fromkeys(PLAIN, 23) | dict.fromkeys(BULK, 30)
    made = Practice.generate(records=30, counts=counts, seed=42)
    with offline(practice=made) as served:
        tap = OfflineTap(
            tmp_path_factory.mktemp("whole"),
            served,
            api_url=served.url,
            access_token=ACCESS_TOKEN,
            extra_streams="all",
            page_size=10,
        )
        ended = tap.run(catalog=everything)
        raw = {name: source(served.api, name) for name in PLAIN}
        yield ended, ended.good(), raw, [*served.api.log]


class TestWhatIsRead:
    @pytest.mark.parametrize("stream", PLAIN)
    def test_a_table_equals_the_source(self, whole, stream):
        _, target, raw, _ = whole
        (key,) = target.keys[stream]
        rows = {str(row[key]): row for row in target.rows(stream)}
        assert set(rows) == {str(record[key]) for record in raw[stream]}
        verbose = stream in {"tasks", "allergies"}
        for record in raw[stream]:
            shown = {
                name: value
                for name, value in record.items()
                if verbose or name not in PLAIN[stream].verbose_only
            }
            row = rows[str(record[key])]
            got = {name: row[name] for name in shown if name in row}
            assert set(got) == set(shown)
            assert not row["_extra"]
            for name, value in shown.items():
                column = SCHEMAS.get_schema(stream)["properties"][name]
                compare(value, row[name], column, f"{stream}.{name}")

    @pytest.mark.parametrize("stream", PLAIN)
    def test_the_wire(self, whole, stream):
        _, _, _, log = whole
        mine = [one for one in log if one.endpoint == stream]
        assert {one.method for one in mine} == {"GET"}
        assert {one.accept for one in mine} == {"application/json"}
        assert {one.api_version for one in mine} == {"v4"}
        assert all(one.since is None for one in mine)
        sized = stream != "line_item_deletions"
        assert {one.page_size for one in mine} == ({10} if sized else {None})
        archived = "true" if PLAIN[stream].archived else None
        assert {one.show_archived for one in mine} == {archived}
        verbose = "true" if stream in {"tasks", "allergies"} else None
        assert {one.verbose for one in mine} == {verbose}

    def test_the_order(self, whole):
        """First lists are submitted, plain ones read, then the bulk streams."""
        _, target, _, log = whole
        asked = [(one.method, one.endpoint) for one in log]
        first_plain = next(i for i, one in enumerate(asked) if one[1] in PLAIN)
        assert set(asked[:first_plain]) <= {("POST", s) for s in BULK}
        assert len(asked[:first_plain]) == 8
        order = [one["stream"] for one in target.of_type("SCHEMA")]
        assert order[-1] == "line_item_deletions"
        assert set(order[-9:-1]) == set(BULK)


def compare(raw, emitted, column, path):
    """Compare a value; of objects only the fields that came, and text with text."""
    if "contentMediaType" in column and raw is not None:
        assert json.loads(emitted) == json.loads(json.dumps(raw, default=str))
    elif isinstance(raw, dict):
        for name, value in raw.items():
            compare(value, emitted[name], column["properties"][name], f"{path}.{name}")
    elif isinstance(raw, list):
        assert len(raw) == len(emitted)
        for one, other in zip(raw, emitted, strict=True):
            compare(one, other, column["items"], path)
    else:
        assert_same(raw, emitted, column, path)


def row_of(log, stream):
    """The stream's row of the table at the run's end."""
    rows = [line for line in log.splitlines() if f"| {stream} " in line]
    return rows[-1]


def spoiling(api, endpoint, spoil):
    """Let an API answer for an endpoint in another way."""
    handle = api.handle

    def handled(request):
        answer = handle(request)
        if request.path != f"/api/{endpoint}":
            return answer
        return spoil(request, answer)

    api.handle = handled


class TestOddAnswers:
    def test_a_null_among_the_records_costs_itself(self, make_tap, catalog):
        def spoil(_, answer):
            body = json.loads(answer.body)
            body["results"].insert(1, None)
            return json_response(200, body)

        with offline(practice=practice()) as served:
            spoiling(served.api, "offices", spoil)
            ended = make_tap(served).run(catalog=only(catalog, ["offices"]))
            target = ended.good()
        assert len(target.rows("offices")) == 2
        assert ended.log.count("A record without a usable id was left out") == 1

    def test_a_parameter_that_is_refused_is_left_out(self, make_tap, catalog):
        def spoil(request, answer):
            for name in ("show_archived", "page_size"):
                if name in request.query:
                    return json_response(400, {name: ["Unknown parameter."]})
            return answer

        with offline(practice=practice(offices=400)) as served:
            spoiling(served.api, "offices", spoil)
            ended = make_tap(served).run(catalog=only(catalog, ["offices"]))
            target = ended.good()
        assert target.rows("offices")
        assert "refuses the parameter page_size for /api/offices" in ended.log
        assert ended.log.count("refuses the parameter show_archived") == 1


class TestRefused:
    @pytest.mark.parametrize("kind", REFUSALS)
    def test_one_that_is_always_offered_costs_nothing(self, make_tap, catalog, kind):
        faults = [Fault(kind=kind, endpoint="doctors", times=None)]
        with offline(practice=practice(), faults=faults) as served:
            ended = make_tap(served).run(catalog=only(catalog, ["doctors", "offices"]))
            target = ended.good()
        assert len(target.rows("offices")) == 2
        assert not target.rows("doctors")
        warned = [line for line in ended.log.splitlines() if "WARNING" in line]
        warned = [line for line in warned if "doctors: DrChrono " in line]
        assert len(warned) == 1
        assert f"HTTP {kind}" in warned[0]
        assert "the scope user:read" in warned[0]
        assert ("Grant" in warned[0]) == (kind in {"401", "403"})
        assert "refused" in row_of(ended.log, "doctors")

    def test_it_says_what_is_needed(self, make_tap, catalog):
        faults = [Fault(kind="403", endpoint="custom_vitals", times=None)]
        with offline(practice=practice(), faults=faults) as served:
            ended = make_tap(served).run(catalog=only(catalog, ["custom_vitals"]))
        assert ended.status == 0
        for needed in ("clinical:read", "settings", "share_clinical_templates"):
            assert needed in ended.log

    @pytest.mark.parametrize("kind", REFUSALS)
    def test_one_that_was_asked_for_fails(self, make_tap, everything, kind):
        faults = [Fault(kind=kind, endpoint="eobs", times=None)]
        with offline(practice=practice(), faults=faults) as served:
            ended = make_tap(served, extra_streams="eobs").run(
                catalog=only(everything, ["eobs", "offices"])
            )
        assert ended.status == 1
        assert "1 of 2 streams failed: eobs." in ended.log
        assert len(ended.target().rows("offices")) == 2

    def test_the_end_of_the_run_calls_it_not_complete(self, make_tap, everything):
        faults = [
            Fault(kind="403", endpoint=one, times=None) for one in ("users", "eobs")
        ]
        with offline(practice=practice(), faults=faults) as served:
            ended = make_tap(served, extra_streams="eobs").run(
                catalog=only(everything, ["eobs", "users", "offices"])
            )
        assert ended.status == 1
        (line,) = [one for one in ended.log.splitlines() if "streams failed" in one]
        assert "1 of 3 streams failed: eobs. " in line
        assert "The others are complete, but for what is refused: users;" in line

    def test_the_next_run_tries_again(self, make_tap, catalog):
        chosen = only(catalog, ["users"])
        faults = [Fault(kind="403", endpoint="users", times=None)]
        with offline(practice=practice(), faults=faults) as served:
            tap = make_tap(served)
            copy = tap.run(catalog=chosen).good()
            served.api.set_faults(())
            tap.run(catalog=chosen, state=copy.state).good(copy)
            assert len(copy.rows("users")) == len(source(served.api, "users"))

    def test_an_older_authorization_is_told_in_one_line(self, make_tap, tmp_path):
        old = "billing:read calendar:read clinical:read patients:read"
        with offline(
            Settings(granted_scope=old, missing_scope="403"), practice=practice()
        ) as served:
            app = served.api.settings.apps[0]
            ended = make_tap(
                served,
                access_token=None,
                client_id=app.client_id,
                client_secret=app.client_secret,
                refresh_token=REFRESH_TOKEN,
                credentials_path=str(tmp_path / "pair.json"),
            ).run()
            target = ended.good()
        (line,) = [x for x in ended.log.splitlines() if "authorization lacks" in x]
        for told in (
            "doctors (user:read)",
            "custom_vitals (settings:read)",
            "patient_payments (billing:patient-payment:read)",
        ):
            assert told in line
        assert "clinical_note_templates" not in line
        # What that line explains is no second warning, and in the table.
        warned = [x for x in ended.log.splitlines() if "| WARNING" in x]
        assert [x for x in warned if "doctors" in x] == [line]
        assert "refused" in row_of(ended.log, "doctors")
        assert all(target.rows(stream) for stream in BULK)
        assert target.rows("users")


class TestReferenceLists:
    def test_they_are_read_whole_once_a_day(self, make_tap, catalog):
        chosen = only(catalog, ["doctors", "staff"])
        with offline(practice=practice()) as served:
            tap = make_tap(served)
            copy = tap.run(catalog=chosen).good()
            for hours, again in ((1, 0), (18, 0), (2, 2), (1, 0)):
                served.clock.sleep(hours * HOUR)
                served.api.log.clear()
                tap.run(catalog=chosen, state=copy.state).good(copy)
                assert len(served.api.log) == again, hours
        assert copy.emitted["doctors"] == 2 * len(copy.rows("doctors"))

    @pytest.mark.parametrize("hours", [0, 1])
    def test_how_old_they_may_be_can_be_set(self, make_tap, catalog, hours):
        chosen = only(catalog, ["doctors"])
        with offline(practice=practice()) as served:
            tap = make_tap(served, reference_max_age_hours=hours)
            copy = tap.run(catalog=chosen).good()
            served.api.log.clear()
            served.clock.sleep(1800)
            tap.run(catalog=chosen, state=copy.state).good(copy)
            assert len(served.api.log) == (1 if hours == 0 else 0)

    @pytest.mark.parametrize("junk", ["?", 7, None, "2999-01-01T00:00:00+00:00", []])
    def test_junk_in_the_state_means_that_they_are_read(self, make_tap, catalog, junk):
        state = {"bookmarks": {"doctors": {"read_at": junk, "pages": junk}}}
        with offline(practice=practice()) as served:
            target = make_tap(served).run(
                catalog=only(catalog, ["doctors"]), state=state
            )
            assert len(target.good().rows("doctors")) == 4

    def test_they_keep_no_bookmark_and_never_get_a_version(self, make_tap, catalog):
        with offline(practice=practice()) as served:
            target = make_tap(served, emit_activate_version_messages=True).run(
                catalog=only(catalog, REFERENCE)
            )
            target = target.good()
        assert not target.versions
        for name in REFERENCE:
            assert set(target.state["bookmarks"][name]) == {"pages", "read_at"}

    def test_an_empty_one_is_read_again(self, make_tap, catalog):
        """It may be empty for want of a scope, and somebody may have granted that."""
        chosen = only(catalog, ["doctors"])
        with offline(practice=Practice.of({})) as served:
            tap = make_tap(served)
            copy = tap.run(catalog=chosen).good()
            tap.run(catalog=chosen, state=copy.state).good(copy)
            assert len(gets(served.api, "doctors")) == 2

    def test_a_read_that_fails_is_not_taken_for_whole(self, make_tap, catalog):
        chosen = only(catalog, ["users"])
        faults = [Fault(kind="500", endpoint="users", nth=2, times=None)]
        with offline(practice=practice(), faults=faults) as served:
            tap = make_tap(served, page_size=5)
            ended = tap.run(catalog=chosen)
            assert ended.status == 1
            copy = ended.target()
            assert copy.rows("users")
            assert copy.state["bookmarks"]["users"]["read_at"] is None
            served.api.set_faults(())
            tap.run(catalog=chosen, state=copy.state).good(copy)
            assert len(copy.rows("users")) == 12


def test_a_second_night_of_what_is_offered_is_frugal(make_tap):
    """Where each reference list is one page, 35 requests are enough."""
    with offline(practice=Practice.generate(records=60, seed=43)) as served:
        tap = make_tap(served)
        copy = tap.run().good()
        served.clock.sleep(24 * HOUR)
        served.api.log.clear()
        tap.run(state=copy.state).good(copy)
        assert len(gets(served.api, "doctors")) == 1
        assert len(served.api.log) <= 35


class TestIncremental:
    @pytest.mark.parametrize(
        ("stream", "parameter", "field"),
        [
            ("patient_payments", "since", "updated_at"),
            ("tasks", "since", "updated_at"),
            ("messages", "updated_since", "updated_at"),
            ("line_item_deletions", "since", "created_at"),
        ],
    )
    def test_since_the_bookmark_less_the_lookback(
        self, make_tap, everything, stream, parameter, field
    ):
        chosen = only(everything, [stream])
        with offline(practice=practice(**{stream: 40, "line_items": 300})) as served:
            tap = make_tap(served, extra_streams="all")
            copy = tap.run(catalog=chosen).good()
            raw = source(served.api, stream)
            highest = max(record[field] for record in raw if record[field])
            assert copy.bookmark(stream) == highest
            served.api.log.clear()
            again = tap.run(catalog=chosen, state=copy.state).good()
            assert len(served.api.log) == 1
        assert PLAIN[stream].since == parameter
        assert 0 < again.emitted[stream] < len(raw)
        if parameter == "since":
            (day,) = {one.since for one in served.api.log}
            before = dt.date.fromisoformat(highest[:10]) - dt.timedelta(days=3)
            assert str(before) <= day < highest[:10]

    def test_the_bookmark_of_undated_records_is_the_day_of_the_read(
        self, make_tap, everything
    ):
        chosen = only(everything, ["lab_orders"])
        with offline(practice=practice()) as served:
            tap = make_tap(served, extra_streams="lab_orders")
            copy = tap.run(catalog=chosen).good()
            today = dt.datetime.fromtimestamp(served.clock.now(), dt.UTC).date()
            assert copy.bookmark("lab_orders") == str(today)
            served.api.log.clear()
            tap.run(catalog=chosen, state=copy.state).good(copy)
            (asked,) = served.api.log
        assert asked.since < str(today)

    def test_start_date_bounds_the_first_read(self, make_tap, everything):
        chosen = only(everything, ["tasks"])
        with offline(practice=practice(tasks=30)) as served:
            tap = make_tap(served, extra_streams="tasks", start_date="2026-02-03")
            tap.run(catalog=chosen).good()
            assert {one.since for one in served.api.log} == {"2026-02-03"}

    def test_without_since_what_did_not_change_is_not_written_again(
        self, make_tap, everything
    ):
        chosen = only(everything, ["procedures"])
        with offline(practice=practice(procedures=60)) as served:
            tap = make_tap(served, extra_streams="procedures")
            copy = tap.run(catalog=chosen).good()
            served.api.change(Changes(updates=2, streams=("procedures",)), seed=1)
            again = tap.run(catalog=chosen, state=copy.state)
            fresh = again.good(Target())
            again.good(copy)
            assert_equal(copy, "procedures", source(served.api, "procedures"))
            assert {one.since for one in served.api.log} == {None}
        assert 2 <= fresh.emitted["procedures"] < 60

    @pytest.mark.parametrize("method", [None, FULL])
    def test_in_versions_every_row_is_written(self, make_tap, everything, method):
        names = ["procedures", "medications", "tasks"]
        chosen = only(everything, names)
        for entry in chosen["streams"]:
            if method and entry["stream"] == "procedures":
                entry["replication_method"] = method
        with offline(practice=practice(procedures=30)) as served:
            tap = make_tap(
                served, extra_streams="all", emit_activate_version_messages=True
            )
            copy = tap.run(catalog=chosen).good()
            again = tap.run(catalog=chosen, state=copy.state).good(Target())
        assert set(again.versions) == {"procedures", "medications"}
        assert again.emitted["procedures"] == 30
        versions = {
            one.get("version")
            for one in again.of_type("RECORD")
            if one["stream"] == "procedures"
        }
        assert versions == {again.versions["procedures"]}

    def test_full_table_reads_from_start_date_and_keeps_no_bookmark(
        self, make_tap, everything
    ):
        chosen = only(everything, ["tasks"])
        for entry in chosen["streams"]:
            if entry["stream"] == "tasks":
                entry["replication_method"] = FULL
        with offline(practice=practice()) as served:
            tap = make_tap(served, extra_streams="tasks")
            copy = tap.run(catalog=chosen).good()
            tap.run(catalog=chosen, state=copy.state).good(copy)
            assert {one.since for one in served.api.log} == {None}
        assert copy.bookmark("tasks") is None


def test_ids_of_the_bulk_lists_lead_somewhere(whole):
    """But for some orphans, as real data has them."""
    _, target, _, _ = whole
    keys = {
        name: {str(row[ENDPOINTS[name].key]) for row in target.rows(name)}
        for name in target.tables
    }
    found, orphans = Counter(), Counter()
    for name in BULK:
        for row in target.rows(name):
            for path, value in leaves(row):
                parent = ENDPOINTS[name].joins.get(path)
                if parent in REFERENCE and value not in {None, ""}:
                    found[parent] += 1
                    orphans[parent] += str(value) not in keys[parent]
    assert set(found) >= {"doctors", "offices", "users", "appointment_profiles"}
    assert sum(found.values()) > 500
    assert sum(orphans.values()) < sum(found.values()) / 20
    assert not orphans["doctors"]


class TestPlanAndTest:
    def test_a_plan_counts_the_pages_of_the_last_whole_read(self, make_tap, everything):
        chosen = only(everything, ["medications", "doctors", "tasks"])
        with offline(practice=practice(medications=25, tasks=15)) as served:
            tap = make_tap(served, extra_streams="all", page_size=10)
            before = tap.run("--plan", "--format=json", catalog=chosen)
            assert not served.api.log
            copy = tap.run(catalog=chosen).good()
            after = tap.run("--plan", "--format=json", catalog=chosen, state=copy.state)
            words = tap.run("--plan", catalog=chosen).text
        sizes = {one["stream"]: one for one in json.loads(before.text)["streams"]}
        for size in sizes.values():
            assert (size["pages"], size["requests"], size["or_more"]) == (1, 1, True)
        sizes = {one["stream"]: one for one in json.loads(after.text)["streams"]}
        assert sizes["medications"]["pages"] == 3
        assert sizes["tasks"]["pages"] == 2
        assert sizes["doctors"]["pages"] == 0
        assert not any(one["or_more"] for one in sizes.values())
        assert "1+" in words

    def test_a_test_lists_each_stream_with_what_it_lacks(self, make_tap, catalog):
        faults = [Fault(kind="403", endpoint="users", times=None)]
        with offline(practice=practice(), faults=faults) as served:
            ended = make_tap(served).run("--test", catalog=only(catalog, DEFAULT))
            asked = {one.page_size for one in gets(served.api, "offices")}
        assert ended.status == 0, ended.text
        lines = {line.split()[1].strip(":"): line for line in ended.text.splitlines()}
        assert lines["offices"].startswith("good")
        assert lines["users"].startswith("refused")
        assert len(set(lines) & DEFAULT) == 21
        assert "all selected streams can be read" not in ended.text
        assert " without what is refused or lacking: users." in " ".join(
            ended.text.split()
        )
        assert max(map(len, ended.text.splitlines())) <= 80
        assert asked == {1}

    def test_one_that_was_asked_for_must_be_good(self, make_tap, everything):
        faults = [Fault(kind="403", endpoint="eobs", times=None)]
        with offline(practice=practice(), faults=faults) as served:
            ended = make_tap(served, extra_streams="eobs").run(
                "--test", catalog=only(everything, ["eobs"])
            )
        assert ended.status == 1
        assert ended.text.startswith("FAILED")


CHURN = Changes(
    updates=2, inserts=2, deletions=1, purge=True, streams=("patient_payments",)
)
"""For each page; on twelve pages that makes sixty."""


class TestChurn:
    """What changes while a list is read is complete after the next sync."""

    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize(
        ("order", "paging"),
        [
            ("id", "cursor"),
            ("-id", "cursor"),
            ("updated_at", "cursor"),
            ("-updated_at", "cursor"),
            ("id", "page"),
            ("updated_at", "page"),
        ],
    )
    @pytest.mark.parametrize("stream", ["patient_payments", "medications"])
    def test_nothing_is_lost_or_stale(
        self, make_tap, everything, stream, order, paging, seed
    ):
        churn = dataclasses.replace(CHURN, streams=(stream,))
        settings = Settings(
            plain_order=order, plain_paging=paging, changes_per_page=churn
        )
        made = practice(seed, **{stream: 240})
        chosen = only(everything, [stream])
        with offline(settings, practice=made) as served:
            tap = make_tap(served, extra_streams="all", page_size=20)
            copy = tap.run(catalog=chosen).good()
            assert len(gets(served.api, stream)) >= 12
            served.api.settings = dataclasses.replace(settings, changes_per_page=None)
            tap.run(catalog=chosen, state=copy.state).good(copy)
            rows = {str(row["id"]): plain(row) for row in copy.rows(stream)}
            wanted = source_of(served.api, [stream])[stream]
        assert len(wanted) > 200
        assert [key for key in wanted if wanted[key] != rows.get(key)] == []


class TestKillAndResume:
    def test_a_stream_that_was_killed_between_pages_loses_nothing(
        self, tmp_path, everything
    ):
        made = practice(7, patient_payments=120)
        clock = simulated.SimulatedClock()
        api = Api(made, clock=clock.now)
        chosen = only(everything, ["patient_payments"])
        settings = simulated.settings_for(api, tmp_path, page_size=10)

        def run(**kwargs):
            return simulated.run(
                api, clock, tmp_path, settings, catalog=chosen, **kwargs
            )

        copy = Target(checks=False)
        for kill_at in (5, 9, 12):
            ended = run(state=copy.state, kill_at=kill_at)
            assert ended.status < 0
            copy.read(ended.output[: ended.output.rfind(b"\n") + 1])
            api.change(
                Changes(updates=5, inserts=1, streams=("patient_payments",)), seed=1
            )
        assert copy.bookmark("patient_payments") is None
        assert copy.read(run(state=copy.state).output).bookmark("patient_payments")
        wanted = source_of(api, ["patient_payments"])
        assert differences(copy, wanted) == {}

    def test_a_token_that_expires_between_two_pages(self, tmp_path, everything):
        made = practice(7, patient_payments=60)
        clock = simulated.SimulatedClock()
        faults = [{"kind": "401", "endpoint": "patient_payments", "nth": 3}]
        api = Api(made, clock=clock.now, faults=faults)
        settings = simulated.settings_for(api, tmp_path, page_size=10)
        ended = simulated.run(
            api,
            clock,
            tmp_path,
            settings,
            catalog=only(everything, ["patient_payments"]),
        )
        assert ended.status == 0, ended.log
        copy = Target(checks=False).read(ended.output)
        assert differences(copy, source_of(api, ["patient_payments"])) == {}
        assert api.faults.applied == [1]
