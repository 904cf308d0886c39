"""The request for a person's consent, its answer, and the pair that this buys.

OAuth's authorization code flow, as DrChrono documents it: a page asks the person, its
answer comes back as a redirect with a code, and the code buys the first pair.
"""

from __future__ import annotations

import hmac
import typing as t
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from tap_drchrono.advice import authorize_command
from tap_drchrono.credentials import oauth
from tap_drchrono.errors import CredentialsError
from tap_drchrono.settings import is_loopback

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from tap_drchrono.credentials.grant import Credentials, Pair

_TIMEOUT = 30.0
_FIRST_SCOPES = frozenset(
    {"billing:read", "calendar:read", "clinical:read", "patients:read"}
)
"""What version 0.1.0 asked for, and an older API application may be made for."""


class Request(t.NamedTuple):
    """One request for consent.

    Attributes:
        credentials: Who asks, and where the pair is to be kept.
        redirect_uri: Where the answer goes, as registered in the API application.
        state: A secret that the answer must repeat.
        scopes: What the person is asked to grant.
    """

    credentials: Credentials
    redirect_uri: str
    state: str
    scopes: frozenset[str]

    @property
    def page(self) -> str:
        """The address of the page that asks the person."""
        query = {
            "response_type": "code",
            "client_id": self.credentials.client_id or "",
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(sorted(self.scopes)),
            "state": self.state,
        }
        return f"{self.credentials.api_url}/o/authorize/?{urlencode(query)}"

    def code(self, redirect: str) -> str:
        """Take the code from the redirect that answers this request.

        Args:
            redirect: The address that the browser was sent to.

        Returns:
            The code.

        Raises:
            CredentialsError: If consent was refused, or this is no answer to it.
        """
        answer = {
            key: values[0]
            for key, values in parse_qs(urlsplit(redirect.strip()).query).items()
        }
        # Compared as bytes: text outside of ASCII is refused by compare_digest.
        state = answer.get("state", "").encode()
        if not hmac.compare_digest(state, self.state.encode()):
            msg = (
                "That address does not answer this request (its state differs). Run "
                "the command again, and use the whole address of the newest page."
            )
            raise CredentialsError(msg)
        if answer.get("error") == "access_denied":
            msg = "Access was denied on DrChrono's page. Nothing was changed."
            raise CredentialsError(msg)
        new, old = self.scopes - _FIRST_SCOPES, self.scopes & _FIRST_SCOPES
        if answer.get("error") == "invalid_scope" and new and old:
            raise CredentialsError(_without(new, old))
        if not (code := answer.get("code")):
            msg = (
                "DrChrono's page gave an error instead of a code. Check client_id, the "
                "redirect URI and the scopes in the settings of the API application."
            )
            raise CredentialsError(msg)
        return code


def _without(new: frozenset[str], old: frozenset[str]) -> str:
    """Say which scopes an older API application may lack, and how to go on."""
    return (
        "DrChrono refuses the scopes (invalid_scope). New since version 0.1.0: "
        f"{', '.join(sorted(new))}. Add them to your API application in DrChrono; or "
        "run the command without them, with your other options as before: "
        f"{authorize_command()} --scopes={','.join(sorted(old))}"
    )


def send(request: requests.PreparedRequest) -> requests.Response:
    """Send a request once, verified, and without following a redirect.

    Args:
        request: What to send.

    Returns:
        The answer.
    """
    url = request.url or ""
    with requests.Session() as session:
        # Proxies and certificates from the environment, but no proxy to this machine.
        session.trust_env = not is_loopback(urlsplit(url).hostname or "")
        options = session.merge_environment_settings(
            url, {}, None, verify=None, cert=None
        )
        return session.send(request, timeout=_TIMEOUT, allow_redirects=False, **options)


def exchange(request: Request, code: str, *, now: Callable[[], float]) -> Pair:
    """Buy the pair. A code works once, and for about a minute.

    Args:
        request: The request for consent.
        code: The code of its answer.
        now: Tells the time, in seconds since the epoch.

    Returns:
        The pair.

    Raises:
        CredentialsError: If the code does not buy one.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": request.redirect_uri,
        "client_id": request.credentials.client_id or "",
        "client_secret": request.credentials.client_secret or "",
    }
    api_url = request.credentials.api_url
    try:
        pair = oauth.ask(send, api_url, form, now=now)
    except oauth.InvalidGrantError:
        msg = (
            "DrChrono refuses the code: it works once, and for about a minute. Run the "
            "command again, and check that the redirect URI is the registered one."
        )
        raise CredentialsError(msg) from None
    except oauth.UnclearOutcomeError as error:
        msg = (
            f"The token endpoint {api_url}/o/token/ gave no usable answer ({error}). "
            "Run the command again."
        )
        raise CredentialsError(msg) from None
    if not pair.refresh_token:
        msg = (
            "DrChrono gave no refresh token. Check the grant type of the API "
            "application: it must be the authorization code flow."
        )
        raise CredentialsError(msg)
    return pair
