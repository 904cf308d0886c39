"""The web server that takes one redirect."""

import contextlib
import socket

import pytest
import requests

from tap_drchrono.credentials.loopback import Listener
from tap_drchrono.errors import CredentialsError


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_the_listener_takes_the_redirect_only_and_is_silent(capsys):
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with Listener(f"http://localhost:{port}/callback") as listener:
        # A browser opens connections that it does not use.
        with contextlib.closing(socket.create_connection(("127.0.0.1", port))):
            assert requests.get(f"{base}/favicon.ico", timeout=5).status_code == 404
            assert requests.get(f"{base}/callback", timeout=5).status_code == 404
            answer = requests.get(f"{base}/callback?code=c&state=s", timeout=5)
        assert listener.wait(5.0) == "/callback?code=c&state=s"
    assert "close this page" in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert capsys.readouterr() == ("", "")
    with pytest.raises(requests.ConnectionError):
        requests.get(base, timeout=5)


def test_the_listener_is_not_reachable_from_other_machines():
    with Listener(f"http://localhost:{free_port()}/") as listener:
        assert listener._server.server_address[0] == "127.0.0.1"  # noqa: SLF001


def test_an_answer_that_never_comes_ends_the_wait():
    with (
        Listener(f"http://localhost:{free_port()}/") as listener,
        pytest.raises(CredentialsError, match="--no-browser"),
    ):
        listener.wait(0.0)
