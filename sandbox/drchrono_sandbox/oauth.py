"""Who may call: applications, codes, single-use refresh tokens, access tokens."""

from __future__ import annotations

import dataclasses
import html
import random
import typing as t
import urllib.parse

from drchrono_sandbox.messages import Request, Response, html_response, json_response
from drchrono_sandbox.settings import DEFAULT_SCOPE

if t.TYPE_CHECKING:
    from drchrono_sandbox.settings import App, Settings

AUTHORIZE_PATH = "/o/authorize/"
TOKEN_PATH = "/o/token/"  # noqa: S105 - a path
ACCESS_TOKEN = "sandbox-access"  # noqa: S105 - invented, known to every user
REFRESH_TOKEN = "sandbox-refresh"  # noqa: S105 - invented, known to every user
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_CODE_SECONDS = 60.0
"""Lifetime of authorization codes."""


@dataclasses.dataclass
class AccessToken:
    """A bearer token.

    Attributes:
        client_id: The application it belongs to.
        scope: What it may read, separated by spaces.
        expires: The clock's time in seconds.
        refused_until: The clock's time before which it is refused.
        refusals: How many requests it still refuses.
    """

    client_id: str
    scope: str
    expires: float
    refused_until: float = 0.0
    refusals: int = 0


@dataclasses.dataclass
class Grant:
    """One person's permission for one application.

    Attributes:
        client_id: The application.
        scope: What it may read, separated by spaces.
        refresh_token: The only one that is valid.
        access_token: The newest one.
        refreshes: How often it was refreshed.
    """

    client_id: str
    scope: str
    refresh_token: str
    access_token: str = ""
    refreshes: int = 0


class _Code(t.NamedTuple):
    client_id: str
    redirect_uri: str
    scope: str
    expires: float


class OAuth:
    """The authorization server.

    Attributes:
        grants: By their valid refresh token.
        access_tokens: By token.
        spent: Refresh tokens that were valid once.
    """

    def __init__(self, settings: Settings, now: float, seed: int = 0) -> None:
        """Start with one grant and one pasted access token for the first application.

        Args:
            settings: The applications, and how tokens behave.
            now: The clock's time in seconds.
            seed: Of the tokens' text.
        """
        self.settings = settings
        self._rng = random.Random(seed)  # noqa: S311 - invented tokens
        self.grants: dict[str, Grant] = {}
        self.access_tokens: dict[str, AccessToken] = {}
        self.spent: set[str] = set()
        self._codes: dict[str, _Code] = {}
        first = settings.apps[0]
        self.add_grant(
            first.client_id,
            now,
            refresh_token=settings.mark + REFRESH_TOKEN,
            access_token=settings.mark + ACCESS_TOKEN,
        )

    def add_grant(
        self,
        client_id: str,
        now: float,
        *,
        scope: str = DEFAULT_SCOPE,
        refresh_token: str = "",
        access_token: str = "",
    ) -> Grant:
        """Let a person authorize an application.

        Args:
            client_id: The application.
            now: The clock's time in seconds.
            scope: What is granted.
            refresh_token: Invented if empty.
            access_token: Invented if empty.

        Returns:
            The grant, with both tokens.
        """
        grant = Grant(client_id, scope, refresh_token or self._token("refresh"))
        grant.access_token = access_token or self._token("access")
        self.grants[grant.refresh_token] = grant
        self.access_tokens[grant.access_token] = AccessToken(
            client_id, scope, now + self.settings.access_seconds
        )
        return grant

    def app_of(self, request: Request) -> str:
        """Tell which application sends a request.

        Args:
            request: Any request.

        Returns:
            The client id; empty if it can't be told.
        """
        token = self.access_tokens.get(_bearer(request))
        if token is not None:
            return token.client_id
        return request.form.get("client_id", "") if request.method == "POST" else ""

    def check(self, request: Request, now: float) -> AccessToken | None:
        """Check the bearer token of a request.

        Args:
            request: The request.
            now: The clock's time in seconds.

        Returns:
            The token; None if it is to be refused.
        """
        token = self.access_tokens.get(_bearer(request))
        if token is None or now >= token.expires or now < token.refused_until:
            return None
        if token.refusals:
            token.refusals -= 1
            return None
        return token

    def token(self, request: Request, now: float) -> Response:
        """Answer at the token endpoint.

        Args:
            request: A POST with a form.
            now: The clock's time in seconds.

        Returns:
            New tokens, or an error that may repeat what was sent.
        """
        if request.method != "POST":
            return self.error(405, "invalid_request", request)
        form = request.form
        app = self._app(form.get("client_id", ""))
        if app is None or form.get("client_secret") != app.client_secret:
            return self.error(401, "invalid_client", request)
        kind = form.get("grant_type", "")
        if kind == "refresh_token":
            return self._refresh(app, request, now)
        if kind == "authorization_code":
            return self._exchange(app, request, now)
        return self.error(400, "unsupported_grant_type", request)

    def error(self, status: int, error: str, request: Request) -> Response:
        """Make an error body of the token endpoint.

        Args:
            status: The status code.
            error: The OAuth error code.
            request: Whose form may be repeated.

        Returns:
            The response.
        """
        body = {"error": error}
        sent = request.form.get("refresh_token") or request.form.get("code", "")
        if self.settings.echo_tokens and sent:
            body["error_description"] = (
                f"Token {sent} is not valid {self.settings.mark}"
            )
        elif self.settings.mark:
            body["error_description"] = f"{self.settings.mark}error"
        return json_response(status, body)

    def authorize(self, request: Request, now: float) -> Response:
        """Show the page on which a person approves, or take the approval.

        Args:
            request: A GET, or the POST of the page's button.
            now: The clock's time in seconds.

        Returns:
            The page, a redirect with a code, or a page that says what is wrong.
        """
        asked = {**request.query, **(request.form if request.method == "POST" else {})}
        app = self._app(asked.get("client_id", ""))
        target = asked.get("redirect_uri", "")
        if app is None:
            return html_response(400, "<p>Unknown client_id</p>")
        if not _accepts(app, target):
            return html_response(400, "<p>Mismatching redirect_uri</p>")
        problem = _authorize_problem(asked)
        if problem:
            return _send_back(target, {"error": problem}, asked)
        if request.method != "POST":
            return _approval_page(asked)
        if self.settings.deny:
            return _send_back(target, {"error": "access_denied"}, asked)
        code = self._token("code")
        granted = self.settings.granted_scope
        scope = asked["scope"] if granted is None else granted
        self._codes[code] = _Code(app.client_id, target, scope, now + _CODE_SECONDS)
        return _send_back(target, {"code": code}, asked)

    def _refresh(self, app: App, request: Request, now: float) -> Response:
        old = request.form.get("refresh_token", "")
        grant = self.grants.get(old)
        if grant is None or grant.client_id != app.client_id:
            return self.error(
                self.settings.invalid_grant_status, "invalid_grant", request
            )
        if self.settings.rotate:
            del self.grants[old]
            self.spent.add(old)
            grant.refresh_token = self._token("refresh")
            self.grants[grant.refresh_token] = grant
        if self.settings.refresh_revokes:
            self.access_tokens.pop(grant.access_token, None)
        if self.settings.granted_scope is not None:
            grant.scope = self.settings.granted_scope
        grant.refreshes += 1
        return self._issue(grant, now)

    def _exchange(self, app: App, request: Request, now: float) -> Response:
        form = request.form
        code = self._codes.pop(form.get("code", ""), None)
        if (
            code is None
            or code.client_id != app.client_id
            or code.redirect_uri != form.get("redirect_uri")
            or now >= code.expires
        ):
            return self.error(
                self.settings.invalid_grant_status, "invalid_grant", request
            )
        grant = Grant(app.client_id, code.scope, self._token("refresh"))
        self.grants[grant.refresh_token] = grant
        return self._issue(grant, now)

    def _issue(self, grant: Grant, now: float) -> Response:
        settings = self.settings
        grant.access_token = self._token("access")
        self.access_tokens[grant.access_token] = AccessToken(
            grant.client_id,
            grant.scope,
            now + settings.access_seconds,
            refused_until=now + settings.fresh_refused_seconds,
            refusals=settings.fresh_refused_requests,
        )
        body: dict[str, t.Any] = {
            "access_token": grant.access_token,
            "token_type": "Bearer",
            "expires_in": settings.access_seconds,
            "refresh_token": grant.refresh_token,
            "scope": grant.scope,
        }
        if not settings.return_refresh_token:
            del body["refresh_token"]
        return json_response(200, body)

    def _token(self, kind: str) -> str:
        return f"{self.settings.mark}{kind}-{self._rng.getrandbits(120):030x}"

    def _app(self, client_id: str) -> App | None:
        found = (app for app in self.settings.apps if app.client_id == client_id)
        return next(found, None)


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _accepts(app: App, redirect_uri: str) -> bool:
    if app.redirect_uris:
        return redirect_uri in app.redirect_uris
    parts = urllib.parse.urlsplit(redirect_uri)
    return parts.scheme in {"http", "https"} and parts.hostname in _LOOPBACK


def _authorize_problem(asked: dict[str, str]) -> str:
    if asked.get("response_type") != "code":
        return "unsupported_response_type"
    scopes = asked.get("scope", "").split()
    known = DEFAULT_SCOPE.split()
    known += [scope.replace(":read", ":write") for scope in known]
    return "" if scopes and set(scopes) <= set(known) else "invalid_scope"


def _send_back(target: str, answer: dict[str, str], asked: dict[str, str]) -> Response:
    if "state" in asked:
        answer = {**answer, "state": asked["state"]}
    joint = "&" if "?" in target else "?"
    location = f"{target}{joint}{urllib.parse.urlencode(answer)}"
    return html_response(302, "", {"location": location})


def _approval_page(asked: dict[str, str]) -> Response:
    fields = "".join(
        f'<input type=hidden name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in asked.items()
    )
    scopes = "".join(f"<li>{html.escape(s)}</li>" for s in asked["scope"].split())
    return html_response(
        200,
        "<h1>Authorize this application?</h1><p>A sandbox: no real practice.</p>"
        f"<ul>{scopes}</ul><form method=post action='{AUTHORIZE_PATH}'>{fields}"
        "<button id=approve type=submit>Approve</button></form>",
    )
