"""The fault matrix: what goes wrong, at which request and moment, and what then holds.

One table. `test_faults.py` runs each row end to end, and the table in
docs/reliability.md is rendered from it.
"""

from __future__ import annotations

import typing as t

from fault_rows import (
    WHOLE,
    Expect,
    Moment,
    Outcome,
    Request,
    Row,
    Trouble,
    authorize,
    fails,
    stops,
)
from list_troubles import LIST_TROUBLES

P, G, T = Request.POST, Request.GET, Request.TOKEN
_TRIED = "7 times in a row"
_LOOKED = "twice in a row. It can be read, and is not what DrChrono documents"
_CUT_OFF = "No connection, or one that was cut off"
_REACH = "cannot be reached"
_NO_TOKEN = "gives no usable answer"


def _transient(
    name: str, kind: str, word: str, cut: str = "", **more: t.Any
) -> Trouble:
    """Something that another try may mend, for lists and for tokens."""
    return Trouble(
        name,
        {"kind": kind, **more},
        once={P: WHOLE, G: WHOLE, T: WHOLE},
        lasting={
            P: fails(f"{word} for"),
            G: fails(f"{word} for"),
            T: stops(_NO_TOKEN),
        },
        cut=cut,
        at=_OLD_TOKEN_LIVES,
        by_page=False,
    )


_OLD_TOKEN_LIVES: dict[tuple[Request, Moment, bool], Expect] = {
    (T, Moment.NEAR_EXPIRY, lasting): WHOLE for lasting in (False, True)
}
"""A refresh that fails near the expiry is put off: the old token is still good."""


def _everyones(
    name: str, cut: str, word: str = _CUT_OFF, *, unreachable: bool = True
) -> Trouble:
    """Something that concerns the host, though here only one endpoint shows it."""
    return Trouble(
        name,
        {"kind": "close"},
        once={P: WHOLE, G: WHOLE, T: WHOLE},
        lasting={P: fails(word), G: fails(word), T: stops(_NO_TOKEN)},
        cut=cut,
        at=_OLD_TOKEN_LIVES
        | ({(T, Moment.START, True): stops(_REACH)} if unreachable else {}),
        by_page=False,
    )


def _answer_lost(name: str, kind: str, word: str, **more: t.Any) -> Trouble:
    """The request takes effect, and the answer is lost: a token is spent by that."""
    return Trouble(
        name,
        {"kind": kind, **more},
        once={P: WHOLE, G: WHOLE, T: authorize()},
        lasting={P: fails(word), G: fails(word), T: stops(_NO_TOKEN)},
        at={
            (T, Moment.NEAR_EXPIRY, False): authorize("that is kept in"),
            (T, Moment.NEAR_EXPIRY, True): WHOLE,
        },
        by_page=False,
    )


def _list_fails(name: str, kind: str, word: str, **more: t.Any) -> Trouble:
    return Trouble(
        name,
        {"kind": kind, **more},
        once={P: WHOLE, G: WHOLE},
        lasting={P: fails(word), G: fails(word)},
        by_page=False,
    )


_AHEAD_AGAIN: dict[tuple[Request, Moment, bool], Expect] = {
    (P, Moment.AHEAD, False): WHOLE
}
"""What a list asked for ahead gets is believed when its stream asks itself."""

_PERHAPS_THE_END: dict[tuple[Request, Moment, bool], Expect] = {
    (P, moment, False): WHOLE for moment in (Moment.MIDDLE, Moment.LAST, Moment.BY_ID)
}
"""A later page that is not found may lie behind the list's end: the tap looks again."""

_WITHHELD = Expect(Outcome.WARNED, "no records. If there should be some")

TROUBLES: tuple[Trouble, ...] = (
    _transient("connection closed", "close", "No connection, or one that was cut off"),
    _transient("connection reset", "reset", "No connection, or one that was cut off"),
    _transient("no answer in time", "hang", "No answer in time", seconds=90.0),
    _answer_lost(
        "answer lost after the request took effect",
        "close",
        "No connection, or one that was cut off",
        performed=True,
    ),
    _answer_lost("answer cut off", "truncate", "An answer that was cut off"),
    Trouble(
        "slow answer",
        {"kind": "slow", "seconds": 20.0},
        once={P: WHOLE, G: WHOLE, T: WHOLE},
        lasting={P: WHOLE, G: WHOLE, T: WHOLE},
    ),
    _everyones("connection refused", "refused", "No connection to the host"),
    _everyones("unknown host", "unknown host", "The name of the host is not known"),
    _everyones(
        "no connection in time",
        "no connection in time",
        "No connection in time",
        unreachable=False,
    ),
    _everyones(
        "TLS certificate not accepted",
        "bad certificate",
        "The TLS certificate is not accepted",
    ),
    _everyones("proxy out of order", "bad proxy", "No connection through the proxy"),
    *(
        Trouble(
            f"out of service for everyone, {words}",
            {"kind": "503", "lasts": seconds, "retry_after": after},
            once={P: WHOLE, G: WHOLE, T: WHOLE},
            lasting={},
        )
        for words, seconds, after in (
            ("for a minute", 60.0, ""),
            ("for ten minutes", 600.0, ""),
            ("for the half hour that Retry-After says", 1800.0, "1800"),
        )
    ),
    Trouble(
        "out of service for everyone, for hours",
        {"kind": "503", "lasts": 7200.0},
        once={P: stops(_NO_TOKEN), G: stops(_NO_TOKEN), T: stops(_NO_TOKEN)},
        lasting={},
    ),
    *(
        _transient(f"HTTP {status}", status, f"HTTP {status}")
        for status in ("500", "502", "503", "504")
    ),
    _transient("HTML instead of JSON", "html", "HTTP 200 with HTML instead of JSON"),
    _transient("empty body", "empty_body", "JSON that is cut off or malformed"),
    _transient(
        "JSON that is no object", "not_an_object", "without a known list status"
    ),
    _answer_lost("JSON cut off", "truncated_json", "JSON that is cut off or malformed"),
    _answer_lost(
        "malformed JSON", "malformed_json", "JSON that is cut off or malformed"
    ),
    *(
        Trouble(
            words,
            {"kind": kind},
            once={P: WHOLE, G: WHOLE, T: WHOLE},
            lasting={P: WHOLE, G: WHOLE, T: WHOLE},
        )
        for kind, words in (
            ("byte_order_mark", "a byte-order mark before the JSON"),
            ("latin_1", "JSON in declared Latin-1"),
            ("utf_16", "JSON in UTF-16"),
        )
    ),
    Trouble(
        "missing status",
        {"kind": "missing_status"},
        once={P: WHOLE, G: WHOLE},
        lasting={P: fails(_LOOKED), G: fails(_LOOKED)},
    ),
    Trouble(
        "unexpected status",
        {"kind": "unexpected_status"},
        once={P: WHOLE, G: WHOLE},
        lasting={P: fails(_TRIED), G: fails(_TRIED)},
    ),
    Trouble(
        "missing results",
        {"kind": "missing_results", "when": "complete"},
        once={G: WHOLE},
        lasting={G: fails(_LOOKED)},
    ),
    Trouble(
        "missing uuid",
        {"kind": "missing_uuid"},
        once={P: WHOLE, G: WHOLE},
        lasting={P: fails("could not generate a list (last answer: no name")},
        by_page=False,
    ),
    Trouble(
        "redirect on the same host",
        {"kind": "redirect"},
        once={P: WHOLE, G: WHOLE, T: WHOLE},
        lasting={request: stops("redirects without end") for request in Request},
    ),
    Trouble(
        "redirect to another host",
        {"kind": "redirect_elsewhere"},
        once={request: stops("redirects to another host") for request in Request},
        lasting={request: stops("redirects to another host") for request in Request},
    ),
    Trouble(
        "HTTP 400",
        {"kind": "400"},
        once={
            P: fails("because of since (HTTP 400)"),
            G: WHOLE,
            T: stops("the request was refused"),
        },
        lasting={
            P: fails("because of since (HTTP 400)"),
            G: fails("could not generate a list (last answer: HTTP 400)"),
            T: stops("the request was refused"),
        },
        at=_AHEAD_AGAIN,
        by_page=False,
    ),
    Trouble(
        "HTTP 401",
        {"kind": "401"},
        once={P: WHOLE, G: WHOLE, T: stops("the request was refused")},
        lasting={
            P: fails("(HTTP 401). The authorization"),
            G: fails("(HTTP 401). The authorization"),
            T: stops("the request was refused"),
        },
    ),
    Trouble(
        "HTTP 403",
        {"kind": "403"},
        once={
            P: fails("(HTTP 403). The authorization"),
            G: fails("(HTTP 403). The authorization"),
            T: WHOLE,
        },
        lasting={
            P: fails("(HTTP 403). The authorization"),
            G: fails("(HTTP 403). The authorization"),
            T: stops(_NO_TOKEN),
        },
        at=_AHEAD_AGAIN | _OLD_TOKEN_LIVES,
    ),
    Trouble(
        "HTTP 404",
        {"kind": "404"},
        once={P: fails("answers HTTP 404"), G: WHOLE, T: stops("no token endpoint")},
        lasting={
            P: fails("answers HTTP 404"),
            G: fails("could not generate a list (last answer: HTTP 404)"),
            T: stops("no token endpoint"),
        },
        at=_AHEAD_AGAIN | _PERHAPS_THE_END,
        by_page=False,
    ),
    *(
        Trouble(
            f"HTTP 429 {words}",
            {"kind": "429", "form": form, "seconds": 412.0},
            once={P: WHOLE, G: WHOLE, T: WHOLE},
            lasting={request: stops("for 24 hours") for request in Request},
            by_page=False,
        )
        for form, words in (
            ("sentence", "that says how long"),
            ("decimal", "with a decimal"),
            ("retry_after", "with Retry-After"),
            ("bare", "that does not say how long"),
        )
    ),
    *(
        _list_fails(
            f"list {word} (HTTP {status})", f"list_{kind}", kind.title(), status=status
        )
        for kind, word in (
            ("failed", "failed"),
            ("canceled", "canceled"),
            ("error", "in error"),
        )
        for status in (200, 500)
    ),
    *LIST_TROUBLES,
    _list_fails("list expired", "list_expired", "could not generate a list"),
    _list_fails("list never ready", "list_never", "in progress after 1800 s"),
    Trouble(
        "records withheld for want of a scope",
        {"kind": "scope_missing"},
        once={P: WHOLE, G: WHOLE},
        lasting={},
        at={
            (request, moment, False): _WITHHELD
            for request in (P, G)
            for moment in (Moment.FIRST, Moment.AHEAD)
        },
    ),
    Trouble(
        "records out of order",
        {"kind": "out_of_order"},
        once={P: WHOLE, G: WHOLE},
        lasting={},
    ),
    Trouble(
        "invalid_grant",
        {"kind": "invalid_grant"},
        once={T: authorize()},
        lasting={T: authorize()},
    ),
    Trouble(
        "invalid_grant (HTTP 401)",
        {"kind": "invalid_grant"},
        once={T: authorize()},
        lasting={T: authorize()},
        sandbox={"invalid_grant_status": 401},
    ),
    Trouble(
        "invalid_client",
        {"kind": "invalid_client"},
        once={T: stops("Check the settings client_id and client_secret")},
        lasting={T: stops("Check the settings client_id and client_secret")},
    ),
)


def rows() -> list[Row]:
    """Return the whole matrix."""
    found = []
    for trouble in TROUBLES:
        for lasting, expected in ((False, trouble.once), (True, trouble.lasting)):
            for request, usual in expected.items():
                for moment in trouble.moments_of(request, lasting=lasting):
                    expect = trouble.at.get((request, moment, lasting), usual)
                    found.append(Row(trouble, request, moment, lasting, expect))
    return found


_COLUMNS = (
    "what goes wrong",
    "list, once",
    "list, for good",
    "token, once",
    "token, for good",
)


def render() -> str:
    """Render the table in docs/reliability.md."""
    matrix = rows()
    lines = [
        f"Proven by {len(matrix)} runs against the sandbox: at the first, a middle and",
        "the last page, on lists asked for ahead and lists read by id, and for tokens",
        "at the start, near their expiry and after a refusal. After each, a run",
        "without the trouble makes the copy equal to the source.",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        f"|{' --- |' * len(_COLUMNS)}",
    ]
    alike: dict[tuple[str, ...], list[str]] = {}
    for trouble in TROUBLES:
        mine = [row for row in matrix if row.trouble is trouble]
        cells = tuple(
            _cell([row for row in mine if (row.request is T, row.lasting) == column])
            for column in ((False, False), (False, True), (True, False), (True, True))
        )
        alike.setdefault(cells, []).append(trouble.name)
    lines += [
        f"| {'; '.join(names)} | {' | '.join(cells)} |"
        for cells, names in alike.items()
    ]
    lines += ["", *(f"- *{one.value[0]}*: {one.value[1]}." for one in Outcome)]
    return "\n".join(lines)


def _cell(matrix: list[Row]) -> str:
    """Say how rows end; by moment and request that may differ."""
    found = {row.expect.outcome for row in matrix}
    return " or ".join(one.value[0] for one in Outcome if one in found)
