"""Stream maps fit their streams, or are refused without a word of theirs."""

from __future__ import annotations

import pytest

from tap_drchrono.stream_maps import Columns, fit

KNOWN = ("patients", "line_items", "offices")
PATIENTS = Columns(("id", "email", "name", "note"), ("id", "email", "name"), "id")
LINE_ITEMS = Columns(("id", "code", "name"), ("id", "code", "name"), "id")
STREAMS = {"patients": PATIENTS, "line_items": LINE_ITEMS}
SECRET = "s3cr3t"


def fitted(maps, streams=None):
    return fit(maps, STREAMS if streams is None else streams, KNOWN)


def test_what_fits_is_passed_on_as_it_is():
    maps = {
        "patients": {
            "__alias__": "people",
            "email": f"md5('{SECRET}' + email) if email else None",
            "full": "record['name'] + _['email'] + record.name",
            "note": None,
            "sum": "[one for one in record.get('codes', [])]",
            "__key_properties__": ["id"],
            "__else__": None,
        },
        "copy": {"__source__": "patients", "name": "__NULL__"},
        "line_items": None,
        "__else__": "__NULL__",
    }
    found = fitted(maps)
    assert not found.problems
    assert not found.notes
    assert found.maps == {
        "patients": {"patients": maps["patients"], "copy": maps["copy"]},
        "line_items": {"line_items": None},
    }


@pytest.mark.parametrize(
    "definition", [None, "md5(self)", "md5(email)", "record.email"]
)
def test_what_one_of_several_streams_lacks_is_left_out_with_one_line(definition):
    found = fitted({"*": {"email": definition, "id": "id"}})
    assert not found.problems
    assert found.maps["patients"] == {"*": {"email": definition, "id": "id"}}
    assert found.maps["line_items"] == {"*": {"id": "id"}}
    (line,) = found.notes
    assert line.startswith("stream_maps.*.email is left out for line_items: ")


def test_so_is_a_filter():
    found = fitted({"*": {"__filter__": "code == 1"}})
    assert found.maps["patients"] == {"*": {}}
    assert len(found.notes) == 1


def test_and_a_map_of_what_is_not_selected():
    found = fitted({"patients": {"note": "md5(note)"}})
    assert found.maps["patients"] == {"patients": {}}
    assert len(found.notes) == 1


@pytest.mark.parametrize("definition", [None, "__NULL__", "md5(self)", "md5(emial)"])
@pytest.mark.parametrize("pattern", ["*", "patients", "pat*"])
def test_a_field_that_no_selected_stream_has_is_refused_by_name(pattern, definition):
    (problem,) = fitted({pattern: {"emial": definition}}).problems
    assert problem == (
        f"stream_maps.{pattern}.emial: no selected stream has the field emial"
    )


def test_a_map_that_would_leave_a_field_as_it_is_is_refused():
    (problem,) = fitted({"*": {"name": f"md5('{SECRET}' + email)"}}).problems
    assert problem.startswith("stream_maps.*.name: its expression uses a field that ")
    assert "line_items" in problem
    assert SECRET not in problem


@pytest.mark.parametrize(
    ("maps", "problem"),
    [
        ({"patients": {"email": SECRET}}, "patients.email: its expression uses a name"),
        (
            {"patients": {"email": f"{SECRET} ="}},
            "patients.email: is not an expression",
        ),
        ({"patients": {"email": f"a = '{SECRET}'"}}, "email: is not an expression"),
        ({"patients": {"email": 5}}, "patients.email: must be text or null"),
        ({"patients": {"email": [SECRET]}}, "patients.email: must be text or null"),
        ({"patients": {"id": None}}, "patients.id: is the key of patients"),
        ({"*": {"id": None}}, "*.id: is the key of patients, line_items"),
        ({"patients": {"__else__": SECRET}}, "patients.__else__: must be null"),
        ({"__else__": SECRET}, "__else__: must be null"),
        ({"patients": SECRET}, "patients: must be an object or null"),
        ({"patents": {"email": None}}, "patents: there is no such stream"),
        ({f"a {SECRET} b": None}, "…: there is no such stream"),
        ({SECRET: {"__source__": "patents"}}, "patents: there is no such stream"),
        ({SECRET: {"__source__": "patients", "emial": None}}, "patients.emial: no"),
        ({"patients": {"__alias__": [SECRET]}}, "patients.__alias__: must be text"),
        (
            {"patients": {"__key_properties__": SECRET}},
            "patients.__key_properties__: must be an array of texts",
        ),
        (
            {"patients": {"__key_properties__": [5]}},
            "patients.__key_properties__: must be an array of texts",
        ),
        (
            {"patients": {"__filter__": f"x == '{SECRET}'"}},
            "__filter__: its expression",
        ),
    ],
)
def test_what_is_wrong_is_told_without_an_expression_or_alias(maps, problem):
    (found,) = fitted(maps).problems
    assert problem in found
    assert SECRET not in found


def test_maps_of_streams_that_are_not_selected_are_no_matter():
    found = fitted({"offices": {"anything": "at_all"}, "*": {"code": None}}, {})
    assert (found.problems, found.notes, found.maps) == ([], [], {})
