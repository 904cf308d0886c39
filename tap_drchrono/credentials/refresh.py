"""How a new pair is got: the way of a refresh token from the file to its successor.

A refresh token is single use, so a refresh goes in this order: lock the credentials
file, read it again (another process may have stored a newer pair), prove that it can
be written, spend the token, store the new pair, use it.
"""

from __future__ import annotations

import contextlib
import logging
import shlex
import typing as t

from tap_drchrono.advice import authorize_command
from tap_drchrono.credentials import oauth
from tap_drchrono.credentials.grant import Credentials, Grant, Pair, new_grant
from tap_drchrono.credentials.location import passing_place
from tap_drchrono.credentials.store import Store
from tap_drchrono.errors import CredentialsError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_drchrono.clock import Clock
    from tap_drchrono.credentials.patience import Patience

logger = logging.getLogger("tap-drchrono.auth")

_WATCHED = 10.0
"""Seconds for which the file is looked at after a token was refused: whoever spent it
first, beyond the reach of the lock, may be writing what it bought."""

_GLANCE = 0.5


class Obtained(t.NamedTuple):
    """A pair to go on with.

    Attributes:
        pair: The pair, stored before it is handed out.
        refreshed: Whether a refresh token was spent for it.
    """

    pair: Pair
    refreshed: bool


class _Next(t.NamedTuple):
    """What buys the next pair.

    Attributes:
        token: The refresh token to spend.
        grant: The grant that it belongs to; None if it begins one.
    """

    token: str
    grant: Grant | None


class Refresher:
    """Finds a good pair: the stored one, or its successor."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        send: oauth.Send,
        clock: Clock,
        patience: Patience,
        environ: Mapping[str, str],
    ) -> None:
        """Remember what is needed. Nothing is read or sent yet.

        Args:
            credentials: The settings.
            send: Sends a token request, once.
            clock: The time, and waits that a wish to stop ends.
            patience: Waits where the token endpoint gives no usable answer.
            environ: The environment variables.
        """
        self._credentials = credentials
        self._send = send
        self._clock = clock
        self._patience = patience
        self._store = Store(credentials, clock=clock, environ=environ)
        self._place_checked = False

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
        while True:
            with self._store.lock():
                if pair := self._good(refused):
                    return Obtained(pair, refreshed=False)
                try:
                    return self._refresh(refused)
                except oauth.InvalidGrantError:
                    spent = self._next().token
            # Not locked, for whoever may be about to write.
            if not self._is_superseded(spent, refused):
                raise CredentialsError(self._gone())

    def _good(self, refused: Pair | None, *, to_its_end: bool = False) -> Pair | None:
        """Read the stored pair, if it is worth a try."""
        grant = self._store.find()
        if grant is None:
            return None
        pair = grant.pair
        if refused and refused.access_token == pair.access_token:
            return None
        end = pair.expires_at if to_its_end else pair.renew_at
        return pair if self._clock.now() < end else None

    def _next(self) -> _Next:
        """Say what buys the next pair."""
        if grant := self._store.find():
            return _Next(grant.pair.refresh_token, grant)
        if setting := self._credentials.refresh_token:
            return _Next(setting, None)
        msg = (
            f"There are no credentials: no pair is kept in {self._store.path}, and the "
            f"setting refresh_token is not given. Run {authorize_command()}, or name "
            "the file that it wrote in the setting credentials_path."
        )
        raise CredentialsError(msg)

    def _refresh(self, refused: Pair | None) -> Obtained:
        """Spend a refresh token. The lock is held."""
        self._next()
        self._store.check_writable()
        self._check_place()
        while True:
            spending = self._next()
            try:
                pair = self._ask(spending.token)
            except oauth.UnclearOutcomeError as error:
                # The token may be spent now. While the old access token still lives,
                # asking again can wait.
                if good := self._good(refused, to_its_end=True):
                    logger.warning("The refresh is put off (%s)", error)
                    return Obtained(good, refreshed=False)
                cause = error.__cause__
                self._patience.wait(
                    cause if isinstance(cause, Exception) else error,
                    is_doubtful=isinstance(error, oauth.PageError)
                    and spending.grant is None,
                )
                # Where locks do nothing, someone else may have refreshed meanwhile.
                if good := self._good(refused):
                    return Obtained(good, refreshed=False)
            else:
                return Obtained(self._keep(spending, pair), refreshed=True)

    def _check_place(self) -> None:
        """Say once, before a token is spent, if its successor will not last."""
        if not self._place_checked:
            self._place_checked = True
            if warning := passing_place(self._store.path):
                logger.warning(warning)

    def _ask(self, spend: str) -> Pair:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": spend,
            "client_id": self._credentials.client_id or "",
            "client_secret": self._credentials.client_secret or "",
        }
        api_url = self._credentials.api_url
        try:
            pair = oauth.ask(self._send, api_url, form, now=self._clock.now)
        except (oauth.InvalidGrantError, CredentialsError):
            self._patience.answered()
            raise
        self._patience.answered()
        return pair

    def _keep(self, spent: _Next, pair: Pair) -> Pair:
        """Store a new pair. Nothing here may wait or look for a wish to stop."""
        if spent.grant:
            grant = spent.grant.followed_by(pair)
        else:
            grant = new_grant(pair, passed=spent.token)
        try:
            self._store.keep(grant)
        except CredentialsError as error:
            msg = (
                f"{error} The refresh token was spent meanwhile: put that right, then "
                f"authorize again with {authorize_command()}."
            )
            raise CredentialsError(msg) from error
        logger.info("Refreshed the access token; the pair is in %s", self._store.path)
        return grant.pair

    def _is_superseded(self, spent: str, refused: Pair | None) -> bool:
        """Watch the file for the successor of a refresh token that was refused."""
        for pause in (0.0, *(_GLANCE,) * int(_WATCHED / _GLANCE)):
            if pause:
                self._clock.sleep(pause)
            # What cannot be read is perhaps being written.
            with contextlib.suppress(CredentialsError):
                self._store.find(dead=True)
                if self._good(refused) or self._next().token != spent:
                    return True
        return False

    def _gone(self) -> str:
        path, command = self._store.path, authorize_command()
        start = "A person must authorize again: DrChrono refuses the refresh token "
        if self._store.find():
            return (
                f"{start}that is kept in {path} (invalid_grant). Run {command} "
                f"--replace --credentials-path {shlex.quote(str(path))}"
            )
        if self._store.others:
            return (
                f"{start}in the setting refresh_token (invalid_grant), and no grant "
                f"in {path} comes from it. If the practice is the one there, remove "
                "the setting; otherwise give it a file of its own: set "
                f"credentials_path, and run {command}."
            )
        return (
            f"{start}in the setting refresh_token (invalid_grant): it is single use. "
            f"Run {command}, put what it prints into the settings, and remove "
            f"refresh_token there. No pair is kept in {path}; if an earlier run kept "
            "one, it must last until the next run (see the setting credentials_path)."
        )
