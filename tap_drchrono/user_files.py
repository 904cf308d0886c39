"""What a user hands in: environment variables and files, junk included."""

from __future__ import annotations

import difflib
import json
import os
import typing as t
from pathlib import Path

from dotenv import dotenv_values, find_dotenv
from singer_sdk.configuration._dict_config import parse_environment_config

from tap_drchrono.errors import SettingsError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

_NO = frozenset({"0", "false", "no", "off"})
"""What stands for false in an environment variable."""

_NO_SETTINGS = ("LOGLEVEL", "NO_BROWSER", "REDIRECT_URI", "REPLACE", "SCOPES")
"""Names behind the prefix that mean something else: the SDK's log level, and options of
`tap-drchrono-authorize`."""


_LIKENESS = 0.4
"""How alike names are at least, from 0 to 1, for one to be meant by the other: half of
a name is enough."""


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
        # Where text is as good as a list, it is left to whoever reads the setting.
        is_text = "string" in setting.get("type", ())
        form = {"type": ["string", "null"]} if is_text else setting
        try:
            found = parse_environment_config(
                {"properties": {name: form}}, prefix, os.devnull
            )
        except ValueError:
            found = {name: os.environ[variable]}
        # The SDK takes any other word, and none, for false.
        if found.get(name) is False and os.environ[variable].lower() not in _NO:
            found = {name: os.environ[variable]}
        config |= found
    return config


def misspelt(
    environ: Mapping[str, str], schema: Mapping[str, t.Any], prefix: str
) -> list[str]:
    """Name the environment variables that look like settings, and are none.

    Meltano exports nested settings under names of their own, and those of a plugin that
    inherits from the tap under that plugin's name; a project may have several of these.
    The tap's other command has options that are no settings.

    Args:
        environ: The environment variables.
        schema: JSON Schema of the settings.
        prefix: What the variables of settings begin with.

    Returns:
        One line for each, without its value.
    """
    settings = {name.upper(): one for name, one in schema["properties"].items()}
    nested = tuple(
        f"{name}_" for name, setting in settings.items() if "object" in setting["type"]
    )
    plugin = environ.get("MELTANO_EXTRACTOR_NAME", "").upper().replace("-", "_")
    inherited = f"{plugin}_".removeprefix(prefix)
    siblings = tuple(f"_{name}" for name in settings) if plugin else ()
    lines = []
    for variable in sorted(environ):
        name = variable.removeprefix(prefix)
        if name == variable or name in {*settings, *_NO_SETTINGS}:
            continue
        # Meltano's own, and copies of nested settings.
        if "__" in f"_{name}" or name.startswith(nested):
            continue
        if name.endswith(siblings) or (inherited and name.startswith(inherited)):
            continue
        near = difflib.get_close_matches(name, settings, 1, _LIKENESS)
        meant = f" Is {prefix}{near[0]} meant?" if near else ""
        lines.append(f"The variable {variable} is no setting of the tap.{meant}")
    return lines


def written_by_meltano(environ: Mapping[str, str]) -> Path:
    """Find the settings file that Meltano has just written for a command of the tap.

    For `meltano invoke tap-drchrono:test` Meltano writes the same settings as for a
    run: nested ones, those of inherited plugins, and misspelt ones too.

    Args:
        environ: The environment variables.

    Returns:
        The file.

    Raises:
        SettingsError: If Meltano has not started the tap, or wrote no such file.
    """
    try:
        place = Path(environ["MELTANO_SYS_DIR_ROOT"], "run")
        files = list(
            (place / environ["MELTANO_EXTRACTOR_NAME"]).glob("tap.*.config.json")
        )
        return max(files, key=lambda file: file.stat().st_mtime)
    except (KeyError, OSError, ValueError):
        msg = (
            "--config=MELTANO works in a command of Meltano's only, such as meltano "
            "invoke tap-drchrono:test. Otherwise name a file, or ENV for the "
            "environment variables."
        )
        raise SettingsError(msg) from None


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
        with file:
            found = json.load(file)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        msg = (
            f"The {what} file is not a JSON object: it may be empty or cut off. "
            f"Restore it, or leave --{what} out."
        )
        raise SettingsError(msg)
    return found
