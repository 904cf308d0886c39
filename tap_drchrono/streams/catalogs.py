"""Catalogs: they decide selection and replication method, and nothing else."""

from __future__ import annotations

import typing as t

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from tap_drchrono.errors import SettingsError
from tap_drchrono.schema_files import SCHEMAS
from tap_drchrono.streams.catalogue import ENDPOINTS
from tap_drchrono.streams.selection import without_items

if t.TYPE_CHECKING:
    from collections.abc import Mapping


def with_own_columns(catalog: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Put the tap's own columns, keys and replication methods into a catalog.

    Values are cast by the tap's own schemas, so an old catalog must not describe them.

    Args:
        catalog: A Singer catalog.

    Returns:
        The same selection, with columns and keys of today.

    Raises:
        SettingsError: If it is no catalog.
    """
    entries = []
    try:
        for given in catalog["streams"]:
            name = given.get("tap_stream_id") or given["stream"]
            entry = dict(given)
            if name in ENDPOINTS:
                entry |= {
                    "schema": SCHEMAS.get_schema(name),
                    "key_properties": [ENDPOINTS[name].key],
                    "replication_key": ENDPOINTS[name].replication_key,
                    "replication_method": _method(given),
                    "metadata": without_items(given.get("metadata") or ()),
                }
            entries.append(entry)
    except (AttributeError, KeyError, TypeError):
        msg = "The catalog has no list of streams. Make one with --discover."
        raise SettingsError(msg) from None
    return {**catalog, "streams": entries}


def _method(entry: Mapping[str, t.Any]) -> str | None:
    """Look for FULL_TABLE where catalogs hold it; all else is incremental."""
    found = [entry.get("replication_method")]
    for item in entry.get("metadata") or ():
        if not item.get("breadcrumb"):
            metadata = item.get("metadata") or {}
            found += [
                metadata.get("replication-method"),
                metadata.get("forced-replication-method"),
            ]
    return REPLICATION_FULL_TABLE if REPLICATION_FULL_TABLE in found else None
