"""Grants: who asks, the pair of tokens, its descent, and which token is next."""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass, field, replace

if t.TYPE_CHECKING:
    from collections.abc import Mapping

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
        obtained_at: When it was asked for, in seconds since the epoch.
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
class Stored:
    """The content of the file.

    Attributes:
        api_url: The API that the pair belongs to.
        client_id: The API application that it belongs to.
        pair: The newest pair.
        descends_from: Hash of the `refresh_token` setting that the pair comes from by
            rotation; None if it comes from `tap-drchrono-authorize`.
        superseded: Hashes of earlier `refresh_token` settings, never to be spent.
        version: Of this format.
    """

    api_url: str
    client_id: str
    pair: Pair
    descends_from: str | None = None
    superseded: frozenset[str] = frozenset()
    version: t.Literal[1] = 1

    def rotated(self, pair: Pair) -> Stored:
        """Keep a pair that was bought with the stored one.

        Args:
            pair: The new pair.

        Returns:
            The new content.
        """
        return replace(self, pair=replace(pair, scope=pair.scope or self.pair.scope))

    def reauthorized(
        self, pair: Pair, *, spent: str | None = None, passed: str | None = None
    ) -> Stored:
        """Keep a pair that comes from a new authorization by a person.

        Args:
            pair: The new pair.
            spent: The `refresh_token` setting that bought it, if one did.
            passed: A `refresh_token` setting that is not to be spent any more.

        Returns:
            The new content, in which all former settings are superseded.
        """
        descends_from = fingerprint(spent) if spent else None
        former = {self.descends_from, fingerprint(passed) if passed else None}
        return replace(
            self,
            pair=pair,
            descends_from=descends_from,
            superseded=self.superseded.union(
                known for known in former if known and known != descends_from
            ),
        )


class Choice(t.NamedTuple):
    """Which tokens to go on with.

    Attributes:
        stored: What the file holds, if anything.
        pair: The stored pair, or None where the setting wins over it.
        spend: The refresh token that buys the next pair.
        superseded: Whether the setting was passed over because it is an old one.
    """

    stored: Stored | None
    pair: Pair | None
    spend: str
    superseded: bool = False


def choose(stored: Stored | None, setting: str | None) -> Choice | None:
    """Decide between the stored pair and the `refresh_token` setting.

    A setting that the file has never seen means that a person authorized again.

    Args:
        stored: What the file holds, if anything.
        setting: The `refresh_token` setting, if given.

    Returns:
        The choice, or None where there is neither.
    """
    if stored is None:
        return None if setting is None else Choice(None, None, setting)
    keep = Choice(stored, stored.pair, stored.pair.refresh_token)
    if setting is None or (known := fingerprint(setting)) == stored.descends_from:
        return keep
    if known in stored.superseded:
        return keep._replace(superseded=True)
    return Choice(stored, None, setting)
