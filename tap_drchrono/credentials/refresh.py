"""How a new pair is got: the way of a refresh token from the file to its successor.

A refresh token is single use, so a refresh goes in this order: lock the credentials
file, read it again (another process may have stored a newer pair), prove that it can
be written, spend the token, store the new pair, use it.
"""

from __future__ import annotations

import logging
import typing as t
from pathlib import Path

from tap_drchrono.credentials import oauth
from tap_drchrono.credentials.file import CredentialsFile
from tap_drchrono.credentials.grant import Choice, Credentials, Pair, Stored, choose
from tap_drchrono.credentials.location import keeping_advice, locate
from tap_drchrono.errors import CredentialsError, HostError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_drchrono.clock import Clock

logger = logging.getLogger("tap-drchrono.auth")

_PAUSES = (2.0, 4.0, 8.0, 16.0, 32.0)
"""Seconds before the next try of a token request that had no usable answer."""


class Obtained(t.NamedTuple):
    """A pair to go on with.

    Attributes:
        pair: The pair, stored before it is handed out.
        refreshed: Whether a refresh token was spent for it.
    """

    pair: Pair
    refreshed: bool


class Refresher:
    """Finds a good pair: the stored one, or its successor."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        send: oauth.Send,
        clock: Clock,
        environ: Mapping[str, str],
    ) -> None:
        """Remember what is needed. Nothing is read or sent yet.

        Args:
            credentials: The settings.
            send: Sends a token request, once.
            clock: The time, and waits that a wish to stop ends.
            environ: The environment variables.
        """
        self._credentials = credentials
        self._send = send
        self._clock = clock
        self._environ = environ
        self._file = CredentialsFile(
            locate(credentials, environ),
            api_url=credentials.api_url,
            client_id=credentials.client_id or "",
            clock=clock,
        )
        self._stored: Stored | None = None
        self._warned = False

    def obtain(self, refused: Pair | None = None) -> Obtained:
        """Get a good pair, with a refresh where none is stored.

        Args:
            refused: A pair whose access token the API has just refused.

        Returns:
            The pair. It may be near its end, where a refresh had no clear outcome.

        Raises:
            CredentialsError: If there is none, or none that could be kept.
            HostError: If the token endpoint gives no usable answer.
        """
        # Without the lock first: a pair that is good needs no writable directory.
        if pair := self._good(refused):
            return Obtained(pair, refreshed=False)
        with self._file.lock():
            if pair := self._good(refused):
                return Obtained(pair, refreshed=False)
            return self._refresh(refused)

    def _good(self, refused: Pair | None, *, to_its_end: bool = False) -> Pair | None:
        """Read the stored pair, if it is worth a try."""
        pair = self._choice().pair
        if pair is None or (refused and refused.access_token == pair.access_token):
            return None
        end = pair.expires_at if to_its_end else pair.renew_at
        return pair if self._clock.now() < end else None

    def _choice(self) -> Choice:
        # A file that was deleted while the tap runs is no reason to spend a token that
        # was spent before.
        self._stored = self._file.read() or self._stored
        choice = choose(self._stored, self._credentials.refresh_token)
        if choice is None:
            msg = (
                f"There are no credentials: no pair is kept in {self._file.path}, and "
                "the setting refresh_token is not given. Run tap-drchrono-authorize, "
                "or name the file that it wrote in the setting credentials_path."
            )
            raise CredentialsError(msg)
        if choice.superseded and not self._warned:
            self._warned = True
            logger.warning(
                "The setting refresh_token is an old one and was not used; the newer "
                "pair in %s is. Remove the setting, or give this grant a file of its "
                "own in the setting credentials_path.",
                self._file.path,
            )
        return choice

    def _refresh(self, refused: Pair | None) -> Obtained:
        """Spend a refresh token. The lock is held."""
        self._file.check_writable()
        outcome = ""
        for pause in (0.0, *_PAUSES):
            if pause:
                logger.warning(
                    "No new access token yet (%s); next try in %d s", outcome, pause
                )
                self._clock.sleep(pause)
                if pair := self._good(refused):
                    return Obtained(pair, refreshed=False)
            choice = self._choice()
            try:
                new = self._ask(choice.spend)
            except oauth.InvalidGrantError:
                # Someone beyond the reach of the lock may have been faster.
                if pair := self._good(refused):
                    return Obtained(pair, refreshed=False)
                raise CredentialsError(self._gone(choice)) from None
            except oauth.UnclearOutcomeError as error:
                outcome = str(error)
                # The token may be spent now. While the old access token still lives,
                # asking again can wait.
                if pair := self._good(refused, to_its_end=True):
                    logger.warning("The refresh is put off (%s)", outcome)
                    return Obtained(pair, refreshed=False)
            else:
                return Obtained(self._keep(choice, new), refreshed=True)
        msg = (
            f"The token endpoint {self._credentials.api_url}/o/token/ gave no usable "
            f"answer in {len(_PAUSES) + 1} tries (last: {outcome}). The stored "
            "credentials are unchanged; run the tap again later."
        )
        raise HostError(msg)

    def _ask(self, spend: str) -> Pair:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": spend,
            "client_id": self._credentials.client_id or "",
            "client_secret": self._credentials.client_secret or "",
        }
        return oauth.ask(
            self._send, self._credentials.api_url, form, asked_at=self._clock.now()
        )

    def _keep(self, choice: Choice, pair: Pair) -> Pair:
        """Store a new pair. Nothing here may wait or look for a wish to stop."""
        if choice.stored and choice.pair:
            stored = choice.stored.rotated(pair)
        else:
            former = choice.stored or self._file.new(pair)
            stored = former.reauthorized(pair, spent=choice.spend)
        try:
            self._file.write(stored)
        except CredentialsError as error:
            msg = (
                f"{error} The refresh token was spent meanwhile: put that right, then "
                "authorize again with tap-drchrono-authorize."
            )
            raise CredentialsError(msg) from error
        self._stored = stored
        logger.info("Refreshed the access token; the pair is in %s", self._file.path)
        if choice.stored is None and (
            advice := keeping_advice(
                self._file.path,
                self._environ,
                Path("/"),
                is_default=not self._credentials.credentials_path,
            )
        ):
            logger.warning(advice)
        return stored.pair

    def _gone(self, choice: Choice) -> str:
        path = self._file.path
        start = "A person must authorize again: DrChrono refuses the refresh token "
        if choice.pair:
            return (
                f"{start}that is kept in {path} (invalid_grant). Run "
                f"tap-drchrono-authorize --replace --credentials-path {path}"
            )
        after = (
            f"{path} still holds the pair of an earlier grant: to go on with that one, "
            "remove the setting refresh_token."
            if choice.stored
            else f"No pair is kept in {path}; if an earlier run kept one, it must last "
            "until the next run (see the setting credentials_path)."
        )
        return (
            f"{start}in the setting refresh_token (invalid_grant): it is single use. "
            "Run tap-drchrono-authorize, put what it prints into the settings, and "
            f"remove refresh_token there. {after}"
        )
