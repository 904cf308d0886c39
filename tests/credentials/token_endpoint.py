"""A token endpoint in this process, which rotates single-use tokens."""

import json
import logging

import pytest
import requests
from oauth_server import CLIENT

from tap_drchrono.api.outage import Outage
from tap_drchrono.clock import Clock
from tap_drchrono.credentials.file import CredentialsFile
from tap_drchrono.credentials.grant import Grant, Pair, Stored
from tap_drchrono.credentials.refusals import Elsewhere

API = "https://drchrono.example"
HOURS = 3600.0
SCOPE = "billing:read patients:read"
SETTING = "settings-token"
PATH = "/api/patients_list"
OTHER = "/api/appointments_list"


class FakeClock(Clock):
    def __init__(self):
        super().__init__()
        self.time = 1_700_000_000.0
        self.slept = []

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.check()
        self.slept.append(seconds)
        self.time += seconds


def response(status, body, content_type="application/json"):
    answer = requests.Response()
    answer.status_code = status
    answer.headers["Content-Type"] = content_type
    text = body if isinstance(body, str) else json.dumps(body)
    answer._content = text.encode()  # noqa: SLF001 - no other way to make one
    return answer


class Lasting:
    """Faults that last for a time; a function tells the present one."""

    def __init__(self, answer):
        self._answer = answer

    def __bool__(self):
        return self._answer() is not None

    def pop(self, _):
        return self._answer()


class TokenEndpoint:
    """Rotates single-use tokens; `faults` are answers or errors that come first.

    A fault that is a function is called after the token was spent.
    """

    def __init__(self, *live):
        self.live = set(live)
        self.spent = []
        self.faults = []
        self.extra = {}
        self.serial = 0
        self.before_spending = lambda: None

    def __call__(self, prepared):
        assert prepared.method == "POST"
        assert prepared.url == f"{API}/o/token/"
        assert prepared.headers["Accept"] == "application/json"
        form = dict(pair.split("=") for pair in prepared.body.split("&"))
        assert form.pop("grant_type") == "refresh_token"
        token = form.pop("refresh_token")
        assert form == CLIENT
        self.spent.append(token)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Exception):
            raise fault
        if isinstance(fault, requests.Response):
            return fault
        self.before_spending()
        if token not in self.live:
            return response(400, {"error": "invalid_grant", "echo": token})
        self.live.remove(token)
        self.serial += 1
        self.live.add(f"refresh-{self.serial}")
        answer = {
            "access_token": f"access-{self.serial}",
            "refresh_token": f"refresh-{self.serial}",
            "expires_in": 172800,
            "scope": SCOPE,
        } | self.extra
        if fault:
            fault()
        return response(200, {k: v for k, v in answer.items() if v is not None})


def patience_of(clock):
    return Outage(clock, logging.getLogger("tap-drchrono.test"), 900)


UNCLEAR = [
    requests.ConnectTimeout(),
    requests.ReadTimeout(),
    requests.ConnectionError("reset"),
    response(500, {"status": "Error"}),
    response(503, "busy", "text/plain"),
    response(429, {"detail": "Request was throttled."}),
    response(200, "<html>", "text/html"),
    response(200, '{"access_token": "cut'),
    response(200, "[" * 100_000),
    response(200, {"token_type": "Bearer"}),
    response(200, {"access_token": "two\nlines"}),
    response(403, "<html>", "text/html"),
]


def the_file(path, clock):
    return CredentialsFile(
        path, api_url=API, client_id=CLIENT["client_id"], clock=clock
    )


def store(path, clock, *, access="stored-access", refresh="stored-refresh", age=0.0):
    file = the_file(path, clock)
    start = clock.time - age
    pair = Pair(access, refresh, start, start + 48 * HOURS, SCOPE)
    with file.lock():
        file.write(Stored(API, CLIENT["client_id"], (Grant(pair),)))


def kept(path, clock):
    (grant,) = the_file(path, clock).read().grants
    return grant.pair


def used(auth):
    request = requests.Request("GET", f"{API}/api/x", auth=auth).prepare()
    return request.headers["Authorization"].removeprefix("Bearer ")


def refuse_for_ever(auth, elsewhere=Elsewhere.REFUSED):
    """Refuse an endpoint's requests until they are not sent again."""
    for _ in range(50):
        if not auth.refused(PATH, elsewhere):
            return
        used(auth)
    pytest.fail("it has no end")
