import errno
import json
import os
import stat
from multiprocessing import get_context
from pathlib import Path

import pytest

from tap_drchrono.clock import Clock
from tap_drchrono.credentials.file import CredentialsFile
from tap_drchrono.credentials.grant import (
    Choice,
    Credentials,
    Pair,
    Stored,
    choose,
    fingerprint,
)
from tap_drchrono.credentials.location import default_path, keeping_advice, locate
from tap_drchrono.errors import CredentialsError, Stopped

API = "https://app.drchrono.com"
PAIR = Pair("access-1", "refresh-1", 1000.0, 173_800.0, "patients:read")
STORED = Stored(
    API, "client", PAIR, fingerprint("now"), frozenset({fingerprint("old")})
)


class FakeClock(Clock):
    def __init__(self):
        super().__init__()
        self.slept = 0.0

    def sleep(self, seconds):
        self.check()
        self.slept += seconds


def file_at(path, *, api_url=API, client_id="client", clock=None):
    return CredentialsFile(
        path, api_url=api_url, client_id=client_id, clock=clock or FakeClock()
    )


@pytest.fixture
def file(tmp_path):
    return file_at(tmp_path / "kept" / "pair.json")


def keep(file, stored=STORED):
    with file.lock():
        file.check_writable()
        file.write(stored)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("stored", "setting", "expected"),
    [
        (None, None, None),
        (None, "first", Choice(None, None, "first")),
        (STORED, None, Choice(STORED, PAIR, "refresh-1")),
        (STORED, "now", Choice(STORED, PAIR, "refresh-1")),
        (STORED, "old", Choice(STORED, PAIR, "refresh-1", superseded=True)),
        (STORED, "newer", Choice(STORED, None, "newer")),
    ],
)
def test_which_token_is_next(stored, setting, expected):
    assert choose(stored, setting) == expected


def test_a_setting_that_was_once_spent_is_never_chosen_again():
    stored = Stored(API, "client", PAIR)
    for setting in ("a", "b", "c"):
        assert choose(stored, setting).spend == setting
        stored = stored.reauthorized(PAIR, spent=setting)
    for setting in ("a", "b"):
        assert choose(stored, setting) == Choice(stored, PAIR, "refresh-1", True)  # noqa: FBT003 - a field
    stored = stored.reauthorized(PAIR, passed="d")
    for setting in ("a", "b", "c", "d"):
        assert choose(stored, setting).spend == "refresh-1"


def test_rotation_keeps_descent_and_a_scope_that_is_not_repeated():
    rotated = STORED.rotated(Pair("access-2", "refresh-2", 2000.0, 3000.0))
    assert rotated.descends_from == STORED.descends_from
    assert rotated.superseded == STORED.superseded
    assert rotated.pair.scope == "patients:read"


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


def test_what_is_written_is_read_and_nobody_else_can(file):
    assert file.read() is None
    keep(file)
    assert file.read() == STORED
    assert mode(file.path) == 0o600
    assert mode(file.path.parent) == 0o700
    assert (file.path.parent / ".gitignore").read_text() == "*\n"
    assert {path.name for path in file.path.parent.iterdir()} == {
        "pair.json",
        ".pair.json.lock",
        ".gitignore",
    }


def test_a_directory_of_the_user_is_left_as_it_is(tmp_path):
    tmp_path.chmod(0o755)
    keep(file_at(tmp_path / "pair.json"))
    assert mode(tmp_path) == 0o755
    assert not (tmp_path / ".gitignore").exists()


def test_the_file_holds_settings_tokens_as_hashes_only(file):
    keep(file, STORED.reauthorized(PAIR, spent="settings-token"))
    assert "settings-token" not in file.path.read_text()
    assert fingerprint("settings-token") in file.path.read_text()


def test_a_symbolic_link_stays_one(tmp_path):
    target = tmp_path / "volume" / "pair.json"
    target.parent.mkdir()
    link = tmp_path / "link.json"
    link.symlink_to(target)
    keep(file_at(link))
    assert link.is_symlink()
    assert file_at(target).read() == STORED


def test_a_file_that_others_can_read_is_tightened_once_and_told(file, caplog):
    keep(file)
    file.path.chmod(0o644)
    file.read()
    file.read()
    assert mode(file.path) == 0o600
    assert caplog.text.count("Other users could read") == 1


@pytest.mark.parametrize(
    ("setting", "other"), [("api_url", "https://example.org"), ("client_id", "other")]
)
def test_a_file_of_another_application_is_refused_and_left_alone(file, setting, other):
    keep(file)
    before = file.path.read_bytes()
    with pytest.raises(CredentialsError, match=f"another {setting}.*credentials_path"):
        file_at(file.path, **{setting: other}).read()
    assert file.path.read_bytes() == before


def test_a_trailing_slash_is_no_other_api(file):
    keep(file)
    assert file_at(file.path, api_url=f"{API}/").read() == STORED


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"marked-token",
        b"[]",
        b'{"pair": "marked-token"}',
        b"\xff\xfe",
        b'{"version": 2, "marked-token": 1}',
    ],
)
def test_a_damaged_file_is_an_error_that_says_what_to_do_and_quotes_nothing(
    file, content
):
    keep(file)
    file.path.write_bytes(content)
    with pytest.raises(CredentialsError, match="tap-drchrono-authorize") as caught:
        file.read()
    assert str(file.path) in str(caught.value)
    assert "marked-token" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert file.path.read_bytes() == content


def test_a_file_of_a_newer_tap_is_not_guessed_at(file):
    keep(file)
    content = json.loads(file.path.read_text()) | {"version": 2}
    file.path.write_text(json.dumps(content))
    with pytest.raises(CredentialsError, match="not one of this version"):
        file.read()


def test_a_path_that_is_a_directory_is_refused_before_a_token_is_spent(tmp_path):
    file = file_at(tmp_path)
    with pytest.raises(CredentialsError, match=r"cannot be written.*credentials_path"):
        file.check_writable()
    with pytest.raises(CredentialsError, match="cannot be read"):
        file.read()


def test_a_place_below_a_file_is_refused(tmp_path):
    (tmp_path / "plain").write_text("")
    with (
        pytest.raises(CredentialsError, match=r"cannot be locked.*credentials_path"),
        file_at(tmp_path / "plain" / "pair.json").lock(),
    ):
        pass


@pytest.mark.parametrize(
    ("owner", "name", "code"),
    [(os, "fsync", errno.ENOSPC), (Path, "replace", errno.EBUSY)],
    ids=["full disk", "the file is a mount"],
)
def test_a_write_that_would_fail_is_found_before_and_harms_nothing(
    file, monkeypatch, owner, name, code
):
    keep(file)

    def fail(*_args, **_kwargs):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(owner, name, fail)
    for step in (file.check_writable, lambda: file.write(STORED)):
        with pytest.raises(CredentialsError, match=os.strerror(code)):
            step()
    monkeypatch.undo()
    assert file.read() == STORED
    assert not list(file.path.parent.glob("*.tmp"))


def test_checking_changes_nothing(file):
    with file.lock():
        file.check_writable()
        assert file.read() is None
        file.write(STORED)
        file.check_writable()
    assert file.read() == STORED


def test_what_a_killed_process_left_is_in_nobodys_way(file):
    keep(file)
    (file.path.parent / ".pair.json.tmp").write_text("half of a p")
    keep(file, STORED.rotated(Pair("access-2", "refresh-2", 2.0, 3.0)))
    assert file.read().pair.access_token == "access-2"


def test_one_holder_at_a_time_and_a_wait_that_ends(file):
    clock = FakeClock()
    with (
        file.lock(),
        pytest.raises(CredentialsError, match="over 65 minutes"),
        file_at(file.path, clock=clock).lock(),
    ):
        pass
    assert clock.slept == pytest.approx(3900)
    with file.lock():
        pass


def test_a_stop_ends_the_wait_for_the_lock(file):
    clock = FakeClock()
    clock.request_stop(15)
    with file.lock(), pytest.raises(Stopped), file_at(file.path, clock=clock).lock():
        pass


def _hold_and_die(path):
    context = file_at(path).lock()
    context.__enter__()
    os._exit(1)


def test_a_holder_that_died_holds_nothing(file):
    worker = get_context("spawn").Process(target=_hold_and_die, args=(file.path,))
    worker.start()
    worker.join()
    assert worker.exitcode == 1
    with file.lock():
        pass


@pytest.mark.parametrize(
    ("environ", "directory"),
    [
        ({}, "/home/pat/.local/state/tap-drchrono"),
        ({"XDG_STATE_HOME": "/state"}, "/state/tap-drchrono"),
        ({"XDG_STATE_HOME": "state"}, "/home/pat/.local/state/tap-drchrono"),
        ({"MELTANO_PROJECT_ROOT": "/project"}, "/project/.tap-drchrono"),
    ],
)
def test_where_the_pair_is_kept_by_default(environ, directory):
    path = default_path(environ, Path("/home/pat"), API, "client", None)
    assert path.parent == Path(directory)
    assert path.name.startswith("credentials-")
    assert path.suffix == ".json"


def test_each_grant_has_its_own_default_and_no_name_tells_a_token():
    grants = [
        (API, "client", None),
        (API, "client", "token-a"),
        (API, "client", "token-b"),
        (API, "other", None),
        ("https://example.org", "client", None),
    ]
    paths = {default_path({}, Path("/h"), *grant) for grant in grants}
    assert len(paths) == len(grants)
    assert default_path({}, Path("/h"), f"{API}/", "client", None) in paths
    assert not any("token" in path.name for path in paths)


def test_the_setting_wins_over_the_default(tmp_path):
    path = str(tmp_path / "pair.json")
    assert locate(Credentials(API, "client", credentials_path=path), {}) == Path(path)
    assert locate(Credentials(API, "client"), {"XDG_STATE_HOME": "/s"}) == default_path(
        {"XDG_STATE_HOME": "/s"}, Path.home(), API, "client", None
    )


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch):
    def homeless():
        raise RuntimeError

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(CredentialsError, match="credentials_path"):
        locate(Credentials(API, "client"), {})


@pytest.mark.parametrize("mark", [".dockerenv", "run/.containerenv", None])
def test_a_pair_that_goes_away_with_the_container_is_shouted_about(tmp_path, mark):
    environ = {} if mark else {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    if mark:
        (tmp_path / mark).parent.mkdir(exist_ok=True)
        (tmp_path / mark).touch()
    for is_default in (True, False):
        advice = keeping_advice(
            tmp_path / "pair.json", environ, tmp_path, is_default=is_default
        )
        assert "WILL BE LOST" in advice
        assert "credentials_path" in advice


def test_a_default_place_is_told_and_a_chosen_one_is_not(tmp_path):
    path = tmp_path / "pair.json"
    advice = keeping_advice(path, {}, tmp_path, is_default=True)
    assert str(path) in advice
    assert "credentials_path" in advice
    assert keeping_advice(path, {}, tmp_path, is_default=False) is None


def test_a_volume_in_a_container_is_fine(tmp_path):
    # /dev is a file system of its own wherever this runs.
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    path = Path("/dev/pair.json")
    assert keeping_advice(path, environ, tmp_path, is_default=False) is None


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
