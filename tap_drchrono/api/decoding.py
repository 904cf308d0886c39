"""Decodes JSON with exact digits, and replaces characters that nothing can store."""

from __future__ import annotations

import contextlib
import re
from decimal import Decimal

import msgspec

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_NOT_JSON = (msgspec.MsgspecError, ArithmeticError, ValueError)

# A backslash that is escaped itself, by one before it, begins no escape.
_EVEN = rb"(?<!\\)((?:\\\\)*)"
_NULL = re.compile(_EVEN + rb"\\u0000")
_SURROGATES = re.compile(
    _EVEN + rb"\\ud(?:([89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|[89a-f][0-9a-f]{2})",
    re.IGNORECASE,
)
_REPLACEMENT = rb"\ufffd"


def decode(text: bytes) -> object:
    """Decode JSON.

    The character U+0000, which databases cannot store, and halves of characters, which
    JSON allows and UTF-8 does not, become U+FFFD.

    Args:
        text: UTF-8 JSON.

    Returns:
        The value, with floats as `Decimal`; None where that is not JSON.
    """
    if rb"\u0000" in text:
        text = _NULL.sub(lambda found: found[1] + _REPLACEMENT, text)
    with contextlib.suppress(*_NOT_JSON):
        return _DECODER.decode(text)
    with contextlib.suppress(*_NOT_JSON):
        return _DECODER.decode(_SURROGATES.sub(_without_half, text))
    return None


def _without_half(found: re.Match[bytes]) -> bytes:
    """Keep a pair, which is one character; replace half of one."""
    return found[0] if found[2] else found[1] + _REPLACEMENT
