"""The recipes for keeping fields out do what they say."""

from __future__ import annotations

import hashlib
import re
import typing as t
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from drchrono_sandbox import STREAMS, Practice, Settings, serve
from expected import source
from tap_process import select

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
SALT = "a long random text for this test"


def recipes() -> list[dict[str, t.Any]]:
    """The extractor of each YAML block on the page."""
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    found = []
    for block in blocks:
        (extractor,) = yaml.safe_load(block)["plugins"]["extractors"]
        assert extractor["name"] == "tap-drchrono"
        found.append(extractor)
    return found


def selected_by(patterns, catalog):
    """Select as Meltano does: what any pattern names and no `!` pattern excludes."""
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    unwanted = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    choices = {}
    for entry in catalog["streams"]:
        stream = entry["tap_stream_id"]
        chosen = False
        for item in entry["metadata"]:
            names = tuple(item["breadcrumb"][1::2])
            path = ".".join((stream, *names))
            if names:
                choices[stream, *names] = any(
                    fnmatch(path, pattern) or path.startswith(f"{pattern}.")
                    for pattern in wanted
                ) and not any(fnmatch(path, pattern) for pattern in unwanted)
                chosen |= choices[stream, *names]
        choices[stream,] = chosen
    return select(catalog, choices)


@pytest.fixture(scope="module")
def served():
    with serve(practice=Practice.generate(records=40, seed=17)) as served:
        yield served


def run(recipe, make_tap, served, catalog):
    config = recipe.get("config", {})
    maps = config.get("stream_map_config", {})
    for name, value in maps.items():
        if str(value).startswith("$"):
            maps[name] = SALT
    ended = make_tap(served, **config).run(
        catalog=selected_by(recipe["select"], catalog)
    )
    return ended, ended.good()


def test_there_are_four():
    assert len(recipes()) == 4


def values(api, stream, field):
    return {record[field] for record in source(api, stream) if record[field]}


def assert_nowhere(secrets, ended):
    assert secrets
    for secret in secrets:
        assert secret not in ended.text
        assert secret not in ended.log


class TestLeavingOneFieldOut:
    def test_it_is_in_no_message(self, make_tap, served, catalog):
        ended, target = run(recipes()[0], make_tap, served, catalog)
        numbers = values(served.api, "patients", "social_security_number")
        assert_nowhere(numbers, ended)
        columns = target.schemas["patients"]["properties"]
        assert "social_security_number" not in columns
        assert "_extra" not in columns
        assert "first_name" in columns
        assert set(STREAMS) < set(target.tables)

    def test_nor_is_one_that_cannot_be_read(self, make_tap, catalog):
        odd = {
            "patients": [
                {
                    "id": 1,
                    "updated_at": "2024-01-01T00:00:00",
                    "social_security_number": {"digits": "078-05-1120"},
                    "ssn_of_tomorrow": "078-05-1120",
                }
            ]
        }
        with serve(practice=Practice.of(odd)) as served:
            ended, target = run(recipes()[0], make_tap, served, catalog)
        assert len(target.rows("patients")) == 1
        assert_nowhere({"078-05-1120"}, ended)


def test_keeping_only_what_is_named(make_tap, catalog):
    recipe = recipes()[1]
    named = {tuple(one.split(".")) for one in recipe["select"] if one[0] != "!"}
    streams = {stream for stream, _ in named}
    with serve(
        Settings(odd=0.3), practice=Practice.generate(records=40, seed=18)
    ) as served:
        ended, target = run(recipe, make_tap, served, catalog)
        assert {entry.endpoint for entry in served.api.log} == streams
        names = values(served.api, "patients", "last_name")
    assert set(target.tables) == streams
    for stream in streams:
        columns = set(target.schemas[stream]["properties"])
        fields = {field for name, field in named if name == stream}
        if "*" not in fields:
            assert columns == fields
        assert "_extra" not in columns
    assert_nowhere({name for name in names if len(str(name)) > 5}, ended)


def test_hashing(make_tap, served, catalog):
    ended, target = run(recipes()[2], make_tap, served, catalog)
    raw = {record["id"]: record for record in source(served.api, "patients")}
    assert len(target.rows("patients")) == len(raw)
    hidden = ("social_security_number", "email")
    for row in target.rows("patients"):
        for field in hidden:
            value = raw[row["id"]][field]
            text = (SALT + value).encode() if value else None
            assert row[field] == (text and hashlib.sha256(text).hexdigest())
    for field in hidden:
        assert_nowhere(values(served.api, "patients", field), ended)
    assert SALT not in ended.text + ended.log
