"""Fields of the objects in an array are selected like any other, also by Meltano."""

from __future__ import annotations

import json
import subprocess

import pytest
from drchrono_sandbox import Practice
from offline import offline
from process import only

from dev_tools.environments import meltano_environment

PLAIN = ["properties", "billing_notes", "properties", "text"]
ITEMS = ["properties", "billing_notes", "items", "properties", "text"]

_SELECT = """
import json, sys
from meltano.core.plugin.singer.catalog import MetadataExecutor, select_metadata_rules
catalog = json.load(sys.stdin)
# As Meltano does it: first nothing is selected, then what the patterns say.
rules = select_metadata_rules(["!*.*"]) + select_metadata_rules(sys.argv[1:])
MetadataExecutor(rules).visit(catalog)
print()
print(json.dumps(catalog))
"""


@pytest.fixture(scope="module")
def served():
    with offline(practice=Practice.generate(records=40, seed=31)) as served:
        yield served


@pytest.fixture
def appointments(catalog):
    return json.loads(json.dumps(only(catalog, ["appointments"])))


def metadata(catalog, stream="appointments"):
    (entry,) = (one for one in catalog["streams"] if one["tap_stream_id"] == stream)
    return entry["metadata"]


def by_meltano(catalog, *patterns):
    """Let Meltano apply `select` to a catalog."""
    python = meltano_environment().parent / "python"
    done = subprocess.run(
        [python, "-c", _SELECT, *patterns],
        input=json.dumps(catalog).encode(),
        capture_output=True,
        check=True,
    )
    # Meltano logs to standard output as well.
    return json.loads(done.stdout.splitlines()[-1])


def columns_of(target, name="billing_notes"):
    column = target.schemas["appointments"]["properties"][name]
    return set(column.get("items", column)["properties"])


def items(target, name="billing_notes"):
    return [item for row in target.rows("appointments") for item in row[name] or ()]


def warnings(ended):
    return [line for line in ended.log.splitlines() if "| WARNING" in line]


def test_discovery_names_them_without_items(appointments):
    found = [item["breadcrumb"] for item in metadata(appointments)]
    assert PLAIN in found
    assert ITEMS not in found
    assert len({tuple(one) for one in found}) == len(found)


@pytest.mark.parametrize("breadcrumb", [PLAIN, ITEMS])
def test_they_can_be_deselected(make_tap, served, appointments, breadcrumb):
    entries = metadata(appointments)
    entries[:] = [one for one in entries if one["breadcrumb"] != breadcrumb]
    entries.append({"breadcrumb": breadcrumb, "metadata": {"selected": False}})
    target = make_tap(served).run(catalog=appointments).good()
    assert "text" not in columns_of(target)
    assert items(target)
    assert {name for item in items(target) for name in item} == columns_of(target)


def test_without_metadata_they_follow_the_array(make_tap, served, appointments):
    entries = metadata(appointments)
    entries[:] = [one for one in entries if len(one["breadcrumb"]) <= 2]
    target = make_tap(served).run(catalog=appointments).good()
    assert "text" in columns_of(target)
    assert any(item["text"] for item in items(target))


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("name", ["vitals", "billing_notes"])
def test_with_nothing_in_it_selected_a_column_is_null(
    make_tap, served, appointments, name, flat
):
    for item in metadata(appointments):
        if item["breadcrumb"][:2] == ["properties", name]:
            item["metadata"]["selected"] = len(item["breadcrumb"]) == 2
    flattened = {"flattening_enabled": True, "flattening_max_depth": 2} if flat else {}
    ended = make_tap(served, **flattened).run(catalog=appointments)
    target = ended.good()
    found = [
        value
        for row in target.rows("appointments")
        for column, value in row.items()
        if column == name or column.startswith(f"{name}__")
    ]
    assert len(found) >= 40
    assert set(found) == {None}
    (line,) = warnings(ended)
    assert f"add appointments.{name}.*." in line


def test_a_breadcrumb_that_is_in_no_schema_is_told_once(make_tap, served, appointments):
    for breadcrumb in (["properties", "vitales"], [*PLAIN[:-1], "txt"]):
        metadata(appointments).append(
            {"breadcrumb": breadcrumb, "metadata": {"selected": False}}
        )
    ended = make_tap(served).run(catalog=appointments)
    ended.good()
    (line,) = warnings(ended)
    assert "appointments: The catalog mentions fields that" in line
    assert "vitales, billing_notes.txt" in line


class TestMeltano:
    def test_an_array_item_is_left_out(self, make_tap, served, catalog):
        chosen = by_meltano(
            catalog, "appointments.*", "!appointments.billing_notes.text"
        )
        ended = make_tap(served).run(catalog=chosen)
        target = ended.good()
        assert set(target.schemas) == {"appointments"}
        assert "text" not in columns_of(target)
        assert columns_of(target)
        assert not any("text" in item for item in items(target))
        assert not warnings(ended)

    def test_only_an_array_item_is_kept(self, make_tap, served, catalog):
        chosen = by_meltano(catalog, "appointments.billing_notes.id")
        target = make_tap(served).run(catalog=chosen).good()
        assert columns_of(target) == {"id"}
        assert set(target.schemas["appointments"]["properties"]) == {
            "id",
            "updated_at",
            "billing_notes",
        }

    @pytest.mark.parametrize(
        "patterns",
        [
            ("appointments.vitals",),
            ("appointments.*", "!appointments.vitals.*"),
        ],
    )
    def test_what_is_ambiguous_is_null(self, make_tap, served, catalog, patterns):
        ended = make_tap(served).run(catalog=by_meltano(catalog, *patterns))
        rows = ended.good().rows("appointments")
        assert {row["vitals"] for row in rows} == {None}
        (line,) = warnings(ended)
        assert "add appointments.vitals.*." in line

    def test_the_advice_helps(self, make_tap, served, catalog):
        chosen = by_meltano(catalog, "appointments.vitals", "appointments.vitals.*")
        ended = make_tap(served).run(catalog=chosen)
        rows = ended.good().rows("appointments")
        assert any(row["vitals"] for row in rows)
        assert not warnings(ended)
