"""The sandbox and the tap for tests through the front door."""

from __future__ import annotations

import os
import typing as t

import pytest
from drchrono_sandbox import ACCESS_TOKEN
from hypothesis import HealthCheck, settings
from offline import Offline, OfflineTap
from process import Tap

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from drchrono_sandbox import Served

# A red run shall speak of a change, not of a draw: `./dev soak` draws anew.
settings.register_profile(
    "ci",
    max_examples=500,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
settings.register_profile(
    "long", parent=settings.get_profile("ci"), max_examples=50_000, derandomize=False
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

MakeTap: t.TypeAlias = "Callable[..., Tap]"


@pytest.fixture(scope="session")
def catalog(tmp_path_factory):
    """The catalog that the tap discovers."""
    return Tap(tmp_path_factory.mktemp("discovery")).discover()


@pytest.fixture
def make_tap(tmp_path) -> MakeTap:
    """Makes a tap for a sandbox: a process, or in here where it is offline."""

    def make(served: Served | Offline, **config: t.Any) -> Tap:
        settings = {"api_url": served.url, "access_token": ACCESS_TOKEN} | config
        if isinstance(served, Offline):
            return OfflineTap(tmp_path, served, **settings)
        return Tap(tmp_path, **settings)

    return make
