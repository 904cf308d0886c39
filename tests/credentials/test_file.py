"""The file that keeps grants: whole, private, locked, and with advice that fits."""

import errno
import fcntl
import json
import os
import stat
from multiprocessing import get_context
from pathlib import Path

import pytest

from tap_drchrono.clock import Clock
from tap_drchrono.credentials.file import CredentialsFile
from tap_drchrono.credentials.grant import (
    Pair,
    Stored,
    fingerprint,
    new_grant,
)
from tap_drchrono.errors import CredentialsError, Stopped

API = "https://app.drchrono.com"
PAIR = Pair("access-1", "refresh-1", 1000.0, 173_800.0, "patients:read")
GRANT = new_grant(PAIR, passed="old")
OTHER = new_grant(Pair("access-x", "refresh-x", 1000.0, 173_800.0), passed="other")
STORED = Stored(API, "client", (GRANT, OTHER))


def later(number):
    return Pair(f"access-{number}", f"refresh-{number}", 1000.0 + number, 173_800.0)


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


def test_the_file_holds_former_tokens_as_hashes_only(file):
    grant = new_grant(PAIR, passed="settings-token").followed_by(later(2))
    keep(file, Stored(API, "client", (grant,)))
    text = file.path.read_text()
    for former in ("settings-token", "refresh-1"):
        assert former not in text
        assert fingerprint(former) in text


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
        b'{"version": 3, "marked-token": 1}',
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
    assert caught.value.__context__ is None
    assert file.path.read_bytes() == content


def test_a_file_of_a_newer_tap_is_not_guessed_at(file):
    keep(file)
    content = json.loads(file.path.read_text()) | {"version": 3}
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


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.EACCES, "Let this user read and write"),
        (errno.EROFS, "Mount its file system for writing"),
        (errno.ENOSPC, "Make room"),
        (errno.EBUSY, "mount its directory"),
        (errno.EIO, "run the tap again"),
        (errno.ENOTDIR, "through directories"),
        (errno.E2BIG, "can write in its directory"),
    ],
)
def test_the_advice_fits_the_cause(file, monkeypatch, code, advice):
    keep(file)

    def fail(*_args, **_kwargs):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(CredentialsError, match=f"written.*{advice}") as caught:
        file.write(STORED)
    assert "credentials_path" in str(caught.value)


def test_a_file_system_without_locks_is_no_matter_of_permissions(file, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(CredentialsError, match="has no locks") as caught, file.lock():
        pass
    assert "Let this user" not in str(caught.value)


def stale(times, monkeypatch):
    """Let the next reads fail, as where a network file system replaced the file."""
    real, left = Path.read_bytes, [None] * times

    def read(path):
        if left:
            left.pop()
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read)


def test_a_stale_handle_is_read_again_once(file, monkeypatch):
    keep(file)
    stale(1, monkeypatch)
    assert file.read() == STORED
    stale(2, monkeypatch)
    with pytest.raises(CredentialsError, match=r"cannot be read.*network file system"):
        file.read()


def test_checking_changes_nothing(file):
    with file.lock():
        file.check_writable()
        assert file.read() is None
        file.write(STORED)
        file.check_writable()
    assert file.read() == STORED


def test_what_a_killed_process_left_is_in_nobodys_way(file):
    keep(file)
    drafts = [file.path.with_name(f".pair.json{end}") for end in (".tmp", ".0.tmp")]
    for draft in drafts:
        draft.write_text("half of a p")
    stored = STORED.holding(GRANT.followed_by(later(2)))
    keep(file, stored)
    assert file.read() == stored
    for draft in drafts:
        os.utime(draft, (0, 0))
    file.check_writable()
    assert not list(file.path.parent.glob("*.tmp"))


def test_where_locks_do_nothing_two_can_write_at_once(file, monkeypatch):
    """One checks while the other writes: neither harms what the other wrote."""
    keep(file)
    other = Stored(API, "client", (OTHER,))
    real = os.fsync

    def meanwhile(handle):
        monkeypatch.setattr(os, "fsync", real)
        file_at(file.path).write(other)
        return real(handle)

    for step in (file.check_writable, lambda: file.write(STORED)):
        monkeypatch.setattr(os, "fsync", meanwhile)
        step()
        assert file.read() == (other if step == file.check_writable else STORED)


def test_one_holder_at_a_time_and_a_wait_that_ends(file):
    clock = FakeClock()
    with (
        file.lock(),
        pytest.raises(CredentialsError, match="over 90 minutes"),
        file_at(file.path, clock=clock).lock(),
    ):
        pass
    assert clock.slept == pytest.approx(5400)
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
