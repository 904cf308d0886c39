"""`tap-drchrono-authorize`: get the first pair of tokens, with a person's consent."""

from __future__ import annotations

import os
import secrets
import sys
import typing as t
import webbrowser
from urllib.parse import urlsplit

import click

from tap_drchrono import settings
from tap_drchrono.clock import Clock
from tap_drchrono.credentials.consent import Request, exchange
from tap_drchrono.credentials.grant import Credentials, Grant, Pair, new_grant
from tap_drchrono.credentials.location import passing_place
from tap_drchrono.credentials.loopback import LOOPBACK, Listener
from tap_drchrono.credentials.store import Store
from tap_drchrono.errors import CredentialsError, TapDrchronoError
from tap_drchrono.settings import API_URL, url_problem
from tap_drchrono.streams.catalogue import ENDPOINTS, ON_REQUEST, missing_scopes
from tap_drchrono.streams.catalogue import scopes as needed_scopes

if t.TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_WAIT = 300.0
"""Seconds that a person has for the page."""

_INTERRUPTED = 130


def redirect_to(request: Request, *, browser: bool) -> str:
    """Show the page to the person, and get the address of the redirect.

    Args:
        request: The request for consent.
        browser: Whether a browser on this machine may be used.

    Returns:
        The address that the browser was sent to.
    """
    if browser and urlsplit(request.redirect_uri).hostname in LOOPBACK:
        with Listener(request.redirect_uri) as listener:
            if webbrowser.open(request.page):
                click.echo(f"A page should open. If not, visit:\n\n{request.page}\n")
                return listener.wait(_WAIT)
    click.echo(f"Visit this page in a browser, on any machine:\n\n{request.page}\n")
    click.echo(
        "After your consent the browser goes to an address that begins with "
        f"{request.redirect_uri} (an error page is fine)."
    )
    return str(click.prompt("Paste that whole address here"))


def authorize(request: Request, store: Store, *, browser: bool, replace: bool) -> Pair:
    """Get a pair and keep it.

    Args:
        request: The request for consent.
        store: Where the pair is kept.
        browser: Whether a browser on this machine may be used.
        replace: Whether a pair that is already kept may be replaced.

    Returns:
        The pair.

    Raises:
        CredentialsError: If there is none, or it cannot be kept.
    """

    def former() -> Grant | None:
        grant = store.find()
        if grant and not replace:
            msg = (
                f"{store.path} already holds a pair. To replace it, run the command "
                "again with --replace; for another practice, name another file with "
                "--credentials-path."
            )
            raise CredentialsError(msg)
        store.check_writable()
        return grant

    with store.lock():
        former()
    if warning := passing_place(store.path):
        click.echo(warning, err=True)
    # Not locked while a person reads a page.
    code = request.code(redirect_to(request, browser=browser))
    with store.lock():
        replaced = former()
        pair = exchange(request, code, now=Clock().now)
        # A refresh_token that is still in the settings is the old one from now on.
        passed = request.credentials.refresh_token
        if replaced:
            store.keep(replaced.followed_by(pair, passed=passed))
        else:
            store.keep(new_grant(pair, passed=passed))
    return pair


def _tell(
    credentials: Credentials, store: Store, pair: Pair, extra: Collection[str]
) -> None:
    click.echo(f"\nDone. The pair is kept in {store.path}. Settings for the tap:\n")
    if credentials.api_url != API_URL:
        click.echo(f"  api_url: {credentials.api_url}")
    click.echo(f"  client_id: {credentials.client_id}")
    click.echo("  client_secret: (the one that you just used)")
    click.echo(f"  credentials_path: {store.path}\n")
    if store.others:
        click.echo(
            "Leave refresh_token as it is: that file holds other grants as well, and "
            "it tells which one is meant."
        )
    else:
        click.echo("Leave refresh_token out: the file holds it, and its successors.")
    if pair.scope:
        granted = frozenset(pair.scope.split())
        if missing := missing_scopes(granted, extra):
            lacking = ", ".join(sorted(frozenset().union(*missing.values())))
            streams = ", ".join(missing)
            click.echo(
                f"Not granted: {lacking}. These may stay empty: {streams}.", err=True
            )


def _check_url(option: str, url: str) -> None:
    if problem := url_problem(url):
        msg = f"{option} {problem}."
        raise click.UsageError(msg)


def _narrowed(needed: frozenset[str], wanted: str | None) -> frozenset[str]:
    """Choose the scopes to ask for: no more than the streams need."""
    if not wanted:
        return needed
    chosen = frozenset(wanted.replace(",", " ").split())
    if not chosen or not chosen <= needed:
        msg = (
            "--scopes: must be some of those that the streams need: "
            f"{', '.join(sorted(needed))}."
        )
        raise click.UsageError(msg)
    return chosen


@click.command(context_settings={"auto_envvar_prefix": "TAP_DRCHRONO"})
@click.option("--client-id", required=True, help="Of your API application.")
@click.option(
    "--client-secret",
    prompt=True,
    hide_input=True,
    help="Of your API application. Asked for if not given; better than an option, "
    "which other users of the machine can see, is the environment variable.",
)
@click.option("--api-url", default=API_URL, help="Base URL of the API.")
@click.option("--credentials-path", help="Where the pair is to be kept.")
@click.option(
    "--redirect-uri",
    default="http://localhost:8765/callback",
    help="As registered in your API application.",
)
@click.option(
    "--no-browser",
    is_flag=True,
    help="Print the page's address, and take the redirect's address by pasting.",
)
@click.option(
    "--extra-streams",
    default="",
    help="Further streams that the tap is to read, as in its setting; their scopes are "
    "asked for as well.",
)
@click.option("--replace", is_flag=True, help="Replace a pair that is already kept.")
@click.option(
    "--scopes",
    help="What to ask for, if less than the streams need; separated by commas.",
)
def command(  # noqa: PLR0913 - one argument per option
    *,
    client_id: str,
    client_secret: str,
    api_url: str,
    credentials_path: str | None,
    redirect_uri: str,
    no_browser: bool,
    extra_streams: str,
    replace: bool,
    scopes: str | None,
) -> None:
    """Authorize the tap to read a practice, and keep the tokens.

    Each option can also be given as TAP_DRCHRONO_..., for example
    TAP_DRCHRONO_CLIENT_SECRET, as Meltano does.
    """
    api_url = api_url.strip() or API_URL
    _check_url("--api-url", api_url)
    _check_url("--redirect-uri", redirect_uri)
    for problem in settings.stream_problems(extra_streams, ENDPOINTS):
        msg = f"--{problem}.".replace("_", "-", 1)
        raise click.UsageError(msg)
    extra = settings.extra_streams({"extra_streams": extra_streams}, ON_REQUEST)
    asked = _narrowed(needed_scopes(extra), scopes)
    credentials = Credentials(
        api_url.rstrip("/"),
        client_id.strip(),
        client_secret.strip(),
        # Only to know the default path, and which token is the old one.
        os.environ.get("TAP_DRCHRONO_REFRESH_TOKEN", "").strip() or None,
        (credentials_path or "").strip() or None,
    )
    if not credentials.client_id:
        msg = "--client-id is empty."
        raise click.UsageError(msg)
    store = Store(credentials, clock=Clock(), environ=os.environ)
    request = Request(credentials, redirect_uri, secrets.token_urlsafe(32), asked)
    pair = authorize(request, store, browser=not no_browser, replace=replace)
    _tell(credentials, store, pair, extra)


def main(args: Sequence[str] | None = None) -> t.NoReturn:
    """Run the command: one line for a mistake, and no traceback.

    Args:
        args: The command line; that of the process if None.
    """
    status = 0
    try:
        command.main(args, prog_name="tap-drchrono-authorize", standalone_mode=False)
    except click.ClickException as error:
        click.echo(f"Error: {error.format_message()}", err=True)
        status = error.exit_code
    except TapDrchronoError as error:
        click.echo(f"Error: {error}", err=True)
        status = 1
    except click.Abort as error:
        if isinstance(error.__cause__ or error.__context__, EOFError):
            click.echo("Error: the input ended before an answer was given.", err=True)
            status = 1
        else:
            status = _INTERRUPTED
    sys.exit(status)
