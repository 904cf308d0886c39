"""BATCH messages: their files hold exactly what RECORD messages would."""

from __future__ import annotations

import datetime as dt
import json
import signal

import pytest
from comparison import assert_equal, source
from drchrono_sandbox import Practice, Settings, serve
from log_lines import VERBOSE
from offline import offline
from process import only, select
from target import Target, read_batch

STREAMS = ("patients", "appointments", "prescription_messages")
NEVER = 3600.0


@pytest.fixture
def batch(tmp_path):
    """Settings for batch files of a size."""

    def config(size):
        folder = tmp_path / "batches"
        folder.mkdir(exist_ok=True)
        return {
            "batch_config": {
                "encoding": {"format": "jsonl", "compression": "gzip"},
                "storage": {"root": folder.as_uri()},
                "batch_size": size,
            }
        }

    return config


@pytest.fixture
def chosen(catalog):
    return select(
        only(catalog, STREAMS),
        {
            ("patients", "social_security_number"): False,
            ("patients", "primary_insurance", "insurance_id_number"): False,
        },
    )


MAPS = {
    "stream_maps": {"patients": {"email": None, "initial": "first_name[:1]"}},
    "flattening_enabled": True,
    "flattening_max_depth": 1,
}


@pytest.mark.parametrize("settings", [{}, MAPS], ids=["plain", "mapped"])
def test_files_hold_what_records_would(make_tap, chosen, batch, settings):
    odd = Settings(odd=0.3)
    with serve(odd, practice=Practice.generate(records=50, seed=14)) as served:
        tap = make_tap(served, **settings)
        lines = tap.run(catalog=chosen).good()
        ended = tap.with_settings(**batch(20)).run(catalog=chosen)
        files = ended.good()
    assert not files.of_type("RECORD")
    assert "RECORD" not in ended.text
    assert len(files.of_type("BATCH")) >= 9
    for stream in STREAMS:
        assert unsigned(files.rows(stream)) == unsigned(lines.rows(stream))
        assert files.emitted[stream] == lines.emitted[stream]
        # Where odd stamps spoil the order, it is the moment at which the run began.
        moments = [
            dt.datetime.fromisoformat(one.bookmark(stream)) for one in (lines, files)
        ]
        assert dt.timedelta(0) <= moments[1] - moments[0] < dt.timedelta(minutes=2)
    for message in files.of_type("BATCH"):
        for path in message["manifest"]:
            assert len(read_batch(path)) <= 20


def unsigned(rows):
    """Rows without the part of URLs that changes on each read, in order."""
    texts = [json.dumps(row, default=str, sort_keys=True) for row in rows]
    return sorted(
        "".join(part[32:] if n else part for n, part in enumerate(parts))
        for parts in (text.split("Signature=") for text in texts)
    )


def test_plain_batches_equal_the_source(make_tap, catalog, batch):
    with serve(practice=Practice.generate(records=50, seed=15)) as served:
        tap = make_tap(served, **batch(1000))
        target = tap.run(catalog=only(catalog, STREAMS)).good()
        for stream in STREAMS:
            assert_equal(target, stream, source(served.api, stream))


def assert_states_are_covered(target):
    """Check that no STATE is ahead of the BATCH messages before it."""
    copy = Target()
    for message in target.messages:
        copy.take(message)
        if message["type"] == "STATE" and (bookmark := copy.bookmark("patients")):
            emitted = [row["updated_at"] for row in copy.rows("patients")]
            assert bookmark.replace(" ", "T") <= max(emitted)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_a_state_never_covers_what_is_in_no_file(make_tap, catalog, batch, signum):
    slow = Settings(list_times={"patients": (0, 0, NEVER)})
    chosen = only(catalog, ["patients"])
    with serve(slow, practice=Practice.generate(records=100, seed=16)) as served:
        tap = make_tap(served, page_size=40, **batch(30))
        with tap.start(catalog=chosen, env=VERBOSE) as running:
            running.wait_for_log("page 2 is out")
            ended = running.signal(signum)
        assert ended.seconds < 2
        copy = ended.target()
        assert copy.emitted["patients"] in {40, 74}
        if signum == signal.SIGTERM:
            assert ended.status == 128 + signum
            assert copy.messages[-1]["type"] == "STATE"
        assert_states_are_covered(copy)
        tap.run(catalog=chosen, state=copy.state).good(copy)
        assert_states_are_covered(copy)
        assert_equal(copy, "patients", source(served.api, "patients"))


def test_a_stop_before_the_first_file_gives_a_state_that_covers_nothing(
    make_tap, catalog, batch
):
    slow = Settings(list_times={"patients": (0, 0, NEVER)})
    with serve(slow, practice=Practice.generate(records=100, seed=16)) as served:
        tap = make_tap(served, page_size=40, **batch(1000))
        chosen = only(catalog, ["patients"])
        with tap.start(catalog=chosen, env=VERBOSE) as running:
            running.wait_for_log("page 2 is out")
            ended = running.terminate()
    target = ended.target()
    assert ended.status == 128 + signal.SIGTERM
    assert not target.of_type("BATCH")
    assert target.bookmark("patients") is None
    assert target.state is not None


def test_a_stream_that_fails_leaves_its_files_and_its_bookmark(
    make_tap, catalog, batch
):
    faults = [{"kind": "400", "method": "POST", "page": 2, "endpoint": "patients"}]
    faults[0]["times"] = None
    practice = Practice.generate(records=100, seed=16)
    chosen = only(catalog, ["patients", "transactions"])
    with serve(practice=practice, faults=faults) as served:
        tap = make_tap(served, page_size=40, **batch(30))
        ended = tap.run(catalog=chosen)
        assert ended.status == 1
        copy = ended.target()
        assert_states_are_covered(copy)
        assert copy.emitted["transactions"] == 100
        served.api.set_faults([])
        tap.run(catalog=chosen, state=copy.state).good(copy)
        assert_equal(copy, "patients", source(served.api, "patients"))


@pytest.mark.parametrize("root", ["file:///proc/nowhere", "nosuch://bucket"])
def test_storage_that_cannot_be_written_to(make_tap, catalog, batch, root):
    config = batch(30)
    config["batch_config"]["storage"]["root"] = root
    with offline(practice=Practice.generate(records=5)) as source:
        ended = make_tap(source, **config).run(catalog=only(catalog, ["patients"]))
    assert ended.status == 1
    assert "batch_config: no file can be written to storage.root" in ended.log
    assert "Traceback" not in ended.log
    assert ended.target().bookmark("patients") is None
