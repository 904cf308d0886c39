"""Whether a host that fails has an outage, or one endpoint has trouble of its own."""

from __future__ import annotations

import logging

import pytest
import requests
from list_model import FakeClock
from singer_sdk.exceptions import RetriableAPIError
from singer_sdk.streams.rest import HTTPRequest

from tap_drchrono.api.answers import OddAnswerError
from tap_drchrono.api.ask import Api
from tap_drchrono.api.outage import Outage
from tap_drchrono.endpoints import Endpoint
from tap_drchrono.errors import EndpointError, HostError, StreamError

URL = "https://drchrono.invalid"
START = FakeClock().now()
FOREVER = float("inf")


def endpoint(name):
    return Endpoint(name, f"/api/{name}", "id", frozenset(), (), (), {})


A, B, C = map(endpoint, "abc")


class Authenticator:
    """Has a token that is taken, and doubts it where it is not."""

    doubt = "The access token is refused (HTTP 401)"

    def __call__(self, request):
        return request

    def accepted(self, path):
        del path

    def refused(self, path):
        del path
        return False


class Host:
    """Answers by path: 503 from one second of the test to another, else 200.

    Attributes:
        refused: Paths that are answered with 401.
    """

    refused = ()

    def __init__(self, clock, **down):
        self.clock = clock
        self.down = down
        self.asked = []

    def send(self, request):
        self.asked.append(request.path_url.removeprefix("/api/"))
        begins, ends = self.down.get(self.asked[-1], (0, 0))
        response = requests.Response()
        is_down = begins <= self.clock.now() - START < ends
        usual = 401 if self.asked[-1] in self.refused else 200
        response.status_code = 503 if is_down else usual
        return response


def read(response):
    if response.status_code != requests.codes.ok:
        msg = f"HTTP {response.status_code}"
        raise RetriableAPIError(msg, response)
    return "read"


def request_of(one):
    return HTTPRequest(URL + one.path, "GET")


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def api_with(clock):
    def make(*others, **down):
        logger = logging.getLogger("tap-drchrono.test")
        host = Host(clock, **down)
        outage = Outage(clock, logger, 900)
        outage.reached()
        api = Api(host, Authenticator(), outage, clock, logger)
        api.expect((one, request_of(one)) for one in others)
        return api, host

    return make


def ask(api, one=A, **how):
    return api.ask(one, request_of(one), read, **how).value


def test_what_passes_within_seven_tries_asks_nothing_else(api_with):
    api, host = api_with(A, B, a=(0, 30))
    assert ask(api) == "read"
    assert set(host.asked) == {"a"}
    assert len(host.asked) <= 7


def test_an_endpoint_with_trouble_of_its_own_is_told_by_another_one(api_with, clock):
    api, host = api_with(A, B, a=(0, FOREVER))
    with pytest.raises(EndpointError, match="HTTP 503 for /api/a, 7 times in a row"):
        ask(api)
    assert host.asked == ["a"] * 7 + ["b"]
    assert clock.now() - START < 40


def test_another_one_that_is_refused_answers_too(api_with):
    api, host = api_with(A, B, a=(0, FOREVER))
    host.refused = ("b",)
    with pytest.raises(EndpointError, match="for /api/a, 7 times"):
        ask(api)


@pytest.mark.parametrize("seconds", [60, 600, 890])
def test_an_outage_is_waited_out(api_with, clock, seconds):
    api, host = api_with(A, B, a=(0, seconds), b=(0, seconds))
    assert ask(api) == "read"
    assert seconds <= clock.now() - START <= seconds + 65
    assert len(host.asked) < 60


def test_an_outage_without_end_stops_everyone(api_with, clock):
    api, _ = api_with(A, B, a=(0, FOREVER), b=(0, FOREVER))
    with pytest.raises(HostError):
        ask(api)
    assert clock.now() - START == pytest.approx(900)


def test_one_that_is_alone_has_all_the_patience(api_with):
    api, host = api_with(A, a=(0, 600))
    assert ask(api) == "read"
    assert set(host.asked) == {"a"}


def test_two_endpoints_with_trouble_of_their_own_are_told_by_a_third(api_with, clock):
    api, _ = api_with(A, B, C, a=(0, FOREVER), b=(0, FOREVER))
    for one in (A, B):
        with pytest.raises(EndpointError):
            ask(api, one)
    assert ask(api, C) == "read"
    assert clock.now() - START < 200


def test_an_outage_that_ends_elsewhere_first_gets_seven_more_tries(api_with):
    api, _ = api_with(A, B, a=(0, 75), b=(0, 60))
    assert ask(api) == "read"


def test_the_second_time_it_fails_alone_at_once(api_with, clock):
    api, _ = api_with(A, B, a=(0, FOREVER))
    with pytest.raises(EndpointError):
        ask(api)
    assert ask(api, B) == "read"
    started = clock.now()
    with pytest.raises(EndpointError):
        ask(api)
    assert clock.now() - started < 40


def test_where_no_stream_gets_on_the_second_time_is_an_outage(api_with, clock):
    api, _ = api_with(A, B, a=(0, 600))
    with pytest.raises(EndpointError):
        ask(api)
    assert ask(api) == "read"
    assert 600 <= clock.now() - START <= 665


def test_and_ends_as_one_of_its_own(api_with, clock):
    api, _ = api_with(A, B, a=(0, FOREVER))
    for _ in range(2):
        with pytest.raises(EndpointError):
            ask(api)
    assert clock.now() - START == pytest.approx(900)


def test_what_makes_no_sense_is_no_outage(api_with, clock):
    api, host = api_with(A, B)

    def read_nothing(response):
        msg = "HTTP 200 without a known list status"
        raise RetriableAPIError(msg, response)

    with pytest.raises(StreamError) as raised:
        api.ask(A, request_of(A), read_nothing)
    assert not isinstance(raised.value, EndpointError)
    assert host.asked == ["a"] * 7
    assert clock.now() - START < 40


def test_a_request_that_is_tried_once_waits_for_nothing(api_with, clock):
    api, host = api_with(A, B, a=(0, FOREVER), b=(0, FOREVER))
    with pytest.raises(StreamError, match="HTTP 503 for /api/a, once"):
        ask(api, tries=1)
    assert host.asked == ["a"]
    assert clock.slept == []


def test_json_of_another_kind_is_looked_at_twice(api_with, clock):
    api, host = api_with(A, B)

    def read_odd(response):
        msg = "HTTP 200 without a list of records"
        raise OddAnswerError(msg, response)

    with pytest.raises(StreamError, match="twice in a row") as raised:
        api.ask(A, request_of(A), read_odd)
    assert "7 times" not in str(raised.value)
    assert host.asked == ["a", "a"]
    assert clock.now() - START < 2


def test_and_read_if_it_makes_sense_then(api_with):
    api, host = api_with(A, B)
    looks = []

    def read_second(response):
        looks.append(response)
        if len(looks) == 1:
            msg = "HTTP 200 without a list of records"
            raise OddAnswerError(msg, response)
        return "read"

    assert api.ask(A, request_of(A), read_second).value == "read"
    assert len(host.asked) == 2


def test_before_another_try_it_is_told_why_the_last_one_failed(api_with):
    api, _ = api_with(A, B, a=(0, 3))
    told = []
    api.ask(A, request_of(A), read, again=told.append)
    assert {str(error) for error in told} == {"HTTP 503"}
    assert len(told) == 3
