"""What an answer may say of its page and of its list that is not so."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from drchrono_sandbox.messages import Json

Pagination: t.TypeAlias = "dict[str, t.Any]"
Lie: t.TypeAlias = "Callable[[Pagination, int], Pagination]"

LIES: dict[str, Lie] = {
    "nothing": lambda _, __: {},
    "numbers_as_text": lambda said, _: {name: str(said[name]) for name in said},
    "page_from_0": lambda said, _: said | {"page": said["page"] - 1},
    "page_always_1": lambda said, _: said | {"page": 1},
    "page_missing": lambda said, _: _without(said, "page"),
    "page_text": lambda said, _: said | {"page": "the first"},
    "count_0": lambda said, _: said | {"count": 0},
    "count_of_page": lambda said, records: said | {"count": records},
    "count_tenth_less": lambda said, _: said | {"count": said["count"] * 9 // 10},
    "count_third_more": lambda said, _: said | {"count": said["count"] * 13 // 10},
    "count_text": lambda said, _: said | {"count": "many"},
    "count_negative": lambda said, _: said | {"count": -said["count"]},
    "count_growing": lambda said, _: said | {"count": _end(said) + 10},
    "count_missing": lambda said, _: _without(said, "count"),
    "size_always_1000": lambda said, _: said | {"page_size": 1000},
    "size_of_page": lambda said, records: said | {"page_size": records},
    "size_missing": lambda said, _: _without(said, "page_size"),
    "pages_always_1": lambda said, _: said | {"pages": 1},
    "pages_double": lambda said, _: said | {"pages": 2 * said["pages"]},
}
"""By name; each is given the truth and the number of records on the page."""


def lie(claims: str, body: dict[str, Json]) -> None:
    """Let an answer claim what is not so.

    Args:
        claims: The name of the lie.
        body: The answer; one that holds no list stays as it is.
    """
    if (said := body.get("pagination")) is not None:
        records = len(body.get("results") or body.get("data") or ())
        body["pagination"] = LIES[claims](said, records)


def _without(said: Pagination, name: str) -> Pagination:
    return {other: value for other, value in said.items() if other != name}


def _end(said: Pagination) -> int:
    """Tell where the page ends, if it is full."""
    end: int = said["page"] * said["page_size"]
    return end
