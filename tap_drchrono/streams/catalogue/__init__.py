"""Every stream with all its facts, one class each, by area.

A class is all that a stream needs beside its schema: whatever else knows of it, the
documentation included, derives that from here.
"""

from __future__ import annotations

import typing as t

from tap_drchrono.streams.catalogue import (
    bulk,
    clinical,
    messages,
    money,
    reference,
    scheduling,
    tasks,
)

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from types import ModuleType

    from tap_drchrono.endpoints import Endpoint
    from tap_drchrono.streams.base import DrChronoStream

    AnyStream: t.TypeAlias = DrChronoStream[t.Any, t.Any]


def _declared(area: ModuleType) -> Iterator[type[AnyStream]]:
    """Collect the streams that an area declares."""
    for one in vars(area).values():
        if isinstance(one, type) and one.__module__ == area.__name__:
            yield one


STREAMS: tuple[type[AnyStream], ...] = tuple(
    stream
    for area in (bulk, reference, money, clinical, scheduling, tasks, messages)
    for stream in _declared(area)
)

ENDPOINTS: t.Mapping[str, Endpoint] = {
    endpoint.stream: endpoint for endpoint in (stream.endpoint() for stream in STREAMS)
}
"""What other rooms know of the streams, by name."""

ON_REQUEST: frozenset[str] = frozenset(
    name for name, endpoint in ENDPOINTS.items() if not endpoint.offered
)
"""Streams that the setting `extra_streams` adds."""


def endpoints(extra: Collection[str] = ()) -> Iterator[Endpoint]:
    """Choose the streams that discovery offers.

    Args:
        extra: Names of streams that are offered on request.

    Yields:
        Their endpoints.
    """
    for endpoint in ENDPOINTS.values():
        if endpoint.offered or endpoint.stream in extra:
            yield endpoint


def scopes(extra: Collection[str] = ()) -> frozenset[str]:
    """Name what a grant must hold so that all streams on offer can be read.

    Args:
        extra: Names of streams that are offered on request.

    Returns:
        The read scopes.
    """
    return frozenset().union(*(one.scopes for one in endpoints(extra)))


def missing_scopes(
    granted: frozenset[str], extra: Collection[str] = ()
) -> dict[str, frozenset[str]]:
    """Name the streams that a grant is not enough for.

    Args:
        granted: The scopes of the grant.
        extra: Names of streams that are offered on request.

    Returns:
        By stream, the scopes that are lacking; streams without a lack are left out.
    """
    return {
        endpoint.stream: lacking
        for endpoint in endpoints(extra)
        if (lacking := endpoint.lacks(granted))
    }
