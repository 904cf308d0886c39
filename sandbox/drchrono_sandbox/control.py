"""The sandbox's own endpoints: look at the source, change it, make things go wrong."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from drchrono_sandbox.endpoints import check_names
from drchrono_sandbox.messages import (
    Json,
    Request,
    Response,
    json_response,
    raw_json_response,
)
from drchrono_sandbox.parameters import is_true
from drchrono_sandbox.plain.endpoints import PLAIN
from drchrono_sandbox.settings import DEFAULT_SCOPE, Changes
from drchrono_sandbox.streams import STREAMS

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from drchrono_sandbox.api import Api

PREFIX = "/sandbox/"


def handle(api: Api, request: Request) -> Response:
    """Answer a request to a control endpoint. It costs no quota and isn't logged.

    Args:
        api: The API that is controlled.
        request: The request; POSTs carry JSON.

    Returns:
        The answer; 400 with a text that says what is wrong.
    """
    name = request.path.removeprefix(PREFIX).strip("/")
    try:
        return _route(api, request, name)
    except (TypeError, ValueError) as error:
        return json_response(400, {"detail": str(error)})


def _route(api: Api, request: Request, name: str) -> Response:
    if request.method == "GET" and name.partition("/")[0] == "streams":
        return _streams(api, request, name.partition("/")[2])
    if (request.method, name) == ("GET", "plain"):
        hidden = is_true(request.query.get("show_archived", "true"))
        return json_response(200, api.counts(hidden=hidden, plain=True))
    answer = _ANSWERS.get((request.method, name))
    if answer is None:
        return json_response(404, {"detail": f"No such endpoint below {PREFIX}"})
    is_post = request.method == "POST"
    body = json.loads(request.body or b"{}") if is_post else None
    return json_response(200, answer(api, body))


def _streams(api: Api, request: Request, name: str) -> Response:
    flags = {
        flag: is_true(request.query.get(flag, "true"))
        for flag in ("verbose", "show_archived", "show_inactive")
    }
    if not name:
        with_hidden, without = api.counts(), api.counts(hidden=False)
        shown = {
            stream: (with_hidden if flags[_flag_of(stream)] else without)[stream]
            for stream in STREAMS
        }
        return json_response(200, shown)
    check_names([name])
    body = api.records_body(
        name, verbose=flags["verbose"], hidden=flags[_flag_of(name)]
    )
    return raw_json_response(200, body)


def _flag_of(stream: str) -> str:
    is_archived = stream == "appointments" or stream in PLAIN
    return "show_archived" if is_archived else "show_inactive"


def _change(api: Api, body: Json) -> Json:
    seed = body.pop("seed", None)
    return api.change(Changes(**body), seed=seed)


def _grant(api: Api, body: Json) -> Json:
    client_id = body.get("client_id", api.settings.apps[0].client_id)
    scope = body.get("scope", DEFAULT_SCOPE)
    return dataclasses.asdict(api.oauth.add_grant(client_id, api.clock(), scope=scope))


def _log(api: Api, _: Json) -> Json:
    return [dataclasses.asdict(entry) for entry in api.log]


def _clear_log(api: Api, _: Json) -> Json:
    api.log.clear()
    return []


def _settings(api: Api, body: Json) -> Json:
    if body:
        api.settings = api.settings.with_changes(body)
    return dataclasses.asdict(api.settings)


def _faults(api: Api, body: Json) -> Json:
    if body is not None:
        api.set_faults(body)
    plan = api.faults
    return [
        dataclasses.asdict(fault) | {"matched": matched, "applied": applied}
        for fault, matched, applied in zip(
            plan.faults, plan.matched, plan.applied, strict=True
        )
    ]


_ANSWERS: dict[tuple[str, str], Callable[[Api, Json], Json]] = {
    ("GET", "log"): _log,
    ("POST", "log/clear"): _clear_log,
    ("GET", "settings"): _settings,
    ("POST", "settings"): _settings,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _faults,
    ("POST", "change"): _change,
    ("POST", "grants"): _grant,
}
