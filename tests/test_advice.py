"""Advice fits the way the tap was started."""

import pytest

from tap_drchrono.advice import authorize_command, without_state
from tap_drchrono.settings import problems

PROJECT = {"MELTANO_PROJECT_ROOT": "/project"}


@pytest.mark.parametrize(
    ("environ", "command"),
    [
        ({}, "tap-drchrono-authorize"),
        (PROJECT, "meltano invoke tap-drchrono:authorize"),
        (
            PROJECT | {"MELTANO_EXTRACTOR_NAME": "tap-drchrono"},
            "meltano invoke tap-drchrono:authorize",
        ),
        (
            PROJECT | {"MELTANO_EXTRACTOR_NAME": "tap-drchrono--north"},
            "meltano invoke tap-drchrono--north:authorize",
        ),
    ],
)
def test_the_command_is_the_one_that_works_here(environ, command, monkeypatch):
    assert authorize_command(environ) == command
    for name in ("MELTANO_PROJECT_ROOT", "MELTANO_EXTRACTOR_NAME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    (line,) = problems({}, {"properties": {}}, ())
    assert f"; {command} gets" in line


@pytest.mark.parametrize(
    ("environ", "words"), [({}, "without --state"), (PROJECT, "with --full-refresh")]
)
def test_a_run_from_the_start_is_begun_as_it_is_here(environ, words):
    assert without_state(environ) == words
