"""Each option of the sandbox is there for a test of the tap."""

from __future__ import annotations

import collections.abc
import dataclasses
import re
import typing as t
from pathlib import Path

import pytest
from drchrono_sandbox import Fault, Settings, faults, settings
from drchrono_sandbox.claims import LIES
from drchrono_sandbox.faults import KINDS
from fault_matrix import TROUBLES

TESTS = Path(__file__).parents[1]
_TEXT = "\n".join(
    path.read_text("utf-8")
    for path in TESTS.rglob("*.py")
    if path != Path(__file__).resolve()
)
_WORDS = set(re.findall(r"\w+", _TEXT))
_STRINGS = set(re.findall(r'"([^"\n]*)"', _TEXT))
_IN_THE_MATRIX = {trouble.fault["kind"] for trouble in TROUBLES}
_NAMES = {"Mapping": collections.abc.Mapping, "ThrottleForm": faults.ThrottleForm}


def choices(hint: t.Any) -> list[t.Any]:
    """Name the values of a `Literal`, wherever in a type it stands."""
    if t.get_origin(hint) is t.Literal:
        return list(t.get_args(hint))
    return [one for part in t.get_args(hint) for one in choices(part)]


def values() -> list[tuple[str, str]]:
    """Name each value that is no default and is listed in an option's type."""
    found = []
    for options in (Settings, Fault):
        hints = t.get_type_hints(options, vars(settings) | vars(faults) | _NAMES)
        for field in dataclasses.fields(options):
            if field.name != "kind":
                listed = choices(hints[field.name])
                found += [(field.name, one) for one in listed if one != field.default]
    return found


@pytest.mark.parametrize("option", [one.name for one in dataclasses.fields(Settings)])
def test_each_setting_is_used(option):
    assert option in _WORDS


@pytest.mark.parametrize("option", [one.name for one in dataclasses.fields(Fault)])
def test_each_attribute_of_a_fault_is_used(option):
    assert option in _WORDS


@pytest.mark.parametrize(("option", "value"), values())
def test_each_value_is_used(option, value):
    assert value in _STRINGS, option


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_fault_is_used(kind):
    assert kind in _IN_THE_MATRIX or kind in _STRINGS


@pytest.mark.parametrize("claims", LIES)
def test_each_lie_is_told(claims):
    assert claims in {trouble.fault.get("claims") for trouble in TROUBLES}
