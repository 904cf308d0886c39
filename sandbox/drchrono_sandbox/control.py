"""The sandbox's own endpoints: look at the source, change it, make things go wrong."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from drchrono_sandbox.messages import (
    Json,
    Request,
    Response,
    json_response,
    raw_json_response,
)
from drchrono_sandbox.parameters import is_true
from drchrono_sandbox.settings import DEFAULT_SCOPE, Changes
from drchrono_sandbox.streams import STREAMS

if t.TYPE_CHECKING:
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
    if request.method == "GET":
        if name.startswith("streams"):
            return _streams(api, request, name.partition("/")[2])
        if name == "log":
            entries = [dataclasses.asdict(entry) for entry in api.log]
            return json_response(200, entries)
        if name == "settings":
            return json_response(200, _plain_settings(api))
        if name == "faults":
            return json_response(200, _plain_faults(api))
    if request.method == "POST":
        body = json.loads(request.body or b"{}")
        if name == "change":
            return _change(api, body)
        if name == "faults":
            api.set_faults(body)
            return json_response(200, _plain_faults(api))
        if name == "settings":
            api.settings = api.settings.with_changes(body)
            return json_response(200, _plain_settings(api))
        if name == "log/clear":
            api.log.clear()
            return json_response(200, [])
        if name == "grants":
            return _grant(api, body)
    return json_response(404, {"detail": f"No control endpoint for {request.method}"})


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
    if name not in STREAMS:
        msg = f"Unknown stream; known: {', '.join(STREAMS)}"
        raise ValueError(msg)
    body = api.records_body(
        name, verbose=flags["verbose"], hidden=flags[_flag_of(name)]
    )
    return raw_json_response(200, body)


def _flag_of(stream: str) -> str:
    return "show_archived" if stream == "appointments" else "show_inactive"


def _change(api: Api, body: dict[str, Json]) -> Response:
    seed = body.pop("seed", None)
    return json_response(200, api.change(Changes(**body), seed=seed))


def _grant(api: Api, body: dict[str, Json]) -> Response:
    client_id = body.get("client_id", api.settings.apps[0].client_id)
    scope = body.get("scope", DEFAULT_SCOPE)
    grant = api.oauth.add_grant(client_id, api.clock(), scope=scope)
    return json_response(200, dataclasses.asdict(grant))


def _plain_settings(api: Api) -> Json:
    return dataclasses.asdict(api.settings)


def _plain_faults(api: Api) -> Json:
    return [
        dataclasses.asdict(fault) | {"matched": matched, "applied": applied}
        for fault, matched, applied in zip(
            api.faults.faults, api.faults.matched, api.faults.applied, strict=True
        )
    ]
