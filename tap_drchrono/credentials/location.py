"""Where the credentials file is kept, and whether that place lasts."""

from __future__ import annotations

import typing as t
from pathlib import Path

from tap_drchrono.credentials.grant import fingerprint
from tap_drchrono.errors import CredentialsError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_drchrono.credentials.grant import Credentials


def default_path(
    environ: Mapping[str, str],
    home: Path,
    api_url: str,
    client_id: str,
    refresh_token: str | None,
) -> Path:
    """Say where the pair is kept if `credentials_path` is not set.

    In a Meltano project that is a directory of its own beside `meltano.yml`: not below
    `.meltano`, which people delete to repair an installation. Each grant has its own
    file, so two practices never share one by accident.

    Args:
        environ: The environment variables.
        home: The user's home directory.
        api_url: The `api_url` setting.
        client_id: The `client_id` setting.
        refresh_token: The `refresh_token` setting, if given.

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
    grant = "\n".join((api_url.rstrip("/"), client_id, refresh_token or ""))
    return directory / f"credentials-{fingerprint(grant)[:12]}.json"


def locate(credentials: Credentials, environ: Mapping[str, str]) -> Path:
    """Say where the pair is kept.

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
    return default_path(
        environ,
        home,
        credentials.api_url,
        credentials.client_id or "",
        credentials.refresh_token,
    )


def keeping_advice(
    path: Path, environ: Mapping[str, str], root: Path, *, is_default: bool
) -> str | None:
    """Say what a user must know about the place, when a pair is first kept there.

    Args:
        path: The file that was written.
        environ: The environment variables.
        root: The root of the file system.
        is_default: Whether the user did not name the place.

    Returns:
        The warning, or None where there is nothing to say.
    """
    container = "KUBERNETES_SERVICE_HOST" in environ or any(
        (root / mark).exists() for mark in (".dockerenv", "run/.containerenv")
    )
    if container and path.parent.stat().st_dev == root.stat().st_dev:
        return (
            "THE REFRESH TOKEN WILL BE LOST WITH THIS CONTAINER: DrChrono replaces it "
            f"at each use, and the newest one is kept in {path}, which is on no "
            "volume. Mount a persistent volume and set credentials_path to a file in "
            "it; otherwise a person must authorize again before the next run."
        )
    if is_default:
        return (
            f"DrChrono replaced the refresh token; the new one is kept in {path}. That "
            "file must still be there at the next run. If the tap runs in a container, "
            "set credentials_path to a file on a persistent volume."
        )
    return None
