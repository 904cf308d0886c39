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
    plugin = environ.get("MELTANO_EXTRACTOR_NAME")
    if plugin or environ.get("MELTANO_PROJECT_ROOT"):
        return f"meltano invoke {plugin or 'tap-drchrono'}:authorize"
    return "tap-drchrono-authorize"
