"""Whom a trouble concerns: one stream, everyone, or another host."""

from __future__ import annotations

import http.server
import os
import resource
import socket
import ssl
import subprocess
import threading

import pytest
from comparison import differences, source_of
from drchrono_sandbox import Api, Practice, Settings
from drchrono_sandbox.server import serve
from drchrono_sandbox.streams import STREAMS
from log_lines import errors_in, rows_of, warnings_in
from process import TAP, started
from simulated import NOW, SimulatedClock, catalog_of, pasted, run, settings_for
from target import Target

THREE = ("appointments", "patients", "prescription_messages")
ALL = tuple(STREAMS)


@pytest.fixture(scope="session")
def practice():
    return Practice.generate(records=40, now=NOW - 7200)


class Simulation:
    """A sandbox and a tap on one clock."""

    def __init__(self, practice: Practice, directory, faults=(), **settings):
        self.clock = SimulatedClock()
        base = Settings(list_base_seconds=2.0, **settings)
        self.api = Api(practice, base, clock=self.clock.now, faults=faults)
        self.directory = directory
        self.settings = settings_for(self.api, directory, page_size=10)
        self.copy = Target(checks=False)

    def run(self, *streams: str, **how):
        ended = run(
            self.api,
            self.clock,
            self.directory,
            self.settings,
            state=self.copy.state,
            catalog=catalog_of(*streams, extra=self.settings.get("extra_streams", "")),
            **{"level": "WARNING"} | how,
        )
        self.copy.read(ended.output)
        return ended

    def asked(self, method: str, endpoint: str) -> int:
        return sum(
            (entry.method, entry.endpoint) == (method, endpoint)
            for entry in self.api.log
        )


@pytest.fixture
def simulate(practice, tmp_path):
    def make(faults=(), **settings):
        return Simulation(practice, tmp_path, faults, **settings)

    return make


@pytest.mark.parametrize("kind", ["403", "503", "close", "list_failed", "400", "html"])
@pytest.mark.parametrize("stream", ["appointments", "line_items", "transactions"])
def test_the_other_seven_streams_complete(simulate, stream, kind):
    simulation = simulate(
        [{"kind": kind, "endpoint": stream, "method": "POST", "times": None}]
    )
    ended = simulation.run(*ALL)

    assert ended.status == 1
    assert f"1 of 8 streams failed: {stream}." in ended.log
    others = source_of(simulation.api, [one for one in ALL if one != stream])
    assert differences(simulation.copy, others) == {}
    assert simulation.copy.bookmark(stream) is None


def test_the_bookmark_of_a_failed_stream_stays_where_the_last_page_left_it(simulate):
    simulation = simulate(
        [{"kind": "503", "endpoint": "patients", "page": 4, "times": None}]
    )
    ended = simulation.run(*THREE)

    sent = simulation.copy.tables["patients"].values()
    assert ended.status == 1
    assert 0 < len(sent) < 40
    assert simulation.copy.bookmark("patients") == max(
        record["updated_at"] for record in sent
    )


def test_each_failed_stream_is_in_the_summary(simulate):
    simulation = simulate([{"kind": "503", "method": "POST", "times": None}])
    ended = simulation.run(*THREE)

    assert ended.status == 1
    assert "3 of 3 streams failed: appointments, patients, prescr" in ended.log
    for stream in THREE:
        assert f"{stream}: HTTP 503 for /api/{stream}_list, 7 times" in ended.log


def test_the_requests_of_a_stream_are_its_own_also_those_asked_ahead(simulate):
    simulation = simulate()
    simulation.settings["page_size"] = 1000
    log = simulation.run(*THREE, level="INFO").log

    told = {name: int(row[2]) for name, row in rows_of(log).items() if name != "all"}
    sent = {
        one: simulation.asked("POST", one) + simulation.asked("GET", one)
        for one in THREE
    }
    assert told == sent


@pytest.mark.parametrize("cut", ["refused", "unknown host", "bad certificate"])
def test_a_host_that_nobody_reaches_stops_everyone(simulate, cut):
    simulation = simulate([{"kind": "close", "times": None}])
    ended = simulation.run(*ALL, cut=cut)

    assert ended.status == 1
    assert "DrChrono gives no usable answer" in ended.log
    assert sum(simulation.asked("POST", one) for one in ALL[1:]) == 0


def test_a_refused_grant_stops_everyone_at_once(simulate):
    simulation = simulate([{"kind": "invalid_grant", "endpoint": "token"}])
    ended = simulation.run(*ALL)

    assert ended.status == 1
    assert "A person must authorize again" in ended.log
    assert [entry.endpoint for entry in simulation.api.log] == ["token"]


@pytest.mark.parametrize("times", [1, 2], ids=["once", "and elsewhere"])
def test_a_401_in_the_middle_is_got_over_and_the_sync_goes_on(simulate, times):
    """The token is replaced where another stream refuses it too."""
    simulation = simulate([{"kind": "401", "nth": 12, "times": times}])
    ended = simulation.run(*THREE)

    assert ended.status == 0
    assert simulation.asked("POST", "token") == times
    assert differences(simulation.copy, source_of(simulation.api, THREE)) == {}


def test_a_fresh_token_that_is_refused_for_a_moment_is_kept(simulate):
    simulation = simulate(fresh_refused_seconds=3.0)
    ended = simulation.run(*THREE)

    assert ended.status == 0
    assert simulation.asked("POST", "token") == 1


def test_a_pasted_token_that_expires_says_so(simulate, tmp_path):
    simulation = simulate(access_seconds=6)
    simulation.settings = settings_for(
        simulation.api, tmp_path, access_token=pasted(simulation.api), page_size=10
    )
    ended = simulation.run(*ALL)

    assert ended.status == 1
    assert "The setting access_token has expired or is wrong (HTTP 401)." in ended.log
    assert simulation.asked("POST", "token") == 0
    assert "streams failed" not in ended.log
    assert simulation.copy.tables


class TestScopes:
    def test_a_stream_of_which_no_scope_is_granted_fails_unread(self, simulate):
        simulation = simulate(granted_scope="calendar:read clinical:read")
        ended = simulation.run(*THREE)

        assert ended.status == 1
        why, _ = errors_in(ended.log)
        assert why.startswith(
            "patients: not read, since the authorization has none of its scopes "
            "(patients:read). Run tap-drchrono-authorize "
        )
        assert "1 of 3 streams failed: patients." in ended.log
        assert rows_of(simulation.run(*THREE, level="INFO").log)["patients"][-1] == (
            "failed"
        )
        assert not simulation.asked("POST", "patients")
        assert simulation.copy.bookmark("patients") is None
        others = source_of(simulation.api, ["appointments", "prescription_messages"])
        assert differences(simulation.copy, others) == {}

    def test_one_that_lacks_some_is_read_with_a_warning(self, simulate):
        simulation = simulate(granted_scope="calendar:read patients:read")
        ended = simulation.run("appointments", "patients")

        assert ended.status == 0
        assert (
            "appointments: the authorization lacks the scopes clinical:read; DrChrono "
            "may leave out records without an error."
        ) in ended.log
        assert "patients: " not in ended.log

    def test_a_list_that_nobody_asked_for_only_warns(self, simulate):
        simulation = simulate(granted_scope="patients:read")
        ended = simulation.run("patients", "doctors", "staff", "users")

        assert ended.status == 0
        (said,) = [line for line in warnings_in(ended.log) if "scopes" in line]
        assert "records may be missing: doctors (" in said
        assert "patients" not in said
        assert "staff" not in said

    def test_a_list_that_was_asked_for_fails(self, simulate):
        simulation = simulate(granted_scope="patients:read")
        simulation.settings["extra_streams"] = "tasks"
        ended = simulation.run("patients", "tasks")

        assert ended.status == 1
        assert errors_in(ended.log)[0].startswith("tasks: not read, since the ")

    def test_a_scope_that_is_refused_costs_its_stream_only(self, simulate):
        simulation = simulate(
            granted_scope="calendar:read patients:read", missing_scope="403"
        )
        ended = simulation.run(*THREE)

        assert ended.status == 1
        assert "2 of 3 streams failed: appointments, prescription_mess" in ended.log
        assert len(simulation.copy.tables["patients"]) == 40


@pytest.fixture
def elsewhere():
    """Another host of this machine; notes what arrives there."""
    arrived = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            arrived.append((self.path, dict(self.headers)))
            self.send_response(200)
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", arrived
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("endpoint", ["appointments", "token"])
@pytest.mark.parametrize(
    "location",
    ["http://{}/api", "//{}/api", "http://user@{}/", "\\\\{}\\x", "http:\\\\{}"],
)
def test_a_redirect_to_another_host_is_refused_and_nothing_goes_there(
    practice, tmp_path, elsewhere, endpoint, location
):
    host, arrived = elsewhere
    fault = {
        "kind": "redirect_elsewhere",
        "endpoint": endpoint,
        "location": location.format(host),
        "times": None,
    }
    with serve(api=Api(practice, faults=[fault])) as served:
        ended = started(served.url, served.api, tmp_path).end()

    assert ended.status == 1
    assert arrived == []
    assert host not in ended.log
    if "\\" not in location:  # which is part of a path
        assert "redirects to another host, which is refused" in ended.log


def test_a_redirect_on_the_host_keeps_method_and_parameters(practice, tmp_path):
    faults = [
        {"kind": "redirect", "method": "POST", "endpoint": "appointments"},
        {"kind": "redirect", "method": "GET", "endpoint": "appointments"},
        {"kind": "redirect", "endpoint": "token", "permanent": True},
    ]
    with serve(api=Api(practice, faults=faults)) as served:
        ended = started(
            served.url, served.api, tmp_path, streams=("appointments",)
        ).end()

    assert ended.status == 0, ended.log
    posts = [entry for entry in served.api.log if entry.method == "POST"]
    assert [entry.endpoint for entry in posts[:2]] == ["token", "token"]
    assert [(entry.page, entry.since) for entry in posts[2:4]] == [
        (1, "1970-01-01")
    ] * 2


@pytest.fixture
def untrusted(tmp_path):
    """A TLS server of this machine with a certificate that nobody vouches for."""
    pem = tmp_path / "untrusted.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(pem), "-out", f"{pem}.crt"),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{pem}.crt", pem)
    listener = socket.create_server(("127.0.0.1", 0))
    received = []

    def accept():
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with plain:
                try:
                    with context.wrap_socket(plain, server_side=True) as connection:
                        received.append(connection.recv(4096))
                except OSError:
                    received.append(b"")

    threading.Thread(target=accept, daemon=True).start()
    yield f"https://localhost:{listener.getsockname()[1]}", received
    listener.close()


def test_no_setting_and_no_variable_turns_off_the_check_of_certificates(
    practice, tmp_path, untrusted, monkeypatch
):
    url, received = untrusted
    variables = {
        "PYTHONHTTPSVERIFY": "0",
        "REQUESTS_CA_BUNDLE": "",
        "CURL_CA_BUNDLE": "",
        "SSL_NO_VERIFY": "1",
        "GIT_SSL_NO_VERIFY": "1",
        "NODE_TLS_REJECT_UNAUTHORIZED": "0",
        "TAP_DRCHRONO_VERIFY": "false",
        "TAP_DRCHRONO_VERIFY_SSL": "false",
    }
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    api = Api(practice)
    settings = settings_for(api, tmp_path, access_token=pasted(api), api_url=url)
    ended = run(
        api,
        SimulatedClock(),
        tmp_path,
        settings,
        over_sockets=True,
        environment=variables,
    )

    assert ended.status == 1
    assert "TLS certificate is not accepted" in ended.log
    assert "cannot be reached" in ended.log
    assert len(received) >= 1
    assert set(received) == {b""}


def test_plain_http_goes_past_a_proxy_to_this_machine(practice, tmp_path, elsewhere):
    host, arrived = elsewhere
    proxy = f"http://{host}"
    variables = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), proxy)
    variables["NO_PROXY"] = variables["no_proxy"] = ""
    with serve(api=Api(practice)) as served:
        ended = started(served.url, served.api, tmp_path, variables=variables).end()

    assert ended.status == 0, ended.log
    assert arrived == []


def test_two_taps_started_together_refresh_once_and_both_succeed(practice, tmp_path):
    directories = [tmp_path / name for name in ("one", "two")]
    pair = {"TAP_DRCHRONO_CREDENTIALS_PATH": str(tmp_path / "kept" / "pair.json")}
    with serve(api=Api(practice)) as served:
        taps = []
        for directory in directories:
            directory.mkdir()
            taps.append(started(served.url, served.api, directory, variables=pair))
        ends = [tap.end() for tap in taps]

    assert [end.status for end in ends] == [0, 0], ends[0].log + ends[1].log
    tokens = [entry for entry in served.api.log if entry.endpoint == "token"]
    assert len(tokens) == 1
    source = source_of(served.api, THREE)
    assert [
        differences(Target(checks=False).read(end.output), source) for end in ends
    ] == [{}, {}]


def test_a_disk_without_room_for_the_credentials_costs_no_token(practice, tmp_path):
    def no_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    # The limit holds for the log as well, which is a file here.
    variables = {"LOGLEVEL": "ERROR"}
    with serve(api=Api(practice)) as served:
        ended = started(
            served.url, served.api, tmp_path, prepare=no_room, variables=variables
        ).end()

    assert ended.status == 1
    assert "cannot be written" in ended.log
    assert served.api.log == []
    assert not (tmp_path / "kept" / "pair.json").exists()


@pytest.mark.parametrize("place", ["full disk", "closed pipe"])
def test_an_output_that_takes_nothing_ends_the_run_quietly(practice, tmp_path, place):
    environment = {**os.environ, "TAP_DRCHRONO_ACCESS_TOKEN": "sandbox-access"}
    with serve(api=Api(practice)) as served:
        environment["TAP_DRCHRONO_API_URL"] = served.url
        if place == "full disk":
            output = os.open("/dev/full", os.O_WRONLY)
        else:
            reader, output = os.pipe()
            os.close(reader)
        try:
            ended = subprocess.run(
                [TAP, "--config", "ENV"],
                stdout=output,
                stderr=subprocess.PIPE,
                env=environment,
                cwd=tmp_path,
                timeout=60,
                check=False,
            )
        finally:
            os.close(output)

    log = ended.stderr.decode()
    assert ended.returncode not in {0, 120}
    assert "Traceback" not in log
    assert "Exception ignored" not in log
    assert "unexpected" not in log
    if place == "full disk":
        assert "No space left on device" in log
