"""A clock that stands still, and a client in the same process."""

from __future__ import annotations

import typing as t
import urllib.parse

from drchrono_sandbox import (
    ACCESS_TOKEN,
    REFRESH_TOKEN,
    Api,
    Practice,
    Request,
    Response,
    Settings,
)

NOW = 1_767_225_600.0
"""2026-01-01T00:00:00, the start of a clock hour."""


class Bench:
    """An API with a clock of its own, and shorthands for its requests."""

    def __init__(self, practice: Practice, settings: Settings, faults=()):
        self.now = NOW
        self.api = Api(practice, settings, clock=lambda: self.now, faults=faults)
        self.token = settings.mark + ACCESS_TOKEN

    def send(
        self, method: str, path: str, body=None, headers=None, **query
    ) -> Response:
        asked = urllib.parse.urlencode(query)
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        url = f"http://sandbox{path}?{asked}"
        return self.api.handle(Request.of(method, url, sent, body))

    def post(self, stream: str, **query) -> Response:
        asked = {"since": "1970-01-01"} | query
        return self.send("POST", f"/api/{stream}_list", **asked)

    def poll(self, stream: str, uuid: str) -> Response:
        return self.send("GET", f"/api/{stream}_list", uuid=uuid)

    def page(self, stream: str, **query) -> dict[str, t.Any]:
        """POST, and GET the list that is ready at once."""
        return self.poll(stream, self.post(stream, **query).json()["uuid"]).json()

    def results(self, stream: str, **query) -> list[dict[str, t.Any]]:
        return self.page(stream, **query)["results"]

    def whole(self, stream: str, **query) -> list[dict[str, t.Any]]:
        """Read page after page."""
        first = self.page(stream, page=1, **query)
        records = first["results"]
        for page in range(2, first["pagination"]["pages"] + 1):
            records += self.results(stream, page=page, **query)
        return records

    def plain(self, stream: str, **query) -> dict[str, t.Any]:
        """GET the first page of a plain list."""
        return self.send("GET", f"/api/{stream}", **query).json()

    def plain_at(self, address: str) -> dict[str, t.Any]:
        """GET what a `next` or a `previous` leads to."""
        sent = {"Authorization": f"Bearer {self.token}"}
        return self.api.handle(Request.of("GET", address, sent)).json()

    def follow(self, stream: str, **query) -> list[dict[str, t.Any]]:
        """Read page after page of a plain list."""
        pages = [self.plain(stream, **query)]
        while pages[-1]["next"] is not None:
            pages.append(self.plain_at(pages[-1]["next"]))
        return pages


def form(**fields):
    return urllib.parse.urlencode(
        {"client_id": "sandbox-client", "client_secret": "sandbox-secret"} | fields
    )


def refresh(api, token=REFRESH_TOKEN, **fields):
    body = form(grant_type="refresh_token", refresh_token=token, **fields)
    return api.send("POST", "/o/token/", body)
