"""Grants: their descent, and which one is meant."""

import pytest

from tap_drchrono.credentials.grant import (
    Credentials,
    Pair,
    SeveralGrantsError,
    Stored,
    fingerprint,
    meant,
    new_grant,
)

API = "https://app.drchrono.com"
PAIR = Pair("access-1", "refresh-1", 1000.0, 173_800.0, "patients:read")
GRANT = new_grant(PAIR, passed="old")
OTHER = new_grant(Pair("access-x", "refresh-x", 1000.0, 173_800.0), passed="other")
STORED = Stored(API, "client", (GRANT, OTHER))


def later(number):
    return Pair(f"access-{number}", f"refresh-{number}", 1000.0 + number, 173_800.0)


@pytest.mark.parametrize(
    ("grants", "setting", "expected"),
    [
        ((), None, None),
        ((), "first", None),
        ((GRANT,), None, GRANT),
        ((GRANT,), "old", GRANT),
        ((GRANT,), "refresh-1", GRANT),
        ((GRANT,), "newer", None),
        ((GRANT, OTHER), "old", GRANT),
        ((GRANT, OTHER), "other", OTHER),
        ((GRANT, OTHER), "newer", None),
    ],
)
def test_which_grant_is_meant(grants, setting, expected):
    assert meant(grants, setting) == expected


def test_several_grants_without_a_setting_are_not_guessed_at():
    with pytest.raises(SeveralGrantsError):
        meant((GRANT, OTHER), None)


def test_every_token_that_a_grant_ever_had_means_it():
    grant = GRANT
    for number in range(2, 6):
        grant = grant.followed_by(later(number), passed=f"pasted-{number}")
    names = [f"refresh-{number}" for number in range(1, 6)]
    for token in ["old", *names, *(f"pasted-{number}" for number in range(2, 6))]:
        assert meant((OTHER, grant), token) == grant
    assert grant.pair.refresh_token == "refresh-5"
    assert fingerprint("refresh-5") not in grant.superseded
    assert grant.pair.scope == "patients:read"


def test_a_token_that_the_server_keeps_is_no_former_one():
    kept = GRANT.followed_by(Pair("access-2", "refresh-1", 2000.0, 3000.0))
    assert kept.superseded == GRANT.superseded
    assert new_grant(PAIR, passed="refresh-1").superseded == frozenset()


def test_a_new_version_takes_the_place_of_its_kin_alone():
    grant = GRANT.followed_by(later(2))
    assert STORED.holding(grant).grants == (OTHER, grant)


def test_of_two_versions_the_later_one_counts_whatever_their_clocks_say():
    early = GRANT.followed_by(later(9))
    late = early.followed_by(later(2), passed="pasted")
    for chosen in (early.newer(late), late.newer(early)):
        assert chosen == late
    aside = GRANT.followed_by(later(3))
    for chosen in (early.newer(aside), aside.newer(early)):
        assert chosen.pair == early.pair
        assert fingerprint("refresh-3") in chosen.superseded


@pytest.mark.parametrize(
    ("lifetime", "margin"), [(172_800.0, 600.0), (600.0, 60.0), (10.0, 1.0)]
)
def test_a_short_lived_token_is_not_renewed_at_each_request(lifetime, margin):
    assert Pair("a", "r", 0.0, lifetime).renew_at == lifetime - margin


def test_no_repr_shows_a_token():
    credentials = Credentials(API, "client", "secret-1", "token-1", None, "token-2")
    text = f"{STORED!r} {credentials!r}"
    for secret in ("access-1", "refresh-1", "secret-1", "token-1", "token-2"):
        assert secret not in text


def test_empty_settings_are_not_given():
    credentials = Credentials.from_config(
        {
            "api_url": f"{API}/",
            "client_id": " client\n",
            "client_secret": "",
            "refresh_token": None,
        }
    )
    assert credentials == Credentials(API, "client")
