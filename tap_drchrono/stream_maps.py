"""Stream maps, fitted to each stream before the SDK takes them over.

They may be rules of privacy, so a name that fits nothing is refused instead of ignored.
What the SDK says of a map quotes it, so all that can be wrong is looked for here, and
told without a part of an expression or an alias.
"""

from __future__ import annotations

import ast
import difflib
import fnmatch
import re
import typing as t
from collections import defaultdict

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    Maps: t.TypeAlias = Mapping[str, t.Any]

_ELSE, _FILTER, _SOURCE = "__else__", "__filter__", "__source__"
_KEYS, _ALIAS = "__key_properties__", "__alias__"
_NULLS = (None, "__NULL__")
_RECORD = frozenset({"record", "_"})
"""Names that stand for the whole record."""
_GIVEN = frozenset(
    {"config", "fake", "__stream_name__", "__original_stream_name__", *_RECORD}
)
_FUNCTIONS = frozenset(
    {"bool", "datetime", "float", "int", "json", "md5", "rand", "randint", "sha256"}
    | {"str"}
)
_NAME = re.compile(r"[\w*?!\[\]-]{1,64}", re.ASCII).fullmatch
"""What a name looks like that may be shown; anything else may be a value."""


class Columns(t.NamedTuple):
    """The columns of a stream that is selected.

    Attributes:
        every: All of them.
        selected: Those that go out.
        key: The primary key.
    """

    every: Collection[str]
    selected: Collection[str]
    key: str


class Fitted(t.NamedTuple):
    """Stream maps as each stream can use them.

    Attributes:
        maps: By stream, its maps in the SDK's form.
        notes: What was left out, in a line each.
        problems: What is wrong, in a line each; then nothing else counts.
    """

    maps: dict[str, dict[str, t.Any]]
    notes: list[str]
    problems: list[str]


class _Rule(t.NamedTuple):
    """One entry of a map.

    Attributes:
        where: The setting, as it is shown.
        field: The field that it makes or removes; a filter has none.
        needs: The fields that it needs.
        removes: Whether it removes the field.
    """

    where: str
    field: str | None
    needs: frozenset[str]
    removes: bool


def fit(maps: Maps, streams: Mapping[str, Columns], known: Collection[str]) -> Fitted:
    """Fit stream maps to the streams that are selected.

    Args:
        maps: The setting `stream_maps`.
        streams: The selected streams.
        known: All streams of the tap, by name.

    Returns:
        What each stream can use of them.
    """
    fitted = Fitted({name: {} for name in streams}, [], [])
    for pattern, entry in maps.items():
        if pattern == _ELSE:
            if entry not in _NULLS:
                fitted.problems.append(f"stream_maps.{_ELSE}: must be null")
            continue
        given = entry.get(_SOURCE) if isinstance(entry, dict) else None
        source = pattern if given is None else given
        where = f"stream_maps.{shown(source)}"
        if not isinstance(source, str) or not fnmatch.filter(known, source):
            # What resembles no stream may be an alias.
            similar = difflib.get_close_matches(str(source), known, 1)
            where = where if similar else "stream_maps.…"
            fitted.problems.append(f"{where}: there is no such stream")
            continue
        matched = {name: streams[name] for name in fnmatch.filter(streams, source)}
        if entry in _NULLS:
            for name in matched:
                fitted.maps[name][pattern] = None
        elif isinstance(entry, dict):
            _fit_entry(pattern, where, entry, matched, fitted)
        else:
            fitted.problems.append(f"{where}: must be an object or null")
    return fitted


def shown(name: object) -> str:
    """Return a name as it may be shown: what looks like no name may be a value."""
    return name if isinstance(name, str) and _NAME(name) else "…"


def _fit_entry(
    pattern: str,
    where: str,
    entry: Maps,
    matched: Mapping[str, Columns],
    fitted: Fitted,
) -> None:
    """Fit the map of one pattern to the streams that it matches."""
    dropped: defaultdict[str, set[str]] = defaultdict(set)
    for name, definition in entry.items():
        if name in {_SOURCE, _ALIAS, _KEYS}:
            if noun := _wanted_instead(name, definition):
                fitted.problems.append(f"{where}.{name}: must be {noun}")
            continue
        problem, rule = _read(where, name, definition)
        if rule and matched:
            problem = _problem_with(rule, entry, matched)
            for stream in () if problem else _unfit(rule, matched):
                dropped[stream].add(name)
        if problem:
            fitted.problems.append(problem)
    for stream in matched:
        fitted.maps[stream][pattern] = {
            name: definition
            for name, definition in entry.items()
            if name not in dropped[stream]
        }
    for name in entry:
        lacking = [stream for stream in matched if name in dropped[stream]]
        if lacking:
            fitted.notes.append(
                f"{where}.{shown(name)} is left out for {', '.join(lacking)}: a field "
                "that it names is not there, or not selected."
            )


def _wanted_instead(option: str, value: object) -> str | None:
    """Say what an option must be, if its value is something else."""
    if option != _KEYS:
        return None if value is None or isinstance(value, str) else "text"
    if value is None or (
        isinstance(value, list) and all(isinstance(one, str) for one in value)
    ):
        return None
    return "an array of texts"


def _read(where: str, name: str, definition: object) -> tuple[str | None, _Rule | None]:
    """Read an entry of a map: what is wrong with it, or what it needs."""
    place = f"{where}.{shown(name)}"
    if name == _ELSE:
        return (None if definition in _NULLS else f"{place}: must be null"), None
    field = None if name == _FILTER else name
    if definition in _NULLS:
        needs = frozenset() if field is None else frozenset({field})
        return None, _Rule(place, field, needs, removes=True)
    if not isinstance(definition, str):
        return f"{place}: must be text or null", None
    try:
        body = ast.parse(definition).body
    except (SyntaxError, ValueError):
        body = []
    if len(body) != 1 or not isinstance(body[0], ast.Expr):
        return f"{place}: is not an expression that can be read", None
    names = {field if one == "self" else one for one in _names_in(body[0])}
    needs = frozenset(one for one in names if one is not None)
    return None, _Rule(place, field, needs, removes=False)


def _names_in(expression: ast.AST) -> Iterator[str]:
    """Name the fields that an expression uses, `self` for the field itself."""
    nodes = list(ast.walk(expression))
    bound = {
        node.id
        for node in nodes
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for node in nodes:
        match node:
            case ast.Name(name) if name not in _GIVEN | _FUNCTIONS | bound:
                yield name
            case ast.Subscript(ast.Name(name), ast.Constant(str(field))) if (
                name in _RECORD
            ):
                yield field
            case ast.Attribute(ast.Name(name), field) if (
                name in _RECORD and field != "get"
            ):
                yield field


def _problem_with(
    rule: _Rule, entry: Maps, matched: Mapping[str, Columns]
) -> str | None:
    """Say why a rule can do what it says for no stream, or not safely for one."""
    misspelt = [
        name
        for name in sorted(rule.needs)
        if not any(name in columns.every for columns in matched.values())
    ]
    if misspelt == [rule.field]:
        return f"{rule.where}: no selected stream has the field {shown(rule.field)}"
    if misspelt:
        return f"{rule.where}: its expression uses a name that no selected stream has"
    if rule.removes and _KEYS not in entry:
        kept = [name for name, one in matched.items() if one.key == rule.field]
        if kept:
            return f"{rule.where}: is the key of {', '.join(kept)}, which must stay"
    exposed = [
        stream
        for stream in _unfit(rule, matched)
        if rule.field in matched[stream].selected
    ]
    if exposed:
        return (
            f"{rule.where}: its expression uses a field that {', '.join(exposed)} "
            "lacks, and without the map the field would go out as it is"
        )
    return None


def _unfit(rule: _Rule, matched: Mapping[str, Columns]) -> list[str]:
    """Name the streams for which a rule is left out."""
    return [
        stream
        for stream, columns in matched.items()
        if not rule.needs <= set(columns.every if rule.removes else columns.selected)
    ]
