"""The settings are the same in code, meltano.yml, .env.example and docs."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from singer_sdk import Tap

from tap_drchrono.tap import TapDrchrono

ROOT = Path(__file__).parents[2]


def _settings() -> dict[str, dict[str, t.Any]]:
    schema = TapDrchrono.config_jsonschema
    TapDrchrono.append_builtin_config(schema)
    return dict(schema["properties"])


def _of_the_sdk() -> set[str]:
    schema: dict[str, t.Any] = {"properties": {}}
    Tap.append_builtin_config(schema)
    return set(schema["properties"]) - {"emit_activate_version_messages"}


SETTINGS = _settings()
OWN = {name: one for name, one in SETTINGS.items() if name not in _of_the_sdk()}


def _project() -> dict[str, t.Any]:
    found: dict[str, t.Any] = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    return found


def _plugin() -> dict[str, t.Any]:
    plugin: dict[str, t.Any] = _project()["plugins"]["extractors"][0]
    return plugin


MELTANO = {one["name"]: one for one in _plugin()["settings"]}


def _kind(setting: dict[str, t.Any]) -> str:
    """Name a setting's kind as Meltano does."""
    if setting.get("format") == "date-time":
        return "date_iso8601"
    kinds = [one for one in setting["type"] if one != "null"]
    # Meltano refuses text for an array.
    return "string" if "string" in kinds else " ".join(kinds)


def _text(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def test_there_are_settings_of_the_tap_and_of_the_sdk():
    assert "client_id" in OWN
    assert "stream_maps" in SETTINGS.keys() - OWN.keys()


def test_meltano_has_each_setting_in_the_same_order():
    assert list(MELTANO) == list(SETTINGS)


@pytest.mark.parametrize("name", SETTINGS)
def test_meltano_describes_a_setting_as_the_code_does(name):
    setting, given = SETTINGS[name], MELTANO[name]
    assert given["kind"] == _kind(setting)
    assert given.get("sensitive", False) == setting.get("secret", False)
    assert given.get("value") == setting.get("default")


@pytest.mark.parametrize("name", OWN)
def test_meltano_explains_own_settings_in_the_same_words(name):
    assert MELTANO[name]["label"] == OWN[name]["title"]
    assert MELTANO[name]["description"] == OWN[name]["description"]


def test_meltano_knows_the_capabilities():
    assert set(_plugin()["capabilities"]) == {
        one.value for one in TapDrchrono.capabilities
    }


def test_meltano_asks_no_hub_and_sends_no_statistics():
    project = _project()
    plugins = [one for kind in project["plugins"].values() for one in kind]
    assert all(one["namespace"] for one in plugins)
    assert project["send_anonymous_usage_stats"] is False
    assert project["cli"]["disable_version_check"] is True


def test_the_duckdb_loader_keeps_its_pin():
    (loader,) = (
        one
        for one in _project()["plugins"]["loaders"]
        if one["name"] == "target-duckdb"
    )
    assert loader["pip_url"].split() == ["target-duckdb==0.8.0", "duckdb<1.3"]


def test_each_loader_has_a_job():
    project = _project()
    loaders = [one["name"] for one in project["plugins"]["loaders"]]
    tasks = [task for job in project["jobs"] for task in job["tasks"]]
    loads = [task for task in tasks if "dbt-" not in task]
    assert loads == [f"tap-drchrono {loader}" for loader in loaders]


def test_each_warehouse_has_a_job_that_builds_the_marts():
    project = _project()
    tasks = [task for job in project["jobs"] for task in job["tasks"]]
    plugins = [one["name"] for one in project["plugins"]["utilities"]]
    assert [task for task in tasks if "dbt-" in task] == [
        f"tap-drchrono {plugin.replace('dbt-', 'target-')} {plugin}:build"
        for plugin in plugins
    ]


def _example() -> dict[str, str]:
    text = (ROOT / ".env.example").read_text("utf-8")
    return dict(re.findall(r"^(?:# )?TAP_DRCHRONO_([A-Z_]+)=(.*)$", text, re.MULTILINE))


def test_the_example_has_each_setting_in_the_same_order():
    assert [name.lower() for name in _example()] == list(SETTINGS)


@pytest.mark.parametrize(
    "name", [name for name, one in SETTINGS.items() if "default" in one]
)
def test_the_example_shows_defaults(name):
    assert _example()[name.upper()] == _text(SETTINGS[name]["default"])


def test_the_example_can_be_copied_as_it_is():
    text = (ROOT / ".env.example").read_text("utf-8")
    given = re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE)
    assert given == [("TAP_DRCHRONO_CLIENT_ID", ""), ("TAP_DRCHRONO_CLIENT_SECRET", "")]


@pytest.mark.parametrize(
    "name", [name for name, one in SETTINGS.items() if "object" in one["type"]]
)
def test_examples_of_objects_are_json(name):
    assert isinstance(json.loads(_example()[name.upper()]), dict)
