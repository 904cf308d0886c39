"""What to type here, for all that advises to."""

from __future__ import annotations

import os
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping


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


def _is_meltano(environ: Mapping[str, str]) -> bool:
    return any(
        environ.get(f"MELTANO_{name}") for name in ("EXTRACTOR_NAME", "PROJECT_ROOT")
    )
