"""Finds in source code what users may read: the texts of errors and warnings."""

from __future__ import annotations

import ast
import re
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_FEW_WORDS = 4
"""A returned text of fewer words is a part of a message, such as a unit."""

_LOGGED = {"warning", "error", "_warn_once"}
_TEXT_TYPES = {"str", "str | None", "list[str]", "Iterator[str]", "StreamError"}


def messages(file: Path) -> Iterator[str]:
    """Name each message in a file, with `…` for what is filled in.

    Args:
        file: A Python file.

    Yields:
        The messages, with those that only pass another one on left out: what is
        assigned to `msg`, given to an error or a warning, or returned by a function
        that makes a text.
    """
    for message in _all(ast.parse(file.read_text("utf-8"))):
        if _words(message) > 1:
            yield message


def _all(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name("msg")], value=value):
                yield from _texts(value)
            case ast.Call(func=ast.Name(name), args=[value, *_]) if name.endswith(
                "Error"
            ):
                yield from _texts(value)
            case ast.Call(func=ast.Attribute(attr=name), args=[value, *_]) if (
                name in _LOGGED
            ):
                yield from _texts(value)
            case ast.FunctionDef(returns=ast.expr() as returns) if (
                ast.unparse(returns) in _TEXT_TYPES
            ):
                yield from _made_by(node)
            case ast.ListComp(elt=value):
                yield from _long(_texts(value))
            case ast.ClassDef(name="FieldOddity" | "TimeOddity"):
                for line in node.body:
                    if isinstance(line, ast.Assign):
                        yield from _texts(line.value)


def first_sentence(message: str) -> str:
    """Cut a message after its first sentence, if that is enough to find it again.

    Args:
        message: A message.

    Returns:
        Its beginning, or all of it.
    """
    first = re.split(r"\. (?=[A-Z])", message, maxsplit=1)[0]
    return (first if _words(first) >= _FEW_WORDS else message).rstrip(". ")


def _words(text: str) -> int:
    """Count the words, without what is filled in."""
    return len(re.findall(r"\w{2,}", text))


def _made_by(function: ast.FunctionDef) -> Iterator[str]:
    """Name the longer texts that a function returns or yields."""
    for node in ast.walk(function):
        if isinstance(node, ast.Return | ast.Yield) and node.value:
            yield from _long(_texts(node.value))


def _long(texts: Iterable[str]) -> Iterator[str]:
    """Leave out parts of messages, such as a unit."""
    return (text for text in texts if len(text.split()) >= _FEW_WORDS)


def _texts(value: ast.expr) -> Iterator[str]:
    """Read a text with placeholders, in each of its variants."""
    match value:
        case ast.Constant(str(text)):
            yield re.sub(r"%(\.\d)?[sdf]", "…", text)
        case ast.JoinedStr(parts):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "…"
                for part in parts
            )
        case ast.IfExp(body=one, orelse=other):
            yield from _texts(one)
            yield from _texts(other)
