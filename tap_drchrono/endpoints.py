"""What other rooms know of a stream: its endpoint, as the stream declares it."""

from __future__ import annotations

import enum
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping


class Group(enum.Enum):
    """What a stream is about: a page of docs/streams/ each."""

    BULK = "bulk"
    REFERENCE = "reference"
    MONEY = "money"
    CLINICAL = "clinical"
    SCHEDULING = "scheduling"
    TASKS = "tasks"
    MESSAGES = "messages"


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
        replication_key: The field that tells when a record changed; None where the
            stream keeps no bookmark.
        group: What it is about.
        offered: Whether discovery offers it without being asked to.
    """

    stream: str
    path: str
    key: str
    scopes: frozenset[str]
    permissions: tuple[str, ...] = ()
    sharing: tuple[str, ...] = ()
    joins: Mapping[str, str] = {}
    replication_key: str | None = "updated_at"
    group: Group = Group.BULK
    offered: bool = True

    def lacks(self, granted: frozenset[str] | None) -> frozenset[str]:
        """Name the scopes that an authorization lacks.

        Args:
            granted: The scopes of the grant; None where they are not known.

        Returns:
            The scopes that are needed and not granted.
        """
        return frozenset() if granted is None else self.scopes - granted
