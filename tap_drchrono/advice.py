"""What to type here, for all that advises to."""

from __future__ import annotations

import os
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def authorize_command(environ: Mapping[str, str] | None = None) -> str:
    """Name the command that authorizes, as it is started here.

    Args:
        environ: The environment variables; those of the process if None.

    Returns:
        The command, without options.
    """
    environ = os.environ if environ is None else environ
    if _is_meltano(environ):
        plugin = environ.get("MELTANO_EXTRACTOR_NAME") or "tap-drchrono"
        return f"meltano invoke {plugin}:authorize"
    return "tap-drchrono-authorize"


def without_state(environ: Mapping[str, str] | None = None) -> str:
    """Say how to run as if there were no state.

    Args:
        environ: The environment variables; those of the process if None.

    Returns:
        The option that is added or left out.
    """
    is_meltano = _is_meltano(os.environ if environ is None else environ)
    return "with --full-refresh" if is_meltano else "without --state"


def unread_credentials(
    names: Iterable[str], environ: Mapping[str, str] | None = None
) -> str:
    """Say what to add where credentials are in the environment, and nobody read them.

    Args:
        names: The settings that hold credentials, none of which is given.
        environ: The environment variables; those of the process if None.

    Returns:
        Text to go on with, or nothing.
    """
    environ = os.environ if environ is None else environ
    variables = [f"TAP_DRCHRONO_{name.upper()}" for name in names]
    found = [one for one in variables if environ.get(one, "").strip()]
    if not found:
        return ""
    return f". Add --config=ENV to have the environment read: {', '.join(found)}"


def _is_meltano(environ: Mapping[str, str]) -> bool:
    return any(
        environ.get(f"MELTANO_{name}") for name in ("EXTRACTOR_NAME", "PROJECT_ROOT")
    )
