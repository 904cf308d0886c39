"""Many syncs in sequence, with faults, kills and changes; one copy stays right.

`SOAK=long pytest tests/front_door/test_soak.py` runs for many minutes, each time with
other seeds.
"""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import time
import typing as t

import pytest
from comparison import differences, source_of
from drchrono_sandbox import Api, Practice, Settings
from drchrono_sandbox.server import serve
from drchrono_sandbox.settings import Changes
from drchrono_sandbox.streams import STREAMS
from fault_matrix import TROUBLES
from fault_rows import Outcome, Request
from process import started
from simulated import NOW, SimulatedClock, catalog_of, run, settings_for
from target import Target

LONG = os.environ.get("SOAK") == "long"
SYNCS = 400 if LONG else 40
"""Syncs in one sequence."""
SEEDS = [int(time.time()) + n for n in range(25)] if LONG else [1, 2, 3, 4]
PROCESSES = 60 if LONG else 6

_NAMES = tuple(STREAMS)
_FOUR = ("appointments", "clinical_notes", "line_items", "patients")
_QUIET = Changes()
_MOODS = (
    _QUIET,
    Changes(updates=0.05, inserts=0.01),
    Changes(updates=0.3, inserts=0.02, deletions=0.02),
)
"""How much changes in a second while the tap reads."""

_PASSING = [
    trouble
    for trouble in TROUBLES
    if any(expect.outcome is not Outcome.WARNED for expect in trouble.once.values())
    and trouble.fault["kind"] != "scope_missing"
]


class Soak:
    """A source, a copy, and the person who authorizes again where that is needed."""

    def __init__(self, seed: int, directory: t.Any) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - repeatable
        self.directory = directory
        self.clock = SimulatedClock()
        self.api = Api(
            Practice.generate(
                records=40,
                seed=seed,
                now=NOW - 7200,
                history_days=self.rng.choice((1, 30, 1500)),
                shared=self.rng.choice((0.1, 0.9)),
            ),
            Settings(list_base_seconds=2.0, list_record_seconds=0.05, list_seed=seed),
            clock=self.clock.now,
        )
        self.copy = Target(checks=False)
        self.settings = settings_for(self.api, directory)
        self.ends: dict[str, int] = {}

    def sync(self) -> None:
        """One sync, in which anything may happen."""
        rng = self.rng
        trouble = rng.choice(_PASSING)
        faults = self.faults(trouble)
        mood = rng.choice(_MOODS)
        self.set_mood(mood, tie=rng.choice(("id", "insertion")))
        self.api.set_faults(faults)
        self.clock.stop_at = float("inf")
        if rng.random() < 0.2:
            self.clock.stop_at = self.clock.time + rng.uniform(0, 60)
        # Pages of one record never get through a practice that is busier than they are.
        calm = not mood.updates
        size = {
            "page_size": rng.choice((1, 3, 40) if calm else (7, 10, 10, 40)),
            "hourly_request_limit": 500 if calm else 5000,
        }
        streams = rng.sample(_NAMES, rng.randint(1, 3))
        self.read(
            streams,
            size,
            cut=trouble.cut,
            kill_at=rng.randint(1, 60) if rng.random() < 0.2 else 0,
        )
        self.set_mood(_QUIET)
        self.api.change(Changes(updates=3, inserts=1, deletions=1))
        self.clock.time += rng.choice((60, 3600, 90_000))

    def faults(self, trouble: t.Any) -> list[dict[str, t.Any]]:
        """A trouble at some request, or none."""
        rng = self.rng
        if rng.random() < 0.3:
            return []
        request = rng.choice(list(trouble.once))
        hit = trouble.fault | {"nth": rng.randint(1, 12), "times": rng.randint(1, 2)}
        if request is Request.TOKEN:
            return [
                {"kind": "401", "nth": rng.randint(1, 12)},
                hit | {"endpoint": "token", "nth": 1},
            ]
        return [hit | {"method": request.value}]

    def set_mood(self, changes: Changes, **more: t.Any) -> None:
        rate = None if changes == _QUIET else changes
        self.api.settings = dataclasses.replace(
            self.api.settings, changes_per_second=rate, **more
        )

    def read(self, streams: t.Any, changes: dict[str, t.Any], **how: t.Any) -> int:
        """Run the tap once; the target takes what it was given before both died."""
        ended = run(
            self.api,
            self.clock,
            self.directory,
            self.settings | changes,
            state=self.copy.state,
            catalog=catalog_of(*streams),
            level="ERROR",
            **how,
        )
        output = ended.output
        if ended.status == -signal.SIGKILL:
            lines = output.splitlines(keepends=True)
            output = b"".join(lines[: self.rng.randint(0, len(lines))])
        elif ended.status not in {0, 1, 128 + signal.SIGTERM}:
            pytest.fail(f"exit status {ended.status}: {ended.log}")
        assert "unexpected" not in ended.log, ended.log
        assert "Traceback" not in ended.log, ended.log
        self.copy.read(output)
        self.authorize_again(ended.log)
        word = str(ended.status)
        self.ends[word] = self.ends.get(word, 0) + 1
        return ended.status

    def authorize_again(self, log: str) -> None:
        """Do what a person does when the log asks for it, or a token was lost."""
        path = self.directory / "credentials" / "pair.json"
        kept = path.read_text() if path.exists() else self.settings["refresh_token"]
        if not any(token in kept for token in self.api.oauth.grants):
            grant = self.api.oauth.add_grant(
                self.settings["client_id"], self.clock.now()
            )
            self.settings["refresh_token"] = grant.refresh_token
        elif "A person must authorize again" in log:
            assert "invalid_grant" in log

    def settle(self) -> None:
        """After one quiet sync the copy equals the source."""
        self.set_mood(_QUIET)
        self.api.set_faults(())
        self.clock.stop_at = float("inf")
        assert self.read(_NAMES, {"page_size": 10}) == 0
        assert differences_from(self.copy, self.api) == {}


def differences_from(
    copy: Target, api: Api, streams: tuple[str, ...] = _NAMES
) -> dict[str, list[str]]:
    """Compare; deletions are visible for appointments only."""
    source = source_of(api, streams)
    gone = {
        f"{stream}/{key}"
        for stream, rows in copy.tables.items()
        if stream != "appointments"
        for key in rows
        if key not in source[stream]
    }
    return differences(copy, source, gone=gone)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_copy_equals_the_source_after_many_syncs(seed, tmp_path):
    soak = Soak(seed, tmp_path)
    for number in range(SYNCS):
        soak.sync()
        if number % 10 == 9:
            soak.settle()
    soak.settle()
    assert soak.ends["0"] > 3
    assert len(soak.ends) >= 3, f"hardly anything went wrong: {soak.ends}"


def test_processes_that_are_killed_at_any_moment(tmp_path):
    rng = random.Random(5)  # noqa: S311 - repeatable
    api = Api(
        Practice.generate(records=50, seed=5),
        Settings(
            list_base_seconds=0.05,
            list_record_seconds=0.002,
            changes_per_second=Changes(updates=3, inserts=1),
        ),
    )
    copy = Target(checks=False)
    ends = set()
    with serve(api=api) as served:
        for _ in range(PROCESSES):
            tap = started(
                served.url,
                api,
                tmp_path,
                state=copy.state,
                streams=_FOUR,
                variables={"TAP_DRCHRONO_PAGE_SIZE": "20", "LOGLEVEL": "WARNING"},
            )
            signum = rng.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM))
            after = rng.choice((b"", b'"type":"STATE"', b'"stream":"patients"'))
            ended = tap.end(signum, after=after)
            ends.add(ended.status)
            copy.read(ended.output[: ended.output.rfind(b"\n") + 1])
            assert ended.status in {-signal.SIGKILL, 128 + signal.SIGTERM, -signum}
        api.settings = dataclasses.replace(api.settings, changes_per_second=None)
        ended = started(
            served.url, api, tmp_path, state=copy.state, streams=_FOUR
        ).end()
        copy.read(ended.output)

    assert ended.status == 0, ended.log
    assert -signal.SIGKILL in ends
    assert differences_from(copy, api, _FOUR) == {}
