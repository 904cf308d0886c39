"""Which grant is found and kept, among others, and among what version 0.1.0 left."""

import hashlib
import json
from pathlib import Path

import pytest

from tap_drchrono.clock import Clock
from tap_drchrono.credentials.grant import Credentials, Pair, new_grant
from tap_drchrono.credentials.location import default_path
from tap_drchrono.credentials.store import Store
from tap_drchrono.errors import CredentialsError

API, CLIENT = "https://app.drchrono.com", "client"


def hashed(text):
    return hashlib.sha256(text.encode()).hexdigest()


def pair(name, at=1000.0):
    return Pair(f"access-{name}", f"refresh-{name}", at, at + 172_800.0)


@pytest.fixture
def environ(tmp_path):
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


@pytest.fixture
def default(environ):
    return default_path(environ, Path("/"), API, CLIENT)


@pytest.fixture
def store(environ):
    def build(setting=None, *, path=None, client=CLIENT):
        credentials = Credentials(
            API, client, refresh_token=setting, credentials_path=path and str(path)
        )
        return Store(credentials, clock=Clock(), environ=environ)

    return build


def keep(store, grant):
    with store.lock():
        store.check_writable()
        store.keep(grant)
    return grant


def leave(
    path, name, *, setting=None, superseded=(), at=1000.0, api=API, client=CLIENT
):
    """Write a file as version 0.1.0 did."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "api_url": api,
        "client_id": client,
        "pair": {
            "access_token": f"access-{name}",
            "refresh_token": f"refresh-{name}",
            "obtained_at": at,
            "expires_at": at + 172_800.0,
            "scope": None,
        },
        "descends_from": setting and hashed(setting),
        "superseded": [hashed(one) for one in superseded],
        "version": 1,
    }
    path.write_text(json.dumps(content))
    path.chmod(0o600)


def former_path(default, setting=""):
    """Name the default file as version 0.1.0 did."""
    name = hashed(f"{API}\n{CLIENT}\n{setting}")[:12]
    return default.with_name(f"credentials-{name}.json")


def test_a_grant_is_found_with_and_without_the_setting_that_began_it(store):
    grant = keep(store("first"), new_grant(pair(1), passed="first"))
    assert store("first").find() == store().find() == grant


def test_one_practice_does_not_harm_the_other(store):
    north, south = store("north"), store("south")
    assert north.find() is south.find() is None
    first = keep(north, new_grant(pair("n"), passed="north"))
    second = keep(south, new_grant(pair("s"), passed="south"))
    first = keep(north, first.followed_by(pair("n2")))
    assert store("north").find() == north.find() == first
    assert store("south").find() == south.find() == second
    assert north.others == south.others == 1
    with pytest.raises(CredentialsError, match="2 authorizations are kept"):
        store().find()


def test_where_locks_do_nothing_the_grant_of_another_stays(store):
    north, south = store("north"), store("south")
    north.check_writable()
    south.check_writable()
    assert north.find() is south.find() is None
    second = new_grant(pair("s"), passed="south")
    south.keep(second)
    north.keep(new_grant(pair("n"), passed="north"))
    assert store("south").find() == second


def test_a_grant_that_was_found_is_not_forgotten(store, default):
    tap = store()
    early = keep(tap, new_grant(pair(1)))
    copy = default.read_bytes()
    late = keep(tap, early.followed_by(pair(2)))
    default.write_bytes(copy)
    assert tap.find().pair == late.pair
    default.unlink()
    assert tap.find().pair == late.pair
    keep(store("other"), new_grant(pair("o", at=5000.0), passed="other"))
    assert tap.find().pair == late.pair
    assert tap.find(dead=True).pair.refresh_token == "refresh-o"


def test_a_setting_never_gives_way_to_another_grant(store, default):
    tap = store("mine")
    mine = keep(tap, new_grant(pair(1), passed="mine"))
    default.unlink()
    keep(store("other"), new_grant(pair("o", at=5000.0), passed="other"))
    assert tap.find(dead=True) == mine


def test_what_cannot_be_read_any_more_is_no_reason_to_lose_a_token(store, default):
    tap = store()
    grant = keep(tap, new_grant(pair(1)))
    with tap.lock():
        tap.find()
        default.write_text("half of a f")
        late = grant.followed_by(pair(2))
        tap.keep(late)
    assert store().find() == late


# Files of version 0.1.0


def test_the_default_file_of_then_has_the_same_name(default):
    assert former_path(default) == default


@pytest.mark.parametrize("setting", [None, "first"])
@pytest.mark.parametrize("named", [True, False])
def test_a_pair_of_then_is_found_with_and_without_its_setting(
    store, default, tmp_path, named, setting
):
    path = tmp_path / "named.json" if named else former_path(default, "first")
    leave(path, 1, setting="first")
    found = store(setting, path=path if named else None).find()
    assert found.pair == pair(1)
    assert store("old", path=path if named else None).find() is None


def test_a_pair_of_then_is_taken_over_by_the_first_write(store, default):
    former = former_path(default, "first")
    leave(former, 1, setting="first")
    before = former.read_bytes()
    tap = store("first")
    early = tap.find()
    assert former.read_bytes() == before
    assert not default.exists()
    late = keep(tap, early.followed_by(pair(2)))
    assert store().find() == store("first").find() == late
    # For whoever named the former file in credentials_path.
    assert store(path=former).find() == late
    for token in ("first", "refresh-1", "refresh-2"):
        assert store(token).find() == late


def test_two_practices_of_then_stay_two(store, default):
    for name in ("north", "south"):
        leave(former_path(default, name), name, setting=name)
    north = store("north")
    keep(north, north.find().followed_by(pair("n2")))
    assert store("north").find().pair == pair("n2")
    assert store("south").find().pair == pair("south")
    with pytest.raises(CredentialsError, match="2 authorizations are kept"):
        store().find()


def test_a_practice_of_then_is_not_mistaken_for_a_new_one(store, default):
    leave(former_path(default, "north"), "north", setting="north")
    keep(store("south"), new_grant(pair("s"), passed="south"))
    with pytest.raises(CredentialsError, match="2 authorizations are kept"):
        store().find()
    assert store("north").find().pair == pair("north")


def test_a_setting_that_was_superseded_then_is_not_spent(store, default):
    leave(default, 1, superseded=["old"])
    assert store("old").find().pair == pair(1)
    keep(store("old"), store("old").find().followed_by(pair(2)))
    assert store("old").find().pair == pair(2)


def test_a_tap_of_then_that_still_runs_is_followed(store, default):
    former = former_path(default, "first")
    leave(former, 1, setting="first")
    tap = store("first")
    keep(tap, tap.find().followed_by(pair(2, at=2000.0)))
    former.unlink()
    leave(former, 3, setting="first", at=3000.0)
    assert store("first").find().pair == pair(3, at=3000.0)
    leave(former, 1, setting="first", at=4000.0)
    assert store("first").find().pair == pair(2, at=2000.0)


def test_where_there_can_be_no_links_the_file_of_then_does_no_harm(
    store, default, monkeypatch
):
    def none(*_):
        raise OSError

    monkeypatch.setattr(Path, "symlink_to", none)
    former = former_path(default, "first")
    leave(former, 1, setting="first")
    tap = store("first")
    late = keep(tap, tap.find().followed_by(pair(2)))
    assert former.exists()
    assert store().find() == store("first").find() == late


@pytest.mark.parametrize(
    "content", ["", "[]", '{"version": 1}', None], ids=["empty", "list", "cut", "other"]
)
def test_what_is_no_file_of_this_application_is_left_alone(store, default, content):
    stranger = former_path(default, "stranger")
    leave(stranger, 9, client="other")
    if content is not None:
        stranger.write_text(content)
    before = stranger.read_bytes()
    assert store().find() is None
    grant = keep(store("first"), new_grant(pair(1), passed="first"))
    assert store().find() == grant
    assert stranger.read_bytes() == before
