"""What a user hands in: environment variables and files, junk included."""

from __future__ import annotations

import json
import os
import typing as t

from dotenv import dotenv_values, find_dotenv
from singer_sdk.configuration._dict_config import parse_environment_config

from tap_drchrono.errors import SettingsError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

_NO = frozenset({"0", "false", "no", "off"})
"""What stands for false in an environment variable."""


def from_environment(schema: Mapping[str, t.Any], prefix: str) -> dict[str, t.Any]:
    """Read settings from environment variables.

    Args:
        schema: JSON Schema of the settings.
        prefix: What the variables' names begin with.

    Returns:
        The settings; what cannot be read stays text, so that it is refused by name.
    """
    _read_dotenv(prefix)
    config: dict[str, t.Any] = {}
    for name, setting in schema["properties"].items():
        variable = f"{prefix}{name.upper()}"
        try:
            found = parse_environment_config(
                {"properties": {name: setting}}, prefix, os.devnull
            )
        except ValueError:
            found = {name: os.environ[variable]}
        # The SDK takes any other word, and none, for false.
        if found.get(name) is False and os.environ[variable].lower() not in _NO:
            found = {name: os.environ[variable]}
        config |= found
    return config


def _read_dotenv(prefix: str) -> None:
    """Read a `.env` in the working directory or above, as the SDK's taps do.

    The environment itself wins, and an empty entry there is none: the SDK would have it
    the other way round, and look beside its own code.
    """
    for name, value in dotenv_values(find_dotenv(usecwd=True)).items():
        if name.startswith(prefix) and value:
            os.environ.setdefault(name, value)


def read_json(file: t.IO[str], what: str) -> dict[str, t.Any]:
    """Read a file given on the command line.

    Args:
        file: The file.
        what: What it holds, for the error.

    Returns:
        The JSON object in it.

    Raises:
        SettingsError: If it does not hold one.
    """
    try:
        found = json.load(file)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        msg = f"The {what} file is not a JSON object."
        raise SettingsError(msg)
    return found


def read_state(file: t.IO[str]) -> dict[str, t.Any]:
    """Read a state file.

    Args:
        file: The file.

    Returns:
        The state; for junk, one that counts as such.
    """
    try:
        return read_json(file, "state")
    except SettingsError:
        return {"bookmarks": None}


def readable_bookmarks(state: Mapping[str, t.Any]) -> tuple[dict[str, t.Any], bool]:
    """Pick the bookmarks out of a state.

    Args:
        state: As handed in.

    Returns:
        The streams' bookmarks, and whether there was junk instead of some.
    """
    found = state.get("bookmarks")
    if not isinstance(found, dict):
        return {}, bool(state)
    kept = {name: one for name, one in found.items() if isinstance(one, dict)}
    return kept, len(kept) < len(found)
