"""What the documentation says of the streams is what the tap declares."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
import yaml

from tap_drchrono.endpoints import Group
from tap_drchrono.streams.catalogue import ENDPOINTS

ROOT = Path(__file__).parents[2]
MADE = runpy.run_path(str(ROOT / "docs" / "generate_streams.py"))
PAGES = MADE["render"]()
BULK = PAGES[ROOT / "docs" / "streams" / "bulk.md"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_is_up_to_date(path):
    assert path.read_text("utf-8") == PAGES[path], "python docs/generate_streams.py"


def test_there_is_no_other_page():
    pages = {path for path in PAGES if path.parent.name == "streams"}
    assert set((ROOT / "docs" / "streams").iterdir()) == pages
    assert len(pages) == 1 + len(Group)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_each_stream_stands_on_the_page_of_its_group(name):
    page = PAGES[ROOT / "docs" / "streams" / f"{ENDPOINTS[name].group.value}.md"]
    assert f"\n## {name}\n" in page


def test_columns_are_shown_with_type_mark_and_join():
    assert "| `price` | number |  | " in BULK
    assert "| `json_data` | JSON text | PHI | " in BULK
    assert "| `social_security_number` | text | PHI | " in BULK
    row = next(line for line in BULK.splitlines() if "`billing_notes[].text`" in line)
    assert "| text | PHI |" in row
    row = next(line for line in BULK.splitlines() if "`patient_flags[].id`" in line)
    assert row.endswith("Joins to `patient_flag_types`. |")


def test_joins_are_drawn():
    assert 'appointments ||--o| clinical_notes : "appointment"' in BULK
    assert 'line_items |o--o{ transactions : "line_item"' in BULK


def test_the_hub_names_each_stream():
    page = PAGES[ROOT / "docs" / "hub" / "tap-drchrono.yml"]
    usage = " ".join(page.partition("usage: |")[2].split())
    assert all(name in usage for name in ENDPOINTS)
    default, _, others = usage.partition("The setting `extra_streams` adds")
    assert "billing:patient-payment:read" in default
    assert "tasks:read" not in default
    assert "labs:read, messages:read, tasks:read" in others


class TestUpgrading:
    PAGE = (ROOT / "docs" / "upgrading.md").read_text("utf-8")

    def test_the_new_tables_are_those_that_discovery_adds(self):
        found = re.findall(r"^- `(\w+)`: ", self.PAGE, re.MULTILINE)
        assert set(found) == {
            name
            for name, one in ENDPOINTS.items()
            if one.offered and one.group is not Group.BULK
        }

    def test_the_selection_keeps_the_eight(self):
        blocks = re.findall(r"```yaml\n(.*?)```", self.PAGE, flags=re.DOTALL)
        selections = [
            extractor["select"]
            for block in blocks
            for extractor in yaml.safe_load(block)["plugins"]["extractors"]
            if "select" in extractor
        ]
        eight = [n for n, one in ENDPOINTS.items() if one.group is Group.BULK]
        assert [f"{name}.*" for name in eight] in selections
