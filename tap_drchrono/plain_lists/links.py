"""Where a plain list goes on: what is believed of a `next`."""

from __future__ import annotations

import base64
import typing as t
from urllib.parse import parse_qs, parse_qsl, urlsplit

if t.TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Parameters: t.TypeAlias = tuple[tuple[str, str], ...]
"""Names and values, sorted, so that equal requests are equal."""


class LinkError(ValueError):
    """A `next` that is not followed. Its text says why, and shows nothing of it."""


def parameters(
    link: object, own: Mapping[str, str], paths: Collection[str]
) -> Parameters | None:
    """Take the query string of a `next`, and nothing else.

    Its host is not used: the vendor's example names another than the one that was
    asked, and the token goes to the configured host only.

    Args:
        link: As it came.
        own: Parameters of the first request; those in the link win.
        paths: What the path may be, a trailing slash aside.

    Returns:
        What to ask with; None where the list ends.

    Raises:
        LinkError: If it does not lead on within the endpoint.
    """
    if link is None or link == "":
        return None
    if not isinstance(link, str):
        msg = "is no address"
        raise LinkError(msg)
    try:
        parts = urlsplit(link)
    except ValueError:
        msg = "is no address"
        raise LinkError(msg) from None
    is_query_alone = not (parts.scheme or parts.netloc or parts.path)
    if not is_query_alone and parts.path.rstrip("/") not in paths:
        msg = "leads to another endpoint"
        raise LinkError(msg)
    found = parse_qsl(parts.query, keep_blank_values=True)
    names = {name for name, _ in found}
    kept = [(name, value) for name, value in own.items() if name not in names]
    return tuple(sorted([*kept, *found]))


def is_numbered(asked: Parameters) -> bool:
    """Tell whether a request asks for a page by its number.

    Args:
        asked: What it asks with.
    """
    names = {name for name, _ in asked}
    return "page" in names and "cursor" not in names


def counts(asked: Parameters) -> bool:
    """Tell whether a request says by a number where in the list it goes on.

    A cursor of Django REST Framework is the value of the ordering field, and, where
    several records share it, the number of those that were read already
    (rest_framework/pagination.py, `CursorPagination.encode_cursor`).

    Args:
        asked: What it asks with.

    Returns:
        Whether it counts pages, or records that share a position. Of a cursor that
        cannot be read, it is taken that it does not.
    """
    cursor = dict(asked).get("cursor")
    if cursor is None:
        return is_numbered(asked)
    try:
        text = base64.b64decode(cursor + "==").decode("ascii")
    except ValueError:
        return False
    return "o" in parse_qs(text)
