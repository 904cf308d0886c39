"""What lists do that is no error: come late by name, claim what is not so, and hide."""

from __future__ import annotations

import typing as t

from fault_rows import WHOLE, Expect, Moment, Outcome, Request, Trouble

if t.TYPE_CHECKING:
    from collections.abc import Mapping

_P, _G = Request.POST, Request.GET
_FIRST, _MIDDLE, _BY_ID = Moment.FIRST, Moment.MIDDLE, Moment.BY_ID


def _late(seconds: float) -> Trouble:
    """A list whose name the server does not know at once."""
    return Trouble(
        f"list not known for {seconds:g} s after its POST",
        {"kind": "list_unnamed", "seconds": seconds},
        once={_P: WHOLE},
        lasting={_P: WHOLE},
        by_page=False,
    )


def _claims(
    name: str,
    claims: str,
    *,
    most: int | None = 5,
    moments: tuple[Moment, ...] = (_FIRST, _MIDDLE, _BY_ID),
    beyond: Mapping[str, str] | None = None,
) -> Trouble:
    """An answer that says of itself what is not so; it costs five requests a page."""
    return Trouble(
        name,
        {"kind": "claims", "claims": claims, "when": "complete"},
        once={_G: WHOLE},
        lasting={_G: WHOLE},
        by_page=False,
        moments=((_FIRST, _MIDDLE), moments),
        sandbox=dict(beyond or {}),
        most=most,
    )


_BEYOND: Mapping[str, Mapping[str, str]] = {
    "is empty": {"out_of_range": "empty"},
    "is the last one once more": {"out_of_range": "last_page"},
    "is HTTP 404": {"out_of_range": "not_found"},
    "is HTTP 404 in other words": {
        "out_of_range": "not_found",
        "out_of_range_detail": "There is nothing here.",
    },
    "is HTTP 404 for its POST": {"out_of_range": "not_found_at_post"},
    "is HTTP 404 for its POST in other words": {
        "out_of_range": "not_found_at_post",
        "out_of_range_detail": "Not found.",
    },
    "is HTTP 400 for page": {"out_of_range": "bad_request"},
    "is HTTP 400 for page at its POST": {"out_of_range": "bad_request_at_post"},
}
"""What a page beyond the last one is, and the sandbox's settings for it."""


def _hidden(name: str, *, gaps: bool) -> Trouble:
    """Records that are counted, and not listed tonight."""
    return Trouble(
        name,
        {"kind": "records_unlisted", "gaps": gaps},
        once={},
        lasting={_P: Expect(Outcome.HELD, "The bookmark stays before them")},
        by_page=False,
        moments=((), (_FIRST, _MIDDLE, _BY_ID)),
    )


LIST_TROUBLES: tuple[Trouble, ...] = (
    *(_late(seconds) for seconds in (0.6, 2.0, 4.5)),
    _claims("no pagination", "nothing"),
    _claims("pagination in numbers as text", "numbers_as_text"),
    _claims("page counted from 0", "page_from_0"),
    _claims("page always 1", "page_always_1"),
    _claims("no page", "page_missing"),
    _claims("page that is a text", "page_text"),
    _claims("no count", "count_missing"),
    _claims("count 0", "count_0"),
    _claims("count of the page instead of the list", "count_of_page"),
    _claims("count a tenth too small", "count_tenth_less"),
    _claims("count that is a text", "count_text"),
    _claims("count below zero", "count_negative"),
    _claims("count that grows with each page", "count_growing", most=None),
    _claims("page_size always 1000", "size_always_1000"),
    _claims("page_size of the records that came", "size_of_page"),
    _claims("no page_size", "size_missing"),
    _claims("pages always 1", "pages_always_1"),
    _claims("pages twice as many", "pages_double"),
    *(
        _claims(
            f"count a third too large, and a page beyond the end {what}",
            "count_third_more",
            most=None,
            beyond=beyond,
        )
        for what, beyond in _BEYOND.items()
    ),
    _hidden("records counted and not listed", gaps=True),
    _hidden("records counted and not listed, others in their place", gaps=False),
)
