"""Every list endpoint, bulk and plain."""

from __future__ import annotations

import typing as t

from drchrono_sandbox.plain.endpoints import PLAIN, PlainInfo
from drchrono_sandbox.streams import STREAMS, StreamInfo

EndpointInfo: t.TypeAlias = StreamInfo | PlainInfo

ENDPOINTS: dict[str, EndpointInfo] = {**STREAMS, **PLAIN}
"""By name, the bulk ones first."""

SEEDS: dict[str, int] = {name: number for number, name in enumerate(ENDPOINTS)}
"""A number for each stream, which its records draw from."""

FOLLOWING = ("eobs", "line_item_deletions")
"""Streams whose records are not added by themselves: they come with others."""

GROUPS: dict[str, tuple[str, ...]] = {
    "bulk": tuple(STREAMS),
    "plain": tuple(name for name in PLAIN if name not in FOLLOWING),
}
"""Streams whose records people edit, add and delete, by a name for all of them."""

BY_PATH: dict[str, EndpointInfo] = {info.path: info for info in ENDPOINTS.values()}

SCOPES: tuple[str, ...] = tuple(
    sorted({scope for info in ENDPOINTS.values() for scope in info.scopes})
)
"""All read scopes that the streams need."""


def check_names(names: t.Iterable[str]) -> None:
    """Refuse streams that don't exist.

    Args:
        names: Names of streams.

    Raises:
        ValueError: If one is unknown.
    """
    if unknown := set(names) - set(ENDPOINTS):
        msg = f"Unknown streams {sorted(unknown)}; known: {', '.join(ENDPOINTS)}"
        raise ValueError(msg)
