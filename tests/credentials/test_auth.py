import contextlib
import fcntl
import json
import logging
import threading
from multiprocessing import get_context

import pytest
import requests
from oauth_server import CLIENT, OAuthServer
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError

from tap_drchrono.api.outage import Outage
from tap_drchrono.clock import Clock
from tap_drchrono.credentials import refresh
from tap_drchrono.credentials.auth import Authenticator, Credentials
from tap_drchrono.credentials.file import CredentialsFile
from tap_drchrono.credentials.grant import Grant, Pair, Stored, new_grant
from tap_drchrono.errors import CredentialsError, HostError, Stopped
from tap_drchrono.streams.catalogue import missing_scopes, scopes

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


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def tokens():
    return TokenEndpoint("settings-token")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "kept" / "pair.json"


@pytest.fixture
def make(clock, tokens, path):
    def build(refresh_token=SETTING, *, environ=None, **other):
        settings = {"credentials_path": str(path)} | other
        credentials = Credentials(
            API, **CLIENT, refresh_token=refresh_token, **settings
        )
        return Authenticator(
            credentials,
            send=tokens,
            clock=clock,
            patience=patience_of(clock),
            environ=environ or {},
        )

    return build


@pytest.fixture
def pasted(clock, tokens):
    def build(token):
        credentials = Credentials(API, access_token=token)
        return Authenticator(
            credentials,
            send=tokens,
            clock=clock,
            patience=patience_of(clock),
            environ={},
        )

    return build


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


def refuse_for_ever(auth, path=PATH):
    """Refuse an endpoint's requests until they are not sent again."""
    for _ in range(50):
        if not auth.refused(path):
            return
        used(auth)
    pytest.fail("it has no end")


def test_the_settings_token_buys_the_first_pair_and_it_is_kept(
    make, tokens, path, clock
):
    auth = make()
    assert auth.scope is None
    assert [used(auth) for _ in range(3)] == ["access-1"] * 3
    assert tokens.spent == ["settings-token"]
    assert kept(path, clock) == Pair(
        "access-1",
        "refresh-1",
        clock.time,
        clock.time + 48 * HOURS,
        SCOPE,
    )
    assert auth.scope == {"billing:read", "patients:read"}


def test_nothing_happens_before_the_first_request(make, tokens, path):
    make()
    assert not tokens.spent
    assert not path.parent.exists()


def test_the_next_run_uses_what_is_stored(make, tokens):
    used(make())
    assert used(make()) == "access-1"
    assert used(make(None)) == "access-1"
    assert tokens.spent == ["settings-token"]


def test_the_chain_goes_on_over_many_runs(make, tokens, clock):
    for run in range(1, 6):
        assert used(make()) == f"access-{run}"
        clock.time += 50 * HOURS
    assert tokens.spent == ["settings-token"] + [f"refresh-{n}" for n in range(1, 5)]


def test_each_setting_has_its_grant_and_no_token_is_spent_twice(make, tokens):
    """One API application, two practices, one file."""
    assert used(make("settings-token")) == "access-1"
    tokens.live.add("other-practice")
    assert used(make("other-practice")) == "access-2"
    for setting, expected in {
        "settings-token": "access-1",
        "other-practice": "access-2",
        "refresh-1": "access-1",
        "refresh-2": "access-2",
    }.items():
        assert used(make(setting)) == expected
    auth = make("settings-token")
    assert used(auth) == "access-1"
    auth.accepted(PATH)
    assert auth.refused(PATH)
    assert used(auth) == "access-3"
    assert used(make("settings-token")) == used(make("refresh-1")) == "access-3"
    assert used(make("other-practice")) == "access-2"
    assert tokens.spent == ["settings-token", "other-practice", "refresh-1"]


def test_with_several_grants_and_no_setting_nothing_is_guessed(make, tokens, path):
    used(make("settings-token"))
    assert used(make(None)) == used(make("")) == "access-1"
    running = make(None)
    used(running)
    tokens.live.add("other-practice")
    used(make("other-practice"))
    with pytest.raises(CredentialsError, match="2 authorizations are kept") as caught:
        used(make(None))
    assert str(path) in str(caught.value)
    assert "refresh_token" in str(caught.value)
    # Whoever had found its grant before goes on with it.
    running.accepted(PATH)
    running.refused(PATH)
    assert used(running) == "access-3"
    assert tokens.spent == ["settings-token", "other-practice", "refresh-1"]


def test_no_token_at_all_is_an_error_that_says_how_to_get_one(make, tokens, path):
    with pytest.raises(CredentialsError, match="tap-drchrono-authorize") as caught:
        used(make(None))
    assert str(path) in str(caught.value)
    assert not tokens.spent


def test_a_token_is_replaced_ten_minutes_before_its_end_and_not_sooner(
    make, tokens, clock
):
    auth = make()
    used(auth)
    clock.time += 48 * HOURS - 601
    assert used(auth) == "access-1"
    clock.time += 1
    assert used(auth) == "access-2"
    assert tokens.spent == ["settings-token", "refresh-1"]


@pytest.mark.parametrize("told", [None, "soon", 0, -1, [], "Infinity"])
def test_a_lifetime_that_is_not_told_is_the_documented_one(
    make, tokens, path, clock, told
):
    tokens.extra = {"expires_in": told}
    used(make())
    assert kept(path, clock).expires_at == clock.time + 48 * HOURS


def test_a_refresh_token_that_is_not_returned_keeps_its_value(
    make, tokens, path, clock
):
    tokens.extra = {"refresh_token": None}
    used(make())
    assert kept(path, clock).refresh_token == "settings-token"


def test_the_pair_is_stored_before_it_is_used_and_storing_is_tried_before_spending(
    make, tokens, path, monkeypatch
):
    steps = []
    for name in ("check_writable", "write"):
        real = getattr(CredentialsFile, name)

        def noted(self, *args, _real=real, _name=name):
            steps.append(_name)
            return _real(self, *args)

        monkeypatch.setattr(CredentialsFile, name, noted)
    tokens.before_spending = lambda: steps.append("spend")
    auth = make()
    request = requests.Request("GET", f"{API}/api/x").prepare()
    auth(request)
    assert steps == ["check_writable", "spend", "write"]
    assert "access-1" in path.read_text()


def test_where_nothing_can_be_stored_no_token_is_spent(make, tokens, path):
    path.mkdir(parents=True)
    with pytest.raises(CredentialsError, match="cannot be"):
        used(make())
    assert not tokens.spent


def test_a_pair_that_could_not_be_stored_is_not_used(make, tokens, path):
    tokens.faults = [path.mkdir]
    with pytest.raises(CredentialsError, match="was spent meanwhile"):
        used(make())


def test_a_deleted_file_does_not_send_a_spent_token_again(make, tokens, path, clock):
    auth = make()
    used(auth)
    auth.accepted(PATH)
    path.unlink()
    auth.refused(PATH)
    assert used(auth) == "access-2"
    assert tokens.spent == ["settings-token", "refresh-1"]
    assert kept(path, clock).refresh_token == "refresh-2"


def test_a_token_that_worked_is_replaced_at_once_as_often_as_it_ends(make, clock):
    auth = make()
    for run in range(1, 6):
        assert used(auth) == f"access-{run}"
        auth.accepted(PATH)
        auth.refused(PATH)
    assert clock.slept == []


def test_a_new_token_is_given_half_a_minute_then_replaced_once(make, tokens, clock):
    auth = make()
    used(auth)
    start = clock.time
    refuse_for_ever(auth)
    assert tokens.spent == ["settings-token", "refresh-1"]
    assert clock.time - start == pytest.approx(60, abs=1)
    with pytest.raises(CredentialsError, match="also after a refresh"):
        auth.refused(OTHER)
    assert len(tokens.spent) == 2


@pytest.mark.parametrize("seconds", [0.5, 3, 20, 29.9])
def test_a_new_token_that_is_refused_for_a_while_is_kept(make, tokens, clock, seconds):
    auth = make()
    used(auth)
    good_at = clock.time + seconds
    while clock.time < good_at:
        assert auth.refused(PATH)
    assert used(auth) == "access-1"
    auth.accepted(PATH)
    assert tokens.spent == ["settings-token"]


def test_401_for_everyone_in_the_middle_costs_one_refresh(make, tokens, clock):
    auth = make()
    used(auth)
    auth.accepted(PATH)
    auth.accepted(OTHER)
    good_at = clock.time + 20
    while clock.time < good_at:
        assert auth.refused(PATH)
    auth.accepted(PATH)
    auth.accepted(OTHER)
    assert tokens.spent == ["settings-token", "refresh-1"]


def test_a_stop_ends_the_wait_for_a_new_token(make, clock):
    auth = make()
    used(auth)
    clock.request_stop(15)
    with pytest.raises(Stopped):
        auth.refused(PATH)


def test_a_refused_token_gives_way_to_a_newer_one_that_is_stored(make, tokens):
    auth = make()
    used(auth)
    auth.accepted(PATH)
    used_by_another = make()
    used(used_by_another)
    used_by_another.accepted(PATH)
    used_by_another.refused(PATH)
    auth.refused(PATH)
    assert used(auth) == used(used_by_another) == "access-2"
    assert tokens.spent == ["settings-token", "refresh-1"]


def test_a_pasted_token_that_ended_says_so(pasted, clock, tokens):
    auth = pasted("pasted-token")
    assert used(auth) == "pasted-token"
    assert auth.scope is None
    auth.accepted(PATH)
    with pytest.raises(CredentialsError, match="access_token has expired or is wrong"):
        refuse_for_ever(auth)
    assert sum(clock.slept) == 30
    assert not tokens.spent


def test_a_pasted_token_that_never_worked_is_given_half_a_minute(pasted, clock):
    auth = pasted("pasted-token")
    used(auth)
    refuse_for_ever(auth)
    assert "access_token has expired" in auth.doubt
    with pytest.raises(CredentialsError, match="access_token has expired"):
        auth.refused(OTHER)
    assert sum(clock.slept) == 30


def test_one_endpoint_that_refuses_is_given_up_and_the_others_go_on(make, tokens):
    auth = make()
    used(auth)
    auth.accepted(OTHER)
    refuse_for_ever(auth)
    assert auth.doubt is None
    auth.accepted(OTHER)
    assert not auth.refused(PATH)
    assert used(auth) == "access-2"
    assert tokens.spent == ["settings-token", "refresh-1"]


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "café"])
def test_a_pasted_token_that_no_header_can_hold_is_not_quoted(pasted, token):
    with pytest.raises(CredentialsError, match="access_token") as caught:
        used(pasted(token))
    assert token not in str(caught.value)


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


@pytest.mark.parametrize("fault", UNCLEAR, ids=repr)
def test_without_a_usable_answer_the_token_is_tried_again_later(
    make, tokens, clock, fault
):
    tokens.faults = [fault, fault]
    assert used(make()) == "access-1"
    assert tokens.spent == ["settings-token"] * 3
    assert clock.slept == [2.0, 4.0]


@pytest.mark.parametrize("fault", UNCLEAR, ids=repr)
def test_an_outage_of_a_quarter_of_an_hour_is_the_end_and_what_is_stored_stays(
    make, tokens, path, clock, fault
):
    store(path, clock, age=48 * HOURS)
    before = path.read_bytes()
    start = clock.time
    tokens.faults = [fault] * 50
    with pytest.raises(HostError, match=r"no usable answer .*, for 15 minutes"):
        used(make(None))
    assert clock.time - start == pytest.approx(900)
    assert len(tokens.spent) < 25
    assert path.read_bytes() == before


def test_ten_minutes_of_503_cost_no_grant_and_are_told_once_a_minute(
    make, tokens, clock, caplog
):
    good_at = clock.time + 600

    def answer():
        return UNCLEAR[4] if clock.time < good_at else None

    tokens.faults = Lasting(answer)
    assert used(make()) == "access-1"
    assert set(tokens.spent) == {"settings-token"}
    assert clock.time - good_at < 60
    warnings = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) < 16


def unreachable():
    pool = HTTPConnectionPool("drchrono.invalid")
    reason = NewConnectionError(pool, "refused")
    return requests.ConnectionError(MaxRetryError(pool, "/o/token/", reason))


def test_a_host_that_nobody_reaches_stops_the_start_soon(make, tokens, clock):
    start = clock.time
    tokens.faults = [unreachable()] * 50
    with pytest.raises(HostError, match="cannot be reached"):
        used(make())
    assert clock.time - start < 10


def test_an_outage_is_told_in_words(make, tokens, caplog):
    tokens.faults = [requests.ReadTimeout()]
    used(make())
    assert "(No answer in time)" in caplog.text


def test_a_host_that_was_reached_before_is_waited_for(make, tokens, clock):
    auth = make()
    used(auth)
    auth.accepted(PATH)
    tokens.faults = [unreachable()] * 8
    start = clock.time
    assert auth.refused(PATH)
    assert used(auth) == "access-2"
    assert clock.time - start > 60


def test_after_an_unclear_outcome_a_token_that_still_lives_is_used_first(
    make, tokens, path, clock
):
    store(path, clock, age=48 * HOURS - 300)
    tokens.live.add("stored-refresh")
    tokens.faults = [requests.ReadTimeout()]
    auth = make(None)
    assert [used(auth), used(auth)] == ["stored-access"] * 2
    assert tokens.spent == ["stored-refresh"]
    assert clock.slept == []
    clock.time += 61
    assert used(auth) == "access-1"
    assert tokens.spent == ["stored-refresh"] * 2


def test_after_an_unclear_outcome_a_newer_stored_pair_is_used_first(
    make, tokens, path, clock
):
    store(path, clock, age=49 * HOURS)

    def stored_elsewhere():
        path.write_bytes(newer)

    store(path.with_name("other.json"), clock, access="elsewhere")
    newer = path.with_name("other.json").read_bytes()
    tokens.faults = [requests.ReadTimeout()]
    real, clock.sleep = clock.sleep, lambda s: (real(s), stored_elsewhere())
    assert used(make(None)) == "elsewhere"
    assert tokens.spent == ["stored-refresh"]


def test_an_invalid_grant_looks_for_a_newer_stored_pair_first(
    make, tokens, path, clock
):
    store(path, clock, age=49 * HOURS)
    store(path.with_name("other.json"), clock, access="elsewhere")
    newer = path.with_name("other.json").read_bytes()
    tokens.before_spending = lambda: path.write_bytes(newer)
    assert used(make(None)) == "elsewhere"
    assert tokens.spent == ["stored-refresh"]


@pytest.mark.parametrize("locked", [True, False], ids=["locks", "no locks"])
@pytest.mark.parametrize("seconds", [0.0, 4.0, 9.9])
@pytest.mark.parametrize("setting", [None, SETTING])
def test_after_an_invalid_grant_a_sibling_has_ten_seconds_to_write(
    make, tokens, path, clock, setting, seconds, locked
):
    """A sibling beyond the reach of the lock spent the token, and is slow to write."""
    store(path, clock, age=49 * HOURS)
    (old,) = the_file(path, clock).read().grants
    old = old.followed_by(old.pair, passed=SETTING)
    file = the_file(path, clock)
    file.write(Stored(API, CLIENT["client_id"], (old,)))
    sibling = Pair("sibling", "next", clock.time, clock.time + 48 * HOURS)
    writes_at = clock.time + seconds
    real = clock.sleep

    def sleep(pause):
        real(pause)
        if clock.time >= writes_at:
            with file.lock() if locked else contextlib.nullcontext():
                content = Stored(API, CLIENT["client_id"], (old.followed_by(sibling),))
                file.write(content)

    clock.sleep = sleep
    assert used(make(setting)) == "sibling"
    assert tokens.spent == ["stored-refresh"]


def test_after_an_invalid_grant_a_first_pair_of_a_sibling_is_waited_for(
    make, tokens, path, clock
):
    """Two taps began with one setting, where locks do nothing."""
    tokens.live.clear()
    pair = Pair("sibling", "next", clock.time, clock.time + 48 * HOURS)
    stored = Stored(API, CLIENT["client_id"], (new_grant(pair, passed=SETTING),))
    real = clock.sleep
    clock.sleep = lambda pause: (real(pause), the_file(path, clock).write(stored))
    assert used(make()) == "sibling"
    assert tokens.spent == [SETTING]


def test_after_an_invalid_grant_a_pair_that_ended_as_well_is_refreshed(
    make, tokens, path, clock
):
    store(path, clock, age=49 * HOURS)
    (old,) = the_file(path, clock).read().grants
    ended = Pair("ended", "next", clock.time - 49 * HOURS, clock.time - HOURS)
    stored = Stored(API, CLIENT["client_id"], (old.followed_by(ended),))
    tokens.live.add("next")
    real = clock.sleep
    clock.sleep = lambda pause: (real(pause), the_file(path, clock).write(stored))
    assert used(make(None)) == "access-1"
    assert tokens.spent == ["stored-refresh", "next"]


def test_the_watch_after_an_invalid_grant_ends_after_ten_seconds_and_with_a_stop(
    make, path, clock
):
    store(path, clock, age=49 * HOURS)
    start = clock.time
    with pytest.raises(CredentialsError, match="person must authorize"):
        used(make(None))
    assert clock.time - start == pytest.approx(10)
    real = clock.sleep
    clock.sleep = lambda pause: (clock.request_stop(15), real(pause))
    with pytest.raises(Stopped):
        used(make(None))


@pytest.mark.parametrize("status", [400, 401])
def test_an_invalid_grant_of_the_setting_says_that_a_person_is_needed(
    make, tokens, path, status
):
    answer = {"error": "invalid_grant", "echo": "settings-token"}
    tokens.faults = [response(status, answer)]
    with pytest.raises(CredentialsError, match="person must authorize") as caught:
        used(make())
    text = str(caught.value)
    assert "tap-drchrono-authorize" in text
    assert "remove refresh_token" in text
    assert str(path) in text
    assert "settings-token" not in text
    assert len(tokens.spent) == 1


def test_an_invalid_grant_of_the_file_names_the_command_that_repairs_it(
    make, path, clock
):
    store(path, clock, age=49 * HOURS)
    with pytest.raises(CredentialsError, match="person must authorize") as caught:
        used(make(None))
    repair = f"tap-drchrono-authorize --replace --credentials-path {path}"
    assert repair in str(caught.value)


def test_a_dead_setting_leaves_another_grant_alone_and_says_so(make, path, clock):
    store(path, clock)
    before = path.read_bytes()
    with pytest.raises(CredentialsError, match="comes from it") as caught:
        used(make("dead-token"))
    assert "credentials_path" in str(caught.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (response(401, {"error": "invalid_client"}), CredentialsError, "client_secret"),
        (response(400, {"error": "odd"}), CredentialsError, "client_id"),
        (response(404, "<html>", "text/html"), HostError, "api_url"),
        (response(302, ""), HostError, "api_url"),
    ],
)
def test_a_clear_refusal_is_not_repeated_and_not_quoted(
    make, tokens, answer, error, text
):
    tokens.faults = [answer]
    with pytest.raises(error, match=text) as caught:
        used(make())
    assert "odd" not in str(caught.value)
    assert len(tokens.spent) == 1


def test_a_place_that_does_not_last_is_told_once_before_a_token_is_spent(
    make, tokens, caplog, monkeypatch
):
    places = []
    monkeypatch.setattr(
        refresh, "passing_place", lambda path: places.append(path) or "It is lost."
    )
    told = []
    tokens.before_spending = lambda: told.append(caplog.text.count("It is lost."))
    auth = make()
    used(auth)
    auth.accepted(PATH)
    auth.refused(PATH)
    assert told == [1, 1]
    assert len(places) == 1


def test_no_log_and_no_traceback_holds_a_token(make, tokens, caplog):
    caplog.set_level(logging.DEBUG)
    auth = make()
    used(auth)
    auth.accepted(PATH)
    tokens.faults = [requests.ReadTimeout(), UNCLEAR[7]]
    auth.refused(PATH)
    tokens.live.clear()
    auth.accepted(PATH)
    with pytest.raises(CredentialsError) as caught:
        auth.refused(PATH)
    text = caplog.text + str(caught.getrepr(style="native"))
    secrets = ["settings-token", CLIENT["client_secret"], "access-", "refresh-", "cut"]
    assert caplog.records
    for secret in secrets:
        assert secret not in text


def _run_tap(url, path, start, outcomes, has_locks):
    if not has_locks:
        fcntl.flock = lambda *_: None
    credentials = Credentials(
        url, **CLIENT, refresh_token="settings-token", credentials_path=path
    )
    session = requests.Session()
    clock = Clock()
    auth = Authenticator(
        credentials,
        send=session.send,
        clock=clock,
        patience=patience_of(clock),
        environ={},
    )
    start.wait()
    answer = session.get(f"{url}/api/hello", auth=auth)
    outcomes.put(answer.status_code)


@pytest.mark.parametrize("has_locks", [True, False])
@pytest.mark.parametrize("has_pair", [False, True])
def test_two_taps_started_together_refresh_once_and_both_succeed(
    path, has_pair, has_locks
):
    context = get_context("spawn")
    start, outcomes = context.Barrier(2), context.Queue()
    with OAuthServer(delay=0.2 if has_locks else 0.0) as server:
        if not has_locks:
            server.gate = threading.Barrier(2, timeout=20).wait
        if has_pair:
            server.refresh_token = "stored-refresh"
            _keep_old_pair(path, server.url)
        taps = [
            context.Process(
                target=_run_tap,
                args=(server.url, str(path), start, outcomes, has_locks),
            )
            for _ in range(2)
        ]
        for tap in taps:
            tap.start()
        assert [outcomes.get(timeout=30) for _ in taps] == [200, 200]
        for tap in taps:
            tap.join()
        assert len(server.requests) == (1 if has_locks else 2)


def _keep_old_pair(path, url):
    file = CredentialsFile(
        path, api_url=url, client_id=CLIENT["client_id"], clock=Clock()
    )
    with file.lock():
        # Descends from the setting, so that the stored token is the next one.
        old = Pair("old-access", "stored-refresh", 0.0, 1.0)
        grant = new_grant(old, passed="settings-token")
        file.write(Stored(url, CLIENT["client_id"], (grant,)))


def test_every_stream_has_its_scopes_and_a_lack_is_named_by_stream():
    assert all(scope.endswith(":read") for scope in scopes())
    assert missing_scopes(scopes()) == {}
    assert missing_scopes(scopes() - {"billing:read"}) == {
        "line_items": {"billing:read"},
        "transactions": {"billing:read"},
        "line_item_deletions": {"billing:read"},
    }


def test_streams_on_request_need_scopes_of_their_own():
    assert scopes({"tasks"}) == scopes() | {"tasks:read"}
    assert missing_scopes(scopes(), {"tasks"}) == {"tasks": {"tasks:read"}}
