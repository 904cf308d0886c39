"""Runs in any order, by any token that a practice ever had, spend none twice."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oauth_server import CLIENT
from test_store import leave
from token_endpoint import API, FakeClock, TokenEndpoint, patience_of, used

from tap_drchrono.credentials.auth import Authenticator, Credentials
from tap_drchrono.credentials.grant import fingerprint
from tap_drchrono.credentials.location import default_path
from tap_drchrono.errors import CredentialsError

DAY = 86_400.0
PRACTICES = ("north", "south", "west")


class Model:
    """Three practices that authorized one API application; a server; a directory."""

    def __init__(self, directory):
        self.clock = FakeClock()
        self.environ = {"XDG_STATE_HOME": str(directory)}
        self.tokens = TokenEndpoint(*PRACTICES)
        self.history = {practice: [practice] for practice in PRACTICES}
        self.access = dict.fromkeys(PRACTICES, "")
        self.kept = set()

    def leave(self, practice):
        """Let version 0.1.0 have run for a practice, by its setting of that time."""
        if practice in self.kept:
            return
        default = default_path(self.environ, Path("/"), API, CLIENT["client_id"])
        name = fingerprint(f"{API}\n{CLIENT['client_id']}\n{practice}")[:12]
        self.tokens.live = {*self.tokens.live - {practice}, f"refresh-{practice}"}
        leave(
            default.with_name(f"credentials-{name}.json"),
            practice,
            setting=practice,
            api=API,
            client=CLIENT["client_id"],
            at=self.clock.time,
        )
        self.history[practice].append(f"refresh-{practice}")
        self.access[practice] = f"access-{practice}"
        self.kept.add(practice)

    def run(self, practice, token):
        """Run a tap that knows some token of a practice, or none at all."""
        credentials = Credentials(API, **CLIENT, refresh_token=token)
        auth = Authenticator(
            credentials,
            send=self.tokens,
            clock=self.clock,
            patience=patience_of(self.clock),
            environ=self.environ,
        )
        if token is None and len(self.kept) != 1:
            with pytest.raises(CredentialsError):
                used(auth)
            return
        (practice,) = self.kept if token is None else (practice,)
        before = len(self.tokens.spent)
        access = used(auth)
        if len(self.tokens.spent) == before:
            assert access == self.access[practice]
        else:
            assert self.tokens.spent[-1] == self.history[practice][-1]
            self.history[practice].append(f"refresh-{self.tokens.serial}")
            self.access[practice] = access
        self.kept.add(practice)
        assert len(self.tokens.spent) == len(set(self.tokens.spent))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["run", "run without", "left by 0.1.0", "days pass"]),
        st.sampled_from(PRACTICES),
        st.integers(0, 20),
    ),
    max_size=12,
)


@settings(max_examples=settings.default.max_examples // 5)
@given(STEPS)
def test_no_token_is_spent_twice_and_no_practice_gets_anothers(steps):
    with tempfile.TemporaryDirectory() as directory:
        model = Model(Path(directory))
        for step, practice, number in steps:
            history = model.history[practice]
            match step:
                case "run":
                    # Of a practice whose grant is not kept, only a live token.
                    known = history if practice in model.kept else history[-1:]
                    model.run(practice, known[number % len(known)])
                case "run without":
                    model.run(practice, None)
                case "left by 0.1.0":
                    model.leave(practice)
                case _:
                    model.clock.time += 3 * DAY
