"""The settings: what there is, what is refused, and the words for it."""

from __future__ import annotations

import datetime as dt
import difflib
import ipaddress
import re
import typing as t
from urllib.parse import urlsplit

import jsonschema
from singer_sdk import typing as th

from tap_drchrono.advice import authorize_command, unread_credentials

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

API_URL = "https://app.drchrono.com"

SETTINGS: dict[str, t.Any] = th.PropertiesList(
    th.Property(
        "client_id",
        th.StringType,
        title="Client ID",
        description="Client ID of your API application in DrChrono.",
    ),
    th.Property(
        "client_secret",
        th.StringType,
        secret=True,
        title="Client Secret",
        description="Client secret of your API application in DrChrono.",
    ),
    th.Property(
        "refresh_token",
        th.StringType,
        secret=True,
        title="Refresh Token",
        description=(
            "Refresh token of a person's authorization. It is single use: the tap "
            "keeps its successors at credentials_path. May be omitted where that file "
            "holds one grant, as after tap-drchrono-authorize; of several, any token "
            "that a grant ever had says which is meant."
        ),
    ),
    th.Property(
        "access_token",
        th.StringType,
        secret=True,
        title="Access Token",
        description=(
            "A pasted access token for a trial run, instead of the three above. It "
            "expires after two days and is not refreshed."
        ),
    ),
    th.Property(
        "credentials_path",
        th.StringType,
        title="Credentials Path",
        description=(
            "File in which rotated credentials are kept. It must survive from run to "
            "run. By default a file below the Meltano project or the user's state "
            "directory, one for each API application."
        ),
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start Date",
        description=(
            "Earliest updated_at to read on a first sync, as a date or date-time; the "
            "date part counts. Everything, if not given."
        ),
    ),
    th.Property(
        "api_url",
        th.StringType,
        default=API_URL,
        title="API URL",
        description="Base URL of the API. Change it to try the tap on the sandbox.",
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=1, maximum=20_000),
        title="Page Size",
        description=(
            "Records a page at most. By default, and at most, each endpoint's maximum: "
            "1000, or 20000 for clinical_note_field_values, or 250 for a list that is "
            "no bulk list."
        ),
    ),
    th.Property(
        "extra_streams",
        th.CustomType(
            {"type": ["string", "array", "null"], "items": {"type": "string"}}
        ),
        title="Extra Streams",
        description=(
            "Further streams to offer, separated by commas, or all. Without it the "
            "eight bulk lists, the reference lists, line_item_deletions and "
            "patient_payments are offered."
        ),
    ),
    th.Property(
        "reference_max_age_hours",
        th.IntegerType(minimum=0),
        default=20,
        title="Reference Max Age Hours",
        description=(
            "Hours for which a reference list that was read whole is not read again; "
            "0 to read it each time."
        ),
    ),
    th.Property(
        "verbose",
        th.BooleanType,
        default=True,
        title="Verbose",
        description=(
            "Ask for the verbose fields of the bulk lists, and of tasks and allergies."
        ),
    ),
    th.Property(
        "include_deleted",
        th.BooleanType,
        default=True,
        title="Include Deleted",
        description="Read archived and deleted appointments, marked by deleted_flag.",
    ),
    th.Property(
        "include_inactive",
        th.BooleanType,
        default=True,
        title="Include Inactive",
        description="Read inactive and deceased patients.",
    ),
    th.Property(
        "lookback_days",
        th.IntegerType(minimum=1),
        default=1,
        title="Lookback Days",
        description="Days subtracted from the bookmark when reading.",
    ),
    th.Property(
        "hourly_request_limit",
        th.IntegerType(minimum=1),
        default=500,
        title="Hourly Request Limit",
        description=(
            "Requests that this tap may send in a clock hour. DrChrono allows 500 for "
            "each API application."
        ),
    ),
    th.Property(
        "max_pending_lists",
        th.IntegerType(minimum=1),
        default=8,
        title="Max Pending Lists",
        description="Lists that DrChrono may be generating for the tap at once.",
    ),
    th.Property(
        "list_timeout",
        th.IntegerType(minimum=1, maximum=86_400),
        default=1800,
        title="List Timeout",
        description=(
            "Seconds for which a list may stay in progress before it is submitted "
            "again."
        ),
    ),
    th.Property(
        "request_timeout",
        th.IntegerType(minimum=1, maximum=3600),
        default=60,
        title="Request Timeout",
        description="Seconds for one HTTP request.",
    ),
    th.Property(
        "outage_timeout",
        th.IntegerType(minimum=0, maximum=86_400),
        default=900,
        title="Outage Timeout",
        description=(
            "Seconds for which the tap waits while DrChrono gives no usable answer."
        ),
    ),
    th.Property(
        "metrics_log_level",
        th.StringType(allowed_values=["DEBUG", "INFO", "WARNING", "ERROR"]),
        default="WARNING",
        title="Metrics Log Level",
        description=(
            "Log level of the SDK's METRIC lines, which are of level INFO: so INFO "
            "brings them into the log."
        ),
    ),
    th.Property(
        "emit_activate_version_messages",
        th.BooleanType,
        title="Emit Activate Version Messages",
        description=(
            "Write an ACTIVATE_VERSION message after a stream that is read whole "
            "(FULL_TABLE), so that targets can drop rows that are gone. It cannot be "
            "combined with batch_config."
        ),
    ),
).to_dict()

FLATTENED_NAME_LENGTH = 64
"""Flattened names are shorter than this: PostgreSQL cuts a name after 63 bytes."""

_OAUTH = ("client_id", "client_secret", "refresh_token")
_HOST = re.compile(r"[\w.:-]+", re.ASCII).fullmatch
_NOUNS = {
    "array": "an array",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "text",
}


ALL = "all"
"""Stands for every stream that `extra_streams` can name."""
_NAME = re.compile(r"[\w-]+", re.ASCII)
_LIST = re.compile(r"[\w\s,;'\"\[\]-]*", re.ASCII).fullmatch


def extra_streams(
    config: Mapping[str, t.Any], known: Collection[str]
) -> frozenset[str]:
    """Read the setting `extra_streams`, in any of the forms that it comes in.

    Args:
        config: The settings.
        known: The streams that it can name.

    Returns:
        The streams that it adds.
    """
    names = _names(config.get("extra_streams"))
    return frozenset(known if ALL in names else names & set(known))


def _names(value: object) -> set[str]:
    """Find names in a list, in text with commas, or in a list that became text."""
    if isinstance(value, str):
        return set(_NAME.findall(value))
    return set(value) if isinstance(value, (list, tuple)) else set()


def given(config: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Leave out what is null or an empty string, which means not given.

    Args:
        config: Settings as passed to the tap.

    Returns:
        The settings that have a value.
    """
    return {
        name: value
        for name, value in config.items()
        if value is not None and value != ""
    }


def problems(
    config: Mapping[str, t.Any], schema: Mapping[str, t.Any], streams: Collection[str]
) -> list[str]:
    """Check settings.

    Args:
        config: The settings that have a value.
        schema: JSON Schema of all settings, the SDK's own included.
        streams: The streams that `extra_streams` may name.

    Returns:
        One readable line for each problem, with names but no values.
    """
    found = [
        f"{name}: there is no such setting"
        for name in config
        if name not in schema["properties"]
    ]
    errors = list(jsonschema.Draft7Validator(_readable(schema)).iter_errors(config))
    mistyped = {
        tuple(error.absolute_path) for error in errors if error.validator == "type"
    }
    found += [
        _describe(error)
        for error in errors
        if error.validator == "type" or tuple(error.absolute_path) not in mistyped
    ]
    wrong = {error.absolute_path[0] for error in errors if error.absolute_path}
    sound = {name: value for name, value in config.items() if name not in wrong}
    if not wrong & {*_OAUTH, "access_token"}:
        found += _credential_problems(sound)
    found += _value_problems(sound)
    found += stream_problems(sound.get("extra_streams"), streams)
    if batch := sound.get("batch_config"):
        found += _batch_problems(batch)
        if sound.get("emit_activate_version_messages"):
            found.append(
                "batch_config: cannot be combined with emit_activate_version_messages: "
                "rows in BATCH files carry no version, so a target would drop them. "
                "Leave one of the two out"
            )
    return found


def _readable(schema: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Leave out what the SDK says of the inside of stream maps.

    A part of that is no JSON Schema, which ends in a crash; `tap_drchrono.stream_maps`
    checks all of it, and shows no alias.
    """
    settings = dict(schema["properties"])
    if "stream_maps" in settings:
        settings["stream_maps"] = {"type": settings["stream_maps"]["type"]}
    return {**schema, "properties": settings}


def _describe(error: jsonschema.ValidationError) -> str:
    """Say what is wrong without the value, which may be a secret."""
    name = ".".join(str(part) for part in error.absolute_path) or "settings"
    wanted: t.Any = error.validator_value
    instance: t.Any = error.instance
    match error.validator:
        case "type":
            types = [wanted] if isinstance(wanted, str) else wanted
            nouns = [_NOUNS[one] for one in types if one != "null"]
            return f"{name}: must be {' or '.join(nouns)}"
        case "minimum":
            return f"{name}: must be at least {wanted}"
        case "maximum":
            return f"{name}: must be at most {wanted}"
        case "enum":
            return f"{name}: must be one of {', '.join(map(str, wanted))}"
        case "required":
            missing = [one for one in wanted if one not in instance]
            return f"{name}: lacks {', '.join(missing)}"
        case _:
            return (
                f"{name}: does not have the form that is documented ({error.validator})"
            )


def _credential_problems(config: Mapping[str, t.Any]) -> Iterator[str]:
    """Check that the credentials are whole, and of one kind."""
    oauth = [name for name in _OAUTH if name in config]
    if "access_token" in config:
        if oauth:
            yield (
                f"access_token: cannot be combined with {', '.join(oauth)}. Keep "
                "access_token for a trial run, or the others for good"
            )
    elif not oauth:
        yield (
            "client_id, client_secret, refresh_token: no credentials are given. Set "
            f"them, or access_token for a trial run; {authorize_command()} gets the "
            f"first refresh token{unread_credentials((*_OAUTH, 'access_token'))}"
        )
    else:
        for name in ("client_id", "client_secret"):
            if name not in config:
                yield f"{name}: is missing, and goes with {', '.join(oauth)}"


def _value_problems(config: Mapping[str, t.Any]) -> Iterator[str]:
    """Check formats, which JSON Schema validation leaves alone."""
    start_date = config.get("start_date")
    if start_date is not None:
        try:
            dt.datetime.fromisoformat(start_date)
            dt.date.fromisoformat(start_date[:10])
        except ValueError:
            yield "start_date: must be a date such as 2024-01-31 or a date-time"
    if problem := url_problem(config.get("api_url", API_URL)):
        yield f"api_url: {problem}"


def stream_problems(value: object, streams: Collection[str]) -> Iterator[str]:
    """Check names of streams; what cannot be one is not shown.

    Args:
        value: The setting `extra_streams`, text or a list of texts.
        streams: The streams that it may name.

    Yields:
        One readable line for each problem.
    """
    if isinstance(value, str) and not _LIST(value):
        yield "extra_streams: must be names of streams, separated by commas, or all"
        return
    for name in sorted(_names(value) - {*streams, ALL}):
        near = difflib.get_close_matches(name.lower(), [*streams, ALL], 1, cutoff=0)
        # Only what resembles a name is surely none of the secrets.
        alike = difflib.get_close_matches(name.lower(), near)
        shown = f"no stream {name}" if alike else "no such stream"
        yield f"extra_streams: there is {shown}; the nearest is {', '.join(near)}"


def _batch_problems(batch: Mapping[str, t.Any]) -> Iterator[str]:
    """Check what the SDK takes on trust."""
    encoding, storage = batch.get("encoding") or {}, batch.get("storage") or {}
    if encoding.get("format") != "jsonl":
        yield "batch_config.encoding.format: must be jsonl"
    if not storage.get("root"):
        yield "batch_config.storage.root: is missing; it says where the files go"
    size = batch.get("batch_size")
    if size is not None and size < 1:
        yield "batch_config.batch_size: must be at least 1"


def url_problem(url: str) -> str | None:
    """Check the base URL: https, or http to this machine only.

    Args:
        url: The base URL.

    Returns:
        What is wrong with it, or None.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return "is not a URL"
    if not host or not _HOST(host) or parts.scheme not in {"http", "https"}:
        return f"must be a URL such as {API_URL}"
    if parts.username or parts.password or parts.query or parts.fragment:
        return "must hold no user, query or fragment"
    if parts.scheme == "http" and not is_loopback(host):
        return "must start with https://; http:// is accepted for this machine only"
    return None


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
