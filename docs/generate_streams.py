"""Write what the documentation says of the streams: `python docs/generate_streams.py`.

The pages of docs/streams/, the recipe in docs/privacy.md, the new tables in
docs/upgrading.md and the streams on the Meltano Hub page, all from the classes and
schemas of the tap.
"""  # noqa: INP001 - a script beside the pages it makes

from __future__ import annotations

import json
import textwrap
import typing as t
from pathlib import Path

from tap_drchrono.endpoints import Endpoint, Group
from tap_drchrono.schema_files import marks
from tap_drchrono.streams.catalogue import ENDPOINTS, STREAMS, scopes
from tap_drchrono.streams.plain import PlainStream, ReferenceStream

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_drchrono.streams.catalogue import AnyStream

Schema: t.TypeAlias = dict[str, t.Any]

DOCS = Path(__file__).parent
SCHEMAS = DOCS.parent / "tap_drchrono" / "schemas"
PAGES = DOCS / "streams"
PRIVACY = DOCS / "privacy.md"
UPGRADING = DOCS / "upgrading.md"
HUB = DOCS / "hub" / "tap-drchrono.yml"

BEGIN = "<!-- Written by `python docs/generate_streams.py`. -->\n"
END = "<!-- End of what is written. -->\n"

TITLES = {
    Group.BULK: "Bulk lists",
    Group.REFERENCE: "Reference lists",
    Group.MONEY: "Money",
    Group.CLINICAL: "Charts",
    Group.SCHEDULING: "Scheduling",
    Group.TASKS: "Tasks",
    Group.MESSAGES: "Messages",
}

INTRODUCTION = """\
# Streams

Eight bulk lists, and their companions: the names behind ids, payments, deletions,
charts. A stream that is read *by default* is offered without being asked for; the
others are added by the setting `extra_streams`.

| stream | page | by default | read |
| --- | --- | --- | --- |
"""

LEGEND = """\

On the pages, `a.b` is a field of the object `a`, and `a[].b` a field of each object in
the array `a`. All columns but the key may be null. A column that is marked *verbose
only* is null where verbose fields are not asked for. **PHI** marks what can identify
a patient by itself, or is free text; [privacy.md](../privacy.md) leaves it out.

- **number**: exactly the digits that the API sent, never rounded through a float.
- **timestamp**: as the API wrote it, without a zone.
- **JSON text**: one text column that holds JSON of varying form. A plain string is
  encoded too, so the text can always be parsed.
- **`_extra`**: what no column could hold, as the text of a JSON object. A field inside
  `a` is found under `a.b`; where `a` is an array, its value is a list with one place
  for each item.

## How the streams join

The streams that are read by default; each page has all joins of its streams.

"""


def load(stream: str) -> Schema:
    """Read a schema file.

    Args:
        stream: The stream's name.

    Returns:
        Its JSON Schema, with our marks.
    """
    schema: Schema = json.loads((SCHEMAS / f"{stream}.json").read_text("utf-8"))
    return schema


def type_name(field: Schema) -> str:
    """Name a field's type for people.

    Args:
        field: The field's schema.

    Returns:
        Such as `number` or `array of text`.
    """
    if "contentMediaType" in field:
        return "JSON text"
    types = field["type"]
    kind = str(types if isinstance(types, str) else types[0])
    if kind == "array":
        return f"array of {type_name(field['items'])}"
    if kind == "string":
        return {"date": "date", "date-time": "timestamp"}.get(
            field.get("format", ""), "text"
        )
    return kind


def columns(schema: Schema, prefix: str = "") -> Iterator[tuple[str, Schema]]:
    """Walk through all columns, nested ones after their parent.

    Args:
        schema: The schema of a stream, an object or an array.
        prefix: What stands before the names.

    Yields:
        The dotted name and the schema of each.
    """
    for name, field in schema.get("properties", {}).items():
        yield f"{prefix}{name}", field
        yield from columns(field, f"{prefix}{name}.")
        yield from columns(field.get("items", {}), f"{prefix}{name}[].")


def drawing(endpoints: Iterable[Endpoint], among: Iterable[str]) -> str:
    """Draw joins.

    Args:
        endpoints: The streams whose columns join.
        among: The streams that they may join to.

    Returns:
        A block of Mermaid.
    """
    lines = ["```mermaid", "erDiagram"]
    for endpoint in endpoints:
        for parent in dict.fromkeys(endpoint.joins.values()):
            if parent not in among:
                continue
            names = [name for name, to in endpoint.joins.items() if to == parent]
            ends = "||--o|" if names == [endpoint.key] else "|o--o{"
            lines.append(
                f'    {parent} {ends} {endpoint.stream} : "{", ".join(names)}"'
            )
    return "\n".join([*lines, "```"])


def how_read(stream: type[AnyStream]) -> str:
    """Say how much of a stream a sync reads.

    Args:
        stream: The stream's class.
    """
    if issubclass(stream, ReferenceStream):
        return "whole"
    key = stream.endpoint().replication_key
    if issubclass(stream, PlainStream) and not stream.since:
        return f"whole; written by `{key}`" if key else "whole"
    return f"by `{key}`"


def facts(stream: type[AnyStream]) -> str:
    """Say what somebody who reads a stream must know.

    Args:
        stream: The stream's class.

    Returns:
        A list in Markdown.
    """
    endpoint = stream.endpoint()

    def named(names: Iterable[str], none: str) -> str:
        return ", ".join(f"`{name}`" for name in names) or none

    return "\n".join(
        [
            (
                f"- Endpoint: `{endpoint.path}`. Key: `{endpoint.key}`. Read "
                f"{how_read(stream)}; "
                f"{'by default' if endpoint.offered else 'with `extra_streams`'}."
            ),
            (
                f"- Scopes: {named(sorted(endpoint.scopes), 'none')}. Permissions: "
                f"{named(endpoint.permissions, 'none')}. For other providers' records: "
                f"{named(endpoint.sharing, 'nothing more')}."
            ),
        ]
    )


def table(endpoint: Endpoint) -> str:
    """List the columns of a stream, with joins and marks.

    Args:
        endpoint: The stream.

    Returns:
        A table in Markdown.
    """
    marked = marks(endpoint.stream)
    lines = ["| column | type | PHI | description |", "| --- | --- | --- | --- |"]
    for name, field in columns(load(endpoint.stream)):
        plain = name.replace("[]", "")
        parent = endpoint.joins.get(plain)
        joined = f" Joins to `{parent}`." if parent else ""
        lines.append(
            f"| `{name}` | {type_name(field)} | {'PHI' if marked.get(plain) else ''} "
            f"| {field['description']}{joined} |"
        )
    return "\n".join(lines)


def page(group: Group) -> str:
    """Write the page of a group.

    Args:
        group: The group.

    Returns:
        The text.
    """
    streams = [one for one in STREAMS if one.group is group]
    parts = [
        (
            f"# {TITLES[group]}\n\n{BEGIN}\n[All streams](README.md), and what the "
            "columns mean."
        ),
        drawing([one.endpoint() for one in streams], ENDPOINTS),
    ]
    for stream in streams:
        endpoint = stream.endpoint()
        parts += [
            f"## {endpoint.stream}",
            str(stream.__doc__).strip().splitlines()[0],
            facts(stream),
            table(endpoint),
        ]
    return "\n\n".join(parts) + "\n"


def overview() -> str:
    """Write the page that leads to the others.

    Returns:
        The text.
    """
    rows = [
        f"| `{one.endpoint().stream}` | [{TITLES[one.group]}]({one.group.value}.md) | "
        f"{'yes' if one.offered else ''} | {how_read(one)} |"
        for one in STREAMS
    ]
    offered = {name: one for name, one in ENDPOINTS.items() if one.offered}
    return (
        INTRODUCTION.replace("# Streams\n", f"# Streams\n\n{BEGIN}", 1)
        + "\n".join(rows)
        + "\n"
        + LEGEND
        + drawing(offered.values(), offered)
        + "\n"
    )


def left_out(schema: Schema, marked: dict[str, bool], path: str = "") -> Iterator[str]:
    """Name the columns that the recipe leaves out.

    Args:
        schema: The schema of a stream or of an object.
        marked: The marks of the stream.
        path: What stands before the names.

    Yields:
        Dotted names; that of an object or an array where nothing of it stays.
    """
    for name, field in schema["properties"].items():
        here = path + name
        inner = field.get("items", field)
        if "properties" not in inner:
            if marked[here]:
                yield here
            continue
        within = [mark for one, mark in marked.items() if one.startswith(f"{here}.")]
        if all(within):
            yield here
        else:
            yield from left_out(inner, marked, f"{here}.")


def recipe() -> str:
    """Write the recipe that leaves out all that is marked.

    Returns:
        A block of YAML.
    """
    patterns = ["*.*", "!*._extra"]
    for name in ENDPOINTS:
        marked = marks(name)
        patterns += [
            f"!{name}.{column}"
            for column in left_out(load(name), marked)
            if column != "_extra"
        ]
    lines = "\n".join(f'        - "{pattern}"' for pattern in patterns)
    return (
        "```yaml\nplugins:\n  extractors:\n    - name: tap-drchrono\n      select:\n"
        f"{lines}\n```"
    )


def new_tables() -> str:
    """List the tables that a sync without a selection adds since 0.1.0.

    Returns:
        A list in Markdown.
    """
    return "\n".join(
        f"- `{one.endpoint().stream}`: {str(one.__doc__).strip().splitlines()[0]}"
        for one in STREAMS
        if one.offered and one.group is not Group.BULK
    )


def with_part(text: str, part: str) -> str:
    """Renew the part of a page that is written here.

    Args:
        text: The page.
        part: What is to stand between the two comments.

    Returns:
        The page, renewed.
    """
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{part}\n\n{END}{after}"


def streams_for_the_hub() -> str:
    """Say on the Hub page which streams there are, and what they need.

    Returns:
        Paragraphs, indented as in its YAML.
    """
    offered = [name for name, one in ENDPOINTS.items() if one.offered]
    others = [name for name, one in ENDPOINTS.items() if not one.offered]
    paragraphs = [
        (
            f"Streams that are read by default: {', '.join(offered)}. They need "
            f"the scopes {', '.join(sorted(scopes()))}."
        ),
        (
            f"The setting `extra_streams` adds: {', '.join(others)}. With all of them "
            f"the scopes {', '.join(sorted(scopes(others) - scopes()))} are "
            "needed as well."
        ),
    ]
    wrapped = [textwrap.fill(one, 88, break_on_hyphens=False) for one in paragraphs]
    return textwrap.indent("\n\n".join(wrapped), "  ") + "\n"


def with_streams(text: str) -> str:
    """Renew the streams on the Hub page.

    Args:
        text: The page.

    Returns:
        The page, renewed.
    """
    before, begin, rest = text.partition("  Streams that are read by default:")
    if not begin:
        before, begin, rest = text.partition("variant: ")
        return f"{before}\n{streams_for_the_hub()}{begin}{rest}"
    _, variant, after = rest.partition("variant: ")
    return f"{before}{streams_for_the_hub()}{variant}{after}"


def render() -> dict[Path, str]:
    """Make all pages.

    Returns:
        By file, its text.
    """
    pages = {PAGES / f"{group.value}.md": page(group) for group in Group}
    return {
        PAGES / "README.md": overview(),
        **pages,
        PRIVACY: with_part(PRIVACY.read_text("utf-8"), recipe()),
        UPGRADING: with_part(UPGRADING.read_text("utf-8"), new_tables()),
        HUB: with_streams(HUB.read_text("utf-8")),
    }


if __name__ == "__main__":
    PAGES.mkdir(exist_ok=True)
    for path, text in render().items():
        path.write_text(text, "utf-8")
