"""Characters that no database and no decoder takes become U+FFFD."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_drchrono.api.decoding import decode


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
    ],
)
def test_decodes(text, value):
    assert decode(text) == value


@pytest.mark.parametrize(
    "text", [b"", b"{", b"<html>", b'"\xff"', b'"\\ud83d', b"1e9999999999999999999"]
)
def test_what_is_no_json_is_nothing(text):
    assert decode(text) is None


@given(st.text(st.characters(codec=None) | st.sampled_from("\\u0dD8\0\ud800\udc00")))
def test_replaces_nothing_else(text):
    # Halves that meet are one character to a decoder.
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert decode(json.dumps(text).encode()) == whole.replace("\0", "\ufffd")
