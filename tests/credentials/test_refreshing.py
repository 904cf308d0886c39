"""A refresh that is refused, has no clear outcome, or comes too late."""

import contextlib
import logging

import pytest
import requests
from oauth_server import CLIENT
from token_endpoint import (
    API,
    HOURS,
    PATH,
    SETTING,
    UNCLEAR,
    Lasting,
    response,
    store,
    the_file,
    used,
)
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError

from tap_drchrono.credentials import refresh
from tap_drchrono.credentials.grant import Pair, Stored, new_grant
from tap_drchrono.credentials.refusals import Elsewhere
from tap_drchrono.errors import CredentialsError, HostError, Stopped


@pytest.mark.parametrize("fault", UNCLEAR, ids=repr)
def test_without_a_usable_answer_the_token_is_tried_again_later(
    make, tokens, clock, fault
):
    tokens.faults = [fault, fault]
    assert used(make()) == "access-1"
    assert tokens.spent == ["settings-token"] * 3
    # A page for a first token is doubted sooner.
    assert clock.slept in ([2.0, 4.0], [2.0, 2.5])


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


def test_a_page_for_a_first_token_is_a_wrong_address(make, tokens, clock):
    start = clock.time
    tokens.faults = [response(200, "<html>", "text/html")] * 50
    with pytest.raises(HostError, match="api_url: what answers there is hardly"):
        used(make())
    assert clock.time - start < 10


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
    assert auth.refused(PATH, Elsewhere.REFUSED)
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
    auth.refused(PATH, Elsewhere.REFUSED)
    assert told == [1, 1]
    assert len(places) == 1
