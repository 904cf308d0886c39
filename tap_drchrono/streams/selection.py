"""What a catalog selects within a stream: fields, also those of objects and arrays.

The breadcrumb of a field in an array names no items, as in `("properties",
"billing_notes", "properties", "text")`: this is what Meltano matches patterns with. One
with `"items"` in it means the same.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from singer_sdk.singerlib import MetadataMapping

    Schema: t.TypeAlias = dict[str, t.Any]
    Breadcrumb: t.TypeAlias = tuple[str, ...]
    Mask: t.TypeAlias = Mapping[Breadcrumb, bool]

_EXTRA = "_extra"


def without_items(metadata: Iterable[Mapping[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Bring the metadata of a catalog entry to breadcrumbs of one form.

    Args:
        metadata: As the catalog has it.

    Returns:
        The same, with one item for each breadcrumb. Where several say something about
        one field, it is deselected if one of them does so.
    """
    merged: dict[Breadcrumb, dict[str, t.Any]] = {}
    for item in metadata:
        breadcrumb = _plain(item.get("breadcrumb") or ())
        found = dict(item.get("metadata") or {})
        before = merged.setdefault(breadcrumb, {})
        if before.get("selected") is False:
            found.pop("selected", None)
        before.update(found)
    return [
        {"breadcrumb": list(breadcrumb), "metadata": found}
        for breadcrumb, found in merged.items()
    ]


def _plain(breadcrumb: Iterable[str]) -> Breadcrumb:
    """Leave out `items` where it stands for the items of an array."""
    plain: list[str] = []
    parts = iter(breadcrumb)
    for part in parts:
        if part == "items":
            continue
        plain += [part, *(name for name in [next(parts, None)] if name is not None)]
    return tuple(plain)


def breadcrumbs(schema: Schema, above: Breadcrumb = ()) -> Iterator[Breadcrumb]:
    """Name all fields of a schema, those in objects and arrays after their parent.

    Args:
        schema: The schema of a stream, or of an object or array in it.
        above: Where that is.

    Yields:
        Their breadcrumbs.
    """
    for name, field in fields_of(schema).items():
        breadcrumb = (*above, "properties", name)
        yield breadcrumb
        yield from breadcrumbs(field, breadcrumb)


def fields_of(field: Schema) -> dict[str, Schema]:
    """Return the fields of an object, or of the objects in an array; or none."""
    while "items" in field:
        field = field["items"]
    found: dict[str, Schema] = field.get("properties", {})
    return found


def selected_schema(schema: Schema, mask: Mask, above: Breadcrumb = ()) -> Schema:
    """Leave out of a schema what is not selected.

    What is ambiguous stays as it is, so that a table's column keeps its type.

    Args:
        schema: The schema of a stream, or of an object or array in it.
        mask: What is selected; it knows each breadcrumb.
        above: Where the schema is.

    Returns:
        The schema of what goes out.
    """
    if "items" in schema:
        return {**schema, "items": selected_schema(schema["items"], mask, above)}
    if "properties" not in schema:
        return schema
    kept = {}
    for name, field in schema["properties"].items():
        breadcrumb = (*above, "properties", name)
        if mask[breadcrumb]:
            is_whole = _is_ambiguous(field, mask, breadcrumb)
            kept[name] = field if is_whole else selected_schema(field, mask, breadcrumb)
    return {**schema, "properties": kept}


def ambiguous(schema: Schema, mask: Mask, above: Breadcrumb = ()) -> Iterator[str]:
    """Name what is selected while nothing in it is.

    A tool that selects `vitals` alone, and one that selects everything but `vitals.*`,
    leave the same catalog.

    Args:
        schema: The schema of a stream, or of an object or array in it.
        mask: What is selected; it knows each breadcrumb.
        above: Where the schema is.

    Yields:
        Dotted names, such as `vitals`.
    """
    for name, field in fields_of(schema).items():
        breadcrumb = (*above, "properties", name)
        if not mask[breadcrumb]:
            continue
        if _is_ambiguous(field, mask, breadcrumb):
            yield ".".join(breadcrumb[1::2])
        else:
            yield from ambiguous(field, mask, breadcrumb)


def _is_ambiguous(field: Schema, mask: Mask, breadcrumb: Breadcrumb) -> bool:
    """Tell whether a selected field has fields of its own, none of them selected."""
    within = fields_of(field)
    return bool(within) and not any(
        mask[*breadcrumb, "properties", name] for name in within
    )


def unknown(schema: Schema, mentioned: Iterable[Breadcrumb]) -> list[str]:
    """Name the fields that a catalog mentions and the schema does not have.

    Args:
        schema: The stream's schema.
        mentioned: The breadcrumbs in the catalog.

    Returns:
        Dotted names. What is below `_extra` is not among them: it names fields that no
        schema has.
    """
    known = {(), *breadcrumbs(schema)}
    return [
        ".".join(breadcrumb[1::2]) or ".".join(breadcrumb)
        for breadcrumb in mentioned
        if breadcrumb not in known and breadcrumb[1:2] != (_EXTRA,)
    ]


def warnings(stream: str, schema: Schema, metadata: MetadataMapping) -> Iterator[str]:
    """Say what of a selection is not clear, or concerns no field.

    Args:
        stream: The stream's name.
        schema: Its schema.
        metadata: What the catalog has of it.

    Yields:
        At most one line of each kind.
    """
    if names := list(ambiguous(schema, metadata.resolve_selection())):
        patterns = ", ".join(f"{stream}.{name}.*" for name in names)
        yield (
            f"Only null goes out for {', '.join(names)}: nothing within is selected. "
            f"To select all of it, add {patterns}."
        )
    if names := unknown(schema, metadata):
        yield (
            f"The catalog mentions fields that the stream does not have: "
            f"{', '.join(names)}. Correct select or metadata, if they are yours."
        )
