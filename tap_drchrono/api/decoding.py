"""Decodes JSON with exact digits, and reads what can be read of JSON that is not quite.

One value that JSON has no form for, or that nothing can hold, costs that value and not
the answer: it becomes `Spoilt`, which no type of a column takes.
"""

from __future__ import annotations

import contextlib
import json
import re
from decimal import Decimal

import msgspec

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_NOT_JSON = (msgspec.MsgspecError, ArithmeticError, ValueError, RecursionError)

# A backslash that is escaped itself, by one before it, begins no escape.
_EVEN = rb"(?<!\\)((?:\\\\)*)"
_NULL = re.compile(_EVEN + rb"\\u0000")
_SURROGATES = re.compile(
    _EVEN + rb"\\ud(?:([89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|[89a-f][0-9a-f]{2})",
    re.IGNORECASE,
)
_REPLACEMENT = rb"\ufffd"

_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.ASCII | re.IGNORECASE)
_UTF8 = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii"})
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_DEPTH = 64
"""Levels that are kept. Targets follow about a hundred, and the records have six."""
_BRACKETS = b"[]{}"
_OTHERS = bytes(set(range(256)) - set(_BRACKETS))
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_TOKENS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)

_LONG = 4300
"""Digits of a whole number that Python, and so most targets, read at most."""


class Spoilt(str):
    """The text of a value that is not JSON, or that nothing can hold, such as `NaN`."""

    __slots__ = ()


def decode(content: bytes, content_type: str = "") -> object:
    """Decode JSON.

    The character U+0000, which databases cannot store, halves of characters, which
    JSON allows and UTF-8 does not, and bytes that are no character become U+FFFD.
    `NaN`, the infinities and numbers that are too long become `Spoilt`. What is nested
    too deep stays the text that it was.

    Args:
        content: The JSON, in UTF-8, in the declared character set, or in one that its
            first bytes tell (RFC 4627, section 3).
        content_type: The header that may declare the character set.

    Returns:
        The value, with floats as `Decimal`; None where that is not JSON.
    """
    text = _as_utf8(content, content_type)
    value = _read(text)
    # The declared character set may be none that was used.
    return _read(content) if value is None and text != content else value


def _read(text: bytes) -> object:
    """Decode JSON in UTF-8; None where that is not JSON."""
    if rb"\u0000" in text:
        text = _NULL.sub(lambda found: found[1] + _REPLACEMENT, text)
    if _looks_deep(text):
        text = _cut(text)
    try:
        return _DECODER.decode(text)
    except RecursionError:
        text = _cut(text)
    except _NOT_JSON:
        pass
    if rb"\ud" in text or rb"\uD" in text:
        text = _SURROGATES.sub(_without_half, text)
        with contextlib.suppress(*_NOT_JSON):
            return _DECODER.decode(text)
    with contextlib.suppress(*_NOT_JSON):
        value = json.loads(
            text.decode(errors="replace").replace("\0", "\ufffd"),
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=Spoilt,
            strict=False,
        )
        return None if type(value) is Spoilt else value
    return None


def is_deep(content: bytes, content_type: str = "") -> bool:
    """Tell whether JSON is nested deeper than `decode` follows.

    Args:
        content: As for `decode`.
        content_type: As for `decode`.
    """
    text = _as_utf8(content, content_type)
    return _cut(text) != text


def _as_utf8(content: bytes, content_type: str) -> bytes:
    """Bring a text into UTF-8, without a byte-order mark."""
    declared = _CHARSET.search(content_type)
    charset = declared[1].lower() if declared else ""
    found: str = json.detect_encoding(content[:4])
    if found == "utf-8":
        if charset in _UTF8 or content.startswith(_BYTE_ORDER_MARK):
            return content
        found = charset
    elif found == "utf-8-sig":
        return content.removeprefix(_BYTE_ORDER_MARK)
    try:
        return content.decode(found, "replace").encode(errors="replace")
    except (LookupError, UnicodeError):
        return content  # a name that means nothing here


def _looks_deep(text: bytes) -> bool:
    """Tell whether brackets are nested deep, as cheaply as a few passes allow.

    Brackets within strings may hide what is deep; the decoder then says so.
    """
    passes, left = _peel(text)
    return passes + left > _DEPTH and sum(_peel(_STRINGS.sub(b"", text))) > _DEPTH


def _peel(text: bytes) -> tuple[int, int]:
    """Take away innermost pairs of brackets, a level at a time.

    Args:
        text: JSON, or anything with brackets.

    Returns:
        The passes that changed something, and the brackets that are left.
    """
    left = text.translate(None, _OTHERS)
    for done in range(_DEPTH):
        less = left.replace(b"{}", b"").replace(b"[]", b"")
        if len(less) == len(left):
            return done, len(left)
        left = less
    return _DEPTH, len(left)


def _cut(text: bytes) -> bytes:
    """Make a string of whatever is nested too deep."""
    parts: list[bytes] = []
    kept_to = start = depth = 0
    for token in _TOKENS.finditer(text):
        if token[0] in (b"[", b"{"):
            depth += 1
            if depth == _DEPTH:
                start = token.start()
        elif token[0] in (b"]", b"}"):
            if depth == _DEPTH:
                deep = text[start : token.end()].decode(errors="replace")
                parts += text[kept_to:start], json.dumps(deep).encode()
                kept_to = token.end()
            depth -= 1
    return b"".join((*parts, text[kept_to:]))


def _without_half(found: re.Match[bytes]) -> bytes:
    """Keep a pair, which is one character; replace half of one."""
    return found[0] if found[2] else found[1] + _REPLACEMENT


def _integer(digits: str) -> int | Spoilt:
    return Spoilt(digits) if len(digits) > _LONG else int(digits)


def _decimal(digits: str) -> Decimal | Spoilt:
    try:
        return Decimal(digits)
    except ArithmeticError:
        return Spoilt(digits)
