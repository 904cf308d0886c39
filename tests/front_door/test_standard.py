"""The SDK's standard suite, whole, against the sandbox."""

from __future__ import annotations

import typing as t

import pytest
from drchrono_sandbox import ACCESS_TOKEN, Practice, serve
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_drchrono.tap import TapDrchrono

_SETTINGS: dict[str, t.Any] = {"access_token": ACCESS_TOKEN}


@pytest.fixture(scope="module", autouse=True)
def sandbox():
    """Runs while the suite does; the class below is made before there is a port."""
    with serve(practice=Practice.generate(records=20, seed=13)) as served:
        _SETTINGS["api_url"] = served.url
        yield served


TestTapDrchrono = get_tap_test_class(
    TapDrchrono,
    config=_SETTINGS,
    suite_config=SuiteConfig(max_records_limit=1000),
    parse_env_config=False,
)
