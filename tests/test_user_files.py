"""What a user hands in: misspelt variables, and the files that Meltano writes."""

from __future__ import annotations

import os

import pytest

from tap_drchrono.errors import SettingsError
from tap_drchrono.tap import TapDrchrono
from tap_drchrono.user_files import misspelt, written_by_meltano

SECRET = "Mrs Invented 078-05-1120"
PREFIX = "TAP_DRCHRONO_"


def told(*names, plugin=None):
    schema = TapDrchrono.config_jsonschema
    TapDrchrono.append_builtin_config(schema)
    environ = {"HOME": "/", **dict.fromkeys(names, SECRET)}
    if plugin:
        environ["MELTANO_EXTRACTOR_NAME"] = plugin
    lines = misspelt(environ, schema, PREFIX)
    assert SECRET not in "".join(lines)
    return lines


def test_a_misspelt_variable_is_told_with_the_nearest_setting():
    (line,) = told("TAP_DRCHRONO_STRAT_DATE")
    assert line == (
        "The variable TAP_DRCHRONO_STRAT_DATE is no setting of the tap. Is "
        "TAP_DRCHRONO_START_DATE meant?"
    )


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("TOKEN", "ACCESS_TOKEN"),
        ("EXTRA", "EXTRA_STREAMS"),
        ("QUOTA_LIMIT", "HOURLY_REQUEST_LIMIT"),
    ],
)
def test_a_part_of_a_name_is_near_enough(given, meant):
    (line,) = told(f"{PREFIX}{given}")
    assert line.endswith(f"Is {PREFIX}{meant} meant?")


def test_one_that_is_like_no_setting_is_told_without_a_guess():
    assert told("TAP_DRCHRONO_QQ") == [
        "The variable TAP_DRCHRONO_QQ is no setting of the tap."
    ]


@pytest.mark.parametrize(
    "name",
    [
        "TAP_DRCHRONO_START_DATE",
        "TAP_DRCHRONO_FLATTENING_ENABLED",
        "TAP_DRCHRONO_LOGLEVEL",
        "TAP_DRCHRONO_REDIRECT_URI",
        "TAP_DRCHRONO__SELECT",
        "TAP_DRCHRONO__WHOLE_START_DATE",
        "TAP_DRCHRONO_NORTH__SELECT",
        "TAP_DRCHRONO_STREAM_MAPS_PATIENTS_EMAIL",
        "TAP_DRCHRONO_BATCH_CONFIG_STORAGE_ROOT",
        "TAP_OTHER_STRAT_DATE",
    ],
)
def test_what_is_meant_for_somebody_else_is_not_told(name):
    assert told(name) == []


class TestInheritedPlugins:
    """Meltano exports their settings under the plugin's own name as well."""

    @pytest.mark.parametrize("plugin", ["tap-drchrono-north", "tap-drchrono--north"])
    @pytest.mark.parametrize(
        "setting", ["PAGE_SIZE", "STREAM_MAPS_PATIENTS_EMAIL", "LOGLEVEL"]
    )
    def test_their_own_variables_are_not_told(self, plugin, setting):
        own = plugin.upper().replace("-", "_")
        assert told(f"{own}_{setting}", plugin=plugin) == []

    def test_nor_those_of_a_sibling_in_the_same_env_file(self):
        assert told("TAP_DRCHRONO_SOUTH_CLIENT_ID", plugin="tap-drchrono-north") == []

    @pytest.mark.parametrize("plugin", ["tap-drchrono", "tap-drchrono-north"])
    def test_a_misspelt_one_still_is(self, plugin):
        (line,) = told("TAP_DRCHRONO_PAGESIZE", plugin=plugin)
        assert "Is TAP_DRCHRONO_PAGE_SIZE meant?" in line

    def test_without_meltano_there_are_none(self):
        assert len(told("TAP_DRCHRONO_SOUTH_CLIENT_ID")) == 1


def test_the_settings_file_of_meltano_is_the_newest(tmp_path):
    place = tmp_path / "run" / "tap-drchrono--whole"
    place.mkdir(parents=True)
    for age, name in enumerate(("new", "old", "older")):
        file = place / f"tap.{name}.config.json"
        file.write_text("{}")
        os.utime(file, (1e9 - age, 1e9 - age))
    environ = {
        "MELTANO_SYS_DIR_ROOT": str(tmp_path),
        "MELTANO_EXTRACTOR_NAME": "tap-drchrono--whole",
    }
    assert written_by_meltano(environ) == place / "tap.new.config.json"


@pytest.mark.parametrize("name", ["nothing", "tap-drchrono"])
def test_outside_of_meltano_there_is_none(tmp_path, name):
    environ = {"MELTANO_SYS_DIR_ROOT": str(tmp_path), "MELTANO_EXTRACTOR_NAME": name}
    for given in ({}, environ):
        with pytest.raises(SettingsError, match="in a command of Meltano's only"):
            written_by_meltano(given)
