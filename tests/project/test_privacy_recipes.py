"""The recipes for keeping fields out do what they say."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import typing as t
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from comparison import leaves, source
from drchrono_sandbox import ACCESS_TOKEN, STREAMS, Practice, Settings, serve
from offline import OfflineTap, offline
from process import select

from tap_drchrono.schema_files import marks, phi_columns
from tap_drchrono.streams.catalogue import ENDPOINTS

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
MARK = "planted-"
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


class TestLeavingOutWhatIdentifiesAPatient:
    """The recipe that is made from the marks, with every stream and every column."""

    HEADING = "\n## Leave out what identifies a patient\n"

    @pytest.fixture(scope="class")
    def recipe(self):
        chapter = PAGE.read_text("utf-8").split(self.HEADING)[1].split("\n## ")[0]
        (block,) = re.findall(r"```yaml\n(.*?)```", chapter, flags=re.DOTALL)
        (extractor,) = yaml.safe_load(block)["plugins"]["extractors"]
        return extractor

    @pytest.fixture(scope="class")
    def served(self):
        settings = Settings(mark=MARK, odd=0.1)
        with offline(
            settings, practice=Practice.generate(records=25, seed=19)
        ) as served:
            yield served

    @pytest.fixture(scope="class")
    def tap(self, served, tmp_path_factory):
        return OfflineTap(
            tmp_path_factory.mktemp("recipe"),
            served,
            api_url=served.url,
            access_token=MARK + ACCESS_TOKEN,
            extra_streams="all",
        )

    @pytest.fixture(scope="class")
    def chosen(self, tap, recipe):
        catalog = json.loads(tap.run("--discover").text)
        return selected_by(recipe["select"], catalog)

    @pytest.fixture(scope="class")
    def told(self, served):
        """What the source holds in marked columns only, and in the others."""
        marked, others = set(), set()
        for name in ENDPOINTS:
            decided = marks(name)
            for record in source(served.api, name):
                for column, value in leaves(record):
                    path = column
                    if MARK in str(value) and len(str(value)) > len(MARK) + 6:
                        # Within a column of JSON text it counts for all.
                        while path not in decided and "." in path:
                            path = path.rpartition(".")[0]
                        kind = marked if decided.get(path, True) else others
                        kind.add(str(value))
        assert len(marked - others) > 1000
        return marked - others

    def test_it_says_what_it_is_not(self):
        chapter = PAGE.read_text("utf-8").split(self.HEADING)[1]
        assert "no de-identification under HIPAA" in " ".join(chapter.split())

    def test_no_marked_value_goes_out(self, tap, chosen, told):
        ended = tap.run(catalog=chosen)
        target = ended.good()
        assert set(target.tables) == set(ENDPOINTS)
        out = set()
        for name, rows in target.tables.items():
            assert rows, name
            for row in rows.values():
                out |= {str(value) for _, value in leaves(row)}
        assert not out & told
        text = "\n".join(out)
        assert not [value for value in told if value in text]

    def test_nor_into_batch_files(self, tap, chosen, told, tmp_path):
        batches = {
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": f"file://{tmp_path}"},
        }
        tap.with_settings(batch_config=batches).run(catalog=chosen).good()
        files = [*tmp_path.glob("*.gz")]
        assert len(files) > 40
        text = "\n".join(
            str(value)
            for file in files
            for line in gzip.decompress(file.read_bytes()).splitlines()
            for _, value in leaves(json.loads(line))
        )
        assert MARK in text
        assert not [value for value in told if value in text]

    def test_no_marked_column_is_in_a_schema(self, tap, chosen):
        target = tap.run(catalog=chosen).good()
        for name, schema in target.schemas.items():
            columns = set(paths(schema))
            assert not columns & phi_columns(name), name
            assert ENDPOINTS[name].key in columns


def paths(schema, path=""):
    """The columns that hold values."""
    for name, field in schema.get("properties", {}).items():
        inner = field.get("items", field)
        if "properties" in inner:
            yield from paths(inner, f"{path}{name}.")
        else:
            yield path + name
