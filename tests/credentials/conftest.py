"""A tap's credentials against a token endpoint in this process."""

import pytest
from oauth_server import CLIENT
from token_endpoint import API, SETTING, FakeClock, TokenEndpoint, patience_of

from tap_drchrono.credentials.auth import Authenticator, Credentials


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def tokens():
    return TokenEndpoint("settings-token")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "kept" / "pair.json"


@pytest.fixture
def make(clock, tokens, path):
    def build(refresh_token=SETTING, *, environ=None, **other):
        settings = {"credentials_path": str(path)} | other
        credentials = Credentials(
            API, **CLIENT, refresh_token=refresh_token, **settings
        )
        return Authenticator(
            credentials,
            send=tokens,
            clock=clock,
            patience=patience_of(clock),
            environ=environ or {},
        )

    return build


@pytest.fixture
def pasted(clock, tokens):
    def build(token):
        credentials = Credentials(API, access_token=token)
        return Authenticator(
            credentials,
            send=tokens,
            clock=clock,
            patience=patience_of(clock),
            environ={},
        )

    return build
