"""What a run would read nothing of, and why: told before the first request."""

from __future__ import annotations

import datetime as dt
import typing as t

from singer_sdk.mapper import RemoveRecordTransform

from tap_drchrono import bookmarks
from tap_drchrono.advice import authorize_command
from tap_drchrono.errors import SettingsError, StreamError

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_drchrono.streams.catalogue import AnyStream

_EARLIEST_ZONE = 14 * 3600.0
"""Seconds by which a date begins earlier somewhere on earth than in UTC."""


def check_selection(streams: Sequence[AnyStream]) -> None:
    """Refuse a run that would read nothing, and look as if all were well.

    Args:
        streams: The selected streams.

    Raises:
        SettingsError: If there are none, or stream maps leave out all of them.
    """
    if not streams:
        msg = (
            "catalog: no stream is selected, so there is nothing to read. Select one "
            "in the catalog, or under select in meltano.yml."
        )
        raise SettingsError(msg)
    maps = [one for stream in streams for one in stream.stream_maps]
    if all(isinstance(one, RemoveRecordTransform) for one in maps):
        msg = (
            "stream_maps: leaves out every stream that is selected, so nothing would "
            "be loaded. Correct it, or select other streams."
        )
        raise SettingsError(msg)


def lies_ahead(start_date: str | None, now: float) -> bool:
    """Tell whether a date has begun nowhere on earth.

    Args:
        start_date: The setting.
        now: Seconds since the epoch.
    """
    latest = bookmarks.utc_day(now + _EARLIEST_ZONE)
    return bool(start_date) and dt.date.fromisoformat(str(start_date)[:10]) > latest


def refuse_start_date(streams: Sequence[AnyStream]) -> None:
    """Refuse a `start_date` that lies ahead, where a stream would begin there.

    Args:
        streams: The selected streams.

    Raises:
        SettingsError: If one would.
    """
    waiting = [stream.name for stream in streams if stream.begins_at_start_date]
    if waiting:
        msg = (
            "start_date: lies in the future, so nothing would be read of "
            f"{', '.join(waiting)}. Set an earlier one, or none."
        )
        raise SettingsError(msg)


def unknown_streams(
    catalog: Mapping[str, t.Any], offered: Iterable[str], known: Iterable[str]
) -> Iterator[str]:
    """Warn of what a catalog selects and the tap does not read.

    Args:
        catalog: A Singer catalog.
        offered: Names of the streams that discovery offers with these settings.
        known: Names of all streams.

    Yields:
        A line for each such stream.
    """
    for entry in catalog["streams"]:
        name = entry.get("tap_stream_id") or entry["stream"]
        if name in offered or not _may_be_selected(entry):
            continue
        if name in known:
            yield (
                f"catalog: the stream {name} is selected and not offered. Name it in "
                "extra_streams to read it."
            )
        else:
            yield f"catalog: there is no stream {name}. It is left out."


def _may_be_selected(entry: Mapping[str, t.Any]) -> bool:
    """Tell whether an entry of a catalog does not say that it is deselected."""
    roots = [one for one in entry.get("metadata") or () if not one.get("breadcrumb")]
    said = [(root.get("metadata") or {}).get("selected") for root in roots]
    return False not in [entry.get("selected"), *said]


class Lacking(t.NamedTuple):
    """What the authorization is not enough for.

    Attributes:
        errors: Why a stream is not read, by its name.
        warnings: Of what records may be missing, though it is read.
    """

    errors: Mapping[str, StreamError]
    warnings: Sequence[str]


def lacking_scopes(
    streams: Sequence[AnyStream], granted: frozenset[str] | None
) -> Lacking:
    """Compare what the streams need with what is granted.

    Args:
        streams: The selected streams.
        granted: The scopes of the grant; None where they are not known.

    Returns:
        What is lacking. A stream of which no scope is granted fails, unless it is
        offered though nobody asked for it.
    """
    errors: dict[str, StreamError] = {}
    warnings: list[str] = []
    by_the_way: list[str] = []
    command = authorize_command()
    for stream in streams:
        lacks = stream.endpoint().lacks(granted)
        if not lacks:
            continue
        named = ", ".join(sorted(lacks))
        if not stream.is_asked_for:
            by_the_way.append(f"{stream.name} ({named})")
        elif lacks == stream.scopes:
            errors[stream.name] = StreamError(
                f"{stream.name}: not read, since the authorization has none of its "
                f"scopes ({named}). Run {command} to grant them, or deselect it."
            )
        else:
            warnings.append(
                f"{stream.name}: the authorization lacks the scopes {named}; DrChrono "
                f"may leave out records without an error. Run {command} to grant them."
            )
    if by_the_way:
        warnings.append(
            "The authorization lacks scopes of lists that are offered by default, so "
            f"records may be missing: {', '.join(by_the_way)}. Run {command} to grant "
            "them, or deselect those."
        )
    return Lacking(errors, warnings)
