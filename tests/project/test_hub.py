"""The Meltano Hub listing: what the tap says of itself, in the Hub's form.

The Hub's tool runs `--about` with no settings. A title becomes the label, an enum the
options, and a text setting whose name contains one of a few words a password. When a
setting changes, the listing in docs/hub/ changes with it.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import yaml
from referencing import Registry, Resource

from tap_drchrono.settings import SETTINGS, problems
from tap_drchrono.tap import TapDrchrono

ROOT = Path(__file__).parents[2]
HUB = ROOT / "docs" / "hub"
LISTING = yaml.safe_load((HUB / "tap-drchrono.yml").read_text("utf-8"))
SCHEMAS = ROOT.parent / "shared" / "hub" / "schemas"
"""The Hub's JSON Schemas; reference data that is not part of this project."""

PASSWORD_WORDS = ("id", "token", "key", "secret", "password")
OPTION_LABELS = {
    "jsonl": "JSONL",
    "parquet": "Parquet",
    "gzip": "GZIP",
    "none": "None",
    "DEBUG": "Debug",
    "INFO": "Info",
    "WARNING": "Warning",
    "ERROR": "Error",
}


def about():
    """What `--about --format json` prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        TapDrchrono.print_about("json")
    return json.loads(printed.getvalue())


ABOUT = about()


def leaves(schema, prefix=""):
    """All settings by dotted name; the pseudo-fields of stream maps are none."""
    for name, setting in schema["properties"].items():
        fields = setting.get("properties", {})
        if any(not field.startswith("__") for field in fields):
            yield from leaves(setting, f"{prefix}{name}.")
        else:
            yield prefix + name, setting


def listed(name, setting):
    """A setting as the Hub's tool would list it."""
    types = setting.get("type") or [
        kind for one in setting["oneOf"] for kind in [one["type"]].pop()
    ]
    kinds = [kind for kind in types if kind != "null"]
    entry = {
        "name": name,
        "label": setting["title"],
        "description": setting["description"],
        "kind": kinds[0],
    }
    if "oneOf" in setting:
        entry["kind"] = "array" if "array" in kinds else "string"
    elif setting.get("format") == "date-time":
        entry["kind"] = "date_iso8601"
    elif kinds[0] == "string" and any(word in name for word in PASSWORD_WORDS):
        entry |= {"kind": "password", "sensitive": True}
    elif "enum" in setting:
        entry["kind"] = "options"
        entry["options"] = [
            {"label": OPTION_LABELS[value], "value": value} for value in setting["enum"]
        ]
    if "default" in setting:
        entry["value"] = setting["default"]
    return entry


def test_settings_are_those_of_the_tap():
    own = {
        leaf[0]: listed(*leaf)
        for leaf in leaves(ABOUT["settings"])
        if leaf[0] in SETTINGS["properties"]
    }
    given = {one["name"]: one for one in LISTING["settings"]}
    assert {name: given.get(name) for name in own} == own
    assert list(given) == sorted(given)


def test_settings_of_the_sdk_are_listed_by_its_names():
    # How the SDK describes its own may change with its version.
    known = {name for name, _ in leaves(ABOUT["settings"])}
    given = {one["name"] for one in LISTING["settings"]}
    assert given - known == set()
    assert {
        "stream_maps",
        "flattening_enabled",
        "batch_config.encoding.format",
    } <= given


def test_secret_settings_are_passwords():
    secret = {
        name
        for name, setting in ABOUT["settings"]["properties"].items()
        if setting.get("secret")
    }
    passwords = {
        one["name"] for one in LISTING["settings"] if one["kind"] == "password"
    }
    assert secret < passwords
    # The Hub's tool takes every name with `id` in it for one.
    assert passwords - secret == {"client_id"}


def test_capabilities_are_those_of_the_tap():
    assert LISTING["capabilities"] == sorted(ABOUT["capabilities"])


def test_python_versions_are_those_of_the_tap():
    assert LISTING["supported_python_versions"] == ABOUT["supported_python_versions"]


def test_names_are_those_of_the_tap():
    assert LISTING["name"] == LISTING["executable"] == ABOUT["name"]
    assert LISTING["namespace"] == ABOUT["name"].replace("-", "_")


def test_each_group_of_settings_is_enough():
    groups = LISTING["settings_group_validation"]
    assert groups
    for group in groups:
        config = dict.fromkeys(group, "invented")
        assert problems(config, ABOUT["settings"], ()) == []
        for name in group:
            fewer = {key: value for key, value in config.items() if key != name}
            assert problems(fewer, ABOUT["settings"], ())


def test_it_has_the_fields_of_a_listing():
    assert {
        "capabilities",
        "description",
        "domain_url",
        "executable",
        "keywords",
        "label",
        "logo_url",
        "maintenance_status",
        "name",
        "namespace",
        "next_steps",
        "pip_url",
        "quality",
        "repo",
        "settings",
        "settings_group_validation",
        "settings_preamble",
        "supported_python_versions",
        "usage",
        "variant",
    } <= LISTING.keys()
    assert "meltano_sdk" in LISTING["keywords"]


def test_commands_are_those_of_the_project():
    project = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    (tap,) = project["plugins"]["extractors"]
    assert LISTING["commands"].keys() == tap["commands"].keys()
    for name, command in LISTING["commands"].items():
        ours = tap["commands"][name]
        assert {key: value for key, value in command.items() if value} == {
            key: value for key, value in ours.items() if value
        }


def test_the_entries_beside_it_belong_to_it():
    variants = yaml.safe_load((HUB / "default_variants.yml").read_text("utf-8"))
    maintainers = yaml.safe_load((HUB / "maintainers.yml").read_text("utf-8"))
    variant = LISTING["variant"]
    assert variants == {"extractors": {LISTING["name"]: variant}}
    assert list(maintainers) == [variant]
    assert maintainers[variant]["url"] == LISTING["repo"].rsplit("/", 1)[0]


def test_the_logo_is_plain_svg():
    logo = HUB / Path(LISTING["logo_url"]).name
    text = logo.read_text("utf-8")
    root = ET.fromstring(text)  # noqa: S314 - a file of this project
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox")
    assert not re.search(r"<script|<image|href|@import|url\(", text)


# Where the schemas are not at hand, the checks above are what there is.
if SCHEMAS.is_dir():

    def test_it_is_valid_for_the_hub():
        contents = {
            path: json.loads(path.read_text("utf-8"))
            for path in SCHEMAS.glob("*/*.schema.json")
        }
        # References are relative to the folders; the `$id`s differ from them.
        registry = Registry().with_resources(
            (
                path.as_uri(),
                Resource.from_contents(
                    {key: value for key, value in content.items() if key != "$id"}
                ),
            )
            for path, content in contents.items()
        )
        schema = (SCHEMAS / "plugin_definitions" / "extractors.schema.json").as_uri()
        jsonschema.Draft7Validator({"$ref": schema}, registry=registry).validate(
            LISTING
        )
