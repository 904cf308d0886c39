"""Sending: one host, the same method, within the quota, and left when asked to."""

from __future__ import annotations

import logging
import signal
import threading

import pytest
import requests
from list_model import FakeClock
from requests.adapters import BaseAdapter

from tap_drchrono.api.outage import Outage
from tap_drchrono.api.quota import Quota
from tap_drchrono.api.transport import Transport, silence_libraries
from tap_drchrono.clock import Clock
from tap_drchrono.errors import HostError, Stopped

URL = "https://drchrono.invalid/api/patients_list?since=1970-01-01"


class Answers(BaseAdapter):
    """Gives prepared answers, and keeps what was asked."""

    def __init__(self, *answers):
        super().__init__()
        self.answers = list(answers)
        self.asked = []
        self.options = []

    def send(self, request, **options):
        self.asked.append(request)
        self.options.append(options)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, headers, body = answer
        response = requests.Response()
        response.status_code = status
        response.headers.update(headers)
        response._content = body.encode()  # noqa: SLF001 - as if received
        response.url = request.url
        response.request = request
        return response

    def close(self):
        pass


class OneClock(FakeClock):
    """Runs calls at once, and is told the time."""

    def __init__(self, machine_ahead=0.0):
        super().__init__()
        self.machine_ahead = machine_ahead
        self.was_told = []

    def told(self, server_time):
        self.was_told.append(server_time)
        return self.machine_ahead

    def call(self, function, grace=0.0):
        del grace
        return function()


OK = (200, {}, "fine")
THROTTLED = (429, {}, '{"detail": "Expected available in 30 seconds."}')


def to(location):
    return (302, {"Location": location}, "")


@pytest.fixture
def clock():
    return OneClock()


def outage_with(clock):
    return Outage(clock, logging.getLogger("tap-drchrono.test"), 900)


def transport_of(clock, *answers, url=URL, method="POST", timeout=7):
    session = requests.Session()
    adapter = Answers(*answers)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    quota = Quota(500, clock, logging.getLogger("tap-drchrono.test"))
    request = requests.Request(
        method, url, headers={"Authorization": "Bearer x"}, data={"a": "b"}
    ).prepare()
    transport = Transport(session, quota, outage_with(clock), clock, timeout)
    return (lambda: transport.send(request)), adapter, quota


def test_a_request_is_sent_once_and_counted(clock):
    send, adapter, quota = transport_of(clock, OK)
    assert send().text == "fine"
    assert len(adapter.asked) == quota.used == 1
    (options,) = adapter.options
    assert options["timeout"] == 7
    assert options["verify"]


@pytest.mark.parametrize("status", [201, 304, 400, 401, 403, 404, 500, 503])
def test_other_answers_are_handed_on(clock, status):
    send, adapter, _ = transport_of(clock, (status, {}, "x"))
    assert send().status_code == status
    assert len(adapter.asked) == 1


def test_an_error_is_handed_on(clock):
    send, _, quota = transport_of(clock, requests.ConnectionError("no"))
    with pytest.raises(requests.ConnectionError):
        send()
    assert quota.used == 1


def test_throttling_is_waited_out_and_counted(clock):
    start = clock.now()
    send, adapter, quota = transport_of(clock, THROTTLED, THROTTLED, OK)
    assert send().status_code == 200
    assert len(adapter.asked) == quota.used == 3
    assert 60 <= clock.now() - start < 70


DATED = {"Date": "Wed, 15 Nov 2023 00:00:00 GMT"}
DATE = 1_700_006_400.0


class TestTheServersTime:
    @pytest.mark.parametrize("status", [200, 302, 401, 404, 429, 503])
    def test_is_told_by_every_answer(self, clock, status):
        headers = DATED | {"Location": "/a"}
        send, _, _ = transport_of(clock, (status, headers, ""), OK)
        send()
        assert clock.was_told == [DATE]

    @pytest.mark.parametrize("headers", [{}, {"Date": "yesterday"}])
    def test_is_not_told_by_an_answer_without_it(self, clock, headers):
        send, _, _ = transport_of(clock, (200, headers, ""))
        send()
        assert clock.was_told == []

    @pytest.mark.parametrize(
        ("ahead", "words"),
        [
            (301.0, "5 minutes ahead of"),
            (-172_800.0, "2.0 days behind"),
            (299.0, ""),
            (-299.0, ""),
        ],
    )
    def test_that_is_far_from_the_machine_s_is_said_once(self, caplog, ahead, words):
        caplog.set_level(logging.WARNING)
        answers = [(200, DATED, "")] * 3
        send, _, _ = transport_of(OneClock(ahead), *answers)
        for _ in range(3):
            send()
        assert [words in r.message for r in caplog.records] == [True] * bool(words)

    def test_measures_a_date_to_wait_for(self, clock):
        after = {"Retry-After": "Wed, 15 Nov 2023 00:02:00 GMT"}
        send, _, _ = transport_of(clock, (429, DATED | after, ""), OK)
        start = clock.now()
        send()
        assert 120 <= clock.now() - start <= 122


class TestOutOfService:
    """A 503 that says how long holds everything; `--test` waits for nothing."""

    @staticmethod
    def out(after):
        return (503, {"Retry-After": after}, "")

    @pytest.mark.parametrize(("after", "waited"), [("90", 90), ("3600", 3600)])
    def test_is_believed(self, clock, after, waited):
        send, _, _ = transport_of(clock, self.out(after), OK)
        start = clock.now()
        assert send().status_code == 503
        assert clock.now() == start
        assert send().status_code == 200
        assert waited <= clock.now() - start <= waited + 2

    @pytest.mark.parametrize("after", ["", "0", "3601", "99999999", "soon"])
    def test_is_not_where_nobody_can_mean_it(self, clock, after):
        send, _, _ = transport_of(clock, self.out(after), OK)
        start = clock.now()
        send()
        send()
        assert clock.now() == start

    @pytest.mark.parametrize("status", [200, 500, 502])
    def test_is_only_what_is_said_to_be(self, clock, status):
        send, _, _ = transport_of(clock, (status, {"Retry-After": "90"}, ""), OK)
        start = clock.now()
        send()
        send()
        assert clock.now() == start

    def test_nobody_who_looks_on_waits(self, clock):
        session = requests.Session()
        adapter = Answers(self.out("90"), OK, THROTTLED)
        session.mount("https://", adapter)
        outage = outage_with(clock)
        quota = Quota(500, clock, logging.getLogger("tap-drchrono.test"))
        transport = Transport(session, quota, outage, clock, 60)
        outage.hurried = True
        transport.hurry()
        request = requests.Request("GET", URL).prepare()
        start = clock.now()
        for status in (503, 200):
            assert transport.send(request).status_code == status
        with pytest.raises(HostError, match="top of the hour"):
            transport.send(request)
        assert clock.now() == start
        assert {options["timeout"] for options in adapter.options} == {7}


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize("method", ["POST", "GET"])
    @pytest.mark.parametrize(
        "location", ["/elsewhere?x=1", "https://drchrono.invalid/e"]
    )
    def test_on_the_host_are_replayed(self, clock, status, method, location):
        moved = (status, {"Location": location}, "")
        send, adapter, quota = transport_of(clock, moved, OK, method=method)
        assert send().status_code == 200
        first, second = adapter.asked
        assert second.method == first.method == method
        assert second.url.startswith("https://drchrono.invalid/e")
        assert second.body == first.body == "a=b"
        assert second.headers["Authorization"] == "Bearer x"
        assert quota.used == 2

    @pytest.mark.parametrize(
        "location",
        [
            "https://example.invalid/",
            "//example.invalid/",
            "http://drchrono.invalid/api",
            "https://drchrono.invalid:8443/",
            "https://drchrono.invalid@example.invalid/",
            "https://user@drchrono.invalid/",
            "https://drchrono.invalid.example.invalid/",
        ],
    )
    def test_to_another_host_are_refused(self, clock, location):
        send, adapter, _ = transport_of(clock, to(location), OK)
        with pytest.raises(HostError, match="another host") as raised:
            send()
        assert len(adapter.asked) == 1
        assert "since" not in str(raised.value)
        assert "/api/patients_list" in str(raised.value)

    @pytest.mark.parametrize("headers", [{"Location": "/api"}, {}])
    def test_without_end_are_an_error(self, clock, headers):
        answers = [(302, headers, "")] * 20
        send, adapter, _ = transport_of(clock, *answers)
        with pytest.raises(HostError, match="without end"):
            send()
        assert len(adapter.asked) <= 6

    def test_in_between_throttling(self, clock):
        send, adapter, _ = transport_of(clock, to("/a"), THROTTLED, to("/b"), OK)
        assert send().status_code == 200
        assert adapter.asked[-1].url == "https://drchrono.invalid/b"


def test_the_certificate_is_always_checked(clock, monkeypatch):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, "")
    send, adapter, _ = transport_of(clock, OK)
    send()
    assert adapter.options[0]["verify"] is True


def test_proxies_of_the_environment_are_used_but_not_for_this_machine(
    clock, monkeypatch
):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    send, adapter, _ = transport_of(clock, OK)
    send()
    assert "proxy.invalid" in str(adapter.options[0]["proxies"])
    send, adapter, _ = transport_of(clock, OK, url="http://127.0.0.1:8000/")
    send()
    assert "proxy.invalid" not in str(adapter.options[0].get("proxies"))


def test_a_stop_ends_the_wait_for_an_answer():
    clock = Clock()
    released = threading.Event()

    class Hanging(Answers):
        def send(self, request, **options):
            clock.request_stop(signal.SIGTERM)
            released.wait(20)
            return super().send(request, **options)

    session = requests.Session()
    session.mount("https://", Hanging(OK))
    quota = Quota(500, clock, logging.getLogger("tap-drchrono.test"))
    transport = Transport(session, quota, outage_with(clock), clock, 60)
    request = requests.Request("GET", URL).prepare()
    with pytest.raises(Stopped) as raised:
        transport.send(request)
    assert raised.value.signum == signal.SIGTERM
    released.set()


def test_a_request_that_must_not_be_lost_is_waited_for():
    clock = Clock()

    class Slow(Answers):
        def send(self, request, **options):
            clock.request_stop(signal.SIGTERM)
            return super().send(request, **options)

    session = requests.Session()
    session.mount("https://", Slow(OK))
    quota = Quota(500, clock, logging.getLogger("tap-drchrono.test"))
    transport = Transport(session, quota, outage_with(clock), clock, 60)
    request = requests.Request("GET", URL).prepare()
    assert transport.send(request, grace=5.0).status_code == 200


@pytest.mark.parametrize("name", ["urllib3.connectionpool", "requests"])
def test_libraries_that_log_urls_are_silent(monkeypatch, name):
    """The root's own handler must not see them; pytest has others of its own."""
    silence_libraries()
    seen = []
    handler = logging.Handler(logging.DEBUG)
    monkeypatch.setattr(handler, "emit", seen.append)
    logging.getLogger().addHandler(handler)
    try:
        logging.getLogger(name).warning("%s", URL)
        logging.getLogger("tap-drchrono.test").warning("heard")
    finally:
        logging.getLogger().removeHandler(handler)
    assert [record.getMessage() for record in seen] == ["heard"]
