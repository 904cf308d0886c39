"""Every field that DrChrono documents has its column.

DrChrono's own document is not in this repository; without it, these tests are skipped.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT.parent / "shared" / "api" / f"drchrono-{part}-openapi.yaml"
    for part in ("bulk", "companion")
]
SCHEMAS = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in sorted((ROOT / "tap_drchrono" / "schemas").glob("*.json"))
}


class Document:
    """An OpenAPI document."""

    def __init__(self, path: Path) -> None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        document = yaml.load(path.read_text("utf-8"), Loader=loader)  # noqa: S506 - a safe loader
        self._paths = document["paths"]
        self._schemas = document["components"]["schemas"]

    def record(self, stream: str):
        """What a list holds; None where the list is not in this document."""
        for path in (f"/api/{stream}_list", f"/api/{stream}"):
            if "get" in self._paths.get(path, {}):
                answer = self._paths[path]["get"]["responses"]["200"]
                body = self.followed(answer["content"]["application/json"]["schema"])
                records = body["properties"]
                found = records.get("results") or records.get("data")
                if found:
                    return found["items"]
        return None

    def followed(self, schema):
        while "$ref" in schema:
            schema = self._schemas[schema["$ref"].rsplit("/", 1)[-1]]
        return schema

    def fields(self, schema, path=""):
        """The dotted names of all fields, those of objects and of arrays too."""
        for name, field in self.followed(schema).get("properties", {}).items():
            yield path + name
            inner = self.followed(field)
            yield from self.fields(inner.get("items", inner), f"{path}{name}.")


def columns(schema, path=""):
    for name, field in schema.get("properties", {}).items():
        yield path + name, field
        yield from columns(field.get("items", field), f"{path}{name}.")


@pytest.fixture(scope="module")
def documents():
    missing = [path.name for path in DOCUMENTS if not path.is_file()]
    if missing:
        pytest.skip(f"not in this repository: {', '.join(missing)}")
    return [Document(path) for path in DOCUMENTS]


@pytest.mark.parametrize("stream", SCHEMAS)
def test_every_documented_field_has_its_column(stream, documents):
    document, record = next(
        (document, found)
        for document in documents
        if (found := document.record(stream))
    )
    documented = set(document.fields(record))
    ours = dict(columns(SCHEMAS[stream]))
    texts = tuple(
        f"{path}." for path, field in ours.items() if "contentMediaType" in field
    )
    assert len(documented) > 2
    assert not {path for path in documented - ours.keys() if not path.startswith(texts)}
