"""Which fields of a stream a catalog selects, at any depth, in either form."""

from __future__ import annotations

import pytest
from singer_sdk.singerlib import MetadataMapping

from tap_drchrono.streams import selection

TEXT = {"type": ["string", "null"]}


def obj(**properties):
    return {"type": ["object", "null"], "properties": properties}


def arr(items):
    return {"type": ["array", "null"], "items": items}


SCHEMA = obj(
    id={"type": "integer"},
    items=TEXT,
    vitals=obj(pain=TEXT, pulse=TEXT),
    notes=arr(obj(id=TEXT, text=TEXT, items=arr(obj(a=TEXT, b=TEXT)))),
    codes=arr(TEXT),
)


def crumb(path):
    return tuple(part for name in path.split(".") for part in ("properties", name))


def mask(**choices):
    """What is selected, where metadata names these fields."""
    entries = [{"breadcrumb": [], "metadata": {"selected": True}}]
    entries += [
        {"breadcrumb": crumb(path.replace("__", ".")), "metadata": {"selected": on}}
        for path, on in choices.items()
    ]
    return MetadataMapping.from_iterable(entries).resolve_selection()


def names(schema):
    return [".".join(one[1::2]) for one in selection.breadcrumbs(schema)]


def test_breadcrumbs_name_no_items():
    assert names(SCHEMA) == [
        "id",
        "items",
        "vitals",
        "vitals.pain",
        "vitals.pulse",
        "notes",
        "notes.id",
        "notes.text",
        "notes.items",
        "notes.items.a",
        "notes.items.b",
        "codes",
    ]


@pytest.mark.parametrize(
    ("breadcrumb", "plain"),
    [
        ([], ()),
        (["properties", "notes", "items", "properties", "text"], crumb("notes.text")),
        (["properties", "notes", "properties", "text"], crumb("notes.text")),
        (["properties", "items"], crumb("items")),
        (
            [
                "properties",
                "notes",
                "items",
                "properties",
                "items",
                "items",
                "properties",
                "a",
            ],
            crumb("notes.items.a"),
        ),
    ],
)
def test_items_are_left_out_unless_they_are_a_name(breadcrumb, plain):
    entry = {"breadcrumb": breadcrumb, "metadata": {"selected": False}}
    (found,) = selection.without_items([entry])
    assert tuple(found["breadcrumb"]) == plain
    assert found["metadata"] == {"selected": False}


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_forms_the_one_that_deselects_counts(order):
    entries = [
        {
            "breadcrumb": ["properties", "notes", "properties", "text"],
            "metadata": {"inclusion": "available", "selected": True},
        },
        {
            "breadcrumb": ["properties", "notes", "items", "properties", "text"],
            "metadata": {"selected": False},
        },
    ]
    (found,) = selection.without_items(entries[::order])
    assert found["metadata"] == {"inclusion": "available", "selected": False}


@pytest.mark.parametrize(
    ("choices", "gone"),
    [
        ({}, []),
        ({"notes__text": False}, ["notes.text"]),
        ({"notes__items__a": False}, ["notes.items.a"]),
        ({"notes": False}, ["notes", "notes.id", "notes.text", "notes.items"]),
        ({"vitals__pain": False}, ["vitals.pain"]),
        ({"notes": True}, []),
    ],
)
def test_the_schema_follows(choices, gone):
    found = names(selection.selected_schema(SCHEMA, mask(**choices)))
    left = [
        name
        for name in names(SCHEMA)
        if not any(f"{name}.".startswith(f"{one}.") for one in gone)
    ]
    assert found == left


def test_what_is_selected_with_nothing_in_it_keeps_its_columns_and_is_named():
    chosen = mask(
        vitals=True,
        vitals__pain=False,
        vitals__pulse=False,
        notes__items__a=False,
        notes__items__b=False,
    )
    assert list(selection.ambiguous(SCHEMA, chosen)) == ["vitals", "notes.items"]
    assert selection.selected_schema(SCHEMA, chosen) == SCHEMA


def test_names_what_no_schema_has():
    mentioned = [
        (),
        crumb("id"),
        crumb("notes.text"),
        crumb("notes.txt"),
        crumb("vital"),
        crumb("_extra.vitals.mood"),
    ]
    assert selection.unknown(SCHEMA, mentioned) == ["notes.txt", "vital"]
