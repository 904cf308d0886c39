"""Where the credentials are kept, and whether that place lasts."""

from pathlib import Path

import pytest

from tap_drchrono.credentials.grant import (
    Credentials,
)
from tap_drchrono.credentials.location import default_path, locate, passing_place
from tap_drchrono.errors import CredentialsError

API = "https://app.drchrono.com"


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
    path = default_path(environ, Path("/home/pat"), API, "client")
    assert path.parent == Path(directory)
    assert path.name.startswith("credentials-")
    assert path.suffix == ".json"


def test_each_application_has_its_own_default_and_the_setting_changes_nothing():
    owners = [(API, "client"), (API, "other"), ("https://example.org", "client")]
    paths = {default_path({}, Path("/h"), *owner) for owner in owners}
    assert len(paths) == len(owners)
    assert default_path({}, Path("/h"), f"{API}/", "client") in paths
    environ = {"XDG_STATE_HOME": "/s"}
    one, two = (
        locate(Credentials(API, "client", refresh_token=token), environ)
        for token in (None, "token-a")
    )
    assert one == two


def test_the_setting_wins_over_the_default(tmp_path):
    path = str(tmp_path / "pair.json")
    assert locate(Credentials(API, "client", credentials_path=path), {}) == Path(path)
    assert locate(Credentials(API, "client"), {"XDG_STATE_HOME": "/s"}) == default_path(
        {"XDG_STATE_HOME": "/s"}, Path.home(), API, "client"
    )


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch):
    def homeless():
        raise RuntimeError

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(CredentialsError, match="credentials_path"):
        locate(Credentials(API, "client"), {})


EMPTY_DIR = "/var/lib/kubelet/pods/0/volumes/kubernetes.io~empty-dir/tokens"
MOUNTS = rf"""
22 1 0:28 / / rw,relatime - overlay overlay rw,lowerdir=/l,upperdir=/u
23 22 0:5 / /dev rw - devtmpfs udev rw
24 22 0:40 / /run rw,nosuid shared:3 - tmpfs tmpfs rw,size=1k
25 22 8:1 /data /srv/volume rw shared:4 master:1 - ext4 /dev/sda1 rw
26 22 8:1 {EMPTY_DIR} /srv/empty rw - ext4 /dev/sda1 rw
27 22 8:1 /with\040space /srv/with\040space rw - ext4 /dev/sda1 rw
28 25 0:41 / /srv/volume/covered rw - tmpfs tmpfs rw
29 28 8:2 / /srv/volume/covered rw - ext4 /dev/sdb1 rw
30 22 0:42 / /srv/network rw - nfs4 server:/ rw
half a line
"""


@pytest.fixture
def mounts(tmp_path):
    file = tmp_path / "mountinfo"
    file.write_text(MOUNTS)
    return file


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("/home/app/pair.json", "layer of a container"),
        ("/srv/volumes/pair.json", "layer of a container"),
        ("/run/pair.json", "in memory"),
        ("/srv/empty/deep/pair.json", "emptyDir"),
        ("/srv/volume/pair.json", None),
        ("/srv/volume/covered/pair.json", None),
        ("/srv/with space/pair.json", None),
        ("/srv/network/pair.json", None),
    ],
)
def test_a_place_that_does_not_last_is_told_as_far_as_the_mounts_show(
    mounts, place, said
):
    warning = passing_place(Path(place), mounts)
    assert (warning is None) == (said is None)
    if warning:
        assert said in warning
        assert place in warning
        assert "credentials_path" in warning


def test_where_there_is_no_table_of_mounts_nothing_is_guessed(tmp_path):
    assert passing_place(Path("/run/pair.json"), tmp_path / "none") is None
