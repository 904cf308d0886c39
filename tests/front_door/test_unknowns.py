"""Where DrChrono is not documented, or contradicts itself, the tap works either way."""

from __future__ import annotations

import random
import typing as t

import pytest
from comparison import differences, source_of
from drchrono_sandbox import Api, Changes, Practice, Settings
from simulated import NOW, SimulatedClock, catalog_of, run, settings_for
from target import Target

if t.TYPE_CHECKING:
    from collections.abc import Mapping

DAY = 86_400.0
STREAMS = ("appointments", "patients", "prescription_messages")


class Nights:
    """A sandbox that is read once a night."""

    def __init__(
        self,
        directory: t.Any,
        sandbox: Mapping[str, t.Any],
        streams: tuple[str, ...] = STREAMS,
        **settings: t.Any,
    ) -> None:
        self.streams = streams
        self.clock = SimulatedClock()
        practice = Practice.generate(records=60, now=NOW - 7200)
        base = Settings(**{"list_base_seconds": 1.0, **sandbox})
        self.api = Api(practice, base, clock=self.clock.now)
        self.settings = settings_for(self.api, directory, **settings)
        self.directory = directory
        self.copy = Target(checks=False)
        self._rng = random.Random(3)  # noqa: S311 - repeatable

    def read(self) -> None:
        """Read what changed; the run must end well."""
        ended = run(
            self.api,
            self.clock,
            self.directory,
            self.settings,
            state=self.copy.state,
            catalog=catalog_of(*self.streams, extra=self.extra),
            level="WARNING",
        )
        assert ended.status == 0, ended.log
        self.copy.read(ended.output)

    @property
    def extra(self) -> str:
        """The streams that are read on request."""
        return t.cast("str", self.settings.get("extra_streams", ""))

    def work(self, days: float = 1.0) -> None:
        """A day passes, or several; people work at its end."""
        self.clock.time += days * DAY
        for stream in self.streams:
            amounts = Changes(updates=3, inserts=1)
            self.api.practice.change(stream, amounts, self._rng, self.clock.time)

    @property
    def lacks(self) -> dict[str, list[str]]:
        """What the copy has otherwise, by stream."""
        return differences(self.copy, source_of(self.api, self.streams))

    def refused(self) -> list[float]:
        """When a request met a 429."""
        return [entry.time for entry in self.api.log if entry.status == 429]


LIMITS: dict[str, dict[str, t.Any]] = {
    **{
        f"a lower limit than is set, told in a {form}": {
            "hourly_limit": 60,
            "throttle_form": form,
        }
        for form in ("sentence", "decimal", "bare", "retry_after")
    },
    "a limit of ten minutes": {"ten_minute_limit": 40},
}


@pytest.mark.parametrize("limit", LIMITS)
def test_an_unknown_limit_is_waited_out(limit, tmp_path):
    nights = Nights(tmp_path, LIMITS[limit], page_size=4)
    nights.read()

    assert nights.lacks == {}
    refused = nights.refused()
    assert refused, "the limit was not met"
    for moment in refused:
        assert sum(moment <= other < moment + 3600 for other in refused) <= 5


def test_no_ten_requests_go_out_in_a_second(tmp_path):
    nights = Nights(tmp_path, {"burst_limit": 10, "list_base_seconds": 0}, page_size=4)
    nights.read()

    assert nights.lacks == {}
    assert nights.refused() == []


@pytest.mark.parametrize("seed", range(4))
def test_lists_that_take_a_tenth_or_ten_times_as_long(seed, tmp_path):
    sandbox = {"list_base_seconds": 6.0, "list_sigma": 1.2, "list_seed": seed}
    nights = Nights(tmp_path, sandbox, page_size=8)
    nights.read()

    assert nights.lacks == {}
    gets = [entry for entry in nights.api.log if entry.method == "GET"]
    posts = sum(entry.method == "POST" for entry in nights.api.log)
    assert len(gets) < 2 * posts


@pytest.mark.parametrize("returned", [True, False])
def test_a_refresh_token_that_stays_the_same(returned, tmp_path):
    sandbox = {"rotate": False, "return_refresh_token": returned}
    nights = Nights(tmp_path, sandbox)
    for _ in range(3):
        nights.read()
        assert nights.lacks == {}
        nights.work(days=3)
    refreshes = [entry for entry in nights.api.log if entry.endpoint == "token"]
    assert len(refreshes) == 3


class TestPlainLists:
    def test_a_replica_that_lags_behind(self, tmp_path):
        nights = Nights(
            tmp_path, {"replica_lag": 600.0}, ("tasks",), extra_streams="tasks"
        )
        nights.read()
        nights.work()
        nights.clock.time += 60
        nights.read()
        assert nights.lacks, "the replica was not behind"
        nights.clock.time += DAY
        nights.read()
        assert nights.lacks == {}

    @pytest.mark.parametrize("archived", ["on_request", "listed", "never"])
    def test_archived_records_come_if_there_is_a_way(self, archived, tmp_path):
        nights = Nights(tmp_path, {"archived": archived}, ("appointment_profiles",))
        amounts = Changes(deletions=2, streams=("appointment_profiles",))
        nights.api.change(amounts, seed=1)
        nights.read()
        rows = nights.copy.rows("appointment_profiles")
        assert any(row["archived"] for row in rows) == (archived != "never")
        assert nights.lacks == {}
