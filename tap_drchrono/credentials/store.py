"""The grant that the settings mean: found, and kept, wherever it is."""

from __future__ import annotations

import contextlib
import typing as t

from tap_drchrono.advice import authorize_command
from tap_drchrono.credentials.file import CredentialsFile
from tap_drchrono.credentials.grant import SeveralGrantsError, Stored, meant
from tap_drchrono.credentials.legacy import left_beside, merged
from tap_drchrono.credentials.location import locate
from tap_drchrono.errors import CredentialsError

if t.TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tap_drchrono.clock import Clock
    from tap_drchrono.credentials.grant import Credentials, Grant


class Store:
    """Finds and keeps one grant among those of its API application."""

    def __init__(
        self, credentials: Credentials, *, clock: Clock, environ: Mapping[str, str]
    ) -> None:
        """Remember where to look. Nothing is read or written yet.

        Args:
            credentials: The settings.
            clock: For waits that a wish to stop ends.
            environ: The environment variables.
        """
        self._setting = credentials.refresh_token or None
        self._api_url = credentials.api_url
        self._client_id = credentials.client_id or ""
        self._is_default = not credentials.credentials_path
        self._file = CredentialsFile(
            locate(credentials, environ),
            api_url=self._api_url,
            client_id=self._client_id,
            clock=clock,
        )
        self._stored: Stored | None = None
        self._grant: Grant | None = None
        self._others = 0

    @property
    def path(self) -> Path:
        """The file that keeps the grant."""
        return self._file.path

    @property
    def others(self) -> int:
        """How many other grants were kept, when last looked."""
        return self._others

    def lock(self) -> contextlib.AbstractContextManager[None]:
        """Be the only process that spends a token of this file."""
        return self._file.lock()

    def check_writable(self) -> None:
        """Try a write before a token is spent. Hold the lock."""
        self._file.check_writable()

    def find(self, *, dead: bool = False) -> Grant | None:
        """Look for the grant. Needs no lock.

        A grant that was found once is not forgotten while the tap runs: not if the
        file is deleted, replaced by an older copy, or joined by another grant.

        Args:
            dead: Whether the grant that was found before was refused for good, so that
                a later one may take its place: it is alone, and no setting is given.

        Returns:
            Its newest version; None where none is kept, or the setting `refresh_token`
            begins a new one.

        Raises:
            CredentialsError: If the file cannot be used, or holds several grants and
                no setting says which is meant.
        """
        self._stored = stored = self._file.read()
        grants = merged(stored.grants if stored else (), self._former().values())
        if (mine := self._grant) is None:
            mine = self._meant(grants)
        elif kin := [one for one in grants if one.is_kin(mine)]:
            mine = kin[0].newer(mine)
        elif dead and self._has_followed(mine, grants):
            (mine,) = grants
        self._grant = mine
        self._others = sum(not (mine and one.is_kin(mine)) for one in grants)
        return mine

    def keep(self, grant: Grant) -> None:
        """Store a new version of the grant. Hold the lock.

        Nothing here waits or looks for a wish to stop.

        Args:
            grant: The new version.

        Raises:
            CredentialsError: If it cannot be stored.
        """
        stored = self._stored
        # Read again: where locks do nothing, another practice may have written. What
        # cannot be read any more is no reason to lose a token.
        with contextlib.suppress(CredentialsError):
            stored = self._file.read() or stored
        stored = stored or Stored(self._api_url, self._client_id)
        self._file.write(stored.holding(grant))
        self._grant = grant
        for path, former in self._former().items():
            if former.is_kin(grant):
                self._file.take_place_of(path)

    def _has_followed(self, mine: Grant, grants: list[Grant]) -> bool:
        """Tell whether the file was filled anew since it was read."""
        return (
            self._setting is None
            and len(grants) == 1
            and grants[0].pair.obtained_at > mine.pair.obtained_at
        )

    def _meant(self, grants: list[Grant]) -> Grant | None:
        try:
            return meant(grants, self._setting)
        except SeveralGrantsError:
            msg = (
                f"{len(grants)} authorizations are kept in {self.path} (or beside it, "
                "by version 0.1.0), and nothing says which one is meant. Set "
                "refresh_token to any token that this one ever had, also an old one; "
                "or give each practice a file of its own in the setting "
                f"credentials_path, and run {authorize_command()} for it."
            )
            raise CredentialsError(msg) from None

    def _former(self) -> dict[Path, Grant]:
        """Read the files of version 0.1.0 that belong to these settings."""
        if not self._is_default:
            return {}
        return left_beside(self.path, self._api_url, self._client_id)
