"""The one authenticator of the tap: which access token goes on a request, how long."""

from __future__ import annotations

import logging
import os
import typing as t

import requests
from typing_extensions import override

from tap_drchrono.advice import authorize_command
from tap_drchrono.credentials import oauth
from tap_drchrono.credentials.grant import Credentials, Pair
from tap_drchrono.credentials.refresh import Refresher
from tap_drchrono.credentials.refusals import Elsewhere, Refusals, Verdict
from tap_drchrono.errors import CredentialsError

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_drchrono.clock import Clock
    from tap_drchrono.credentials.patience import Patience

logger = logging.getLogger("tap-drchrono.auth")

__all__ = ["Authenticator", "Credentials"]

_POSTPONED = 60.0
"""Seconds until the next refresh where one failed and the old token still lives."""


class Authenticator(requests.auth.AuthBase):
    """Puts the access token on requests, and gets a new one when it is time.

    Called twice for each request by the SDK: without a reason to refresh it only
    sets a header.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        send: oauth.Send,
        clock: Clock,
        patience: Patience,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """Remember what is needed. Nothing is read or sent yet.

        Args:
            credentials: The settings.
            send: Sends a token request, once, without following redirects. If the tap
                is asked to stop meanwhile, it should still wait for the answer and
                return it: an answer that nobody stores ends the grant.
            clock: The time, and waits that a wish to stop ends.
            patience: Waits where the token endpoint gives no usable answer.
            environ: The environment variables.
        """
        self._credentials = credentials
        self._send = send
        self._clock = clock
        self._patience = patience
        self._environ = environ
        self._refresher: Refresher | None = None
        self._pair: Pair | None = None
        self._postponed_to = 0.0
        self._said_to_wait = False
        self._refusals = Refusals(renewable=not credentials.access_token)

    @override
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Set the `Authorization` header.

        Args:
            request: A request to the API.

        Returns:
            The same request.

        Raises:
            CredentialsError: If there is no usable token.
            HostError: If the token endpoint gives no usable answer.
        """
        request.headers["Authorization"] = f"Bearer {self._current().access_token}"
        return request

    @property
    def scope(self) -> frozenset[str] | None:
        """The granted scopes; None if they are unknown, or no token was needed yet."""
        told = self._pair and self._pair.scope
        return frozenset(told.split()) if told else None

    def granted(self) -> frozenset[str] | None:
        """Get a usable token, and say what it is good for.

        Returns:
            The granted scopes; None if they are unknown.

        Raises:
            CredentialsError: If there is no usable token.
            HostError: If the token endpoint gives no usable answer.
        """
        self._current()
        return self.scope

    @property
    def doubt(self) -> str | None:
        """What may be wrong with the token; None once some endpoint has taken one."""
        return None if self._refusals.any_taken else self._problem()

    def accepted(self, path: str) -> None:
        """Note that the API took the token (any answer but 401).

        Args:
            path: The endpoint that was asked.
        """
        self._said_to_wait = False
        self._refusals.accepted(path)

    def is_refused(self, path: str) -> bool:
        """Tell whether an endpoint refuses, whatever the token.

        Args:
            path: The endpoint.
        """
        return self._refusals.is_given_up(path)

    def compare_with(self, path: str, others: Sequence[str]) -> str | None:
        """Say which other endpoint shows whether the token or this one is at fault.

        Args:
            path: The endpoint that answered 401.
            others: Those that can be asked, the best first.

        Returns:
            Its path; None if there is none.
        """
        return self._refusals.compare_with(path, others)

    def refused_elsewhere(self, path: str, others: Sequence[str]) -> Elsewhere:
        """Note a 401 of an endpoint that was asked to compare.

        Args:
            path: The endpoint.
            others: All that can be asked.

        Returns:
            What that shows.
        """
        return self._refusals.refused_elsewhere(path, others)

    def refused(self, path: str, elsewhere: Elsewhere) -> bool:
        """Deal with a 401: wait, or get another token.

        Args:
            path: The endpoint that was asked.
            elsewhere: What another one did with the same token since.

        Returns:
            Whether to send the request again. If not, this endpoint is refused for the
            rest of the run, like by a 403, and others can be asked.

        Raises:
            CredentialsError: If no other token can help.
            HostError: If the token endpoint gives no usable answer.
        """
        made = self._pair.obtained_at if self._pair else 0.0
        match self._refusals.refused(path, elsewhere, self._clock.now() - made):
            case Verdict.WAIT:
                if elsewhere is not Elsewhere.TAKEN and not self._said_to_wait:
                    self._said_to_wait = True
                    logger.warning(
                        "DrChrono refuses the access token (HTTP 401). A new one may "
                        "have to become known: trying for half a minute."
                    )
                self._clock.sleep(self._refusals.wait)
            case Verdict.RENEW:
                self._obtain(refused=self._pair)
            case Verdict.GIVE_UP:
                return False
            case Verdict.END:
                raise CredentialsError(self._problem())
        return True

    def _problem(self) -> str:
        command = authorize_command()
        if self._credentials.access_token:
            return (
                "The setting access_token has expired or is wrong (HTTP 401). Paste a "
                f"new one, or set client_id and client_secret and run {command}, so "
                "that the tap refreshes it by itself."
            )
        return (
            "The API refuses the access token (HTTP 401), also after a refresh. Check "
            "that api_url is the API that client_id belongs to; otherwise run "
            f"{command} to authorize again."
        )

    def _current(self) -> Pair:
        if self._pair is None and self._credentials.access_token:
            self._pair = _pasted(self._credentials.access_token)
        pair = self._pair
        if pair is None or self._clock.now() >= min(
            max(pair.renew_at, self._postponed_to), pair.expires_at
        ):
            self._obtain(refused=None)
        return t.cast("Pair", self._pair)

    def _obtain(self, refused: Pair | None) -> None:
        """Get a good pair."""
        if self._refresher is None:
            self._refresher = Refresher(
                self._credentials,
                send=self._send,
                clock=self._clock,
                patience=self._patience,
                environ=self._environ,
            )
        pair, spent = self._refresher.obtain(refused)
        if self._pair is None or self._pair.access_token != pair.access_token:
            self._refusals.renewed(spent=spent and refused is not None)
        self._pair = pair
        # Near its end only where a refresh had no clear outcome: that is not repeated
        # at every request.
        now = self._clock.now()
        self._postponed_to = now + _POSTPONED if now >= pair.renew_at else 0.0


def _pasted(access_token: str) -> Pair:
    if not oauth.usable(access_token):
        msg = (
            "The setting access_token holds characters that no token has. Paste it "
            "again, without spaces and line breaks."
        )
        raise CredentialsError(msg)
    return Pair(access_token, "", 0.0, float("inf"))
