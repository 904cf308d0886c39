"""Which token goes on a request, and when it is replaced."""

import fcntl
import logging
import threading
from multiprocessing import get_context

import pytest
import requests
from oauth_server import CLIENT, OAuthServer
from token_endpoint import (
    API,
    HOURS,
    OTHER,
    PATH,
    SCOPE,
    UNCLEAR,
    kept,
    patience_of,
    refuse_for_ever,
    used,
)

from tap_drchrono.clock import Clock
from tap_drchrono.credentials.auth import Authenticator, Credentials
from tap_drchrono.credentials.file import CredentialsFile
from tap_drchrono.credentials.grant import Pair, Stored, new_grant
from tap_drchrono.credentials.refusals import Elsewhere
from tap_drchrono.errors import CredentialsError, Stopped
from tap_drchrono.streams.catalogue import missing_scopes, scopes


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
    assert auth.refused(PATH, Elsewhere.REFUSED)
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
    running.refused(PATH, Elsewhere.REFUSED)
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
    auth.refused(PATH, Elsewhere.REFUSED)
    assert used(auth) == "access-2"
    assert tokens.spent == ["settings-token", "refresh-1"]
    assert kept(path, clock).refresh_token == "refresh-2"


def test_a_token_that_worked_is_replaced_at_once_as_often_as_it_ends(make, clock):
    auth = make()
    for run in range(1, 6):
        assert used(auth) == f"access-{run}"
        auth.accepted(PATH)
        auth.refused(PATH, Elsewhere.REFUSED)
    assert clock.slept == []


def test_a_new_token_is_given_half_a_minute_then_replaced_once(make, tokens, clock):
    auth = make()
    used(auth)
    start = clock.time
    refuse_for_ever(auth, Elsewhere.UNKNOWN)
    assert tokens.spent == ["settings-token", "refresh-1"]
    assert clock.time - start == pytest.approx(60, abs=1)
    with pytest.raises(CredentialsError, match="also after a refresh"):
        auth.refused(OTHER, Elsewhere.REFUSED)
    assert len(tokens.spent) == 2


@pytest.mark.parametrize("seconds", [0.5, 3, 20, 29.9])
def test_a_new_token_that_is_refused_for_a_while_is_kept(make, tokens, clock, seconds):
    auth = make()
    used(auth)
    good_at = clock.time + seconds
    while clock.time < good_at:
        assert auth.refused(PATH, Elsewhere.REFUSED)
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
        assert auth.refused(PATH, Elsewhere.REFUSED)
    auth.accepted(PATH)
    auth.accepted(OTHER)
    assert tokens.spent == ["settings-token", "refresh-1"]


def test_a_stop_ends_the_wait_for_a_new_token(make, clock):
    auth = make()
    used(auth)
    clock.request_stop(15)
    with pytest.raises(Stopped):
        auth.refused(PATH, Elsewhere.REFUSED)


def test_a_refused_token_gives_way_to_a_newer_one_that_is_stored(make, tokens):
    auth = make()
    used(auth)
    auth.accepted(PATH)
    used_by_another = make()
    used(used_by_another)
    used_by_another.accepted(PATH)
    used_by_another.refused(PATH, Elsewhere.REFUSED)
    auth.refused(PATH, Elsewhere.REFUSED)
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
    refuse_for_ever(auth, Elsewhere.UNKNOWN)
    assert "access_token has expired" in auth.doubt
    with pytest.raises(CredentialsError, match="access_token has expired"):
        auth.refused(OTHER, Elsewhere.REFUSED)
    assert sum(clock.slept) == 30


def test_one_endpoint_that_refuses_is_given_up_and_the_others_go_on(make, tokens):
    auth = make()
    used(auth)
    auth.accepted(OTHER)
    refuse_for_ever(auth, Elsewhere.TAKEN)
    assert auth.doubt is None
    auth.accepted(OTHER)
    assert auth.is_refused(PATH)
    assert not auth.refused(PATH, Elsewhere.UNKNOWN)
    assert used(auth) == "access-1"
    assert tokens.spent == ["settings-token"]


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "café"])
def test_a_pasted_token_that_no_header_can_hold_is_not_quoted(pasted, token):
    with pytest.raises(CredentialsError, match="access_token") as caught:
        used(pasted(token))
    assert token not in str(caught.value)


def test_no_log_and_no_traceback_holds_a_token(make, tokens, caplog):
    caplog.set_level(logging.DEBUG)
    auth = make()
    used(auth)
    auth.accepted(PATH)
    tokens.faults = [requests.ReadTimeout(), UNCLEAR[7]]
    auth.refused(PATH, Elsewhere.REFUSED)
    tokens.live.clear()
    auth.accepted(PATH)
    with pytest.raises(CredentialsError) as caught:
        auth.refused(PATH, Elsewhere.REFUSED)
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
