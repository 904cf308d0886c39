"""`authorize`: a person, a page, a pair that is kept."""

import html
import logging
import re
import socket
import stat
import subprocess
import sys
import webbrowser
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests
from drchrono_sandbox import Practice, Settings, serve
from oauth_server import CLIENT, OAuthServer

from tap_drchrono import authorize
from tap_drchrono.api.outage import Outage
from tap_drchrono.clock import Clock
from tap_drchrono.credentials.auth import Authenticator, Credentials
from tap_drchrono.credentials.file import CredentialsFile
from tap_drchrono.credentials.grant import Pair, Stored, new_grant
from tap_drchrono.credentials.loopback import Listener
from tap_drchrono.streams.catalogue import scopes


@pytest.fixture
def server():
    with OAuthServer() as running:
        yield running


@pytest.fixture
def path(tmp_path):
    return tmp_path / "kept" / "pair.json"


@pytest.fixture(autouse=True)
def environ(monkeypatch, tmp_path):
    # Wherever the tests run, this is no container.
    monkeypatch.setattr(authorize, "passing_place", lambda _: None)
    for name in (*CLIENT, "refresh_token", "credentials_path", "api_url"):
        monkeypatch.delenv(f"TAP_DRCHRONO_{name.upper()}", raising=False)
    monkeypatch.delenv("MELTANO_PROJECT_ROOT", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TAP_DRCHRONO_CLIENT_SECRET", CLIENT["client_secret"])


class Person:
    """Someone who consents: in the browser, or by pasting the redirect's address."""

    def __init__(self):
        self.page = None
        self.has_browser = True
        self.paste = lambda redirect: redirect

    def open(self, page):
        self.page = page
        if self.has_browser:
            requests.get(page, timeout=10)
        return self.has_browser

    def readline(self):
        answer = requests.get(self.page, allow_redirects=False, timeout=10)
        return self.paste(answer.headers["Location"]) + "\n"

    def asked(self, name):
        return parse_qs(urlsplit(self.page).query)[name][0]


@pytest.fixture
def person(monkeypatch):
    someone = Person()
    monkeypatch.setattr(webbrowser, "open", someone.open)
    monkeypatch.setattr(sys, "stdin", someone)
    return someone


@pytest.fixture
def run(server, path, capsys):
    def command(*options):
        options = (
            f"--client-id={CLIENT['client_id']}",
            f"--api-url={server.url}",
            f"--credentials-path={path}",
            f"--redirect-uri=http://localhost:{free_port()}/callback",
            *options,
        )
        with pytest.raises(SystemExit) as ended:
            authorize.main(options)
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return command


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def the_file(path, server):
    return CredentialsFile(
        path, api_url=server.url, client_id=CLIENT["client_id"], clock=Clock()
    )


def kept(path, server):
    """The pair of the grant that began last."""
    return the_file(path, server).read().grants[-1].pair


def keep(path, server, *grants):
    file = the_file(path, server)
    with file.lock():
        file.write(Stored(server.url, CLIENT["client_id"], grants))


def one_line(err):
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err


def authenticator(credentials, session, clock):
    patience = Outage(clock, logging.getLogger("tap-drchrono.test"), 900)
    return Authenticator(credentials, send=session.send, clock=clock, patience=patience)


def reads(server, **settings):
    credentials = Credentials(server.url, **CLIENT, **settings)
    with requests.Session() as session:
        auth = authenticator(credentials, session, Clock())
        answer = session.get(f"{server.url}/api/hello", auth=auth, timeout=10)
    return answer.status_code == requests.codes.ok


@pytest.mark.parametrize("browser", [True, False])
def test_a_person_consents_and_the_tap_can_read(run, server, path, person, browser):
    person.has_browser = browser
    status, out, err = run()
    assert (status, err) == (0, "")
    assert kept(path, server).refresh_token == server.refresh_token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert f"credentials_path: {path}" in out
    assert f"client_id: {CLIENT['client_id']}" in out
    assert "Leave refresh_token out" in out
    for secret in (server.access_token, server.refresh_token, CLIENT["client_secret"]):
        assert secret not in out
    assert "code-" not in out
    assert reads(server, credentials_path=str(path))


def test_exactly_the_scopes_that_the_streams_need_are_asked_for(run, person):
    run()
    assert person.asked("scope").split() == sorted(scopes())
    assert person.asked("response_type") == "code"
    assert len(person.asked("state")) >= 32
    first = person.asked("state")
    run("--replace")
    assert person.asked("state") != first


def test_streams_that_are_read_on_request_need_more(run, person):
    """The setting of the tap is heard, as Meltano passes it."""
    assert run("--extra-streams=tasks,messages")[0] == 0
    more = set(person.asked("scope").split()) - scopes()
    assert more == {"messages:read", "tasks:read"}


@pytest.mark.parametrize(
    "scopes", ["billing:read,patients:read", " billing:read patients:read"]
)
def test_fewer_scopes_can_be_asked_for(run, person, scopes):
    assert run(f"--scopes={scopes}")[0] == 0
    assert person.asked("scope") == "billing:read patients:read"


def test_scopes_that_an_older_application_lacks_are_named(
    server, path, person, monkeypatch, run
):
    """With the command that leaves them out, as it is started here."""
    new = "billing:patient-payment:read", "settings:read", "user:read"
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(path.parent))
    server.consent = "invalid_scope"
    status, _, err = run()
    assert status == 1
    assert f"New since version 0.1.0: {', '.join(new)}." in one_line(err)
    command, _, option = err.strip().rpartition(" ")
    assert command.endswith("meltano invoke tap-drchrono:authorize")
    server.consent = "approve"
    assert run(option)[0] == 0
    assert person.asked("scope").split() == sorted(
        {"billing:read", "calendar:read", "clinical:read", "patients:read"}
    )


def test_old_scopes_that_are_refused_are_not_called_new(run, server, person):
    assert person
    server.consent = "invalid_scope"
    status, _, err = run("--scopes=billing:read")
    assert status == 1
    assert "scopes in the settings of the API application" in one_line(err)


def test_a_pair_is_not_replaced_unasked(run, server, path, person):
    run()
    before = path.read_bytes()
    person.page = None
    status, _, err = run()
    assert status == 1
    assert "--replace" in one_line(err)
    assert person.page is None
    assert path.read_bytes() == before
    assert run("--replace")[0] == 0
    assert kept(path, server).refresh_token == server.refresh_token


def test_the_token_still_in_the_settings_is_the_old_one_from_now_on(
    run, server, path, person, monkeypatch
):
    assert person
    monkeypatch.setenv("TAP_DRCHRONO_REFRESH_TOKEN", "settings-token")
    assert run()[0] == 0
    requests_before = len(server.requests)
    assert reads(server, credentials_path=str(path), refresh_token="settings-token")
    assert len(server.requests) == requests_before


def test_a_replaced_grant_is_still_meant_by_the_setting_that_it_came_from(
    run, server, path, person
):
    assert person
    keep(path, server, new_grant(Pair("old", "old", 0.0, 1.0), passed="settings-token"))
    assert run("--replace")[0] == 0
    assert len(the_file(path, server).read().grants) == 1
    for setting in (None, "settings-token", "old"):
        assert reads(server, credentials_path=str(path), refresh_token=setting)


def test_the_grant_of_another_practice_is_left_alone(
    run, server, path, person, monkeypatch
):
    """The setting says which practice is authorized; without it, one is replaced."""
    assert person
    other = new_grant(Pair("o", "o", 0.0, 1.0), passed="other-practice")
    keep(path, server, other)
    assert "for another practice" in run()[2]
    monkeypatch.setenv("TAP_DRCHRONO_REFRESH_TOKEN", "settings-token")
    status, out, _ = run()
    assert status == 0
    assert "Leave refresh_token as it is" in out
    assert other in the_file(path, server).read().grants
    assert reads(server, credentials_path=str(path), refresh_token="settings-token")
    monkeypatch.delenv("TAP_DRCHRONO_REFRESH_TOKEN")
    before = path.read_bytes()
    status, _, err = run("--replace")
    assert status == 1
    assert "2 authorizations are kept" in one_line(err)
    assert path.read_bytes() == before


@pytest.mark.parametrize("setting", [None, "settings-token"])
@pytest.mark.parametrize("meltano", [True, False])
def test_by_default_the_pair_is_where_the_tap_looks(
    server, person, monkeypatch, tmp_path, capsys, meltano, setting
):
    assert person
    if meltano:
        monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path))
    monkeypatch.setenv("TAP_DRCHRONO_REFRESH_TOKEN", setting or "")
    monkeypatch.setenv("TAP_DRCHRONO_CLIENT_ID", CLIENT["client_id"])
    monkeypatch.setenv("TAP_DRCHRONO_API_URL", server.url)
    monkeypatch.setenv("TAP_DRCHRONO_CREDENTIALS_PATH", "")
    with pytest.raises(SystemExit) as ended:
        authorize.main([f"--redirect-uri=http://127.0.0.1:{free_port()}/"])
    assert ended.value.code == 0
    where = tmp_path / (".tap-drchrono" if meltano else "state/tap-drchrono")
    assert f"credentials_path: {where}" in capsys.readouterr().out
    assert reads(server, refresh_token=setting)


def test_denied_consent_changes_nothing(run, server, path, person):
    assert person
    server.consent = "deny"
    status, _, err = run()
    assert status == 1
    assert "denied" in one_line(err)
    assert not path.exists()
    assert not server.requests


@pytest.mark.parametrize(
    "paste",
    [
        lambda redirect: redirect.replace("state=", "state=x"),
        lambda redirect: re.sub("state=[^&]*", "state=caf%C3%A9", redirect),
        lambda redirect: re.sub("&?state=[^&]*", "", redirect),
        lambda _: "code-1",
    ],
)
def test_an_address_of_another_request_is_refused(run, server, person, paste):
    person.has_browser = False
    person.paste = paste
    status, _, err = run()
    assert status == 1
    assert "state" in one_line(err)
    assert "code-1" not in err
    assert not server.requests


def test_an_error_of_the_page_is_told_without_quoting_it(run, person):
    person.has_browser = False
    person.paste = lambda redirect: redirect.replace("code=", "error=marked&x=")
    status, _, err = run()
    assert status == 1
    assert "redirect URI" in one_line(err)
    assert "marked" not in err


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda s: s.codes.clear(), "about a minute"),
        (lambda s: setattr(s, "token", lambda _: (200, {})), "Run the command again"),
        (
            lambda s: setattr(s, "token", lambda _: (200, {"access_token": "marked"})),
            "no refresh token",
        ),
        (
            lambda s: setattr(s, "token", lambda _: (401, {"error": "invalid_client"})),
            "client_secret",
        ),
        (lambda s: setattr(s, "token", lambda _: (404, {})), "api_url"),
    ],
)
def test_a_code_that_buys_nothing_is_one_line(run, server, path, person, change, text):
    person.has_browser = False
    person.paste = lambda redirect: (change(server), redirect)[1]
    status, _, err = run()
    assert status == 1
    assert text in one_line(err)
    assert "marked" not in err
    assert not path.exists()


def test_where_nothing_can_be_kept_nobody_is_asked(run, server, path, person):
    path.mkdir(parents=True)
    status, _, err = run()
    assert status == 1
    assert "credentials_path" in one_line(err)
    assert person.page is None
    assert not server.requests


def test_a_place_that_does_not_last_is_told_before_a_person_is_asked(
    run, path, person, monkeypatch
):
    asked = []
    monkeypatch.setattr(
        authorize,
        "passing_place",
        lambda file: asked.append((file, person.page)) or "!",
    )
    status, _, err = run()
    assert (status, err) == (0, "!\n")
    assert asked == [(path, None)]


def test_a_smaller_grant_is_told_by_stream(run, server, person):
    assert person
    server.scope = "calendar:read clinical:read patients:read"
    status, _, err = run()
    assert status == 0
    assert "billing:read" in err
    assert "line_items" in err
    assert "transactions" in err
    assert "appointments" not in err


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--api-url=http://drchrono.example"], "--api-url must start with https://"),
        (["--api-url=drchrono.example"], "--api-url must be a URL"),
        (["--api-url=https://h:port"], "--api-url is not a URL"),
        (["--redirect-uri=http://drchrono.example"], "--redirect-uri must start"),
        (["--scopes=billing:write"], "--scopes: must be some of those"),
        (["--scopes=,"], "--scopes: must be some of those"),
        (["--extra-streams=task"], "--extra-streams: there is no stream task"),
        (["--client-id"], "--client-id"),
        (["--client-id="], "--client-id is empty"),
        (["--marked"], "--marked"),
    ],
)
def test_a_mistake_is_one_line(run, person, options, text):
    status, _, err = run(*options)
    assert status == 2
    assert text in one_line(err)
    assert person.page is None


def test_without_a_client_id_the_option_is_named(capsys):
    with pytest.raises(SystemExit) as ended:
        authorize.main([])
    assert ended.value.code == 2
    assert "--client-id" in one_line(capsys.readouterr().err)


def test_a_port_in_use_is_one_line(run, person):
    with Listener(f"http://localhost:{free_port()}/") as taken:
        port = taken._server.server_port  # noqa: SLF001 - whatever port it got
        status, _, err = run(f"--redirect-uri=http://localhost:{port}/")
    assert status == 1
    assert "--no-browser" in one_line(err)
    assert person.page is None


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [(KeyboardInterrupt, 130, ""), (EOFError, 1, "Error: the input ended")],
)
def test_an_end_while_pasting_is_quiet(run, person, path, error, status, text):
    def end(_):
        raise error

    person.has_browser = False
    person.paste = end
    ended, _, err = run()
    assert ended == status
    assert err.strip().startswith(text)
    assert "Traceback" not in err
    assert "Aborted" not in err
    assert not path.exists()


def test_ctrl_c_while_the_browser_is_open_is_quiet(run, monkeypatch):
    def interrupted(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(webbrowser, "open", lambda _: True)
    monkeypatch.setattr(Listener, "wait", interrupted)
    status, _, err = run()
    assert (status, err.strip()) == (130, "")


@pytest.mark.parametrize(
    "options", [["--no-browser"], ["--redirect-uri=https://practice.example/callback"]]
)
def test_without_a_browser_here_the_page_is_printed(
    run, server, path, person, monkeypatch, capsys, options
):
    opened, readline = [], person.readline
    monkeypatch.setattr(webbrowser, "open", opened.append)

    def read_the_page_first():
        out = capsys.readouterr().out
        person.page = re.search(rf"{server.url}/o/authorize/\S+", out).group()
        return readline()

    person.readline = read_the_page_first
    assert run(*options)[0] == 0
    assert kept(path, server).refresh_token == server.refresh_token
    assert not opened


def approve(page):
    """Press the button of the sandbox's page, and follow the redirect."""
    shown = requests.get(page, timeout=10)
    fields = re.findall(r'<input type=hidden name="(.*?)" value="(.*?)">', shown.text)
    form = {name: html.unescape(value) for name, value in fields}
    action = re.search(r"<form method=post action='(.*?)'>", shown.text).group(1)
    return requests.post(urljoin(page, action), data=form, timeout=10).ok


class Later(Clock):
    """A clock that is ahead, so that the sandbox's tokens have ended by then."""

    def __init__(self, ahead):
        super().__init__()
        self.ahead = ahead

    def now(self):
        return super().now() + self.ahead


def test_the_sandbox_authorizes_and_goes_on_rotating(path, monkeypatch, caplog):
    caplog.set_level("DEBUG", logger="tap-drchrono")
    monkeypatch.setattr(webbrowser, "open", approve)
    settings = Settings(access_seconds=2, mark="MARK-", refresh_revokes=True)
    with serve(settings, practice=Practice.generate(records=1)) as sandbox:
        app = settings.apps[0]
        with pytest.raises(SystemExit) as ended:
            authorize.main(
                [
                    f"--client-id={app.client_id}",
                    f"--client-secret={app.client_secret}",
                    f"--api-url={sandbox.url}",
                    f"--credentials-path={path}",
                    f"--redirect-uri=http://localhost:{free_port()}/callback",
                ]
            )
        assert ended.value.code == 0
        credentials = Credentials(
            sandbox.url, app.client_id, app.client_secret, credentials_path=str(path)
        )
        with requests.Session() as session:
            for run in range(1, 4):
                clock = Later(60.0 * run)
                auth = authenticator(credentials, session, clock)
                answer = session.post(
                    f"{sandbox.url}/api/patients_list?since=1970-01-01",
                    auth=auth,
                    timeout=10,
                )
                assert answer.status_code == 201
                assert auth.scope == scopes()
        grants = list(sandbox.api.oauth.grants.values())
    assert [grant.refreshes for grant in grants if grant.refreshes] == [3]
    assert "MARK-" not in caplog.text


def test_the_installed_command_says_what_it_does():
    command = Path(sys.executable).with_name("tap-drchrono-authorize")
    done = subprocess.run(
        [command, "--help"], capture_output=True, text=True, check=True
    )
    assert "--no-browser" in done.stdout
    assert "TAP_DRCHRONO_CLIENT_SECRET" in done.stdout
