"""What a fault makes of an answer."""

from __future__ import annotations

import json
import re
import typing as t

from drchrono_sandbox import claims
from drchrono_sandbox.endpoints import BY_PATH
from drchrono_sandbox.messages import (
    Json,
    Misbehaviour,
    Request,
    Response,
    html_response,
    json_response,
    raw_json_response,
)

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from drchrono_sandbox.faults import Fault, ThrottleForm

_ELSEWHERE = "https://elsewhere.drchrono-sandbox.invalid/"
_DETAILS = {
    400: "Bad request.",
    401: "Authentication credentials were not provided.",
    403: "You do not have permission to perform this action.",
    404: "Not found.",
    405: "Method not allowed.",
    410: "Gone.",
}


def detail(status: int, text: str = "", mark: str = "") -> Response:
    """Make an error body.

    Args:
        status: The status code.
        text: What is wrong; the usual text of the status if empty.
        mark: Planted beside it, if not empty.

    Returns:
        The response.
    """
    body = {"detail": text or _DETAILS.get(status, "A server error occurred.")}
    if mark:
        body["debug"] = f"{mark}error"
    return json_response(status, body)


def throttled(form: ThrottleForm, wait: float | None, mark: str = "") -> Response:
    """Make a 429.

    Args:
        form: How it says the waiting time.
        wait: Seconds; None if it says none.
        mark: Planted beside it, if not empty.

    Returns:
        The response.
    """
    text = "Request was throttled."
    headers = {}
    if wait is not None and form == "sentence":
        text += f" Expected available in {max(1, round(wait))} seconds."
    if wait is not None and form == "decimal":
        text += f" Expected available in {max(1, round(wait))}.0 seconds."
    if wait is not None and form == "retry_after":
        headers["retry-after"] = str(max(1, round(wait)))
    response = detail(429, text, mark)
    return Response(429, {**response.headers, **headers}, response.body)


def canned(fault: Fault, request: Request, mark: str) -> Response | None:
    """Make an answer that doesn't depend on what was asked.

    Args:
        fault: What goes wrong.
        request: Whose address a redirect repeats.
        mark: Planted in the body, if not empty.

    Returns:
        The answer; None if the fault spoils the real one instead.
    """
    kind = fault.kind
    if kind == "close" or kind == "reset" or kind == "hang":  # noqa: PLR1714 - typed
        delay = fault.seconds if kind == "hang" else 0.0
        return Response(503, {}, b"", Misbehaviour(delay=delay, cut=kind))
    if kind == "429":
        answer: Response | None = throttled(fault.form, fault.seconds, mark)
    elif kind in {"redirect", "redirect_elsewhere"}:
        answer = _redirect(fault, request)
    else:
        answer = _plain(kind, mark)
    if answer is not None and fault.retry_after:
        headers = {**answer.headers, "retry-after": fault.retry_after}
        return Response(answer.status, headers, answer.body)
    return answer


def _plain(kind: str, mark: str) -> Response | None:
    answers = {
        "400": json_response(400, {"since": [f"Enter a valid date. {mark}".strip()]}),
        "html": html_response(200, f"<h1>Down for maintenance</h1>{mark}"),
        "empty_body": raw_json_response(200, b""),
        "not_an_object": json_response(200, [mark or "list"]),
        **{
            status: html_response(int(status), f"<h1>{status}</h1>{mark}")
            for status in ("502", "503", "504")
        },
        **{
            status: detail(int(status), mark=mark)
            for status in ("401", "403", "404", "405", "410", "500")
        },
    }
    return answers.get(kind)


def _redirect(fault: Fault, request: Request) -> Response:
    query = f"?{request.full_query}" if request.full_query else ""
    location = f"{request.base_url}{request.path}{query}"
    if fault.kind == "redirect_elsewhere":
        location = fault.location or f"{_ELSEWHERE.rstrip('/')}{request.path}{query}"
    status = 301 if fault.permanent else 302
    return html_response(status, "", {"location": location})


def spoiled(fault: Fault, real: Response, request: Request, mark: str) -> Response:
    """Spoil a real answer.

    Args:
        fault: What goes wrong.
        real: The answer.
        request: What was asked.
        mark: Planted in the body, if not empty.

    Returns:
        The spoiled answer.
    """
    kind = fault.kind
    if kind == "slow":
        return Response(
            real.status, real.headers, real.body, Misbehaviour(delay=fault.seconds)
        )
    if kind == "truncate":
        return Response(
            real.status, real.headers, real.body, Misbehaviour(cut="truncate")
        )
    if (rewrite := _REWRITES.get(kind)) is not None:
        return raw_json_response(real.status, rewrite(real.body, mark))
    if kind in _CHARACTER_SETS:
        encoding, declared = _CHARACTER_SETS[kind]
        text = real.body.decode()
        if encoding == "latin-1":
            text = re.sub("[^\0-\xff]", lambda found: json.dumps(found[0])[1:-1], text)
        body = text.encode(encoding)
        content_type = {"content-type": f"application/json{declared}"}
        return raw_json_response(real.status, body, content_type)
    edit = _EDITS.get(kind)
    if edit is None and kind != "claims":
        return real
    body = json.loads(real.body or b"{}")
    if edit is None:
        claims.lie(fault.claims, body)
    else:
        edit(body, request, mark)
    return json_response(real.status, body)


def _lose_key(body: dict[str, Json], request: Request, _: str) -> None:
    """Take the key out of the first record."""
    for record in (body.get("results") or body.get("data") or [])[:1]:
        record.pop(BY_PATH[request.path].key, None)


def _lead_elsewhere(body: dict[str, Json], request: Request, _: str) -> None:
    if body.get("next"):
        body["next"] = body["next"].replace(request.path, "/api/elsewhere", 1)


def _lead_in_a_loop(body: dict[str, Json], request: Request, _: str) -> None:
    """Let `next` be the page that was just read."""
    if body.get("next"):
        base = body["next"].partition("?")[0]
        body["next"] = f"{base}?{request.full_query}"


_ODD_VALUES = b'"odd_nan":NaN,"odd_infinity":-Infinity,"odd_long":%s,"odd_deep":%s,' % (
    b"7" * 5000,
    b"[" * 3000 + b"]" * 3000,
)


def _with_odd_values(body: bytes, _: str) -> bytes:
    body = body.replace(b'"results":[{', b'"results":[{' + _ODD_VALUES)
    return body.replace(b"},{", b"},{" + _ODD_VALUES)


_REWRITES: dict[str, Callable[[bytes, str], bytes]] = {
    "truncated_json": lambda body, _: body[: max(1, len(body) * 2 // 3)],
    "malformed_json": lambda body, mark: body + f",{mark}]".encode(),
    "odd_values": _with_odd_values,
}
_CHARACTER_SETS = {
    "byte_order_mark": ("utf-8-sig", ""),
    "latin_1": ("latin-1", "; charset=latin-1"),
    "utf_16": ("utf-16", "; charset=utf-16"),
}

_EDITS: dict[str, Callable[[dict[str, Json], Request, str], object]] = {
    "missing_status": lambda body, *_: body.pop("status", None),
    "unexpected_status": lambda body, _, mark: body.update(status=f"{mark}Queued"),
    "missing_results": lambda body, *_: (body.pop("results", 0), body.pop("data", 0)),
    "missing_uuid": lambda body, *_: body.pop("uuid", None),
    "record_without_key": _lose_key,
    "next_elsewhere": _lead_elsewhere,
    "next_loop": _lead_in_a_loop,
}
