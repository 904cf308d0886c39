"""Grants, refreshes and refusals, from the command line to the file."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import threading
import time

import pytest
from comparison import differences, source_of
from drchrono_sandbox import REFRESH_TOKEN, Api, Practice, Settings
from drchrono_sandbox.server import serve
from process import started
from simulated import NOW, URL, SimulatedClock, catalog_of, pasted, run, settings_for
from target import Target

THREE = ("appointments", "patients", "prescription_messages")
DAY = 86_400.0


@pytest.fixture(scope="module")
def practice():
    return Practice.generate(records=40, now=NOW - 7200)


class Practices:
    """A sandbox whose one API application several practices have authorized."""

    def __init__(self, practice, directory, faults=(), **settings):
        self.clock = SimulatedClock()
        base = Settings(list_base_seconds=2.0, refresh_revokes=True, **settings)
        self.api = Api(practice, base, clock=self.clock.now, faults=faults)
        self.directory = directory
        self.environment = {"XDG_STATE_HOME": str(directory / "state")}
        self.settings = settings_for(self.api, directory, page_size=10)
        del self.settings["credentials_path"]
        self.kept = directory / "state" / "tap-drchrono"

    def authorize(self):
        """Let one more practice authorize; return its refresh token."""
        client = self.settings["client_id"]
        return self.api.oauth.add_grant(client, self.clock.now()).refresh_token

    def paste(self):
        """Use an access token that a person has pasted."""
        changes = {"access_token": pasted(self.api), "page_size": 10}
        self.settings = settings_for(self.api, self.directory, **changes)

    def run(self, *streams, **changes):
        settings = self.settings | changes
        settings = {name: one for name, one in settings.items() if one is not None}
        return run(
            self.api,
            self.clock,
            self.directory,
            settings,
            catalog=catalog_of(
                *(streams or ("patients",)), extra=settings.get("extra_streams", "")
            ),
            environment=self.environment,
            level="WARNING",
        )

    def refreshes(self):
        """How often each grant was refreshed, in the order of their beginning."""
        return [grant.refreshes for grant in self.api.oauth.grants.values()]

    def asked_for_tokens(self):
        return sum(entry.endpoint == "token" for entry in self.api.log)


@pytest.fixture
def practices(practice, tmp_path):
    def make(faults=(), **settings):
        return Practices(practice, tmp_path, faults, **settings)

    return make


@pytest.mark.parametrize("left", ["", None], ids=["emptied", "removed"])
def test_the_setting_can_be_removed_after_the_first_run(practices, left):
    tap = practices()
    assert tap.run().status == 0
    for days in (0, 1, 3):
        tap.clock.time += days * DAY
        ended = tap.run(refresh_token=left)
        assert ended.status == 0, ended.log
    assert tap.refreshes() == [2]


def test_two_practices_share_an_application_and_a_file(practices):
    tap = practices()
    north, south = tap.settings["refresh_token"], tap.authorize()
    for _ in range(3):
        for token in (north, south):
            assert tap.run(refresh_token=token).status == 0
        tap.clock.time += 3 * DAY
    assert tap.refreshes() == [3, 3]
    assert len(list(tap.kept.glob("*.json"))) == 1
    before = tap.asked_for_tokens()
    ended = tap.run(refresh_token=None)
    assert ended.status == 1
    assert "2 authorizations are kept" in ended.log
    assert tap.asked_for_tokens() == before


@pytest.mark.parametrize("with_setting", [True, False])
def test_a_file_of_the_first_version_goes_on(practices, with_setting):
    tap = practices()
    token, client = tap.settings["refresh_token"], tap.settings["client_id"]
    name = hashlib.sha256(f"{URL}\n{client}\n{token}".encode()).hexdigest()[:12]
    now, grant = tap.clock.now(), tap.api.oauth.grants[token]
    stored = {
        "api_url": URL,
        "client_id": client,
        "pair": {
            "access_token": "ended",
            "refresh_token": token,
            "obtained_at": now - 3 * DAY,
            "expires_at": now - DAY,
            "scope": grant.scope,
        },
        "descends_from": hashlib.sha256(b"an older one").hexdigest(),
        "superseded": [hashlib.sha256(token.encode()).hexdigest()],
        "version": 1,
    }
    tap.kept.mkdir(parents=True)
    former = tap.kept / f"credentials-{name}.json"
    former.write_text(json.dumps(stored))
    former.chmod(0o600)
    for _ in range(2):
        ended = tap.run(refresh_token=token if with_setting else None)
        assert ended.status == 0, ended.log
        tap.clock.time += 3 * DAY
    assert tap.refreshes() == [2]


def test_ten_minutes_of_503_at_the_token_endpoint_cost_nothing(practices):
    tap = practices([{"kind": "503", "endpoint": "token", "times": 13}])
    start = tap.clock.time
    ended = tap.run(*THREE)
    assert ended.status == 0, ended.log
    assert tap.clock.time - start > 500
    assert tap.refreshes() == [1]


@pytest.mark.parametrize("seconds", [3, 20, 29])
def test_a_new_token_may_be_refused_for_half_a_minute(practices, seconds):
    tap = practices(
        [{"kind": "401", "nth": 25, "times": 2}],
        fresh_refused_seconds=seconds,
    )
    ended = tap.run(*THREE)
    assert ended.status == 0, ended.log
    assert tap.refreshes() == [2]


def test_everyone_may_refuse_for_a_while_in_the_middle(practices):
    fault = {"kind": "401", "begins": NOW + 4, "ends": NOW + 24, "times": None}
    tap = practices([fault])
    ended = tap.run(*THREE)
    assert ended.status == 0, ended.log
    assert tap.refreshes() == [1 + 1]
    assert tap.api.faults.applied[0] > 1
    copy = Target(checks=False).read(ended.output)
    assert differences(copy, source_of(tap.api, THREE)) == {}


ALONE = pytest.mark.parametrize(
    "page", [None, 2], ids=["from the start", "after its first page"]
)


@ALONE
@pytest.mark.parametrize("stream", THREE)
@pytest.mark.parametrize("is_pasted", [False, True], ids=["OAuth", "pasted"])
def test_a_stream_that_refuses_every_token_fails_alone(
    practices, stream, page, is_pasted
):
    tap = practices([{"kind": "401", "endpoint": stream, "page": page, "times": None}])
    if is_pasted:
        tap.paste()
    start = tap.clock.time
    ended = tap.run(*THREE)
    assert ended.status == 1
    assert f"1 of 3 streams failed: {stream}." in ended.log
    assert f"{stream}: DrChrono refuses access" in ended.log
    assert "HTTP 401" in ended.log
    others = [one for one in THREE if one != stream]
    copy = Target(checks=False).read(ended.output)
    assert differences(copy, source_of(tap.api, others)) == {}
    assert tap.asked_for_tokens() == (not is_pasted)
    assert tap.clock.time - start < 60


@pytest.mark.parametrize("extra", [False, True], ids=["offered", "on request"])
@pytest.mark.parametrize("is_pasted", [False, True], ids=["OAuth", "pasted"])
def test_a_companion_that_refuses_every_token_costs_only_what_was_asked_for(
    practices, extra, is_pasted
):
    name = "tasks" if extra else "doctors"
    tap = practices([{"kind": "401", "endpoint": name, "times": None}])
    if is_pasted:
        tap.paste()
    if extra:
        tap.settings["extra_streams"] = name
    ended = tap.run("patients", name)
    assert ended.status == int(extra), ended.log
    assert f"{name}: DrChrono refuses access" in ended.log
    copy = Target(checks=False).read(ended.output)
    assert differences(copy, source_of(tap.api, ["patients"])) == {}
    assert tap.asked_for_tokens() == (not is_pasted)


def test_a_companion_that_refuses_costs_a_second_each_night(practices):
    tap = practices([{"kind": "401", "endpoint": "doctors", "times": None}])
    tap.run("patients", "doctors")
    tap.clock.time += DAY
    before, start = len(tap.api.log), tap.clock.time
    ended = tap.run("patients", "doctors")
    assert ended.status == 0
    new = tap.api.log[before:]
    assert [one.status for one in new if one.endpoint == "doctors"] == [401, 401]
    assert tap.clock.time - start < 15
    assert tap.refreshes() == [1]


def test_many_companions_that_refuse_cost_a_second_each(practices):
    names = ("doctors", "offices", "users", "staff", "custom_vitals")
    tap = practices([{"kind": "401", "endpoint": one, "times": None} for one in names])
    tap.run("patients", *names)
    tap.clock.time += DAY
    start = tap.clock.time
    ended = tap.run("patients", *names)
    assert ended.status == 0
    assert ended.log.count("DrChrono refuses access") == len(names)
    assert tap.clock.time - start < 20
    assert tap.refreshes() == [1]


def test_where_no_stream_takes_a_token_all_stop(practices):
    tap = practices([{"kind": "401", "endpoint": "", "times": None}])
    ended = tap.run(*THREE)
    assert ended.status == 1
    assert "The API refuses the access token (HTTP 401), also after a" in ended.log
    assert tap.asked_for_tokens() == 2


@pytest.mark.parametrize("streams", [THREE, THREE[:1]], ids=["three", "one"])
def test_a_pasted_token_that_everybody_refuses_in_the_middle_stops_all(
    practices, streams
):
    tap = practices(access_seconds=6)
    tap.paste()
    start = tap.clock.time
    ended = tap.run(*streams)
    assert ended.status == 1
    assert "The setting access_token has expired or is wrong (HTTP 401)." in ended.log
    assert "streams failed" not in ended.log
    assert 30 < tap.clock.time - start < 60
    copy = Target(checks=False).read(ended.output)
    assert copy.tables
    assert copy.messages[-1]["type"] == "STATE"


@pytest.mark.parametrize("options", [[], ["--test"]], ids=["sync", "test"])
def test_a_wrong_pasted_token_is_told_once(practices, options):
    tap = practices()
    tap.settings = settings_for(tap.api, tap.directory, access_token="wrong")
    ended = run(
        tap.api, tap.clock, tap.directory, tap.settings, options=options, level="INFO"
    )
    assert ended.status == 1
    said = ended.log + ended.output.decode()
    assert said.count("The setting access_token has expired or is wrong") == 1
    assert len(tap.api.log) <= 15


class SlowTokens:
    """Holds back the answer of the token endpoint, though the token is spent."""

    def __init__(self, api):
        self._api, self._real = api, api.oauth.token
        self.spent, self.released = threading.Event(), threading.Event()
        api.oauth.token = self

    def __call__(self, request, now):
        answer = self._real(request, now)
        self.spent.set()
        assert self.released.wait(30)
        return answer


@pytest.mark.parametrize(
    "signals",
    [[signal.SIGTERM], [signal.SIGINT, signal.SIGTERM], [signal.SIGTERM] * 3],
    ids=["one", "Ctrl-C in meltano run", "three at once"],
)
def test_a_stop_during_a_refresh_waits_for_what_was_bought(practice, tmp_path, signals):
    with serve(api=Api(practice)) as served:
        tokens = SlowTokens(served.api)
        tap = started(served.url, served.api, tmp_path)
        assert tokens.spent.wait(30)
        for signum in signals:
            tap.process.send_signal(signum)
        # Several times as long as the tap takes to notice a signal.
        with pytest.raises(subprocess.TimeoutExpired):
            tap.process.wait(0.5)
        tokens.released.set()
        ended = tap.end()
    assert ended.status == 128 + signals[0]
    kept = (tmp_path / "kept" / "pair.json").read_text()
    assert [entry.endpoint for entry in served.api.log] == ["token"]
    (token,) = served.api.oauth.grants
    assert token in kept
    assert REFRESH_TOKEN not in kept


def test_signals_until_the_process_is_gone_are_one_wish(practice, tmp_path):
    """Also those that come while the interpreter ends."""
    with serve(api=Api(practice)) as served:
        tokens = SlowTokens(served.api)
        tap = started(served.url, served.api, tmp_path)
        assert tokens.spent.wait(30)
        tokens.released.set()
        begun = time.monotonic()
        while tap.process.poll() is None and time.monotonic() < begun + 4:
            tap.process.send_signal(signal.SIGINT)
            time.sleep(0.005)
        ended = tap.end()
    assert ended.status == 128 + signal.SIGINT
    assert "Traceback" not in ended.log
