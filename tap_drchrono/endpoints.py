"""What other rooms know of a stream: its endpoint, as the stream declares it."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping


class Endpoint(t.NamedTuple):
    """The facts of one list endpoint of DrChrono.

    Attributes:
        stream: The stream's name.
        path: Path of the endpoint below the base URL.
        key: The primary key's field.
        scopes: Read scopes that an authorization needs for it.
        permissions: Permissions in DrChrono that the authorizing user needs.
        sharing: Flags of the practice that let a user see other providers' records.
        joins: By column, dotted where it is nested, the stream whose key it holds.
    """

    stream: str
    path: str
    key: str
    scopes: frozenset[str]
    permissions: tuple[str, ...] = ()
    sharing: tuple[str, ...] = ()
    joins: Mapping[str, str] = {}

    def lacks(self, granted: frozenset[str] | None) -> frozenset[str]:
        """Name the scopes that an authorization lacks.

        Args:
            granted: The scopes of the grant; None where they are not known.

        Returns:
            The scopes that are needed and not granted.
        """
        return frozenset() if granted is None else self.scopes - granted
