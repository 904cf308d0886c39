"""What can be read of an answer is read; a value that cannot costs that value."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_drchrono.api.decoding import Spoilt, decode, is_deep
from tap_drchrono.records.casting import FieldOddity, compile_casting

EXTRA = {"type": ["string", "null"], "contentMediaType": "application/json"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (rb'"a\u0000b\u0000\u0000"', "a\ufffdb\ufffd\ufffd"),
        (rb'"\\u0000"', r"\u0000"),
        (rb'"\\\u0000"', "\\\ufffd"),
        (rb'{"\u0000": 1}', {"\ufffd": 1}),
        (rb'"\ud83d\ude42"', "🙂"),
        (rb'"\ud83d"', "\ufffd"),
        (rb'"\uDE42x"', "\ufffdx"),
        (rb'"\ud83d\ud83d\ude42\ude42"', "\ufffd🙂\ufffd"),
        (rb'"\\ud83d \ud83d"', "\\ud83d \ufffd"),
        (b"1.50", Decimal("1.50")),
        (b'"\xff"', "\ufffd"),
        (b'["a\0b", "c\td"]', ["a\ufffdb", "c\td"]),
    ],
)
def test_decodes(text, value):
    assert decode(text) == value


@pytest.mark.parametrize(
    "text", [b"", b"{", b"<html>", b'"\\ud83d', b"[NaN,", b"[nothing]", b"[1]]"]
)
def test_what_is_no_json_is_nothing(text):
    assert decode(text) is None


@given(st.text(st.characters(codec=None) | st.sampled_from("\\u0dD8\0\ud800\udc00")))
def test_replaces_nothing_else(text):
    # Halves that meet are one character to a decoder.
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert decode(json.dumps(text).encode()) == whole.replace("\0", "\ufffd")


class TestCharacterSets:
    TEXT = '{"name": "Zoë Müller, 25 €"}'
    VALUE = {"name": "Zoë Müller, 25 €"}  # noqa: RUF012 - not changed

    @pytest.mark.parametrize(
        ("encoding", "content_type"),
        [
            ("utf-8", "application/json"),
            ("utf-8", "application/json; charset=UTF-8"),
            ("utf-8-sig", "application/json"),
            ("utf-8-sig", "application/json; charset=utf-8"),
            ("utf-8-sig", "application/json; charset=latin-1"),
            ("utf-16", "application/json; charset=utf-16"),
            ("utf-16-le", "application/json; charset=utf-16"),
            ("utf-16-be", "application/json; charset=UTF-16BE"),
            ("utf-16", "application/json"),
            ("utf-32", "application/json"),
            ("iso-8859-15", "application/json; charset=iso-8859-15"),
            ("cp1252", 'application/json; charset="windows-1252"'),
            ("utf-8", "application/json; charset=x-unheard-of"),
            ("utf-8", "application/json; charset=hex"),
            ("utf-8", "application/json; charset=utf-16"),
            ("utf-8", "application/json; charset=cp500"),
            ("utf-8", "application/json; charset="),
        ],
    )
    def test_are_read(self, encoding, content_type):
        assert decode(self.TEXT.encode(encoding), content_type) == self.VALUE

    def test_latin_1(self):
        content = '"Zoë"'.encode("latin-1")
        assert decode(content, "application/json; charset=latin-1") == "Zoë"
        assert decode(content, "application/json") == "Zo\ufffd"


class TestSpoiltValues:
    @pytest.mark.parametrize(
        "word",
        ["NaN", "Infinity", "-Infinity", "1" * 5000, "-" + "9" * 5000, "1e" + "9" * 20],
    )
    def test_cost_themselves_only(self, word):
        value = decode(b'{"a": 1.50, "b": [%s], "c": "NaN"}' % word.encode())
        assert value == {"a": Decimal("1.50"), "b": [word], "c": "NaN"}
        assert type(value["b"][0]) is Spoilt
        assert type(value["c"]) is str

    def test_long_numbers_that_can_be_held_are_numbers(self):
        digits = "7" * 400
        assert decode(digits.encode()) == int(digits)
        assert decode(f"0.{digits}".encode()) == Decimal(f"0.{digits}")

    @pytest.mark.parametrize("word", ["NaN", "-Infinity", "8" * 5000])
    @pytest.mark.parametrize(
        "column",
        [
            {"type": "string"},
            {"type": "integer"},
            {"type": "number"},
            {"type": "boolean"},
            {"type": "string", "format": "date"},
            {"type": "string", "format": "date-time"},
            {"type": "array", "items": {"type": "string"}},
            {"type": "object", "properties": {}},
        ],
        ids=str,
    )
    def test_are_null_and_kept_whatever_the_column(self, word, column):
        reported = []
        plan = compile_casting(
            {"properties": {"odd": column, "_extra": EXTRA}},
            report=lambda *odd: reported.append(odd),
        )
        row = plan.cast(decode(b'{"odd": %s}' % word.encode()))
        assert row.pop("odd") is None
        assert json.loads(row["_extra"]) == {"odd": word}
        assert reported == [("odd", FieldOddity.UNREADABLE)]

    def test_are_text_within_json(self):
        column = {"type": "string", "contentMediaType": "application/json"}
        plan = compile_casting({"properties": {"odd": column}}, report=print)
        row = plan.cast(decode(b'{"odd": [1.50, NaN]}'))
        assert row == {"odd": '[1.50,"NaN"]'}


class TestNesting:
    @staticmethod
    def nested(levels, inside=b"1"):
        return b'{"a":[' * (levels // 2) + inside + b"]}" * (levels // 2)

    def depth(self, value):
        levels = 0
        while isinstance(value, (dict, list)):
            levels += 1
            value = value["a"] if isinstance(value, dict) else value[0]
        return levels, value

    @pytest.mark.parametrize("levels", [2, 60])
    def test_as_deep_as_records_are_is_kept(self, levels):
        assert self.depth(decode(self.nested(levels))) == (levels, 1)
        assert not is_deep(self.nested(levels))

    @pytest.mark.parametrize("levels", [500, 940, 960, 980, 1000, 3000, 100_000])
    @pytest.mark.parametrize("inside", [b"1", b'"]}[{"', b"NaN", rb'"\ud800\""'])
    def test_what_is_deeper_stays_text(self, levels, inside):
        value = decode(b'[{"id": 1.0}, {"deep": %s}]' % self.nested(levels, inside))
        assert value[0] == {"id": Decimal("1.0")}
        kept, text = self.depth(value[1]["deep"])
        assert kept < 128
        assert text.count("[") >= levels // 2 - kept
        assert is_deep(self.nested(levels))

    def test_brackets_within_strings_count_nothing(self):
        texts = ["[" * 100, "{[" * 100, "]", '"[', "\\", "}"]
        assert decode(json.dumps(texts).encode()) == texts
        assert not is_deep(json.dumps(texts).encode())

    def test_what_never_closes_is_nothing(self):
        assert decode(b"[" * 3000) is None
