"""Casting: each rule by table, and the promises for any JSON at any place."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from singer_sdk.singerlib import MetadataMapping

from tap_drchrono.records.casting import FieldOddity, compile_casting

D = Decimal

TEXT = {"type": ["string", "null"]}
INTEGER = {"type": ["integer", "null"]}
NUMBER = {"type": ["number", "null"]}
BOOLEAN = {"type": ["boolean", "null"]}
DATE = {"type": ["string", "null"], "format": "date"}
TIMESTAMP = {"type": ["string", "null"], "format": "date-time"}
JSON_TEXT = {"type": ["string", "null"], "contentMediaType": "application/json"}
EXTRA = JSON_TEXT


def obj(**properties):
    return {"type": ["object", "null"], "properties": properties}


def arr(items):
    return {"type": ["array", "null"], "items": items}


SCHEMA = obj(
    id={"type": "integer"},
    name=TEXT,
    count=INTEGER,
    price=NUMBER,
    flag=BOOLEAN,
    day=DATE,
    moment=TIMESTAMP,
    blob=JSON_TEXT,
    codes=arr(TEXT),
    offices=arr(INTEGER),
    vitals=obj(pain=TEXT, pulse=INTEGER, size=obj(height=NUMBER)),
    reminders=arr(obj(id=INTEGER, text=TEXT)),
    sections=arr(obj(title=TEXT, values=arr(obj(id=INTEGER, value=TEXT)))),
    _extra=EXTRA,
)

SCHEMA_FILES = Path(__file__).parents[2] / "tap_drchrono" / "schemas"
STREAMS = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in sorted(SCHEMA_FILES.glob("*.json"))
}


class Casting:
    """A plan, with what it reported.

    It shows what a record says: nulls left out that the record did not hold, and
    `_extra` decoded.
    """

    def __init__(self, schema=SCHEMA, **options):
        self.reports = []
        self.plan = compile_casting(
            schema, report=lambda *report: self.reports.append(report), **options
        )

    def __call__(self, record):
        cast = self.plan.cast(record)
        said = without_blanks(cast, record)
        if said.pop("_extra", None) is not None:
            said["_extra"] = json.loads(cast["_extra"], parse_float=D)
        return said


def without_blanks(cast, raw):
    """The cast record without the nulls that stand for what the raw one lacks."""
    if isinstance(cast, list) and isinstance(raw, list):
        return [without_blanks(*pair) for pair in zip(cast, raw, strict=True)]
    if isinstance(cast, dict) and isinstance(raw, dict):
        names = [*(name for name in raw if name in cast), *(cast.keys() - raw.keys())]
        return {
            name: without_blanks(cast[name], raw.get(name))
            for name in names
            if name in raw or cast[name] is not None
        }
    return cast


@pytest.fixture
def casting():
    return Casting()


to_json = msgspec.json.Encoder(decimal_format="number").encode


# Each type by itself

READABLE = {
    "name": [
        ("", ""),
        ("Zoë\n", "Zoë\n"),
        (12, "12"),
        (-3, "-3"),
        (D("125.00"), "125.00"),
        (D("0.0000001"), "1E-7"),
    ],
    "count": [
        ("", None),
        (0, 0),
        (-7, -7),
        (2**63 - 1, 2**63 - 1),
        ("123", 123),
        (" 123 ", 123),
        ("-5", -5),
        ("+5", 5),
        ("007", 7),
        (D("3.00"), 3),
        (D("1E+3"), 1000),
        (D("-0.0"), 0),
    ],
    "price": [
        ("", None),
        (5, 5),
        (10**30, 10**30),
        (D("1.50"), D("1.50")),
        ("125.00", D("125.00")),
        ("-3", D(-3)),
        ("+1", D(1)),
        (" 2.5 ", D("2.5")),
        (".5", D("0.5")),
        ("1.", D(1)),
        ("1e3", D("1e3")),
        ("1E-3", D("0.001")),
        ("0.10000000000000000000000001", D("0.10000000000000000000000001")),
    ],
    "flag": [
        ("", None),
        (True, True),
        (False, False),
        ("true", True),
        ("False", False),
        ("TRUE", True),
        (0, False),
        (1, True),
    ],
    "day": [
        ("", None),
        ("2021-02-14", "2021-02-14"),
        ("2020-02-29", "2020-02-29"),
        ("0001-01-01", "0001-01-01"),
        ("2021-12-31", "2021-12-31"),
        ("2021-02-14T00:00:00", "2021-02-14"),
        ("2021-02-14 00:00:00.000", "2021-02-14"),
    ],
    "moment": [
        ("", None),
        ("2020-12-26T00:07:21", "2020-12-26T00:07:21"),
        ("2020-12-31T23:59:59", "2020-12-31T23:59:59"),
        ("2020-12-26 00:07:21", "2020-12-26T00:07:21"),
        ("2020-12-26", "2020-12-26"),
        ("2020-12-26T00:07", "2020-12-26T00:07"),
        ("2020-12-26T00:07:21.5", "2020-12-26T00:07:21.5"),
        ("2020-12-26T00:07:21.123456789", "2020-12-26T00:07:21.123456789"),
        ("2020-12-26T00:07:21Z", "2020-12-26T00:07:21Z"),
        ("2020-12-26 00:07:21+05:30", "2020-12-26T00:07:21+05:30"),
        ("2020-12-26T00:07:21-0800", "2020-12-26T00:07:21-0800"),
    ],
    "blob": [
        ("", '""'),
        ("abc", '"abc"'),
        ('{"a":1}', r'"{\"a\":1}"'),
        ({"a": [1, D("2.50"), None]}, '{"a":[1,2.50,null]}'),
        ([], "[]"),
        ({"ñ": "é"}, '{"ñ":"é"}'),
        (12, "12"),
        (False, "false"),
    ],
    "codes": [("", None), ([], []), (["a", None, "", 5], ["a", None, "", "5"])],
    "offices": [("", None), ([1, "2", "", None], [1, 2, None, None])],
    "vitals": [
        ("", None),
        ({}, {}),
        ({"pulse": "60"}, {"pulse": 60}),
        ({"size": {"height": "1.80"}}, {"size": {"height": D("1.80")}}),
        ({"size": ""}, {"size": None}),
    ],
    "reminders": [("", None), ([{"id": "1"}, None, ""], [{"id": 1}, None, None])],
    "sections": [
        (
            [{"values": [{"id": "1", "value": 2}]}],
            [{"values": [{"id": 1, "value": "2"}]}],
        )
    ],
}

UNREADABLE = {
    "name": [True, {}, ["a"]],
    "count": [
        True,
        "1.0",
        "12a",
        " ",
        "1_000",
        "١٢",
        D("1.5"),
        D("1E+999999"),
        2**63,
        "9223372036854775808",
        [],
        {},
    ],
    "price": [
        True,
        "1,200.00",
        "$5",
        "NaN",
        "Infinity",
        "-inf",
        "1_0",
        "١٢",
        ".",
        "0x10",
        "1e309",
        D("1E+400"),
        10**400,
        [],
        {},
    ],
    "flag": [2, "yes", "0", D(1), [], {}],
    "day": [
        "2021-02-29",
        "2021-13-01",
        "0000-01-01",
        "02/14/2021",
        "2021-2-1",
        "20210214",
        "2021-W01-1",
        "2021-02-14T08:00:00",
        "2021-02-14T00:00:00Z",
        "2021-02-14\n",
        "٢٠٢١-02-14",
        20210214,
        True,
    ],
    "moment": [
        "2021-02-29T00:00:00",
        "2021-02-28T24:00:00",
        "2021-02-28T23:59:60",
        "0000-01-01T00:00:00",
        "2021-W01-1T00:00:00",
        "20210228T000000",
        "2021-02-28T",
        "2021-02-28X00:00:00",
        "2021-02-28T00:00:00 +00:00",
        "soon",
        1614470400,
        {},
    ],
    "codes": ["a", {}, 1],
    "offices": ["1", {"a": 1}],
    "vitals": ["none", [], [{"pulse": 1}], 0, False],
    "reminders": ["none", {"id": 1}],
}


def cases(table):
    return [
        pytest.param(field, *(case if isinstance(case, tuple) else (case,)))
        for field, rows in table.items()
        for case in rows
    ]


@pytest.mark.parametrize(("field", "raw", "expected"), cases(READABLE))
def test_reads(casting, field, raw, expected):
    cast = casting({field: raw})
    assert cast == {field: expected}
    assert type(cast[field]) is type(expected)
    assert not casting.reports


@pytest.mark.parametrize(("field", "raw"), cases(UNREADABLE))
def test_keeps_what_it_cannot_read(casting, field, raw):
    assert casting({field: raw}) == {field: None, "_extra": {field: raw}}
    assert casting.reports == [(field, FieldOddity.UNREADABLE)]


@pytest.mark.parametrize("field", sorted(SCHEMA["properties"].keys() - {"_extra"}))
def test_null_stays_null(casting, field):
    assert casting({field: None}) == {field: None}


@pytest.mark.parametrize(
    ("raw", "digits"),
    [("125.00", "125.00"), (".5", "0.5"), ("1e3", "1E+3"), ("-0", "-0"), ("+1", "1")],
)
def test_numbers_go_out_as_json_numbers_with_their_digits(casting, raw, digits):
    message = to_json(casting({"price": raw})).decode()
    assert message == f'{{"price":{digits}}}'
    assert json.loads(message, parse_float=D, parse_int=D)["price"] == D(raw)


def names_in(value, schema):
    """Check that all objects have the columns of a schema, in their order."""
    if isinstance(value, list):
        for item in value:
            names_in(item, schema["items"])
    if isinstance(value, dict):
        assert list(value) == list(schema["properties"])
        for name, one in value.items():
            names_in(one, schema["properties"][name])


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"price": "1", "id": 3, "name": "a"},
        {"new": 1, "vitals": {"pulse": 60, "new": 2}, "id": 3},
        {"vitals": {"size": {}}, "reminders": [{}, {"text": "a", "id": 1}]},
        {"_extra": 1, "sections": [{"values": [{"value": "a"}]}], "id": "x"},
    ],
)
def test_all_columns_come_in_the_order_of_the_schema(casting, record):
    names_in(casting.plan.cast(record), SCHEMA)


def test_deselected_columns_do_not_come():
    casting = deselecting("name", "vitals.pulse", "reminders.text")
    cast = casting.plan.cast({"id": 1, "vitals": {}, "reminders": [{"id": 1}]})
    assert list(cast) == [name for name in SCHEMA["properties"] if name != "name"]
    assert list(cast["vitals"]) == ["pain", "size"]
    assert list(cast["reminders"][0]) == ["id"]


def test_an_unreadable_key_is_left_to_the_caller(casting):
    assert casting({"id": "x1"}) == {"id": None, "_extra": {"id": "x1"}}


def test_what_needs_no_change_is_shared(casting):
    vitals = {"pain": "3", "pulse": 1, "size": {"height": None}}
    record = {"id": 1, "name": "a", "vitals": vitals, "codes": ["a"]}
    cast = casting.plan.cast(record)
    assert cast["vitals"] is vitals
    assert cast["codes"] is record["codes"]


# What has no column


def test_unknown_fields_travel_under_their_name(casting):
    raw = {"id": 1, "new": {"a": [D("1.50")]}, "gone": None}
    assert casting(raw) == {"id": 1, "_extra": {"new": raw["new"], "gone": None}}
    assert casting.reports == [
        ("new", FieldOddity.UNKNOWN),
        ("gone", FieldOddity.UNKNOWN),
    ]


def test_nested_ones_travel_under_a_dotted_path(casting):
    cast = casting({"vitals": {"mood": 3, "pulse": "fast", "size": {"shoe": 44}}})
    assert cast == {
        "vitals": {"pulse": None, "size": {}},
        "_extra": {"vitals.mood": 3, "vitals.pulse": "fast", "vitals.size.shoe": 44},
    }


def test_in_arrays_they_become_lists_with_a_place_for_each_item(casting):
    cast = casting({"reminders": [{"id": 1}, {"id": "x", "new": 5}, None, {"new": 6}]})
    assert cast == {
        "reminders": [{"id": 1}, {"id": None}, None, {}],
        "_extra": {
            "reminders.id": [None, "x", None, None],
            "reminders.new": [None, 5, None, 6],
        },
    }


def test_in_arrays_of_arrays_they_become_lists_of_lists(casting):
    sections = [{}, {"values": [{"new": 1}, {}]}, {"values": [{}, {}, {"new": 2}]}]
    cast = casting({"sections": sections})
    assert cast["_extra"] == {"sections.values.new": [None, [1, None], [None, None, 2]]}


def test_items_that_cannot_be_read_keep_their_place(casting):
    cast = casting({"offices": [1, "x", 3], "reminders": [{"id": 1}, "soon"]})
    assert cast == {
        "offices": [1, None, 3],
        "reminders": [{"id": 1}, None],
        "_extra": {"offices": [None, "x", None], "reminders": [None, "soon"]},
    }


def test_an_extra_sent_by_the_api_is_a_field_like_any_other(casting):
    assert casting({"_extra": {"a": 1}}) == {"_extra": {"_extra": {"a": 1}}}
    assert casting.reports == [("_extra", FieldOddity.UNKNOWN)]


def test_names_that_collide_are_both_kept(casting):
    cast = casting({"vitals": {"mood": 1}, "vitals.mood": 2})
    assert cast["_extra"] == {"vitals.mood": 1, "vitals.mood_": 2}


def test_each_oddity_is_reported_once(casting):
    for number in range(100):
        casting({"new": number, "count": "many", "vitals": {"new": number}})
    assert casting.reports == [
        ("count", FieldOddity.UNREADABLE),
        ("vitals.new", FieldOddity.UNKNOWN),
        ("new", FieldOddity.UNKNOWN),
    ]


def test_many_different_sets_of_names_are_cast_alike(casting):
    for number in range(200):
        assert casting({f"new{number}": 1, "count": "1"})["count"] == 1


# Selection


def crumb(path):
    return tuple(part for name in path.split(".") for part in ("properties", name))


def deselecting(*paths, **options):
    return Casting(deselected=map(crumb, paths), **options)


def test_deselected_fields_are_dropped_at_any_depth_and_not_reported():
    casting = deselecting(
        "name", "vitals.pulse", "vitals.size.height", "new", "sections.values.value"
    )
    record = {
        "id": 1,
        "name": ["unreadable"],
        "new": 1,
        "vitals": {"pulse": "fast", "pain": "3", "size": {"height": 2}},
        "sections": [{"values": [{"id": 1, "value": "x"}]}],
    }
    assert casting(record) == {
        "id": 1,
        "vitals": {"pain": "3", "size": None},
        "sections": [{"values": [{"id": 1}]}],
    }
    assert not casting.reports


def test_breadcrumbs_may_name_the_items_of_an_array():
    crumb = ("properties", "reminders", "items", "properties", "text")
    casting = Casting(deselected=[crumb])
    assert casting({"reminders": [{"id": 1, "text": "x"}]}) == {
        "reminders": [{"id": 1}]
    }


def test_takes_the_breadcrumbs_of_a_catalog():
    metadata = MetadataMapping.get_standard_metadata(
        schema=SCHEMA, key_properties=["id"]
    )
    metadata[()].selected = True
    metadata[crumb("vitals")].selected = False
    mask = metadata.resolve_selection()
    casting = Casting(deselected=[path for path, on in mask.items() if not on])
    assert casting({"id": 1, "vitals": {"pulse": 1}, "new": 2}) == {
        "id": 1,
        "_extra": {"new": 2},
    }


@pytest.mark.parametrize("raw", ["pulse 60", [{"pulse": 60}], 60])
def test_raw_containers_with_a_deselected_part_are_left_out(raw):
    casting = deselecting("vitals.pulse")
    assert casting({"vitals": raw}) == {"vitals": None}
    assert casting.reports == [("vitals", FieldOddity.UNREADABLE_LEFT_OUT)]


def test_unknown_containers_with_a_deselected_part_are_left_out():
    casting = deselecting("new.ssn", "vitals.new.ssn")
    assert casting({"new": {"ssn": 1}, "vitals": {"new": [{"ssn": 1}]}}) == {
        "vitals": {}
    }
    assert casting.reports == [
        ("vitals.new", FieldOddity.UNKNOWN_LEFT_OUT),
        ("new", FieldOddity.UNKNOWN_LEFT_OUT),
    ]


def test_json_text_with_a_deselected_part_is_left_out():
    casting = deselecting("blob.ssn")
    assert casting({"blob": {"ssn": 1, "a": 2}}) == {"blob": None}
    assert casting({"blob": None}) == {"blob": None}
    assert casting.reports == [("blob", FieldOddity.UNREADABLE_LEFT_OUT)]


def test_a_part_of_extra_can_be_deselected():
    casting = Casting(
        deselected=[("properties", "_extra", "properties", "vitals.mood")]
    )
    assert casting({"vitals": {"mood": 1, "new": 2}})["_extra"] == {"vitals.new": 2}


def test_without_extra_nothing_travels_but_all_is_reported():
    casting = deselecting("_extra")
    record = {"new": 1, "count": "many", "reminders": [{"new": 1}], "_extra": 1}
    assert casting(record) == {"count": None, "reminders": [{}]}
    assert casting.reports == [
        ("count", FieldOddity.UNREADABLE_LEFT_OUT),
        ("reminders.new", FieldOddity.UNKNOWN_LEFT_OUT),
        ("new", FieldOddity.UNKNOWN_LEFT_OUT),
    ]


def test_withheld_fields_keep_their_column_and_never_travel():
    casting = Casting(withheld={"new", "count", "vitals", "reminders"})
    record = {
        "new": 1,
        "count": "many",
        "vitals": {"new": 1, "pain": "3"},
        "reminders": [{"id": "x"}],
        "name": ["kept"],
    }
    assert casting(record) == {
        "count": None,
        "vitals": {"pain": "3"},
        "reminders": [{"id": None}],
        "name": None,
        "_extra": {"name": ["kept"]},
    }
    assert ("vitals.new", FieldOddity.UNKNOWN_LEFT_OUT) in casting.reports
    assert ("count", FieldOddity.UNREADABLE_LEFT_OUT) in casting.reports


# Any JSON at any place

numbers = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-1e20, max_value=1e20
)
texts = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        [case for rows in UNREADABLE.values() for case in rows if isinstance(case, str)]
    ),
    st.sampled_from(
        [
            case[0]
            for rows in READABLE.values()
            for case in rows
            if isinstance(case[0], str)
        ]
    ),
)
leaves_of_json = st.one_of(st.none(), st.booleans(), st.integers(), numbers, texts)
any_json = st.recursive(
    leaves_of_json,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["id", "a", "b.c", "ñ", "_extra"]), inner, max_size=3
        ),
    ),
    max_leaves=6,
)
dates = st.dates().map(str)
timestamps = st.datetimes().map(lambda moment: moment.isoformat(" "))


def values_of(field):
    """A strategy for what may arrive in a field: mostly what fits, at times not."""
    if "properties" in field:
        fitting = records_of(field)
    elif "items" in field:
        fitting = st.lists(values_of(field["items"]), max_size=3)
    elif field == EXTRA or "contentMediaType" in field:
        fitting = any_json
    else:
        fitting = {
            "integer": st.integers() | st.integers().map(str),
            "number": numbers | numbers.map(str),
            "boolean": st.booleans() | st.sampled_from([0, 1, "True", "false"]),
            "date": dates,
            "date-time": dates | timestamps,
        }.get(field.get("format") or _kind(field), texts)
    return st.one_of(fitting, fitting, leaves_of_json, any_json)


def _kind(field):
    return next(kind for kind in field["type"] if kind != "null")


def records_of(schema, most=5):
    """A strategy for objects with some of the schema's fields and some others."""
    fields = {name: values_of(field) for name, field in schema["properties"].items()}
    known = st.lists(st.sampled_from(sorted(fields)), unique=True, max_size=most)
    others = st.dictionaries(
        st.sampled_from(["new", "x.y", "vitals.mood"]), any_json, max_size=1
    )
    return known.flatmap(
        lambda names: st.builds(
            dict.__or__,
            st.fixed_dictionaries({name: fields[name] for name in names}),
            others,
        )
    )


def leaves(value):
    """All values in a value that are no containers."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def essence(leaf):
    """The same for all forms that a value may be cast to."""
    text = str(leaf)
    if text.lower() in {"true", "false"}:
        text = str(int(text.lower() == "true"))
    if re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", text, re.ASCII):
        sign, digits, exponent = D(text).as_tuple()
        plain = "".join(map(str, digits)).lstrip("0")
        trimmed = plain.rstrip("0")
        if not trimmed:
            return "0"
        return f"{'-' * sign}{trimmed}e{exponent + len(plain) - len(trimmed)}"
    day = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:[T ](.*))?", text, re.ASCII)
    if day:
        clock = re.sub(r"^00:00(:00(\.0+)?)?$", "", day[2] or "")
        return f"{day[1]}T{clock}"
    return text


def content(record, schema):
    """The essence of all leaves, JSON text looked into, without nulls and blanks."""
    opened = dict(record)
    for name, field in schema["properties"].items():
        if "contentMediaType" in field and isinstance(opened.get(name), str):
            opened[name] = json.loads(opened[name], parse_float=D)
    return Counter(essence(leaf) for leaf in leaves(opened) if leaf not in (None, ""))


def check_promises(schema, record):
    casting = Casting(schema)
    before = copy.deepcopy(record)
    cast = casting.plan.cast(record)
    assert record == before
    names_in(cast, schema)
    # A record without a readable key is the caller's to refuse.
    keyed = {
        name: value
        for name, value in cast.items()
        if value is not None or "null" in schema["properties"][name]["type"]
    }
    jsonschema.validate(keyed, schema, cls=jsonschema.Draft7Validator)
    raw = {
        name: to_json(value).decode()
        if "contentMediaType" in schema["properties"].get(name, {})
        and value is not None
        else value
        for name, value in record.items()
    }
    kept = json.loads(cast.get("_extra") or "null", parse_float=D)
    assert content(raw, schema) == content(cast | {"_extra": kept}, schema)
    assert json.loads(to_json(cast), parse_float=D)
    assert bool(casting.reports) == bool(cast.get("_extra"))


@given(records_of(SCHEMA))
def test_any_record_comes_out_valid_and_whole(record):
    check_promises(SCHEMA, record or {"id": 1})


@pytest.mark.parametrize("stream", STREAMS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_record_of_each_stream_comes_out_valid_and_whole(stream, data):
    check_promises(STREAMS[stream], data.draw(records_of(STREAMS[stream])) or {"id": 1})


PATHS = [
    "name",
    "blob",
    "codes",
    "vitals",
    "vitals.pulse",
    "vitals.size",
    "vitals.size.height",
    "vitals.a",
    "reminders.text",
    "sections.values",
    "sections.values.id",
    "new",
    "new.a",
    "blob.a",
    "name.id",
]


def marked(value, path):
    """The value with everything at or below the path replaced by a mark."""
    if not path:
        return "MARKED"
    if isinstance(value, list):
        return [marked(item, path) for item in value]
    if isinstance(value, dict):
        return {
            name: marked(item, path[1:]) if name == path[0] else item
            for name, item in value.items()
        }
    return value


@given(records_of(SCHEMA), st.sampled_from(PATHS))
def test_no_trace_of_a_deselected_field(record, path):
    record = marked(record, path.split("."))
    assert "MARKED" not in to_json(deselecting(path)(record)).decode()


@given(records_of(SCHEMA), st.sampled_from(["name", "vitals", "reminders", "new"]))
def test_no_trace_of_a_withheld_field_in_extra(record, name):
    record = marked(record, [name])
    cast = Casting(withheld=[name])(record)
    assert "MARKED" not in to_json(cast.get("_extra")).decode()
