"""Grants: who asks, the pair of tokens, its descent, and which grant is meant."""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass, field, replace

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MARGIN = 600.0
"""Seconds before its expiry at which an access token is replaced."""


def fingerprint(token: str) -> str:
    """Hash a token, to recognise it later without keeping it.

    Args:
        token: A refresh token.

    Returns:
        The SHA-256 as hex digits.
    """
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True)
class Credentials:
    """The settings that say who the tap is: `access_token`, or all others.

    Attributes:
        api_url: The base URL.
        client_id: Of the API application.
        client_secret: Of the API application.
        refresh_token: Optional where the credentials file holds a pair.
        credentials_path: Where the pair is kept; None for the default.
        access_token: Instead of the others, for a trial run.
    """

    api_url: str
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    credentials_path: str | None = None
    access_token: str | None = field(default=None, repr=False)

    @classmethod
    def from_config(cls, config: Mapping[str, t.Any]) -> Credentials:
        """Pick the settings. An empty string means not given.

        Args:
            config: The tap's settings, already checked.

        Returns:
            The credentials.
        """
        names = [name for name in cls.__dataclass_fields__ if name != "api_url"]
        given = {name: str(config.get(name) or "").strip() or None for name in names}
        return cls(str(config["api_url"]).rstrip("/"), **given)


@dataclass(frozen=True)
class Pair:
    """What one answer of the token endpoint gave. Its repr shows no token.

    Attributes:
        access_token: Goes into the header of each request.
        refresh_token: Buys the next pair, once.
        obtained_at: When it came, in seconds since the epoch.
        expires_at: When the access token ends, in seconds since the epoch.
        scope: The granted scopes, separated by spaces, or None if not told.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    obtained_at: float
    expires_at: float
    scope: str | None = None

    @property
    def renew_at(self) -> float:
        """When to replace it: ten minutes early, less for a short-lived token."""
        return self.expires_at - min(_MARGIN, (self.expires_at - self.obtained_at) / 10)


@dataclass(frozen=True)
class Grant:
    """One person's authorization: its newest pair, and the tokens that led to it.

    Attributes:
        pair: The newest pair.
        superseded: Hashes of the refresh tokens that it had before, or that a person
            replaced by it. They name this grant, and are never spent again.
    """

    pair: Pair
    superseded: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Hashes of all refresh tokens that mean this grant."""
        return self.superseded | {fingerprint(self.pair.refresh_token)}

    def is_kin(self, other: Grant) -> bool:
        """Tell whether another grant is this one, at the same or another time."""
        return not self.names.isdisjoint(other.names)

    def followed_by(self, pair: Pair, *, passed: str | None = None) -> Grant:
        """Go on with the next pair.

        Args:
            pair: What the stored refresh token bought, or a person's new consent.
            passed: A `refresh_token` setting that is not to be spent any more.

        Returns:
            The grant, in which all tokens but the new one are superseded.
        """
        pair = replace(pair, scope=pair.scope or self.pair.scope)
        return _grant(pair, self.names, passed)

    def newer(self, other: Grant) -> Grant:
        """Choose between two versions of one grant.

        Args:
            other: Its kin.

        Returns:
            The later one, which knows the tokens of both.
        """
        mine, theirs = (fingerprint(g.pair.refresh_token) for g in (self, other))
        if (mine in other.superseded) != (theirs in self.superseded):
            late = other if mine in other.superseded else self
        else:
            late = max(self, other, key=lambda one: one.pair.obtained_at)
        return _grant(late.pair, self.names | other.names)


def new_grant(pair: Pair, *, passed: str | None = None) -> Grant:
    """Begin a grant.

    Args:
        pair: Its first pair.
        passed: The `refresh_token` setting that bought it, or that is the old one
            since a person authorized anew.

    Returns:
        The grant, which that setting means from now on.
    """
    return _grant(pair, frozenset(), passed)


def _grant(pair: Pair, former: frozenset[str], passed: str | None = None) -> Grant:
    """Make a grant; a token that the server did not replace is no former one."""
    known = former | {fingerprint(passed)} if passed else former
    return Grant(pair, known - {fingerprint(pair.refresh_token)})


class SeveralGrantsError(Exception):
    """Nothing says which grant is meant."""


def meant(grants: Iterable[Grant], setting: str | None) -> Grant | None:
    """Find the grant that the settings mean.

    Args:
        grants: All that are kept for this API and this API application.
        setting: The `refresh_token` setting, if given. It may be an old token.

    Returns:
        The grant; None where none is kept, or none knows the setting, which then
        begins a new one.

    Raises:
        SeveralGrantsError: If there is no setting, and more than one grant.
    """
    grants = list(grants)
    if setting is not None:
        name = fingerprint(setting)
        return next((one for one in grants if name in one.names), None)
    if len(grants) > 1:
        raise SeveralGrantsError
    return grants[0] if grants else None


@dataclass(frozen=True)
class Stored:
    """The content of the file.

    Attributes:
        api_url: The API that the grants belong to.
        client_id: The API application that they belong to.
        grants: In the order in which they began.
        version: Of this format.
    """

    api_url: str
    client_id: str
    grants: tuple[Grant, ...] = ()
    version: t.Literal[2] = 2

    def holding(self, grant: Grant) -> Stored:
        """Keep a grant in place of its former versions.

        Args:
            grant: The newest version.

        Returns:
            The new content.
        """
        others = [one for one in self.grants if not one.is_kin(grant)]
        return replace(self, grants=(*others, grant))
