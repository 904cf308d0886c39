"""Where the credentials file is kept, and whether that place lasts."""

from __future__ import annotations

import os
import re
import typing as t
from pathlib import Path

from tap_drchrono.credentials.grant import fingerprint
from tap_drchrono.errors import CredentialsError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_drchrono.credentials.grant import Credentials

MOUNTS = Path("/proc/self/mountinfo")
"""What Linux tells of the mounts that this process sees."""

_PASSING = {
    "overlay": "the layer of a container",
    "fuse.fuse-overlayfs": "the layer of a container",
    "tmpfs": "a file system in memory",
}
_EMPTY_DIR = "/kubernetes.io~empty-dir/"
_OCTAL = re.compile(r"\\([0-7]{3})")


def default_path(
    environ: Mapping[str, str], home: Path, api_url: str, client_id: str
) -> Path:
    """Say where the credentials are kept if `credentials_path` is not set.

    In a Meltano project that is a directory of its own beside `meltano.yml`: not below
    `.meltano`, which people delete to repair an installation.

    Args:
        environ: The environment variables.
        home: The user's home directory.
        api_url: The `api_url` setting.
        client_id: The `client_id` setting.

    Returns:
        The path of the file.
    """
    if project := environ.get("MELTANO_PROJECT_ROOT"):
        directory = Path(project) / ".tap-drchrono"
    else:
        state = Path(environ.get("XDG_STATE_HOME", ""))
        # The XDG specification asks to ignore a relative path.
        base = state if state.is_absolute() else home / ".local" / "state"
        directory = base / "tap-drchrono"
    # The empty last line is where version 0.1.0 had the refresh token.
    owner = "\n".join((api_url.rstrip("/"), client_id, ""))
    return directory / f"credentials-{fingerprint(owner)[:12]}.json"


def locate(credentials: Credentials, environ: Mapping[str, str]) -> Path:
    """Say where the credentials are kept.

    Args:
        credentials: The settings.
        environ: The environment variables.

    Returns:
        What `credentials_path` says, or the default path.

    Raises:
        CredentialsError: If neither a path nor a home directory is known.
    """
    if credentials.credentials_path:
        return Path(credentials.credentials_path)
    try:
        home = Path.home()
    except RuntimeError as error:
        msg = (
            "This user has no home directory to keep credentials in. Name a file in "
            "the setting credentials_path."
        )
        raise CredentialsError(msg) from error
    return default_path(environ, home, credentials.api_url, credentials.client_id or "")


def passing_place(path: Path, mounts: Path = MOUNTS) -> str | None:
    """Say what a user must know of a place that ends with its machine or container.

    Args:
        path: The credentials file, there or not.
        mounts: The table of mounts; nothing is known where there is none.

    Returns:
        The warning, or None where nothing tells that the place does not last.
    """
    try:
        table = mounts.read_text("utf-8", "surrogateescape")
    except OSError:
        return None
    if kind := _passing_kind(path, table):
        return (
            f"The refresh token will not last: the newest one is kept in {path}, which "
            f"is on {kind} and goes away with it. Mount a volume that lasts, and set "
            "credentials_path to a file in it; otherwise a person must authorize again "
            "before the next run."
        )
    return None


def _passing_kind(path: Path, table: str) -> str | None:
    """Say on what kind of passing place a file is.

    A line is, as proc(5) has it: ID, parent, device, root, mount point, options, some
    more fields, a hyphen, and the type of the file system.
    """
    place = os.path.realpath(path)
    best, found = "", None
    for line in table.splitlines():
        fields, _, rest = line.partition(" - ")
        parts = fields.split(" ")
        if len(parts) < 6 or not rest:  # noqa: PLR2004 - as above
            continue
        root, point = (_OCTAL.sub(_character, part) for part in parts[3:5])
        # Of two at one point, the later one covers the earlier.
        if _is_below(place, point) and len(point) >= len(best):
            best, found = point, (root, rest.split(" ")[0])
    if found is None:
        return None
    root, kind = found
    if _EMPTY_DIR in f"{root}/":
        return "an emptyDir volume of Kubernetes"
    return _PASSING.get(kind)


def _is_below(place: str, point: str) -> bool:
    return point in {"/", place} or place.startswith(f"{point}/")


def _character(escaped: re.Match[str]) -> str:
    return chr(int(escaped[1], 8))
