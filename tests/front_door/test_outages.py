"""DrChrono is out of service for a while: waited out, or said in time."""

from __future__ import annotations

import email.utils
import random
import signal

import pytest
from comparison import differences, source_of
from drchrono_sandbox import ACCESS_TOKEN, Api, Changes, Practice, Settings
from simulated import NOW, SimulatedClock, catalog_of, pasted, run, settings_for
from target import Target

THREE = ("appointments", "patients", "prescription_messages")
DAY = 86_400.0
START = 8.0
"""Seconds after which a run is in the middle of its first stream."""


@pytest.fixture
def practice():
    return Practice.generate(records=60, now=NOW - 7200)


class Sync:
    """A sandbox and a tap on one clock."""

    def __init__(self, practice, directory, *faults, **settings):
        self.clock = SimulatedClock()
        self.api = Api(
            practice,
            Settings(list_base_seconds=2.0),
            clock=lambda: self.clock.time,
            faults=[{"times": None, "endpoint": "*"} | fault for fault in faults],
        )
        self.directory = directory
        self.settings = settings_for(self.api, directory, page_size=12, **settings)
        self.copy = Target(checks=False)

    def run(self, *streams, **how):
        started = self.clock.time
        ended = run(
            self.api,
            self.clock,
            self.directory,
            self.settings,
            state=self.copy.state,
            catalog=catalog_of(*(streams or THREE)),
            **{"level": "WARNING"} | how,
        )
        if "options" not in how:
            self.copy.read(ended.output)
        self.seconds = self.clock.time - started
        return ended

    def lacks(self, *streams):
        return differences(self.copy, source_of(self.api, streams or THREE))


@pytest.fixture
def sync(practice, tmp_path):
    return lambda *faults, **more: Sync(practice, tmp_path, *faults, **more)


KINDS = ["503", "500", "502", "close", "reset", "hang", "html"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seconds", [60, 600])
@pytest.mark.parametrize("begins", [0, START])
def test_an_outage_is_waited_out(sync, kind, seconds, begins):
    begins += NOW
    pages_for_a_first_token = kind == "html" and begins == NOW
    fault = {"kind": kind, "begins": begins, "ends": begins + seconds}
    found = sync(fault | {"endpoint": ""} if pages_for_a_first_token else fault)
    ended = found.run()

    assert ended.status == 0, ended.log
    assert found.lacks() == {}
    assert found.seconds < seconds + 200
    # Nothing is read twice because of it.
    assert found.copy.received <= 3 * 60 * 1.5
    if seconds == 600:
        assert ended.log.count("Waiting for up to") == 1
        assert ended.log.count("answers again") == 1
        assert ended.log.count("Still no usable answer") <= 10


@pytest.mark.parametrize("cut", ["refused", "unknown host", "no connection in time"])
def test_a_host_that_is_gone_for_a_while_is_waited_for(sync, cut):
    gone = {"kind": "close", "begins": NOW + START, "ends": NOW + START + 600}
    found = sync(gone)
    ended = found.run(cut=cut)

    assert ended.status == 0, ended.log
    assert found.lacks() == {}


def test_an_outage_without_end_is_given_up_and_loses_nothing(sync):
    found = sync({"kind": "503", "begins": NOW + START})
    ended = found.run()

    assert ended.status == 1
    assert "DrChrono gives no usable answer (HTTP 503), for 15 minutes" in ended.log
    assert 890 <= found.seconds <= 1000

    found.api.set_faults(())
    assert found.run().status == 0
    assert found.lacks() == {}


def test_how_long_is_a_setting(sync):
    found = sync({"kind": "503", "begins": NOW + START}, outage_timeout=120)
    assert found.run().status == 1
    assert 110 <= found.seconds <= 200


@pytest.mark.parametrize(
    ("stream", "seconds"), [*((one, 10 * DAY) for one in THREE), (THREE[1], 600)]
)
@pytest.mark.parametrize("kind", ["503", "close", "hang", "html"])
def test_one_endpoint_is_tried_once_more_and_fails_alone(sync, stream, kind, seconds):
    begins = NOW if stream == THREE[0] else NOW + START
    fault = {"kind": kind, "endpoint": stream, "begins": begins}
    found = sync(fault | {"ends": begins + seconds})
    ended = found.run()

    assert ended.status == 1
    assert f"1 of 3 streams failed: {stream}." in ended.log
    assert ended.log.count("It is tried once more at the end.") == 1
    assert found.lacks(*(one for one in THREE if one != stream)) == {}

    found.api.set_faults(())
    assert found.run().status == 0
    assert found.lacks() == {}


@pytest.mark.parametrize("stream", THREE)
@pytest.mark.parametrize("begins", [0, START])
@pytest.mark.parametrize("seconds", [45, 60])
def test_one_endpoint_that_recovers_in_time_costs_nothing(
    sync, stream, begins, seconds
):
    begins += NOW
    fault = {"kind": "503", "endpoint": stream, "begins": begins}
    found = sync(fault | {"ends": begins + seconds})
    ended = found.run()

    assert ended.status == 0, ended.log
    assert found.lacks() == {}


def test_the_last_endpoint_is_waited_for_as_nothing_else_is_left(sync):
    fault = {"kind": "503", "endpoint": THREE[2], "begins": NOW + START}
    found = sync(fault | {"ends": NOW + START + 600})
    ended = found.run()

    assert ended.status == 0, ended.log
    assert found.lacks() == {}
    assert found.seconds < 700


def test_two_endpoints_with_trouble_of_their_own_do_not_cost_the_third(sync):
    faults = [{"kind": "503", "endpoint": one} for one in THREE[:2]]
    found = sync(*faults)
    ended = found.run()

    assert ended.status == 1
    assert "2 of 3 streams failed: appointments, patients." in ended.log
    assert found.lacks(THREE[2]) == {}


def test_a_stream_that_is_alone_has_all_the_patience(sync):
    found = sync({"kind": "503", "begins": NOW + START, "ends": NOW + START + 600})
    assert found.run("patients").status == 0
    assert found.lacks("patients") == {}


@pytest.mark.parametrize("wait", [90, 600, 1800])
@pytest.mark.parametrize("form", ["seconds", "date"])
@pytest.mark.parametrize("kind", ["503", "429"])
@pytest.mark.parametrize("ahead", [0.0, 2 * DAY, -2 * DAY])
def test_what_an_answer_asks_for_is_obeyed(sync, wait, form, kind, ahead):
    begins = NOW + START
    ends = begins + wait
    after = (
        str(wait) if form == "seconds" else email.utils.formatdate(ends, usegmt=True)
    )
    fault = {"kind": kind, "form": "bare", "retry_after": after}
    found = sync(fault | {"begins": begins, "ends": ends})
    # A date is compared with the answer's own, whatever this machine's clock says.
    found.clock.machine_ahead = ahead
    ended = found.run()

    assert ended.status == 0, ended.log
    assert found.lacks() == {}
    refused = [entry for entry in found.api.log if entry.fault == kind]
    assert len(refused) == 1
    assert found.seconds < wait + 60


PAST = "Mon, 01 Jan 2001 00:00:00 GMT"
FAR = "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.mark.parametrize("after", ["0", "999999999", "-1", "soon", PAST, FAR])
def test_what_nobody_can_mean_is_an_outage_like_others(sync, after):
    fault = {"kind": "503", "retry_after": after}
    found = sync(fault | {"begins": NOW + START, "ends": NOW + START + 300})
    assert found.run().status == 0
    assert found.seconds < 500


@pytest.mark.parametrize("after", ["0", "1", "-1", "999999999", "soon", PAST, FAR])
@pytest.mark.parametrize("endpoint", ["", "token"])
def test_no_form_of_429_is_hammered(sync, after, endpoint):
    fault = {"kind": "429", "form": "bare", "retry_after": after, "endpoint": endpoint}
    found = sync(fault | {"ends": NOW + 4 * 3600})
    ended = found.run()

    assert ended.status == 0, ended.log
    assert found.lacks() == {}
    refused = [entry.time for entry in found.api.log if entry.fault == "429"]
    for moment in refused:
        assert sum(moment <= other < moment + 3600 for other in refused) <= 5


@pytest.mark.parametrize("cut", ["refused", "unknown host"])
@pytest.mark.parametrize("credentials", ["pasted", "oauth"])
class TestAtTheVeryFirstRequest:
    def settings(self, found, credentials):
        if credentials == "pasted":
            found.settings = settings_for(
                found.api, found.directory, access_token=pasted(found.api)
            )

    def test_a_host_that_nobody_reaches_stops_the_sync(self, sync, cut, credentials):
        found = sync({"kind": "close"})
        self.settings(found, credentials)
        ended = found.run(cut=cut)

        assert ended.status == 1
        assert "DrChrono cannot be reached" in ended.log
        assert found.seconds <= 10

    def test_and_a_test_at_once(self, sync, cut, credentials):
        found = sync({"kind": "close"})
        self.settings(found, credentials)
        ended = found.run(cut=cut, options=["--test"])

        assert ended.status == 1
        assert "DrChrono cannot be reached" in ended.log
        assert found.seconds < 1


@pytest.mark.parametrize("options", [[], ["--test"]], ids=["sync", "test"])
def test_a_host_that_gives_pages_for_a_first_token_is_a_wrong_api_url(sync, options):
    found = sync({"kind": "html"})
    ended = found.run(options=options)

    assert ended.status == 1
    assert found.seconds <= 10
    assert "api_url: what answers there is hardly DrChrono" in ended.log


def test_one_that_gave_a_token_before_is_waited_for(sync):
    found = sync()
    assert found.run().status == 0
    found.clock.time += 3 * 86_400
    fault = {"kind": "html", "endpoint": "*", "times": None}
    found.api.set_faults([fault | {"ends": found.clock.time + 600}])
    ended = found.run()

    assert ended.status == 0, ended.log
    assert 600 <= found.seconds < 800


@pytest.mark.parametrize("kind", ["hang", "503", "429"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_test_waits_for_nothing(sync, kind, nth):
    found = sync({"kind": kind, "seconds": 120.0, "nth": nth})
    ended = found.run(options=["--test"])
    assert ended.status == 1
    assert found.seconds < 10


@pytest.mark.parametrize("seconds", [60, 600])
def test_an_outage_for_posts_only_is_waited_out_too(sync, seconds):
    fault = {"kind": "503", "method": "POST", "endpoint": ""}
    found = sync(fault | {"ends": NOW + seconds})
    ended = found.run()

    assert ended.status == 0, ended.log
    assert found.lacks() == {}


def test_posts_that_never_work_end_in_time(sync):
    found = sync({"kind": "503", "method": "POST", "endpoint": ""})
    ended = found.run()

    assert ended.status == 1
    assert "3 of 3 streams failed" in ended.log
    assert 890 <= found.seconds < 1200


def test_a_stop_ends_the_wait_for_an_outage(sync):
    found = sync({"kind": "503", "begins": NOW + START})
    found.clock.stop_at = NOW + 300
    ended = found.run()

    assert ended.status == 128 + signal.SIGTERM
    assert found.seconds < 361
    found.clock.stop_at = float("inf")
    found.api.set_faults(())
    assert found.run().status == 0
    assert found.lacks() == {}


@pytest.mark.parametrize("seed", range(16))
def test_whatever_the_weather_nothing_is_lost(sync, seed):
    rng = random.Random(seed)  # noqa: S311 - no secret
    found = sync()
    for _ in range(3):
        begins = found.clock.time
        faults = []
        for _ in range(rng.randint(1, 4)):
            begins += rng.uniform(0, 90)
            faults.append(
                {
                    "kind": rng.choice([*KINDS, "429", "truncate"]),
                    "form": "bare",
                    "method": rng.choice(["", "", "POST", "GET"]),
                    "endpoint": rng.choice(["*", "*", "", "patients", "token"]),
                    "retry_after": rng.choice(["", "", "0", "40", "99999999"]),
                    "begins": begins,
                    "ends": begins + rng.choice([1, 20, 60, 400, 850, 3000]),
                    "times": None,
                    "chance": rng.choice([1.0, 0.7]),
                }
            )
        found.api.set_faults(faults)
        ended = found.run()
        assert ended.status in {0, 1}, ended.log
        assert "unexpected " not in ended.log
        if ended.status == 0:
            assert found.lacks() == {}
        assert found.seconds < 3 * 3600
        found.clock.time += 86_400 - 3600
        amounts = Changes(updates=4, inserts=1)
        for stream in THREE:
            found.api.practice.change(stream, amounts, rng, found.clock.time)
        found.clock.time += 3600
    found.api.set_faults(())
    assert found.run().status == 0
    assert found.lacks() == {}


@pytest.mark.parametrize("begins", [1.0, 2.0, 3.0, 5.0, 8.0, 13.0])
def test_lists_take_no_longer_after_an_outage_than_before(sync, begins):
    usual = sync(access_token=ACCESS_TOKEN)
    assert usual.run().status == 0
    outage = {"kind": "503", "begins": NOW + begins, "ends": NOW + begins + 200}
    other = sync(outage, access_token=ACCESS_TOKEN)
    assert other.run().status == 0
    assert other.seconds <= usual.seconds + 200 + 60 + 20
