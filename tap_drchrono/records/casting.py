"""Cast raw records to their schema, by a plan that is compiled once per stream.

Nothing that the API sends is lost, and nothing that a target cannot load goes out: a
field that the schema does not know, and the raw value of a field that cannot be read as
its type, travel in the record's `_extra`, as JSON text, under their dotted name. What
the catalog deselects, and what stream maps touch, never gets there.

Every record, and every object in one, has all the columns that are selected, in the
order of the schema, with null for what the API left out: some targets take the columns
of a table from the records.
"""

from __future__ import annotations

import enum
import typing as t
from operator import itemgetter

from tap_drchrono.records.scalars import (
    SCALARS,
    TEXT_TYPES,
    UNREADABLE,
    json_text,
    nothing,
    refuse,
    text,
)

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from tap_drchrono.records.scalars import Cast, Json

Names: t.TypeAlias = tuple[str, ...]
"""Where a field is: the names from the record down to it, arrays passed through."""

EXTRA = "_extra"
"""The column for all that has no column."""


class FieldOddity(enum.Enum):
    """What is odd about a field; the value says in words what became of it."""

    UNKNOWN = "not in the schema, kept in _extra"
    UNKNOWN_LEFT_OUT = "not in the schema, left out"
    UNREADABLE = "not of the expected type, null here and kept in _extra"
    UNREADABLE_LEFT_OUT = "not of the expected type, null here and left out"


class Casting:
    """How the records of one stream are cast. Not for use by two threads at once."""

    def __init__(
        self, root: _Object, leftovers: _Leftovers, *, has_extra: bool
    ) -> None:
        """Keep what `compile_casting` made.

        Args:
            root: Casts a whole record.
            leftovers: Receives what has no column.
            has_extra: Whether there is a column for it.
        """
        self._root = root
        self._leftovers = leftovers
        self._has_extra = has_extra

    def cast(self, record: dict[str, Json]) -> dict[str, Json]:
        """Cast one record.

        Args:
            record: A raw record, decoded with floats as `Decimal`. It is not changed.

        Returns:
            The record to emit. It shares with the raw one whatever needed no change.
        """
        leftovers = self._leftovers
        leftovers.found = {}
        cast: dict[str, Json] = self._root(record)
        if self._has_extra:
            cast[EXTRA] = json_text(leftovers.found) if leftovers.found else None
        return cast


def compile_casting(
    schema: Mapping[str, Json],
    *,
    deselected: Iterable[tuple[str, ...]] = (),
    withheld: Collection[str] = (),
    report: Callable[[str, FieldOddity], None],
) -> Casting:
    """Prepare the casting of one stream.

    Args:
        schema: The stream's own JSON Schema, with all its fields.
        deselected: Singer breadcrumbs of the deselected fields, such as
            `("properties", "vitals", "properties", "pain")`; also of fields that the
            schema does not know, and of fields of the objects in an array, with or
            without `"items"`. Everything else is selected.
        withheld: Top-level fields that must not get into `_extra` in any form.
        report: Called once for each path and oddity. The path consists of names, such
            as `vitals.pain`, never of values.

    Returns:
        The casting of that stream.
    """
    leftovers = _Leftovers(map(_names, deselected), withheld, report)
    properties = schema["properties"]
    has_extra = EXTRA in properties and (EXTRA,) not in leftovers.deselected
    root = _Object(properties, (), leftovers)
    return Casting(root, leftovers, has_extra=has_extra)


def _names(breadcrumb: tuple[str, ...]) -> Names:
    """Reduce a Singer breadcrumb to the names of its fields.

    Args:
        breadcrumb: `"properties"` before each name, perhaps `"items"` between.

    Returns:
        The names.
    """
    parts = iter(breadcrumb)
    return tuple(next(parts, "") for part in parts if part == "properties")


class _Leftovers:
    """What has no column: decides whether it may travel, and reports it once.

    Attributes:
        found: What goes to `_extra` of the current record (in an array: of the current
            item), by dotted path.
        deselected: The deselected fields.
    """

    def __init__(
        self,
        deselected: Iterable[Names],
        withheld: Collection[str],
        report: Callable[[str, FieldOddity], None],
    ) -> None:
        self.found: dict[str, Json] = {}
        self.deselected = frozenset(deselected)
        self._open = {names[:n] for names in self.deselected for n in range(len(names))}
        self._withheld = frozenset(withheld)
        self._report = report
        self._reported: set[tuple[str, FieldOddity]] = set()

    def may_travel_whole(self, names: Names) -> bool:
        """Whether nothing at or below this field is deselected.

        A value that the schema cannot take apart goes out whole or not at all.
        """
        return names not in self._open and names not in self.deselected

    def add_unknown(self, names: Names, value: Json) -> None:
        self._add(names, value, FieldOddity.UNKNOWN, FieldOddity.UNKNOWN_LEFT_OUT)

    def add_unreadable(self, names: Names, value: Json) -> None:
        self._add(names, value, FieldOddity.UNREADABLE, FieldOddity.UNREADABLE_LEFT_OUT)

    def _add(
        self, names: Names, value: Json, kept: FieldOddity, left_out: FieldOddity
    ) -> None:
        path = ".".join(names)
        travels = (
            self.may_travel_whole(names)
            and names[0] not in self._withheld
            and self.deselected.isdisjoint({(EXTRA,), (EXTRA, path)})
        )
        oddity = kept if travels else left_out
        if (path, oddity) not in self._reported:
            self._reported.add((path, oddity))
            self._report(path, oddity)
        if travels:
            self.put(path, value)

    def put(self, path: str, value: Json) -> None:
        """Keep a value, with a `_` where `b` in `a` and a field named `a.b` collide."""
        while path in self.found:
            path += "_"
        self.found[path] = value


class _Shape(t.NamedTuple):
    """What there is to do for objects that have the same names in the same order.

    Attributes:
        is_whole: Whether they are the columns, in their order.
        left_out: The names that are no column.
        unknown: Those of them that the schema does not know.
        texts: Gets the values of all text fields at once.
        casts: All known fields.
        typed: All known fields but the texts.
    """

    is_whole: bool
    left_out: tuple[str, ...]
    unknown: tuple[str, ...]
    texts: Callable[[dict[str, Json]], tuple[Json, ...]]
    casts: tuple[tuple[str, Cast], ...]
    typed: tuple[tuple[str, Cast], ...]


_SHAPES = 64
"""Shapes that an object remembers; real APIs have one or two."""


class _Object:
    """Casts an object with known properties, the record itself included.

    Most fields are texts that need no work. So the names are resolved once per shape,
    and the types of all texts are checked in one go; a field is looked at by itself
    only where its type asks for it.
    """

    def __init__(
        self, properties: Mapping[str, Json], names: Names, leftovers: _Leftovers
    ) -> None:
        self._names = names
        self._leftovers = leftovers
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        selected = {
            name: field
            for name, field in properties.items()
            if (*names, name) not in leftovers.deselected
        }
        self._blank = dict.fromkeys(selected)
        self._casts = {
            name: _compile(field, (*names, name), leftovers)
            for name, field in selected.items()
            if names or name != EXTRA
        }

    def __call__(self, value: Json) -> Json:
        if type(value) is not dict:
            return None if value == "" else UNREADABLE
        names = tuple(value)
        is_whole, left_out, unknown, texts, casts, typed = self._shapes.get(
            names
        ) or self._learn(names)
        if TEXT_TYPES.issuperset(map(type, texts(value))):
            casts = typed
        changed = {}
        for name, cast in casts:
            raw = value[name]
            if raw is None:
                continue
            new = cast(raw)
            if new is not raw:
                if new is UNREADABLE:
                    self._leftovers.add_unreadable((*self._names, name), raw)
                    new = None
                changed[name] = new
        for name in unknown:
            self._leftovers.add_unknown((*self._names, name), value[name])
        if is_whole:
            return value | changed if changed else value
        row = self._blank | value
        row.update(changed)
        for name in left_out:
            del row[name]
        return row

    def _learn(self, names: tuple[str, ...]) -> _Shape:
        known = [name for name in names if name in self._casts]
        casts = tuple((name, self._casts[name]) for name in known)
        texts = [name for name, cast in casts if cast is text]
        shape = _Shape(
            is_whole=names == tuple(self._casts) == tuple(self._blank),
            left_out=tuple(name for name in names if name not in self._blank),
            unknown=tuple(
                name
                for name in names
                if name not in self._casts
                and (*self._names, name) not in self._leftovers.deselected
            ),
            texts=_getter(texts),
            casts=casts,
            typed=tuple(item for item in casts if item[1] is not text),
        )
        if len(self._shapes) >= _SHAPES:
            self._shapes.clear()
        self._shapes[names] = shape
        return shape


def _getter(names: list[str]) -> Callable[[dict[str, Json]], tuple[Json, ...]]:
    """Return what gets the values of these names as a tuple, also of one or none."""
    if not names:
        return lambda _: ()
    return itemgetter(*names, names[0])


class _Array:
    """Casts an array; leftovers of its items become lists with one place per item."""

    def __init__(self, item: Cast, names: Names, leftovers: _Leftovers) -> None:
        self._item = item
        self._names = names
        self._leftovers = leftovers

    def __call__(self, value: Json) -> Json:
        if type(value) is not list:
            return None if value == "" else UNREADABLE
        if not value:
            return value
        if self._item is text and TEXT_TYPES.issuperset(map(type, value)):
            return value
        leftovers = self._leftovers
        outer, leftovers.found = leftovers.found, {}
        found: dict[int, dict[str, Json]] = {}
        items: list[Json] = []
        changed = False
        for raw in value:
            new = None if raw is None else self._item(raw)
            if new is not raw:
                changed = True
                if new is UNREADABLE:
                    leftovers.add_unreadable(self._names, raw)
                    new = None
            if leftovers.found:
                found[len(items)], leftovers.found = leftovers.found, {}
            items.append(new)
        leftovers.found = outer
        for path in {path: None for one in found.values() for path in one}:
            leftovers.put(
                path, [found.get(place, {}).get(path) for place in range(len(items))]
            )
        return items if changed else value


def _compile(field: Mapping[str, Json], names: Names, leftovers: _Leftovers) -> Cast:
    """Choose the cast of one field.

    Args:
        field: Its schema.
        names: Where it is.
        leftovers: Receives what has no column.

    Returns:
        The cast.
    """
    types = {field["type"]} if isinstance(field["type"], str) else set(field["type"])
    (kind,) = types - {"null"}
    if kind == "object":
        return _compile_object(field["properties"], names, leftovers)
    if kind == "array":
        item = _compile(field["items"], names, leftovers)
        return item if item is nothing else _Array(item, names, leftovers)
    if "contentMediaType" in field:
        return json_text if leftovers.may_travel_whole(names) else refuse
    return SCALARS[kind, field.get("format")]


def _compile_object(
    properties: Mapping[str, Json], names: Names, leftovers: _Leftovers
) -> Cast:
    """Choose the cast of an object: null where all of it is deselected but itself."""
    within = ((*names, name) for name in properties)
    if properties and all(one in leftovers.deselected for one in within):
        return nothing
    return _Object(properties, names, leftovers)
